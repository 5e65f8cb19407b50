package signin_test

import (
	"crypto/rand"
	"crypto/x509"
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

// TestPresent holds what the verdict says about whether a browser offers the
// certificate. examples/lab/browser holds the same against browsers.
func TestPresent(t *testing.T) {
	name := func(text string) dn.Name {
		n, err := dn.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	rootKey, err := cba.P256.Generate()
	if err != nil {
		t.Fatal(err)
	}
	root, err := cba.NewRoot(t.Context(), cba.Authority{Name: name("CN=Root"), Key: rootKey})
	if err != nil {
		t.Fatal(err)
	}
	belowKey, err := cba.P256.Generate()
	if err != nil {
		t.Fatal(err)
	}
	below, err := root.NewIntermediate(t.Context(), cba.Authority{Name: name("CN=Issuing"), Key: belowKey})
	if err != nil {
		t.Fatal(err)
	}
	userKey, err := cba.P256.Generate()
	if err != nil {
		t.Fatal(err)
	}
	good, err := below.Issue(t.Context(), userKey.Public(), cba.Subject{UPN: "jane@contoso.com"}, cba.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	made := func(edit func(*x509.Certificate)) *x509.Certificate {
		template := *good
		template.SerialNumber = nil
		edit(&template)
		raw, err := x509.CreateCertificate(rand.Reader, &template, below.CACertificates()[0], userKey.Public(), belowKey)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(raw)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	now := good.NotBefore.Add(time.Hour)
	for what, test := range map[string]struct {
		cert    *x509.Certificate
		at      time.Time
		flagged string // the CA whose name is sent; "" for all
		step    string
		outcome lint.Outcome
		says    string
	}{
		"good":             {good, now, "", signin.StepPresent, lint.Pass, "nothing in the certificate"},
		"last second":      {good, good.NotAfter, "", signin.StepPresent, lint.Pass, "nothing in the certificate"},
		"expired":          {good, good.NotAfter.Add(time.Second), "", signin.StepPresent, lint.Warn, "has expired: the user then sees AADSTS50192"},
		"not valid yet":    {good, good.NotBefore.Add(-time.Second), "", signin.StepPresent, lint.Warn, "is not valid yet: the user then sees AADSTS50192"},
		"of a CA":          {made(func(c *x509.Certificate) { c.IsCA = true }), now, "", signin.StepPresent, lint.Warn, "the certificate of a CA"},
		"any usage":        {made(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }), now, "", signin.StepPresent, lint.Warn, "name clientAuth"},
		"no usage":         {made(func(c *x509.Certificate) { c.ExtKeyUsage = nil }), now, "", signin.StepPresent, lint.Pass, "nothing in the certificate"},
		"mail":             {made(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} }), now, "", signin.StepPresent, lint.Warn, "clientAuth"},
		"all names":        {good, now, "", signin.StepHints, lint.Pass, "the issuing CA"},
		"the issuing CA's": {good, now, "Issuing", signin.StepHints, lint.Pass, "the issuing CA"},
		"the root's":       {good, now, "Root", signin.StepHints, lint.Warn, "only if it has the certificates of the CAs between"},
		"another's":        {good, now, "Other", signin.StepHints, lint.Warn, "may then not offer the certificate"},
	} {
		other, err := cba.NewRoot(t.Context(), cba.Authority{Name: name("CN=Other"), KeyType: cba.P256})
		if err != nil {
			t.Fatal(err)
		}
		pki, err := trust.NewPKI("PKI", append(below.CACertificates(), other.CACertificates()...))
		if err != nil {
			t.Fatal(err)
		}
		for i, ca := range pki.CertificateAuthorities {
			if cert, err := x509.ParseCertificate(ca.Certificate); err != nil {
				t.Fatal(err)
			} else if cert.Subject.CommonName == test.flagged {
				yes := true
				pki.CertificateAuthorities[i].IsIssuerHintEnabled = &yes
			}
		}
		config := signin.Config{Policy: policy.ServiceDefault(), Trust: trust.Config{PKIs: trust.PKIs{pki}}}
		config.Policy.State, config.Policy.IssuerHints.State = policy.Enabled, policy.Enabled
		tenant, err := config.Compile(signin.Options{})
		if err != nil {
			t.Fatal(err)
		}
		v, err := tenant.Explain(t.Context(), signin.Request{User: &policy.User{UserPrincipalName: "jane@contoso.com"}, Certificate: test.cert, At: test.at})
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, s := range v.Steps {
			if s.Name != test.step {
				continue
			}
			found++
			if s.Outcome != test.outcome || !strings.Contains(s.Detail, test.says) {
				t.Errorf("%s: %v %s", what, s.Outcome, s.Detail)
			}
		}
		if found != 1 {
			t.Errorf("%s: %d steps %q", what, found, test.step)
		}
	}
}
