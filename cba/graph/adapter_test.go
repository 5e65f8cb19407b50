package graph_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	khttp "github.com/microsoft/kiota-http-go"
	msgraphcore "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go-core/authentication"

	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/snapshot"
)

// The adapter is built as NewGraphServiceClientWithCredentials of the SDK builds
// it, out of the same parts: the test behind the tag "sdk" takes the SDK's own.
// Its handlers stand in the order of a map: every order must do.
func TestRealAdapter(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	for range 10 {
		g, err := graphtest.New(people(), graphtest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s := graphtest.Serve(g)
		defer s.Close()
		host, _ := url.Parse(s.URL)
		auth, err := authentication.NewAzureIdentityAuthenticationProviderWithScopesAndValidHosts(graphtest.StaticToken(graphtest.Token),
			[]string{"https://graph.microsoft.com/.default"}, []string{host.Hostname()})
		if err != nil {
			t.Fatal(err)
		}
		options := msgraphcore.GraphClientOptions{GraphServiceLibraryVersion: "1.103.0"}
		client := msgraphcore.GetDefaultClient(&options)
		client.Transport = khttp.NewCustomTransportWithParentTransport(s.Client().Transport, msgraphcore.GetDefaultMiddlewaresWithOptions(&options)...)
		adapter, err := msgraphcore.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(auth, options, nil, nil, client)
		if err != nil {
			t.Fatal(err)
		}
		adapter.SetBaseUrl(s.URL + "/v1.0")
		c := &graph.Client{Adapter: adapter}
		graph.SetSleep(c, func(ctx context.Context, _ time.Duration) error { return ctx.Err() })

		// A throttled write: the adapter's own retries would send a mangled body.
		if err := g.Inject(graphtest.Fault{Kind: graphtest.Throttled, Path: "/$batch", Skip: 1}); err != nil {
			t.Fatal(err)
		}
		p, err := c.EditUser(t.Context(), snapshot.Edit{User: "id-john", Add: []string{"X509:<PN>john@yourdomain.com"}}, graph.EditOptions{Settle: -1})
		if err != nil || p.Outcome != graph.Written {
			t.Fatal(p, err)
		}
		for _, r := range g.Requests() {
			if r.Header.Get("Content-Encoding") != "" {
				t.Errorf("a compressed body: %s", r.URL)
			}
			if !strings.HasPrefix(r.Header.Get("SdkVersion"), "graph-go/1.103.0") {
				t.Errorf("SdkVersion %q", r.Header.Get("SdkVersion"))
			}
		}
	}
}

// An adapter that nobody gave a base URL asks the global cloud, as the SDK's
// client would; one with an unusable base URL is refused before anything is sent.
func TestAdapterWithoutBase(t *testing.T) {
	var _ abstractions.RequestAdapter = (*msgraphcore.GraphRequestAdapterBase)(nil)
	f := newTenant(t, people(), graphtest.Options{})
	for _, base := range []string{"http://127.0.0.1/v1.0", "https://127.0.0.1", "x"} {
		f.Client.Adapter.SetBaseUrl(base)
		if _, err := f.Policy(t.Context()); err == nil || len(f.Requests()) != 0 {
			t.Errorf("%q: %v", base, err)
		}
	}
}
