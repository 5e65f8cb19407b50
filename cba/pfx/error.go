package pfx

import "fmt"

// A Reason says why a file could not be read or written. The zero value is
// unset and no error of this package carries it.
type Reason uint8

const (
	// WrongPassword: the password does not open the file. A file that was
	// changed or damaged inside the part that its MAC protects looks exactly
	// the same. A password that no file can have (invalid UTF-8) is this
	// reason too.
	WrongPassword Reason = iota + 1
	// NotSupported: the file may be sound, but uses an algorithm or a shape
	// that this package does not read.
	NotSupported
	// Malformed: the bytes are not a PKCS#12 file, or one that breaks off.
	Malformed
	// TooCostly: the file is larger, has more entries, or asks for more key
	// derivation than the [Decoder] allows.
	TooCostly
	// KeyMismatch: no certificate was given, or is in the file, that belongs to
	// the private key, or there is no private key, or more than one.
	KeyMismatch
	// BadChain: the certificates given as a chain are not one.
	BadChain
	// BadPassword: a password that some reader of the file would not accept.
	BadPassword
	// BadOption: an encoding, a number of iterations or a friendly name that
	// cannot be written.
	BadOption
	// FIPSOnly: the algorithms are forbidden by GODEBUG=fips140=only.
	FIPSOnly
)

// String returns a few words for the reason.
func (r Reason) String() string {
	switch r {
	case WrongPassword:
		return "wrong password"
	case NotSupported:
		return "not supported"
	case Malformed:
		return "malformed"
	case TooCostly:
		return "too costly"
	case KeyMismatch:
		return "key and certificate do not match"
	case BadChain:
		return "not a chain"
	case BadPassword:
		return "unfit password"
	case BadOption:
		return "bad option"
	case FIPSOnly:
		return "forbidden by fips140=only"
	}
	return fmt.Sprintf("Reason(%d)", uint8(r))
}

// An Error is what every function of this package that takes or makes a file
// returns when it fails. It never holds a password or any part of a private
// key.
type Error struct {
	Reason Reason
	What   string // what is the matter and, where something can be done, what
}

// Error returns the reason and what is the matter, in one line.
func (e *Error) Error() string { return "pfx: " + e.Reason.String() + ": " + e.What }

// fail makes an Error. Its arguments must never be secrets.
func fail(r Reason, format string, args ...any) *Error {
	return &Error{Reason: r, What: fmt.Sprintf(format, args...)}
}
