package certuserid

import (
	"fmt"

	"example.com/entracba/cba/internal/text"
)

// An Error says why a text is not a certificateUserIds value in its right form,
// why a certificate has no ID of some mapping, or why a value cannot be in a
// [Set]. errors.Is(err, certuserid.NoField) asks for the reason.
type Error struct {
	Reason  Reason
	Mapping Mapping // the mapping that was asked for, of a certificate
	Text    string  // the text that is at fault; what the certificate has, if that cannot be used
	Offset  int     // for [Parse] the byte of Text at which the fault is, else -1
}

// A Reason is what is wrong with a text, a certificate or a value of a set. The
// zero value is unset.
type Reason string

// What is wrong with a text, and with what a certificate has.
const (
	// NotX509 is a text that does not begin with "X509:<". The letter case of the
	// prefix matters (Learn, "Certificate user IDs").
	NotX509 Reason = "not-x509"
	// UnknownTag is a <tag> that is none of the seven mappings', or in the wrong
	// letter case.
	UnknownTag Reason = "unknown-tag"
	// MissingPart is an empty part, or an issuer with neither <S> nor <SR>.
	MissingPart Reason = "missing-part"
	// ExtraPart is a further tag after a complete value.
	ExtraPart Reason = "extra-part"
	// StraySpace is a space after a tag, after a comma, in a hexadecimal part, or
	// at the end.
	StraySpace Reason = "stray-space"
	// BadText is text that is not UTF-8 or contains a control character.
	BadText Reason = "bad-text"
	// BadName is a name that CertNameToStr would not write: an attribute type
	// that Windows writes differently, or quotes that are missing or not needed.
	BadName Reason = "bad-name"
	// BadHex is a hexadecimal part with other characters, an odd number of
	// digits, or, for a SHA-1, not 40 of them.
	BadHex Reason = "bad-hex"
	// TooLong is a value of more than [MaxLength] characters.
	TooLong Reason = "too-long"
	// OnlyActiveDirectory is a form that Active Directory supports and Entra does
	// not.
	OnlyActiveDirectory Reason = "only-active-directory"
	// OnlyEntra is a mapping that Entra supports and Active Directory does not.
	OnlyEntra Reason = "only-entra"
	// NoField is a certificate without the field that a mapping needs.
	NoField Reason = "no-field"
	// UnknownMapping is a text that is not the name of a mapping.
	UnknownMapping Reason = "unknown-mapping"
	// Empty is the empty text, the zero ID, or a nil [Set].
	Empty Reason = "empty"
)

// What is wrong with a value for a [Set], beside TooLong, BadText and Empty.
const (
	// Full is one value more than [MaxValues].
	Full Reason = "full"
	// Duplicate is a value that the set already contains.
	Duplicate Reason = "duplicate"
	// OtherMapping is an ID of another mapping than the one to replace.
	OtherMapping Reason = "other-mapping"
)

// words says the reason in words.
func (r Reason) words() string {
	switch r {
	case NotX509:
		return `does not begin with "X509:<"`
	case UnknownTag:
		return "not a tag of the seven mappings"
	case MissingPart:
		return "a part is missing"
	case ExtraPart:
		return "another part follows a complete value"
	case StraySpace:
		return "stray space"
	case BadText:
		return "not valid UTF-8 or a character that is not allowed"
	case BadName:
		return "not a name as Windows writes it"
	case BadHex:
		return "not the right number of hexadecimal digits"
	case TooLong:
		return fmt.Sprintf("more than %d characters", MaxLength)
	case OnlyActiveDirectory:
		return "Entra does not support this form, only Active Directory does"
	case OnlyEntra:
		return "Active Directory does not support this mapping, only Entra does"
	case NoField:
		return "the certificate has no such field"
	case UnknownMapping:
		return "not a mapping: want PrincipalName, RFC822Name, IssuerAndSubject, Subject, SKI, SHA1PublicKey or IssuerAndSerialNumber"
	case Empty:
		return "there is no value"
	case Full:
		return fmt.Sprintf("an account has at most %d values", MaxValues)
	case Duplicate:
		return "the account has this value already"
	case OtherMapping:
		return "the value is of another mapping"
	}
	return string(r)
}

// quote is [text.Quote], for functions that call something else text.
func quote(s string) string { return text.Quote(s) }

// Error returns "certuserid: " and the reason in words.
func (r Reason) Error() string { return "certuserid: " + r.words() }

// Error returns the mapping that was asked for, the reason, the place and the
// beginning of the text, in one line.
func (e *Error) Error() string {
	s := "certuserid: "
	if e.Mapping != "" {
		s += e.Mapping.Name() + ": "
	}
	s += e.Reason.words()
	switch {
	case e.Text == "" && e.Offset < 0:
		return s
	case e.Offset < 0:
		return s + ": " + quote(e.Text)
	}
	return fmt.Sprintf("%s, at byte %d of %s", s, e.Offset, quote(e.Text))
}

// Is makes errors.Is work with a [Reason].
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}
