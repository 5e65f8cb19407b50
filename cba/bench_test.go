package cba_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
)

func benchRoot(b *testing.B, t cba.KeyType) *cba.Issuer {
	b.Helper()
	root, err := cba.NewRoot(b.Context(), cba.Authority{Name: dn.Name{{{Type: dn.CommonName, Value: "Contoso Root CA"}}}, KeyType: t})
	if err != nil {
		b.Fatal(err)
	}
	return root
}

// BenchmarkIssue is one user's certificate under a CA of each key type, without
// making the user's key.
func BenchmarkIssue(b *testing.B) {
	key, err := cba.RSA2048.Generate()
	if err != nil {
		b.Fatal(err)
	}
	for t := cba.RSA2048; t <= cba.P521; t++ {
		b.Run("ca="+t.String(), func(b *testing.B) {
			root := benchRoot(b, t)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := root.Issue(b.Context(), key.Public(), cba.Subject{UPN: "jane@yourdomain.com"}, cba.Profile{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkShareWithoutKey says how much of a user's certificate is not making
// the key: both are measured in one run, over many keys, and the share is
// reported.
func BenchmarkShareWithoutKey(b *testing.B) {
	for _, t := range []struct{ ca, user cba.KeyType }{
		{cba.RSA2048, cba.RSA2048}, {cba.RSA3072, cba.RSA2048}, {cba.P256, cba.RSA2048}, {cba.P256, cba.P256},
	} {
		b.Run(fmt.Sprintf("ca=%v/user=%v", t.ca, t.user), func(b *testing.B) {
			root := benchRoot(b, t.ca)
			var keys, rest time.Duration
			for b.Loop() {
				start := time.Now()
				key, err := t.user.Generate()
				if err != nil {
					b.Fatal(err)
				}
				made := time.Now()
				if _, err := root.Issue(b.Context(), key.Public(), cba.Subject{UPN: "jane@yourdomain.com"}, cba.Profile{}); err != nil {
					b.Fatal(err)
				}
				keys += made.Sub(start)
				rest += time.Since(made)
			}
			b.ReportMetric(100*float64(rest)/float64(keys+rest), "%-without-key")
		})
	}
}

// BenchmarkIssueAll is a list of P-256 users, keys included, on one core and on
// all; the time is for one user. On Linux it reports the most memory that the
// process ever had resident. To see what a long list needs:
//
//	go test -run '^$' -bench IssueAll -benchtime 100000x ./cba
func BenchmarkIssueAll(b *testing.B) {
	root := benchRoot(b, cba.P256)
	for _, workers := range []int{1, runtime.GOMAXPROCS(0)} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for _, err := range root.IssueAll(context.Background(), endless(b), cba.Bulk{KeyType: cba.P256, Workers: workers}) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n == 0 {
				b.Fatal("nothing issued")
			}
			status, err := os.ReadFile("/proc/self/status")
			if err != nil {
				return
			}
			if _, line, ok := strings.Cut(string(status), "VmHWM:"); ok {
				var kB float64
				if _, err := fmt.Sscan(line, &kB); err == nil {
					b.ReportMetric(kB/1024, "peak-MiB")
				}
			}
		})
	}
}

// endless is a list as long as the benchmark asks for.
func endless(b *testing.B) iter.Seq2[cba.Task, error] {
	return func(yield func(cba.Task, error) bool) {
		for i := 0; b.Loop(); i++ {
			if !yield(cba.Task{Subject: cba.Subject{UPN: fmt.Sprintf("user%d@yourdomain.com", i)}}, nil) {
				return
			}
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	root := benchRoot(b, cba.P256)
	key, err := cba.P256.Generate()
	if err != nil {
		b.Fatal(err)
	}
	cert, err := root.Issue(b.Context(), key.Public(), cba.Subject{UPN: "jane@yourdomain.com"}, cba.Profile{})
	if err != nil {
		b.Fatal(err)
	}
	chain := append(root.CACertificates()[:0:0], cert, root.Certificate)
	b.ReportAllocs()
	for b.Loop() {
		cba.Findings(chain, cba.FindingsOptions{At: time.Now()})
	}
}
