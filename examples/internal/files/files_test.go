package files_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/entracba/examples/internal/files"
)

func content(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWriteReplacesWhole(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	for _, text := range []string{"first and long", "second"} {
		if err := files.Write(name, []byte(text), files.Secret); err != nil {
			t.Fatal(err)
		}
		if got := content(t, name); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != files.Secret {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(name + ".*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFailureKeepsTheOldFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	if err := files.Write(name, []byte("old"), files.Public); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left on device")
	err := files.Stream(name, files.Public, func(w io.Writer) error {
		io.WriteString(w, "half of the n")
		return full
	})
	if !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	if got := content(t, name); got != "old" {
		t.Errorf("after a failure the file holds %q", got)
	}
	if left, _ := filepath.Glob(name + ".*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// /dev/full is a disk that is always full.
func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("this system has no /dev/full")
	}
	name := filepath.Join(t.TempDir(), "f")
	err := files.Stream(name, files.Public, func(io.Writer) error {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		defer full.Close()
		_, err = full.WriteString("x")
		return err
	})
	if err == nil {
		t.Fatal("no error")
	}
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file exists: %v", err)
	}
}

func TestRecover(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	if there, err := files.Recover(name); there || err != nil {
		t.Errorf("nothing to recover: %v, %v", there, err)
	}
	if _, err := files.Prepare(name, files.Secret, func(w io.Writer) error {
		_, err := io.WriteString(w, "whole")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Fatal("in its place before Commit")
	}
	if there, err := files.Recover(name); !there || err != nil {
		t.Errorf("recovered: %v, %v", there, err)
	}
	if got := content(t, name); got != "whole" {
		t.Errorf("recovered %q", got)
	}
}

func TestLock(t *testing.T) {
	name := filepath.Join(t.TempDir(), ".lock")
	unlock, err := files.Lock(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := files.Lock(name); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("locked twice: %v", err)
	}
	unlock()
	if _, err := os.Lstat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lock file is left behind: %v", err)
	}
	// What a killed run left of it is in nobody's way.
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if unlock, err = files.Lock(name); err != nil {
		t.Fatal(err)
	}
	unlock()
}

// Never do two hold the lock, also while the file of it is removed and made again.
func TestLockExcludes(t *testing.T) {
	name := filepath.Join(t.TempDir(), ".lock")
	var inside, held atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 2000 {
				unlock, err := files.Lock(name)
				if err != nil {
					continue
				}
				if inside.Add(1) > 1 {
					t.Error("two hold the lock")
				}
				held.Add(1)
				runtime.Gosched()
				inside.Add(-1)
				unlock()
			}
		})
	}
	all.Wait()
	if held.Load() < 8 {
		t.Errorf("locked %d times only", held.Load())
	}
}

// Writers of one file at a time never mix or fail, and leave nothing else behind.
func TestWritersDoNotMix(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "f")
	var all sync.WaitGroup
	for i := range 8 {
		text := strings.Repeat(string(rune('a'+i)), 100_000)
		all.Go(func() {
			for range 20 {
				if err := files.Write(name, []byte(text), files.Secret); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if text := content(t, name); strings.Trim(text, text[:1]) != "" || len(text) != 100_000 {
		t.Errorf("%d bytes of several writers", len(text))
	}
	if left, _ := os.ReadDir(folder); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// Each of several gets a file of its own.
func TestPrepareNew(t *testing.T) {
	folder := t.TempDir()
	names := func(yield func(string) bool) {
		for i := 0; yield(filepath.Join(folder, fmt.Sprint(i))); i++ {
		}
	}
	const writers = 50
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			pending, err := files.PrepareNew(names, files.Secret, func(w io.Writer) error {
				_, err := fmt.Fprint(w, i)
				return err
			})
			if err == nil {
				err = pending.Commit()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	written := map[string]bool{}
	found, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		written[content(t, filepath.Join(folder, f.Name()))] = true
	}
	if len(found) != writers || len(written) != writers {
		t.Errorf("%d files with %d contents, want %d", len(found), len(written), writers)
	}
}
