package lifecycle

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/snapshot"
)

// An Account is what the directory stores about one person's certificates.
type Account struct {
	// User is the account's object ID or user principal name. Required.
	User string
	// IDs are its certificateUserIds.
	IDs certuserid.Set
	// Synced says that the account comes from Active Directory
	// (onPremisesSyncEnabled). Only Microsoft Entra Connect writes its
	// certificateUserIds; Graph cannot (Learn, "Certificate user IDs").
	Synced bool
}

// AccountOf returns the account of a user that was read from Graph or from a
// snapshot, by object ID.
//
// The error is [BadValues]: the user has more values than an account can have, or
// an empty one.
func AccountOf(user snapshot.User) (Account, error) {
	a := Account{User: user.ID, Synced: user.Synced}
	if a.User == "" {
		a.User = user.UserPrincipalName
	}
	if err := a.IDs.Merge(user.AuthorizationInfo.CertificateUserIDs...); err != nil {
		return Account{}, &Error{BadValues, fmt.Sprintf("certificateUserIds of %q", a.User), err}
	}
	return a, nil
}

// A HeldCertificate is a certificate that the person has, or had.
type HeldCertificate struct {
	Certificate *x509.Certificate // required
	// Revoked is the time of its revocation, zero if it is not revoked.
	Revoked time.Time
}

// end returns the first second at which the certificate no longer signs in.
func (h HeldCertificate) end() time.Time {
	end := h.Certificate.NotAfter.Add(time.Second) // NotAfter is still valid
	if !h.Revoked.IsZero() && h.Revoked.Before(end) {
		end = h.Revoked
	}
	return end.UTC()
}

func check(account Account, held []HeldCertificate, at time.Time) error {
	switch {
	case account.User == "":
		return &Error{Reason: NoUser, What: "the account has no user: set its object ID"}
	case at.IsZero():
		return &Error{Reason: NoTime, What: "the plan needs a time to begin at"}
	}
	for i, h := range held {
		if err := checkCertificate(h.Certificate, fmt.Sprintf("held certificate %d", i)); err != nil {
			return err
		}
	}
	return nil
}

func checkCertificate(cert *x509.Certificate, what string) error {
	switch {
	case cert == nil:
		return &Error{Reason: NoCertificate, What: what + " is missing"}
	case len(cert.Raw) == 0 || cert.SerialNumber == nil:
		return &Error{Reason: NoCertificate, What: what + " was not parsed: use x509.ParseCertificate"}
	}
	return nil
}

// A Step is one change of an account's certificateUserIds: one PATCH.
type Step struct {
	// NotBefore is the earliest time for the step.
	NotBefore time.Time `json:"notBefore"`
	Add       []string  `json:"add,omitempty"`
	Remove    []string  `json:"remove,omitempty"`
}

// Apply returns the set after the step. It does not add values that are there
// already and ignores missing values to remove, so applying a step twice is the same
// as applying it once. All other values stay.
//
// The error is a [*certuserid.Error] with reason [certuserid.Full] if values
// were added to the account since the step was planned. The set is then returned
// unchanged.
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

// fits reports whether a stored value belongs to a certificate, by any mapping. A
// value that matches only on an assumption counts too: no other certificate has it.
func fits(values *certuserid.Values, stored string) (certuserid.Mapping, bool) {
	for _, m := range certuserid.Mappings() {
		if values.Fit(m, stored) != certuserid.Unfit {
			return m, true
		}
	}
	return "", false
}

// appendNew appends a value that the list does not contain.
func appendNew[T comparable](list []T, v T) []T {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}
