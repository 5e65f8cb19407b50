package path_test

import (
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"net/url"
	"strings"
	"testing"

	"example.com/entracba/cba/internal/path"
	"example.com/entracba/cba/internal/san"
)

func hugeKey() *rsa.PublicKey {
	return &rsa.PublicKey{N: new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), 65535), 0, 1), E: 65537}
}

// Every name against every constraint of its form, permitted and excluded: what
// crypto/x509 refuses is refused, and beyond that only what RFC 5280 refuses and
// crypto/x509 does not: a host below a domain that is written without a dot, for
// e-mail addresses and URIs.
func TestConstraintsAgreeWithX509(t *testing.T) {
	ca, user := newCA(t, "CA"), newCA(t, "user")
	leafWith := func(change func(*x509.Certificate)) *x509.Certificate {
		return ca.issue(t, user, func(c *x509.Certificate) {
			c.IsCA, c.BasicConstraintsValid, c.KeyUsage = false, false, x509.KeyUsageDigitalSignature
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
			change(c)
		})
	}
	compared, refused, stricts := 0, 0, 0
	compare := func(what string, limit, leaf func(*x509.Certificate)) {
		t.Helper()
		root := ca.issue(t, ca, limit)
		cert := leafWith(leaf)
		roots := x509.NewCertPool()
		roots.AddCert(root)
		_, err := cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		constraints, has, cerr := path.ConstraintsOf(root)
		if cerr != nil || !has {
			t.Fatalf("%s: %v", what, cerr)
		}
		why := constraints.Forbid(cert)
		if stricter := err == nil && why != ""; stricter && strings.HasSuffix(what, " (RFC 5280)") {
			stricts++
		} else if (err == nil) != (why == "") {
			t.Errorf("%s: crypto/x509 %v, ours %q", what, err, why)
		}
		compared++
		if err != nil {
			refused++
		}
	}
	hosts := []string{"contoso.com", "www.contoso.com", "a.b.contoso.com", "CONTOSO.com", "evilcontoso.com", "contoso.com.evil.com", "com"}
	domains := []string{"contoso.com", ".contoso.com", "com", ".com", "Contoso.COM", "www.contoso.com", "other.com"}
	for _, domain := range domains {
		for _, host := range hosts {
			name := domain + " and " + host
			rfc := ""
			if domain[0] != '.' && strings.HasSuffix(strings.ToLower(host), "."+strings.ToLower(domain)) {
				rfc = " (RFC 5280)"
			}
			dns := func(c *x509.Certificate) { c.DNSNames = []string{host} }
			compare("DNS permitted "+name, func(c *x509.Certificate) { c.PermittedDNSDomains = []string{domain} }, dns)
			compare("DNS excluded "+name, func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{domain} }, dns)
			email := func(c *x509.Certificate) { c.EmailAddresses = []string{"jane@" + host} }
			compare("e-mail permitted "+name+rfc, func(c *x509.Certificate) { c.PermittedEmailAddresses = []string{domain} }, email)
			compare("e-mail excluded "+name, func(c *x509.Certificate) { c.ExcludedEmailAddresses = []string{domain} }, email)
			compare("mailbox permitted "+name, func(c *x509.Certificate) { c.PermittedEmailAddresses = []string{"jane@" + strings.Trim(domain, ".")} }, email)
			uri := func(c *x509.Certificate) { c.URIs = []*url.URL{{Scheme: "https", Host: host, Path: "/x"}} }
			compare("URI permitted "+name+rfc, func(c *x509.Certificate) { c.PermittedURIDomains = []string{domain} }, uri)
			compare("URI excluded "+name, func(c *x509.Certificate) { c.ExcludedURIDomains = []string{domain} }, uri)
		}
		// A URI without a host can be held against no constraint, and is refused.
		compare("URI without host", func(c *x509.Certificate) { c.PermittedURIDomains = []string{domain} }, func(c *x509.Certificate) {
			c.URIs = []*url.URL{{Scheme: "tag", Opaque: "microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-4"}}
		})
		// A form that is not constrained is free.
		compare("another form", func(c *x509.Certificate) { c.PermittedDNSDomains = []string{domain} }, func(c *x509.Certificate) { c.EmailAddresses = []string{"jane@x.org"} })
	}
	_, ten, _ := net.ParseCIDR("10.0.0.0/8")
	_, six, _ := net.ParseCIDR("fd00::/8")
	for _, ip := range []string{"10.1.2.3", "11.1.2.3", "fd00::1", "fe80::1"} {
		for _, block := range []*net.IPNet{ten, six} {
			leaf := func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.ParseIP(ip)} }
			compare("IP permitted "+ip, func(c *x509.Certificate) { c.PermittedIPRanges = []*net.IPNet{block} }, leaf)
			compare("IP excluded "+ip, func(c *x509.Certificate) { c.ExcludedIPRanges = []*net.IPNet{block} }, leaf)
		}
	}
	// Several of a form: one that fits is enough; both of two names must fit.
	both := func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"contoso.com", "fabrikam.com"} }
	compare("two domains", both, func(c *x509.Certificate) { c.DNSNames = []string{"a.fabrikam.com", "contoso.com"} })
	compare("two names", both, func(c *x509.Certificate) { c.DNSNames = []string{"a.fabrikam.com", "x.org"} })
	// A wildcard stands for all hosts at its place: it is within a domain if all are,
	// and excluded if one is.
	for _, domain := range []string{"contoso.com", "www.contoso.com", "com", "a.www.contoso.com", "other.com"} {
		for _, host := range []string{"*.contoso.com", "*.www.contoso.com", "*.com"} {
			dns := func(c *x509.Certificate) { c.DNSNames = []string{host} }
			compare("DNS permitted "+domain+" and "+host, func(c *x509.Certificate) { c.PermittedDNSDomains = []string{domain} }, dns)
			compare("DNS excluded "+domain+" and "+host, func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{domain} }, dns)
		}
	}
	if compared < 300 || refused < 100 || refused > compared-100 || stricts < 10 {
		t.Errorf("%d comparisons, %d refused", compared, refused)
	}
}

// What has not the form of a name is in no permitted domain, and in every excluded one.
func TestConstraintsOfOddNames(t *testing.T) {
	ca, user := newCA(t, "CA"), newCA(t, "user")
	for what, change := range map[string]func(*x509.Certificate){
		"a dot in front":      func(c *x509.Certificate) { c.DNSNames = []string{".contoso.com"} },
		"a wildcard inside":   func(c *x509.Certificate) { c.DNSNames = []string{"a.*.contoso.com"} },
		"a path":              func(c *x509.Certificate) { c.DNSNames = []string{"evil.org/.contoso.com"} },
		"two @":               func(c *x509.Certificate) { c.EmailAddresses = []string{"jane@evil.org@contoso.com"} },
		"nobody":              func(c *x509.Certificate) { c.EmailAddresses = []string{"@contoso.com"} },
		"mail, two dots":      func(c *x509.Certificate) { c.EmailAddresses = []string{"jane@contoso..com"} },
		"mail to a wildcard":  func(c *x509.Certificate) { c.EmailAddresses = []string{"jane@*.contoso.com"} },
		"mail without a host": func(c *x509.Certificate) { c.EmailAddresses = []string{"jane@"} },
	} {
		leaf := ca.issue(t, user, change)
		for kind, limit := range map[string]func(*x509.Certificate){
			"permitted": func(c *x509.Certificate) {
				c.PermittedDNSDomains, c.PermittedEmailAddresses = []string{"contoso.com", ".contoso.com"}, []string{"contoso.com", ".contoso.com"}
			},
			"excluded": func(c *x509.Certificate) {
				c.ExcludedDNSDomains, c.ExcludedEmailAddresses = []string{"fabrikam.com"}, []string{"fabrikam.com"}
			},
		} {
			constraints, _, err := path.ConstraintsOf(ca.issue(t, ca, limit))
			if err != nil {
				t.Fatal(err)
			}
			if constraints.Forbid(leaf) == "" {
				t.Errorf("%s, %s: allowed", what, kind)
			}
		}
	}
}

// other makes a GeneralName of the class and tag; value makes the DER of a string.
func general(tb testing.TB, tag int, compound bool, content ...[]byte) []byte {
	tb.Helper()
	var all []byte
	for _, c := range content {
		all = append(all, c...)
	}
	der, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, IsCompound: compound, Bytes: all})
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

func sequence(tb testing.TB, content ...[]byte) []byte {
	tb.Helper()
	var all []byte
	for _, c := range content {
		all = append(all, c...)
	}
	der, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: all})
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

func upn(tb testing.TB, text string) []byte {
	tb.Helper()
	id, err := asn1.Marshal(san.UPNType())
	if err != nil {
		tb.Fatal(err)
	}
	value, err := asn1.MarshalWithParams(text, "utf8")
	if err != nil {
		tb.Fatal(err)
	}
	return general(tb, 0, true, id, general(tb, 0, true, value))
}

// What crypto/x509 does not decide: UPNs, other otherNames and directory names.
func TestConstraintsOfOtherForms(t *testing.T) {
	ca := newCA(t, "CA")
	limited := func(critical bool, permitted, excluded [][]byte) path.Constraints {
		t.Helper()
		var parts [][]byte
		for tag, list := range [][][]byte{permitted, excluded} {
			if list == nil {
				continue
			}
			var trees [][]byte
			for _, name := range list {
				trees = append(trees, sequence(t, name))
			}
			parts = append(parts, general(t, tag, true, trees...))
		}
		cert := ca.issue(t, ca, func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 30}, Critical: critical, Value: sequence(t, parts...)}}
		})
		for _, p := range path.Check(ca.issue(t, newCA(t, "user"), nil), []*x509.Certificate{cert}, now) {
			if p.Cause != path.NameNotAllowed {
				t.Errorf("constraints of another form, critical: %v", p)
			}
		}
		c, has, err := path.ConstraintsOf(cert)
		if err != nil || !has {
			t.Fatal(err)
		}
		return c
	}
	named := func(cn string, names ...[]byte) *x509.Certificate {
		return ca.issue(t, ca, func(c *x509.Certificate) {
			c.Subject = pkix.Name{CommonName: cn, Organization: []string{"Contoso"}, Country: []string{"US"}}
			if names != nil {
				c.ExtraExtensions = []pkix.Extension{{Id: san.Extension(), Value: sequence(t, names...)}}
			}
		})
	}
	for _, test := range []struct {
		limit, upn string
		permits    bool
		excludes   bool
	}{
		{"@contoso.com", "jane@contoso.com", true, true},
		{"contoso.com", "jane@CONTOSO.com", true, true},
		{".contoso.com", "jane@eu.contoso.com", true, true},
		{".contoso.com", "jane@contoso.com", true, true},
		{"@contoso.com", "jane@eu.contoso.com", false, true},
		{"contoso.com", "jane@evilcontoso.com", false, false},
		{"jane@contoso.com", "Jane@contoso.com", true, true},
		{"jane@contoso.com", "john@contoso.com", false, false},
		{"contoso.com", "jane", false, true},
		{"", "jane@contoso.com", true, true},
	} {
		cert := named("x", upn(t, test.upn))
		if why := limited(true, [][]byte{upn(t, test.limit)}, nil).Forbid(cert); (why == "") != test.permits {
			t.Errorf("permitted %q, UPN %q: %q", test.limit, test.upn, why)
		}
		if why := limited(true, nil, [][]byte{upn(t, test.limit)}).Forbid(cert); (why != "") != test.excludes {
			t.Errorf("excluded %q, UPN %q: %q", test.limit, test.upn, why)
		}
	}
	name := func(text pkix.RDNSequence) []byte {
		der, err := asn1.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		return general(t, 4, true, der)
	}
	of := func(values ...any) []byte {
		var rdns pkix.RDNSequence
		for i := 0; i < len(values); i += 2 {
			rdns = append(rdns, pkix.RelativeDistinguishedNameSET{{Type: values[i].(asn1.ObjectIdentifier), Value: values[i+1]}})
		}
		return name(rdns)
	}
	country, organization := asn1.ObjectIdentifier{2, 5, 4, 6}, asn1.ObjectIdentifier{2, 5, 4, 10}
	for _, test := range []struct {
		limit   []byte
		permits bool
	}{
		{of(country, "US"), true},
		{of(country, "US", organization, "contoso"), true}, // letter case does not matter (RFC 5280 section 7.1)
		{of(organization, "Contoso"), false},               // not from the root on
		{of(country, "DE"), false},
		{of(), true},
	} {
		if why := limited(true, [][]byte{test.limit}, nil).Forbid(named("jane")); (why == "") != test.permits {
			t.Errorf("permitted %x: %q", test.limit, why)
		}
	}
	// An otherName of another type is not compared: permitted is refused, excluded
	// too; a UPN constraint does not concern it.
	fascN := general(t, 0, true, []byte{6, 3, 42, 3, 4}, general(t, 0, true, []byte{4, 1, 7}))
	cert := named("x", fascN)
	for _, c := range []path.Constraints{limited(true, [][]byte{fascN}, nil), limited(true, nil, [][]byte{fascN})} {
		if why := c.Forbid(cert); why == "" {
			t.Errorf("an otherName that is not read: %q", why)
		}
	}
	if why := limited(true, [][]byte{upn(t, "contoso.com")}, nil).Forbid(cert); why != "" {
		t.Errorf("another type of otherName: %q", why)
	}
	// An e-mail address of the subject counts where the subjectAltName has none.
	mail := ca.issue(t, ca, func(c *x509.Certificate) {
		c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: "jane@evil.com"}}
	})
	if why := limited(false, [][]byte{general(t, 1, false, []byte("contoso.com"))}, nil).Forbid(mail); why == "" {
		t.Errorf("an e-mail address in the subject: %q", why)
	}
}

// Constraints that cannot be read let nobody through.
func TestConstraintsUnreadable(t *testing.T) {
	ca := newCA(t, "CA")
	leaf := ca.issue(t, newCA(t, "user"), nil)
	good := *ca.issue(t, ca, nil)
	for name, der := range map[string][]byte{
		"nothing": nil, "no sequence": {4, 0}, "a tail": {0x30, 0, 0}, "a tree that is none": {0x30, 4, 0xa0, 2, 4, 0},
		"an unknown form": {0x30, 6, 0xa0, 4, 0x30, 2, 0x8a, 0}, "a directory name that is none": {0x30, 8, 0xa0, 6, 0x30, 4, 0xa4, 2, 4, 0},
	} {
		cert := good
		cert.Extensions = append([]pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 30}, Value: der}}, good.Extensions...)
		found := path.Check(leaf, []*x509.Certificate{&cert}, now)
		if len(found) != 1 || found[0].Cause != path.NameNotAllowed {
			t.Errorf("%s: %v", name, found)
		}
	}
}
