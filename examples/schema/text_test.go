package schema

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What no person should have to read: escapes of line ends, durations of a program, numbers
// of errors, plurals of one, names of packages in front of a sentence.
var unreadable = regexp.MustCompile(`\\n|\b\d+h\d+m\d+s\b|\(4874\)|\b1 (?:users|certificates|errors|warnings|notes|files|sign-ins|changes|CAs)\b|(?:^|[\s"])(?:cba|certuserid|crl|deploy|dn|folder|graph|pfx|policy|signin|snapshot|trust): |%!`)

// Every program, for a person: it ends with a command to run next, and says nothing that
// cannot be read.
func TestText(t *testing.T) {
	dir := t.TempDir()
	prepare(t, dir)
	for _, r := range runs {
		stdout, stderr, code := r.in(t, dir, r.args)
		if code != r.code {
			t.Errorf("%s %q: exit status %d, want %d\n%s", r.program, r.args, code, r.code, stderr)
			continue
		}
		if found := unreadable.FindString(stdout + stderr); found != "" {
			t.Errorf("%s %q: %q in\n%s%s", r.program, r.args, found, stdout, stderr)
		}
		lines := strings.Split(strings.TrimRight(stdout, "\n"), "\n")
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, "  go run ./examples/") && !strings.Contains(r.program, " ") {
			t.Errorf("%s %q ends with %q", r.program, r.args, last)
		}
		if strings.Contains(stdout, "0 issued") && strings.Contains(stdout, "1 failed") && strings.Contains(stdout, "Give each user") {
			t.Errorf("%s %q hands out what was not made:\n%s", r.program, r.args, stdout)
		}
	}
}

// Help goes to standard output with examples, a wrong flag is two lines with the nearest
// name, and a full disk is told, in every program.
func TestEveryFlag(t *testing.T) {
	seen := map[string]bool{}
	dir := t.TempDir()
	for _, r := range append(runs, run{program: "enroll"}) {
		if seen[r.program] {
			continue
		}
		seen[r.program] = true
		name, _, command := strings.Cut(r.program, " ")
		stdout, stderr, code := r.in(t, dir, []string{"-h"})
		if code != 0 || stderr != "" || !command && !strings.Contains(stdout, "\nExamples:\n  go run ./examples/"+r.program) || !strings.Contains(stdout, "\nFlags:\n") {
			t.Errorf("%s -h: exit status %d\n%s%s", r.program, code, stdout, stderr)
		}
		if stdout, stderr, code = r.in(t, dir, []string{"-version"}); code != 0 || stderr != "" || !strings.HasPrefix(stdout, r.program+" ") {
			t.Errorf("%s -version: exit status %d\n%s%s", r.program, code, stdout, stderr)
		}
		stdout, stderr, code = r.in(t, dir, []string{"-verison"})
		if want := name + ": unknown flag -verison; did you mean -version?\n" + name + ": for help: go run ./examples/" + r.program + " -h\n"; code != 2 || stdout != "" || stderr != want {
			t.Errorf("%s -verison: exit status %d\n%s%s", r.program, code, stdout, stderr)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// A result that is not written is an error, as text and as JSON.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer full.Close()
	for _, asJSON := range []bool{false, true} {
		dir := t.TempDir()
		prepare(t, dir)
		for _, r := range append(runs, run{program: "enroll"}) {
			args := r.args
			if asJSON {
				args = append([]string{"-json"}, args...)
			}
			if asJSON && r.program == "enroll" {
				continue
			}
			cmd := r.command(t, dir, args)
			var stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = full, &stderr
			cmd.Run()
			if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.Contains(stderr.String(), "no space left on device") {
				t.Errorf("%s %q: exit status %d, said %q", r.program, args, code, &stderr)
			}
			text, err := os.ReadFile(filepath.Join(dir, "out", "tenant.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "disabled.json"), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
