package policy_test

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/wire"
	"example.com/entracba/cba/keyid"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
)

const groupA, groupB = "33333333-3333-3333-3333-333333333333", "44444444-4444-4444-4444-444444444444"

func mustName(t testing.TB, text string) dn.Name {
	t.Helper()
	name, err := dn.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// hardened is a configuration without a warning.
func hardened(rules ...policy.Rule) policy.Config {
	return policy.HardenedBySKI([]string{groupA}, rules...)
}

var hardwareOID, _ = x509.ParseOID("1.3.6.1.4.1.99999.1")

func oid(t testing.TB, text string) x509.OID {
	t.Helper()
	oid, err := x509.ParseOID(text)
	if err != nil {
		t.Fatal(err)
	}
	return oid
}

func TestHardenedHasNoWarnings(t *testing.T) {
	for name, c := range map[string]policy.Config{
		"no rules": hardened(),
		"OID rule": hardened(policy.PolicyOIDRule(hardwareOID, policy.MultiFactor, certuserid.High)),
		"serial":   policy.HardenedByIssuerAndSerial([]string{groupA}),
	} {
		for _, f := range c.Findings() {
			if f.Severity > lint.Info {
				t.Errorf("%s: %v", name, f)
			}
		}
		if len(c.Findings()) == 0 {
			t.Errorf("%s: not even an info", name)
		}
	}
}

// Each row changes the configuration without warnings in one way, and must get
// this finding, with this severity and effect, at this place. Each code of the
// source must have a row.
func TestFindings(t *testing.T) {
	rule := func(r policy.Rule) func(*policy.Config) {
		return func(c *policy.Config) { c.AuthenticationMode.Rules = []policy.Rule{r} }
	}
	rules := func(list ...policy.Rule) func(*policy.Config) {
		return func(c *policy.Config) { c.AuthenticationMode.Rules = list }
	}
	bindings := func(list ...policy.UserBinding) func(*policy.Config) {
		return func(c *policy.Config) { c.UserBindings = list }
	}
	include := func(list ...policy.IncludeTarget) func(*policy.Config) {
		return func(c *policy.Config) { c.IncludeTargets = list }
	}
	exclude := func(list ...policy.Target) func(*policy.Config) {
		return func(c *policy.Config) { c.ExcludeTargets = list }
	}
	scopes := func(list ...policy.AuthorityScope) func(*policy.Config) {
		return func(c *policy.Config) { c.CertificateAuthorityScopes = list }
	}
	exempt := func(list ...string) func(*policy.Config) {
		return func(c *policy.Config) { c.CRLValidation.ExemptedSKIs = list }
	}
	read := func(text string) func(*policy.Config) {
		return func(c *policy.Config) {
			if err := c.UnmarshalJSON([]byte(text)); err != nil {
				panic(err)
			}
		}
	}
	const (
		none     = ""
		out, let = "locks-out", "lets-in"
		rules0   = "/authenticationModeConfiguration/rules/0"
		rules1   = "/authenticationModeConfiguration/rules/1"
	)
	ca, ski := mustName(t, "CN=CA1,DC=contoso,DC=com"), keyid.ID("010203")
	skiBinding := policy.Bind(certuserid.SKI, policy.CertificateUserIDs, 1)
	upn := policy.Bind(certuserid.PrincipalName, policy.UserPrincipalName, 2)
	with := func(b policy.UserBinding, change func(*policy.UserBinding)) policy.UserBinding { change(&b); return b }
	mf, sf, high, low := policy.MultiFactor, policy.SingleFactor, certuserid.High, certuserid.Low
	var many []policy.Rule
	for i := range 60 {
		many = append(many, policy.PolicyOIDRule(oid(t, fmt.Sprintf("1.3.6.1.4.1.99999.%d", i)), mf, high))
	}

	tests := []struct {
		code, severity, effect, where string
		change                        func(*policy.Config)
	}{
		{"unknown-property", "info", none, "/new", read(`{"new":1}`)},
		{"unknown-property", "info", none, "/State", read(`{"State":"enabled"}`)},
		{"unknown-property", "info", none, "/authenticationModeConfiguration/rules/0/when", read(`{"authenticationModeConfiguration":{"rules":[{"when":{}}]}}`)},
		{"unknown-property", "info", none, "/certificateAuthorityScopes/0/includeTargets/1/x", read(`{"certificateAuthorityScopes":[{"includeTargets":[{},{"x":1}]}]}`)},
		{"unknown-value", "warning", none, "/state", func(c *policy.Config) { c.State = "Enabled" }},
		{"unknown-value", "warning", none, "/authenticationModeConfiguration/rules/0/x509CertificateRuleType", rule(policy.Rule{Type: policy.UnknownFutureValue})},
		{"unknown-value", "warning", none, "/certificateUserBindings/0/x509CertificateField", bindings(policy.Bind("SKI", policy.CertificateUserIDs, 1))},
		{"unknown-value", "warning", none, "/certificateUserBindings/0/userProperty", bindings(policy.Bind(certuserid.PrincipalName, "email", 1))},
		{"unknown-value", "warning", none, "/excludeTargets/0/targetType", exclude(policy.Target{ID: groupB, Type: "role"})},
		{"disabled", "info", none, "/state", func(c *policy.Config) { c.State = policy.Disabled }},
		{"id", "warning", none, "/id", func(c *policy.Config) { c.ID = "Fido2" }},
		{"hints-off", "info", none, "/issuerHintsConfiguration/state", func(*policy.Config) {}},

		{"no-targets", "error", out, "/includeTargets", include()},
		{"all-users", "warning", none, "/includeTargets/0", include(policy.AllUsers())},
		{"excludes-all", "error", out, "/excludeTargets/0", exclude(policy.ExcludeGroup("all_users"))},
		{"excludes-all", "error", out, "/excludeTargets", exclude(policy.ExcludeGroup(groupA))},
		{"included-and-excluded", "warning", none, "/includeTargets/0", exclude(policy.ExcludeGroup(strings.ToUpper(groupA)))},
		{"registration-required", "info", none, "/includeTargets/0/isRegistrationRequired",
			include(policy.IncludeTarget{ID: groupA, Type: policy.GroupTarget, IsRegistrationRequired: true})},
		{"target-id", "error", none, "/includeTargets/0/id", include(policy.Group(""))},
		{"target-id", "error", none, "/includeTargets/0/id", include(policy.Group("Smart card users"))},
		{"target-duplicate", "info", none, "/includeTargets/1", include(policy.Group(groupA), policy.Group(groupA))},
		{"target-user", "warning", none, "/includeTargets/0/targetType", include(policy.IncludeTarget{ID: groupA, Type: policy.UserTarget})},
		{"target-type", "error", none, "/excludeTargets/0/targetType", exclude(policy.Target{ID: groupB})},

		{"no-bindings", "error", out, "/certificateUserBindings", bindings()},
		{"binding-priority", "error", none, "/certificateUserBindings/1/priority", bindings(skiBinding, with(upn, func(b *policy.UserBinding) { b.Priority = 1 }))},
		{"binding-priority", "error", none, "/certificateUserBindings/0/priority", bindings(with(skiBinding, func(b *policy.UserBinding) { b.Priority = -1 }))},
		{"binding-field", "error", none, "/certificateUserBindings/0/x509CertificateField", bindings(policy.UserBinding{Property: policy.UserPrincipalName})},
		{"binding-property", "error", none, "/certificateUserBindings/0/userProperty", bindings(policy.UserBinding{Field: certuserid.PrincipalName})},
		{"binding-pair", "error", none, "/certificateUserBindings/0", bindings(policy.Bind(certuserid.Subject, policy.UserPrincipalName, 1))},
		{"binding-duplicate", "warning", none, "/certificateUserBindings/1", bindings(skiBinding, with(skiBinding, func(b *policy.UserBinding) { b.Priority = 9 }))},
		{"binding-low-many", "warning", let, "/certificateUserBindings", bindings(upn, policy.Bind(certuserid.RFC822Name, policy.UserPrincipalName, 3))},
		{"binding-many", "info", none, "/certificateUserBindings", bindings(skiBinding, upn)},
		{"binding-states-high", "error", let, "/certificateUserBindings/0/trustAffinityLevel", bindings(with(upn, func(b *policy.UserBinding) { b.Affinity = high }))},
		{"binding-states-low", "warning", none, "/certificateUserBindings/0/trustAffinityLevel", bindings(with(skiBinding, func(b *policy.UserBinding) { b.Affinity = low }))},
		{"binding-name", "info", none, "/certificateUserBindings/0/x509CertificateField", bindings(policy.Bind(certuserid.IssuerAndSerialNumber, policy.CertificateUserIDs, 1))},
		{"binding-sha1", "info", none, "/certificateUserBindings/0/x509CertificateField", bindings(policy.Bind(certuserid.SHA1PublicKey, policy.CertificateUserIDs, 1))},

		{"default-multifactor", "error", let, "/authenticationModeConfiguration/x509CertificateAuthenticationDefaultMode", func(c *policy.Config) { c.AuthenticationMode.Default = mf }},
		{"default-missing", "info", none, "/authenticationModeConfiguration/x509CertificateAuthenticationDefaultMode", func(c *policy.Config) { c.AuthenticationMode.Default = "" }},
		{"affinity-no-binding", "error", out, "/authenticationModeConfiguration/x509CertificateDefaultRequiredAffinityLevel", bindings(upn)},
		{"affinity-no-binding", "error", out, "/authenticationModeConfiguration/x509CertificateDefaultRequiredAffinityLevel", bindings(with(upn, func(b *policy.UserBinding) { b.Affinity = high }))},
		{"rule-affinity-no-binding", "error", out, rules0 + "/x509CertificateRequiredAffinityLevel", func(c *policy.Config) {
			c.AuthenticationMode.DefaultAffinity = low
			c.UserBindings = []policy.UserBinding{upn}
			c.AuthenticationMode.Rules = []policy.Rule{policy.PolicyOIDRule(hardwareOID, mf, high)}
		}},
		{"affinity-ambiguous", "warning", none, rules0 + "/x509CertificateRequiredAffinityLevel", rule(policy.PolicyOIDRule(hardwareOID, mf, low))},

		{"rule-spaces", "info", none, rules0 + "/identifier", rule(policy.Rule{Type: policy.IssuerSubject, Identifier: "CN=WoodgroveCA ", Mode: sf})},
		{"rule-no-type", "error", none, rules0 + "/x509CertificateRuleType", rule(policy.Rule{Identifier: "1.2.3", Mode: sf})},
		{"rule-type", "warning", none, rules0 + "/x509CertificateRuleType", rule(policy.Rule{Type: "keyUsage", Mode: sf})},
		{"rule-mode", "error", none, rules0 + "/x509CertificateAuthenticationMode", rule(policy.PolicyOIDRule(hardwareOID, "", high))},
		{"rule-extra", "warning", none, rules0 + "/policyOidIdentifier", rule(policy.Rule{Type: policy.IssuerSubject, Identifier: "CN=CA", PolicyOIDIdentifier: "1.2.3", Mode: sf})},
		{"rule-extra", "warning", none, rules0 + "/issuerSubjectIdentifier", rule(policy.Rule{Type: policy.PolicyOID, Identifier: "1.2.3", IssuerSubjectIdentifier: "CN=CA", Mode: sf})},
		{"rule-combined", "warning", none, rules0, rule(policy.IssuerAndPolicyOIDRule(ca, hardwareOID, mf, high))},
		{"rule-incomplete", "error", none, rules0, rule(policy.Rule{Type: policy.IssuerSubjectAndPolicyOID, Identifier: "CN=CA", PolicyOIDIdentifier: "1.2.3", Mode: sf})},
		{"rule-issuer", "error", none, rules0, rule(policy.Rule{Type: policy.IssuerSubject, Identifier: "WoodgroveCA", Mode: sf})},
		{"rule-issuer", "error", none, rules0, rule(policy.Rule{Type: policy.IssuerSubject, Identifier: " ", Mode: sf})},
		{"rule-root-first", "error", none, rules0, rule(policy.Rule{Type: policy.IssuerSubject, Identifier: "DC=com,DC=contoso,CN=CA1", Mode: sf})},
		{"rule-root-first", "error", none, rules0, rule(policy.Rule{Type: policy.IssuerSubject, Identifier: "O=Contoso,CN=CA1", Mode: sf})},
		{"rule-oid", "error", none, rules0, rule(policy.Rule{Type: policy.PolicyOID, Identifier: "all issuance policies", Mode: mf})},
		{"rule-oid", "error", none, rules0, rule(policy.Rule{Type: policy.PolicyOID, Identifier: "1.2.03", Mode: mf})},
		{"rule-oid", "error", none, rules0, rule(policy.Rule{Type: policy.PolicyOID, Identifier: "9.8.7.5", Mode: mf})},
		{"rule-identifier", "error", none, rules0 + "/identifier", rule(policy.Rule{Type: policy.PolicyOID, Identifier: "1.2.3", PolicyOIDIdentifier: "1.2.4", Mode: sf})},
		{"rule-identifier", "error", none, rules0 + "/identifier", rule(policy.Rule{Type: policy.IssuerSubject, Identifier: "CN=A", IssuerSubjectIdentifier: "CN=B", Mode: sf})},
		{"rule-issuer-multifactor", "warning", let, rules0, rule(policy.IssuerRule(ca, mf, high))},
		{"rule-any-policy", "warning", let, rules0, rule(policy.PolicyOIDRule(oid(t, "2.5.29.32.0"), mf, high))},
		{"issuer-both", "error", none, rules1, rules(policy.IssuerRule(ca, mf, high), policy.Rule{Type: policy.IssuerSubject, Identifier: "cn=ca1, dc=Contoso, dc=COM", Mode: sf})},
		{"rule-conflict", "warning", none, rules1, rules(policy.PolicyOIDRule(hardwareOID, mf, high), policy.PolicyOIDRule(hardwareOID, sf, high))},
		{"rule-conflict", "warning", none, rules1, rules(policy.IssuerAndPolicyOIDRule(ca, hardwareOID, mf, high), policy.IssuerAndPolicyOIDRule(ca, hardwareOID, sf, high))},
		{"rule-affinities", "warning", none, rules1, rules(policy.PolicyOIDRule(hardwareOID, mf, high), policy.PolicyOIDRule(hardwareOID, mf, low))},
		{"rule-duplicate", "info", none, rules1, rules(policy.PolicyOIDRule(hardwareOID, mf, high), policy.PolicyOIDRule(hardwareOID, mf, high))},

		{"scopes", "info", none, "/certificateAuthorityScopes", scopes(policy.ScopeTo(ski, "Contoso PKI", groupA))},
		{"scopes-many", "error", none, "/certificateAuthorityScopes", func(c *policy.Config) {
			for i := range policy.MaxScopes + 1 {
				c.CertificateAuthorityScopes = append(c.CertificateAuthorityScopes, policy.ScopeTo(keyid.Of([]byte{byte(i)}), "Contoso PKI", groupA))
			}
		}},
		{"scope-ski", "error", none, "/certificateAuthorityScopes/0/subjectKeyIdentifier", scopes(policy.ScopeTo("", "Contoso PKI", groupA))},
		{"scope-duplicate", "error", none, "/certificateAuthorityScopes/1/subjectKeyIdentifier", scopes(policy.ScopeTo(ski, "A", groupA), policy.ScopeTo(ski, "A", groupB))},
		{"scope-name", "warning", none, "/certificateAuthorityScopes/0/publicKeyInfrastructureIdentifier", scopes(policy.ScopeTo(ski, "", groupA))},
		{"scope-no-group", "error", out, "/certificateAuthorityScopes/0/includeTargets", scopes(policy.AuthorityScope{SubjectKeyIdentifier: "00"})},
		{"scope-groups", "error", none, "/certificateAuthorityScopes/0/includeTargets", scopes(policy.AuthorityScope{SubjectKeyIdentifier: "00",
			IncludeTargets: []policy.Target{policy.ExcludeGroup(groupA), policy.ExcludeGroup(groupB)}})},
		{"scope-target", "error", none, "/certificateAuthorityScopes/0/includeTargets/0/targetType", scopes(policy.AuthorityScope{SubjectKeyIdentifier: "00",
			IncludeTargets: []policy.Target{{ID: groupA, Type: policy.UserTarget}}})},
		{"scope-target", "error", none, "/certificateAuthorityScopes/0/includeTargets/0/id", scopes(policy.ScopeTo(ski, "A", ""))},
		{"scope-target", "error", none, "/certificateAuthorityScopes/0/includeTargets/0/id", scopes(policy.ScopeTo(ski, "A", "Sales"))},

		{"crl-off", "warning", let, "/crlValidationConfiguration/state", func(c *policy.Config) { c.CRLValidation.State = policy.Disabled }},
		{"crl-state", "error", none, "/crlValidationConfiguration/state", read(`{"crlValidationConfiguration":{}}`)},
		{"crl-exempted", "warning", let, "/crlValidationConfiguration/exemptedCertificateAuthoritiesSubjectKeyIdentifiers", exempt("0102")},
		{"crl-exempted-idle", "info", none, "/crlValidationConfiguration/exemptedCertificateAuthoritiesSubjectKeyIdentifiers", func(c *policy.Config) {
			c.CRLValidation = policy.CRLValidationConfiguration{State: policy.Disabled, ExemptedSKIs: []string{"0102"}}
		}},
		{"crl-ski", "error", none, "/crlValidationConfiguration/exemptedCertificateAuthoritiesSubjectKeyIdentifiers/0", exempt("01:0")},
		{"crl-ski-form", "warning", none, "/crlValidationConfiguration/exemptedCertificateAuthoritiesSubjectKeyIdentifiers/0", exempt("01:02")},
		{"scope-ski-form", "warning", none, "/certificateAuthorityScopes/0/subjectKeyIdentifier", scopes(policy.AuthorityScope{SubjectKeyIdentifier: "01 02",
			IncludeTargets: []policy.Target{policy.ExcludeGroup(groupA)}})},
		{"crl-duplicate", "info", none, "/crlValidationConfiguration/exemptedCertificateAuthoritiesSubjectKeyIdentifiers/1", exempt("0a", "0A")},

		{"size-half", "warning", none, "", rules(many...)},
		{"size", "error", none, "", rules(append(many, many...)...)},
	}
	covered := map[string]bool{}
	for i, test := range tests {
		covered[test.code] = true
		c := hardened()
		test.change(&c)
		var near []string
		ok := false
		for _, f := range c.Findings() {
			if f.Code == "policy-"+test.code {
				near = append(near, fmt.Sprintf("%v %q at %s", f.Severity, f.Effect, f.Where))
				ok = ok || f.Severity.String() == test.severity && f.Effect.String() == test.effect && f.Where == test.where
			}
			if f.What == "" || f.Source == "" || strings.ContainsAny(f.What, "\n\r") {
				t.Errorf("row %d: incomplete finding %v", i, f)
			}
		}
		if !ok {
			t.Errorf("row %d: no %s finding %s %q at %s, but %q", i, test.severity, test.code, test.effect, test.where, near)
		}
		// The finding comes from the change, but for what the hardened preset has.
		if hardened().Findings().Has("policy-"+test.code) && test.code != "hints-off" {
			t.Errorf("row %d: %s is there without the change", i, test.code)
		}
	}
	for _, rule := range policy.Rules() {
		if !covered[strings.TrimPrefix(rule.Code, "policy-")] {
			t.Errorf("no row for %s", rule.Code)
		}
	}
	for code := range covered {
		if !slices.ContainsFunc(policy.Rules(), func(r lint.Rule) bool { return r.Code == "policy-"+code }) {
			t.Errorf("%s is no rule", code)
		}
	}
}

// A finding has what its rule says, and its place is in the configuration.
func TestFindingsAreThoseOfTheirRules(t *testing.T) {
	c := mustParse(t, strings.Replace(live, `"rules":[]`, `"rules":[{"identifier":"x "}],"Odd/name":1`, 1))
	text := []byte(mustMarshal(t, c))
	for _, f := range c.Findings() {
		i := slices.IndexFunc(policy.Rules(), func(r lint.Rule) bool { return r.Code == f.Code })
		if i < 0 {
			t.Errorf("%s is no rule", f.Code)
			continue
		}
		if r := policy.Rules()[i]; r.Severity != f.Severity || r.Effect != f.Effect || r.Source != f.Source || f.About == "" {
			t.Errorf("%+v is not %+v", f, r)
		}
		parent := f.Where[:max(strings.LastIndexByte(f.Where, '/'), 0)]
		if f.Where != "" && (!strings.HasPrefix(f.Where, "/") || parent != "" && wire.Offset(text, parent) == 0) {
			t.Errorf("%s: nothing at %s", f.Code, f.Where)
		}
	}
	rules := policy.Rules()
	rules[0].Code = "changed"
	if policy.Rules()[0].Code == "changed" {
		t.Error("the table can be changed")
	}
	for _, r := range policy.Rules() {
		if !strings.HasPrefix(r.Code, "policy-") || r.Severity == 0 || r.What == "" || r.Source.URL() == "" || r.Do == "" && r.Severity > lint.Info {
			t.Errorf("incomplete rule %+v", r)
		}
	}
}

// A rule that requires what the default requires is not reported again.
func TestAffinityIsReportedOnce(t *testing.T) {
	c := hardened(policy.PolicyOIDRule(hardwareOID, policy.MultiFactor, certuserid.High))
	c.UserBindings = []policy.UserBinding{policy.Bind(certuserid.PrincipalName, policy.UserPrincipalName, 1)}
	if found := c.Findings(); !found.Has("policy-affinity-no-binding") || found.Has("policy-rule-affinity-no-binding") {
		t.Errorf("%v", found)
	}
}

// What a wrong subject key identifier was meant to be is proposed.
func TestFindingsProposeTheRightText(t *testing.T) {
	c := hardened(
		policy.Rule{Type: policy.IssuerSubject, Identifier: "DC=com,DC=contoso,CN=CA1", Mode: policy.SingleFactor},
		policy.Rule{Type: policy.PolicyOID, Identifier: "All Issuance Policies", Mode: policy.SingleFactor},
	)
	c.CRLValidation.ExemptedSKIs = []string{"\u200e9a 42 48"}
	c.UserBindings[0].Field = "SKI"
	for code, do := range map[string]string{
		"policy-rule-root-first": `write "CN=CA1,DC=contoso,DC=com"`,
		"policy-rule-oid":        "write 2.5.29.32.0",
		"policy-crl-ski-form":    `write "9A4248"`,
		"policy-unknown-value":   "write SubjectKeyIdentifier, as Graph calls it",
	} {
		found := false
		for _, f := range c.Findings() {
			found = found || f.Code == code && f.Do == do
		}
		if !found {
			t.Errorf("no %s that says %q in %v", code, do, c.Findings())
		}
	}
}

// Issuers in their right order are not taken for root-first ones.
func TestIssuersInOrderAreNotReported(t *testing.T) {
	for _, issuer := range []string{
		"CN=WoodgroveCA", "CN=ContosoCA,DC=Contoso,DC=org ", "OU=Class 3 Public Primary Certification Authority, O=VeriSign, C=US",
		"CN=CA+OU=PKI,C=US", "DC=contoso,DC=com", "CN=a,CN=b,DC=contoso,DC=com", "E=ca@contoso.com,CN=CA,O=Contoso,C=US",
	} {
		c := hardened(policy.Rule{Type: policy.IssuerSubject, Identifier: issuer, Mode: policy.SingleFactor, RequiredAffinity: certuserid.High})
		for _, f := range c.Findings() {
			if f.Severity == lint.Error {
				t.Errorf("%q: %v", issuer, f)
			}
		}
	}
}

// No text of a configuration can break a line of a finding, a step or an error.
func TestTextsStayInOneLine(t *testing.T) {
	const evil = `\n\u001b[31mpass  everything\u2028`
	text := strings.NewReplacer("$", evil).Replace(`{"$":"$","id":"$","state":"$","excludeTargets":[{"id":"33333333-3333-3333-3333-333333333333","targetType":"$"}],
	 "certificateUserBindings":[{"x509CertificateField":"$","userProperty":"$","trustAffinityLevel":"$","$":1}],
	 "authenticationModeConfiguration":{"x509CertificateAuthenticationDefaultMode":"$","x509CertificateDefaultRequiredAffinityLevel":"$",
	 "rules":[{"x509CertificateRuleType":"$","identifier":"$"},{"x509CertificateRuleType":"issuerSubject","identifier":"CN=$","x509CertificateAuthenticationMode":"$","x509CertificateRequiredAffinityLevel":"$"},
	 {"x509CertificateRuleType":"policyOID","identifier":"$","policyOidIdentifier":"1.2"},{"x509CertificateRuleType":"issuerSubjectAndPolicyOID","issuerSubjectIdentifier":"$","policyOidIdentifier":"$"}]},
	 "certificateAuthorityScopes":[{"subjectKeyIdentifier":"03","publicKeyInfrastructureIdentifier":"$","includeTargets":[{"id":"$","targetType":"$"}]},{"subjectKeyIdentifier":"$"}],
	 "crlValidationConfiguration":{"state":"$","exemptedCertificateAuthoritiesSubjectKeyIdentifiers":["$"]},"includeTargets":[{"id":"$","targetType":"$"}]}`)
	c := mustParse(t, text)
	var lines []string
	for _, f := range c.Findings() {
		lines = append(lines, f.String(), string(f.Source))
	}
	user := benchUser(t)
	user.AuthorizationInfo.CertificateUserIDs = []string{"X509:<PN>\n\u2028", "\x1b"}
	user.UserPrincipalName = "a\nb"
	p := compiled(c)
	_, steps := p.ExplainCAScope(user, []keyid.ID{"03"})
	for _, s := range append(p.Explain(prepare(t, benchSpec.certificate(t)), user).Steps, steps...) {
		lines = append(lines, s.Detail)
	}
	_, err := policy.Parse([]byte(strings.ReplaceAll(`{"$":{"$":1,"$":2}}`, "$", evil)))
	lines = append(lines, err.Error())
	_, err = policy.Parse([]byte(strings.ReplaceAll(`{"@odata.type":"$"}`, "$", evil)))
	lines = append(lines, err.Error())
	for _, line := range lines {
		if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q", line)
		}
	}
	if len(lines) < 60 {
		t.Errorf("only %d lines", len(lines))
	}
}

func TestServiceDefaultFindings(t *testing.T) {
	var got []string
	for _, f := range policy.ServiceDefault().Findings() {
		if f.Severity > lint.Info {
			got = append(got, f.Code)
		}
	}
	if want := "policy-all-users policy-binding-low-many policy-crl-off"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
