package crl_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
)

// at is when the tests play.
var at = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// An authority is a CA that tests make lists with.
type authority struct {
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

func newKey(tb testing.TB, kind string) crypto.Signer {
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

// newAuthority makes a root; change may alter the template.
func newAuthority(tb testing.TB, name, keyKind string, change ...func(*x509.Certificate)) authority {
	tb.Helper()
	key := newKey(tb, keyKind)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{Country: []string{"US"}, Organization: []string{"Woodgrove"}, CommonName: name},
		NotBefore:             at.AddDate(-1, 0, 0),
		NotAfter:              at.AddDate(9, 0, 0),
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
	return authority{cert, key}
}

// leaf issues a user's certificate.
func (a authority) leaf(tb testing.TB, serial int64, change ...func(*x509.Certificate)) *x509.Certificate {
	tb.Helper()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(serial),
		Subject:               pkix.Name{CommonName: "Jane"},
		NotBefore:             at.AddDate(0, -1, 0),
		NotAfter:              at.AddDate(1, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
	}
	for _, c := range change {
		c(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.Cert, newKey(tb, "p256").Public(), a.Key)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return cert
}

// list makes a list with crypto/x509.
func (a authority) list(tb testing.TB, template *x509.RevocationList) []byte {
	tb.Helper()
	if template.Number == nil {
		template.Number = big.NewInt(1)
	}
	if template.ThisUpdate.IsZero() {
		template.ThisUpdate = at.Add(-time.Hour)
	}
	if template.NextUpdate.IsZero() {
		template.NextUpdate = at.Add(6 * 24 * time.Hour)
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, a.Cert, a.Key)
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

func (a authority) issuer(tb testing.TB) *crl.Issuer {
	return &crl.Issuer{Certificate: a.Cert, Key: a.Key, Store: crl.FileStore{Path: filepath.Join(tb.TempDir(), "ledger")}}
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func mustParse(tb testing.TB, der []byte) *crl.List {
	tb.Helper()
	list, err := crl.Parse(der)
	if err != nil {
		tb.Fatal(err)
	}
	return list
}

// faultOf returns the fault of an error, and fails the test for errors that are
// not of the package's type.
func faultOf(tb testing.TB, err error) crl.Fault {
	tb.Helper()
	if err == nil {
		return 0
	}
	var e *crl.Error
	if !errors.As(err, &e) {
		tb.Fatalf("not a *crl.Error: %v", err)
	}
	return e.Fault
}

func must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

var ctx = context.Background()

func bigInt(n int64) *big.Int { return big.NewInt(n) }

func extension(id asn1.ObjectIdentifier, value []byte) []pkix.Extension {
	return []pkix.Extension{{Id: id, Value: value}}
}

func manyEntries(n int) []x509.RevocationListEntry {
	entries := make([]x509.RevocationListEntry, n)
	for i := range entries {
		serial := new(big.Int).Lsh(big.NewInt(int64(i)+1), 100)
		entries[i] = x509.RevocationListEntry{SerialNumber: serial, RevocationTime: at.Add(-time.Duration(i) * time.Minute), ReasonCode: i % 6}
	}
	return entries
}

// The authority of the crash test's helper process, whose key is handed over in
// the environment.
func helperAuthority() authority {
	der, err := base64.StdEncoding.DecodeString(os.Getenv("CRL_TEST_KEY"))
	if err != nil {
		panic(err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		panic(err)
	}
	signer := key.(crypto.Signer)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Helper"}, NotBefore: at, NotAfter: at.AddDate(50, 0, 0),
		IsCA: true, BasicConstraintsValid: true, SubjectKeyId: []byte{1, 2, 3}}
	der, err = x509.CreateCertificate(rand.Reader, template, template, signer.Public(), signer)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return authority{cert, signer}
}

// helperKey makes that key once for a test.
func helperKey(tb testing.TB) string {
	if os.Getenv("CRL_TEST_KEY") == "" {
		der := must[[]byte](tb)(x509.MarshalPKCS8PrivateKey(newKey(tb, "p256")))
		tb.(*testing.T).Setenv("CRL_TEST_KEY", base64.StdEncoding.EncodeToString(der))
	}
	return os.Getenv("CRL_TEST_KEY")
}

func helperAuthorityOf(tb testing.TB) authority {
	helperKey(tb)
	return helperAuthority()
}
