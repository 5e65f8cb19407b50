package graph_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
)

func demo(t testing.TB) (*tenant, *graphtest.Demonstration) {
	t.Helper()
	d, err := graphtest.Demo(start)
	if err != nil {
		t.Fatal(err)
	}
	return newTenant(t, d.Tenant, graphtest.Options{PageSize: 3}), d
}

func TestSignInLog(t *testing.T) {
	f, _ := demo(t)
	since := start.Add(-24 * time.Hour)
	rows := collect(t, f.SignInLog(t.Context(), since, graph.SignInQuery{}))
	if len(rows) != 8 {
		t.Fatalf("%d rows", len(rows))
	}
	want := f.URL + "/beta/auditLogs/signIns?$filter=createdDateTime%20ge%202026-08-31T12%3A00%3A00Z&$top=1000"
	if all := f.asked(); all[0].URL != want {
		t.Errorf("%s, want %s", all[0].URL, want)
	}
	rows = collect(t, f.SignInLog(t.Context(), since, graph.SignInQuery{Until: start, User: "Jane@contoso.com"}))
	if len(rows) != 2 || rows[0].UserPrincipalName != "jane@contoso.com" {
		t.Errorf("%+v", rows)
	}
	for _, err := range f.SignInLog(t.Context(), time.Time{}, graph.SignInQuery{}) {
		if err == nil {
			t.Error("without Since")
		}
	}
}

func TestJoined(t *testing.T) {
	f, _ := demo(t)
	signIns := collect(t, snapshot.SignIns(f.SignInLog(t.Context(), start.Add(-24*time.Hour), graph.SignInQuery{})))
	var got []string
	for _, x := range signIns {
		mode := x.Certificate.Mode.String()
		got = append(got, strings.Join([]string{x.UserPrincipalName(), x.Outcome.String(), mode, x.Certificate.LevelIdentifier, x.Certificate.Subject}, "|"))
		if len(x.Rows) != 2 || x.Rows[0].Status.ErrorCode != 50019 {
			t.Errorf("%+v", x.Rows)
		}
	}
	slices.Sort(got)
	want := []string{
		`alex@contoso.com|refused|single-factor||CN=Alex`,
		`jane@contoso.com|succeeded|multifactor|1.2.3.4|CN=Jane`,
		`john@contoso.com|succeeded|single-factor||CN=John`,
		`megan@contoso.com|refused|unspecified mode||CN=Megan`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, x := range signIns {
		if x.UserPrincipalName() == "jane@contoso.com" && (x.Certificate.Rank != 3 || x.Certificate.LegacyStore == nil || *x.Certificate.LegacyStore) {
			t.Errorf("%+v", x.Certificate)
		}
	}
}

func TestSummarize(t *testing.T) {
	f, _ := demo(t)
	signIns := snapshot.SignIns(f.SignInLog(t.Context(), start.Add(-24*time.Hour), graph.SignInQuery{}))
	s, err := snapshot.Summarize(signIns, func(x snapshot.SignIn) (snapshot.Expectation, bool) {
		switch x.UserPrincipalName() {
		case "jane@contoso.com": // as it went
			return snapshot.Expectation{Answer: signin.Answer{SignedIn: true, AuthenticationMode: policy.MultiFactor}, Authority: "CN=Contoso Issuing CA"}, true
		case "john@contoso.com": // otherwise
			return snapshot.Expectation{Answer: signin.Answer{Code: "AADSTS1001003"}, Authority: "CN=Contoso Issuing CA"}, true
		}
		return snapshot.Expectation{}, false
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `sign-ins with certificates                                                                 4
outcome: refused                                                                           2
outcome: succeeded                                                                         2
code: AADSTS500171                                                                         1
code: AADSTS500173                                                                         1
binding: Certificate: Principal Name; User Attribute: userPrincipalName; Rank: 1           2
binding: Certificate: SKI; User Attribute: certificateUserIds; Rank: 3                     1
strength: single-factor                                                                    2
strength: multifactor                                                                      1
CA: CN=Contoso Issuing CA                                                           2
store: PKI-based                                                                           4
`
	got, unexpected, _ := strings.Cut(s.String(), "unexpected: ")
	squeeze := func(text string) []string { return strings.Fields(text) }
	if diff := cmp.Diff(squeeze(want), squeeze(got)); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(unexpected, "john@contoso.com: the log says succeeded, single-factor, expected AADSTS1001003") || s.Known != 2 || len(s.Unexpected) != 1 {
		t.Errorf("%q", unexpected)
	}
}

func TestSnapshot(t *testing.T) {
	f, d := demo(t)
	ctx := t.Context()
	s, err := f.Snapshot(ctx, graph.SnapshotOptions{Groups: true, SignInsSince: start.Add(-24 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), graphtest.Token) {
		t.Error("the snapshot holds the token")
	}
	// Package signin reads it as a tenant, and answers.
	config, err := signin.ParseConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	tenant, err := config.Compile(signin.Options{SkipRevocation: true})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(s.Users, func(u snapshot.User) bool { return u.UserPrincipalName == "jane@contoso.com" })
	answer, err := tenant.Decide(ctx, signin.Request{User: &s.Users[i].User, Certificate: d.Certificates["jane@contoso.com"], At: start})
	if err != nil || !answer.SignedIn || answer.AuthenticationMode != policy.MultiFactor {
		t.Errorf("%+v, %v", answer, err)
	}
	if strength, err := signin.ParseStrength(s.Strengths[1]); err != nil || len(strength.Combinations) != 1 {
		t.Errorf("%s, %v", s.Strengths[1], err)
	}
	// There and back.
	back, err := snapshot.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(text) {
		t.Errorf("%v\n%s\n%s", err, text, again)
	}
	if len(s.Users) != 4 || s.SignIns.SignIns != 4 {
		t.Errorf("%d users, %d signIns", len(s.Users), s.SignIns.SignIns)
	}
	for _, bad := range []string{"", "{}", "[]", `{"x509Certificate":{},"users":{}}`, `{"x509Certificate":{},"users":[{}]}`, `{"x509Certificate":{},"takenDateTime":1}`} {
		if _, err := snapshot.Parse([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// What the whole is for: a snapshot goes out, is changed offline, is planned,
// applied, verified and undone, and nobody else's values change.
func TestOutAndBack(t *testing.T) {
	f, _ := demo(t)
	ctx := t.Context()
	original := f.Server.Tenant()
	s, err := f.Snapshot(ctx, graph.SnapshotOptions{AllUsers: true})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	// Offline: a rule, one user's value added, another's removed.
	text = []byte(strings.Replace(string(text), `"identifier":"1.2.3.4"`, `"identifier":"1.2.3.44"`, 1))
	text = []byte(strings.Replace(string(text), `"policyOidIdentifier":"1.2.3.4"`, `"policyOidIdentifier":"1.2.3.44"`, 1))
	changed, err := snapshot.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range changed.Users {
		ids := &changed.Users[i].AuthorizationInfo.CertificateUserIDs
		switch changed.Users[i].UserPrincipalName {
		case "megan@contoso.com":
			*ids = append(*ids, "X509:<PN>megan@contoso.com")
		case "jane@contoso.com":
			*ids = (*ids)[1:]
		}
	}
	plan, err := f.PlanPolicy(ctx, changed.Config.Policy)
	if err != nil || plan.Empty() {
		t.Fatal(plan, err)
	}
	if _, err := f.ApplyPolicy(ctx, plan, graph.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	edits := s.Edits(changed)
	if len(edits) != 2 {
		t.Fatalf("%d edits", len(edits))
	}
	var undo []snapshot.Edit
	for p, err := range f.ApplyUsers(ctx, f.PlanUsers(ctx, snapshot.Edits(edits...)), graph.EditOptions{}) {
		if err != nil || p.Outcome != graph.Written {
			t.Fatal(p, err)
		}
		undo = append(undo, p.Undo().Edit())
	}
	now, err := f.Snapshot(ctx, graph.SnapshotOptions{AllUsers: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(changed.Users, now.Users, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if !now.Config.Policy.Equal(changed.Config.Policy) {
		t.Error("another configuration is in force")
	}
	reverse, err := plan.Reverse()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ApplyPolicy(ctx, reverse, graph.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	for p, err := range f.ApplyUsers(ctx, f.PlanUsers(ctx, snapshot.Edits(undo...)), graph.EditOptions{}) {
		if err != nil || p.Outcome != graph.Written {
			t.Fatal(p, err)
		}
	}
	if diff := cmp.Diff(original.Users, f.Server.Tenant().Users, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if back, err := f.Policy(ctx); err != nil || !back.Equal(s.Config.Policy) {
		t.Error(err)
	}
}

func TestNoTokenInErrors(t *testing.T) {
	const token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiIwMDAwMDAwMyJ9.c2lnbmF0dXJl"
	for _, text := range []string{"Bearer " + token, "authorization: bearer abc.def", token, "client_secret=abc.def&x=1", "x\x00y" + token} {
		got := graph.Scrub(text)
		for _, part := range []string{token, "abc.def", "\x00"} {
			if strings.Contains(got, part) {
				t.Errorf("%q became %q", text, got)
			}
		}
	}
	f, _ := demo(t)
	c, err := graph.NewClient(noToken{errors.New("the endpoint said: access_token=" + token)}, graph.Options{Endpoint: f.URL + "/v1.0", Transport: f.Server.Client().Transport})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Policy(t.Context()); err == nil || strings.Contains(err.Error(), token) {
		t.Error(err)
	}
}

// A user in no group is not one whose groups are unknown, in the file either.
func TestNoGroups(t *testing.T) {
	for _, groups := range []bool{true, false} {
		f := newTenant(t, people(), graphtest.Options{})
		s, err := f.Snapshot(t.Context(), graph.SnapshotOptions{Groups: groups})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		back, err := snapshot.Parse(text)
		if err != nil || len(back.Users) != 2 {
			t.Fatalf("%+v, %v", back.Users, err)
		}
		for _, u := range append(s.Users, back.Users...) {
			unknown := slices.Contains(u.Missing, policy.MemberOf) && slices.Contains(u.Missing, policy.TransitiveMemberOf)
			if unknown == groups || len(u.MemberOf)+len(u.TransitiveMemberOf) != 0 {
				t.Errorf("groups read: %v, %s: missing %q, %v", groups, u.UserPrincipalName, u.Missing, u.MemberOf)
			}
		}
	}
}

// What the service refuses to give is left out and said; without LeftOut it is an
// error.
func TestLeftOut(t *testing.T) {
	const groups = "/users/*/transitiveMemberOf/microsoft.graph.group"
	for name, path := range map[string]string{
		"groups": groups, "strengths": "/identity/conditionalAccess/authenticationStrength/policies", "sign-ins": "/auditLogs/signIns",
	} {
		f, _ := demo(t)
		f.inject(graphtest.Fault{Kind: graphtest.Forbidden, Path: path, Times: -1})
		options := graph.SnapshotOptions{Groups: true, SignInsSince: start.Add(-time.Hour)}
		if _, err := f.Snapshot(t.Context(), options); !errors.Is(err, graph.Forbidden) {
			t.Errorf("%s: %v", name, err)
		}
		var left []error
		options.LeftOut = func(err error) { left = append(left, err) }
		s, err := f.Snapshot(t.Context(), options)
		if err != nil || len(left) != 1 || !errors.Is(left[0], graph.Forbidden) || len(s.Users) == 0 || len(s.Config.Trust.PKIs) == 0 {
			t.Fatalf("%s: %v, left out %v, %d users", name, err, left, len(s.Users))
		}
		if (s.Strengths == nil) != (name == "strengths") || (s.SignIns == nil) != (name == "sign-ins") {
			t.Errorf("%s: %d strengths, %v", name, len(s.Strengths), s.SignIns)
		}
		if unknown := slices.Contains(s.Users[0].Missing, policy.TransitiveMemberOf); unknown != (name == "groups") {
			t.Errorf("%s: groups missing: %v", name, unknown)
		}
	}
	// A service that fails is no service that refuses.
	f, _ := demo(t)
	f.inject(graphtest.Fault{Kind: graphtest.Gateway, Path: groups, Times: -1})
	if _, err := f.Snapshot(t.Context(), graph.SnapshotOptions{Groups: true, LeftOut: func(error) { t.Error("left out") }}); !errors.Is(err, graph.Unavailable) {
		t.Error(err)
	}
}

// The groups of a user are asked for as the page demands.
func TestGroupsHeaders(t *testing.T) {
	f, _ := demo(t)
	if _, err := f.Groups(t.Context(), "jane@contoso.com"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Snapshot(t.Context(), graph.SnapshotOptions{Groups: true}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, r := range f.asked() {
		if strings.Contains(r.URL, "transitiveMemberOf") {
			n++
			if r.Header.Get("ConsistencyLevel") != "eventual" || !strings.Contains(r.URL, "$count=true") {
				t.Errorf("%s %v", r.URL, r.Header)
			}
		}
	}
	if n < 3 {
		t.Errorf("%d requests", n)
	}
}

// Where the users of a domain sign in is read, and the verdict depends on it.
func TestDomains(t *testing.T) {
	for _, federated := range []bool{false, true} {
		d, err := graphtest.Demo(start)
		if err != nil {
			t.Fatal(err)
		}
		if federated {
			d.Tenant.Federated = []string{"Contoso.com"}
		}
		f := newTenant(t, d.Tenant, graphtest.Options{PageSize: 1})
		config, err := f.Tenant(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tenant, err := config.Compile(signin.Options{SkipRevocation: true})
		if err != nil {
			t.Fatal(err)
		}
		u, err := f.User(t.Context(), "jane@contoso.com")
		if err != nil {
			t.Fatal(err)
		}
		groups, err := f.Groups(t.Context(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		u.SetGroups(groups)
		v, err := tenant.Explain(t.Context(), signin.Request{User: &u.User, Certificate: d.Certificates["jane@contoso.com"], At: start})
		if err != nil || !v.SignedIn {
			t.Fatalf("%s, %v", v.Message, err)
		}
		if depends := slices.ContainsFunc(v.Assumptions, func(a signin.Assumption) bool { return a.ID == "tenant.domains" && a.ChangesVerdict }); depends != federated {
			t.Errorf("federated %v: %+v", federated, v.Assumptions)
		}
	}
}

// System-preferred authentication is read from beta and kept as it is; where it is
// refused it is not known.
func TestCredentialPreferences(t *testing.T) {
	const own = `{"state":"disabled","includeTargets":[{"targetType":"group","id":"all_users"}],"excludeTargets":[]}`
	in := people()
	in.SystemCredentialPreferences = json.RawMessage(own)
	f := newTenant(t, in, graphtest.Options{})
	config, err := f.Tenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if json.Unmarshal(config.Extra["systemCredentialPreferences"], &got) != nil || json.Unmarshal([]byte(own), &want) != nil || !cmp.Equal(got, want) {
		t.Errorf("%s", config.Extra)
	}
	if !slices.ContainsFunc(f.asked(), func(r graphtest.Request) bool { return r.URL == f.URL+"/beta/policies/authenticationMethodsPolicy" }) {
		t.Error("beta was not asked")
	}
	f.inject(graphtest.Fault{Kind: graphtest.Forbidden, Path: "/policies/authenticationMethodsPolicy", Times: -1})
	if config, err = f.Tenant(t.Context()); err != nil || config.Extra["systemCredentialPreferences"] != nil || config.Extra["domains"] == nil {
		t.Errorf("%v, %v", config.Extra, err)
	}
	f.inject(graphtest.Fault{Kind: graphtest.Forbidden, Path: "/domains", Times: -1})
	if config, err = f.Tenant(t.Context()); err != nil || config.Extra != nil {
		t.Errorf("%v, %v", config.Extra, err)
	}
	in.SystemCredentialPreferences = json.RawMessage(`{"state":1}`)
	if _, err := graphtest.New(in, graphtest.Options{}); err == nil {
		t.Error("a state that is a number")
	}
}
