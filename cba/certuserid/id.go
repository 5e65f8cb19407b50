package certuserid

import (
	"encoding/hex"
	"math/big"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxLength is the maximum number of characters in a value (Learn, "Certificate
// user IDs"). Microsoft does not document whether a character is a UTF-16 unit or a
// code point; this package counts UTF-16 units, which are never fewer.
const MaxLength = 1024

// An ID is a certificateUserIds value of one of the seven mappings in its correct
// form. == compares IDs exactly; to ask whether a
// value fits a certificate, use [Match].
//
// The zero value is no ID.
type ID struct {
	text    string
	mapping Mapping
	value   uint16 // where the last part begins in text
}

// Parse reads a value in its correct form and nothing else: what [FromCertificate]
// writes, with hexadecimal digits in either letter case. Parse(s).String() == s.
// For stored values that may be slightly wrong, use [Normalize].
//
// It checks the tags (letter case matters), the grammar of names as CertNameToStr
// writes them, with Windows' attribute names, the digits of hexadecimal parts, the
// length, and that there are no control characters and no spaces at the ends of a
// part. It does not check the order of a name or the byte order of a serial
// number, which the text alone does not show, nor the form of a UPN or an e-mail
// address, which may be non-routable.
//
// The error is an [*Error].
func Parse(s string) (ID, error) {
	id, at, reason := parse(s)
	if reason != "" {
		return ID{}, &Error{Text: s, Offset: at, Reason: reason}
	}
	return id, nil
}

// Tags as they stand in the text.
const (
	prefix     = "X509:<"
	tagPN      = "X509:<PN>"
	tagRFC822  = "X509:<RFC822>"
	tagIssuer  = "X509:<I>"
	tagSubject = "X509:<S>"
	tagSKI     = "X509:<SKI>"
	tagSHA1    = "X509:<SHA1-PUKEY>"
	tagAfterS  = "<S>"
	tagAfterSR = "<SR>"
	tagSID     = "<SID>"
)

// parse returns the ID, or the place of the first fault and what it is.
func parse(s string) (id ID, at int, fault Reason) {
	if !strings.HasPrefix(s, prefix) {
		return ID{}, 0, NotX509
	}
	end := strings.IndexByte(s, '>')
	if end < 0 {
		return ID{}, len(prefix) - 1, UnknownTag
	}
	if at, fault = checkText(s); fault != "" {
		return ID{}, at, fault
	}
	at = end + 1
	id.text, id.value = s, uint16(at) // checkText has bounded the length
	switch s[:at] {
	case tagPN, tagRFC822:
		id.mapping = PrincipalName
		if s[:at] == tagRFC822 {
			id.mapping = RFC822Name
		}
		at, fault = checkPlain(s, at)
	case tagSubject:
		id.mapping = Subject
		if at, fault = scanName(s, at); fault == "" && at < len(s) {
			fault = ExtraPart
		}
	case tagSKI:
		id.mapping = SKI
		at, fault = checkHex(s, at, 0)
	case tagSHA1:
		id.mapping = SHA1PublicKey
		at, fault = checkHex(s, at, 40)
	case tagIssuer:
		if at, fault = scanName(s, at); fault != "" {
			break
		}
		rest := s[at:]
		switch {
		case strings.HasPrefix(rest, tagAfterS):
			id.mapping = IssuerAndSubject
			at += len(tagAfterS)
			id.value = uint16(at)
			if at, fault = scanName(s, at); fault == "" && at < len(s) {
				fault = ExtraPart
			}
		case strings.HasPrefix(rest, tagAfterSR):
			id.mapping = IssuerAndSerialNumber
			at += len(tagAfterSR)
			id.value = uint16(at)
			at, fault = checkHex(s, at, 0)
		case strings.HasPrefix(rest, tagSID):
			fault = OnlyActiveDirectory
		case rest == "":
			fault = MissingPart
		default:
			fault = UnknownTag
		}
	default:
		at, fault = len(prefix)-1, UnknownTag
	}
	if fault != "" {
		return ID{}, at, fault
	}
	return id, 0, ""
}

// checkText holds what is true of every value: valid UTF-8, no control
// characters, not too long.
func checkText(s string) (at int, fault Reason) {
	units := 0
	for i := 0; i < len(s); {
		c, size := rune(s[i]), 1
		if c >= utf8.RuneSelf {
			if c, size = utf8.DecodeRuneInString(s[i:]); c == utf8.RuneError && size == 1 {
				return i, BadText
			}
			units += utf16.RuneLen(c) - 1
			if unicode.IsControl(c) {
				return i, BadText
			}
		} else if c < ' ' || c == 0x7f {
			return i, BadText
		}
		if units++; units > MaxLength {
			return i, TooLong
		}
		i += size
	}
	return 0, ""
}

// length counts the UTF-16 units of a text; each bad byte of bad UTF-8 is one.
func length(s string) int {
	units := 0
	for _, c := range s {
		units += utf16.RuneLen(c)
	}
	return units
}

// checkPlain checks a UPN or an e-mail address from at to the end of s. Angle
// brackets are refused: no account name has them, and behind one stands
// another tag, most likely.
func checkPlain(s string, at int) (int, Reason) {
	part := s[at:]
	switch {
	case part == "":
		return at, MissingPart
	case part[0] == ' ':
		return at, StraySpace
	case part[len(part)-1] == ' ':
		return len(s) - 1, StraySpace
	}
	if i := strings.IndexByte(part, '<'); i >= 0 {
		return at + i, ExtraPart
	}
	if i := strings.IndexByte(part, '>'); i >= 0 {
		return at + i, BadText
	}
	return len(s), ""
}

// checkHex checks pairs of hexadecimal digits from at to the end of s. length is
// how many digits there must be; zero means any number but none.
func checkHex(s string, at, length int) (int, Reason) {
	part := s[at:]
	if part == "" {
		return at, MissingPart
	}
	for i := 0; i < len(part); i++ {
		switch c := part[i]; {
		case '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F':
		case c == ' ':
			return at + i, StraySpace
		case c == '<':
			return at + i, ExtraPart
		default:
			return at + i, BadHex
		}
	}
	if len(part)%2 != 0 || length != 0 && len(part) != length {
		return len(s), BadHex
	}
	return len(s), ""
}

// String returns the value as it is stored, and the empty string for the zero
// ID.
func (id ID) String() string { return id.text }

// Mapping returns the mapping of the ID, and "" for the zero ID.
func (id ID) Mapping() Mapping { return id.mapping }

// Issuer returns the text of the issuer's name, root first, of an
// [IssuerAndSubject] or [IssuerAndSerialNumber] ID, and the empty string for any
// other.
func (id ID) Issuer() string {
	switch id.mapping {
	case IssuerAndSubject:
		return id.text[len(tagIssuer) : int(id.value)-len(tagAfterS)]
	case IssuerAndSerialNumber:
		return id.text[len(tagIssuer) : int(id.value)-len(tagAfterSR)]
	}
	return ""
}

// Value returns the text after the last tag: the UPN, the e-mail address, the
// subject's name, or hexadecimal digits as they are stored, which means reversed
// bytes for a serial number.
func (id ID) Value() string { return id.text[id.value:] }

// SerialNumber returns the serial number of an [IssuerAndSerialNumber] ID, read
// in reversed byte order, and nil for any other mapping.
func (id ID) SerialNumber() *big.Int {
	if id.mapping != IssuerAndSerialNumber {
		return nil
	}
	raw, err := hex.DecodeString(id.Value())
	if err != nil { // cannot be: Parse has checked the digits
		return nil
	}
	slices.Reverse(raw)
	return new(big.Int).SetBytes(raw)
}

// MarshalText returns the text of [ID.String]; the zero ID is an error.
func (id ID) MarshalText() ([]byte, error) {
	if id.mapping == "" {
		return nil, &Error{Reason: Empty, Offset: -1}
	}
	return []byte(id.text), nil
}

// UnmarshalText reads what [Parse] reads. The error is an [*Error].
func (id *ID) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	if id == nil {
		return &Error{Reason: Empty, Offset: -1}
	}
	*id = parsed
	return nil
}
