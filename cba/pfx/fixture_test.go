package pfx_test

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
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba/pfx"
)

// testPassword has what trips up shells and dialogs, and is printable ASCII.
const testPassword = `Sommer-2026!x "$'`

// A party is a key with its certificate.
type party struct {
	key  crypto.Signer
	cert *x509.Certificate
}

// issue makes a certificate for key under parent, or self-signed under nil.
func issue(name string, key crypto.Signer, parent *party, ca bool) party {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	must(err)
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Organization: []string{"Contoso"}, CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	if ca {
		template.IsCA, template.BasicConstraintsValid = true, true
		template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	} else {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		// The user's UPN as Entra wants it, so that the files have the content
		// that they are for.
		upn, err := asn1.Marshal(struct {
			OID   asn1.ObjectIdentifier
			Value string `asn1:"utf8,explicit,tag:0"`
		}{asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}, name + "@yourdomain.com"})
		must(err)
		upn[0] = 0xa0
		san, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: upn})
		must(err)
		template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: san}}
	}
	signer := party{key, template}
	if parent != nil {
		signer = *parent
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.cert, key.Public(), signer.key)
	must(err)
	cert, err := x509.ParseCertificate(der)
	must(err)
	return party{key, cert}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// The one PKI of all tests; an RSA key is dear.
var pki = sync.OnceValue(func() (p struct {
	root, issuing, other party
	impostor             party // named as issuing
	renewedRoot          party // root again, with the same key
	users                map[string]party
}) {
	ec := func() crypto.Signer {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(err)
		return k
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	p.root = issue("Contoso Root CA", ec(), nil, true)
	p.issuing = issue("Contoso Issuing CA", ec(), &p.root, true)
	p.impostor = issue("Contoso Issuing CA", ec(), &p.root, true)
	p.impostor.cert.SubjectKeyId = p.issuing.cert.SubjectKeyId // so that the signature decides
	p.renewedRoot = issue("Contoso Root CA", p.root.key, nil, true)
	p.other = issue("Woodgrove Root CA", ec(), nil, true)
	p.users = map[string]party{
		"rsa2048": issue("john", rsaKey, &p.issuing, false),
		"p256":    issue("jane", ec(), &p.issuing, false),
		"ed25519": issue("alex", ed, &p.issuing, false),
	}
	return p
})

// bundle returns a user's bundle with n chain certificates.
func bundle(key string, n int, name string) pfx.Bundle {
	p := pki()
	u := p.users[key]
	chain := []*x509.Certificate{p.issuing.cert, p.root.cert}
	return pfx.Bundle{Key: u.key, Certificate: u.cert, Chain: chain[:n:n], FriendlyName: name}
}

// reasonOf returns the reason of an error of the package, and 0 for nil.
func reasonOf(tb testing.TB, err error) pfx.Reason {
	tb.Helper()
	if err == nil {
		return ""
	}
	var e *pfx.Error
	if !errors.As(err, &e) {
		tb.Fatalf("error %v is a %T and not a *pfx.Error", err, err)
	}
	if e.Reason == "" || e.What == "" && e.Err == nil || !errors.Is(err, e.Reason) {
		tb.Fatalf("error %#v says nothing", e)
	}
	return e.Reason
}

// sameBundle fails unless got holds just what want does.
func sameBundle(tb testing.TB, got, want pfx.Bundle) {
	tb.Helper()
	if !want.Key.(interface{ Equal(crypto.PrivateKey) bool }).Equal(got.Key) {
		tb.Error("another key")
	}
	if !got.Certificate.Equal(want.Certificate) {
		tb.Errorf("another certificate, of %q", got.Certificate.Subject)
	}
	if got.FriendlyName != want.FriendlyName {
		tb.Errorf("friendly name %q, want %q", got.FriendlyName, want.FriendlyName)
	}
	equal := func(what string, got, want []*x509.Certificate) {
		if len(got) != len(want) {
			tb.Errorf("%d %s, want %d", len(got), what, len(want))
			return
		}
		for i := range got {
			if !got[i].Equal(want[i]) {
				tb.Errorf("%s %d is of %q, want %q", what, i, got[i].Subject, want[i].Subject)
			}
		}
	}
	equal("chain certificates", got.Chain, want.Chain)
	equal("other certificates", got.Others, want.Others)
}
