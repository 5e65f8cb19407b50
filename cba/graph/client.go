package graph

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azpolicy "github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	khttp "github.com/microsoft/kiota-http-go"
	formserialization "github.com/microsoft/kiota-serialization-form-go"
	jsonserialization "github.com/microsoft/kiota-serialization-json-go"
	multipartserialization "github.com/microsoft/kiota-serialization-multipart-go"
	textserialization "github.com/microsoft/kiota-serialization-text-go"
	msgraphcore "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go-core/authentication"

	"example.com/entracba/cba/internal/enum"
)

// A Client reads and writes the settings of a tenant that decide sign-ins with
// certificates. Adapter is required; every other field may be zero. A Client is safe
// for concurrent use and must not be copied once it is in use.
type Client struct {
	// Adapter sends the requests: GetAdapter of an existing GraphServiceClient, or
	// what [NewClient] sets. Its base URL ends in the version, "/v1.0"; the SDK's
	// clients set it. Its own retries, redirects and compression of request
	// bodies are switched off for the requests of this package.
	Adapter abstractions.RequestAdapter

	// Attempts is how often a request is sent at most, the first attempt included.
	// Zero means 5. A service to which no connection can be made, and which has not
	// answered this client before, is tried 3 times at most: that is a wrong address, a
	// certificate that is not trusted, or no network.
	Attempts int
	// MaxWait is the longest single wait before a request is sent again. If the
	// service asks for a longer wait, the call fails with [Throttled], and
	// [Error.RetryAfter] says how long. Zero means 5 minutes.
	MaxWait time.Duration
	// Concurrency is the number of requests that a bulk run sends at the same time.
	// Zero means 8.
	Concurrency int
	// WriteRate is how many users a bulk run writes per second, after the first 3,000.
	// Zero means 20: both are the quota of an application in a tenant, 3,000 writes in
	// 2 minutes and 30 seconds (Learn, "Microsoft Graph service-specific throttling
	// limits", identity and access). With a negative rate the client waits only when
	// the service asks for it.
	WriteRate float64
	// Patience is how long reading back waits until a write is visible. How long the
	// directory takes is not documented. Zero means 1 minute; a negative value does
	// not wait.
	Patience time.Duration
	// Now is the clock. Nil means time.Now.
	Now func() time.Time

	pace     pacer
	answered atomic.Bool                                      // the service has
	sleep    func(ctx context.Context, d time.Duration) error // for tests; nil sleeps
	maxBody  int64                                            // for tests; 0 is the constant of this name
}

// Limits of this package on what it reads.
const (
	maxBody     = 32 << 20 // bytes of one answer, after decompression
	maxErrorRun = 600      // characters of a message that an error shows
)

// A Cloud is one of Microsoft's clouds. The zero value is unset.
type Cloud uint8

const (
	// GlobalCloud is the commercial service and GCC.
	GlobalCloud Cloud = iota + 1
	// USGovernmentL4 is GCC High.
	USGovernmentL4
	// USGovernmentL5 is the cloud of the US Department of Defense.
	USGovernmentL5
	// China is the cloud that 21Vianet operates. Its Graph has the trust stores and not
	// the method configuration.
	China
)

var clouds = enum.Of[Cloud]("graph: cloud", "global", "US Government L4", "US Government L5 (DoD)", "China operated by 21Vianet")

// String returns the name of the cloud.
func (c Cloud) String() string { return clouds.String(c) }

// MarshalText writes the text of [Cloud.String]; an unset or unknown cloud is an
// error.
func (c Cloud) MarshalText() ([]byte, error) { return clouds.Marshal(c) }

// UnmarshalText reads what MarshalText wrote.
func (c *Cloud) UnmarshalText(text []byte) error { return clouds.Unmarshal(c, text) }

// Endpoint returns the root of the cloud's Graph, "https://graph.microsoft.com",
// and "" for an unset cloud (Learn, "National clouds").
func (c Cloud) Endpoint() string {
	switch c {
	case GlobalCloud:
		return "https://graph.microsoft.com"
	case USGovernmentL4:
		return "https://graph.microsoft.us"
	case USGovernmentL5:
		return "https://dod-graph.microsoft.us"
	case China:
		return "https://" + chinaHost
	}
	return ""
}

const chinaHost = "microsoftgraph.chinacloudapi.cn"

// Options say where a tenant is. One of Cloud and Endpoint is required.
type Options struct {
	Cloud Cloud
	// Endpoint is the address of a Graph with its version, such as
	// "https://graph.microsoft.com/v1.0", in place of a cloud. It must be https.
	Endpoint string
	// Scopes are the scopes of the requested token. Empty means everything that the
	// application was granted: the endpoint's root and "/.default".
	Scopes []string
	// Transport carries the HTTP requests. Nil means a copy of http.DefaultTransport
	// that keeps 16 idle connections instead of 2. A bulk run needs them where there is
	// no HTTP/2, as behind many proxies.
	Transport http.RoundTripper
}

// NewClient returns a client that gets its tokens from a credential, for example one
// of package azidentity. The token is sent to the host of the endpoint and to no
// other. Nothing global is changed, and no request is sent.
//
// The error is [Invalid].
func NewClient(credential azcore.TokenCredential, o Options) (*Client, error) {
	op := operation{name: "make a client"}
	if credential == nil {
		return nil, op.refuse(Invalid, "a credential is required")
	}
	base := o.Endpoint
	switch {
	case base != "" && o.Cloud != 0:
		return nil, op.refuse(Invalid, "give a Cloud or an Endpoint, not both")
	case base == "" && o.Cloud.Endpoint() == "":
		return nil, op.refuse(Invalid, "a Cloud or an Endpoint is required, and the cloud is %v", o.Cloud)
	case base == "":
		base = o.Cloud.Endpoint() + "/v1.0"
	}
	base = strings.TrimRight(base, "/")
	u, err := parseBase(base)
	if err != nil {
		return nil, op.fail(Invalid, fmt.Errorf("endpoint: %w", err))
	}
	scopes := o.Scopes
	if len(scopes) == 0 {
		scopes = []string{u.Scheme + "://" + u.Host + "/.default"}
	}
	auth, err := authentication.NewAzureIdentityAuthenticationProviderWithScopesAndValidHosts(tokens{credential}, scopes, []string{u.Hostname()})
	if err != nil {
		return nil, op.fail(Invalid, err)
	}
	options := msgraphcore.GraphClientOptions{GraphServiceLibraryVersion: sdkVersion}
	middlewares := msgraphcore.GetDefaultMiddlewaresWithOptions(&options)
	client := khttp.GetDefaultClient(middlewares...)
	client.Transport = khttp.NewCustomTransportWithParentTransport(transport(o.Transport), middlewares...)
	adapter, err := msgraphcore.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		auth, options, readers(), writers(), client)
	if err != nil {
		return nil, op.fail(Invalid, err)
	}
	adapter.SetBaseUrl(base)
	return &Client{Adapter: adapter}, nil
}

// idleConnections is above the requests that a Client has under way at once by
// default: each keeps its connection.
const idleConnections = 16

// transport returns the given transport, or the default one with more idle
// connections.
func transport(given http.RoundTripper) http.RoundTripper {
	if given != nil {
		return given
	}
	t, ok := khttp.GetDefaultTransport().(*http.Transport)
	if !ok {
		return http.DefaultTransport // a program replaced it
	}
	t.MaxIdleConnsPerHost = idleConnections
	return t
}

// tokens marks the errors of a credential.
type tokens struct{ azcore.TokenCredential }

func (t tokens) GetToken(ctx context.Context, o azpolicy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := t.TokenCredential.GetToken(ctx, o)
	if err != nil {
		err = &tokenError{err}
	}
	return token, err
}

// sdkVersion is the version of msgraph-sdk-go that go.mod names; it goes out in
// the SDK's telemetry header.
const sdkVersion = "1.103.0"

// readers and writers are what the SDK's builders need of an adapter, so that
// Client.Adapter can serve them too. The SDK registers them globally; these are
// the adapter's own.
func readers() serialization.ParseNodeFactory {
	r := &serialization.ParseNodeFactoryRegistry{ContentTypeAssociatedFactories: map[string]serialization.ParseNodeFactory{}}
	for _, f := range []serialization.ParseNodeFactory{
		jsonserialization.NewJsonParseNodeFactory(), textserialization.NewTextParseNodeFactory(), formserialization.NewFormParseNodeFactory(),
	} {
		if name, err := f.GetValidContentType(); err == nil {
			r.ContentTypeAssociatedFactories[name] = f
		}
	}
	return r
}

func writers() serialization.SerializationWriterFactory {
	r := &serialization.SerializationWriterFactoryRegistry{ContentTypeAssociatedFactories: map[string]serialization.SerializationWriterFactory{}}
	for _, f := range []serialization.SerializationWriterFactory{
		jsonserialization.NewJsonSerializationWriterFactory(), textserialization.NewTextSerializationWriterFactory(),
		formserialization.NewFormSerializationWriterFactory(), multipartserialization.NewMultipartSerializationWriterFactory(),
	} {
		if name, err := f.GetValidContentType(); err == nil {
			r.ContentTypeAssociatedFactories[name] = f
		}
	}
	return r
}

// parseBase checks the address of a Graph.
func parseBase(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q is not a URL", base)
	case u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%q is not an https URL without a query", base)
	case !strings.HasSuffix(u.Path, "/v1.0") && !strings.HasSuffix(u.Path, "/beta"):
		return nil, fmt.Errorf("%q does not end in a version, /v1.0", base)
	}
	return u, nil
}

// base is the adapter's base URL. An adapter that no SDK client has seen has
// none; the SDK's own default is the global cloud.
func (c *Client) base() (*url.URL, error) {
	if c == nil || c.Adapter == nil {
		return nil, errors.New("the Client has no Adapter")
	}
	base := strings.TrimRight(c.Adapter.GetBaseUrl(), "/")
	if base == "" {
		base = GlobalCloud.Endpoint() + "/v1.0"
	}
	return parseBase(base)
}

func (c *Client) now() time.Time {
	if c != nil && c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// wait waits, or returns the error of ctx.
func (c *Client) wait(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.sleep != nil {
		return c.sleep(ctx, d)
	}
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func orDefault[T int | time.Duration | float64](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}

func (c *Client) attempts() int          { return max(1, orDefault(c.Attempts, 5)) }
func (c *Client) maxWait() time.Duration { return orDefault(c.MaxWait, 5*time.Minute) }
func (c *Client) patience() time.Duration {
	return max(0, orDefault(c.Patience, time.Minute))
}

// concurrency is 8 for a nil client, whose first request fails.
func (c *Client) concurrency() int {
	if c == nil {
		return 8
	}
	return max(1, orDefault(c.Concurrency, 8))
}

// backoff is the wait before attempt n+1 where the service names none: 0.5 s,
// doubled each time, and up to half as much again so that clients part.
func backoff(n int) time.Duration {
	d := 500 * time.Millisecond << min(n-1, 6)
	return d + time.Duration(rand.Int64N(int64(d/2)))
}

// A pacer is a token bucket for writes.
type pacer struct {
	mu    sync.Mutex
	last  time.Time
	spent float64 // writes that are not paid back yet
}

// writeBurst is how many writes go out unpaced; see Client.WriteRate.
const writeBurst = 3000

// writes waits until n more writes are within the quota.
func (c *Client) writes(ctx context.Context, n int) error {
	rate := orDefault(c.WriteRate, 20)
	if rate < 0 {
		return ctx.Err()
	}
	c.pace.mu.Lock()
	now := c.now()
	if !c.pace.last.IsZero() && now.After(c.pace.last) {
		c.pace.spent = max(0, c.pace.spent-now.Sub(c.pace.last).Seconds()*rate)
	}
	if now.After(c.pace.last) {
		c.pace.last = now
	}
	c.pace.spent += float64(n)
	over := c.pace.spent - writeBurst
	c.pace.mu.Unlock()
	if over <= 0 {
		return ctx.Err()
	}
	return c.wait(ctx, time.Duration(over/rate*float64(time.Second)))
}
