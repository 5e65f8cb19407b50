package tenant

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A note that cannot be read is told with its file, so that somebody can look at it.
func TestBrokenNote(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"XDG_CONFIG_HOME", "HOME", "AppData"} {
		t.Setenv(name, dir)
	}
	place, err := stateDir()
	if err == nil {
		err = os.MkdirAll(place, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	u := Unfinished{TenantID: "t", Plan: filepath.Join(dir, "plan.json")}
	note := u.base(place) + ".json"
	for _, text := range []string{"", `{"tenantId": "t", "pl`, `{}`} {
		if err := os.WriteFile(note, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		warn(&said)
		if !strings.Contains(said.String(), note) || !strings.Contains(said.String(), "may not be finished") {
			t.Errorf("%q: %s", text, said.String())
		}
		if _, err := u.Begin([]byte("plan")); err == nil || !strings.Contains(err.Error(), note) {
			t.Errorf("%q: %v", text, err)
		}
	}
	// Once it is removed, the way is free.
	if err := os.Remove(note); err != nil {
		t.Fatal(err)
	}
	end, err := u.Begin([]byte("plan"))
	if err != nil {
		t.Fatal(err)
	}
	if err := end(true); err != nil {
		t.Fatal(err)
	}
}
