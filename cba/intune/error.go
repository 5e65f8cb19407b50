package intune

import "fmt"

// An Error says why a template or a profile cannot be used. errors.Is tells
// reasons apart: errors.Is(err, intune.NoValue).
type Error struct {
	Reason   Reason
	What     string // the setting: "subject", "subjectAltName", "validity"
	Text     string // the template or the value at fault
	Offset   int    // the byte of Text at which the fault is, or -1
	Variable string // the name between the braces, if the error is about one
}

// Error returns "intune: what: reason", with the variable, the place and the text
// where the error has them.
func (e *Error) Error() string {
	s := "intune: " + e.What + ": " + e.Reason.text()
	if e.Variable != "" {
		s += fmt.Sprintf(": {{%.100s}}", e.Variable)
	}
	if e.Offset >= 0 {
		s += fmt.Sprintf(", at byte %d", e.Offset)
	}
	if e.Text != "" {
		text := e.Text
		if len(text) > 200 {
			text = text[:200] + "..."
		}
		s += fmt.Sprintf(" of %q", text)
	}
	return s
}

// Is reports whether target is the error's reason.
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}

// A Reason is what is wrong. The zero value is unset. Reasons are errors, so that
// errors.Is finds them in an [*Error].
type Reason string

const (
	Empty            Reason = "empty"             // something required was left out, or "TYPE=" has no value
	UnclosedVariable Reason = "unclosed-variable" // "{{" without "}}"
	UnknownVariable  Reason = "unknown-variable"  // no variable has this name
	NotAllowed       Reason = "not-allowed"       // the type of certificate does not have the variable
	Misplaced        Reason = "misplaced"         // no variable can stand here, or not this one
	NoType           Reason = "no-type"           // a part of the subject without "TYPE="
	UnknownType      Reason = "unknown-type"      // no attribute type has this name
	BadQuote         Reason = "bad-quote"         // a quoted value does not end, or has text beside it
	BadHex           Reason = "bad-hex"           // a value after "#" is not hexadecimal
	NotUTF8          Reason = "not-utf8"          // the text is not valid UTF-8
	TooLong          Reason = "too-long"          // the template is longer than 4 KiB
	NoValue          Reason = "no-value"          // the person or device has no value for the variable
	NotName          Reason = "not-name"          // the value is not a distinguished name
	OutOfRange       Reason = "out-of-range"      // a number outside its limits, or an unset choice
	Several          Reason = "several"           // more than one where only one is possible
)

// Error returns the reason in words.
func (r Reason) Error() string { return "intune: " + r.text() }

func (r Reason) text() string {
	if text, ok := reasonTexts[r]; ok {
		return text
	}
	return string(r)
}

var reasonTexts = map[Reason]string{
	Empty:            "must not be empty",
	UnclosedVariable: "the variable has no closing braces",
	UnknownVariable:  "no such variable",
	NotAllowed:       "this type of certificate does not have the variable",
	Misplaced:        "the variable cannot stand here",
	NoType:           "a part must begin with its type and an equal sign (put a value with a comma in double quotes)",
	UnknownType:      "no attribute type has this name",
	BadQuote:         "double quotes must enclose the whole value, and are doubled inside",
	BadHex:           "a value after # must be hexadecimal",
	NotUTF8:          "not valid UTF-8",
	TooLong:          "longer than 4 KiB",
	NoValue:          "the variable has no value",
	NotName:          "not a distinguished name",
	OutOfRange:       "out of range",
	Several:          "more than one",
}
