package intune

import "fmt"

// An Error says why a template or a profile cannot be used.
type Error struct {
	Reason   Reason
	What     string // the setting: "subject", "subjectAltName", "validity"
	Text     string // the template or the value at fault
	Offset   int    // the byte of Text at which the fault is, or -1
	Variable string // the name between the braces, if it is about one
}

// Error returns "intune: what: reason", with the variable, the place and the text
// where there are any.
func (e *Error) Error() string {
	s := "intune: " + e.What + ": " + e.Reason.String()
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

// A Reason is what is wrong. The zero value is unset.
type Reason uint8

const (
	// Empty is something required that was left out.
	Empty Reason = iota + 1
	// UnclosedVariable is "{{" without "}}".
	UnclosedVariable
	// UnknownVariable is a name that no variable has.
	UnknownVariable
	// NotAllowed is a variable that the type of certificate does not have.
	NotAllowed
	// Misplaced is a variable where none can stand, or not this one.
	Misplaced
	// NoType is a part of the subject without "TYPE=".
	NoType
	// UnknownType is an attribute type that has no such name.
	UnknownType
	// BadQuote is a quoted value that does not end, or text beside one.
	BadQuote
	// BadHex is a value after "#" that is not hexadecimal.
	BadHex
	// EmptyValue is "TYPE=" with nothing behind.
	EmptyValue
	// NotUTF8 is text that is not valid UTF-8.
	NotUTF8
	// TooLong is a template over 4 KiB.
	TooLong
	// NoValue is a variable that the person or device has no value for.
	NoValue
	// NotName is a value that must be a distinguished name and is not.
	NotName
	// OutOfRange is a number outside its limits, or an unset choice.
	OutOfRange
	// Several is more than one of what can be one.
	Several
)

// String says the reason in words.
func (r Reason) String() string {
	switch r {
	case Empty:
		return "must not be empty"
	case UnclosedVariable:
		return "the variable has no closing braces"
	case UnknownVariable:
		return "no such variable"
	case NotAllowed:
		return "the type of certificate does not have this variable"
	case Misplaced:
		return "the variable cannot stand here"
	case NoType:
		return "a part must begin with its type and an equal sign (a comma in a value needs quotes around the value)"
	case UnknownType:
		return "no attribute type has this name"
	case BadQuote:
		return "quotes must enclose the whole value, and are doubled inside"
	case BadHex:
		return "a value after # must be hexadecimal"
	case EmptyValue:
		return "the value must not be empty"
	case NotUTF8:
		return "not valid UTF-8"
	case TooLong:
		return "longer than 4 KiB"
	case NoValue:
		return "there is no value for the variable"
	case NotName:
		return "not a distinguished name"
	case OutOfRange:
		return "out of range"
	case Several:
		return "more than one"
	}
	return fmt.Sprintf("Reason(%d)", uint8(r))
}
