package signin

import (
	"cmp"
	"crypto/sha256"
	"fmt"
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
// The zero value is ready. It is not for concurrent use. It holds 16 bytes for each
// value, and the names of the users who have some.
type SharedIDs struct {
	first map[[16]byte]int // the user who has a value first
	users []string         // who they are
}

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
	me := len(s.users)
	for i, value := range user.AuthorizationInfo.CertificateUserIDs {
		if value == "" {
			continue
		}
		sum := sha256.Sum256([]byte(strings.ToLower(value)))
		key := [16]byte(sum[:16])
		other, ok := s.first[key]
		switch {
		case !ok:
			if s.first == nil {
				s.first = map[[16]byte]int{}
			}
			if len(s.users) == me {
				s.users = append(s.users, who)
			}
			s.first[key] = me
		case !strings.EqualFold(s.users[other], who):
			found = append(found, userIDShared.At(fmt.Sprintf("%s/%d", atUserIDs, i), fmt.Sprintf("%s, certificateUserIds[%d]", who, i),
				"%s has the same value %s, so one certificate signs in as both", text.Quote(s.users[other]), text.Quote(value)))
		}
	}
	return found
}
