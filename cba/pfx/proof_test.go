package pfx_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"testing"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/pfx"
)

// A proof is good for the certificates that it was made for. A CA of the same name
// and key identifier, with another key, is found out with and without one.
func TestProof(t *testing.T) {
	name := dn.Name{{{Type: dn.CommonName, Value: "Contoso Root CA"}}}
	root, err := cba.NewRoot(t.Context(), cba.Authority{Name: name, KeyType: cba.P256})
	if err != nil {
		t.Fatal(err)
	}
	var results []cba.Result
	for r, err := range root.IssueAll(t.Context(), cba.Tasks(cba.Subject{UPN: "jane@contoso.com"}, cba.Subject{UPN: "joe@contoso.com"}), cba.Bulk{KeyType: cba.P256}) {
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	jane, joe := results[0], results[1]

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := *root.Certificate
	template.PublicKey = nil
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	twin, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}

	good := pfx.Bundle{Key: jane.Key, Certificate: jane.Certificate, Chain: root.CACertificates(), Proof: jane.Proof}
	if _, err := pfx.Modern.Encode(good, testPassword); err != nil {
		t.Fatal(err)
	}
	good.Proof = joe.Proof // of another certificate: of no use, and no harm
	if _, err := pfx.Modern.Encode(good, testPassword); err != nil {
		t.Fatal(err)
	}
	forged := pfx.Bundle{Key: jane.Key, Certificate: jane.Certificate, Chain: []*x509.Certificate{twin}, Proof: jane.Proof}
	if _, err := pfx.Modern.Encode(forged, testPassword); !errors.Is(err, pfx.BadChain) {
		t.Errorf("a CA that did not sign passes: %v", err)
	}
	wrong := pfx.Bundle{Key: joe.Key, Certificate: jane.Certificate, Chain: root.CACertificates(), Proof: jane.Proof}
	if _, err := pfx.Modern.Encode(wrong, testPassword); !errors.Is(err, pfx.KeyMismatch) {
		t.Errorf("another key passes: %v", err)
	}
}
