package manifest_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/examples/internal/files"
	"example.com/entracba/examples/internal/manifest"
	"github.com/google/go-cmp/cmp"
)

var authority = manifest.CA{Subject: "CN=Root", SerialNumber: "01", Thumbprint: "aa", Certificate: "ca/rootCA.crt"}

func user(t *testing.T, folder, upn string) manifest.User {
	t.Helper()
	id, err := certuserid.Parse("X509:<PN>" + upn)
	if err != nil {
		t.Fatal(err)
	}
	u := manifest.User{
		UPN: upn, SerialNumber: "7f", NotAfter: time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC), Thumbprint: "bb",
		Certificate: "users/" + upn + ".crt", PFX: "users/" + upn + ".pfx", PFXEncoding: "compat",
		CertificateUserIDs: map[certuserid.Mapping]certuserid.ID{certuserid.PrincipalName: id},
	}
	os.MkdirAll(filepath.Join(folder, "users"), 0o755)
	for _, name := range []string{u.Certificate, u.PFX} {
		if err := files.Write(filepath.Join(folder, name), []byte("x"), files.Secret); err != nil {
			t.Fatal(err)
		}
	}
	return u
}

func open(t *testing.T, folder string) *manifest.Book {
	t.Helper()
	b, err := manifest.Open(folder, authority)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func add(t *testing.T, b *manifest.Book, u manifest.User) {
	t.Helper()
	if err := b.Add(u, `pass"word,`+u.UPN); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, folder string) ([]string, map[string]string) {
	t.Helper()
	m, err := manifest.Load(filepath.Join(folder, manifest.Name))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(authority, m.CA); diff != "" {
		t.Errorf("CA (-want +got):\n%s", diff)
	}
	passwords, err := manifest.LoadPasswords(filepath.Join(folder, manifest.PasswordsName))
	if err != nil {
		t.Fatal(err)
	}
	var upns []string
	for _, u := range m.Users {
		upns = append(upns, u.UPN)
	}
	return upns, passwords
}

func TestCloseAndOpenAgain(t *testing.T) {
	folder := t.TempDir()
	b := open(t, folder)
	add(t, b, user(t, folder, "jane@x"))
	add(t, b, user(t, folder, "John@x"))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, folder)
	if !b.Has("JANE@x") || !b.Has("john@x") || b.Has("alex@x") || b.Len() != 2 {
		t.Error("the second run does not know what the first issued")
	}
	add(t, b, user(t, folder, "alex@x"))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	upns, passwords := load(t, folder)
	if diff := cmp.Diff([]string{"jane@x", "John@x", "alex@x"}, upns); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	if len(passwords) != 3 || passwords["john@x"] != `pass"word,John@x` {
		t.Errorf("%d passwords", len(passwords))
	}
	info, err := os.Stat(filepath.Join(folder, manifest.PasswordsName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("passwords.csv has mode %v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(filepath.Join(folder, manifest.Name))
	if err != nil || bytes.Contains(text, []byte("pass")) || !bytes.Contains(text, []byte("X509:<PN>jane@x")) {
		t.Errorf("manifest.json holds a password or an escaped id, %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*.jsonl")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A kill leaves the journal, perhaps with half a line at its end, and files that
// were written but not moved into place.
func TestKilledAnywhere(t *testing.T) {
	folder := t.TempDir()
	b := open(t, folder)
	jane, john := user(t, folder, "jane@x"), user(t, folder, "john@x")
	add(t, b, jane)
	add(t, b, john)
	journal := filepath.Join(folder, "journal.jsonl")
	whole, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	first := len(lines[0])
	if first < 50 || len(lines) != 3 {
		t.Fatalf("journal of %d lines", len(lines))
	}
	for cut := 0; cut <= len(whole); cut += 7 {
		dir := t.TempDir()
		user(t, dir, "jane@x")
		user(t, dir, "john@x")
		pfx := filepath.Join(dir, john.PFX)
		if err := os.Rename(pfx, pfx+".part"); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "journal.jsonl"), whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		b := open(t, dir)
		want := 0
		if cut >= first {
			want++
		}
		if cut >= len(whole) {
			want++
		}
		if b.Len() != want {
			t.Fatalf("cut at %d: %d users, want %d", cut, b.Len(), want)
		}
		if _, err := os.Stat(pfx); (err == nil) != b.Has("john@x") {
			t.Errorf("cut at %d: john is on the list %v, his file: %v", cut, b.Has("john@x"), err)
		}
		if !b.Has("jane@x") {
			add(t, b, jane)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if upns, _ := load(t, dir); upns[0] != "jane@x" || len(upns) != max(want, 1) {
			t.Errorf("cut at %d: manifest of %v", cut, upns)
		}
	}
}

func TestRefusals(t *testing.T) {
	folder := t.TempDir()
	b := open(t, folder)
	add(t, b, user(t, folder, "jane@x"))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	other := authority
	other.Thumbprint = "cc"
	if _, err := manifest.Open(folder, other); err == nil || !strings.Contains(err.Error(), "another authority") {
		t.Errorf("certificates of another authority: %v", err)
	}
	for reason, text := range map[string]string{
		"garbage":          "hello",
		"truncated":        `{"ca": {}, "users": [{"upn": "a"`,
		"a list":           `[]`,
		"unknown property": `{"cas": {}}`,
		"bad id":           `{"ca": {}, "users": [{"certificateUserIds": {"PN": "X509:<PN>a"}}]}`,
	} {
		name := filepath.Join(t.TempDir(), "manifest.json")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := manifest.Load(name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

func TestErrorsHoldNoPassword(t *testing.T) {
	folder := t.TempDir()
	const secret = "s3cr3t-Passw0rd"
	journal := filepath.Join(folder, "journal.jsonl")
	if err := os.WriteFile(journal, []byte(fmt.Sprintf("{\"password\": %q, broken\n", secret)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := manifest.Open(folder, authority); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("journal: %v", err)
	}
	passwords := filepath.Join(folder, "passwords.csv")
	if err := os.WriteFile(passwords, []byte("upn,password\na,\"x"+secret+"\ny\"z,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := manifest.LoadPasswords(passwords); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("passwords.csv: %v", err)
	}
}

func TestEmptyListIsJSON(t *testing.T) {
	folder := t.TempDir()
	if err := open(t, folder).Close(); err != nil {
		t.Fatal(err)
	}
	if upns, _ := load(t, folder); len(upns) != 0 {
		t.Errorf("users %v", upns)
	}
}

// A line that was cut off may be longer than the one that is written in its place:
// nothing of it may be left behind that.
func TestLongTornLine(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "journal.jsonl"), bytes.Repeat([]byte("x"), 10_000), 0o600); err != nil {
		t.Fatal(err)
	}
	b := open(t, folder)
	add(t, b, user(t, folder, "jane@x"))
	text, err := os.ReadFile(filepath.Join(folder, "journal.jsonl"))
	if err != nil || bytes.Contains(text, []byte("xxx")) || !bytes.HasSuffix(text, []byte("}\n")) {
		t.Errorf("the journal ends in %q, %v", text[max(0, len(text)-20):], err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if upns, _ := load(t, folder); len(upns) != 1 {
		t.Errorf("users %v", upns)
	}
}
