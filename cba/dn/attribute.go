package dn

import (
	"encoding/asn1"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"example.com/entracba/cba/internal/text"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// An Attribute is one type and value of a name, such as CN=Jane.
type Attribute struct {
	Type Type
	// Tag is the ASN.1 tag of the string type. Zero means the type that RFC 5280
	// requires: IA5String for DC and e-mail, PrintableString for country,
	// serialNumber and dnQualifier, UTF8String for the rest and for values that do
	// not fit those.
	Tag int
	// Value is the text, in UTF-8 for every string type.
	Value string
	// Raw is the whole DER of a value that is not a well-formed character
	// string. If it is set, Tag and Value are not used.
	Raw []byte
}

// A Type is the type of an attribute: the name that [Name.String] writes for it
// ("CN", "emailAddress"), or the object identifier of a type without a name here
// ("1.2.3.4"). Names that this package reads have types in this one form, so that
// == compares them. In a name made by hand a Type may be any text that [ParseType]
// reads.
type Type string

// The attribute types that names of people and CAs are made of.
const (
	CommonName         Type = "CN"
	SerialNumber       Type = "serialNumber"
	Country            Type = "C"
	Locality           Type = "L"
	State              Type = "ST"
	Organization       Type = "O"
	OrganizationalUnit Type = "OU"
	DomainComponent    Type = "DC"
	UserID             Type = "UID"
	EmailAddress       Type = "emailAddress"
)

// An attributeType is a row of the table of names. der is the content of the
// encoded object identifier, so that looking a type up needs no decoding.
type attributeType struct {
	name    Type     // RFC 4514 section 3, RFC 4519, RFC 2985
	number  string   // the object identifier
	der     string   // and its encoding
	windows string   // what CertNameToStr writes: a name, or "OID." and the number
	aliases []string // further names that Parse reads
}

// The Windows names are those of CryptoAPI's OID table as SSSD's design page on
// certificate mapping lists them; "E" is also seen in a value read from Active
// Directory (SSSD design page), "OID." in values of GSA and of the Estonian RIA.
// An attribute without a Windows name here is written by number there too.
var attributeTypes = []attributeType{
	{CommonName, "2.5.4.3", "\x55\x04\x03", "CN", []string{"commonName"}},
	{"SN", "2.5.4.4", "\x55\x04\x04", "SN", []string{"surname"}},
	{SerialNumber, "2.5.4.5", "\x55\x04\x05", "SERIALNUMBER", nil},
	{Country, "2.5.4.6", "\x55\x04\x06", "C", []string{"countryName"}},
	{Locality, "2.5.4.7", "\x55\x04\x07", "L", []string{"localityName"}},
	{State, "2.5.4.8", "\x55\x04\x08", "S", []string{"stateOrProvinceName"}},
	{"STREET", "2.5.4.9", "\x55\x04\x09", "STREET", []string{"streetAddress"}},
	{Organization, "2.5.4.10", "\x55\x04\x0a", "O", []string{"organizationName"}},
	{OrganizationalUnit, "2.5.4.11", "\x55\x04\x0b", "OU", []string{"organizationalUnitName"}},
	{"title", "2.5.4.12", "\x55\x04\x0c", "T", nil},
	{"description", "2.5.4.13", "\x55\x04\x0d", "Description", nil},
	{"postalCode", "2.5.4.17", "\x55\x04\x11", "PostalCode", nil},
	{"postOfficeBox", "2.5.4.18", "\x55\x04\x12", "POBox", nil},
	{"givenName", "2.5.4.42", "\x55\x04\x2a", "G", []string{"GN"}},
	{"initials", "2.5.4.43", "\x55\x04\x2b", "I", nil},
	{"generationQualifier", "2.5.4.44", "\x55\x04\x2c", "OID.2.5.4.44", nil},
	{dnQualifier, "2.5.4.46", "\x55\x04\x2e", "OID.2.5.4.46", nil},
	{"pseudonym", "2.5.4.65", "\x55\x04\x41", "OID.2.5.4.65", nil},
	{"organizationIdentifier", "2.5.4.97", "\x55\x04\x61", "OID.2.5.4.97", nil},
	{DomainComponent, "0.9.2342.19200300.100.1.25", "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "DC", []string{"domainComponent"}},
	{UserID, "0.9.2342.19200300.100.1.1", "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", "OID.0.9.2342.19200300.100.1.1", nil},
	{EmailAddress, "1.2.840.113549.1.9.1", "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "E", []string{"email"}},
}

const dnQualifier Type = "dnQualifier"

// typeByDER finds the row of an encoded object identifier.
func typeByDER(content []byte) (row attributeType, ok bool) {
	for i := range attributeTypes {
		if attributeTypes[i].der == string(content) {
			return attributeTypes[i], true
		}
	}
	return attributeType{}, false
}

// typeByKeyword finds the row of a name that some program writes, or of a number.
// Letter case does not matter (RFC 4514 section 3); a name in its right case is
// found first.
func typeByKeyword(keyword string) (row attributeType, ok bool) {
	for i := range attributeTypes {
		if string(attributeTypes[i].name) == keyword || attributeTypes[i].windows == keyword || attributeTypes[i].number == keyword {
			return attributeTypes[i], true
		}
	}
	if !text.IsASCII(keyword) {
		return attributeType{}, false // EqualFold takes a long s for an s
	}
	is := func(name string) bool { return strings.EqualFold(name, keyword) }
	for i := range attributeTypes {
		if is(string(attributeTypes[i].name)) || is(attributeTypes[i].windows) || slices.ContainsFunc(attributeTypes[i].aliases, is) {
			return attributeTypes[i], true
		}
	}
	return attributeType{}, false
}

// ParseType reads an attribute type as programs write it: a name of RFC 4514, of
// Windows or of OpenSSL (S and ST, E and emailAddress), in any letter case, or an
// object identifier in numbers with or without "OID." in front. Spaces are not
// allowed.
//
// The error is an [*Error] with reason [UnknownType].
func ParseType(keyword string) (Type, error) {
	if row, ok := typeByKeyword(keyword); ok {
		return row.name, nil
	}
	number := keyword
	if len(number) > 4 && strings.EqualFold(number[:4], "OID.") {
		number = number[4:]
		if row, ok := typeByKeyword(number); ok && row.number == number {
			return row.name, nil
		}
	}
	var content [64]byte
	if _, ok := appendEncodedOID(content[:0], number); !ok {
		return "", &Error{Reason: UnknownType, Text: keyword, Offset: -1}
	}
	return Type(number), nil
}

// Windows returns the name that Windows writes for the type in a
// certificateUserIds value: "CN", "S", or "OID." and the object identifier. It is
// empty for a text that is not a type.
func (t Type) Windows() string {
	if row, ok := typeByKeyword(string(t)); ok {
		return row.windows
	}
	number, err := ParseType(string(t))
	if err != nil {
		return ""
	}
	return "OID." + string(number)
}

// canonical returns the type in the form that this package writes.
func (t Type) canonical() Type {
	if c, err := ParseType(string(t)); err == nil {
		return c
	}
	return t
}

// content returns the content of the encoded object identifier.
func (t Type) content() ([]byte, bool) {
	t = t.canonical()
	if row, ok := typeByKeyword(string(t)); ok {
		return []byte(row.der), true
	}
	return appendEncodedOID(nil, string(t))
}

// defaultTag is the string type for a value that comes from text: RFC 5280
// section 4.1.2.4 and appendix A.
func defaultTag(t Type) int {
	switch t.canonical() {
	case DomainComponent, EmailAddress:
		return asn1.TagIA5String
	case Country, SerialNumber, dnQualifier:
		return asn1.TagPrintableString
	}
	return asn1.TagUTF8String
}

// tagFor is defaultTag for a value that may not fit it; UTF8String holds
// anything.
func tagFor(t Type, value string) int {
	tag := defaultTag(t)
	if tag == asn1.TagPrintableString && !isPrintable(value) || tag == asn1.TagIA5String && !text.IsASCII(value) {
		return asn1.TagUTF8String
	}
	return tag
}

// isPrintable reports whether PrintableString has every character of the text
// (X.680 section 41.4).
func isPrintable(text string) bool {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte(" '()+,-./:=?", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// tagUniversalString is missing in encoding/asn1.
const tagUniversalString = 28

// decodeText returns the text of a character string with this tag and content,
// in UTF-8, and whether it is one. Encoding the text again gives the same
// content. It allocates only for the string types that are not ASCII or UTF-8.
func decodeText(tag cbasn1.Tag, content []byte) ([]byte, bool) {
	switch int(tag) {
	case asn1.TagUTF8String:
		return content, utf8.Valid(content)
	case asn1.TagPrintableString, asn1.TagIA5String, asn1.TagNumericString, 26 /* VisibleString */ :
		// Authorities put '@' and '*' into PrintableStrings; any ASCII is read.
		return content, text.IsASCII(content)
	case asn1.TagT61String:
		// Read as Latin-1, as every current reader does.
		latin := make([]byte, 0, len(content))
		for _, b := range content {
			latin = utf8.AppendRune(latin, rune(b))
		}
		return latin, true
	case asn1.TagBMPString:
		s, ok := text.FromUTF16(content, binary.BigEndian)
		return []byte(s), ok
	case tagUniversalString:
		if len(content)%4 != 0 {
			return nil, false
		}
		var universal []byte
		for i := 0; i < len(content); i += 4 {
			r := rune(binary.BigEndian.Uint32(content[i:]))
			if !utf8.ValidRune(r) {
				return nil, false
			}
			universal = utf8.AppendRune(universal, r)
		}
		return universal, true
	}
	return nil, false
}

// encodeText is the inverse of decodeText.
func encodeText(tag int, value string) ([]byte, bool) {
	if !utf8.ValidString(value) {
		return nil, false
	}
	switch tag {
	case asn1.TagUTF8String:
		return []byte(value), true
	case asn1.TagPrintableString, asn1.TagIA5String, asn1.TagNumericString, 26 /* VisibleString */ :
		return []byte(value), text.IsASCII(value)
	case asn1.TagT61String:
		content := make([]byte, 0, len(value))
		for _, r := range value {
			if r > 0xff {
				return nil, false
			}
			content = append(content, byte(r))
		}
		return content, true
	case asn1.TagBMPString:
		return text.AppendUTF16(nil, value, binary.BigEndian), true
	case tagUniversalString:
		content := make([]byte, 0, 4*len(value))
		for _, r := range value {
			content = binary.BigEndian.AppendUint32(content, uint32(r))
		}
		return content, true
	}
	return nil, false
}

// A walker reads the attributes of an encoded name one by one without
// allocating.
type walker struct {
	name, rdn cryptobyte.String
	first     bool // the attribute just read is the first of its part
}

// newWalker opens an encoded name. It reports false if there is not exactly one
// SEQUENCE.
func newWalker(der []byte) (walker, bool) {
	var w walker
	input := cryptobyte.String(der)
	ok := input.ReadASN1(&w.name, cbasn1.SEQUENCE) && input.Empty()
	return w, ok
}

// next reads one attribute: the content of its object identifier and its value
// with tag and length. At the end more is false; ok is false if the encoding is
// broken.
func (w *walker) next() (oid cryptobyte.String, value cryptobyte.String, more, ok bool) {
	w.first = false
	if w.rdn.Empty() {
		if w.name.Empty() {
			return nil, nil, false, true
		}
		if !w.name.ReadASN1(&w.rdn, cbasn1.SET) || w.rdn.Empty() {
			return nil, nil, false, false
		}
		w.first = true
	}
	var attribute cryptobyte.String
	var tag cbasn1.Tag
	ok = w.rdn.ReadASN1(&attribute, cbasn1.SEQUENCE) &&
		attribute.ReadASN1(&oid, cbasn1.OBJECT_IDENTIFIER) && len(oid) > 0 &&
		attribute.ReadAnyASN1Element(&value, &tag) && attribute.Empty()
	return oid, value, ok, ok
}

// split takes an encoded value apart.
func split(value cryptobyte.String) (tag cbasn1.Tag, content cryptobyte.String) {
	value.ReadAnyASN1(&content, &tag)
	return tag, content
}
