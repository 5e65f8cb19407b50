package certs_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/certs"
	"example.com/entracba/cba/internal/der"
	"example.com/entracba/cba/internal/interop"
	"example.com/entracba/cba/internal/text"
)

func file(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func read(data []byte) ([]*x509.Certificate, error) {
	blocks, err := certs.Open(data)
	if err != nil {
		return nil, err
	}
	return certs.Certificates(blocks)
}

// made returns a certificate with these extensions.
func made(tb testing.TB, extensions ...pkix.Extension) []byte {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	raw, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(0x1122334455667788), Subject: pkix.Name{CommonName: "jane"},
		NotBefore: time.Unix(1767225600, 0), NotAfter: time.Unix(1830297600, 0), KeyUsage: x509.KeyUsageDigitalSignature,
		SubjectKeyId: []byte{1, 2, 3}, ExtraExtensions: extensions,
	}, &x509.Certificate{Subject: pkix.Name{CommonName: "CA"}}, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// Every form that people have, of the same certificates.
func TestForms(t *testing.T) {
	_, _, end, _ := der.Header(file(t, "der-trailing-zeros.cer"), 0)
	jane := file(t, "der-trailing-zeros.cer")[:end]
	other := made(t)
	p := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: jane}))
	q := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: other}))
	b64 := base64.StdEncoding.EncodeToString(jane)
	utf16 := func(s string, order binary.ByteOrder, mark string) []byte {
		return text.AppendUTF16(nil, mark+s, order)
	}
	for _, c := range []struct {
		name string
		data []byte
		n    int
	}{
		{"DER", jane, 1},
		{"zeros behind", append(bytes.Clone(jane), make([]byte, 700)...), 1},
		{"a line end behind", append(bytes.Clone(jane), '\r', '\n'), 1},
		{"two in DER", append(bytes.Clone(jane), other...), 2},
		{"two in DER and zeros", append(append(bytes.Clone(jane), other...), 0, 0), 2},
		{"PEM", []byte(p), 1},
		{"two in PEM", []byte(p + q), 2},
		{"text around", []byte("Bag Attributes\n  friendlyName: x\nsubject=CN = jane\n" + p + "\nthe end: of it\n" + q), 2},
		{"CRLF", []byte(strings.ReplaceAll(p, "\n", "\r\n")), 1},
		{"CR alone", []byte(strings.ReplaceAll(p, "\n", "\r")), 1},
		{"indented", []byte("cert: |\n    " + strings.ReplaceAll(p, "\n", "\n    ")), 1},
		{"tabs and blanks at line ends", []byte(strings.ReplaceAll(p, "\n", " \t\n")), 1},
		{"in one line", []byte(strings.ReplaceAll(p, "\n", " ")), 1},
		{"line ends as in JSON", []byte(strings.ReplaceAll(p, "\n", `\n`)), 1},
		{"line ends as in JSON, quoted", []byte(`"` + strings.ReplaceAll(p, "\n", `\r\n`) + `"`), 1},
		{"UTF-8 mark", []byte("\ufeff" + p), 1},
		{"UTF-16 LE with mark", utf16(p, binary.LittleEndian, "\ufeff"), 1},
		{"UTF-16 BE with mark", utf16(p, binary.BigEndian, "\ufeff"), 1},
		{"UTF-16 LE", utf16(p, binary.LittleEndian, ""), 1},
		{"base64", []byte(b64), 1},
		{"base64 in lines", []byte(b64[:64] + "\r\n" + b64[64:] + "\r\n"), 1},
		{"base64 for URLs", []byte(base64.RawURLEncoding.EncodeToString(jane)), 1},
		{"base64 in quotes", []byte(`"` + b64 + `"`), 1},
		{"base64 in UTF-16", utf16(b64, binary.LittleEndian, "\ufeff"), 1},
		{"base64 of PEM", []byte(base64.StdEncoding.EncodeToString([]byte(p))), 1},
		{"base64 and zeros", append([]byte(b64), 0, 0, 0), 1},
		{"hexadecimal", []byte(hex.EncodeToString(jane)), 1},
		{"hexadecimal with blanks", []byte(strings.ToUpper(strings.Join(pairs(hex.EncodeToString(jane)), " "))), 1},
		{"hexadecimal with colons", []byte(strings.Join(pairs(hex.EncodeToString(jane)), ":")), 1},
		{"hexadecimal with 0x", []byte("0x" + hex.EncodeToString(jane)), 1},
		{"a data URI", []byte("data:application/x-x509-user-cert;base64," + b64), 1},
		{"as a proxy forwards it", []byte(url.PathEscape(p)), 1},
		{"LDIF", []byte("dn: cn=jane\nobjectClass: person\nuserCertificate;binary:: " + b64[:60] + "\n " + b64[60:] + "\nmail: jane@contoso.com\n"), 1},
		{"LDIF to the end", []byte("dn: cn=ca\r\ncACertificate:: " + b64 + "\r\n"), 1},
		{"LDIF of two people", []byte("dn: cn=jane\nuserCertificate;binary:: " + b64 + "\n\ndn: cn=joe\nuserCertificate;binary:: " + base64.StdEncoding.EncodeToString(other) + "\n"), 2},
		{"other label", []byte(strings.ReplaceAll(p, "CERTIFICATE", "X509 CERTIFICATE")), 1},
		{"two in a block", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: append(bytes.Clone(jane), other...)}), 2},
		{"bundle in a block of another name", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: file(t, "chain.p7b")}), 1},
		{"bundle in base64", []byte(base64.StdEncoding.EncodeToString(file(t, "chain.p7b"))), 1},
		{"a key beside it", []byte(p + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}))), 1},

		{"bare-base64.cer", file(t, "bare-base64.cer"), 1},
		{"chain.p7b", file(t, "chain.p7b"), 1},
		{"p7b-trailing-zeros.p7b", file(t, "p7b-trailing-zeros.p7b"), 1},
		{"pem-utf8-bom.cer", file(t, "pem-utf8-bom.cer"), 1},
		{"indented.pem", file(t, "indented.pem"), 1},
		{"chain-rootfirst.pem", file(t, "chain-rootfirst.pem"), 3},
	} {
		got, err := read(c.data)
		if err != nil || len(got) != c.n {
			t.Errorf("%s: %d certificates, %v", c.name, len(got), err)
			continue
		}
		if !strings.Contains(c.name, ".") && !strings.Contains(c.name, "bundle") && !bytes.Equal(got[0].Raw, jane) {
			t.Errorf("%s: another certificate", c.name)
		}
	}
}

func pairs(s string) (list []string) {
	for i := 0; i < len(s); i += 2 {
		list = append(list, s[i:i+2])
	}
	return list
}

// What is no certificate: the one true reason, not a list of what it is not.
func TestReasons(t *testing.T) {
	jane := made(t)
	p := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: jane}))
	flipped := bytes.Clone(jane)
	flipped[4] = 0x04
	for _, c := range []struct {
		name   string
		data   []byte
		reason certs.Reason
		text   string
	}{
		{"nothing", nil, certs.Empty, "empty"},
		{"blanks", []byte(" \r\n\t"), certs.Empty, "empty"},
		{"zeros", make([]byte, 500), certs.Empty, "zero bytes"},
		{"a mark alone", []byte("\xff\xfe"), certs.Empty, "empty"},
		{"too large", make([]byte, text.MaxFile+1), certs.TooLarge, "4 MiB"},
		{"DER cut off", jane[:len(jane)-1], certs.Cut, "breaks off"},
		{"DER cut in the middle", jane[:100], certs.Cut, "breaks off"},
		{"base64 cut off", []byte(base64.StdEncoding.EncodeToString(jane[:90])), certs.Cut, "base64 text: the file breaks off"},
		{"PEM cut off", []byte(p[:len(p)/2]), certs.Cut, "no line -----END CERTIFICATE-----"},
		{"second PEM block cut off", []byte(p + p[:len(p)/2]), certs.Cut, "PEM block 2"},
		{"PEM without its end line, and another", []byte(strings.Replace(p, "-----END CERTIFICATE-----\n", "", 1) + p), certs.Cut, "PEM block 1"},
		{"a letter too many in PEM", []byte(strings.Replace(p, "MII", "M?I", 1)), certs.Damaged, "not base64"},
		{"DER that was sent as text", bytes.ReplaceAll(append(bytes.Clone(jane[:40]), append([]byte("\n\n\n"), jane[43:]...)...), []byte("\n"), []byte("\r\n")), certs.Damaged, "sent as text"},
		{"LDIF without a certificate", []byte("dn: cn=jane\nmail: jane@contoso.com\n"), certs.Foreign, "not base64"},
		{"a data URI of nothing", []byte("data:;base64,"), certs.Empty, "empty"},
		{"a data URI of bytes that get longer in lower case", []byte("data:" + strings.Repeat("\xff", 20) + ";base64,"), certs.Empty, "empty"},
		{"PEM in lower case", []byte(strings.ToLower(p)), certs.Damaged, "misspelled"},
		{"DER damaged", flipped, certs.Foreign, ""},
		{"something behind", append(bytes.Clone(jane), "abc"...), certs.Damaged, "3 bytes that do not belong to it stand behind the certificate"},
		{"JKS", []byte("\xfe\xed\xfe\xed\x00\x00\x00\x02"), certs.Foreign, "Java keystore"},
		{"JCEKS", []byte("\xce\xce\xce\xce\x00\x00\x00\x02"), certs.Foreign, "Java keystore"},
		{"ZIP", []byte("PK\x03\x04\x14\x00"), certs.Foreign, "ZIP"},
		{"store of Windows", []byte("\x00\x00\x00\x00CERT\x20\x00"), certs.Foreign, ".sst"},
		{"HTML", []byte("<!DOCTYPE html>\n<html><title>Sign in</title>"), certs.Foreign, "HTML"},
		{"HTML with a mark", []byte("\ufeff\r\n<HTML>"), certs.Foreign, "HTML"},
		{"XML", []byte(`<?xml version="1.0"?><Error/>`), certs.Foreign, "XML"},
		{"JSON", []byte(`{"error": {"code": "BadRequest"}}`), certs.Foreign, "JSON"},
		{"SSH", []byte("ssh-rsa AAAAB3NzaC1yc2E jane@pc1"), certs.Foreign, "SSH"},
		{"Git LFS", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:1"), certs.Foreign, "LFS"},
		{"what openssl prints", []byte("Certificate:\n    Data:\n        Version: 3 (0x2)"), certs.Foreign, "openssl x509 -text"},
		{"prose", []byte("Please find the certificate attached."), certs.Foreign, "text without a PEM block"},
		{"binary", []byte{0x7f, 'E', 'L', 'F', 1, 1, 1, 0, 0, 0, 0xff}, certs.Foreign, "begins with the byte 30"},
		{"pfx-cut.pfx", file(t, "pfx-cut.pfx"), certs.Cut, "breaks off"},
	} {
		got, err := read(c.data)
		if c.name == "DER damaged" { // begins well enough to be told from nothing
			if err == nil && len(got) > 0 {
				t.Errorf("%s: %d certificates", c.name, len(got))
			}
			continue
		}
		var e *certs.Error
		if !errors.As(err, &e) || e.Reason != c.reason || !strings.Contains(err.Error(), c.text) || got != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Things that are named for what they are.
func TestKinds(t *testing.T) {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p8, _ := x509.MarshalPKCS8PrivateKey(key)
	sec1, _ := x509.MarshalECPrivateKey(key)
	spki, _ := x509.MarshalPKIXPublicKey(key.Public())
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, KeyUsage: x509.KeyUsageCRLSign, SubjectKeyId: []byte{1}, IsCA: true, BasicConstraintsValid: true}
	crl, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Unix(1e9, 0), NextUpdate: time.Unix(2e9, 0)}, ca, key)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "x"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		data []byte
		want certs.Kind
	}{
		{made(t), certs.Certificate},
		{file(t, "chain.p7b"), certs.Bundle},
		{file(t, "negative-serial.cer"), certs.Certificate},
		{file(t, "csr-without-attributes.csr"), certs.Request},
		{csr, certs.Request},
		{p8, certs.Key}, {sec1, certs.Key}, {spki, certs.PublicKey}, {crl, certs.List},
		{file(t, "pfx-base64.pfx"), certs.PFX},
		{[]byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"), certs.EncryptedKey},
	} {
		blocks, err := certs.Open(c.data)
		if err != nil || len(blocks) != 1 || blocks[0].Kind != c.want {
			t.Errorf("%s: %v, %v", c.want, certs.Summary(blocks), err)
		}
	}
}

// faults are certificates that crypto/x509 refuses and others read.
func faults(tb testing.TB) map[string][]byte {
	sound := made(tb)
	ext := func(id asn1.ObjectIdentifier, critical bool, value string) []byte {
		return made(tb, pkix.Extension{Id: id, Critical: critical, Value: []byte(value)})
	}
	// change puts bytes of the same length in place of others, in a name.
	change := func(old, to string) []byte {
		out := bytes.Replace(sound, []byte(old), []byte(to), -1)
		if bytes.Equal(out, sound) {
			tb.Fatalf("%x is not in the certificate", old)
		}
		return out
	}
	return map[string][]byte{
		"negative serial number":            change("\x02\x08\x11\x22", "\x02\x08\x91\x22"),
		"serial number longer than it need": change("\x02\x08\x11\x22\x33", "\x02\x08\x00\x00\x33"),
		"@ in a PrintableString":            change("\x13\x04jane", "\x13\x04j@ne"),
		"a bad BMPString":                   change("\x13\x04jane", "\x1e\x04\xd8\x00ne"),
		"a UniversalString":                 change("\x13\x04jane", "\x1c\x04\x00\x00\x00j"),
		"critical AIA":                      ext(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}, true, "\x30\x00"),
		"a dNSName that is not ASCII":       ext(asn1.ObjectIdentifier{2, 5, 29, 17}, false, "\x30\x05\x82\x03\xc3\xbc."),
		"an IP address of three bytes":      ext(asn1.ObjectIdentifier{2, 5, 29, 17}, false, "\x30\x05\x87\x03abc"),
		"a URI that is none":                ext(asn1.ObjectIdentifier{2, 5, 29, 17}, false, "\x30\x05\x86\x03:@["),
		"a relative CRL distribution point": ext(asn1.ObjectIdentifier{2, 5, 29, 31}, false, "\x30\x05\x30\x03\xa0\x01\x05"),
		"an extension twice":                made(tb, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{5, 0}}, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{5, 0}}),
		"name constraints with an @":        ext(asn1.ObjectIdentifier{2, 5, 29, 30}, true, "\x30\x09\xa0\x07\x30\x05\x81\x03@a."),
		"a curve that Go does not have":     change("\x2a\x86\x48\xce\x3d\x03\x01\x07", "\x2b\x24\x03\x03\x02\x08\x01\x01"),
		"two algorithms":                    bytes.Replace(sound, []byte("\x2a\x86\x48\xce\x3d\x04\x03\x02"), []byte("\x2a\x86\x48\xce\x3d\x04\x03\x03"), 1),
	}
}

func TestRefused(t *testing.T) {
	for name, raw := range faults(t) {
		if _, err := x509.ParseCertificate(raw); err == nil {
			t.Errorf("%s: crypto/x509 reads it now; this needs another fault", name)
		}
		cert, err := certs.Parse(raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if certs.Refused(cert) == nil {
			t.Errorf("%s: not said to be refused", name)
		}
		if cert.PublicKey != nil || cert.SignatureAlgorithm != 0 {
			t.Errorf("%s: something could be verified with it", name)
		}
		if err := cert.CheckSignature(x509.ECDSAWithSHA256, nil, nil); err == nil {
			t.Errorf("%s: verifies", name)
		}
		if cert.KeyUsage != x509.KeyUsageDigitalSignature || !bytes.Equal(cert.SubjectKeyId, []byte{1, 2, 3}) || cert.NotAfter.Unix() != 1830297600 || cert.Version != 3 {
			t.Errorf("%s: key usage %v, key identifier %x, until %v", name, cert.KeyUsage, cert.SubjectKeyId, cert.NotAfter)
		}
		if _, err := dn.ParseDER(cert.RawSubject); err != nil {
			t.Errorf("%s: subject: %v", name, err)
		}
		if !bytes.Equal(cert.Raw, raw) || !bytes.Contains(raw, cert.RawTBSCertificate) || !bytes.Contains(raw, cert.RawSubjectPublicKeyInfo) {
			t.Errorf("%s: raw parts", name)
		}
	}
	for _, name := range []string{"negative-serial.cer", "negative-serial.pem"} {
		list, err := read(file(t, name))
		if err != nil || len(list) != 1 || list[0].SerialNumber.String() != "-7324525820336396691" || certs.Refused(list[0]) == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"cn-printablestring-with-at.cer", "ca-nc-rfc822-at-domain.cer"} {
		list, err := read(file(t, name))
		if err != nil || certs.Refused(list[0]) == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A validity that cannot be read has ended.
	raw := made(t)
	at := bytes.Index(raw, []byte("\x17\x0d"))
	raw[at+4] = 'x'
	cert, err := certs.Parse(raw)
	if err != nil || !cert.NotAfter.IsZero() {
		t.Errorf("a month x: %v", err)
	}
	if certs.Refused(nil) != nil || certs.Refused(&x509.Certificate{}) != nil {
		t.Error("nothing is refused")
	}
}

// Python reads most of what crypto/x509 refuses, with the same serial number and the
// same extensions.
func TestPythonAgrees(t *testing.T) {
	const script = `
import sys, warnings, json, base64
warnings.simplefilter("ignore")
from cryptography import x509
from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives.serialization import Encoding
out = {}
for name, raw in json.load(sys.stdin).items():
    try:
        c = x509.load_der_x509_certificate(base64.b64decode(raw), default_backend())
        out[name] = str(c.serial_number)
    except Exception as e:
        out[name] = "error"
json.dump(out, sys.stdout)
`
	python := interop.Python(t)
	in := map[string][]byte{}
	for name, raw := range faults(t) {
		in[name] = raw
	}
	in["negative-serial.cer"] = file(t, "negative-serial.cer")
	in["cn-printablestring-with-at.cer"] = file(t, "cn-printablestring-with-at.cer")
	out := python.Run(t, mustJSON(t, in), "-c", script)
	read := 0
	for name, serial := range parseJSON(t, out) {
		cert, err := certs.Parse(in[name])
		if serial == "error" {
			continue
		}
		read++
		if err != nil || cert.SerialNumber.String() != serial {
			t.Errorf("%s: Python reads serial number %s: %v", name, serial, err)
		}
	}
	if read < 5 {
		t.Errorf("Python reads only %d of %d: %s", read, len(in), out)
	}
}

func FuzzOpen(f *testing.F) {
	entries, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			f.Add(file(f, e.Name()))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		blocks, err := certs.Open(data)
		var e *certs.Error
		if err != nil && (!errors.As(err, &e) || e.Detail == "" && e.Err == nil || blocks != nil) {
			t.Fatalf("error %v", err)
		}
		if err == nil && len(blocks) == 0 {
			t.Fatal("no blocks and no error")
		}
		list, _ := certs.Certificates(blocks)
		for _, cert := range list {
			if !bytes.Contains(cert.Raw, cert.RawTBSCertificate) || cert.SerialNumber == nil {
				t.Fatal("parts that are not of the certificate")
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, raw := range faults(f) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		cert, err := certs.Parse(raw)
		std, errStd := x509.ParseCertificate(raw)
		switch {
		case errStd == nil && std.Version < 3 && err == nil && cert.PublicKey == nil: // with an extension that is not sound
		case errStd == nil && (err != nil || !cert.Equal(std) || certs.Refused(cert) != nil):
			t.Fatalf("crypto/x509 reads it: %v", err)
		case err == nil && errStd != nil && (cert.PublicKey != nil || cert.SignatureAlgorithm != 0 || certs.Refused(cert) == nil):
			t.Fatal("a refused certificate that verifies")
		}
	})
}
