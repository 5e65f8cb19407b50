package signin_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/keyid"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
)

// A tenant that is compiled again knows nothing of a certificate that the one before
// knew: of a CA that is no more there, whose exemption ended, that was revoked, that
// is scoped.
func TestHeldForgets(t *testing.T) {
	w := theWorld(t)
	s := scenario{cert: "bob-contoso"}
	test, err := s.testCase(w)
	if err != nil {
		t.Fatal(err)
	}
	_, r, err := test.load(w.files)
	if err != nil {
		t.Fatal(err)
	}
	lists := func(change func(map[string][]byte)) crl.Source {
		m := map[string][]byte{}
		for at, name := range test.Lists {
			m[at] = w.files[name]
		}
		change(m)
		return crl.Static(m)
	}
	same := func(map[string][]byte) {}
	exempt := func(c *signin.Config) {
		c.Policy.CRLValidation = policy.CRLValidationConfiguration{State: policy.Enabled, ExemptedSKIs: []string{string(keyid.Of(keyID("contoso")))}}
	}
	for name, change := range map[string]struct {
		before, after func(*signin.Config)
		lists         func(map[string][]byte) // after
		code          string
	}{
		"the issuing CA left the store": {after: func(c *signin.Config) {
			cas := &c.Trust.PKIs[0].CertificateAuthorities
			for i := range *cas {
				if string((*cas)[i].Certificate) == string(w.certs["contoso"].Raw) {
					*cas = append((*cas)[:i:i], (*cas)[i+1:]...)
					return
				}
			}
		}, code: "AADSTS500176"},
		"the root left the store": {after: func(c *signin.Config) {
			cas := &c.Trust.PKIs[0].CertificateAuthorities
			for i := range *cas {
				if string((*cas)[i].Certificate) == string(w.certs["contoso-root"].Raw) {
					*cas = append((*cas)[:i:i], (*cas)[i+1:]...)
					return
				}
			}
		}, code: "AADSTS500176"},
		"it was revoked":                   {lists: func(m map[string][]byte) { m[url("contoso")] = revokes(t, "contoso", r.Certificate) }, code: "AADSTS500171"},
		"its CA was revoked":               {lists: func(m map[string][]byte) { m[url("contoso-root")] = revokes(t, "contoso-root", w.certs["contoso"]) }, code: "AADSTS500171"},
		"revoked, and the exemption ended": {before: exempt, lists: func(m map[string][]byte) { m[url("contoso")] = revokes(t, "contoso", r.Certificate) }, code: "AADSTS500171"},
		"its CA is scoped": {after: func(c *signin.Config) {
			scopes("Woodgrove PKI", "contoso", groupB)(&c.Policy)
		}, code: "AADSTS500189"},
	} {
		t.Run(name, func(t *testing.T) {
			config := s.tenant(w)
			var tenants [2]*signin.Tenant
			for i, edit := range [2]func(*signin.Config){change.before, change.after} {
				c := config.Clone()
				if edit != nil {
					edit(&c)
				}
				source := lists(same)
				if change.lists != nil && (i == 1 || change.before != nil) {
					source = lists(change.lists)
				}
				var err error
				if tenants[i], err = c.Compile(signin.Options{CRLs: source}); err != nil {
					t.Fatal(err)
				}
			}
			for range 3 { // the first time, and from what is kept
				before, err := tenants[0].Decide(t.Context(), r)
				if err != nil || !before.SignedIn {
					t.Fatalf("before: %+v, %v", before, err)
				}
				after, err := tenants[1].Decide(t.Context(), r)
				if err != nil || after.SignedIn || after.Code != change.code {
					t.Fatalf("after: %+v, %v, want %s", after, err, change.code)
				}
			}
			// Exempting lets in again.
			if change.code == "AADSTS500171" && name == "it was revoked" {
				c := config.Clone()
				exempt(&c)
				again, err := c.Compile(signin.Options{CRLs: lists(change.lists)})
				if err != nil {
					t.Fatal(err)
				}
				if a, err := again.Decide(t.Context(), r); err != nil || !a.SignedIn {
					t.Errorf("exempted: %+v, %v", a, err)
				}
			}
		})
	}
}

// revokes is a list of a CA of the world that revokes one certificate.
func revokes(t *testing.T, ca string, cert *x509.Certificate) []byte {
	t.Helper()
	der, err := x509.CreateRevocationList(nil, &x509.RevocationList{
		Number: big.NewInt(99), ThisUpdate: worldNow.Add(-time.Hour), NextUpdate: worldNow.Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: cert.SerialNumber, RevocationTime: worldNow.Add(-time.Hour)}},
	}, theWorld(t).certs[ca], keyOf(ca))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// Within one tenant, time, lists, user and requirement are looked at each time.
func TestHeldIsDecidedAfresh(t *testing.T) {
	w := theWorld(t)
	test, err := scenario{cert: "bob-contoso"}.testCase(w)
	if err != nil {
		t.Fatal(err)
	}
	_, r, err := test.load(w.files)
	if err != nil {
		t.Fatal(err)
	}
	source := &switched{caseSource: caseSource{w.files, test.Lists, new(sync.Map)}}
	config, err := signin.ParseConfig(test.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	tenant, err := config.Compile(signin.Options{CRLs: source})
	if err != nil {
		t.Fatal(err)
	}
	held, err := tenant.Certificate(r.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(user *policy.User, at time.Time, require signin.Requirement, want string) {
		t.Helper()
		a, err := held.Decide(t.Context(), user, at, require)
		b, err2 := tenant.Decide(t.Context(), signin.Request{User: user, Certificate: r.Certificate, At: at, Require: require})
		if err != nil || err2 != nil || a != b || a.Code != want {
			t.Errorf("%+v, %v, and %+v, %v; want %q", a, err, b, err2, want)
		}
	}
	none := signin.Requirement{}
	ask(r.User, r.At, none, "")
	ask(r.User, r.Certificate.NotAfter.Add(time.Second), none, "AADSTS500172")
	ask(r.User, r.Certificate.NotBefore.Add(-time.Second), none, "AADSTS500172")
	ask(r.User, r.At.AddDate(1, 0, 0), none, "AADSTS500172") // the lists have expired
	ask(&policy.User{UserPrincipalName: "eve@woodgrove.com", MemberOf: r.User.MemberOf}, r.At, none, "AADSTS1001009")
	ask(r.User, r.At, signin.PhishingResistant(), "AADSTS500187")
	source.fails = true
	ask(r.User, r.At, none, "AADSTS500173")
	source.fails = false
	ask(r.User, r.At, none, "")

	// Who changes the struct afterwards changes nothing.
	copied := *r.Certificate
	copied.NotAfter = copied.NotAfter.AddDate(50, 0, 0)
	if a, err := tenant.Decide(t.Context(), signin.Request{User: r.User, Certificate: &copied, At: r.Certificate.NotAfter.Add(time.Second)}); err != nil || a.SignedIn {
		t.Errorf("a struct that is not what its bytes say: %+v, %v", a, err)
	}
	// And a forged one is not taken for one that is known, nor kept for it.
	fresh, err := config.Compile(signin.Options{CRLs: source})
	if err != nil {
		t.Fatal(err)
	}
	forged := *r.Certificate
	forged.Raw = w.certs["bob-forged"].Raw
	for _, cert := range []*x509.Certificate{&forged, w.certs["bob-forged"]} {
		if a, err := fresh.Decide(t.Context(), signin.Request{User: r.User, Certificate: cert, At: r.At}); err != nil || a.SignedIn {
			t.Errorf("forged: %+v, %v", a, err)
		}
	}
	for _, bad := range []*signin.HeldCertificate{nil, {}} {
		if a, err := bad.Decide(t.Context(), r.User, r.At, none); !errors.Is(err, signin.NoTenant) || a.SignedIn {
			t.Errorf("%+v, %v", a, err)
		}
	}
	for cert, want := range map[*x509.Certificate]signin.Reason{nil: signin.NoCertificate, {}: signin.BadCertificate} {
		if h, err := tenant.Certificate(cert); !errors.Is(err, want) || h != nil {
			t.Errorf("%v, want %v", err, want)
		}
	}
	var missing context.Context
	if _, err := held.Decide(missing, r.User, r.At, none); !errors.Is(err, signin.NoContext) {
		t.Errorf("%v", err)
	}
}

// A switched source can be told to fail.
type switched struct {
	caseSource
	fails bool
}

func (s *switched) Fetch(ctx context.Context, url string, ca *x509.Certificate) (*crl.List, error) {
	if s.fails {
		return nil, &crl.Error{Reason: crl.Download, URL: url}
	}
	return s.caseSource.Fetch(ctx, url, ca)
}

// Many goroutines share a tenant and its certificates.
func TestHeldIsShared(t *testing.T) {
	w := theWorld(t)
	type one struct {
		tenant *signin.Tenant
		r      signin.Request
		want   signin.Answer
	}
	var all []one
	for _, cert := range []string{"bob", "bob-revoked", "bob-forged", "bob-expired", "bob-contoso", "alice"} {
		test, err := scenario{cert: cert}.testCase(w)
		if err != nil {
			t.Fatal(err)
		}
		tenant, r, err := test.load(w.files)
		if err != nil {
			t.Fatal(err)
		}
		want, err := tenant.Decide(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, one{tenant, r, want})
	}
	var running sync.WaitGroup
	for g := range 8 {
		running.Go(func() {
			for i := range 200 {
				o := all[(i+g)%len(all)]
				if got, err := o.tenant.Decide(context.Background(), o.r); err != nil || got != o.want {
					t.Errorf("%+v, %v, want %+v", got, err, o.want)
					return
				}
			}
		})
	}
	running.Wait()
}

// Before Until, the answer is the same; where there is none, for ever.
func TestUntil(t *testing.T) {
	files := map[string][]byte{}
	entries, err := os.ReadDir(worldFolder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(worldFolder, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	names, err := filepath.Glob(filepath.Join("testdata", "cases", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	at, ends, changes := 0, 0, 0
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var c testCase
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatal(err)
		}
		tenant, r, err := c.load(files)
		if err != nil {
			t.Fatal(err)
		}
		decide := func(at time.Time) signin.Answer {
			r.At = at
			a, err := tenant.Decide(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		a := decide(c.At)
		switch {
		case a.Until.IsZero(): // everything has expired
			if b := decide(c.At.AddDate(100, 0, 0)); b != a {
				t.Errorf("%s: %+v, and a hundred years later %+v", name, a, b)
			}
			continue
		case a.Until.Equal(c.At): // a list could not be had
			at++
			continue
		case a.Until.Before(c.At):
			t.Errorf("%s: until %v", name, a.Until)
		}
		ends++
		for _, then := range []time.Time{c.At.Add(a.Until.Sub(c.At) / 2), a.Until.Add(-1)} {
			if b := decide(then); b != a {
				t.Errorf("%s: %+v, and at %v %+v", name, a, then, b)
			}
		}
		b := decide(a.Until)
		b.Until = a.Until
		if b != a {
			changes++
		}
	}
	t.Logf("%d answers end, of which %d change then; %d are about a list that could not be had", ends, changes, at)
	if ends < 100 || changes < 50 || at < 5 {
		t.Errorf("too few to prove anything: %d, %d, %d", ends, changes, at)
	}
}
