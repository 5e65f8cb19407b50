package dn

import (
	"encoding/asn1"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// A Name is a distinguished name in the order of its encoding: the part nearest
// the root first, the most specific last. The zero value is the empty name,
// which is a legal subject.
type Name []RDN

// An RDN is one part of a name, a relative distinguished name. Nearly always it
// holds one attribute; a multi-valued part holds several, in encoded order.
type RDN []Attribute

// An Error says why something is not a name, or cannot be written as one.
type Error struct {
	Reason Reason
	Text   string // the text or the attribute that is at fault
	Offset int    // the byte of Text where reading stopped, or -1
}

// A Reason is what is wrong with a name. The zero value is unset.
type Reason uint8

const (
	// BadEncoding is DER that is not a Name of RFC 5280 section 4.1.2.4.
	BadEncoding Reason = iota + 1
	// NoType is a part without "TYPE=".
	NoType
	// UnknownType is a keyword that no attribute type has.
	UnknownType
	// BadEscape is a backslash that is not followed by what may follow it.
	BadEscape
	// BadQuote is a quoted value that does not end, or ends too early.
	BadQuote
	// BadHex is a #value that is not the hexadecimal form of one DER value.
	BadHex
	// NeedsEscape is a character that may stand in a value only escaped.
	NeedsEscape
	// NotUTF8 is text that is not valid UTF-8.
	NotUTF8
	// NotEncodable is a value that its string type cannot hold, or an empty
	// part.
	NotEncodable
)

// String says the reason in words.
func (r Reason) String() string {
	switch r {
	case BadEncoding:
		return "not a DER encoded name"
	case NoType:
		return "a part must be TYPE=value"
	case UnknownType:
		return "unknown attribute type"
	case BadEscape:
		return "a backslash must be followed by a special character or two hexadecimal digits"
	case BadQuote:
		return "a quoted value must end with a quote before the next separator"
	case BadHex:
		return "#value must be the hexadecimal DER of one value"
	case NeedsEscape:
		return "character must be escaped"
	case NotUTF8:
		return "not valid UTF-8"
	case NotEncodable:
		return "value does not fit its string type"
	}
	return fmt.Sprintf("Reason(%d)", uint8(r))
}

// Error returns "dn: reason", with the place and the text where there are any.
func (e *Error) Error() string {
	switch {
	case e.Text == "":
		return fmt.Sprintf("dn: %v", e.Reason)
	case e.Offset < 0:
		return fmt.Sprintf("dn: %v: %q", e.Reason, e.Text)
	}
	return fmt.Sprintf("dn: %v, at byte %d of %q", e.Reason, e.Offset, e.Text)
}

// ParseDER reads an encoded name, for example the RawSubject or RawIssuer of an
// x509.Certificate. Order, multi-valued parts and string types are kept:
// Marshal gives the same bytes back. Values of types that are no character
// strings, or not well-formed, are kept in [Attribute.Raw].
//
// The error is an [*Error] with reason [BadEncoding].
func ParseDER(der []byte) (Name, error) {
	w, ok := newWalker(der)
	if !ok {
		return nil, &Error{Reason: BadEncoding, Offset: -1}
	}
	var name Name
	for {
		oidContent, value, more, ok := w.next()
		if !ok {
			return nil, &Error{Reason: BadEncoding, Offset: -1}
		}
		if !more {
			return name, nil
		}
		oid, ok := decodeOID(oidContent)
		if !ok {
			return nil, &Error{Reason: BadEncoding, Offset: -1}
		}
		attribute := Attribute{Type: oid}
		tag, content := split(value)
		if text, ok := decodeText(tag, content); ok {
			attribute.Tag, attribute.Value = int(tag), string(text)
		} else {
			attribute.Raw = slices.Clone(value)
		}
		if w.first {
			name = append(name, nil)
		}
		last := len(name) - 1
		name[last] = append(name[last], attribute)
	}
}

// decodeOID turns the content of an encoded object identifier into numbers.
func decodeOID(content []byte) (asn1.ObjectIdentifier, bool) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(content) })
	der, err := b.Bytes()
	if err != nil {
		return nil, false
	}
	var oid asn1.ObjectIdentifier
	input := cryptobyte.String(der)
	return oid, input.ReadASN1ObjectIdentifier(&oid)
}

// Marshal returns the DER encoding of the name, attributes in the order in
// which they stand. A name that came from [ParseDER] gives the bytes it came
// from.
//
// The error is an [*Error] with reason [NotEncodable], for a value that its
// string type cannot hold, a part without attributes or an impossible type.
func (n Name) Marshal() ([]byte, error) {
	var b cryptobyte.Builder
	var failed *Error
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, rdn := range n {
			if len(rdn) == 0 {
				failed = &Error{Reason: NotEncodable, Text: "part without attributes", Offset: -1}
				return
			}
			b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
				for _, attribute := range rdn {
					der, err := attribute.marshal()
					if err != nil {
						failed = err
						return
					}
					b.AddBytes(der)
				}
			})
		}
	})
	der, err := b.Bytes()
	if failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, &Error{Reason: NotEncodable, Offset: -1}
	}
	return der, nil
}

func (a Attribute) marshal() ([]byte, *Error) {
	bad := &Error{Reason: NotEncodable, Text: a.Type.String() + "=" + a.Value, Offset: -1}
	value := a.Raw
	if value == nil {
		tag := a.Tag
		if tag == 0 {
			tag = tagFor(a.Type, a.Value)
		}
		content, ok := encodeText(tag, a.Value)
		if !ok {
			return nil, bad
		}
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.Tag(tag), func(b *cryptobyte.Builder) { b.AddBytes(content) })
		value = b.BytesOrPanic() // only a length over 4 GiB fails
	} else if !isOneValue(value) {
		return nil, bad
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(a.Type)
		b.AddBytes(value)
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, bad
	}
	return der, nil
}

func isOneValue(der []byte) bool {
	input := cryptobyte.String(der)
	var element cryptobyte.String
	var tag cbasn1.Tag
	return input.ReadAnyASN1Element(&element, &tag) && input.Empty()
}

// Clone returns a copy that shares no memory with the name.
func (n Name) Clone() Name {
	clone := make(Name, len(n))
	for i, rdn := range n {
		clone[i] = slices.Clone(rdn)
		for j := range clone[i] {
			clone[i][j].Type = slices.Clone(rdn[j].Type)
			clone[i][j].Raw = slices.Clone(rdn[j].Raw)
		}
	}
	return clone
}

// Values returns every value of one attribute type, root first.
func (n Name) Values(oid asn1.ObjectIdentifier) []string {
	var values []string
	for _, rdn := range n {
		for _, attribute := range rdn {
			if attribute.Raw == nil && attribute.Type.Equal(oid) {
				values = append(values, attribute.Value)
			}
		}
	}
	return values
}
