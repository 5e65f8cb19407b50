package crl_test

import (
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/crltest"
	"example.com/entracba/cba/crl/publish"
)

const benchEntries = 20_000

func benchList(b *testing.B) (crltest.Authority, []byte) {
	ca := crltest.NewAuthority(b, "Woodgrove CA", "rsa")
	der := ca.List(b, &x509.RevocationList{RevokedCertificateEntries: crltest.ManyEntries(benchEntries)})
	b.ReportAllocs()
	return ca, der
}

func BenchmarkParse(b *testing.B) {
	ca, der := benchList(b)
	b.Run("crl", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(der)))
		for b.Loop() {
			list, err := crl.Parse(der)
			if err != nil || list.CheckIssuer(ca.Cert) != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("x509", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(der)))
		for b.Loop() {
			list, err := x509.ParseRevocationList(der)
			if err != nil || list.CheckSignatureFrom(ca.Cert) != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	_, der := benchList(b)
	list := crltest.MustParse(b, der)
	slow := crltest.Must[*x509.RevocationList](b)(x509.ParseRevocationList(der))
	listed := slow.RevokedCertificateEntries[benchEntries/2].SerialNumber
	absent := new(big.Int).Add(listed, big.NewInt(1))
	for name, serial := range map[string]*big.Int{"listed": listed, "absent": absent} {
		b.Run("crl/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				list.Lookup(serial)
			}
		})
		b.Run("x509/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for i := range slow.RevokedCertificateEntries {
					if slow.RevokedCertificateEntries[i].SerialNumber.Cmp(serial) == 0 {
						break
					}
				}
			}
		})
	}
}

// revoke records so many random serial numbers of 16 bytes.
func revoke(tb testing.TB, issuer *publish.Issuer, n int) {
	revocations := make([]crl.Revocation, n)
	for i := range revocations {
		raw := make([]byte, 16)
		rand.Read(raw)
		raw[0] = raw[0]&0x3f | 0x40
		revocations[i] = crl.Revocation{Serial: new(big.Int).SetBytes(raw), Time: crltest.At().Add(-time.Duration(i) * time.Minute)}
	}
	if err := issuer.Revoke(ctx, revocations...); err != nil {
		tb.Fatal(err)
	}
}
