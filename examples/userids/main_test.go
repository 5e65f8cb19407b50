package main_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/pfx"
	"example.com/entracba/examples/internal/programtest"
)

var program string

func TestMain(m *testing.M) { programtest.Main(m, func(path string) { program = path }) }

func userids(t *testing.T, folder string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	r := programtest.Run(t, program, folder, nil, args...)
	return r.Stdout, r.Stderr, r.Code
}

const password = "Sommer-2026"

// files writes one certificate in every form that the program reads, and returns
// the folder and the serial number as certificate viewers print it.
func files(t *testing.T) (folder, serial string) {
	t.Helper()
	name, err := dn.Parse("CN=WoodgroveCA")
	if err != nil {
		t.Fatal(err)
	}
	root, err := cba.NewRoot(t.Context(), cba.Authority{Name: name, KeyType: cba.P256})
	if err != nil {
		t.Fatal(err)
	}
	key, err := cba.P256.Generate()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := root.Issue(t.Context(), key.Public(), cba.Subject{UPN: "bob@woodgrove.com"}, cba.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	file, err := pfx.Modern.Encode(pfx.Bundle{Key: key, Certificate: cert, Chain: root.CACertificates()}, password)
	if err != nil {
		t.Fatal(err)
	}
	folder = t.TempDir()
	for name, content := range map[string][]byte{
		"bob.pem": cba.EncodeCertificates(cert), "bob.cer": cert.Raw, "bob.pfx": file,
		"chain.pem": cba.EncodeCertificates(append(root.CACertificates()[:0:0], cert, root.Certificate)...),
		"password":  []byte(password + "\r\n"), "wrong": []byte("x"), "garbage.pem": []byte("hello"),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder, hex.EncodeToString(cert.SerialNumber.Bytes())
}

func reverse(serial string) string {
	var b strings.Builder
	for i := len(serial) - 2; i >= 0; i -= 2 {
		b.WriteString(serial[i : i+2])
	}
	return b.String()
}

func TestEveryForm(t *testing.T) {
	folder, serial := files(t)
	out, errs, code := userids(t, folder, "-json", "-password-file", "password", "bob.pem", "bob.cer", "bob.pfx", "chain.pem")
	if code != 0 || errs != "" {
		t.Fatalf("exit status %d: %s", code, errs)
	}
	var printed struct {
		Version int
		Files   []struct {
			File     string
			IDs      []struct{ Mapping, Value, Affinity string } `json:"certificateUserIds"`
			Findings []struct{ Code, Severity string }
		}
	}
	if err := json.Unmarshal([]byte(out), &printed); err != nil || printed.Version != 1 {
		t.Fatal(err)
	}
	answers := printed.Files
	if len(answers) != 4 {
		t.Fatalf("%d answers", len(answers))
	}
	for _, a := range answers {
		if len(a.IDs) != 6 || a.IDs[0].Mapping != "PrincipalName" || a.IDs[0].Value != "X509:<PN>bob@woodgrove.com" || a.IDs[0].Affinity != "low" {
			t.Errorf("%s: %+v", a.File, a.IDs)
			continue
		}
		last := a.IDs[5]
		if last.Mapping != "IssuerAndSerialNumber" || last.Affinity != "high" || last.Value != "X509:<I>CN=WoodgroveCA<SR>"+reverse(serial) {
			t.Errorf("%s: %+v", a.File, last)
		}
		for _, f := range a.Findings {
			if f.Severity == "error" {
				t.Errorf("%s: %+v", a.File, f)
			}
		}
	}
}

func TestTable(t *testing.T) {
	folder, _ := files(t)
	out, _, code := userids(t, folder, "bob.pem")
	for _, want := range []string{"bob.pem  CN=bob@woodgrove.com", "MAPPING", "RFC822Name             low       none", "cert-no-crl-url"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit status %d, no %q in\n%s", code, want, out)
		}
	}
}

func TestCheck(t *testing.T) {
	folder, serial := files(t)
	for _, test := range []struct {
		value string
		code  int
		says  []string
	}{
		{"X509:<PN>bob@woodgrove.com", 0, []string{"matches (PrincipalName); exact match"}},
		{"X509:<I>CN=WoodgroveCA<SR>" + reverse(serial), 0, []string{"matches (IssuerAndSerialNumber); exact match"}},
		{"X509:<I>CN=WoodgroveCA<SR>" + strings.ToUpper(reverse(serial)), 0, []string{"matches (IssuerAndSerialNumber); assumes Entra ignores case"}},
		{"X509:<I>CN=WoodgroveCA<SR>" + serial, 1, []string{"does not match", "userid-serial-order", reverse(serial)}},
		{"x509:<PN>bob@woodgrove.com", 1, []string{"does not match", "X509:<PN>bob@woodgrove.com"}},
		{"X509:<PN>alice@woodgrove.com", 1, []string{"does not match", "bob@woodgrove.com"}},
		{"", 1, []string{"does not match"}},
	} {
		out, errs, code := userids(t, folder, "-check", test.value, "bob.cer")
		if code != test.code || errs != "" {
			t.Errorf("%q: exit status %d, want %d: %s", test.value, code, test.code, errs)
		}
		for _, want := range test.says {
			if !strings.Contains(out, want) {
				t.Errorf("%q: no %q in\n%s", test.value, want, out)
			}
		}
		out, _, code = userids(t, folder, "-json", "-check", test.value, "bob.cer")
		var printed struct {
			Files []struct {
				Check struct {
					Matches bool
					Right   string
				}
			}
		}
		if err := json.Unmarshal([]byte(out), &printed); err != nil || code != test.code || printed.Files[0].Check.Matches != (code == 0) {
			t.Errorf("%q with -json: exit status %d, %v\n%s", test.value, code, err, out)
		}
	}
}

func TestUnusable(t *testing.T) {
	folder, _ := files(t)
	for _, test := range []struct {
		args []string
		says string
	}{
		{nil, "no certificate file"},
		{[]string{"none.pem"}, "none.pem: no such file"},
		{[]string{"garbage.pem"}, "this is text without a PEM block"},
		{[]string{"bob.pfx"}, "-password-file"},
		{[]string{"-password-file", "wrong", "bob.pfx"}, "password"},
		{[]string{"-password-file", "none", "bob.pfx"}, "none"},
		{[]string{"-jason", "bob.pem"}, "-jason"},
	} {
		out, errs, code := userids(t, folder, test.args...)
		if code != 2 || out != "" || !strings.Contains(errs, test.says) {
			t.Errorf("%q: exit status %d, printed %q, said %q", test.args, code, out, errs)
		}
		if strings.Contains(errs, password) {
			t.Errorf("%q: a password is in the message", test.args)
		}
	}
}

// What Entra calls things does not change in the mode that refuses SHA-1; a PFX that
// is not allowed there is an error.
func TestFIPSOnly(t *testing.T) {
	folder, _ := files(t)
	want, _, _ := userids(t, folder, "-json", "bob.pem")
	if r := programtest.FIPSOnly(t, program, folder, "-json", "bob.pem"); r.Code != 0 || r.Stdout != want || !strings.Contains(want, "SHA1-PUKEY") {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	data, err := os.ReadFile(filepath.Join(folder, "bob.pfx"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := pfx.Decode(data, password)
	if err != nil {
		t.Fatal(err)
	}
	if data, err = pfx.Compatible.Encode(b, password); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "compatible.pfx"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := programtest.FIPSOnly(t, program, folder, "-password-file", "password", "compatible.pfx"); r.Code != 2 || !strings.Contains(r.Stderr, "fips140=only") {
		t.Errorf("compatible: exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	if r := programtest.FIPSOnly(t, program, folder, "-password-file", "password", "bob.pfx"); r.Code != 0 {
		t.Errorf("modern: exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

// A password file that others could have changed is not read.
func TestPasswordFileOfOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no modes there")
	}
	folder, _ := files(t)
	if err := os.Chmod(filepath.Join(folder, "password"), 0o622); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := userids(t, folder, "-password-file", "password", "bob.pfx"); code != 2 || !strings.Contains(errs, "chmod go-w") {
		t.Errorf("exit status %d, said %q", code, errs)
	}
}
