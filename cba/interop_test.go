package cba_test

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/internal/interop"
	"github.com/google/go-cmp/cmp"
)

// fullSubject and fullProfile use everything that a certificate can say.
func fullSubject(tb testing.TB) cba.Subject {
	return cba.Subject{
		UPN: "Zoë@yourdomain.com", Emails: []string{"zoe@yourdomain.com"}, SID: parseSID(tb, sidText),
		DNSNames: []string{"pc1.contoso.com"}, URIs: []string{"https://contoso.com/zoe"},
		Name: parseName(tb, "CN=Zoë,OU=Users,DC=contoso,DC=com"),
	}
}

func fullProfile() cba.Profile {
	hardware, _ := x509.ParseOID("1.2.3.4")
	return cba.Profile{
		SmartcardLogon: true, Email: true, EFS: true, SIDForm: cba.SIDAsBoth,
		Policies: []x509.OID{cba.AllIssuancePolicies(), hardware},
		CRLURLs:  []string{"http://crl.contoso.com/ca.crl"}, CAURLs: []string{"http://crl.contoso.com/ca.cer"},
	}
}

// A made chain is root, intermediate and user, at the real time, as files.
type made struct {
	cert           *x509.Certificate
	user, ca, root string
}

func makeChain(tb testing.TB, caType, userType cba.KeyType) made {
	tb.Helper()
	root, err := cba.NewRoot(tb.Context(), cba.Authority{Name: parseName(tb, "CN=Contoso Root CA,DC=contoso,DC=com"), Key: testKey(tb, caType, "root")})
	if err != nil {
		tb.Fatal(err)
	}
	issuing, err := root.NewIntermediate(tb.Context(), cba.Authority{Name: parseName(tb, "CN=Contoso Issuing CA,DC=contoso,DC=com"), Key: testKey(tb, caType, "issuing"),
		CRLURLs: []string{"http://crl.contoso.com/root.crl"}})
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := issuing.Issue(tb.Context(), testKey(tb, userType, "jane").Public(), fullSubject(tb), fullProfile())
	if err != nil {
		tb.Fatal(err)
	}
	return made{
		cert: cert,
		user: interop.File(tb, "user.pem", cba.EncodeCertificates(cert)),
		ca:   interop.File(tb, "ca.pem", cba.EncodeCertificates(issuing.Certificate)),
		root: interop.File(tb, "root.pem", cba.EncodeCertificates(root.Certificate)),
	}
}

// has fails for every text that the output does not have.
func has(t *testing.T, output string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(output, text) {
			t.Errorf("%q is not in the output:\n%s", text, output)
		}
	}
}

func TestOpenSSLReadsCertificate(t *testing.T) {
	openssl := interop.Find(t, "openssl")
	for _, types := range [][2]cba.KeyType{{cba.RSA2048, cba.RSA2048}, {cba.P256, cba.RSA2048}, {cba.P384, cba.P256}, {cba.P521, cba.P384}} {
		c := makeChain(t, types[0], types[1])
		out := openssl.Run(t, nil, "x509", "-in", c.user, "-noout", "-text", "-nameopt", "RFC2253,-esc_msb,utf8")
		has(t, out,
			"othername: UPN::Zo", "email:zoe@yourdomain.com", "DNS:pc1.contoso.com", "URI:https://contoso.com/zoe",
			"URI:tag:microsoft.com,2022-09-14:sid:"+sidText, "-"+sidText,
			"Subject: CN=Zoë,OU=Users,DC=contoso,DC=com", "Issuer: CN=Contoso Issuing CA,DC=contoso,DC=com",
			"TLS Web Client Authentication, Microsoft Smartcard Login, E-mail Protection, Microsoft Encrypted File System",
			"X509v3 Key Usage: critical\n                Digital Signature, Key", "CA:FALSE",
			"Policy: X509v3 Any Policy", "Policy: 1.2.3.4", "URI:http://crl.contoso.com/ca.crl", "CA Issuers - URI:http://crl.contoso.com/ca.cer")
		for _, purpose := range []string{"sslclient", "smimesign"} {
			has(t, openssl.Run(t, nil, "verify", "-x509_strict", "-purpose", purpose, "-CAfile", c.root, "-untrusted", c.ca, c.user), ": OK")
			has(t, openssl.Run(t, nil, "verify", "-x509_strict", "-explicit_policy", "-policy", "1.2.3.4", "-purpose", purpose, "-CAfile", c.root, "-untrusted", c.ca, c.user), ": OK")
		}
		// The twins: not for servers, not without the intermediate, not with
		// another policy.
		for _, args := range [][]string{
			{"-purpose", "sslserver", "-CAfile", c.root, "-untrusted", c.ca},
			{"-CAfile", c.root},
			{"-CAfile", makeOtherRoot(t), "-untrusted", c.ca},
		} {
			if r := openssl.Try(t, nil, append(append([]string{"verify"}, args...), c.user)...); r.Code == 0 {
				t.Errorf("verify %q accepts it", args)
			}
		}
	}
}

func makeOtherRoot(t *testing.T) string {
	other, err := cba.NewRoot(t.Context(), cba.Authority{Name: parseName(t, "CN=Contoso Root CA,DC=contoso,DC=com"), Key: testKey(t, cba.P256, "other")})
	if err != nil {
		t.Fatal(err)
	}
	return interop.File(t, "other.pem", cba.EncodeCertificates(other.Certificate))
}

func TestGnuTLSReadsCertificate(t *testing.T) {
	certtool := interop.Find(t, "certtool")
	for _, types := range [][2]cba.KeyType{{cba.RSA2048, cba.RSA2048}, {cba.P384, cba.P256}} {
		c := makeChain(t, types[0], types[1])
		has(t, certtool.Run(t, nil, "--certificate-info", "--infile", c.user),
			"User Principal Name: Zoë@yourdomain.com", "RFC822Name: zoe@yourdomain.com", "DNSname: pc1.contoso.com",
			"URI: tag:microsoft.com,2022-09-14:sid:"+sidText, "ASCII: 0?.=..+.....7..../.-"+sidText,
			"Subject: CN=Zoë,OU=Users,DC=contoso,DC=com", "TLS WWW Client.", "Smart Card Logon.", "Email protection.",
			fmt.Sprintf("Serial Number (hex): %x", c.cert.SerialNumber))
		chain := append(append(read(t, c.user), read(t, c.ca)...), read(t, c.root)...)
		has(t, certtool.Run(t, chain, "--verify-chain"), "Chain verification output: Verified.")
		if r := certtool.Try(t, append(read(t, c.user), read(t, c.root)...), "--verify-chain"); r.Code == 0 && strings.Contains(r.Stdout, "output: Verified.") {
			t.Error("certtool verifies a chain with a gap")
		}
	}
}

func read(tb testing.TB, path string) []byte {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// pythonRead prints the names of a certificate or request as JSON, as Python's
// cryptography reads them.
const pythonRead = `
import json, sys
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
data = sys.stdin.buffer.read()
if sys.argv[1] == "cert":
    c = x509.load_pem_x509_certificate(data)
    good = True
else:
    c = x509.load_pem_x509_csr(data)
    good = c.is_signature_valid
UPN = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
SID = x509.ObjectIdentifier("1.3.6.1.4.1.311.25.2")
san = c.extensions.get_extension_for_class(x509.SubjectAlternativeName)
out = {
    "good": good,
    "subject": c.subject.rfc4514_string(),
    "critical": san.critical,
    "upn": [n.value.hex() for n in san.value if isinstance(n, x509.OtherName) and n.type_id == UPN],
    "email": san.value.get_values_for_type(x509.RFC822Name),
    "dns": san.value.get_values_for_type(x509.DNSName),
    "uri": san.value.get_values_for_type(x509.UniformResourceIdentifier),
    "sid": c.extensions.get_extension_for_oid(SID).value.value.hex(),
}
if sys.argv[1] == "cert":
    out["usages"] = [u.dotted_string for u in c.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value]
    out["policies"] = [p.policy_identifier.dotted_string for p in c.extensions.get_extension_for_class(x509.CertificatePolicies).value]
    out["serial"] = "%x" % c.serial_number
print(json.dumps(out))
`

type pythonNames struct {
	Good            bool
	Subject         string
	Critical        bool
	UPN             []string
	Email, DNS, URI []string
	SID             string
	Usages          []string
	Policies        []string
	Serial          string
}

func TestPythonReads(t *testing.T) {
	python := interop.Python(t)
	c := makeChain(t, cba.P256, cba.P256)
	request, err := cba.NewRequest(t.Context(), testKey(t, cba.P256, "jane"), fullSubject(t))
	if err != nil {
		t.Fatal(err)
	}
	want := pythonNames{
		Good:    true,
		Subject: "CN=Zoë,OU=Users,DC=contoso,DC=com",
		UPN:     []string{"0c13" + hexOf("Zoë@yourdomain.com")},
		Email:   []string{"zoe@yourdomain.com"}, DNS: []string{"pc1.contoso.com"},
		URI: []string{"https://contoso.com/zoe"},
		SID: fmt.Sprintf("%x", parseSID(t, sidText).Extension().Value),
	}
	for kind, input := range map[string][]byte{"cert": read(t, c.user), "request": request.PEM()} {
		var got pythonNames
		if err := json.Unmarshal([]byte(python.Run(t, input, "-c", pythonRead, kind)), &got); err != nil {
			t.Fatal(err)
		}
		want := want
		if kind == "cert" {
			want.URI = append(want.URI, "tag:microsoft.com,2022-09-14:sid:"+sidText)
			want.Usages = []string{"1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.20.2.2", "1.3.6.1.5.5.7.3.4", "1.3.6.1.4.1.311.10.3.4"}
			want.Policies = []string{"2.5.29.32.0", "1.2.3.4"}
			want.Serial = fmt.Sprintf("%x", c.cert.SerialNumber)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
}

func TestRequestIsReadByOthers(t *testing.T) {
	openssl, certtool := interop.Find(t, "openssl"), interop.Find(t, "certtool")
	for _, kt := range []cba.KeyType{cba.RSA2048, cba.P256, cba.P384, cba.P521} {
		request, err := cba.NewRequest(t.Context(), testKey(t, kt, "jane"), fullSubject(t))
		if err != nil {
			t.Fatal(err)
		}
		path := interop.File(t, "request.pem", request.PEM())
		r := openssl.Try(t, nil, "req", "-in", path, "-verify", "-noout", "-text", "-nameopt", "RFC2253,-esc_msb,utf8")
		if r.Code != 0 || !strings.Contains(r.Stdout+r.Stderr, "verify OK") {
			t.Errorf("%v: openssl: exit status %d, %s", kt, r.Code, r.Stderr)
		}
		has(t, r.Stdout, "othername: UPN::Zo", "email:zoe@yourdomain.com", "DNS:pc1.contoso.com", "-"+sidText, "Subject: CN=Zoë,OU=Users,DC=contoso,DC=com")
		has(t, certtool.Run(t, nil, "--crq-info", "--infile", path),
			"User Principal Name: Zoë@yourdomain.com", "RFC822Name: zoe@yourdomain.com", "Subject: CN=Zoë,OU=Users,DC=contoso,DC=com", "Self signature: verified")
	}
}

// pythonRequest makes a request with UPN, e-mail and SID.
const pythonRequest = `
import sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
upn = "Zoë@yourdomain.com".encode()
der = bytes([0x0c, len(upn)]) + upn
b = (x509.CertificateSigningRequestBuilder()
    .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Zoë")]))
    .add_extension(x509.SubjectAlternativeName([
        x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), der),
        x509.RFC822Name("zoe@yourdomain.com")]), critical=False)
    .add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.311.25.2"), bytes.fromhex(sys.argv[1])), critical=False))
r = b.sign(ec.generate_private_key(ec.SECP384R1()), hashes.SHA384())
sys.stdout.buffer.write(r.public_bytes(serialization.Encoding.DER if sys.argv[2] == "der" else serialization.Encoding.PEM))
`

// Requests made by other programs are read, and a certificate is issued for
// them.
func TestReadsRequestsOfOthers(t *testing.T) {
	root := newRoot(t, cba.P256)
	check := func(t *testing.T, data []byte, want cba.Names, name string) {
		t.Helper()
		r, err := cba.ParseRequest(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, r.Names, cmp.AllowUnexported(cba.SID{})); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
		if r.Name.String() != name {
			t.Errorf("name %v, want %v", r.Name, name)
		}
		draft, err := root.PrepareRequest(r, jane, cba.Profile{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := draft.Sign(t.Context()); err != nil {
			t.Error(err)
		}
	}
	t.Run("openssl, the commands of the guides", func(t *testing.T) {
		openssl := interop.Find(t, "openssl")
		for _, gen := range [][]string{
			{"genrsa", "-out", "KEY", "2048"},
			{"ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "KEY"},
			{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521", "-out", "KEY"},
		} {
			key := filepath.Join(t.TempDir(), "jane.key")
			gen = append([]string{}, gen...)
			for i := range gen {
				if gen[i] == "KEY" {
					gen[i] = key
				}
			}
			openssl.Run(t, nil, gen...)
			for _, form := range []string{"PEM", "DER"} {
				out := openssl.Run(t, nil, "req", "-new", "-key", key, "-outform", form, "-subj", "/CN=jane@yourdomain.com",
					"-addext", "subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:jane@yourdomain.com")
				check(t, []byte(out), cba.Names{UPNs: []string{"jane@yourdomain.com"}}, "CN=jane@yourdomain.com")
			}
		}
	})
	t.Run("python", func(t *testing.T) {
		python := interop.Python(t)
		sid := parseSID(t, sidText)
		for _, form := range []string{"pem", "der"} {
			out := python.Run(t, nil, "-c", pythonRequest, fmt.Sprintf("%x", sid.Extension().Value), form)
			check(t, []byte(out), cba.Names{UPNs: []string{"Zoë@yourdomain.com"}, Emails: []string{"zoe@yourdomain.com"}, ExtensionSID: sid}, "CN=Zoë")
		}
	})
	t.Run("gnutls", func(t *testing.T) {
		certtool := interop.Find(t, "certtool")
		key := interop.File(t, "key.pem", pemKeys(t, testKey(t, cba.P256, "jane"))["PKCS #8"])
		template := interop.File(t, "template", []byte("cn = \"Jane\"\nemail = \"jane@yourdomain.com\"\nother_name_utf8 = \"1.3.6.1.4.1.311.20.2.3 jane@yourdomain.com\"\n"))
		out := certtool.Run(t, nil, "--generate-request", "--load-privkey", key, "--template", template)
		r, err := cba.ParseRequest([]byte(out))
		if err != nil {
			t.Fatal(err)
		}
		check(t, []byte(out), cba.Names{UPNs: []string{"jane@yourdomain.com"}, Emails: []string{"jane@yourdomain.com"}}, r.Name.String())
	})
	t.Run("keytool, which has certreq's label", func(t *testing.T) {
		keytool := interop.Find(t, "keytool")
		store := filepath.Join(t.TempDir(), "store.p12")
		common := []string{"-keystore", store, "-storetype", "PKCS12", "-storepass:env", "STOREPASS", "-alias", "jane"}
		keytool = keytool.Env("STOREPASS=changeit")
		keytool.Run(t, nil, append([]string{"-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=Jane, OU=Users, O=Contoso"}, common...)...)
		out := keytool.Run(t, nil, append([]string{"-certreq", "-ext", "san=email:jane@yourdomain.com,dns:pc1.contoso.com"}, common...)...)
		has(t, out, "BEGIN NEW CERTIFICATE REQUEST")
		check(t, []byte(out), cba.Names{Emails: []string{"jane@yourdomain.com"}, DNSNames: []string{"pc1.contoso.com"}}, "CN=Jane,OU=Users,O=Contoso")
	})
}

// A CA that OpenSSL made, as the guides do it, issues for us: OpenSSL accepts the
// chain. Its own certificates are read and judged.
func TestOpenSSLAuthority(t *testing.T) {
	openssl := interop.Find(t, "openssl").Env("PASS=secret-of-the-test")
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	openssl.Run(t, nil, "genrsa", "-out", at("rsa.key"), "2048")
	openssl.Run(t, nil, "rsa", "-in", at("rsa.key"), "-traditional", "-out", at("rsa-pkcs1.key"))
	openssl.Run(t, nil, "ecparam", "-name", "secp384r1", "-genkey", "-out", at("ec-parameters.key"))
	openssl.Run(t, nil, "pkcs8", "-topk8", "-nocrypt", "-in", at("ec-parameters.key"), "-outform", "DER", "-out", at("ec.der"))
	for crt, key := range map[string]string{"rsa.crt": "rsa.key", "ec.crt": "ec-parameters.key"} {
		openssl.Run(t, nil, "req", "-x509", "-new", "-key", at(key), "-subj", "/O=Contoso/CN=Contoso Root CA", "-days", "3650", "-sha256", "-out", at(crt))
	}
	for _, pair := range [][2]string{{"rsa.crt", "rsa.key"}, {"rsa.crt", "rsa-pkcs1.key"}, {"ec.crt", "ec-parameters.key"}, {"ec.crt", "ec.der"}} {
		i, err := cba.ParseIssuer(read(t, at(pair[0])), read(t, at(pair[1])))
		if err != nil {
			t.Errorf("%s: %v", pair[1], err)
			continue
		}
		if diff := cmp.Diff([]string{"ca-no-key-usage"}, codes(i.Findings())); diff != "" {
			t.Errorf("%s: findings (-want +got):\n%s", pair[1], diff)
		}
		cert, err := i.Issue(t.Context(), testKey(t, cba.P256, "jane").Public(), jane, cba.Profile{})
		if err != nil {
			t.Errorf("%s: %v", pair[1], err)
			continue
		}
		user := interop.File(t, "user.pem", cba.EncodeCertificates(cert))
		has(t, openssl.Run(t, nil, "verify", "-purpose", "sslclient", "-CAfile", at(pair[0]), user), ": OK")
	}
	for name, args := range map[string][]string{
		"pkcs8.enc": {"pkcs8", "-topk8", "-in", at("rsa.key"), "-passout", "env:PASS", "-out", at("pkcs8.enc")},
		"pkcs1.enc": {"rsa", "-in", at("rsa.key"), "-traditional", "-aes128", "-passout", "env:PASS", "-out", at("pkcs1.enc")},
	} {
		openssl.Run(t, nil, args...)
		_, err := cba.ParseIssuer(read(t, at("rsa.crt")), read(t, at(name)))
		if err == nil {
			t.Errorf("%s: read", name)
			continue
		}
		wantReason(t, err, cba.Encrypted)
	}

	// The four commands of the guides, without the PFX: what comes out is fit for
	// Entra but for what the guides leave out.
	openssl.Run(t, nil, "genrsa", "-out", at("jane.key"), "2048")
	openssl.Run(t, nil, "req", "-new", "-key", at("jane.key"), "-out", at("jane.csr"), "-subj", "/CN=jane@yourdomain.com",
		"-addext", "subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:jane@yourdomain.com")
	openssl.Run(t, nil, "x509", "-req", "-in", at("jane.csr"), "-CA", at("rsa.crt"), "-CAkey", at("rsa.key"), "-CAcreateserial",
		"-out", at("jane.crt"), "-days", "365", "-sha256", "-copy_extensions", "copyall")
	openssl.Run(t, nil, "x509", "-req", "-in", at("jane.csr"), "-CA", at("rsa.crt"), "-CAkey", at("rsa.key"), "-CAcreateserial",
		"-out", at("dropped.crt"), "-days", "365", "-sha256")
	for _, name := range []string{"jane.crt", "dropped.crt"} {
		var chain []*x509.Certificate
		for _, file := range []string{name, "rsa.crt"} {
			certs, err := cba.ParseCertificates(read(t, at(file)))
			if err != nil {
				t.Fatal(err)
			}
			chain = append(chain, certs...)
		}
		names, err := cba.NamesOf(chain[0])
		if err != nil || (len(names.UPNs) == 1) != (name == "jane.crt") {
			t.Errorf("%s: UPNs %q, %v", name, names.UPNs, err)
		}
		found := cba.Findings(chain, cba.FindingsOptions{At: time.Now(), UPN: "jane@yourdomain.com"})
		// The second was signed without -copy_extensions, which drops the UPN.
		if (name == "dropped.crt") != found.Has("cert-no-upn") || !found.Has("cert-no-usage") || !found.Has("ca-no-key-usage") {
			t.Errorf("%s: %v", name, found)
		}
	}
}
