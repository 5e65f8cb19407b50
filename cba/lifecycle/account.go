package lifecycle

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/lint"
)

// An Account is what the directory has about one person.
type Account struct {
	// User is the account's object ID or user principal name; required.
	User string
	// IDs are its certificateUserIds.
	IDs certuserid.Set
	// Synced is whether the account comes from Active Directory
	// (onPremisesSyncEnabled). Its certificateUserIds are written by Microsoft Entra
	// Connect alone, not through Graph (Learn, "Certificate user IDs").
	Synced bool
}

// A Held is a certificate that the person has, or had.
type Held struct {
	Certificate *x509.Certificate // required
	// Revoked is since when it is revoked, zero if it is not.
	Revoked time.Time
}

// end returns the first second at which nobody signs in with it any more.
func (h Held) end() time.Time {
	end := h.Certificate.NotAfter.Add(time.Second) // NotAfter is still valid
	if !h.Revoked.IsZero() && h.Revoked.Before(end) {
		end = h.Revoked
	}
	return end.UTC()
}

func check(account Account, held []Held, at time.Time) error {
	switch {
	case account.User == "":
		return errors.New("lifecycle: the account has no user")
	case at.IsZero():
		return errors.New("lifecycle: there is no time to plan for")
	}
	for i, h := range held {
		if h.Certificate == nil {
			return fmt.Errorf("lifecycle: entry %d has no certificate", i)
		}
	}
	return nil
}

// A Step is one change of an account's certificateUserIds: one PATCH.
type Step struct {
	// NotBefore is when to do it.
	NotBefore time.Time `json:"notBefore"`
	Add       []string  `json:"add,omitempty"`
	Remove    []string  `json:"remove,omitempty"`
}

// Apply returns the set after the step. Values that are there already are not
// added, values that are gone are not removed, so that applying a step twice is
// applying it once; every other value stays.
//
// The error is a [*certuserid.SetError], [certuserid.Full] if the set has got
// values since the step was planned. The set is returned unchanged then.
func (s Step) Apply(set certuserid.Set) (certuserid.Set, error) {
	changed := set
	for _, value := range s.Remove {
		changed.Remove(value)
	}
	if err := changed.Merge(s.Add...); err != nil {
		return set, err
	}
	return changed, nil
}

func (s Step) isEmpty() bool { return len(s.Add)+len(s.Remove) == 0 }

// A rule is what all findings of one code share.
type rule struct {
	code     string
	severity lint.Severity
	effect   lint.Effect
	do       string
	source   string
}

func (r rule) finding(where, format string, args ...any) lint.Finding {
	return lint.Finding{Code: r.code, Severity: r.severity, Effect: r.effect, Where: where,
		What: fmt.Sprintf(format, args...), Do: r.do, Source: lint.Source(r.source)}
}

// Sources. "Learn" is learn.microsoft.com, by the title of the page.
const (
	fromUserIDs  = "Learn: Certificate user IDs"
	fromDeepDive = "Learn: CBA technical deep dive"
	fromCRL      = "Learn: CBA certificate revocation list"
	fromAccess   = "Learn: Revoke user access in Microsoft Entra ID"
	fromSessions = "Learn: Graph, user: revokeSignInSessions"
	fromIntune   = "Learn: Remove SCEP and PKCS certificates in Microsoft Intune"
	fromRFC      = "RFC 5280 section 5.3.1"
	fromNIST     = "NIST SP 800-57 Part 1 Rev. 5 section 8.3.4"
)

// fits reports whether a stored value is a certificate's, under any mapping.
// Values that fit on an assumption count: they are nobody else's.
func fits(values *certuserid.Values, stored string) (certuserid.Mapping, bool) {
	for _, m := range certuserid.Mappings() {
		if values.Fit(m, stored) != certuserid.Unfit {
			return m, true
		}
	}
	return 0, false
}

// appendNew appends what the list does not have.
func appendNew[T comparable](list []T, v T) []T {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}
