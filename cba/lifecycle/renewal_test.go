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
	"example.com/entracba/cba/lifecycle"
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
		held  = []lifecycle.Held
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
	for _, test := range tests {
		account := lifecycle.Account{User: jane, IDs: set(t, test.ids...), Synced: test.synced}
		plan, err := lifecycle.PlanRenewal(account, test.renewed, test.held, now, test.options)
		if err != nil {
			t.Errorf("%s: %v", test.reason, err)
			continue
		}
		if len(plan.Steps) > 0 || len(test.steps) > 0 {
			if diff := cmp.Diff(test.steps, plan.Steps, cmp.Transformer("empty", func(s []string) string { return strings.Join(s, "\n") })); diff != "" {
				t.Errorf("%s: steps (-want +got):\n%s", test.reason, diff)
			}
		}
		if diff := cmp.Diff(test.codes, codes(plan.Findings)); diff != "" {
			t.Errorf("%s: findings (-want +got):\n%s", test.reason, diff)
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
}

func TestPlanErrors(t *testing.T) {
	cert := newCA(t, "Contoso Root CA").issue(jane, 0, newKey(t))
	account := lifecycle.Account{User: jane}
	for i, plan := range []func() (any, error){
		func() (any, error) {
			return lifecycle.PlanRenewal(lifecycle.Account{}, cert, nil, now, lifecycle.RenewalOptions{})
		},
		func() (any, error) { return lifecycle.PlanRenewal(account, nil, nil, now, lifecycle.RenewalOptions{}) },
		func() (any, error) {
			return lifecycle.PlanRenewal(account, cert, make([]lifecycle.Held, 1), now, lifecycle.RenewalOptions{})
		},
		func() (any, error) {
			return lifecycle.PlanRenewal(account, cert, nil, time.Time{}, lifecycle.RenewalOptions{})
		},
		func() (any, error) {
			return lifecycle.PlanLeaving(lifecycle.Account{}, nil, now, lifecycle.LeavingOptions{})
		},
		func() (any, error) {
			return lifecycle.PlanLeaving(account, nil, now, lifecycle.LeavingOptions{Reason: 6})
		},
		func() (any, error) {
			return lifecycle.PlanLeaving(account, nil, now, lifecycle.LeavingOptions{Reason: 8})
		},
		func() (any, error) {
			return lifecycle.PlanLeaving(account, nil, now, lifecycle.LeavingOptions{Reason: 7})
		},
	} {
		if _, err := plan(); err == nil || !strings.HasPrefix(err.Error(), "lifecycle: ") {
			t.Errorf("row %d: error %v", i, err)
		}
	}
}

// A step is refused as a whole where others have filled the account meanwhile.
func TestApplyFull(t *testing.T) {
	step := lifecycle.Step{Add: []string{"new"}, Remove: []string{"old"}}
	full := set(t, "0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
	got, err := lifecycle.Renewal{Steps: []lifecycle.Step{step}}.Apply(full, now)
	var e *certuserid.SetError
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
		var held []lifecycle.Held
		var values []string
		for _, cert := range pool[:len(pool)-1] {
			if random.IntN(2) == 0 {
				continue
			}
			h := lifecycle.Held{Certificate: cert}
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
				var e *certuserid.SetError
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
