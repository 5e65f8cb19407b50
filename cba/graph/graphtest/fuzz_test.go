package graphtest

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Law: a filter is refused with a syntaxError, or its text parses to itself
// again, and matching it twice gives one answer.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		"authorizationInfo/certificateUserIds/any(x:x eq 'X509:<PN>jane@contoso.com')",
		"authorizationInfo/certificateUserIds/any(x:startswith(x,'X509:<SKI>') or x eq 'it''s')",
		"createdDateTime ge 2026-09-01T00:00:00Z and status/errorCode eq 500171",
		"not (id eq 'a') or (displayName ne null and startsWith(mail,'x'))",
		"id in ('a', 'b')", "accountEnabled eq true", "a eq -5", "a eq 'x", "((((a eq 1))))", "not not not a eq 1", "",
		"(a eq 1)or(b eq 2)and(c eq 3)", "any(x:x eq 1)", "a/any(x:x/any(y:y eq 1))",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := parseFilter(text)
		if err != nil {
			var syntax *syntaxError
			if !errors.As(err, &syntax) || first != nil {
				t.Fatalf("%q: %v, %v", text, first, err)
			}
			return
		}
		written := first.String()
		// Written out, it has more parentheses and may be beyond the limits.
		p := &filterParser{in: written, depth: -10 * maxFilter}
		second := p.or("")
		if p.err != nil || p.at != len(written) || second.String() != written {
			t.Fatalf("%q was written as %q: %v", text, written, p.err)
		}
		value := func(path string) any {
			switch len(path) % 6 {
			case 0:
				return "a"
			case 1:
				return []string{"a", "X509:<PN>jane@contoso.com"}
			case 2:
				return 5
			case 3:
				return true
			case 4:
				return time.Unix(0, 0)
			}
			return nil
		}
		fold := func(string) bool { return true }
		if first.matches(value, fold) != second.matches(value, fold) {
			t.Fatalf("%q and %q do not match alike", text, written)
		}
	})
}

// Law: whatever is sent as a body, the answer is 2xx or 4xx; one that is refused
// changes nothing, and after one that is taken every read still fits the schema.
func FuzzBody(f *testing.F) {
	targets := []struct{ method, path, read, typ string }{
		{"PATCH", "policies/authenticationMethodsPolicy/authenticationMethodConfigurations/x509Certificate", "", x509Type},
		{"PATCH", "users/id-jane", "users/id-jane?$select=authorizationInfo", "user"},
		{"POST", "directory/publicKeyInfrastructure/certificateBasedAuthConfigurations", "", "Collection(certificateBasedAuthPki)"},
		{"PATCH", "directory/publicKeyInfrastructure/certificateBasedAuthConfigurations/p/certificateAuthorities/c", "", "certificateAuthorityDetail"},
		{"POST", "directory/publicKeyInfrastructure/certificateBasedAuthConfigurations/p/certificateAuthorities", "", "Collection(certificateAuthorityDetail)"},
		{"POST", "organization/org/certificateBasedAuthConfiguration", "", "Collection(certificateBasedAuthConfiguration)"},
		{"POST", "directory/publicKeyInfrastructure/certificateBasedAuthConfigurations/p/upload", "directory/publicKeyInfrastructure/certificateBasedAuthConfigurations/p", "certificateBasedAuthPki"},
		{"POST", "$batch", "users", "Collection(user)"},
	}
	for i, seed := range []string{
		DefaultPolicy,
		`{"@odata.type":"#microsoft.graph.x509CertificateAuthenticationMethodConfiguration","state":"enabled","certificateUserBindings":[{"x509CertificateField":"SHA1PublicKey","userProperty":"certificateUserIds","priority":1}],"authenticationModeConfiguration":{"rules":[{"x509CertificateRuleType":"issuerSubjectAndPolicyOID","issuerSubjectIdentifier":"a","policyOidIdentifier":"1.2","x509CertificateAuthenticationMode":"x509CertificateMultiFactor"}]}}`,
		`{"@odata.type":"#microsoft.graph.x509CertificateAuthenticationMethodConfiguration","authenticationModeConfiguration":null,"issuerHintsConfiguration":null,"certificateUserBindings":[]}`,
		`{"authorizationInfo":{"certificateUserIds":["X509:<PN>jane@contoso.com"]}}`, `{"authorizationInfo":null}`,
		`{"displayName":"x"}`, `{"certificate":"AAAA","certificateAuthorityType":"root","expirationDateTime":"2026-09-01T00:00:00Z","thumbprint":"00"}`,
		`{"certificateAuthorities":[{"isRootAuthority":true,"certificate":"AAAA"}]}`,
		`{"uploadUrl":"https://a/b","sha256FileHash":"00"}`,
		`{"requests":[{"id":"1","method":"PATCH","url":"/users/id-jane","headers":{"Content-Type":"application/json"},"body":{"authorizationInfo":{"certificateUserIds":["a"]}}}]}`,
		`[]`, `{}`, `null`, `{"a":1,"a":1}`, "\xff", `{"displayName":`, `1e999`,
	} {
		f.Add(uint8(i), seed)
		f.Add(uint8(0), seed)
		f.Add(uint8(7), seed)
	}
	tenant := Tenant{ID: "org", Users: []User{{ID: "id-jane", UserPrincipalName: "jane@contoso.com"}},
		PKIs: []PKI{{ID: "p", DisplayName: "P", Authorities: []Authority{{ID: "c", Certificate: []byte{1}, Type: "root", Thumbprint: "00"}}}}}
	send := func(g *Graph, method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "https://graph.example/v1.0/"+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+Token)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		return w
	}
	now := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	g, err := New(tenant, Options{Now: func() time.Time { return now }})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, which uint8, body string) {
		target := targets[int(which)%len(targets)]
		if err := g.Load(tenant); err != nil {
			t.Fatal(err)
		}
		before := g.Tenant()
		w := send(g, target.method, target.path, body)
		switch {
		case w.Code >= 500 || w.Code < 200 || w.Code/100 == 3:
			t.Fatalf("%s %s: %d", target.path, body, w.Code)
		case w.Code >= 400:
			if diff := cmp.Diff(before, g.Tenant()); diff != "" {
				t.Fatalf("%s %s: %d, and yet %s", target.path, body, w.Code, diff)
			}
		}
		read := target.read
		if read == "" {
			read = target.path
		}
		if w := send(g, http.MethodGet, read, ""); w.Code != 200 {
			t.Fatalf("GET %s after %s: %d %s", read, body, w.Code, w.Body)
		} else if err := g.schema.checkBody(target.typ, w.Body.Bytes(), false); err != nil {
			t.Fatalf("GET %s after %s: %v: %s", read, body, err, w.Body)
		}
	})
}
