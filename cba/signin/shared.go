package signin

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
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
// in tables that are four fifths full, and names the users of the first 32,768 values, as
// far as their names fit into 2 MiB; findings call a later one "another user of the list".
// In a list of a million values, one is taken for another by seven in a thousand chances.
type SharedIDs struct {
	tables [sharedTables]sharedTable
	// names has where in text the name of a value's first user is, plus one: 4 more bytes
	// of the value's hash, the length of the name in two, and the name. Tables and text
	// have no pointers, so that the garbage collector passes over them.
	names sharedTable
	text  []byte
}

const (
	sharedTables = 64 // one grows at a time
	sharedNames  = 1 << 15
	sharedText   = 2 << 20
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
		switch first, same := s.tables[key%sharedTables].add(key/sharedTables, me>>(64-sharedUserBits)); {
		case first:
			s.name(key, who)
		case !same:
			name := "another user of the list"
			if n, known := s.named(key); known {
				name = text.Quote(n)
			}
			found = append(found, userIDShared.At(fmt.Sprintf("%s/%d", atUserIDs, i), fmt.Sprintf("%s, certificateUserIds[%d]", who, i),
				"%s has the same value %s, so one certificate signs in as both", name, text.Quote(value)))
		}
	}
	return found
}

// name keeps the name of the first user of a value, if there is room.
func (s *SharedIDs) name(key uint64, who string) {
	if s.names.n == sharedNames || len(who) > math.MaxUint16 || len(s.text)+6+len(who) > sharedText {
		return
	}
	if first, _ := s.names.add(key, uint64(len(s.text)+1)); first {
		s.text = binary.LittleEndian.AppendUint32(s.text, uint32(key>>32))
		s.text = append(binary.LittleEndian.AppendUint16(s.text, uint16(len(who))), who...)
	}
}

// named returns the name of the first user of a value, if it was kept.
func (s *SharedIDs) named(key uint64) (who string, known bool) {
	if s.names.n == 0 {
		return "", false
	}
	at := *s.names.find(key << sharedUserBits) & (1<<sharedUserBits - 1)
	if at == 0 {
		return "", false
	}
	entry := s.text[at-1:]
	if binary.LittleEndian.Uint32(entry) != uint32(key>>32) { // another value's
		return "", false
	}
	return string(entry[6 : 6+int(binary.LittleEndian.Uint16(entry[4:]))]), true
}

// hashOf does not tell letters of different case apart.
func hashOf(text string) uint64 {
	sum := sha256.Sum256([]byte(strings.ToLower(text)))
	return binary.LittleEndian.Uint64(sum[:])
}

// A sharedTable has a number of 24 bits for each key: a table with open addressing and without
// pointers. A slot has 40 bits of the key and the number, or is zero.
type sharedTable struct {
	slots []uint64
	n     int
}

const sharedUserBits = 24

// add adds a key with its number, if it is new. Otherwise same says that it has this one.
func (t *sharedTable) add(key, low uint64) (first, same bool) {
	if t.n >= len(t.slots)-len(t.slots)/8 {
		old := t.slots
		t.slots = make([]uint64, len(old)+len(old)/8+16)
		for _, slot := range old {
			if slot != 0 {
				*t.find(slot) = slot
			}
		}
	}
	slot := key<<sharedUserBits | low
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

// find returns the slot with the key of another, or the empty one where it belongs.
func (t *sharedTable) find(slot uint64) *uint64 {
	key := slot >> sharedUserBits
	place, _ := bits.Mul64(key<<sharedUserBits, uint64(len(t.slots)))
	for i := int(place); ; i = (i + 1) % len(t.slots) {
		if s := &t.slots[i]; *s == 0 || *s>>sharedUserBits == key {
			return s
		}
	}
}
