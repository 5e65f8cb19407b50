package certfile_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certfile"
	"software.sslmate.com/src/go-pkcs12"
)

func file(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestRead(t *testing.T) {
	password := func() (string, error) { return certfile.Password(file(t, "pfx-password.txt")), nil }
	rootFirst := file(t, "chain-rootfirst.pem")
	list, err := cba.ParseCertificates(rootFirst)
	if err != nil || !list[0].IsCA {
		t.Fatalf("the root is not first: %v", err)
	}
	leaf := list[len(list)-1]
	lastFirst := cba.EncodeCertificates(list[2], list[0], list[1])
	keyless, err := pkcs12.Modern.EncodeTrustStore(list, certfile.Password(file(t, "pfx-password.txt")))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		data  []byte
		chain int
		note  string
	}{
		{"bare-base64.cer", file(t, "bare-base64.cer"), 0, ""},
		{"pem-utf8-bom.cer", file(t, "pem-utf8-bom.cer"), 0, ""},
		{"der-trailing-zeros.cer", file(t, "der-trailing-zeros.cer"), 0, ""},
		{"indented.pem", file(t, "indented.pem"), 0, ""},
		{"chain.p7b", file(t, "chain.p7b"), 0, ""},
		{"p7b-trailing-zeros.p7b", file(t, "p7b-trailing-zeros.p7b"), 0, ""},
		{"negative-serial.cer", file(t, "negative-serial.cer"), 0, ""},
		{"pfx-trailing-zeros.pfx", file(t, "pfx-trailing-zeros.pfx"), -1, ""},
		{"pfx-base64.pfx", file(t, "pfx-base64.pfx"), -1, ""},
		{"pfx-root-with-negative-serial.pfx", file(t, "pfx-root-with-negative-serial.pfx"), 1, "private key"},
		{"chain-rootfirst.pem", rootFirst, 2, "no CA's"},
		{"leaf, root, issuer", lastFirst, 2, "no CA's"},
		{"a PFX without a key", keyless, 2, "no CA's"},
		{"everything twice", append(bytes.Clone(rootFirst), rootFirst...), 2, "of 3 certificates"},
		{"CAs alone", cba.EncodeCertificates(list[0], list[1]), -1, "issued none"},
	} {
		f, err := certfile.Read(c.data, password)
		if err != nil || f.Certificate == nil || c.chain >= 0 && len(f.Path()) != c.chain+1 || !strings.Contains(f.Note, c.note) || c.note == "" && c.chain == 0 && f.Note != "" {
			t.Errorf("%s: %d certificates, note %q, %v", c.name, len(f.Path()), f.Note, err)
			continue
		}
		if strings.Contains(c.note, "no CA's") && !f.Certificate.Equal(leaf) {
			t.Errorf("%s: another certificate", c.name)
		}
	}

	for _, c := range []struct {
		name   string
		data   []byte
		reason certfile.Reason
		cause  error
		says   string
	}{
		{"a PFX", file(t, "pfx-trailing-zeros.pfx"), certfile.NeedsPassword, nil, "give its password"},
		{"half a PFX", file(t, "pfx-cut.pfx"), certfile.Unreadable, cba.Malformed, "breaks off"},
		{"HTML", []byte("<!DOCTYPE html>"), certfile.Unreadable, cba.Malformed, "HTML"},
		{"nothing", nil, certfile.Unreadable, cba.Empty, "empty"},
		{"two users", cba.EncodeCertificates(leaf, first(t, "bare-base64.cer")), certfile.Ambiguous, nil, "several"},
	} {
		f, err := certfile.Read(c.data, nil)
		if !errors.Is(err, c.reason) || c.cause != nil && !errors.Is(err, c.cause) || !strings.Contains(err.Error(), c.says) || f.Certificate != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	mine := errors.New("no password today")
	if _, err := certfile.Read(file(t, "pfx-trailing-zeros.pfx"), func() (string, error) { return "", mine }); err != mine {
		t.Errorf("the caller's own error: %v", err)
	}
	if _, err := certfile.Read(file(t, "pfx-trailing-zeros.pfx"), func() (string, error) { return "wrong", nil }); !errors.Is(err, certfile.Unreadable) || strings.Contains(err.Error(), "wrong\"") {
		t.Errorf("a wrong password: %v", err)
	}
}

func first(tb testing.TB, name string) *x509.Certificate {
	f, err := certfile.Read(file(tb, name), nil)
	if err != nil {
		tb.Fatal(err)
	}
	return f.Certificate
}

// A password file loses its mark, whatever wrote it.
func TestPassword(t *testing.T) {
	want := certfile.Password(file(t, "pfx-password.txt"))
	for name, data := range map[string][]byte{
		"password-with-bom.txt": file(t, "password-with-bom.txt"),
		"CRLF":                  []byte(want + "\r\nsecond line"),
		"UTF-16 with mark":      append([]byte("\xff\xfe"), wide(want+"\r\n")...),
		"UTF-16":                wide(want),
	} {
		if got := certfile.Password(data); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if certfile.Password(nil) != "" || certfile.Password([]byte(" a ")) != " a " {
		t.Error("a space belongs to a password")
	}
}

func wide(s string) (out []byte) {
	for i := range len(s) {
		out = append(out, s[i], 0)
	}
	return out
}

func TestZero(t *testing.T) {
	if (certfile.File{}).Path() != nil || (&certfile.Error{}).Error() == "" {
		t.Error("zero values")
	}
}

// Read whatever somebody sends.
func ExampleRead() {
	data, _ := os.ReadFile("testdata/chain-rootfirst.pem")
	f, err := certfile.Read(data, nil)
	fmt.Println(f.Note, err)
	_, err = certfile.Read([]byte("<!DOCTYPE html><title>404</title>"), nil)
	fmt.Println(errors.Is(err, certfile.Unreadable))
	// Output:
	// took CN=Bob,OU=Users,DC=contoso,DC=org of 3 certificates: the only one that is no CA's <nil>
	// true
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"chain-rootfirst.pem", "chain.p7b", "negative-serial.cer", "pfx-root-with-negative-serial.pfx"} {
		f.Add(file(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := certfile.Read(data, nil)
		if (err == nil) != (got.Certificate != nil) {
			t.Fatalf("%v, %v", got.Certificate, err)
		}
	})
}
