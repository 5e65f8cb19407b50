package crl

import "fmt"

// A Reason is why a certificate was revoked, with the numbers of RFC 5280
// section 5.3.1. Lists that were read can hold numbers that have no name here;
// they revoke like any other.
type Reason int

const (
	Unspecified          Reason = 0 // also the meaning of no reason at all
	KeyCompromise        Reason = 1
	CACompromise         Reason = 2
	AffiliationChanged   Reason = 3
	Superseded           Reason = 4
	CessationOfOperation Reason = 5
	// CertificateHold is the one reason that can be taken back: see
	// [Issuer.Release].
	CertificateHold Reason = 6
	// RemoveFromCRL appears in delta lists only: the certificate is good again,
	// or has expired.
	RemoveFromCRL      Reason = 8
	PrivilegeWithdrawn Reason = 9
	AACompromise       Reason = 10
)

// String returns the reason's name in RFC 5280 ("keyCompromise").
func (r Reason) String() string {
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
	return fmt.Sprintf("Reason(%d)", int(r))
}

// MarshalText writes the text of [Reason.String]; a number without a name is an
// error.
func (r Reason) MarshalText() ([]byte, error) {
	if _, ok := reasonByName(r.String()); !ok {
		return nil, fmt.Errorf("crl: revocation reason %d has no text", int(r))
	}
	return []byte(r.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (r *Reason) UnmarshalText(text []byte) error {
	reason, ok := reasonByName(string(text))
	if !ok {
		return fmt.Errorf("crl: %q is not a revocation reason", text)
	}
	*r = reason
	return nil
}

func reasonByName(name string) (Reason, bool) {
	for r := Unspecified; r <= AACompromise; r++ {
		if r != 7 && r.String() == name { // 7 was never given out
			return r, true
		}
	}
	return 0, false
}
