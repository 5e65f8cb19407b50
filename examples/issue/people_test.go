package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

func list(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "people", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A short password is refused, and if it is allowed the one that is no ASCII is said on a
// line of its own; neither is printed, though an id may have such digits in its middle.
func TestPasswordsOfPeople(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write(t, folder, "pw.csv", list(t, "pw.csv"))
	r := issue(t, folder, "-users", "pw.csv", "-out", "no")
	if r.code != 2 || !strings.Contains(r.stderr, "jane@contoso.com has fewer than 12 characters") || strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("exit status %d: %s", r.code, r.stderr)
	}
	r = issue(t, folder, "-users", "pw.csv", "-out", "out", "-key", "p256", "-allow-short-passwords")
	if r.code != 1 || !strings.Contains(r.stderr, "\nissue: ") || !strings.Contains(r.stderr, "john@contoso.com contains a non-ASCII character") ||
		regexp.MustCompile(`\babc\b`).MatchString(r.stdout+r.stderr) || strings.Contains(r.stdout+r.stderr, "pässword") {
		t.Errorf("exit status %d: %s%s", r.code, r.stdout, r.stderr)
	}
}

// columns is how many columns of a terminal a text takes.
func columns(text string) (n int) {
	for _, r := range text {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r >= 0x1f300 && r <= 0x1faff:
			n += 2
		default:
			n++
		}
	}
	return n
}

// The table lines up for every script. A UPN in decomposed letters, as macOS writes them, is
// issued for in its composed form, once. One that no PFX file can name a key after is
// refused.
func TestWidePeople(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	whole := list(t, "wide.csv")
	write(t, folder, "wide.csv", whole)
	write(t, folder, "twice.csv", whole+"zo\u00eb@contoso.com,\n")
	if r := issue(t, folder, "-users", "twice.csv", "-out", "no", "-key", "p256"); r.code != 2 || !strings.Contains(r.stderr, "is already on line 6") {
		t.Errorf("exit status %d: %s", r.code, r.stderr)
	}
	r := issue(t, folder, "-users", "wide.csv", "-out", "out", "-key", "p256")
	if _, err := os.Stat(filepath.Join(folder, "out", "users", "zo\u00eb@contoso.com.pfx")); err != nil {
		t.Error(err)
	}
	if r.code != 1 || !strings.Contains(r.stderr, "😀@contoso.com") || strings.Count(r.stderr, "issue: ") != 2 { // no PFX file names such a key
		t.Fatalf("exit status %d: %s%s", r.code, r.stdout, r.stderr)
	}
	at, rows := -1, 0
	for line := range strings.Lines(r.stdout) {
		before, _, ok := strings.Cut(line, "STATUS")
		if !ok {
			before, _, ok = strings.Cut(line, "issued  20")
		}
		if !ok {
			continue
		}
		rows++
		if n := columns(before); at >= 0 && n != at {
			t.Errorf("column %d, want %d: %s", n, at, line)
		} else {
			at = n
		}
	}
	if rows != 6 {
		t.Errorf("%d rows:\n%s", rows, r.stdout)
	}
}
