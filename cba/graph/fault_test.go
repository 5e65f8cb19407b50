package graph_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/cba/trust"
)

// A scene is a tenant in which every call has something to do, and the objects
// that the calls need.
type scene struct {
	*tenant
	config policy.Config
	bundle []byte
	cas    []*x509.Certificate
}

func sceneTenant(t *testing.T, cas []*x509.Certificate) graphtest.Tenant {
	in := ruled()
	in.PKIs = []graphtest.PKI{
		{ID: "p1", DisplayName: "Contoso PKI", Authorities: []graphtest.Authority{withID("c1", graphtest.NewAuthority(cas[0])), withID("c2", graphtest.NewAuthority(cas[1]))}},
		{ID: "p2", DisplayName: "Deleted PKI", DeletedDateTime: start.Add(-time.Hour)},
	}
	in.Classic = []graphtest.ClassicAuthority{{Certificate: cas[0].Raw, Root: true}}
	in.Groups = []graphtest.Group{{ID: "g1", Members: []string{"id-jane"}}}
	in.Strengths = []graphtest.Strength{{ID: "s1", DisplayName: "S", AllowedCombinations: []string{"fido2"}}}
	in.SignIns = []graphtest.SignIn{{ID: "r1", CreatedDateTime: start.Add(-time.Hour), UserPrincipalName: "jane@yourdomain.com"}}
	return in
}

func withID(id string, a graphtest.Authority) graphtest.Authority {
	a.ID = id
	return a
}

func authorityOf(t *testing.T, cert *x509.Certificate) trust.Authority {
	a, err := trust.NewAuthority(cert)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// matrixCalls is every call of the package that sends requests, with a check of what the
// directory must hold if it says that it succeeded. read says that it writes
// nothing.
var matrixCalls = []struct {
	name string
	read bool
	do   func(ctx context.Context, s *scene) error
	done func(in graphtest.Tenant) bool
}{
	{"Policy", true, func(ctx context.Context, s *scene) error { _, err := s.Policy(ctx); return err }, nil},
	{"PlanPolicy", true, func(ctx context.Context, s *scene) error { _, err := s.PlanPolicy(ctx, s.config); return err }, nil},
	{"ApplyPolicy", false, func(ctx context.Context, s *scene) error {
		plan, err := s.PlanPolicy(ctx, s.config)
		if err == nil {
			_, err = s.ApplyPolicy(ctx, plan, graph.ApplyOptions{})
		}
		return err
	}, func(in graphtest.Tenant) bool {
		return strings.Contains(string(in.Policy), `"exemptedCertificateAuthoritiesSubjectKeyIdentifiers":["aabb"]`)
	}},
	{"ResetPolicy", false, func(ctx context.Context, s *scene) error {
		_, _, err := s.ResetPolicy(ctx, graph.ApplyOptions{AllowLockout: true})
		return err
	}, func(in graphtest.Tenant) bool { return !strings.Contains(string(in.Policy), "WoodgroveCA") }},
	{"PKIs", true, func(ctx context.Context, s *scene) error { _, err := s.PKIs(ctx); return err }, nil},
	{"PKI", true, func(ctx context.Context, s *scene) error { _, err := s.PKI(ctx, "p1"); return err }, nil},
	{"CreatePKI", false, func(ctx context.Context, s *scene) error { _, err := s.CreatePKI(ctx, "New PKI"); return err },
		func(in graphtest.Tenant) bool { return countPKIs(in, "New PKI") == 1 }},
	{"RenamePKI", false, func(ctx context.Context, s *scene) error { _, err := s.RenamePKI(ctx, "p1", "Other name"); return err },
		func(in graphtest.Tenant) bool { return countPKIs(in, "Other name") == 1 }},
	{"DeletePKI", false, func(ctx context.Context, s *scene) error { return s.DeletePKI(ctx, "p1") },
		func(in graphtest.Tenant) bool { return countPKIs(in, "Contoso PKI") == 0 }},
	{"CreateAuthority", false, func(ctx context.Context, s *scene) error {
		_, err := s.CreateAuthority(ctx, "p1", authorityOf(s.t, s.cas[2]))
		return err
	}, func(in graphtest.Tenant) bool { return countCAs(in, "Three") == 1 }},
	{"UpdateAuthority", false, func(ctx context.Context, s *scene) error {
		a := authorityOf(s.t, s.cas[0])
		a.ID, a.DisplayName = "c1", "Renamed"
		_, _, err := s.UpdateAuthority(ctx, "p1", a)
		return err
	}, func(in graphtest.Tenant) bool { return countCAs(in, "Renamed") == 1 }},
	{"DeleteAuthority", false, func(ctx context.Context, s *scene) error { return s.DeleteAuthority(ctx, "p1", "c1") },
		func(in graphtest.Tenant) bool { return countCAs(in, "One") == 0 }},
	{"Deleted", true, func(ctx context.Context, s *scene) error { _, err := s.Deleted(ctx); return err }, nil},
	{"Restore", false, func(ctx context.Context, s *scene) error { return s.Restore(ctx, "p2") },
		func(in graphtest.Tenant) bool { return countPKIs(in, "Deleted PKI") == 1 }},
	{"Upload", false, func(ctx context.Context, s *scene) error {
		_, err := s.Upload(ctx, "p1", "https://pki.contoso.com/a.p7b", s.bundle, graph.UploadOptions{})
		return err
	}, func(in graphtest.Tenant) bool { return countCAs(in, "Three") == 1 }},
	{"FillPKI", false, func(ctx context.Context, s *scene) error {
		_, _, err := s.FillPKI(ctx, trust.PKI{DisplayName: "New PKI", CertificateAuthorities: []trust.Authority{authorityOf(s.t, s.cas[2])}})
		return err
	}, func(in graphtest.Tenant) bool { return countCAs(in, "Three") == 1 && countPKIs(in, "New PKI") == 1 }},
	{"PlanTrust", true, func(ctx context.Context, s *scene) error { _, err := s.PlanTrust(ctx, nil); return err }, nil},
	{"ApplyTrust", false, func(ctx context.Context, s *scene) error {
		a := authorityOf(s.t, s.cas[1])
		a.DisplayName = "Renamed"
		plan, err := s.PlanTrust(ctx, trust.PKIs{{DisplayName: "Contoso PKI", CertificateAuthorities: []trust.Authority{a}},
			{DisplayName: "New PKI", CertificateAuthorities: []trust.Authority{authorityOf(s.t, s.cas[2])}}})
		if err == nil {
			_, err = s.ApplyTrust(ctx, plan, graph.ApplyOptions{AllowLockout: true})
		}
		return err
	}, func(in graphtest.Tenant) bool {
		return countCAs(in, "Three") == 1 && countCAs(in, "Renamed") == 1 && countCAs(in, "One") == 0 && countPKIs(in, "New PKI") == 1
	}},
	{"TenantID", true, func(ctx context.Context, s *scene) error { _, err := s.TenantID(ctx); return err }, nil},
	{"Classic", true, func(ctx context.Context, s *scene) error { _, err := s.Classic(ctx); return err }, nil},
	{"ReplaceClassic", false, func(ctx context.Context, s *scene) error {
		_, err := s.ReplaceClassic(ctx, classicOf(s.cas[1]), io.Discard, graph.ReplaceOptions{})
		return err
	}, func(in graphtest.Tenant) bool { return len(in.Classic) == 1 && in.Classic[0].CRLURL != "" }},
	{"MigrateClassic", false, func(ctx context.Context, s *scene) error { _, _, err := s.MigrateClassic(ctx, "New PKI"); return err },
		func(in graphtest.Tenant) bool { return countPKIs(in, "New PKI") == 1 }},
	{"User", true, func(ctx context.Context, s *scene) error { _, err := s.User(ctx, "id-jane"); return err }, nil},
	{"Users", true, func(ctx context.Context, s *scene) error { return drain(s.Users(ctx)) }, nil},
	{"Holders", true, func(ctx context.Context, s *scene) error {
		_, err := s.Holders(ctx, "X509:<PN>jane@yourdomain.com")
		return err
	}, nil},
	{"Groups", true, func(ctx context.Context, s *scene) error { _, err := s.Client.Groups(ctx, "id-jane"); return err }, nil},
	{"EditUser", false, func(ctx context.Context, s *scene) error {
		_, err := s.EditUser(ctx, snapshot.Edit{User: "id-jane", Add: []string{"X509:<SKI>aabb"}}, graph.EditOptions{})
		return err
	}, func(in graphtest.Tenant) bool { return cmp.Equal(in.Users[0].CertificateUserIDs, janeAfter) }},
	{"Strengths", true, func(ctx context.Context, s *scene) error { _, err := s.Client.Strengths(ctx); return err }, nil},
	{"SignIns", true, func(ctx context.Context, s *scene) error {
		return drain(s.SignInLog(ctx, start.Add(-24*time.Hour), graph.SignInQuery{}))
	}, nil},
	{"Snapshot", true, func(ctx context.Context, s *scene) error {
		_, err := s.Snapshot(ctx, graph.SnapshotOptions{Groups: true})
		return err
	}, nil},
}

var janeAfter = []string{"X509:<PN>jane@yourdomain.com", "123456789098765@mil", "X509:<SKI>aabb"}

func drain[T any](seq func(func(T, error) bool)) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
	}
	return nil
}

func countPKIs(in graphtest.Tenant, name string) (n int) {
	for _, p := range in.PKIs {
		if p.DisplayName == name && p.DeletedDateTime.IsZero() {
			n++
		}
	}
	return n
}

func countCAs(in graphtest.Tenant, name string) (n int) {
	for _, p := range in.PKIs {
		for _, a := range p.Authorities {
			if a.DisplayName == name && a.DeletedDateTime.IsZero() {
				n++
			}
		}
	}
	return n
}

// Every call meets every fault, at each of its requests in turn, with the request
// carried out and not. Whatever comes of it, a success is one, a failure has an
// error of this package that names the call and holds no token, nothing is lost or
// there twice, and the same call afterwards succeeds.
func TestFaultMatrix(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	cas := []*x509.Certificate{newCA(t, "One", later), newCA(t, "Two", later), newCA(t, "Three", later)}
	in := sceneTenant(t, cas)
	p7b := bundle(t, cas[2])
	g, err := graphtest.New(in, graphtest.Options{Now: func() time.Time { return start }})
	if err != nil {
		t.Fatal(err)
	}
	pristine := g.Tenant() // with the ids that it was given
	s := &scene{tenant: newTenant(t, in, graphtest.Options{Upload: graphtest.Delay{Time: time.Minute},
		Fetch: func(context.Context, string) ([]byte, error) { return p7b, nil }}), bundle: p7b, cas: cas}
	s.config, err = s.Policy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.config.CRLValidation.ExemptedSKIs = []string{"aabb"}
	const limit = 1 << 20 // TestHugeBody reads to the true one
	graph.SetMaxBody(s.Client, limit)
	before := text(t, pristine)
	n := 0
	for _, call := range matrixCalls {
		t.Run(call.name, func(t *testing.T) {
			s.t = t
			reset := func() {
				s.ClearFaults()
				s.mu.Lock()
				s.clock = start
				s.mu.Unlock()
				if err := s.Load(pristine); err != nil {
					t.Fatal(err)
				}
				s.ForgetRequests()
			}
			reset()
			if err := call.do(t.Context(), s); err != nil {
				t.Fatalf("in good weather: %v", err)
			}
			if call.done != nil && !call.done(s.Server.Tenant()) {
				t.Fatalf("in good weather: it is not done")
			}
			requests := len(s.Requests())
			if got := writesOf(s.Requests()); call.read != (got == 0) {
				t.Fatalf("%d writes", got)
			}
			for _, kind := range graphtest.Kinds() {
				for at := range requests {
					for _, applied := range []bool{false, true} {
						for _, times := range []int{1, -1} {
							if times < 0 && at > 0 || applied && call.read || kind == graphtest.Huge && (at > 1 || applied) || testing.Short() && at > 1 {
								continue
							}
							n++
							reset()
							fault := graphtest.Fault{Kind: kind, Skip: at, Times: times, Applied: applied, RetryAfter: 3 * time.Second, Pause: time.Microsecond, Size: limit + 1<<20}
							s.inject(fault)
							err := call.do(t.Context(), s)
							where := fmt.Sprintf("%v at request %d, times %d, applied %v", kind, at+1, times, applied)
							check(t, s, where, err, call.done)
							after := s.Server.Tenant()
							// Equal bytes are equal tenants; what differs is looked at closely.
							same := bytes.Equal(before, text(t, after))
							if !same {
								if diff := cmp.Diff(pristine.Users[1:], after.Users[1:], cmpopts.EquateEmpty()); diff != "" {
									t.Errorf("%s: other users changed: %s", where, diff)
								}
							}
							if call.read && !same {
								if diff := cmp.Diff(pristine, after, cmpopts.EquateEmpty()); diff != "" {
									t.Errorf("%s: the tenant changed: %s", where, diff)
								}
							}
							for _, name := range []string{"New PKI", "Other name", "Contoso PKI", "Deleted PKI"} {
								if countPKIs(after, name) > 1 {
									t.Errorf("%s: %q is there twice", where, name)
								}
							}
							if countCAs(after, "Three") > 1 {
								t.Errorf("%s: a CA is there twice", where)
							}
							// And again, in good weather.
							s.ClearFaults()
							if err == nil || call.read {
								continue
							}
							s.mu.Lock()
							s.clock = s.clock.Add(time.Hour) // an upload that goes on has ended
							s.mu.Unlock()
							err = call.do(t.Context(), s)
							if call.done(s.Server.Tenant()) || err == nil {
								continue // it is done, perhaps since the first time
							}
							t.Errorf("%s: afterwards: %v", where, err)
						}
					}
				}
			}
		})
	}
	if n < 2000 && !testing.Short() || n < 700 {
		t.Errorf("only %d cases", n)
	}
	t.Logf("%d cases", n)
}

// text is a tenant as bytes.
func text(t *testing.T, in graphtest.Tenant) []byte {
	t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writesOf(requests []graphtest.Request) int {
	n := 0
	for _, r := range requests {
		for _, p := range r.Parts {
			if p.Method != http.MethodGet {
				n++
			}
		}
		if r.Method != http.MethodGet && r.Parts == nil {
			n++
		}
	}
	return n
}

func check(t *testing.T, s *scene, where string, err error, done func(graphtest.Tenant) bool) {
	t.Helper()
	if err != nil && (strings.HasPrefix(where, "throttled") || strings.HasPrefix(where, "unavailable") && done == nil) && strings.Contains(where, "times 1,") {
		t.Errorf("%s: one wait would have been enough: %v", where, err)
	}
	if err == nil {
		if done != nil && !done(s.Server.Tenant()) {
			t.Errorf("%s: it says that it is done, and it is not", where)
		}
		return
	}
	if !strings.HasPrefix(err.Error(), "graph: ") || strings.Contains(err.Error(), graphtest.Token) {
		t.Errorf("%s: %q", where, err)
	}
	var e *graph.Error
	switch {
	case !errors.As(err, &e):
		t.Errorf("%s: a %T: %v", where, err, err)
	case e.Op == "" || e.Permission == "" || e.Reason == "":
		t.Errorf("%s: %+v", where, e)
	}
	if strings.Contains(where, "forbidden") && !strings.Contains(err.Error(), "needs the permission") && !errors.Is(err, graph.Stale) {
		t.Errorf("%s: it does not say what it needs: %v", where, err)
	}
}

func TestErrorKinds(t *testing.T) {
	f := newTenant(t, people(), graphtest.Options{})
	for kind, want := range map[graphtest.Kind]error{
		graphtest.Throttled: graph.Throttled, graphtest.Unavailable: graph.Throttled, graphtest.TokenExpired: graph.Unauthorized,
		graphtest.Forbidden: graph.Forbidden, graphtest.Half: graph.BadAnswer, graphtest.Huge: graph.BadAnswer, graphtest.Bomb: graph.BadAnswer,
		graphtest.Cut: graph.BadAnswer,
	} {
		f.ClearFaults()
		f.inject(graphtest.Fault{Kind: kind, Times: -1, RetryAfter: 30 * time.Second})
		_, err := f.User(t.Context(), "id-jane")
		var e *graph.Error
		if !errors.Is(err, want) || !errors.As(err, &e) {
			t.Errorf("%v: %v", kind, err)
			continue
		}
		if e.RequestID == "" || e.Path != "/v1.0/users/id-jane" || e.Method != "GET" {
			t.Errorf("%v: %+v", kind, e)
		}
		if kind == graphtest.Throttled && (e.RetryAfter != 30*time.Second || e.Attempts != 5) {
			t.Errorf("%+v", e)
		}
		if kind == graphtest.Huge && e.Attempts != 1 {
			t.Errorf("a huge answer was asked for %d times", e.Attempts)
		}
	}
	// A 404 and a 400 are not sent again.
	f.ClearFaults()
	f.asked()
	if _, err := f.User(t.Context(), "nobody"); !errors.Is(err, graph.NotFound) || len(f.asked()) != 1 {
		t.Error(err)
	}
}

// A service that never answered and cannot be connected to is given up earlier than one
// that did; a refused token is not waited for.
func TestNoConnection(t *testing.T) {
	f := newTenant(t, people(), graphtest.Options{})
	nowhere, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nowhere.Close() // nothing listens on this port now
	trusting := f.Server.Client().Transport.(*http.Transport)
	for what, transport := range map[string]*http.Transport{
		"refused": {DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", nowhere.Addr().String())
		}},
		"proxy":       {Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: nowhere.Addr().String()})},
		"certificate": {TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool()}},
	} {
		for _, answered := range []bool{false, true} {
			there := answered
			c, err := graph.NewClient(graphtest.StaticToken(graphtest.Token), graph.Options{Endpoint: f.URL + "/v1.0", Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				if there {
					return trusting.RoundTrip(r)
				}
				return transport.RoundTrip(r)
			})})
			if err != nil {
				t.Fatal(err)
			}
			var waited []time.Duration
			graph.SetSleep(c, func(ctx context.Context, d time.Duration) error { waited = append(waited, d); return ctx.Err() })
			if answered {
				if _, err := c.User(t.Context(), "id-jane"); err != nil {
					t.Fatal(err)
				}
				there = false
			}
			want := map[bool]int{false: 3, true: 5}[answered]
			_, err = c.User(t.Context(), "id-jane")
			var e *graph.Error
			if !errors.As(err, &e) || e.Attempts != want || len(waited) != want-1 {
				t.Errorf("%s, answered before %v: waited %v, %+v", what, answered, waited, e)
			}
		}
	}
	f.inject(graphtest.Fault{Kind: graphtest.TokenExpired, Times: -1})
	var e *graph.Error
	if _, err := f.User(t.Context(), "id-jane"); !errors.As(err, &e) || e.Attempts != 2 || len(f.waited) != 1 || f.waited[0] != 0 {
		t.Errorf("waited %v, %+v", f.waited, e)
	}
}

func TestRetryAfterTooLong(t *testing.T) {
	f := newTenant(t, people(), graphtest.Options{})
	f.inject(graphtest.Fault{Kind: graphtest.Throttled, RetryAfter: time.Hour})
	_, err := f.User(t.Context(), "id-jane")
	if !errors.Is(err, graph.Throttled) || !strings.Contains(err.Error(), "1h0m0s") || len(f.waited) != 0 {
		t.Error(err, f.waited)
	}
	f.inject(graphtest.Fault{Kind: graphtest.Throttled, RetryAfter: 90 * time.Second, AsDate: true})
	if _, err = f.User(t.Context(), "id-jane"); err != nil || len(f.waited) != 1 || f.waited[0] < 89*time.Second || f.waited[0] > 90*time.Second {
		t.Error(err, f.waited)
	}
}

func TestRetryAfterText(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "5": 5 * time.Second, "2.5": 2500 * time.Millisecond, "-1": 0, "NaN": 0, "1e300": 24 * time.Hour,
		"soon": 0, start.Add(time.Minute).Format(http.TimeFormat): time.Minute, start.Add(-time.Minute).Format(http.TimeFormat): 0} {
		if got := graph.RetryAfter(text, start); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// A link to another host gets neither a request nor the token.
func TestForeignLink(t *testing.T) {
	for _, host := range []string{"", "127.0.0.1", "user@127.0.0.1:1"} {
		f := newTenant(t, people(), graphtest.Options{})
		f.inject(graphtest.Fault{Kind: graphtest.ForeignLink, Host: host, Times: -1})
		users := 0
		var err error
		for _, err = range f.Users(t.Context()) {
			if err == nil {
				users++
			}
		}
		if !errors.Is(err, graph.BadAnswer) || !strings.Contains(err.Error(), "another host") || users != 0 {
			t.Errorf("%q: %v after %d users", host, err, users)
		}
	}
}

// No answer is read beyond its limit, whatever its length says, and no compressed
// one either.
func TestHugeBody(t *testing.T) {
	f := newTenant(t, people(), graphtest.Options{})
	f.inject(graphtest.Fault{Kind: graphtest.Huge}) // 3 GB
	if _, err := f.User(t.Context(), "id-jane"); !errors.Is(err, graph.BadAnswer) || !strings.Contains(err.Error(), "33554432") {
		t.Error(err)
	}
}

func TestCancel(t *testing.T) {
	f := newTenant(t, people(), graphtest.Options{Latency: time.Hour})
	for name, call := range map[string]func(context.Context) error{
		"User":  func(ctx context.Context) error { _, err := f.User(ctx, "id-jane"); return err },
		"Users": func(ctx context.Context) error { return drain(f.Users(ctx)) },
		"EditUser": func(ctx context.Context) error {
			_, err := f.EditUser(ctx, snapshot.Edit{User: "id-jane", Add: []string{"a"}}, graph.EditOptions{})
			return err
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

func TestNewClient(t *testing.T) {
	ok := graphtest.StaticToken("t")
	for name, o := range map[string]graph.Options{
		"nothing": {}, "both": {Cloud: graph.GlobalCloud, Endpoint: "https://graph.microsoft.com/v1.0"}, "no cloud": {Cloud: 99},
		"plain http": {Endpoint: "http://graph.microsoft.com/v1.0"}, "no version": {Endpoint: "https://graph.microsoft.com"},
		"password": {Endpoint: "https://a:b@graph.microsoft.com/v1.0"}, "query": {Endpoint: "https://graph.microsoft.com/v1.0?x=1"}, "no address": {Endpoint: "::"},
	} {
		if _, err := graph.NewClient(ok, o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := graph.NewClient(nil, graph.Options{Cloud: graph.GlobalCloud}); err == nil {
		t.Error("no credential: taken")
	}
	for cloud, want := range map[graph.Cloud]string{graph.GlobalCloud: "https://graph.microsoft.com/v1.0", graph.USGovernmentL4: "https://graph.microsoft.us/v1.0",
		graph.USGovernmentL5: "https://dod-graph.microsoft.us/v1.0", graph.China: "https://microsoftgraph.chinacloudapi.cn/v1.0"} {
		c, err := graph.NewClient(ok, graph.Options{Cloud: cloud})
		if err != nil || c.Adapter.GetBaseUrl() != want {
			t.Errorf("%v: %v, %v", cloud, c, err)
		}
		_, err = c.Policy(canceled())
		if (cloud == graph.China) != errors.Is(err, graph.NotInCloud) {
			t.Errorf("%v: %v", cloud, err)
		}
	}
	var none graph.Client
	if _, err := none.Policy(t.Context()); err == nil || !strings.Contains(err.Error(), "Adapter") {
		t.Error(err)
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// The scope of the token is the cloud's own, and the token goes to its host alone.
func TestScope(t *testing.T) {
	var scopes []string
	rt := roundTrip(func(r *http.Request) (*http.Response, error) {
		scopes = append(scopes, r.Header.Get("Authorization"))
		return &http.Response{StatusCode: 404, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(nil)), Request: r}, nil
	})
	c, err := graph.NewClient(scoped{}, graph.Options{Cloud: graph.USGovernmentL5, Transport: rt})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.User(t.Context(), "a"); !errors.Is(err, graph.NotFound) {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Bearer https://dod-graph.microsoft.us/.default"}, scopes); diff != "" {
		t.Error(diff)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answering is a client whose every request gets this answer.
func answering(t *testing.T, status int, header http.Header, body string) (*graph.Client, *int) {
	t.Helper()
	n := new(int)
	rt := roundTrip(func(r *http.Request) (*http.Response, error) {
		*n++
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r, ContentLength: int64(len(body))}, nil
	})
	c, err := graph.NewClient(scoped{}, graph.Options{Cloud: graph.GlobalCloud, Transport: rt})
	if err != nil {
		t.Fatal(err)
	}
	graph.SetSleep(c, func(ctx context.Context, _ time.Duration) error { return ctx.Err() })
	return c, n
}

func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"ten million zeros": `{"value":[0` + strings.Repeat(",0", 10_000_000) + `]}`,
		"no list":           `{"value":{}}`,
		"no value":          `{}`,
		"null value":        `{"value":null}`,
		"not an object":     `[]`,
		"nothing":           ``,
		"no users":          `{"value":[1]}`,
		"a user without id": `{"value":[{}]}`,
		"a name twice":      `{"value":[{"id":"1","id":"2"}]}`,
		"deep user":         `{"value":[{"id":"1","x":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}]}`,
		"page in a circle":  `{"value":[],"@odata.nextLink":"https://graph.microsoft.com/v1.0/users?x=1"}`,
		"plain http link":   `{"value":[],"@odata.nextLink":"http://graph.microsoft.com/v1.0/users?x=1"}`,
		"another port":      `{"value":[],"@odata.nextLink":"https://graph.microsoft.com:8443/v1.0/users?x=1"}`,
		"relative link":     `{"value":[],"@odata.nextLink":"/v1.0/users?x=1"}`,
		"beta link":         `{"value":[],"@odata.nextLink":"https://graph.microsoft.com/beta/users?x=1"}`,
		"link out of it":    `{"value":[],"@odata.nextLink":"https://graph.microsoft.com/v1.0/../beta/users?x=1"}`,
		"escaped link":      `{"value":[],"@odata.nextLink":"https://graph.microsoft.com/v1.0/%2e%2E/beta/users?x=1"}`,
	} {
		c, n := answering(t, 200, http.Header{}, body)
		err := drain(c.Users(t.Context()))
		if !errors.Is(err, graph.BadAnswer) || len(err.Error()) > 1000 {
			t.Errorf("%s: %.300v", name, err)
		}
		if name == "ten million zeros" && !strings.Contains(err.Error(), "more than 65536 elements") {
			t.Errorf("%s: %.300v", name, err)
		}
		if *n > 5 {
			t.Errorf("%s: %d requests", name, *n)
		}
	}
	// Empty pages that name a new one each have an end, and a few of them are none.
	for _, last := range []int{900, 1 << 30} {
		n := 0
		c, err := graph.NewClient(scoped{}, graph.Options{Cloud: graph.GlobalCloud, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			n++
			body := fmt.Sprintf(`{"value":[],"@odata.nextLink":"https://graph.microsoft.com/v1.0/users?x=%d"}`, n)
			if n%last == 0 {
				body = strings.Replace(body, "[]", `[{"id":"1"}]`, 1)
			}
			if n == 2*last {
				body = `{"value":[{"id":"2"}]}`
			}
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})})
		if err != nil {
			t.Fatal(err)
		}
		err = drain(c.Users(t.Context()))
		if endless := last > 1000; endless != errors.Is(err, graph.BadAnswer) || endless != (err != nil) || n != map[bool]int{false: 2 * last, true: 1000}[endless] {
			t.Errorf("%d: %v after %d requests", last, err, n)
		}
	}
	// A redirect is not followed, and the token stays here.
	c, n := answering(t, 302, http.Header{"Location": {"https://graph.attacker.example/"}}, "")
	var e *graph.Error
	if _, err := c.User(t.Context(), "a"); !errors.As(err, &e) || e.Status != 302 || *n != 1 {
		t.Errorf("%v after %d requests", err, *n)
	}
	// A token that comes back in an error does not go on.
	c, _ = answering(t, 400, http.Header{}, `{"error":{"code":"x","message":"bad header: Bearer https://graph.microsoft.com/.default\nx"}}`)
	if _, err := c.User(t.Context(), "a"); err == nil || strings.Contains(err.Error(), ".default") || strings.Contains(err.Error(), "\n") {
		t.Error(err)
	}
}

// Both changes together are too many values: what the other one wrote is put back.
func TestPutBack(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	t.Parallel()
	in := people()
	f := newTenant(t, in, graphtest.Options{})
	nine := make([]string, 9)
	for i := range nine {
		nine[i] = fmt.Sprintf("theirs %d", i)
	}
	plans := collect(t, f.PlanUsers(t.Context(), snapshot.Edits(snapshot.Edit{User: "id-john", Add: []string{"mine 1", "mine 2"}})))
	if _, err := newClient(t, f.Server).EditUser(t.Context(), snapshot.Edit{User: "id-john", Add: nine}, graph.EditOptions{}); err != nil {
		t.Fatal(err)
	}
	done := collect(t, f.ApplyUsers(t.Context(), func(yield func(graph.UserPlan, error) bool) { yield(plans[0], nil) }, graph.EditOptions{}))
	if done[0].Outcome != graph.Failed || !strings.Contains(done[0].Err.Error(), "put back") {
		t.Error(done[0])
	}
	if diff := cmp.Diff(nine, f.ids("john@yourdomain.com")); diff != "" {
		t.Error(diff)
	}
	// The same, where putting back fails as well: the error has the values.
	plans = collect(t, f.PlanUsers(t.Context(), snapshot.Edits(snapshot.Edit{User: "id-jane", Add: []string{"mine"}})))
	if _, err := newClient(t, f.Server).EditUser(t.Context(), snapshot.Edit{User: "id-jane", Add: []string{"theirs"}}, graph.EditOptions{}); err != nil {
		t.Fatal(err)
	}
	f.inject(graphtest.Fault{Kind: graphtest.Forbidden, Method: "PATCH", Skip: 1})
	done = collect(t, f.ApplyUsers(t.Context(), func(yield func(graph.UserPlan, error) bool) { yield(plans[0], nil) }, graph.EditOptions{}))
	if done[0].Outcome != graph.Failed || !errors.Is(done[0].Err, graph.Forbidden) || !strings.Contains(done[0].Err.Error(), `"theirs"`) {
		t.Error(done[0])
	}
}

// A reading inside a batch that breaks is asked for again, and is no change that
// may have been made.
func TestBrokenPlan(t *testing.T) {
	for _, kind := range []graphtest.Kind{graphtest.Half, graphtest.Cut, graphtest.Bomb, graphtest.Unavailable} {
		f := newTenant(t, people(), graphtest.Options{})
		f.inject(graphtest.Fault{Kind: kind, Path: "/$batch"})
		plans := collect(t, f.PlanUsers(t.Context(), snapshot.Edits(snapshot.Edit{User: "id-jane", Add: []string{"a"}})))
		if plans[0].Outcome != graph.Planned {
			t.Errorf("%v: %v", kind, plans[0])
		}
		f.inject(graphtest.Fault{Kind: kind, Path: "/$batch", Times: -1})
		plans = collect(t, f.PlanUsers(t.Context(), snapshot.Edits(snapshot.Edit{User: "id-jane", Add: []string{"a"}})))
		var e *graph.Error
		if !errors.As(plans[0].Err, &e) || e.Indeterminate {
			t.Errorf("%v: %v", kind, plans[0])
		}
	}
}

// What every user would have is told once.
func TestPlanEndsWithTheWhole(t *testing.T) {
	edits := func(yield func(snapshot.Edit, error) bool) {
		for i := range 500 {
			if !yield(snapshot.Edit{User: fmt.Sprintf("user%d@contoso.com", i), Add: []string{"X509:<PN>x@y"}}, nil) {
				return
			}
		}
	}
	for _, status := range []int{401, 403} {
		c, _ := answering(t, status, http.Header{}, `{"error":{"code":"x","message":"no"}}`)
		n := 0
		var last error
		for _, err := range c.PlanUsers(t.Context(), edits) {
			n, last = n+1, err
		}
		var e *graph.Error
		if n != 1 || !errors.As(last, &e) || e.Status != status || e.Whole() != (status == 401) {
			t.Errorf("%d: %d plans, %v", status, n, last)
		}
	}
	if (*graph.Error)(nil).Whole() || new(graph.Error).Whole() {
		t.Error("nothing is the whole")
	}
	for _, id := range []string{".", "..", "%2e"} {
		if _, err := newClient(t, newTenant(t, people(), graphtest.Options{}).Server).User(t.Context(), id); !errors.Is(err, graph.Invalid) && id != "%2e" {
			t.Errorf("%q: %v", id, err)
		}
	}
}
