// Package tenant opens the tenant that an example works on: a real one, or a
// small one for demonstration that lives in the program.
package tenant

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/examples/internal/console"
)

// TokenVariable is the environment variable with the access token for -endpoint.
const TokenVariable = "GRAPH_ACCESS_TOKEN"

// Flags say which tenant. The zero value is the demonstration.
type Flags struct {
	ID, Endpoint string
	// Quiet does not warn of unfinished changes: for the program that finishes them.
	Quiet bool
}

// Register adds -tenant and -endpoint to a program's flags.
func (f *Flags) Register(set *flag.FlagSet) {
	set.StringVar(&f.ID, "tenant", "", "`ID` or domain of the tenant; signs in with Azure's default credentials: environment variables, workload identity, managed identity or az login")
	set.StringVar(&f.Endpoint, "endpoint", "", "`URL` of Microsoft Graph with its version, such as https://graph.microsoft.us/v1.0; the access token is read from the environment variable "+TokenVariable)
}

// IsDemo reports whether no tenant is named.
func (f Flags) IsDemo() bool { return f.ID == "" && f.Endpoint == "" }

// IsFile reports whether -tenant names a file or a folder with a saved tenant and not a
// tenant: there is such a file, or no ID and no domain looks like that.
func (f Flags) IsFile() bool {
	if info, err := os.Stat(f.ID); f.ID != "" && err == nil && (info.Mode().IsRegular() || info.IsDir()) {
		return true
	}
	return strings.ContainsAny(f.ID, `/\`) || strings.HasSuffix(strings.ToLower(f.ID), ".json")
}

// Args are the flags for the command line of another program.
func (f Flags) Args() []string {
	switch {
	case f.ID != "":
		return []string{"-tenant", f.ID}
	case f.Endpoint != "":
		return []string{"-endpoint", f.Endpoint}
	}
	return nil
}

// Subject names the tenant for a page.
func (f Flags) Subject() string {
	if f.IsDemo() {
		return "the demonstration tenant"
	}
	return "tenant " + cmp.Or(f.ID, f.Endpoint)
}

// A Tenant is open for work.
type Tenant struct {
	*graph.Client
	// Demo is what belongs to the demonstration, and nil for a real tenant.
	Demo   *graphtest.Demonstration
	server *graphtest.Server
}

// Open opens the tenant. No request is sent yet. For the demonstration, users
// who are not in it are added to it. Errors never hold a token.
//
// A change of a tenant that examples/setup did not finish is told on standard error.
func (f Flags) Open(users ...string) (*Tenant, error) {
	if f.IsDemo() {
		return demo(users)
	}
	if !f.Quiet {
		warn(os.Stderr)
	}
	switch {
	case f.ID != "" && f.Endpoint != "":
		return nil, console.Usage("-tenant and -endpoint both name a tenant: pass only one of them")
	case f.IsFile():
		return nil, console.Usage("-tenant %s names a file, and this needs the tenant itself: its ID or a domain of it", f.ID)
	case strings.ContainsFunc(f.ID, func(r rune) bool {
		return r != '-' && r != '.' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	}):
		return nil, console.Usage("-tenant %q is not a tenant ID or domain", f.ID)
	case f.ID != "":
		credential, err := azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{TenantID: f.ID})
		if err != nil {
			return nil, console.Usage("-tenant %q: %w", f.ID, err)
		}
		return open(chain{credential, f.ID}, graph.Options{Cloud: graph.GlobalCloud})
	}
	token := strings.TrimSpace(os.Getenv(TokenVariable))
	switch {
	case token == "":
		return nil, console.Usage("-endpoint requires an access token in the environment variable %s", TokenVariable)
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, console.Usage("%s does not contain an access token: it contains spaces, control characters or non-ASCII characters", TokenVariable)
	}
	return open(graphtest.StaticToken(token), graph.Options{Endpoint: f.Endpoint})
}

func open(credential azcore.TokenCredential, o graph.Options) (*Tenant, error) {
	client, err := graph.NewClient(credential, o)
	if err != nil {
		return nil, console.Usage("%w", err)
	}
	return &Tenant{Client: client}, nil
}

// demo starts the demonstration on a port that only this machine reaches.
func demo(users []string) (*Tenant, error) {
	d, err := graphtest.Demo(time.Now())
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for _, u := range d.Tenant.Users {
		there[strings.ToLower(u.UserPrincipalName)] = true
	}
	for _, upn := range users {
		if key := strings.ToLower(upn); !there[key] {
			there[key] = true
			d.Tenant.Users = append(d.Tenant.Users, graphtest.User{UserPrincipalName: upn, DisplayName: upn})
		}
	}
	g, err := graphtest.New(d.Tenant, graphtest.Options{})
	if err != nil {
		return nil, err
	}
	server := graphtest.Serve(g)
	t, err := open(graphtest.StaticToken(graphtest.Token), graph.Options{Endpoint: server.URL + "/v1.0", Transport: server.Client().Transport})
	if err != nil {
		server.Close()
		return nil, err
	}
	t.Demo, t.server = d, server
	return t, nil
}

// Announce prints that this is the demonstration. For a real tenant it prints
// nothing.
func (t *Tenant) Announce(w io.Writer) {
	if t.Demo != nil {
		fmt.Fprintf(w, "Demonstration: without -tenant or -endpoint, this program uses a made-up tenant of its own.\n\n")
	}
}

// Close ends the demonstration.
func (t *Tenant) Close() {
	if t.server != nil {
		t.server.Close()
	}
}

// chain is Azure's default chain, which says what to do when none of it has a
// token.
type chain struct {
	azcore.TokenCredential
	id string
}

// GetToken is part of [azcore.TokenCredential].
func (c chain) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := c.TokenCredential.GetToken(ctx, o)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("no access token for the tenant. Sign in with \"az login --tenant %s\", or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET. Cause: %w", c.id, err)
	}
	return token, err
}
