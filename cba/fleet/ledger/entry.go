package ledger

import (
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
)

// MaxOwner is the longest name of an owner or a worker, in bytes.
const MaxOwner = 1024

// An Entry is one certificate. Times are UTC, to the second. The time of a state that
// the certificate was never in is zero.
type Entry struct {
	Owner    string               `json:"owner"`              // whom it was made for
	UPN      string               `json:"upn,omitempty"`      // the first UPN in the certificate
	Serial   string               `json:"serialNumber"`       // lower-case hexadecimal, whole bytes
	Issuer   string               `json:"issuer"`             // subject key identifier of the CA, lower-case hexadecimal
	State    State                `json:"state"`              // see the package comment
	Replaces string               `json:"replaces,omitempty"` // serial number of the certificate that it renewed
	Reason   crl.RevocationReason `json:"reason,omitempty"`   // why it was revoked

	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`

	IssuedAt    time.Time `json:"issuedAt"`
	BoundAt     time.Time `json:"boundAt,omitzero"`
	DeliveredAt time.Time `json:"deliveredAt,omitzero"`
	RenewedAt   time.Time `json:"renewedAt,omitzero"`
	RevokedAt   time.Time `json:"revokedAt,omitzero"`

	// Certificate is the certificate, DER. Ledgers return it only if [Query] asks for
	// it.
	Certificate []byte `json:"certificate,omitempty"`
}

// NewEntry returns the entry of a new certificate that was issued at a time.
//
// The error is an *Error with reason Invalid: the owner cannot be used, or the
// certificate has no authority key identifier.
func NewEntry(owner string, cert *x509.Certificate, at time.Time) (Entry, error) {
	names, err := cba.NamesOf(cert)
	if err != nil {
		return Entry{}, &Error{Reason: Invalid, What: "certificate", Err: err}
	}
	e := Entry{
		Owner:       owner,
		Serial:      SerialText(cert.SerialNumber),
		Issuer:      hex.EncodeToString(cert.AuthorityKeyId),
		State:       Issued,
		NotBefore:   cert.NotBefore.UTC(),
		NotAfter:    cert.NotAfter.UTC(),
		IssuedAt:    at.UTC().Truncate(time.Second),
		Certificate: cert.Raw,
	}
	if len(names.UPNs) > 0 {
		e.UPN = names.UPNs[0]
	}
	return e, e.Check()
}

// Check reports whether a ledger can record the entry: it needs an owner, a serial
// number, an issuer and the certificate. The error is an *Error with reason Invalid.
func (e Entry) Check() error {
	switch {
	case e.Serial == "" || e.Issuer == "":
		return &Error{Reason: Invalid, What: "certificate", Hint: "it needs a serial number and an authority key identifier"}
	case len(e.Certificate) == 0:
		return &Error{Reason: Invalid, What: "entry", Hint: "set its certificate"}
	}
	return CheckOwner(e.Owner)
}

// CheckOwner reports whether a text can name an owner: valid UTF-8 without control
// characters, from 1 to [MaxOwner] bytes. The error is an *Error with reason Invalid.
func CheckOwner(owner string) error {
	switch {
	case owner == "":
		return &Error{Reason: Invalid, What: "owner", Hint: "it must not be empty"}
	case len(owner) > MaxOwner:
		return &Error{Reason: Invalid, What: fmt.Sprintf("owner %.40q... of %d bytes", owner, len(owner)), Hint: fmt.Sprintf("use at most %d bytes", MaxOwner)}
	case !utf8.ValidString(owner) || strings.ContainsFunc(owner, unicode.IsControl):
		return &Error{Reason: Invalid, What: fmt.Sprintf("owner %q", owner), Hint: "use UTF-8 without control characters"}
	}
	return nil
}

// SerialText returns a serial number as [Entry] has it: lower-case hexadecimal, two
// digits for each byte.
func SerialText(serial *big.Int) string { return hex.EncodeToString(serial.Bytes()) }

// ParseSerial reads the text of [SerialText], of 1 to 20 bytes. The error is an *Error
// with reason Invalid.
func ParseSerial(text string) (*big.Int, error) {
	digits, err := hex.DecodeString(text)
	if err != nil || len(digits) == 0 || len(digits) > 20 || text != strings.ToLower(text) {
		return nil, &Error{Reason: Invalid, What: fmt.Sprintf("serial number %.50q", text), Hint: "use lower-case hexadecimal digits, two for each byte, at most 20 bytes"}
	}
	return new(big.Int).SetBytes(digits), nil
}

// Due reports whether this is a live certificate that is due for renewal at a time:
// see [cba.RenewalTime], which percent is for.
func (e Entry) Due(at time.Time, percent int) bool {
	return e.State.Live() && !at.Before(cba.RenewalTime(e.NotBefore, e.NotAfter, percent))
}

// Revocation returns what publish.Issuer.Revoke takes, for an entry that is Revoked.
// The error is an *Error with reason Invalid.
func (e Entry) Revocation() (crl.Revocation, error) {
	serial, err := ParseSerial(e.Serial)
	if err == nil && e.State != Revoked {
		err = &Error{Reason: Invalid, What: "revocation of certificate " + e.Serial, Hint: "it is " + e.State.String() + ", not revoked"}
	}
	return crl.Revocation{Serial: serial, Time: e.RevokedAt, Reason: e.Reason, Expires: e.NotAfter}, err
}
