package main_test

import (
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.com/entracba/cba"
	"example.com/entracba/cba/fleet/ledger"
)

// TestToken keeps the CA in SoftHSM: made there, found again, its keys nowhere
// else.
func TestToken(t *testing.T) {
	const module = "/usr/lib/softhsm/libsofthsm2.so"
	const pin = "90210-alpha"
	util, err := exec.LookPath("softhsm2-util")
	if err == nil {
		_, err = os.Stat(module)
	}
	if err != nil {
		if os.Getenv("CBA_INTEROP") == "require" {
			t.Fatal("SoftHSM 2 is not installed")
		}
		t.Skip("SoftHSM 2 is not installed")
	}
	folder := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(folder, "tokens"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("softhsm2.conf", "directories.tokendir = "+filepath.Join(folder, "tokens")+"\nlog.level = ERROR\n")
	write("pin", pin+"\r\n")
	write("wrong", "wrong-"+pin+"\n")
	t.Setenv("SOFTHSM2_CONF", filepath.Join(folder, "softhsm2.conf"))
	if out, err := exec.Command(util, "--init-token", "--free", "--label", "ca", "--so-pin", "security-officer", "--pin", pin).CombinedOutput(); err != nil {
		t.Fatalf("softhsm2-util: %v\n%s", err, out)
	}
	writeUsers(t, folder, 10)
	args := func(token, pinFile string, more ...string) []string {
		return append([]string{"-users", "users.csv", "-token-module", module, "-token", token, "-pin-file", pinFile}, more...)
	}
	for _, bad := range [][]string{args("ca", "wrong"), args("another", "pin"), args("ca", "nowhere")} {
		r := fleet(t, folder, bad...)
		if r.code != 2 || r.stdout != "" || strings.Contains(r.stderr, pin) {
			t.Errorf("%q: exit status %d: %s%s", bad, r.code, r.stdout, r.stderr)
		}
	}
	if f := good(t, folder, args("ca", "pin", "-workers", "4")...); f.Issued != 10 || len(f.RevocationLists) != 2 {
		t.Errorf("first run: %+v", f)
	}
	if f := good(t, folder, args("ca", "pin", "-revoke", "user1@yourdomain.com")...); f.Issued != 0 || f.Revoked != 1 || f.RevocationLists[0].Revoked != 1 {
		t.Errorf("second run: %+v", f)
	}
	audit(t, folder, 10)
	ca := filepath.Join(folder, "out", "fleet", "ca")
	pools := map[string]*x509.CertPool{}
	for _, name := range []string{"rootCA.crt", "issuingCA.crt"} {
		text, err := os.ReadFile(filepath.Join(ca, name))
		if err != nil {
			t.Fatal(err)
		}
		certs, err := cba.ParseCertificates(text)
		if err != nil {
			t.Fatal(err)
		}
		pools[name] = x509.NewCertPool()
		pools[name].AddCert(certs[0])
	}
	for _, e := range entries(t, folder, ledger.Query{Certificates: true}) {
		cert, err := x509.ParseCertificate(e.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cert.Verify(x509.VerifyOptions{Roots: pools["rootCA.crt"], Intermediates: pools["issuingCA.crt"],
			KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
			t.Error(err)
		}
	}
	if keys, _ := filepath.Glob(filepath.Join(ca, "*.key")); len(keys) > 0 {
		t.Errorf("keys in files: %v", keys)
	}
	// Another token with the same files: not the CA's keys.
	if out, err := exec.Command(util, "--init-token", "--free", "--label", "other", "--so-pin", "security-officer", "--pin", pin).CombinedOutput(); err != nil {
		t.Fatalf("softhsm2-util: %v\n%s", err, out)
	}
	if r := fleet(t, folder, args("other", "pin")...); r.code != 2 || !strings.Contains(r.stderr, `key "entra-cba root": not found`) {
		t.Errorf("another token: exit status %d: %s", r.code, r.stderr)
	}
}
