package crl_test

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
)

// exampleIssuer makes an authority whose lists the examples issue.
func exampleIssuer() (*crl.Issuer, func()) {
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
	issuer := &crl.Issuer{Certificate: cert, Key: key, Store: crl.FileStore{Path: filepath.Join(folder, "ledger")}}
	return issuer, func() { os.RemoveAll(folder) }
}

// An authority revokes a certificate and puts another one on hold, publishes its
// base list, releases the second one, and publishes a delta list.
func Example() {
	ctx := context.Background()
	issuer, done := exampleIssuer()
	defer done()
	noon := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

	err := issuer.Revoke(ctx,
		crl.Revocation{Serial: big.NewInt(0x4a17), Time: noon, Reason: crl.KeyCompromise},
		crl.Revocation{Serial: big.NewInt(0x4a18), Time: noon, Reason: crl.CertificateHold},
	)
	if err != nil {
		log.Fatal(err)
	}
	base, err := issuer.Base(ctx, crl.Options{ThisUpdate: noon})
	if err != nil {
		log.Fatal(err)
	}
	if err := issuer.Release(ctx, big.NewInt(0x4a18)); err != nil {
		log.Fatal(err)
	}
	delta, err := issuer.Delta(ctx, crl.Options{ThisUpdate: noon.Add(time.Hour)})
	if err != nil {
		log.Fatal(err)
	}

	// The other side: is a certificate revoked?
	later := noon.Add(2 * time.Hour)
	lists := crl.Set{Base: base, Delta: delta}
	if err := lists.Check(issuer.Certificate, later); err != nil {
		log.Fatal(err)
	}
	for serial := int64(0x4a17); serial <= 0x4a19; serial++ {
		status := lists.Status(&x509.Certificate{SerialNumber: big.NewInt(serial)})
		fmt.Printf("%x: %v %q\n", serial, status.State, status.Code())
	}
	// Output:
	// 4a17: revoked "AADSTS500171"
	// 4a18: released ""
	// 4a19: good ""
}

// A list as it comes from a file: who made it, what is in it.
func ExampleParse() {
	issuer, done := exampleIssuer()
	defer done()
	ctx := context.Background()
	noon := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	if err := issuer.Revoke(ctx, crl.Revocation{Serial: big.NewInt(77), Time: noon, Reason: crl.Superseded}); err != nil {
		log.Fatal(err)
	}
	issued, err := issuer.Base(ctx, crl.Options{ThisUpdate: noon, Number: 41})
	if err != nil {
		log.Fatal(err)
	}

	list, err := crl.Parse(issued.Raw)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("list %v of %s\n", list.Number, list.Issuer())
	fmt.Println("from", list.ThisUpdate.Format(time.DateTime), "to", list.NextUpdate.Format(time.DateTime))
	for entry := range list.All() {
		fmt.Println(entry.Serial(), entry.Time.Format(time.DateTime), entry.Reason)
	}
	_, revoked := list.Lookup(big.NewInt(77))
	fmt.Println("77 is listed:", revoked)

	// What people publish by mistake is refused with what it is.
	_, err = crl.Parse([]byte("-----BEGIN X509 CRL-----\nMIIB"))
	var failure *crl.Error
	if errors.As(err, &failure) {
		fmt.Println(failure)
		fmt.Println(failure.Code())
	}
	// Output:
	// list 41 of CN=Contoso User CA
	// from 2026-03-10 12:00:00 to 2026-03-17 12:00:00
	// 77 2026-03-10 12:00:00 superseded
	// 77 is listed: true
	// crl: not DER: this is PEM, and Entra reads DER only: convert it with openssl crl -outform DER
	// AADSTS2205011
}

// The list is fetched once, within the limits of a sign-in, and kept.
func ExampleFetcher() {
	issuer, done := exampleIssuer()
	defer done()
	ctx := context.Background()
	list, err := issuer.Base(ctx, crl.Options{})
	if err != nil {
		log.Fatal(err)
	}
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests++
		w.Write(list.Raw)
	}))
	defer server.Close()

	// Without this, the fetcher does not connect to the test server: it is on
	// this machine.
	fetcher := &crl.Fetcher{AllowPrivateAddresses: true}
	for range 3 {
		got, err := fetcher.Fetch(ctx, server.URL, issuer.Certificate)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("list", got.Number)
	}
	fmt.Println("requests:", requests)

	_, err = new(crl.Fetcher).Fetch(ctx, server.URL, issuer.Certificate)
	var failure *crl.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Fault)
	}
	// Output:
	// list 1
	// list 1
	// list 1
	// requests: 1
	// forbidden address
}

// Publishing inside Base keeps the ledger right even if the program is stopped
// half-way: only a list that was published becomes the base of deltas.
func ExampleIssuer_Base_publish() {
	issuer, done := exampleIssuer()
	defer done()
	folder, err := os.MkdirTemp("", "www")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)

	publish := func(list *crl.List) error {
		// A web server must never see half a list: write beside, then rename.
		path := filepath.Join(folder, "contoso.crl")
		if err := os.WriteFile(path+".new", list.Raw, 0o644); err != nil {
			return err
		}
		return os.Rename(path+".new", path)
	}
	list, err := issuer.Base(context.Background(), crl.Options{Publish: publish})
	if err != nil {
		log.Fatal(err)
	}
	onDisk, err := os.ReadFile(filepath.Join(folder, "contoso.crl"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("published list", list.Number, len(onDisk) == len(list.Raw))
	// Output:
	// published list 1 true
}

// What to know about a URL before it is stored with an authority.
func ExampleURLFindings() {
	for _, url := range []string{
		"http://crl.contoso.com/users.crl",
		"https://crl.contoso.com/users.crl",
		"ldap:///CN=Contoso%20CA,CN=CDP",
		"http://pki01/users.crl",
	} {
		fmt.Println(url)
		for _, finding := range crl.URLFindings(url) {
			fmt.Println("  ", finding.Severity, finding.Code)
		}
	}
	// Output:
	// http://crl.contoso.com/users.crl
	// https://crl.contoso.com/users.crl
	//    warning crl-url-https
	// ldap:///CN=Contoso%20CA,CN=CDP
	//    error crl-url-unusable
	// http://pki01/users.crl
	//    error crl-url-private
}

// What to know about a list before everybody depends on it.
func ExampleSet_Findings() {
	issuer, done := exampleIssuer()
	defer done()
	ctx := context.Background()
	made := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	list, err := issuer.Base(ctx, crl.Options{ThisUpdate: made})
	if err != nil {
		log.Fatal(err)
	}
	for _, day := range []int{1, 6, 8} {
		findings := crl.Set{Base: list}.Findings(made.AddDate(0, 0, day))
		fmt.Println("day", day, "worst:", findings.Worst() != 0)
		for _, finding := range findings {
			fmt.Println("  ", finding.Severity, finding.Code)
		}
	}
	// Output:
	// day 1 worst: false
	// day 6 worst: true
	//    warning crl-overdue
	// day 8 worst: true
	//    error crl-expired
}
