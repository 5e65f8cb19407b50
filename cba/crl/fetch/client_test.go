package fetch_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/fetch"
	"example.com/entracba/cba/crl/internal/crltest"
)

// oidPublish is Next CRL Publish.
var oidPublish = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 21, 4}

var ctx = context.Background()

// A site serves what tests put on it, and counts.
type site struct {
	*httptest.Server
	requests atomic.Int32
	mu       sync.Mutex
	answer   http.HandlerFunc
}

func newSite(tb testing.TB, answer http.HandlerFunc) *site {
	s := &site{answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		s.mu.Lock()
		answer := s.answer
		s.mu.Unlock()
		answer(w, r)
	}))
	tb.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

func (s *site) set(answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func bytesOf(content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Write(content) }
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// A clock stands still until it is moved.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func TestFetchKeepsUntilNextPublish(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	lists := func(number int64) []byte {
		from := crltest.At().Add(time.Duration(number) * time.Hour)
		return ca.List(t, &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: from, NextUpdate: from.Add(10 * time.Hour),
			ExtraExtensions: crltest.Extension(oidPublish, crltest.Must[[]byte](t)(asn1.Marshal(from.Add(4*time.Hour))))})
	}
	s := newSite(t, bytesOf(lists(1)))
	time1 := &clock{crltest.At().Add(time.Hour)}
	f := &fetch.Client{AllowPrivateAddresses: true, Now: time1.Now}
	step := func(after time.Duration, number int64, requests int32) {
		t.Helper()
		time1.now = crltest.At().Add(time.Hour + after)
		list, err := f.Fetch(ctx, s.URL, ca.Cert)
		if err != nil {
			t.Fatal(err)
		}
		if list.Number.Int64() != number || s.requests.Load() != requests {
			t.Fatalf("after %v: list %v after %d requests, not %d after %d", after, list.Number, s.requests.Load(), number, requests)
		}
	}
	step(0, 1, 1)
	step(3*time.Hour, 1, 1)
	step(4*time.Hour, 1, 2)                // due, but the server still has the old one
	step(4*time.Hour+59*time.Second, 1, 2) // not asked again for a minute
	s.set(bytesOf(lists(2)))
	step(4*time.Hour+time.Minute, 2, 3)
	step(4*time.Hour+2*time.Minute, 2, 3)
	// List 2 is due at 5 h and valid to 11 h.
	s.set(status(503))
	step(5*time.Hour, 2, 4)
	s.set(bytesOf(lists(1)))
	step(5*time.Hour+time.Minute, 2, 5) // a number that went back
	s.set(bytesOf([]byte("<html>")))
	step(11*time.Hour-time.Second, 2, 6) // the last second
	time1.now = crltest.At().Add(12 * time.Hour)
	if list, err := f.Fetch(ctx, s.URL, ca.Cert); list != nil || crltest.ReasonOf(t, err) != crl.NotDER || s.requests.Load() != 7 {
		t.Fatalf("an expired list was waited with: %v, %v, %d requests", list, err, s.requests.Load())
	}

	for _, c := range []struct {
		answer http.HandlerFunc
		reason crl.Reason
	}{
		{status(503), crl.Download},
		{bytesOf(lists(1)), crl.NumberWentBack},
		{bytesOf([]byte("<html>")), crl.NotDER},
	} {
		time1.now = crltest.At().Add(20 * time.Hour)
		s.set(c.answer)
		if list, err := f.Fetch(ctx, s.URL, ca.Cert); list != nil || crltest.ReasonOf(t, err) != c.reason {
			t.Errorf("expired, and %v: list %v, error %v", c.reason, list, err)
		}
	}
	s.set(bytesOf(lists(3)))
	step(19*time.Hour, 3, 11)
}

// A list that is not by the authority is not kept, so that an answer from
// somebody else does not stay.
func TestFetchKeepsOnlyTheAuthoritysLists(t *testing.T) {
	ca, other := crltest.NewAuthority(t, "Woodgrove CA", "p256"), crltest.NewAuthority(t, "Contoso CA", "p256")
	s := newSite(t, bytesOf(other.List(t, &x509.RevocationList{})))
	f := &fetch.Client{AllowPrivateAddresses: true, Now: func() time.Time { return crltest.At() }}
	_, err := f.Fetch(ctx, s.URL, ca.Cert)
	if crltest.ReasonOf(t, err) != crl.WrongIssuer || !strings.Contains(err.Error(), s.URL) {
		t.Fatalf("%v", err)
	}
	s.set(bytesOf(ca.List(t, &x509.RevocationList{})))
	if _, err := f.Fetch(ctx, s.URL, ca.Cert); err != nil {
		t.Fatal(err)
	}
	// The kept list is not given out for another authority.
	if _, err := f.Fetch(ctx, s.URL, other.Cert); crltest.ReasonOf(t, err) != crl.WrongIssuer {
		t.Errorf("%v", err)
	}
	if _, err := f.Fetch(ctx, s.URL, nil); err == nil {
		t.Error("a list of nobody")
	}
}

func TestFetchFailures(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	list := ca.List(t, &x509.RevocationList{RevokedCertificateEntries: crltest.ManyEntries(5000)})
	if len(list) < 1<<17 {
		t.Fatal(len(list))
	}
	chunked := func(content []byte) http.HandlerFunc { // no Content-Length
		return func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			w.Write(content)
		}
	}
	hang := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		limits crl.Limits
		reason crl.Reason
		says   string
		check  func(*crl.Error) bool
	}{
		{name: "exactly the limit", answer: bytesOf(list), limits: crl.Limits{Bytes: int64(len(list))}},
		{name: "exactly the limit, chunked", answer: chunked(list), limits: crl.Limits{Bytes: int64(len(list))}},
		{name: "announced too large", answer: bytesOf(list), limits: crl.Limits{Bytes: int64(len(list)) - 1}, reason: crl.TooLarge,
			check: func(e *crl.Error) bool { return e.Size == int64(len(list)) && e.Code() == "AADSTS2205014" }},
		{name: "too large by its header", answer: chunked(list), limits: crl.Limits{Bytes: int64(len(list)) - 1}, reason: crl.TooLarge,
			check: func(e *crl.Error) bool { return e.Size == int64(len(list)) }},
		{name: "endless text", answer: func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(bytes.Repeat([]byte("A"), 1<<15)); err != nil {
					return
				}
			}
		}, reason: crl.NotDER, says: `begins "AAAA`},
		{name: "small limit", answer: chunked([]byte(strings.Repeat("A", 200))), limits: crl.Limits{Bytes: 100}, reason: crl.TooLarge},
		{name: "cut", answer: chunked(list[:len(list)/2]), reason: crl.NotDER, says: "cut short"},
		{name: "cut early", answer: bytesOf(list[:100]), reason: crl.NotDER, says: "cut short"},
		{name: "more follows", answer: chunked(append(bytes.Clone(list), 1, 2, 3)), reason: crl.NotDER, says: "left over"},
		{name: "less than announced", answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(list)+10))
			w.Write(list[:1<<17])
		}, reason: crl.NotDER, says: "cut short"},
		{name: "nothing", answer: bytesOf(nil), reason: crl.NotDER, says: "0 bytes"},
		{name: "PEM", answer: bytesOf(crltest.PEM("X509 CRL", list)), reason: crl.NotDER, says: "PEM"},
		{name: "certificate", answer: bytesOf(ca.Cert.Raw), reason: crl.NotCRL},
		{name: "forbidden", answer: status(403), reason: crl.Download, says: "403 Forbidden",
			check: func(e *crl.Error) bool { return e.HTTPStatus == 403 && e.Code() == "AADSTS500173" }},
		{name: "no content", answer: status(204), reason: crl.Download},
		{name: "partial content", answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(206); w.Write(list) }, reason: crl.Download},
		{name: "no answer", answer: hang, limits: crl.Limits{Time: 50 * time.Millisecond}, reason: crl.Timeout,
			check: func(e *crl.Error) bool { return e.Code() == "AADSTS2205012" }},
		{name: "half an answer", answer: func(w http.ResponseWriter, r *http.Request) {
			w.Write(list[:1<<17])
			w.(http.Flusher).Flush()
			hang(w, r)
		}, limits: crl.Limits{Time: 100 * time.Millisecond}, reason: crl.Timeout},
		{name: "compressed", answer: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write([]byte("\x1f\x8b"))
		}, reason: crl.NotDER, says: "gzip"},
		{name: "hung up", answer: func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				conn.Close()
			}
		}, reason: crl.Download, check: func(e *crl.Error) bool { return e.HTTPStatus == 0 && e.Err != nil }},
		{name: "redirected to LDAP", answer: http.RedirectHandler("ldap://dc.woodgrove.com/CN=CDP", http.StatusFound).ServeHTTP, reason: crl.BadURL, says: "LDAP"},
		{name: "redirected to a file", answer: http.RedirectHandler("file:///etc/passwd", http.StatusFound).ServeHTTP, reason: crl.BadURL, says: "file"},
		{name: "redirected for ever", answer: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"x", http.StatusMovedPermanently)
		},
			reason: crl.Download, says: "redirects"},
		{name: "large headers", answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 1<<18))
			w.Write(list)
		}, reason: crl.Download},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, c.answer)
			f := &fetch.Client{AllowPrivateAddresses: true, Limits: c.limits, Now: func() time.Time { return crltest.At() }}
			got, err := f.Fetch(ctx, s.URL, ca.Cert)
			if reason := crltest.ReasonOf(t, err); reason != c.reason || (got == nil) != (reason != "") {
				t.Fatalf("list %v, error %v", got, err)
			}
			if err == nil {
				return
			}
			if e := err.(*crl.Error); e.URL != s.URL || c.check != nil && !c.check(e) {
				t.Errorf("%+v", e)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q does not say %q", err, c.says)
			}
		})
	}
}

func TestFetchFollowsRedirects(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	list := ca.List(t, &x509.RevocationList{})
	hops := 0
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if ae := r.Header.Get("Accept-Encoding"); ae != "" {
			t.Errorf("asked for the encoding %q", ae)
		}
		if r.Header.Get("Referer") != "" {
			t.Error("sent a Referer")
		}
		if hops++; hops <= 5 {
			http.Redirect(w, r, "/next", http.StatusFound)
			return
		}
		w.Write(list)
	})
	f := &fetch.Client{AllowPrivateAddresses: true}
	if _, err := f.Fetch(ctx, s.URL, ca.Cert); err != nil {
		t.Fatal(err)
	}
	hops = -1 // one more than allowed
	f = &fetch.Client{AllowPrivateAddresses: true}
	if _, err := f.Fetch(ctx, s.URL, ca.Cert); crltest.ReasonOf(t, err) != crl.Download {
		t.Error(err)
	}
}

func TestFetchRefusesURLs(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	f := &fetch.Client{RefuseHTTPS: true}
	for _, url := range []string{"", "crl.woodgrove.com/a.crl", "//crl.woodgrove.com/a.crl", "ldap:///CN=a", "LDAPS://dc/CN=a", "file:///a.crl", "ftp://a/b",
		"http://", "http:///a.crl", "http:a.crl", "http://user:secret@crl.woodgrove.com/a.crl", "https://crl.woodgrove.com/a.crl", "http://a b/", "http://u:secret@a b/", "http://[::1/", "\x00"} {
		_, err := f.Fetch(ctx, url, ca.Cert)
		if crltest.ReasonOf(t, err) != crl.BadURL {
			t.Errorf("%q: %v", url, err)
		}
		if strings.Contains(fmt.Sprintf("%v %+v", err, err), "secret") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
	if err := crl.CheckURL("https://crl.woodgrove.com/a.crl"); err != nil {
		t.Error(err)
	}
}

// By default a client reaches nothing on this machine, under whatever name.
func TestFetchRefusesPrivateAddresses(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	s := newSite(t, bytesOf(ca.List(t, &x509.RevocationList{})))
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost", "127.1.2.3", "0.0.0.0", "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
		"[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "169.254.169.254", "10.0.0.1", "192.168.1.1", "100.64.0.1", "224.0.0.1", "[fe80::1]", "[fd00::1]", "[ff02::1]"} {
		f := &fetch.Client{Limits: crl.Limits{Time: 5 * time.Second}}
		_, err := f.Fetch(ctx, "http://"+net.JoinHostPort(strings.Trim(host, "[]"), port)+"/a.crl", ca.Cert)
		if crltest.ReasonOf(t, err) != crl.ForbiddenAddress {
			t.Errorf("%s: %v", host, err)
		}
	}
	if n := s.requests.Load(); n != 0 {
		t.Errorf("%d requests got through", n)
	}
	// The loud field lets the same request through.
	f := &fetch.Client{AllowPrivateAddresses: true}
	if _, err := f.Fetch(ctx, s.URL, ca.Cert); err != nil || s.requests.Load() != 1 {
		t.Errorf("%v", err)
	}
}

func TestFetchIsShared(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	list := ca.List(t, &x509.RevocationList{})
	arrived, release := make(chan struct{}, 100), make(chan struct{})
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-release
		w.Write(list)
	})
	f := &fetch.Client{AllowPrivateAddresses: true, Now: func() time.Time { return crltest.At() }}

	first, giveUp := context.WithCancel(ctx)
	firstDone := make(chan error)
	go func() {
		_, err := f.Fetch(first, s.URL, ca.Cert)
		firstDone <- err
	}()
	<-arrived
	const callers = 20
	waiting := make(chan struct{}, callers)
	results := make(chan *crl.List, callers)
	for range callers {
		go func() {
			list, err := f.Fetch(watched{ctx, waiting}, s.URL, ca.Cert)
			if err != nil {
				t.Error(err)
			}
			results <- list
		}()
	}
	for range callers {
		<-waiting
	}
	// The caller who started the download leaves; the others still get the list.
	giveUp()
	if err := <-firstDone; !errors.Is(err, context.Canceled) {
		t.Errorf("the first caller got %v", err)
	}
	close(release)
	for range callers {
		if list := <-results; list == nil {
			t.Error("no list")
		}
	}
	if n := s.requests.Load(); n != 1 {
		t.Errorf("%d requests for %d callers", n, callers+1)
	}
	if _, err := f.Fetch(first, "http://other.woodgrove.com/a.crl", ca.Cert); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that has given up got %v", err)
	}
}

// A watched context tells when somebody waits for its end.
type watched struct {
	context.Context
	waiting chan<- struct{}
}

func (w watched) Done() <-chan struct{} {
	w.waiting <- struct{}{}
	return w.Context.Done()
}

// The download ends when the last caller has given up.
func TestFetchEndsWithItsCallers(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	arrived, ended := make(chan struct{}), make(chan struct{})
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		close(ended)
	})
	f := &fetch.Client{AllowPrivateAddresses: true}
	canceled, cancel := context.WithCancel(ctx)
	go func() { <-arrived; cancel() }()
	if _, err := f.Fetch(canceled, s.URL, ca.Cert); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("the request goes on")
	}
	s.set(bytesOf(ca.List(t, &x509.RevocationList{})))
	if _, err := f.Fetch(ctx, s.URL, ca.Cert); err != nil {
		t.Error(err)
	}
}

// The list that was not asked for the longest makes room.
func TestFetchKeepsSoManyBytes(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	list := ca.List(t, &x509.RevocationList{})
	s := newSite(t, bytesOf(list))
	time1 := &clock{crltest.At()}
	f := &fetch.Client{AllowPrivateAddresses: true, KeepBytes: int64(2*len(list) + 20), Now: time1.Now}
	for n, c := range []struct {
		path     string
		requests int32
	}{{"/a", 1}, {"/b", 2}, {"/a", 2}, {"/b", 2}, {"/a", 2}, {"/c", 3}, {"/a", 3}, {"/c", 3}, {"/b", 4}, {"/c", 4}, {"/a", 5}} {
		time1.now = time1.now.Add(time.Second)
		if _, err := f.Fetch(ctx, s.URL+c.path, ca.Cert); err != nil {
			t.Fatal(err)
		}
		if s.requests.Load() != c.requests {
			t.Fatalf("step %d, %s: %d requests, not %d", n, c.path, s.requests.Load(), c.requests)
		}
	}
	f = &fetch.Client{AllowPrivateAddresses: true, KeepBytes: -1, Now: time1.Now}
	before := s.requests.Load()
	for range 2 {
		if _, err := f.Fetch(ctx, s.URL, ca.Cert); err != nil {
			t.Fatal(err)
		}
	}
	if s.requests.Load() != before+2 {
		t.Error("kept although nothing is to be kept")
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (r roundTrip) RoundTrip(q *http.Request) (*http.Response, error) { return r(q) }

// A transport of the caller's own makes the requests, for example a proxy.
func TestInsecureTransport(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	s := newSite(t, bytesOf(ca.List(t, &x509.RevocationList{})))
	f := &fetch.Client{InsecureTransport: roundTrip(func(q *http.Request) (*http.Response, error) {
		if q.URL.Host != "crl.woodgrove.com" {
			t.Errorf("request for %v", q.URL)
		}
		return http.Get(s.URL)
	})}
	for _, url := range []string{"http://crl.woodgrove.com/a.crl", "https://crl.woodgrove.com/a.crl"} {
		if _, err := f.Fetch(ctx, url, ca.Cert); err != nil {
			t.Error(err)
		}
	}
}
