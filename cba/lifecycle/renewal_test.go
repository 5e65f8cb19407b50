package lifecycle_test

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/lifecycle"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/snapshot"
	"github.com/google/go-cmp/cmp"
)

const jane = "jane@yourdomain.com"

func TestPlanRenewal(t *testing.T) {
	ca, other := newCA(t, "Contoso Root CA"), newCA(t, "Woodgrove Root CA")
	card := newKey(t)
	old, renewed := ca.issue(jane, -300, card), ca.issue(jane, 0, newKey(t))
	ancient, sameKey := ca.issue(jane, -500, newKey(t)), ca.issue(jane, 0, card)
	someone, unready := other.issue("john@yourdomain.com", -10, newKey(t)), ca.issue(jane, 10, newKey(t))
	ski, serial, pn := certuserid.SKI, certuserid.IssuerAndSerialNumber, certuserid.PrincipalName
	end := old.NotAfter.Add(time.Second)
	fill := func(n int, values ...string) []string {
		for i := range n {
			values = append(values, fmt.Sprintf("X509:<PN>filler%d@yourdomain.com", i))
		}
		return values
	}
	type (
		held  = []lifecycle.HeldCertificate
		steps = []lifecycle.Step
	)
	tests := []struct {
		reason  string
		ids     []string
		renewed *x509.Certificate
		held    held
		options lifecycle.RenewalOptions
		synced  bool
		steps   steps
		codes   []string
	}{
		{"the old one works until its end",
			[]string{id(t, old, ski)}, renewed, held{{Certificate: old}}, lifecycle.RenewalOptions{}, false,
			steps{{now, []string{id(t, renewed, ski)}, nil}, {end, nil, []string{id(t, old, ski)}}}, nil},
		{"the same mappings as before",
			[]string{id(t, old, serial), id(t, old, ski)}, renewed, held{{Certificate: old}}, lifecycle.RenewalOptions{}, false,
			steps{{now, []string{id(t, renewed, ski), id(t, renewed, serial)}, nil}, {end, nil, []string{id(t, old, serial), id(t, old, ski)}}}, nil},
		{"the account had none",
			nil, renewed, nil, lifecycle.RenewalOptions{}, false, steps{{now, []string{id(t, renewed, ski)}, nil}}, nil},
		{"the mappings asked for",
			nil, renewed, nil, lifecycle.RenewalOptions{Mappings: []certuserid.Mapping{serial, pn}}, false,
			steps{{now, []string{id(t, renewed, serial), id(t, renewed, pn)}, nil}}, nil},
		{"a value of both stays",
			[]string{id(t, old, pn)}, renewed, held{{Certificate: old}}, lifecycle.RenewalOptions{}, false, nil, nil},
		{"expired goes at once",
			[]string{id(t, ancient, ski)}, renewed, held{{Certificate: ancient}}, lifecycle.RenewalOptions{}, false,
			steps{{now, []string{id(t, renewed, ski)}, []string{id(t, ancient, ski)}}}, nil},
		{"revoked goes at once",
			[]string{id(t, old, ski)}, renewed, held{{old, now.AddDate(0, 0, -1)}}, lifecycle.RenewalOptions{}, false,
			steps{{now, []string{id(t, renewed, ski)}, []string{id(t, old, ski)}}}, nil},
		{"a revocation to come",
			[]string{id(t, old, ski)}, renewed, held{{old, now.AddDate(0, 0, 3)}}, lifecycle.RenewalOptions{}, false,
			steps{{now, []string{id(t, renewed, ski)}, nil}, {now.AddDate(0, 0, 3), nil, []string{id(t, old, ski)}}}, nil},
		{"the last of those that share a value decides",
			[]string{id(t, old, ski)}, renewed, held{{Certificate: ca.issue(jane, -500, card)}, {Certificate: old}}, lifecycle.RenewalOptions{}, false,
			steps{{now, []string{id(t, renewed, ski)}, nil}, {end, nil, []string{id(t, old, ski)}}}, nil},
		{"the last of those that share a value decides, in any order",
			[]string{id(t, old, ski)}, renewed, held{{Certificate: old}, {Certificate: ca.issue(jane, -500, card)}}, lifecycle.RenewalOptions{}, false,
			steps{{now, []string{id(t, renewed, ski)}, nil}, {end, nil, []string{id(t, old, ski)}}}, nil},
		{"the same key: nothing to write",
			[]string{id(t, old, ski)}, sameKey, held{{Certificate: old}}, lifecycle.RenewalOptions{}, false, nil, []string{"renewal-same-key"}},
		{"the renewed one is in the list too",
			[]string{id(t, renewed, ski)}, renewed, held{{Certificate: renewed}}, lifecycle.RenewalOptions{}, false, nil, nil},
		{"hexadecimal in upper case is the certificate's",
			[]string{"X509:<SKI>" + strings.ToUpper(strings.TrimPrefix(id(t, ancient, ski), "X509:<SKI>"))}, renewed, held{{Certificate: ancient}}, lifecycle.RenewalOptions{}, false,
			steps{{now, []string{id(t, renewed, ski)}, []string{"X509:<SKI>" + strings.ToUpper(strings.TrimPrefix(id(t, ancient, ski), "X509:<SKI>"))}}}, nil},
		{"what is nobody's stays",
			[]string{"badge 4711", id(t, ancient, ski)}, renewed, held{{Certificate: ancient}}, lifecycle.RenewalOptions{}, false,
			steps{{now, []string{id(t, renewed, ski)}, []string{id(t, ancient, ski)}}}, []string{"renewal-unknown-value"}},
		{"full, but the dead make room",
			fill(9, id(t, ancient, ski)), renewed, held{{Certificate: ancient}}, lifecycle.RenewalOptions{}, false,
			steps{{now, []string{id(t, renewed, ski)}, []string{id(t, ancient, ski)}}}, slices.Repeat([]string{"renewal-unknown-value"}, 9)},
		{"full until the old one ends",
			fill(9, id(t, old, ski)), renewed, held{{Certificate: old}}, lifecycle.RenewalOptions{}, false,
			steps{{end, []string{id(t, renewed, ski)}, []string{id(t, old, ski)}}}, append(slices.Repeat([]string{"renewal-unknown-value"}, 9), "renewal-later")},
		{"full for good",
			fill(10), renewed, nil, lifecycle.RenewalOptions{}, false, nil, append(slices.Repeat([]string{"renewal-unknown-value"}, 10), "renewal-full")},
		{"room for the first mapping",
			fill(9), renewed, nil, lifecycle.RenewalOptions{Mappings: []certuserid.Mapping{serial, ski}}, false,
			steps{{now, []string{id(t, renewed, serial)}, nil}}, append(slices.Repeat([]string{"renewal-unknown-value"}, 9), "renewal-full")},
		{"no such field",
			nil, renewed, nil, lifecycle.RenewalOptions{Mappings: []certuserid.Mapping{certuserid.RFC822Name, ski}}, false,
			steps{{now, []string{id(t, renewed, ski)}, nil}}, []string{"renewal-no-field"}},
		{"another person",
			nil, renewed, held{{Certificate: someone}}, lifecycle.RenewalOptions{}, false,
			steps{{now, []string{id(t, renewed, ski)}, nil}}, []string{"renewal-other-name"}},
		{"synchronised",
			nil, renewed, nil, lifecycle.RenewalOptions{}, true, steps{{now, []string{id(t, renewed, ski)}, nil}}, []string{"renewal-synced"}},
		{"not valid yet",
			nil, unready, nil, lifecycle.RenewalOptions{}, false, steps{{now, []string{id(t, unready, ski)}, nil}}, []string{"renewal-not-valid"}},
	}
	var fired lint.Findings
	for _, test := range tests {
		account := lifecycle.Account{User: jane, IDs: set(t, test.ids...), Synced: test.synced}
		plan, err := lifecycle.PlanRenewal(account, test.renewed, test.held, now, test.options)
		if err != nil {
			t.Errorf("%s: %v", test.reason, err)
			continue
		}
		fired = append(fired, plan.Findings...)
		if len(plan.Steps) > 0 || len(test.steps) > 0 {
			if diff := cmp.Diff(test.steps, plan.Steps, cmp.Transformer("empty", func(s []string) string { return strings.Join(s, "\n") })); diff != "" {
				t.Errorf("%s: steps (-want +got):\n%s", test.reason, diff)
			}
		}
		if diff := cmp.Diff(test.codes, codes(plan.Findings)); diff != "" {
			t.Errorf("%s: findings (-want +got):\n%s", test.reason, diff)
		}
		if slices.ContainsFunc(test.held, func(h lifecycle.HeldCertificate) bool { return h.Certificate == nil }) {
			t.Errorf("%s: the caller's list was changed", test.reason)
		}
		if !slices.Equal(account.IDs.Values(), test.ids) && len(test.ids) > 0 {
			t.Errorf("%s: the account was changed", test.reason)
		}
		data, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		var back lifecycle.Renewal
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(back)
		if err != nil || string(again) != string(data) {
			t.Errorf("%s: JSON %s became %s, %v", test.reason, data, again, err)
		}
	}
	wantRules(t, "renewal-", fired)
}

func TestPlanErrors(t *testing.T) {
	cert := newCA(t, "Contoso Root CA").issue(jane, 0, newKey(t))
	account, unparsed := lifecycle.Account{User: jane}, []lifecycle.HeldCertificate{{Certificate: &x509.Certificate{}}}
	renewal := func(a lifecycle.Account, cert *x509.Certificate, held []lifecycle.HeldCertificate, at time.Time) error {
		plan, err := lifecycle.PlanRenewal(a, cert, held, at, lifecycle.RenewalOptions{})
		if err != nil && plan.User != "" {
			t.Error("a plan beside the error")
		}
		return err
	}
	leaving := func(a lifecycle.Account, held []lifecycle.HeldCertificate, at time.Time, reason crl.RevocationReason) error {
		_, err := lifecycle.PlanLeaving(a, held, at, lifecycle.LeavingOptions{Reason: reason})
		return err
	}
	none := make([]lifecycle.HeldCertificate, 1)
	for i, test := range []struct {
		err  error
		want lifecycle.Reason
	}{
		{renewal(lifecycle.Account{}, cert, nil, now), lifecycle.NoUser},
		{renewal(account, nil, nil, now), lifecycle.NoCertificate},
		{renewal(account, &x509.Certificate{}, nil, now), lifecycle.NoCertificate},
		{renewal(account, &x509.Certificate{Raw: []byte{48, 0}}, nil, now), lifecycle.NoCertificate},
		{renewal(account, cert, none, now), lifecycle.NoCertificate},
		{renewal(account, cert, unparsed, now), lifecycle.NoCertificate},
		{renewal(account, cert, nil, time.Time{}), lifecycle.NoTime},
		{leaving(lifecycle.Account{}, nil, now, 0), lifecycle.NoUser},
		{leaving(account, none, now, 0), lifecycle.NoCertificate},
		{leaving(account, unparsed, now, 0), lifecycle.NoCertificate},
		{leaving(account, nil, time.Time{}, 0), lifecycle.NoTime},
		{leaving(account, nil, now, crl.CertificateHold), lifecycle.WrongReason},
		{leaving(account, nil, now, crl.RemoveFromCRL), lifecycle.WrongReason},
		{leaving(account, nil, now, 7), lifecycle.WrongReason},
	} {
		if !errors.Is(test.err, test.want) || !strings.HasPrefix(test.err.Error(), "lifecycle: ") || errors.Is(test.err, lifecycle.BadSerial) {
			t.Errorf("row %d: error %v, want %v", i, test.err, test.want)
		}
	}
	if text := lifecycle.NoUser.Error(); text != "lifecycle: no user" {
		t.Errorf("the reason reads %q", text)
	}
}

// A user of the directory becomes an account, and a plan an edit of that user:
// the edit of the directory does to a user's values what the plan does to a set.
func TestDirectory(t *testing.T) {
	var user snapshot.User
	user.ID, user.UserPrincipalName, user.Synced = "id-jane", jane, true
	user.AuthorizationInfo.CertificateUserIDs = []string{"a", "b"}
	account, err := lifecycle.AccountOf(user)
	if err != nil || account.User != "id-jane" || !account.Synced || !slices.Equal(account.IDs.Values(), []string{"a", "b"}) {
		t.Errorf("%+v, %v", account, err)
	}
	user.ID = ""
	if account, err = lifecycle.AccountOf(user); err != nil || account.User != jane {
		t.Errorf("without an id: %+v, %v", account, err)
	}
	user.AuthorizationInfo.CertificateUserIDs = slices.Repeat([]string{""}, 2)
	var e *certuserid.Error
	if account, err = lifecycle.AccountOf(user); !errors.Is(err, lifecycle.BadValues) || !errors.As(err, &e) || account.User != "" {
		t.Errorf("empty values: %+v, %v", account, err)
	}
	if account, err = lifecycle.AccountOf(snapshot.User{}); err != nil || account.User != "" || account.IDs.Len() > 0 {
		t.Errorf("nobody: %+v, %v", account, err)
	}

	plan := lifecycle.Renewal{User: "id-jane", Steps: []lifecycle.Step{
		{NotBefore: now, Add: []string{"new 1"}, Remove: []string{"old 1"}},
		{NotBefore: now.AddDate(0, 0, 1), Add: []string{"new 2"}, Remove: []string{"old 2"}},
	}}
	for days, want := range map[int][]string{
		-1: {"x", "old 1", "old 2"},
		0:  {"x", "old 2", "new 1"},
		1:  {"x", "new 1", "new 2"},
		2:  {"x", "new 1", "new 2"},
	} {
		at := now.AddDate(0, 0, days)
		edited, err := plan.Edit(at).Apply([]string{"x", "old 1", "old 2"})
		if err != nil || !slices.Equal(edited, want) || plan.Edit(at).User != "id-jane" || plan.Edit(at).Check() != nil {
			t.Errorf("day %d: %q, %v", days, edited, err)
		}
		if applied, err := plan.Apply(set(t, "x", "old 1", "old 2"), at); err != nil || !slices.Equal(applied.Values(), want) {
			t.Errorf("day %d: Apply %q, %v", days, applied.Values(), err)
		}
	}

	account.User, account.IDs = "id-jane", set(t, "a", "b")
	leaving, err := lifecycle.PlanLeaving(account, nil, now, lifecycle.LeavingOptions{})
	if err != nil {
		t.Fatal(err)
	}
	left, err := leaving.Edit().Apply([]string{"a", "meanwhile", "b"})
	if err != nil || !slices.Equal(left, []string{"meanwhile"}) || leaving.Edit().User != "id-jane" {
		t.Errorf("left: %q, %v", left, err)
	}
	if e := (lifecycle.Leaving{}).Edit(); len(e.Add)+len(e.Remove) > 0 {
		t.Errorf("an empty plan has %+v", e)
	}
}

// A step is refused as a whole where others have filled the account meanwhile.
func TestApplyFull(t *testing.T) {
	step := lifecycle.Step{Add: []string{"new"}, Remove: []string{"old"}}
	full := set(t, "0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
	got, err := lifecycle.Renewal{Steps: []lifecycle.Step{step}}.Apply(full, now)
	var e *certuserid.Error
	if !errors.As(err, &e) || e.Reason != certuserid.Full || !slices.Equal(got.Values(), full.Values()) {
		t.Errorf("Apply = %q, %v", got.Values(), err)
	}
	full.Remove("9")
	if err := full.Add("old"); err != nil {
		t.Fatal(err)
	}
	got, err = step.Apply(full)
	if err != nil || got.Has("old") || !got.Has("new") || got.Len() != certuserid.MaxValues {
		t.Errorf("Apply = %q, %v", got.Values(), err)
	}
}

// Whatever the account has and whoever else writes to it: a plan applied at any
// times never makes more than ten values, never drops one that is not in its
// Remove lists, adds none that is not in its Add lists, can be applied twice, and
// after its last step leaves nothing of a certificate that has ended.
func TestRenewalProperty(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 11))
	ca := newCA(t, "Contoso Root CA")
	var pool []*x509.Certificate
	for day := -700; day <= 0; day += 100 {
		pool = append(pool, ca.issue(jane, day, newKey(t)))
	}
	mappings := certuserid.Mappings()
	for round := range 2000 {
		renewed := pool[len(pool)-1]
		var held []lifecycle.HeldCertificate
		var values []string
		for _, cert := range pool[:len(pool)-1] {
			if random.IntN(2) == 0 {
				continue
			}
			h := lifecycle.HeldCertificate{Certificate: cert}
			if random.IntN(4) == 0 {
				h.Revoked = now.AddDate(0, 0, random.IntN(200)-100)
			}
			held = append(held, h)
			for _, id := range certuserid.All(cert) {
				if random.IntN(3) == 0 && !slices.Contains(values, id.String()) {
					values = append(values, id.String())
				}
			}
		}
		for i := range random.IntN(4) {
			values = append(values, fmt.Sprintf("other %d", i))
		}
		random.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		values = values[:min(len(values), certuserid.MaxValues)]
		options := lifecycle.RenewalOptions{}
		for range random.IntN(4) {
			options.Mappings = append(options.Mappings, mappings[random.IntN(len(mappings))])
		}
		account := lifecycle.Account{User: jane, IDs: set(t, values...)}
		plan, err := lifecycle.PlanRenewal(account, renewed, held, now, options)
		if err != nil {
			t.Fatal(err)
		}
		add, remove := map[string]bool{}, map[string]bool{}
		for _, step := range plan.Steps {
			for _, value := range step.Add {
				add[value] = true
			}
			for _, value := range step.Remove {
				remove[value] = true
			}
		}
		current := account.IDs
		for day := 0; day <= 400; day += 1 + random.IntN(100) {
			if random.IntN(3) == 0 && current.Len() < certuserid.MaxValues {
				if err := current.Merge(fmt.Sprintf("meanwhile %d", day)); err != nil {
					t.Fatal(err)
				}
			}
			at := now.AddDate(0, 0, day)
			next, err := plan.Apply(current, at)
			if err != nil {
				var e *certuserid.Error
				if !errors.As(err, &e) || e.Reason != certuserid.Full || !slices.Equal(next.Values(), current.Values()) {
					t.Fatalf("round %d: %v", round, err)
				}
				continue
			}
			if next.Len() > certuserid.MaxValues {
				t.Fatalf("round %d: %d values", round, next.Len())
			}
			added, removed := current.Diff(next)
			for _, value := range added {
				if !add[value] {
					t.Fatalf("round %d: %q was added without a plan", round, value)
				}
			}
			for _, value := range removed {
				if !remove[value] {
					t.Fatalf("round %d: %q was dropped without a plan", round, value)
				}
			}
			twice, err := plan.Apply(next, at)
			if err != nil || !slices.Equal(twice.Values(), next.Values()) {
				t.Fatalf("round %d: applied twice %q, %v", round, twice.Values(), err)
			}
			current = next
		}
		// The edit of the whole plan does the same.
		edited, err := plan.Edit(now.AddDate(2, 0, 0)).Apply(account.IDs.Values())
		if whole, failed := plan.Apply(account.IDs, now.AddDate(2, 0, 0)); err != nil || failed != nil || !slices.Equal(edited, whole.Values()) {
			t.Fatalf("round %d: the edit makes %q, the plan %q; %v", round, edited, whole.Values(), err)
		}
		// Nobody else writes: the plan can be carried out whole.
		final, err := plan.Apply(account.IDs, now.AddDate(2, 0, 0))
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		for _, value := range final.Values() {
			if certuserid.Match(value, renewed).Fit != certuserid.Unfit {
				continue
			}
			for _, h := range held {
				if certuserid.Match(value, h.Certificate).Fit != certuserid.Unfit {
					t.Fatalf("round %d: %q is left of a certificate that has ended", round, value)
				}
			}
		}
	}
}
