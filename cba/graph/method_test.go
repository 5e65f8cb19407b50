package graph_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/policy"
)

const methodURL = "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/x509Certificate"

// withRule is a configuration with a rule of issuer and policy, whose type is a
// member behind the sentinel of its enumeration.
const withRule = `{
  "id": "X509Certificate", "state": "enabled", "excludeTargets": [],
  "certificateUserBindings": [
    {"x509CertificateField": "SubjectKeyIdentifier", "userProperty": "certificateUserIds", "priority": 1, "trustAffinityLevel": "high"}],
  "authenticationModeConfiguration": {
    "x509CertificateAuthenticationDefaultMode": "x509CertificateSingleFactor",
    "x509CertificateDefaultRequiredAffinityLevel": "high",
    "rules": [{"x509CertificateRuleType": "issuerSubjectAndPolicyOID", "identifier": null,
      "issuerSubjectIdentifier": "CN=WoodgroveCA", "policyOidIdentifier": "1.2.3.4",
      "x509CertificateAuthenticationMode": "x509CertificateMultiFactor", "x509CertificateRequiredAffinityLevel": "high"}]},
  "certificateAuthorityScopes": [],
  "issuerHintsConfiguration": {"state": "disabled"},
  "crlValidationConfiguration": {"state": "enabled", "exemptedCertificateAuthoritiesSubjectKeyIdentifiers": []},
  "includeTargets": [{"targetType": "group", "id": "all_users", "isRegistrationRequired": false}]
}`

func ruled() graphtest.Tenant {
	t := people()
	t.Policy = []byte(withRule)
	return t
}

func TestPolicy(t *testing.T) {
	f := newTenant(t, ruled(), graphtest.Options{})
	config, err := f.Policy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := config.AuthenticationMode.Rules[0].Type; got != policy.IssuerSubjectAndPolicyOID {
		t.Errorf("rule type %v: the request does not say that it knows of later members", got)
	}
	all := f.asked()
	if len(all) != 1 || all[0].Method != "GET" || all[0].URL != f.URL+methodURL || len(all[0].Body) != 0 {
		t.Fatalf("requests: %+v", all)
	}
	for name, want := range map[string]string{"Prefer": "include-unknown-enum-members", "Accept": "application/json"} {
		if got := all[0].Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestApplyPolicy(t *testing.T) {
	f := newTenant(t, ruled(), graphtest.Options{Lag: graphtest.Delay{Reads: 2}})
	before, err := f.Policy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	after := before
	after.AuthenticationMode.Rules = append(after.AuthenticationMode.Rules[:1:1], policy.Rule{
		Type: policy.PolicyOID, Identifier: "1.2.3.5", PolicyOIDIdentifier: "1.2.3.5", Mode: policy.MultiFactor, RequiredAffinity: certuserid.High})
	plan, err := f.PlanPolicy(t.Context(), after)
	if err != nil {
		t.Fatal(err)
	}
	want := `+ authenticationModeConfiguration.rules[policyOID 1.2.3.5]: {"x509CertificateRuleType":"policyOID","identifier":"1.2.3.5","policyOidIdentifier":"1.2.3.5","x509CertificateAuthenticationMode":"x509CertificateMultiFactor","x509CertificateRequiredAffinityLevel":"high"}`
	if got := plan.String(); got != want {
		t.Errorf("plan:\n%s\nwant:\n%s", got, want)
	}
	f.asked()
	now, err := f.ApplyPolicy(t.Context(), plan, graph.ApplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(now.AuthenticationMode.Rules) != 2 {
		t.Errorf("%d rules in force", len(now.AuthenticationMode.Rules))
	}
	all := f.asked()
	var patch *graphtest.Request
	for i := range all {
		if all[i].Method == http.MethodPatch {
			patch = &all[i]
		}
	}
	if patch == nil || patch.URL != f.URL+methodURL || patch.Status != http.StatusNoContent {
		t.Fatalf("no PATCH of the configuration: %+v", all)
	}
	body, _ := after.PatchBody()
	if !bytes.Equal(patch.Body, body) {
		t.Errorf("body %s, want %s", patch.Body, body)
	}
	for _, part := range []string{`"@odata.type":"#microsoft.graph.x509CertificateAuthenticationMethodConfiguration"`, `"issuerSubjectAndPolicyOID"`, `"includeTargets"`} {
		if !strings.Contains(string(patch.Body), part) {
			t.Errorf("the body lacks %s", part)
		}
	}
	if strings.Contains(string(patch.Body), "@odata.context") {
		t.Error("the body has an annotation of an answer")
	}
	for name, want := range map[string]string{"Content-Type": "application/json", "Prefer": "include-unknown-enum-members"} {
		if got := patch.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if len(f.waited) == 0 {
		t.Error("it did not wait for the replicas")
	}
	// Once more: nothing is written.
	if plan, err = f.PlanPolicy(t.Context(), after); err != nil || !plan.Empty() || plan.String() != "" {
		t.Fatalf("second plan: %v, %v", plan, err)
	}
	if _, err := f.ApplyPolicy(t.Context(), plan, graph.ApplyOptions{}); err != nil || f.writes() != 0 {
		t.Fatalf("second apply: %v", err)
	}
	// And back.
	undo, err := graph.PolicyPlan{Before: now, After: before}.Reverse()
	if err != nil {
		t.Fatal(err)
	}
	if undo, err = undo.Reverse(); err != nil {
		t.Fatal(err)
	}
	back, err := f.ApplyPolicy(t.Context(), undo, graph.ApplyOptions{})
	if err != nil || !back.Equal(before) {
		t.Fatalf("undo: %v", err)
	}
}

func TestApplyPolicyRefuses(t *testing.T) {
	f := newTenant(t, ruled(), graphtest.Options{})
	before, err := f.Policy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]func(*policy.Config){
		"no bindings":      func(c *policy.Config) { c.UserBindings = nil },
		"no high binding":  func(c *policy.Config) { c.UserBindings[0].Field = certuserid.PrincipalName },
		"no targets":       func(c *policy.Config) { c.IncludeTargets = []policy.IncludeTarget{} },
		"method disabled":  func(c *policy.Config) { c.State = policy.Disabled },
		"everyone exclude": func(c *policy.Config) { c.ExcludeTargets = []policy.Target{policy.ExcludeGroup(policy.AllUsersID)} },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			after := before
			after.UserBindings = append([]policy.UserBinding(nil), before.UserBindings...)
			change(&after)
			plan, err := f.PlanPolicy(t.Context(), after)
			if err != nil || plan.Empty() {
				t.Fatal(err, plan)
			}
			f.asked()
			_, err = f.ApplyPolicy(t.Context(), plan, graph.ApplyOptions{})
			var lock *graph.Error
			if !errors.Is(err, graph.Lockout) || !errors.As(err, &lock) || len(lock.Findings) == 0 || !strings.Contains(err.Error(), "AllowLockout") {
				t.Fatalf("error %v", err)
			}
			if f.writes() != 0 {
				t.Error("it was written")
			}
		})
	}
	t.Run("told to", func(t *testing.T) {
		after := before
		after.State = policy.Disabled
		plan, _ := f.PlanPolicy(t.Context(), after)
		if now, err := f.ApplyPolicy(t.Context(), plan, graph.ApplyOptions{AllowLockout: true}); err != nil || now.State != policy.Disabled {
			t.Fatal(now.State, err)
		}
	})
	t.Run("stale", func(t *testing.T) {
		plan, _ := f.PlanPolicy(t.Context(), before)
		other := graphtest.Tenant{Policy: []byte(strings.Replace(withRule, `"CN=WoodgroveCA"`, `"CN=OtherCA"`, 1))}
		if err := f.Load(other); err != nil {
			t.Fatal(err)
		}
		f.asked()
		if _, err := f.ApplyPolicy(t.Context(), plan, graph.ApplyOptions{}); !errors.Is(err, graph.Stale) || f.writes() != 0 {
			t.Fatal(err)
		}
		if _, err := f.ApplyPolicy(t.Context(), plan, graph.ApplyOptions{AllowStale: true}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestResetPolicy(t *testing.T) {
	f := newTenant(t, ruled(), graphtest.Options{Lag: graphtest.Delay{Reads: 1}})
	_, _, err := f.ResetPolicy(t.Context(), graph.ApplyOptions{})
	if !errors.Is(err, graph.Lockout) || f.writes() != 0 {
		t.Fatal(err)
	}
	before, after, err := f.ResetPolicy(t.Context(), graph.ApplyOptions{AllowLockout: true})
	if err != nil {
		t.Fatal(err)
	}
	if before.State != policy.Enabled || !after.Equal(policy.ServiceDefault()) {
		t.Errorf("before %v, after %+v", before.State, after)
	}
	var deletes []string
	for _, r := range f.asked() {
		if r.Method == http.MethodDelete {
			deletes = append(deletes, r.URL)
		}
	}
	if diff := cmp.Diff([]string{f.URL + methodURL}, deletes); diff != "" {
		t.Error(diff)
	}
}

// What this module does not know must survive reading, changing and writing.
func TestPolicyKeepsUnknown(t *testing.T) {
	f := newTenant(t, ruled(), graphtest.Options{})
	f.inject(graphtest.Fault{Kind: graphtest.UnknownEnum, Path: "/policies/**", Enum: "x509CertificateRuleType", Times: -1})
	config, err := f.Policy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := string(config.AuthenticationMode.Rules[0].Type); got != "notYetInvented" {
		t.Fatalf("rule type %q", got)
	}
	config.CRLValidation.ExemptedSKIs = []string{"aabb"}
	body, err := config.PatchBody()
	if err != nil || !strings.Contains(string(body), `"x509CertificateRuleType":"notYetInvented"`) {
		t.Fatalf("%s, %v", body, err)
	}
}

func TestUnverified(t *testing.T) {
	f := newTenant(t, ruled(), graphtest.Options{Lag: graphtest.Delay{Reads: 1000}})
	f.Patience = 10 * time.Second
	after, err := f.Policy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	after.IssuerHints.State = policy.Enabled
	plan, _ := f.PlanPolicy(t.Context(), after)
	if _, err := f.ApplyPolicy(t.Context(), plan, graph.ApplyOptions{}); !errors.Is(err, graph.NotVisible) {
		t.Fatal(err)
	}
	var total time.Duration
	for _, d := range f.waited {
		total += d
	}
	if total > 10*time.Second || total < 5*time.Second {
		t.Errorf("it waited %v of 10s", total)
	}
}

// A plan whose Before knows less than the tenant has is stale: what it does not know
// could have been changed by another program.
func TestStaleProperty(t *testing.T) {
	f := newTenant(t, ruled(), graphtest.Options{})
	known, err := policy.Parse([]byte(`{"id":"X509Certificate","state":"enabled"}`))
	if err != nil {
		t.Fatal(err)
	}
	after := known.Clone()
	after.State = policy.Disabled
	f.asked()
	if _, err := f.ApplyPolicy(t.Context(), graph.PolicyPlan{Before: known, After: after}, graph.ApplyOptions{AllowLockout: true}); !errors.Is(err, graph.Stale) || f.writes() != 0 {
		t.Error(err)
	}
}
