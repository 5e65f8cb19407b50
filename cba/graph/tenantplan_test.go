package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
)

// enabledPolicy is the service's default, enabled.
func enabledPolicy(t testing.TB) json.RawMessage {
	t.Helper()
	c := policy.ServiceDefault()
	c.State = policy.Enabled
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// wholeTenant has something in each of the three parts, and what is wanted of it
// changes, adds to and deletes from each.
func wholeTenant(t *testing.T) (graphtest.Tenant, func(signin.Config) signin.Config) {
	t.Helper()
	one, two, three, four, old, dead := newCA(t, "One", later), newCA(t, "Two", later), newCA(t, "Three", later), newCA(t, "Four", later), newCA(t, "Old", later), newCA(t, "Dead", start.AddDate(0, -1, 0))
	in := graphtest.Tenant{ID: people().ID, Policy: enabledPolicy(t),
		PKIs: []graphtest.PKI{{ID: "p1", DisplayName: "A", Authorities: []graphtest.Authority{
			withID("c1", graphtest.NewAuthority(one)), withID("c2", graphtest.NewAuthority(two))}}},
		Classic: []graphtest.ClassicAuthority{{Certificate: dead.Raw, Root: true}, {Certificate: old.Raw, Root: true}},
	}
	return in, func(c signin.Config) signin.Config {
		c = c.Clone()
		c.Trust.PKIs[0].CertificateAuthorities = append(c.Trust.PKIs[0].CertificateAuthorities[:1:1], authorityOf(t, three), authorityOf(t, four))
		c.Trust.PKIs[0].CertificateAuthorities[0].CertificateRevocationListURL = "http://crl.contoso.com/one.crl"
		c.Trust.Classic = classicOf(old, two)
		c.Policy.UserBindings = append(c.Policy.UserBindings, policy.Bind(certuserid.IssuerAndSerialNumber, policy.CertificateUserIDs, 4))
		return c
	}
}

const wholePlan = `create CA "Three" of PKI "A"
create CA "Four" of PKI "A"
change CA "One" of PKI "A"
  ~ certificateRevocationListUrl: null -> "http://crl.contoso.com/one.crl"
delete CA "Two" of PKI "A"
create CA "Two" of the classic store
change CA "Old" of the classic store
  ~ certificateRevocationListUrl: "" -> "http://crl.contoso.com/Old.crl"
delete CA "Dead" of the classic store
+ certificateUserBindings[IssuerAndSerialNumber]: {"x509CertificateField":"IssuerAndSerialNumber","userProperty":"certificateUserIds","priority":4,"trustAffinityLevel":"high"}`

func planned(t *testing.T, f *tenant, wanted func(signin.Config) signin.Config) graph.TenantPlan {
	t.Helper()
	now, err := f.Client.Tenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	plan, err := f.PlanTenant(t.Context(), wanted(now))
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestTenantPlan(t *testing.T) {
	in, wanted := wholeTenant(t)
	f := newTenant(t, in, graphtest.Options{})
	ctx := t.Context()
	plan := planned(t, f, wanted)
	if diff := cmp.Diff(wholePlan, plan.String()); diff != "" {
		t.Fatal(diff)
	}
	// What no plan writes is not planned away: with other domains, users in a federated one
	// would seem to gain or lose access.
	if len(plan.Before.Extra) == 0 || !maps.EqualFunc(plan.Before.Extra, plan.After.Extra, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
		t.Errorf("beside the settings there were %v, and after the change %v", plan.Before.Extra, plan.After.Extra)
	}
	if locks := plan.LocksOut(); len(locks) != 0 { // Two moves to the other store, Dead has expired
		t.Errorf("%v", locks)
	}
	// The plan survives being saved.
	text, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	var saved graph.TenantPlan
	if err := json.Unmarshal(text, &saved); err != nil || saved.String() != wholePlan {
		t.Fatal(saved, err)
	}
	f.asked()
	var parts []string
	var backup bytes.Buffer
	after, err := f.ApplyTenant(ctx, saved, &backup, graph.TenantOptions{Progress: func(part string) { parts = append(parts, part) }})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"PKI-based store", "classic store", "method configuration", "deletions"}; !slices.Equal(parts, want) {
		t.Errorf("parts %q", parts)
	}
	var kept graph.TenantPlan
	if err := json.Unmarshal(backup.Bytes(), &kept); err != nil || kept.String() != wholePlan {
		t.Errorf("backup: %v, %v", kept, err)
	}
	if again := planned(t, f, func(signin.Config) signin.Config { return plan.After }); !again.Empty() || len(after.Trust.PKIs[0].CertificateAuthorities) != 3 {
		t.Errorf("after applying: %v", again)
	}
	// Twice is once.
	f.asked()
	if _, err := f.ApplyTenant(ctx, saved, io.Discard, graph.TenantOptions{}); err != nil || f.writes() != 0 {
		t.Errorf("again: %v", err)
	}
	// And back: Three and Four have people who signed in with them, so they go only when told.
	back, err := saved.Reverse()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ApplyTenant(ctx, back, io.Discard, graph.TenantOptions{}); !errors.Is(err, graph.Lockout) || f.writes() != 0 {
		t.Fatalf("back: %v", err)
	}
	if _, err := f.ApplyTenant(ctx, back, io.Discard, graph.TenantOptions{ApplyOptions: graph.ApplyOptions{AllowLockout: true}}); err != nil {
		t.Fatal(err)
	}
	now := f.Server.Tenant()
	if pkis, err := f.PKIs(ctx); err != nil || len(pkis[0].CertificateAuthorities) != 2 || len(now.Classic) != 1 || now.Classic[0].CRLURL != "" || strings.Contains(string(now.Policy), "IssuerAndSerialNumber") {
		t.Errorf("back: %d CAs, %d in the classic store, %s", len(pkis[0].CertificateAuthorities), len(now.Classic), now.Policy)
	}
}

// A plan whose application ends anywhere is continued or taken back, and a tenant that
// somebody else changed meanwhile is left alone.
func TestTenantPlanInterrupted(t *testing.T) {
	t.Parallel()
	for n := range 6 {
		in, wanted := wholeTenant(t)
		f := newTenant(t, in, graphtest.Options{})
		f.Client.Attempts = 1
		ctx := t.Context()
		plan := planned(t, f, wanted)
		for _, method := range []string{"POST", "PATCH", "DELETE"} {
			f.inject(graphtest.Fault{Kind: graphtest.Forbidden, Method: method, Skip: n / 3, Times: -1})
			if n%3 == slices.Index([]string{"POST", "PATCH", "DELETE"}, method) {
				break
			}
			f.ClearFaults()
		}
		_, err := f.ApplyTenant(ctx, plan, io.Discard, graph.TenantOptions{})
		f.ClearFaults()
		if err == nil {
			t.Fatalf("%d: nothing was interrupted", n)
		}
		now, err := f.Client.Tenant(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if left := planned(t, f, func(signin.Config) signin.Config { return plan.After }); left.String() != plan.String() && !plan.Interrupted(now) {
			t.Errorf("%d: not interrupted, %v is left", n, left)
		}
		if n%2 == 0 {
			_, err = f.ApplyTenant(ctx, plan, io.Discard, graph.TenantOptions{})
		} else {
			plan, _ = plan.Reverse()
			_, err = f.ApplyTenant(ctx, plan, io.Discard, graph.TenantOptions{ApplyOptions: graph.ApplyOptions{AllowLockout: true}})
		}
		if err != nil {
			t.Errorf("%d: %v", n, err)
		}
		if left := planned(t, f, func(signin.Config) signin.Config { return plan.After }); !left.Empty() {
			t.Errorf("%d: %v is left", n, left)
		}
	}
}

// The classic store is gone, as after a kill between its deletion and its creation:
// the plan goes on, and its reverse puts the old store back.
func TestTenantPlanWithoutClassicStore(t *testing.T) {
	for _, back := range []bool{false, true} {
		in, wanted := wholeTenant(t)
		f := newTenant(t, in, graphtest.Options{})
		plan := planned(t, f, wanted)
		if _, err := f.ReplaceClassic(t.Context(), trust.Classic{}, io.Discard, graph.ReplaceOptions{AllowEmpty: true}); err != nil {
			t.Fatal(err)
		}
		now, err := f.Client.Tenant(t.Context())
		if err != nil || !plan.Interrupted(now) {
			t.Fatalf("interrupted: %v, %v", plan.Interrupted(now), err)
		}
		want := []string{"Old", "Two"}
		if back {
			plan, _ = plan.Reverse()
			want = []string{"Old"}
		}
		if _, err := f.ApplyTenant(t.Context(), plan, io.Discard, graph.TenantOptions{}); err != nil || !slices.Equal(stored(f), want) {
			t.Errorf("back %v: %v, %v", back, stored(f), err)
		}
	}
}

func TestTenantPlanRefuses(t *testing.T) {
	in, wanted := wholeTenant(t)
	other := newCA(t, "Other", later)
	for name, change := range map[string]func(*tenant) error{
		"another CA": func(f *tenant) error {
			_, err := f.CreateAuthority(t.Context(), "p1", authorityOf(t, other))
			return err
		},
		"another binding": func(f *tenant) error {
			c, err := f.Policy(t.Context())
			if err != nil {
				return err
			}
			c = c.Clone()
			c.UserBindings = c.UserBindings[:1]
			plan, err := f.PlanPolicy(t.Context(), c)
			if err == nil {
				_, err = f.ApplyPolicy(t.Context(), plan, graph.ApplyOptions{})
			}
			return err
		},
		"another classic store": func(f *tenant) error {
			_, err := f.ReplaceClassic(t.Context(), classicOf(other), io.Discard, graph.ReplaceOptions{AllowNoRollback: true})
			return err
		},
	} {
		f := newTenant(t, in, graphtest.Options{})
		plan := planned(t, f, wanted)
		if err := change(f); err != nil {
			t.Fatal(name, err)
		}
		f.asked()
		_, err := f.ApplyTenant(t.Context(), plan, io.Discard, graph.TenantOptions{})
		if !errors.Is(err, graph.Stale) || f.writes() != 0 || !strings.Contains(err.Error(), `create CA "Other" of `) && !strings.Contains(err.Error(), "- certificateUserBindings[RFC822Name]") {
			t.Errorf("%s: %v", name, err)
		}
	}

	f := newTenant(t, in, graphtest.Options{})
	plan := planned(t, f, wanted)
	elsewhere := plan
	elsewhere.TenantID = "22222222-2222-2222-2222-222222222222"
	for name, test := range map[string]struct {
		plan   graph.TenantPlan
		backup io.Writer
		want   graph.Reason
	}{
		"another tenant": {elsewhere, io.Discard, graph.Invalid}, "no backup": {plan, nil, graph.Invalid}, "a full disk": {plan, fullDisk{}, graph.NotSaved},
	} {
		f.asked()
		if _, err := f.ApplyTenant(t.Context(), test.plan, test.backup, graph.TenantOptions{}); !errors.Is(err, test.want) || f.writes() != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	const whole = `{"x509Certificate":{"id":"X509Certificate","state":"enabled"},"publicKeyInfrastructure":[],"certificateBasedAuthConfiguration":{"certificateAuthorities":[]}}`
	for _, text := range []string{"", "{}", `{"version":2,"tenantId":"x","made":"2026-09-01T00:00:00Z"}`, `{"version":1}`, "[]", `{"version":1,"tenantId":"x","made":"2026-09-01T00:00:00Z","before":{"x509Certificate":{}},"after":{"x509Certificate":{}}}`,
		// Settings that are not there are not empty settings, to which everything would be deleted.
		`{"version":1,"tenantId":"x","made":"2026-09-01T00:00:00Z"}`,
		`{"version":1,"tenantId":"x","made":"2026-09-01T00:00:00Z","after":` + whole + `}`,
		`{"version":1,"tenantId":"x","made":"2026-09-01T00:00:00Z","before":` + whole + `,"after":null}`} {
		if err := new(graph.TenantPlan).UnmarshalJSON([]byte(text)); !errors.Is(err, graph.Invalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What another program changes while a plan is applied is not deleted or written over.
func TestTenantPlanChangedMeanwhile(t *testing.T) {
	other := newCA(t, "Other", later)
	for _, test := range []struct {
		name, part string // while which part
		change     func(*tenant) error
		kept       func(*tenant) bool
	}{
		{"a CA", "method configuration", func(f *tenant) error {
			_, err := f.CreateAuthority(context.Background(), "p1", authorityOf(t, other))
			return err
		}, func(f *tenant) bool {
			pkis, err := f.PKIs(context.Background())
			return err == nil && slices.ContainsFunc(pkis[0].CertificateAuthorities, func(a trust.Authority) bool { return bytes.Equal(a.Certificate, other.Raw) })
		}},
		{"a PKI", "method configuration", func(f *tenant) error {
			_, err := f.CreatePKI(context.Background(), "New")
			return err
		}, func(f *tenant) bool {
			pkis, err := f.PKIs(context.Background())
			return err == nil && len(pkis) == 2
		}},
		{"the classic store", "PKI-based store", func(f *tenant) error {
			_, err := f.ReplaceClassic(context.Background(), classicOf(other), io.Discard, graph.ReplaceOptions{AllowNoRollback: true})
			return err
		}, func(f *tenant) bool { return slices.Equal(stored(f), []string{"Other"}) }},
	} {
		for _, allow := range []bool{false, true} {
			in, wanted := wholeTenant(t)
			f := newTenant(t, in, graphtest.Options{})
			plan := planned(t, f, wanted)
			o := graph.TenantOptions{ApplyOptions: graph.ApplyOptions{AllowStale: allow}, Progress: func(part string) {
				if part == test.part {
					if err := test.change(f); err != nil {
						t.Error(err)
					}
				}
			}}
			_, err := f.ApplyTenant(t.Context(), plan, io.Discard, o)
			if allow && err != nil || !allow && !errors.Is(err, graph.Stale) || test.kept(f) == allow {
				t.Errorf("%s, allowed %v: %v, and it is kept: %v", test.name, allow, err, test.kept(f))
			}
		}
	}
}

// A CA and the one that it was renewed from can have one name: a plan to delete the old
// one is no plan to delete the new one.
func TestPlansTellCAsOfOneNameApart(t *testing.T) {
	old, renewed := newCA(t, "Same", later), newCA(t, "Same", later)
	in := graphtest.Tenant{ID: people().ID, Policy: enabledPolicy(t), PKIs: []graphtest.PKI{{ID: "p1", DisplayName: "A", Authorities: []graphtest.Authority{
		withID("c1", graphtest.NewAuthority(old)), withID("c2", graphtest.NewAuthority(renewed))}}}}
	f := newTenant(t, in, graphtest.Options{})
	plan := planned(t, f, func(c signin.Config) signin.Config {
		c = c.Clone()
		c.Trust.PKIs[0].CertificateAuthorities = c.Trust.PKIs[0].CertificateAuthorities[1:]
		return c
	})
	// Somebody else deletes the other one.
	if err := f.DeleteAuthority(t.Context(), "p1", "c2"); err != nil {
		t.Fatal(err)
	}
	f.asked()
	if _, err := f.ApplyTenant(t.Context(), plan, io.Discard, graph.TenantOptions{ApplyOptions: graph.ApplyOptions{AllowLockout: true}}); !errors.Is(err, graph.Stale) || f.writes() != 0 {
		t.Errorf("%v", err)
	}
}

// With AllowStale, the backup leads back to what there was, with the change of others.
func TestTenantPlanBackupOfStale(t *testing.T) {
	in, wanted := wholeTenant(t)
	f := newTenant(t, in, graphtest.Options{})
	plan := planned(t, f, wanted)
	other := newCA(t, "Other", later)
	if _, err := f.CreateAuthority(t.Context(), "p1", authorityOf(t, other)); err != nil {
		t.Fatal(err)
	}
	var backup bytes.Buffer
	if _, err := f.ApplyTenant(t.Context(), plan, &backup, graph.TenantOptions{ApplyOptions: graph.ApplyOptions{AllowStale: true, AllowLockout: true}}); err != nil {
		t.Fatal(err)
	}
	var kept graph.TenantPlan
	if err := json.Unmarshal(backup.Bytes(), &kept); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(kept.Before.Trust.PKIs[0].CertificateAuthorities, func(a trust.Authority) bool { return bytes.Equal(a.Certificate, other.Raw) }) {
		t.Error("the backup lacks the CA that was there")
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// What the settings alone say about who is locked out.
func TestTenantPlanLocksOut(t *testing.T) {
	in, _ := wholeTenant(t)
	for name, test := range map[string]struct {
		change func(*signin.Config)
		want   []string
	}{
		"nothing":     {func(*signin.Config) {}, nil},
		"off":         {func(c *signin.Config) { c.Policy.State = policy.Disabled }, []string{"graph-disables-method"}},
		"no bindings": {func(c *signin.Config) { c.Policy.UserBindings = nil }, []string{"policy-no-bindings"}},
		"a CA gone": {func(c *signin.Config) {
			c.Trust.PKIs[0].CertificateAuthorities = c.Trust.PKIs[0].CertificateAuthorities[:1]
		}, []string{"graph-deletes-ca"}},
		"no classic": {func(c *signin.Config) { c.Trust.Classic = trust.Classic{} }, []string{"graph-deletes-ca"}},
		"the part stays": {func(c *signin.Config) {
			c.Trust.Classic, c.Missing = trust.Classic{}, []string{"certificateBasedAuthConfiguration"}
		}, nil},
		"CRLs required": {func(c *signin.Config) { c.Policy.CRLValidation.State = policy.Enabled }, []string{"signin-crl-required"}},
	} {
		f := newTenant(t, in, graphtest.Options{})
		plan := planned(t, f, func(c signin.Config) signin.Config {
			c = c.Clone()
			test.change(&c)
			return c
		})
		codes := []string{}
		for _, l := range plan.LocksOut() {
			if !slices.Contains(codes, l.Code) {
				codes = append(codes, l.Code)
			}
			if l.Effect != lint.LocksOut {
				t.Errorf("%s: %v", name, l)
			}
		}
		if diff := cmp.Diff(append([]string{}, test.want...), codes); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Where nobody can sign in yet, the method comes first: the service may take no CAs
// before.
func TestTenantPlanFromNothing(t *testing.T) {
	f := newTenant(t, graphtest.Tenant{ID: people().ID}, graphtest.Options{})
	pki, err := trust.NewPKI("Contoso PKI", nil)
	if err != nil {
		t.Fatal(err)
	}
	pki.CertificateAuthorities = append(pki.CertificateAuthorities, authorityOf(t, newCA(t, "One", later)))
	plan := planned(t, f, func(c signin.Config) signin.Config {
		c = c.Clone()
		c.Trust.PKIs = trust.PKIs{pki}
		c.Policy.State = policy.Enabled
		return c
	})
	f.asked()
	if _, err := f.ApplyTenant(t.Context(), plan, io.Discard, graph.TenantOptions{}); err != nil {
		t.Fatal(err)
	}
	calls := f.calls()
	if len(calls) != 3 || !strings.HasPrefix(calls[0], "PATCH ") || !strings.HasPrefix(calls[1], "POST ") {
		t.Errorf("%q", calls)
	}
	back, err := plan.Reverse()
	if err == nil {
		_, err = f.ApplyTenant(t.Context(), back, io.Discard, graph.TenantOptions{ApplyOptions: graph.ApplyOptions{AllowLockout: true}})
	}
	calls = f.calls()
	if pkis, failed := f.PKIs(t.Context()); err != nil || failed != nil || len(pkis) != 0 || !strings.HasPrefix(calls[len(calls)-1], "PATCH ") {
		t.Errorf("back: %v, %q", err, calls)
	}
}

// The new CAs of a plan can be downloaded by the service instead; what it sets itself is
// then as planned.
func TestTenantPlanUpload(t *testing.T) {
	var served []byte
	in, _ := wholeTenant(t)
	f := newTenant(t, in, graphtest.Options{Upload: graphtest.Delay{Reads: 2}, Fetch: func(context.Context, string) ([]byte, error) { return served, nil }})
	five, six := newCA(t, "Five", later), newCA(t, "Six", later)
	plan := planned(t, f, func(c signin.Config) signin.Config {
		c = c.Clone()
		a := authorityOf(t, five)
		a.CertificateRevocationListURL = "http://crl.contoso.com/five.crl"
		c.Trust.PKIs = append(c.Trust.PKIs, trust.PKI{DisplayName: "New", CertificateAuthorities: []trust.Authority{a, authorityOf(t, six)}})
		return c
	})
	var err error
	if served, err = plan.Bundle(); err != nil {
		t.Fatal(err)
	}
	f.asked()
	o := graph.TenantOptions{UploadURL: "https://pki.contoso.com/cas.p7b", Bundle: served}
	f.inject(graphtest.Fault{Kind: graphtest.Forbidden, Method: "PATCH", Path: "/directory/**"}) // interrupted behind the upload
	if _, err = f.ApplyTenant(t.Context(), plan, io.Discard, o); !errors.Is(err, graph.Forbidden) {
		t.Fatal(err)
	}
	if _, err = f.ApplyTenant(t.Context(), plan, io.Discard, o); err != nil {
		t.Fatal(err)
	}
	uploads, created := 0, 0
	for _, call := range f.calls() {
		if strings.HasSuffix(call, "/upload") {
			uploads++
		}
		if strings.HasPrefix(call, "POST ") && strings.HasSuffix(call, "/certificateAuthorities") {
			created++
		}
	}
	if uploads != 1 || created != 0 {
		t.Errorf("%d uploads, %d created", uploads, created)
	}
	if left := planned(t, f, func(signin.Config) signin.Config { return plan.After }); !left.Empty() {
		t.Errorf("%v is left", left)
	}

	// Bundles that are not of the plan.
	plan = planned(t, f, func(c signin.Config) signin.Config {
		c = c.Clone()
		c.Trust.PKIs[0].CertificateAuthorities = append(c.Trust.PKIs[0].CertificateAuthorities, authorityOf(t, newCA(t, "Seven", later)))
		c.Trust.PKIs[1].CertificateAuthorities = append(c.Trust.PKIs[1].CertificateAuthorities, authorityOf(t, newCA(t, "Eight", later)))
		return c
	})
	if _, err := plan.Bundle(); !errors.Is(err, graph.Invalid) {
		t.Errorf("CAs of two PKIs: %v", err)
	}
	f.asked()
	for name, text := range map[string][]byte{"nothing": nil, "of another plan": bundle(t, newCA(t, "Nine", later))} {
		if _, err := f.ApplyTenant(t.Context(), plan, io.Discard, graph.TenantOptions{UploadURL: "https://pki.contoso.com/x.p7b", Bundle: text}); !errors.Is(err, graph.Invalid) || f.writes() != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := planned(t, f, func(c signin.Config) signin.Config { return c }).Bundle(); !errors.Is(err, graph.Invalid) {
		t.Errorf("no CA: %v", err)
	}
}
