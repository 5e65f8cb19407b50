package trust_test

import (
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/trust"
	"github.com/google/go-cmp/cmp"
)

// clean is a configuration without findings: a root and an issuing CA with CRLs
// of their own. Tests change one thing in it.
type clean struct {
	r, i   *entity
	config trust.Config
}

func newClean(t *testing.T) *clean {
	r := root(t, spec{name: "Root"})
	i := r.ca(t, spec{name: "Issuing", crl: []string{urlA}})
	c := &clean{r, i, configOf(t, r, i)}
	c.ca(0).CertificateRevocationListURL, c.ca(1).CertificateRevocationListURL = urlA, urlB
	return c
}

func (c *clean) ca(n int) *trust.Authority { return &c.config.PKIs[0].CertificateAuthorities[n] }

// add puts another CA into the PKI, with a CRL URL.
func (c *clean) add(t *testing.T, e *entity) *trust.Authority {
	t.Helper()
	a, err := trust.NewAuthority(e.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	a.CertificateRevocationListURL = urlB
	list := &c.config.PKIs[0].CertificateAuthorities
	*list = append(*list, a)
	return &(*list)[len(*list)-1]
}

func (c *clean) classic(e *entity, root bool, crl string) *trust.ClassicAuthority {
	list := &c.config.Classic.CertificateAuthorities
	*list = append(*list, trust.ClassicAuthority{Certificate: e.Raw, IsRootAuthority: root, CertificateRevocationListURL: crl})
	return &(*list)[len(*list)-1]
}

// Every finding has a change that causes it, and that change causes nothing else
// but what is listed beside it.
func TestFindings(t *testing.T) {
	soon, past, future := now.AddDate(0, 1, 0), now.AddDate(0, 0, -1), now.AddDate(0, 0, 1)
	odd := pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}
	cases := []struct {
		want   string // codes, joined by blanks
		change func(t *testing.T, c *clean)
	}{
		{"", func(t *testing.T, c *clean) {}},
		{"pki-deleted", func(t *testing.T, c *clean) {
			gone := c.config.PKIs[0]
			gone.DeletedDateTime = past
			c.config.PKIs = append(c.config.PKIs, gone)
		}},
		{"pki-no-name", func(t *testing.T, c *clean) { c.config.PKIs[0].DisplayName = "" }},
		{"pki-name-too-long", func(t *testing.T, c *clean) { c.config.PKIs[0].DisplayName = strings.Repeat("x", 257) }},
		{"pki-name-twice pki-empty", func(t *testing.T, c *clean) {
			c.config.PKIs = append(c.config.PKIs, trust.PKI{DisplayName: "CONTOSO PKI"})
		}},
		{"pki-upload-not-done", func(t *testing.T, c *clean) {
			c.config.PKIs[0].Status, c.config.PKIs[0].StatusDetails = "running", "x"
		}},
		{"", func(t *testing.T, c *clean) { c.config.PKIs[0].Status = "succeeded" }},
		{"property-misspelt", func(t *testing.T, c *clean) {
			text, err := json.Marshal(*c.ca(0))
			if err == nil {
				err = c.ca(0).UnmarshalJSON([]byte(strings.TrimSuffix(string(text), "}") + `,"CertificateRevocationListURL":"x","new":1}`))
			}
			if err != nil {
				t.Fatal(err)
			}
		}},
		{"ca-deleted", func(t *testing.T, c *clean) { c.add(t, root(t, spec{name: "X"})).DeletedDateTime = past }},
		{"ca-name-too-long", func(t *testing.T, c *clean) { c.ca(0).DisplayName = strings.Repeat("x", 257) }},
		{"ca-too-large", func(t *testing.T, c *clean) {
			value, _ := asn1.Marshal(make([]byte, 9000))
			big := c.r.ca(t, spec{name: "Big", extra: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: value}}})
			c.ca(1).Certificate = big.Raw
			c.ca(1).Thumbprint, c.ca(1).IssuerSubjectKeyIdentifier = "", ""
		}},
		{"ca-thumbprint-differs", func(t *testing.T, c *clean) { c.ca(0).Thumbprint = c.ca(1).Thumbprint }},
		{"", func(t *testing.T, c *clean) { c.ca(0).Thumbprint = strings.ToUpper(c.ca(0).Thumbprint) }},
		{"ca-ski-differs", func(t *testing.T, c *clean) {
			c.ca(1).IssuerSubjectKeyIdentifier = fmt.Sprintf("%x", c.i.AuthorityKeyId)
		}},
		{"ca-expiration-differs", func(t *testing.T, c *clean) { c.ca(0).ExpirationDateTime = soon }},
		{"classic-id", func(t *testing.T, c *clean) { c.config.Classic.ID = "x" }},
		{"", func(t *testing.T, c *clean) { c.config.Classic.ID = strings.ToUpper(trust.ClassicID) }},
		{"ca-no-certificate", func(t *testing.T, c *clean) {
			c.config.PKIs[0].CertificateAuthorities = append(c.config.PKIs[0].CertificateAuthorities, trust.Authority{})
		}},
		{"ca-unreadable", func(t *testing.T, c *clean) {
			c.config.PKIs[0].CertificateAuthorities = append(c.config.PKIs[0].CertificateAuthorities, trust.Authority{Certificate: []byte("x")})
		}},
		{"ca-twice", func(t *testing.T, c *clean) {
			c.config.PKIs[0].CertificateAuthorities = append(c.config.PKIs[0].CertificateAuthorities, *c.ca(0))
		}},
		{"ca-no-type", func(t *testing.T, c *clean) { c.ca(0).CertificateAuthorityType = "" }},
		{"ca-type-unknown", func(t *testing.T, c *clean) { c.ca(0).CertificateAuthorityType = "leaf" }},
		{"ca-type-wrong", func(t *testing.T, c *clean) { c.ca(0).CertificateAuthorityType = trust.Intermediate }},
		{"ca-type-wrong", func(t *testing.T, c *clean) { c.ca(1).CertificateAuthorityType = trust.Root }},
		{"ca-not-yet-valid", func(t *testing.T, c *clean) { c.add(t, root(t, spec{name: "X", from: future})) }},
		{"ca-expired", func(t *testing.T, c *clean) { c.add(t, root(t, spec{name: "X", to: past})) }},
		{"ca-expires-soon", func(t *testing.T, c *clean) { c.add(t, root(t, spec{name: "X", to: soon})) }},
		{"classic-ca-expired classic-not-migrated", func(t *testing.T, c *clean) { c.classic(root(t, spec{name: "X", to: past}), true, urlA) }},
		{"ca-delta-without-base", func(t *testing.T, c *clean) {
			c.ca(1).CertificateRevocationListURL, c.ca(1).DeltaCertificateRevocationListURL = "", urlB
		}},
		{"ca-no-crl-url", func(t *testing.T, c *clean) { c.ca(0).CertificateRevocationListURL = "" }},
		{"ca-no-crl-url", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "" }},
		{"ca-delta-is-base", func(t *testing.T, c *clean) { c.ca(1).DeltaCertificateRevocationListURL = urlB }},
		{"ca-crl-of-issuer", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = urlA }},
		{"crl-url-unreadable", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "http://[" }},
		{"crl-url-unreadable", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "http:///x" }},
		{"crl-url-blanks", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = urlB + " " }},
		{"crl-url-https", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "https://crl.contoso.com/b.crl" }},
		{"crl-url-scheme", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = ldapA }},
		{"crl-url-scheme", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = `C:\crl\b.crl` }},
		{"crl-url-scheme", func(t *testing.T, c *clean) { c.ca(1).DeltaCertificateRevocationListURL = "crl.contoso.com/b.crl" }},
		{"crl-url-internal", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "http://pki01/b.crl" }},
		{"crl-url-internal", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "http://10.1.2.3:8080/b.crl" }},
		{"crl-url-internal", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "http://[::1]/b.crl" }},
		{"crl-url-internal", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "http://pki.contoso.LOCAL./b.crl" }},
		{"crl-url-pem", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "http://crl.contoso.com/b.PEM" }},
		{"crl-url-ocsp", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "http://pki.contoso.com/ocsp" }},
		{"ca-not-a-ca ca-no-crl-sign", func(t *testing.T, c *clean) { c.add(t, c.i.user(t, spec{name: "jane"})) }},
		{"ca-no-cert-sign", func(t *testing.T, c *clean) { c.add(t, c.r.ca(t, spec{name: "X", usage: x509.KeyUsageCRLSign})) }},
		{"ca-no-crl-sign", func(t *testing.T, c *clean) { c.add(t, c.r.ca(t, spec{name: "X", usage: x509.KeyUsageCertSign})) }},
		{"ca-no-ski", func(t *testing.T, c *clean) { c.add(t, c.r.ca(t, spec{name: "X", noSKI: true})) }},
		{"ca-weak-key", func(t *testing.T, c *clean) {
			var key *rsa.PrivateKey
			var err error
			fips140.WithoutEnforcement(func() { key, err = rsa.GenerateKey(rand.Reader, 1024) })
			if err != nil {
				t.Fatal(err)
			}
			c.add(t, c.r.ca(t, spec{name: "X", key: key}))
		}},
		{"ca-weak-signature", func(t *testing.T, c *clean) {
			r := root(t, spec{name: "X root"})
			c.add(t, r)
			c.add(t, sha1Signed(t, r))
		}},
		{"ca-critical-extension", func(t *testing.T, c *clean) { c.add(t, c.r.ca(t, spec{name: "X", extra: []pkix.Extension{odd}})) }},
		{"ca-constraints", func(t *testing.T, c *clean) {
			// requireExplicitPolicy [0] 0, and directory name constraints.
			c.add(t, c.r.ca(t, spec{name: "X", extra: []pkix.Extension{
				{Id: asn1.ObjectIdentifier{2, 5, 29, 36}, Critical: true, Value: []byte{0x30, 3, 0x80, 1, 0}},
				{Id: asn1.ObjectIdentifier{2, 5, 29, 30}, Critical: true, Value: []byte{0x30, 8, 0xa0, 6, 0x30, 4, 0xa4, 2, 0x30, 0}},
			}}))
		}},
		{"store-too-large", func(t *testing.T, c *clean) {
			c.config.PKIs = append(c.config.PKIs, trust.PKI{CertificateAuthorities: make([]trust.Authority, 5000)})
		}},
		{"ca-issuer-missing", func(t *testing.T, c *clean) { c.add(t, root(t, spec{name: "Gone"}).ca(t, spec{name: "X"})) }},
		{"ca-no-aki", func(t *testing.T, c *clean) { c.add(t, c.r.ca(t, spec{name: "X", noAKI: true})) }},
		{"ca-issuer-wrong-key", func(t *testing.T, c *clean) { c.add(t, c.r.ca(t, spec{name: "X", signer: c.i.key})) }},
		{"ca-weak-key ca-signature-unchecked", func(t *testing.T, c *clean) {
			t.Setenv("GODEBUG", "rsa1024min=0")
			var key *rsa.PrivateKey
			var err error
			fips140.WithoutEnforcement(func() { key, err = rsa.GenerateKey(rand.Reader, 768) })
			if err != nil {
				t.Fatal(err)
			}
			// The small root ends no chain either: its own signature is unchecked.
			small := root(t, spec{name: "Small", key: key})
			c.add(t, small.ca(t, spec{name: "X"}))
			c.add(t, c.r.ca(t, spec{name: "Small", key: key, ski: small.SubjectKeyId}))
		}},
		{"ca-loop", func(t *testing.T, c *clean) {
			seed := root(t, spec{name: "B"})
			a := seed.ca(t, spec{name: "A"})
			c.add(t, a)
			c.add(t, a.ca(t, spec{name: "B", key: seed.key}))
		}},
		{"ca-too-deep", func(t *testing.T, c *clean) {
			e := c.r
			for n := range 10 {
				e = e.ca(t, spec{name: fmt.Sprint("Deep ", n)})
				c.add(t, e)
			}
		}},
		{"ca-path-length", func(t *testing.T, c *clean) {
			short := root(t, spec{name: "Short", pathLen: new(int)})
			c.add(t, short)
			c.add(t, short.ca(t, spec{name: "X"}))
		}},
		{"ca-issuer-name", func(t *testing.T, c *clean) { c.add(t, c.r.ca(t, spec{name: "X", issuer: "Another"})) }},
		{"ca-policy-inconsistent", func(t *testing.T, c *clean) {
			p := c.r.ca(t, spec{name: "P", policies: []string{"1.2.3"}})
			c.add(t, p)
			c.add(t, p.ca(t, spec{name: "Q", policies: []string{"1.2.4"}}))
		}},
		{"", func(t *testing.T, c *clean) {
			p := c.r.ca(t, spec{name: "P", policies: []string{"2.5.29.32.0"}})
			c.add(t, p)
			c.add(t, p.ca(t, spec{name: "Q", policies: []string{"1.2.4"}}))
		}},
		{"ca-ski-of-two-keys", func(t *testing.T, c *clean) { c.add(t, c.r.ca(t, spec{name: "X", ski: c.i.SubjectKeyId})) }},
		{"", func(t *testing.T, c *clean) { c.add(t, c.r.ca(t, spec{name: "Issuing", key: c.i.key})) }},
		{"ca-in-two-pkis", func(t *testing.T, c *clean) {
			c.config.PKIs = append(c.config.PKIs, trust.PKI{DisplayName: "Two", CertificateAuthorities: []trust.Authority{*c.ca(0)}})
		}},
		{"classic-not-migrated", func(t *testing.T, c *clean) { c.classic(root(t, spec{name: "X"}), true, urlA) }},
		{"", func(t *testing.T, c *clean) {
			c.classic(c.r, true, urlA)
			c.classic(c.i, false, urlB)
			c.config.PKIs = nil // the classic store only
		}},
		{"classic-migrated", func(t *testing.T, c *clean) { c.classic(c.r, true, urlA) }},
		{"stores-crl-missing ca-no-crl-url", func(t *testing.T, c *clean) {
			c.classic(c.i, false, urlB)
			c.ca(1).CertificateRevocationListURL = ""
		}},
		{"stores-crl-missing ca-no-crl-url", func(t *testing.T, c *clean) { c.classic(c.i, false, "") }},
		{"stores-crl-differ", func(t *testing.T, c *clean) { c.classic(c.i, false, urlB+"2") }},
		{"stores-delta-differ", func(t *testing.T, c *clean) {
			c.classic(c.i, false, urlB).DeltaCertificateRevocationListURL = urlA
		}},
		{"ca-ski-differs classic-migrated", func(t *testing.T, c *clean) { c.classic(c.i, false, urlB).IssuerSKI = "00" }},
		{"ca-type-wrong classic-migrated", func(t *testing.T, c *clean) { c.classic(c.i, true, urlB) }},
		{"pki-too-many-cas", func(t *testing.T, c *clean) {
			for n := range trust.MaxAuthorities - 1 {
				c.add(t, c.r.ca(t, spec{name: fmt.Sprint("CA ", n), key: c.i.key}))
			}
		}},
		{"store-too-many-cas", func(t *testing.T, c *clean) {
			second := newClean(t)
			second.config.PKIs[0].DisplayName = "Two"
			for n := range trust.MaxAuthorities - 2 {
				second.add(t, c.r.ca(t, spec{name: fmt.Sprint("CA ", n), key: c.i.key}))
			}
			c.config.PKIs = append(c.config.PKIs, second.config.PKIs[0])
		}},
		{"hints-too-long", func(t *testing.T, c *clean) { longNames(t, c) }},
		{"hints-too-long", func(t *testing.T, c *clean) {
			longNames(t, c)
			for n := range c.config.PKIs[0].CertificateAuthorities {
				c.ca(n).IsIssuerHintEnabled = new(true)
			}
		}},
		{"", func(t *testing.T, c *clean) {
			longNames(t, c)
			c.ca(1).IsIssuerHintEnabled = new(true)
		}},
		{"hint-empty", func(t *testing.T, c *clean) { c.add(t, root(t, spec{emptyName: true})) }},
		{"hint-of-expired-ca ca-expired", func(t *testing.T, c *clean) {
			c.add(t, root(t, spec{name: "X", to: past})).IsIssuerHintEnabled = new(true)
		}},
	}
	if len(cases) < 70 {
		t.Fatalf("only %d cases", len(cases))
	}
	seen := map[string]bool{}
	for n, test := range cases {
		c := newClean(t)
		test.change(t, c)
		found := c.config.Findings(now)
		var codes []string
		for _, f := range found {
			if !slices.Contains(codes, f.Code) {
				codes = append(codes, f.Code)
			}
			seen[f.Code] = true
			if f.Severity == 0 || f.Where == "" || f.What == "" || f.Do == "" || f.Source == "" {
				t.Errorf("case %d: incomplete finding %+v", n, f)
			}
		}
		want := strings.Fields(test.want)
		if fips140.Enforced() && test.want == "ca-weak-signature" {
			want = append(want, "ca-signature-unchecked")
		}
		slices.Sort(want)
		slices.Sort(codes)
		if diff := cmp.Diff(want, codes); diff != "" && len(want)+len(codes) > 0 {
			t.Errorf("case %d, %q (-want +got):\n%s%v", n, test.want, diff, found)
		}
	}
	// Nothing that the source can say is untested.
	source, err := os.ReadFile("findings.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`"((?:ca|pki|classic|store|stores|hints?|crl|property)-[a-z-]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(codes) < 50 {
		t.Fatalf("only %d codes found in the source", len(codes))
	}
	for _, m := range codes {
		if code := m[1]; !seen[code] {
			t.Errorf("no case causes %q", code)
		}
	}
}

// longNames adds CAs whose subjects do not fit into 16 KB.
func longNames(t *testing.T, c *clean) {
	for n := range 64 {
		c.add(t, c.r.ca(t, spec{name: fmt.Sprintf("%d %s", n, strings.Repeat("x", 250)), key: c.i.key}))
	}
}

// sha1Signed is a CA certificate with a SHA-1 signature, which crypto/x509 does
// not make: that of a certificate with SHA-256 is replaced.
func sha1Signed(t *testing.T, issuer *entity) *entity {
	t.Helper()
	e := issuer.ca(t, spec{name: "SHA-1"})
	return &entity{resign(t, e.Certificate, issuer), e.key}
}

func TestFindingsAreJSON(t *testing.T) {
	c := newClean(t)
	c.ca(1).CertificateRevocationListURL = urlA
	got, err := json.Marshal(c.config.Findings(now))
	if err != nil || !strings.Contains(string(got), `"code":"ca-crl-of-issuer","severity":"error","effect":"locks-out"`) {
		t.Errorf("%s, %v", got, err)
	}
	var none trust.Config
	if found := none.Findings(now); found.Worst() != 0 {
		t.Errorf("an empty configuration: %v", found)
	}
	var _ lint.Findings = none.Findings(now)
}
