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
// The zero value is ready. It is not for concurrent use. It holds 8 bytes for each value,
// in tables that are three quarters full, and names the users of the first 32,768 values;
// findings call a later one "another user of the list". In a list of a million values,
// one is taken for another by three in a million chances.
type SharedIDs struct {
	tables [sharedTables]sharedTable
	names  map[uint64]string // of the users who had a value first, by the value's hash
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
	me := hashOf(who)
	for i, value := range user.AuthorizationInfo.CertificateUserIDs {
		if value == "" {
			continue
		}
		key := hashOf(value)
		switch first, same := s.tables[key%sharedTables].add(key/sharedTables, me); {
		case first && len(s.names) < sharedNames:
			if s.names == nil {
				s.names = map[uint64]string{}
			}
			s.names[key] = who
		case !first && !same:
			name := "another user of the list"
			if n, known := s.names[key]; known {
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

// A sharedTable has the first user of each value: a table with open addressing and
// without pointers, which the garbage collector passes over. A slot has 40 bits of the
// value's hash and 24 of the user's, or is zero.
type sharedTable struct {
	slots []uint64
	n     int
}

const sharedUserBits = 24

// add adds a value, if it is the first. Otherwise same says that it is the same user's.
func (t *sharedTable) add(key, user uint64) (first, same bool) {
	if t.n >= len(t.slots)-len(t.slots)/8 {
		old := t.slots
		t.slots = make([]uint64, len(old)+len(old)/2+16)
		for _, slot := range old {
			if slot != 0 {
				*t.find(slot) = slot
			}
		}
	}
	slot := key<<sharedUserBits | user>>(64-sharedUserBits)
	if slot == 0 {
		slot = 1
	}
	s := t.find(slot)
	if *s == 0 {
		*s = slot
		t.n++
		return true, false
	}
	return false, *s == slot
}

// find returns the slot with the value of another, or the empty one where it belongs.
func (t *sharedTable) find(slot uint64) *uint64 {
	key := slot >> sharedUserBits
	place, _ := bits.Mul64(key<<sharedUserBits, uint64(len(t.slots)))
	for i := int(place); ; i = (i + 1) % len(t.slots) {
		if s := &t.slots[i]; *s == 0 || *s>>sharedUserBits == key {
			return s
		}
	}
}
