package signin

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"

	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
)

// SharedIDs finds values of certificateUserIds that two users of a list have. The
// directory refuses such values, so a list with one is wrong or old; where both were
// true, the certificate would sign in as either user. [Tenant.UserFindings] looks at one
// user at a time, and [Compare] at a list without keeping it: add each user here as well.
//
// The zero value is ready. It is not for concurrent use. It holds 12 bytes for each
// value, in tables that are three quarters full, and the names of the first 32,768
// users who have one; findings call a later one "another user of the list".
type SharedIDs struct {
	tables [sharedTables]sharedTable
	names  map[uint32]string // of users, by their hash
}

const (
	sharedTables = 64 // one grows at a time
	sharedNames  = 1 << 15
)

// Add returns a finding for each value of a user that another user had before. Where is
// a JSON pointer into the user. Values are compared without regard to letter case,
// because which letters Entra takes for the same is not documented (open question 9.4).
// A user who is added again is nobody else. A nil collector finds nothing.
func (s *SharedIDs) Add(user policy.User) lint.Findings {
	if s == nil {
		return nil
	}
	var found lint.Findings
	who := cmp.Or(user.UserPrincipalName, user.ID)
	me := uint32(hashOf(who))
	for i, value := range user.AuthorizationInfo.CertificateUserIDs {
		if value == "" {
			continue
		}
		key := hashOf(value)
		other, had := s.tables[key%sharedTables].add(key, me)
		switch {
		case !had:
			if _, known := s.names[me]; !known && len(s.names) < sharedNames {
				if s.names == nil {
					s.names = map[uint32]string{}
				}
				s.names[me] = who
			}
		case other != me:
			name := "another user of the list"
			if n, known := s.names[other]; known {
				name = text.Quote(n)
			}
			found = append(found, userIDShared.At(fmt.Sprintf("%s/%d", atUserIDs, i), fmt.Sprintf("%s, certificateUserIds[%d]", who, i),
				"%s has the same value %s, so one certificate signs in as both", name, text.Quote(value)))
		}
	}
	return found
}

// hashOf does not tell letters of different case apart.
func hashOf(text string) uint64 {
	sum := sha256.Sum256([]byte(strings.ToLower(text)))
	return binary.LittleEndian.Uint64(sum[:])
}

// A sharedTable has the first user of each value, by hash: a table with open addressing
// and without pointers, which the garbage collector passes over.
type sharedTable struct {
	slots []sharedSlot
	n     int
}

// A sharedSlot is empty if its value is zero.
type sharedSlot struct {
	low, high uint32 // of the value
	user      uint32
}

// add returns the user who had a value first, and whether somebody had.
func (t *sharedTable) add(key uint64, user uint32) (first uint32, had bool) {
	if t.n >= len(t.slots)-len(t.slots)/8 {
		old := t.slots
		t.slots = make([]sharedSlot, len(old)+len(old)/2+16)
		for _, s := range old {
			if s != (sharedSlot{}) {
				*t.find(uint64(s.high)<<32 | uint64(s.low)) = s
			}
		}
	}
	s := t.find(key)
	if *s != (sharedSlot{}) {
		return s.user, true
	}
	*s = sharedSlot{uint32(key), uint32(key >> 32), user}
	t.n++
	return user, false
}

// find returns the slot of a value, or the empty one where it belongs.
func (t *sharedTable) find(key uint64) *sharedSlot {
	place, _ := bits.Mul64(key, uint64(len(t.slots)))
	for i := int(place); ; i = (i + 1) % len(t.slots) {
		s := &t.slots[i]
		if *s == (sharedSlot{}) || s.low == uint32(key) && s.high == uint32(key>>32) {
			return s
		}
	}
}
