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
	"os"
	"path/filepath"
	"time"

	"example.com/entracba/cba/crl"
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

// A list as it comes from a file: who made it, what is in it.
func ExampleParse() {
	issuer, done := exampleIssuer()
	defer done()
	ctx := context.Background()
	noon := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	if err := issuer.Revoke(ctx, crl.Revocation{Serial: big.NewInt(77), Time: noon, Reason: crl.Superseded}); err != nil {
		log.Fatal(err)
	}
	issued, err := issuer.Base(ctx, publish.Options{ThisUpdate: noon, Number: 41})
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
	list, err := issuer.Base(ctx, publish.Options{ThisUpdate: made})
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

// CRLs from a folder, kept until they are due; what the folder lacks comes
// from memory.
func ExampleKeep() {
	issuer, done := exampleIssuer()
	defer done()
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "crls")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	write := func() {
		list, err := issuer.Base(ctx, publish.Options{})
		if err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "users.crl"), list.Raw, 0o600); err != nil {
			log.Fatal(err)
		}
	}
	write()
	source := crl.Keep(crl.First(crl.Dir(folder), crl.Static(map[string][]byte{"http://crl.contoso.com/old.crl": []byte("<html>")})))
	for range 2 {
		list, err := source.Fetch(ctx, "http://crl.contoso.com/users.crl", issuer.Certificate)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("CRL", list.Number)
		write() // the next one, which is fetched when the kept one is due
	}
	_, err = source.Fetch(ctx, "http://crl.contoso.com/old.crl", issuer.Certificate)
	fmt.Println(errors.Is(err, crl.NotDER))
	_, err = source.Fetch(ctx, "http://crl.contoso.com/other.crl", issuer.Certificate)
	fmt.Println(errors.Is(err, crl.Missing))
	// Output:
	// CRL 1
	// CRL 1
	// true
	// true
}
