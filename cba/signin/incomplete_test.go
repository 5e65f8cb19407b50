package signin_test

import (
	"encoding/json"
	"maps"
	"testing"
	"time"

	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
)

// incompleteTests are parts of a tenant: what each must have a finding about.
var incompleteTests = []struct {
	part, code, where string
}{
	{"x509Certificate", "signin-incomplete", "/x509Certificate"},
	{"publicKeyInfrastructure", "signin-incomplete", "/publicKeyInfrastructure"},
	{"certificateBasedAuthConfiguration", "signin-incomplete", "/certificateBasedAuthConfiguration"},
}

// What the input does not contain has one finding that says so, and nothing is found
// because it is absent: no CA is unknown, nobody is locked out.
func TestIncomplete(t *testing.T) {
	text := document(t, "tenant-base.json")
	var whole map[string]json.RawMessage
	must(0, json.Unmarshal(text, &whole))
	at := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	known := map[string]bool{}
	for _, f := range must(signin.ParseConfig(text)).Findings(at) {
		known[f.Code] = true
	}
	if known["signin-incomplete"] {
		t.Error("a whole tenant is incomplete")
	}
	for _, test := range incompleteTests {
		part := map[string]json.RawMessage{}
		for name, value := range whole {
			if name != test.part {
				part[name] = value
			}
		}
		config := must(signin.ParseConfig(must(json.Marshal(part))))
		n := 0
		for _, f := range config.Findings(at) {
			switch {
			case f.Code == test.code && f.Where == test.where:
				n++
			case !known[f.Code]:
				t.Errorf("without %s: %v", test.part, f)
			}
		}
		if n != 1 {
			t.Errorf("without %s: %d findings that say so", test.part, n)
		}
	}
	// A CA that no store of the input has may be in the one that is missing.
	var method map[string]any
	must(0, json.Unmarshal(whole["x509Certificate"], &method))
	method["authenticationModeConfiguration"] = map[string]any{"rules": []any{map[string]any{"x509CertificateRuleType": "issuerSubject", "identifier": "CN=Elsewhere", "issuerSubjectIdentifier": "CN=Elsewhere", "x509CertificateAuthenticationMode": "x509CertificateMultiFactor"}}}
	method["certificateAuthorityScopes"] = []any{map[string]any{"subjectKeyIdentifier": "0102", "includeTargets": []any{map[string]any{"targetType": "group", "id": "1"}}}}
	method["crlValidationConfiguration"] = map[string]any{"state": "enabled", "exemptedCertificateAuthoritiesSubjectKeyIdentifiers": []string{"0102"}}
	whole["x509Certificate"] = must(json.Marshal(method))
	elsewhere := []string{"signin-rule-unknown-issuer", "signin-scope-unknown-authority", "signin-exemption-unknown-authority"}
	for _, missing := range []string{"", "publicKeyInfrastructure", "certificateBasedAuthConfiguration"} {
		part := maps.Clone(whole)
		delete(part, missing)
		found := must(signin.ParseConfig(must(json.Marshal(part)))).Findings(at)
		for _, code := range elsewhere {
			if found.Has(code) != (missing == "") {
				t.Errorf("without %q: %s is %v", missing, code, found.Has(code))
			}
		}
	}
	// A user of whom nothing is known is not one whom nothing binds.
	tenant := must(must(signin.ParseConfig(text)).Compile(signin.Options{}))
	for text, want := range map[string]bool{`{"id":"1"}`: false, `{"id":"1","userPrincipalName":"","onPremisesUserPrincipalName":"","authorizationInfo":{"certificateUserIds":[]}}`: true} {
		user := must(policy.ParseUser([]byte(text)))
		if got := tenant.UserFindings(user).Has("signin-user-unbound"); got != want {
			t.Errorf("%s: unbound %v, missing %v", text, got, user.Missing)
		}
	}
}
