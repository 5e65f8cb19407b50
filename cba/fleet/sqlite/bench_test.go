package sqlite_test

import (
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/ledgertest"
	"example.com/entracba/cba/fleet/sqlite"
)

// numbered returns entries that share one certificate but for the serial number.
func numbered(b *testing.B) func(i int) ledger.Entry {
	m := ledgertest.NewMaker(b)
	cert := m.Certificate("user0000000@yourdomain.com")
	return func(i int) ledger.Entry {
		c := &x509.Certificate{Raw: cert.Raw, AuthorityKeyId: cert.AuthorityKeyId, NotBefore: cert.NotBefore, NotAfter: cert.NotAfter,
			SerialNumber: new(big.Int).Add(cert.SerialNumber, new(big.Int).Mul(big.NewInt(int64(i)), big.NewInt(0x1234567890abcd)))}
		e, err := ledger.NewEntry(fmt.Sprintf("user%07d@yourdomain.com", i), c, time.Now())
		if err != nil {
			b.Fatal(err)
		}
		return e
	}
}

func claim(b *testing.B, l ledger.Ledger, owner string) {
	if answer, err := l.Claim(b.Context(), owner, ledger.Claim{Worker: "bench", Lease: time.Hour}); err != nil || answer != ledger.Granted {
		b.Fatal(answer, err)
	}
}

// BenchmarkClaimAndRecord is what one certificate costs the ledger: alone, and 100
// to a transaction.
func BenchmarkClaimAndRecord(b *testing.B) {
	for _, batch := range []int{1, 100} {
		b.Run(fmt.Sprint("batch=", batch), func(b *testing.B) {
			l := open(b, filepath.Join(b.TempDir(), "ledger.db"), sqlite.Options{})
			defer l.Close()
			entry := numbered(b)
			var waiting []ledger.Entry
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				e := entry(n)
				n++
				claim(b, l, e.Owner)
				if waiting = append(waiting, e); len(waiting) == batch {
					if err := l.Record(b.Context(), "bench", waiting...); err != nil {
						b.Fatal(err)
					}
					waiting = waiting[:0]
				}
			}
		})
	}
}

// Benchmark100000 fills a ledger with 100,000 certificates and asks it things.
func Benchmark100000(b *testing.B) {
	const count = 100_000
	path := filepath.Join(b.TempDir(), "ledger.db")
	l := open(b, path, sqlite.Options{})
	defer l.Close()
	entry := numbered(b)
	started := time.Now()
	var waiting []ledger.Entry
	for i := range count {
		e := entry(i)
		claim(b, l, e.Owner)
		if waiting = append(waiting, e); len(waiting) == 1000 {
			if err := l.Record(b.Context(), "bench", waiting...); err != nil {
				b.Fatal(err)
			}
			waiting = waiting[:0]
		}
	}
	filled := time.Since(started)
	serial := entry(count / 2).Serial
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("fill", func(b *testing.B) {
		for b.Loop() {
		}
		b.ReportMetric(float64(filled.Nanoseconds())/count, "ns/row")
		b.ReportMetric(float64(info.Size())/count, "B/row")
	})
	b.Run("has one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if answer, err := l.Claim(b.Context(), "user0050000@yourdomain.com", ledger.Claim{Worker: "x", Lease: time.Hour}); err != nil || answer != ledger.AlreadyIssued {
				b.Fatal(answer, err)
			}
		}
	})
	b.Run("find by serial number", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ledger.Find(b.Context(), l, serial); err != nil {
				b.Fatal(err)
			}
		}
	})
	all := func(q ledger.Query) func(b *testing.B) {
		return func(b *testing.B) {
			rows := 0
			for b.Loop() {
				rows = 0
				for _, err := range l.Entries(b.Context(), q) {
					if err != nil {
						b.Fatal(err)
					}
					rows++
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/op")
			b.ReportMetric(float64(rows), "rows")
		}
	}
	b.Run("all", all(ledger.Query{}))
	b.Run("all with certificates", all(ledger.Query{Certificates: true}))
	b.Run("due", all(ledger.Query{DueAt: time.Now()}))
	b.Run("export CSV", func(b *testing.B) {
		for b.Loop() {
			if err := ledger.WriteCSV(io.Discard, l.Entries(b.Context(), ledger.Query{})); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("export JSON", func(b *testing.B) {
		for b.Loop() {
			if err := ledger.WriteJSON(io.Discard, l.Entries(b.Context(), ledger.Query{})); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			if err := l.Check(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	// Last, because it changes the ledger.
	b.Run("revoke", func(b *testing.B) {
		n := 0
		for b.Loop() {
			if _, err := l.Revoke(b.Context(), fmt.Sprintf("user%07d@yourdomain.com", n%count), time.Now(), crl.Superseded); err != nil {
				b.Fatal(err)
			}
			n++
		}
	})
}
