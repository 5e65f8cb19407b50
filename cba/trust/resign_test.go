package trust_test

import (
	"bytes"
	"crypto"
	"crypto/fips140"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"testing"
)

var (
	ecdsaWithSHA256 = []byte{0x30, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2}
	ecdsaWithSHA1   = []byte{0x30, 0x09, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1}
)

// resign gives a certificate with an ECDSA signature one with SHA-1.
func resign(t *testing.T, cert *x509.Certificate, issuer *entity) *x509.Certificate {
	t.Helper()
	var tbs asn1.RawValue
	if _, err := asn1.Unmarshal(cert.RawTBSCertificate, &tbs); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(tbs.Bytes, ecdsaWithSHA256); n != 1 {
		t.Fatalf("%d algorithm identifiers", n)
	}
	marshal := func(v any) []byte {
		der, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	sequence := func(content []byte) []byte {
		return marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: content})
	}
	newTBS := sequence(bytes.Replace(tbs.Bytes, ecdsaWithSHA256, ecdsaWithSHA1, 1))
	var signature []byte
	var err error
	fips140.WithoutEnforcement(func() {
		digest := sha1.Sum(newTBS)
		signature, err = issuer.key.Sign(rand.Reader, digest[:], crypto.SHA1)
	})
	if err != nil {
		t.Fatal(err)
	}
	der := sequence(append(append(newTBS, ecdsaWithSHA1...), marshal(asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)})...))
	resigned, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return resigned
}
