package policy_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A drawer draws configurations, certificates and users from a small world, so
// that rules match, clash and nearly match often.
type drawer struct{ *rand.Rand }

func pick[T any](d drawer, list ...T) T { return list[d.IntN(len(list))] }

func (d drawer) rule() policy.Rule {
	issuers := []string{"CN=CA1", "cn=ca1 ", "CN=CA2", "CN=CA1,DC=contoso,DC=com", "DC=com,DC=contoso,CN=CA1", "CA1", ""}
	oids := []string{"1.2.3.1", " 1.2.3.1", "1.2.3.2", "2.5.29.32.0", "All Issuance Policies", ""}
	r := policy.Rule{
		Type:             pick[policy.RuleType](d, policy.IssuerSubject, policy.PolicyOID, policy.IssuerSubjectAndPolicyOID, policy.UnknownFutureValue, ""),
		Mode:             pick[policy.AuthenticationMode](d, policy.SingleFactor, policy.MultiFactor, policy.MultiFactor, "x", ""),
		RequiredAffinity: pick[certuserid.Affinity](d, certuserid.Low, certuserid.Low, certuserid.High, "x", ""),
		Identifier:       pick(d, append(issuers, oids...)...),
	}
	if d.IntN(3) > 0 {
		r.IssuerSubjectIdentifier = pick(d, issuers...)
	}
	if d.IntN(3) > 0 {
		r.PolicyOIDIdentifier = pick(d, oids...)
	}
	return r
}

func (d drawer) binding() policy.UserBinding {
	b := policy.Bind(
		pick[certuserid.Mapping](d, certuserid.PrincipalName, certuserid.RFC822Name, certuserid.IssuerAndSubject, certuserid.Subject,
			certuserid.SKI, certuserid.SHA1PublicKey, certuserid.IssuerAndSerialNumber, "SKI", ""),
		pick[policy.UserProperty](d, policy.UserPrincipalName, policy.OnPremisesUserPrincipalName, policy.CertificateUserIDs, policy.CertificateUserIDs, "email"),
		int32(d.IntN(4)))
	if d.IntN(4) == 0 {
		b.Affinity = pick[certuserid.Affinity](d, "", "x", certuserid.Low, certuserid.High)
	}
	return b
}

func (d drawer) config() policy.Config {
	c := policy.Config{
		State:          pick[policy.State](d, policy.Enabled, policy.Enabled, policy.Enabled, policy.Disabled, "", "x"),
		IncludeTargets: []policy.IncludeTarget{pick(d, policy.AllUsers(), policy.Group(groupA), policy.Group(groupB))},
		AuthenticationMode: policy.AuthenticationModeConfiguration{
			Default:         pick[policy.AuthenticationMode](d, policy.SingleFactor, policy.MultiFactor, "", "x"),
			DefaultAffinity: pick[certuserid.Affinity](d, certuserid.Low, certuserid.Low, certuserid.High, "", "x"),
		},
	}
	if d.IntN(4) == 0 {
		c.ExcludeTargets = []policy.Target{policy.ExcludeGroup(pick(d, groupA, groupB, ""))}
	}
	for range d.IntN(5) {
		c.AuthenticationMode.Rules = append(c.AuthenticationMode.Rules, d.rule())
	}
	for range d.IntN(5) {
		c.UserBindings = append(c.UserBindings, d.binding())
	}
	return c
}

func (d drawer) certificate() certSpec {
	s := certSpec{
		Issuer: pick(d, "CN=CA1", "CN=CA2", "CN=CA1,DC=contoso,DC=com"), Subject: pick(d, "CN=Bob", "CN=Alice", "CN=CA1"),
		Serial: pick(d, "1a2b3c", "89aabb"), SKI: pick(d, "", "0102"),
	}
	for range d.IntN(3) {
		s.Names = append(s.Names, pick(d, "upn:bob@contoso.com", "upn:BOB@contoso.com", "upn:eve@contoso.com", "email:bob@contoso.com", "email:eve@contoso.com"))
	}
	for range d.IntN(3) {
		if oid := pick(d, "1.2.3.1", "1.2.3.2", "2.5.29.32.0"); !slices.Contains(s.Policies, oid) {
			s.Policies = append(s.Policies, oid)
		}
	}
	return s
}

// user has values of the certificate, of others, and wrong ones.
func (d drawer) user(t testing.TB, cert certSpec) policy.User {
	u := policy.User{
		ID: "u", UserPrincipalName: pick(d, "bob@contoso.com", "alice@contoso.com", ""),
		OnPremisesUserPrincipalName: pick(d, "bob@contoso.com", "eve@contoso.com", ""),
		MemberOf:                    []policy.DirectoryObject{{ID: pick(d, groupA, groupB, strings.ToUpper(groupA))}},
	}
	ids := certuserid.All(cert.certificate(t))
	wrong := certuserid.Options{BrokenBigEndianSerial: true, UpperHex: true, WithoutSignOctet: true, HashInput: certuserid.PublicKeyInfo}.All(cert.certificate(t))
	other := certuserid.All(d.certificate().certificate(t))
	for _, id := range slices.Concat(ids, wrong, other) {
		if d.IntN(6) == 0 {
			u.AuthorizationInfo.CertificateUserIDs = append(u.AuthorizationInfo.CertificateUserIDs, id.String())
		}
	}
	return u
}

func (d drawer) readings() policy.Readings {
	flip := func() bool { return d.IntN(3) == 0 }
	return policy.Readings{
		RuleLowersAffinity: flip(), OnlyDecidingRuleAffinity: flip(), ConflictIsMultiFactor: flip(), StopAtMismatch: flip(),
		EitherAffinity: flip(), AnyName: flip(), ExactNames: flip(), ExactUserIDs: flip(), RootFirstIssuers: flip(),
		IdentifierInCombinedRule: flip(), UnknownRuleIsCombined: flip(),
	}
}

// reference is the evaluation as the deep dive tells it, written without tables,
// names as values of package dn, for the zero Readings.
func reference(t testing.TB, c policy.Config, cert certSpec, u policy.User) policy.Decision {
	t.Helper()
	d := policy.Decision{Enabled: c.State == policy.Enabled, RuleIndex: -1, BindingIndex: -1}
	member := func(id string) bool {
		for _, g := range u.MemberOf {
			if strings.EqualFold(g.ID, id) {
				return true
			}
		}
		return id == policy.AllUsersID
	}
	for _, target := range c.IncludeTargets {
		d.InScope = d.InScope || member(target.ID)
	}
	for _, target := range c.ExcludeTargets {
		d.InScope = d.InScope && !member(target.ID)
	}
	for _, target := range c.ExcludeTargets { // who is in a target that cannot be read is not known
		if d.InScope && (target.ID == "" || target.Type != "" && target.Type != policy.GroupTarget && target.Type != policy.UserTarget) {
			d.InScope, d.ScopeUnknown = false, true
		}
	}
	unread := len(c.IncludeTargets) > 0 && !d.InScope && !d.ScopeUnknown && !slices.ContainsFunc(c.ExcludeTargets, func(t policy.Target) bool { return member(t.ID) })
	for _, target := range c.IncludeTargets {
		if unread && !member(target.ID) && (target.ID == "" || target.Type != policy.GroupTarget && target.Type != policy.UserTarget) {
			d.ScopeUnknown = true
		}
	}

	issuer := mustName(t, cert.Issuer)
	sameIssuer := func(text string) bool {
		name, err := dn.Parse(text)
		return err == nil && len(name) > 0 && name.Equal(issuer)
	}
	hasOID := func(text string) bool { return slices.Contains(cert.Policies, strings.TrimSpace(text)) }
	var tiers [3][]int
	high := c.AuthenticationMode.DefaultAffinity != "" && c.AuthenticationMode.DefaultAffinity != certuserid.Low
	for i, r := range c.AuthenticationMode.Rules {
		issuerText, oidText := r.IssuerSubjectIdentifier, r.PolicyOIDIdentifier
		tier := -1
		switch r.Type {
		case policy.IssuerSubjectAndPolicyOID:
			if sameIssuer(issuerText) && hasOID(oidText) {
				tier = 0
			}
		case policy.PolicyOID:
			if oidText == "" {
				oidText = r.Identifier
			}
			if hasOID(oidText) {
				tier = 1
			}
		case policy.IssuerSubject:
			if issuerText == "" {
				issuerText = r.Identifier
			}
			if sameIssuer(issuerText) {
				tier = 2
			}
		}
		if tier >= 0 {
			tiers[tier] = append(tiers[tier], i)
			high = high || r.RequiredAffinity != "" && r.RequiredAffinity != certuserid.Low
		}
	}
	d.AuthenticationMode = policy.SingleFactor
	if c.AuthenticationMode.Default == policy.MultiFactor {
		d.AuthenticationMode = policy.MultiFactor
	}
	for _, tier := range tiers {
		if len(tier) == 0 {
			continue
		}
		d.AuthenticationMode, d.RuleIndex = policy.MultiFactor, tier[0]
		for _, i := range slices.Backward(tier) {
			if c.AuthenticationMode.Rules[i].Mode != policy.MultiFactor {
				d.AuthenticationMode, d.RuleIndex = policy.SingleFactor, i
			}
		}
		break
	}
	d.RequiredAffinity = certuserid.Low
	if high {
		d.RequiredAffinity = certuserid.High
	}

	parsed := cert.certificate(t)
	value := func(f certuserid.Mapping) (certuserid.Mapping, string) {
		m := certuserid.Mapping(f)
		id, err := certuserid.FromCertificate(parsed, m)
		if err != nil {
			return "", ""
		}
		return m, id.Value()
	}
	for _, b := range c.UserBindings {
		m, text := value(b.Field)
		ok := false
		switch {
		// An affinity that is not known is not high: it never lets anybody in.
		case m == "", high && (m.Affinity() != certuserid.High || b.Affinity != "" && b.Affinity != certuserid.High):
		case b.Property == policy.CertificateUserIDs:
			for _, stored := range u.AuthorizationInfo.CertificateUserIDs {
				ok = ok || certuserid.Options{}.Values(parsed).Fit(m, stored) != certuserid.Unfit
			}
		case m != certuserid.PrincipalName && m != certuserid.RFC822Name:
		case b.Property == policy.UserPrincipalName:
			ok = u.UserPrincipalName != "" && strings.EqualFold(text, u.UserPrincipalName)
		case b.Property == policy.OnPremisesUserPrincipalName:
			ok = u.OnPremisesUserPrincipalName != "" && strings.EqualFold(text, u.OnPremisesUserPrincipalName)
		}
		d.Bound = d.Bound || ok
	}
	return d
}

// outcomeOnly leaves out which of several bindings of one outcome was first, and
// which of several rules.
func outcomeOnly(d policy.Decision) policy.Decision {
	d.RuleIndex, d.BindingIndex = 0, 0
	return d
}

// FuzzEvaluate holds, for any configuration, certificate and user that a drawer
// draws:
//
//   - the decision is the naive one of reference;
//   - Decide and Explain agree, twice, and an explanation is consistent;
//   - the order of rules and of bindings does not change the outcome;
//   - a rule that does not match can be removed without effect;
//   - raising required affinity, of the default or of a rule, lets nobody in and
//     leaves the strength alone;
//   - the zero Config binds nobody, and the zero User is bound by nothing;
//   - the JSON of the configuration gives the same policy;
//   - under other readings nothing panics and Decide and Explain agree.
func FuzzEvaluate(f *testing.F) {
	for seed := range uint64(128) {
		f.Add(seed, seed*7)
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		d := drawer{rand.New(rand.NewPCG(a, b))}
		config, spec := d.config(), d.certificate()
		user := d.user(t, spec)
		cert := prepare(t, spec.certificate(t))
		policyOf := func(c policy.Config) policy.Decision { return compiled(c).Decide(cert, &user) }
		got := policyOf(config)

		want := reference(t, config, spec, user)
		if want.BindingIndex = got.BindingIndex; want != got {
			t.Fatalf("decision %+v, reference %+v", got, want)
		}
		p := compiled(config)
		e := p.Explain(cert, &user)
		if again := p.Explain(cert, &user); mustJSON(t, e) != mustJSON(t, again) {
			t.Fatal("two explanations differ")
		}
		if e.Decision != got {
			t.Fatalf("Explain says %+v, Decide %+v", e.Decision, got)
		}
		checkExplanation(t, config, e)

		shuffled := config
		shuffled.AuthenticationMode.Rules = slices.Clone(config.AuthenticationMode.Rules)
		shuffled.UserBindings = slices.Clone(config.UserBindings)
		d.Shuffle(len(shuffled.AuthenticationMode.Rules), func(i, j int) {
			r := shuffled.AuthenticationMode.Rules
			r[i], r[j] = r[j], r[i]
		})
		d.Shuffle(len(shuffled.UserBindings), func(i, j int) {
			r := shuffled.UserBindings
			r[i], r[j] = r[j], r[i]
		})
		if other := policyOf(shuffled); outcomeOnly(other) != outcomeOnly(got) {
			t.Fatalf("order changed %+v to %+v", got, other)
		}

		for i, step := range slices.DeleteFunc(slices.Clone(e.Steps), func(s lint.Step) bool { return s.Name != policy.StepRule }) {
			if strings.Contains(step.Detail, ": it matches") {
				continue
			}
			without := config
			without.AuthenticationMode.Rules = slices.Delete(slices.Clone(config.AuthenticationMode.Rules), i, i+1)
			if other := policyOf(without); outcomeOnly(other) != outcomeOnly(got) {
				t.Fatalf("removing rules[%d], which did not match, changed %+v to %+v", i, got, other)
			}
		}

		raised := config
		raised.AuthenticationMode.DefaultAffinity = certuserid.High
		if other := policyOf(raised); other.Bound && !got.Bound {
			t.Fatal("raising the default affinity bound somebody")
		}
		for i := range config.AuthenticationMode.Rules {
			raised := config
			raised.AuthenticationMode.Rules = slices.Clone(config.AuthenticationMode.Rules)
			raised.AuthenticationMode.Rules[i].RequiredAffinity = certuserid.High
			other := policyOf(raised)
			if other.Bound && !got.Bound || other.AuthenticationMode != got.AuthenticationMode {
				t.Fatalf("raising the affinity of rules[%d] bound somebody or changed the strength", i)
			}
		}

		if compiled((policy.Config{})).Decide(cert, &user) != (policy.Decision{
			AuthenticationMode: policy.SingleFactor, RequiredAffinity: certuserid.Low, RuleIndex: -1, BindingIndex: -1}) {
			t.Fatal("the zero Config says something")
		}
		if p.Decide(cert, &policy.User{}).Bound || p.Decide(nil, &user).Bound || p.Decide(cert, nil).Bound {
			t.Fatal("a binding with nothing")
		}

		if read := mustParse(t, mustMarshal(t, config)); policyOf(read) != got || !read.Equal(config) {
			t.Fatal("the JSON says something else")
		}
		config.Findings()

		other := p.With(d.readings())
		oe := other.Explain(cert, &user)
		if oe.Decision != other.Decide(cert, &user) {
			t.Fatal("Decide and Explain differ under other readings")
		}
		checkExplanation(t, config, oe)
	})
}

func mustJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// FuzzJSON holds for any text: reading it gives a configuration or a *Error,
// and a configuration is written as JSON that says the same, every property
// included, reads back the same, and compiles; its findings have no empty texts.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(live))
	for _, name := range []string{"config.json"} {
		paths, err := filepath.Glob("testdata/cases/*/" + name)
		if err != nil || len(paths) < minCases {
			f.Fatalf("%d seeds, %v", len(paths), err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	for _, text := range []string{`{}`, `{"value":{}}`, `{"id":null,"z":[{"a":{}}]}`, `{"certificateUserBindings":[{"priority":-0}]}`,
		`{"certificateAuthorityScopes":[{"includeTargets":[{}]}],"includeTargets":[{"x":1e9}]}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := policy.Parse(text)
		if err != nil {
			if _, ok := err.(*policy.Error); !ok || !c.Equal(policy.Config{}) {
				t.Fatalf("error %T %v beside %v", err, err, c)
			}
			return
		}
		once := mustMarshal(t, c)
		if again := mustMarshal(t, mustParse(t, once)); again != once {
			t.Fatalf("not stable:\n%s\n%s", once, again)
		}
		var was, is any
		source := strings.TrimPrefix(string(text), "\xef\xbb\xbf")
		if json.Unmarshal([]byte(source), &was) == nil && json.Unmarshal([]byte(once), &is) == nil {
			if outer, ok := was.(map[string]any); ok && mustJSON(t, was) != mustJSON(t, is) && mustJSON(t, outer["value"]) != mustJSON(t, is) {
				t.Fatalf("says something else:\n%s\n%s", text, once)
			}
		}
		if _, err := c.PatchBody(); err != nil {
			t.Fatal(err)
		}
		for _, f := range c.Findings() {
			if f.Code == "" || f.What == "" || f.Severity == 0 {
				t.Fatalf("incomplete finding %+v", f)
			}
		}
		compiled(c).Explain(nil, nil)
	})
}

// FuzzParseUser holds for any text: a user or an *Error with a reason; what was
// read is read again from its own JSON and from an envelope.
func FuzzParseUser(f *testing.F) {
	f.Add([]byte(`{"id":"1","userPrincipalName":"jane@contoso.com","onPremisesUserPrincipalName":null,"authorizationInfo":{"certificateUserIds":["X509:<PN>j@mil"]},"memberOf":[{"id":"g"}]}`))
	f.Add([]byte(`{"value":[{"Id":"1","UserPrincipalName":"jane@contoso.com","AuthorizationInfo":{"CertificateUserIds":[]}}]}`))
	f.Add([]byte("\xef\xbb\xbf{\"id\":\"\\ud800\"}"))
	f.Add([]byte(`{"id":"1","ID":"2"}`))
	f.Add([]byte(`{"memberOf":[null]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		u, err := policy.ParseUser(text)
		if err != nil {
			var e *policy.Error
			if !errors.As(err, &e) || e.Reason == "" || !errors.Is(err, e.Reason) || len(err.Error()) > 1000 || u.ID != "" || u.MemberOf != nil {
				t.Fatalf("%v with %+v", err, u)
			}
			return
		}
		own, err := json.Marshal(u)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{string(own), `{"value":` + string(own) + `}`, `{"@odata.context":"c","value":[` + string(own) + `]}`} {
			if len(form) > policy.MaxJSON {
				return
			}
			again, err := policy.ParseUser([]byte(form))
			if diff := cmp.Diff(u, again, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Fatalf("%v (-first +again):\n%s", err, diff)
			}
		}
		var c policy.Config
		c.UserBindings = []policy.UserBinding{policy.Bind(certuserid.PrincipalName, policy.UserPrincipalName, 1)}
		if d := compiled(c).Decide(nil, &u); d.SignsIn() {
			t.Fatalf("%+v", d)
		}
	})
}
