package certs

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"math/big"
	"slices"
	"time"

	"example.com/entracba/cba/internal/der"
	"example.com/entracba/cba/internal/text"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Parse reads one certificate from its DER. What crypto/x509 refuses is read part
// by part: each extension, and the validity, is given to crypto/x509 in a sound
// certificate of its own, and what it refuses there stays raw. So a certificate
// with a negative serial number, a letter that its string type does not have, or
// one bad extension has all its other fields.
//
// Such a certificate has no SignatureAlgorithm and no PublicKey: nothing is
// verified with it. Its Raw parts and Extensions are complete; critical extensions
// that were not read are in UnhandledCriticalExtensions; a validity that cannot be
// read is zero, so that the certificate has expired. [Refused] says why.
//
// Extensions are read in certificates of versions 1 and 2, too: see [WithExtensions].
//
// The error is that of crypto/x509, for data that has not the structure of a
// certificate.
func Parse(raw []byte) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(raw)
	if err == nil {
		return WithExtensions(cert), nil
	}
	if cert, ok := parseParts(raw); ok {
		return cert, nil
	}
	return nil, err
}

// WithExtensions returns a certificate that crypto/x509 read with its extensions. They
// belong in version 3 (RFC 5280 section 4.1.2.1), and in others crypto/x509 passes over
// them without a word, as if the certificate had no names and no key identifiers;
// OpenSSL reads them. The key and the signature stay as they are.
func WithExtensions(cert *x509.Certificate) *x509.Certificate {
	if cert == nil || cert.Version >= 3 || len(cert.Raw) == 0 {
		return cert
	}
	var outer, tbs, version cryptobyte.String
	input := cryptobyte.String(cert.Raw)
	if !input.ReadASN1(&outer, cbasn1.SEQUENCE) || !outer.ReadASN1(&tbs, cbasn1.SEQUENCE) ||
		!tbs.ReadOptionalASN1(&version, nil, cbasn1.Tag(0).ContextSpecific().Constructed()) {
		return cert
	}
	three := der.Append(nil, 0x30, append([]byte("\xa0\x03\x02\x01\x02"), tbs...))
	read, err := x509.ParseCertificate(der.Append(nil, 0x30, append(three, outer...)))
	if err != nil { // an extension that is not sound: the others are worth having
		if parts, ok := parseParts(cert.Raw); ok {
			return parts
		}
		return cert
	}
	if len(read.Extensions) == 0 {
		return cert
	}
	read.Raw, read.RawTBSCertificate, read.Version = cert.Raw, cert.RawTBSCertificate, cert.Version
	return read
}

// Refused returns why crypto/x509 does not read a certificate that [Parse] read,
// nil if it does. It costs nothing for a certificate with a signature algorithm
// that crypto/x509 knows.
func Refused(cert *x509.Certificate) error {
	if cert == nil || cert.SignatureAlgorithm != x509.UnknownSignatureAlgorithm || len(cert.Raw) == 0 {
		return nil
	}
	_, err := x509.ParseCertificate(cert.Raw)
	return err
}

// maxExtensions bounds the work on one certificate.
const maxExtensions = 100

// parseParts is [Parse] for a certificate that crypto/x509 refuses.
func parseParts(raw []byte) (*x509.Certificate, bool) {
	var outer, signature, tbs, element, serial, validity cryptobyte.String
	input := cryptobyte.String(raw)
	c := &x509.Certificate{}
	if !input.ReadASN1(&outer, cbasn1.SEQUENCE) || !input.Empty() || !outer.ReadASN1Element(&element, cbasn1.SEQUENCE) ||
		!outer.SkipASN1(cbasn1.SEQUENCE) || !outer.ReadASN1(&signature, cbasn1.BIT_STRING) || !outer.Empty() || len(signature) == 0 {
		return nil, false
	}
	rawTBS := []byte(element)
	element.ReadASN1(&tbs, cbasn1.SEQUENCE)
	explicit := func(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }
	version, hasVersion := cryptobyte.String(nil), false
	number := 0
	var issuer, subject, spki cryptobyte.String
	if !tbs.ReadOptionalASN1(&version, &hasVersion, explicit(0)) || hasVersion && !version.ReadASN1Integer(&number) ||
		!tbs.ReadASN1(&serial, cbasn1.INTEGER) || len(serial) == 0 || !tbs.SkipASN1(cbasn1.SEQUENCE) ||
		!tbs.ReadASN1Element(&issuer, cbasn1.SEQUENCE) || !tbs.ReadASN1Element(&validity, cbasn1.SEQUENCE) ||
		!tbs.ReadASN1Element(&subject, cbasn1.SEQUENCE) || !tbs.ReadASN1Element(&spki, cbasn1.SEQUENCE) ||
		!tbs.SkipOptionalASN1(cbasn1.Tag(1).ContextSpecific()) || !tbs.SkipOptionalASN1(cbasn1.Tag(2).ContextSpecific()) {
		return nil, false
	}
	extensions, elements, ok := readExtensions(tbs)
	if !ok {
		return nil, false
	}

	var sound []byte
	var unread []asn1.ObjectIdentifier
	for i, e := range extensions {
		twice := slices.ContainsFunc(extensions[:i], func(x pkix.Extension) bool { return x.Id.Equal(e.Id) })
		if _, err := x509.ParseCertificate(wrap(neutralValidity, elements[i])); err == nil && !twice {
			sound = append(sound, elements[i]...)
		} else if e.Critical {
			unread = append(unread, e.Id)
		}
	}
	c, err := x509.ParseCertificate(wrap(validity, sound))
	if err != nil {
		if c, err = x509.ParseCertificate(wrap(neutralValidity, sound)); err != nil {
			return nil, false
		}
		c.NotBefore, c.NotAfter = time.Time{}, time.Time{}
	}
	c.Raw, c.RawTBSCertificate, c.RawIssuer, c.RawSubject, c.RawSubjectPublicKeyInfo = raw, rawTBS, issuer, subject, spki
	c.Version, c.SerialNumber, c.Signature = number+1, integer(serial), signature[1:]
	c.SignatureAlgorithm, c.PublicKeyAlgorithm, c.PublicKey = 0, 0, nil
	c.Issuer, c.Subject = shownName(issuer), shownName(subject)
	c.Extensions, c.UnhandledCriticalExtensions = extensions, append(c.UnhandledCriticalExtensions, unread...)
	return c, true
}

// readExtensions reads the extensions at the end of a TBSCertificate, as far as
// their outer form goes, and the element of each.
func readExtensions(tbs cryptobyte.String) (list []pkix.Extension, elements [][]byte, ok bool) {
	if tbs.Empty() {
		return nil, nil, true
	}
	var all cryptobyte.String
	if !tbs.ReadASN1(&all, cbasn1.Tag(3).ContextSpecific().Constructed()) || !tbs.Empty() ||
		!all.ReadASN1(&all, cbasn1.SEQUENCE) {
		return nil, nil, false
	}
	for !all.Empty() {
		var element, inner, critical, value cryptobyte.String
		var isCritical bool
		var e pkix.Extension
		if !all.ReadASN1Element(&element, cbasn1.SEQUENCE) || len(list) == maxExtensions {
			return nil, nil, false
		}
		elements = append(elements, element)
		if !element.ReadASN1(&inner, cbasn1.SEQUENCE) || !inner.ReadASN1ObjectIdentifier(&e.Id) ||
			!inner.ReadOptionalASN1(&critical, &isCritical, cbasn1.BOOLEAN) ||
			!inner.ReadASN1(&value, cbasn1.OCTET_STRING) || !inner.Empty() {
			return nil, nil, false
		}
		// A BOOLEAN that DER does not have is taken as the stricter one.
		e.Critical, e.Value = isCritical && string(critical) != "\x00", value
		list = append(list, e)
	}
	return list, elements, true
}

// A certificate that crypto/x509 reads, without names, with parts of another: serial
// number 1, ecdsa-with-SHA256, an Ed25519 key and a signature of no bits.
const (
	neutralSerial    = "\x02\x01\x01"
	neutralAlgorithm = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
	neutralName      = "\x30\x00"
	neutralKey       = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	neutralSignature = "\x03\x01\x00"
)

var neutralValidity = []byte("\x30\x1e\x17\x0d000101000000Z\x17\x0d490101000000Z")

func wrap(validity, extensions []byte) []byte {
	body := []byte("\xa0\x03\x02\x01\x02" + neutralSerial + neutralAlgorithm + neutralName + string(validity) + neutralName + neutralKey)
	if len(extensions) > 0 {
		body = append(body, der.Append(nil, 0xa3, der.Append(nil, 0x30, extensions))...)
	}
	tbs := der.Append(nil, 0x30, body)
	return der.Append(nil, 0x30, append(tbs, neutralAlgorithm+neutralSignature...))
}

// integer reads the content of an INTEGER in two's complement, however long.
func integer(content []byte) *big.Int {
	n := new(big.Int).SetBytes(content)
	if content[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(content))))
	}
	return n
}

// shownName reads a name for people. Values of types that are no strings are left
// out; programs read the raw name, with package dn.
func shownName(raw cryptobyte.String) (name pkix.Name) {
	var rdns, attributes cryptobyte.String
	raw.ReadASN1(&rdns, cbasn1.SEQUENCE)
	var sequence pkix.RDNSequence
	for rdns.ReadASN1(&attributes, cbasn1.SET) {
		var rdn pkix.RelativeDistinguishedNameSET
		var attribute, value cryptobyte.String
		var tag cbasn1.Tag
		for attributes.ReadASN1(&attribute, cbasn1.SEQUENCE) {
			var a pkix.AttributeTypeAndValue
			if !attribute.ReadASN1ObjectIdentifier(&a.Type) || !attribute.ReadAnyASN1(&value, &tag) {
				continue
			}
			switch int(tag) {
			case asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagIA5String, asn1.TagNumericString, asn1.TagT61String:
				a.Value = string(value)
			case asn1.TagBMPString:
				a.Value, _ = text.FromUTF16(value, binary.BigEndian)
			default:
				continue
			}
			rdn = append(rdn, a)
		}
		if rdn != nil {
			sequence = append(sequence, rdn)
		}
	}
	name.FillFromRDNSequence(&sequence)
	return name
}
