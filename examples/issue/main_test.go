package main_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/pfx"
	"example.com/entracba/examples/internal/programtest"
)

// program is the path of the built program.
var program string

func TestMain(m *testing.M) { programtest.Main(m, func(path string) { program = path }) }

type result struct {
	stdout, stderr string
	code           int
}

// issue runs the program in a folder.
func issue(t *testing.T, folder string, args ...string) result {
	t.Helper()
	r := programtest.Run(t, program, folder, nil, args...)
	return result{r.Stdout, r.Stderr, r.Code}
}

// good runs the program and fails the test unless it succeeds.
func good(t *testing.T, folder string, args ...string) result {
	t.Helper()
	r := issue(t, folder, args...)
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("issue %q: exit status %d\n%s%s", args, r.code, r.stdout, r.stderr)
	}
	return r
}

func write(t *testing.T, folder, name, content string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, parts ...string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// open decodes every PFX of a finished run with its password, and holds it
// against the manifest.
func open(t *testing.T, out string) map[string]pfx.Bundle {
	t.Helper()
	m, err := folder.Load(filepath.Join(out, folder.ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	passwords, err := folder.LoadPasswords(filepath.Join(out, folder.PasswordsName))
	if err != nil {
		t.Fatal(err)
	}
	bundles := map[string]pfx.Bundle{}
	for _, u := range m.Users {
		b, err := pfx.Decode(read(t, out, u.PFX), passwords.Of(u.UPN))
		if err != nil {
			t.Fatalf("%s: %v", u.PFX, err)
		}
		block, _ := pem.Decode(read(t, out, u.Certificate))
		if block == nil || !bytes.Equal(block.Bytes, b.Certificate.Raw) {
			t.Errorf("%s is not the certificate of the PFX", u.Certificate)
		}
		names, err := cba.NamesOf(b.Certificate)
		if err != nil || len(names.UPNs) != 1 || names.UPNs[0] != u.UPN {
			t.Errorf("%s: UPNs %q, %v", u.UPN, names.UPNs, err)
		}
		if b.FriendlyName != u.UPN {
			t.Errorf("%s: friendly name %q", u.UPN, b.FriendlyName)
		}
		bundles[u.UPN] = b
	}
	return bundles
}

func TestNoFlags(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r := good(t, folder)
	for _, want := range []string{"created by this run", "jane@yourdomain.com", "3 issued", "single-factor", "X509:<PN>jane@yourdomain.com", "X509:<I>CN=Entra CBA Root CA<SR>", "rootCA.cer"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("the output has no %q:\n%s", want, r.stdout)
		}
	}
	out := filepath.Join(folder, "out")
	bundles := open(t, out)
	if len(bundles) != 3 {
		t.Fatalf("%d users", len(bundles))
	}
	root, err := x509.ParseCertificate(read(t, out, "ca", "rootCA.cer"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	for upn, b := range bundles {
		if _, err := b.Certificate.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
			t.Errorf("%s: %v", upn, err)
		}
	}
	for name, mode := range map[string]os.FileMode{
		"ca/rootCA.key": 0o600, "passwords.csv": 0o600, "users/jane@yourdomain.com.pfx": 0o600,
		"users/jane@yourdomain.com.crt": 0o644, "manifest.json": 0o644, "ca/rootCA.crt": 0o644,
	} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: mode %v, want %v (%v)", name, info.Mode(), mode, err)
		}
	}
	before := read(t, out, "manifest.json")
	if r := good(t, folder); !strings.Contains(r.stdout, "0 issued, 3 skipped (already issued)") {
		t.Errorf("the second run:\n%s", r.stdout)
	}
	if !bytes.Equal(before, read(t, out, "manifest.json")) {
		t.Error("the second run changed the manifest")
	}
	open(t, out) // the passwords are still those of the files
}

func TestFlags(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "users.csv", "\ufeffUPN;email;sid;subject;password\r\n"+
		"Jörg@yourdomain.com;j@yourdomain.com;S-1-5-21-1-2-3-4;CN=Jörg,DC=yourdomain,DC=com;Sommer-2026\r\n")
	r := good(t, dir, "-users", "users.csv", "-key", "p384", "-for", "windows-11", "-days", "30",
		"-policy", "1.2.3.4, 2.5.29.32.0", "-crl-url", "http://crl.yourdomain.com/ca.crl", "-json", "-out", "here", "-allow-short-passwords")
	var printed struct {
		Version int
		Users   []struct{ UserPrincipalName, Outcome, PFXEncoding string }
	}
	if err := json.Unmarshal([]byte(r.stdout), &printed); err != nil {
		t.Fatalf("%v:\n%s", err, r.stdout)
	}
	if u := printed.Users; printed.Version != 1 || len(u) != 1 || u[0].Outcome != "issued" || u[0].PFXEncoding != "modern" || u[0].UserPrincipalName != "Jörg@yourdomain.com" {
		t.Errorf("printed %+v", printed)
	}
	m, err := folder.Load(filepath.Join(dir, "here", "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Users) != 1 || m.Users[0].PFXEncoding != "modern" || m.Users[0].UPN != "Jörg@yourdomain.com" {
		t.Errorf("manifest %+v", m)
	}
	cert := open(t, filepath.Join(dir, "here"))["Jörg@yourdomain.com"].Certificate
	passwords, err := folder.LoadPasswords(filepath.Join(dir, "here", "passwords.csv"))
	if err != nil || passwords.Of("jörg@yourdomain.com") != "Sommer-2026" {
		t.Errorf("password of the file not used: %v", err)
	}
	if name, err := dn.ParseDER(cert.RawSubject); err != nil || name.String() != "CN=Jörg,DC=yourdomain,DC=com" {
		t.Errorf("subject %s, %v", name, err)
	}
	if cert.PublicKeyAlgorithm != x509.ECDSA || len(cert.Policies) != 2 || cert.CRLDistributionPoints[0] != "http://crl.yourdomain.com/ca.crl" ||
		cert.EmailAddresses[0] != "j@yourdomain.com" || time.Until(cert.NotAfter) > 30*cba.Day {
		t.Errorf("certificate: %v, policies %v, CRL %v, e-mail %v, until %v", cert.PublicKeyAlgorithm, cert.Policies,
			cert.CRLDistributionPoints, cert.EmailAddresses, cert.NotAfter)
	}
	names, err := cba.NamesOf(cert)
	if err != nil || names.SID().String() != "S-1-5-21-1-2-3-4" {
		t.Errorf("SID %v, %v", names.SID(), err)
	}
}

// Every row is a command line or a list that cannot be used, and what the
// message must name. None may leave anything behind.
func TestUnusable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		reason, csv string
		args        []string
		says        []string
	}{
		{"no such key type", "", []string{"-key", "rsa1024"}, []string{"-key", "rsa1024"}},
		{"no such target", "", []string{"-for", "windows-95"}, []string{"-for", "windows-95"}},
		{"days", "", []string{"-days", "0"}, []string{"-days", "1 to 65535"}},
		{"policy in words", "", []string{"-policy", "All Issuance Policies"}, []string{"-policy", "1.2.3.4"}},
		{"unknown flag", "", []string{"-user", "x"}, []string{"-user"}},
		{"no such file", "", []string{"-users", "none.csv"}, []string{"none.csv"}},
		{"empty file", " ", nil, []string{"users.csv", "line 1", "column"}},
		{"no upn column", "email\na@b\n", nil, []string{"line 1", "upn"}},
		{"no header", "jane@x.com\n", nil, []string{"line 1", "no header row"}},
		{"no UPN", "upn\njane\n", nil, []string{"line 2", "no account can have such a UPN"}},
		{"short password", "upn,password\na@b,secret\n", nil, []string{"a@b", "12 characters", "-allow-short-passwords"}},
		{"column twice", "upn,upn\na,b\n", nil, []string{"line 1", "twice"}},
		{"no users", "upn\n", nil, []string{"users.csv", "no user"}},
		{"too many fields", "upn\na@b\nc@d,e\n", nil, []string{"line 3", "2 fields"}},
		{"open quote", "upn\na@b\n\"c@d\n", nil, []string{"line", "quote"}},
		{"duplicate", "upn\na@b\nc@d\nA@B\n", nil, []string{"line 4", "line 2", "A@B"}},
		{"empty upn", "upn,email\na@b,\n,x@y\n", nil, []string{"line 3", "upn"}},
		{"out of the folder", "upn\n../x\n", nil, []string{"line 2", "../x"}},
		{"a slash", "upn\na/b\n", nil, []string{"line 2", "a/b"}},
		{"a backslash", "upn\na\\b\n", nil, []string{"line 2", "a\\\\b"}},
		{"a dot in front", "upn\n.a@b\n", nil, []string{"line 2", ".a@b"}},
		{"a device", "upn\nnul.x@b\n", nil, []string{"line 2", "device"}},
		{"control character", "upn\na\x01@b\n", nil, []string{"line 2", "upn", "U+0001"}},
		{"not UTF-8", "upn\na\xff@b\n", nil, []string{"line 2", "upn", "UTF-8"}},
		{"bad SID", "upn,sid\na@b,S-1-x\n", nil, []string{"line 2", "sid", "S-1-x"}},
		{"bad subject", "upn,subject\na@b,Jane\n", nil, []string{"line 2", "subject", "Jane"}},
		{"CA folder is missing", "", []string{"-ca", "nowhere", "jane@x.com"}, []string{"-ca", "nowhere"}},
		{"CA folder is empty", "", []string{"-ca", ".", "jane@x.com"}, []string{"no CA"}},
		{"samples of a CA", "", []string{"-ca", "."}, []string{"-ca .", "name the users", "go run ./examples/issue -ca . jane@contoso.com"}},
		{"two names of a CA", "", []string{"-ca", ".", "-ca-name", "x", "jane@x.com"}, []string{"-ca-name"}},
		{"an empty name", "", []string{"-ca-name", " "}, []string{"-ca-name", "Contoso Root CA"}},
		{"a CRL URL", "", []string{"-crl-url", "ca.crl"}, []string{"-crl-url"}},
		{"to mend nobody", "", []string{"-mend"}, []string{"-mend", "-users"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			args := test.args
			if test.csv != "" {
				write(t, folder, "users.csv", test.csv)
				args = append([]string{"-users", "users.csv"}, args...)
			}
			r := issue(t, folder, args...)
			if r.code != 2 || r.stdout != "" {
				t.Errorf("exit status %d, printed %q", r.code, r.stdout)
			}
			for _, want := range test.says {
				if !strings.Contains(r.stderr, want) {
					t.Errorf("does not say %q:\n%s", want, r.stderr)
				}
			}
			if strings.Contains(r.stderr, "Failure") || !strings.Contains(r.stderr, "issue: ") {
				t.Errorf("message: %s", r.stderr)
			}
			for _, pattern := range []string{"out/ca", "out/users/*", "out/*.json*"} {
				if left, _ := filepath.Glob(filepath.Join(folder, pattern)); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			}
		})
	}
}

func TestOtherCAs(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	good(t, folder, "-key", "p256", "-out", "first", "jane@yourdomain.com")
	ca := filepath.Join(folder, "first", "ca")

	t.Run("its folder serves as -ca", func(t *testing.T) {
		good(t, folder, "-key", "p256", "-ca", ca, "-out", "second", "jane@yourdomain.com")
		if !bytes.Equal(read(t, ca, "rootCA.cer"), read(t, folder, "second", "ca", "rootCA.cer")) {
			t.Error("another root was written")
		}
		if _, err := os.Stat(filepath.Join(folder, "second", "ca", "rootCA.key")); err == nil {
			t.Error("the CA's key was copied")
		}
		r := issue(t, folder, "-out", "second", "john@yourdomain.com")
		if r.code != 2 || !strings.Contains(r.stderr, "-ca") {
			t.Errorf("without its key: exit status %d: %s", r.code, r.stderr)
		}
	})
	t.Run("a PFX file serves as -ca", func(t *testing.T) {
		issuer, err := cba.ParseIssuer(read(t, ca, "rootCA.crt"), read(t, ca, "rootCA.key"))
		if err != nil {
			t.Fatal(err)
		}
		pair := string(read(t, ca, "rootCA.crt")) + string(read(t, ca, "rootCA.key"))
		write(t, folder, "pair.pem", pair)
		files := map[string][]byte{"pair.pem": []byte(pair)}
		if files["ours.pfx"], err = pfx.Modern.Encode(pfx.Bundle{Key: issuer.Key, Certificate: issuer.Certificate}, "correct-horse"); err != nil {
			t.Fatal(err)
		}
		write(t, folder, "password.txt", "\ufeffcorrect-horse\r\n")
		write(t, folder, "wrong.txt", "wrong\n")
		if openssl, err := exec.LookPath("openssl"); err == nil {
			cmd := exec.Command(openssl, "pkcs12", "-export", "-in", "pair.pem", "-out", "theirs.p12", "-passout", "pass:correct-horse")
			cmd.Dir = folder
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			files["theirs.p12"] = read(t, folder, "theirs.p12")
		}
		for name, content := range files {
			write(t, folder, name, string(content))
			out := "of-" + name
			good(t, folder, "-key", "p256", "-ca", name, "-password-file", "password.txt", "-out", out, "jane@yourdomain.com")
			if !bytes.Equal(read(t, ca, "rootCA.cer"), read(t, folder, out, "ca", "rootCA.cer")) {
				t.Errorf("%s: another root was written", name)
			}
			if found, _ := filepath.Glob(filepath.Join(folder, out, "ca", "*.key")); len(found) > 0 {
				t.Errorf("%s: the CA's key was copied", name)
			}
		}
		for _, test := range []struct {
			args []string
			says string
		}{
			{[]string{"-ca", "ours.pfx"}, "-password-file"},
			{[]string{"-ca", "ours.pfx", "-password-file", "wrong.txt"}, "password"},
			{[]string{"-password-file", "password.txt"}, "-ca FILE"},
			{[]string{"-ca", filepath.Join("first", "ca", "rootCA.crt")}, "key"},
		} {
			r := issue(t, folder, append(test.args, "-out", "no", "jane@yourdomain.com")...)
			if r.code != 2 || !strings.Contains(r.stderr, test.says) || strings.Contains(r.stderr, "correct-horse") {
				t.Errorf("%q: exit status %d: %s", test.args, r.code, r.stderr)
			}
		}
		// Another CA's list is not added to.
		good(t, folder, "-key", "p256", "-out", "apart", "jane@yourdomain.com")
		if r := issue(t, folder, "-ca", "ours.pfx", "-password-file", "password.txt", "-out", "apart", "john@yourdomain.com"); r.code == 0 || !strings.Contains(r.stderr, "different CA") {
			t.Errorf("exit status %d: %s", r.code, r.stderr)
		}
	})
	t.Run("lists of two CAs are not mixed", func(t *testing.T) {
		good(t, folder, "-key", "p256", "-out", "third")
		r := issue(t, folder, "-ca", filepath.Join(folder, "third", "ca"), "-out", "first", "jane@yourdomain.com")
		if r.code == 0 || !strings.Contains(r.stderr, "belongs to a different CA") {
			t.Errorf("exit status %d: %s", r.code, r.stderr)
		}
	})
	t.Run("a key of another CA", func(t *testing.T) {
		mixed := t.TempDir()
		write(t, mixed, "rootCA.crt", string(read(t, ca, "rootCA.crt")))
		write(t, mixed, "rootCA.key", string(read(t, folder, "third", "ca", "rootCA.key")))
		r := issue(t, folder, "-ca", mixed, "-out", "fourth", "jane@yourdomain.com")
		if r.code != 2 || !strings.Contains(r.stderr, "key") {
			t.Errorf("exit status %d: %s", r.code, r.stderr)
		}
	})
	t.Run("garbage instead of PEM", func(t *testing.T) {
		bad := t.TempDir()
		write(t, bad, "rootCA.crt", "hello")
		r := issue(t, folder, "-ca", bad, "-out", "fifth", "jane@yourdomain.com")
		if r.code != 2 || !strings.Contains(r.stderr, "rootCA.crt") {
			t.Errorf("exit status %d: %s", r.code, r.stderr)
		}
	})
}

// killed runs the program and kills it as soon as it has come far enough. It reports
// whether the program was not done by then.
func killed(t *testing.T, folder string, args []string, enough func() bool) bool {
	t.Helper()
	programtest.LookAtSources()
	cmd := exec.Command(program, args...)
	cmd.Dir = folder
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			return err != nil
		case <-time.After(time.Millisecond):
			if enough() {
				cmd.Process.Kill()
				return <-ended != nil
			}
		}
	}
}

// TestKilled ends the program at odd moments and runs it again: in the end
// everyone has one certificate, and nobody who had one was issued another.
func TestKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	folder := t.TempDir()
	var list strings.Builder
	list.WriteString("upn\n")
	const users = 400
	for i := range users {
		list.WriteString("user" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + string(rune('a'+i/26)) + "@yourdomain.com\n")
	}
	write(t, folder, "users.csv", list.String())
	args := []string{"-users", "users.csv", "-key", "p256"}
	seen := map[string][]byte{}
	pfxFiles := func() []string {
		names, err := filepath.Glob(filepath.Join(folder, "out", "users", "*.pfx"))
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	kills := 0
	for range 9 {
		more := len(seen) + 40
		if killed(t, folder, args, func() bool { return len(pfxFiles()) >= more }) {
			kills++
		}
		for _, name := range pfxFiles() {
			content := read(t, name)
			if old, ok := seen[name]; ok && !bytes.Equal(old, content) {
				t.Fatalf("%s was issued twice", name)
			}
			seen[name] = content
		}
	}
	if kills < 5 {
		t.Fatalf("only %d runs were killed", kills)
	}
	good(t, folder, args...)
	for name, old := range seen {
		if !bytes.Equal(old, read(t, name)) {
			t.Errorf("%s was issued twice", name)
		}
	}
	if bundles := open(t, filepath.Join(folder, "out")); len(bundles) != users {
		t.Errorf("%d users in the manifest, want %d", len(bundles), users)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "out", "users", "*.part")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestNoPasswordIsPrinted(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	const secret = "Tr0ub4dor-and-3"
	write(t, folder, "users.csv", "upn,password\njane@yourdomain.com,"+secret+"\n")
	r := good(t, folder, "-users", "users.csv", "-key", "p256")
	if strings.Contains(r.stdout+r.stderr, secret) || bytes.Contains(read(t, folder, "out", "manifest.json"), []byte(secret)) {
		t.Error("the password is printed, or in the manifest")
	}
	write(t, folder, "users.csv", "upn,password\njohn@yourdomain.com,"+secret+"\xff\n")
	r = issue(t, folder, "-users", "users.csv", "-key", "p256")
	if r.code == 0 || strings.Contains(r.stderr, secret) {
		t.Errorf("exit status %d: %s", r.code, r.stderr)
	}
}

// Runs that start in one new folder at the same time make one CA and one list: the
// others say so and do nothing.
func TestTogether(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	const programs = 6
	var runs [programs]*exec.Cmd
	var said [programs]bytes.Buffer
	for p := range runs {
		cmd := exec.Command(program, "-key", "p256", "-users", write(t, folder, fmt.Sprintf("%d.csv", p), fmt.Sprintf("upn\na%d@x.com\nb%d@x.com\n", p, p)))
		cmd.Dir, cmd.Stderr = folder, &said[p]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		runs[p] = cmd
	}
	did := 0
	for p, cmd := range runs {
		cmd.Wait()
		switch code := cmd.ProcessState.ExitCode(); {
		case code == 0:
			did++
		case code != 2 || !strings.Contains(said[p].String(), "another run"):
			t.Errorf("run %d: exit status %d\n%s", p, code, said[p].String())
		}
	}
	bundles := open(t, filepath.Join(folder, "out"))
	if did == 0 || len(bundles) != 2*did {
		t.Errorf("%d runs issued, %d users have certificates", did, len(bundles))
	}
	root, err := x509.ParseCertificate(read(t, folder, "out", "ca", "rootCA.cer"))
	if err != nil {
		t.Fatal(err)
	}
	for upn, b := range bundles {
		if err := b.Certificate.CheckSignatureFrom(root); err != nil {
			t.Errorf("%s: %v", upn, err)
		}
	}
	for p := range programs {
		good(t, folder, "-key", "p256", "-users", fmt.Sprintf("%d.csv", p))
	}
	if bundles := open(t, filepath.Join(folder, "out")); len(bundles) != 2*programs {
		t.Errorf("%d users in the end", len(bundles))
	}
}

// Where no PFX can be written, nothing is made.
func TestFIPSOnly(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r := programtest.FIPSOnly(t, program, folder, "-key", "p256", "-for", "modern")
	if r.Code != 2 || r.Stdout != "" || !strings.Contains(r.Stderr, "cannot write a PFX") {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	if left, _ := os.ReadDir(folder); len(left) > 0 {
		t.Errorf("made: %v", left)
	}
	if r := programtest.FIPSOnly(t, program, folder, "-h"); r.Code != 0 {
		t.Errorf("help: exit status %d", r.Code)
	}
}

// A message names the user and the remedy, one line for each, and no package.
func TestMessages(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write(t, folder, "users.csv", "upn,password\njane@x.com,Pässword1\njohn@x.com,\"a\tb\"\n")
	r := issue(t, folder, "-key", "p256", "-users", "users.csv", "-allow-short-passwords")
	for _, want := range []string{
		"issue: jane@x.com: the password for jane@x.com contains a non-ASCII character",
		"issue: john@x.com: ",
		"issue: 2 of 2 users have no certificate; fix the errors above and run the command again\n",
	} {
		if r.code != 1 || !strings.Contains(r.stderr, want) {
			t.Errorf("exit status %d, no %q in\n%s", r.code, want, r.stderr)
		}
	}
	if strings.Contains(r.stderr, `\n`) || strings.Contains(r.stderr, "pfx: ") || strings.Contains(r.stderr, "Pässword1") {
		t.Errorf("said\n%s", r.stderr)
	}
	good(t, folder, "-key", "p256", "-out", "second", "-users", write(t, folder, "good.csv", "upn\na@x.com\n"))
	if r := issue(t, folder, "-ca", filepath.Join("second", "ca"), "-out", "out", "a@x.com"); r.code != 2 ||
		!strings.Contains(r.stderr, "belongs to a different CA. Use a new -out folder, or pass the original CA with -ca.") {
		t.Errorf("exit status %d\n%s", r.code, r.stderr)
	}
}

// A CA or a folder that others could have changed issues nothing.
func TestWritableByOthers(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("files have no modes there")
	}
	folder := t.TempDir()
	good(t, folder, "-key", "p256", "-out", "first")
	for path, mode := range map[string]os.FileMode{"first": 0o770, "first/ca": 0o707, "first/ca/rootCA.key": 0o660} {
		before, err := os.Stat(filepath.Join(folder, path))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(folder, path), mode); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"-out", "first"}, {"-ca", filepath.Join("first", "ca"), "-out", "second"}} {
			if r := issue(t, folder, append(args, "-key", "p256", "jane@yourdomain.com")...); r.code != 2 || !strings.Contains(r.stderr, "chmod go-w") {
				t.Errorf("%s %v, %q: exit status %d\n%s", path, mode, args, r.code, r.stderr)
			}
		}
		if err := os.Chmod(filepath.Join(folder, path), before.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	good(t, folder, "-key", "p256", "-out", "first", "jane@yourdomain.com")
}
