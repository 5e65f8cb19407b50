package signin_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
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
	for _, test := range []struct{ reason, text, property, says string }{
		{"empty", "", "", "breaks off"},
		{"cut", `{"x509Certificate":{"state":"ena`, "", "breaks off"},
		{"cut behind a value", `{"x509Certificate":{}`, "", "breaks off"},
		{"a list", `[]`, "", "want a JSON object"},
		{"null", `null`, "", "want a JSON object"},
		{"two objects", `{"x509Certificate":{}} {}`, "", "more behind"},
		{"nothing known", `{"state":"enabled"}`, "", "none of the properties"},
		{"twice", `{"x509Certificate":{},"x509Certificate":{}}`, "", "stands twice"},
		{"policy of wrong type", `{"x509Certificate":[]}`, "x509Certificate", "object"},
		{"PKIs of wrong type", `{"publicKeyInfrastructure":1}`, "publicKeyInfrastructure", ""},
		{"classic of wrong type", `{"certificateBasedAuthConfiguration":1}`, "certificateBasedAuthConfiguration", ""},
		{"one name twice", `{"publicKeyInfrastructure":[{"displayName":"A"},{"displayName":"B"},{"displayName":"A"}]}`, "publicKeyInfrastructure", `"A"`},
		{"too large", strings.Repeat(" ", signin.MaxConfig+1), "", "more than"},
	} {
		_, err := signin.ParseConfig([]byte(test.text))
		var e *signin.ConfigError
		if !errors.As(err, &e) || e.Property != test.property || !strings.Contains(err.Error(), test.says) || !strings.HasPrefix(err.Error(), "signin: tenant") {
			t.Errorf("%s: %v", test.reason, err)
		}
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
	_, err := c.Compile(signin.Options{})
	var e *signin.ConfigError
	var cause *trust.Error
	if !errors.As(err, &e) || !errors.As(err, &cause) || !strings.Contains(err.Error(), "classic") {
		t.Errorf("%v", err)
	}
}

// What cannot be asked is an error, from Decide as from Explain.
func TestUnusableRequests(t *testing.T) {
	tenant, _ := pair(t, scenario{}, scenario{})
	w := theWorld(t)
	user := &policy.User{UserPrincipalName: "bob@woodgrove.com"}
	for name, r := range map[string]signin.Request{
		"no user":        {Certificate: w.certs["bob"], At: worldNow},
		"no certificate": {User: user, At: worldNow},
		"no time":        {User: user, Certificate: w.certs["bob"]},
		"certificate":    {User: user, Certificate: &x509.Certificate{SerialNumber: big.NewInt(1)}, At: worldNow},
	} {
		a, errDecide := tenant.Decide(context.Background(), r)
		v, errExplain := tenant.Explain(context.Background(), r)
		if errDecide == nil || errExplain == nil || errDecide.Error() != errExplain.Error() || a != (signin.Answer{}) || v.SignedIn ||
			!strings.Contains(errDecide.Error(), strings.TrimPrefix(name, "no ")) {
			t.Errorf("%s: %v, %v", name, errDecide, errExplain)
		}
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
		{"an unset fault", sourceFunc(func(string) (*crl.List, error) { return nil, &crl.Error{} }), "AADSTS500175", nil},
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

// Every finding of this package, with a tenant that has it and one that has not.
func TestFindings(t *testing.T) {
	w := theWorld(t)
	for _, test := range []struct {
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
	} {
		for want, s := range map[bool]scenario{true: test.has, false: test.not} {
			findings := s.tenant(w).Findings(worldNow)
			found := false
			for _, f := range findings {
				if f.Code == test.code {
					found = true
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

// compiled makes a configuration ready, with no revocation lists to be had.
func compiled(t *testing.T, config signin.Config) *signin.Tenant {
	t.Helper()
	tenant, err := config.Compile(signin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return tenant
}

func TestUserFindings(t *testing.T) {
	w := theWorld(t)
	const isr = "X509:<I>CN=WoodgroveCA<SR>0001"
	for _, test := range []struct {
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
	} {
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
	if f := compiled(t, (scenario{}).tenant(w)).UserFindings(malformed); len(f) == 0 || !strings.Contains(f[0].Where, "bob@woodgrove.com, certificateUserIds[0]") {
		t.Errorf("%v", f)
	}
}

func TestParseStrengthErrors(t *testing.T) {
	six := `"1.1","1.2","1.3","1.4","1.5","1.6"`
	for text, says := range map[string]string{
		"":                           "breaks off",
		`{"allowedCombinations":[]}`: "allowedCombinations is empty",
		`{"allowedCombinations":1}`:  "allowedCombinations",
		`[]`:                         "object",
		strength(`"x"`, combination(`"x"`, "", six)): "at most 5 and 5",
		strength(`"x"`, combination(`"x"`, six, "")): "at most 5 and 5",
		strings.Repeat(" ", policy.MaxJSON+1):        "more than",
	} {
		_, err := signin.ParseStrength([]byte(text))
		var e *signin.ConfigError
		if !errors.As(err, &e) || e.Property != "strength" || !strings.Contains(err.Error(), says) {
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

// A list above the limit of an interactive sign-in is remarked; one above the
// smaller figure for downloads in the background rests on open question 9.7.
func TestLargeLists(t *testing.T) {
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
