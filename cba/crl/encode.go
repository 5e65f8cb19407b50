package crl

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/bits"
	"time"
)

// headerSize returns the size of the tag and length for so many bytes.
func headerSize(content int) int {
	if content < 0x80 {
		return 2
	}
	return 2 + (bits.Len(uint(content))+7)/8
}

func appendHeader(b []byte, tag byte, content int) []byte {
	b = append(b, tag)
	size := headerSize(content) - 2
	if size == 0 {
		return append(b, byte(content))
	}
	b = append(b, 0x80|byte(size))
	for shift := 8 * (size - 1); shift >= 0; shift -= 8 {
		b = append(b, byte(content>>shift))
	}
	return b
}

func appendValue(b []byte, tag byte, content []byte) []byte {
	return append(appendHeader(b, tag, len(content)), content...)
}

func appendExtension(b []byte, oid string, critical bool, value []byte) []byte {
	x := appendValue(nil, tagOID, []byte(oid))
	if critical {
		x = append(x, tagBoolean, 1, 0xff)
	}
	return appendValue(b, tagSequence, appendValue(x, tagOctets, value))
}

// appendTime writes a UTCTime until 2049 and a GeneralizedTime from then on
// (RFC 5280 section 5.1.2.4).
func appendTime(b []byte, t time.Time) []byte {
	if isUTCTime(t) {
		return t.UTC().AppendFormat(append(b, tagUTCTime, 13), "060102150405Z")
	}
	return t.UTC().AppendFormat(append(b, tagTime, 15), "20060102150405Z")
}

func isUTCTime(t time.Time) bool { return t.UTC().Year() < 2050 }

// entrySize returns the size of the content of an encoded entry.
func entrySize(r record) int {
	size := 2 + len(r.serial) + 2 + 15
	if isUTCTime(r.time) {
		size -= 2
	}
	if r.reason != Unspecified {
		size += 2 + len(plainReason) + 1
	}
	return size
}

// appendEntry writes an entry. Unspecified is written as no reason at all (RFC
// 5280 section 5.3.1).
func appendEntry(b []byte, r record) []byte {
	b = appendHeader(b, tagSequence, entrySize(r))
	b = appendValue(b, tagInteger, r.serial)
	b = appendTime(b, r.time)
	if r.reason != Unspecified {
		b = append(b, tagSequence, byte(len(plainReason)+1))
		b = append(append(b, plainReason...), byte(r.reason))
	}
	return b
}

// identifier returns the encoded AlgorithmIdentifier.
func (s signatureScheme) identifier() ([]byte, error) {
	if s.isPSS() {
		hash := pkix.AlgorithmIdentifier{Algorithm: s.oid, Parameters: asn1.NullRawValue}
		hashDER, err := asn1.Marshal(hash)
		if err != nil {
			return nil, err
		}
		parameters, err := asn1.Marshal(pssParameters{
			Hash:    hash,
			MGF:     pkix.AlgorithmIdentifier{Algorithm: oidMGF1, Parameters: asn1.RawValue{FullBytes: hashDER}},
			Salt:    s.hash.Size(),
			Trailer: 1,
		})
		if err != nil {
			return nil, err
		}
		return asn1.Marshal(pkix.AlgorithmIdentifier{Algorithm: oidPSS, Parameters: asn1.RawValue{FullBytes: parameters}})
	}
	id := pkix.AlgorithmIdentifier{Algorithm: s.oid}
	switch s.algorithm {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA:
		id.Parameters = asn1.NullRawValue
	}
	return asn1.Marshal(id)
}

// fits reports whether the scheme is one for this kind of key.
func (s signatureScheme) fits(key crypto.PublicKey) bool {
	switch key.(type) {
	case *rsa.PublicKey:
		return s.isPSS() || s.algorithm == x509.SHA256WithRSA || s.algorithm == x509.SHA384WithRSA || s.algorithm == x509.SHA512WithRSA
	case *ecdsa.PublicKey:
		return s.algorithm == x509.ECDSAWithSHA256 || s.algorithm == x509.ECDSAWithSHA384 || s.algorithm == x509.ECDSAWithSHA512
	case ed25519.PublicKey:
		return s.algorithm == x509.PureEd25519
	}
	return false
}

// maxSignature returns how large a signature can be.
func (s signatureScheme) maxSignature(key crypto.PublicKey) int {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return key.Size()
	case *ecdsa.PublicKey:
		return 2*((key.Curve.Params().BitSize+7)/8) + 16
	}
	return ed25519.SignatureSize
}

func (s signatureScheme) sign(key crypto.Signer, message []byte) ([]byte, error) {
	if s.hash == 0 {
		return key.Sign(rand.Reader, message, crypto.Hash(0))
	}
	var options crypto.SignerOpts = s.hash
	if s.isPSS() {
		options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: s.hash}
	}
	return key.Sign(rand.Reader, s.sum(message), options)
}
