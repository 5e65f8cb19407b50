package files_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
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
