package dn_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/interop"
)

// names are texts that OpenSSL and we must agree on. OpenSSL's RFC 2253 form
// differs from RFC 4514 only in what the rows leave out: it writes the names of
// attributes that the RFCs do not list in its own way.
var names = []string{
	"CN=jane@yourdomain.com",
	"CN=Jane Doe,OU=Users,DC=contoso,DC=com",
	`CN=Doe\, Jane \"JD\" \+ co\; \<x\> \\,O=Contoso\, Inc.`,
	`CN=\#lead and \ `,
	"CN=Jörg Müller,L=Köln,ST=NRW,C=DE",
	"emailAddress=a@b.example,CN=x",
	"CN=a,CN=b,OU=c,OU=d",
	multiValued,
}

const multiValued = "CN=a+UID=u,O=x"

func certificate(t *testing.T, subject []byte) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1), RawSubject: subject,
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
	}, &x509.Certificate{RawSubject: subject}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// TestOpenSSLReadsTheSame gives our encoding to OpenSSL and compares its RFC
// 2253 text with ours.
func TestOpenSSLReadsTheSame(t *testing.T) {
	openssl := interop.Find(t, "openssl")
	for _, text := range names {
		name, err := dn.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		der, err := name.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		out := openssl.Run(t, certificate(t, der), "x509", "-noout", "-subject", "-nameopt", "RFC2253,-esc_msb,utf8")
		got := strings.TrimSuffix(strings.TrimPrefix(out, "subject="), "\n")
		// OpenSSL reverses the values of a multi-valued part too; they have no order.
		if got != name.String() && text != multiValued {
			t.Errorf("OpenSSL reads\n  %q, we write\n  %q", got, name.String())
		}
		if back, err := dn.Parse(got); err != nil || !back.Equal(name) {
			t.Errorf("OpenSSL's text %q reads as %q, %v", got, back, err)
		}
	}
}

// TestPythonWritesTheSame lets Python's cryptography build the names and
// compares its DER with ours.
func TestPythonWritesTheSame(t *testing.T) {
	python := interop.Python(t)
	const script = `
import sys
from cryptography import x509
from cryptography.hazmat.primitives import serialization
for line in sys.stdin.buffer.read().decode().splitlines():
    print(x509.Name.from_rfc4514_string(line).public_bytes().hex())
`
	texts := []string{
		"CN=jane@yourdomain.com",
		"CN=Jane Doe,OU=Users,DC=contoso,DC=com",
		`CN=Doe\, Jane \"JD\"\+co\;\<x\>\\,O=Contoso\, Inc.`,
		"CN=Jörg Müller,L=Köln,ST=NRW,C=DE",
		"CN=a+UID=u,O=x",
	}
	out := strings.Fields(python.Run(t, []byte(strings.Join(texts, "\n")), "-c", script))
	if len(out) != len(texts) {
		t.Fatalf("%d answers to %d names", len(out), len(texts))
	}
	for i, text := range texts {
		name, err := dn.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		// Python writes DC as IA5String and the rest but the country as UTF8String too.
		der, err := name.Marshal()
		if want := unhex(t, out[i]); err != nil || !bytes.Equal(der, want) {
			t.Errorf("%s\n  ours   %x\n  Python %x (%v)", text, der, want, err)
		}
	}
}
