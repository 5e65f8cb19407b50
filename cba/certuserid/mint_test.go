package certuserid_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/san"
)

// go test -run TestCertificates -update makes the certificates of
// testdata/certs anew from the lines above them. Keys, dates and signatures are
// fixed, so that this changes nothing unless a line was changed.
var update = flag.Bool("update", false, "make the certificates of testdata/certs anew")

// header reads "key: value" lines up to the first empty one. Keys may come more
// than once.
func header(t testing.TB, file string) (map[string][]string, []byte) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := bytes.Cut(content, []byte("\n\n"))
	fields := map[string][]string{}
	for line := range strings.Lines(string(head)) {
		key, value, found := strings.Cut(strings.TrimRight(line, "\n"), ": ")
		if !found {
			t.Fatalf("%s: line %q is not key: value", file, line)
		}
		fields[key] = append(fields[key], value)
	}
	return fields, body
}

func one(fields map[string][]string, key string) string {
	if len(fields[key]) == 0 {
		return ""
	}
	return fields[key][0]
}

// load returns a certificate of testdata/certs.
func load(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "certs", name+".pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(content)
	if block == nil {
		t.Fatalf("%s: no PEM block", name)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return cert
}

func key(seed string) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte(seed))
	return ed25519.NewKeyFromSeed(sum[:])
}

// mint makes a certificate from the header of its file.
func mint(t testing.TB, name string, fields map[string][]string) []byte {
	t.Helper()
	rawName := func(text string) []byte {
		parsed, err := dn.ParseRootFirst(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		der, err := parsed.Marshal()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return der
	}
	serial, ok := new(big.Int).SetString(one(fields, "serial"), 16)
	if !ok {
		t.Fatalf("%s: bad serial", name)
	}
	template := &x509.Certificate{
		RawSubject:   rawName(one(fields, "subject")),
		SerialNumber: serial,
		NotBefore:    time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if ski := one(fields, "ski"); ski != "" {
		octets, err := hex.DecodeString(ski)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		template.SubjectKeyId = octets
	}
	var names []san.Name
	for _, upn := range fields["upn"] {
		names = append(names, san.Name{Kind: san.UPN, Value: upn})
	}
	for _, email := range fields["email"] {
		names = append(names, san.Name{Kind: san.Email, Value: email})
	}
	if names != nil {
		der, err := san.Marshal(names)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		template.ExtraExtensions = []pkix.Extension{{Id: san.Extension(), Value: der}}
	}
	ca := key("authority")
	parent := &x509.Certificate{RawSubject: rawName(one(fields, "issuer")), SubjectKeyId: []byte("authority key id....")}
	der, err := x509.CreateCertificate(nil, template, parent, key(name).Public(), ca)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return der
}

// TestCertificates proves that the certificates of testdata/certs are what the
// lines above them say.
func TestCertificates(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "certs", "*.pem"))
	if err != nil || len(files) < 14 {
		t.Fatalf("%d certificates, error %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".pem")
		fields, body := header(t, file)
		if one(fields, "made-by") != "" {
			load(t, name) // not ours to make
			continue
		}
		made := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: mint(t, name, fields)})
		if bytes.Equal(made, body) {
			continue
		}
		if !*update {
			t.Errorf("%s: the certificate is not what its header says; run with -update", name)
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := bytes.Cut(content, []byte("\n\n"))
		if err := os.WriteFile(file, append(append(bytes.TrimRight(head, "\n"), "\n\n"...), made...), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
