package certuserid

import "fmt"

// A ParseError says why a text is not a certificateUserIds value in its right
// form.
type ParseError struct {
	Text   string // the text as it was given
	Offset int    // the byte of Text at which the fault is
	Reason Reason
}

// A FieldError says why a certificate has no ID of some mapping.
type FieldError struct {
	Mapping Mapping
	Reason  Reason // NoField if the certificate lacks what the mapping needs
	Text    string // what the certificate has, if it cannot be used
}

// A Reason is what is wrong with a text or a certificate. The zero value is
// unset.
type Reason uint8

const (
	// NotX509 is a text that does not begin with "X509:<". Entra documents that
	// the letter case of the prefix matters.
	NotX509 Reason = iota + 1
	// UnknownTag is a <tag> that is none of the seven mappings', or in the wrong
	// letter case.
	UnknownTag
	// MissingPart is an empty part, or an issuer with neither <S> nor <SR>.
	MissingPart
	// ExtraPart is a further tag behind a whole value.
	ExtraPart
	// StrayBlank is a blank behind a tag, behind a comma, in a hexadecimal part,
	// or at the end.
	StrayBlank
	// BadText is text that is not UTF-8 or holds a control character.
	BadText
	// BadName is a name that CertNameToStr would not write: an attribute type
	// that Windows calls otherwise, quotes that are missing or not needed.
	BadName
	// BadHex is a hexadecimal part with other characters, an odd number of
	// digits, or, for a SHA-1, not 40 of them.
	BadHex
	// TooLong is a value of more than [MaxLength] characters.
	TooLong
	// OnlyActiveDirectory is a form that Active Directory has and Entra has not.
	OnlyActiveDirectory
	// OnlyEntra is a mapping that Entra has and Active Directory has not.
	OnlyEntra
	// NoField is a certificate without the field that a mapping needs.
	NoField
)

// String says the reason in words.
func (r Reason) String() string {
	switch r {
	case NotX509:
		return `does not begin with "X509:<"`
	case UnknownTag:
		return "not a tag of the seven mappings"
	case MissingPart:
		return "a part is missing"
	case ExtraPart:
		return "another part follows a whole value"
	case StrayBlank:
		return "stray blank"
	case BadText:
		return "not valid UTF-8 or a character that is not allowed"
	case BadName:
		return "not a name as Windows writes it"
	case BadHex:
		return "not the right number of hexadecimal digits"
	case TooLong:
		return "more than 1024 characters"
	case OnlyActiveDirectory:
		return "a form of Active Directory that Entra does not have"
	case OnlyEntra:
		return "a mapping of Entra that Active Directory does not have"
	case NoField:
		return "the certificate has no such field"
	}
	return fmt.Sprintf("Reason(%d)", uint8(r))
}

// Error returns "certuserid: reason, at byte offset of text"; of a long text it
// shows the beginning.
func (e *ParseError) Error() string {
	return fmt.Sprintf("certuserid: %v, at byte %d of %s", e.Reason, e.Offset, quote(e.Text))
}

// Error returns "certuserid: mapping: reason", and what the certificate has.
func (e *FieldError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("certuserid: %v: %v", e.Mapping, e.Reason)
	}
	return fmt.Sprintf("certuserid: %v: %v: %s", e.Mapping, e.Reason, quote(e.Text))
}

// quote shows a text of any size and content in one line of bounded length.
func quote(text string) string {
	const most = 300
	if len(text) > most {
		return fmt.Sprintf("%q...", text[:most])
	}
	return fmt.Sprintf("%q", text)
}
