package certs

import (
	"crypto/x509"
	"fmt"

	"example.com/entracba/cba/internal/der"
)

// The content of the object identifier of SignedData, 1.2.840.113549.1.7.2.
const oidSignedData = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"

// Tags of BER, as single bytes: everything on the way to the certificates has
// one.
const (
	tagInteger  = 0x02
	tagOID      = 0x06
	tagSequence = 0x30
	tagSet      = 0x31
	tagContext0 = 0xa0
	tagContext1 = 0xa1
)

// DecodeBundle reads the certificates of a PKCS #7 bundle (SignedData), in DER or in
// BER with indefinite lengths. Signatures, signers and CRLs are not looked at. Zero
// bytes behind it are legal. A bundle may have no certificates.
//
// It walks down to the certificates and touches nothing else: nothing is read by
// recursion, and nothing is copied. The error is an [*Error]; its Place is empty if
// the bundle itself is at fault.
func DecodeBundle(data []byte) ([]*x509.Certificate, error) {
	info, rest, ok := readTag(data, tagSequence)
	oid, info, isOID := readTag(info, tagOID)
	switch {
	case !ok || !isOID || string(oid) != oidSignedData:
		return nil, fail(Foreign, "it does not begin as SignedData")
	case !zeros(rest):
		return nil, fail(Damaged, "%d bytes behind it", len(rest))
	}
	content, rest, ok := readTag(info, tagContext0)
	if !ok || len(rest) > 0 {
		return nil, fail(Damaged, "no content")
	}
	signed, rest, ok := readTag(content, tagSequence)
	if !ok || len(rest) > 0 {
		return nil, fail(Damaged, "no SignedData")
	}
	for _, tag := range []byte{tagInteger, tagSet, tagSequence} { // version, digests, content
		if _, signed, ok = readTag(signed, tag); !ok {
			return nil, fail(Damaged, "SignedData is cut off or out of order")
		}
	}
	set, signed, _ := readTag(signed, tagContext0)
	if _, behind, crls := readTag(signed, tagContext1); crls {
		signed = behind
	}
	if _, rest, ok = readTag(signed, tagSet); !ok || len(rest) > 0 { // signers
		return nil, fail(Damaged, "SignedData is cut off or out of order")
	}
	var certs []*x509.Certificate
	for i := 0; len(set) > 0; i++ {
		before := set
		if _, set, ok = readTag(set, tagSequence); !ok {
			return nil, fail(Foreign, "element %d of the certificates is of another kind", i)
		}
		cert, err := Parse(before[:len(before)-len(set)])
		if err != nil {
			return nil, &Error{Reason: Damaged, Place: fmt.Sprintf("certificate %d", i+1), Err: err}
		}
		certs = append(certs, cert)
	}
	return certs, nil
}

// readTag reads one BER element that has this tag and returns its content and
// what follows it; if it has not, rest is in.
func readTag(in []byte, tag byte) (content, rest []byte, ok bool) {
	if len(in) == 0 || in[0] != tag {
		return nil, in, false
	}
	_, start, end, indefinite, ok := der.BER(in, 0)
	if !ok {
		return nil, in, false
	}
	if !indefinite {
		return in[start:end], in[end:], true
	}
	// Find the end-of-contents that belongs to this element. Elements of a
	// definite length are jumped over whole.
	at := start
	for open := 1; open > 0; {
		_, _, next, indefinite, ok := der.BER(in, at)
		if !ok {
			return nil, in, false
		}
		switch {
		case indefinite:
			open++
		case in[at] == 0 && next == at+2:
			open--
		}
		at = next
	}
	return in[start : at-2], in[at:], true
}
