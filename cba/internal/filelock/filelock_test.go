package filelock_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"example.com/entracba/cba/internal/filelock"
)

func TestTry(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	for name, try := range map[string]func(string) (*os.File, error){"Try": filelock.Try, "TryRemovable": filelock.TryRemovable} {
		first, err := try(path)
		if err != nil || first == nil {
			t.Fatalf("%s: %v, %v", name, first, err)
		}
		if second, err := try(path); err != nil || second != nil {
			t.Errorf("%s: locked twice: %v, %v", name, second, err)
		}
		if info, err := first.Stat(); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
			t.Errorf("%s: %v, %v", name, info, err)
		}
		first.Close()
		third, err := try(path)
		if err != nil || third == nil {
			t.Fatalf("%s: after the first has ended: %v, %v", name, third, err)
		}
		filelock.Remove(third)
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Errorf("%s: the file stays: %v", name, err)
		}
	}
	if _, err := filelock.Try(filepath.Join(path, "no folder")); err == nil {
		t.Error("locked where nothing can be")
	}
}

// A link could lead the lock to a file of somebody else's choice.
func TestLink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("making a link needs a privilege there")
	}
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), link); err != nil {
		t.Fatal(err)
	}
	if file, err := filelock.Try(link); err == nil {
		t.Errorf("locked through a link: %v", file)
	}
	if _, err := os.Lstat(filepath.Join(dir, "elsewhere")); err == nil {
		t.Error("a file was made through a link")
	}
}
