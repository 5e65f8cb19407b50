// Package keyid has the one type and the one parser for key identifiers: the
// subject key identifier of a certificate, the authority key identifier that
// points to it, and the texts by which CA scopes, CRL exemptions, authentication
// strengths and trust stores name a CA.
package keyid

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
)

// An ID is a key identifier in its one text form: pairs of lower-case hexadecimal
// digits and nothing else, as [Of] and [Parse] write it. IDs of the same bytes
// are equal, so that == compares them and a map can be keyed by them. The empty
// ID is none: compare it with nothing.
//
// An ID that is made by converting a text in another form ("AB:CD") equals no ID
// of this package.
type ID string

// Of returns the ID of the bytes of a key identifier, for example an
// x509.Certificate's SubjectKeyId or AuthorityKeyId.
func Of(raw []byte) ID { return ID(hex.EncodeToString(raw)) }

// maxText is far more than any key identifier has; it bounds the work on a
// hostile document.
const maxText = 1024

// Parse reads a key identifier as people and tools write it: hexadecimal digits
// in either letter case, with spaces, colons, hyphens and the invisible
// characters that Windows' certificate viewer adds when copied, and with 0x in
// front.
//
// The error is an [*Error]: anything else in the text, an odd number of digits,
// or none.
func Parse(text string) (ID, error) {
	if len(text) > maxText {
		return "", &Error{Reason: TooLong, Text: text}
	}
	digits := strings.Map(func(r rune) rune {
		if r == ':' || r == '-' || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
	digits = strings.TrimPrefix(digits, "0x")
	raw, err := hex.DecodeString(digits)
	if err != nil || len(raw) == 0 {
		return "", &Error{Reason: NotHex, Text: text}
	}
	return ID(digits), nil
}

// Bytes returns the bytes of the key identifier, and nil for an ID that is none
// or was not made by this package.
func (id ID) Bytes() []byte {
	raw, err := hex.DecodeString(string(id))
	if err != nil || len(raw) == 0 {
		return nil
	}
	return raw
}

// UnmarshalText reads what [Parse] reads, and the empty text as no ID.
func (id *ID) UnmarshalText(text []byte) error {
	var parsed ID
	if len(text) > 0 {
		var err error
		if parsed, err = Parse(string(text)); err != nil {
			return err
		}
	}
	if id == nil {
		return &Error{Reason: NotHex, Text: string(text)}
	}
	*id = parsed
	return nil
}

// An Error says why a text is not a key identifier.
type Error struct {
	Reason Reason
	Text   string // the text as it was given
}

// A Reason is what is wrong with a text. The zero value is unset.
type Reason string

const (
	// NotHex is a text without digits, with an odd number of them, or with a
	// character that is no hexadecimal digit.
	NotHex Reason = "not-hex"
	// TooLong is a text of more than 1,024 bytes.
	TooLong Reason = "too-long"
)

// Error returns "keyid: " and the reason in words.
func (r Reason) Error() string {
	switch r {
	case NotHex:
		return "keyid: not pairs of hexadecimal digits"
	case TooLong:
		return "keyid: longer than any key identifier"
	}
	return "keyid: " + string(r)
}

// Error returns the reason and the beginning of the text.
func (e *Error) Error() string {
	const most = 100
	if len(e.Text) > most {
		return fmt.Sprintf("%v: %q...", e.Reason, e.Text[:most])
	}
	return fmt.Sprintf("%v: %q", e.Reason, e.Text)
}

// Is makes errors.Is(err, keyid.NotHex) work.
func (e *Error) Is(target error) bool { r, ok := target.(Reason); return ok && r == e.Reason }
