package publish_test

import (
	"crypto/rand"
	"math/big"
	"path/filepath"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/crltest"
	"example.com/entracba/cba/crl/publish"
)

const benchEntries = 20_000

func BenchmarkBase(b *testing.B) {
	ca := crltest.NewAuthority(b, "Woodgrove CA", "p256")
	issuer := &publish.Issuer{Certificate: ca.Cert, Key: ca.Key, Store: publish.FileStore{Path: filepath.Join(b.TempDir(), "ledger")}}
	revoke(b, issuer, benchEntries)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := issuer.Base(ctx, publish.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOneMore is a CRL of a million entries that gets one more: Revoke, then
// Base.
func BenchmarkOneMore(b *testing.B) {
	ca := crltest.NewAuthority(b, "Woodgrove CA", "p256")
	issuer := &publish.Issuer{Certificate: ca.Cert, Key: ca.Key, Store: publish.FileStore{Path: filepath.Join(b.TempDir(), "ledger")}}
	revoke(b, issuer, 1_000_000)
	b.ReportAllocs()
	var inRevoke, inBase time.Duration
	for n := int64(1); b.Loop(); n++ {
		start := time.Now()
		if err := issuer.Revoke(ctx, crl.Revocation{Serial: big.NewInt(n), Time: crltest.At()}); err != nil {
			b.Fatal(err)
		}
		inRevoke += time.Since(start)
		start = time.Now()
		if _, err := issuer.Base(ctx, publish.Options{ThisUpdate: crltest.At()}); err != nil {
			b.Fatal(err)
		}
		inBase += time.Since(start)
	}
	b.ReportMetric(float64(inRevoke.Milliseconds())/float64(b.N), "revoke-ms")
	b.ReportMetric(float64(inBase.Milliseconds())/float64(b.N), "base-ms")
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
