package crl_test

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/crltest"
	"example.com/entracba/cba/crl/publish"
)

// BenchmarkLarge loads one large list in a fresh process for each reader, and
// reports time and peak resident memory side by side. It runs only when told how
// large:
//
//	CRL_LARGE=1180000 go test -run '^$' -bench Large ./cba/crl    # 41 MB
//	CRL_LARGE=4280000 go test -run '^$' -bench Large ./cba/crl    # 150 MB
func BenchmarkLarge(b *testing.B) {
	entries, _ := strconv.Atoi(os.Getenv("CRL_LARGE"))
	if entries == 0 {
		b.Skip("CRL_LARGE is not set")
	}
	folder := b.TempDir()
	ca := crltest.NewAuthority(b, "Woodgrove CA", "rsa")
	issuer := &publish.Issuer{Certificate: ca.Cert, Key: ca.Key, Store: publish.FileStore{Path: filepath.Join(folder, "ledger")}}
	revoke(b, issuer, entries)
	key := crltest.Must[[]byte](b)(x509.MarshalPKCS8PrivateKey(ca.Key))
	file := filepath.Join(folder, "list.crl")
	for name, content := range map[string][]byte{"ca.der": ca.Cert.Raw, "ca.pem": crltest.PEM("CERTIFICATE", ca.Cert.Raw), "key.der": key} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	child := func(how string) largeResult { return runLarge(b, folder, how) }
	issued := child("issue")
	info, err := os.Stat(file)
	if err != nil {
		b.Fatal(err)
	}
	size := float64(info.Size())
	b.Logf("%d entries, %.1f MB", entries, size/1e6)
	b.Logf("issue      %6.0f ms  peak %4.0f MB = %.2f times the file", issued.Load, issued.Peak/1e6, issued.Peak/size)
	const rounds = 5
	best := make(map[string]largeResult)
	for range rounds { // in turn, so that a busy machine is busy for all
		for _, how := range []string{"crl", "x509", "openssl"} {
			r := child(how)
			if old, ok := best[how]; !ok || r.Load < old.Load {
				best[how] = r
			}
		}
	}
	ours := best["crl"]
	for _, how := range []string{"crl", "x509", "openssl"} {
		r := best[how]
		b.Logf("%-10s %6.0f ms (%4.1f times ours)  peak %4.0f MB = %5.2f times the file  look-up: listed %.0f ns, absent %.0f ns",
			how, r.Load, r.Load/ours.Load, r.Peak/1e6, r.Peak/size, r.Listed, r.Absent)
	}
	b.ReportMetric(ours.Load, "load-ms")
	b.ReportMetric(ours.Peak/size, "peak/file")
	b.ReportMetric(ours.Listed, "listed-ns")
	b.ReportMetric(ours.Absent, "absent-ns")
	b.ReportMetric(best["x509"].Load/ours.Load, "x509-time/ours")
	for b.Loop() {
	}
}

func runLarge(b *testing.B, folder, how string) largeResult {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CRL_TEST_LARGE="+how, "CRL_TEST_FOLDER="+folder)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			b.Fatalf("%s: %v\n%s", how, err, exit.Stderr)
		}
		b.Fatal(err)
	}
	var r largeResult
	if err := json.Unmarshal(out, &r); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return r
}

// peakMemory returns the peak resident memory of this process in bytes.
func peakMemory() float64 {
	content, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	_, rest, _ := strings.Cut(string(content), "VmHWM:")
	var kib float64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		panic(err)
	}
	return 1024 * kib
}

// runOpenSSL has OpenSSL read the list and check its signature. It runs in a
// process of its own: what the system says about the memory of a child begins
// with that of its parent.
func runOpenSSL(folder string) (r largeResult, err error) {
	cmd := exec.Command("openssl", "crl", "-inform", "DER", "-noout", "-in", filepath.Join(folder, "list.crl"), "-CAfile", filepath.Join(folder, "ca.pem"))
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return r, err
	}
	r.Load = float64(time.Since(start).Microseconds()) / 1e3
	r.Peak = 1024 * float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	return r, nil
}

type largeResult struct {
	Load   float64 // milliseconds: read the file, parse, check the signature
	Listed float64 // nanoseconds for a look-up, the mean of many
	Absent float64
	Peak   float64 // bytes
}

// TestMain makes the test binary the helper process of BenchmarkLarge, where the
// system tells how much memory it took.
func TestMain(m *testing.M) {
	if how := os.Getenv("CRL_TEST_LARGE"); how != "" {
		if err := loadLarge(how, os.Getenv("CRL_TEST_FOLDER")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// loadLarge is the fresh process: it does one thing and says how long it took.
func loadLarge(how, folder string) error {
	read := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			panic(err)
		}
		return content
	}
	ca, err := x509.ParseCertificate(read("ca.der"))
	if err != nil {
		return err
	}
	var r largeResult
	start := time.Now()
	since := func() float64 { return float64(time.Since(start).Nanoseconds()) }
	switch how {
	case "openssl":
		if r, err = runOpenSSL(folder); err != nil {
			return err
		}
	case "issue":
		key, err := x509.ParsePKCS8PrivateKey(read("key.der"))
		if err != nil {
			return err
		}
		issuer := &publish.Issuer{Certificate: ca, Key: key.(crypto.Signer), Store: publish.FileStore{Path: filepath.Join(folder, "ledger")}}
		list, err := issuer.Base(ctx, publish.Options{})
		if err != nil {
			return err
		}
		r.Load, r.Peak = since()/1e6, peakMemory()
		if err := os.WriteFile(filepath.Join(folder, "list.crl"), list.Raw, 0o600); err != nil {
			return err
		}
	case "crl":
		list, err := crl.Parse(read("list.crl"))
		if err != nil {
			return err
		}
		if err := list.CheckIssuer(ca); err != nil {
			return err
		}
		r.Load, r.Peak = since()/1e6, peakMemory()
		// Serial numbers in an order that no cache foresees, and in memory that it
		// does: what a look-up costs beside a certificate that was just parsed.
		const questions = 4096
		picked := make([]big.Int, questions)
		step, n := max(list.Len()/questions, 1), 0
		for e := range list.All() {
			if n%step == 0 && n/step < questions {
				picked[n/step].Set(e.Serial())
			}
			n++
		}
		mathrand.Shuffle(questions, func(i, j int) { picked[i], picked[j] = picked[j], picked[i] })
		const rounds = 8
		var one big.Int
		time1 := func(listed bool) float64 {
			var total time.Duration
			for range rounds {
				coolCaches()
				start := time.Now()
				for i := range picked {
					if _, ok := list.Lookup(&picked[i]); ok != listed {
						panic("wrong answer")
					}
				}
				total += time.Since(start)
			}
			return float64(total.Nanoseconds()) / (rounds * questions)
		}
		r.Listed = time1(true)
		for i := range picked {
			picked[i].Add(&picked[i], one.SetInt64(1))
		}
		r.Absent = time1(false)
	case "x509":
		list, err := x509.ParseRevocationList(read("list.crl"))
		if err != nil {
			return err
		}
		if err := list.CheckSignatureFrom(ca); err != nil {
			return err
		}
		r.Load, r.Peak = since()/1e6, peakMemory()
		absent := big.NewInt(1)
		look := func(serial *big.Int) {
			for i := range list.RevokedCertificateEntries {
				if list.RevokedCertificateEntries[i].SerialNumber.Cmp(serial) == 0 {
					return
				}
			}
		}
		const rounds = 20
		start = time.Now()
		for i := range rounds {
			look(list.RevokedCertificateEntries[len(list.RevokedCertificateEntries)/rounds*i].SerialNumber)
		}
		r.Listed = since() / rounds
		start = time.Now()
		for range rounds {
			look(absent)
		}
		r.Absent = since() / rounds
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

var cold = make([]byte, 0)

// coolCaches pushes the list out of the caches near the processor, at the cost of
// memory that does not count: it is called after the load was measured, and is
// small beside the list.
func coolCaches() {
	if len(cold) == 0 {
		cold = make([]byte, 4<<20)
	}
	for i := range cold {
		cold[i]++
	}
}
