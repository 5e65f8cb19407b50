package wire

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Reason is what is wrong with a text. Packages that use this one have the same
// reasons under their own type.
type Reason string

const (
	// BadSyntax is text that is not JSON or not UTF-8, or that breaks off.
	BadSyntax Reason = "bad-syntax"
	// TooLarge is text or a list over a limit.
	TooLarge Reason = "too-large"
	// TooNested is an object or array inside too many others.
	TooNested Reason = "too-nested"
	// DuplicateName is a property that appears twice in one object, at any level, or
	// under two spellings of its name with different values.
	DuplicateName Reason = "duplicate-name"
	// WrongType is a value of another type than the property has, such as a string
	// for a number, or null in an array.
	WrongType Reason = "wrong-type"
	// OutOfRange is a number that does not fit 32 bits.
	OutOfRange Reason = "out-of-range"
	// NotBase64 is a binary that is not base64.
	NotBase64 Reason = "not-base64"
	// Incomplete is one page of a longer list.
	Incomplete Reason = "incomplete"
)

// An Error says why a text cannot be read.
type Error struct {
	Reason Reason
	Where  string // JSON pointer (RFC 6901) into the text; "" is the whole text
	Offset int64  // the byte of the text at which that value begins, or reading stopped
	Detail string // what was found, shortened
}

// Error returns [Message] without a package.
func (e *Error) Error() string {
	return Message("wire", string(e.Reason), e.Where, "", e.Offset, e.Detail)
}

// Message is the text of an error: "policy: wrong type at /state, byte 9: want a
// string, have a number". about, the place in words, stands behind it in brackets.
func Message(pkg, reason, where, about string, offset int64, detail string) string {
	s := pkg + ": " + strings.ReplaceAll(reason, "-", " ")
	if where != "" {
		s += " at " + Shown(where)
	}
	switch {
	case about == "":
	case where == "":
		s += " in " + about
	default:
		s += " (" + about + ")"
	}
	if offset > 0 {
		s += fmt.Sprintf(", byte %d", offset)
	}
	if detail != "" {
		s += ": " + detail
	}
	return s
}

// Clip keeps hostile text short in messages.
func Clip(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	cut := most
	// Not in the middle of a character; what has no beginning within four bytes is none.
	for cut > most-utf8.UTFMax && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "..."
}

// Shown is text, clipped, as it is if it is a plain word and quoted otherwise: it
// comes from elsewhere and must not break a line.
func Shown(text string) string {
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c > '~' || c == '"' {
			return fmt.Sprintf("%q", Clip(text))
		}
	}
	if text == "" {
		return `""`
	}
	return Clip(text)
}

// pointer joins a property name or an index to a JSON pointer.
func pointer(name string) string {
	if strings.ContainsAny(name, "~/") {
		name = strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
	}
	return "/" + name
}

// within puts the place of the surrounding value in front of the error's own.
func within(where string, e *Error) *Error {
	if e != nil {
		e.Where = where + e.Where
	}
	return e
}

func wrong(want string, have []byte) *Error {
	return &Error{Reason: WrongType, Detail: "want " + want + ", have " + kindOf(have)}
}
