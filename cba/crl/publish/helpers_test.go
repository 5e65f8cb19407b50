package publish_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"example.com/entracba/cba/crl/internal/crltest"
	"example.com/entracba/cba/crl/publish"
)

var ctx = context.Background()

func issuerOf(tb testing.TB, ca crltest.Authority) *publish.Issuer {
	return &publish.Issuer{Certificate: ca.Cert, Key: ca.Key, Store: publish.FileStore{Path: filepath.Join(tb.TempDir(), "ledger")}}
}

// The authority of the crash test's helper process, whose key is handed over in
// the environment.
func helperAuthority() crltest.Authority {
	der, err := base64.StdEncoding.DecodeString(os.Getenv("CRL_TEST_KEY"))
	if err != nil {
		panic(err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		panic(err)
	}
	signer := key.(crypto.Signer)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Helper"}, NotBefore: crltest.At(), NotAfter: crltest.At().AddDate(50, 0, 0),
		IsCA: true, BasicConstraintsValid: true, SubjectKeyId: []byte{1, 2, 3}}
	der, err = x509.CreateCertificate(rand.Reader, template, template, signer.Public(), signer)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return crltest.Authority{Cert: cert, Key: signer}
}

// helperKey makes that key once for a test.
func helperKey(tb testing.TB) string {
	if os.Getenv("CRL_TEST_KEY") == "" {
		der := crltest.Must[[]byte](tb)(x509.MarshalPKCS8PrivateKey(crltest.NewKey(tb, "p256")))
		tb.(*testing.T).Setenv("CRL_TEST_KEY", base64.StdEncoding.EncodeToString(der))
	}
	return os.Getenv("CRL_TEST_KEY")
}

func helperAuthorityOf(tb testing.TB) crltest.Authority {
	helperKey(tb)
	return helperAuthority()
}
