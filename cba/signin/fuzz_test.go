package signin_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"github.com/google/go-cmp/cmp"
)

// choices turns bytes into decisions; when they run out it takes the first.
type choices []byte

func (c *choices) of(n int) int {
	if len(*c) == 0 || n < 2 {
		return 0
	}
	b := (*c)[0]
	*c = (*c)[1:]
	return int(b) % n
}

func pick[T any](c *choices, list ...T) T { return list[c.of(len(list))] }

var fuzzIssuers = []string{"CN=WoodgroveCA", "CN=OtherCA", "CN=CA1", "CN=ContosoCA,DC=contoso,DC=com"}
var fuzzOIDs = []string{"1.2.3.4", "1.2.3.4.5", "1.2.3.4.6"}

// fuzzed makes a scenario out of bytes: any certificate of the world under any
// mixture of bindings, rules, scopes, targets and lists.
func fuzzed(c *choices) scenario {
	var leaves []string
	for _, n := range worldCerts {
		if !n.spec.ca {
			leaves = append(leaves, n.name)
		}
	}
	s := scenario{cert: pick(c, leaves...), defaults: pick(c, "SF", "MF") + pick(c, "", " high")}
	var rules []string
	for range c.of(6) {
		left := pick(c, fuzzIssuers...)
		switch c.of(3) {
		case 1:
			left = pick(c, fuzzOIDs...)
		case 2:
			left += " + " + pick(c, fuzzOIDs...)
		}
		rules = append(rules, left+" = "+pick(c, "SF", "MF")+pick(c, "", " high"))
	}
	s.rules = strings.Join(rules, "; ")
	var bindings []string
	for i := range 1 + c.of(4) {
		bindings = append(bindings, pick(c, "PN>UPN", "RFC822>UPN", "SKI>CUID", "ISR>CUID", "PN>CUID", "SHA1>CUID", "S>CUID")+" "+string(rune('1'+i)))
	}
	s.bindings = strings.Join(bindings, ", ")
	s.lists = pick(c, "", "woodgrove woodgrove-expired", "woodgrove -", "woodgrove page", "woodgrove timeout", "contoso-root -")
	s.require = pick(c, "", "mfa", "phishing-resistant",
		strength(`"x509CertificateSingleFactor"`, combination(`"x509CertificateSingleFactor"`, "", `"1.2.3.4"`)))
	s.options = pick(c, "", "SkipRevocation", "CheckExempted RequireParentCRLs", "MaxDepth5", "StopAtMismatch", "RuleLowersAffinity", "RefuseHTTPS")
	scope, state, crls, target := c.of(5), c.of(8), c.of(4), c.of(6)
	s.config = func(p *policy.Config) {
		switch scope {
		case 1:
			scopes("Woodgrove PKI", "woodgrove", groupA)(p)
		case 2:
			scopes("Woodgrove PKI", "woodgrove", groupB)(p)
		case 3:
			scopes("Contoso PKI", "contoso-root", groupB)(p)
		}
		if state == 1 {
			p.State = policy.Disabled
		}
		switch crls {
		case 1:
			requireCRLs()(p)
		case 2:
			requireCRLs(strings.ToUpper(hexOf(keyID("woodgrove"))))(p)
		}
		switch target {
		case 1:
			p.IncludeTargets = []policy.IncludeTarget{policy.Group(groupB)}
		case 2:
			p.ExcludeTargets = []policy.Target{{ID: groupA, Type: "group"}}
		}
		p.IssuerHints.State = policy.Enabled
	}
	s.stores = pick(c, nil, setURLs("woodgrove", "", ""), setURLs("woodgrove", url("woodgrove"), url("delta")), setURLs("woodgrove", "", url("delta")),
		setURLs("woodgrove", "https://crl.woodgrove.com/x", ""), flagged(1))
	cert, stored := s.cert, c.of(5)
	s.user = func(u *policy.User) {
		switch stored {
		case 1:
			u.AuthorizationInfo.CertificateUserIDs = []string{"X509:<SKI>" + hexOf(keyID(cert)), "X509:<PN>bob@woodgrove.com"}
		case 2:
			u.UserPrincipalName = "alice@woodgrove.com"
		case 3:
			u.AuthorizationInfo.CertificateUserIDs = []string{"X509:<I>CN=WoodgroveCA<SR>0001", "nonsense", ""}
		}
	}
	return s
}

// Laws, for any certificate under any configuration: no panic; the verdict is the
// same the second time, and its answer is Decide's; the order of the rules does
// not matter; a rule that did not match can be removed without effect; requiring
// high affinity never lets anyone new in; neither does requiring multifactor; and
// without a policy nobody is let in.
func FuzzVerdict(f *testing.F) {
	f.Add([]byte{})
	for i := range byte(40) {
		f.Add([]byte{i, i >> 1, 0, i % 6, i, 1, 2, i, 0, 1, i, 2, i % 4, i, 3, 0, 0, i, 0, 1, 0, i, 0, 2})
	}
	f.Fuzz(checkLaws)
}

// TestLaws is FuzzVerdict on inputs that are the same each time.
func TestLaws(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		data := make([]byte, 30)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		checkLaws(t, data)
	}
}

func checkLaws(t *testing.T, data []byte) {
	w := theWorld(t)
	c := choices(data)
	s := fuzzed(&c)
	test, err := s.testCase(w)
	if err != nil {
		t.Fatal(err)
	}
	tenant, request, err := test.load(w.files)
	if err != nil {
		t.Fatal(err)
	}
	verdict := checkVerdict(t, tenant, request)
	again, err := tenant.Explain(context.Background(), request)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(verdict, again); diff != "" {
		t.Fatalf("the second verdict differs:\n%s", diff)
	}

	config, err := signin.ParseConfig(test.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	under := func(change func(*signin.Config, *signin.Request)) signin.Answer {
		t.Helper()
		changed, r := config, request
		options := signin.Options{CRLs: caseSource{w.files, test.Lists, new(sync.Map)}}
		for _, name := range test.Options {
			caseOptions[name](&options)
		}
		change(&changed, &r)
		tenant, err := changed.Compile(options)
		if err != nil {
			t.Fatal(err)
		}
		a, err := tenant.Decide(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	rules := config.Policy.AuthenticationMode.Rules
	reversed := under(func(c *signin.Config, _ *signin.Request) {
		c.Policy.AuthenticationMode.Rules = slices.Clone(rules)
		slices.Reverse(c.Policy.AuthenticationMode.Rules)
	})
	if reversed != verdict.Answer() {
		t.Fatalf("with the rules in reverse: %+v, not %+v", reversed, verdict.Answer())
	}
	without := under(func(c *signin.Config, _ *signin.Request) {
		c.Policy.AuthenticationMode.Rules = slices.DeleteFunc(slices.Clone(rules), func(r policy.Rule) bool { return !fits(t, r, request.Certificate) })
	})
	if without != verdict.Answer() {
		t.Fatalf("without the rules that do not fit: %+v, not %+v", without, verdict.Answer())
	}
	// An option may let a rule lower what the default requires, so all rules ask too.
	high := under(func(c *signin.Config, _ *signin.Request) {
		c.Policy.AuthenticationMode.DefaultAffinity = certuserid.High
		c.Policy.AuthenticationMode.Rules = slices.Clone(rules)
		for i := range rules {
			c.Policy.AuthenticationMode.Rules[i].RequiredAffinity = certuserid.High
		}
	})
	// Unless the reading is that a mismatch ends the walk: then dropping the low
	// bindings can bring a later one up.
	if high.SignedIn && !verdict.SignedIn && s.options != "StopAtMismatch" {
		t.Fatalf("high affinity lets someone new in: %s", verdict.Message)
	}
	if request.Require.IsZero() {
		mfa := under(func(_ *signin.Config, r *signin.Request) { r.Require = signin.MFA() })
		if mfa.SignedIn && !verdict.SignedIn {
			t.Fatal("requiring multifactor lets someone new in")
		}
	}
	if zero := under(func(c *signin.Config, _ *signin.Request) { c.Policy = policy.Config{} }); zero.SignedIn {
		t.Fatal("the zero policy lets someone in")
	}
	if zero := under(func(c *signin.Config, _ *signin.Request) { *c = signin.Config{} }); zero.SignedIn {
		t.Fatal("the zero configuration lets someone in")
	}
}

// fits is what a rule of these tests means, by crypto/x509's reading of the
// certificate.
func fits(t *testing.T, r policy.Rule, cert *x509.Certificate) bool {
	t.Helper()
	ok := true
	if text := r.Issuer(); text != "" {
		want, err := dn.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := want.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		ok = bytes.Equal(raw, cert.RawIssuer)
	}
	if text := r.OID(); text != "" {
		ok = ok && slices.ContainsFunc(cert.Policies, func(oid x509.OID) bool { return oid.String() == text })
	}
	return ok
}

// Law: any certificate that crypto/x509 reads gets a verdict or an error, the same
// from Decide as from Explain.
func FuzzCertificate(f *testing.F) {
	w, err := madeWorld()
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{"bob", "bob-1234", "no-san", "no-san-ski", "empty-names", "empty-issuer", "self-signed", "two-upns", "woodgrove"} {
		f.Add(w.certs[name].Raw)
	}
	s := scenario{bindings: "PN>UPN 1, RFC822>UPN 2, IS>CUID 3, S>CUID 4, SKI>CUID 5, SHA1>CUID 6, ISR>CUID 7", rules: "CN=WoodgroveCA = MF; 1.2.3.4 = MF"}
	test, err := s.testCase(w)
	if err != nil {
		f.Fatal(err)
	}
	tenant, request, err := test.load(w.files)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		r := request
		r.Certificate = cert
		if _, err := tenant.Explain(context.Background(), r); err != nil {
			if _, other := tenant.Decide(context.Background(), r); other == nil || other.Error() != err.Error() {
				t.Fatalf("Explain: %v; Decide: %v", err, other)
			}
			return
		}
		checkVerdict(t, tenant, r)
	})
}

// Law: what is read is written so that it reads the same again; no property at the
// top is lost; every error is a *Error; and what was read compiles or is
// refused, and is checked, without a panic.
func FuzzParseConfig(f *testing.F) {
	w, err := madeWorld()
	if err != nil {
		f.Fatal(err)
	}
	text, err := json.Marshal(scenario{rules: "CN=WoodgroveCA = SF"}.tenant(w))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add(`{"x509Certificate":{"state":"enabled","new":1},"@odata.context":"x","other":[1,{"a":null}]}`)
	f.Add(`{"publicKeyInfrastructure":[{"displayName":"A"},{"displayName":"A"}]}`)
	f.Add(`{"publicKeyInfrastructure":[{"displayName":"A","deletedDateTime":"2026-01-01T00:00:00Z"},{"displayName":"A"}],"certificateBasedAuthConfiguration":{}}`)
	f.Add(`{"x509Certificate":null,"publicKeyInfrastructure":[]}`)
	f.Add("\ufeff{\"x509Certificate\":{}} x")
	f.Fuzz(func(t *testing.T, text string) {
		config, err := signin.ParseConfig([]byte(text))
		if err != nil {
			var e *signin.Error
			if !errors.As(err, &e) || e.Reason == "" {
				t.Fatalf("error of type %T: %v", err, err)
			}
			return
		}
		out, err := json.Marshal(config)
		if err != nil {
			t.Fatalf("read but not written: %v", err)
		}
		again, err := signin.ParseConfig(out)
		if err != nil {
			t.Fatalf("%v in our own %s", err, out)
		}
		second, err := json.Marshal(again)
		if err != nil || !bytes.Equal(out, second) {
			t.Fatalf("second writing differs, %v:\n%s\n%s", err, out, second)
		}
		var before, after map[string]json.RawMessage
		if json.Unmarshal([]byte(strings.TrimPrefix(text, "\ufeff")), &before) == nil && json.Unmarshal(out, &after) == nil {
			for name := range maps.Keys(before) {
				if _, ok := after[name]; !ok {
					t.Fatalf("the property %q is lost", name)
				}
			}
		}
		config.Findings(worldNow)
		tenant, err := config.Compile(signin.Options{})
		if err != nil {
			var e *signin.Error
			if !errors.As(err, &e) || e.Reason == "" {
				t.Fatalf("error of type %T: %v", err, err)
			}
			return
		}
		tenant.UserFindings(policy.User{AuthorizationInfo: policy.AuthorizationInfo{CertificateUserIDs: []string{"X509:<SKI>00", "x"}}})
	})
}

// Law: a strength that is read is written so that it reads the same again; an
// error is a *Error; and asking with it does not panic.
func FuzzParseStrength(f *testing.F) {
	f.Add(strength(`"x509CertificateSingleFactor"`, combination(`"x509CertificateSingleFactor"`, `"aa"`, `"1.2.3"`)))
	f.Add(strength(`"password, x509CertificateSingleFactor"`, `{"@odata.type":"#microsoft.graph.fido2CombinationConfiguration"}`))
	f.Add(`{"allowedCombinations":[]}`)
	f.Add(`{"allowedCombinations":["",",",",,"],"combinationConfigurations":[{}]}`)
	w, err := madeWorld()
	if err != nil {
		f.Fatal(err)
	}
	test, err := scenario{cert: "bob-1234"}.testCase(w)
	if err != nil {
		f.Fatal(err)
	}
	tenant, request, err := test.load(w.files)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := signin.ParseStrength([]byte(text))
		if err != nil {
			var e *signin.Error
			if !errors.As(err, &e) || e.Reason == "" {
				t.Fatalf("error of type %T: %v", err, err)
			}
			return
		}
		out, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		again, err := signin.ParseStrength(out)
		if err != nil {
			t.Fatalf("%v in our own %s", err, out)
		}
		second, err := json.Marshal(again)
		if err != nil || !bytes.Equal(out, second) {
			t.Fatalf("second writing differs, %v:\n%s\n%s", err, out, second)
		}
		r := request
		r.Require = signin.Require(s)
		checkVerdict(t, tenant, r)
	})
}

// Law: a stored requirement is refused, or reads back as it is written; and only
// null reads as "nothing is required".
func FuzzRequirement(f *testing.F) {
	for _, text := range []string{"null", `"mfa"`, ` "phishing-resistant" `, `{}`, strength(`"x509CertificateMultiFactor"`, "")} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := signin.MFA()
		if err := r.UnmarshalJSON([]byte(text)); err != nil {
			var e *signin.Error
			if !errors.As(err, &e) || e.Reason == "" || !reflect.DeepEqual(r, signin.MFA()) {
				t.Fatalf("%T: %v, and %v", err, err, r)
			}
			return
		}
		if r.IsZero() != (strings.TrimSpace(text) == "null") {
			t.Fatalf("%q requires %v", text, r)
		}
		out, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back signin.Requirement
		if err := json.Unmarshal(out, &back); err != nil || back.String() != r.String() {
			t.Fatalf("%s read as %v, %v", out, back, err)
		}
	})
}

// A certificate with a megabyte where an extension, a name or a list of policies
// belongs gets a verdict whose texts stay short.
func TestLargeCertificates(t *testing.T) {
	w := theWorld(t)
	test, err := scenario{}.testCase(w)
	if err != nil {
		t.Fatal(err)
	}
	tenant, request, err := test.load(w.files)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]fixedKey{"large": keyOf("large"), "woodgrove": keyOf("woodgrove")}
	for name, spec := range map[string]certSpec{
		"5 MB extension":  {issuer: "woodgrove", names: bob, padding: 5 << 20},
		"10,000 policies": {issuer: "woodgrove", names: bob, many: 10_000},
		"long subject":    {issuer: "woodgrove", names: bob, subject: "CN=" + strings.Repeat("x", 1<<20)},
		"long name":       {issuer: "woodgrove", names: []string{"upn:" + strings.Repeat("x", 1<<20)}},
	} {
		cert, err := w.certificate(namedSpec{"large", spec}, 7, keys)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		request.Certificate = cert
		v := checkVerdict(t, tenant, request)
		if v.SignedIn != (name != "long name") {
			t.Errorf("%s: %s %s", name, v.Code, v.Message)
		}
		text, err := json.Marshal(v)
		if err != nil || len(text) > 64<<10 {
			t.Errorf("%s: %d bytes of verdict, %v", name, len(text), err)
		}
	}
}

func hexOf(id []byte) string { return hex.EncodeToString(id) }

// FuzzParseCalibration: no panic; what is read can be used, and is read again as it is
// written.
func FuzzParseCalibration(f *testing.F) {
	f.Add([]byte(`{"signIns":1,"readings":[{"id":"9.15","result":"contradicted","otherSignIns":3,"otherUsers":3}]}`))
	f.Add([]byte(`{"readings":[{"id":"9.27-long","result":"open"},{"id":"9.3","result":"conflicting","text":"x"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := signin.ParseCalibration(data)
		if err != nil {
			return
		}
		if _, err := (signin.Config{}).Compile(signin.Options{Calibration: c}); err != nil {
			t.Fatalf("%s is read and not used: %v", data, err)
		}
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := signin.ParseCalibration(text)
		if back, _ := json.Marshal(again); err != nil || !bytes.Equal(back, text) {
			t.Fatalf("%s is read as %s, %v", text, back, err)
		}
	})
}
