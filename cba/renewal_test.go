package cba_test

import (
	"testing"
	"time"

	"example.com/entracba/cba"
)

func TestRenewalTime(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		percent int
		end     time.Time
		want    time.Time
	}{
		{0, begin.AddDate(0, 0, 100), begin.AddDate(0, 0, 80)},
		{-1, begin.AddDate(0, 0, 100), begin.AddDate(0, 0, 80)},
		{20, begin.AddDate(0, 0, 365), begin.AddDate(0, 0, 292)},
		{1, begin.AddDate(0, 0, 100), begin.AddDate(0, 0, 99)},
		{99, begin.AddDate(0, 0, 100), begin.AddDate(0, 0, 1)},
		{100, begin.AddDate(0, 0, 100), begin},
		{255, begin.AddDate(0, 0, 100), begin},
		{20, begin, begin},
		{20, begin.AddDate(-1, 0, 0), begin},
		{20, begin.Add(7 * time.Second), begin.Add(6 * time.Second)}, // a fifth of 7 s is 1 whole second
	}
	for _, test := range tests {
		if got := cba.RenewalTime(begin, test.end, test.percent); !got.Equal(test.want) {
			t.Errorf("%d %% of %v = %v, want %v", test.percent, test.end, got, test.want)
		}
	}
	// The last year of all: no duration holds 8,000 years.
	end := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	got := cba.RenewalTime(begin, end, 20)
	if left, all := end.Unix()-got.Unix(), end.Unix()-begin.Unix(); left != all/5 {
		t.Errorf("%d of %d seconds are left", left, all)
	}
}
