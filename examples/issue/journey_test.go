package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.com/entracba/cba/folder"
	"example.com/entracba/examples/internal/programtest"
)

// state is every file of a folder with its content.
func state(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	if err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			fmt.Fprintf(&b, "%s: %q\n", path, read(t, path))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A file that is missing, empty or cut is named with the command that mends it; that
// command mends it, and nothing of the old is deleted.
func TestMend(t *testing.T) {
	t.Parallel()
	for what, harm := range map[string]func(out string) error{
		"PFX gone":          func(out string) error { return os.Remove(filepath.Join(out, "users", "jane@x.com.pfx")) },
		"PFX empty":         func(out string) error { return os.Truncate(filepath.Join(out, "users", "jane@x.com.pfx"), 0) },
		"PFX cut":           func(out string) error { return os.Truncate(filepath.Join(out, "users", "jane@x.com.pfx"), 1000) },
		"certificate empty": func(out string) error { return os.Truncate(filepath.Join(out, "users", "jane@x.com.crt"), 0) },
		"passwords gone":    func(out string) error { return os.Remove(filepath.Join(out, "passwords.csv")) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			out := filepath.Join(dir, "out")
			good(t, dir, "-key", "p256", "jane@x.com", "john@x.com")
			if err := harm(out); err != nil {
				t.Fatal(err)
			}
			before := state(t, out)
			r := issue(t, dir, "-key", "p256", "eve@x.com")
			if r.code != 2 || r.stdout != "" || !strings.Contains(r.stderr, "jane@x.com") || !strings.Contains(r.stderr, "nothing was issued") {
				t.Errorf("exit status %d\n%s%s", r.code, r.stdout, r.stderr)
			}
			status := issue(t, dir)
			if status.code != 1 || !strings.Contains(status.stdout, "missing or damaged files") {
				t.Errorf("exit status %d\n%s%s", status.code, status.stdout, status.stderr)
			}
			if after := state(t, out); after != before {
				t.Errorf("the folder was changed:\n%s", after)
			}
			if a, b := programtest.Next(t, "issue", r.stderr), programtest.Next(t, "issue", status.stdout); a != b {
				t.Errorf("two commands: %s, %s", a, b)
			}
			mended := programtest.Shell(t, program, dir, programtest.Next(t, "issue", r.stderr))
			if mended.Code != 0 || !strings.Contains(mended.Stdout, "moved away, not deleted: ") {
				t.Fatalf("%+v", mended)
			}
			if bundles := open(t, out); len(bundles) != 2 {
				t.Errorf("%d users", len(bundles))
			}
			good(t, dir, "-key", "p256", "eve@x.com")
		})
	}
}

// What cannot be mended is not written over.
func TestNothingIsWrittenOver(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(out string) error{
		"manifest.json": func(out string) error { return os.Remove(filepath.Join(out, "manifest.json")) },
		"passwords.csv": func(out string) error { return os.Truncate(filepath.Join(out, "passwords.csv"), 0) },
		"jane@x.com.pfx": func(out string) error {
			return os.WriteFile(filepath.Join(out, "manifest.json"), []byte(strings.ReplaceAll(string(read(t, out, "manifest.json")), "jane@x.com", "other@x.com")), 0o644)
		},
	} {
		dir := t.TempDir()
		out := filepath.Join(dir, "out")
		good(t, dir, "-key", "p256", "jane@x.com")
		if err := harm(out); err != nil {
			t.Fatal(err)
		}
		before := state(t, filepath.Join(out, "users"))
		for range 2 {
			if r := issue(t, dir, "-key", "p256", "jane@x.com"); r.code != 2 || r.stdout != "" {
				t.Errorf("%s: exit status %d\n%s%s", name, r.code, r.stdout, r.stderr)
			}
		}
		if after := state(t, filepath.Join(out, "users")); after != before {
			t.Errorf("%s: the users' files were changed", name)
		}
	}
}

// A tenant or a list of users that was emptied stays, and is named; what somebody has added
// to the list stays, too.
func TestHandedOnIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good(t, dir, "-key", "p256", "jane@x.com")
	users := filepath.Join(dir, "out", "users.jsonl")
	edited := strings.Replace(string(read(t, users)), `{`, `{"memberOf":[{"id":"12345678901234567890"}],"n":12345678901234567890,`, 1) + `{"userPrincipalName":"card@x.com","certificates":[]}` + "\n"
	if err := os.WriteFile(users, []byte(edited), 0o644); err != nil {
		t.Fatal(err)
	}
	good(t, dir, "-key", "p256", "john@x.com")
	got := string(read(t, users))
	for _, want := range []string{`"memberOf":[{"id":"12345678901234567890"}]`, `"n":12345678901234567890`, "card@x.com", "john@x.com"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is lost: %s", want, got)
		}
	}
	for _, name := range []string{"users.jsonl", "tenant.json"} {
		path := filepath.Join(dir, "out", name)
		whole := read(t, path)
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		r := issue(t, dir, "-key", "p256", "jane@x.com")
		if r.code != 1 || !strings.Contains(r.stderr, name+" cannot be read, and is not replaced") || len(read(t, path)) != 0 || strings.Contains(r.stdout, "Give each user") {
			t.Errorf("exit status %d\n%s%s", r.code, r.stdout, r.stderr)
		}
		if err := os.WriteFile(path, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Samples are for new folders, never beside what is real.
func TestSamples(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good(t, dir, "-key", "p256", "-out", "real", "jane@x.com")
	before := state(t, dir)
	if r := good(t, dir, "-out", "real"); !strings.Contains(r.stdout, "Nothing was written") || strings.Contains(r.stdout, "yourdomain.com") {
		t.Errorf("said\n%s", r.stdout)
	}
	for _, args := range [][]string{{"-out", "real", "-key", "p256"}, {"-ca", "real/ca", "-out", "new"}, {"-out", "real", "-ca-name", "x"}} {
		if r := issue(t, dir, args...); r.code != 2 || !strings.Contains(r.stderr, "jane@contoso.com") {
			t.Errorf("%q: exit status %d: %s", args, r.code, r.stderr)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	if r := issue(t, dir, "-out", "empty"); r.code != 2 || !strings.Contains(r.stderr, "Name the users") {
		t.Errorf("exit status %d: %s", r.code, r.stderr)
	}
	if after := state(t, dir); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
	// And nobody is issued for beside a ledger.
	write(t, dir, "fleet/ledger.id", "x")
	if r := issue(t, dir, "-out", "fleet", "jane@x.com"); r.code != 2 || !strings.Contains(r.stderr, "go run ./examples/fleet -out fleet") {
		t.Errorf("exit status %d: %s", r.code, r.stderr)
	}
}

func TestCAName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if r := good(t, dir, "-key", "p256", "-ca-name", "Contoso Root CA", "jane@x.com"); !strings.Contains(r.stdout, "CN=Contoso Root CA (created by this run)") {
		t.Errorf("said\n%s", r.stdout)
	}
	good(t, dir, "-key", "p256", "-out", "second", "-ca-name", "CN=Root,O=Contoso", "jane@x.com")
	m, err := folder.Load(filepath.Join(dir, "second", "manifest.json"))
	if err != nil || m.CA.Subject != "CN=Root,O=Contoso" {
		t.Errorf("%q, %v", m.CA.Subject, err)
	}
	if r := issue(t, dir, "-ca-name", "Other", "john@x.com"); r.code != 2 || !strings.Contains(r.stderr, "CN=Contoso Root CA") {
		t.Errorf("exit status %d: %s", r.code, r.stderr)
	}
	// Flags that do not apply to what exists are named.
	if r := good(t, dir, "-key", "p384", "-days", "3", "jane@x.com"); !strings.Contains(r.stdout, "Without effect: -key, -days") {
		t.Errorf("said\n%s", r.stdout)
	}
}

// With -json every user of the run has an outcome, also those who got no certificate.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good(t, dir, "-key", "p256", "jane@x.com")
	write(t, dir, "users.csv", "upn,password\njane@x.com,\njohn@x.com,\"a\tb-0123456789\"\neve@x.com,\n")
	r := issue(t, dir, "-key", "p256", "-users", "users.csv", "-json")
	var printed struct {
		Program string
		Users   []struct {
			UserPrincipalName, Outcome, Error string
			Certificate                       *struct{ Thumbprint string }
			CertificateUserIDs                []struct{ Mapping, Value, Affinity string }
		}
		Counts struct{ Issued, Skipped, Failed int }
	}
	if err := json.Unmarshal([]byte(r.stdout), &printed); err != nil || r.code != 1 || printed.Counts != (struct{ Issued, Skipped, Failed int }{1, 1, 1}) || len(printed.Users) != 3 {
		t.Fatalf("exit status %d, %v\n%s%s", r.code, err, r.stdout, r.stderr)
	}
	for _, u := range printed.Users {
		want := map[string]string{"jane@x.com": "skipped", "john@x.com": "failed", "eve@x.com": "issued"}[u.UserPrincipalName]
		if u.Outcome != want || (u.Outcome == "failed") != (u.Certificate == nil) || (u.Error == "") != (u.Certificate != nil) || u.Certificate != nil && len(u.CertificateUserIDs) < 5 {
			t.Errorf("%+v", u)
		}
	}
	// Who has nothing is not told to hand anything out.
	if r := issue(t, dir, "-key", "p256", "-users", "users.csv"); r.code != 1 || strings.Contains(r.stdout, "Give each user") || !strings.Contains(r.stdout, "\n  go run ./examples/issue -key p256 -users users.csv\n") {
		t.Errorf("exit status %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// The screens of a person at a terminal of 80 and of 120 columns, and into a pipe.
func TestScreens(t *testing.T) {
	t.Parallel()
	masks := map[*regexp.Regexp]string{
		regexp.MustCompile(`\d{4}-\d\d-\d\d`): "0", regexp.MustCompile(`[0-9a-f]{20,}`): "0", regexp.MustCompile(`(<SHA1-PUKEY>|<SKI>|<SR>)[0-9a-f]+(\s+[0-9a-f]+\n)?`): "0",
	}
	mask := func(text string) string {
		for pattern, with := range masks {
			text = pattern.ReplaceAllStringFunc(text, func(s string) string {
				tag := regexp.MustCompile(`^<[^>]*>`).FindString(s)
				return tag + regexp.MustCompile(`[0-9a-f]`).ReplaceAllString(s[len(tag):], with)
			})
		}
		return text
	}
	for _, columns := range []int{0, 80, 120} {
		dir := t.TempDir()
		env := append(os.Environ(), fmt.Sprintf("COLUMNS=%d", columns))
		programtest.Screen(t, "samples", columns, programtest.Run(t, program, dir, env, "-key", "p256"), mask)
		programtest.Screen(t, "exists", columns, programtest.Run(t, program, dir, env), mask)
		programtest.Screen(t, "wide", columns, programtest.Run(t, program, dir, env, "-out", "wide", "-key", "p256", "田中太郎@contoso.com", "jörg@contoso.com", "a-user-with-a-name-that-is-rather-long@a-domain-with-a-long-name.contoso.com"), mask)
	}
	dir := t.TempDir()
	programtest.Full(t, program, dir, nil, "-key", "p256")
	programtest.Full(t, program, dir, nil)
	programtest.Full(t, program, dir, nil, "-json")
	programtest.Full(t, program, dir, nil, "-h")
}

// Killed again and again while it mends, the program goes on: in the end everyone has files
// that open, what was left of the old ones is in leftover/, and whoever had whole files
// keeps them.
func TestKilledMending(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	var list strings.Builder
	list.WriteString("upn\n")
	const users = 200
	for i := range users {
		fmt.Fprintf(&list, "user%d@yourdomain.com\n", i)
	}
	write(t, dir, "users.csv", list.String())
	args := []string{"-users", "users.csv", "-key", "p256"}
	good(t, dir, args...)
	whole := map[string][]byte{}
	for i := range users {
		name := filepath.Join(out, "users", fmt.Sprintf("user%d@yourdomain.com.pfx", i))
		if i%2 == 0 {
			whole[name] = read(t, name)
		} else if err := os.Truncate(name, 100); err != nil {
			t.Fatal(err)
		}
	}
	args = append([]string{"-mend"}, args...)
	kills := 0
	mended := func() (n int) {
		for i := 1; i < users; i += 2 {
			if info, err := os.Stat(filepath.Join(out, "users", fmt.Sprintf("user%d@yourdomain.com.pfx", i))); err == nil && info.Size() != 100 {
				n++
			}
		}
		return n
	}
	for range 9 {
		more := mended() + 10
		if killed(t, dir, args, func() bool { return mended() >= more }) {
			kills++
		}
		for name, old := range whole {
			if string(read(t, name)) != string(old) {
				t.Fatalf("%s was whole and was changed", name)
			}
		}
	}
	if kills < 3 {
		t.Fatalf("only %d runs were killed", kills)
	}
	good(t, dir, args...)
	if bundles := open(t, out); len(bundles) != users {
		t.Errorf("%d users", len(bundles))
	}
	if left, _ := filepath.Glob(filepath.Join(out, "leftover", "*.pfx*")); len(left) < users/2 {
		t.Errorf("%d damaged files are in leftover", len(left))
	}
	if left, _ := filepath.Glob(filepath.Join(out, "users", "*.part")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	good(t, dir, args[1:]...)
}
