package cba_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/lint"
	"github.com/google/go-cmp/cmp"
)

// Every kind of CA key signs for every kind of user key, the hash is the one
// that belongs to the CA's key, and crypto/x509 verifies the chain for TLS
// clients.
func TestIssueKeyTypes(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	hashes := map[cba.KeyType]x509.SignatureAlgorithm{
		cba.RSA2048: x509.SHA256WithRSA, cba.RSA3072: x509.SHA256WithRSA, cba.RSA4096: x509.SHA256WithRSA,
		cba.P256: x509.ECDSAWithSHA256, cba.P384: x509.ECDSAWithSHA384, cba.P521: x509.ECDSAWithSHA512,
	}
	for ca := cba.RSA2048; ca <= cba.P521; ca++ {
		issuing := newIssuing(t, ca)
		roots, between := x509.NewCertPool(), x509.NewCertPool()
		roots.AddCert(issuing.Chain[0])
		between.AddCert(issuing.Certificate)
		for user := cba.RSA2048; user <= cba.P521; user++ {
			cert, err := issuing.Issue(t.Context(), testKey(t, user, "jane").Public(), jane, cba.Profile{})
			if err != nil {
				t.Fatalf("%v for %v: %v", ca, user, err)
			}
			if cert.SignatureAlgorithm != hashes[ca] {
				t.Errorf("%v signed with %v", ca, cert.SignatureAlgorithm)
			}
			if _, err := cert.Verify(x509.VerifyOptions{
				Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
			}); err != nil {
				t.Errorf("%v for %v: %v", ca, user, err)
			}
		}
	}
}

// The zero profile is what its comment says, and nothing else is in the
// certificate.
func TestZeroProfile(t *testing.T) {
	issuing := newIssuing(t, cba.P256)
	cert := issue(t, issuing, jane, cba.Profile{})
	if want := now.Add(-5 * time.Minute); !cert.NotBefore.Equal(want) {
		t.Errorf("begins %v, want %v", cert.NotBefore, want)
	}
	if want := now.Add(365 * 24 * time.Hour); !cert.NotAfter.Equal(want) {
		t.Errorf("ends %v, want %v", cert.NotAfter, want)
	}
	if cert.KeyUsage != x509.KeyUsageDigitalSignature || cert.IsCA || !cert.BasicConstraintsValid {
		t.Errorf("key usage %b, CA %v", cert.KeyUsage, cert.IsCA)
	}
	if !cmp.Equal(cert.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}) || len(cert.UnknownExtKeyUsage) != 0 {
		t.Errorf("usages %v %v", cert.ExtKeyUsage, cert.UnknownExtKeyUsage)
	}
	if !bytes.Equal(cert.AuthorityKeyId, issuing.Certificate.SubjectKeyId) || len(cert.SubjectKeyId) != 20 {
		t.Errorf("AKI %x, SKI %x", cert.AuthorityKeyId, cert.SubjectKeyId)
	}
	if bits := cert.SerialNumber.BitLen(); cert.SerialNumber.Sign() <= 0 || bits != 135 {
		t.Errorf("serial number of %d bits: %x", bits, cert.SerialNumber)
	}
	var ids []string
	for _, e := range cert.Extensions {
		ids = append(ids, fmt.Sprintf("%v %v", e.Id, e.Critical))
	}
	want := []string{"2.5.29.15 true", "2.5.29.37 false", "2.5.29.19 true", "2.5.29.14 false", "2.5.29.35 false", "2.5.29.17 false"}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("extensions (-want +got):\n%s", diff)
	}
	if worst := cba.Findings([]*x509.Certificate{cert, issuing.Certificate, issuing.Chain[0]}, cba.FindingsOptions{At: now, UPN: jane.UPN}).Worst(); worst > lint.Info {
		t.Errorf("findings up to %v about a good certificate", worst)
	}
}

func TestSerialNumbersDiffer(t *testing.T) {
	root := newRoot(t, cba.P256)
	seen := map[string]bool{}
	for range 200 {
		draft, err := root.Prepare(testKey(t, cba.P256, "jane").Public(), jane, cba.Profile{})
		if err != nil {
			t.Fatal(err)
		}
		serial := draft.Certificate.SerialNumber.Bytes()
		if seen[string(serial)] {
			t.Fatalf("serial number %x twice", serial)
		}
		seen[string(serial)] = true
		if len(serial) != 17 || serial[0]&0x80 != 0 || serial[0] == 0 || serial[16] == 0 {
			t.Errorf("serial number %x", serial)
		}
	}
}

func TestProfile(t *testing.T) {
	issuing := newIssuing(t, cba.P256)
	p := cba.SmartcardUser()
	p.Email, p.EFS = true, true
	p.ExtraUsages = []x509.OID{oid(t, "1.3.6.1.5.2.3.4")}
	p.Policies = []x509.OID{cba.AllIssuancePolicies(), oid(t, "1.2.3.4")}
	p.CRLURLs = []string{"http://crl.contoso.com/ca.crl", "http://crl2.contoso.com/ca.crl"}
	p.CAURLs = []string{"http://crl.contoso.com/ca.cer"}
	p.Validity, p.Backdate = 90*cba.Day, 3*time.Minute
	rsaUsage := x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	for kt, usage := range map[cba.KeyType]x509.KeyUsage{cba.RSA2048: rsaUsage, cba.P256: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement} {
		cert, err := issuing.Issue(t.Context(), testKey(t, kt, "jane").Public(), jane, p)
		if err != nil {
			t.Fatal(err)
		}
		if cert.KeyUsage != usage {
			t.Errorf("%v: key usage %b, want %b", kt, cert.KeyUsage, usage)
		}
		if want := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageEmailProtection}; !cmp.Equal(cert.ExtKeyUsage, want) {
			t.Errorf("usages %v", cert.ExtKeyUsage)
		}
		wantUnknown := []asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1, 311, 20, 2, 2}, {1, 3, 6, 1, 4, 1, 311, 10, 3, 4}, {1, 3, 6, 1, 5, 2, 3, 4}}
		if diff := cmp.Diff(wantUnknown, cert.UnknownExtKeyUsage); diff != "" {
			t.Errorf("further usages (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(p.Policies, cert.Policies); diff != "" {
			t.Errorf("policies (-want +got):\n%s", diff)
		}
		if !cmp.Equal(cert.CRLDistributionPoints, p.CRLURLs) || !cmp.Equal(cert.IssuingCertificateURL, p.CAURLs) || len(cert.OCSPServer) != 0 {
			t.Errorf("URLs %v %v %v", cert.CRLDistributionPoints, cert.IssuingCertificateURL, cert.OCSPServer)
		}
		if length := cert.NotAfter.Sub(cert.NotBefore); length != 90*cba.Day+3*time.Minute {
			t.Errorf("valid for %v", length)
		}
	}
	intune := issue(t, issuing, cba.Subject{UPN: jane.UPN, SID: parseSID(t, sidText)}, cba.IntuneUser())
	names, err := cba.NamesOf(intune)
	if err != nil || !names.ExtensionSID.IsZero() || len(names.URISIDs) != 1 {
		t.Errorf("Intune's form: %+v, %v", names, err)
	}
}

func TestProfileRefused(t *testing.T) {
	root := newRoot(t, cba.P256)
	for name, test := range map[string]struct {
		profile cba.Profile
		want    cba.Reason
	}{
		"negative validity":     {cba.Profile{Validity: -1}, cba.OutOfRange},
		"unknown SID form":      {cba.Profile{SIDForm: 9}, cba.Unknown},
		"policy of no number":   {cba.Profile{Policies: []x509.OID{{}}}, cba.Malformed},
		"policy of 128 bits":    {cba.Profile{Policies: []x509.OID{oid(t, "2.25.329800735698586629295641978511506172918")}}, cba.Malformed},
		"policy twice":          {cba.Profile{Policies: []x509.OID{oid(t, "1.2.3"), oid(t, "1.2.3")}}, cba.Ambiguous},
		"usage that is there":   {cba.Profile{ExtraUsages: []x509.OID{oid(t, "1.3.6.1.5.5.7.3.2")}}, cba.Ambiguous},
		"usage of no number":    {cba.Profile{ExtraUsages: []x509.OID{{}}}, cba.Malformed},
		"CRL URL without host":  {cba.Profile{CRLURLs: []string{"crl.contoso.com/ca.crl"}}, cba.Malformed},
		"empty CRL URL":         {cba.Profile{CRLURLs: []string{""}}, cba.Empty},
		"CRL URL with a blank":  {cba.Profile{CRLURLs: []string{"http://contoso.com/my ca.crl"}}, cba.Malformed},
		"CRL URL not in ASCII":  {cba.Profile{CRLURLs: []string{"http://bücher.de/ca.crl"}}, cba.NotASCII},
		"CA URL with backslash": {cba.Profile{CAURLs: []string{`http://contoso.com\ca.cer`}}, cba.Malformed},
	} {
		cert, err := root.Issue(t.Context(), testKey(t, cba.P256, "jane").Public(), jane, test.profile)
		if cert != nil {
			t.Errorf("%s: issued", name)
			continue
		}
		t.Run(name, func(t *testing.T) { wantReason(t, err, test.want) })
	}
}

// A certificate never outlives its CA and never begins before it.
func TestClippedToTheCA(t *testing.T) {
	root, err := cba.NewRoot(t.Context(), cba.Authority{Name: parseName(t, "CN=Short"), Key: testKey(t, cba.P256, "root"), Validity: 100 * cba.Day, Backdate: -1, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	draft, err := root.Prepare(testKey(t, cba.P256, "jane").Public(), jane, cba.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	if c := draft.Certificate; !c.NotAfter.Equal(root.Certificate.NotAfter) || !c.NotBefore.Equal(root.Certificate.NotBefore) || !c.NotBefore.Equal(now) {
		t.Errorf("valid from %v to %v", c.NotBefore, c.NotAfter)
	}
	if !draft.Findings.Has("cert-clipped") {
		t.Errorf("no finding about it: %v", draft.Findings)
	}
	draft, err = root.Prepare(testKey(t, cba.P256, "jane").Public(), jane, cba.Profile{Validity: 100 * cba.Day})
	if err != nil || draft.Findings.Has("cert-clipped") {
		t.Errorf("as long as the CA: %v, %v", draft.Findings, err)
	}
	sub, err := root.NewIntermediate(t.Context(), cba.Authority{Name: parseName(t, "CN=Sub"), Key: testKey(t, cba.P256, "issuing")})
	if err != nil || !sub.Certificate.NotAfter.Equal(root.Certificate.NotAfter) {
		t.Errorf("intermediate ends %v, %v", sub.Certificate.NotAfter, err)
	}
}

// What an intermediate says about policies and about where its parent publishes, as
// crypto/x509 reads it.
func TestAuthorityExtensions(t *testing.T) {
	root, err := cba.NewRoot(t.Context(), cba.Authority{Name: parseName(t, "CN=Root"), Key: testKey(t, cba.P256, "root"), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	oid, err := cba.ParseOID("1.2.3.4")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		policies []x509.OID
		want     string
	}{
		"any": {nil, "[2.5.29.32.0]"}, "one": {[]x509.OID{oid}, "[1.2.3.4]"}, "none": {[]x509.OID{}, "[]"},
	} {
		sub, err := root.NewIntermediate(t.Context(), cba.Authority{Name: parseName(t, "CN=Sub"), Key: testKey(t, cba.P256, "issuing"), Policies: c.policies,
			CRLURLs: []string{"http://pki.contoso.com/root.crl"}, CAURLs: []string{"http://pki.contoso.com/root.crt"}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		cert := sub.Certificate
		if got := fmt.Sprint(cert.Policies); got != c.want {
			t.Errorf("%s: policies %s, want %s", name, got, c.want)
		}
		if got := fmt.Sprint(cert.CRLDistributionPoints, cert.IssuingCertificateURL); got != "[http://pki.contoso.com/root.crl] [http://pki.contoso.com/root.crt]" {
			t.Errorf("%s: URLs %s", name, got)
		}
	}
	if len(root.Certificate.Policies) != 0 || len(root.Certificate.CRLDistributionPoints) != 0 {
		t.Errorf("the root has policies %v, CRLs %v", root.Certificate.Policies, root.Certificate.CRLDistributionPoints)
	}
}

// Dates from 2050 on are written as GeneralizedTime (RFC 5280 section 4.1.2.5).
func TestAfter2049(t *testing.T) {
	root, err := cba.NewRoot(t.Context(), cba.Authority{Name: parseName(t, "CN=Long"), Key: testKey(t, cba.P256, "root"), Validity: 40 * 365 * cba.Day, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	if y := root.Certificate.NotAfter.Year(); y != 2066 {
		t.Fatalf("ends in %d", y)
	}
	if !bytes.Contains(root.Certificate.Raw, []byte("20661111120000Z")) || !bytes.Contains(root.Certificate.Raw, []byte("\x17\x0d261121115500Z")) {
		t.Error("dates are not UTCTime before 2050 and GeneralizedTime after")
	}
}

// selfSigned makes a CA certificate that this package would not make.
func selfSigned(tb testing.TB, key crypto.Signer, change func(*x509.Certificate)) *x509.Certificate {
	tb.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Contoso Old CA"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, SubjectKeyId: []byte{1, 2, 3, 4},
	}
	change(template)
	var der []byte
	var err error
	fips140.WithoutEnforcement(func() {
		der, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	})
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return cert
}

func TestNewIssuerRefused(t *testing.T) {
	key := testKey(t, cba.P256, "root")
	var weak *rsa.PrivateKey
	var err error
	fips140.WithoutEnforcement(func() { weak, err = rsa.GenerateKey(rand.Reader, 1024) })
	if err != nil {
		t.Fatal(err)
	}
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	// NewIssuer looks at the real clock, not at that of the tests.
	good := selfSigned(t, key, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	})
	at := func(change func(*x509.Certificate)) *x509.Certificate {
		return selfSigned(t, key, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
			change(c)
		})
	}
	for _, test := range []struct {
		name string
		cert *x509.Certificate
		key  crypto.Signer
		want cba.Reason // unset: accepted
	}{
		{"good", good, key, ""},
		{"no key usage, as openssl req -x509 makes them", at(func(c *x509.Certificate) { c.KeyUsage = 0 }), key, ""},
		{"no certificate", nil, key, cba.Empty},
		{"no key", good, nil, cba.Empty},
		{"no CA", at(func(c *x509.Certificate) { c.IsCA = false }), key, cba.NotAuthority},
		{"no basic constraints", at(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = false, false }), key, cba.NotAuthority},
		{"no keyCertSign", at(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }), key, cba.NotAuthority},
		{"expired", at(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), key, cba.NotValidNow},
		{"not yet valid", at(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }), key, cba.NotValidNow},
		{"another key", good, testKey(t, cba.P256, "other"), cba.KeyMismatch},
		{"a key of another kind", good, testKey(t, cba.RSA2048, "jane"), cba.KeyMismatch},
		{"RSA of 1024 bits", selfSigned(t, weak, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = good.NotBefore, good.NotAfter }), weak, cba.WeakKey},
		{"Ed25519", selfSigned(t, ed, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = good.NotBefore, good.NotAfter }), ed, cba.UnsupportedKey},
		{"no subject key identifier", withoutSKI(t, key, good.NotBefore, good.NotAfter), key, cba.NoKeyIdentifier},
	} {
		t.Run(test.name, func(t *testing.T) {
			i, err := cba.NewIssuer(test.cert, test.key)
			if test.want == "" {
				if err != nil || i.Certificate != test.cert || i.Key != test.key || len(i.Chain) != 0 {
					t.Errorf("%+v, %v", i, err)
				}
				return
			}
			if i != nil {
				t.Error("an issuer beside the error")
			}
			wantReason(t, err, test.want)
			// An issuer put together by hand is refused just so when it is used.
			_, err = (&cba.Issuer{Certificate: test.cert, Key: test.key}).Issue(t.Context(), testKey(t, cba.P256, "jane").Public(), jane, cba.Profile{})
			wantReason(t, err, test.want)
			_, err = (&cba.Issuer{Certificate: test.cert, Key: test.key}).NewIntermediate(t.Context(), cba.Authority{Name: parseName(t, "CN=x")})
			wantReason(t, err, test.want)
		})
	}
}

// withoutSKI makes a CA certificate without subject key identifier, which
// crypto/x509 does not: an old one is made by signing it as a user's.
func withoutSKI(tb testing.TB, key crypto.Signer, from, to time.Time) *x509.Certificate {
	return selfSigned(tb, key, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = from, to
		c.SubjectKeyId, c.IsCA, c.BasicConstraintsValid = nil, false, false
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: []byte{0x30, 3, 1, 1, 0xff}}}
	})
}

// An issuer put together by hand from too little is refused and does not panic.
func TestIncompleteIssuer(t *testing.T) {
	root := newRoot(t, cba.P256)
	for _, i := range []*cba.Issuer{{}, {Certificate: root.Certificate}, {Key: root.Key}, {Certificate: root.Certificate, Key: root.Key, Chain: []*x509.Certificate{nil}, Now: clock}} {
		_, err := i.Issue(t.Context(), testKey(t, cba.P256, "jane").Public(), jane, cba.Profile{})
		wantReason(t, err, cba.Empty)
		i.Findings()
	}
}

// NewIssuer finds the way up in any order, proves every step and leaves out what
// does not belong to it.
func TestNewIssuerChain(t *testing.T) {
	root, err := cba.NewRoot(t.Context(), cba.Authority{Name: parseName(t, "CN=Root"), Key: testKey(t, cba.P256, "root")})
	if err != nil {
		t.Fatal(err)
	}
	middle, err := root.NewIntermediate(t.Context(), cba.Authority{Name: parseName(t, "CN=Middle"), Key: testKey(t, cba.P256, "middle"), PathLen: -1})
	if err != nil {
		t.Fatal(err)
	}
	low, err := middle.NewIntermediate(t.Context(), cba.Authority{Name: parseName(t, "CN=Low"), Key: testKey(t, cba.P256, "low")})
	if err != nil {
		t.Fatal(err)
	}
	forged, err := cba.NewRoot(t.Context(), cba.Authority{Name: parseName(t, "CN=Middle"), Key: testKey(t, cba.P256, "other")})
	if err != nil {
		t.Fatal(err)
	}
	i, err := cba.NewIssuer(low.Certificate, low.Key, root.Certificate, forged.Certificate, low.Certificate, nil, middle.Certificate, middle.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	if len(i.Chain) != 2 || i.Chain[0] != middle.Certificate || i.Chain[1] != root.Certificate {
		t.Errorf("chain has %d certificates", len(i.Chain))
	}
	if cas := i.CACertificates(); len(cas) != 3 || cas[0] != low.Certificate {
		t.Errorf("CA certificates: %d", len(cas))
	}
	if i, err = cba.NewIssuer(low.Certificate, low.Key, root.Certificate); err != nil || len(i.Chain) != 0 {
		t.Errorf("with a gap: %v, %v", i.Chain, err)
	}
}

func TestCheckKey(t *testing.T) {
	for kt := cba.RSA2048; kt <= cba.P521; kt++ {
		if err := cba.CheckKey(testKey(t, kt, "jane").Public()); err != nil {
			t.Errorf("%v: %v", kt, err)
		}
	}
	n := testKey(t, cba.RSA2048, "jane").Public().(*rsa.PublicKey).N
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	off := *testKey(t, cba.P256, "jane").Public().(*ecdsa.PublicKey)
	//lint:ignore SA1019 no other way leads to a point off the curve
	off.Y = new(big.Int).Add(off.Y, big.NewInt(1))
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	for _, test := range []struct {
		name string
		key  crypto.PublicKey
		want cba.Reason
	}{
		{"nil", nil, cba.Empty},
		{"nil RSA", (*rsa.PublicKey)(nil), cba.Malformed},
		{"nil ECDSA", (*ecdsa.PublicKey)(nil), cba.Malformed},
		{"zero RSA", &rsa.PublicKey{}, cba.Malformed},
		{"zero ECDSA", &ecdsa.PublicKey{}, cba.Malformed},
		{"even modulus", &rsa.PublicKey{N: new(big.Int).Sub(n, big.NewInt(1)), E: 65537}, cba.Malformed},
		{"negative modulus", &rsa.PublicKey{N: new(big.Int).Neg(n), E: 65537}, cba.Malformed},
		{"exponent 1", &rsa.PublicKey{N: n, E: 1}, cba.WeakKey},
		{"exponent 3", &rsa.PublicKey{N: n, E: 3}, cba.WeakKey},
		{"even exponent", &rsa.PublicKey{N: n, E: 65538}, cba.WeakKey},
		{"2047 bits", &rsa.PublicKey{N: new(big.Int).SetBit(new(big.Int).Rsh(n, 1), 0, 1), E: 65537}, cba.WeakKey},
		{"over 8192 bits", &rsa.PublicKey{N: new(big.Int).SetBit(new(big.Int).Lsh(n, 7000), 0, 1), E: 65537}, cba.UnsupportedKey},
		{"P-224", p224.Public(), cba.UnsupportedKey},
		{"off the curve", &off, cba.Malformed},
		{"without its point", &ecdsa.PublicKey{Curve: elliptic.P256()}, cba.Malformed},
		{"Ed25519", ed.Public(), cba.UnsupportedKey},
		{"a private key", testKey(t, cba.P256, "jane"), cba.UnsupportedKey},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantReason(t, cba.CheckKey(test.key), test.want)
			_, err := newRoot(t, cba.P256).Issue(t.Context(), test.key, jane, cba.Profile{})
			wantReason(t, err, test.want)
		})
	}
}

func TestKeyTypeText(t *testing.T) {
	n := 0
	for kt := cba.RSA2048; kt <= cba.P521; kt++ {
		text, err := kt.MarshalText()
		if err != nil || strings.Contains(string(text), "(") {
			t.Errorf("%d: %s, %v", kt, text, err)
		}
		var back cba.KeyType
		if err := back.UnmarshalText(text); err != nil || back != kt {
			t.Errorf("%s came back as %v, %v", text, back, err)
		}
		n++
	}
	if n != 6 {
		t.Errorf("%d key types", n)
	}
	var kt cba.KeyType
	for _, text := range []string{"", "rsa1024", "RSA2048", "ed25519", "KeyType(0)"} {
		wantReason(t, kt.UnmarshalText([]byte(text)), cba.Unknown)
	}
	_, err := kt.MarshalText()
	wantReason(t, err, cba.Unknown)
	_, err = kt.Generate()
	wantReason(t, err, cba.Unknown)
}

// A draft is signed once, by one of many who try, and what is signed is what was
// looked at.
func TestSignOnce(t *testing.T) {
	root := newRoot(t, cba.P256)
	draft, err := root.Prepare(testKey(t, cba.P256, "jane").Public(), jane, cba.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	if draft.Certificate.CheckSignatureFrom(root.Certificate) == nil {
		t.Error("the draft is signed already")
	}
	var wg sync.WaitGroup
	certs := make([]*x509.Certificate, 8)
	errs := make([]error, 8)
	for i := range certs {
		wg.Go(func() { certs[i], errs[i] = draft.Sign(t.Context()) })
	}
	wg.Wait()
	signed := 0
	for i, cert := range certs {
		if errs[i] != nil {
			wantReason(t, errs[i], cba.AlreadySigned)
			continue
		}
		signed++
		if !bytes.Equal(cert.RawTBSCertificate, draft.Certificate.RawTBSCertificate) {
			t.Error("other bytes were signed than were prepared")
		}
	}
	if signed != 1 {
		t.Errorf("signed %d times", signed)
	}
}

// crypto/x509, given the same fields, writes the same certificate in the same
// bytes: every extension that it knows, and with our extensions in our order the
// whole of it (the signature is PKCS #1 v1.5, which is deterministic).
func TestSameBytesAsX509(t *testing.T) {
	root := newRoot(t, cba.RSA2048)
	key := testKey(t, cba.RSA2048, "jane").Public()
	full := fullProfile()
	full.SmartcardLogon = false // crypto/x509 writes the usages that it knows first
	for _, p := range []cba.Profile{{}, full} {
		cert, err := root.Issue(t.Context(), key, fullSubject(t), p)
		if err != nil {
			t.Fatal(err)
		}
		template := *cert
		template.Extensions = nil
		made, err := x509.CreateCertificate(nil, &template, root.Certificate, key, root.Key)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := x509.ParseCertificate(made)
		if err != nil {
			t.Fatal(err)
		}
		compared := 0
		for _, e := range theirs.Extensions {
			if e.Id.Equal(sanID) {
				continue // crypto/x509 has no UPN
			}
			for _, ours := range cert.Extensions {
				if ours.Id.Equal(e.Id) {
					compared++
					if ours.Critical != e.Critical || !bytes.Equal(ours.Value, e.Value) {
						t.Errorf("extension %v\n ours %x (critical: %v)\ntheirs %x (critical: %v)", e.Id, ours.Value, ours.Critical, e.Value, e.Critical)
					}
				}
			}
		}
		if want := len(theirs.Extensions) - 1; compared != want || compared < 5 {
			t.Errorf("compared %d extensions of %d", compared, want)
		}
		template.ExtraExtensions = cert.Extensions
		again, err := x509.CreateCertificate(nil, &template, root.Certificate, key, root.Key)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(cert.Raw, again) {
			t.Errorf("crypto/x509 writes the same certificate in other bytes\nours   %x\ntheirs %x", cert.Raw, again)
		}
	}
}

// A signer that misbehaves: an HSM that fails, one that signs something else.
type oddSigner struct {
	crypto.Signer
	sign func(digest []byte, opts crypto.SignerOpts) ([]byte, error)
}

func (s oddSigner) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.sign(digest, opts)
}

func TestSignerThatMisbehaves(t *testing.T) {
	root := newRoot(t, cba.P256)
	broken := errors.New("the token was pulled")
	for name, test := range map[string]struct {
		sign func([]byte, crypto.SignerOpts) ([]byte, error)
		want cba.Reason
	}{
		"fails":         {func([]byte, crypto.SignerOpts) ([]byte, error) { return nil, broken }, cba.SignerFailed},
		"signs garbage": {func([]byte, crypto.SignerOpts) ([]byte, error) { return []byte("garbage"), nil }, cba.BadSignature},
		"signs nothing": {func([]byte, crypto.SignerOpts) ([]byte, error) { return nil, nil }, cba.BadSignature},
		"signs another hash": {func(d []byte, o crypto.SignerOpts) ([]byte, error) {
			return root.Key.Sign(rand.Reader, make([]byte, len(d)), o)
		}, cba.BadSignature},
	} {
		odd := &cba.Issuer{Certificate: root.Certificate, Key: oddSigner{root.Key, test.sign}, Now: clock}
		cert, err := odd.Issue(t.Context(), testKey(t, cba.P256, "jane").Public(), jane, cba.Profile{})
		if cert != nil {
			t.Errorf("%s: issued", name)
		}
		wantReason(t, err, test.want)
		if test.want == cba.SignerFailed && !errors.Is(err, broken) {
			t.Errorf("%s: the cause is lost: %v", name, err)
		}
	}
	// The twin: a signer that is none of ours and works.
	hsm := &cba.Issuer{Certificate: root.Certificate, Now: clock, Key: oddSigner{root.Key, func(d []byte, o crypto.SignerOpts) ([]byte, error) {
		return root.Key.Sign(rand.Reader, d, o)
	}}}
	if _, err := hsm.Issue(t.Context(), testKey(t, cba.P256, "jane").Public(), jane, cba.Profile{}); err != nil {
		t.Error(err)
	}
}

// Issue, IssueRequest and Sign refuse what Findings calls an error; SignUnfit is told
// to sign it.
func TestIssueRefusesTheUnfit(t *testing.T) {
	root := newRoot(t, cba.P256)
	s := cba.Subject{Name: parseName(t, "CN=Jane")} // no UPN, no e-mail
	pub := testKey(t, cba.P256, "jane").Public()
	cert, err := root.Issue(t.Context(), pub, s, cba.Profile{})
	wantReason(t, err, cba.Unfit)
	if e := err.(*cba.Error); cert != nil || !e.Findings.Has("cert-no-upn") || !strings.Contains(err.Error(), "no UPN") {
		t.Errorf("%v, findings %v", err, e.Findings)
	}
	cert, err = root.IssueRequest(t.Context(), newRequest(t, s), s, cba.Profile{})
	wantReason(t, err, cba.Unfit)
	if cert != nil {
		t.Error("issued for a request")
	}
	draft, err := root.Prepare(pub, s, cba.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = draft.Sign(t.Context())
	wantReason(t, err, cba.Unfit)
	// A refused draft is not used up.
	if _, err := draft.SignUnfit(t.Context()); err != nil {
		t.Error(err)
	}
}

// The caller may change its slices after Prepare.
func TestPrepareKeepsItsOwnCopies(t *testing.T) {
	root := newRoot(t, cba.P256)
	p := cba.Profile{Policies: []x509.OID{oid(t, "1.2.3")}, CRLURLs: []string{"http://a.com/"}, ExtraUsages: []x509.OID{oid(t, "1.2.3")}}
	s := cba.Subject{UPN: "a@b", Emails: []string{"a@b.com"}, Name: parseName(t, "CN=a")}
	draft, err := root.Prepare(testKey(t, cba.P256, "jane").Public(), s, p)
	if err != nil {
		t.Fatal(err)
	}
	p.Policies[0], p.CRLURLs[0], p.ExtraUsages[0], s.Emails[0], s.Name[0][0].Value = x509.OID{}, "x", x509.OID{}, "x", "x"
	if _, err := draft.Sign(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAuthorities(t *testing.T) {
	root := newRoot(t, cba.P384)
	if c := root.Certificate; !c.IsCA || c.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign || c.MaxPathLen != -1 ||
		!bytes.Equal(c.SubjectKeyId, c.AuthorityKeyId) || len(c.Policies) != 0 || c.NotAfter.Sub(now) != 3650*cba.Day || len(c.ExtKeyUsage) != 0 {
		t.Errorf("root: %+v", c)
	}
	if found := root.Findings(); len(found) != 0 {
		t.Errorf("findings about our own root: %v", found)
	}
	issuing := newIssuing(t, cba.P384)
	if c := issuing.Certificate; !c.IsCA || c.MaxPathLen != 0 || !c.MaxPathLenZero || c.NotAfter.Sub(now) != 1825*cba.Day ||
		!cmp.Equal(c.PolicyIdentifiers, []asn1.ObjectIdentifier{{2, 5, 29, 32, 0}}) {
		t.Errorf("intermediate: %+v", c)
	}
	if found := issuing.Findings(); len(found) != 0 {
		t.Errorf("findings about our own intermediate: %v", found)
	}
	if _, err := issuing.NewIntermediate(t.Context(), cba.Authority{Name: parseName(t, "CN=x")}); err == nil {
		t.Error("an intermediate of path length 0 made another")
	} else {
		wantReason(t, err, cba.NotAuthority)
	}
	// Path lengths shrink on the way down.
	one, err := root.NewIntermediate(t.Context(), cba.Authority{Name: parseName(t, "CN=1"), Key: testKey(t, cba.P256, "middle"), PathLen: 2})
	if err != nil {
		t.Fatal(err)
	}
	two, err := one.NewIntermediate(t.Context(), cba.Authority{Name: parseName(t, "CN=2"), Key: testKey(t, cba.P256, "low"), PathLen: -1})
	if err != nil || two.Certificate.MaxPathLen != 1 {
		t.Errorf("path length %d, %v", two.Certificate.MaxPathLen, err)
	}
	_, err = one.NewIntermediate(t.Context(), cba.Authority{Name: parseName(t, "CN=2"), PathLen: 2})
	wantReason(t, err, cba.NotAuthority)

	_, err = cba.NewRoot(t.Context(), cba.Authority{})
	wantReason(t, err, cba.Empty)
	_, err = cba.NewRoot(t.Context(), cba.Authority{Name: parseName(t, "CN=x"), KeyType: 99})
	wantReason(t, err, cba.Unknown)
	_, err = cba.NewRoot(t.Context(), cba.Authority{Name: parseName(t, "CN=x"), Validity: -1})
	wantReason(t, err, cba.OutOfRange)
	_, err = cba.NewRoot(t.Context(), cba.Authority{Name: dn.Name{{}}})
	wantReason(t, err, cba.Malformed)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	_, err = cba.NewRoot(t.Context(), cba.Authority{Name: parseName(t, "CN=x"), Key: ed})
	wantReason(t, err, cba.UnsupportedKey)
	made, err := cba.NewRoot(t.Context(), cba.Authority{Name: parseName(t, "CN=x"), KeyType: cba.P256})
	if err != nil || made.Certificate.PublicKeyAlgorithm != x509.ECDSA {
		t.Errorf("a root with a key of its own: %v", err)
	}
}

// pemKeys returns one key in every form that people have it in.
func pemKeys(tb testing.TB, key crypto.Signer) map[string][]byte {
	tb.Helper()
	forms := map[string][]byte{}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	forms["PKCS #8"] = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	forms["PKCS #8 in DER"] = pkcs8
	switch k := key.(type) {
	case *rsa.PrivateKey:
		forms["PKCS #1"] = pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)})
		forms["PKCS #1 in DER"] = x509.MarshalPKCS1PrivateKey(k)
	case *ecdsa.PrivateKey:
		der, err := x509.MarshalECPrivateKey(k)
		if err != nil {
			tb.Fatal(err)
		}
		forms["SEC 1"] = pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
		forms["SEC 1 in DER"] = der
		forms["SEC 1 behind its parameters"] = append([]byte("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"), forms["SEC 1"]...)
	}
	return forms
}

func TestParseIssuer(t *testing.T) {
	for _, kt := range []cba.KeyType{cba.RSA2048, cba.P256} {
		root, err := cba.NewRoot(t.Context(), cba.Authority{Name: parseName(t, "CN=Root"), Key: testKey(t, kt, "root")})
		if err != nil {
			t.Fatal(err)
		}
		i, err := root.NewIntermediate(t.Context(), cba.Authority{Name: parseName(t, "CN=Sub"), Key: testKey(t, kt, "issuing")})
		if err != nil {
			t.Fatal(err)
		}
		certs := cba.EncodeCertificates(i.Certificate, root.Certificate)
		for form, key := range pemKeys(t, i.Key) {
			inputs := map[string][][]byte{"two inputs": {certs, key}, "key first": {key, certs}, "certificates in DER": {i.Certificate.Raw, root.Certificate.Raw, key}}
			if !strings.Contains(form, "DER") {
				inputs["one input"] = [][]byte{append(bytes.Clone(key), certs...)}
				inputs["root first"] = [][]byte{append(cba.EncodeCertificates(root.Certificate, i.Certificate), key...)}
				inputs["with text"] = [][]byte{[]byte("Bag Attributes\n    localKeyID: 01\nsubject=CN = Sub\n" + string(certs)), []byte("Key Attributes: <No Attributes>\n" + string(key))}
			}
			for name, input := range inputs {
				got, err := cba.ParseIssuer(input...)
				if err != nil {
					t.Errorf("%v, %s, %s: %v", kt, form, name, err)
					continue
				}
				if !got.Certificate.Equal(i.Certificate) || len(got.Chain) != 1 || !got.Chain[0].Equal(root.Certificate) {
					t.Errorf("%v, %s, %s: another CA", kt, form, name)
				}
				if _, err := got.Issue(t.Context(), testKey(t, cba.P256, "jane").Public(), jane, cba.Profile{}); err != nil {
					t.Errorf("%v, %s, %s: %v", kt, form, name, err)
				}
			}
			if k, err := cba.ParseKey(key); err != nil || !k.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(i.Key.Public()) {
				t.Errorf("%v, %s: ParseKey: %v", kt, form, err)
			}
		}
		ours, err := cba.EncodeKey(i.Key)
		if err != nil || !bytes.Equal(ours, pemKeys(t, i.Key)["PKCS #8"]) {
			t.Errorf("EncodeKey: %v", err)
		}
	}
}

func TestParseIssuerRefused(t *testing.T) {
	root, err := cba.NewRoot(t.Context(), cba.Authority{Name: parseName(t, "CN=Root"), Key: testKey(t, cba.P256, "root")})
	if err != nil {
		t.Fatal(err)
	}
	renewed, err := cba.NewRoot(t.Context(), cba.Authority{Name: parseName(t, "CN=Root"), Key: testKey(t, cba.P256, "root")})
	if err != nil {
		t.Fatal(err)
	}
	cert, key := cba.EncodeCertificates(root.Certificate), pemKeys(t, root.Key)["PKCS #8"]
	other := pemKeys(t, testKey(t, cba.P256, "other"))["PKCS #8"]
	leaf, err := root.Issue(t.Context(), testKey(t, cba.P256, "jane").Public(), jane, cba.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	legacy := "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"
	for _, test := range []struct {
		name   string
		inputs [][]byte
		want   cba.Reason
	}{
		{"nothing", nil, cba.Missing},
		{"an empty file", [][]byte{cert, {}}, cba.Empty},
		{"certificate without key", [][]byte{cert}, cba.Missing},
		{"key without certificate", [][]byte{key}, cba.Missing},
		{"two keys", [][]byte{cert, key, other}, cba.Ambiguous},
		{"another key", [][]byte{cert, other}, cba.KeyMismatch},
		{"two certificates of the key", [][]byte{cert, cba.EncodeCertificates(renewed.Certificate), key}, cba.Ambiguous},
		{"a user's certificate", [][]byte{cba.EncodeCertificates(leaf), pemKeys(t, testKey(t, cba.P256, "jane"))["PKCS #8"]}, cba.NotAuthority},
		{"encrypted PKCS #8", [][]byte{cert, pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{0x30, 0}})}, cba.Encrypted},
		{"encrypted in the old way", [][]byte{cert, []byte(legacy)}, cba.Encrypted},
		{"garbage", [][]byte{[]byte("garbage")}, cba.Malformed},
		{"garbage in PEM", [][]byte{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("garbage")})}, cba.Malformed},
		{"a key that is garbage", [][]byte{cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("garbage")})}, cba.Malformed},
		{"PEM cut off", [][]byte{cert[:len(cert)/2], key}, cba.Malformed},
		{"over 4 MiB", [][]byte{bytes.Repeat([]byte{'a'}, 4<<20+1)}, cba.OutOfRange},
		{"something else in PEM", [][]byte{pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: []byte{0x30, 0}})}, cba.Missing},
	} {
		t.Run(test.name, func(t *testing.T) {
			i, err := cba.ParseIssuer(test.inputs...)
			if i != nil {
				t.Error("an issuer beside the error")
			}
			wantReason(t, err, test.want)
		})
	}
	// The same certificate twice is one.
	if _, err := cba.ParseIssuer(cert, cert, key); err != nil {
		t.Error(err)
	}
	certs, err := cba.ParseCertificates(append(bytes.Clone(cert), cba.EncodeCertificates(leaf)...))
	if err != nil || len(certs) != 2 || !certs[1].Equal(leaf) {
		t.Errorf("%d certificates, %v", len(certs), err)
	}
	_, err = cba.ParseCertificates(key)
	wantReason(t, err, cba.Missing)
	_, err = cba.EncodeKey(oddSigner{Signer: root.Key})
	wantReason(t, err, cba.UnsupportedKey)
}

// No error says a private key, in any of its forms.
func TestErrorsHoldNoKey(t *testing.T) {
	key := testKey(t, cba.P256, "root").(*ecdsa.PrivateKey)
	d, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	secrets := [][]byte{d, []byte(fmt.Sprintf("%x", d)), []byte(fmt.Sprintf("%X", d)), []byte(new(big.Int).SetBytes(d).String())}
	checked := 0
	check := func(err error) {
		t.Helper()
		if err == nil {
			t.Fatal("no error to look at")
		}
		checked++
		for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
			for _, secret := range secrets {
				if bytes.Contains([]byte(text), secret) {
					t.Errorf("the key stands in %q", text)
				}
			}
		}
	}
	for _, form := range pemKeys(t, key) {
		secrets = append(secrets, bytes.TrimSpace(form))
		for _, n := range []int{len(form) / 2, len(form) - 3} {
			_, err := cba.ParseKey(form[:n])
			check(err)
		}
		_, err := cba.ParseIssuer(form)
		check(err)
		_, err = cba.ParseRequest(form)
		check(err)
		_, err = cba.ParseCertificates(form)
		check(err)
	}
	root := newRoot(t, cba.P256)
	check((cba.CheckKey(key)))
	_, err = root.Issue(t.Context(), key, jane, cba.Profile{}) // the private key where the public one belongs
	check(err)
	_, err = cba.EncodeKey(oddSigner{Signer: key})
	check(err)
	if checked < 20 {
		t.Errorf("looked at %d errors", checked)
	}
}

func TestParseOID(t *testing.T) {
	oid, err := cba.ParseOID("1.3.6.1.4.1.311.20.2.2")
	if err != nil || !oid.EqualASN1OID(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 2}) {
		t.Errorf("%v, %v", oid, err)
	}
	for _, text := range []string{"", "1", "All Issuance Policies", "1.2.", ".1.2", "1..2", "3.1", "1.40", "-1.2", "1.2.+3", "1.02", "1.2.2147483648", "2.25.329800735698586629295641978511506172918", " 1.2.3"} {
		_, err := cba.ParseOID(text)
		if err == nil {
			t.Errorf("read %q", text)
			continue
		}
		wantReason(t, err, cba.Malformed)
	}
}

// Every reason is a text that is stable, says itself in words, and is found by
// errors.Is beneath other errors.
func TestReasons(t *testing.T) {
	for reason, want := range map[cba.Reason]string{
		cba.WeakKey: "cba: weak key", cba.NotAuthority: "cba: not a ca", cba.Empty: "cba: empty", "": "cba: unset",
	} {
		if got := reason.Error(); got != want {
			t.Errorf("%q says %q, want %q", string(reason), got, want)
		}
	}
	err := fmt.Errorf("user 7: %w", cba.CheckKey(nil))
	if !errors.Is(err, cba.Empty) || errors.Is(err, cba.WeakKey) || errors.Is(&cba.Error{}, cba.Empty) {
		t.Errorf("%v is not found by its reason", err)
	}
	if text, err := json.Marshal(cba.WeakKey); err != nil || string(text) != `"weak-key"` {
		t.Errorf("%s, %v", text, err)
	}
	long := &cba.Error{Reason: cba.Malformed, What: "UPN", Text: strings.Repeat("x", 5000)}
	if len(long.Error()) > 300 {
		t.Errorf("error of %d bytes", len(long.Error()))
	}
}

// What a service stores as JSON comes back as it was.
func TestJSONRoundTrip(t *testing.T) {
	type stored struct {
		Subject cba.Subject
		Profile cba.Profile
		KeyType cba.KeyType
	}
	for _, form := range []cba.SIDForm{0, cba.SIDAsExtension, cba.SIDAsURI, cba.SIDAsBoth} {
		in := stored{fullSubject(t), fullProfile(), cba.P384}
		in.Profile.SIDForm = form
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		var out stored
		if err := json.Unmarshal(text, &out); err != nil {
			t.Fatalf("%v: %v", form, err)
		}
		if diff := cmp.Diff(in, out, cmp.AllowUnexported(cba.SID{})); diff != "" {
			t.Errorf("%v (-want +got):\n%s", form, diff)
		}
	}
	var p cba.Profile
	err := json.Unmarshal([]byte(`{"SIDForm":"URI"}`), &p)
	if !errors.Is(err, cba.Unknown) {
		t.Errorf("an unknown form: %v", err)
	}
	if _, err := json.Marshal(cba.Profile{SIDForm: 9}); err == nil {
		t.Error("an unknown form was written")
	}
}
