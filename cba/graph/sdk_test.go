//go:build sdk

// This file compiles the whole SDK, which takes minutes and gigabytes:
//
//	go test -tags sdk -run SDK ./cba/graph

package graph_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	msgraphsdk "github.com/microsoftgraph/msgraph-sdk-go"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/trust"
)

// A client built as the SDK's README builds it hands its adapter over, and what
// is sent has the method and address that the SDK's own builders make.
func TestSDK(t *testing.T) {
	g, err := graphtest.New(people(), graphtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := graphtest.Serve(g)
	defer s.Close()
	host, _ := url.Parse(s.URL)
	// The SDK's client has no option for a transport: it uses the default one.
	old := http.DefaultTransport
	http.DefaultTransport = s.Client().Transport
	defer func() { http.DefaultTransport = old }()

	sdk, err := msgraphsdk.NewGraphServiceClientWithCredentialsAndHosts(graphtest.StaticToken(graphtest.Token), []string{"https://graph.microsoft.com/.default"}, []string{host.Hostname()})
	if err != nil {
		t.Fatal(err)
	}
	if got := sdk.GetAdapter().GetBaseUrl(); got != graph.GlobalCloud.Endpoint()+"/v1.0" {
		t.Errorf("the SDK's own base URL is %q", got)
	}
	sdk.GetAdapter().SetBaseUrl(s.URL + "/v1.0")
	c := &graph.Client{Adapter: sdk.GetAdapter()}
	ctx := t.Context()

	const pki = "22222222-2222-2222-2222-222222222222"
	pkis := sdk.Directory().PublicKeyInfrastructure().CertificateBasedAuthConfigurations()
	top := int32(999)
	yes := true
	fields := strings.Split("id,userPrincipalName,displayName,onPremisesUserPrincipalName,onPremisesSyncEnabled,accountEnabled,userType,authorizationInfo", ",")
	filter := "authorizationInfo/certificateUserIds/any(x:x eq 'X509:<PN>o''neil#1@contoso.com')"
	cases := []struct {
		name string
		mine func() error
		want func() (*abstractions.RequestInformation, error)
	}{
		{"method configuration", func() error { _, err := c.Policy(ctx); return err }, func() (*abstractions.RequestInformation, error) {
			return sdk.Policies().AuthenticationMethodsPolicy().AuthenticationMethodConfigurations().ByAuthenticationMethodConfigurationId("x509Certificate").ToGetRequestInformation(ctx, nil)
		}},
		{"user", func() error { _, err := c.User(ctx, "a#EXT#@contoso.com"); return err }, func() (*abstractions.RequestInformation, error) {
			return sdk.Users().ByUserId("a#EXT#@contoso.com").ToGetRequestInformation(ctx, &users.UserItemRequestBuilderGetRequestConfiguration{
				QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{Select: fields}})
		}},
		{"users", func() error { collectUsers(c, t); return nil }, func() (*abstractions.RequestInformation, error) {
			return sdk.Users().ToGetRequestInformation(ctx, &users.UsersRequestBuilderGetRequestConfiguration{
				QueryParameters: &users.UsersRequestBuilderGetQueryParameters{Select: fields, Top: &top}})
		}},
		{"holders", func() error { _, err := c.Holders(ctx, "X509:<PN>o'neil#1@contoso.com"); return err }, func() (*abstractions.RequestInformation, error) {
			return sdk.Users().ToGetRequestInformation(ctx, &users.UsersRequestBuilderGetRequestConfiguration{
				QueryParameters: &users.UsersRequestBuilderGetQueryParameters{Select: fields, Count: &yes, Filter: &filter}})
		}},
		{"PKIs", func() error { _, err := c.PKIs(ctx); return err }, func() (*abstractions.RequestInformation, error) {
			return pkis.ToGetRequestInformation(ctx, nil)
		}},
		{"CAs of a PKI", func() error { _, err := c.CreateAuthority(ctx, pki, trust.Authority{}); return err }, func() (*abstractions.RequestInformation, error) {
			return pkis.ByCertificateBasedAuthPkiId(pki).CertificateAuthorities().ToPostRequestInformation(ctx, models.NewCertificateAuthorityDetail(), nil)
		}},
		{"delete a CA", func() error { return c.DeleteAuthority(ctx, pki, "c1") }, func() (*abstractions.RequestInformation, error) {
			return pkis.ByCertificateBasedAuthPkiId(pki).CertificateAuthorities().ByCertificateAuthorityDetailId("c1").ToDeleteRequestInformation(ctx, nil)
		}},
		{"deleted PKIs", func() error { _, err := c.Deleted(ctx); return err }, func() (*abstractions.RequestInformation, error) {
			return sdk.Directory().DeletedItems().ByDirectoryObjectId("microsoft.graph.certificateBasedAuthPki").ToGetRequestInformation(ctx, nil)
		}},
		{"groups", func() error { _, err := c.Groups(ctx, "id-jane"); return err }, func() (*abstractions.RequestInformation, error) {
			return sdk.Users().ByUserId("id-jane").TransitiveMemberOf().GraphGroup().ToGetRequestInformation(ctx, nil)
		}},
		{"strengths", func() error { _, err := c.Strengths(ctx); return err }, func() (*abstractions.RequestInformation, error) {
			return sdk.Identity().ConditionalAccess().AuthenticationStrength().Policies().ToGetRequestInformation(ctx, nil)
		}},
		{"delete a PKI", func() error { return c.DeletePKI(ctx, pki) }, func() (*abstractions.RequestInformation, error) {
			return pkis.ByCertificateBasedAuthPkiId(pki).ToDeleteRequestInformation(ctx, nil)
		}},
		{"restore", func() error { return c.Restore(ctx, pki) }, func() (*abstractions.RequestInformation, error) {
			return sdk.Directory().DeletedItems().ByDirectoryObjectId(pki).Restore().ToPostRequestInformation(ctx, nil)
		}},
		{"organization", func() error { _, err := c.TenantID(ctx); return err }, func() (*abstractions.RequestInformation, error) {
			return sdk.Organization().ToGetRequestInformation(ctx, nil)
		}},
	}
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) {
			s.ForgetRequests()
			if err := x.mine(); err != nil && s.Requests() == nil {
				t.Fatal(err)
			}
			info, err := x.want()
			if err != nil {
				t.Fatal(err)
			}
			info.PathParameters["baseurl"] = s.URL + "/v1.0"
			want, err := info.GetUri()
			if err != nil {
				t.Fatal(err)
			}
			r := s.Requests()[0]
			got, err := url.Parse(r.URL)
			if err != nil {
				t.Fatal(err)
			}
			// The SDK's builders write casts with the schema's alias, the pages with its name.
			path := strings.Replace(want.Path, "/graph.", "/microsoft.graph.", 1)
			if r.Method != info.Method.String() || got.Path != path {
				t.Errorf("%s %s, and the SDK's builder makes %s %s", r.Method, got.Path, info.Method, want.Path)
			}
			for name, values := range want.Query() {
				if v := got.Query()[name]; len(v) != 1 || v[0] != values[0] {
					t.Errorf("%s=%q, and the SDK's builder makes %q", name, v, values)
				}
			}
		})
	}
}

func collectUsers(c *graph.Client, t *testing.T) { collect(t, c.Users(t.Context())) }
