package crl

import (
	"fmt"
	"slices"
	"strings"
)

// A Reason says why a CRL could not be fetched, read or relied on:
// errors.Is(err, crl.Expired). As text it is a short word for programs
// ("wrong-issuer"). The zero value is unset, and no error carries it.
type Reason string

const (
	// Download: the server could not be reached or did not answer 200.
	Download Reason = "download-failed"
	// Timeout: the CRL did not arrive within [Limits.Time].
	Timeout Reason = "download-timed-out"
	// TooLarge: the CRL has more than [Limits.Bytes].
	TooLarge Reason = "too-large"
	// BadURL: the URL is not one that Entra fetches from (ldap, file, no host).
	BadURL Reason = "unusable-url"
	// ForbiddenAddress: the URL leads to an address that crl/fetch does not
	// connect to.
	ForbiddenAddress Reason = "forbidden-address"
	// Missing: there is no CRL at all.
	Missing Reason = "no-crl"
	// BaseMissing: there is a delta CRL but no base CRL, or two delta CRLs.
	BaseMissing Reason = "delta-without-base"
	// NotDER: the bytes are not DER: nothing, PEM, HTML, cut short, malformed.
	NotDER Reason = "not-der"
	// NotCRL: the bytes are DER of something else, or a version 1 CRL.
	NotCRL Reason = "not-a-crl"
	// Unsupported: the CRL has a critical extension, a scope or a signature
	// algorithm that this package does not process, so it must not be relied on.
	Unsupported Reason = "unsupported-crl"
	// WrongIssuer: the CRL's issuer is not the CA's subject.
	WrongIssuer Reason = "wrong-issuer"
	// WrongKeyID: the CRL's authority key identifier is not the CA's subject key
	// identifier, or one of the two is missing.
	WrongKeyID Reason = "wrong-authority-key-identifier"
	// BadSignature: the CA's key did not sign the CRL, or the CA's certificate does
	// not let it sign CRLs.
	BadSignature Reason = "bad-signature"
	// NotYetValid: This Update is in the future.
	NotYetValid Reason = "not-yet-valid"
	// Expired: Next Update has passed, or there is none.
	Expired Reason = "expired"
	// NumberWentBack: the CRL number is missing or lower than that of a CRL seen
	// before, or the same number is on different bytes.
	NumberWentBack Reason = "crl-number-went-back"
	// DeltaMismatch: the delta CRL does not continue the base CRL.
	DeltaMismatch Reason = "delta-does-not-continue-base"
)

// An answer is the AADSTS code of a reason, and whether Microsoft's table of codes
// (Learn, "CBA certificate CRL") names the case.
type answer struct {
	reason     Reason
	code       string
	documented bool
}

var answers = [...]answer{
	{Download, "AADSTS500173", true},          // {code}
	{Timeout, "AADSTS2205012", true},          // {uri}
	{TooLarge, "AADSTS2205014", true},         // {uri} {size}
	{BadURL, "AADSTS500173", false},           //
	{ForbiddenAddress, "AADSTS500173", false}, //
	{Missing, "AADSTS500175", true},           //
	{BaseMissing, "AADSTS500177", true},       //
	{NotDER, "AADSTS2205011", true},           //
	{NotCRL, "AADSTS500174", true},            //
	{Unsupported, "AADSTS500174", false},      //
	{WrongIssuer, "AADSTS2205015", false},     // {expectedSKI} {crlAK}
	{WrongKeyID, "AADSTS2205015", true},       // the same
	{BadSignature, "AADSTS2205015", true},     // the same
	{NotYetValid, "AADSTS500172", true},       // {name} {issuer} {curTime} {startTime} {endTime}
	{Expired, "AADSTS500172", true},           // the same
	{NumberWentBack, "AADSTS500174", false},   //
	{DeltaMismatch, "AADSTS500178", false},    // {type}
}

func (r Reason) answer() answer {
	i := slices.IndexFunc(answers[:], func(a answer) bool { return a.reason == r })
	if i < 0 {
		return answer{}
	}
	return answers[i]
}

// Reasons returns all of them.
func Reasons() []Reason {
	all := make([]Reason, len(answers))
	for i, a := range answers {
		all[i] = a.reason
	}
	return all
}

// Error returns the reason in words, such as "crl: wrong issuer".
func (r Reason) Error() string { return "crl: " + r.words() }

func (r Reason) words() string {
	switch r {
	case "":
		return "failed for no stated reason"
	case NotDER:
		return "not DER"
	case NotCRL:
		return "not a CRL"
	case BadURL:
		return "unusable URL"
	case Missing:
		return "no CRL"
	case Unsupported:
		return "unsupported CRL"
	case NumberWentBack:
		return "CRL number went back"
	}
	return strings.ReplaceAll(string(r), "-", " ")
}

// Code returns the code with which Entra refuses a sign-in for this reason, such
// as "AADSTS2205011", and "" for an unset or unknown one. [Reason.Documented] says
// whether the table of codes in Learn, "CBA certificate CRL", names the
// case; the other codes are the nearest by their message.
//
// Two codes have narrower meanings than a reason: a download in the background
// that times out is 500179 where an interactive one is 2205012, and 2205013
// (another download of the CRL is under way) happens inside the service only.
func (r Reason) Code() string { return r.answer().code }

// Documented reports whether Microsoft's table of codes names this case for
// [Reason.Code]. Where it does not, the code is inferred from the message, and a
// live tenant may show another.
func (r Reason) Documented() bool { return r.answer().documented }

// An Error is a failure to get, read or rely on a CRL. Every error of [Parse],
// [List.CheckIssuer], [List.Check], [List.CheckAfter], [Set.Check] and [CheckURL]
// is one. A [Source] also returns others.
//
// The fields after Detail hold what the service fills its message with, for the
// reasons that have it.
type Error struct {
	Reason Reason
	Detail string // what was found, and where: for people
	Delta  bool   // the failure is in the delta CRL of a [Set]

	URL        string // Download, Timeout, TooLarge, BadURL, ForbiddenAddress: the URL that was asked for
	HTTPStatus int    // Download: the status of the response, 0 if there was none
	Size       int64  // TooLarge: bytes, as the CRL's header says or as received before giving up
	CAKeyID    []byte // WrongKeyID: the CA's subject key identifier
	ListKeyID  []byte // WrongKeyID: the CRL's authority key identifier
	Err        error  // the cause, if another package reported it
}

// Error returns the reason, the URL if there is one, the details and the cause.
func (e *Error) Error() string {
	if e == nil {
		return Reason("").Error()
	}
	var b strings.Builder
	b.WriteString("crl: ")
	if e.Delta {
		b.WriteString("delta CRL: ")
	}
	b.WriteString(e.Reason.words())
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

// Is reports whether target is the reason.
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}

// Code returns the code of the reason; a nil error has none.
func (e *Error) Code() string {
	if e == nil {
		return ""
	}
	return e.Reason.Code()
}

func failf(r Reason, format string, args ...any) *Error {
	return &Error{Reason: r, Detail: fmt.Sprintf(format, args...)}
}
