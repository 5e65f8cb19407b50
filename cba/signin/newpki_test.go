package signin_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
)

// A PKI made from a CA chain with an intermediate signs people in: no CA gets the
// CRL of its parent.
func TestNewPKISignsIn(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	name := func(text string) dn.Name {
		n, err := dn.Parse(text)
		must(err)
		return n
	}
	root, err := cba.NewRoot(t.Context(), cba.Authority{Name: name("CN=Root"), KeyType: cba.P256})
	must(err)
	sub, err := root.NewIntermediate(t.Context(), cba.Authority{Name: name("CN=Sub"), KeyType: cba.P256, CRLURLs: []string{"http://p.contoso.com/root.crl"}})
	must(err)
	key, err := cba.P256.Generate()
	must(err)
	cert, err := sub.Issue(t.Context(), key.Public(), cba.Subject{UPN: "jane@contoso.com"}, cba.Profile{CRLURLs: []string{"http://p.contoso.com/sub.crl"}})
	must(err)
	pki, err := trust.NewPKI("c", sub.CACertificates())
	must(err)
	config := signin.Config{Policy: policy.ServiceDefault(), Trust: trust.Config{PKIs: trust.PKIs{pki}}}
	config.Policy.State = policy.Enabled
	tenant, err := config.Compile(signin.Options{})
	must(err)
	v, err := tenant.Explain(t.Context(), signin.Request{User: &policy.User{UserPrincipalName: "jane@contoso.com"}, Certificate: cert, At: time.Now()})
	must(err)
	if !v.SignedIn {
		t.Errorf("%s %s", v.Code, v.Message)
	}
	for _, f := range config.Findings(time.Now()) {
		if f.Code == "trust-ca-crl-of-issuer" {
			t.Error(f)
		}
	}

	// One CA that crypto/x509 does not read stops no answer: it is left out, and the
	// verdict says so. A chain that ends at it is undecided.
	other, err := cba.NewRoot(t.Context(), cba.Authority{Name: name("CN=Odd"), KeyType: cba.P256})
	must(err)
	odd := bytes.Clone(other.Certificate.Raw)
	odd[bytes.Index(odd, []byte{0xa0, 3, 2, 1, 2, 2})+7] |= 0x80 // a negative serial number
	config.Trust.PKIs = append(config.Trust.PKIs, trust.PKI{DisplayName: "Old", CertificateAuthorities: []trust.Authority{{DisplayName: "Odd", Certificate: odd}}})
	tenant, err = config.Compile(signin.Options{})
	must(err)
	request := signin.Request{User: &policy.User{UserPrincipalName: "jane@contoso.com"}, Certificate: cert, At: time.Now()}
	v, err = tenant.Explain(t.Context(), request)
	must(err)
	if !v.SignedIn || !slices.ContainsFunc(v.Steps, func(s signin.Step) bool {
		return s.Name == trust.StepUnreadable && s.Outcome == lint.Warn && strings.Contains(s.Detail, "Odd")
	}) {
		t.Errorf("%v %+v", v.SignedIn, v.Steps)
	}
	request.Certificate, err = other.Issue(t.Context(), key.Public(), cba.Subject{UPN: "jane@contoso.com"}, cba.Profile{})
	must(err)
	v, err = tenant.Explain(t.Context(), request)
	must(err)
	if v.SignedIn || v.Outcome != signin.Undecided || len(v.Missing) != 1 || v.Missing[0].What != "tenant/publicKeyInfrastructure/1/certificateAuthorities/0/certificate" {
		t.Errorf("%v %+v", v.Outcome, v.Missing)
	}
}
