package dn

import (
	"fmt"

	"example.com/entracba/cba/internal/text"
)

// An Error says why something is not a name, or cannot be written as one.
// errors.Is(err, dn.BadQuote) asks for the reason.
type Error struct {
	Reason Reason
	Text   string // the text or the attribute that is at fault
	Offset int    // the byte of Text where reading stopped, or -1
}

// A Reason is what is wrong with a name. The zero value is unset.
type Reason string

const (
	// BadEncoding is DER that is not a Name of RFC 5280 section 4.1.2.4.
	BadEncoding Reason = "bad-encoding"
	// NoType is a part without "TYPE=".
	NoType Reason = "no-type"
	// UnknownType is a text that names no attribute type.
	UnknownType Reason = "unknown-type"
	// BadEscape is a backslash without a special character or two hexadecimal
	// digits after it.
	BadEscape Reason = "bad-escape"
	// BadQuote is a quoted value that does not end, or ends too early.
	BadQuote Reason = "bad-quote"
	// BadHex is a #value that is not the hexadecimal form of one DER value.
	BadHex Reason = "bad-hex"
	// NeedsEscape is a character that a value may contain only escaped.
	NeedsEscape Reason = "needs-escape"
	// NotUTF8 is text that is not valid UTF-8.
	NotUTF8 Reason = "not-utf8"
	// NotEncodable is a value that its string type cannot represent, a part without
	// attributes, or a type that does not exist.
	NotEncodable Reason = "not-encodable"
)

// Error returns "dn: " and the reason in words.
func (r Reason) Error() string {
	words := string(r)
	switch r {
	case BadEncoding:
		words = "not a DER encoded name"
	case NoType:
		words = "a part must be TYPE=value"
	case UnknownType:
		words = "unknown attribute type"
	case BadEscape:
		words = "a backslash must be followed by a special character or two hexadecimal digits"
	case BadQuote:
		words = "a quoted value must end with a quote before the next separator"
	case BadHex:
		words = "#value must be the hexadecimal DER of one value"
	case NeedsEscape:
		words = "character must be escaped"
	case NotUTF8:
		words = "not valid UTF-8"
	case NotEncodable:
		words = "value does not fit its string type"
	}
	return "dn: " + words
}

// Error returns the reason, with the place and the beginning of the text where
// there are any.
func (e *Error) Error() string {
	switch {
	case e.Text == "":
		return e.Reason.Error()
	case e.Offset < 0:
		return fmt.Sprintf("%v: %s", e.Reason, text.Quote(e.Text))
	}
	hint := ""
	if e.Reason == NoType && e.Offset > 0 { // "O=company, Inc."
		hint = `; a value that contains a comma must stand in quotes: O="company, Inc."`
	}
	return fmt.Sprintf("%v, at byte %d of %s%s", e.Reason, e.Offset, text.Quote(e.Text), hint)
}

// Is makes errors.Is work with a [Reason].
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}
