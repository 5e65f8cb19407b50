package intune_test

import (
	"crypto/x509"
	"slices"
	"testing"

	"example.com/entracba/cba/intune"
)

func BenchmarkFor(b *testing.B) {
	p, a := good(), jane(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.For(a, now); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDue looks at 10,000 certificates, of which a fifth is due.
func BenchmarkDue(b *testing.B) {
	certs := make([]*x509.Certificate, 10_000)
	for i := range certs {
		certs[i] = valid(now.AddDate(0, 0, -i%365), now.AddDate(0, 0, 365-i%365))
	}
	b.ReportAllocs()
	for b.Loop() {
		for range intune.Due(slices.Values(certs), 0, now) {
		}
	}
}
