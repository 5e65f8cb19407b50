//go:build browsers && linux

package browser

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
)

// browsers opens each browser at a desk where these deliveries are installed. The
// policy is that of the first.
var browsers = map[string]func(d *desk, deliveries ...string) client{
	"chromium": func(d *desk, deliveries ...string) client {
		for _, folder := range deliveries {
			d.install(folder, "")
		}
		d.policy(deliveries[0])
		return d.chromium()
	},
	"firefox": func(d *desk, deliveries ...string) client {
		for _, folder := range deliveries {
			d.install(folder, d.firefoxProfile())
		}
		d.policy(deliveries[0])
		return d.firefox()
	},
}

// offers is what the model says: yes, no, or "depends" where it depends on what else is
// installed. Where the page was told to send other hints than the tenant's, the model's
// step about hints is not asked.
func offers(v signin.Verdict, hints string) string {
	answer := "yes"
	for _, s := range v.Steps {
		switch {
		case s.Outcome != lint.Warn || strings.Contains(s.Detail, "a client that has this certificate offers it"):
		case s.Name == signin.StepPresent:
			return "no"
		case s.Name == signin.StepHints && hints == "":
			answer = "no"
			if strings.Contains(s.Detail, "only if it has") {
				answer = "depends"
			}
		}
	}
	return answer
}

// see signs jane in and reports what arrived. It holds the screen against the lab, and
// the model against the browser.
func see(t *testing.T, d *desk, c client, hints string, presented bool, code string) seen {
	t.Helper()
	page, png, err := try(t, c, jane, hints, "")
	if err != nil {
		t.Fatal(err)
	}
	picture(t, t.Name(), png)
	s := d.saw()
	if s.Presented != presented || s.Verdict.Code != code {
		t.Errorf("presented %v, %s; want %v, %s\n%s", s.Presented, s.Verdict.Code, presented, code, page)
	}
	if !strings.Contains(page, s.Verdict.Code) || strings.Contains(page, "presented no certificate") != !s.Presented {
		t.Errorf("the screen shows another verdict: %s", page)
	}
	if model := offers(s.Verdict, hints); model != "depends" && (model == "yes") != s.Presented {
		t.Errorf("the model says offered %v, the browser %v: %+v", model, s.Presented, s.Verdict.Steps)
	}
	return s
}

// TestOffered holds which certificates a browser offers, and that the model says so.
func TestOffered(t *testing.T) {
	smartCard := []asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1, 311, 20, 2, 2}}
	a := newAuthority(t, "CN=Own CA")
	for name, test := range map[string]struct {
		edit    func(*x509.Certificate)
		offered bool
	}{
		"no usage named":      {usage(), true},
		"no key usage":        {func(c *x509.Certificate) { c.KeyUsage = 0 }, true},
		"email only":          {usage(x509.ExtKeyUsageEmailProtection), false},
		"any usage":           {usage(x509.ExtKeyUsageAny), false},
		"smart card only":     {func(c *x509.Certificate) { c.ExtKeyUsage, c.UnknownExtKeyUsage = nil, smartCard }, false},
		"keyAgreement":        {func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement }, false},
		"of a CA":             {func(c *x509.Certificate) { c.IsCA = true }, false},
		"expired":             {valid(-48*time.Hour, -time.Hour), false},
		"not valid yet":       {valid(time.Hour, 48*time.Hour), false},
		"expires in a minute": {valid(-time.Hour, time.Minute), true},
	} {
		c := a.issue(jane, test.edit)
		tenant, users := save(t, tenantOf(t, a), map[string][]credential{jane: {c}})
		for browser, open := range browsers {
			t.Run(name+"/"+browser, func(t *testing.T) {
				d := newDesk(t, tenant, users)
				code := ""
				if !test.offered {
					code = "AADSTS50192"
				}
				see(t, d, open(d, c.deliver(t, jane, false)), "", test.offered, code)
			})
		}
	}
}

// TestHints holds that a browser offers nothing, at once, when the hints name other
// CAs, and what they have to name.
func TestHints(t *testing.T) {
	own, other := newAuthority(t, "CN=Own CA"), newAuthority(t, "CN=Other CA")
	below := own.below("CN=Issuing CA")
	c, deep := own.issue(jane, nil), below.issue(jane, nil)
	hinted := func(flagged *authority, trusted ...*authority) signin.Config {
		config := tenantOf(t, trusted...)
		config.Policy.IssuerHints.State = policy.Enabled
		if flagged == nil {
			return config
		}
		yes := true
		for i, ca := range config.Trust.PKIs[0].CertificateAuthorities {
			if string(ca.Certificate) == string(flagged.issuer.CACertificates()[0].Raw) {
				config.Trust.PKIs[0].CertificateAuthorities[i].IsIssuerHintEnabled = &yes
			}
		}
		return config
	}
	for name, test := range map[string]struct {
		config    signin.Config
		c         credential
		hints     string
		alone     bool // without the CAs above it
		presented bool
		code      string
	}{
		"of all CAs":              {hinted(nil, own, other), c, "", false, true, ""},
		"of another CA":           {hinted(other, own, other), c, "", false, false, "AADSTS50192"},
		"not of a trusted CA":     {hinted(nil, other), c, "", false, false, "AADSTS50192"},
		"none, untrusted":         {hinted(nil, other), c, "off", false, true, "AADSTS500176"},
		"of the issuing CA":       {hinted(below, own, below), deep, "", true, true, ""},
		"of the root, with chain": {hinted(own, own, below), deep, "", false, true, ""},
		"of the root, alone":      {hinted(own, own, below), deep, "", true, false, "AADSTS50192"},
	} {
		tenant, users := save(t, test.config, map[string][]credential{jane: {test.c}})
		for browser, open := range browsers {
			t.Run(name+"/"+browser, func(t *testing.T) {
				d := newDesk(t, tenant, users)
				delivery := test.c
				if test.alone {
					delivery.chain = nil
				}
				s := see(t, d, open(d, delivery.deliver(t, jane, false)), test.hints, test.presented, test.code)
				if depends := strings.HasPrefix(name, "of the root"); depends != (offers(s.Verdict, test.hints) == "depends") {
					t.Errorf("the model says %s", offers(s.Verdict, test.hints))
				}
				if (len(s.Hints) > 0) != (test.hints == "") {
					t.Errorf("hints %q", s.Hints)
				}
			})
		}
	}
}

// TestRenewed holds which of two certificates of one name a browser takes without
// asking. Chromium takes the one that is valid for longer. Firefox takes the one that
// was installed first: the old one, until it is deleted or has expired.
func TestRenewed(t *testing.T) {
	a := newAuthority(t, "CN=Own CA")
	old, renewed := a.issue(jane, valid(-300*24*time.Hour, 60*24*time.Hour)), a.issue(jane, nil)
	tenant, users := save(t, tenantOf(t, a), map[string][]credential{jane: {old, renewed}})
	for order, list := range map[string][]credential{"old first": {old, renewed}, "new first": {renewed, old}} {
		for browser, open := range browsers {
			t.Run(order+"/"+browser, func(t *testing.T) {
				d := newDesk(t, tenant, users)
				s := see(t, d, open(d, list[0].deliver(t, jane, false), list[1].deliver(t, jane, false)), "", true, "")
				want := serial(renewed)
				if browser == "firefox" {
					want = serial(list[0])
				}
				if s.Verdict.Certificate.SerialNumber != want {
					t.Errorf("%s was offered, not %s", s.Verdict.Certificate.SerialNumber, want)
				}
			})
		}
	}
}

// TestTwoPeople has two people in one store. With a policy that names jane, hers is
// offered to both; with deliver's -issuer-only the browser takes one of the two for both.
func TestTwoPeople(t *testing.T) {
	a := newAuthority(t, "CN=Own CA")
	janes, johns := a.issue(jane, nil), a.issue(john, nil)
	tenant, users := save(t, tenantOf(t, a), map[string][]credential{jane: {janes}, john: {johns}})
	for name, issuerOnly := range map[string]bool{"policy of jane": false, "issuer only": true} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, tenant, users)
			c := browsers["chromium"](d, janes.deliver(t, jane, issuerOnly), johns.deliver(t, john, issuerOnly))
			got := map[string]seen{}
			for _, user := range []string{jane, john} {
				page, png, err := try(t, c, user, "", "")
				if err != nil {
					t.Fatal(err)
				}
				picture(t, t.Name()+"-"+user, png)
				s := d.saw()
				got[user] = s
				if !s.Verdict.SignedIn && (s.Verdict.Code != "AADSTS1001009" || !strings.Contains(page, "this certificate belongs to ")) {
					t.Errorf("%s: %s", user, page)
				}
			}
			if got[jane].Verdict.Certificate != got[john].Verdict.Certificate {
				t.Error("the policy chose by the user's name, which it does not know")
			}
			if got[jane].Verdict.SignedIn == got[john].Verdict.SignedIn || !issuerOnly && !got[jane].Verdict.SignedIn {
				t.Errorf("jane signed in %v, john %v", got[jane].Verdict.SignedIn, got[john].Verdict.SignedIn)
			}
		})
	}
}

// TestInspection has a proxy on the way that opens TLS, as many companies do: the
// certificate does not arrive.
func TestInspection(t *testing.T) {
	a := newAuthority(t, "CN=Own CA")
	c := a.issue(jane, nil)
	tenant, users := save(t, tenantOf(t, a), map[string][]credential{jane: {c}})
	for browser, open := range browsers {
		t.Run(browser, func(t *testing.T) {
			d := newDesk(t, tenant, users, "-listen", "127.0.0.1:8443")
			d.inspect("127.0.0.1:8443")
			page, png, err := try(t, open(d, c.deliver(t, jane, false)), jane, "", "")
			if err != nil {
				t.Fatal(err)
			}
			picture(t, t.Name(), png)
			s := d.saw()
			if s.Presented || s.Verdict.Code != "AADSTS50192" || offers(s.Verdict, "") != "yes" || !strings.Contains(page, "TLS inspection") {
				t.Errorf("%+v\n%s", s, page)
			}
		})
	}
}

// inspect puts such a proxy on port 443, in front of the lab. Its CA is one that the
// machine trusts.
func (d *desk) inspect(lab string) {
	d.t.Helper()
	proxyCA := newAuthority(d.t, "CN=Inspection CA")
	name := "login.microsoftonline.com"
	server := proxyCA.issue(name, func(c *x509.Certificate) {
		c.ExtraExtensions, c.DNSNames, c.ExtKeyUsage = nil, []string{name, "certauth." + name}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})
	trusted := x509.NewCertPool()
	labCA := must(os.ReadFile(d.ca))
	trusted.AppendCertsFromPEM(labCA)
	if err := os.WriteFile(d.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: proxyCA.issuer.CACertificates()[0].Raw}), 0o644); err != nil {
		d.t.Fatal(err)
	}
	proxies := map[string]http.Handler{}
	for _, host := range server.cert.DNSNames {
		proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "https", Host: lab})
		proxy.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, ServerName: host}}
		proxies[host] = proxy
	}
	front := &http.Server{
		Addr:      "127.0.0.1:443",
		Handler:   http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { proxies[r.Host].ServeHTTP(w, r) }),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{server.cert.Raw}, PrivateKey: server.key}}},
	}
	ended := make(chan error)
	go func() { ended <- front.ListenAndServeTLS("", "") }()
	d.t.Cleanup(func() {
		front.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			d.t.Errorf("the proxy: %v", err)
		}
	})
}

// TestWithoutPolicy holds a limit of these tests: a headless Chromium that would ask a
// person waits for ever.
func TestWithoutPolicy(t *testing.T) {
	a := newAuthority(t, "CN=Own CA")
	c := a.issue(jane, nil)
	tenant, users := save(t, tenantOf(t, a), map[string][]credential{jane: {c}})
	d := newDesk(t, tenant, users)
	d.install(c.deliver(t, jane, false), "")
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	if _, _, err := d.chromium().signIn(ctx, jane, "", ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it did not wait: %v", err)
	}
	if len(d.seen) > 0 {
		t.Error("the lab has seen a sign-in")
	}
}

// below is an authority that this one issued.
func (a *authority) below(name string) *authority {
	a.t.Helper()
	key := must(cba.P256.Generate())
	return &authority{a.t, must(a.issuer.NewIntermediate(a.t.Context(), cba.Authority{Name: must(dn.Parse(name)), Key: key})), key}
}

func valid(from, until time.Duration) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now().Add(from), time.Now().Add(until) }
}

func serial(c credential) string { return c.cert.SerialNumber.Text(16) }
