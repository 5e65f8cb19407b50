package signin_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
)

// pair compiles two scenarios over the same lists.
func pair(tb testing.TB, before, after scenario) (*signin.Tenant, *signin.Tenant) {
	tb.Helper()
	var tenants []*signin.Tenant
	for _, s := range []scenario{before, after} {
		test, err := s.testCase(theWorld(tb))
		if err != nil {
			tb.Fatal(err)
		}
		tenant, _, err := test.load(theWorld(tb).files)
		if err != nil {
			tb.Fatal(err)
		}
		tenants = append(tenants, tenant)
	}
	return tenants[0], tenants[1]
}

// crowd is n users with the certificates of the world in turn.
func crowd(tb testing.TB, n int) (iter.Seq2[signin.Case, error], func(int) signin.Case) {
	tb.Helper()
	w := theWorld(tb)
	leaves := []string{"bob", "bob-1234", "alice", "bob-revoked", "bob-other", "no-san", "bob-expired"}
	at := func(i int) signin.Case {
		c := signin.Case{User: &policy.User{UserPrincipalName: "bob@woodgrove.com", ID: fmt.Sprint(i)}}
		if i%10 != 9 {
			c.Certificates = append(c.Certificates, w.certs[leaves[i%len(leaves)]])
		}
		if i%4 == 0 {
			c.Certificates = append(c.Certificates, w.certs[leaves[(i/4)%len(leaves)]])
		}
		return c
	}
	return func(yield func(signin.Case, error) bool) {
		for i := range n {
			if !yield(at(i), nil) {
				return
			}
		}
	}, at
}

func noGoroutineLeft(t *testing.T) func() {
	before := runtime.NumGoroutine()
	return func() {
		t.Helper()
		for range 100 {
			if runtime.NumGoroutine() <= before {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
	}
}

// best is what a case gets, worked out one certificate at a time.
func best(t *testing.T, tenant *signin.Tenant, c signin.Case) (signin.Answer, int) {
	t.Helper()
	best := signin.Answer{Outcome: signin.Refused} // without a certificate
	rank := -1
	for _, cert := range c.Certificates {
		a, err := tenant.Decide(context.Background(), signin.Request{User: c.User, Certificate: cert, At: worldNow})
		if err != nil {
			t.Fatal(err)
		}
		r := 0
		if a.SignedIn {
			r = 1
		}
		if a.MFASatisfied {
			r = 2
		}
		if r > rank {
			best, rank = a, r
		}
	}
	return best, max(rank, 0)
}

func TestCompare(t *testing.T) {
	defer noGoroutineLeft(t)()
	before, after := pair(t, scenario{rules: "1.2.3.4 = MF"}, scenario{rules: "CN=WoodgroveCA = MF; 1.2.3.4 = SF", cas: "woodgrove"})
	const n = 500
	list, at := crowd(t, n)
	differences := map[int]signin.Difference{}
	for a := range 3 {
		for b := range 3 {
			d := signin.Same
			switch {
			case a == b:
			case a == 0:
				d = signin.Gains
			case b == 0:
				d = signin.Loses
			case b > a:
				d = signin.Stronger
			default:
				d = signin.Weaker
			}
			differences[a*3+b] = d
		}
	}
	for _, workers := range []int{0, 1, 7} {
		i := 0
		seen := map[signin.Difference]int{}
		for change, err := range signin.Compare(context.Background(), before, after, list, signin.CompareOptions{At: worldNow, Workers: workers}) {
			if err != nil {
				t.Fatal(err)
			}
			c := at(i)
			b, rankBefore := best(t, before, c)
			a, rankAfter := best(t, after, c)
			want := differences[rankBefore*3+rankAfter]
			if len(c.Certificates) == 0 { // the method is for all users
				want = signin.WithoutCertificate
			}
			if change.Index != i || change.Case.User.ID != c.User.ID || change.Before != b || change.After != a || change.Difference != want {
				t.Fatalf("%d: %+v, want %v, %+v, %+v", i, change, want, b, a)
			}
			seen[change.Difference]++
			i++
		}
		if i != n || seen[signin.Same] == 0 || seen[signin.Loses] == 0 || seen[signin.Stronger] == 0 || seen[signin.Weaker] == 0 {
			t.Errorf("%d workers: %d answers, %v", workers, i, seen)
		}
	}
}

func TestCompareEnds(t *testing.T) {
	tenant, _ := pair(t, scenario{}, scenario{})
	options := signin.CompareOptions{At: worldNow, Workers: 3}
	list, _ := crowd(t, 10_000)

	t.Run("break", func(t *testing.T) {
		defer noGoroutineLeft(t)()
		n := 0
		for range signin.Compare(context.Background(), tenant, tenant, list, options) {
			if n++; n == 5 {
				break
			}
		}
	})
	t.Run("cancel", func(t *testing.T) {
		defer noGoroutineLeft(t)()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		n := 0
		var last error
		for _, err := range signin.Compare(ctx, tenant, tenant, list, options) {
			if last != nil {
				t.Fatal("it goes on after the error of its context")
			}
			if last = err; n == 5 {
				cancel()
			}
			n++
		}
		if !errors.Is(last, context.Canceled) || n > 7 {
			t.Errorf("%d answers, then %v", n, last)
		}
	})
	t.Run("cancelled before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		n := 0
		for _, err := range signin.Compare(ctx, tenant, tenant, list, options) {
			if n++; !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		}
		if n != 1 {
			t.Errorf("%d answers", n)
		}
	})
	t.Run("empty", func(t *testing.T) {
		for range signin.Compare(context.Background(), tenant, tenant, func(func(signin.Case, error) bool) {}, options) {
			t.Error("an answer")
		}
	})
	t.Run("panic of the loop", func(t *testing.T) {
		defer noGoroutineLeft(t)()
		defer func() {
			if recover() == nil {
				t.Error("the panic is lost")
			}
		}()
		for range signin.Compare(context.Background(), tenant, tenant, list, options) {
			panic("loop")
		}
	})
}

// Errors are handed out in their place, and the loop goes on.
// A case that is read when it is needed is as one that is given; its error stands in
// its place.
func TestCompareReads(t *testing.T) {
	defer noGoroutineLeft(t)()
	before, after := pair(t, scenario{rules: "1.2.3.4 = MF"}, scenario{rules: "CN=WoodgroveCA = MF; 1.2.3.4 = SF", cas: "woodgrove"})
	list, _ := crowd(t, 200)
	broken := errors.New("this user cannot be read")
	reads := make([]int, 200)
	later := func(yield func(signin.Case, error) bool) {
		i := 0
		for c, err := range list {
			n := i
			i++
			if !yield(signin.Case{Read: func() (signin.Case, error) {
				reads[n]++
				if n%50 == 49 {
					return signin.Case{}, broken
				}
				return c, err
			}}, nil) {
				return
			}
		}
	}
	var want []signin.Change
	options := signin.CompareOptions{At: worldNow, Workers: 5}
	for change, err := range signin.Compare(t.Context(), before, after, list, options) {
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, change)
	}
	i := 0
	for change, err := range signin.Compare(t.Context(), before, after, later, options) {
		switch {
		case i%50 == 49:
			if !errors.Is(err, broken) || change.Index != i || change.After.SignedIn {
				t.Errorf("%d: %+v, %v", i, change, err)
			}
		case err != nil || change.Index != i || change.Before != want[i].Before || change.After != want[i].After || change.Difference != want[i].Difference || change.Case.User.UserPrincipalName != want[i].Case.User.UserPrincipalName || change.Case.Read != nil:
			t.Errorf("%d: %+v, %v, want %+v", i, change, err, want[i])
		}
		i++
	}
	if i != 200 || slices.ContainsFunc(reads, func(n int) bool { return n != 1 }) {
		t.Errorf("%d changes; read %v", i, reads)
	}
}

func TestCompareErrors(t *testing.T) {
	tenant, _ := pair(t, scenario{}, scenario{})
	broken := errors.New("line 2")
	w := theWorld(t)
	good := signin.Case{User: &policy.User{UserPrincipalName: "bob@woodgrove.com"}, Certificates: []*x509.Certificate{w.certs["bob"]}}
	list := func(yield func(signin.Case, error) bool) {
		_ = yield(good, nil) && yield(signin.Case{}, broken) && yield(signin.Case{}, nil) &&
			yield(signin.Case{User: good.User, Certificates: []*x509.Certificate{nil}}, nil) && yield(good, nil)
	}
	var got []error
	for change, err := range signin.Compare(context.Background(), tenant, tenant, list, signin.CompareOptions{At: worldNow}) {
		if change.Index != len(got) {
			t.Errorf("index %d at %d", change.Index, len(got))
		}
		if err == nil && !change.After.SignedIn {
			t.Errorf("%d: %+v", change.Index, change.After)
		}
		got = append(got, err)
	}
	if len(got) != 5 || got[0] != nil || got[1] != broken || !errors.Is(got[2], signin.NoUser) || !errors.Is(got[3], signin.NoCertificate) || got[4] != nil {
		t.Errorf("%v", got)
	}
	for _, err := range signin.Compare(context.Background(), tenant, tenant, list, signin.CompareOptions{}) {
		if !errors.Is(err, signin.NoTime) {
			t.Errorf("without a time: %v", err)
		}
	}
}

func TestDifferenceText(t *testing.T) {
	var all []string
	for d := signin.Same; d <= signin.Weaker; d++ {
		text, err := d.MarshalText()
		var back signin.Difference
		if err != nil || back.UnmarshalText(text) != nil || back != d {
			t.Errorf("%v: %q, %v", d, text, err)
		}
		all = append(all, string(text))
	}
	if !slices.Equal(all, []string{"same", "gains", "loses", "stronger", "weaker"}) {
		t.Errorf("%q", all)
	}
	var d signin.Difference
	if _, err := d.MarshalText(); err == nil || d.UnmarshalText([]byte("Same")) == nil || d.String() != "unset" {
		t.Error("the unset difference has a text")
	}
}

// A "what if" on a clone leaves the original as it is, whatever is changed in the
// clone, and a tenant does not change with the configuration that it was made from.
func TestWhatIf(t *testing.T) {
	w := theWorld(t)
	today := scenario{rules: "CN=WoodgroveCA = MF", config: scopes("Woodgrove PKI", "other", groupA), stores: classic(false, url("old"))}.tenant(w)
	today.Policy.CRLValidation.ExemptedSKIs = []string{"aa"}
	today.Extra = map[string]json.RawMessage{"later": json.RawMessage(`[1]`)}
	hint := true
	today.Trust.PKIs[0].CertificateAuthorities[0].IsIssuerHintEnabled = &hint
	text := func(c signin.Config) string {
		t.Helper()
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	before := text(today)
	options := signin.Options{SkipRevocation: true}
	tenant, err := today.Compile(options)
	if err != nil {
		t.Fatal(err)
	}

	changed := today.Clone()
	if text(changed) != before {
		t.Fatalf("the clone differs:\n%s\n%s", text(changed), before)
	}
	changed.Policy.AuthenticationMode.Rules[0].Mode = policy.SingleFactor
	changed.Policy.UserBindings[len(changed.Policy.UserBindings)-1].Priority = 77
	changed.Policy.IncludeTargets[0].IsRegistrationRequired = true
	changed.Policy.CertificateAuthorityScopes[0].IncludeTargets[0].ID = groupB
	changed.Policy.CRLValidation.ExemptedSKIs[0] = "bb"
	changed.Trust.PKIs[0].CertificateAuthorities[0].DisplayName = "changed"
	changed.Trust.PKIs[0].CertificateAuthorities[0].Certificate[100] ^= 1
	*changed.Trust.PKIs[0].CertificateAuthorities[0].IsIssuerHintEnabled = false
	changed.Trust.Classic.CertificateAuthorities[0].IsRootAuthority = true
	changed.Extra["later"][1] = '2'
	changed.Extra["more"] = json.RawMessage("1")
	if text(today) != before {
		t.Errorf("the original changed with its clone:\n%s\n%s", text(today), before)
	}

	weaker := today.Clone()
	weaker.Policy.AuthenticationMode.Rules[0].Mode = policy.SingleFactor
	after, err := weaker.Compile(options)
	if err != nil {
		t.Fatal(err)
	}
	list := func(yield func(signin.Case, error) bool) {
		yield(signin.Case{User: &policy.User{UserPrincipalName: "bob@woodgrove.com"}, Certificates: []*x509.Certificate{w.certs["bob"]}}, nil)
	}
	compare := func(want signin.Difference) {
		t.Helper()
		for change, err := range signin.Compare(t.Context(), tenant, after, list, signin.CompareOptions{At: worldNow}) {
			if err != nil || change.Difference != want {
				t.Errorf("%v, %v: want %v", change.Difference, err, want)
			}
		}
	}
	compare(signin.Weaker)
	// Whoever changes the configuration later does not change the tenant.
	bob := signin.Request{User: &policy.User{UserPrincipalName: "bob@woodgrove.com"}, Certificate: w.certs["bob"], At: worldNow}
	first, err := tenant.Explain(t.Context(), bob)
	if err != nil {
		t.Fatal(err)
	}
	today.Policy.CertificateAuthorityScopes[0].SubjectKeyIdentifier = hexOf(keyID("woodgrove"))
	today.Policy.CertificateAuthorityScopes[0].PublicKeyInfrastructureIdentifier = "Contoso PKI"
	second, err := tenant.Explain(t.Context(), bob)
	if diff := cmp.Diff(first, second); err != nil || diff != "" {
		t.Errorf("the tenant changed with the configuration: %v\n%s", err, diff)
	}
	today.Policy.AuthenticationMode.Rules[0].Mode = policy.SingleFactor
	today.Policy.UserBindings = today.Policy.UserBindings[:0]
	compare(signin.Weaker)
}
