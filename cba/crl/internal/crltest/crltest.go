// Package crltest has what the tests of CRLs share: CAs that sign lists. Only
// tests import it.
package crltest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
)

// At is when the tests play.
func At() time.Time { return time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC) }

// An Authority is a CA that tests make CRLs with.
type Authority struct {
	Cert *x509.Certificate
	Key  crypto.Signer
}

var rsaKey = sync.OnceValue(func() crypto.Signer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// NewKey makes a private key: rsa (one for all tests), p256, p384, p521 or ed25519.
func NewKey(tb testing.TB, kind string) crypto.Signer {
	tb.Helper()
	var key crypto.Signer
	var err error
	switch kind {
	case "rsa": // one for all tests: it takes long to make
		return rsaKey()
	case "p256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "p384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "p521":
		key, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		tb.Fatalf("no key kind %q", kind)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// NewAuthority makes a root; change may alter the template.
func NewAuthority(tb testing.TB, name, keyKind string, change ...func(*x509.Certificate)) Authority {
	tb.Helper()
	key := NewKey(tb, keyKind)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{Country: []string{"US"}, Organization: []string{"Woodgrove"}, CommonName: name},
		NotBefore:             At().AddDate(-1, 0, 0),
		NotAfter:              At().AddDate(9, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	for _, c := range change {
		c(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return Authority{cert, key}
}

// Leaf issues a user's certificate.
func (a Authority) Leaf(tb testing.TB, serial int64, change ...func(*x509.Certificate)) *x509.Certificate {
	tb.Helper()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(serial),
		Subject:               pkix.Name{CommonName: "Jane"},
		NotBefore:             At().AddDate(0, -1, 0),
		NotAfter:              At().AddDate(1, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
	}
	for _, c := range change {
		c(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.Cert, NewKey(tb, "p256").Public(), a.Key)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return cert
}

// List makes a CRL with crypto/x509.
func (a Authority) List(tb testing.TB, template *x509.RevocationList) []byte {
	tb.Helper()
	if template.Number == nil {
		template.Number = big.NewInt(1)
	}
	if template.ThisUpdate.IsZero() {
		template.ThisUpdate = At().Add(-time.Hour)
	}
	if template.NextUpdate.IsZero() {
		template.NextUpdate = At().Add(6 * 24 * time.Hour)
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, a.Cert, a.Key)
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

// PEM wraps DER in a block of a kind.
func PEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// MustParse parses a CRL, or ends the test.
func MustParse(tb testing.TB, der []byte) *crl.List {
	tb.Helper()
	list, err := crl.Parse(der)
	if err != nil {
		tb.Fatal(err)
	}
	return list
}

// ReasonOf returns the reason of an error, and fails the test for errors that are
// not of the package's type.
func ReasonOf(tb testing.TB, err error) crl.Reason {
	tb.Helper()
	if err == nil {
		return ""
	}
	var e *crl.Error
	if !errors.As(err, &e) {
		tb.Fatalf("not a *crl.Error: %v", err)
	}
	return e.Reason
}

// Must returns a function that takes a value and an error, and ends the test on an error.
func Must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

// BigInt is big.NewInt under a shorter name.
func BigInt(n int64) *big.Int { return big.NewInt(n) }

// Extension is the one extension with an id and a value.
func Extension(id asn1.ObjectIdentifier, value []byte) []pkix.Extension {
	return []pkix.Extension{{Id: id, Value: value}}
}

// ManyEntries returns n entries with serial numbers of their own.
func ManyEntries(n int) []x509.RevocationListEntry {
	entries := make([]x509.RevocationListEntry, n)
	for i := range entries {
		serial := new(big.Int).Lsh(big.NewInt(int64(i)+1), 100)
		entries[i] = x509.RevocationListEntry{SerialNumber: serial, RevocationTime: At().Add(-time.Duration(i) * time.Minute), ReasonCode: i % 6}
	}
	return entries
}
