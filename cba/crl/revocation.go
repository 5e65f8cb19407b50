package crl

import (
	"fmt"
	"math/big"
	"time"
)

// A Revocation takes a certificate out of use.
type Revocation struct {
	Serial *big.Int // required; from 0 up to 20 octets
	// Time is since when; zero means now. It is kept to the second.
	Time   time.Time
	Reason RevocationReason // any but RemoveFromCRL
	// Expires is the end of the certificate's validity. If it is set, the entry
	// leaves the lists when RFC 5280 section 3.3 allows it: after a base list that
	// was issued later than this had it. It keeps lists below Entra's 20 MB.
	Expires time.Time
}

// A RevocationReason is why a certificate was revoked, with the numbers of RFC 5280
// section 5.3.1. Lists that were read can hold numbers that have no name here;
// they revoke like any other.
type RevocationReason int

const (
	Unspecified          RevocationReason = 0 // also the meaning of no reason at all
	KeyCompromise        RevocationReason = 1
	CACompromise         RevocationReason = 2
	AffiliationChanged   RevocationReason = 3
	Superseded           RevocationReason = 4
	CessationOfOperation RevocationReason = 5
	// CertificateHold is the one reason that can be taken back: see
	// Release of package crl/publish.
	CertificateHold RevocationReason = 6
	// RemoveFromCRL appears in delta lists only: the certificate is good again,
	// or has expired.
	RemoveFromCRL      RevocationReason = 8
	PrivilegeWithdrawn RevocationReason = 9
	AACompromise       RevocationReason = 10
)

// String returns the reason's name in RFC 5280 ("keyCompromise").
func (r RevocationReason) String() string {
	switch r {
	case Unspecified:
		return "unspecified"
	case KeyCompromise:
		return "keyCompromise"
	case CACompromise:
		return "cACompromise"
	case AffiliationChanged:
		return "affiliationChanged"
	case Superseded:
		return "superseded"
	case CessationOfOperation:
		return "cessationOfOperation"
	case CertificateHold:
		return "certificateHold"
	case RemoveFromCRL:
		return "removeFromCRL"
	case PrivilegeWithdrawn:
		return "privilegeWithdrawn"
	case AACompromise:
		return "aACompromise"
	}
	return fmt.Sprintf("reason %d", int(r))
}

// MarshalText writes the text of [RevocationReason.String]; a number without a name is an
// error.
func (r RevocationReason) MarshalText() ([]byte, error) {
	if _, ok := reasonByName(r.String()); !ok {
		return nil, fmt.Errorf("crl: revocation reason %d has no text", int(r))
	}
	return []byte(r.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (r *RevocationReason) UnmarshalText(text []byte) error {
	reason, ok := reasonByName(string(text))
	if !ok {
		return fmt.Errorf("crl: %q is not a revocation reason", text)
	}
	*r = reason
	return nil
}

func reasonByName(name string) (RevocationReason, bool) {
	for r := Unspecified; r <= AACompromise; r++ {
		if r != 7 && r.String() == name { // 7 was never given out
			return r, true
		}
	}
	return 0, false
}
