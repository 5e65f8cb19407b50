package signin_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
)

const preferredCode = "signin-preferred"

// with is the tenant of the cases with one more property.
func with(t *testing.T, name, value string) []byte {
	t.Helper()
	var whole map[string]json.RawMessage
	must(0, json.Unmarshal(document(t, "tenant-base.json"), &whole))
	whole[name] = json.RawMessage(value)
	return must(json.Marshal(whole))
}

// What system-preferred authentication does to users in scope who have no certificate
// is said, and a finding where it is known to make them fail.
func TestPreferred(t *testing.T) {
	all := `"includeTargets":[{"targetType":"group","id":"all_users"}],"excludeTargets":[]`
	for _, test := range []struct {
		value   string // of systemCredentialPreferences
		says    string
		finding bool
	}{
		{`{"@odata.type":"#microsoft.graph.systemCredentialPreferences","state":"default",` + all + `}`, "Microsoft-managed: they fail at once", true},
		{`{"State":"default","IncludeTargets":{"Id":"all_users","TargetType":"group"}}`, "Microsoft-managed: they fail at once", true},
		{`{"state":"default","includeTargets":[{"targetType":"group","id":"00000000-0000-0000-0000-000000000001"}]}`, "those whom it is for fail at once", true},
		{`{"state":"default","includeTargets":[{"targetType":"group","id":"all_users"}],"excludeTargets":[{"targetType":"group","id":"g"}]}`, "those whom it is for", true},
		{`{"state":"enabled",` + all + `}`, "for the second factor", false},
		{`{"state":"disabled",` + all + `}`, "is disabled", false},
		{`{"state":"later"}`, `the state "later"`, false},
		{`{"state":null}`, "does not contain systemCredentialPreferences; if", false},
		{`null`, "does not contain systemCredentialPreferences; if", false},
	} {
		config, err := signin.ParseConfig(with(t, "systemCredentialPreferences", test.value))
		if err != nil {
			t.Errorf("%s: %v", test.value, err)
			continue
		}
		tenant := must(config.Compile(signin.Options{}))
		if got := tenant.WithoutCertificate(); !strings.Contains(got, test.says) || !strings.Contains(got, "register other methods") {
			t.Errorf("%s: %s", test.value, got)
		}
		found := func() bool {
			return slices.ContainsFunc(config.Findings(worldNow), func(f lint.Finding) bool { return f.Code == preferredCode })
		}
		if found() != test.finding {
			t.Errorf("%s: the finding: %v", test.value, found())
		}
		config.Policy.State = policy.Disabled
		if found() {
			t.Errorf("%s: a finding although the method is disabled", test.value)
		}
	}
	if _, err := signin.ParseConfig(with(t, "systemCredentialPreferences", `"default"`)); !errors.Is(err, signin.Malformed) {
		t.Errorf("a text instead of the object: %v", err)
	}
	if _, err := (signin.Config{Extra: map[string]json.RawMessage{"domains": []byte(`3`)}}).Compile(signin.Options{}); !errors.Is(err, signin.Malformed) {
		t.Errorf("a number instead of the domains: %v", err)
	}
	var none *signin.Tenant
	if none.WithoutCertificate() != "" {
		t.Error("a nil tenant says something")
	}

	// The whole authenticationMethodsPolicy has it beside the method.
	var whole map[string]json.RawMessage
	must(0, json.Unmarshal(document(t, "tenant-base.json"), &whole))
	method := `{"id":"authenticationMethodsPolicy","systemCredentialPreferences":{"state":"disabled"},"authenticationMethodConfigurations":[` + string(whole["x509Certificate"]) + `]}`
	for name, text := range map[string]string{"alone": method, "wrapped": `{"value":[` + method + `]}`, "as the method": `{"x509Certificate":` + method + `}`} {
		config, err := signin.ParseConfig([]byte(text))
		if err != nil || string(config.Extra["systemCredentialPreferences"]) != `{"state":"disabled"}` || config.Policy.State != policy.Enabled {
			t.Errorf("%s: %s, %v", name, config.Extra, err)
		}
	}
}

// A user without a certificate: in scope after the change, out of scope, or not known.
func TestCompareWithoutCertificate(t *testing.T) {
	tenant := func(change func(*policy.Config)) *signin.Tenant {
		config := must(signin.ParseConfig(document(t, "tenant-base.json")))
		change(&config.Policy)
		return must(config.Compile(signin.Options{}))
	}
	const id = "11111111-2222-3333-4444-555555555555"
	everybody := func(c *policy.Config) { c.IncludeTargets = []policy.IncludeTarget{policy.AllUsers()} }
	group := func(c *policy.Config) { c.IncludeTargets = []policy.IncludeTarget{policy.Group(id)} }
	disabled := func(c *policy.Config) { everybody(c); c.State = policy.Disabled }
	unknown := must(policy.ParseUser([]byte(`{"id":"1","userPrincipalName":"a@contoso.org"}`)))
	member := must(policy.ParseUser([]byte(`{"id":"1","userPrincipalName":"a@contoso.org","transitiveMemberOf":[{"id":"` + id + `"}]}`)))
	other := must(policy.ParseUser([]byte(`{"id":"1","userPrincipalName":"a@contoso.org","transitiveMemberOf":[]}`)))
	for name, test := range map[string]struct {
		after func(*policy.Config)
		user  *policy.User
		want  signin.Difference
	}{
		"everybody": {everybody, &unknown, signin.WithoutCertificate}, "of the group": {group, &member, signin.WithoutCertificate},
		"not of the group": {group, &other, signin.Same}, "perhaps of the group": {group, &unknown, signin.NotKnown}, "disabled": {disabled, &unknown, signin.Same},
	} {
		cases := func(yield func(signin.Case, error) bool) { yield(signin.Case{User: test.user}, nil) }
		for change, err := range signin.Compare(context.Background(), tenant(everybody), tenant(test.after), cases, signin.CompareOptions{At: worldNow}) {
			if err != nil || change.Difference != test.want || change.After.SignedIn {
				t.Errorf("%s: %v, %v", name, change.Difference, err)
			}
		}
	}
}

// A federated domain is an assumption that can change the verdict, for its users alone.
func TestFederated(t *testing.T) {
	user := must(policy.ParseUser(document(t, "user.json")))
	_, domain, _ := strings.Cut(user.UserPrincipalName, "@")
	for _, test := range []struct{ domains, says string }{
		{`[{"id":"` + strings.ToUpper(domain) + `","authenticationType":"Federated"}]`, "staged rollout"},
		{`{"@odata.context":"x","value":[{"id":"other.org","authenticationType":"Managed"},{"id":"` + domain + `","authenticationType":"Federated"}]}`, "staged rollout"},
		{`[{"id":"` + domain + `","authenticationType":"Later"}]`, `"Later"`},
		{`[{"id":"` + domain + `","authenticationType":"Managed"},{"id":"other.org","authenticationType":"Federated"}]`, ""},
		{`[{"id":"sub.` + domain + `","authenticationType":"Federated"}]`, ""},
		{`null`, ""},
	} {
		v := ask(t, with(t, "domains", test.domains), signin.Requirement{})
		i := slices.IndexFunc(v.Assumptions, func(a signin.Assumption) bool { return a.ID == "tenant.domains" })
		switch {
		case !v.SignedIn:
			t.Errorf("%s: %s", test.domains, v.Message)
		case test.says == "" && i >= 0, test.says != "" && (i < 0 || !v.Assumptions[i].ChangesVerdict || !strings.Contains(v.Assumptions[i].Text, test.says)):
			t.Errorf("%s: %+v", test.domains, v.Assumptions)
		}
	}
	for _, domains := range []string{`"x"`, `[3]`, `{"a":1}`, `[{"id":"x","authenticationType":1}]`} {
		if _, err := signin.ParseConfig(with(t, "domains", domains)); !errors.Is(err, signin.Malformed) {
			t.Errorf("%s: %v", domains, err)
		}
	}
}
