package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/ledgertest"
	"example.com/entracba/cba/fleet/sqlite"
)

func TestContract(t *testing.T) {
	ledgertest.Test(t, func(t *testing.T, clock *ledgertest.Clock) ledger.Ledger {
		return open(t, filepath.Join(t.TempDir(), "ledger with ? and #.db"), sqlite.Options{Now: clock.Now})
	})
}

func open(t testing.TB, path string, o sqlite.Options) *sqlite.Ledger {
	t.Helper()
	l, err := sqlite.Open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func reason(err error) ledger.Reason {
	var e *ledger.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

// fill makes a ledger with some certificates and closes it.
func fill(t *testing.T, path string, count int) {
	t.Helper()
	l := open(t, path, sqlite.Options{})
	defer l.Close()
	m := ledgertest.NewMaker(t)
	for i := range count {
		upn := fmt.Sprintf("user%d@yourdomain.com", i)
		if _, err := l.Claim(t.Context(), upn, ledger.Claim{Worker: "a", Lease: time.Hour}); err != nil {
			t.Fatal(err)
		}
		if err := l.Record(t.Context(), "a", m.Entry(upn)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestIn records in a transaction of the caller: with it, or not at all.
func TestIn(t *testing.T) {
	l, m := open(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{}), ledgertest.NewMaker(t)
	defer l.Close()
	count := func(l ledger.Ledger) (n int) {
		for _, err := range l.Entries(t.Context(), ledger.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	for _, commit := range []bool{false, true} {
		tx, err := l.DB().Begin()
		if err != nil {
			t.Fatal(err)
		}
		in := l.In(tx)
		if answer, err := in.Claim(t.Context(), "jane", ledger.Claim{Worker: "a", Lease: time.Hour}); err != nil || answer != ledger.Granted {
			t.Fatal(answer, err)
		}
		if err := in.Record(t.Context(), "a", m.Entry("jane")); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(in.Check(t.Context()), in.Close()); err != nil {
			t.Fatal(err)
		}
		if inside, outside := count(in), count(l); inside != 1 || outside != 0 {
			t.Errorf("inside %d, outside %d", inside, outside)
		}
		if commit {
			err = tx.Commit()
		} else {
			err = tx.Rollback()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := count(l); n != 1 {
		t.Errorf("after the commit: %d", n)
	}
}

func TestRefused(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(t *testing.T, path string)
		want ledger.Reason
	}{
		{"newer version", func(t *testing.T, path string) {
			fill(t, path, 1)
			execute(t, path, "PRAGMA user_version=3")
		}, ledger.Newer},
		{"another database", func(t *testing.T, path string) {
			execute(t, path, "CREATE TABLE things (id INTEGER)")
		}, ledger.NotLedger},
		{"another application's database", func(t *testing.T, path string) {
			execute(t, path, "PRAGMA application_id=7")
		}, ledger.NotLedger},
		{"text", func(t *testing.T, path string) {
			write(t, path, bytes.Repeat([]byte("upn,email\n"), 1000))
		}, ledger.NotLedger},
		{"no folder", func(t *testing.T, path string) {
			if err := os.Remove(filepath.Dir(path)); err != nil {
				t.Fatal(err)
			}
		}, ledger.Unavailable},
		{"a folder in its place", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, ledger.Unavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sub", "ledger.db")
			if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			test.make(t, path)
			before, _ := os.ReadFile(path)
			l, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if reason(err) != test.want {
				t.Fatalf("error %v, want reason %q", err, test.want)
			}
			if l != nil {
				t.Error("a ledger beside the error")
			}
			after, _ := os.ReadFile(path)
			if !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
		})
	}
}

// TestCorrupt overwrites pages in the middle of a ledger: it is reported when the ledger
// is opened, for writing and for reading, and never a panic.
func TestCorrupt(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "ledger.db")
	fill(t, path, 60)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	if len(good) < 10*page {
		t.Fatalf("the ledger has only %d bytes", len(good))
	}
	for n := 0; n < len(good)/page; n++ {
		bad := bytes.Clone(good)
		copy(bad[n*page:(n+1)*page], bytes.Repeat([]byte{0x5a}, page))
		path := filepath.Join(folder, fmt.Sprint(n, ".db"))
		write(t, path, bad)
		for _, o := range []sqlite.Options{{}, {ReadOnly: true}} {
			l, err := sqlite.Open(t.Context(), path, o)
			if err == nil {
				l.Close()
			}
			if got := reason(err); got != ledger.Corrupt && got != ledger.NotLedger {
				t.Errorf("page %d, %+v: error %v", n, o, err)
			}
		}
	}
	write(t, filepath.Join(folder, "short.db"), good[:len(good)/2])
	l, err := sqlite.Open(t.Context(), filepath.Join(folder, "short.db"), sqlite.Options{})
	if err == nil {
		l.Close()
	}
	if reason(err) != ledger.Corrupt {
		t.Errorf("cut in half: error %v", err)
	}
}

func TestReadOnlyOption(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	for _, o := range []sqlite.Options{{ReadOnly: true}, {Existing: true}} {
		if _, err := sqlite.Open(t.Context(), path, o); reason(err) != ledger.Missing {
			t.Errorf("no file: error %v", err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Fatal("the file was made")
		}
	}
	write(t, path, nil)
	for _, o := range []sqlite.Options{{ReadOnly: true}, {Existing: true}} {
		if _, err := sqlite.Open(t.Context(), path, o); reason(err) != ledger.Missing {
			t.Errorf("an empty file: error %v", err)
		}
	}
	if found, err := os.ReadDir(filepath.Dir(path)); err != nil || len(found) != 1 {
		t.Errorf("beside the empty file: %v, %v", found, err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Errorf("the empty file: %v, %v", info, err)
	}
	fill(t, path, 3)
	l := open(t, path, sqlite.Options{ReadOnly: true})
	defer l.Close()
	n := 0
	for _, err := range l.Entries(t.Context(), ledger.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d entries, want 3", n)
	}
	_, err := l.Claim(t.Context(), "x", ledger.Claim{Worker: "a", Lease: time.Hour})
	if reason(err) != ledger.ReadOnly {
		t.Errorf("claim: error %v", err)
	}
	if _, err := l.Revoke(t.Context(), "user1@yourdomain.com", time.Now(), crl.Unspecified); reason(err) != ledger.ReadOnly {
		t.Errorf("revoke: error %v", err)
	}
}

// TestReadingLeavesNoTrace reads a ledger that was closed and one whose writer was
// killed.
func TestReadingLeavesNoTrace(t *testing.T) {
	folder := t.TempDir()
	closed, killed := filepath.Join(folder, "closed.db"), filepath.Join(folder, "killed.db")
	fill(t, closed, 3)
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := open(t, path, sqlite.Options{})
	defer l.Close()
	if _, err := l.Claim(t.Context(), "x", ledger.Claim{Worker: "a", Lease: time.Hour}); err != nil {
		t.Fatal(err)
	}
	id, err := l.ID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		content, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		write(t, killed+suffix, content)
	}
	look := func() map[string]string {
		found := map[string]string{}
		all, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range all {
			content, err := os.ReadFile(filepath.Join(folder, file.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(file.Name(), "-shm") {
				content = nil // shared memory, not content
			}
			found[file.Name()] = string(content)
		}
		return found
	}
	before := look()
	for _, path := range []string{closed, killed} {
		r := open(t, path, sqlite.Options{ReadOnly: true})
		if got, err := r.ID(t.Context()); err != nil || (got == id) != (path == killed) {
			t.Errorf("%s: %q, %v", path, got, err)
		}
		for _, err := range r.Entries(t.Context(), ledger.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if after := look(); !maps.Equal(before, after) {
			t.Errorf("after reading %s: %v, were %v", path, slices.Sorted(maps.Keys(after)), slices.Sorted(maps.Keys(before)))
		}
	}
}

// TestUpgrade opens a ledger of version 1.
func TestUpgrade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	fill(t, path, 2)
	execute(t, path, `DROP TABLE identity; ALTER TABLE entries RENAME COLUMN owner TO request;
		ALTER TABLE claims RENAME COLUMN owner TO request; ALTER TABLE claims RENAME COLUMN worker TO holder; PRAGMA user_version=1`)
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{ReadOnly: true}); reason(err) != ledger.ReadOnly {
		t.Errorf("read only: error %v", err)
	}
	var ids [2]string
	for i := range ids {
		l := open(t, path, sqlite.Options{})
		var err error
		if ids[i], err = l.ID(t.Context()); err != nil || ids[i] == "" {
			t.Error(ids[i], err)
		}
		if _, err := ledger.Live(t.Context(), l, "user1@yourdomain.com"); err != nil {
			t.Error(err)
		}
		l.Close()
	}
	if ids[0] != ids[1] {
		t.Errorf("the id was %q, is %q", ids[0], ids[1])
	}
}

// TestNewerMeanwhile lets a newer program update the ledger under this one: it may not write.
func TestNewerMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	fill(t, path, 1)
	l := open(t, path, sqlite.Options{})
	claim := ledger.Claim{Worker: "a", Lease: time.Hour}
	if _, err := l.Claim(t.Context(), "jane", claim); err != nil {
		t.Fatal(err)
	}
	execute(t, path, "PRAGMA user_version=99")
	_, claimed := l.Claim(t.Context(), "john", claim)
	_, revoked := l.Revoke(t.Context(), "user0@yourdomain.com", time.Now(), crl.KeyCompromise)
	tx, err := l.DB().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	inside := l.In(tx).Extend(t.Context(), "a", time.Hour)
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{"claim": claimed, "revoke": revoked, "in a transaction": inside, "extend": l.Extend(t.Context(), "a", time.Hour)} {
		if reason(err) != ledger.Newer {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestLocked keeps the file locked from outside.
func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	fill(t, path, 1)
	db, err := sql.Open("sqlite", path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	l := open(t, path, sqlite.Options{Wait: 50 * time.Millisecond})
	defer l.Close()
	_, err = l.Claim(t.Context(), "x", ledger.Claim{Worker: "a", Lease: time.Hour})
	if reason(err) != ledger.Busy {
		t.Errorf("error %v", err)
	}
	// Readers are not held up.
	if _, err := ledger.Live(t.Context(), l, "user0@yourdomain.com"); err != nil {
		t.Error(err)
	}
	tx.Rollback()
	if _, err = l.Claim(t.Context(), "x", ledger.Claim{Worker: "a", Lease: time.Hour}); err != nil {
		t.Error(err)
	}
}

// TestRulesInTheFile goes around the package.
func TestRulesInTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	fill(t, path, 2)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		"DELETE FROM entries",
		"UPDATE entries SET owner = 'x'",
		"UPDATE entries SET serial = '00' WHERE id = 1",
		"UPDATE entries SET state = 6",
		"UPDATE entries SET state = 5", // without a time
		"INSERT INTO entries SELECT 3, owner, upn, 'ff', issuer, 1, 0, NULL, not_before, not_after, issued, NULL, NULL, NULL, NULL FROM entries WHERE id = 1",
		"INSERT INTO entries SELECT 3, 'x', upn, serial, issuer, 1, 0, NULL, not_before, not_after, issued, NULL, NULL, NULL, NULL FROM entries WHERE id = 1",
	} {
		if _, err := db.Exec(statement); err == nil {
			t.Errorf("went through: %s", statement)
		}
	}
	if _, err := db.Exec("UPDATE entries SET state = 3 WHERE id = 1"); err != nil {
		t.Error(err)
	}
	if _, err := db.Exec("UPDATE entries SET state = 2 WHERE id = 1"); err == nil {
		t.Error("a step back went through")
	}
}

func TestMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := open(t, path, sqlite.Options{})
	defer l.Close()
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}

func TestExport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	fill(t, path, 5)
	l := open(t, path, sqlite.Options{})
	defer l.Close()
	if _, err := l.Revoke(t.Context(), "user3@yourdomain.com", time.Now(), crl.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := ledger.WriteCSV(&text, l.Entries(t.Context(), ledger.Query{})); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&text).ReadAll()
	if err != nil || len(rows) != 6 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if rows[4][0] != "user3@yourdomain.com" || rows[4][4] != "revoked" || rows[4][12] != "keyCompromise" || rows[4][11] == "" || rows[3][12] != "" {
		t.Errorf("rows %q\n%q", rows[3], rows[4])
	}
	text.Reset()
	if err := ledger.WriteJSON(&text, l.Entries(t.Context(), ledger.Query{Certificates: true})); err != nil {
		t.Fatal(err)
	}
	var entries []ledger.Entry
	if err := json.Unmarshal(text.Bytes(), &entries); err != nil || len(entries) != 5 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	if entries[3].State != ledger.Revoked || entries[3].Reason != crl.KeyCompromise || len(entries[3].Certificate) == 0 {
		t.Errorf("entry %+v", entries[3])
	}
	text.Reset()
	if err := ledger.WriteJSON(&text, l.Entries(t.Context(), ledger.Query{Owner: "nobody"})); err != nil || text.String() != "[\n]\n" {
		t.Errorf("nothing is written as %q, %v", text.String(), err)
	}
}

func execute(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
