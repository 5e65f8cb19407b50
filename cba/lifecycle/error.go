package lifecycle

import "strings"

// A Reason says why nothing can be planned. It is an error, so that
//
//	errors.Is(err, lifecycle.NoCertificate)
//
// tells what is missing.
type Reason string

const (
	NoUser        Reason = "no-user"        // the account has no User
	NoTime        Reason = "no-time"        // the time of the plan is zero
	NoCertificate Reason = "no-certificate" // a certificate is nil, or was not made by crypto/x509's parser
	WrongReason   Reason = "wrong-reason"   // the revocation reason is not possible for somebody who leaves
	BadSerial     Reason = "bad-serial"     // a serial number is not hexadecimal
	BadValues     Reason = "bad-values"     // an account has values that no set can hold
)

// Error returns the reason in words.
func (r Reason) Error() string { return "lifecycle: " + strings.ReplaceAll(string(r), "-", " ") }

// An Error says which part of the input cannot be used.
type Error struct {
	Reason Reason
	What   string // the part of the input, and what to do about it
	Err    error  // the cause, or nil
}

// Error returns what is wrong in one line.
func (e *Error) Error() string {
	text := "lifecycle: " + e.What
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the error's reason.
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}
