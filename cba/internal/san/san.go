// Package san reads and writes the subjectAltName extension with the names that
// Windows and Microsoft Entra put there and that crypto/x509 does not show: the
// user principal name (UPN) as an otherName.
//
// Names keep their place and their bytes: what [Each] hands out, [Marshal] writes
// back byte for byte, whatever kinds of names it is.
package san

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"example.com/entracba/cba/internal/text"
)

// Extension returns the object identifier of subjectAltName (RFC 5280 section
// 4.2.1.6).
func Extension() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 29, 17} }

// UPNType returns the otherName type of a user principal name,
// szOID_NT_PRINCIPAL_NAME.
func UPNType() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}
}

// upnType is UPNType as it is encoded, without tag and length.
const upnType = "\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03"

// A Kind says what a [Name] is.
type Kind uint8

const (
	// UPN is an otherName of type [UPNType] that holds a UTF8String.
	UPN Kind = iota + 1
	// Email is an rfc822Name.
	Email
	// DNS is a dNSName.
	DNS
	// URI is a uniformResourceIdentifier.
	URI
	// Other is an otherName of another type, or one of [UPNType] whose value is
	// no UTF8String.
	Other
	// Unread is any other kind of name: IP address, directory name and so on.
	Unread
)

// A Name is one of the alternative names.
type Name struct {
	Kind  Kind
	Value string // the text; empty for Other and Unread
	Raw   []byte // the whole encoded name, for Other and Unread
}

// A Reason is why an extension cannot be read.
type Reason string

// BadEncoding is an extension that is not a DER encoded GeneralNames.
const BadEncoding Reason = "bad-encoding"

// Error returns the reason in words.
func (r Reason) Error() string { return "san: not a DER encoded list of names" }

// Tags of GeneralName, RFC 5280 section 4.2.1.6.
var (
	tagOther = cbasn1.Tag(0).ContextSpecific().Constructed()
	tagEmail = cbasn1.Tag(1).ContextSpecific()
	tagDNS   = cbasn1.Tag(2).ContextSpecific()
	tagURI   = cbasn1.Tag(6).ContextSpecific()
	tagValue = cbasn1.Tag(0).ContextSpecific().Constructed() // otherName's value, EXPLICIT
)

// Each calls yield for every name of an encoded subjectAltName, in order, until
// yield returns false. value is the text of a UPN, e-mail, DNS or URI name and
// the whole encoded name of any other; it is only valid during the call. Each
// allocates nothing.
//
// The text of e-mail, DNS and URI names is ASCII and that of a UPN is UTF-8. Names
// that break this are Unread (crypto/x509 refuses the whole certificate): one of
// them does not hide the others.
func Each(der []byte, yield func(kind Kind, value []byte) bool) error {
	input := cryptobyte.String(der)
	var names cryptobyte.String
	if !input.ReadASN1(&names, cbasn1.SEQUENCE) || !input.Empty() {
		return BadEncoding
	}
	for !names.Empty() {
		var element, content cryptobyte.String
		var tag cbasn1.Tag
		if !names.ReadAnyASN1Element(&element, &tag) {
			return BadEncoding
		}
		whole := []byte(element)
		element.ReadASN1(&content, tag)
		kind, value := Unread, whole
		switch tag {
		case tagEmail:
			kind, value = Email, content
		case tagDNS:
			kind, value = DNS, content
		case tagURI:
			kind, value = URI, content
		case tagOther:
			kind = Other
			upn, isUPN, ok := readOther(content)
			if !ok {
				return BadEncoding
			}
			if isUPN {
				kind, value = UPN, upn
			}
		}
		if (kind == Email || kind == DNS || kind == URI) && !text.IsASCII(value) {
			kind, value = Unread, whole
		}
		if !yield(kind, value) {
			return nil
		}
	}
	return nil
}

// readOther reads the content of an otherName. isUPN says that it is a user
// principal name in its one legal form, and upn is its text then.
func readOther(content cryptobyte.String) (upn []byte, isUPN, ok bool) {
	var oid, value, text cryptobyte.String
	if !content.ReadASN1(&oid, cbasn1.OBJECT_IDENTIFIER) || !isOID(oid) ||
		!content.ReadASN1(&value, tagValue) || !content.Empty() {
		return nil, false, false
	}
	if string(oid) != upnType {
		return nil, false, true
	}
	isUPN = value.ReadASN1(&text, cbasn1.UTF8String) && value.Empty() && utf8.Valid(text)
	return text, isUPN, true
}

// isOID reports whether this is the content of an encoded object identifier:
// numbers in their shortest form, the last one whole (X.690 section 8.19).
func isOID(content []byte) bool {
	begin := true
	for _, b := range content {
		if begin && b == 0x80 {
			return false
		}
		begin = b < 0x80
	}
	return begin && len(content) > 0
}

// Marshal writes a subjectAltName with these names in this order. Text of
// e-mail, DNS and URI names must be ASCII, a UPN UTF-8; Raw must be one encoded
// element. What the names mean is not checked.
func Marshal(names []Name) ([]byte, error) {
	var b cryptobyte.Builder
	var failed error
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, name := range names {
			if err := name.marshal(b); err != nil {
				failed = err
				return
			}
		}
	})
	der, err := b.Bytes()
	if failed != nil {
		return nil, failed
	}
	return der, err
}

func (n Name) marshal(b *cryptobyte.Builder) error {
	value := func(b *cryptobyte.Builder) { b.AddBytes([]byte(n.Value)) }
	switch n.Kind {
	case UPN:
		if !utf8.ValidString(n.Value) {
			return fmt.Errorf("san: UPN %q is not valid UTF-8", n.Value)
		}
		b.AddASN1(tagOther, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(UPNType())
			b.AddASN1(tagValue, func(b *cryptobyte.Builder) { b.AddASN1(cbasn1.UTF8String, value) })
		})
		return nil
	case Email, DNS, URI:
		if !text.IsASCII(n.Value) {
			return fmt.Errorf("san: %v name %q is not ASCII", n.Kind, n.Value)
		}
		b.AddASN1(map[Kind]cbasn1.Tag{Email: tagEmail, DNS: tagDNS, URI: tagURI}[n.Kind], value)
		return nil
	case Other, Unread:
		input := cryptobyte.String(n.Raw)
		var element cryptobyte.String
		var tag cbasn1.Tag
		if !input.ReadAnyASN1Element(&element, &tag) || !input.Empty() {
			return fmt.Errorf("san: %v name is not one DER element", n.Kind)
		}
		b.AddBytes(n.Raw)
		return nil
	}
	return fmt.Errorf("san: name of %v", n.Kind)
}

// String returns the kind's name as OpenSSL and Windows show it.
func (k Kind) String() string {
	switch k {
	case UPN:
		return "UPN"
	case Email:
		return "e-mail"
	case DNS:
		return "DNS"
	case URI:
		return "URI"
	case Other:
		return "otherName"
	case Unread:
		return "other kind"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Find returns the encoded subjectAltName of a certificate, or nil if there is
// none.
func Find(cert *x509.Certificate) []byte {
	if cert == nil {
		return nil
	}
	id := Extension()
	for i := range cert.Extensions {
		if cert.Extensions[i].Id.Equal(id) {
			return cert.Extensions[i].Value
		}
	}
	return nil
}

// First returns the first name of one kind in an encoded subjectAltName, nil
// if there is none or the extension cannot be read. It allocates nothing.
func First(der []byte, kind Kind) []byte {
	var first []byte
	err := Each(der, func(k Kind, value []byte) bool {
		if k == kind && first == nil {
			first = value
		}
		return true // to the end: a list that breaks off later is not read at all
	})
	if err != nil {
		return nil
	}
	return first
}
