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
