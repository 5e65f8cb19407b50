package publish

import (
	"fmt"
	"math/big"
	"strings"
)

// A Reason says why a CRL was not issued or a revocation not recorded:
// errors.Is(err, publish.NoBase). As text it is a short word for programs
// ("no-base-crl"). The zero value is unset, and no error carries it.
type Reason string

const (
	// UnfitIssuer: a field of the [Issuer] is missing, the certificate is not one
	// that signs CRLs for Entra, or the key is not the certificate's.
	UnfitIssuer Reason = "unfit-issuer"
	// BadRevocation: the serial number, the reason or a time is not one that a CRL
	// can have, or a serial number is given twice.
	BadRevocation Reason = "bad-revocation"
	// AlreadyRevoked: the certificate cannot be put on hold, it is revoked for good.
	AlreadyRevoked Reason = "already-revoked"
	// NotOnHold: the certificate cannot be released; it is good, or revoked for good.
	NotOnHold Reason = "not-on-hold"
	// BadOptions: the [Options] contradict each other, the certificate or RFC 5280.
	BadOptions Reason = "bad-options"
	// NoBase: there is no published base CRL that a delta CRL could continue.
	NoBase Reason = "no-base-crl"
	// Locked: the context ended while another caller held the lock of the store.
	Locked Reason = "store-locked"
	// StoreFailed: the store could not be locked, read or written.
	StoreFailed Reason = "store-failed"
	// Damaged: what the store has is not what an Issuer saved there: cut, changed,
	// or one part of it older than the other.
	Damaged Reason = "store-damaged"
	// OtherCA: the store belongs to a CA with another name or key.
	OtherCA Reason = "store-of-another-ca"
	// SigningFailed: the key did not sign, or the context ended before it had.
	SigningFailed Reason = "signing-failed"
	// TooLarge: the CRL would have 4 GiB or more.
	TooLarge Reason = "too-large"
	// Unusable: the finished CRL does not hold against the CA's certificate.
	Unusable Reason = "unusable-crl"
	// NotPublished: [Options.Publish] failed.
	NotPublished Reason = "not-published"
	// NotRecorded: the CRL was published, and the store could not be told: issue
	// another one.
	NotRecorded Reason = "published-but-not-recorded"
)

// Error returns the reason in words, such as "publish: not on hold".
func (r Reason) Error() string { return "publish: " + r.words() }

func (r Reason) words() string {
	switch r {
	case "":
		return "failed for no stated reason"
	case NoBase:
		return "no base CRL"
	case OtherCA:
		return "store of another CA"
	case Unusable:
		return "unusable CRL"
	}
	return strings.ReplaceAll(string(r), "-", " ")
}

// An Error says what was not done, and why. Every error of an [Issuer] is one. It
// wraps the error of the context, of the key, of the store or of Options.Publish, if
// one of these was the cause.
type Error struct {
	Reason Reason
	Detail string   // what is wrong and what to do: for people
	Serial *big.Int // the certificate that it is about; nil if none
	// Number is the CRL number that was used up: that of the CRL which was not
	// signed, published or recorded. 0 if none was.
	Number uint64
	Err    error // the cause, or nil
}

// Error returns the reason, what it is about, the details and the cause, in one
// line.
func (e *Error) Error() string {
	if e == nil {
		return Reason("").Error()
	}
	var b strings.Builder
	b.WriteString("publish: ")
	if e.Serial != nil {
		fmt.Fprintf(&b, "serial number %x: ", e.Serial)
	}
	if e.Number != 0 {
		fmt.Fprintf(&b, "CRL %d: ", e.Number)
	}
	b.WriteString(e.Reason.words())
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the reason.
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}

func failf(r Reason, format string, args ...any) *Error {
	return &Error{Reason: r, Detail: fmt.Sprintf(format, args...)}
}
