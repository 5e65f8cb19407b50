package trust_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"strings"
	"testing"

	"example.com/entracba/cba/internal/interop"
	"example.com/entracba/cba/trust"
	"github.com/google/go-cmp/cmp"
)

// What the object says about a certificate is what OpenSSL says about it.
func TestNewAuthorityAgreesWithOpenSSL(t *testing.T) {
	openssl := interop.Find(t, "openssl")
	r := root(t, spec{name: "Contoso Root"})
	for _, e := range []*entity{r, r.ca(t, spec{name: "Contoso Issuing", crl: []string{urlA}})} {
		a, err := trust.NewAuthority(e.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		printed := openssl.Run(t, pemOf(e.Certificate), "x509", "-noout", "-fingerprint", "-sha1", "-enddate", "-dateopt", "iso_8601",
			"-issuer", "-nameopt", "RFC2253", "-ext", "subjectKeyIdentifier")
		plain := strings.ToLower(strings.ReplaceAll(printed, ":", ""))
		for name, want := range map[string]string{
			"thumbprint": a.Thumbprint, "SKI": a.IssuerSubjectKeyIdentifier,
			"expiry": strings.ToLower(a.ExpirationDateTime.Format("2006-01-02 150405Z")), "issuer": "issuer=" + strings.ToLower(a.Issuer),
		} {
			if want == "" || !strings.Contains(plain, want) {
				t.Errorf("%s: %s %q is not in\n%s", e.Subject, name, want, printed)
			}
		}
	}
}

func TestNewAuthority(t *testing.T) {
	r := root(t, spec{name: "Contoso Root"})
	rollover := r.ca(t, spec{name: "Contoso Root"}) // one name, another key: not self-signed
	for _, c := range []struct {
		name    string
		e       *entity
		kind    trust.AuthorityType
		crl     string // where the issuer's CRL is
		display string
	}{
		{"root", r, trust.Root, "", "Contoso Root"},
		{"intermediate", r.ca(t, spec{name: "Issuing", crl: []string{urlA, urlB}}), trust.Intermediate, urlA, "Issuing"},
		{"self-issued", rollover, trust.Intermediate, "", "Contoso Root"},
		{"first http", r.ca(t, spec{name: "Issuing", crl: []string{ldapA, "https://crl.contoso.com/s.crl", urlB, urlA}}), trust.Intermediate, urlB, "Issuing"},
		{"no common name", r.ca(t, spec{subject: &pkix.Name{Organization: []string{"Contoso"}, Country: []string{"US"}}}), trust.Intermediate, "", "O=Contoso,C=US"},
	} {
		a, err := trust.NewAuthority(c.e.Certificate)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if a.CertificateAuthorityType != c.kind || a.CertificateRevocationListURL != "" || a.DisplayName != c.display ||
			a.DeltaCertificateRevocationListURL != "" || a.IsIssuerHintEnabled == nil || *a.IsIssuerHintEnabled {
			t.Errorf("%s: %+v", c.name, a)
		}
		if base, _ := trust.CRLURLs(c.e.Certificate); base != c.crl {
			t.Errorf("%s: the issuer's CRL is at %q", c.name, base)
		}
		found := trust.Config{PKIs: trust.PKIs{{DisplayName: "P", CertificateAuthorities: []trust.Authority{a}}}}.Findings(now)
		for _, code := range []string{"trust-ca-thumbprint-differs", "trust-ca-ski-differs", "trust-ca-expiration-differs", "trust-ca-marked-root", "trust-ca-marked-intermediate"} {
			if found.Has(code) {
				t.Errorf("%s: a fresh object has the finding %s", c.name, code)
			}
		}
	}
	_, err := trust.NewAuthority(nil)
	checkError(t, "nil", err, trust.NoCertificate, "", "")
	for _, name := range []string{"", strings.Repeat("ü", trust.MaxDisplayName+1)} {
		if _, err := trust.NewPKI(name, nil); err == nil {
			t.Errorf("a display name of %d bytes was taken", len(name))
		}
	}
	if _, err := trust.NewPKI(strings.Repeat("ü", trust.MaxDisplayName), nil); err != nil {
		t.Error(err)
	}
	long := r.ca(t, spec{name: strings.Repeat("ü", 300)})
	if a, _ := trust.NewAuthority(long.Certificate); a.DisplayName != strings.Repeat("ü", trust.MaxDisplayName) {
		t.Errorf("display name of %d bytes", len(a.DisplayName))
	}
	if pki, err := trust.NewPKI("P", certs(r, r)); err != nil || len(pki.CertificateAuthorities) != 1 {
		t.Error("one certificate twice is two CAs")
	}
}

// SetCRLs finds a CA's lists in the certificates that it has issued.
func TestSetCRLs(t *testing.T) {
	const rootCRL, issuingCRL, issuingDelta = "http://crl.contoso.com/root.crl", "http://crl.contoso.com/issuing.crl", "http://crl.contoso.com/issuing+.crl"
	r := root(t, spec{name: "Root"})
	i := r.ca(t, spec{name: "Issuing", crl: []string{rootCRL}})
	idle := r.ca(t, spec{name: "Idle", crl: []string{rootCRL}})
	kept := r.ca(t, spec{name: "Kept"})
	user := i.user(t, spec{name: "jane", crl: []string{ldapA, issuingCRL}, delta: []string{ldapA, issuingDelta}})
	forged := idle.user(t, spec{name: "alex", crl: []string{"http://evil.example/x.crl"}, signer: r.key})
	pki, err := trust.NewPKI("P", certs(r, i, idle, kept))
	if err != nil {
		t.Fatal(err)
	}
	list := pki.CertificateAuthorities
	list[3].CertificateRevocationListURL = urlA // set by hand
	if got := list[1].CertificateRevocationListURL; got != "" {
		t.Fatalf("guessed: %q", got)
	}
	list[1].CertificateRevocationListURL = rootCRL // as the service fills it in
	list[2].CertificateRevocationListURL = rootCRL
	if n := pki.SetCRLs(forged.Certificate, user.Certificate, nil); n != 2 {
		t.Errorf("%d set", n)
	}
	var got []string
	for _, a := range list {
		got = append(got, a.CertificateRevocationListURL+" "+a.DeltaCertificateRevocationListURL)
	}
	want := []string{rootCRL + " ", issuingCRL + " " + issuingDelta, " ", urlA + " "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if found := (trust.Config{PKIs: trust.PKIs{pki}}).Findings(now); found.Has("trust-ca-crl-of-issuer") {
		t.Error("still a CRL of an issuer")
	}
}

// NewPKI sets CRL URLs where samples tell them, and none else: a CA with the list of
// its parent locks everybody out.
func TestNewPKIAndCRLs(t *testing.T) {
	r := root(t, spec{name: "Root"})
	i := r.ca(t, spec{name: "Issuing", crl: []string{urlA}})
	user := i.user(t, spec{name: "jane", crl: []string{urlB}})
	urls := func(samples ...*x509.Certificate) (list []string) {
		pki, err := trust.NewPKI("P", certs(r, i), samples...)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range pki.CertificateAuthorities {
			list = append(list, a.CertificateRevocationListURL)
		}
		return list
	}
	if diff := cmp.Diff([]string{"", ""}, urls()); diff != "" {
		t.Errorf("without samples (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{urlA, urlB}, urls(user.Certificate)); diff != "" {
		t.Errorf("with a sample (-want +got):\n%s", diff)
	}
	// The list that a self-signed root names is its own, and stays.
	own := root(t, spec{name: "Own", crl: []string{urlA}})
	pki, err := trust.NewPKI("P", certs(own))
	if err != nil {
		t.Fatal(err)
	}
	pki.CertificateAuthorities[0].CertificateRevocationListURL = urlA
	if n := pki.SetCRLs(user.Certificate); n != 0 || pki.CertificateAuthorities[0].CertificateRevocationListURL != urlA {
		t.Errorf("%d set, %q", n, pki.CertificateAuthorities[0].CertificateRevocationListURL)
	}
	if base, delta := trust.CRLURLs(nil); base != "" || delta != "" {
		t.Error("nil has a CRL")
	}
}

func TestMigration(t *testing.T) {
	r := root(t, spec{name: "Root"})
	i := r.ca(t, spec{name: "Issuing", crl: []string{urlB}})
	classic := trust.Classic{CertificateAuthorities: []trust.ClassicAuthority{
		{Certificate: r.Raw, IsRootAuthority: true},
		{Certificate: i.Raw, CertificateRevocationListURL: urlA, DeltaCertificateRevocationListURL: urlB},
	}}
	pki, err := classic.PKI("Contoso PKI")
	if err != nil {
		t.Fatal(err)
	}
	both := trust.Config{PKIs: trust.PKIs{pki}, Classic: classic}
	for _, ca := range compile(t, both, trust.Options{}).CAs() {
		if ca.Why != trust.PKIPreferred || ca.CRL != ca.Others[0].CRL || ca.DeltaCRL != ca.Others[0].DeltaCRL || ca.Type != ca.Others[0].Type {
			t.Errorf("%v: %v, %+v", ca, ca.Why, ca.Others)
		}
	}
	leaf := i.user(t, spec{name: "jane"}).Certificate
	alone := compile(t, trust.Config{PKIs: trust.PKIs{pki}}, trust.Options{})
	if c := alone.Chain(leaf, now); !c.Trusted {
		t.Errorf("after the migration: %v", causes(c))
	}
	classic.CertificateAuthorities[1].Certificate = []byte("x")
	_, err = classic.PKI("P")
	var e *trust.Error
	if !errors.As(err, &e) || e.Reason != trust.NotCertificate || e.Where != "/certificateAuthorities/1/certificate" || e.About != "classic store, CA 2" {
		t.Errorf("error = %v", err)
	}
}
