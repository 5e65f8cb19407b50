package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/examples/internal/programtest"
	"example.com/entracba/examples/internal/tenant/tenanttest"
)

// The screens of a person, and what becomes of them on a full disk.
func TestScreens(t *testing.T) {
	t.Parallel()
	masks := []struct {
		pattern *regexp.Regexp
		with    string
	}{
		{regexp.MustCompile(`\d{4}-\d\d-\d\d|\d\d:\d\d(:\d\d)?`), "0"}, {regexp.MustCompile(`\b\d+ ms`), "0"}, {regexp.MustCompile(`\b\d+ B\b`), "0"}, {regexp.MustCompile(`[0-9a-f]{30,}`), "0"},
	}
	mask := func(text string) string {
		for _, m := range masks {
			text = m.pattern.ReplaceAllStringFunc(text, func(s string) string { return regexp.MustCompile(`[0-9]`).ReplaceAllString(s, m.with) })
		}
		return regexp.MustCompile(`\b\d ms `).ReplaceAllString(text, "0 ms ")
	}
	for _, columns := range []int{0, 80, 120} {
		env := append(os.Environ(), fmt.Sprintf("COLUMNS=%d", columns))
		programtest.Screen(t, "demonstration", columns, programtest.Run(t, program, t.TempDir(), env), mask)
	}
	programtest.Full(t, program, t.TempDir(), nil)
	programtest.Full(t, program, t.TempDir(), nil, "-json")
}

// The demonstration replaces no file of a person's, and the whole is told once.
func TestReal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"tenant.json", "page.html"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"-snapshot", "tenant.json"}, {"-html", "page.html"}, {"-allow-private"}} {
		if r := programtest.Run(t, program, dir, nil, args...); r.Code != 2 || r.Stdout != "" {
			t.Errorf("%q: exit status %d\n%s%s", args, r.Code, r.Stdout, r.Stderr)
		}
	}
	for _, name := range []string{"tenant.json", "page.html"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(text) != "mine" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	s := tenanttest.Serve(t, graphtest.Tenant{}, graphtest.Options{})
	for what, r := range map[string]programtest.Result{
		"wrong token":   tenanttest.RunToken(t, s, "wrong", program, dir, "-endpoint", s.URL+"/v1.0"),
		"no connection": tenanttest.RunToken(t, nil, "x", program, dir, "-endpoint", "https://127.0.0.1:1/v1.0"),
	} {
		if r.Code != 2 || r.Stdout != "" || strings.Count(r.Stderr, "\n") != 1 {
			t.Errorf("%s: exit status %d\n%s%s", what, r.Code, r.Stdout, r.Stderr)
		}
	}
	if r := programtest.Run(t, program, dir, nil, "-snapshot", "new.json"); r.Code != 1 || !strings.HasSuffix(r.Stdout, "\n  go run ./examples/setup -tenant ID -then changed.json -out plan.json\n") {
		t.Errorf("exit status %d\n%s", r.Code, r.Stdout)
	}
}
