package crl_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/crltest"
)

func TestStatic(t *testing.T) {
	ca, other := crltest.NewAuthority(t, "Woodgrove CA", "p256"), crltest.NewAuthority(t, "Contoso CA", "p256")
	list := ca.List(t, &x509.RevocationList{})
	s := crl.Static(map[string][]byte{"http://a/a.crl": list, "http://a/b.crl": []byte("<html>")})
	ended, cancel := context.WithCancel(ctx)
	cancel()
	for name, c := range map[string]struct {
		ctx    context.Context
		url    string
		ca     *x509.Certificate
		reason crl.Reason
	}{
		"good":         {ctx, "http://a/a.crl", ca.Cert, ""},
		"of another":   {ctx, "http://a/a.crl", other.Cert, crl.WrongIssuer},
		"of nobody":    {ctx, "http://a/a.crl", nil, crl.WrongIssuer},
		"no CRL":       {ctx, "http://a/b.crl", ca.Cert, crl.NotDER},
		"another URL":  {ctx, "http://a/c.crl", ca.Cert, crl.Missing},
		"ended before": {ended, "http://a/a.crl", ca.Cert, "canceled"},
	} {
		got, err := s.Fetch(c.ctx, c.url, c.ca)
		if c.reason == "canceled" {
			if !errors.Is(err, context.Canceled) || errors.As(err, new(*crl.Error)) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if crltest.ReasonOf(t, err) != c.reason || (got == nil) != (err != nil) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if err != nil && !strings.Contains(err.Error(), c.url) {
			t.Errorf("%s: %v does not name the URL", name, err)
		}
	}
	if _, err := crl.Static(nil).Fetch(ctx, "", ca.Cert); crltest.ReasonOf(t, err) != crl.Missing {
		t.Errorf("an empty map: %v", err)
	}
	// The answers of a source are not changed by those who got them.
	_, first := s.Fetch(ctx, "http://a/b.crl", ca.Cert)
	first.(*crl.Error).Detail = "changed"
	if _, second := s.Fetch(ctx, "http://a/b.crl", ca.Cert); strings.Contains(second.Error(), "changed") {
		t.Error("two callers share an error")
	}
}

func TestDir(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	folder, outside := t.TempDir(), t.TempDir()
	list := func(number int64) []byte { return ca.List(t, &x509.RevocationList{Number: big.NewInt(number)}) }
	write := func(name string, content []byte) {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(folder, "a.crl"), list(1))
	write(filepath.Join(folder, "a b.crl"), list(2))
	write(filepath.Join(folder, "pem.crl"), crltest.PEM("X509 CRL", list(3)))
	write(filepath.Join(outside, "out.crl"), list(4))
	if err := os.Mkdir(filepath.Join(folder, "sub.crl"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "out.crl"), filepath.Join(folder, "out.crl")); err != nil {
		t.Log(err) // Windows without the privilege
	}
	if err := os.Truncate(filepath.Join(folder, "pem.crl"), 40); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(folder, "large.crl")
	write(large, nil)
	if err := os.Truncate(large, 150e6+1); err != nil { // takes no room on the disk
		t.Fatal(err)
	}
	for url, want := range map[string]crl.Reason{
		"http://crl.woodgrove.com/pki/a.crl":       "",
		"http://crl.woodgrove.com/a%20b.crl?x=y":   "",
		"http://crl.woodgrove.com/b.crl":           crl.Missing,
		"http://crl.woodgrove.com/":                crl.Missing,
		"http://crl.woodgrove.com":                 crl.Missing,
		"http://crl.woodgrove.com/x/..":            crl.Missing,
		"http://crl.woodgrove.com/..%2Fnone.crl":   crl.Missing,
		"http://crl.woodgrove.com/%2Fetc%2Fpasswd": crl.Missing,
		"": crl.Missing,
		"http://u:secret@crl.woodgrove.com/b.crl":   crl.Missing,
		"http://u:secret@crl.woodgrove.com:x/b.crl": crl.BadURL,
		"http://crl.woodgrove.com/pem.crl":          crl.NotDER,
		"http://crl.woodgrove.com/large.crl":        crl.TooLarge,
		"http://crl.woodgrove.com/out.crl":          "unreadable",
		"http://crl.woodgrove.com/sub.crl":          "unreadable",
	} {
		got, err := crl.Dir(folder).Fetch(ctx, url, ca.Cert)
		if strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("the error tells the password: %v", err)
		}
		if want == "unreadable" {
			if got != nil || err == nil || errors.As(err, new(*crl.Error)) {
				t.Errorf("%s: %v, %v", url, got, err)
			}
			continue
		}
		if crltest.ReasonOf(t, err) != want || (got == nil) != (err != nil) {
			t.Errorf("%s: %v, %v", url, got, err)
		}
	}
	// A folder that is not there is no answer about a CRL.
	if _, err := crl.Dir(filepath.Join(folder, "none")).Fetch(ctx, "http://a/a.crl", ca.Cert); err == nil || errors.As(err, new(*crl.Error)) {
		t.Errorf("no folder: %v", err)
	}
	// It reads anew; kept, it does not.
	kept := crl.Keep(crl.Dir(folder))
	kept.Now = crltest.At
	for _, s := range []crl.Source{crl.Dir(folder), kept} {
		crltest.Must[*crl.List](t)(s.Fetch(ctx, "http://a/a.crl", ca.Cert))
	}
	write(filepath.Join(folder, "a.crl"), list(9))
	for want, s := range map[int64]crl.Source{9: crl.Dir(folder), 1: kept} {
		if got := crltest.Must[*crl.List](t)(s.Fetch(ctx, "http://a/a.crl", ca.Cert)); got.Number.Int64() != want {
			t.Errorf("CRL %v, not %d", got.Number, want)
		}
	}
}

// A sourceFunc counts.
type sourceFunc struct {
	mu    sync.Mutex
	n     int
	fetch func(url string) (*crl.List, error)
}

func (s *sourceFunc) Fetch(_ context.Context, url string, _ *x509.Certificate) (*crl.List, error) {
	s.mu.Lock()
	s.n++
	s.mu.Unlock()
	return s.fetch(url)
}

func TestFirst(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	list := crltest.MustParse(t, ca.List(t, &x509.RevocationList{}))
	stopped := errors.New("stopped")
	answer := func(l *crl.List, err error) crl.Source {
		return &sourceFunc{fetch: func(string) (*crl.List, error) { return l, err }}
	}
	missing, bad := answer(nil, &crl.Error{Reason: crl.Missing, Detail: "no file"}), answer(nil, &crl.Error{Reason: crl.NotDER})
	for name, c := range map[string]struct {
		sources []crl.Source
		want    error
	}{
		"none":           {nil, crl.Missing},
		"nil":            {[]crl.Source{nil}, crl.Missing},
		"the second":     {[]crl.Source{missing, answer(list, nil)}, nil},
		"nothing at all": {[]crl.Source{answer(nil, nil), missing}, crl.Missing},
		"a bad one":      {[]crl.Source{missing, bad, answer(list, nil)}, crl.NotDER},
		"no answer":      {[]crl.Source{answer(nil, stopped), answer(list, nil)}, stopped},
	} {
		got, err := crl.First(c.sources...).Fetch(ctx, "http://a/a.crl", ca.Cert)
		if !errors.Is(err, c.want) || (c.want == nil) != (got == list) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// What crl/fetch's tests hold about keeping and sharing holds for any source; here
// is what they do not reach.
func TestKeep(t *testing.T) {
	ca, other := crltest.NewAuthority(t, "Woodgrove CA", "p256"), crltest.NewAuthority(t, "Contoso CA", "p256")
	list := crltest.MustParse(t, ca.List(t, &x509.RevocationList{})) // to 6 days
	s := &sourceFunc{fetch: func(string) (*crl.List, error) { return list, nil }}
	k := crl.Keep(s)
	now := crltest.At()
	k.Now = func() time.Time { return now }
	for range 3 {
		if got, err := k.Fetch(ctx, "u", ca.Cert); got != list || err != nil {
			t.Fatal(got, err)
		}
	}
	if _, err := k.Fetch(ctx, "u", other.Cert); crltest.ReasonOf(t, err) != crl.WrongIssuer || s.n != 2 {
		t.Errorf("another CA: %v after %d fetches", err, s.n)
	}
	if _, err := k.Fetch(ctx, "u", ca.Cert); err != nil || s.n != 2 {
		t.Errorf("another CA's failure took the kept CRL away: %v after %d fetches", err, s.n)
	}
	// A failure that is no answer about the CRL: the kept one still counts.
	stopped := errors.New("stopped")
	s.fetch = func(string) (*crl.List, error) { return nil, stopped }
	soon := crltest.MustParse(t, ca.List(t, &x509.RevocationList{Number: big.NewInt(2), ExtraExtensions: crltest.Extension(oidPublish, derOf(t, now.Add(time.Hour)))}))
	k = crl.Keep(&sourceFunc{fetch: func(string) (*crl.List, error) { return soon, nil }})
	k.Now = func() time.Time { return now }
	crltest.Must[*crl.List](t)(k.Fetch(ctx, "u", ca.Cert))
	k.Source = s
	now = now.Add(2 * time.Hour)
	if got, err := k.Fetch(ctx, "u", ca.Cert); got != soon || err != nil {
		t.Errorf("valid, and no answer: %v, %v", got, err)
	}
	now = now.Add(7 * 24 * time.Hour)
	if got, err := k.Fetch(ctx, "u", ca.Cert); got != nil || !errors.Is(err, stopped) {
		t.Errorf("expired, and no answer: %v, %v", got, err)
	}
	// Nothing there, and nothing to ask.
	s.fetch = func(string) (*crl.List, error) { return nil, nil }
	if got, err := crl.Keep(s).Fetch(ctx, "u", ca.Cert); got != nil || crltest.ReasonOf(t, err) != crl.Missing {
		t.Errorf("nil and nil: %v, %v", got, err)
	}
	for _, k := range []*crl.Keeper{nil, {}, crl.Keep(nil)} {
		if _, err := k.Fetch(ctx, "u", ca.Cert); crltest.ReasonOf(t, err) != crl.Missing {
			t.Errorf("no source: %v", err)
		}
	}
	if _, err := k.Fetch(ctx, "u", nil); crltest.ReasonOf(t, err) != crl.WrongIssuer {
		t.Errorf("no CA: %v", err)
	}
}
