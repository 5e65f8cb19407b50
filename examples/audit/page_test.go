package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/entracba/examples/internal/programtest"
)

// Two pages of one tenant: nothing is new in the second, what is accepted is not
// counted, and a file that cannot be used is refused.
func TestPage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := func(status int, args ...string) programtest.Result {
		t.Helper()
		r := programtest.Run(t, program, dir, nil, args...)
		if r.Code != status {
			t.Fatalf("%q: %+v", args, r)
		}
		return r
	}
	if r := run(1, "-html", "first.html"); !strings.Contains(r.Stdout, "-last first.json") {
		t.Errorf("no next command: %s", r.Stdout)
	}
	omit := `[{"code":"userid-prefix","reason":"the account is gone next week","until":"2999-01-01"}]`
	if err := os.WriteFile(filepath.Join(dir, "omit.json"), []byte(omit), 0o600); err != nil {
		t.Fatal(err)
	}
	run(1, "-html", "second.html", "-last", "first.json", "-omit", "omit.json")
	text, err := os.ReadFile(filepath.Join(dir, "second.json"))
	if err != nil {
		t.Fatal(err)
	}
	var page struct {
		Tally struct{ New, StillThere, Fixed, Omitted int }
	}
	if err := json.Unmarshal(text, &page); err != nil || page.Tally.New != 0 || page.Tally.Fixed != 0 || page.Tally.StillThere < 5 || page.Tally.Omitted != 1 {
		t.Errorf("%+v, %v", page, err)
	}
	html, err := os.ReadFile(filepath.Join(dir, "second.html"))
	if err != nil || !strings.Contains(string(html), "the account is gone next week") {
		t.Errorf("%v: the page does not say what is accepted", err)
	}
	run(2, "-html", "third.html", "-last", "omit.json")
	run(2, "-html", "third.html", "-omit", "first.json")
	run(2, "-last", "first.json")
	if _, err := os.Stat(filepath.Join(dir, "third.html")); err == nil {
		t.Error("a page was written from files that cannot be used")
	}
}

// A filter leaves findings out of files, and says how many.
func TestShow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	count := map[string]int{}
	for _, show := range []string{"", "warnings", "errors", "effects"} {
		args := []string{"-csv", "a" + show + ".csv", "-html", "a" + show + ".html"}
		if show != "" {
			args = append(args, "-show", show)
		}
		if r := programtest.Run(t, program, dir, nil, args...); r.Code != 1 {
			t.Fatalf("%q: %+v", args, r)
		}
		text, err := os.ReadFile(filepath.Join(dir, "a"+show+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		count[show] = strings.Count(string(text), "\n")
		page, err := os.ReadFile(filepath.Join(dir, "a"+show+".html"))
		if err != nil || strings.Contains(string(page), "a filter was set") != (show != "") {
			t.Errorf("%s: %v", show, err)
		}
	}
	if !(count[""] > count["warnings"] && count["warnings"] > count["errors"] && count["errors"] > 1 && count["effects"] > 1) {
		t.Errorf("%v", count)
	}
	for _, args := range [][]string{{"-show", "errors"}, {"-show", "all", "-csv", "x.csv"}} {
		if r := programtest.Run(t, program, dir, nil, args...); r.Code != 2 {
			t.Errorf("%q: %+v", args, r)
		}
	}
}

// The other files that programs read: SARIF, CSV and metrics.
func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := programtest.Run(t, program, dir, nil, "-sarif", "audit.sarif", "-csv", "audit.csv", "-metrics", "cba.prom")
	if r.Code != 1 {
		t.Fatalf("%+v", r)
	}
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var sarif struct {
		Version string
		Runs    []struct {
			Results []struct{ RuleID, Level string }
		}
	}
	if err := json.Unmarshal([]byte(read("audit.sarif")), &sarif); err != nil || sarif.Version != "2.1.0" || len(sarif.Runs) != 1 || len(sarif.Runs[0].Results) < 5 {
		t.Errorf("%+v, %v", sarif, err)
	}
	if rows := strings.Count(read("audit.csv"), "\n"); rows < 6 {
		t.Errorf("%d lines of CSV", rows)
	}
	metrics := read("cba.prom")
	for _, want := range []string{"# TYPE ", "findings{", "expir"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics lack %q:\n%s", want, metrics)
		}
	}
	// A collector runs as somebody else, and must not learn who is who.
	if info, err := os.Stat(filepath.Join(dir, "cba.prom")); err != nil || info.Mode().Perm()&0o044 == 0 || strings.Contains(metrics, "@") {
		t.Errorf("%v, %v:\n%s", info.Mode(), err, metrics)
	}
	if info, err := os.Stat(filepath.Join(dir, "audit.csv")); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
