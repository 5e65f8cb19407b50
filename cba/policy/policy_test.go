package policy_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/keyid"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"github.com/google/go-cmp/cmp"
)

func TestZeroConfigSignsNobodyIn(t *testing.T) {
	p := compiled(policy.Config{})
	user := benchUser(t)
	e := p.Explain(prepare(t, benchSpec.certificate(t)), user)
	if e.SignsIn() || e.Enabled || e.InScope || e.Bound || e.AuthenticationMode != policy.SingleFactor {
		t.Errorf("%+v", e.Decision)
	}
	failed := []string{}
	for _, s := range e.Steps {
		if s.Outcome == lint.Fail {
			failed = append(failed, s.Name)
		}
	}
	if diff := cmp.Diff([]string{policy.StepMethod, policy.StepIncluded, policy.StepUsername}, failed); diff != "" {
		t.Error(diff)
	}
	if (policy.Decision{}).SignsIn() || (policy.ScopeDecision{}).Allowed {
		t.Error("a zero decision lets somebody in")
	}
}

func TestNewCertificateRefusesWhatWasNotParsed(t *testing.T) {
	for _, cert := range []*x509.Certificate{nil, {}, {Raw: []byte{1}, RawIssuer: []byte{1}}} {
		if c, err := policy.NewCertificate(cert, certuserid.Options{}); err == nil || c != nil {
			t.Errorf("%+v was taken", cert)
		}
	}
}

// Certificates that are odd but legal give a decision: no subjectAltName, no
// identifiers, an empty subject, an empty issuer, 1,000 policy OIDs, a broken
// subjectAltName, an extension of 5 MB.
func TestOddCertificates(t *testing.T) {
	many := benchSpec
	for i := range 1000 {
		many.Policies = append(many.Policies, fmt.Sprintf("1.3.6.1.4.1.99998.%d", i))
	}
	large := benchSpec
	large.Names = []string{"upn:" + strings.Repeat("a", 5<<20) + "@woodgrove.com"}
	for name, test := range map[string]struct {
		spec  certSpec
		bound bool
		rule  int
	}{
		"as it is":          {benchSpec, true, 49},
		"no names":          {certSpec{Issuer: benchSpec.Issuer, Subject: "CN=Bob", Serial: benchSpec.Serial}, true, 0},
		"nothing":           {certSpec{Issuer: "CN=Unknown", Serial: "01"}, false, -1},
		"empty issuer":      {certSpec{Subject: "CN=Bob", Serial: "01"}, false, -1},
		"1,000 policy OIDs": {many, true, 49},
		"5 MB of name":      {large, true, 49},
	} {
		p := compiled(benchConfig(t, 50))
		e := p.Explain(prepare(t, test.spec.certificate(t)), benchUser(t))
		if e.Bound != test.bound || e.RuleIndex != test.rule {
			t.Errorf("%s: %+v", name, e.Decision)
		}
		for _, s := range e.Steps {
			if len(s.Detail) > 2000 {
				t.Errorf("%s: a detail of %d bytes", name, len(s.Detail))
			}
		}
	}
}

// A configuration as large as can be read is compiled, linted and explained in
// the time of a few sorts of its size, not of its square.
func TestHostileSizes(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	for name, text := range map[string]string{
		"empty rules":    `{"authenticationModeConfiguration":{"rules":[` + strings.Repeat(`{},`, 20_000) + `{}]}}`,
		"same rules":     `{"authenticationModeConfiguration":{"rules":[` + strings.Repeat(`{"x509CertificateRuleType":"policyOID","identifier":"1.3.6.1.4.1.99999.1000"},`, 6_000) + `{}]}}`,
		"high and low":   `{"authenticationModeConfiguration":{"rules":[` + strings.Repeat(`{"x509CertificateRequiredAffinityLevel":"high"},`, 3_000) + `{}]},"certificateUserBindings":[` + strings.Repeat(`{"x509CertificateField":"PrincipalName","userProperty":"certificateUserIds"},`, 6_000) + `{}]}`,
		"empty bindings": `{"certificateUserBindings":[` + strings.Repeat(`{},`, 20_000) + `{}]}`,
		"targets":        `{"includeTargets":[` + strings.Repeat(`{"id":"a"},`, 10_000) + `{}]}`,
		"scopes":         `{"certificateAuthorityScopes":[` + strings.Repeat(`{"subjectKeyIdentifier":"00"},`, 5_000) + `{}]}`,
		"names":          `{` + manyNames(10_000) + `}`,
		"deep":           `{"x":` + strings.Repeat(`[`, 60) + strings.Repeat(`0,`, 100_000) + `0` + strings.Repeat(`]`, 60) + `}`,
	} {
		start := time.Now()
		c := mustParse(t, text)
		c.Findings()
		compiled(c).Explain(prepare(t, benchSpec.certificate(t)), benchUser(t))
		if _, err := c.PatchBody(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes in %v", name, len(text), time.Since(start))
	}
}

func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"a%d":1`, i)
	}
	return b.String()
}

// A policy does not change when the program changes what it was made from or
// what it gives out.
func TestPolicyIsImmutable(t *testing.T) {
	c := benchConfig(t, 50)
	c.CertificateAuthorityScopes = []policy.AuthorityScope{policy.ScopeTo("01", "PKI", groupA)}
	c.CRLValidation = policy.CRLValidationConfiguration{State: policy.Enabled, ExemptedSKIs: []string{"01"}}
	p := compiled(c)
	cert, user := prepare(t, benchSpec.certificate(t)), benchUser(t)
	before := mustJSON(t, p.Explain(cert, user))
	for _, c := range []policy.Config{c, p.Config()} {
		c.UserBindings[6].Field = "x"
		c.AuthenticationMode.Rules[49] = policy.Rule{}
		c.IncludeTargets[0].ID = ""
		c.CertificateAuthorityScopes[0].IncludeTargets[0].ID = "x"
		c.CRLValidation.ExemptedSKIs[0] = "02"
	}
	if after := mustJSON(t, p.Explain(cert, user)); after != before {
		t.Errorf("the policy changed:\n%s", cmp.Diff(before, after))
	}
	if !p.Config().Equal(func() policy.Config {
		c := benchConfig(t, 50)
		c.CertificateAuthorityScopes = []policy.AuthorityScope{policy.ScopeTo("01", "PKI", groupA)}
		c.CRLValidation = policy.CRLValidationConfiguration{State: policy.Enabled, ExemptedSKIs: []string{"01"}}
		return c
	}()) {
		t.Error("the configuration of the policy changed")
	}
}

// Bindings of one priority, which the service does not allow, are tried in the
// same order however they stand.
func TestEqualPrioritiesHaveOneOrder(t *testing.T) {
	list := []policy.UserBinding{
		policy.Bind(certuserid.RFC822Name, policy.OnPremisesUserPrincipalName, 1), policy.Bind(certuserid.PrincipalName, policy.UserPrincipalName, 1),
		policy.Bind(certuserid.PrincipalName, policy.OnPremisesUserPrincipalName, 1), policy.Bind(certuserid.SKI, policy.CertificateUserIDs, 1),
	}
	user := &policy.User{UserPrincipalName: "robert@woodgrove.com", OnPremisesUserPrincipalName: "robert@woodgrove.com",
		AuthorizationInfo: policy.AuthorizationInfo{CertificateUserIDs: []string{"X509:<SKI>" + benchSpec.SKI}}}
	cert := prepare(t, benchSpec.certificate(t))
	for range 24 {
		rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		e := compiled(policy.Config{UserBindings: list}).Explain(cert, user)
		if e.Binding == nil || e.Binding.Field != certuserid.PrincipalName || e.Binding.Property != policy.OnPremisesUserPrincipalName {
			t.Fatalf("%v: bound by %+v", list, e.Binding)
		}
	}
}

// One policy and one certificate serve many goroutines; run with -race.
func TestConcurrentUse(t *testing.T) {
	p := compiled(benchConfig(t, 50))
	cert, user := prepare(t, benchSpec.certificate(t)), benchUser(t)
	want := mustJSON(t, p.Explain(cert, user))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if got := mustJSON(t, p.Explain(cert, user)); got != want {
					t.Error("another answer")
				}
				p.With(policy.Readings{AnyName: true}).Decide(cert, user)
				p.Config().Findings()
				p.CAScope(user, []keyid.ID{"01"})
			}
		})
	}
	wg.Wait()
}

// Every reading is an option, and turning every one alone changes the outcome of
// some case.
func TestEveryReadingMattersSomewhere(t *testing.T) {
	typ := reflect.TypeFor[policy.Readings]()
	matters := map[string]bool{}
	for _, dir := range caseDirs(t) {
		c := loadCase(t, dir)
		p, cert := compiled(c.config), prepare(t, c.cert)
		d := p.Decide(cert, &c.user)
		for i := range typ.NumField() {
			var r policy.Readings
			reflect.ValueOf(&r).Elem().Field(i).SetBool(true)
			other := p.With(r).Decide(cert, &c.user)
			if other.Bound != d.Bound || other.AuthenticationMode != d.AuthenticationMode {
				matters[typ.Field(i).Name] = true
			}
			if p.With(r).With(policy.Readings{}).Decide(cert, &c.user) != d {
				t.Errorf("%s: the zero Readings do not give the first decision back", dir)
			}
		}
	}
	for i := range typ.NumField() {
		if name := typ.Field(i).Name; !matters[name] {
			t.Errorf("%s changes no case", name)
		}
	}
}

// Under a chosen reading the assumption says so, and the other reading is the
// usual one.
func TestAssumptionsUnderAChosenReading(t *testing.T) {
	p := compiled(policy.ServiceDefault()).With(policy.Readings{ExactNames: true})
	e := p.Explain(prepare(t, benchSpec.certificate(t)), &policy.User{UserPrincipalName: "ROBERT@woodgrove.com"})
	if len(e.Assumptions) != 2 || e.Bound { // 9.15 too: the e-mail address was tried after the principal name
		t.Fatalf("%+v", e)
	}
	a := e.Assumptions[0]
	if a.ID != "3.3" || !a.ChangesOutcome || !a.Otherwise.Bound || !strings.HasPrefix(a.Text, "the opposite of this was chosen") {
		t.Errorf("%+v", a)
	}
}

func TestCAScope(t *testing.T) {
	root, middle, issuing := keyid.ID("01"), keyid.ID("02ab"), keyid.ID("03")
	chain := []keyid.ID{issuing, middle, root}
	in := &policy.User{ID: "55555555-5555-5555-5555-555555555555", MemberOf: []policy.DirectoryObject{{ID: strings.ToUpper(groupA)}}}
	out := &policy.User{ID: "u"}
	for _, test := range []struct {
		reason string
		scopes []policy.AuthorityScope
		user   *policy.User
		want   policy.ScopeDecision
	}{
		{"no scopes at all", nil, out, policy.ScopeDecision{Allowed: true, ScopeIndex: -1}},
		{"no scope for this chain: unrestricted (9.33)", []policy.AuthorityScope{policy.ScopeTo("09", "PKI", groupA)}, out, policy.ScopeDecision{Allowed: true, ScopeIndex: -1}},
		{"in the group of the issuing authority", []policy.AuthorityScope{policy.ScopeTo(issuing, "PKI", groupA)}, in, policy.ScopeDecision{Restricted: true, Allowed: true}},
		{"outside of the group: AADSTS500189", []policy.AuthorityScope{policy.ScopeTo(issuing, "PKI", groupA)}, out, policy.ScopeDecision{Restricted: true, ScopeIndex: -1}},
		{"an intermediate authority works too", []policy.AuthorityScope{policy.ScopeTo(middle, "PKI", groupA)}, in, policy.ScopeDecision{Restricted: true, Allowed: true}},
		{"every scope up the chain is applied until one has the user",
			[]policy.AuthorityScope{policy.ScopeTo(root, "PKI", groupA), policy.ScopeTo(issuing, "PKI", groupB)}, in, policy.ScopeDecision{Restricted: true, Allowed: true, ScopeIndex: 0}},
		{"the issuing authority's scope comes first",
			[]policy.AuthorityScope{policy.ScopeTo(root, "PKI", groupA), policy.ScopeTo(issuing, "PKI", groupA)}, in, policy.ScopeDecision{Restricted: true, Allowed: true, ScopeIndex: 1}},
		{"a scope without a group has nobody", []policy.AuthorityScope{{SubjectKeyIdentifier: "03"}}, in, policy.ScopeDecision{Restricted: true, ScopeIndex: -1}},
		{"a target that is no group has nobody", []policy.AuthorityScope{{SubjectKeyIdentifier: "03", IncludeTargets: []policy.Target{{ID: groupA, Type: "x"}}}}, in, policy.ScopeDecision{Restricted: true, ScopeIndex: -1}},
		{"a single user", []policy.AuthorityScope{{SubjectKeyIdentifier: "03", IncludeTargets: []policy.Target{{ID: in.ID, Type: policy.UserTarget}}}}, in, policy.ScopeDecision{Restricted: true, Allowed: true}},
		{"hexadecimal in either case", []policy.AuthorityScope{{SubjectKeyIdentifier: "02AB", IncludeTargets: []policy.Target{policy.ExcludeGroup(groupA)}}}, in, policy.ScopeDecision{Restricted: true, Allowed: true}},
		{"no user", []policy.AuthorityScope{policy.ScopeTo(issuing, "PKI", groupA)}, nil, policy.ScopeDecision{Restricted: true, ScopeIndex: -1}},
		{"an empty id is nobody's", []policy.AuthorityScope{{SubjectKeyIdentifier: "03", IncludeTargets: []policy.Target{{Type: policy.UserTarget}}}}, &policy.User{}, policy.ScopeDecision{Restricted: true, ScopeIndex: -1}},
	} {
		p := compiled(policy.Config{CertificateAuthorityScopes: test.scopes})
		got, steps := p.ExplainCAScope(test.user, chain)
		if got != test.want || p.CAScope(test.user, chain) != got {
			t.Errorf("%s: %+v, want %+v", test.reason, got, test.want)
		}
		failed := slices.ContainsFunc(steps, func(s lint.Step) bool { return s.Outcome == lint.Fail })
		if len(steps) == 0 || failed == got.Allowed {
			t.Errorf("%s: steps %+v", test.reason, steps)
		}
	}
	p := compiled(benchConfig(t, 1))
	if n := testing.AllocsPerRun(10, func() { p.CAScope(in, chain) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestCRLValidation(t *testing.T) {
	for state, want := range map[policy.State]bool{"": false, policy.Disabled: false, policy.Enabled: true, "x": true} {
		p := compiled(policy.Config{CRLValidation: policy.CRLValidationConfiguration{State: state, ExemptedSKIs: []string{"9A42", "9a4", "", "0b"}}})
		if p.CRLRequired() != want {
			t.Errorf("%q: required %v", state, !want)
		}
		if !p.CRLExempt("9a42") || !p.CRLExempt("0b") || p.CRLExempt("9a") || p.CRLExempt("") {
			t.Error("exemptions")
		}
	}
	if compiled((policy.Config{})).IssuerHints() || !compiled((policy.Config{IssuerHints: policy.IssuerHintsConfiguration{State: policy.Enabled}})).IssuerHints() {
		t.Error("issuer hints")
	}
}

func TestErrors(t *testing.T) {
	var err error = &policy.Error{Reason: policy.WrongType, Where: "/state", Offset: 9, Detail: "want a string, have a number"}
	if err.Error() != "policy: wrong type at /state, byte 9: want a string, have a number" || policy.WrongType.Error() != "policy: wrong type" {
		t.Errorf("%v, %v", err, policy.WrongType)
	}
	if !errors.Is(fmt.Errorf("x: %w", err), policy.WrongType) || errors.Is(err, policy.OutOfRange) {
		t.Error("errors.Is")
	}
}

// Allowed properties agree with the table of the deep dive.
func TestFields(t *testing.T) {
	names := map[certuserid.Mapping]bool{certuserid.PrincipalName: true, certuserid.RFC822Name: true}
	seen := 0
	for _, f := range certuserid.Mappings() {
		seen++
		for _, p := range []policy.UserProperty{policy.UserPrincipalName, policy.OnPremisesUserPrincipalName, policy.CertificateUserIDs, "email"} {
			want := p == policy.CertificateUserIDs || names[f] && p != "email"
			if b := policy.Bind(f, p, 1); b.Supported() != want || b.Affinity != f.Affinity() {
				t.Errorf("%s to %s: %v, affinity %s", f, p, !want, b.Affinity)
			}
		}
	}
	for _, f := range []certuserid.Mapping{"SKI", "", "Iris"} {
		if b := policy.Bind(f, policy.CertificateUserIDs, 1); b.Supported() || b.Affinity != "" {
			t.Errorf("unknown field %q: %+v", f, b)
		}
	}
	if seen != 7 {
		t.Errorf("%d fields", seen)
	}
}

// A value that Graph adds later comes back as it was, matches nothing and lets
// nobody in: each enumeration of the wire, at each of its places, in a
// configuration that signs the user in without it.
func TestValuesOfTheFuture(t *testing.T) {
	signedIn := func(c policy.Config) policy.Decision {
		cert := prepare(t, benchSpec.certificate(t))
		user := &policy.User{UserPrincipalName: "robert@woodgrove.com", MemberOf: []policy.DirectoryObject{{ID: groupA}}}
		return compiled(c).Decide(cert, user)
	}
	base := `{"state":"enabled","includeTargets":[{"targetType":"group","id":"` + groupA + `"}],"excludeTargets":[],` +
		`"certificateUserBindings":[{"x509CertificateField":"PrincipalName","userProperty":"userPrincipalName","priority":1,"trustAffinityLevel":"low"}],` +
		`"authenticationModeConfiguration":{"x509CertificateAuthenticationDefaultMode":"x509CertificateMultiFactor","x509CertificateDefaultRequiredAffinityLevel":"low","rules":[]},` +
		`"crlValidationConfiguration":{"state":"disabled"},"issuerHintsConfiguration":{"state":"enabled"}}`
	if d := signedIn(mustParse(t, base)); !d.SignsIn() || d.AuthenticationMode != policy.MultiFactor {
		t.Fatalf("without a new value: %+v", d)
	}
	for _, c := range []struct {
		old, new string
		against  func(policy.Config) bool // what the new value must do
	}{
		{`"state":"enabled","includeTargets"`, `"state":"paused","includeTargets"`, func(c policy.Config) bool { return !signedIn(c).SignsIn() }},
		{`"targetType":"group"`, `"targetType":"device"`, func(c policy.Config) bool { return !signedIn(c).SignsIn() }},
		{`"excludeTargets":[]`, `"excludeTargets":[{"targetType":"device","id":"` + groupA + `"}]`, func(c policy.Config) bool { return !signedIn(c).SignsIn() }},
		{`"x509CertificateField":"PrincipalName"`, `"x509CertificateField":"Iris"`, func(c policy.Config) bool { return !signedIn(c).SignsIn() }},
		{`"userProperty":"userPrincipalName"`, `"userProperty":"employeeId"`, func(c policy.Config) bool { return !signedIn(c).SignsIn() }},
		{`"x509CertificateAuthenticationDefaultMode":"x509CertificateMultiFactor"`, `"x509CertificateAuthenticationDefaultMode":"x509CertificateThreeFactor"`,
			func(c policy.Config) bool { return signedIn(c).AuthenticationMode == policy.SingleFactor }},
		{`"x509CertificateDefaultRequiredAffinityLevel":"low"`, `"x509CertificateDefaultRequiredAffinityLevel":"higher"`, func(c policy.Config) bool { return !signedIn(c).SignsIn() }},
		{`"rules":[]`, `"rules":[{"x509CertificateRuleType":"issuerSubject","identifier":"` + benchSpec.Issuer + `","x509CertificateAuthenticationMode":"x509CertificateThreeFactor","x509CertificateRequiredAffinityLevel":"low"}]`,
			func(c policy.Config) bool { return signedIn(c).AuthenticationMode == policy.SingleFactor }},
		{`"rules":[]`, `"rules":[{"x509CertificateRuleType":"issuerSubject","identifier":"` + benchSpec.Issuer + `","x509CertificateAuthenticationMode":"x509CertificateMultiFactor","x509CertificateRequiredAffinityLevel":"higher"}]`,
			func(c policy.Config) bool { return !signedIn(c).SignsIn() }},
		{`"x509CertificateMultiFactor","x509CertificateDefaultRequiredAffinityLevel":"low","rules":[]`,
			`"x509CertificateSingleFactor","x509CertificateDefaultRequiredAffinityLevel":"low","rules":[{"x509CertificateRuleType":"everything","identifier":"` + benchSpec.Issuer + `","x509CertificateAuthenticationMode":"x509CertificateMultiFactor"}]`,
			func(c policy.Config) bool { return signedIn(c).AuthenticationMode == policy.SingleFactor }},
		{`"crlValidationConfiguration":{"state":"disabled"}`, `"crlValidationConfiguration":{"state":"strict"}`, func(c policy.Config) bool { return compiled(c).CRLRequired() }},
		{`"issuerHintsConfiguration":{"state":"enabled"}`, `"issuerHintsConfiguration":{"state":"some"}`, func(c policy.Config) bool { return !compiled(c).IssuerHints() }},
		{`"trustAffinityLevel":"low"`, `"trustAffinityLevel":"higher"`, func(c policy.Config) bool { // the field decides, never the statement
			c.AuthenticationMode.DefaultAffinity = certuserid.High
			return !signedIn(c).SignsIn()
		}},
		{`"issuerHintsConfiguration":`, `"certificateAuthorityScopes":[{"subjectKeyIdentifier":"01","publicKeyInfrastructureIdentifier":"P","includeTargets":[{"id":"` + groupA + `","targetType":"role"}]}],"issuerHintsConfiguration":`,
			func(c policy.Config) bool {
				member := &policy.User{MemberOf: []policy.DirectoryObject{{ID: groupA}}}
				return !compiled(c).CAScope(member, []keyid.ID{"01"}).Allowed
			}},
	} {
		text := strings.Replace(base, c.old, c.new, 1)
		config := mustParse(t, text)
		if got := mustMarshal(t, config); got != text || text == base {
			t.Errorf("%s: written as %s", c.new, got)
		}
		if !c.against(config) {
			t.Errorf("%s counts in favor of a sign-in: %+v", c.new, signedIn(config))
		}
		if !config.Findings().Has("policy-unknown-value") {
			t.Errorf("%s is not reported", c.new)
		}
	}
}

// A clone shares nothing that a program can change: every field of it, at any
// depth, is changed here, and the original stays as it was. A copy of the struct
// shares.
func TestClone(t *testing.T) {
	original := mustParse(t, strings.Replace(live, `"rules":[]`, `"rules":[{"identifier":"CN=A","new":1}]`, 1))
	original.CertificateAuthorityScopes = []policy.AuthorityScope{policy.ScopeTo("01", "PKI", groupA)}
	original.ExcludeTargets = []policy.Target{policy.ExcludeGroup(groupB)}
	original.CRLValidation.ExemptedSKIs = []string{"01"}
	before := mustMarshal(t, original)
	clone := original.Clone()
	if mustMarshal(t, clone) != before {
		t.Error("the clone is another configuration")
	}
	changed := 0
	changeAll(reflect.ValueOf(&clone).Elem(), &changed)
	if mustMarshal(t, original) != before {
		t.Errorf("changing the clone changed the original to %s", mustMarshal(t, original))
	}
	if changed < 40 || mustMarshal(t, clone) == before {
		t.Errorf("only %d fields were changed", changed)
	}
	shared := original
	shared.UserBindings[0].Priority = 99
	if original.UserBindings[0].Priority != 99 {
		t.Error("a copy of the struct does not share, as its comment says")
	}
	if empty := (policy.Config{}).Clone(); !empty.Equal(policy.Config{}) {
		t.Error("the clone of nothing is something")
	}
}

func changeAll(v reflect.Value, changed *int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "!")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int32:
		v.SetInt(v.Int() + 1)
	case reflect.Slice:
		for i := range v.Len() {
			changeAll(v.Index(i), changed)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				changeAll(v.Field(i), changed)
			}
		}
	}
	*changed++
}

// Nil policies, certificates and users refuse, and panic nowhere; neither does a
// configuration that no text can have.
func TestNilAndTooLarge(t *testing.T) {
	var none *policy.Policy
	cert, user := prepare(t, benchSpec.certificate(t)), benchUser(t)
	if d := none.Decide(cert, user); d.SignsIn() || d.AuthenticationMode == policy.MultiFactor {
		t.Errorf("%+v", d)
	}
	if e := none.Explain(cert, user); e.SignsIn() || len(e.Steps) == 0 {
		t.Errorf("%+v", e)
	}
	if d := none.CAScope(user, []keyid.ID{"01"}); d.Allowed {
		t.Errorf("a nil policy allows %+v", d)
	}
	if d, steps := none.ExplainCAScope(nil, nil); d.Allowed || len(steps) == 0 {
		t.Errorf("a nil policy allows %+v, %v", d, steps)
	}
	if none.CRLExempt("01") || !none.CRLRequired() || none.IssuerHints() || none.With(policy.Readings{}) != nil || !none.Config().Equal(policy.Config{}) {
		t.Error("a nil policy grants something")
	}
	p := compiled(benchConfig(t, 3))
	if d := p.Decide(nil, nil); d.SignsIn() {
		t.Errorf("%+v", d)
	}
	if d := (&policy.Policy{}).Decide(cert, user); d.SignsIn() {
		t.Errorf("a zero policy: %+v", d)
	}
	p, err := policy.Config{UserBindings: make([]policy.UserBinding, 1<<16+1)}.Compile(policy.Readings{})
	if !errors.Is(err, policy.TooLarge) || p != nil {
		t.Errorf("%v, %v", p, err)
	}
	if c, err := policy.NewCertificate(nil, certuserid.Options{}); !errors.Is(err, policy.NoCertificate) || c != nil {
		t.Errorf("%v, %v", c, err)
	}
	if c, err := policy.NewCertificate(&x509.Certificate{Raw: []byte{1}, RawIssuer: []byte{1}}, certuserid.Options{}); !errors.Is(err, policy.BadCertificate) || errors.Unwrap(err) == nil || c != nil {
		t.Errorf("%v, %v", c, err)
	}
}
