package san_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"example.com/entracba/cba/internal/san"
	"github.com/google/go-cmp/cmp"
)

func extension(id asn1.ObjectIdentifier, value ...byte) pkix.Extension {
	return pkix.Extension{Id: id, Value: value}
}

// FuzzEach holds: what Each hands out, Marshal writes back byte for byte; a
// certificate whose subjectAltName crypto/x509 reads, we read too, with the same
// e-mail, DNS and URI names.
func FuzzEach(f *testing.F) {
	for _, test := range vectors {
		der := unhex(f, test.der)
		der[1] = byte(len(der) - 2)
		f.Add(der)
	}
	f.Add(unhex(f, "3018 8107 61406578616d70 8203612e62 860874616733613a6263"))
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		names, err := parse(der)
		if err == nil {
			again, err := san.Marshal(names)
			if err != nil || !bytes.Equal(again, der) {
				t.Fatalf("written again: %x, %v", again, err)
			}
		} else if names != nil {
			t.Fatalf("names %v with error %v", names, err)
		}
		raw, errMake := x509.CreateCertificate(rand.Reader, &x509.Certificate{
			SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<31, 0),
			ExtraExtensions: []pkix.Extension{extension(san.Extension(), der...)},
		}, &x509.Certificate{}, key.Public(), key)
		if errMake != nil {
			return
		}
		cert, errStd := x509.ParseCertificate(raw)
		if errStd != nil {
			return
		}
		if err != nil {
			if isLenient(der) {
				return
			}
			t.Fatalf("crypto/x509 reads %x, we do not: %v", der, err)
		}
		got := map[san.Kind][]string{}
		for _, name := range names {
			if name.Kind == san.Email || name.Kind == san.DNS || name.Kind == san.URI {
				got[name.Kind] = append(got[name.Kind], name.Value)
			}
		}
		if diff := cmp.Diff(cert.EmailAddresses, got[san.Email]); diff != "" {
			t.Errorf("e-mail names:\n%s", diff)
		}
		if diff := cmp.Diff(cert.DNSNames, got[san.DNS]); diff != "" {
			t.Errorf("DNS names:\n%s", diff)
		}
		if len(cert.URIs) != len(got[san.URI]) {
			t.Errorf("URI names: %v, %v", cert.URIs, got[san.URI])
		}
	})
}

// isLenient tells the one thing that crypto/x509 reads and we refuse:
// otherNames whose content it never looks at, and bytes behind the list.
func isLenient(der []byte) bool {
	var list asn1.RawValue
	rest, err := asn1.Unmarshal(der, &list)
	if err != nil || len(rest) > 0 {
		return true
	}
	for content := list.Bytes; len(content) > 0; {
		var name asn1.RawValue
		if content, err = asn1.Unmarshal(content, &name); err != nil {
			return true
		}
		if name.Class == asn1.ClassContextSpecific && name.Tag == 0 {
			return true
		}
	}
	return false
}
