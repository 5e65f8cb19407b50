package signin_test

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/signin"
)

// BenchmarkMillion compares two tenants for a million users, once, and reports the
// peak of resident memory: go test -run ^$ -bench Million -benchtime 1x
func BenchmarkMillion(b *testing.B) {
	before, after := pair(b, scenario{rules: "1.2.3.4 = MF"}, scenario{rules: "CN=WoodgroveCA = MF; 1.2.3.4 = SF", defaults: "SF high"})
	for b.Loop() {
		const users = 1_000_000
		list, _ := crowd(b, users)
		start, n := time.Now(), 0
		for _, err := range signin.Compare(context.Background(), before, after, list, signin.CompareOptions{At: worldNow}) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != users {
			b.Fatalf("%d answers", n)
		}
		b.ReportMetric(users/time.Since(start).Seconds(), "users/s")
		b.ReportMetric(float64(runtime.GOMAXPROCS(0)), "cores")
		b.ReportMetric(peakMB(b), "peak-MB")
	}
}

// peakMB is the most memory that this process had in use.
func peakMB(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb / 1024
}
