package trust_test

import (
	"bytes"
	"crypto/fips140"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/internal/interop"
	"example.com/entracba/cba/trust"
	"github.com/smallstep/pkcs7"
)

func pemOf(list ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, cert := range list {
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	}
	return b.Bytes()
}

// generatedCases are chains of one to four CAs with one defect at every place.
func generatedCases(t *testing.T) []chainCase {
	var cases []chainCase
	past := now.AddDate(0, 0, -1)
	other := root(t, spec{name: "Other"})
	for depth := 1; depth <= 4; depth++ {
		for _, defect := range []string{"none", "gap", "expired", "wrong signer", "not a CA", "no keyCertSign", "path length", "cross-certified"} {
			for at := 0; at <= depth; at++ { // 0 is the root, depth the user
				if defect == "none" && at > 0 ||
					at == depth && defect != "expired" && defect != "wrong signer" ||
					at == 0 && defect == "wrong signer" {
					continue
				}
				var cas []*entity
				var above *entity
				for n := 0; n <= depth; n++ {
					s := spec{name: fmt.Sprintf("CA %d", n)}
					if n == at {
						switch defect {
						case "expired":
							s.to = past
						case "wrong signer":
							s.signer = other.key
						case "not a CA":
							s.notCA = true
						case "no keyCertSign":
							s.usage = x509.KeyUsageCRLSign
						case "path length":
							s.pathLen = new(max(0, depth-at-2))
						}
					}
					next := issue(t, above, n < depth, s)
					if n < depth && !(n == at && defect == "gap") {
						cas = append(cas, next)
					}
					if n == at && defect == "cross-certified" { // in place of the certificate
						cas[len(cas)-1] = other.ca(t, spec{name: s.name, key: next.key})
						cas = append(cas, other)
					}
					above = next
				}
				cases = append(cases, chainCase{name: fmt.Sprintf("%d CAs, %s at %d", depth, defect, at), cas: cas, leaf: above})
			}
		}
	}
	return cases
}

// OpenSSL gives a second opinion on every chain of the tests, and where it
// differs the case says why.
func TestOpenSSLVerifyAgrees(t *testing.T) {
	openssl := interop.Find(t, "openssl")
	dir := t.TempDir()
	cases := append(chainCases(t), generatedCases(t)...)
	if len(cases) < 110 {
		t.Fatalf("only %d cases", len(cases))
	}
	trusted := 0
	for _, c := range cases {
		at := c.at
		if at.IsZero() {
			at = now
		}
		ours := compile(t, configOf(t, c.cas...), c.opt).Chain(c.leaf.Certificate, at)
		if ours.Trusted {
			trusted++
		}
		var roots, others []*x509.Certificate
		for _, ca := range certsOf(c.cas) {
			var signed error
			fips140.WithoutEnforcement(func() { signed = ca.CheckSignature(ca.SignatureAlgorithm, ca.RawTBSCertificate, ca.Signature) })
			if bytes.Equal(ca.RawIssuer, ca.RawSubject) && signed == nil {
				roots = append(roots, ca)
			} else {
				others = append(others, ca)
			}
		}
		args := []string{"verify", "-no-CApath", "-no-CAstore", "-attime", strconv.FormatInt(at.Unix(), 10)}
		for name, list := range map[string][]*x509.Certificate{"-CAfile": roots, "-untrusted": others} {
			if len(list) == 0 {
				if name == "-CAfile" {
					args = append(args, "-no-CAfile")
				}
				continue
			}
			file := filepath.Join(dir, name[1:])
			if err := os.WriteFile(file, pemOf(list...), 0o600); err != nil {
				t.Fatal(err)
			}
			args = append(args, name, file)
		}
		file := filepath.Join(dir, "leaf")
		if err := os.WriteFile(file, pemOf(c.leaf.Certificate), 0o600); err != nil {
			t.Fatal(err)
		}
		result := openssl.Try(t, nil, append(args, file)...)
		agrees := (result.Code == 0) == ours.Trusted
		if agrees != (c.openssl == "") {
			t.Errorf("%s: trusted here: %v %v; openssl says %d: %s%s; difference expected: %q",
				c.name, ours.Trusted, causes(ours), result.Code, result.Stdout, result.Stderr, c.openssl)
		}
	}
	if trusted < 20 || trusted > len(cases)-20 {
		t.Errorf("%d of %d chains trusted: too few of one kind to prove anything", trusted, len(cases))
	}
}

// A difference is a reason for which this package answers otherwise than RFC
// 5280 on cases of NIST's suite.
type difference struct {
	reason string
	cases  string // regular expression for the beginning of their names
	count  int
}

const crlDifference = "revocation is not asked here: package crl reads lists, package signin joins them with the chain"

// pkitsDifferences are data: where Entra's documented rules are others than
// those of RFC 5280, or where the answer is another package's.
var pkitsDifferences = []difference{
	{"crypto/x509 does not check DSA signatures; the failure says so", `4\.1\.4 `, 1},
	{"Entra finds issuers by key identifiers, not by name (Learn: How to configure certificate authorities); the difference is a remark", `4\.3\.`, 2},
	{crlDifference, `4\.4\.`, 14},
	{crlDifference, `4\.5\.`, 3},
	{crlDifference + "; keyUsage without cRLSign is a finding", `4\.7\.`, 2},
	{"policies must be consistent (Microsoft support: AADSTS50017), how is not documented; a policy that the issuer lacks is a remark", `4\.(8|9|10|11|12)\.`, 43},
	{"name constraints are not documented, and crypto/x509 cannot compare directory names; what it marks as unhandled is a remark", `4\.13\.`, 22},
	{crlDifference, `4\.14\.`, 19},
	{crlDifference, `4\.15\.`, 6},
	{"what Entra makes of a critical extension that it does not know is not documented; it is a remark", `4\.16\.2 `, 1},
}

// pkitsUnreadable are the cases with a certificate that Go's parser refuses: an
// inherited DSA parameter, a negative serial number, a CRL issuer alone in a
// distribution point.
const pkitsUnreadable = 6

// NIST's path validation suite as the Go distribution carries it. The CAs of a
// case make the store, its last certificate is the user's.
func TestPKITS(t *testing.T) {
	goroot := strings.TrimSpace(interop.Find(t, "go").Run(t, nil, "env", "GOROOT"))
	folder := filepath.Join(goroot, "src/crypto/x509/testdata/nist-pkits")
	vectors, err := os.ReadFile(filepath.Join(folder, "vectors.json"))
	if err != nil {
		interop.Missing(t, "the Go distribution has no PKITS vectors: %v", err)
	}
	var cases []struct {
		Name           string
		CertPath       []string
		ShouldValidate bool
	}
	if err := json.Unmarshal(vectors, &cases); err != nil {
		t.Fatal(err)
	}
	agreed, unreadable := 0, 0
	counts := make([]int, len(pkitsDifferences))
	for _, c := range cases {
		var path []*x509.Certificate
		for _, name := range c.CertPath {
			der, err := os.ReadFile(filepath.Join(folder, "certs", name))
			if err != nil {
				t.Fatal(err)
			}
			cert, err := x509.ParseCertificate(der)
			if err != nil {
				break
			}
			path = append(path, cert)
		}
		if len(path) != len(c.CertPath) {
			unreadable++
			continue
		}
		pki, err := trust.NewPKI("NIST", path[:len(path)-1])
		if err != nil {
			t.Fatal(err)
		}
		store := compile(t, trust.Config{PKIs: trust.PKIs{pki}}, trust.Options{})
		got := store.Chain(path[len(path)-1], time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
		if got.Trusted == c.ShouldValidate {
			agreed++
			continue
		}
		i := slices.IndexFunc(pkitsDifferences, func(d difference) bool {
			return regexp.MustCompile("^(?:" + d.cases + ")").MatchString(c.Name)
		})
		if i < 0 {
			t.Errorf("%s: RFC 5280 says %v, we %v %v", c.Name, c.ShouldValidate, got.Trusted, causes(got))
			continue
		}
		counts[i]++
	}
	for i, d := range pkitsDifferences {
		if counts[i] != d.count {
			t.Errorf("%d cases differ because %s, want %d", counts[i], d.reason, d.count)
		}
	}
	if agreed < 130 || unreadable != pkitsUnreadable {
		t.Errorf("of %d cases %d agree and %d cannot be read, want 130 and %d", len(cases), agreed, unreadable, pkitsUnreadable)
	}
}

// OpenSSL and GnuTLS read the bundles that we write, with the same certificates
// in them.
func TestOtherToolsReadOurBundle(t *testing.T) {
	openssl, certtool := interop.Find(t, "openssl"), interop.Find(t, "certtool")
	r := root(t, spec{name: "Root"})
	list := certs(r, r.ca(t, spec{name: "One"}), r.ca(t, spec{name: "Two"}))
	p7b, err := trust.EncodeBundle(list)
	if err != nil {
		t.Fatal(err)
	}
	file := interop.File(t, "pki.p7b", p7b)
	printed := openssl.Run(t, nil, "pkcs7", "-inform", "DER", "-in", file, "-print_certs")
	sameCertificates(t, "openssl", []byte(printed), list)
	info := certtool.Run(t, nil, "--p7-info", "--inder", "--infile", file)
	if n := strings.Count(info, "-----BEGIN CERTIFICATE-----"); n != len(list) {
		t.Errorf("certtool shows %d certificates:\n%s", n, info)
	}
	sameCertificates(t, "certtool", []byte(info), list)

	// A library reads it, and writes the same bytes, certificates in the order of a set.
	parsed, err := pkcs7.Parse(p7b)
	if err != nil || len(parsed.Certificates) != len(list) {
		t.Fatalf("pkcs7.Parse: %v", err)
	}
	var ders []byte
	for _, cert := range parsed.Certificates {
		ders = append(ders, cert.Raw...)
	}
	theirs, err := pkcs7.DegenerateCertificate(ders)
	if err != nil || !bytes.Equal(theirs, p7b) {
		t.Errorf("pkcs7 writes other bytes (%v)", err)
	}
	// The file is DER to the last byte: OpenSSL writes the same when asked to.
	again := openssl.Run(t, nil, "pkcs7", "-inform", "DER", "-in", file, "-outform", "DER")
	if again != string(p7b) {
		t.Error("openssl writes the bundle differently")
	}
	// And the hash is the one that a tool prints.
	printedHash := openssl.Run(t, nil, "dgst", "-sha256", "-r", file)
	if want := strings.ToUpper(strings.Fields(printedHash)[0]); trust.FileHash(p7b) != want {
		t.Errorf("FileHash = %s, openssl says %s", trust.FileHash(p7b), want)
	}
}

// sameCertificates compares the certificates of a text with PEM blocks in it,
// in any order.
func sameCertificates(t *testing.T, who string, text []byte, want []*x509.Certificate) {
	t.Helper()
	got, err := trust.ReadCertificates(text)
	if err != nil {
		t.Fatalf("%s: %v", who, err)
	}
	order := func(a, b *x509.Certificate) int { return bytes.Compare(a.Raw, b.Raw) }
	want = slices.SortedFunc(slices.Values(want), order)
	slices.SortFunc(got, order) // certtool prints the bundle behind its certificates
	got = slices.CompactFunc(got, (*x509.Certificate).Equal)
	if !slices.EqualFunc(got, want, (*x509.Certificate).Equal) {
		t.Errorf("%s has other certificates", who)
	}
}

// We read the bundles that OpenSSL and GnuTLS write, in every
// form that they have.
func TestWeReadTheBundlesOfOtherTools(t *testing.T) {
	openssl, certtool := interop.Find(t, "openssl"), interop.Find(t, "certtool")
	r := root(t, spec{name: "Root"})
	user := r.user(t, spec{name: "jane"})
	list := certs(r, r.ca(t, spec{name: "One"}), user)
	in := interop.File(t, "all.pem", pemOf(list...))
	key, err := x509.MarshalPKCS8PrivateKey(user.key)
	if err != nil {
		t.Fatal(err)
	}
	keyFile := interop.File(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	leaf, cas := interop.File(t, "leaf.pem", pemOf(list[2])), interop.File(t, "cas.pem", pemOf(list[:2]...))
	text := interop.File(t, "text", bytes.Repeat([]byte("text "), 1000))
	files := map[string]string{
		"openssl DER":    openssl.Run(t, nil, "crl2pkcs7", "-nocrl", "-certfile", in, "-outform", "DER"),
		"openssl PEM":    openssl.Run(t, nil, "crl2pkcs7", "-nocrl", "-certfile", in),
		"certtool PEM":   certtool.Run(t, nil, "--p7-generate", "--load-certificate", in),
		"openssl signed": openssl.Run(t, nil, "cms", "-sign", "-nodetach", "-in", text, "-signer", leaf, "-inkey", keyFile, "-certfile", cas, "-outform", "DER"),
		// -stream makes OpenSSL write BER with indefinite lengths.
		"openssl BER": openssl.Run(t, nil, "cms", "-sign", "-nodetach", "-stream", "-in", text, "-signer", leaf, "-inkey", keyFile, "-certfile", cas, "-outform", "DER"),
	}
	if !strings.HasPrefix(files["openssl BER"], "\x30\x80") {
		t.Error("openssl cms -stream wrote no indefinite length: the case proves nothing")
	}
	for name, file := range files {
		for how, read := range map[string]func([]byte) ([]*x509.Certificate, error){
			"DecodeBundle": trust.DecodeBundle, "ReadCertificates": trust.ReadCertificates,
		} {
			got, err := read([]byte(file))
			if err != nil {
				t.Errorf("%s, %s: %v", name, how, err)
				continue
			}
			unique := map[string]bool{}
			for _, cert := range got {
				unique[string(cert.Raw)] = true
			}
			for _, cert := range list {
				if !unique[string(cert.Raw)] {
					t.Errorf("%s, %s: a certificate is missing", name, how)
				}
			}
			if len(unique) != len(list) {
				t.Errorf("%s, %s: %d certificates", name, how, len(unique))
			}
		}
	}
}
