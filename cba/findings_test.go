package cba_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/lint"
	"github.com/google/go-cmp/cmp"
)

// An odd certificate is made by crypto/x509 from a good one and a change to it.
type odd struct {
	template x509.Certificate
	key      crypto.Signer // the certificate's own
}

// goodUser is a template without findings.
func goodUser(tb testing.TB) odd {
	return odd{
		template: x509.Certificate{
			SerialNumber: new(big.Int).Lsh(big.NewInt(77), 100),
			Subject:      pkix.Name{CommonName: "Jane"},
			NotBefore:    now.Add(-time.Hour), NotAfter: now.Add(365 * 24 * time.Hour),
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
			SubjectKeyId: []byte{1, 2, 3}, CRLDistributionPoints: []string{"http://crl.contoso.com/ca.crl"},
			ExtraExtensions: sanOf(tb, upnFoo),
		},
		key: testKey(tb, cba.P256, "jane"),
	}
}

func (o odd) sign(tb testing.TB, ca *x509.Certificate, caKey crypto.Signer) *x509.Certificate {
	tb.Helper()
	der, err := x509.CreateCertificate(rand.Reader, &o.template, ca, o.key.Public(), caKey)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return cert
}

func codes(found lint.Findings) []string {
	list := []string{}
	for _, f := range found {
		list = append(list, f.Code)
	}
	return list
}

// upnName is a UPN as a hexadecimal GeneralName.
func upnName(tb testing.TB, upn string) string {
	tb.Helper()
	wrap := func(tag int, class int, content []byte) []byte {
		der, err := asn1.Marshal(asn1.RawValue{Class: class, Tag: tag, IsCompound: class != 0, Bytes: content})
		if err != nil {
			tb.Fatal(err)
		}
		return der
	}
	value := wrap(0, asn1.ClassContextSpecific, wrap(asn1.TagUTF8String, 0, []byte(upn)))
	oid := unhex(tb, "060a 2b060104018237140203")
	const digits = "0123456789abcdef"
	var text []byte
	for _, b := range wrap(0, asn1.ClassContextSpecific, append(oid, value...)) {
		text = append(text, digits[b>>4], digits[b&15])
	}
	return string(text)
}

// otherUPN is an otherName of the UPN's type with this value, both hexadecimal.
func otherUPN(tb testing.TB, value string) string {
	tb.Helper()
	wrap := func(content string) string { return fmt.Sprintf("a0%02x%s", len(unhex(tb, content)), content) }
	return wrap("060a2b060104018237140203" + wrap(value))
}

func utf16Hex(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, "00%02x", text[i])
	}
	return b.String()
}

// mailName and uriName are hexadecimal GeneralNames.
func mailName(text string) string { return fmt.Sprintf("81%02x%s", len(text), hexOf(text)) }
func uriName(text string) string  { return fmt.Sprintf("86%02x%s", len(text), hexOf(text)) }

// Every finding about a user's certificate: each case is a good certificate with
// one thing changed, and has the findings that belong to it and no other.
func TestCheckUser(t *testing.T) {
	root := newRoot(t, cba.P256)
	var weak *rsa.PrivateKey
	var err error
	fips140.WithoutEnforcement(func() { weak, err = rsa.GenerateKey(rand.Reader, 1024) })
	if err != nil {
		t.Fatal(err)
	}
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	sid := func(text string) pkix.Extension { return parseSID(t, text).Extension() }
	sidURIName := func(text string) string {
		uri := "tag:microsoft.com,2022-09-14:sid:" + text
		return "86" + string("0123456789abcdef"[len(uri)>>4]) + string("0123456789abcdef"[len(uri)&15]) + hexOf(uri)
	}
	names := func(list ...string) func(*odd) {
		return func(o *odd) { o.template.ExtraExtensions = sanOf(t, list...) }
	}
	mail := pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: "jane@contoso.com"}
	extra := func(arc int, value string) func(*odd) {
		return func(o *odd) {
			o.template.ExtraExtensions = append(o.template.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, arc}, Critical: arc == 15, Value: unhex(t, value)})
		}
	}
	for _, test := range []struct {
		name   string
		change func(*odd)
		want   []string
	}{
		{"good", func(*odd) {}, nil},
		{"no names", func(o *odd) { o.template.ExtraExtensions = nil }, []string{"cert-no-upn"}},
		{"an otherName that is none", names("a003 020105"), []string{"cert-names-unreadable"}},
		{"no UPN and no e-mail", names(dns), []string{"cert-no-upn"}},
		{"e-mail alone", names(email), []string{"cert-only-email"}},
		{"e-mail in the subject alone", func(o *odd) {
			o.template.ExtraExtensions = nil
			o.template.Subject.ExtraNames = []pkix.AttributeTypeAndValue{mail}
		}, []string{"cert-no-upn", "cert-email-in-subject"}},
		{"UPN, and e-mail in the subject", func(o *odd) { o.template.Subject.ExtraNames = []pkix.AttributeTypeAndValue{mail} }, []string{"cert-email-in-subject"}},
		{"e-mail in both places", func(o *odd) {
			names(upnFoo, email)(o)
			o.template.Subject.ExtraNames = []pkix.AttributeTypeAndValue{mail}
		}, nil},
		{"two UPNs", names(upnFoo, upnName(t, "a@b")), []string{"cert-many-upns"}},
		{"the same UPN twice", names(upnFoo, upnFoo), []string{"cert-many-upns", "cert-duplicate-name"}},
		{"the same e-mail twice, in another case", names(upnFoo, email, "810b 464f4f406261722e636f6d"), []string{"cert-duplicate-name"}},
		{"UPN as IA5String", names(upnIA5, email), []string{"cert-only-email", "cert-upn-not-utf8string"}},
		{"UPN as BMPString", names(otherUPN(t, "1e16"+utf16Hex("foo@bar.com"))), []string{"cert-no-upn", "cert-upn-not-utf8string"}},
		{"UPN as PrintableString", names(otherUPN(t, "130b"+hexOf("foo@bar.com"))), []string{"cert-no-upn", "cert-upn-not-utf8string"}},
		{"UPN as bytes", names(otherUPN(t, hexOf("foo@bar.com"))), []string{"cert-no-upn", "cert-upn-not-utf8string"}},
		{"UPN in ISO 8859-1", names(otherUPN(t, "0c04"+"6be94062")), []string{"cert-no-upn", "cert-upn-not-utf8string"}},
		{"variable of Workspace ONE", names(upnName(t, "{EmailAddress}")), []string{"cert-upn-template", "cert-upn-other"}},
		{"variable of Jamf", names(upnName(t, "$EMAIL")), []string{"cert-upn-template", "cert-upn-other"}},
		{"variable of Jamf, with a domain", names(upnName(t, "$USERNAME@contoso.com")), []string{"cert-upn-template", "cert-upn-other"}},
		{"variable of SCEPman", names(upnName(t, "%{upn}")), []string{"cert-upn-template", "cert-upn-other"}},
		{"e-mail with a label", names(upnFoo, mailName("mailto:jane@contoso.com")), []string{"cert-email-text"}},
		{"e-mail of a proxy address", names(upnFoo, mailName("SMTP:jane@contoso.com")), []string{"cert-email-text"}},
		{"e-mail without @", names(upnFoo, mailName("jane")), []string{"cert-email-text"}},
		{"e-mail with a dot behind", names(upnFoo, mailName("jane@contoso.com.")), []string{"cert-email-text"}},
		{"SID URI with another tag", names(upnFoo, uriName("tag:microsoft.com,2022-09-14:SID:"+sidText)), []string{"cert-sid-unreadable"}},
		{"SID in another URI", names(upnFoo, uriName("https://contoso.com/"+sidText)), []string{"cert-sid-unreadable"}},
		{"a subject that runs backwards", func(o *odd) { o.template.Subject.CommonName = "\u202eenaJ" }, []string{"cert-control-character"}},
		{"a key usage of no bits", extra(15, "030100"), []string{"cert-no-digital-signature"}},
		{"a key usage of no bit that is known", extra(15, "0303030008"), []string{"cert-no-digital-signature"}},
		{"an extended key usage of none", extra(37, "3000"), []string{"cert-no-client-auth"}},
		{"without end", func(o *odd) { o.template.NotAfter = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) }, []string{"cert-validity-long", "cert-outlives-ca"}},
		{"hundreds of years", func(o *odd) { o.template.NotAfter = time.Date(2900, 1, 1, 0, 0, 0, 0, time.UTC) }, []string{"cert-validity-long", "cert-outlives-ca"}},
		{"ends before it begins", func(o *odd) { o.template.NotAfter = o.template.NotBefore.Add(-cba.Day) }, []string{"cert-expired", "cert-validity-short"}},
		{"empty UPN", names(upnEmpty), []string{"cert-upn-text", "cert-upn-other"}},
		{"UPN with a line end", names(upnName(t, "foo@bar.com\n")), []string{"cert-upn-text", "cert-upn-other"}},
		{"UPN with a blank in front", names(upnName(t, " foo@bar.com")), []string{"cert-upn-space", "cert-upn-other"}},
		{"UPN with a blank behind", names(upnName(t, "foo@bar.com\u00a0")), []string{"cert-upn-space", "cert-upn-other"}},
		{"UPN with a zero-width space", names(upnName(t, "foo\u200b@bar.com")), []string{"cert-upn-invisible", "cert-upn-other"}},
		{"UPN without @", names(upnName(t, "foo")), []string{"cert-upn-no-at", "cert-upn-other"}},
		{"UPN in another case", names(upnName(t, "Foo@bar.com")), []string{"cert-upn-case"}},
		{"another UPN", names(upnName(t, "admin@bar.com")), []string{"cert-upn-other"}},
		{"UPN too long for certificateUserIds", names(upnName(t, strings.Repeat("a", 1015)+"@")), []string{"cert-upn-impossible", "cert-upn-other", "cert-name-too-long"}},
		{"UPN just not too long", names(upnName(t, strings.Repeat("ä", 1014)+"@")), []string{"cert-upn-impossible", "cert-upn-other"}},
		{"FASC-N and PKINIT name", names(fascN, upnFoo, krb5), []string{"cert-ignored-name", "cert-ignored-name"}},
		{"SID", func(o *odd) { o.template.ExtraExtensions = append(o.template.ExtraExtensions, sid(sidText)) }, nil},
		{"SID in both forms", func(o *odd) {
			o.template.ExtraExtensions = append(sanOf(t, upnFoo, sidURIName(sidText)), sid(sidText))
		}, nil},
		{"SIDs that differ", func(o *odd) {
			o.template.ExtraExtensions = append(sanOf(t, upnFoo, sidURIName("S-1-5-21-1-2-3-500")), sid(sidText))
		}, []string{"cert-sid-mismatch"}},
		{"two SID URIs that differ", names(upnFoo, sidURIName("S-1-5-21-1-2-3-500"), sidURIName("S-1-5-21-1-2-3-501")), []string{"cert-sid-mismatch"}},
		{"SID URI of nonsense", names(upnFoo, sidURIName("S-1-5-x")), []string{"cert-sid-unreadable"}},
		{"SID extension of nonsense", func(o *odd) {
			o.template.ExtraExtensions = append(o.template.ExtraExtensions, pkix.Extension{Id: sidID, Value: []byte{0x30, 0}})
		}, []string{"cert-sid-unreadable"}},
		{"no extended key usage", func(o *odd) { o.template.ExtKeyUsage = nil }, []string{"cert-no-usage"}},
		{"any usage", func(o *odd) { o.template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }, []string{"cert-any-usage"}},
		{"server certificate", func(o *odd) { o.template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, []string{"cert-no-client-auth"}},
		{"smart card logon alone", func(o *odd) {
			o.template.ExtKeyUsage = nil
			o.template.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1, 311, 20, 2, 2}}
		}, []string{"cert-no-client-auth"}},
		{"encryption alone", func(o *odd) { o.template.KeyUsage = x509.KeyUsageKeyEncipherment }, []string{"cert-no-digital-signature"}},
		{"no key usage", func(o *odd) { o.template.KeyUsage = 0 }, nil},
		{"key usage not critical", func(o *odd) {
			o.template.KeyUsage = 0
			o.template.ExtraExtensions = append(o.template.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Value: []byte{3, 2, 7, 0x80}})
		}, []string{"cert-key-usage-not-critical"}},
		{"a CA's certificate", func(o *odd) { o.template.IsCA, o.template.BasicConstraintsValid = true, true }, []string{"cert-is-ca"}},
		{"a critical extension that nobody knows", func(o *odd) {
			o.template.ExtraExtensions = append(o.template.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}})
		}, []string{"cert-unknown-critical"}},
		{"six policies", func(o *odd) {
			for i := range uint64(6) {
				oid, err := x509.OIDFromInts([]uint64{1, 2, 3, i})
				if err != nil {
					t.Fatal(err)
				}
				o.template.Policies = append(o.template.Policies, oid)
			}
		}, []string{"cert-many-policies"}},
		{"RSA of 1024 bits", func(o *odd) { o.key = weak }, []string{"cert-weak-key"}},
		{"Ed25519", func(o *odd) { o.key = ed }, []string{"cert-key-type"}},
		{"no CRL URL", func(o *odd) { o.template.CRLDistributionPoints = nil }, []string{"cert-no-crl-url"}},
		{"https CRL URL", func(o *odd) { o.template.CRLDistributionPoints = []string{"https://crl.contoso.com/ca.crl"} }, []string{"cert-crl-url"}},
		{"ldap CRL URL", func(o *odd) { o.template.CRLDistributionPoints = []string{"ldap:///CN=ca"} }, []string{"cert-crl-url"}},
		{"ldap beside http", func(o *odd) {
			o.template.CRLDistributionPoints = []string{"ldap:///CN=ca", "HTTP://crl.contoso.com/ca.crl"}
		}, []string{"cert-crl-url"}},
		{"serial number of 32 bits", func(o *odd) { o.template.SerialNumber = big.NewInt(1 << 31) }, []string{"cert-serial"}},
		{"serial number of 21 octets", func(o *odd) { o.template.SerialNumber = new(big.Int).Lsh(big.NewInt(1), 159) }, []string{"cert-serial"}},
		{"serial number of 20 octets", func(o *odd) { o.template.SerialNumber = new(big.Int).Lsh(big.NewInt(1), 158) }, nil},
		{"four days", func(o *odd) { o.template.NotAfter = o.template.NotBefore.Add(4 * cba.Day) }, []string{"cert-validity-short"}},
		{"five days", func(o *odd) { o.template.NotAfter = o.template.NotBefore.Add(5*cba.Day - time.Second) }, nil},
		{"24 months", func(o *odd) { o.template.NotAfter = o.template.NotBefore.AddDate(2, 0, 0) }, nil},
		{"25 months", func(o *odd) { o.template.NotAfter = o.template.NotBefore.AddDate(2, 1, 0) }, []string{"cert-validity-long"}},
		{"expired", func(o *odd) { o.template.NotBefore, o.template.NotAfter = now.Add(-30*cba.Day), now.Add(-time.Second) }, []string{"cert-expired"}},
		{"expires now", func(o *odd) { o.template.NotBefore, o.template.NotAfter = now.Add(-30*cba.Day), now }, nil},
		{"not yet valid", func(o *odd) { o.template.NotBefore = now.Add(time.Second) }, []string{"cert-not-yet-valid"}},
		{"no SKI", func(o *odd) { o.template.SubjectKeyId = nil }, []string{"cert-no-ski"}},
		{"no subject", func(o *odd) { o.template.Subject = pkix.Name{} }, []string{"cert-no-subject"}},
		{"common name of 65 characters", func(o *odd) { o.template.Subject.CommonName = strings.Repeat("ä", 65) }, []string{"cert-cn-too-long"}},
		{"domain behind the name", func(o *odd) {
			o.template.RawSubject = der(t, dn.Name{{{Type: dn.CommonName, Value: "Jane"}}, {{Type: dn.DomainComponent, Value: "contoso"}}, {{Type: dn.DomainComponent, Value: "com"}}})
		}, []string{"cert-subject-reversed"}},
		{"country behind the name", func(o *odd) {
			o.template.RawSubject = der(t, dn.Name{{{Type: dn.CommonName, Value: "Jane"}}, {{Type: dn.Organization, Value: "Contoso"}}, {{Type: dn.Country, Value: "DE"}}})
		}, []string{"cert-subject-reversed"}},
		{"country in front of domain and name", func(o *odd) {
			o.template.RawSubject = der(t, dn.Name{{{Type: dn.Country, Value: "DE"}}, {{Type: dn.DomainComponent, Value: "contoso"}}, {{Type: dn.CommonName, Value: "Jane"}}})
		}, nil},
		{"domains alone", func(o *odd) {
			o.template.RawSubject = der(t, dn.Name{{{Type: dn.DomainComponent, Value: "com"}}, {{Type: dn.DomainComponent, Value: "contoso"}}})
		}, nil},
		{"comma in the subject", func(o *odd) { o.template.Subject.CommonName = "Doe, Jane" }, []string{"cert-name-quoted"}},
		{"two values in one part", func(o *odd) {
			o.template.RawSubject = unhex(t, "301a 3118 300a 0603 550403 0c03 4a616e 300a 0603 550405 1303 313233")
		}, []string{"cert-name-multi-valued"}},
		{"subject too long for certificateUserIds", func(o *odd) {
			o.template.Subject.Organization = []string{strings.Repeat("x", 1000)}
		}, []string{"cert-name-too-long"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := goodUser(t)
			test.change(&o)
			cert := o.sign(t, root.Certificate, root.Key)
			found := cba.Findings([]*x509.Certificate{cert, root.Certificate}, cba.FindingsOptions{At: now, UPN: "foo@bar.com"})
			if diff := cmp.Diff(append([]string{}, test.want...), codes(found)); diff != "" {
				t.Errorf("codes (-want +got):\n%s\n%v", diff, found)
			}
			wellFormed(t, found)
		})
	}
}

func der(t *testing.T, name dn.Name) []byte {
	t.Helper()
	raw, err := name.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func hexOf(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		b.WriteString(string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15]))
	}
	return b.String()
}

// wellFormed holds what every finding must have.
func wellFormed(t *testing.T, found lint.Findings) {
	t.Helper()
	for _, f := range found {
		if !slices.ContainsFunc(cba.Rules(), func(r lint.Rule) bool {
			return r.Code == f.Code && r.Severity == f.Severity && r.Effect == f.Effect && r.Do == f.Do && r.Source == f.Source
		}) {
			t.Errorf("%s is not a rule of the package's table", f.Code)
		}
		if f.Severity < lint.Info || f.Severity > lint.Error || f.Where == "" || f.What == "" || strings.Contains(f.String(), "%!") {
			t.Errorf("finding without severity, place or text: %+v", f)
		}
		if f.Severity > lint.Info && f.Do == "" && !strings.HasPrefix(f.Code, "request-") {
			t.Errorf("%s says nobody what to do", f.Code)
		}
		if f.Source == "" && !strings.HasPrefix(f.Code, "request-") {
			t.Errorf("%s has no source", f.Code)
		}
	}
}

// What depends on the options is left out without them.
func TestCheckOptions(t *testing.T) {
	root := newRoot(t, cba.P256)
	o := goodUser(t)
	o.template.NotAfter = now.Add(-time.Second)
	o.template.NotBefore = now.Add(-30 * cba.Day)
	cert := o.sign(t, root.Certificate, root.Key)
	if found := cba.Findings([]*x509.Certificate{cert, root.Certificate}, cba.FindingsOptions{}); len(found) != 0 {
		t.Errorf("findings: %v", found)
	}
	if found := cba.Findings(nil, cba.FindingsOptions{At: now}); len(found) != 0 {
		t.Errorf("findings about nothing: %v", found)
	}
	if found := cba.Findings([]*x509.Certificate{cert, nil}, cba.FindingsOptions{At: now}); len(found) != 0 {
		t.Errorf("findings about a nil certificate: %v", found)
	}
}

// Every finding about a CA and about how certificates fit each other.
func TestCheckChain(t *testing.T) {
	key, other := testKey(t, cba.P256, "root"), testKey(t, cba.P256, "other")
	ca := func(change func(*x509.Certificate)) *x509.Certificate {
		return selfSigned(t, key, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = now.AddDate(-1, 0, 0), now.AddDate(10, 0, 0)
			c.KeyUsage |= x509.KeyUsageCRLSign
			change(c)
		})
	}
	plain := ca(func(*x509.Certificate) {})
	user := func(ca *x509.Certificate, change func(*odd)) *x509.Certificate {
		o := goodUser(t)
		change(&o)
		return o.sign(t, ca, key)
	}
	same := func(*odd) {}
	policy := func(numbers ...uint64) []x509.OID {
		oid, err := x509.OIDFromInts(numbers)
		if err != nil {
			t.Fatal(err)
		}
		return []x509.OID{oid}
	}
	withPolicy := func(o *odd) { o.template.Policies = policy(1, 2, 3, 4) }
	// A chain of root, intermediate with these policies, user with 1.2.3.4.
	deep := func(policies []x509.OID, pathLen int) []*x509.Certificate {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Middle"}, NotBefore: plain.NotBefore, NotAfter: plain.NotAfter,
			IsCA: true, BasicConstraintsValid: true, KeyUsage: plain.KeyUsage, SubjectKeyId: []byte{5, 6}, Policies: policies,
		}
		root := ca(func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = pathLen, pathLen == 0 })
		der, err := x509.CreateCertificate(rand.Reader, template, root, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		middle, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return []*x509.Certificate{user(middle, withPolicy), middle, root}
	}
	notCA := ca(func(c *x509.Certificate) { c.IsCA = false })
	noKU := ca(func(c *x509.Certificate) { c.KeyUsage = 0 })
	crlOnly := ca(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })
	noCRL := ca(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })
	otherSKI := ca(func(c *x509.Certificate) { c.SubjectKeyId = []byte{9} })
	otherName := ca(func(c *x509.Certificate) { c.Subject.CommonName = "Contoso New CA" })
	otherCase := ca(func(c *x509.Certificate) {
		c.RawSubject = unhex(t, "301a 3118 3016 0603 550403 0c0f 434f4e544f534f20204f6c64204341") // CONTOSO  Old CA, UTF8String
	})
	short := ca(func(c *x509.Certificate) { c.NotAfter = now.AddDate(0, 1, 0) })
	expired := ca(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) })
	impostor := selfSigned(t, other, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter, c.KeyUsage = plain.NotBefore, plain.NotAfter, plain.KeyUsage
	})
	otherImpostor := selfSigned(t, other, func(c *x509.Certificate) {
		c.RawSubject, c.NotBefore, c.NotAfter, c.KeyUsage = otherCase.RawSubject, plain.NotBefore, plain.NotAfter, plain.KeyUsage
	})
	soft := ca(func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Value: []byte{0x30, 3, 1, 1, 0xff}}}
	})
	bare := withoutSKI(t, key, plain.NotBefore, plain.NotAfter)
	codeOnly := ca(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} })
	constrained := ca(func(c *x509.Certificate) { c.PermittedEmailAddresses = []string{"fabrikam.com"} })
	withMail := func(o *odd) { o.template.ExtraExtensions = sanOf(t, upnFoo, email) }
	oldKey := selfSigned(t, other, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = plain.NotBefore, plain.NotAfter })
	rollover := caWith(t, "Contoso Old CA", key, oldKey, other, func(c *x509.Certificate) { c.NotAfter = plain.NotAfter })
	withPolicies := ca(func(c *x509.Certificate) { c.Policies = policy(1, 9) })
	for _, test := range []struct {
		name  string
		chain []*x509.Certificate
		want  []string
	}{
		{"good", []*x509.Certificate{user(plain, same), plain}, nil},
		{"user alone", []*x509.Certificate{user(plain, same)}, nil},
		{"no root", deep(policy(2, 5, 29, 32, 0), -1)[:2], []string{"chain-no-root"}},
		{"an issuer that is no CA", []*x509.Certificate{user(notCA, same), notCA}, []string{"ca-not-a-ca"}},
		{"an issuer without key usage", []*x509.Certificate{user(noKU, same), noKU}, []string{"ca-no-key-usage"}},
		{"an issuer for CRLs alone", []*x509.Certificate{user(crlOnly, same), crlOnly}, []string{"ca-no-cert-sign"}},
		{"an issuer that cannot sign CRLs", []*x509.Certificate{user(noCRL, same), noCRL}, []string{"ca-no-crl-sign"}},
		{"basic constraints not critical", []*x509.Certificate{user(soft, same), soft}, []string{"ca-constraints-not-critical"}},
		{"an issuer without SKI", []*x509.Certificate{user(bare, same), bare}, []string{"cert-no-aki", "ca-no-crl-sign", "ca-no-ski"}},
		{"AKI of another key", []*x509.Certificate{user(plain, same), otherSKI}, []string{"cert-aki-mismatch"}},
		{"another issuer", []*x509.Certificate{user(plain, same), otherName}, []string{"cert-wrong-issuer"}},
		{"the issuer in another case and encoding", []*x509.Certificate{user(plain, func(o *odd) {}), otherCase}, []string{"cert-issuer-encoding"}},
		{"an impostor with the issuer's name in another case", []*x509.Certificate{user(plain, same), otherImpostor}, []string{"cert-issuer-encoding", "cert-bad-signature"}},
		{"the chain the wrong way round", []*x509.Certificate{plain, user(plain, same)}, nil}, // looked at below
		{"an impostor with the CA's name and key identifier", []*x509.Certificate{user(plain, same), impostor}, []string{"cert-bad-signature"}},
		{"a CA that ends first", []*x509.Certificate{user(short, same), short}, []string{"cert-outlives-ca"}},
		{"an expired CA", []*x509.Certificate{user(expired, same), expired}, []string{"cert-outlives-ca", "cert-expired"}},
		{"policy under a root without any", []*x509.Certificate{user(plain, withPolicy), plain}, nil},
		{"policy under a root with another", []*x509.Certificate{user(withPolicies, withPolicy), withPolicies}, []string{"chain-policies"}},
		{"policy under a CA with it", deep(policy(1, 2, 3, 4), -1), nil},
		{"policy under a CA with any", deep(policy(2, 5, 29, 32, 0), -1), nil},
		{"policy under a CA with none", deep(nil, -1), []string{"chain-policies"}},
		{"policy under a CA with a shorter one", deep(policy(1, 2, 3), -1), []string{"chain-policies"}},
		{"path length", deep(policy(1, 2, 3, 4), 0), []string{"ca-path-length"}},
		{"the issuer's own key", []*x509.Certificate{user(plain, func(o *odd) { o.key = key }), plain}, []string{"cert-ca-key"}},
		{"an issuer for code signing", []*x509.Certificate{user(codeOnly, same), codeOnly}, []string{"ca-no-client-auth"}},
		{"an issuer for another domain", []*x509.Certificate{user(constrained, withMail), constrained}, []string{"ca-name-constraints"}},
		{"a new key under the old one, without its CA", []*x509.Certificate{user(rollover, same), rollover}, []string{"chain-no-root"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			found := cba.Findings(test.chain, cba.FindingsOptions{At: now})
			wellFormed(t, found)
			if strings.HasPrefix(test.name, "the chain the wrong") {
				for _, code := range []string{"cert-is-ca", "cert-wrong-issuer", "ca-not-a-ca"} {
					if !found.Has(code) {
						t.Errorf("no %s: %v", code, found)
					}
				}
				return
			}
			if diff := cmp.Diff(append([]string{}, test.want...), codes(found)); diff != "" {
				t.Errorf("codes (-want +got):\n%s\n%v", diff, found)
			}
		})
	}
	long := []*x509.Certificate{user(plain, same)}
	for range 11 {
		long = append(long, plain)
	}
	if !cba.Findings(long, cba.FindingsOptions{}).Has("chain-too-long") || cba.Findings(long[:11], cba.FindingsOptions{}).Has("chain-too-long") {
		t.Error("11 CAs are one too many, 10 are not")
	}
}

// readCert reads a certificate of testdata.
func readCert(tb testing.TB, name string) *x509.Certificate {
	tb.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	certs, err := cba.ParseCertificates(data)
	if err != nil {
		tb.Fatal(err)
	}
	return certs[0]
}

// Certificates that other programs made, with signatures that crypto/x509 does
// not make any more.
func TestCheckForeignCertificates(t *testing.T) {
	for name, want := range map[string][]string{
		"sha1.pem": {"cert-sha1-signature", "cert-no-crl-url"},
		"md5.pem":  {"cert-weak-signature", "cert-no-crl-url"},
	} {
		cert := readCert(t, name)
		if diff := cmp.Diff(want, codes(cba.Findings([]*x509.Certificate{cert}, cba.FindingsOptions{UPN: "user@contoso.com"}))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		// Serial numbers that crypto/x509 refuses to read since Go 1.23.
		for _, serial := range []int64{0, -77} {
			bad := *cert
			bad.SerialNumber = big.NewInt(serial)
			if !cba.Findings([]*x509.Certificate{&bad}, cba.FindingsOptions{}).Has("cert-serial") {
				t.Errorf("serial number %d has no finding", serial)
			}
		}
		// Certificates put together by hand do not panic.
		cba.Findings([]*x509.Certificate{{}, {}, cert, {}}, cba.FindingsOptions{At: now, UPN: "x"})
	}
}

// Every rule is the finding of a test above or in the files named here, so that
// none is there that cannot be found, and every finding is of a rule: wellFormed.
func TestEveryRuleIsTested(t *testing.T) {
	var tests []byte
	for _, file := range []string{"findings_test.go", "chain_test.go", "issuer_test.go", "request_test.go", "cases_test.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tests = append(tests, text...)
	}
	rules := cba.Rules()
	if len(rules) < 60 {
		t.Fatalf("only %d rules", len(rules))
	}
	seen := map[string]bool{}
	for _, r := range rules {
		if seen[r.Code] {
			t.Errorf("%s is the code of two rules", r.Code)
		}
		seen[r.Code] = true
		if !bytes.Contains(tests, []byte(`"`+r.Code)) {
			t.Errorf("%s is in no test", r.Code)
		}
		if r.What == "" {
			t.Errorf("%s does not say what it finds", r.Code)
		}
	}
	cba.Rules()[0].Code = "changed"
	if cba.Rules()[0].Code == "changed" {
		t.Error("Rules gives away its own table")
	}
}

// FuzzCheck: whatever crypto/x509 reads as a certificate is checked without
// panic, alone and in a chain with itself and with a CA; every finding is
// well-formed; the same input gives the same findings.
func FuzzCheck(f *testing.F) {
	root := newRoot(f, cba.P256)
	f.Add(root.Certificate.Raw)
	full := cba.IntuneUser()
	full.Policies, full.CRLURLs = []x509.OID{oid(f, "1.2.3")}, []string{"http://a.com/b"}
	cert, err := root.Issue(f.Context(), testKey(f, cba.P256, "jane").Public(), cba.Subject{
		UPN: "jane@yourdomain.com", Emails: []string{"a@b.com"}, SID: parseSID(f, sidText), Name: parseName(f, "CN=Jane+UID=7,OU=\"a, b\",DC=com"),
	}, full)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(cert.Raw)
	f.Add(readCert(f, "sha1.pem").Raw)
	f.Add(readCert(f, "md5.pem").Raw)
	f.Fuzz(func(t *testing.T, der []byte) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		for _, chain := range [][]*x509.Certificate{{cert}, {cert, cert}, {cert, root.Certificate}, {root.Certificate, cert, cert}} {
			found := cba.Findings(chain, cba.FindingsOptions{At: now, UPN: "jane@yourdomain.com"})
			wellFormed(t, found)
			if again := cba.Findings(chain, cba.FindingsOptions{At: now, UPN: "jane@yourdomain.com"}); !cmp.Equal(found, again) {
				t.Fatal("two answers to one question")
			}
		}
	})
}

// A hostile certificate with tens of thousands of names, or a CA with as many
// constraints, costs neither minutes nor a flood of findings.
func TestCheckIsBounded(t *testing.T) {
	root := newRoot(t, cba.P256)
	o := goodUser(t)
	var list []string
	for i := range 30000 {
		list = append(list, "820a"+hexOf(fmt.Sprintf("%05d.test", i/2)))
	}
	o.template.ExtraExtensions = sanOf(t, list...)
	cert := o.sign(t, root.Certificate, root.Key)
	var domains []string
	for i := range 30000 {
		domains = append(domains, fmt.Sprintf("%05d.example", i))
	}
	key := testKey(t, cba.P256, "root")
	// The last of them permits every name, so that each is held against all.
	limited := caWith(t, "Root", key, nil, nil, func(c *x509.Certificate) { c.PermittedDNSDomains = append(domains, "test") })
	narrow := caWith(t, "Root", key, nil, nil, func(c *x509.Certificate) { c.PermittedDNSDomains = domains[:8] })
	began := time.Now()
	for _, ca := range []*x509.Certificate{root.Certificate, limited, narrow} {
		found := cba.Findings([]*x509.Certificate{cert, ca}, cba.FindingsOptions{At: now})
		size := 0
		for _, f := range found {
			size += len(f.String())
		}
		if len(found) > 60 || size > 30000 {
			t.Errorf("%d findings of %d bytes", len(found), size)
		}
		if ca != root.Certificate && !found.Has("ca-name-constraints") {
			t.Error("the constraints are passed over")
		}
		wellFormed(t, found)
	}
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("took %v", d)
	}
}
