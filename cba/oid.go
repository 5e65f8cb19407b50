package cba

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"

	"example.com/entracba/cba/internal/text"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// AllIssuancePolicies returns the policy that stands for every other, anyPolicy
// of RFC 5280 section 4.2.1.4: 2.5.29.32.0. Write it as this number in the rules
// of Entra; the words "All Issuance Policies" have no effect there.
func AllIssuancePolicies() x509.OID { return anyPolicy }

var anyPolicy = oid(2, 5, 29, 32, 0)

// Extended key usages.
var (
	usageAny            = oid(2, 5, 29, 37, 0)
	usageClientAuth     = oid(1, 3, 6, 1, 5, 5, 7, 3, 2)
	usageEmail          = oid(1, 3, 6, 1, 5, 5, 7, 3, 4)
	usageSmartcardLogon = oid(1, 3, 6, 1, 4, 1, 311, 20, 2, 2)
	usageEFS            = oid(1, 3, 6, 1, 4, 1, 311, 10, 3, 4)
)

// oid returns an object identifier that is written in the source.
func oid(numbers ...uint64) x509.OID {
	id, err := x509.OIDFromInts(numbers)
	if err != nil {
		panic(err)
	}
	return id
}

// ParseOID reads an object identifier in its dotted form, "1.3.6.1.4.1.311.20.2.2".
// Its numbers must fit 31 bits: many readers of certificates take no larger ones.
//
// The error is an [*Error] with reason [Malformed].
func ParseOID(text string) (x509.OID, error) {
	const most = 1024 // the time that reading one takes grows with the square of its longest number
	if len(text) > most {
		return x509.OID{}, &Error{Reason: Malformed, What: "object identifier", Text: text, Hint: "it has more than 1,024 characters"}
	}
	id, err := x509.ParseOID(text)
	switch {
	case err != nil:
		return x509.OID{}, &Error{Reason: Malformed, What: "object identifier", Text: text, Hint: "write it in dotted form, such as 1.2.3.4"}
	case id.String() != text: // rules of Entra compare the text
		return x509.OID{}, &Error{Reason: Malformed, What: "object identifier", Text: text, Hint: "write it without leading zeros: " + id.String()}
	case !fits31(id):
		return x509.OID{}, &Error{Reason: Malformed, What: "object identifier", Text: text, Hint: "its numbers must be below 2147483648"}
	}
	return id, nil
}

// fits31 reports whether encoding/asn1, and what is built like it, can read an
// object identifier. The zero OID has no numbers and is none.
func fits31(id x509.OID) bool {
	var b cryptobyte.Builder
	addOID(&b, id)
	der, err := b.Bytes()
	input := cryptobyte.String(der)
	var read asn1.ObjectIdentifier
	return err == nil && input.ReadASN1ObjectIdentifier(&read)
}

// checkOIDs refuses what cannot be encoded, and what appears in a list twice.
func checkOIDs(what string, oids []x509.OID) error {
	for i, oid := range oids {
		switch {
		case !fits31(oid):
			return &Error{Reason: Malformed, What: what, Text: text.OID(oid), Hint: "use an object identifier as ParseOID returns it"}
		case slices.ContainsFunc(oids[:i], oid.Equal):
			return &Error{Reason: Ambiguous, What: what, Text: text.OID(oid), Hint: "list it once"}
		}
	}
	return nil
}

func addOID(b *cryptobyte.Builder, oid x509.OID) {
	b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) {
		content, err := oid.MarshalBinary()
		if err != nil {
			b.SetError(err)
		}
		b.AddBytes(content)
	})
}
