package main_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/pfx"
	"example.com/entracba/examples/internal/programtest"
)

var program string

func TestMain(m *testing.M) { programtest.Main(m, func(path string) { program = path }) }

func deliver(t *testing.T, folder string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	r := programtest.Run(t, program, folder, nil, args...)
	return r.Stdout, r.Stderr, r.Code
}

func write(t *testing.T, folder, name string, content []byte) {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// made writes what examples/issue does, under out, with an issuing CA below a
// root if below is set, and returns the folder around it. The password of the
// first user is a hard one.
func made(t *testing.T, encoding pfx.Encoding, below bool, upns ...string) string {
	t.Helper()
	if len(upns) == 0 {
		upns = []string{"jane@yourdomain.com", "o'brien@yourdomain.com"}
	}
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	name, err := dn.Parse("CN=Contoso Root CA")
	check(t, err)
	issuer, err := cba.NewRoot(t.Context(), cba.Authority{Name: name, KeyType: cba.P256})
	check(t, err)
	if below {
		name, err := dn.Parse("CN=Contoso Issuing CA")
		check(t, err)
		issuer, err = issuer.NewIntermediate(t.Context(), cba.Authority{Name: name, KeyType: cba.P256})
		check(t, err)
	}
	write(t, out, "ca/ca.crt", cba.EncodeCertificates(issuer.Certificate))
	open, err := folder.Open(out)
	check(t, err)
	defer open.Close()
	journal, err := open.Journal(folder.CA{Thumbprint: "aa", Certificate: "ca/ca.crt"})
	check(t, err)
	for i, upn := range upns {
		key, err := cba.P256.Generate()
		check(t, err)
		cert, err := issuer.Issue(t.Context(), key.Public(), cba.Subject{UPN: upn}, cba.Profile{})
		check(t, err)
		password := "abcdefghijkmnpqrstuvwxyz"
		if i == 0 {
			password = `a'b"c&d<e%f!g$h` + "`i"
		}
		data, err := encoding.Encode(pfx.Bundle{Key: key, Certificate: cert, Chain: issuer.CACertificates()}, password)
		check(t, err)
		stem := "users/" + strings.ReplaceAll(upn, "'", "_")
		write(t, out, stem+".crt", cba.EncodeCertificates(cert))
		write(t, out, stem+".pfx", data)
		check(t, journal.Add(folder.Entry{
			User:     folder.User{UPN: upn, Certificate: stem + ".crt", PFX: stem + ".pfx", PFXEncoding: encoding.String()},
			Password: password,
		}))
	}
	check(t, journal.Close())
	return dir
}

// tree lists the files below a folder with their modes.
func tree(t *testing.T, folder string) []string {
	t.Helper()
	var all []string
	check(t, filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			relative, _ := filepath.Rel(folder, path)
			all = append(all, filepath.ToSlash(relative)+" "+info.Mode().String())
		}
		return err
	}))
	return all
}

func TestEveryTarget(t *testing.T) {
	t.Parallel()
	folder := made(t, pfx.Compatible, true)
	for target, want := range map[string][]string{
		"windows-usb": {"Certs/Set-BrowserChoice.ps1 -rw-r--r--", "Certs/browser-choice-intune.txt -rw-r--r--", "Certs/browser-choice.reg -rw-r--r--", "Certs/firefox-policies.json -rw-r--r--",
			"Certs/jane-cba.pfx -rw-------", "Certs/rootCA.cer -rw-r--r--", "autounattend.xml -rw-------"},
		"windows": {"Import-Certificate.ps1 -rw-r--r--", "Set-BrowserChoice.ps1 -rw-r--r--", "browser-choice-intune.txt -rw-r--r--", "browser-choice.reg -rw-r--r--", "firefox-policies.json -rw-r--r--",
			"import.cmd -rw-r--r--", "jane-cba.pfx -rw-------", "rootCA.cer -rw-r--r--"},
		"android": {"jane-cba.p12 -rw-------", "rootCA.cer -rw-r--r--"},
		"macos":   {"install.sh -rwxr-xr-x", "jane-cba.mobileconfig -rw-------", "jane-cba.p12 -rw-------", "rootCA.cer -rw-r--r--"},
		"ios":     {"jane-cba.mobileconfig -rw-------"},
		"linux":   {"chromium-policy.json -rw-r--r--", "firefox-policies.json -rw-r--r--", "install-policy.sh -rwxr-xr-x", "install.sh -rwxr-xr-x", "jane-cba.pfx -rw-------", "rootCA.cer -rw-r--r--", "trust-root.sh -rwxr-xr-x"},
	} {
		stdout, stderr, code := deliver(t, folder, "-to", target, "-out", target)
		if code != 0 || stderr != "" {
			t.Errorf("%s: exit status %d\n%s%s", target, code, stdout, stderr)
			continue
		}
		if got := tree(t, filepath.Join(folder, target, "jane@yourdomain.com")); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
		if got := tree(t, filepath.Join(folder, target)); len(got) != 2*len(want) {
			t.Errorf("%s: %q", target, got)
		}
		for _, word := range []string{"NEXT", "NETWORK", "WIPE", "*.certauth.login.microsoftonline.com", "2 users, for " + target + "; PFX encoding compat"} {
			if !strings.Contains(stdout, word) {
				t.Errorf("%s: does not say %q:\n%s", target, word, stdout)
			}
		}
		if strings.Contains(stdout, "abcdefghijkmnpqrstuvwxyz") || strings.Contains(stdout, `a'b"c`) {
			t.Errorf("%s: the password is shown:\n%s", target, stdout)
		}
		for _, file := range tree(t, filepath.Join(folder, target)) {
			name, mode, _ := strings.Cut(file, " ")
			content, err := os.ReadFile(filepath.Join(folder, target, name))
			check(t, err)
			if bytes.Contains(content, []byte("abcdefghijkmnpqrstuvwxyz")) && (target != "windows-usb" || mode != "-rw-------") {
				t.Errorf("%s holds the password, mode %s", name, mode)
			}
		}
	}
	// The root is that of the chain and not the issuing CA.
	root, err := os.ReadFile(filepath.Join(folder, "windows", "jane@yourdomain.com", "rootCA.cer"))
	check(t, err)
	if certs, err := cba.ParseCertificates(root); err != nil || certs[0].Subject.CommonName != "Contoso Root CA" {
		t.Errorf("the root is %v, %v", certs, err)
	}
}

func TestEmbeddedPassword(t *testing.T) {
	t.Parallel()
	folder := made(t, pfx.Compatible, false)
	if stdout, stderr, code := deliver(t, folder, "-to", "linux", "-out", "d", "-embed-password"); code != 0 {
		t.Fatalf("%d\n%s%s", code, stdout, stderr)
	}
	if got := tree(t, filepath.Join(folder, "d", "jane@yourdomain.com")); !slices.Contains(got, "install.sh -rwx------") {
		t.Errorf("%q", got)
	}
}

func TestOneUserAsJSON(t *testing.T) {
	t.Parallel()
	folder := made(t, pfx.Modern, false)
	stdout, stderr, code := deliver(t, folder, "-to", "macos", "-out", "d", "-user", "JANE@yourdomain.com", "-json",
		"-cloud", "usgov", "-tenant", "11111111-2222-3333-4444-555555555555")
	if code != 0 || stderr != "" {
		t.Fatalf("%d\n%s%s", code, stdout, stderr)
	}
	var got struct {
		Written bool
		Target  string
		Users   []struct {
			UPN                 string `json:"userPrincipalName"`
			Folder, PFXEncoding string
			Files               []struct{ Name, Mode string }
			Findings            []struct{ Code, Severity string }
			Wipe                []struct{ Where string }
		}
		Hosts []struct {
			Name       string
			Documented bool
		}
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	if !got.Written || got.Target != "macos" || len(got.Users) != 1 || len(got.Users[0].Files) != 4 || len(got.Users[0].Wipe) != 2 || len(got.Hosts) != 4 {
		t.Fatalf("%s", stdout)
	}
	u := got.Users[0]
	if u.UPN != "jane@yourdomain.com" || u.PFXEncoding != "modern" || u.Folder != filepath.Join("d", "jane@yourdomain.com") {
		t.Errorf("%+v", u)
	}
	if h := got.Hosts[3]; h.Name != "t11111111-2222-3333-4444-555555555555.certauth.login.microsoftonline.us" || h.Documented {
		t.Errorf("%+v", h)
	}
	// macOS 14 does not open AES, and of 15 nobody knows.
	codes := []string{}
	for _, f := range u.Findings {
		codes = append(codes, f.Code)
	}
	if !slices.Equal(codes, []string{"deploy-pfx-some-unreadable", "deploy-pfx-unknown"}) {
		t.Errorf("findings %v", codes)
	}
	stdout, _, _ = deliver(t, folder, "-to", "macos", "-out", "again")
	if !strings.Contains(stdout, "2 of 2 users") || !strings.Contains(stdout, "macOS up to 14") || !strings.Contains(stdout, "compat") {
		t.Errorf("the encoding is not spoken of:\n%s", stdout)
	}
}

const answer = `<?xml version="1.0" encoding="utf-8"?>
<unattend xmlns="urn:schemas-microsoft-com:unattend">
	<settings pass="specialize">
		<component name="Microsoft-Windows-Deployment" processorArchitecture="amd64" publicKeyToken="31bf3856ad364e35" language="neutral" versionScope="nonSxS" xmlns:wcm="http://schemas.microsoft.com/WMIConfig/2002/State">
			<RunSynchronous>
				<RunSynchronousCommand wcm:action="add">
					<Order>1</Order>
					<Path>net user administrator /active:yes</Path>
				</RunSynchronousCommand>
			</RunSynchronous>
		</component>
	</settings>
</unattend>
`

func TestAnswerFileMerged(t *testing.T) {
	t.Parallel()
	folder := made(t, pfx.Compatible, false)
	write(t, folder, "mine.xml", []byte(answer))
	args := []string{"-to", "windows-usb", "-out", "d", "-answer", "mine.xml", "-pass", "specialize", "-user", "o'brien@yourdomain.com"}
	if stdout, stderr, code := deliver(t, folder, args...); code != 0 {
		t.Fatalf("%d\n%s%s", code, stdout, stderr)
	}
	got, err := os.ReadFile(filepath.Join(folder, "d", "o_brien@yourdomain.com", "autounattend.xml"))
	check(t, err)
	if err := xml.Unmarshal(got, new(struct{})); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"net user administrator /active:yes", "<Order>3</Order>", "jane-cba"} {
		if has := bytes.Contains(got, []byte(text)); has != (text != "jane-cba") {
			t.Errorf("has %q: %v\n%s", text, has, got)
		}
	}
	// A hard password does not fit into the pass specialize; with a script it does.
	args = []string{"-to", "windows-usb", "-out", "e", "-answer", "mine.xml", "-pass", "specialize"}
	if _, stderr, code := deliver(t, folder, args...); code != 2 || !strings.Contains(stderr, "too long") {
		t.Errorf("%d: %s", code, stderr)
	}
	if _, err := os.Stat(filepath.Join(folder, "e")); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
	if stdout, stderr, code := deliver(t, folder, append(args, "-script", "-zip")...); code != 0 || !strings.Contains(stdout, "stick.zip") {
		t.Errorf("%d\n%s%s", code, stdout, stderr)
	}
	if got := tree(t, filepath.Join(folder, "e")); !slices.Equal(got, []string{"jane@yourdomain.com/stick.zip -rw-------", "o_brien@yourdomain.com/stick.zip -rw-------"}) {
		t.Errorf("%q", got)
	}
}

// An answer file that signs in somebody else first: an answer, and a way that works.
func TestAnswerFileOfSomebodyElse(t *testing.T) {
	t.Parallel()
	folder := made(t, pfx.Compatible, false)
	file, err := os.ReadFile("../../cba/deploy/testdata/answer-autologon-of-somebody-else.xml")
	check(t, err)
	write(t, folder, "theirs.xml", file)
	args := []string{"-to", "windows-usb", "-out", "d", "-answer", "theirs.xml"}
	stdout, stderr, code := deliver(t, folder, args...)
	if code != 1 || stderr != "" || !strings.Contains(stdout, `signs in the account "setup" first`) || !strings.Contains(stdout, "Nothing was written") {
		t.Errorf("%d\n%s%s", code, stdout, stderr)
	}
	if _, err := os.Stat(filepath.Join(folder, "d")); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
	stdout, stderr, code = deliver(t, folder, append(args, "-at-sign-in", "-wipe-after", "48h")...)
	if code != 0 || !strings.Contains(stdout, "import.log") {
		t.Errorf("%d\n%s%s", code, stdout, stderr)
	}
	if got := tree(t, filepath.Join(folder, "d", "jane@yourdomain.com")); !slices.Equal(got, []string{"Certs/Import-AtSignIn.ps1 -rw-------",
		"Certs/Set-BrowserChoice.ps1 -rw-r--r--", "Certs/browser-choice-intune.txt -rw-r--r--", "Certs/browser-choice.reg -rw-r--r--", "Certs/firefox-policies.json -rw-r--r--",
		"Certs/jane-cba.pfx -rw-------", "Certs/rootCA.cer -rw-r--r--", "autounattend.xml -rw-------"}) {
		t.Errorf("%q", got)
	}
	// Our own answer file is for one architecture, and the steps say so.
	const alone = "works on x64 machines alone"
	if strings.Contains(stdout, alone) {
		t.Errorf("their file has architectures of its own:\n%s", stdout)
	}
	for _, test := range []struct {
		name string
		args []string
		said bool
	}{{"x", nil, true}, {"y", []string{"-arch", "arm64"}, false}} {
		stdout, stderr, code := deliver(t, folder, append([]string{"-to", "windows-usb", "-out", test.name}, test.args...)...)
		if code != 0 || strings.Contains(stdout, alone) != test.said {
			t.Errorf("%q: %d\n%s%s", test.args, code, stdout, stderr)
		}
	}
	if stdout, stderr, code := deliver(t, folder, "-to", "windows", "-out", "w", "-at-sign-in"); code != 0 || !strings.Contains(stdout, "Run as administrator") {
		t.Errorf("%d\n%s%s", code, stdout, stderr)
	}
}

// People who share a machine: one policy, the same in the folder of each.
func TestSharedMachine(t *testing.T) {
	t.Parallel()
	folder := made(t, pfx.Compatible, false)
	if stdout, stderr, code := deliver(t, folder, "-to", "linux", "-out", "d", "-shared"); code != 0 {
		t.Fatalf("%d\n%s%s", code, stdout, stderr)
	}
	var policies []string
	for _, user := range []string{"jane@yourdomain.com", "o_brien@yourdomain.com"} {
		var file map[string][]string
		check(t, json.Unmarshal([]byte(readText(t, folder, "d", user, "chromium-policy.json")), &file))
		list := file["AutoSelectCertificateForUrls"]
		slices.Sort(list)
		policies = append(policies, strings.Join(list, "\n"))
	}
	if policies[0] != policies[1] || strings.Count(policies[0], "SUBJECT") != 2 {
		t.Errorf("%q", policies)
	}
}

// browsers puts one browser in the place of those of a machine.
func browsers(screen string) string {
	before, after, _ := strings.Cut(screen, "AT ENTRA")
	_, after, _ = strings.Cut(after, "NEXT")
	return before + "AT ENTRA ...\n\nNEXT" + after
}

// The machine itself: what the script put there is found.
func TestCheck(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"certutil", "pk12util"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CBA_INTEROP") == "require" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	folder := made(t, pfx.Compatible, false)
	home := t.TempDir()
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_DATA_HOME=", "XDG_CONFIG_HOME="}
	look := func(args ...string) programtest.Result {
		return programtest.Run(t, program, folder, env, append([]string{"-check"}, args...)...)
	}
	if r := look("-user", "jane@yourdomain.com"); r.Code != 1 || !strings.Contains(r.Stdout, "missing") ||
		!strings.HasSuffix(r.Stdout, "\n  go run ./examples/deliver -manifest out/manifest.json -to linux -out linux -user jane@yourdomain.com\n") {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	for _, columns := range []int{0, 80, 120} {
		in := append(slices.Clone(env), fmt.Sprintf("COLUMNS=%d", columns))
		programtest.Screen(t, "check", columns, programtest.Run(t, program, folder, append(in[:1:1], append(in[2:], "HOME=/nonexistent/jane")...), "-check"), browsers)
	}
	if r := programtest.Run(t, program, folder, env[:1], "-check", "-user", "jane@yourdomain.com"); r.Code != 2 || !strings.Contains(r.Stderr, "HOME=/home/NAME go run ./examples/deliver -check -user jane@yourdomain.com") {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	if stdout, stderr, code := deliver(t, folder, "-to", "linux", "-out", "d", "-embed-password"); code != 0 {
		t.Fatalf("%d\n%s%s", code, stdout, stderr)
	}
	command := exec.Command("sh", filepath.Join(folder, "d", "jane@yourdomain.com", "install.sh"))
	command.Env = append(os.Environ(), env...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if r := look("-user", "jane@yourdomain.com"); r.Code != 0 || !strings.Contains(r.Stdout, "found") {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	r := look("-json")
	var printed struct {
		Users []struct {
			UserPrincipalName string
			Databases         []struct{ State, Folder string }
		}
	}
	check(t, json.Unmarshal([]byte(r.Stdout), &printed))
	got := printed.Users
	if r.Code != 1 || len(got) != 2 || got[0].Databases[0].State != "found" || got[1].Databases[0].State != "missing" {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 2 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestNothingHalfDone(t *testing.T) {
	t.Parallel()
	folder := made(t, pfx.Compatible, false)
	good := []string{"-to", "linux", "-out", "d"}
	if _, stderr, code := deliver(t, folder, append(good, "-user", "jane@yourdomain.com")...); code != 0 {
		t.Fatal(stderr)
	}
	before := tree(t, filepath.Join(folder, "d"))
	// One folder of two is there: neither is written.
	if _, stderr, code := deliver(t, folder, good...); code != 2 || !strings.Contains(stderr, "already exists") {
		t.Errorf("%d: %s", code, stderr)
	}
	if got := tree(t, filepath.Join(folder, "d")); !slices.Equal(got, before) {
		t.Errorf("%q, before %q", got, before)
	}
	// What a killed run left is gone after the next one.
	write(t, folder, "d/.deliver.part/new/x", nil)
	if _, stderr, code := deliver(t, folder, append(good, "-replace")...); code != 0 {
		t.Errorf("%d: %s", code, stderr)
	}
	if got := tree(t, filepath.Join(folder, "d")); len(got) != 2*len(before) {
		t.Errorf("%q", got)
	}

	// A run that was killed between moving the old folder aside and moving the new one
	// to its place: the next one puts it back, whatever else it does.
	aside := filepath.Join(folder, "d", ".deliver.part", "old")
	check(t, os.MkdirAll(aside, 0o700))
	check(t, os.Rename(filepath.Join(folder, "d", "jane@yourdomain.com"), filepath.Join(aside, "jane@yourdomain.com")))
	if _, stderr, code := deliver(t, folder, append(good, "-user", "o'brien@yourdomain.com")...); code != 2 || !strings.Contains(stderr, "already exists") {
		t.Errorf("%d: %s", code, stderr)
	}
	if got := tree(t, filepath.Join(folder, "d")); len(got) != 2*len(before) {
		t.Errorf("after a kill: %q", got)
	}

	// A wrong password of one user: an answer, and nothing is written for the other.
	list := filepath.Join(folder, "out", "passwords.csv")
	text, err := os.ReadFile(list)
	check(t, err)
	check(t, os.WriteFile(list, bytes.Replace(text, []byte("abcdefg"), []byte("abcdefx"), 1), 0o600))
	stdout, _, code := deliver(t, folder, "-to", "ios", "-out", "e")
	if code != 1 || !strings.Contains(stdout, "does not open the PFX") || !strings.Contains(stdout, "Nothing was written: the files of 1 of 2 users") {
		t.Errorf("%d: %s", code, stdout)
	}
	stdout, _, code = deliver(t, folder, "-to", "ios", "-out", "e", "-json")
	if code != 1 || !strings.Contains(stdout, `"written": false`) || !strings.Contains(stdout, "deploy-wrong-password") {
		t.Errorf("%d: %s", code, stdout)
	}
	if _, err := os.Stat(filepath.Join(folder, "e")); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
}

// Runs that replace the same folders at the same time: one does, and the others say
// so; everything is there in the end.
func TestTogether(t *testing.T) {
	t.Parallel()
	folder := made(t, pfx.Compatible, false)
	args := []string{"-to", "linux", "-out", "d", "-replace"}
	if _, stderr, code := deliver(t, folder, args...); code != 0 {
		t.Fatal(stderr)
	}
	before := tree(t, filepath.Join(folder, "d"))
	for range 5 {
		var all sync.WaitGroup
		var did atomic.Int32
		for range 6 {
			all.Go(func() {
				_, stderr, code := deliver(t, folder, args...)
				switch {
				case code == 0:
					did.Add(1)
				case code != 2 || !strings.Contains(stderr, "another run"):
					t.Errorf("exit status %d: %s", code, stderr)
				}
			})
		}
		all.Wait()
		if got := tree(t, filepath.Join(folder, "d")); did.Load() == 0 || !slices.Equal(got, before) {
			t.Fatalf("%d runs replaced, %q, before %q", did.Load(), got, before)
		}
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	folder := made(t, pfx.Compatible, false)
	write(t, folder, "notanswer.xml", []byte("<plist/>"))
	outside := strings.Replace(readText(t, folder, "out/manifest.json"), "users/jane@yourdomain.com.pfx", "../secret.pfx", 1)
	write(t, folder, "out/outside.json", []byte(outside))
	write(t, folder, "out/empty.json", []byte(`{"ca": {"certificate": "ca/ca.crt"}, "users": []}`))
	write(t, folder, "elsewhere/manifest.json", []byte(readText(t, folder, "out/manifest.json")))
	twice, err := os.ReadFile("../../cba/deploy/testdata/xml-duplicate-attribute.xml")
	check(t, err)
	write(t, folder, "twice.xml", twice)
	base := []string{"-to", "windows-usb", "-out", "d"}
	for _, test := range []struct {
		want string
		args []string
	}{
		{"-to is required: windows-usb", []string{"-out", "d"}},
		{"-out is required", []string{"-to", "ios"}},
		{"for help: go run ./examples/deliver -h", []string{"-to", "palm", "-out", "d"}},
		{"Android asks for the password", []string{"-to", "android", "-out", "d", "-embed-password"}},
		{"writes nothing", []string{"-check", "-out", "d"}},
		{"for help: go run ./examples/deliver -h", []string{"-nonsense"}},
		{"unexpected argument", append(base, "x")},
		{"work only with -to windows-usb", []string{"-to", "linux", "-out", "d", "-zip"}},
		{"no such file", append(base, "-manifest", "missing.json")},
		{"passwords.csv", append(base, "-manifest", "elsewhere/manifest.json")},
		{"does not name a file in this folder", append(base, "-manifest", "out/outside.json")},
		{"contains no users", append(base, "-manifest", "out/empty.json")},
		{"not a manifest", append(base, "-manifest", "notanswer.xml")},
		{"no user \"bob@yourdomain.com\"", append(base, "-user", "bob@yourdomain.com")},
		{"no user", append(base, "-user", "jane@yourdomain.com", "-user", "JANE@yourdomain.com")},
		{"not an answer file", append(base, "-answer", "notanswer.xml")},
		{"twice.xml: not an answer file: line 4: the attribute \"language\" appears twice", append(base, "-answer", "twice.xml")},
		{"work only with -to windows-usb or windows", []string{"-to", "linux", "-out", "d", "-at-sign-in"}},
		{"WipeAfter", append(base, "-at-sign-in", "-wipe-after", "1m")},
		{"leave pass and store unset", append(base, "-at-sign-in", "-pass", "specialize")},
		{"no user yet, only the system", append(base, "-pass", "specialize", "-store", "user")},
		{"volume label", append(base, "-label", strings.Repeat("x", 40))},
		{"an ID is a GUID", append(base, "-tenant", "contoso.com")},
		{"architecture", append(base, "-arch", "mips")},
		{"not a directory", []string{"-to", "ios", "-out", "notanswer.xml"}},
	} {
		stdout, stderr, code := deliver(t, folder, test.args...)
		if code != 2 || !strings.Contains(stderr, test.want) || stdout != "" {
			t.Errorf("%q: exit status %d\n%s%s", test.args, code, stdout, stderr)
		}
		if _, err := os.Stat(filepath.Join(folder, "d")); !os.IsNotExist(err) {
			t.Fatalf("%q: something was written: %v", test.args, err)
		}
	}
	if stdout, stderr, code := deliver(t, folder, "-h"); code != 0 || stderr != "" || !strings.Contains(stdout, "windows-usb") {
		t.Errorf("help: %d %s", code, stderr)
	}
}

func readText(t *testing.T, parts ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(parts...))
	check(t, err)
	return string(b)
}

// A PFX that the mode cannot open is a finding of every user, and nothing is written.
func TestFIPSOnly(t *testing.T) {
	t.Parallel()
	for _, encoding := range []pfx.Encoding{pfx.Compatible, pfx.RC2} {
		folder := made(t, encoding, false)
		r := programtest.FIPSOnly(t, program, folder, "-to", "windows", "-out", "d")
		if r.Code != 1 || !strings.Contains(r.Stdout, "fips140=only") {
			t.Errorf("%v: exit status %d\n%s%s", encoding, r.Code, r.Stdout, r.Stderr)
		}
		if _, err := os.Stat(filepath.Join(folder, "d")); !os.IsNotExist(err) {
			t.Errorf("%v: something was written: %v", encoding, err)
		}
	}
	folder := made(t, pfx.Modern, false)
	if r := programtest.FIPSOnly(t, program, folder, "-to", "macos", "-out", "d"); r.Code != 0 {
		t.Errorf("modern: exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

// Of several certificates in a user's file, and in the file of -root, the right one is
// taken whatever the order, and that is said.
func TestFilesOfOthers(t *testing.T) {
	t.Parallel()
	folder := made(t, pfx.Compatible, true, "jane@yourdomain.com")
	data := readText(t, folder, "out", "users", "jane@yourdomain.com.pfx")
	b, err := pfx.Decode([]byte(data), `a'b"c&d<e%f!g$h`+"`i")
	check(t, err)
	plain, stderr, code := deliver(t, folder, "-to", "windows", "-out", "plain", "-json")
	if code != 0 || stderr != "" {
		t.Fatalf("exit status %d: %s", code, stderr)
	}
	rootFirst := append(cba.EncodeCertificates(b.Chain[1], b.Chain[0]), cba.EncodeCertificates(b.Certificate)...)
	write(t, folder, "out/users/jane@yourdomain.com.crt", rootFirst)
	write(t, folder, "chain.pem", cba.EncodeCertificates(b.Chain...)) // the issuing CA first
	got, stderr, code := deliver(t, folder, "-to", "windows", "-out", "plain2", "-root", "chain.pem", "-json")
	if code != 0 || !strings.Contains(stderr, "the only one that is no CA's") || strings.ReplaceAll(got, "plain2", "plain") != plain {
		t.Errorf("exit status %d: %s\n%s\n%s", code, stderr, got, plain)
	}
	write(t, folder, "out/users/jane@yourdomain.com.crt", []byte("<!DOCTYPE html>"))
	if _, stderr, code := deliver(t, folder, "-to", "windows", "-out", "no"); code != 2 || !strings.Contains(stderr, "HTML") {
		t.Errorf("exit status %d: %s", code, stderr)
	}
}
