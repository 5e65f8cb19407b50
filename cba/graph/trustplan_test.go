package graph_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/trust"
)

func TestPlanTrust(t *testing.T) {
	one, two, three, dead := newCA(t, "One", later), newCA(t, "Two", later), newCA(t, "Three", later), newCA(t, "Dead", start.AddDate(0, -1, 0))
	in := graphtest.Tenant{PKIs: []graphtest.PKI{
		{ID: "p1", DisplayName: "A", Authorities: []graphtest.Authority{withID("c1", graphtest.NewAuthority(one)), withID("c2", graphtest.NewAuthority(two)), withID("c3", graphtest.NewAuthority(dead))}},
		{ID: "p2", DisplayName: "B"},
	}}
	f := newTenant(t, in, graphtest.Options{Lag: graphtest.Delay{Time: time.Second}})
	ctx := t.Context()
	before, err := f.PKIs(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if plan, err := f.PlanTrust(ctx, before); err != nil || !plan.Empty() {
		t.Fatal(plan, err)
	}
	after := slices.Clone(before)
	after[0].DisplayName = "A2"
	after[0].CertificateAuthorities = slices.Clone(before[0].CertificateAuthorities[:2])
	after[0].CertificateAuthorities[0].CertificateRevocationListURL = "http://crl.contoso.com/one.crl"
	after[1] = trust.PKI{DisplayName: "C", CertificateAuthorities: []trust.Authority{authorityOf(t, three)}}
	plan, err := f.PlanTrust(ctx, after)
	if err != nil {
		t.Fatal(err)
	}
	want := `create PKI "C"
rename PKI "A" to "A2"
create CA "Three" of PKI "C"
change CA "One" of PKI "A2"
  ~ certificateRevocationListUrl: null -> "http://crl.contoso.com/one.crl"
delete CA "Dead" of PKI "A2"
delete PKI "B"`
	if diff := cmp.Diff(want, plan.String()); diff != "" {
		t.Fatal(diff)
	}
	if len(plan.LocksOut()) != 0 { // an expired CA and an empty PKI
		t.Errorf("%v", plan.LocksOut())
	}
	f.asked()
	f.inject(graphtest.Fault{Kind: graphtest.Forbidden, Method: "PATCH", Path: "/directory/publicKeyInfrastructure/certificateBasedAuthConfigurations/p1/certificateAuthorities/*"})
	done, err := f.ApplyTrust(ctx, plan, graph.ApplyOptions{})
	if !errors.Is(err, graph.Forbidden) || len(done) != 3 {
		t.Fatal(done, err)
	}
	if _, err := f.ApplyTrust(ctx, plan, graph.ApplyOptions{}); !errors.Is(err, graph.Stale) {
		t.Error(err)
	}
	if plan, err = f.PlanTrust(ctx, after); err != nil || len(plan.Steps) != 3 {
		t.Fatal(plan, err)
	}
	if done, err = f.ApplyTrust(ctx, plan, graph.ApplyOptions{}); err != nil || len(done) != 3 {
		t.Fatal(done, err)
	}
	f.asked()
	if plan, err = f.PlanTrust(ctx, after); err != nil || !plan.Empty() {
		t.Fatal(plan, err)
	}
	if done, err = f.ApplyTrust(ctx, plan, graph.ApplyOptions{}); err != nil || len(done) != 0 || f.writes() != 0 {
		t.Fatal(done, err)
	}
	// Back: a CA that is in force goes, and that has to be said.
	if plan, err = f.PlanTrust(ctx, before); err != nil || len(plan.LocksOut()) != 1 {
		t.Fatal(plan, plan.LocksOut(), err)
	}
	if _, err = f.ApplyTrust(ctx, plan, graph.ApplyOptions{}); !errors.Is(err, graph.Lockout) || f.writes() != 0 {
		t.Fatal(err)
	}
	if _, err = f.ApplyTrust(ctx, plan, graph.ApplyOptions{AllowLockout: true}); err != nil {
		t.Fatal(err)
	}
	if plan, err = f.PlanTrust(ctx, before); err != nil || !plan.Empty() {
		t.Fatal(plan, err)
	}
	for name, bad := range map[string]trust.PKIs{
		"one name twice": {{DisplayName: "A"}, {DisplayName: "A"}},
		"one CA twice":   {{ID: "p1", DisplayName: "A", CertificateAuthorities: []trust.Authority{authorityOf(t, one), authorityOf(t, one)}}},
	} {
		if _, err := f.PlanTrust(ctx, bad); err == nil {
			t.Errorf("%s: planned", name)
		}
	}
}
