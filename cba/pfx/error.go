package pfx

import "fmt"

// A Reason says why a file could not be read or written. The zero value is
// unset and no error of this package has it.
type Reason string

const (
	// WrongPassword: the password does not open the file. A file that was
	// changed or damaged inside the part that its MAC protects looks exactly
	// the same. A password that no file can have (invalid UTF-8) is this
	// reason too.
	WrongPassword Reason = "wrong-password"
	// NotSupported: the file may be sound, but uses an algorithm or a shape
	// that this package does not read.
	NotSupported Reason = "not-supported"
	// Malformed: the bytes are not a PKCS#12 file, or one that is cut short.
	Malformed Reason = "malformed"
	// TooCostly: the file is larger, has more entries, or asks for more key
	// derivation than the [Decoder] allows.
	TooCostly Reason = "too-costly"
	// KeyMismatch: no certificate was given, or is in the file, that belongs to
	// the private key, or there is no private key, or more than one.
	KeyMismatch Reason = "key-mismatch"
	// BadChain: the certificates given as a chain are not one.
	BadChain Reason = "bad-chain"
	// BadPassword: a password that some reader of the file would not accept.
	BadPassword Reason = "bad-password"
	// BadOption: an encoding, a number of iterations or a friendly name that
	// cannot be written, or the text of an encoding or a target that is none.
	BadOption Reason = "bad-option"
	// FIPSOnly: the algorithms are forbidden by GODEBUG=fips140=only.
	FIPSOnly Reason = "fips-only"
)

// Error returns "pfx: " and the reason in words.
func (r Reason) Error() string {
	words := string(r)
	switch r {
	case WrongPassword:
		words = "wrong password"
	case NotSupported:
		words = "not supported"
	case Malformed:
		words = "not a sound PFX file"
	case TooCostly:
		words = "too large or too costly"
	case KeyMismatch:
		words = "key and certificate do not match"
	case BadChain:
		words = "not a chain"
	case BadPassword:
		words = "this password cannot be used"
	case BadOption:
		words = "bad option"
	case FIPSOnly:
		words = "forbidden by GODEBUG=fips140=only"
	}
	return "pfx: " + words
}

// An Error is what every function of this package returns when it fails.
// errors.Is(err, pfx.WrongPassword) asks for the reason. An Error never holds a
// password or any part of a private key.
type Error struct {
	Reason Reason
	What   string // what is wrong and, where something can be done, what to do
	Err    error  // the cause, if another package has found it
}

// Error returns the reason and what is wrong, in one line.
func (e *Error) Error() string {
	s := e.Reason.Error()
	if e.What != "" {
		s += ": " + e.What
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is work with a [Reason].
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}

// fail makes an Error. Its arguments must never be secrets.
func fail(r Reason, format string, args ...any) *Error {
	return &Error{Reason: r, What: fmt.Sprintf(format, args...)}
}
