package lab

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
)

// A site is a lab that serves, its tenant's CA, and a CA that the tenant does not have.
type site struct {
	*Lab
	address, port string
	own, other    *cba.Issuer
	seen          chan Attempt
}

const jane, john = "jane@contoso.com", "john@contoso.com"

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{seen: make(chan Attempt, 8), own: newCA(t, "CN=Own CA"), other: newCA(t, "CN=Other CA")}
	config := signin.Config{Policy: policy.ServiceDefault(), Trust: trust.Config{PKIs: trust.PKIs{must(trust.NewPKI("PKI", s.own.CACertificates()))}}}
	config.Policy.State = policy.Enabled
	tenant := must(config.Compile(signin.Options{}))
	_, known := client(t, s.own, jane)
	s.Lab = must(New(Options{Config: config, Tenant: tenant, Seen: func(a Attempt) { s.seen <- a }, Users: []signin.Case{
		{User: &policy.User{UserPrincipalName: jane}, Certificates: []*x509.Certificate{known}},
		{User: &policy.User{UserPrincipalName: john}},
	}}))
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	s.address = listener.Addr().String()
	_, s.port, _ = net.SplitHostPort(s.address)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- s.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newCA(t *testing.T, name string) *cba.Issuer {
	return must(cba.NewRoot(t.Context(), cba.Authority{Name: must(dn.Parse(name)), KeyType: cba.P256}))
}

// client issues a certificate and returns it as a TLS client has it.
func client(t *testing.T, ca *cba.Issuer, upn string) (tls.Certificate, *x509.Certificate) {
	key := must(cba.P256.Generate())
	cert := must(ca.Issue(t.Context(), key.Public(), cba.Subject{UPN: upn}, cba.Profile{}))
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}, cert
}

// A browser has one certificate, or none, and offers it only if the hints allow that.
type browser struct {
	*http.Client
	has   *tls.Certificate
	asked []*tls.CertificateRequestInfo
}

func (s *site) browser(has *tls.Certificate) *browser {
	b := &browser{has: has}
	trusted := x509.NewCertPool()
	trusted.AddCert(s.CA())
	b.Client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{RootCAs: trusted, GetClientCertificate: func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			b.asked = append(b.asked, r)
			if b.has == nil || r.SupportsCertificate(b.has) != nil {
				return &tls.Certificate{}, nil
			}
			return b.has, nil
		}},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.address)
		},
	}}
	return b
}

func (b *browser) get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	answer, err := b.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer, string(must(io.ReadAll(answer.Body)))
}

func TestSignIn(t *testing.T) {
	s := newSite(t)
	good, cert := client(t, s.own, jane)
	johns, _ := client(t, s.own, john)
	foreign, _ := client(t, s.other, jane)
	for _, test := range []struct {
		name      string
		has       *tls.Certificate
		form      string
		tls       uint16
		hinted    bool
		presented bool
		code      string
		says      string // on the page
	}{
		{"as the tenant has it", &good, "", tls.VersionTLS13, false, true, "", "Signed in"},
		{"hints", &good, "&hints=on", tls.VersionTLS13, true, true, "", "issuer hints sent: CN=Own CA."},
		{"TLS 1.2", &good, "&tls=1.2", tls.VersionTLS12, false, true, "", "TLS 1.2, no issuer hints sent"},
		{"TLS 1.2 with hints", &good, "&tls=1.2&hints=on", tls.VersionTLS12, true, true, "", "Signed in"},
		{"multifactor", &good, "&require=mfa", tls.VersionTLS13, false, true, "AADSTS54008", "Refused"},
		{"of somebody else", &johns, "", tls.VersionTLS13, false, true, "AADSTS1001009", "this certificate belongs to john@contoso.com"},
		{"of another CA", &foreign, "&hints=off", tls.VersionTLS13, false, true, "AADSTS500176", "Refused"},
		{"of another CA, with hints", &foreign, "&hints=on", tls.VersionTLS13, true, false, "AADSTS50192", "The client presented no certificate."},
		{"none", nil, "&hints=on", tls.VersionTLS12 + 1, true, false, "AADSTS50192", "a client that has this certificate offers it"},
	} {
		b := s.browser(test.has)
		answer, page := b.get(t, s.URL(s.port)+"signin?user=JANE@contoso.com"+test.form)
		if answer.StatusCode != http.StatusOK || !strings.Contains(page, test.says) {
			t.Errorf("%s: %s, page without %q:\n%s", test.name, answer.Status, test.says, page)
			continue
		}
		if len(b.asked) != 1 {
			t.Errorf("%s: asked %d times for a certificate", test.name, len(b.asked))
			continue
		}
		asked := b.asked[0]
		if asked.Version != test.tls || (len(asked.AcceptableCAs) > 0) != test.hinted {
			t.Errorf("%s: asked by %s with %d hints", test.name, tls.VersionName(asked.Version), len(asked.AcceptableCAs))
		}
		a := <-s.seen
		if (a.Certificate != nil) != test.presented || a.Verdict.Code != test.code || a.Verdict.SignedIn != (test.code == "") || a.User.UserPrincipalName != jane {
			t.Errorf("%s: presented %v, verdict %v %s", test.name, a.Certificate != nil, a.Verdict.Outcome, a.Verdict.Code)
		}
		if test.has == &good && (!a.Certificate.Equal(cert) || (len(a.Hints) > 0) != test.hinted) {
			t.Errorf("%s: %v, hints %q", test.name, a.Certificate.Subject, a.Hints)
		}
		if test.hinted && !slices.ContainsFunc(asked.AcceptableCAs, func(raw []byte) bool { return dn.Show(raw) == "CN=Own CA" }) {
			t.Errorf("%s: hints %q", test.name, asked.AcceptableCAs)
		}
		// The page leads back to the form, with what was typed.
		if !strings.Contains(page, `href="https://login.localhost:`+s.port+`/?`) {
			t.Errorf("%s: no way back", test.name)
		}
	}
}

// TestJSON asks as curl does, without the form.
func TestJSON(t *testing.T) {
	s := newSite(t)
	for _, has := range []bool{true, false} {
		b := s.browser(nil)
		if has {
			good, _ := client(t, s.own, john)
			b.has = &good
		}
		request := must(http.NewRequest("GET", s.CertificateURL(s.port, john), nil))
		request.Header.Set("Accept", "application/json")
		answer, err := b.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			SignIn struct {
				User    string         `json:"userPrincipalName"`
				Verdict signin.Verdict `json:"verdict"`
			} `json:"signIn"`
		}
		err = json.NewDecoder(answer.Body).Decode(&got)
		answer.Body.Close()
		if err != nil || got.SignIn.User != john || got.SignIn.Verdict.SignedIn != has || answer.Header.Get("Content-Type") != "application/json" {
			t.Errorf("with a certificate %v: %+v, %v", has, got, err)
		}
	}
}

func TestForm(t *testing.T) {
	s := newSite(t)
	b := s.browser(nil)
	answer, page := b.get(t, s.URL(s.port)+"?user=%3Cscript%3E&require=mfa&hints=on&tls=1.2")
	if answer.StatusCode != 200 || len(b.asked) != 0 {
		t.Errorf("%s, asked %d times", answer.Status, len(b.asked))
	}
	for _, want := range []string{`value="&lt;script&gt;"`, `<option value="mfa" selected>`, `<option value="on" selected>`, `<option value="1.2" selected>`, jane, john} {
		if !strings.Contains(page, want) {
			t.Errorf("the form lacks %s", want)
		}
	}
	if csp := answer.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "https://hints.certauth.login.localhost:"+s.port) {
		t.Errorf("policy %q", csp)
	}
	for form, want := range map[string]string{"user=": "Enter the user", "user=nosuch%3Cb%3E": "No user of the list is called nosuch&lt;b&gt;. Entra answers AADSTS50034"} {
		if answer, page := b.get(t, s.URL(s.port)+"signin?"+form); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, want) {
			t.Errorf("%s: %s\n%s", form, answer.Status, page)
		}
	}
	certauth := "https://certauth.login.localhost:" + s.port
	for path, want := range map[string]int{"/?user=nosuch": 400, "/?user=" + jane + "&require=x": 400, "/favicon.ico": 404} {
		if answer, _ := b.get(t, certauth+path); answer.StatusCode != want {
			t.Errorf("%s: %s", path, answer.Status)
		}
	}
	if len(s.seen) != 0 {
		t.Error("sign-ins were seen")
	}
}

// TestConnections holds that a verdict is never made from the wrong connection.
func TestConnections(t *testing.T) {
	s := newSite(t)
	b := s.browser(nil)
	request := must(http.NewRequest("GET", s.URL(s.port), nil))
	request.Host = "certauth.login.localhost:" + s.port // as a shared connection of HTTP/2 asks
	answer, err := b.Do(request)
	if err != nil || answer.StatusCode != http.StatusMisdirectedRequest || answer.Proto != "HTTP/2.0" {
		t.Errorf("another host on the connection: %v, %v", answer, err)
	}
	if _, err := b.Get("https://evil.example:" + s.port); err == nil {
		t.Error("a name that is not the page's was served")
	}
	login, certauth := s.certs.login.Leaf, s.certs.certauth.Leaf
	if login.VerifyHostname("certauth.login.localhost") == nil || certauth.VerifyHostname("login.localhost") == nil {
		t.Error("one certificate is for both hosts")
	}
	if login.SerialNumber.Cmp(certauth.SerialNumber) == 0 {
		t.Error("both certificates have one serial number")
	}
	if ca := s.CA(); !ca.PermittedDNSDomainsCritical || !slices.Equal(ca.PermittedDNSDomains, []string{"login.localhost"}) || time.Until(ca.NotAfter) > lifetime {
		t.Errorf("the CA may sign for %q until %v", ca.PermittedDNSDomains, ca.NotAfter)
	}
}

func TestRefusals(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("no tenant was taken")
	}
	s := newSite(t)
	listener, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(t.Context(), listener); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("served to everybody: %v", err)
	}
	if _, err := listener.Accept(); err == nil {
		t.Error("the listener is still open")
	}
}
