package signin_test

import (
	"encoding/json"
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
	// A user of whom nothing is known is not one whom nothing binds.
	tenant := must(must(signin.ParseConfig(text)).Compile(signin.Options{}))
	for text, want := range map[string]bool{`{"id":"1"}`: false, `{"id":"1","userPrincipalName":"","onPremisesUserPrincipalName":"","authorizationInfo":{"certificateUserIds":[]}}`: true} {
		user := must(policy.ParseUser([]byte(text)))
		if got := tenant.UserFindings(user).Has("signin-user-unbound"); got != want {
			t.Errorf("%s: unbound %v, missing %v", text, got, user.Missing)
		}
	}
}
