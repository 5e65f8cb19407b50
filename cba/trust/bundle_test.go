package trust_test

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"example.com/entracba/cba/trust"
)

func TestBundleIsDeterministic(t *testing.T) {
	r := root(t, spec{name: "Root"})
	list := certs(r, r.ca(t, spec{name: "One"}), r.ca(t, spec{name: "Two"}))
	want, err := trust.EncodeBundle(list)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(list)
	got, err := trust.EncodeBundle(append(list, list[0]))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("order or a repetition changes the bytes: %v", err)
	}
	back, err := trust.DecodeBundle(got)
	if err != nil || len(back) != 3 {
		t.Fatalf("%d certificates, %v", len(back), err)
	}
	for i := 1; i < len(back); i++ {
		if bytes.Compare(back[i-1].Raw, back[i].Raw) >= 0 {
			t.Error("the set is not in DER's order (X.690 section 11.6)")
		}
	}
}

// The digits are those of `printf abc | sha256sum`, FIPS 180-2 appendix B.1.
func TestFileHash(t *testing.T) {
	const want = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"
	if got := trust.FileHash([]byte("abc")); got != want {
		t.Errorf("got %s", got)
	}
}

func TestBundleLimits(t *testing.T) {
	r := root(t, spec{name: "Root"})
	padding := func(n int) []pkix.Extension {
		value, err := asn1.Marshal(make([]byte, n))
		if err != nil {
			t.Fatal(err)
		}
		return []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Value: value}}
	}
	size := len(r.ca(t, spec{name: "Big", extra: padding(7000)}).Raw) - 7000
	fits := r.ca(t, spec{name: "Big", extra: padding(trust.MaxCertificateSize - size - 10)})
	big := r.ca(t, spec{name: "Big", extra: padding(trust.MaxCertificateSize - size + 10)})
	many := make([]*entity, trust.MaxAuthorities+1)
	for i := range many {
		many[i] = r.ca(t, spec{name: fmt.Sprint("CA ", i), key: r.key})
	}
	for _, c := range []struct {
		name   string
		list   []*entity
		reason trust.Reason // unset: accepted
	}{
		{"8 KB", []*entity{fits}, ""},
		{"over 8 KB", []*entity{r, big}, trust.OverLimit},
		{"250", many[:trust.MaxAuthorities], ""},
		{"251", many, trust.OverLimit},
	} {
		_, err := trust.EncodeBundle(certsOf(c.list))
		_, errPKI := trust.NewPKI("P", certsOf(c.list))
		for what, err := range map[string]error{"EncodeBundle": err, "NewPKI": errPKI} {
			var e *trust.Error
			if c.reason == "" && err != nil || c.reason != "" && (!errors.As(err, &e) || e.Reason != c.reason) {
				t.Errorf("%s, %s: %v", what, c.name, err)
			}
		}
	}
	for name, list := range map[string][]*entity{"none": nil} {
		_, err := trust.EncodeBundle(certsOf(list))
		checkError(t, name, err, trust.NoCertificate, "", "bundle")
	}
	_, err := trust.EncodeBundle(append(certs(r), nil))
	checkError(t, "nil", err, trust.NoCertificate, "", "bundle, certificate 2")
}

func TestLacking(t *testing.T) {
	r := root(t, spec{name: "Root"})
	i, j := r.ca(t, spec{name: "One"}), r.ca(t, spec{name: "Two"})
	stored := configOf(t, r, i).PKIs
	got := stored.Lacking(append(certs(j, r, i, j), nil))
	if len(got) != 1 || !got[0].Equal(j.Certificate) {
		t.Errorf("%d certificates", len(got))
	}
	// Only the thumbprint is known, in Windows' letter case.
	a := &stored[0].CertificateAuthorities[0]
	a.Certificate, a.Thumbprint = nil, strings.ToUpper(a.Thumbprint)
	if got := stored.Lacking(certs(r)); len(got) != 0 {
		t.Error("the thumbprint was not compared")
	}
	stored[0].CertificateAuthorities[1].DeletedDateTime = now
	if got := stored.Lacking(certs(i)); len(got) != 1 {
		t.Error("a deleted CA counts as stored")
	}
	stored[0].DeletedDateTime = now
	if got := stored.Lacking(certs(r)); len(got) != 1 {
		t.Error("a deleted PKI counts as stored")
	}
}

func TestDecodeBundleRefuses(t *testing.T) {
	r := root(t, spec{name: "Root"})
	good, err := trust.EncodeBundle(certs(r))
	if err != nil {
		t.Fatal(err)
	}
	oid := []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2}
	begin := bytes.Index(good, r.Raw)
	broken := slices.Clone(good)
	broken[begin+4] = 0x04 // no longer a certificate inside
	other := slices.Clone(good)
	other[begin] = 0xa1 // an attribute certificate, says its tag
	empty := slices.Concat([]byte{0x30, 0x80}, oid, []byte{0xa0, 0x80, 0x30, 0x80, 2, 1, 1, 0x31, 0, 0x30, 0x80, 0, 0, 0x31, 0, 0, 0, 0, 0, 0, 0})
	deep := slices.Concat([]byte{0x30, 0x80}, oid, []byte{0xa0, 0x80}, bytes.Repeat([]byte{0x30, 0x80}, 1<<20))
	for _, c := range []struct {
		name   string
		file   []byte
		reason trust.Reason
		where  string
	}{
		{"nothing", nil, trust.NotBundle, "bundle"},
		{"blanks", []byte("\n\n"), trust.NotBundle, "bundle"},
		{"HTML", []byte("<html>404</html>"), trust.NotBundle, "bundle"},
		{"a certificate", r.Raw, trust.NotBundle, "bundle"},
		{"cut off", good[:len(good)-1], trust.NotBundle, "bundle"},
		{"cut in the header", good[:3], trust.NotBundle, "bundle"},
		{"trailing", append(slices.Clone(good), 1), trust.NotBundle, "bundle"},
		{"no certificates", empty, trust.NoCertificate, "bundle"},
		{"broken certificate", broken, trust.NotCertificate, "bundle, certificate 1"},
		{"another kind", other, trust.NotBundle, "bundle"},
		{"a million levels", deep, trust.NotBundle, "bundle"},
		{"only the identifier", append([]byte{0x30, byte(len(oid))}, oid...), trust.NotBundle, "bundle"},
		{"over 4 MB", make([]byte, 4<<20+1), trust.OverLimit, "bundle"},
	} {
		list, err := trust.DecodeBundle(c.file)
		checkError(t, c.name, err, c.reason, "", c.where)
		if list != nil {
			t.Errorf("%s: certificates came with the error", c.name)
		}
	}
}

// Files as CAs hand them out.
func TestReadCertificates(t *testing.T) {
	r := root(t, spec{name: "Root"})
	i := r.ca(t, spec{name: "One"})
	der, text := slices.Concat(r.Raw, i.Raw), pemOf(certs(r, i)...)
	p7b, err := trust.EncodeBundle(certs(r, i))
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, bytes []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes})
	}
	utf16le := []byte{0xff, 0xfe}
	utf16be := []byte{0xfe, 0xff}
	for _, u := range utf16.Encode([]rune(string(text))) {
		utf16le = append(utf16le, byte(u), byte(u>>8))
		utf16be = append(utf16be, byte(u>>8), byte(u))
	}
	for name, file := range map[string][]byte{
		"DER":                 der,
		"PEM":                 text,
		"PEM with text":       slices.Concat([]byte("subject=CN = Root\n"), text, []byte("\nend\n")),
		"PEM with CR LF":      bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")),
		"PEM with UTF-8 mark": append([]byte("\xef\xbb\xbf"), text...),
		"PEM in UTF-16":       utf16le,
		"PEM in UTF-16 BE":    utf16be,
		"p7b":                 p7b,
		"PEM of p7b":          block("PKCS7", p7b),
		"CMS":                 block("CMS", p7b),
		"with a key":          slices.Concat(block("PRIVATE KEY", []byte{1}), text),
		"with a CRL":          slices.Concat(text, block("X509 CRL", []byte{1})),
		"trusted":             slices.Concat(block("TRUSTED CERTIFICATE", append(slices.Clone(r.Raw), 0x30, 0)), pemOf(i.Certificate)),
		"both":                slices.Concat(pemOf(r.Certificate), block("PKCS7", p7b)),
	} {
		list, err := trust.ReadCertificates(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		seen := map[string]bool{}
		for _, cert := range list {
			seen[cert.Subject.CommonName] = true
		}
		if len(seen) != 2 {
			t.Errorf("%s: %v", name, seen)
		}
	}
	for _, c := range []struct {
		name   string
		file   []byte
		reason trust.Reason
	}{
		{"nothing", nil, trust.NoCertificate},
		{"blanks", []byte(" \n"), trust.NoCertificate},
		{"only a key", block("PRIVATE KEY", []byte("secret")), trust.NoCertificate},
		{"damaged PEM", []byte("-----BEGIN CERTIFICATE-----\n!\n"), trust.NotCertificate},
		{"no certificate in PEM", block("CERTIFICATE", []byte("x")), trust.NotCertificate},
		{"HTML", []byte("<html>"), trust.NotCertificate},
		{"too large", make([]byte, 5<<20), trust.OverLimit},
		{"broken p7b", p7b[:len(p7b)-1], trust.NotCertificate},
	} {
		list, err := trust.ReadCertificates(c.file)
		var e *trust.Error
		if !errors.As(err, &e) || e.Reason != c.reason {
			t.Errorf("%s: %v", c.name, err)
		}
		if list != nil {
			t.Errorf("%s: certificates came with the error", c.name)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows the file's content: %v", c.name, err)
		}
	}
}
