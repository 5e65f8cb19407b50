package crl

import (
	"fmt"
	"math/big"
	"time"
)

// A Revocation takes a certificate out of use.
type Revocation struct {
	Serial *big.Int // required; from 0 up to 20 bytes
	// Time is when the certificate was revoked, to the second; zero means now.
	Time   time.Time
	Reason RevocationReason // any but RemoveFromCRL
	// Expires is the end of the certificate's validity. If it is set, the entry
	// leaves the CRLs when RFC 5280 section 3.3 allows it: after a base CRL that
	// was issued later than this had it. That keeps CRLs below Entra's 20 MB.
	Expires time.Time
}

// A RevocationReason is why a certificate was revoked, with the numbers of RFC 5280
// section 5.3.1. A CRL that was read can have numbers without a name here;
// they revoke like any other.
type RevocationReason int

const (
	Unspecified          RevocationReason = 0 // also the meaning of no reason at all
	KeyCompromise        RevocationReason = 1
	CACompromise         RevocationReason = 2
	AffiliationChanged   RevocationReason = 3
	Superseded           RevocationReason = 4
	CessationOfOperation RevocationReason = 5
	// CertificateHold is the one reason that can be taken back: see Release in
	// package crl/publish.
	CertificateHold RevocationReason = 6
	// RemoveFromCRL appears in delta CRLs only: the certificate is good again,
	// or has expired.
	RemoveFromCRL      RevocationReason = 8
	PrivilegeWithdrawn RevocationReason = 9
	AACompromise       RevocationReason = 10
)

var reasonNames = [...]string{
	Unspecified: "unspecified", KeyCompromise: "keyCompromise", CACompromise: "cACompromise", AffiliationChanged: "affiliationChanged",
	Superseded: "superseded", CessationOfOperation: "cessationOfOperation", CertificateHold: "certificateHold", RemoveFromCRL: "removeFromCRL",
	PrivilegeWithdrawn: "privilegeWithdrawn", AACompromise: "aACompromise",
}

// String returns the reason's name in RFC 5280 ("keyCompromise").
func (r RevocationReason) String() string {
	if r < 0 || int(r) >= len(reasonNames) || reasonNames[r] == "" { // 7 was never given out
		return fmt.Sprintf("reason %d", int(r))
	}
	return reasonNames[r]
}

// MarshalText writes the text of [RevocationReason.String]; a number without a
// name is an error.
func (r RevocationReason) MarshalText() ([]byte, error) {
	if r < 0 || int(r) >= len(reasonNames) || reasonNames[r] == "" {
		return nil, fmt.Errorf("crl: revocation %v has no text", r)
	}
	return []byte(reasonNames[r]), nil
}

// UnmarshalText reads what MarshalText wrote.
func (r *RevocationReason) UnmarshalText(text []byte) error {
	for i, name := range reasonNames {
		if name != "" && name == string(text) {
			*r = RevocationReason(i)
			return nil
		}
	}
	return fmt.Errorf("crl: %.60q is not a revocation reason", text)
}
