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
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf16"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/lint"
	"github.com/google/go-cmp/cmp"
)

func newRequest(tb testing.TB, s cba.Subject) *cba.Request {
	tb.Helper()
	r, err := cba.NewRequest(tb.Context(), testKey(tb, cba.P256, "jane"), s)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestRequestRoundTrip(t *testing.T) {
	sid := parseSID(t, sidText)
	subject := cba.Subject{
		UPN: "jane@yourdomain.com", Emails: []string{"jane@yourdomain.com"}, SID: sid,
		Name: parseName(t, "CN=Jane,OU=Users,DC=contoso,DC=com"), DNSNames: []string{"pc1"}, URIs: []string{"https://contoso.com/"},
	}
	for kt := cba.RSA2048; kt <= cba.P521; kt++ {
		key := testKey(t, kt, "jane")
		made, err := cba.NewRequest(t.Context(), key, subject)
		if err != nil {
			t.Fatal(err)
		}
		read, err := cba.ParseRequest(made.PEM())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(read.DER, made.DER) || !read.PublicKey.(interface{ Equal(crypto.PublicKey) bool }).Equal(key.Public()) {
			t.Errorf("%v: another request came back", kt)
		}
		want := cba.Names{UPNs: []string{subject.UPN}, Emails: subject.Emails, DNSNames: subject.DNSNames, URIs: subject.URIs, ExtensionSID: sid}
		if diff := cmp.Diff(want, read.Names, cmp.AllowUnexported(cba.SID{})); diff != "" {
			t.Errorf("%v: names (-want +got):\n%s", kt, diff)
		}
		if !read.Name.Equal(subject.Name) {
			t.Errorf("%v: name %v", kt, read.Name)
		}
		if found := read.Compare(subject); len(found) != 0 {
			t.Errorf("%v: findings about a request for the very subject: %v", kt, found)
		}
	}
}

// A request may ask for a distinguished name and nothing else.
func TestRequestWithoutExtensions(t *testing.T) {
	r := newRequest(t, cba.Subject{Name: parseName(t, "CN=Jane")})
	if len(r.Extensions) != 0 || r.Name.String() != "CN=Jane" {
		t.Errorf("asks for %v, %v", r.Name, r.Extensions)
	}
}

// wide writes text as UTF-16, the high byte first if big, with a mark if marked.
func wide(text string, big, marked bool) []byte {
	if marked {
		text = "\ufeff" + text
	}
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		if big {
			out = append(out, byte(unit>>8), byte(unit))
		} else {
			out = append(out, byte(unit), byte(unit>>8))
		}
	}
	return out
}

func TestParseRequestForms(t *testing.T) {
	r := newRequest(t, jane)
	text := string(r.PEM())
	windows := strings.ReplaceAll(strings.ReplaceAll(text, "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"), "\n", "\r\n")
	bare := base64.StdEncoding.EncodeToString(r.DER)
	for name, data := range map[string][]byte{
		"DER":                              r.DER,
		"PEM":                              []byte(text),
		"PEM with CRLF":                    []byte(strings.ReplaceAll(text, "\n", "\r\n")),
		"certreq's label":                  []byte(windows),
		"UTF-8 with a mark":                []byte("\ufeff" + windows),
		"UTF-16LE with a mark":             wide(windows, false, true),
		"UTF-16BE with a mark":             wide(windows, true, true),
		"UTF-16LE without":                 wide(windows, false, false),
		"UTF-16BE without":                 wide(windows, true, false),
		"UTF-16LE with text in front":      wide("Benutzer für Zoë:\r\n"+windows, false, true),
		"base64":                           []byte(bare),
		"base64 in lines":                  []byte(strings.ReplaceAll(bare[:64]+"\r\n"+bare[64:128]+"\r\n"+bare[128:], "=", "=\r\n")),
		"base64 in UTF-16":                 wide(bare, false, true),
		"text around":                      []byte("Certificate Request:\n    Data:\n" + text + "the end\n"),
		"a certificate beside the request": append(cba.EncodeCertificates(newRoot(t, cba.P256).Certificate), text...),
	} {
		got, err := cba.ParseRequest(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !bytes.Equal(got.DER, r.DER) {
			t.Errorf("%s: another request came out", name)
		}
	}
}

// signRequest makes a request of any kind of key, with the crypto/x509 of Go.
func signRequest(tb testing.TB, key crypto.Signer, template *x509.CertificateRequest) []byte {
	tb.Helper()
	var der []byte
	var err error
	fips140.WithoutEnforcement(func() { der, err = x509.CreateCertificateRequest(rand.Reader, template, key) })
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

func TestParseRequestRefused(t *testing.T) {
	r := newRequest(t, jane)
	var weak *rsa.PrivateKey
	var err error
	fips140.WithoutEnforcement(func() { weak, err = rsa.GenerateKey(rand.Reader, 1024) })
	if err != nil {
		t.Fatal(err)
	}
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	p224, _ := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	changed := bytes.Clone(r.DER)
	changed[bytes.Index(changed, []byte("jane@"))] = 'J'
	badSAN := signRequest(t, testKey(t, cba.P256, "jane"), &x509.CertificateRequest{
		ExtraExtensions: []pkix.Extension{{Id: sanID, Value: []byte{0x30, 0x03, 0xa0, 0x01, 0x05}}},
	})
	text := string(r.PEM())
	for _, test := range []struct {
		name string
		data []byte
		want cba.Reason
	}{
		{"nothing", nil, cba.Empty},
		{"blanks", []byte(" \r\n"), cba.Empty},
		{"garbage", []byte("not a request"), cba.Malformed},
		{"garbage that is base64", []byte("YWJj"), cba.Malformed},
		{"a lone zero", []byte{0x30}, cba.Malformed},
		{"DER cut off", r.DER[:len(r.DER)-1], cba.Malformed},
		{"DER with a byte behind", append(bytes.Clone(r.DER), 1), cba.Malformed},
		{"PEM cut off", []byte(text[:len(text)/2]), cba.Malformed},
		{"two requests", []byte(text + text), cba.Ambiguous},
		{"a certificate", cba.EncodeCertificates(newRoot(t, cba.P256).Certificate), cba.Missing},
		{"a certificate in DER", newRoot(t, cba.P256).Certificate.Raw, cba.Missing},
		{"over 1 MiB", bytes.Repeat([]byte("A"), 1<<20+1), cba.OutOfRange},
		{"a name changed after signing", changed, cba.BadSignature},
		{"RSA of 1024 bits", signRequest(t, weak, &x509.CertificateRequest{}), cba.WeakKey},
		{"Ed25519", signRequest(t, ed, &x509.CertificateRequest{}), cba.UnsupportedKey},
		{"P-224", signRequest(t, p224, &x509.CertificateRequest{}), cba.UnsupportedKey},
		{"a subjectAltName that is none", badSAN, cba.Malformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := cba.ParseRequest(test.data)
			if got != nil {
				t.Error("a request beside the error")
			}
			wantReason(t, err, test.want)
		})
	}
}

// attribute is one attribute of a request: an object identifier and the DER of
// its values.
func attribute(tb testing.TB, id asn1.ObjectIdentifier, values ...any) asn1.RawValue {
	tb.Helper()
	oid, err := asn1.Marshal(id)
	if err != nil {
		tb.Fatal(err)
	}
	var content []byte
	for _, v := range values {
		der, err := asn1.Marshal(v)
		if err != nil {
			tb.Fatal(err)
		}
		content = append(content, der...)
	}
	set, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: content})
	if err != nil {
		tb.Fatal(err)
	}
	return asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: append(oid, set...)}
}

// certreq makes a request as Windows does: MS-WCCE section 2.2.2.7 and
// 3.1.1.4.3.1.1 have the attributes. Extensions stand in the attribute ext.
func certreq(tb testing.TB, key *ecdsa.PrivateKey, ext asn1.ObjectIdentifier, extensions []pkix.Extension) []byte {
	tb.Helper()
	subject, err := asn1.Marshal(pkix.Name{CommonName: "jane"}.ToRDNSequence())
	if err != nil {
		tb.Fatal(err)
	}
	info := struct {
		Version    int
		Subject    asn1.RawValue
		PublicKey  asn1.RawValue
		Attributes []asn1.RawValue `asn1:"tag:0,set"`
	}{
		Subject:   asn1.RawValue{FullBytes: subject},
		PublicKey: asn1.RawValue{FullBytes: mustSPKI(tb, key.Public())},
		Attributes: []asn1.RawValue{
			attribute(tb, asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 13, 2, 3}, asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte("10.0.26100.2")}),
			attribute(tb, asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 21, 20}, struct {
				ID                     int
				Machine, User, Process string `asn1:"utf8"`
			}{5, "PC1.contoso.com", "CONTOSO\\jane", "certreq.exe"}),
			attribute(tb, asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 13, 2, 2}, struct {
				Spec      int
				Name      asn1.RawValue
				Signature asn1.BitString
			}{1, asn1.RawValue{Tag: asn1.TagBMPString, Bytes: wide("Microsoft Software Key Storage Provider", true, false)}, asn1.BitString{}}),
			attribute(tb, ext, extensions),
		},
	}
	tbs, err := asn1.Marshal(info)
	if err != nil {
		tb.Fatal(err)
	}
	return signInfo(tb, key, tbs)
}

// signInfo makes a request of its signed part. The signature is deterministic
// (RFC 6979), so that a fuzzer sees the same input do the same.
func signInfo(tb testing.TB, key *ecdsa.PrivateKey, tbs []byte) []byte {
	tb.Helper()
	sum := sha256.Sum256(tbs)
	signature, err := key.Sign(nil, sum[:], crypto.SHA256)
	if err != nil {
		tb.Fatal(err)
	}
	der, err := asn1.Marshal(struct {
		Info      asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{
		asn1.RawValue{FullBytes: tbs},
		pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}},
		asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

func TestParseRequestOfWindows(t *testing.T) {
	key := testKey(t, cba.P256, "jane").(*ecdsa.PrivateKey)
	extensions := append(sanOf(t, upnFoo),
		pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2}, Value: []byte{0x1e, 4, 0, 'U', 0, 's'}},
		pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: []byte{3, 2, 5, 0xa0}})
	for name, id := range map[string]asn1.ObjectIdentifier{
		"PKCS #9":       pkcs9Extensions,
		"older Windows": olderExtensions,
	} {
		r, err := cba.ParseRequest(certreq(t, key, id, extensions))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !cmp.Equal(r.Names.UPNs, []string{"foo@bar.com"}) || len(r.Extensions) != 3 {
			t.Errorf("%s: names %v, %d extensions", name, r.Names, len(r.Extensions))
		}
		found := r.Compare(cba.Subject{UPN: "foo@bar.com", Name: dn.Name{{{Type: dn.CommonName, Value: "jane"}}}})
		var what []string
		for _, f := range found {
			what = append(what, f.Code+": "+f.What)
		}
		want := []string{
			"request-extension: asks for the extension 1.3.6.1.4.1.311.20.2 (certificate template), which the profile decides",
			"request-extension: asks for the extension 2.5.29.15 (key usage), which the profile decides",
		}
		if diff := cmp.Diff(want, what); diff != "" {
			t.Errorf("%s: findings (-want +got):\n%s", name, diff)
		}
	}
	none := certreq(t, key, olderExtensions, nil)
	if r, err := cba.ParseRequest(none); err != nil || len(r.Extensions) != 0 {
		t.Errorf("no extensions: %v", err)
	}
}

// What the request asks for is never followed, only reported.
func TestCompare(t *testing.T) {
	sid, other := parseSID(t, sidText), parseSID(t, "S-1-5-21-1-2-3-500")
	full := cba.Subject{UPN: "admin@yourdomain.com", Emails: []string{"admin@yourdomain.com"}, SID: other, DNSNames: []string{"dc1"}, URIs: []string{"a://b"}}
	for _, test := range []struct {
		name    string
		asked   cba.Subject
		subject cba.Subject
		want    []string
	}{
		{"the same", jane, jane, nil},
		{
			"somebody else", full, cba.Subject{UPN: "jane@yourdomain.com", SID: sid},
			[]string{"request-upn", "request-more", "request-names", "request-names", "request-names", "request-sid", "request-subject"},
		},
		{"another letter case is another UPN", cba.Subject{UPN: "Jane@yourdomain.com"}, jane, []string{"request-upn", "request-more"}},
		{"gets more", jane, cba.Subject{UPN: jane.UPN, Emails: []string{"jane@yourdomain.com"}, SID: sid}, nil},
		{
			"gets one more of a kind",
			cba.Subject{UPN: jane.UPN, Emails: []string{"a@b.com"}}, cba.Subject{UPN: jane.UPN, Emails: []string{"a@b.com", "c@d.com"}},
			[]string{"request-more"},
		},
		{"asks for a SID, gets none", cba.Subject{UPN: jane.UPN, SID: sid}, jane, []string{"request-sid"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			found := newRequest(t, test.asked).Compare(test.subject)
			var codes []string
			for _, f := range found {
				codes = append(codes, f.Code)
				if f.Severity == lint.Error {
					t.Errorf("%v: what a request asks for is never an error", f)
				}
			}
			if diff := cmp.Diff(test.want, codes); diff != "" {
				t.Errorf("codes (-want +got):\n%s\n%v", diff, found)
			}
		})
	}
	// A request that asks to be a CA, and one that says it is none.
	for der, want := range map[string]bool{"\x30\x03\x01\x01\xff": true, "\x30\x06\x01\x01\xff\x02\x01\x00": true, "\x30\x00": false} {
		r, err := cba.ParseRequest(signRequest(t, testKey(t, cba.P256, "jane"), &x509.CertificateRequest{
			ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Value: []byte(der)}},
		}))
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Compare(jane).Has("request-ca"); got != want {
			t.Errorf("basic constraints %x: request-ca = %v, want %v", der, got, want)
		}
	}
}

// The certificate for a request has the request's key and the subject's names,
// none of the request's.
func TestPrepareRequest(t *testing.T) {
	root := newRoot(t, cba.P256)
	r := newRequest(t, cba.Subject{UPN: "admin@yourdomain.com", SID: parseSID(t, sidText), DNSNames: []string{"dc1"}})
	draft, err := root.PrepareRequest(r, jane, cba.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	if !draft.Findings.Has("request-upn") || !draft.Findings.Has("request-sid") {
		t.Errorf("findings: %v", draft.Findings)
	}
	cert, err := draft.Sign(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names, err := cba.NamesOf(cert)
	if diff := cmp.Diff(cba.Names{UPNs: []string{jane.UPN}}, names, cmp.AllowUnexported(cba.SID{})); diff != "" || err != nil {
		t.Errorf("names (-want +got):\n%s %v", diff, err)
	}
	if !bytes.Equal(cert.RawSubjectPublicKeyInfo, mustSPKI(t, r.PublicKey)) {
		t.Error("another key")
	}
	// A key that was put into a request by hand is not proven.
	swapped := *r
	swapped.PublicKey = testKey(t, cba.P256, "other").Public()
	for _, odd := range []*cba.Request{&swapped, {PublicKey: r.PublicKey}, {}} {
		_, err := root.IssueRequest(t.Context(), odd, jane, cba.Profile{})
		wantReason(t, err, cba.BadSignature)
	}
	if _, err := root.PrepareRequest(nil, jane, cba.Profile{}); err == nil {
		t.Error("prepared no request")
	} else {
		wantReason(t, err, cba.Empty)
	}
}

func mustSPKI(tb testing.TB, pub crypto.PublicKey) []byte {
	tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

// FuzzRequest: whatever is given as a request is refused with this package's
// error and no request, or the certificate that is issued for it holds its key
// and the names of the subject, and nothing that the request asks for.
func FuzzRequest(f *testing.F) {
	key := testKey(f, cba.P256, "jane").(*ecdsa.PrivateKey)
	root := newRoot(f, cba.P256)
	full := newRequest(f, cba.Subject{UPN: "admin@yourdomain.com", Emails: []string{"a@b.com"}, SID: parseSID(f, sidText)})
	f.Add(full.DER)
	f.Add(full.PEM())
	f.Add(wide(string(full.PEM()), false, true))
	f.Add([]byte(base64.StdEncoding.EncodeToString(full.DER)))
	f.Add(certreq(f, key, olderExtensions, sanOf(f, upnFoo, fascN)))
	f.Fuzz(func(t *testing.T, data []byte) {
		onlyTheSubject(t, root, data)
		if again := resign(t, data, key); again != nil {
			onlyTheSubject(t, root, again)
		}
	})
}

// FuzzRequestExtensions is FuzzRequest for a request whose signature is right and
// whose extensions are anything.
func FuzzRequestExtensions(f *testing.F) {
	key := testKey(f, cba.P256, "jane").(*ecdsa.PrivateKey)
	root := newRoot(f, cba.P256)
	sid := parseSID(f, sidText).Extension().Value
	for _, name := range []string{upnFoo, upnIA5, fascN, email, uri, directory} {
		f.Add(sanOf(f, name)[0].Value, sid)
	}
	f.Add([]byte{0x30, 0}, []byte{0x30, 0})
	f.Fuzz(func(t *testing.T, altNames, sid []byte) {
		id := pkcs9Extensions
		if len(altNames)%2 == 0 {
			id = olderExtensions
		}
		onlyTheSubject(t, root, certreq(t, key, id, []pkix.Extension{{Id: sanID, Value: altNames}, {Id: sidID, Value: sid}}))
	})
}

var (
	pkcs9Extensions = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 14}
	olderExtensions = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 14}
)

// onlyTheSubject is the law of the fuzz targets.
func onlyTheSubject(t *testing.T, root *cba.Issuer, data []byte) {
	t.Helper()
	r, err := cba.ParseRequest(data)
	if err != nil {
		if _, ok := err.(*cba.Error); !ok || r != nil {
			t.Fatalf("error %T, request %v", err, r)
		}
		return
	}
	draft, err := root.PrepareRequest(r, jane, cba.Profile{})
	if err != nil {
		t.Fatal(err) // ParseRequest has accepted the key
	}
	cert := draft.Certificate // TestSignOnce: these bytes are what Sign signs
	names, err := cba.NamesOf(cert)
	if diff := cmp.Diff(cba.Names{UPNs: []string{jane.UPN}}, names, cmp.AllowUnexported(cba.SID{})); diff != "" || err != nil {
		t.Fatalf("names (-want +got):\n%s %v", diff, err)
	}
	if !bytes.Equal(cert.RawSubjectPublicKeyInfo, mustSPKI(t, r.PublicKey)) || cert.IsCA || cert.Subject.String() != "CN=jane@yourdomain.com" {
		t.Fatal("key, authority or subject are not as asked")
	}
}

// resign puts the key of the tests and its signature into a request that the
// fuzzer has changed, so that it gets behind the check of the signature.
func resign(tb testing.TB, data []byte, key *ecdsa.PrivateKey) []byte {
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	csr, err := x509.ParseCertificateRequest(data)
	if err != nil {
		return nil
	}
	info := mustSPKI(tb, key.Public())
	if len(info) != len(csr.RawSubjectPublicKeyInfo) {
		return nil
	}
	return signInfo(tb, key, bytes.Replace(csr.RawTBSCertificateRequest, csr.RawSubjectPublicKeyInfo, info, 1))
}

// A signature over SHA-1 is not looked at under GODEBUG=fips140=only, where it would
// panic, and is fine elsewhere.
func TestRequestSignedWithSHA1(t *testing.T) {
	if os.Getenv("CBA_FIPS") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestRequestSignedWithSHA1$")
		cmd.Env = append(os.Environ(), "CBA_FIPS=1", "GODEBUG=fips140=only")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
	key := testKey(t, cba.P256, "request")
	der := signRequest(t, key, &x509.CertificateRequest{SignatureAlgorithm: x509.ECDSAWithSHA1})
	_, err := cba.ParseRequest(der)
	var e *cba.Error
	if fips140.Enforced() != errors.As(err, &e) || err != nil && (e.Reason != cba.BadSignature || !strings.Contains(e.Hint, "SHA-256")) {
		t.Errorf("enforced %v: %v", fips140.Enforced(), err)
	}
}

// The key of a new CA is of a kind that readers of its users' keys can verify.
func TestKeyTypeForCA(t *testing.T) {
	for users, want := range map[cba.KeyType]cba.KeyType{
		0: cba.RSA3072, cba.RSA2048: cba.RSA3072, cba.RSA3072: cba.RSA3072, cba.RSA4096: cba.RSA3072,
		cba.P256: cba.P256, cba.P384: cba.P384, cba.P521: cba.P384, 99: cba.RSA3072,
	} {
		if got := users.ForCA(); got != want {
			t.Errorf("%v: %v", users, got)
		}
	}
}

// A request whose name crypto/x509 does not read gives its key all the same, and its
// signature still counts; several requests are told.
func TestRequestWithAnOddName(t *testing.T) {
	key := testKey(t, cba.P256, "jane")
	// CN=jane@contoso.com as a PrintableString, which has no @.
	subject := unhex(t, "301b 3119 3017 0603550403 1310"+hexOf("jane@contoso.com"))
	raw, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{RawSubject: subject}, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x509.ParseCertificateRequest(raw); err == nil {
		t.Fatal("crypto/x509 reads it")
	}
	r, err := cba.ParseRequest(raw)
	if err != nil || !key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(r.PublicKey) || r.Name.String() != "CN=jane@contoso.com" || !bytes.Equal(r.DER, raw) {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := newRoot(t, cba.P256).IssueRequest(t.Context(), r, cba.Subject{UPN: "jane@contoso.com"}, cba.Profile{}); err != nil {
		t.Error(err)
	}
	for i, at := range []int{bytes.Index(raw, []byte("jane@")), len(raw) - 3} { // what is signed, and the signature
		changed := bytes.Clone(raw)
		changed[at] ^= 1
		if _, err := cba.ParseRequest(changed); !errors.Is(err, cba.BadSignature) {
			t.Errorf("%d: %v", i, err)
		}
	}
	two := append(r.PEM(), r.PEM()...)
	if _, err := cba.ParseRequest(two); !errors.Is(err, cba.Ambiguous) || !strings.Contains(err.Error(), "one at a time") {
		t.Error(err)
	}
}
