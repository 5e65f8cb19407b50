package main_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.com/entracba/examples/internal/programtest"
)

// What issue hands on works at once: one user by name, all users, and the command that is
// printed next.
func TestManifest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if r := programtest.Run(t, programtest.Other(t, "issue"), dir, nil, "-key", "p256", "jane@contoso.com", "john@contoso.com"); r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	manifest := filepath.Join("out", "manifest.json")
	r := explain(t, dir, "-manifest", manifest, "-user", "JANE@contoso.com")
	if r.code != 0 || !strings.Contains(r.stdout, "SIGNED IN  single-factor") ||
		!strings.Contains(r.stdout, "\n  go run ./examples/explain -tenant out/tenant.json -users out/users.jsonl -then changed.json\n") {
		t.Errorf("exit status %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	r = explain(t, dir, "-manifest", manifest, "-user", "jane@contoso.com", "-require", "mfa", "-at", "2026-12-01", "-json")
	var verdict struct {
		Version     int
		Program     string
		User        string `json:"userPrincipalName"`
		At          string
		Requirement string
		Code        string
	}
	if err := json.Unmarshal([]byte(r.stdout), &verdict); err != nil || r.code != 1 || verdict.Version != 1 || verdict.Program != "explain" ||
		verdict.User != "jane@contoso.com" || verdict.At != "2026-12-01T00:00:00Z" || verdict.Requirement != "mfa" || !strings.HasPrefix(verdict.Code, "AADSTS") {
		t.Errorf("exit status %d, %v: %+v", r.code, err, verdict)
	}
	r = explain(t, dir, "-tenant", "out/tenant.json", "-users", "out/users.jsonl")
	if r.code != 0 || !strings.HasPrefix(r.stdout, "2 users: 2 signed in, 0 refused\n") || !strings.Contains(r.stdout, "-then changed.json\n") {
		t.Errorf("exit status %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	r = explain(t, dir, "-tenant", "out/tenant.json", "-users", "out/users.jsonl", "-require", "mfa", "-json")
	var many struct {
		Users []struct {
			User string `json:"userPrincipalName"`
			Code string
		}
		Counts struct{ SignedIn, Refused int }
	}
	if err := json.Unmarshal([]byte(r.stdout), &many); err != nil || r.code != 1 || many.Counts.Refused != 2 || len(many.Users) != 2 || many.Users[1].Code != verdict.Code {
		t.Errorf("exit status %d, %v: %s", r.code, err, r.stdout)
	}
	// What is missing is told with the command that mends it.
	for _, name := range []string{"tenant.json", "users.jsonl"} {
		path := filepath.Join(dir, "out", name)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		r := explain(t, dir, "-tenant", "out/tenant.json", "-users", "out/users.jsonl")
		if r.code != 2 || !strings.Contains(r.stderr, name) || !strings.Contains(r.stderr, "go run ./examples/issue -out out jane@contoso.com") {
			t.Errorf("exit status %d: %s", r.code, r.stderr)
		}
		if r := programtest.Run(t, programtest.Other(t, "issue"), dir, nil, "-key", "p256", "jane@contoso.com"); r.Code != 0 {
			t.Fatalf("%+v", r)
		}
		if again, err := os.ReadFile(path); err != nil || name == "users.jsonl" && string(again) != string(text) {
			t.Errorf("%s is written again as %s, %v", name, again, err)
		}
	}
	if r := explain(t, dir, "-manifest", manifest, "-user", "eve@contoso.com"); r.code != 2 || !strings.Contains(r.stderr, "go run ./examples/issue -out out eve@contoso.com") {
		t.Errorf("exit status %d: %s", r.code, r.stderr)
	}
	if err := os.Remove(filepath.Join(dir, "out", "users", "jane@contoso.com.crt")); err != nil {
		t.Fatal(err)
	}
	if r := explain(t, dir, "-manifest", manifest, "-user", "jane@contoso.com"); r.code != 2 || !strings.Contains(r.stderr, "go run ./examples/issue -out out") {
		t.Errorf("exit status %d: %s", r.code, r.stderr)
	}
	if r := explain(t, dir, "-manifest", "none/manifest.json", "-user", "jane@contoso.com"); r.code != 2 || !strings.Contains(r.stderr, "go run ./examples/issue -out none") {
		t.Errorf("exit status %d: %s", r.code, r.stderr)
	}
}

// Flags that would have no effect are refused.
func TestNoEffect(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"-allow-private"}, {"-manifest", "m.json"}, {"-manifest", "m.json", "-user", "a@b", "-cert", "c.pem"},
		{"-tenant", "t.json", "-users", "u.jsonl", "-html", "x.html"}, {"-manifest", "m.json", "-users", "u.jsonl"}, {"-tenant", "contoso.com", "-users", "u.jsonl"},
	} {
		if r := explain(t, t.TempDir(), args...); r.code != 2 || r.stdout != "" {
			t.Errorf("%q: exit status %d, %s", args, r.code, r.stdout)
		}
	}
}

// The screens of a person at a terminal of 80 and of 120 columns.
func TestScreens(t *testing.T) {
	t.Parallel()
	same := func(pattern, digit string) func(string) string {
		p := regexp.MustCompile(pattern)
		return func(text string) string {
			return p.ReplaceAllStringFunc(text, func(s string) string { return regexp.MustCompile(`[0-9a-f]`).ReplaceAllString(s, digit) })
		}
	}
	times, keys := same(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?`, "0"), same(`[0-9a-f]{20,40}`, "0")
	mask := func(text string) string { return times(keys(text)) }
	for _, columns := range []int{80, 120} {
		env := append(os.Environ(), "COLUMNS="+map[int]string{80: "80", 120: "120"}[columns])
		programtest.Screen(t, "example", columns, programtest.Run(t, program, t.TempDir(), env), mask)
		_, folder, args := loadCase(t, "crl-expired")
		programtest.Screen(t, "refused", columns, programtest.Run(t, program, folder, env, append(args, "-findings")...), func(text string) string {
			return regexp.MustCompile(`(?s)\nNEXT.*`).ReplaceAllString(mask(text), "\n")
		})
	}
	programtest.Full(t, program, t.TempDir(), nil)
	programtest.Full(t, program, t.TempDir(), nil, "-json")
}

// The demonstration replaces no file of a person's.
func TestDemonstrationReplacesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "page.html", []byte("mine"))
	if r := explain(t, dir, "-html", "page.html"); r.code != 2 || r.stdout != "" {
		t.Errorf("exit status %d: %s", r.code, r.stdout)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "page.html")); err != nil || string(text) != "mine" {
		t.Errorf("%q, %v", text, err)
	}
}

// Beside the page of a comparison is everybody to whom the change matters, and a list that
// is read is not replaced.
func TestList(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, _, args := loadCase(t, "A1") // who signs in
	write(t, dir, "t.json", c.Tenant)
	write(t, dir, "then.json", bytes.Replace(c.Tenant, []byte(`"enabled"`), []byte(`"disabled"`), 1))
	if err := os.Mkdir(filepath.Join(dir, "people"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "people"), "jane.json", c.User)
	pem, err := os.ReadFile(filepath.Join(signinData, "pki", c.Certificate))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "people"), "jane.pem", pem)
	var user struct{ UserPrincipalName string }
	if err := json.Unmarshal(c.User, &user); err != nil {
		t.Fatal(err)
	}
	// The time and the CRLs of the case, and not its tenant, user and certificate.
	r := explain(t, dir, append([]string{"-tenant", "t.json", "-users", "people", "-then", "then.json", "-html", "a.html"}, args[6:]...)...)
	text, err := os.ReadFile(filepath.Join(dir, "a.csv"))
	lines := strings.Split(string(text), "\n")
	if err != nil || r.code != 1 || len(lines) != 3 || !strings.HasPrefix(lines[0], "userPrincipalName,difference,") ||
		!strings.HasPrefix(lines[1], user.UserPrincipalName+",loses,signedIn,") || !strings.Contains(lines[1], ",refused,AADSTS") {
		t.Fatalf("%+v, %v: %s", r, err, text)
	}
	write(t, dir, "b.csv", []byte("upn\njane@contoso.com\n"))
	if r := explain(t, dir, "-tenant", "t.json", "-users", "b.csv", "-then", "then.json", "-html", "b.html"); r.code != 2 || !strings.Contains(r.stderr, "b.csv") {
		t.Errorf("%+v", r)
	}
}
