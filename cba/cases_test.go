package cba_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/san"
	"example.com/entracba/cba/lint"
)

func caseCertificates(tb testing.TB, name string) []*x509.Certificate {
	tb.Helper()
	data, err := os.ReadFile("testdata/cases/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	list, err := cba.ParseCertificates(data)
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return list
}

// withNames is a user's certificate with these alternative names.
func withNames(tb testing.TB, names ...san.Name) *x509.Certificate {
	tb.Helper()
	value, err := san.Marshal(names)
	if err != nil {
		tb.Fatal(err)
	}
	return withTemplate(tb, &x509.Certificate{ExtraExtensions: []pkix.Extension{{Id: sanID, Value: value}}})
}

func withTemplate(tb testing.TB, template *x509.Certificate) *x509.Certificate {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(1<<62), time.Unix(1.7e9, 0), time.Unix(1.73e9, 0)
	if template.Subject.String() == "" {
		template.Subject.CommonName = "Jane"
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, &x509.Certificate{Subject: pkix.Name{CommonName: "CA"}}, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	list, err := cba.ParseCertificates(raw)
	if err != nil {
		tb.Fatal(err)
	}
	return list[0]
}

// Certificates that people have, and what is said about them.
func TestCertificatesOfPeople(t *testing.T) {
	one := func(name string) *x509.Certificate { return caseCertificates(t, name)[0] }
	upn := func(text string) *x509.Certificate { return withNames(t, san.Name{Kind: san.UPN, Value: text}) }
	uri := func(text string) *x509.Certificate {
		return withNames(t, san.Name{Kind: san.UPN, Value: "jane@contoso.com"}, san.Name{Kind: san.URI, Value: text})
	}
	crl := func(text string) *x509.Certificate {
		return withTemplate(t, &x509.Certificate{CRLDistributionPoints: []string{text}})
	}
	email := func(texts ...string) *x509.Certificate {
		var names []san.Name
		for _, text := range texts {
			names = append(names, san.Name{Kind: san.Email, Value: text})
		}
		return withNames(t, names...)
	}
	old := bytes.Clone(upn("jane@contoso.com").Raw)
	old[bytes.Index(old, []byte("\xa0\x03\x02\x01\x02"))+4] = 1
	versionTwo, err := cba.ParseCertificates(old)
	if err != nil {
		t.Fatal(err)
	}
	if id, err := certuserid.FromCertificate(versionTwo[0], certuserid.PrincipalName); err != nil || id.String() != "X509:<PN>jane@contoso.com" {
		t.Errorf("version 2: %v, %v", id, err)
	}
	sidName := san.Name{Kind: san.Other, Raw: append([]byte("\xa0\x20\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x19\x02\x01\xa0\x12\x04\x10"), "S-1-5-21-1-2-3-4"...)}
	for _, c := range []struct {
		name string
		cert *x509.Certificate
		code string // the finding, "" for none of those below
		says string
	}{
		{"negative-serial.cer", one("negative-serial.cer"), "cert-not-strict", "negative serial"},
		{"negative-serial.pem", one("negative-serial.pem"), "cert-not-strict", "negative serial"},
		{"negative-serial.cer", one("negative-serial.cer"), "cert-serial", "not positive"},
		{"cn-printablestring-with-at.cer", one("cn-printablestring-with-at.cer"), "cert-not-strict", "PrintableString"},
		{"ca-nc-rfc822-at-domain.cer", one("ca-nc-rfc822-at-domain.cer"), "cert-not-strict", ""},
		{"san-uri-unresolved-template.cer", one("san-uri-unresolved-template.cer"), "cert-template", "{{DeviceId}}"},
		{"upn-with-cn-prefix.cer", one("upn-with-cn-prefix.cer"), "cert-upn-label", "CN=jane"},
		{"sid-extension-utf8string.cer", one("sid-extension-utf8string.cer"), "cert-sid-unreadable", "a UTF8String, not in an OCTET STRING"},

		{"a UPN with another label", upn("UPN=jane@contoso.com"), "cert-upn-label", "UPN="},
		{"a UPN with a label and a blank", upn("E: jane@contoso.com"), "cert-upn-label", ""},
		{"a UPN with what Windows shows", upn("Principal Name=jane@contoso.com"), "cert-upn-label", ""},
		{"a UPN that is a variable of Intune", upn("{{UserPrincipalName}}"), "cert-upn-template", "{{UserPrincipalName}}"},
		{"a UPN that is a variable of Windows", upn("%USERNAME%@contoso.com"), "cert-upn-template", ""},
		{"a UPN that is a variable of a shell", upn("${user}@contoso.com"), "cert-upn-template", ""},
		{"a URI with a variable of a CA", uri("http://pki.contoso.com/<CAName>.crl"), "cert-template", "<CAName>"},
		{"a CRL URL with a variable of a CA", crl("http://pki.contoso.com/<CAName><CRLNameSuffix>.crl"), "cert-template", "<CAName>"},
		{"a CRL URL with a space", crl("http://pki.contoso.com/Contoso CA.crl"), "cert-crl-url-space", "Contoso CA"},
		{"a subject with a variable", withTemplate(t, &x509.Certificate{Subject: pkix.Name{CommonName: "{{FullName}}"}}), "cert-template", "{{FullName}}"},
		{"two e-mail addresses", email("jane@contoso.com", "jane@fabrikam.com"), "cert-many-emails", "2 e-mail"},
		{"a list of addresses in one", email("jane@contoso.com,admin@contoso.com"), "cert-email-text", ","},
		{"an address with its name", email("Jane <jane@contoso.com>"), "cert-email-text", ""},
		{"a zero byte in an address", email("admin@contoso.com\x00.fabrikam.com"), "cert-control-character", "U+0000"},
		{"a line end in a URI", uri("http://contoso.com/\r\nx"), "cert-control-character", "U+000D"},
		{"a line separator in a subject", withTemplate(t, &x509.Certificate{Subject: pkix.Name{CommonName: "Jane\u2028Admin"}}), "cert-control-character", "U+2028"},
		{"a zero byte in a UPN", upn("admin@contoso.com\x00.fabrikam.com"), "cert-upn-text", ""},
		{"a line separator in a UPN", upn("jane\u2029@contoso.com"), "cert-upn-text", ""},
		{"a letter no UPN has", upn("zoë@contoso.com"), "cert-upn-impossible", "'ë'"},
		{"a slash", upn("jane/admin@contoso.com"), "cert-upn-impossible", "'/'"},
		{"two @", upn("jane@x@contoso.com"), "cert-upn-impossible", "'@'"},
		{"a dot before the @", upn("jane.@contoso.com"), "cert-upn-impossible", "dot"},
		{"65 characters", upn(strings.Repeat("x", 65) + "@contoso.com"), "cert-upn-impossible", "65"},
		{"a SID as otherName", withNames(t, san.Name{Kind: san.UPN, Value: "jane@contoso.com"}, sidName), "cert-sid-unreadable", "otherName of the subjectAltName"},
		{"version 2 with a UPN", versionTwo[0], "cert-old-version", "is 2"},
		{"every character that a UPN may have", upn("Jane.O'Brien-_!#^~9@contoso.com"), "", ""},
	} {
		findings := cba.Findings([]*x509.Certificate{c.cert}, cba.FindingsOptions{})
		i := slices.IndexFunc(findings, func(f lint.Finding) bool { return f.Code == c.code })
		switch {
		case c.code == "":
			for _, f := range findings {
				if strings.HasPrefix(f.Code, "cert-upn") {
					t.Errorf("%s: %v", c.name, f)
				}
			}
		case i < 0:
			t.Errorf("%s: no %s among %v", c.name, c.code, codes(findings))
		case !strings.Contains(findings[i].What, c.says):
			t.Errorf("%s: %v does not say %q", c.name, findings[i], c.says)
		}
		for _, f := range findings { // an error shows What alone: it says what is wrong, not only where
			if strings.HasPrefix(f.What, `"`) && strings.Count(f.What, `"`) == 2 && strings.HasSuffix(f.What, `"`) {
				t.Errorf("%s: %v says nothing but the value", c.name, f)
			}
		}
	}

	// What RFC 5280 wants critical is no error, and no advice against it.
	for _, name := range []string{"critical-san-upn-only-empty-subject.cer", "ca-critical-name-constraints-upn.cer"} {
		if findings := cba.Findings([]*x509.Certificate{one(name)}, cba.FindingsOptions{}); findings.Has("cert-unknown-critical") {
			t.Errorf("%s: %v", name, findings)
		}
	}
	other := withTemplate(t, &x509.Certificate{ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}})
	if !cba.Findings([]*x509.Certificate{other}, cba.FindingsOptions{}).Has("cert-unknown-critical") {
		t.Error("a critical extension that nobody knows has no finding")
	}

	// The refused ones have names and ids.
	for _, name := range []string{"negative-serial.cer", "cn-printablestring-with-at.cer"} {
		cert := one(name)
		names, err := cba.NamesOf(cert)
		if err != nil || !slices.Equal(names.UPNs, []string{"jane@contoso.com"}) {
			t.Errorf("%s: %v, %v", name, names, err)
		}
		if ids := certuserid.All(cert); len(ids) < 6 {
			t.Errorf("%s: only %v", name, ids)
		}
		if !errors.Is(cba.Refused(cert), cba.Unreadable) || !strings.Contains(cba.Refused(cert).Error(), dn.Show(cert.RawSubject)) {
			t.Errorf("%s: %v", name, cba.Refused(cert))
		}
	}
	if id, err := certuserid.FromCertificate(one("negative-serial.cer"), certuserid.IssuerAndSerialNumber); err != nil || id.Value() == "" {
		t.Errorf("serial number: %v, %v", id, err)
	}
}

// A CA whose signature costs too much to verify is not asked.
func TestHugeKeys(t *testing.T) {
	chain := caseCertificates(t, "chain-rsa-65536-ca.pem")
	start := time.Now()
	findings := cba.Findings(chain, cba.FindingsOptions{})
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("it took %v", d)
	}
	if !findings.Has("cert-key-type") {
		t.Errorf("65,536 bits: %v", findings)
	}
}

// Keys that everybody can compute.
func TestWeakModuli(t *testing.T) {
	// The prime of the 2048-bit group of RFC 3526, section 3: to find one takes seconds.
	prime, _ := new(big.Int).SetString("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"+
		"EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F2411"+
		"7C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D"+
		"670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF69558171839954"+
		"97CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF", 16)
	if prime.BitLen() != 2048 || !prime.ProbablyPrime(0) {
		t.Fatal("it is not the prime")
	}
	good := testKey(t, cba.RSA2048, "jane").Public().(*rsa.PublicKey)
	even := new(big.Int).Lsh(good.N, 1)
	for name, c := range map[string]struct {
		n    *big.Int
		want error
	}{"prime": {prime, cba.WeakKey}, "even": {even, cba.Malformed}, "good": {good.N, nil}} {
		err := cba.CheckKey(&rsa.PublicKey{N: c.n, E: 65537})
		if (c.want == nil) != (err == nil) || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A user does not get a certificate for the key of a CA.
func TestKeyOfCA(t *testing.T) {
	root := newRoot(t, cba.P256)
	_, err := root.Issue(t.Context(), root.Key.Public(), jane, cba.Profile{})
	if !errors.Is(err, cba.NotPermitted) {
		t.Errorf("issued for the CA's key: %v", err)
	}
	made := func(pub crypto.PublicKey, ski []byte) *x509.Certificate {
		raw, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), SubjectKeyId: ski,
			Subject: pkix.Name{CommonName: "jane"}, NotAfter: time.Now().Add(time.Hour)}, root.Certificate, pub, root.Key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(raw)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	chain := func(c *x509.Certificate) lint.Findings {
		return cba.Findings([]*x509.Certificate{c, root.Certificate}, cba.FindingsOptions{})
	}
	if f := chain(made(root.Key.Public(), nil)); !f.Has("cert-ca-key") {
		t.Errorf("the CA's key: %v", f)
	}
	user := testKey(t, cba.P256, "jane").Public()
	if f := chain(made(user, root.Certificate.SubjectKeyId)); !f.Has("cert-ski-of-issuer") || f.Has("cert-ca-key") {
		t.Errorf("the CA's key identifier: %v", f)
	}
}

// Names that attack or mislead are refused when issuing.
func TestIssueRefusesNames(t *testing.T) {
	root := newRoot(t, cba.P256)
	key := testKey(t, cba.P256, "jane").Public()
	cn := func(text string) dn.Name { return dn.Name{{{Type: dn.CommonName, Value: text}}} }
	for name, s := range map[string]cba.Subject{
		"zero byte in UPN":          {UPN: "admin@contoso.com\x00.evil.com"},
		"line separator in UPN":     {UPN: "jane\u2028@contoso.com"},
		"label in UPN":              {UPN: "CN=jane@contoso.com"},
		"template in UPN":           {UPN: "{{UserPrincipalName}}"},
		"comma in e-mail":           {Emails: []string{"jane@contoso.com,admin@contoso.com"}},
		"name in e-mail":            {Emails: []string{"\"Jane\"<jane@contoso.com>"}},
		"zero byte in e-mail":       {Emails: []string{"jane@contoso.com\x00"}},
		"control character in name": {UPN: "jane@contoso.com", Name: cn("Jane\x07")},
		"line separator in name":    {UPN: "jane@contoso.com", Name: cn("Jane\u2029Admin")},
		"line end in URI":           {UPN: "jane@contoso.com", URIs: []string{"http://contoso.com/\nx"}},
	} {
		if _, err := root.Issue(t.Context(), key, s, cba.Profile{}); err == nil {
			t.Errorf("%s: issued", name)
		}
	}
	_, err := root.Issue(t.Context(), key, cba.Subject{Emails: []string{"zoë@contoso.com"}}, cba.Profile{})
	if !errors.Is(err, cba.NotASCII) || strings.Contains(err.Error(), "xn--") {
		t.Errorf("a letter before the @: %v", err)
	}
	_, err = root.Issue(t.Context(), key, cba.Subject{Emails: []string{"zoe@zoë.com"}}, cba.Profile{})
	if !errors.Is(err, cba.NotASCII) || !strings.Contains(err.Error(), "xn--") {
		t.Errorf("a letter in the domain: %v", err)
	}
}

// OpenSSL verifies a request without attributes.
func TestRequestWithoutAttributes(t *testing.T) {
	data, err := os.ReadFile("testdata/cases/csr-without-attributes.csr")
	if err != nil {
		t.Fatal(err)
	}
	for name, at := range map[string]int{"name": 80, "key": 150, "signature": len(data) - 2} {
		bad := slices.Clone(data)
		bad[at] ^= 1
		if _, err := cba.ParseRequest(bad); err == nil {
			t.Errorf("%s changed: read", name)
		}
	}
	r, err := cba.ParseRequest(data)
	if err != nil || r.Name.String() == "" || len(r.DER) != len(data) {
		t.Errorf("%v", err)
	}
}
