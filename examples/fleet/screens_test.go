package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.com/entracba/examples/internal/programtest"
)

// The screens of a person at a terminal of 80 and of 120 columns, and into a pipe: what
// the commands print one after the other, each of which names the next.
func TestScreens(t *testing.T) {
	varies := regexp.MustCompile(`\d{4}-\d\d-\d\d|[0-9a-f]{8,}|in \d+\.\d s, *\n?\d+ per`)
	mask := func(text string) string {
		return varies.ReplaceAllStringFunc(text, func(s string) string { return regexp.MustCompile(`[0-9a-f]`).ReplaceAllString(s, "0") })
	}
	for _, columns := range []int{0, 80, 120} {
		dir := t.TempDir()
		env := append(os.Environ(), fmt.Sprintf("COLUMNS=%d", columns))
		screen := func(name string, args ...string) {
			t.Helper()
			programtest.Screen(t, name, columns, programtest.Run(t, program, dir, env, args...), mask)
		}
		writeUsers(t, dir, 2)
		jobs := func(args ...string) []string {
			return append(args[:1:1], append([]string{"-out", "my jobs"}, args[1:]...)...)
		}
		screen("enqueue", jobs("enqueue", "-users", "users.csv")...)
		screen("waiting", jobs("status")...)
		screen("work", jobs("work", "-key", "p256", "-drain")...)
		screen("revoke", jobs("revoke", "user1@yourdomain.com", "nobody@yourdomain.com")...)
		screen("unlisted", jobs("status")...)
		screen("retry", jobs("retry")...)
		screen("export", jobs("export", "all.csv")...)
		screen("due", "-out", "my jobs", "-due", "100")
		screen("missing", "status", "-out", "it's not there")
	}
}

// Every next command can be pasted, whatever the folder is called, and leads to the end.
func TestNextCommands(t *testing.T) {
	dir := t.TempDir()
	writeUsers(t, dir, 2)
	r := programtest.Run(t, program, dir, nil, "enqueue", "-out", "it's\u00e9 $HOME", "-users", "users.csv")
	for _, want := range []string{"fleet work", "fleet export"} {
		if r.Code != 0 || !strings.Contains(r.Stdout, "go run ./examples/"+want) {
			t.Fatalf("no %q: exit status %d\n%s%s", want, r.Code, r.Stdout, r.Stderr)
		}
		r = programtest.Shell(t, program, dir, programtest.Next(t, "fleet", r.Stdout))
	}
	r = programtest.Run(t, program, dir, nil, "revoke", "-out", "it's\u00e9 $HOME", "user1@yourdomain.com")
	if r = programtest.Shell(t, program, dir, programtest.Next(t, "fleet", r.Stdout)); r.Code != 0 || !strings.Contains(r.Stdout, "revoked    1") {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

// No export replaces the list of people, the ledger, or what the folder keeps.
func TestExportApart(t *testing.T) {
	dir := t.TempDir()
	writeUsers(t, dir, 2)
	mustDo(t, dir, "-users", "users.csv", "-key", "p256")
	ledger := filepath.Join("out", "fleet", "ledger.db")
	if err := os.Link(filepath.Join(dir, ledger), filepath.Join(dir, "ledger.json")); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"-users", "users.csv", "-export", "users.csv"},
		{"-export", "ledger.json"},
		{"-export", filepath.Join("out", "fleet", "passwords.csv")},
		{"-export", filepath.Join("out", "fleet", "manifest.json")},
		{"export", "ledger.json"},
		{"export", "-ledger", "ledger.json", "./ledger.json"},
	} {
		before := map[string]string{}
		for _, name := range []string{"users.csv", ledger} {
			content, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			before[name] = string(content)
		}
		if r := do(t, dir, args...); r.code != 2 || !strings.Contains(r.stderr, "would be replaced") {
			t.Errorf("%q: exit status %d\n%s%s", args, r.code, r.stdout, r.stderr)
		}
		for name, want := range before {
			if content, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(content) != want {
				t.Errorf("%q changed %s: %v", args, name, err)
			}
		}
	}
	for _, args := range [][]string{{"status", "x"}, {"retry", "x"}, {"work", "x"}, {"enqueue", "x"}} {
		if r := do(t, dir, args...); r.code != 2 || r.stdout != "" || !strings.Contains(r.stderr, args[0]+" -h") {
			t.Errorf("%q: exit status %d\n%s%s", args, r.code, r.stdout, r.stderr)
		}
	}
}
