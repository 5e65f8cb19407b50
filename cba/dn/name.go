package dn

import (
	"slices"

	"example.com/entracba/cba/internal/der"
)

// A Name is a distinguished name in the order of its encoding: the part nearest
// the root first, the most specific last. The zero value is the empty name,
// which is a legal subject.
type Name []RDN

// An RDN is one part of a name, a relative distinguished name. It nearly always has
// one attribute; a multi-valued part has several, in encoded order.
type RDN []Attribute

// ParseDER reads an encoded name, for example the RawSubject or RawIssuer of an
// x509.Certificate. Order, multi-valued parts and string types are kept:
// Marshal gives the same bytes back. Values of types that are no character
// strings, or not well-formed, are kept in [Attribute.Raw].
//
// The error is an [*Error] with reason [BadEncoding].
func ParseDER(encoded []byte) (Name, error) {
	w, ok := newWalker(encoded)
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
		var attribute Attribute
		if row, ok := typeByDER(oidContent); ok {
			attribute.Type = row.name
		} else if number, ok := appendOID(nil, oidContent); ok {
			attribute.Type = Type(number)
		} else {
			return nil, &Error{Reason: BadEncoding, Offset: -1}
		}
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

// Marshal returns the DER encoding of the name, attributes in the order in
// which they stand. For a name from [ParseDER] these are the bytes that were read.
//
// The error is an [*Error] with reason [NotEncodable]: a value that its string type
// cannot represent, a part without attributes, or a type that does not exist.
func (n Name) Marshal() ([]byte, error) {
	var parts []byte
	for _, rdn := range n {
		if len(rdn) == 0 {
			return nil, &Error{Reason: NotEncodable, Text: "part without attributes", Offset: -1}
		}
		var set []byte
		for _, attribute := range rdn {
			value, err := attribute.marshal()
			if err != nil {
				return nil, err
			}
			set = append(set, value...)
		}
		parts = der.Append(parts, 0x31, set)
	}
	return der.Append(nil, 0x30, parts), nil
}

func (a Attribute) marshal() ([]byte, *Error) {
	bad := &Error{Reason: NotEncodable, Text: string(a.Type) + "=" + a.Value, Offset: -1}
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
		value = der.Append(nil, byte(tag), content)
	} else if !isOneValue(value) {
		return nil, bad
	}
	oid, ok := a.Type.content()
	if !ok {
		return nil, bad
	}
	return der.Append(nil, 0x30, append(der.Append(nil, 0x06, oid), value...)), nil
}

func isOneValue(value []byte) bool {
	_, _, end, ok := der.Header(value, 0)
	return ok && end == len(value)
}

// Clone returns a copy that shares no memory with the name.
func (n Name) Clone() Name {
	clone := make(Name, len(n))
	for i, rdn := range n {
		clone[i] = slices.Clone(rdn)
		for j := range clone[i] {
			clone[i][j].Raw = slices.Clone(rdn[j].Raw)
		}
	}
	return clone
}

// Values returns every value of one attribute type, root first.
func (n Name) Values(t Type) []string {
	t = t.canonical()
	var values []string
	for _, rdn := range n {
		for _, attribute := range rdn {
			if attribute.Raw == nil && attribute.Type.canonical() == t {
				values = append(values, attribute.Value)
			}
		}
	}
	return values
}
