package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/entracba/cba/signin"
	"example.com/entracba/examples/internal/programtest"
)

// What the program hands on is a tenant and users that the packages read, and a tenant
// that somebody has edited stays.
func TestHandOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if r := programtest.Run(t, program, dir, nil, "-key", "p256", "jane@contoso.com", "bob@contoso.com"); r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	name := filepath.Join(dir, "out", "tenant.json")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	config, err := signin.ParseConfig(text)
	if err != nil || len(config.Trust.PKIs) != 1 || len(config.Missing) != 0 {
		t.Errorf("%+v, %v", config, err)
	}
	lines, err := os.ReadFile(filepath.Join(dir, "out", "users.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var first struct {
		UserPrincipalName string
		Certificates      [][]byte
	}
	if err := json.NewDecoder(strings.NewReader(string(lines))).Decode(&first); err != nil || first.UserPrincipalName != "jane@contoso.com" || len(first.Certificates) != 1 {
		t.Errorf("%+v, %v", first, err)
	}
	if n := strings.Count(string(lines), "\n"); n != 2 {
		t.Errorf("%d users", n)
	}
	edited := strings.Replace(string(text), `"enabled"`, `"disabled"`, 1)
	if err := os.WriteFile(name, []byte(edited), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := programtest.Run(t, program, dir, nil, "-key", "p256", "eve@contoso.com"); r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	if again, err := os.ReadFile(name); err != nil || string(again) != edited {
		t.Errorf("the edited tenant was replaced: %v", err)
	}
	if lines, err = os.ReadFile(filepath.Join(dir, "out", "users.jsonl")); err != nil || strings.Count(string(lines), "\n") != 3 {
		t.Errorf("%s, %v", lines, err)
	}
}

func TestNamedUsers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, args := range [][]string{{"-users", "x.csv", "jane@contoso.com"}, {""}, {"jane@contoso.com", "-json"}, {"jane@contoso.com", "JANE@contoso.com"}} {
		if r := programtest.Run(t, program, dir, nil, args...); r.Code != 2 || strings.Count(r.Stderr, "\n") > 3 {
			t.Errorf("%q: %+v", args, r)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// Columns that mean nothing here are named once and passed over.
func TestOtherColumns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list := "userPrincipalName,displayName,mail\r\njane@contoso.com,Jane,jane@contoso.com\r\n"
	if err := os.WriteFile(filepath.Join(dir, "entra.csv"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	r := programtest.Run(t, program, dir, nil, "-key", "p256", "-users", "entra.csv")
	if r.Code != 0 || strings.Count(r.Stderr, "entra.csv: not used: displayName\n") != 1 {
		t.Errorf("%+v", r)
	}
}
