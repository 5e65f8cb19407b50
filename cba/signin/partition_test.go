package signin_test

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/internal/certs"
	"example.com/entracba/cba/internal/der"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
)

// noNextUpdate is a CRL of a CA without Next Update, which crypto/x509 does not make.
func noNextUpdate(t *testing.T, ca *made) []byte {
	t.Helper()
	at := worldNow.AddDate(0, 0, -1)
	made, err := x509.CreateRevocationList(nil, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: at, NextUpdate: at.AddDate(0, 1, 0)}, ca.cert, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	read, err := x509.ParseRevocationList(made)
	if err != nil {
		t.Fatal(err)
	}
	next := []byte("\x17\x0d" + at.AddDate(0, 1, 0).Format("060102150405Z"))
	before, after, ok := bytes.Cut(read.RawTBSRevocationList, next)
	if !ok {
		t.Fatal("no Next Update")
	}
	_, start, _, _ := der.Header(read.RawTBSRevocationList, 0)
	tbs := der.Append(nil, 0x30, slices.Concat(read.RawTBSRevocationList[start:len(before)], after))
	return sealed(t, ca, tbs)
}

// sealed signs what is to be signed of a certificate or a CRL.
func sealed(t *testing.T, ca *made, tbs []byte) []byte {
	t.Helper()
	digest := sha256.Sum256(tbs)
	signature, err := ca.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return der.Append(nil, 0x30, slices.Concat(tbs, []byte("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"), der.Append(nil, 3, append([]byte{0}, signature...))))
}

// Extensions of certificates of version 2 count, and the verdict depends on it.
func TestVersionTwo(t *testing.T) {
	root := chainCA("Old Root", nil, nil)
	leaf := chainLeaf(root, nil)
	two := func(cert *x509.Certificate) []byte {
		tbs := bytes.Replace(cert.RawTBSCertificate, []byte("\xa0\x03\x02\x01\x02"), []byte("\xa0\x03\x02\x01\x01"), 1)
		return sealed(t, root, tbs)
	}
	old, err := certs.Parse(two(root.cert))
	if err != nil {
		t.Fatal(err)
	}
	oldLeaf, err := certs.Parse(two(leaf.cert))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		leaf, root *x509.Certificate
		step       string
	}{{leaf.cert, old, trust.StepCriticalExtension}, {oldLeaf, root.cert, signin.StepPresent}} {
		chainWant{outcome: signin.SignedIn, step: c.step, question: "9.35", says: "only version 3 may have"}.check(t, chainCase{leaf: c.leaf, roots: []*x509.Certificate{c.root}}.verdict(t))
	}
}

// A CRL can say for which distribution point and which certificates it is. What Entra
// makes of it is not documented, so no such sign-in goes without a remark.
func TestDistributionPoints(t *testing.T) {
	const one, two = "http://crl.woodgrove.com/one.crl", "http://crl.woodgrove.com/two.crl"
	point := func(url string) []byte { // distributionPoint of an IssuingDistributionPoint
		n := byte(len(url))
		return append([]byte{0xa0, n + 4, 0xa0, n + 2, 0x86, n}, url...)
	}
	root := chainCA("Partition Root", nil, nil)
	for _, test := range []struct {
		name    string
		scope   []byte // content of the IssuingDistributionPoint; nil if there is none
		named   []string
		raw     func([]byte) []byte
		outcome signin.Outcome
		asks    bool
		id      string // of the question, if not 9.55
		says    string
		not     string
	}{
		{name: "none", outcome: signin.SignedIn},
		{name: "that of the store, and the certificate names none", scope: point(one), outcome: signin.SignedIn},
		{name: "another than the store's", scope: point(two), outcome: signin.SignedIn, asks: true, says: two},
		{name: "that of the store, but the certificate names another", scope: point(one), named: []string{two}, outcome: signin.SignedIn, asks: true, says: "may be revoked in another CRL"},
		{name: "the certificate's, and the store has a copy of it", scope: point(two), named: []string{two}, outcome: signin.SignedIn},
		{name: "one of two of the certificate", scope: point(two), named: []string{one, two}, outcome: signin.SignedIn},
		{name: "users only", scope: []byte{0x81, 1, 0xff}, outcome: signin.SignedIn},
		{name: "CAs only", scope: []byte{0x82, 1, 0xff}, outcome: signin.Refused, asks: true, says: "which is for CA certificates only"},
		{name: "some reasons only", scope: []byte{0x83, 2, 6, 0x40}, outcome: signin.Refused, id: "9.56", asks: true, says: "plain complete CRLs"},
		{name: "indirect", scope: []byte{0x84, 1, 0xff}, outcome: signin.Refused, id: "9.56", asks: true, says: "indirect"},
		{name: "no Next Update", raw: func([]byte) []byte { return noNextUpdate(t, root) }, outcome: signin.Refused, id: "9.56", asks: true, says: "configure the CA to write Next Update"},
		{name: "bytes behind the end", raw: func(b []byte) []byte { return append(b, '\n') }, outcome: signin.Refused, says: "publish a file that ends where the CRL does", not: "PEM"},
		{name: "a certificate", raw: func([]byte) []byte { return root.cert.Raw }, outcome: signin.Refused, says: "not its certificate", not: "PEM"},
		{name: "cut short", raw: func(b []byte) []byte { return b[:50] }, outcome: signin.Refused, says: "publish the whole file", not: "PEM"},
	} {
		leaf := chainLeaf(root, func(c *x509.Certificate) { c.CRLDistributionPoints = test.named })
		template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: leaf.cert.NotBefore, NextUpdate: leaf.cert.NotAfter}
		if test.scope != nil {
			template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true,
				Value: append([]byte{0x30, byte(len(test.scope))}, test.scope...)}}
		}
		list, err := x509.CreateRevocationList(nil, template, root.cert, root.key)
		if err != nil {
			t.Fatal(err)
		}
		if test.raw != nil {
			list = test.raw(list)
		}
		config := signin.Config{Policy: policy.ServiceDefault(), Trust: trust.Config{PKIs: trust.PKIs{{DisplayName: "PKI", CertificateAuthorities: []trust.Authority{
			{Certificate: root.cert.Raw, CertificateAuthorityType: trust.Root, CertificateRevocationListURL: one}}}}}}
		config.Policy.State = policy.Enabled
		tenant, err := config.Compile(signin.Options{CRLs: crl.Static(map[string][]byte{one: list})})
		if err != nil {
			t.Fatal(err)
		}
		v := checkVerdict(t, tenant, signin.Request{User: &policy.User{UserPrincipalName: "nobody@example.com"}, Certificate: leaf.cert, At: worldNow})
		asks := slices.ContainsFunc(v.Assumptions, func(a signin.Assumption) bool { return a.ID == cmp.Or(test.id, "9.55") && a.ChangesVerdict })
		warned := slices.ContainsFunc(v.Steps, func(s signin.Step) bool {
			return s.Outcome == lint.Warn && test.says != "" && strings.Contains(s.Detail, test.says)
		})
		text := v.Message
		for _, s := range v.Steps {
			text += "\n" + s.Detail
		}
		if v.Outcome != test.outcome || asks != test.asks || !strings.Contains(text, test.says) || test.not != "" && strings.Contains(text, test.not) ||
			v.Outcome == signin.SignedIn && warned != test.asks {
			t.Errorf("%s: %v, asks %v, warned %v\n%s", test.name, v.Outcome, asks, warned, text)
		}
	}
}
