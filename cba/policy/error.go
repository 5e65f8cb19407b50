package policy

import (
	"errors"
	"strings"

	"example.com/entracba/cba/internal/wire"
)

// An Error says why input cannot be used: a text that is not a configuration, or a
// certificate that cannot be checked. What a usable configuration says about a
// certificate is never an Error but a [Decision].
type Error struct {
	Reason Reason
	// Where is the property, as a JSON pointer into the text:
	// "/certificateUserBindings/2/priority". It is empty for the whole text.
	Where string
	// Offset is the byte of the text at which that value begins, or where reading
	// stopped.
	Offset int64
	// Detail is what was found, shortened.
	Detail string
	// Err is the cause that another package gave, or nil.
	Err error
}

// A Reason is what is wrong with input. It is an error, for errors.Is. The zero
// value is unset.
type Reason string

const (
	// BadSyntax is text that is not JSON or not UTF-8, or that breaks off.
	BadSyntax Reason = "bad-syntax"
	// DuplicateName is a property name that appears twice in one object, at any
	// level.
	DuplicateName Reason = "duplicate-name"
	// TooNested is an object or array inside too many others.
	TooNested Reason = "too-nested"
	// TooLarge is text of more than [MaxJSON] bytes, or a list of more than 65,536
	// elements.
	TooLarge Reason = "too-large"
	// WrongType is a value of another type than the property has, such as a string
	// for a number, or null in an array.
	WrongType Reason = "wrong-type"
	// OutOfRange is a number that does not fit 32 bits.
	OutOfRange Reason = "out-of-range"
	// Incomplete is one page of a longer list.
	Incomplete Reason = "incomplete"
	// WrongObject is an object that says that it is something else.
	WrongObject Reason = "wrong-object"
	// NoCertificate is no certificate, or one that does not come from crypto/x509's
	// parser.
	NoCertificate Reason = "no-certificate"
	// BadCertificate is a certificate whose issuer is not an encoded name, or one of
	// whose policy OIDs cannot be encoded.
	BadCertificate Reason = "bad-certificate"
)

// Error returns "policy: " and the reason in words.
func (r Reason) Error() string { return "policy: " + strings.ReplaceAll(string(r), "-", " ") }

// Error returns "policy: reason at place, byte n: detail: cause".
func (e *Error) Error() string {
	s := wire.Message("policy", string(e.Reason), e.Where, "", e.Offset, e.Detail)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the reason of the error.
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}

// own turns an error of package wire into one of this package.
func own(err error) error {
	var e *wire.Error
	if errors.As(err, &e) {
		return &Error{Reason: Reason(e.Reason), Where: e.Where, Offset: e.Offset, Detail: e.Detail}
	}
	return err
}

// read is [wire.Read] with the errors of this package.
func read[T any](data []byte, v *T) error { return own(wire.Read(data, MaxJSON, v)) }
