package graph_test

import (
	"context"
	"iter"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/graph/graphtest"
)

// noToken is a credential that fails.
type noToken struct{ err error }

func (c noToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, c.err
}

// A tenant is a fake Graph behind TLS and a client for it.
type tenant struct {
	*graphtest.Server
	*graph.Client
	t *testing.T

	mu     sync.Mutex
	clock  time.Time       // what the fake and the client go by
	waited []time.Duration // instead of waiting; it moves the clock
}

func (f *tenant) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.clock
}

var start = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

func newTenant(t testing.TB, in graphtest.Tenant, o graphtest.Options) *tenant {
	t.Helper()
	f := &tenant{clock: start}
	o.Now = f.now
	g, err := graphtest.New(in, o)
	if err != nil {
		t.Fatal(err)
	}
	f.Server = graphtest.Serve(g)
	f.t, _ = t.(*testing.T)
	t.Cleanup(f.Server.Close)
	f.Client = newClient(t, f.Server)
	f.Client.Now = f.now
	graph.SetSleep(f.Client, func(ctx context.Context, d time.Duration) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.waited, f.clock = append(f.waited, d), f.clock.Add(d)
		return ctx.Err()
	})
	return f
}

func newClient(t testing.TB, s *graphtest.Server) *graph.Client {
	t.Helper()
	c, err := graph.NewClient(graphtest.StaticToken(graphtest.Token), graph.Options{
		Endpoint: s.URL + "/v1.0", Transport: s.Client().Transport})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (f *tenant) inject(faults ...graphtest.Fault) {
	f.t.Helper()
	for _, x := range faults {
		if err := f.Server.Inject(x); err != nil {
			f.t.Fatal(err)
		}
	}
}

// asked is the requests since the last call, batches taken apart.
func (f *tenant) asked() []graphtest.Request {
	var all []graphtest.Request
	for _, r := range f.Requests() {
		if r.Parts != nil {
			all = append(all, r.Parts...)
		} else {
			all = append(all, r)
		}
	}
	f.ForgetRequests()
	return all
}

// writes counts the requests that are not GET.
func (f *tenant) writes() int {
	n := 0
	for _, r := range f.asked() {
		if r.Method != http.MethodGet {
			n++
		}
	}
	return n
}

// ids are a user's values as they are in the directory.
func (f *tenant) ids(name string) []string {
	f.t.Helper()
	for _, u := range f.Server.Tenant().Users {
		if u.UserPrincipalName == name {
			return u.CertificateUserIDs
		}
	}
	f.t.Fatalf("no user %q", name)
	return nil
}

func collect[T any](t testing.TB, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var all []T
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

// people are three users: jane with a value of no mapping among others, john with
// none, and alex, who is synced.
func people() graphtest.Tenant {
	return graphtest.Tenant{ID: "11111111-1111-1111-1111-111111111111", Users: []graphtest.User{
		{ID: "id-jane", UserPrincipalName: "jane@yourdomain.com", DisplayName: "Jane",
			CertificateUserIDs: []string{"X509:<PN>jane@yourdomain.com", "123456789098765@mil"}},
		{ID: "id-john", UserPrincipalName: "john@yourdomain.com"},
		{ID: "id-alex", UserPrincipalName: "alex@yourdomain.com", Synced: true, CertificateUserIDs: []string{"X509:<PN>alex@yourdomain.com"}},
	}}
}

// scoped hands out the scopes as the token.
type scoped struct{}

func (scoped) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: o.Scopes[0], ExpiresOn: time.Now().Add(time.Hour)}, nil
}
