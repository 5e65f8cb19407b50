package crl

import (
	"fmt"
	"strings"
)

// A Fault says why a revocation list could not be had, read or relied on. The
// zero value is unset and no error carries it.
type Fault uint8

const (
	// Download: the server could not be reached or did not answer 200.
	Download Fault = iota + 1
	// Timeout: the list did not arrive within [Limits.Time].
	Timeout
	// TooLarge: the list has more than [Limits.Bytes].
	TooLarge
	// BadURL: the URL is not one that Entra fetches from (ldap, file, no host).
	BadURL
	// ForbiddenAddress: the URL leads to an address that crl/fetch does not
	// connect to.
	ForbiddenAddress
	// Missing: there is no list at all.
	Missing
	// BaseMissing: there is a delta list but no base list, or two delta lists.
	BaseMissing
	// NotDER: the bytes are not DER: nothing, PEM, HTML, cut short, malformed.
	NotDER
	// NotCRL: the bytes are DER of something else, or a version 1 list.
	NotCRL
	// Unsupported: the list has a critical extension, a scope or a signature
	// algorithm that this package does not process, so it must not be relied on.
	Unsupported
	// WrongIssuer: the list's issuer is not the authority's subject.
	WrongIssuer
	// WrongKeyID: the list's authority key identifier is not the authority's
	// subject key identifier, or one of the two is absent.
	WrongKeyID
	// BadSignature: the authority's key did not sign the list, or the authority's
	// certificate does not let it sign lists.
	BadSignature
	// NotYetValid: This Update is in the future.
	NotYetValid
	// Expired: Next Update has passed, or there is none.
	Expired
	// NumberWentBack: the CRL number is absent or lower than that of a list seen
	// before, or the same number is on different bytes.
	NumberWentBack
	// DeltaMismatch: the delta list does not continue the base list.
	DeltaMismatch
)

// String returns a short text such as "not DER".
func (f Fault) String() string {
	switch f {
	case Download:
		return "download failed"
	case Timeout:
		return "download timed out"
	case TooLarge:
		return "too large"
	case BadURL:
		return "unusable URL"
	case ForbiddenAddress:
		return "forbidden address"
	case Missing:
		return "no list"
	case BaseMissing:
		return "delta without base"
	case NotDER:
		return "not DER"
	case NotCRL:
		return "not a revocation list"
	case Unsupported:
		return "unsupported list"
	case WrongIssuer:
		return "wrong issuer"
	case WrongKeyID:
		return "wrong authority key identifier"
	case BadSignature:
		return "bad signature"
	case NotYetValid:
		return "not yet valid"
	case Expired:
		return "expired"
	case NumberWentBack:
		return "CRL number went back"
	case DeltaMismatch:
		return "delta does not continue base"
	}
	return fmt.Sprintf("Fault(%d)", uint8(f))
}

// Code returns the code with which Entra refuses a sign-in for this fault, such
// as "AADSTS2205011", and "" for an unset fault. [Fault.Documented] says whether
// the table of codes in Learn, "Certificate revocation list", names the case;
// the other codes are the nearest by their message.
//
// Two codes have narrower meanings than a fault: a download in the background
// that times out is 500179 where an interactive one is 2205012, and 2205013
// (another download of the list is under way) happens inside the service only.
func (f Fault) Code() string {
	switch f {
	case Download, BadURL, ForbiddenAddress:
		return "AADSTS500173" // {code}
	case Timeout:
		return "AADSTS2205012" // {uri}
	case TooLarge:
		return "AADSTS2205014" // {uri} {size}
	case Missing:
		return "AADSTS500175"
	case BaseMissing:
		return "AADSTS500177"
	case NotDER:
		return "AADSTS2205011"
	case NotCRL, Unsupported, NumberWentBack:
		return "AADSTS500174"
	case WrongIssuer, WrongKeyID, BadSignature:
		return "AADSTS2205015" // {expectedSKI} {crlAK}
	case NotYetValid, Expired:
		return "AADSTS500172" // {name} {issuer} {curTime} {startTime} {endTime}
	case DeltaMismatch:
		return "AADSTS500178" // {type}
	}
	return ""
}

// Documented reports whether Microsoft's table of codes names this case for
// [Fault.Code]. Where it does not, the code is inferred from the message, and a
// live tenant may show another.
func (f Fault) Documented() bool {
	switch f {
	case Download, Timeout, TooLarge, Missing, BaseMissing, NotDER, NotCRL, WrongKeyID, BadSignature, NotYetValid, Expired:
		return true
	}
	return false
}

// An Error is a failure to get, read or rely on a revocation list. Every error
// of [Parse], [List.CheckIssuer], [List.CheckAfter], [Set.Check], [CheckURL] and
// Fetch of package crl/fetch is one (Fetch also returns the error of its context).
//
// The fields after Detail hold what the service fills its message with, for the
// faults that have it.
type Error struct {
	Fault  Fault
	Detail string // what was found, and where: for people
	Delta  bool   // the fault is in the delta list of a [Set]

	URL        string // Download, Timeout, TooLarge, BadURL, ForbiddenAddress: the URL that was asked for
	HTTPStatus int    // Download: the status of the response, 0 if there was none
	Size       int64  // TooLarge: bytes, as the list's header says or as received before giving up
	CAKeyID    []byte // WrongKeyID: the authority's subject key identifier
	ListKeyID  []byte // WrongKeyID: the list's authority key identifier
	Err        error  // the cause, if another package reported it
}

// Error returns the fault, the URL if there is one, the details and the cause.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("crl: ")
	if e.Delta {
		b.WriteString("delta list: ")
	}
	b.WriteString(e.Fault.String())
	if e.URL != "" {
		fmt.Fprintf(&b, ", at %q", e.URL)
	}
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

// Code returns the code of the fault.
func (e *Error) Code() string { return e.Fault.Code() }

func faultf(f Fault, format string, args ...any) *Error {
	return &Error{Fault: f, Detail: fmt.Sprintf(format, args...)}
}
