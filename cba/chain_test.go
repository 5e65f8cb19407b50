package cba_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/lint"
)

// readFolder returns the files of a folder, by name.
func readFolder(tb testing.TB, folder string) map[string][]byte {
	tb.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		tb.Fatal(err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(folder, e.Name())); err != nil {
			tb.Fatal(err)
		}
	}
	return files
}

// A CA as people keep it: a parent that has expired beside its renewal, a new key
// certified under the old one. Whatever order the files come in, the chain is the
// one that works, and its last certificate is the root.
func TestChainOfFolders(t *testing.T) {
	for folder, want := range map[string][]string{
		"ca1": {"ica.crt", "p-2025.crt", "root.crt"},
		"ca2": {"ica-new-with-old.crt", "ica-old.crt", "p.crt", "root.crt"},
	} {
		t.Run(folder, func(t *testing.T) {
			files := readFolder(t, "testdata/chains/"+folder)
			certs := map[string]*x509.Certificate{}
			var inputs [][]byte
			for name, content := range files {
				inputs = append(inputs, content)
				if filepath.Ext(name) == ".crt" {
					read, err := cba.ParseCertificates(content)
					if err != nil {
						t.Fatal(err)
					}
					certs[name] = read[0]
				}
			}
			for range 24 {
				mathrand.Shuffle(len(inputs), func(i, j int) { inputs[i], inputs[j] = inputs[j], inputs[i] })
				i, err := cba.ParseIssuer(inputs...)
				if err != nil {
					t.Fatal(err)
				}
				cas := i.CACertificates()
				if len(cas) != len(want) {
					t.Fatalf("%d CAs, want %v", len(cas), want)
				}
				for n, name := range want {
					if !cas[n].Equal(certs[name]) {
						t.Fatalf("CA %d is not %s", n, name)
					}
				}
				if root := i.Root(); root == nil || !root.Equal(certs["root.crt"]) {
					t.Error("another root")
				}
				if i.Findings().Has("chain-no-root") {
					t.Error("the chain is called incomplete")
				}
				if _, err := i.Issue(t.Context(), testKey(t, cba.P256, "jane").Public(), jane, cba.Profile{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// More folders of both kinds: parents of which one is good, and keys under older
// keys. In whatever order the files come, the chain is the same.
func TestChainOfMoreFolders(t *testing.T) {
	time0 := time.Now()
	valid := func(years int) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time0.AddDate(-5, 0, 0), time0.AddDate(years, 0, 0)
			c.SerialNumber = big.NewInt(int64(1000 + years))
		}
	}
	future := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter, c.SerialNumber = time0.AddDate(1, 0, 0), time0.AddDate(20, 0, 0), big.NewInt(77)
	}
	rootKey, pKey, key, older, oldest := testKey(t, cba.P256, "root"), testKey(t, cba.P256, "p"), testKey(t, cba.P256, "issuing"), testKey(t, cba.P256, "older"), testKey(t, cba.P256, "oldest")
	root := caWith(t, "Root", rootKey, nil, nil, valid(9))
	other := caWith(t, "Other Root", oldest, nil, nil, valid(9))
	p := caWith(t, "P", pKey, root, rootKey, valid(5))
	ca := caWith(t, "CA", key, p, pKey, valid(3))
	rekeyed := func(id string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { valid(3)(c); c.SubjectKeyId = []byte(id) }
	}
	caOldest := caWith(t, "CA", oldest, root, rootKey, rekeyed("oldest"))
	caOlder := caWith(t, "CA", older, caOldest, oldest, rekeyed("older"))
	caNew := caWith(t, "CA", key, caOlder, older, rekeyed("new"))
	for name, test := range map[string]struct {
		files []*x509.Certificate
		want  []*x509.Certificate
	}{
		"a parent that is not valid yet":             {[]*x509.Certificate{root, p, ca, caWith(t, "P", pKey, root, rootKey, future)}, []*x509.Certificate{ca, p, root}},
		"two good parents: the one that lives on":    {[]*x509.Certificate{root, p, ca, caWith(t, "P", pKey, root, rootKey, valid(8))}, []*x509.Certificate{ca, caWith(t, "P", pKey, root, rootKey, valid(8)), root}},
		"an expired root beside its renewal":         {[]*x509.Certificate{caWith(t, "Root", rootKey, nil, nil, valid(-1)), root, p, ca}, []*x509.Certificate{ca, p, root}},
		"a cross-certificate of a root that is away": {[]*x509.Certificate{root, p, ca, caWith(t, "P", pKey, other, oldest, valid(8))}, []*x509.Certificate{ca, p, root}},
		"the cross-certificate alone":                {[]*x509.Certificate{other, ca, caWith(t, "P", pKey, other, oldest, valid(8))}, []*x509.Certificate{ca, caWith(t, "P", pKey, other, oldest, valid(8)), other}},
		"a key under the key before and so on":       {[]*x509.Certificate{root, caOldest, caOlder, caNew}, []*x509.Certificate{caNew, caOlder, caOldest, root}},
		"a CA of the same name that is a root":       {[]*x509.Certificate{root, p, ca, caWith(t, "CA", older, nil, nil, rekeyed("self"))}, []*x509.Certificate{ca, p, root}},
	} {
		t.Run(name, func(t *testing.T) {
			private, err := cba.EncodeKey(key)
			if err != nil {
				t.Fatal(err)
			}
			inputs := [][]byte{private}
			for _, cert := range test.files {
				inputs = append(inputs, cba.EncodeCertificates(cert))
			}
			inputs = append(inputs, inputs[1]) // one file twice
			for range 12 {
				mathrand.Shuffle(len(inputs), func(i, j int) { inputs[i], inputs[j] = inputs[j], inputs[i] })
				i, err := cba.ParseIssuer(inputs...)
				if err != nil {
					t.Fatal(err)
				}
				same := func(a, b *x509.Certificate) bool {
					return a.Subject.String() == b.Subject.String() && a.Issuer.String() == b.Issuer.String() && a.NotAfter.Equal(b.NotAfter) && slices.Equal(a.SubjectKeyId, b.SubjectKeyId)
				}
				if got := i.CACertificates(); !slices.EqualFunc(got, test.want, same) {
					var names []string
					for _, c := range got {
						names = append(names, c.Subject.CommonName+" until "+c.NotAfter.Format("2006"))
					}
					t.Fatalf("%q", names)
				}
				if i.Root() == nil || !same(i.Root(), test.want[len(test.want)-1]) {
					t.Error("another root")
				}
			}
		})
	}
}

// A chain that does not reach a root is said to be incomplete, and has no root.
func TestIncompleteChain(t *testing.T) {
	files := readFolder(t, "testdata/chains/ca2")
	for _, without := range []string{"root.crt", "p.crt", "ica-old.crt"} {
		var inputs [][]byte
		for name, content := range files {
			if name != without {
				inputs = append(inputs, content)
			}
		}
		i, err := cba.ParseIssuer(inputs...)
		if err != nil {
			t.Fatalf("without %s: %v", without, err)
		}
		if i.Root() != nil || !i.Findings().Has("chain-no-root") {
			t.Errorf("without %s: root %v, findings %v", without, i.Root() != nil, i.Findings())
		}
	}
}

// CAs that certify each other, without a root: the chain ends, and does not come
// back to the CA itself.
func TestCircle(t *testing.T) {
	a, b := testKey(t, cba.P256, "root"), testKey(t, cba.P256, "other")
	real := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	as, bs := caWith(t, "A", a, nil, nil, real), caWith(t, "B", b, nil, nil, real)
	aByB, bByA := caWith(t, "A", a, bs, b, real), caWith(t, "B", b, as, a, real)
	i, err := cba.NewIssuer(aByB, a, aByB, bByA)
	if err != nil {
		t.Fatal(err)
	}
	if len(i.Chain) != 1 || !i.Chain[0].Equal(bByA) || i.Root() != nil {
		t.Errorf("chain of %d", len(i.Chain))
	}
	if i, err = cba.NewIssuer(aByB, a, as, bs, aByB, bByA); err != nil || len(i.Chain) != 1 || !i.Root().Equal(bs) {
		t.Errorf("with the roots: %v", err)
	}
}

// caWith makes a CA certificate for a key with crypto/x509, under another one or,
// if that is nil, under itself.
func caWith(tb testing.TB, name string, key crypto.Signer, parent *x509.Certificate, parentKey crypto.Signer, change func(*x509.Certificate)) *x509.Certificate {
	tb.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(name)) + 100), Subject: pkix.Name{CommonName: name},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(5, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte(name),
	}
	change(template)
	if parent == nil {
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return cert
}

func nothing(*x509.Certificate) {}

// What a CA may not issue does not leave: a CA for another domain, one for code
// signing, one whose parent has expired, wherever in the chain it stands. crypto/x509
// is the judge of what has left.
func TestIssueIsVerifiedAgainstTheChain(t *testing.T) {
	rootKey, key := testKey(t, cba.P256, "root"), testKey(t, cba.P256, "issuing")
	pub := testKey(t, cba.P256, "jane").Public()
	mailed := cba.Subject{UPN: "jane@contoso.com", Emails: []string{"jane@contoso.com"}, DNSNames: []string{"pc1.contoso.com"}}
	upnTree := func(domain string) pkix.Extension {
		upn := unhex(t, upnName(t, domain))
		wrap := func(tag byte, content []byte) []byte { return append([]byte{tag, byte(len(content))}, content...) }
		return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 30}, Critical: true, Value: wrap(0x30, wrap(0xa0, wrap(0x30, upn)))}
	}
	for _, test := range []struct {
		name    string
		subject cba.Subject
		change  func(*x509.Certificate)
		want    cba.Reason // of Issue; unset: issued
		finding string     // with Unfit
	}{
		{"no constraints", mailed, nothing, "", ""},
		{"the own domain", mailed, func(c *x509.Certificate) {
			c.PermittedDNSDomainsCritical, c.PermittedDNSDomains, c.PermittedEmailAddresses = true, []string{"contoso.com"}, []string{"contoso.com"}
		}, "", ""},
		{"mail of another domain", mailed, func(c *x509.Certificate) { c.PermittedEmailAddresses = []string{"fabrikam.com"} }, cba.Unfit, "ca-name-constraints"},
		{"excluded host", mailed, func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{"contoso.com"} }, cba.Unfit, "ca-name-constraints"},
		{"UPNs of the own domain", mailed, func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{upnTree("@contoso.com")} }, "", ""},
		{"UPNs of another domain", mailed, func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{upnTree("@fabrikam.com")} }, cba.Unfit, "ca-name-constraints"},
		{"SID URI under URI constraints", cba.Subject{UPN: "jane@contoso.com", SID: parseSID(t, sidText)}, func(c *x509.Certificate) { c.PermittedURIDomains = []string{"contoso.com"} }, cba.Unfit, "ca-name-constraints"},
		{"clientAuth", mailed, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, "", ""},
		{"code signing", mailed, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }, cba.NotPermitted, ""},
		{"expired", mailed, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }, cba.NotValidNow, ""},
		{"not yet valid", mailed, func(c *x509.Certificate) { c.NotBefore = now.Add(time.Second) }, cba.NotValidNow, ""},
		{"no keyCertSign", mailed, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }, cba.NotAuthority, ""},
		{"not a CA", mailed, func(c *x509.Certificate) { c.IsCA = false }, cba.NotAuthority, ""},
		{"an unknown critical extension", mailed, func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}
		}, cba.NotPermitted, ""},
	} {
		for _, place := range []string{"root", "issuing", "issuing under a root"} {
			t.Run(test.name+", "+place, func(t *testing.T) {
				profile := cba.Profile{SIDForm: cba.SIDAsURI}
				i := &cba.Issuer{Key: rootKey, Now: clock}
				switch place {
				case "root":
					i.Certificate = caWith(t, "Root", rootKey, nil, nil, test.change)
				case "issuing":
					root := caWith(t, "Root", rootKey, nil, nil, nothing)
					i.Certificate, i.Key, i.Chain = caWith(t, "CA", key, root, rootKey, test.change), key, []*x509.Certificate{root}
				default:
					root := caWith(t, "Root", rootKey, nil, nil, test.change)
					i.Certificate, i.Key, i.Chain = caWith(t, "CA", key, root, rootKey, nothing), key, []*x509.Certificate{root}
				}
				cert, err := i.Issue(t.Context(), pub, test.subject, profile)
				if test.want == "" {
					if err != nil {
						t.Fatal(err)
					}
					verifyX509(t, cert, i)
					return
				}
				if cert != nil {
					t.Error("issued")
				}
				wantReason(t, err, test.want)
				var e *cba.Error
				if errors.As(err, &e) && test.finding != "" && !e.Findings.Has(test.finding) {
					t.Errorf("no finding %s: %v", test.finding, e.Findings)
				}
				// Told to sign what is unfit, the CA's constraints still hold.
				if draft, err := i.Prepare(pub, test.subject, profile); err == nil {
					cert, err := draft.SignUnfit(t.Context())
					if cert != nil {
						t.Error("signed")
					}
					wantReason(t, err, cba.NotPermitted)
				}
			})
		}
	}
}

// verifyX509 verifies what an issuer has made with crypto/x509. A critical UPN
// constraint it does not read.
func verifyX509(t *testing.T, cert *x509.Certificate, i *cba.Issuer) {
	t.Helper()
	cas := i.CACertificates()
	pools := [2]*x509.CertPool{x509.NewCertPool(), x509.NewCertPool()}
	for n, ca := range cas {
		if c := *ca; len(c.UnhandledCriticalExtensions) > 0 {
			c.UnhandledCriticalExtensions = nil
			ca = &c
		}
		pools[min(1, len(cas)-1-n)].AddCert(ca)
	}
	if _, err := cert.Verify(x509.VerifyOptions{
		Roots: pools[0], Intermediates: pools[1], CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}); err != nil {
		t.Error(err)
	}
}

// A CA that is constrained makes no CA outside of its constraints.
func TestIntermediateUnderConstraints(t *testing.T) {
	key := testKey(t, cba.P256, "root")
	name, err := asn1.Marshal(pkix.Name{Country: []string{"US"}}.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	wrap := func(tag byte, content []byte) []byte { return append([]byte{tag, byte(len(content))}, content...) }
	root := caWith(t, "Root", key, nil, nil, func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 30}, Critical: true,
			Value: wrap(0x30, wrap(0xa0, wrap(0x30, wrap(0xa4, name))))}}
	})
	i := &cba.Issuer{Certificate: root, Key: key, Now: clock}
	for text, want := range map[string]cba.Reason{"CN=CA,C=US": "", "CN=CA,C=DE": cba.NotPermitted} {
		sub, err := i.NewIntermediate(t.Context(), cba.Authority{Name: parseName(t, text), KeyType: cba.P256})
		if want == "" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		if sub != nil {
			t.Errorf("%s: made", text)
		}
		wantReason(t, err, want)
	}
}

// The links of the CAs are checked once; whoever puts another certificate into an
// issuer gets them checked again.
func TestSwappedFields(t *testing.T) {
	root := newRoot(t, cba.P256)
	sub := newIssuing(t, cba.P256)
	pub := testKey(t, cba.P256, "jane").Public()
	signatures := 0
	counting := func(i *cba.Issuer) *cba.Issuer {
		key := i.Key
		return &cba.Issuer{Certificate: i.Certificate, Chain: i.Chain, Now: clock, Key: oddSigner{key, func(d []byte, o crypto.SignerOpts) ([]byte, error) {
			signatures++
			return key.Sign(rand.Reader, d, o)
		}}}
	}
	i := counting(sub)
	for range 3 {
		if _, err := i.Issue(t.Context(), pub, jane, cba.Profile{}); err != nil {
			t.Fatal(err)
		}
	}
	draft, err := i.Prepare(pub, jane, cba.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	impostor, err := cba.NewRoot(t.Context(), cba.Authority{Name: parseName(t, "CN=Contoso Root CA,DC=contoso,DC=com"), KeyType: cba.P256, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	signatures = 0
	for name, swap := range map[string]struct {
		do   func(*cba.Issuer)
		want cba.Reason
	}{
		"a root of the same name":   {func(i *cba.Issuer) { i.Chain = []*x509.Certificate{impostor.Certificate} }, cba.BadSignature},
		"in place":                  {func(i *cba.Issuer) { i.Chain = slices.Clone(i.Chain); i.Chain[0] = impostor.Certificate }, cba.BadSignature},
		"another CA's certificate":  {func(i *cba.Issuer) { i.Certificate = root.Certificate; i.Chain = nil }, cba.KeyMismatch},
		"another key":               {func(i *cba.Issuer) { i.Key = root.Key }, cba.KeyMismatch},
		"a chain of another name":   {func(i *cba.Issuer) { i.Chain = []*x509.Certificate{sub.Certificate} }, cba.BadSignature},
		"the chain upside down":     {func(i *cba.Issuer) { i.Certificate, i.Chain = i.Chain[0], []*x509.Certificate{i.Certificate} }, cba.BadSignature},
		"a CA that is put together": {func(i *cba.Issuer) { i.Certificate = &x509.Certificate{} }, cba.NotAuthority},
	} {
		odd := counting(sub)
		if _, err := odd.Issue(t.Context(), pub, jane, cba.Profile{}); err != nil {
			t.Fatal(err)
		}
		signatures = 0
		swap.do(odd)
		_, err := odd.Issue(t.Context(), pub, jane, cba.Profile{})
		if signatures != 0 {
			t.Errorf("%s: signed", name)
		}
		t.Run(name, func(t *testing.T) { wantReason(t, err, swap.want) })
	}
	// A draft is signed by the CA that it was made for, whatever becomes of the issuer.
	i.Certificate, i.Chain, i.Key = root.Certificate, nil, root.Key
	cert, err := draft.Sign(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	verifyX509(t, cert, sub)
}

// What an expired CA has prepared it does not sign.
func TestCAExpiresBeforeSign(t *testing.T) {
	at := now
	root, err := cba.NewRoot(t.Context(), cba.Authority{Name: parseName(t, "CN=Short"), KeyType: cba.P256, Validity: 10 * cba.Day, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	draft, err := root.Prepare(testKey(t, cba.P256, "jane").Public(), jane, cba.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	at = now.Add(11 * cba.Day)
	_, err = draft.Sign(t.Context())
	wantReason(t, err, cba.NotValidNow)
}

// Self-issued CAs do not count for a path length (RFC 5280 section 4.2.1.9).
func TestCheckPathLengthOfSelfIssued(t *testing.T) {
	data, err := os.ReadFile("testdata/chains/pathlen-self-issued.pem")
	if err != nil {
		t.Fatal(err)
	}
	certs, err := cba.ParseCertificates(data)
	if err != nil {
		t.Fatal(err)
	}
	chain := slices.Clone(certs[:1])
	for len(chain) < len(certs) {
		at := slices.IndexFunc(certs, func(c *x509.Certificate) bool {
			return !slices.ContainsFunc(chain, c.Equal) && chain[len(chain)-1].CheckSignatureFrom(c) == nil
		})
		if at < 0 {
			t.Fatal("the chain of the case is not whole")
		}
		chain = append(chain, certs[at])
	}
	found := cba.Findings(chain, cba.FindingsOptions{At: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)})
	if found.Has("ca-path-length") || found.Has("chain-no-root") {
		t.Errorf("findings %v", found)
	}
}

// RFC 5280 wants name constraints critical, and a subjectAltName beside an empty
// subject: no finding says otherwise.
func TestCheckWhatMustBeCritical(t *testing.T) {
	user := readCert(t, "chains/critical-san-upn-only-empty-subject.cer")
	ca := readCert(t, "chains/ca-critical-name-constraints-upn.cer")
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	if found := cba.Findings([]*x509.Certificate{user}, cba.FindingsOptions{At: at}); found.Worst() >= lint.Error {
		t.Errorf("user: %v", found)
	}
	found := cba.Findings([]*x509.Certificate{user, ca}, cba.FindingsOptions{At: at})
	if found.Has("cert-unknown-critical") || found.Has("ca-name-constraints") {
		t.Errorf("chain: %v", found)
	}
}

// A key of 65,536 bits is refused before its signature is verified, which takes
// twenty seconds.
func TestCheckHugeKey(t *testing.T) {
	data, err := os.ReadFile("testdata/chains/chain-rsa-65536-ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	certs, err := cba.ParseCertificates(data)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	found := cba.Findings(certs, cba.FindingsOptions{})
	if !found.Has("cert-key-type") || time.Since(began) > 2*time.Second {
		t.Errorf("after %v: %v", time.Since(began), found)
	}
	key := testKey(t, cba.P256, "root")
	root := selfSigned(t, key, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	})
	if i, err := cba.NewIssuer(root, key, certs...); err != nil || len(i.Chain) != 0 {
		t.Errorf("%v", err)
	}
	if time.Since(began) > 2*time.Second {
		t.Error("a signature was verified with the key")
	}
}

// A CA that was renewed with its key has two certificates: the expired one does
// not count, in whatever order they come.
func TestRenewedCA(t *testing.T) {
	key := testKey(t, cba.P256, "root")
	make := func(from, to time.Time) *x509.Certificate {
		return selfSigned(t, key, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = from, to })
	}
	day := 24 * time.Hour
	old := make(time.Now().Add(-9*day), time.Now().Add(-day))
	new, next := make(time.Now().Add(-2*day), time.Now().Add(day)), make(time.Now().Add(day/2), time.Now().Add(9*day))
	pemKey, err := cba.EncodeKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, certs := range [][]*x509.Certificate{{old, new, next}, {next, new, old}, {new, next, old}} {
		i, err := cba.ParseIssuer(pemKey, cba.EncodeCertificates(certs...))
		if err != nil || !i.Certificate.Equal(new) {
			t.Errorf("%v", err)
		}
	}
	_, err = cba.ParseIssuer(pemKey, cba.EncodeCertificates(old))
	wantReason(t, err, cba.NotValidNow)
}

// Nothing of an issuer that is not there can be used.
func TestNilIssuer(t *testing.T) {
	var i *cba.Issuer
	if i.CACertificates() != nil || i.Root() != nil || i.Findings() != nil {
		t.Error("something of nothing")
	}
	ctx := context.Background()
	_, err := i.Issue(ctx, testKey(t, cba.P256, "jane").Public(), jane, cba.Profile{})
	wantReason(t, err, cba.Empty)
	_, err = i.NewIntermediate(ctx, cba.Authority{Name: parseName(t, "CN=x")})
	wantReason(t, err, cba.Empty)
	for _, err := range i.IssueAll(ctx, users(1), fast) {
		wantReason(t, err, cba.Empty)
	}
}

// Nil and zero arguments are an error or an empty answer, in every exported call.
func TestNilAndZero(t *testing.T) {
	ctx := context.Background()
	var noRSA *rsa.PrivateKey
	var noECDSA *ecdsa.PrivateKey
	zero := &x509.Certificate{}
	for name, call := range map[string]func() error{
		"NewIssuer, nothing":   func() error { _, err := cba.NewIssuer(nil, nil, nil); return err },
		"NewIssuer, zero":      func() error { _, err := cba.NewIssuer(zero, testKey(t, cba.P256, "root"), zero, nil); return err },
		"NewIssuer, a nil key": func() error { _, err := cba.NewIssuer(newRoot(t, cba.P256).Certificate, noRSA); return err },
		"ParseIssuer":          func() error { _, err := cba.ParseIssuer(); return err },
		"ParseIssuer, nil":     func() error { _, err := cba.ParseIssuer(nil, nil); return err },
		"ParseCertificates":    func() error { _, err := cba.ParseCertificates(nil); return err },
		"ParseKey":             func() error { _, err := cba.ParseKey(nil); return err },
		"ParseRequest":         func() error { _, err := cba.ParseRequest(nil); return err },
		"ParseOID":             func() error { _, err := cba.ParseOID(""); return err },
		"ParseSID":             func() error { _, err := cba.ParseSID(""); return err },
		"EncodeKey":            func() error { _, err := cba.EncodeKey(nil); return err },
		"EncodeKey, RSA":       func() error { _, err := cba.EncodeKey(noRSA); return err },
		"EncodeKey, ECDSA":     func() error { _, err := cba.EncodeKey(noECDSA); return err },
		"CheckKey":             func() error { return cba.CheckKey(nil) },
		"CheckUPN":             func() error { return cba.CheckUPN("") },
		"NewRoot":              func() error { _, err := cba.NewRoot(ctx, cba.Authority{}); return err },
		"NewRoot, a nil key": func() error {
			_, err := cba.NewRoot(ctx, cba.Authority{Name: parseName(t, "CN=x"), Key: noECDSA})
			return err
		},
		"NewRequest":         func() error { _, err := cba.NewRequest(ctx, noECDSA, jane); return err },
		"NewRequest, nobody": func() error { _, err := cba.NewRequest(ctx, testKey(t, cba.P256, "jane"), cba.Subject{}); return err },
		"Issue, nobody": func() error {
			_, err := newRoot(t, cba.P256).Issue(ctx, testKey(t, cba.P256, "jane").Public(), cba.Subject{}, cba.Profile{})
			return err
		},
		"Issue, no key": func() error { _, err := newRoot(t, cba.P256).Issue(ctx, nil, jane, cba.Profile{}); return err },
		"IssueRequest": func() error {
			_, err := newRoot(t, cba.P256).IssueRequest(ctx, &cba.Request{}, jane, cba.Profile{})
			return err
		},
		"Sign":            func() error { _, err := new(cba.Draft).Sign(ctx); return err },
		"SignUnfit":       func() error { _, err := (*cba.Draft)(nil).SignUnfit(ctx); return err },
		"SubjectOf":       func() error { _, err := cba.SubjectOf(nil); return err },
		"SubjectOf, zero": func() error { _, err := cba.SubjectOf(zero); return err },
		"ProfileOf":       func() error { _, err := cba.ProfileOf(nil); return err },
		"NamesOf":         func() error { _, err := cba.NamesOf(nil); return err },
		"Generate":        func() error { _, err := cba.KeyType(0).Generate(); return err },
	} {
		err := call()
		if e, ok := err.(*cba.Error); !ok || e.Reason == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, empty := range map[string]bool{
		"Findings":           len(cba.Findings(nil, cba.FindingsOptions{})) == 0 && len(cba.Findings([]*x509.Certificate{nil}, cba.FindingsOptions{})) == 0,
		"EncodeCertificates": len(cba.EncodeCertificates(nil)) == 0,
		"Thumbprint":         cba.Thumbprint(nil) == "",
		"RenewalTime":        cba.RenewalTime(time.Time{}, time.Time{}, 0).IsZero(),
		"Compare":            len((*cba.Request)(nil).Compare(cba.Subject{})) == 0 && len(new(cba.Request).Compare(cba.Subject{})) == 0,
		"PEM":                len((*cba.Request)(nil).PEM()) == 0,
		"names":              cba.Names{}.SID().IsZero() && cba.SID{}.String() == "" && cba.Subject{}.String() == "" && cba.Ignored{}.String() == "",
		"findings":           (*cba.Issuer)(nil).Findings() == nil && new(cba.Issuer).Findings() == nil,
	} {
		if !empty {
			t.Errorf("%s of nothing is something", name)
		}
	}
	if names, err := cba.NamesOf(zero); err != nil || names.UPNs != nil {
		t.Errorf("%v, %v", names, err)
	}
	if _, err := cba.ProfileOf(zero); err != nil {
		t.Error(err)
	}
	for range cba.Tasks() {
		t.Error("a task")
	}
	cba.SID{}.Extension() // no panic
}
