package pfx

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/internal/der"
	"example.com/entracba/cba/internal/interop"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"software.sslmate.com/src/go-pkcs12"
)

func caseFile(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile("testdata/cases/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// Files as Windows, .NET and people make them.
func TestFilesOfPeople(t *testing.T) {
	password := strings.TrimSpace(string(caseFile(t, "pfx-password.txt")))
	zeros := caseFile(t, "pfx-trailing-zeros.pfx")
	nul := caseFile(t, "friendlyname-trailing-nul.pfx")
	negative := caseFile(t, "pfx-root-with-negative-serial.pfx")
	text := caseFile(t, "pfx-base64.pfx")
	for _, c := range []struct {
		name, password string
		data           []byte
		says           string
	}{
		{"zeros behind", password, zeros, ""},
		{"one zero behind", "abc", append(bytes.Clone(nul), 0), ""},
		{"a page of zeros behind", "abc", append(bytes.Clone(nul), make([]byte, 4096)...), ""},
		{"no zeros behind", password, zeros[:len(zeros)-8], ""},
		{"a root with a negative serial number", "", negative, ""},
		{"base64", password, text, "this is Base64 text of a PFX"},
		{"base64 with a mark", password, append([]byte("\xef\xbb\xbf"), text...), "this is Base64 text of a PFX"},
		{"base64 for URLs", password, []byte(base64.RawURLEncoding.EncodeToString(nul)), "this is Base64 text of a PFX"},
		{"base64 cut off", password, text[:300], "base64 text: the file breaks off"},
		{"cut off", password, caseFile(t, "pfx-cut.pfx"), "cut short"},
		{"cut in the header", password, nul[:3], ""},
		{"cut by one byte", "abc", nul[:len(nul)-1], "cut short: it says that it has 1217 bytes and has 1216"},
		{"an e-mail's line end behind", "abc", append(bytes.Clone(nul), '\r', '\n'), "2 bytes after its end"},
		{"JKS", "", []byte("\xfe\xed\xfe\xed\x00\x00\x00\x02"), "Java keystore"},
		{"HTML", "", []byte("<html>"), "HTML"},
		{"PEM of a PFX", "", []byte("-----BEGIN PKCS12-----\nMAAA\n-----END PKCS12-----\n"), "PEM text"},
	} {
		b, err := Decode(c.data, c.password)
		switch {
		case c.name == "cut in the header":
			if !errors.Is(err, Malformed) {
				t.Errorf("%s: %v", c.name, err)
			}
		case c.says == "" && (err != nil || b.Key == nil || b.Certificate == nil):
			t.Errorf("%s: %v", c.name, err)
		case c.says != "" && (!errors.Is(err, Malformed) || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: %v", c.name, err)
		}
	}
	b, err := Decode(nul, "abc")
	if err != nil || b.FriendlyName != "mycert" {
		t.Errorf("friendly name %q, %v", b.FriendlyName, err)
	}
	if in, err := Inspect(nul); err != nil || in.FriendlyName != "mycert" {
		t.Errorf("Inspect: friendly name %q, %v", in.FriendlyName, err)
	}
	if _, err := Reencode(nul, "abc", Modern, "abc"); err != nil {
		t.Errorf("re-encoding: %v", err)
	}
	b, err = Decode(negative, "")
	if err != nil || len(b.Chain)+len(b.Others) == 0 {
		t.Errorf("the root with a negative serial number is lost: %v", err)
	}
	if in, err := Inspect(zeros); err != nil || in.BER {
		t.Errorf("zeros behind: BER %v, %v", in.BER, err)
	}
}

// changed takes a file without encryption apart and puts it together again.
func changed(tb testing.TB, data []byte, change func(parts [][]byte) [][]byte) []byte {
	tb.Helper()
	f, err := parseFile(data)
	if err != nil || f.mac != nil {
		tb.Fatal(err)
	}
	var parts [][]byte
	var list, element cryptobyte.String
	safe := cryptobyte.String(f.authSafe)
	if !safe.ReadASN1(&list, asn1.SEQUENCE) {
		tb.Fatal("no list of parts")
	}
	for list.ReadASN1Element(&element, asn1.SEQUENCE) {
		parts = append(parts, element)
	}
	safe = der.Append(nil, 0x30, bytes.Join(change(parts), nil))
	data1 := []byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01")
	info := der.Append(nil, 0x30, append(data1, der.Append(nil, 0xa0, der.Append(nil, 0x04, safe))...))
	return der.Append(nil, 0x30, append([]byte{2, 1, 3}, info...))
}

func unencrypted(tb testing.TB, kind string) []byte {
	tb.Helper()
	data, err := InsecureUnencrypted.Encode(caseBundle(tb, kind), "")
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestKeyTwice(t *testing.T) {
	for _, kind := range []string{"rsa", "p256"} {
		data := unencrypted(t, kind)
		twice := changed(t, data, func(parts [][]byte) [][]byte { return append(parts, parts[len(parts)-1]) })
		b, err := Decode(twice, "")
		if err != nil || b.Certificate == nil {
			t.Errorf("%s: the same key twice: %v", kind, err)
		}
	}
	other := unencrypted(t, "p256")
	var key []byte
	changed(t, other, func(parts [][]byte) [][]byte { key = parts[len(parts)-1]; return parts })
	two := changed(t, unencrypted(t, "rsa"), func(parts [][]byte) [][]byte { return append(parts, key) })
	if _, err := Decode(two, ""); !errors.Is(err, NotSupported) {
		t.Errorf("two different keys: %v", err)
	}
}

// A key whose algorithm is OAEP or PSS alone belongs to its certificate.
func TestRestrictedRSA(t *testing.T) {
	data := unencrypted(t, "rsa")
	any := []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
	for name, use := range map[string]byte{"OAEP": 7, "PSS": 10} {
		narrow := bytes.Clone(any)
		narrow[8] = use
		all := bytes.ReplaceAll(data, any, narrow)
		b, err := Decode(all, "")
		if err != nil || b.Certificate == nil || b.Certificate.PublicKeyAlgorithm != x509.UnknownPublicKeyAlgorithm {
			t.Errorf("%s: %v", name, err)
		}
		if first, err := Decode(bytes.Replace(data, any, narrow, 1), ""); err != nil || first.Certificate == nil {
			t.Errorf("%s in one of the two: %v", name, err)
		}
	}
}

// withPasswords returns a file whose parts are encrypted with the bytes of one
// password and whose MAC is under another.
func withPasswords(tb testing.TB, encrypt, mac string) []byte {
	tb.Helper()
	bundle := caseBundle(tb, "p256")
	data, err := pkcs12.Modern2023.Encode(bundle.Key, bundle.Certificate, bundle.Chain, encrypt)
	if err != nil {
		tb.Fatal(err)
	}
	f, err := parseFile(data)
	if err != nil {
		tb.Fatal(err)
	}
	sum, err := f.mac.sum(f.authSafe, newSecret(mac))
	if err != nil {
		tb.Fatal(err)
	}
	return bytes.Replace(data, f.mac.digest, sum, 1)
}

// The MAC proves the password; the parts were encrypted with its letters in another
// encoding.
func TestOtherEncoding(t *testing.T) {
	data := withPasswords(t, "\x00s\x00e\x00c\x00r\x00e\x00t", "secret")
	if b, err := Decode(data, "secret"); err != nil || b.Key == nil {
		t.Errorf("UTF-16: %v", err)
	}
	if _, err := Decode(data, "Secret"); !errors.Is(err, WrongPassword) {
		t.Errorf("UTF-16, wrong password: %v", err)
	}
	if _, err := Decode(withPasswords(t, "code page 850", "Zoë secret"), "Zoë secret"); !errors.Is(err, NotSupported) || !strings.Contains(err.Error(), "password is right") {
		t.Errorf("an encoding that nobody knows: %v", err)
	}
	if _, err := Decode(withPasswords(t, "another", "secret"), "secret"); !errors.Is(err, Malformed) {
		t.Errorf("ASCII, and damaged: %v", err)
	}
}

// OpenSSL encrypts with the bytes of the password as it gets them. A terminal in
// Latin-1 gives it others than UTF-8, and the MAC is the same.
func TestOpenSSLLatin1(t *testing.T) {
	openssl := interop.Find(t, "openssl")
	b := caseBundle(t, "p256")
	key, err := x509.MarshalPKCS8PrivateKey(b.Key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.Certificate.Raw})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	for name, password := range map[string]string{"Latin-1": "Zo\xeb secret", "UTF-8": "Zoë secret"} {
		out := openssl.Run(t, nil, "pkcs12", "-export", "-in", interop.File(t, "in.pem", text), "-passout", "file:"+interop.File(t, "password", []byte(password+"\n")))
		got, err := Decode([]byte(out), "Zoë secret")
		if err != nil || !got.Certificate.Equal(b.Certificate) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The table of readers counts iterations and says so.
func TestReadersCountIterations(t *testing.T) {
	for _, c := range []struct {
		iterations   int64
		windows, net Answer
	}{
		{2048, Yes, Yes}, {300_000, Yes, Yes}, {300_001, Yes, NotKnown}, {600_000, Yes, NotKnown}, {600_001, No, NotKnown},
	} {
		u := uses{mac: Modern, largest: c.iterations, total: c.iterations, slow: c.iterations > MaxIterations}
		u.add(Modern)
		reads, because := u.readBy(Windows11, Modern)
		if reads != c.windows || (reads == No) != strings.Contains(because, "600,000") {
			t.Errorf("%d: Windows %v, %q", c.iterations, reads, because)
		}
		reads, because = u.readBy(DotNet5, Modern)
		if reads != c.net || (reads == NotKnown) != strings.Contains(because, "300,000") {
			t.Errorf("%d: .NET %v, %q", c.iterations, reads, because)
		}
	}
}

// caseBundle is a key of a kind with a certificate that it has signed itself.
func caseBundle(tb testing.TB, kind string) Bundle {
	tb.Helper()
	var key crypto.Signer
	var err error
	if kind == "rsa" {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "jane"}, NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		tb.Fatal(err)
	}
	return Bundle{Key: key, Certificate: cert}
}
