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
	"maps"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/internal/wire"
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
		want   string // codes, joined by spaces
		change func(t *testing.T, c *clean)
	}{
		{"", func(t *testing.T, c *clean) {}},
		{"trust-pki-deleted", func(t *testing.T, c *clean) {
			gone := c.config.PKIs[0]
			gone.DeletedDateTime = past
			c.config.PKIs = append(c.config.PKIs, gone)
		}},
		{"trust-pki-no-name", func(t *testing.T, c *clean) { c.config.PKIs[0].DisplayName = "" }},
		{"trust-pki-name-too-long", func(t *testing.T, c *clean) { c.config.PKIs[0].DisplayName = strings.Repeat("x", 257) }},
		{"trust-pki-name-twice trust-pki-empty", func(t *testing.T, c *clean) {
			c.config.PKIs = append(c.config.PKIs, trust.PKI{DisplayName: "CONTOSO PKI"})
		}},
		{"trust-pki-upload-not-done", func(t *testing.T, c *clean) {
			c.config.PKIs[0].Status, c.config.PKIs[0].StatusDetails = "running", "x"
		}},
		{"", func(t *testing.T, c *clean) { c.config.PKIs[0].Status = "succeeded" }},
		{"trust-property-misspelt", func(t *testing.T, c *clean) {
			text, err := json.Marshal(*c.ca(0))
			if err == nil {
				err = c.ca(0).UnmarshalJSON([]byte(strings.TrimSuffix(string(text), "}") + `,"CertificateRevocationListURL":"x","new":1}`))
			}
			if err != nil {
				t.Fatal(err)
			}
		}},
		{"trust-ca-deleted", func(t *testing.T, c *clean) { c.add(t, root(t, spec{name: "X"})).DeletedDateTime = past }},
		{"trust-ca-name-too-long", func(t *testing.T, c *clean) { c.ca(0).DisplayName = strings.Repeat("x", 257) }},
		{"trust-ca-too-large", func(t *testing.T, c *clean) {
			value, _ := asn1.Marshal(make([]byte, 9000))
			big := c.r.ca(t, spec{name: "Big", extra: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: value}}})
			c.ca(1).Certificate = big.Raw
			c.ca(1).Thumbprint, c.ca(1).IssuerSubjectKeyIdentifier = "", ""
		}},
		{"trust-ca-thumbprint-differs", func(t *testing.T, c *clean) { c.ca(0).Thumbprint = c.ca(1).Thumbprint }},
		{"", func(t *testing.T, c *clean) { c.ca(0).Thumbprint = strings.ToUpper(c.ca(0).Thumbprint) }},
		{"trust-ca-ski-differs", func(t *testing.T, c *clean) {
			c.ca(1).IssuerSubjectKeyIdentifier = fmt.Sprintf("%x", c.i.AuthorityKeyId)
		}},
		{"trust-ca-expiration-differs", func(t *testing.T, c *clean) { c.ca(0).ExpirationDateTime = soon }},
		{"trust-classic-id", func(t *testing.T, c *clean) { c.config.Classic.ID = "x" }},
		{"", func(t *testing.T, c *clean) { c.config.Classic.ID = strings.ToUpper(trust.ClassicID) }},
		{"trust-ca-no-certificate", func(t *testing.T, c *clean) {
			c.config.PKIs[0].CertificateAuthorities = append(c.config.PKIs[0].CertificateAuthorities, trust.Authority{})
		}},
		{"trust-ca-unreadable", func(t *testing.T, c *clean) {
			c.config.PKIs[0].CertificateAuthorities = append(c.config.PKIs[0].CertificateAuthorities, trust.Authority{Certificate: []byte("x")})
		}},
		{"trust-ca-twice", func(t *testing.T, c *clean) {
			c.config.PKIs[0].CertificateAuthorities = append(c.config.PKIs[0].CertificateAuthorities, *c.ca(0))
		}},
		{"trust-ca-no-type", func(t *testing.T, c *clean) { c.ca(0).CertificateAuthorityType = "" }},
		{"trust-ca-type-unknown", func(t *testing.T, c *clean) { c.ca(0).CertificateAuthorityType = "leaf" }},
		{"trust-ca-marked-intermediate", func(t *testing.T, c *clean) { c.ca(0).CertificateAuthorityType = trust.Intermediate }},
		{"trust-ca-marked-root", func(t *testing.T, c *clean) { c.ca(1).CertificateAuthorityType = trust.Root }},
		{"trust-ca-not-yet-valid", func(t *testing.T, c *clean) { c.add(t, root(t, spec{name: "X", from: future})) }},
		{"trust-ca-expired", func(t *testing.T, c *clean) { c.add(t, root(t, spec{name: "X", to: past})) }},
		{"trust-ca-expires-soon", func(t *testing.T, c *clean) { c.add(t, root(t, spec{name: "X", to: soon})) }},
		{"trust-classic-ca-expired trust-classic-not-migrated", func(t *testing.T, c *clean) { c.classic(root(t, spec{name: "X", to: past}), true, urlA) }},
		{"trust-ca-delta-without-base", func(t *testing.T, c *clean) {
			c.ca(1).CertificateRevocationListURL, c.ca(1).DeltaCertificateRevocationListURL = "", urlB
		}},
		{"trust-root-no-crl-url", func(t *testing.T, c *clean) { c.ca(0).CertificateRevocationListURL = "" }},
		{"trust-ca-no-crl-url", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "" }},
		{"trust-ca-delta-is-base", func(t *testing.T, c *clean) { c.ca(1).DeltaCertificateRevocationListURL = urlB }},
		{"trust-ca-crl-of-issuer", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = urlA }},
		{"trust-crl-url-unreadable", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "http://[" }},
		{"trust-crl-url-unreadable", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "http:///x" }},
		{"trust-crl-url-spaces", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = urlB + " " }},
		{"trust-crl-url-https", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "https://crl.contoso.com/b.crl" }},
		{"trust-crl-url-scheme", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = ldapA }},
		{"trust-crl-url-scheme", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = `C:\crl\b.crl` }},
		{"trust-crl-url-scheme", func(t *testing.T, c *clean) { c.ca(1).DeltaCertificateRevocationListURL = "crl.contoso.com/b.crl" }},
		{"trust-crl-url-internal", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "http://pki01/b.crl" }},
		{"trust-crl-url-internal", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "http://10.1.2.3:8080/b.crl" }},
		{"trust-crl-url-internal", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "http://[::1]/b.crl" }},
		{"trust-crl-url-internal", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "http://pki.contoso.LOCAL./b.crl" }},
		{"trust-crl-url-pem", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "http://crl.contoso.com/b.PEM" }},
		{"trust-crl-url-ocsp", func(t *testing.T, c *clean) { c.ca(1).CertificateRevocationListURL = "http://pki.contoso.com/ocsp" }},
		{"trust-ca-not-a-ca trust-ca-no-crl-sign", func(t *testing.T, c *clean) { c.add(t, c.i.user(t, spec{name: "jane"})) }},
		{"trust-ca-no-cert-sign", func(t *testing.T, c *clean) { c.add(t, c.r.ca(t, spec{name: "X", usage: x509.KeyUsageCRLSign})) }},
		{"trust-ca-no-crl-sign", func(t *testing.T, c *clean) { c.add(t, c.r.ca(t, spec{name: "X", usage: x509.KeyUsageCertSign})) }},
		{"trust-ca-no-ski", func(t *testing.T, c *clean) { c.add(t, c.r.ca(t, spec{name: "X", noSKI: true})) }},
		{"trust-ca-weak-key", func(t *testing.T, c *clean) {
			var key *rsa.PrivateKey
			var err error
			fips140.WithoutEnforcement(func() { key, err = rsa.GenerateKey(rand.Reader, 1024) })
			if err != nil {
				t.Fatal(err)
			}
			c.add(t, c.r.ca(t, spec{name: "X", key: key}))
		}},
		{"trust-ca-weak-signature", func(t *testing.T, c *clean) {
			r := root(t, spec{name: "X root"})
			c.add(t, r)
			c.add(t, sha1Signed(t, r))
		}},
		{"trust-ca-critical-extension", func(t *testing.T, c *clean) { c.add(t, c.r.ca(t, spec{name: "X", extra: []pkix.Extension{odd}})) }},
		{"trust-ca-constraints", func(t *testing.T, c *clean) {
			// requireExplicitPolicy [0] 0, and directory name constraints.
			c.add(t, c.r.ca(t, spec{name: "X", extra: []pkix.Extension{
				{Id: asn1.ObjectIdentifier{2, 5, 29, 36}, Critical: true, Value: []byte{0x30, 3, 0x80, 1, 0}},
				{Id: asn1.ObjectIdentifier{2, 5, 29, 30}, Critical: true, Value: []byte{0x30, 8, 0xa0, 6, 0x30, 4, 0xa4, 2, 0x30, 0}},
			}}))
		}},
		{"trust-too-large", func(t *testing.T, c *clean) {
			c.config.PKIs = append(c.config.PKIs, trust.PKI{CertificateAuthorities: make([]trust.Authority, 5000)})
		}},
		{"trust-ca-issuer-missing", func(t *testing.T, c *clean) { c.add(t, root(t, spec{name: "Gone"}).ca(t, spec{name: "X"})) }},
		{"trust-ca-no-aki", func(t *testing.T, c *clean) { c.add(t, c.r.ca(t, spec{name: "X", noAKI: true})) }},
		{"trust-ca-issuer-wrong-key", func(t *testing.T, c *clean) { c.add(t, c.r.ca(t, spec{name: "X", signer: c.i.key})) }},
		{"trust-ca-weak-key trust-ca-signature-unchecked", func(t *testing.T, c *clean) {
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
		{"trust-ca-loop", func(t *testing.T, c *clean) {
			seed := root(t, spec{name: "B"})
			a := seed.ca(t, spec{name: "A"})
			c.add(t, a)
			c.add(t, a.ca(t, spec{name: "B", key: seed.key}))
		}},
		{"trust-ca-too-deep", func(t *testing.T, c *clean) {
			e := c.r
			for n := range 10 {
				e = e.ca(t, spec{name: fmt.Sprint("Deep ", n)})
				c.add(t, e)
			}
		}},
		{"trust-ca-path-length", func(t *testing.T, c *clean) {
			short := root(t, spec{name: "Short", pathLen: new(int)})
			c.add(t, short)
			c.add(t, short.ca(t, spec{name: "X"}))
		}},
		{"", func(t *testing.T, c *clean) { // a new key under the old one is self-issued, and does not count
			short := root(t, spec{name: "Short", pathLen: new(int)})
			c.add(t, short)
			c.add(t, short.ca(t, spec{name: "Short", aki: short.SubjectKeyId}))
		}},
		{"trust-ca-issuer-name", func(t *testing.T, c *clean) { c.add(t, c.r.ca(t, spec{name: "X", issuer: "Another"})) }},
		{"trust-ca-policy-inconsistent", func(t *testing.T, c *clean) {
			p := c.r.ca(t, spec{name: "P", policies: []string{"1.2.3"}})
			c.add(t, p)
			c.add(t, p.ca(t, spec{name: "Q", policies: []string{"1.2.4"}}))
		}},
		{"", func(t *testing.T, c *clean) {
			p := c.r.ca(t, spec{name: "P", policies: []string{"2.5.29.32.0"}})
			c.add(t, p)
			c.add(t, p.ca(t, spec{name: "Q", policies: []string{"1.2.4"}}))
		}},
		{"trust-ca-ski-of-two-keys", func(t *testing.T, c *clean) { c.add(t, c.r.ca(t, spec{name: "X", ski: c.i.SubjectKeyId})) }},
		{"", func(t *testing.T, c *clean) { c.add(t, c.r.ca(t, spec{name: "Issuing", key: c.i.key})) }},
		{"trust-ca-in-two-pkis", func(t *testing.T, c *clean) {
			c.config.PKIs = append(c.config.PKIs, trust.PKI{DisplayName: "Two", CertificateAuthorities: []trust.Authority{*c.ca(0)}})
		}},
		{"trust-classic-not-migrated", func(t *testing.T, c *clean) { c.classic(root(t, spec{name: "X"}), true, urlA) }},
		{"", func(t *testing.T, c *clean) {
			c.classic(c.r, true, urlA)
			c.classic(c.i, false, urlB)
			c.config.PKIs = nil // the classic store only
		}},
		{"trust-classic-migrated", func(t *testing.T, c *clean) { c.classic(c.r, true, urlA) }},
		{"trust-stores-crl-missing trust-ca-no-crl-url", func(t *testing.T, c *clean) {
			c.classic(c.i, false, urlB)
			c.ca(1).CertificateRevocationListURL = ""
		}},
		{"trust-classic-crl-missing trust-ca-no-crl-url", func(t *testing.T, c *clean) { c.classic(c.i, false, "") }},
		{"trust-stores-crl-differ", func(t *testing.T, c *clean) { c.classic(c.i, false, urlB+"2") }},
		{"trust-stores-delta-differ", func(t *testing.T, c *clean) {
			c.classic(c.i, false, urlB).DeltaCertificateRevocationListURL = urlA
		}},
		{"trust-classic-ski-differs trust-classic-migrated", func(t *testing.T, c *clean) { c.classic(c.i, false, urlB).IssuerSKI = "00" }},
		{"trust-ca-marked-root trust-classic-migrated", func(t *testing.T, c *clean) { c.classic(c.i, true, urlB) }},
		{"trust-pki-too-many-cas", func(t *testing.T, c *clean) {
			for n := range trust.MaxAuthorities - 1 {
				c.add(t, c.r.ca(t, spec{name: fmt.Sprint("CA ", n), key: c.i.key}))
			}
		}},
		{"trust-too-many-cas", func(t *testing.T, c *clean) {
			second := newClean(t)
			second.config.PKIs[0].DisplayName = "Two"
			for n := range trust.MaxAuthorities - 2 {
				second.add(t, c.r.ca(t, spec{name: fmt.Sprint("CA ", n), key: c.i.key}))
			}
			c.config.PKIs = append(c.config.PKIs, second.config.PKIs[0])
		}},
		{"trust-hints-all-too-long", func(t *testing.T, c *clean) { longNames(t, c) }},
		{"trust-hints-too-long", func(t *testing.T, c *clean) {
			longNames(t, c)
			for n := range c.config.PKIs[0].CertificateAuthorities {
				c.ca(n).IsIssuerHintEnabled = new(true)
			}
		}},
		{"", func(t *testing.T, c *clean) {
			longNames(t, c)
			c.ca(1).IsIssuerHintEnabled = new(true)
		}},
		{"trust-hint-empty", func(t *testing.T, c *clean) { c.add(t, root(t, spec{emptyName: true})) }},
		{"trust-hint-of-expired-ca trust-ca-expired", func(t *testing.T, c *clean) {
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
			if f.Severity == 0 || f.Place() == "" || f.What == "" || f.Do == "" || f.Source == "" {
				t.Errorf("case %d: incomplete finding %+v", n, f)
			}
		}
		want := strings.Fields(test.want)
		if fips140.Enforced() && test.want == "trust-ca-weak-signature" {
			want = append(want, "trust-ca-signature-unchecked")
		}
		slices.Sort(want)
		slices.Sort(codes)
		if diff := cmp.Diff(want, codes); diff != "" && len(want)+len(codes) > 0 {
			t.Errorf("case %d, %q (-want +got):\n%s%v", n, test.want, diff, found)
		}
	}
	for _, rule := range trust.Rules() {
		if !seen[rule.Code] {
			t.Errorf("no case causes %q", rule.Code)
		}
		if !strings.HasPrefix(rule.Code, "trust-") || rule.Severity == 0 || rule.What == "" || rule.Do == "" || rule.Source.URL() == "" {
			t.Errorf("incomplete rule %+v", rule)
		}
		delete(seen, rule.Code)
	}
	for code := range seen {
		t.Errorf("%q is no rule", code)
	}
}

// A finding has what its rule says, and its place is in the JSON of the
// configuration: the value, or the object that lacks it.
func TestFindingsHaveAPlace(t *testing.T) {
	c := newClean(t)
	c.classic(c.i, false, urlB+"2").IssuerSKI = "00"
	c.ca(0).Thumbprint, c.ca(1).IssuerSubjectKeyIdentifier = "00", "00"
	c.ca(1).CertificateAuthorityType = trust.Root
	c.config.PKIs = append(c.config.PKIs, trust.PKI{DisplayName: "Two", Status: "running"})
	c.config.PKIs[1].CertificateAuthorities = []trust.Authority{{Certificate: []byte("x")}, *c.ca(0)}
	data, err := json.Marshal(c.config)
	if err != nil {
		t.Fatal(err)
	}
	rules := trust.Rules()
	places := map[string]bool{}
	for _, f := range c.config.Findings(now) {
		i := slices.IndexFunc(rules, func(r lint.Rule) bool { return r.Code == f.Code })
		if i < 0 || rules[i].Severity != f.Severity || rules[i].Effect != f.Effect || rules[i].Source != f.Source || f.About == "" {
			t.Errorf("%+v is not its rule", f)
		}
		object := f.Where[:max(strings.LastIndexByte(f.Where, '/'), 0)]
		if f.Where != "" && wire.Offset(data, object) == 0 {
			t.Errorf("%s: nothing at %s", f.Code, f.Where)
		}
		places[f.Code+" "+f.Where] = true
	}
	for _, want := range []string{
		"trust-ca-thumbprint-differs /publicKeyInfrastructure/0/certificateAuthorities/0/thumbprint",
		"trust-ca-marked-root /publicKeyInfrastructure/0/certificateAuthorities/1/certificateAuthorityType",
		"trust-ca-unreadable /publicKeyInfrastructure/1/certificateAuthorities/0/certificate",
		"trust-pki-upload-not-done /publicKeyInfrastructure/1/status",
		"trust-classic-ski-differs /certificateBasedAuthConfiguration/certificateAuthorities/0/issuerSki",
		"trust-stores-crl-differ /publicKeyInfrastructure/0/certificateAuthorities/1/certificateRevocationListUrl",
	} {
		if !places[want] {
			t.Errorf("no %s among %v", want, slices.Sorted(maps.Keys(places)))
		}
	}
	misspelt := 0
	if err := c.ca(0).UnmarshalJSON([]byte(`{"Displayname":"x"}`)); err != nil {
		t.Fatal(err)
	}
	for _, f := range c.config.Findings(now) {
		if f.Code == "trust-property-misspelt" {
			misspelt++
		}
	}
	if misspelt != 1 {
		t.Errorf("one misspelt property has %d findings", misspelt)
	}
	rules[0].Code = "changed"
	if trust.Rules()[0].Code == "changed" {
		t.Error("the table can be changed")
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
	if err != nil || !strings.Contains(string(got), `"code":"trust-ca-crl-of-issuer","severity":"error","effect":"locks-out"`) {
		t.Errorf("%s, %v", got, err)
	}
	var none trust.Config
	if found := none.Findings(now); found.Worst() != 0 {
		t.Errorf("an empty configuration: %v", found)
	}
	var _ lint.Findings = none.Findings(now)
}
