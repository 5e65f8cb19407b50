package signin_test

import (
	"sync/atomic"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
)

// A decision asks a source once for each CRL URL of the chain, as crl.Source says;
// with crl.Keep the source behind is asked once for all decisions.
func TestSourceIsAsked(t *testing.T) {
	w := theWorld(t)
	var asked atomic.Int64
	source := sourceFunc(func(string) (*crl.List, error) {
		asked.Add(1)
		return crl.Parse(w.files["woodgrove.crl"])
	})
	kept := crl.Keep(source)
	kept.Now = func() time.Time { return worldNow }
	const decisions = 10
	for want, s := range map[int64]crl.Source{decisions: source, 1: kept} {
		asked.Store(0)
		tenant, err := scenario{stores: setURLs("woodgrove", url("woodgrove"), "")}.tenant(w).Compile(signin.Options{CRLs: s})
		if err != nil {
			t.Fatal(err)
		}
		r := signin.Request{User: &policy.User{UserPrincipalName: "bob@woodgrove.com"}, Certificate: w.certs["bob"], At: worldNow}
		for range decisions {
			if a, err := tenant.Decide(t.Context(), r); err != nil || !a.SignedIn {
				t.Fatalf("%+v, %v", a, err)
			}
		}
		if got := asked.Load(); got != want {
			t.Errorf("%d decisions asked the source %d times, not %d", decisions, got, want)
		}
	}
}
