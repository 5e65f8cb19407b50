package policy

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/certuserid"
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
		cert, err := NewCertificate(parsed, certuserid.Options{})
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
	if fits[certuserid.Exact] < 20 || fits[certuserid.Assumed] < 20 || fits[certuserid.Unfit] < 20 {
		t.Errorf("fits: %v", fits)
	}
}
