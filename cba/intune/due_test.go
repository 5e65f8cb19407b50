package intune_test

import (
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"example.com/entracba/cba/intune"
)

func valid(from, to time.Time) *x509.Certificate {
	return &x509.Certificate{NotBefore: from, NotAfter: to}
}

func TestThreshold(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		threshold intune.Threshold
		end       time.Time
		want      time.Time
	}{
		{0, begin.AddDate(0, 0, 100), begin.AddDate(0, 0, 80)},
		{20, begin.AddDate(0, 0, 365), begin.AddDate(0, 0, 292)},
		{1, begin.AddDate(0, 0, 100), begin.AddDate(0, 0, 99)},
		{99, begin.AddDate(0, 0, 100), begin.AddDate(0, 0, 1)},
		{100, begin.AddDate(0, 0, 100), begin},
		{255, begin.AddDate(0, 0, 100), begin},
		{20, begin, begin},
		{20, begin.AddDate(-1, 0, 0), begin},
	}
	for _, test := range tests {
		if got := test.threshold.From(valid(begin, test.end)); !got.Equal(test.want) {
			t.Errorf("%v of %v = %v, want %v", test.threshold, test.end, got, test.want)
		}
	}
	// The last year of all: no duration holds 8,000 years.
	end := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	got := intune.Threshold(20).From(valid(begin, end))
	if left, all := end.Unix()-got.Unix(), end.Unix()-begin.Unix(); left != all/5 {
		t.Errorf("%d of %d seconds are left", left, all)
	}
}

func TestDue(t *testing.T) {
	day := func(n int) time.Time { return now.AddDate(0, 0, n) }
	fresh, due, edge, expired, future := valid(day(-79), day(21)), valid(day(-81), day(19)), valid(day(-80), day(20)), valid(day(-100), day(-1)), valid(day(1), day(2))
	all := slices.Values([]*x509.Certificate{fresh, due, nil, edge, expired, future})
	var got []*x509.Certificate
	for cert, since := range intune.Due(all, 0, now) {
		got = append(got, cert)
		if cert == edge && !since.Equal(now) || cert == due && !since.Equal(day(-1)) {
			t.Errorf("due since %v", since)
		}
	}
	if want := []*x509.Certificate{due, edge, expired}; !slices.Equal(got, want) {
		t.Errorf("%d are due, want %d", len(got), len(want))
	}
	for range intune.Due(all, 0, now) { // stops when asked to
		break
	}
	n := 0
	for range intune.Due(slices.Values([]*x509.Certificate{edge}), 0, now.Add(-time.Second)) {
		n++
	}
	if n != 0 {
		t.Error("due a second early")
	}
}
