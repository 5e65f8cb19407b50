package graphtest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba/graph/graphtest"
)

func (f *fake) inject(fault graphtest.Fault) {
	f.t.Helper()
	if err := f.Inject(fault); err != nil {
		f.t.Fatal(err)
	}
}

// serve starts a fake behind TLS; get sends a GET with the token.
func serve(t *testing.T, f *fake) (s *graphtest.Server, get func(path string) (*http.Response, error)) {
	t.Helper()
	s = graphtest.Serve(f.Graph)
	t.Cleanup(s.Close)
	return s, func(path string) (*http.Response, error) { return request(s, http.MethodGet, path, "") }
}

func request(s *graphtest.Server, method, path, body string) (*http.Response, error) {
	r, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body == "" {
		r.Body = nil
	}
	r.Header.Set("Authorization", "Bearer "+graphtest.Token)
	r.Header.Set("Content-Type", "application/json")
	return s.Client().Do(r)
}

// What each kind looks like to a client, and that the request after it is fine.
func TestFaultKinds(t *testing.T) {
	checks := map[graphtest.Kind]func(t *testing.T, r *http.Response, body []byte, err error){}
	status := func(want int, code, header string) func(*testing.T, *http.Response, []byte, error) {
		return func(t *testing.T, r *http.Response, body []byte, err error) {
			if err != nil {
				t.Fatal(err)
			}
			if r.StatusCode != want || !strings.Contains(string(body), code) || header != "" && r.Header.Get(header) == "" {
				t.Errorf("%d %v %s", r.StatusCode, r.Header, body)
			}
		}
	}
	checks[graphtest.Throttled] = status(429, `"code":"TooManyRequests"`, "Retry-After")
	checks[graphtest.Unavailable] = status(503, `"code":"serviceNotAvailable"`, "Retry-After")
	checks[graphtest.TokenExpired] = status(401, `"code":"InvalidAuthenticationToken"`, "WWW-Authenticate")
	checks[graphtest.Forbidden] = status(403, `"code":"Authorization_RequestDenied"`, "request-id")
	checks[graphtest.Gateway] = status(502, "<html>", "")
	checks[graphtest.Reset] = func(t *testing.T, _ *http.Response, _ []byte, err error) {
		if err == nil {
			t.Error("an answer came")
		}
	}
	checks[graphtest.Cut] = func(t *testing.T, _ *http.Response, body []byte, err error) {
		if !errors.Is(err, io.ErrUnexpectedEOF) || len(body) == 0 {
			t.Errorf("%d bytes, %v", len(body), err)
		}
	}
	checks[graphtest.Slow] = func(t *testing.T, r *http.Response, body []byte, err error) {
		if err != nil || !json.Valid(body) {
			t.Errorf("%v: %s", err, body)
		}
	}
	broken := func(t *testing.T, r *http.Response, body []byte, err error) {
		if err != nil || r.StatusCode != 200 || json.Valid(body) || len(body) == 0 {
			t.Errorf("%v: %d bytes", err, len(body))
		}
	}
	checks[graphtest.Half], checks[graphtest.Bomb] = broken, broken
	checks[graphtest.Huge] = func(t *testing.T, r *http.Response, body []byte, err error) {
		if err != nil || len(body) != 1<<20+7 || !json.Valid(body) {
			t.Errorf("%v: %d bytes", err, len(body))
		}
	}
	checks[graphtest.ForeignLink] = status(200, `"@odata.nextLink":"https://graph.attacker.example/`, "")
	checks[graphtest.UnknownEnum] = status(200, `"certificateAuthorityType":"notYetInvented"`, "")

	pki := graphtest.PKI{ID: "p", DisplayName: "P", Authorities: []graphtest.Authority{{ID: "c", Certificate: []byte{1}, Type: "root"}}}
	for _, kind := range graphtest.Kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			check := checks[kind]
			if check == nil {
				t.Fatal("no check for this kind")
			}
			f := newFake(t, graphtest.Tenant{PKIs: []graphtest.PKI{pki}}, graphtest.Options{})
			_, get := serve(t, f)
			f.inject(graphtest.Fault{Kind: kind, Path: "/directory/**", RetryAfter: time.Second, Size: 1<<20 + 7, Pause: time.Millisecond})
			const path = "/v1.0" + pkiPath + "/p/certificateAuthorities"
			r, err := get(path)
			var body []byte
			if err == nil {
				body, err = io.ReadAll(r.Body)
				r.Body.Close()
			}
			check(t, r, body, err)
			if f.Pending() != 0 {
				t.Error("the fault is still armed")
			}
			if r, err = get(path); err != nil || r.StatusCode != 200 {
				t.Fatalf("the request after it: %v", err)
			}
			r.Body.Close()
		})
	}
	if len(checks) != len(graphtest.Kinds()) {
		t.Errorf("%d checks for %d kinds", len(checks), len(graphtest.Kinds()))
	}
}

func TestFaultSelection(t *testing.T) {
	f := newFake(t, graphtest.Tenant{Users: people("jane", "john")}, graphtest.Options{})
	for _, tt := range []struct {
		name  string
		fault graphtest.Fault
		want  []int // of GET users, GET users/id-jane, PATCH users/id-jane, GET users/id-jane
	}{
		{"first", graphtest.Fault{}, []int{503, 200, 204, 200}},
		{"path", graphtest.Fault{Path: "/Users/*"}, []int{200, 503, 204, 200}},
		{"path, twice", graphtest.Fault{Path: "users/*", Times: 2}, []int{200, 503, 503, 200}},
		{"method", graphtest.Fault{Method: "patch"}, []int{200, 200, 503, 200}},
		{"skip", graphtest.Fault{Path: "/users/**", Skip: 2}, []int{200, 200, 503, 200}},
		{"skip one, always", graphtest.Fault{Skip: 1, Times: -1}, []int{200, 503, 503, 503}},
		{"another path", graphtest.Fault{Path: "/users/*/memberOf", Times: -1}, []int{200, 200, 204, 200}},
		{"longer path", graphtest.Fault{Path: "/users/id-jane/**"}, []int{200, 503, 204, 200}},
	} {
		f.ClearFaults()
		tt.fault.Kind = graphtest.Unavailable
		f.inject(tt.fault)
		got := []int{f.do("GET /users", "").status, f.do("GET /users/id-jane", "").status,
			f.do("PATCH /users/id-jane", ids("v")).status, f.do("GET /users/id-jane", "").status}
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	if f.Inject(graphtest.Fault{}) == nil || f.Inject(graphtest.Fault{Kind: 99}) == nil {
		t.Error("a fault without a kind was armed")
	}
}

// A fault says whether the write behind it happened.
func TestFaultApplied(t *testing.T) {
	for _, kind := range []graphtest.Kind{graphtest.Unavailable, graphtest.Reset, graphtest.Huge} {
		for _, applied := range []bool{false, true} {
			f := newFake(t, graphtest.Tenant{Users: people("jane")}, graphtest.Options{})
			s, _ := serve(t, f)
			f.inject(graphtest.Fault{Kind: kind, Applied: applied, Size: 100})
			if r, err := request(s, "PATCH", "/v1.0/users/id-jane", ids("v")); err == nil {
				r.Body.Close()
			}
			if got := len(f.Tenant().Users[0].CertificateUserIDs) == 1; got != applied {
				t.Errorf("%s, Applied %v: carried out %v", kind, applied, got)
			}
		}
	}
}

func TestRetryAfter(t *testing.T) {
	f := newFake(t, graphtest.Tenant{}, graphtest.Options{})
	for _, tt := range []struct {
		fault graphtest.Fault
		want  string
	}{
		{graphtest.Fault{}, ""},
		{graphtest.Fault{RetryAfter: time.Nanosecond}, "1"},
		{graphtest.Fault{RetryAfter: 10 * time.Second}, "10"},
		{graphtest.Fault{RetryAfter: 10 * time.Second, AsDate: true}, "Tue, 01 Sep 2026 12:00:10 GMT"},
	} {
		tt.fault.Kind = graphtest.Throttled
		f.inject(tt.fault)
		if got := f.must(429, "GET /users", "").header.Get("Retry-After"); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

func TestUnknownEnumFault(t *testing.T) {
	f := newFake(t, graphtest.Tenant{}, graphtest.Options{})
	f.must(204, "PATCH "+x509Path, patch(rules(issuerRule)))
	f.inject(graphtest.Fault{Kind: graphtest.UnknownEnum, Enum: "x509CertificateRuleType"})
	a := f.must(200, "GET "+x509Path, "")
	if !strings.Contains(string(a.text), `"x509CertificateRuleType":"notYetInvented"`) || strings.Count(string(a.text), "notYetInvented") != 1 {
		t.Errorf("%s", a.text)
	}
}

func TestAuthorization(t *testing.T) {
	f := newFake(t, graphtest.Tenant{}, graphtest.Options{Token: "s3cret-of-this-test"})
	for _, tt := range []struct {
		header string
		status int
	}{
		{"Authorization: Bearer s3cret-of-this-test", 200}, {"Authorization: bearer s3cret-of-this-test", 200},
		{"Authorization: Bearer " + graphtest.Token, 401}, {"Authorization: Bearer s3cret-of-this-tes", 401},
		{"Authorization: Basic s3cret-of-this-test", 401}, {"Authorization: ", 401},
	} {
		a := f.do("GET /users", "", tt.header)
		if a.status != tt.status || tt.status == 401 && (a.code() != "InvalidAuthenticationToken" || a.header.Get("WWW-Authenticate") == "") {
			t.Errorf("%s: %d %s", tt.header, a.status, a.text)
		}
	}
	for _, r := range f.Requests() {
		if text := fmt.Sprintf("%+v", r); strings.Contains(text, "s3cret") {
			t.Errorf("the token was kept: %s", text)
		}
	}
	f.must(200, "POST /$batch", `{"requests":[{"id":"1","method":"GET","url":"/users","headers":{"authorization":"Bearer s3cret-of-this-test"}}]}`, "Authorization: Bearer s3cret-of-this-test")
	if text := fmt.Sprintf("%+v", f.Requests()[6].Parts); strings.Contains(text, "s3cret") {
		t.Errorf("a batch kept the token: %s", text)
	}
	if text := fmt.Sprintf("%+v", f.Graph); strings.Contains(text, "s3cret") {
		t.Error("the Graph prints its token")
	}
}

func TestRequests(t *testing.T) {
	f := newFake(t, graphtest.Tenant{Users: people("jane")}, graphtest.Options{KeepRequests: 2})
	f.do("GET /users?$top=1", "", "client-request-id: mine")
	f.do("PATCH /users/id-jane", ids("v"))
	a := f.do("GET /beta/users", "", "client-request-id: mine")
	if a.header.Get("client-request-id") != "mine" || a.header.Get("request-id") == "" || a.header.Get("Date") != "Tue, 01 Sep 2026 12:00:00 GMT" {
		t.Errorf("%v", a.header)
	}
	got := f.Requests()
	if len(got) != 2 || got[0].Method != "PATCH" || got[0].URL != "https://graph.example/v1.0/users/id-jane" || got[0].Status != 204 ||
		string(got[0].Body) != ids("v") || got[0].Header.Get("Content-Type") != "application/json" || got[1].URL != "https://graph.example/beta/users" {
		t.Errorf("%+v", got)
	}
	got[0].Body[0] = 'x'
	if f.Requests()[0].Body[0] != '{' {
		t.Error("the record was handed out")
	}
	f.ForgetRequests()
	if len(f.Requests()) != 0 {
		t.Error("requests were not forgotten")
	}
}

// Graph's base URL can be anything, as in national clouds and behind a proxy.
func TestMountPoint(t *testing.T) {
	f := newFake(t, graphtest.Tenant{Users: people("a", "b")}, graphtest.Options{PageSize: 1})
	for _, prefix := range []string{"", "/deep/mount"} {
		r := newRequest("GET /v1.0/users", "")
		r.URL.Path = prefix + "/v1.0/users"
		r.Host = "dod-graph.example"
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		a := readAnswer(t, w.Result())
		if next, _ := a.body["@odata.nextLink"].(string); !strings.HasPrefix(next, "https://dod-graph.example"+prefix+"/v1.0/users?$skiptoken=") && !strings.HasPrefix(next, "https://dod-graph.example"+prefix+"/v1.0/users?%24skiptoken=") {
			t.Errorf("%q: nextLink %q", prefix, next)
		}
	}
	for _, path := range []string{"/v2.0/users", "/", "/users"} {
		r := newRequest("GET /v1.0/users", "")
		r.URL.Path = path
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		if a := readAnswer(t, w.Result()); a.status != 400 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

func TestBodies(t *testing.T) {
	f := newFake(t, graphtest.Tenant{Users: people("jane")}, graphtest.Options{})
	zip := func(text string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		io.WriteString(w, text)
		w.Close()
		return b.String()
	}
	deep := strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)
	f.run([]step{
		{"gzip", "PATCH /users/id-jane", zip(ids("v")), []string{"Content-Encoding: gzip"}, 204, ""},
		{"not gzip", "PATCH /users/id-jane", ids("v"), []string{"Content-Encoding: gzip"}, 400, "gzip"},
		{"gzip of 8 MB", "PATCH /users/id-jane", zip(strings.Repeat(" ", 8<<20)), []string{"Content-Encoding: gzip"}, 413, "4 MB"},
		{"too large", "PATCH /users/id-jane", strings.Repeat(" ", 4<<20+1), nil, 413, "4 MB"},
		{"deep", "PATCH /users/id-jane", deep, nil, 400, "levels"},
		{"not UTF-8", "PATCH /users/id-jane", "{\"\xff\":1}", nil, 400, "UTF-8"},
		{"more behind it", "PATCH /users/id-jane", "{} {}", nil, 400, "after top-level value"},
	})
	if got := string(f.Requests()[0].Body); got != ids("v") {
		t.Errorf("recorded %q", got)
	}
}

// A caller made without the helpers: its own transport with the server's roots.
func TestServe(t *testing.T) {
	f := newFake(t, graphtest.Tenant{Users: people("jane")}, graphtest.Options{Latency: 30 * time.Millisecond})
	s, _ := serve(t, f)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.Roots()}}}
	defer client.CloseIdleConnections()
	r, err := http.NewRequest("GET", s.URL+"/v1.0/users", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+graphtest.Token)
	began := time.Now()
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 200 || time.Since(began) < 30*time.Millisecond {
		t.Errorf("%d after %v", answer.StatusCode, time.Since(began))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	if _, err := client.Do(r.WithContext(ctx)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a deadline of 5 ms: %v", err)
	}
}

func TestConcurrency(t *testing.T) {
	users := people("a", "b", "c", "d", "e", "f", "g", "h")
	f := newFake(t, graphtest.Tenant{Users: users, PKIs: []graphtest.PKI{{ID: "p", DisplayName: "P"}}}, graphtest.Options{
		Lag: graphtest.Delay{Reads: 2}, Upload: graphtest.Delay{Reads: 1},
		Fetch: func(context.Context, string) ([]byte, error) { return nil, errors.New("none") },
	})
	f.inject(graphtest.Fault{Kind: graphtest.Throttled, Skip: 10, Times: 20})
	s, _ := serve(t, f)
	var wg sync.WaitGroup
	for worker := range 6 {
		wg.Go(func() {
			for i := range 4 {
				for _, step := range [][3]string{
					{"PATCH", "/v1.0/users/id-" + users[worker].DisplayName, ids(fmt.Sprintf("%d-%d", worker, i))},
					{"GET", "/v1.0/users?$select=id,authorizationInfo", ""},
					{"GET", "/beta" + x509Path, ""},
					{"PATCH", "/v1.0" + x509Path, patch(`"state":"enabled"`)},
					{"POST", "/v1.0" + pkiPath + "/p/upload", uploadBody(nil)},
					{"GET", "/v1.0" + pkiPath, ""},
					{"POST", "/v1.0/$batch", `{"requests":[` + patchPart("1", users[worker].DisplayName, fmt.Sprintf("%d-%d", worker, i)) + `]}`},
				} {
					r, err := request(s, step[0], step[1], step[2])
					if err != nil {
						t.Error(err)
						return
					}
					io.Copy(io.Discard, r.Body)
					r.Body.Close()
					if r.StatusCode >= 500 {
						t.Errorf("%s %s: %d", step[0], step[1], r.StatusCode)
					}
				}
				f.Tenant()
				f.Requests()
			}
		})
	}
	wg.Wait()
}

// A pattern selects paths of its own length, whatever stands behind them: one that
// ends in ** alone selects longer ones.
func TestFaultPaths(t *testing.T) {
	for _, test := range []struct {
		pattern, path string
		strikes       bool
	}{
		{"/users", "/users", true},
		{"users", "/users", true},
		{"/USERS/*", "/users/jane", true},
		{"/users", "/users/jane", false},
		{"/users/*", "/users", false},
		{"/users/*", "/users/jane/memberOf", false},
		{"/users/**", "/users/jane/memberOf", true},
		{"/users/**", "/users", true},
		{"/users/*/memberOf", "/users/jane/memberOf", true},
		{"/users/*/memberOf", "/users/jane/transitiveMemberOf", false},
		{"/groups", "/users", false},
		{"", "/users/jane/memberOf", true},
	} {
		f := newFake(t, graphtest.Tenant{Users: people("jane")}, graphtest.Options{})
		f.inject(graphtest.Fault{Kind: graphtest.Forbidden, Path: test.pattern})
		w := httptest.NewRecorder()
		f.ServeHTTP(w, newRequest("GET "+test.path, ""))
		if struck := w.Code == http.StatusForbidden; struck != test.strikes || (f.Pending() == 0) != test.strikes {
			t.Errorf("%q and %s: %d, want a fault: %v", test.pattern, test.path, w.Code, test.strikes)
		}
	}
}
