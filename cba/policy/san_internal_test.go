package policy

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/internal/san"
)

// A subjectAltName that breaks off, in a name that crypto/x509 does not read, has
// no names at all, under any reading.
func TestBrokenSubjectAltName(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const email = "\x81\x10bob@woodgrove.co"
	for value, want := range map[string]bool{
		"\x30\x12" + email:                      true,
		"\x30\x16" + email + "\xa0\x02\x06\x00": false, // an otherName without a type
	} {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), ExtraExtensions: []pkix.Extension{{Id: san.Extension(), Value: []byte(value)}}}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := NewCertificate(parsed, certuserid.Options{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := Config{UserBindings: []UserBinding{Bind(certuserid.RFC822Name, UserPrincipalName, 1)}}.Compile(Readings{})
		if err != nil {
			t.Fatal(err)
		}
		user := &User{UserPrincipalName: "bob@woodgrove.co"}
		if got := p.With(Readings{AnyName: true}).Decide(cert, user).Bound; got != want || p.Decide(cert, user).Bound != want || len(cert.names[emails]) > 0 != want {
			t.Errorf("%x: bound %v, want %v", value, got, want)
		}
	}
}
