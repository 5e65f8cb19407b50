package dn

import (
	"encoding/asn1"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// An Attribute is one type and value of a name, such as CN=Jane.
type Attribute struct {
	// Type is the attribute's object identifier, 2.5.4.3 for a common name.
	Type asn1.ObjectIdentifier
	// Tag is the ASN.1 tag of the string type. Zero means the type that RFC 5280
	// asks for: IA5String for DC and e-mail, PrintableString for country,
	// serialNumber and dnQualifier, UTF8String for the rest and for values that do
	// not fit those.
	Tag int
	// Value is the text, in UTF-8 whatever the string type.
	Value string
	// Raw is the whole DER of a value that is not a well-formed character
	// string. If it is set, Tag and Value are not used.
	Raw []byte
}

// Object identifiers of the attribute types that names of people and
// authorities are made of.
var (
	CommonName         = asn1.ObjectIdentifier{2, 5, 4, 3}
	SerialNumber       = asn1.ObjectIdentifier{2, 5, 4, 5}
	Country            = asn1.ObjectIdentifier{2, 5, 4, 6}
	Locality           = asn1.ObjectIdentifier{2, 5, 4, 7}
	State              = asn1.ObjectIdentifier{2, 5, 4, 8}
	Organization       = asn1.ObjectIdentifier{2, 5, 4, 10}
	OrganizationalUnit = asn1.ObjectIdentifier{2, 5, 4, 11}
	DomainComponent    = asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}
	UserID             = asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}
	EmailAddress       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}
)

// An attributeType is a row of the table of names. der is the content of the
// encoded object identifier, so that looking a type up needs no decoding.
type attributeType struct {
	oid     asn1.ObjectIdentifier
	der     string
	ldap    string   // the name that String writes: RFC 4514 section 3, RFC 4519, RFC 2985
	windows string   // the name that CertNameToStr writes; empty for "OID." and the number
	aliases []string // further names that Parse reads
}

// The Windows names are those of CryptoAPI's OID table as SSSD's design page on
// certificate mapping lists them; "E" is also seen in a value read from Active
// Directory (SSSD design page), "OID." in values of GSA and of the Estonian RIA.
// An attribute without a Windows name here is written by number there too.
var attributeTypes = []attributeType{
	{CommonName, "\x55\x04\x03", "CN", "CN", nil},
	{asn1.ObjectIdentifier{2, 5, 4, 4}, "\x55\x04\x04", "SN", "SN", []string{"surname"}},
	{SerialNumber, "\x55\x04\x05", "serialNumber", "SERIALNUMBER", nil},
	{Country, "\x55\x04\x06", "C", "C", []string{"countryName"}},
	{Locality, "\x55\x04\x07", "L", "L", []string{"localityName"}},
	{State, "\x55\x04\x08", "ST", "S", []string{"S", "stateOrProvinceName"}},
	{asn1.ObjectIdentifier{2, 5, 4, 9}, "\x55\x04\x09", "STREET", "STREET", []string{"streetAddress"}},
	{Organization, "\x55\x04\x0a", "O", "O", []string{"organizationName"}},
	{OrganizationalUnit, "\x55\x04\x0b", "OU", "OU", []string{"organizationalUnitName"}},
	{asn1.ObjectIdentifier{2, 5, 4, 12}, "\x55\x04\x0c", "title", "T", []string{"T"}},
	{asn1.ObjectIdentifier{2, 5, 4, 13}, "\x55\x04\x0d", "description", "Description", nil},
	{asn1.ObjectIdentifier{2, 5, 4, 17}, "\x55\x04\x11", "postalCode", "PostalCode", nil},
	{asn1.ObjectIdentifier{2, 5, 4, 18}, "\x55\x04\x12", "postOfficeBox", "POBox", []string{"POBox"}},
	{asn1.ObjectIdentifier{2, 5, 4, 42}, "\x55\x04\x2a", "givenName", "G", []string{"G", "GN"}},
	{asn1.ObjectIdentifier{2, 5, 4, 43}, "\x55\x04\x2b", "initials", "I", []string{"I"}},
	{asn1.ObjectIdentifier{2, 5, 4, 44}, "\x55\x04\x2c", "generationQualifier", "", nil},
	{asn1.ObjectIdentifier{2, 5, 4, 46}, "\x55\x04\x2e", "dnQualifier", "", nil},
	{asn1.ObjectIdentifier{2, 5, 4, 65}, "\x55\x04\x41", "pseudonym", "", nil},
	{asn1.ObjectIdentifier{2, 5, 4, 97}, "\x55\x04\x61", "organizationIdentifier", "", nil},
	{DomainComponent, "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "DC", "DC", []string{"domainComponent"}},
	{UserID, "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", "UID", "", []string{"userid"}},
	{EmailAddress, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "emailAddress", "E", []string{"E", "email"}},
}

func typeByDER(der []byte) *attributeType {
	for i := range attributeTypes {
		if attributeTypes[i].der == string(der) {
			return &attributeTypes[i]
		}
	}
	return nil
}

func typeByOID(oid asn1.ObjectIdentifier) *attributeType {
	for i := range attributeTypes {
		if attributeTypes[i].oid.Equal(oid) {
			return &attributeTypes[i]
		}
	}
	return nil
}

// typeByKeyword finds a type by any name that some program writes for it. Letter
// case does not matter (RFC 4514 section 3).
func typeByKeyword(keyword string) *attributeType {
	is := func(name string) bool { return strings.EqualFold(name, keyword) }
	for i := range attributeTypes {
		if t := &attributeTypes[i]; is(t.ldap) || slices.ContainsFunc(t.aliases, is) {
			return t
		}
	}
	return nil
}

// defaultTag is the string type for a value that comes from text: RFC 5280
// section 4.1.2.4 and appendix A.
func defaultTag(oid asn1.ObjectIdentifier) int {
	switch {
	case oid.Equal(DomainComponent), oid.Equal(EmailAddress):
		return asn1.TagIA5String
	case oid.Equal(Country), oid.Equal(SerialNumber), oid.Equal(asn1.ObjectIdentifier{2, 5, 4, 46}):
		return asn1.TagPrintableString
	}
	return asn1.TagUTF8String
}

// tagFor is defaultTag for a value that may not fit it; UTF8String holds
// anything.
func tagFor(oid asn1.ObjectIdentifier, value string) int {
	tag := defaultTag(oid)
	if tag == asn1.TagPrintableString && !isPrintable(value) || tag == asn1.TagIA5String && !isASCII([]byte(value)) {
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
		return content, isASCII(content)
	case asn1.TagT61String:
		// Read as Latin-1, as every current reader does.
		text := make([]byte, 0, len(content))
		for _, b := range content {
			text = utf8.AppendRune(text, rune(b))
		}
		return text, true
	case asn1.TagBMPString:
		if len(content)%2 != 0 {
			return nil, false
		}
		units := make([]uint16, 0, len(content)/2)
		for i := 0; i < len(content); i += 2 {
			units = append(units, uint16(content[i])<<8|uint16(content[i+1]))
		}
		text := []byte(string(utf16.Decode(units)))
		again, ok := encodeText(asn1.TagBMPString, string(text))
		return text, ok && slices.Equal(again, content) // no lone surrogates
	case tagUniversalString:
		if len(content)%4 != 0 {
			return nil, false
		}
		var text []byte
		for i := 0; i < len(content); i += 4 {
			r := rune(content[i])<<24 | rune(content[i+1])<<16 | rune(content[i+2])<<8 | rune(content[i+3])
			if !utf8.ValidRune(r) {
				return nil, false
			}
			text = utf8.AppendRune(text, r)
		}
		return text, true
	}
	return nil, false
}

// encodeText is the way back of decodeText.
func encodeText(tag int, text string) ([]byte, bool) {
	if !utf8.ValidString(text) {
		return nil, false
	}
	switch tag {
	case asn1.TagUTF8String:
		return []byte(text), true
	case asn1.TagPrintableString, asn1.TagIA5String, asn1.TagNumericString, 26 /* VisibleString */ :
		return []byte(text), isASCII([]byte(text))
	case asn1.TagT61String:
		content := make([]byte, 0, len(text))
		for _, r := range text {
			if r > 0xff {
				return nil, false
			}
			content = append(content, byte(r))
		}
		return content, true
	case asn1.TagBMPString:
		content := make([]byte, 0, 2*len(text))
		for _, unit := range utf16.Encode([]rune(text)) {
			content = append(content, byte(unit>>8), byte(unit))
		}
		return content, true
	case tagUniversalString:
		content := make([]byte, 0, 4*len(text))
		for _, r := range text {
			content = append(content, byte(r>>24), byte(r>>16), byte(r>>8), byte(r))
		}
		return content, true
	}
	return nil, false
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
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
