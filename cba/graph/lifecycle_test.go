package graph_test

import (
	"slices"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/lifecycle"
	"example.com/entracba/cba/snapshot"
)

// A renewal is planned and written in four calls: read the user, make the
// account, plan, apply the plan's edit. Leaving is the same with another plan.
func TestLifecycle(t *testing.T) {
	root, err := cba.NewRoot(t.Context(), cba.Authority{Name: dn.Name{{{Type: dn.CommonName, Value: "Contoso Root CA"}}}, KeyType: cba.P256})
	if err != nil {
		t.Fatal(err)
	}
	key, err := cba.P256.Generate()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := root.Issue(t.Context(), key.Public(), cba.Subject{UPN: "jane@yourdomain.com"}, cba.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	f := newTenant(t, people(), graphtest.Options{})
	account := func() (lifecycle.Account, []string) {
		t.Helper()
		user, err := f.User(t.Context(), "jane@yourdomain.com")
		if err != nil {
			t.Fatal(err)
		}
		a, err := lifecycle.AccountOf(user)
		if err != nil {
			t.Fatal(err)
		}
		return a, user.AuthorizationInfo.CertificateUserIDs
	}
	apply := func(e snapshot.Edit) {
		t.Helper()
		if plan, err := f.EditUser(t.Context(), e, graph.EditOptions{}); err != nil || plan.Outcome != graph.Written {
			t.Fatalf("%v, %v", plan, err)
		}
	}

	jane, before := account()
	now := time.Now()
	renewal, err := lifecycle.PlanRenewal(jane, cert, nil, now, lifecycle.RenewalOptions{Mappings: []certuserid.Mapping{certuserid.SKI}})
	if err != nil {
		t.Fatal(err)
	}
	apply(renewal.Edit(now))
	ski, err := certuserid.FromCertificate(cert, certuserid.SKI)
	if err != nil {
		t.Fatal(err)
	}
	jane, after := account()
	if !slices.Equal(after, append(before, ski.String())) {
		t.Errorf("values %q, want %s behind %q", after, ski, before)
	}

	leaving, err := lifecycle.PlanLeaving(jane, []lifecycle.HeldCertificate{{Certificate: cert}}, now, lifecycle.LeavingOptions{})
	if err != nil {
		t.Fatal(err)
	}
	apply(leaving.Edit())
	if _, left := account(); len(left) > 0 {
		t.Errorf("values %q are left", left)
	}
}
