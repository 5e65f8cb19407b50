package lifecycle_test

import (
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"example.com/entracba/cba/lifecycle"
)

var dueNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func valid(from, to time.Time) *x509.Certificate {
	return &x509.Certificate{NotBefore: from, NotAfter: to}
}

func TestDue(t *testing.T) {
	day := func(n int) time.Time { return dueNow.AddDate(0, 0, n) }
	fresh, due, edge, expired, future := valid(day(-79), day(21)), valid(day(-81), day(19)), valid(day(-80), day(20)), valid(day(-100), day(-1)), valid(day(1), day(2))
	all := slices.Values([]*x509.Certificate{fresh, due, nil, edge, expired, future})
	var got []*x509.Certificate
	for cert, since := range lifecycle.Due(all, 0, dueNow) {
		got = append(got, cert)
		if cert == edge && !since.Equal(dueNow) || cert == due && !since.Equal(day(-1)) {
			t.Errorf("due since %v", since)
		}
	}
	if want := []*x509.Certificate{due, edge, expired}; !slices.Equal(got, want) {
		t.Errorf("%d are due, want %d", len(got), len(want))
	}
	for range lifecycle.Due(all, 0, dueNow) { // stops when asked to
		break
	}
	n := 0
	for range lifecycle.Due(slices.Values([]*x509.Certificate{edge}), 0, dueNow.Add(-time.Second)) {
		n++
	}
	if n != 0 {
		t.Error("due a second early")
	}
	for range lifecycle.Due(nil, 0, dueNow) {
		t.Error("no list has a certificate")
	}
}

// BenchmarkDue looks at 10,000 certificates, of which a fifth is due.
func BenchmarkDue(b *testing.B) {
	certs := make([]*x509.Certificate, 10_000)
	for i := range certs {
		certs[i] = valid(dueNow.AddDate(0, 0, -i%365), dueNow.AddDate(0, 0, 365-i%365))
	}
	b.ReportAllocs()
	for b.Loop() {
		for range lifecycle.Due(slices.Values(certs), 0, dueNow) {
		}
	}
}
