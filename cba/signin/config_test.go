package signin_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
)

func TestParseConfigErrors(t *testing.T) {
	const m = signin.Malformed
	for _, test := range []struct {
		name, text string
		reason     signin.Reason
		where      string
		says       string
	}{
		{"empty", "", m, "", "bad syntax"},
		{"cut", `{"x509Certificate":{"state":"ena`, m, "", "bad syntax"},
		{"cut behind a value", `{"x509Certificate":{}`, m, "", "bad syntax"},
		{"a list", `[]`, m, "", "want an object"},
		{"null", `null`, m, "", "want an object"},
		{"two objects", `{"x509Certificate":{}} {}`, m, "", "bad syntax"},
		{"nothing known", `{"state":"enabled"}`, m, "", "none of the properties"},
		{"twice", `{"x509Certificate":{},"x509Certificate":{}}`, m, "/x509Certificate", "duplicate name at /x509Certificate"},
		{"twice in something unknown", `{"x509Certificate":{},"x":[{"a":1,"a":2}]}`, m, "/x/0/a", "duplicate name at /x/0/a"},
		{"deep in the policy", `{"x509Certificate":{"certificateUserBindings":[{"priority":"x"}]}}`, m, "/x509Certificate/certificateUserBindings/0/priority", ", byte 59:"},
		{"deep in the trust stores", `{"publicKeyInfrastructure":[{"displayName":1}]}`, m, "/publicKeyInfrastructure/0/displayName", ", byte 43:"},
		{"policy of wrong type", `{"x509Certificate":[]}`, m, "/x509Certificate", "object"},
		{"PKIs of wrong type", `{"publicKeyInfrastructure":1}`, m, "/publicKeyInfrastructure", ""},
		{"classic of wrong type", `{"certificateBasedAuthConfiguration":1}`, m, "/certificateBasedAuthConfiguration", ""},
		{"one name twice", `{"publicKeyInfrastructure":[{"displayName":"A"},{"displayName":"B"},{"displayName":"A"}]}`, signin.DuplicatePKI, "/publicKeyInfrastructure/2", `"A"`},
		{"too large", strings.Repeat(" ", signin.MaxConfig+1), signin.TooLarge, "", ""},
	} {
		_, err := signin.ParseConfig([]byte(test.text))
		var e *signin.Error
		if !errors.As(err, &e) || !errors.Is(err, test.reason) || errors.Is(err, signin.NoUser) || e.Where != test.where ||
			!strings.Contains(err.Error(), test.says) || !strings.HasPrefix(err.Error(), "signin: ") {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	_, err := signin.ParseConfig([]byte(`{"x509Certificate":{"state":1}}`))
	if !errors.Is(err, policy.WrongType) {
		t.Errorf("the cause is not told: %v", err)
	}
	c := signin.Config{Extra: map[string]json.RawMessage{"kept": []byte("1")}}
	if err := json.Unmarshal([]byte(`{"publicKeyInfrastructure":1}`), &c); err == nil || string(c.Extra["kept"]) != "1" {
		t.Errorf("an error changed the value: %v, %+v", err, c)
	}
}

func TestConfigRoundTrip(t *testing.T) {
	text, err := json.Marshal(scenario{rules: "CN=WoodgroveCA = SF", stores: classic(false, "")}.tenant(theWorld(t)))
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte(`{"x509Certificate"`), []byte(`{"@odata.context":"x","later":[{"a":null}],"x509Certificate"`), 1)
	config, err := signin.ParseConfig(append([]byte("\xef\xbb\xbf"), text...))
	if err != nil {
		t.Fatal(err)
	}
	if string(config.Extra["later"]) != `[{"a":null}]` || len(config.Extra) != 2 || len(config.Trust.Classic.CertificateAuthorities) != 1 {
		t.Errorf("%+v", config.Extra)
	}
	out, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	var before, after map[string]any
	if json.Unmarshal(text, &before) != nil || json.Unmarshal(out, &after) != nil {
		t.Fatal("no JSON")
	}
	for name := range before {
		a, _ := json.Marshal(before[name])
		b, _ := json.Marshal(after[name])
		if !bytes.Equal(a, b) {
			t.Errorf("%s: %s became %s", name, a, b)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	c := signin.Config{Trust: trust.Config{Classic: trust.Classic{CertificateAuthorities: []trust.ClassicAuthority{{Certificate: []byte("x")}}}}}
	_, err := c.Compile(signin.Options{Trust: trust.Options{RefuseUnreadable: true}})
	var cause *trust.Error
	if !errors.Is(err, signin.BadAuthority) || !errors.As(err, &cause) || !strings.Contains(err.Error(), "classic") {
		t.Errorf("%v", err)
	}
}

// What cannot be asked is an error of a known reason, from Decide as from Explain.
func TestUnusableRequests(t *testing.T) {
	tenant, _ := pair(t, scenario{}, scenario{})
	w := theWorld(t)
	user := &policy.User{UserPrincipalName: "bob@woodgrove.com"}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	good := signin.Request{User: user, Certificate: w.certs["bob"], At: worldNow}
	for _, test := range []struct {
		want   error
		tenant *signin.Tenant
		ctx    context.Context
		r      signin.Request
	}{
		{signin.NoUser, tenant, t.Context(), signin.Request{Certificate: w.certs["bob"], At: worldNow}},
		{signin.NoCertificate, tenant, t.Context(), signin.Request{User: user, At: worldNow}},
		{signin.NoTime, tenant, t.Context(), signin.Request{User: user, Certificate: w.certs["bob"]}},
		{signin.BadCertificate, tenant, t.Context(), signin.Request{User: user, Certificate: &x509.Certificate{SerialNumber: big.NewInt(1)}, At: worldNow}},
		{signin.NoTenant, nil, t.Context(), good},
		{signin.NoTenant, new(signin.Tenant), t.Context(), good},
		{signin.NoContext, tenant, nil, good},
		{context.Canceled, tenant, ended, good}, // although no CRL is asked for
	} {
		a, errDecide := test.tenant.Decide(test.ctx, test.r)
		v, errExplain := test.tenant.Explain(test.ctx, test.r)
		if !errors.Is(errDecide, test.want) || !errors.Is(errExplain, test.want) || errDecide.Error() != errExplain.Error() || a != (signin.Answer{}) || v.SignedIn || v.Steps != nil {
			t.Errorf("%v: %v, %v", test.want, errDecide, errExplain)
		}
		if reason, ok := test.want.(signin.Reason); ok && !strings.HasPrefix(reason.Error(), "signin: ") {
			t.Errorf("the reason reads %q", reason.Error())
		}
	}
	if _, err := tenant.Decide(t.Context(), good); err != nil {
		t.Errorf("the good request: %v", err)
	}
}

// Nothing that was left out is a panic: an error, or an empty answer.
func TestNilAndZero(t *testing.T) {
	none, zero := (*signin.Tenant)(nil), new(signin.Tenant)
	ready := compiled(t, signin.Config{})
	for _, tenant := range []*signin.Tenant{none, zero} {
		if tenant.Policy() != nil || tenant.Trust() != nil || tenant.UserFindings(policy.User{}) != nil {
			t.Error("a tenant that is not ready has parts")
		}
		if _, err := tenant.ExplainUser(t.Context(), nil); !errors.Is(err, signin.NoTenant) {
			t.Errorf("ExplainUser: %v", err)
		}
		for _, pair := range [][2]*signin.Tenant{{tenant, ready}, {ready, tenant}} {
			n := 0
			for _, err := range signin.Compare(t.Context(), pair[0], pair[1], nil, signin.CompareOptions{At: worldNow}) {
				if n++; !errors.Is(err, signin.NoTenant) {
					t.Errorf("Compare: %v", err)
				}
			}
			if n != 1 {
				t.Errorf("%d results", n)
			}
		}
		for _, err := range tenant.Candidates(theWorld(t).certs["bob"], nil) {
			if !errors.Is(err, signin.NoTenant) {
				t.Errorf("Candidates: %v", err)
			}
		}
	}
	one := func(yield func(signin.Case, error) bool) { yield(signin.Case{}, nil) }
	for name, test := range map[string]struct {
		ctx  context.Context
		o    signin.CompareOptions
		want error
	}{
		"no context": {nil, signin.CompareOptions{At: worldNow}, signin.NoContext},
		"no time":    {t.Context(), signin.CompareOptions{}, signin.NoTime},
		"no user":    {t.Context(), signin.CompareOptions{At: worldNow}, signin.NoUser},
	} {
		n := 0
		for c, err := range signin.Compare(test.ctx, ready, ready, one, test.o) {
			if n++; !errors.Is(err, test.want) || c.Difference != 0 {
				t.Errorf("%s: %v, %v", name, c.Difference, err)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d results", name, n)
		}
	}
	for range signin.Compare(t.Context(), ready, ready, nil, signin.CompareOptions{At: worldNow}) {
		t.Error("no list has a result")
	}
	for range ready.Candidates(theWorld(t).certs["bob"], nil) {
		t.Error("no list has a candidate")
	}
	for _, cert := range []*x509.Certificate{nil, {}} {
		n := 0
		for _, err := range ready.Candidates(cert, nil) {
			if n++; !errors.Is(err, signin.NoCertificate) && !errors.Is(err, signin.BadCertificate) {
				t.Errorf("Candidates: %v", err)
			}
		}
		if n != 1 {
			t.Errorf("%d results", n)
		}
	}
	ready.UserFindings(policy.User{})
	if _, ok := (signin.Verdict{}).Refusal(); ok {
		t.Error("the empty verdict has a refusing step")
	}
	var c signin.Config
	if found := c.Clone().Findings(time.Time{}); found.Has("") {
		t.Error(found)
	}
}

// An answer about a list is a verdict, no answer is an error, and a source that
// hands out nothing is refused.
func TestSources(t *testing.T) {
	w := theWorld(t)
	config := scenario{stores: setURLs("woodgrove", url("woodgrove"), url("delta"))}.tenant(w)
	r := signin.Request{User: &policy.User{UserPrincipalName: "bob@woodgrove.com"}, Certificate: w.certs["bob"], At: worldNow}
	base, err := crl.Parse(w.files["woodgrove.crl"])
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		source crl.Source
		code   string
		err    error
	}{
		{"none", nil, "AADSTS500173", nil},
		{"nothing", sourceFunc(func(string) (*crl.List, error) { return nil, nil }), "AADSTS500175", nil},
		{"no delta", sourceFunc(func(u string) (*crl.List, error) {
			if u == url("woodgrove") {
				return base, nil
			}
			return nil, nil
		}), "AADSTS500175", nil},
		{"no answer", sourceFunc(func(string) (*crl.List, error) { return nil, context.DeadlineExceeded }), "", context.DeadlineExceeded},
		{"an unset failure", sourceFunc(func(string) (*crl.List, error) { return nil, &crl.Error{} }), "AADSTS500175", nil},
		{"of another authority", sourceFunc(func(string) (*crl.List, error) { return crl.Parse(w.files["other.crl"]) }), "AADSTS2205015", nil},
	} {
		tenant, err := config.Compile(signin.Options{CRLs: test.source})
		if err != nil {
			t.Fatal(err)
		}
		a, err := tenant.Decide(context.Background(), r)
		if !errors.Is(err, test.err) || a.Code != test.code || a.SignedIn {
			t.Errorf("%s: %+v, %v", test.name, a, err)
		}
		if test.err == nil {
			checkVerdict(t, tenant, r)
		}
	}
}

// A list that is only asked for under another reading keeps no verdict back.
func TestSourceOfAnotherReading(t *testing.T) {
	w := theWorld(t)
	config := scenario{config: requireCRLs(hexOf(keyID("woodgrove")))}.tenant(w)
	tenant, err := config.Compile(signin.Options{CRLs: sourceFunc(func(string) (*crl.List, error) { return nil, errors.New("no answer") })})
	if err != nil {
		t.Fatal(err)
	}
	v := checkVerdict(t, tenant, signin.Request{User: &policy.User{UserPrincipalName: "bob@woodgrove.com"}, Certificate: w.certs["bob"], At: worldNow})
	if !v.SignedIn || len(v.Assumptions) != 1 || v.Assumptions[0].ID != "9.32" || !v.Assumptions[0].ChangesVerdict {
		t.Errorf("%+v", v)
	}
}

type sourceFunc func(url string) (*crl.List, error)

func (f sourceFunc) Fetch(_ context.Context, url string, _ *x509.Certificate) (*crl.List, error) {
	return f(url)
}

var findingTests = []struct {
	code string
	has  scenario
	not  scenario
	at   time.Time
}{
	{code: "signin-no-authority", has: scenario{cas: "expired-root"}},
	{code: "signin-no-authority", has: scenario{stores: func(c *trust.Config) { c.PKIs = nil }}},
	{code: "signin-rule-unknown-issuer", has: scenario{rules: "CN=Nobody = MF"}, not: scenario{rules: "CN=WoodgroveCA = MF"}},
	{code: "signin-rule-reversed", has: scenario{rules: "DC=com,DC=contoso,CN=ContosoCA = MF", cert: "bob-contoso"}, not: scenario{rules: "CN=ContosoCA,DC=contoso,DC=com = MF", cert: "bob-contoso"}},
	{code: "signin-rule-parent", has: scenario{rules: "CN=Contoso Root,DC=contoso,DC=com = MF", cert: "bob-contoso"}, not: scenario{rules: "CN=ContosoCA,DC=contoso,DC=com = MF", cert: "bob-contoso"}},
	{code: "signin-scope-unknown-authority", has: scenario{config: scopes("Woodgrove PKI", "nobody", groupA)}, not: scenario{config: scopes("Woodgrove PKI", "woodgrove", groupA)}},
	{code: "signin-scope-other-pki", has: scenario{config: scopes("Contoso PKI", "woodgrove", groupA)}, not: scenario{config: scopes("woodgrove pki", "woodgrove", groupA)}},
	{code: "signin-scope-other-pki", has: scenario{config: scopes("Contoso PKI", "woodgrove", groupA), stores: classic(false, url("old"))},
		not: scenario{config: scopes("Woodgrove PKI", "woodgrove", groupA), stores: classic(false, url("old"))}}, // the classic entry is in force
	{code: "signin-exemption-unknown-authority", has: scenario{config: requireCRLs("00")}, not: scenario{config: requireCRLs(strings.ToUpper(hexOf(keyID("woodgrove"))))}},
	{code: "signin-crl-required", has: scenario{config: requireCRLs(), stores: setURLs("woodgrove", "", "")}, not: scenario{config: requireCRLs(hexOf(keyID("woodgrove"))), stores: setURLs("woodgrove", "", "")}},
	{code: "signin-not-hinted", has: scenario{config: hintsOn, stores: flagged(1)}, not: scenario{config: hintsOn}},
}

// Every finding of this package, with a tenant that has it and one that does not.
func TestFindings(t *testing.T) {
	w := theWorld(t)
	for _, test := range findingTests {
		for want, s := range map[bool]scenario{true: test.has, false: test.not} {
			findings := s.tenant(w).Findings(worldNow)
			found := false
			for _, f := range findings {
				if f.Code == test.code {
					found = true
				}
				if strings.HasPrefix(f.Code, "signin-") && want {
					pointsInto(t, s.tenant(w), f)
				}
				if f.Code == "" || f.Where == "" || f.What == "" || f.Do == "" || f.Source == "" || f.Severity == 0 {
					t.Errorf("%s: finding %+v lacks something", test.code, f)
				}
			}
			if found != want {
				t.Errorf("%s: found %v, want %v: %v", test.code, found, want, findings)
			}
		}
	}
}

// pointsInto holds that the place of a finding is one of the document that was
// checked. The last property may be absent: that may be what the finding is about.
func pointsInto(t *testing.T, document any, f lint.Finding) {
	t.Helper()
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	var at any
	if err := json.Unmarshal(text, &at); err != nil {
		t.Fatal(err)
	}
	ok := strings.HasPrefix(f.Where, "/")
	names := strings.Split(f.Where, "/")[1:]
	for i, name := range names {
		switch v := at.(type) {
		case map[string]any:
			at, ok = v[name]
			ok = ok || i == len(names)-1
		case []any:
			i, err := strconv.Atoi(name)
			if ok = err == nil && i < len(v); ok {
				at = v[i]
			}
		default:
			ok = false
		}
		if !ok {
			break
		}
	}
	if !ok {
		t.Errorf("%s: %q leads nowhere", f.Code, f.Where)
	}
}

// The findings of packages policy and trust about a tenant point into the tenant
// too, and a finding about a CA to the entry that is in force.
func TestPlacesInTheTenant(t *testing.T) {
	config := scenario{rules: "CN=Nobody = MF; 1.2.x = MF", config: requireCRLs("zz"), stores: setURLs("woodgrove", "", "")}.tenant(theWorld(t))
	config.Policy.CertificateAuthorityScopes = []policy.AuthorityScope{{SubjectKeyIdentifier: "xyz"}}
	bin := config.Clone().Trust.PKIs[0] // the same CAs, deleted and in another PKI
	bin.DeletedDateTime = worldNow
	other := config.Clone().Trust.PKIs[0]
	other.DisplayName = "Z PKI"
	config.Trust.PKIs = append(trust.PKIs{bin}, append(config.Trust.PKIs, other)...)
	found := config.Findings(worldNow)
	prefixes := map[string]int{}
	for _, f := range found {
		pointsInto(t, config, f)
		if f.Code == "signin-crl-required" && !strings.HasPrefix(f.Where, "/publicKeyInfrastructure/1/") {
			t.Errorf("%s: %s is not the entry in force", f.Code, f.Where)
		}
		prefix, _, _ := strings.Cut(f.Code, "-")
		prefixes[prefix]++
	}
	if prefixes["policy"] < 2 || len(found) == prefixes["policy"]+prefixes["signin"] || prefixes["signin"] < 3 || !found.Has("signin-crl-required") {
		t.Errorf("%v", found)
	}
}

// What cannot be read as a key identifier allows no issuer.
func TestUnreadableIssuers(t *testing.T) {
	w := theWorld(t)
	tenant, err := scenario{}.tenant(w).Compile(signin.Options{SkipRevocation: true})
	if err != nil {
		t.Fatal(err)
	}
	for issuers, signedIn := range map[string]bool{
		`"zz"`: false, `""`: false, `"zz","` + strings.ToUpper(hexOf(keyID("woodgrove"))) + `"`: true, `"0x` + hexOf(keyID("woodgrove")) + `"`: true,
		`"` + hexOf(keyID("other")) + `"`: false,
	} {
		s, err := signin.ParseStrength([]byte(strength(`"x509CertificateSingleFactor"`, combination(`"x509CertificateSingleFactor"`, issuers, ""))))
		if err != nil {
			t.Fatal(err)
		}
		v := checkVerdict(t, tenant, signin.Request{User: bobOf(), Certificate: w.certs["bob"], At: worldNow, Require: signin.Require(s)})
		if v.SignedIn != signedIn {
			t.Errorf("%s: signed in %v, %s", issuers, v.SignedIn, v.Message)
		}
	}
}

// Every rule of the table fires in the tests of findings, and no code of this
// package stands for two.
func TestRules(t *testing.T) {
	codes := map[string]bool{}
	for _, rule := range signin.Rules() {
		if codes[rule.Code] || !strings.HasPrefix(rule.Code, "signin-") {
			t.Errorf("%s stands for two rules, or is not of this package", rule.Code)
		}
		codes[rule.Code] = true
		if rule.What == "" || rule.Do == "" || rule.Severity == 0 || rule.Source.URL() == "" {
			t.Errorf("a rule that is not whole: %+v", rule)
		}
	}
	tested := map[string]bool{}
	for _, test := range findingTests {
		tested[test.code] = true
	}
	for _, test := range userFindingTests {
		tested[test.code] = true
	}
	for _, test := range incompleteTests {
		tested[test.code] = true
	}
	tested[preferredCode] = true // TestPreferred
	tested[sharedCode] = true    // TestSharedIDs
	for _, test := range crlFindingTests {
		if strings.HasPrefix(test.code, "signin-") {
			tested[test.code] = true
		}
	}
	for code := range codes {
		if !tested[code] {
			t.Errorf("no test makes %s fire", code)
		}
	}
	for code := range tested {
		if !codes[code] {
			t.Errorf("%s is in no table", code)
		}
	}
}

// compiled makes a configuration ready, with no CRLs available.
func compiled(t *testing.T, config signin.Config) *signin.Tenant {
	t.Helper()
	tenant, err := config.Compile(signin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return tenant
}

const isr = "X509:<I>CN=WoodgroveCA<SR>0001"

var userFindingTests = []struct {
	code string
	s    scenario
	user policy.User
	want bool
}{
	{"signin-user-id-unbound", scenario{}, policy.User{}, true},
	{"signin-user-id-unbound", scenario{bindings: "ISR>CUID 1, PN>CUID 2"}, policy.User{}, false},
	{"signin-user-id-low", scenario{bindings: "PN>CUID 1, ISR>CUID 2", defaults: "SF high"}, policy.User{}, true},
	{"signin-user-id-low", scenario{bindings: "PN>CUID 1, ISR>CUID 2"}, policy.User{}, false},
	{"signin-user-id-unknown-issuer", scenario{bindings: "ISR>CUID 1", cas: "other"}, policy.User{}, true},
	{"signin-user-id-unknown-issuer", scenario{bindings: "ISR>CUID 1"}, policy.User{}, false},
	{"signin-user-unbound", scenario{bindings: "SKI>CUID 1"}, policy.User{UserPrincipalName: "bob@woodgrove.com"}, true},
	{"signin-user-unbound", scenario{bindings: "SKI>UPN 1"}, policy.User{UserPrincipalName: "bob@woodgrove.com"}, true}, // no pair that the service has
	{"signin-user-unbound", scenario{}, policy.User{UserPrincipalName: "bob@woodgrove.com"}, false},
	{"signin-user-unbound", scenario{defaults: "SF high"}, policy.User{UserPrincipalName: "bob@woodgrove.com"}, true},
	{"signin-user-unbound", scenario{bindings: "ISR>CUID 1"}, policy.User{}, false},
}

func TestUserFindings(t *testing.T) {
	w := theWorld(t)
	for _, test := range userFindingTests {
		user := test.user
		user.AuthorizationInfo.CertificateUserIDs = []string{isr, "X509:<PN>bob@woodgrove.com"}
		if test.user.UserPrincipalName != "" {
			user.AuthorizationInfo.CertificateUserIDs = nil
		}
		findings := compiled(t, test.s.tenant(w)).UserFindings(user)
		codes := []string{}
		for _, f := range findings {
			codes = append(codes, f.Code)
		}
		if slices.Contains(codes, test.code) != test.want {
			t.Errorf("%s, %+v: %v, want %v", test.code, test.s.bindings, codes, test.want)
		}
	}
	malformed := policy.User{UserPrincipalName: "bob@woodgrove.com"}
	malformed.AuthorizationInfo.CertificateUserIDs = []string{"x509:<pn>bob@woodgrove.com"}
	if f := compiled(t, (scenario{}).tenant(w)).UserFindings(malformed); len(f) == 0 || !strings.Contains(f[0].Place(), "bob@woodgrove.com, certificateUserIds[0]") || f[0].Where != "/authorizationInfo/certificateUserIds/0" {
		t.Errorf("%v", f)
	}
}

func TestParseStrengthErrors(t *testing.T) {
	six := `"1.1","1.2","1.3","1.4","1.5","1.6"`
	for text, says := range map[string]string{
		"":                                     "bad syntax",
		`{"allowedCombinations":[]}`:           "allowedCombinations is empty",
		`{"allowedCombinations":1}`:            "allowedCombinations",
		`[]`:                                   "object",
		`{}`:                                   "none of the properties",
		`{"userPrincipalName":"a@b","id":"1"}`: "none of the properties",
		`{"value":[{"allowedCombinations":["x"]},{"allowedCombinations":["y"]}]}`: "a list of 2",
		strength(`"x"`, combination(`"x"`, "", six)):                              "at most 5 and 5",
		strength(`"x"`, combination(`"x"`, six, "")):                              "at most 5 and 5",
		strings.Repeat(" ", policy.MaxJSON+1):                                     "bytes",
	} {
		_, err := signin.ParseStrength([]byte(text))
		var e *signin.Error
		if !errors.As(err, &e) || e.Where != "strength" || !strings.Contains(err.Error(), says) ||
			!errors.Is(err, signin.Malformed) && !(says == "bytes" && errors.Is(err, signin.TooLarge)) {
			t.Errorf("%.60s: %v", text, err)
		}
	}
}

func TestRequirementText(t *testing.T) {
	for want, r := range map[string]signin.Requirement{
		"nothing":                    {},
		"multifactor authentication": signin.MFA(),
		`authentication strength "Phishing-resistant MFA"`: signin.PhishingResistant(),
		`authentication strength "Custom"`:                 signin.Require(signin.Strength{DisplayName: "Custom"}),
	} {
		if r.String() != want || r.IsZero() != (want == "nothing") {
			t.Errorf("%v, %v", r, r.IsZero())
		}
	}
}

// A requirement survives JSON, and what is none is refused: it never reads back as
// "nothing is required".
func TestRequirementJSON(t *testing.T) {
	custom, err := signin.ParseStrength([]byte(strength(`"x509CertificateSingleFactor"`, combination(`"x509CertificateSingleFactor"`, `"aa"`, `"1.2.3"`))))
	if err != nil {
		t.Fatal(err)
	}
	type stored struct {
		Require signin.Requirement `json:"require,omitzero"`
		Plain   signin.Requirement
	}
	for want, r := range map[string]signin.Requirement{
		`{"Plain":null}`:                  {},
		`{"require":"mfa","Plain":"mfa"}`: signin.MFA(),
		`{"require":"phishing-resistant","Plain":"phishing-resistant"}`: signin.PhishingResistant(),
		"": signin.Require(custom),
	} {
		text, err := json.Marshal(stored{r, r})
		if err != nil || want != "" && string(text) != want {
			t.Errorf("%v: %s, %v", r, text, err)
		}
		var back stored
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, stored{r, r}) {
			t.Errorf("%s read as %v, %v", text, back, err)
		}
	}
	options, err := json.Marshal(signin.CompareOptions{At: worldNow, Require: signin.MFA()})
	var back signin.CompareOptions
	if err != nil || json.Unmarshal(options, &back) != nil || !reflect.DeepEqual(back.Require, signin.MFA()) {
		t.Errorf("%s, %v", options, err)
	}
	for _, text := range []string{`{}`, `""`, `"MFA"`, `"none"`, `true`, `1`, `[]`, `[{}]`, `{"displayName":"x","allowedCombinations":[]}`, `{"kind":1}`} {
		r := signin.MFA()
		if err := json.Unmarshal([]byte(text), &r); !errors.Is(err, signin.Malformed) || !reflect.DeepEqual(r, signin.MFA()) {
			t.Errorf("%s read as %v, %v", text, r, err)
		}
	}
	// A strength that nothing satisfies is written and refused on reading.
	text, err := json.Marshal(signin.Require(signin.Strength{}))
	if err != nil {
		t.Fatal(err)
	}
	var r signin.Requirement
	if err := json.Unmarshal(text, &r); !errors.Is(err, signin.Malformed) {
		t.Errorf("%s read as %v, %v", text, r, err)
	}
	// The requirement keeps nothing of the caller's strength.
	shared := signin.Strength{AllowedCombinations: []string{"fido2"}}
	required := signin.Require(shared)
	shared.AllowedCombinations[0] = string(policy.SingleFactor)
	if !reflect.DeepEqual(required, signin.Require(signin.Strength{AllowedCombinations: []string{"fido2"}})) {
		t.Error("the requirement changed with the strength")
	}
}

// A list above the limit of an interactive sign-in is remarked; one above the
// smaller figure for downloads in the background rests on open question 9.7.
func TestLargeLists(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	w := theWorld(t)
	r := signin.Request{User: &policy.User{UserPrincipalName: "bob@woodgrove.com"}, Certificate: w.certs["bob"], At: worldNow}
	for _, test := range []struct {
		size     int
		outcome  lint.Outcome
		question bool
	}{{0, lint.Pass, false}, {22 << 20, lint.Warn, false}, {50 << 20, lint.Warn, true}} {
		der, err := w.list(listSpec{ca: "woodgrove", padding: test.size}, map[string]fixedKey{"woodgrove": keyOf("woodgrove")})
		if err != nil {
			t.Fatal(err)
		}
		list, err := crl.Parse(der)
		if err != nil {
			t.Fatal(err)
		}
		tenant, err := scenario{}.tenant(w).Compile(signin.Options{CRLs: sourceFunc(func(string) (*crl.List, error) { return list, nil })})
		if err != nil {
			t.Fatal(err)
		}
		v := checkVerdict(t, tenant, r)
		i := slices.IndexFunc(v.Steps, func(s signin.Step) bool { return s.Name == signin.StepRevocation })
		asked := slices.ContainsFunc(v.Assumptions, func(a signin.Assumption) bool { return a.ID == "9.7" && a.ChangesVerdict })
		if !v.SignedIn || v.Steps[i].Outcome != test.outcome || asked != test.question {
			t.Errorf("%d bytes: %+v, %+v", test.size, v.Steps[i], v.Assumptions)
		}
	}
}
