package folder_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"example.com/entracba/cba/folder"
)

func content(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// hasMode reports whether a file has a mode, where files have any.
func hasMode(info os.FileInfo, mode os.FileMode) bool {
	return runtime.GOOS == "windows" || info.Mode().Perm() == mode
}

func TestWriteReplacesWhole(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	for _, text := range []string{"first and long", "second"} {
		if err := folder.Write(name, []byte(text), folder.Secret); err != nil {
			t.Fatal(err)
		}
		if got := content(t, name); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
	info, err := os.Stat(name)
	if err != nil || !hasMode(info, folder.Secret) {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(name + ".*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFailureKeepsTheOldFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	if err := folder.Write(name, []byte("old"), folder.Public); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left on device")
	err := folder.Stream(name, folder.Public, func(w io.Writer) error {
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
	err := folder.Stream(name, folder.Public, func(io.Writer) error {
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

// Writers of one file at a time never mix or fail, and leave nothing else behind.
func TestWritersDoNotMix(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "f")
	var all sync.WaitGroup
	for i := range 8 {
		text := strings.Repeat(string(rune('a'+i)), 100_000)
		all.Go(func() {
			for range 20 {
				if err := folder.Write(name, []byte(text), folder.Secret); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if text := content(t, name); strings.Trim(text, text[:1]) != "" || len(text) != 100_000 {
		t.Errorf("%d bytes of several writers", len(text))
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// Each of several gets a file of its own.
func TestPrepareNew(t *testing.T) {
	dir := t.TempDir()
	names := func(yield func(string) bool) {
		for i := 0; yield(filepath.Join(dir, fmt.Sprint(i))); i++ {
		}
	}
	const writers = 50
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			pending, err := folder.PrepareNew(names, folder.Secret, func(w io.Writer) error {
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
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		written[content(t, filepath.Join(dir, f.Name()))] = true
	}
	if len(found) != writers || len(written) != writers {
		t.Errorf("%d files with %d contents, want %d", len(found), len(written), writers)
	}
}

// A file that cannot be moved to its place is not left beside it.
func TestNoPlace(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "f")
	if err := os.MkdirAll(filepath.Join(name, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := folder.Write(name, []byte("x"), folder.Secret); err == nil {
		t.Fatal("written over a folder")
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// What a killed run left beside a file is in nobody's way.
func TestLeftovers(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name+".part", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := folder.Write(name, []byte("whole"), folder.Secret); err != nil || content(t, name) != "whole" {
		t.Errorf("%q, %v", content(t, name), err)
	}
}
