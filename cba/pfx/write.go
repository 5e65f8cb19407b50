package pfx

import (
	"bytes"
	"crypto/aes"
	"crypto/sha1"
	"crypto/x509"
	"encoding/binary"
	"slices"

	"example.com/entracba/cba/internal/der"
	"example.com/entracba/cba/internal/text"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A recipe is how an encoding is written: the object identifiers of its
// algorithms, "" for none, and how many bytes a salt has.
type recipe struct {
	certs, key, mac string
	salt            int
}

// recipe returns how the encoding is written; ok is false if it is none.
func (e Encoding) recipe() (r recipe, ok bool) {
	switch e {
	case Compatible:
		return recipe{oid3DES, oid3DES, oidSHA1, 8}, true
	case RC2:
		return recipe{oidRC2, oid3DES, oidSHA1, 8}, true
	case Modern:
		return recipe{oidPBES2, oidPBES2, oidSHA256, 16}, true
	case PBMAC1:
		return recipe{oidPBES2, oidPBES2, oidPBMAC1, 16}, true
	case InsecureUnencrypted:
		return recipe{}, true
	}
	return recipe{}, false
}

// A writer writes one file.
type writer struct {
	recipe
	iterations int
	pw         secret
	random     func([]byte) (int, error) // fills the slice and never fails
}

// write returns the file of a bundle that was checked (RFC 7292 section 4).
//
//	PFX ::= SEQUENCE { version INTEGER, authSafe ContentInfo, macData MacData OPTIONAL }
//
// It has two parts, as OpenSSL writes them: the certificates, encrypted as a whole,
// and the key, encrypted by itself. A friendly name is an attribute of the key.
func (w *writer) write(b Bundle) ([]byte, error) {
	link := sha1.Sum(b.Certificate.Raw)
	attributes := [][]byte{attribute(oidLocalKeyID, asn1.OCTET_STRING, link[:])}
	certs := safeBag(oidCertBag, certificate(b.Certificate), attributes...)
	for _, list := range [][]*x509.Certificate{b.Chain, b.Others} {
		for _, c := range list {
			certs = append(certs, safeBag(oidCertBag, certificate(c))...)
		}
	}
	if b.FriendlyName != "" {
		attributes = append(attributes, attribute(oidFriendlyName, bmpString, text.AppendUTF16(nil, b.FriendlyName, binary.BigEndian)))
		slices.SortFunc(attributes, bytes.Compare) // DER orders a SET OF by its bytes
	}
	key, err := w.writeKey(b, attributes)
	if err != nil {
		return nil, err
	}
	first, err := w.writePart(sequence(certs))
	if err != nil {
		return nil, err
	}
	authSafe := sequence(first, contentInfo(oidData, octets(sequence(key))))
	mac, err := w.writeMAC(authSafe)
	if err != nil {
		return nil, err
	}
	return sequence(integer(3), contentInfo(oidData, octets(authSafe)), mac), nil
}

// writeKey returns the entry of the key: PKCS #8 or, encrypted,
// EncryptedPrivateKeyInfo (RFC 5958 sections 2 and 3).
func (w *writer) writeKey(b Bundle, attributes [][]byte) ([]byte, error) {
	key, err := x509.MarshalPKCS8PrivateKey(b.Key)
	if err != nil { // not passed on: it is about the key
		return nil, fail(NotSupported, "the key cannot be encoded")
	}
	if w.key == "" {
		return safeBag(oidKeyBag, key, attributes...), nil
	}
	algorithm, data, err := w.encrypt(w.key, key)
	if err != nil {
		return nil, err
	}
	return safeBag(oidShroudedBag, sequence(algorithm, octets(data)), attributes...), nil
}

// writePart returns a part of the file, encrypted if the certificates are: data or
// EncryptedData (RFC 5652 section 8).
func (w *writer) writePart(contents []byte) ([]byte, error) {
	if w.certs == "" {
		return contentInfo(oidData, octets(contents)), nil
	}
	algorithm, data, err := w.encrypt(w.certs, contents)
	if err != nil {
		return nil, err
	}
	return contentInfo(oidEncryptedData, sequence(integer(0), sequence(objectID(oidData), algorithm, element(tag0Implicit, data)))), nil
}

// encrypt makes the AlgorithmIdentifier of an encryption, with a new salt, and
// encrypts under it as [Decode] will read it: there is one table of algorithms.
func (w *writer) encrypt(oid string, plain []byte) (algorithm, data []byte, err error) {
	salt := octets(w.fresh(w.salt))
	if oid == oidPBES2 {
		iv := octets(w.fresh(aes.BlockSize))
		algorithm = identifier(oid, sequence(
			identifier(oidPBKDF2, sequence(salt, integer(w.iterations), identifier(oidHMACSHA256, element(asn1.NULL)))),
			identifier(oidAES256, iv)))
	} else {
		algorithm = identifier(oid, sequence(salt, integer(w.iterations)))
	}
	input := cryptobyte.String(algorithm)
	s, _ := readScheme(&input)
	data, err = s.encrypt(plain, w.pw)
	return algorithm, data, err
}

// writeMAC returns MacData (RFC 7292 section 4), or nothing if the encoding has no
// MAC. PBMAC1 has salt and iterations in its algorithm; those of MacData itself mean
// nothing then, and are empty and zero (RFC 9579 section 4).
func (w *writer) writeMAC(authSafe []byte) ([]byte, error) {
	if w.mac == "" {
		return nil, nil
	}
	salt, iterations, algorithm := octets(w.fresh(w.salt)), integer(w.iterations), identifier(w.mac)
	if w.mac == oidPBMAC1 {
		hmac := identifier(oidHMACSHA256)
		algorithm = identifier(w.mac, sequence(identifier(oidPBKDF2, sequence(salt, iterations, integer(32), hmac)), hmac))
		salt, iterations = octets(nil), integer(0)
	}
	data := func(digest []byte) []byte { return sequence(sequence(algorithm, octets(digest)), salt, iterations) }
	input := cryptobyte.String(data(nil))
	m, _ := readMAC(&input)
	digest, err := m.sum(authSafe, w.pw)
	if err != nil {
		return nil, err
	}
	return data(digest), nil
}

// fresh returns n random bytes.
func (w *writer) fresh(n int) []byte {
	b := make([]byte, n)
	w.random(b)
	return b
}

// The values of the file, as ASN.1 has them.

// safeBag returns a SafeBag. The attributes are in the order of DER; all readers
// are known to take an empty set of them.
func safeBag(oid string, value []byte, attributes ...[]byte) []byte {
	return sequence(objectID(oid), element(tag0, value), element(asn1.SET, attributes...))
}

// certificate returns a CertBag.
func certificate(c *x509.Certificate) []byte {
	return sequence(objectID(oidX509), element(tag0, octets(c.Raw)))
}

// attribute returns an attribute of one value.
func attribute(oid string, tag asn1.Tag, value []byte) []byte {
	return sequence(objectID(oid), element(asn1.SET, element(tag, value)))
}

func contentInfo(oid string, content []byte) []byte {
	return sequence(objectID(oid), element(tag0, content))
}

// identifier returns an AlgorithmIdentifier.
func identifier(oid string, parameters ...[]byte) []byte {
	return sequence(append([][]byte{objectID(oid)}, parameters...)...)
}

func sequence(parts ...[]byte) []byte { return element(asn1.SEQUENCE, parts...) }

func octets(b []byte) []byte { return element(asn1.OCTET_STRING, b) }

func objectID(oid string) []byte {
	id, _ := x509.ParseOID(oid) // one of the constants of this package
	b, _ := id.MarshalBinary()
	return element(asn1.OBJECT_IDENTIFIER, b)
}

func integer(n int) []byte {
	var b cryptobyte.Builder
	b.AddASN1Int64(int64(n))
	return b.BytesOrPanic() // only lengths fail
}

func element(tag asn1.Tag, parts ...[]byte) []byte {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	b := der.AppendHeader(make([]byte, 0, der.HeaderSize(size)+size), byte(tag), size)
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}
