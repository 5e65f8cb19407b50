package publish_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
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
	base, err := issuer.Base(ctx, publish.Options{ThisUpdate: noon})
	if err != nil {
		log.Fatal(err)
	}
	if err := issuer.Release(ctx, big.NewInt(0x4a18)); err != nil {
		log.Fatal(err)
	}
	delta, err := issuer.Delta(ctx, publish.Options{ThisUpdate: noon.Add(time.Hour)})
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

// Publishing inside Base keeps the ledger right even if the program is stopped
// half-way: only a list that was published becomes the base of deltas.
func ExampleIssuer_Base() {
	issuer, done := exampleIssuer()
	defer done()
	folder, err := os.MkdirTemp("", "www")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)

	upload := func(_ context.Context, list *crl.List) error {
		// A web server must never see half a list: write beside, then rename.
		path := filepath.Join(folder, "contoso.crl")
		if err := os.WriteFile(path+".new", list.Raw, 0o644); err != nil {
			return err
		}
		return os.Rename(path+".new", path)
	}
	list, err := issuer.Base(context.Background(), publish.Options{Publish: upload})
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
