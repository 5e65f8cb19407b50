package certfile

import "strings"

// A Reason is why a file gives no certificate of a user. It is an error, for
// errors.Is. The zero value is unset.
type Reason string

const (
	// NeedsPassword is a PFX file with a password, and none was given.
	NeedsPassword Reason = "needs-password"
	// Ambiguous is a file with several certificates of users.
	Ambiguous Reason = "ambiguous"
	// Unreadable is a file that is no certificate, or that the password does not
	// open.
	Unreadable Reason = "unreadable"
)

// Error returns "certfile: " and the reason in words.
func (r Reason) Error() string { return "certfile: " + strings.ReplaceAll(string(r), "-", " ") }

// An Error is what [Read] returns when it fails. It never holds a password.
type Error struct {
	Reason Reason
	What   string // for [Ambiguous], the subjects of the certificates
	Err    error  // the cause, an error of cba or pfx
}

// Error says what is wrong and what to do.
func (e *Error) Error() string {
	switch {
	case e.Err != nil:
		return e.Err.Error()
	case e.Reason == NeedsPassword:
		return "this is a PFX file: give its password"
	case e.Reason == Ambiguous:
		return "the file holds several certificates, and none is the user's beyond doubt; give a file with one: " + e.What
	}
	return e.Reason.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the reason of the error.
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}
