package fetch_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/fetch"
	"example.com/entracba/cba/crl/publish"
)

// exampleIssuer makes an authority whose lists the examples issue.
func exampleIssuer() (*publish.Issuer, func()) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Contoso User CA"},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCRLSign | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		log.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		log.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "crl")
	if err != nil {
		log.Fatal(err)
	}
	issuer := &publish.Issuer{Certificate: cert, Key: key, Store: publish.FileStore{Path: filepath.Join(folder, "ledger")}}
	return issuer, func() { os.RemoveAll(folder) }
}

// The list is fetched once, within the limits of a sign-in, and kept.
func ExampleClient() {
	issuer, done := exampleIssuer()
	defer done()
	ctx := context.Background()
	list, err := issuer.Base(ctx, publish.Options{})
	if err != nil {
		log.Fatal(err)
	}
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests++
		w.Write(list.Raw)
	}))
	defer server.Close()

	// Without this, the client does not connect to the test server: it is on
	// this machine.
	client := &fetch.Client{AllowPrivateAddresses: true}
	for range 3 {
		got, err := client.Fetch(ctx, server.URL, issuer.Certificate)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("list", got.Number)
	}
	fmt.Println("requests:", requests)

	_, err = new(fetch.Client).Fetch(ctx, server.URL, issuer.Certificate)
	var failure *crl.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Reason)
	}
	// Output:
	// list 1
	// list 1
	// list 1
	// requests: 1
	// crl: forbidden address
}
