package policy

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/internal/san"
)

// The look before Values.Fit never changes its answer.
func TestFitIsCertuserids(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	fits := map[certuserid.Fit]int{}
	for _, serial := range []int64{0x01, 0x7f, 0x89aabb, 0x8f, 0x1200} {
		template := &x509.Certificate{SerialNumber: big.NewInt(serial), SubjectKeyId: []byte{0xab, 0x00},
			EmailAddresses: []string{"Jane00@yourdomain.com"}}
		template.Subject.CommonName = "Jane 00"
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		for _, options := range []certuserid.Options{{}, {WithoutSignOctet: true}, {BrokenBigEndianSerial: true}} {
			checkFit(t, parsed, options, fits)
		}
	}
	if fits[certuserid.Exact] < 20 || fits[certuserid.Assumed] < 20 || fits[certuserid.Unfit] < 20 {
		t.Errorf("fits: %v", fits)
	}
}

func checkFit(t *testing.T, parsed *x509.Certificate, options certuserid.Options, fits map[certuserid.Fit]int) {
	cert, err := NewCertificate(parsed, options)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range slices.Concat(certuserid.All(parsed), certuserid.Options{WithoutSignOctet: true, BrokenBigEndianSerial: true}.All(parsed)) {
		s := id.String()
		for _, stored := range []string{
			s, s + "00", s + "0", s + "000", s + " ", strings.TrimSuffix(s, "00"), s[:len(s)-1], s[1:], "",
			strings.ToUpper(s), strings.ToLower(s), strings.ToUpper(s) + "00", s[:8] + strings.ToUpper(s[8:]),
			s[:8] + strings.ToLower(s[8:]), strings.Replace(s, "a", "e", 1), s + s,
		} {
			for _, m := range certuserid.Mappings() {
				own := cert.id(m)
				want := cert.values.Fit(m, stored)
				if got := fit(cert, own, stored); own.Mapping() != 0 && got != want {
					t.Errorf("%v of %q: %v, certuserid says %v", m, stored, got, want)
				}
				fits[want]++
			}
		}
	}
}

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
		template := &x509.Certificate{SerialNumber: big.NewInt(1), ExtraExtensions: []pkix.Extension{{Id: san.Extension, Value: []byte(value)}}}
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
		p := Config{UserBindings: []UserBinding{Bind(RFC822Name, UserPrincipalName, 1)}}.Compile()
		user := &User{UserPrincipalName: "bob@woodgrove.co"}
		if got := p.With(Readings{AnyName: true}).Decide(cert, user).Bound; got != want || p.Decide(cert, user).Bound != want || len(cert.names[emails]) > 0 != want {
			t.Errorf("%x: bound %v, want %v", value, got, want)
		}
	}
}
