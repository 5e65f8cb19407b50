package main_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/sqlite"
)

// tree is every file and folder below one, with its content.
func tree(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	if err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			found[path] = ""
			return err
		}
		content, err := os.ReadFile(path)
		found[path] = string(content)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

// unchanged fails the test if do changes anything below a folder.
func unchanged(t *testing.T, folder string, do func()) {
	t.Helper()
	before := tree(t, folder)
	do()
	after := tree(t, folder)
	for path, content := range after {
		if old, there := before[path]; !there || old != content {
			t.Errorf("made or changed: %s", path)
		}
	}
	for path := range before {
		if _, there := after[path]; !there {
			t.Errorf("removed: %s", path)
		}
	}
}

// TestWrongPair runs the program with a ledger and an output folder that do not
// belong together: nothing is changed, and the message has the way out.
func TestWrongPair(t *testing.T) {
	folder := t.TempDir()
	writeUsers(t, folder, 5)
	good(t, folder, "-users", "users.csv")
	good(t, folder, "-users", "users.csv", "-out", "other")
	write := func(name string, content []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("empty.db", nil)
	l, err := sqlite.Open(t.Context(), filepath.Join(folder, "new.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	// A folder whose ledger is lost, and one that never had an id.
	copyTree(t, filepath.Join(folder, "out", "fleet"), filepath.Join(folder, "lost"))
	copyTree(t, filepath.Join(folder, "out", "fleet"), filepath.Join(folder, "stranger"))
	for _, name := range []string{"lost/ledger.db", "stranger/ledger.db", "stranger/ledger.id"} {
		if err := os.Remove(filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name, ledger, out string
		says              []string
	}{
		{"a misspelt ledger", "out/fleet/leger.db", "out/fleet", []string{"out/fleet/leger.db", "does not exist"}},
		{"an empty ledger", "empty.db", "out/fleet", []string{"empty.db", "is empty"}},
		{"a new ledger", "new.db", "out/fleet", []string{"new.db", "another ledger"}},
		{"another ledger", "other/ledger.db", "out/fleet", []string{"other/ledger.db", "another ledger"}},
		{"a ledger without its folder", "other/ledger.db", "nowhere", []string{"nowhere", "does not hold"}},
		{"a lost ledger", "", "lost", []string{"ledger.db", "does not exist"}},
		{"a new ledger for a folder without an id", "new.db", "stranger", []string{"new.db", "another ledger"}},
		{"another ledger for a folder without an id", "other/ledger.db", "stranger", []string{"other/ledger.db", "another ledger"}},
		{"no ledger for a folder without an id", "", "stranger", []string{"ledger.db", "does not exist"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := []string{"-out", test.out}
			if test.ledger != "" {
				args = append(args, "-ledger", test.ledger)
			}
			for _, more := range [][]string{{"-users", "users.csv"}, {"-users", "users.csv", "-renew", "-due", "100"}, {"-revoke", "user1@yourdomain.com"}} {
				unchanged(t, folder, func() {
					r := fleet(t, folder, append(more, args...)...)
					if r.code != 2 || r.stdout != "" {
						t.Errorf("%q: exit status %d, printed %q", more, r.code, r.stdout)
					}
					for _, want := range append(test.says, "othing was changed", "Correct -ledger or -out", "backup") {
						if !strings.Contains(r.stderr, want) {
							t.Errorf("%q does not say %q:\n%s", more, want, r.stderr)
						}
					}
				})
			}
		})
	}
	if f := good(t, folder, "-users", "users.csv"); f.AlreadyIssued != 5 || f.Issued != 0 {
		t.Errorf("the right pair: %+v", f)
	}
	audit(t, folder, 5)
	// The id alone was lost: the files say whose folder it is.
	if err := os.Remove(filepath.Join(folder, "out/fleet/ledger.id")); err != nil {
		t.Fatal(err)
	}
	if f := good(t, folder, "-users", "users.csv"); f.AlreadyIssued != 5 || f.Issued != 0 {
		t.Errorf("without the id: %+v", f)
	}
	if _, err := os.Stat(filepath.Join(folder, "out/fleet/ledger.id")); err != nil {
		t.Error(err)
	}
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// TestForeignFiles puts files into the folder that look like the program's own.
func TestForeignFiles(t *testing.T) {
	folder := t.TempDir()
	writeUsers(t, folder, 3)
	good(t, folder, "-users", "users.csv")
	users := filepath.Join(folder, "out", "fleet", "users")
	foreign := []string{"jane@contoso.de.pfx", "jane@contoso.de.json", "jane@contoso.ba.crt", "jane@contoso.com.00ff.pfx", "jane@contoso.com.00ff.pfx.part", "notes.txt"}
	for _, name := range foreign {
		if err := os.WriteFile(filepath.Join(users, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"-users", "users.csv"}, {"-users", "users.csv", "-renew", "-due", "100"}, {"-revoke", "user1@yourdomain.com"}} {
		good(t, folder, args...)
		for _, name := range foreign {
			if content, err := os.ReadFile(filepath.Join(users, name)); err != nil || string(content) != name {
				t.Fatalf("fleet %q: %s: %q, %v", args, name, content, err)
			}
		}
	}
}

// TestLeftovers puts down what a run leaves that is killed between the files and
// the row, and in the middle of a file.
func TestLeftovers(t *testing.T) {
	folder := t.TempDir()
	writeUsers(t, folder, 3)
	good(t, folder, "-users", "users.csv")
	out := filepath.Join(folder, "out", "fleet")
	recorded := entries(t, folder, ledger.Query{})[0]
	left := map[string]string{
		"jane@contoso.de.00ff.pfx": "a", "jane@contoso.de.00ff.json": "b", "jane@contoso.de.00ff.crt": "c",
		"john@contoso.de.00ee.crt": "e",
	}
	for name, content := range left {
		if err := os.WriteFile(filepath.Join(out, "users", name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	journal := fmt.Sprintf(`{"upn":"jane@contoso.de","serialNumber":"00ff"}
{"upn":%q,"serialNumber":%q}
{"upn":"john@contoso.de","serialNumber":"00ee"}
{"upn":"../../../users","serialNumber":"csv"}
{"upn":"jane@cont`, recorded.UPN, recorded.Serial)
	if err := errors.Join(os.Mkdir(filepath.Join(out, "runs", "KILLED"), 0o700),
		os.WriteFile(filepath.Join(out, "runs", "KILLED", "passwords.csv"), []byte("f"), 0o600),
		os.WriteFile(filepath.Join(out, "runs", "KILLED", "journal.jsonl"), []byte(journal), 0o600)); err != nil {
		t.Fatal(err)
	}
	left["passwords.csv"] = "f"
	r := fleet(t, folder, "-users", "users.csv", "-json")
	var f struct{ Leftovers []string }
	if err := json.Unmarshal([]byte(r.stdout), &f); err != nil || r.code != 0 {
		t.Fatalf("%v, exit status %d: %s%s", err, r.code, r.stdout, r.stderr)
	}
	named := map[string]string{}
	for _, name := range f.Leftovers {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Error(err)
		}
		named[filepath.Base(name)] = string(content)
	}
	if !maps.Equal(named, left) {
		t.Errorf("named %v, left %v", slices.Sorted(maps.Keys(named)), slices.Sorted(maps.Keys(left)))
	}
	audit(t, folder, 3)
	if runs, err := os.ReadDir(filepath.Join(out, "runs")); err != nil || len(runs) > 0 {
		t.Errorf("journals: %v, %v", runs, err)
	}
}

// TestReading asks in every way that must change nothing, of a ledger and of
// nothing at all.
func TestReading(t *testing.T) {
	folder := t.TempDir()
	for _, args := range [][]string{{"-export", "x.csv"}, {"-due", "30"}, {"-ledger", "leger.db"}, {"-revoke", "jane@yourdomain.com"},
		{"-revoke", "jane@yourdomain.com", "-export", "x.json"}, {"-export", "x.csv", "-ledger", "leger.db", "-json"}} {
		unchanged(t, folder, func() {
			r := fleet(t, folder, args...)
			if r.code != 2 || r.stdout != "" || !strings.Contains(r.stderr, "does not exist") || !strings.Contains(r.stderr, "Correct -ledger or -out") {
				t.Errorf("%q: exit status %d: %s%s", args, r.code, r.stdout, r.stderr)
			}
		})
	}
	// Samples, only where there is nothing yet.
	if f := good(t, folder); f.Issued != 3 {
		t.Errorf("samples: %+v", f)
	}
	exported := filepath.Join(t.TempDir(), "x.csv")
	for _, args := range [][]string{{}, {"-due", "100"}, {"-ledger", "out/fleet/ledger.db"}, {"-ledger", "out/fleet/ledger.db", "-out", "nowhere"}, {"-export", exported}} {
		unchanged(t, folder, func() {
			if f := good(t, folder, args...); f.Issued != 0 || f.Ledger["issued"] != 3 {
				t.Errorf("%q: %+v", args, f)
			}
			if r := fleet(t, folder, args...); r.code != 0 || !strings.Contains(r.stdout, "Nothing was issued") {
				t.Errorf("%q: exit status %d: %s%s", args, r.code, r.stdout, r.stderr)
			}
		})
	}
	if text, err := os.ReadFile(exported); err != nil || strings.Count(string(text), "\n") != 4 {
		t.Errorf("exported %q, %v", text, err)
	}
	var due struct {
		DueCertificates []struct{ UserPrincipalName, SerialNumber, NotAfter string }
	}
	if r := fleet(t, folder, "-due", "100", "-json"); json.Unmarshal([]byte(r.stdout), &due) != nil || len(due.DueCertificates) != 3 || due.DueCertificates[0].UserPrincipalName != "jane@yourdomain.com" {
		t.Errorf("%s", r.stdout)
	}
	r := fleet(t, folder, "-due", "100")
	for _, want := range []string{"Due for renewal: 3", "jane@yourdomain.com"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("does not say %q:\n%s", want, r.stdout)
		}
	}
	// A folder without a ledger is no place for samples either.
	if err := os.Mkdir(filepath.Join(folder, "mine"), 0o700); err != nil {
		t.Fatal(err)
	}
	unchanged(t, folder, func() {
		if r := fleet(t, folder, "-out", "mine"); r.code != 2 || !strings.Contains(r.stderr, "does not exist") {
			t.Errorf("exit status %d: %s%s", r.code, r.stdout, r.stderr)
		}
	})
}

// TestRevokeWithoutCA revokes when the CA is gone: the ledger has it, no CA is made,
// and the exit status says that no list was published.
func TestRevokeWithoutCA(t *testing.T) {
	folder := t.TempDir()
	writeUsers(t, folder, 3)
	good(t, folder, "-users", "users.csv")
	ca := filepath.Join(folder, "out", "fleet", "ca")
	if err := os.Rename(ca, filepath.Join(folder, "old")); err != nil {
		t.Fatal(err)
	}
	r := fleet(t, folder, "-revoke", "user1@yourdomain.com")
	if r.code != 1 || !strings.Contains(r.stderr, "there is no CA in") {
		t.Errorf("exit status %d: %s%s", r.code, r.stdout, r.stderr)
	}
	if _, err := os.Stat(ca); err == nil {
		t.Error("a CA was made")
	}
	if err := os.Rename(filepath.Join(folder, "old"), ca); err != nil {
		t.Fatal(err)
	}
	if f := good(t, folder, "-users", "users.csv"); f.WereRevoked != 1 || f.RevocationLists[0].Revoked != 1 {
		t.Errorf("with the CA again: %+v", f)
	}
}
