package sqlite_test

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/sqlite"
)

// TestReadOnlyFile opens a ledger that this user may not write to.
func TestReadOnlyFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "ledger.db")
	fill(t, path, 2)
	for name, mode := range map[string]os.FileMode{path: 0o444, folder: 0o555, filepath.Dir(folder): 0o755} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	defer os.Chmod(folder, 0o755)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if os.Getuid() == 0 {
			// Modes do not bind root; this thread, which ends with the goroutine,
			// touches files as nobody.
			runtime.LockOSThread()
			if err := syscall.Setfsuid(65534); err != nil {
				t.Error(err)
				return
			}
		}
		l, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if reason(err) != ledger.ReadOnly {
			t.Errorf("error %v, want reason %q", err, ledger.ReadOnly)
		}
		if l != nil {
			l.Close()
		}
		_, err = sqlite.Open(t.Context(), filepath.Join(folder, "new.db"), sqlite.Options{})
		if reason(err) != ledger.Unavailable {
			t.Errorf("a new file: error %v, want reason %q", err, ledger.Unavailable)
		}
	}()
	<-done
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the file was changed (%v)", err)
	}
}

// TestFull lets the ledger grow no further: what fails leaves nothing behind.
func TestFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	fill(t, path, 20)
	// The limit on the size of files, for this process: SQLite reports the write
	// that fails.
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	l := open(t, path, sqlite.Options{})
	defer l.Close()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	limit := old
	limit.Cur = uint64(info.Size())/2 + 1
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	var failed error
	for range 1000 {
		if _, failed = l.Claim(t.Context(), time.Now().String(), ledger.Claim{Worker: "a", Lease: time.Hour}); failed != nil {
			break
		}
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if r := reason(failed); r != ledger.Full && r != ledger.Unavailable {
		t.Errorf("error %v", failed)
	}
	if err := l.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := l.Claim(t.Context(), "x", ledger.Claim{Worker: "a", Lease: time.Hour}); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
