package publish

import (
	"errors"
	"io/fs"
	"os"
	"testing"
)

// The folders of /proc cannot be flushed, as on some file systems in user space.
func TestSyncFolder(t *testing.T) {
	folder, err := os.Open("/proc")
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if folder.Sync() == nil {
		t.Fatal("/proc can be flushed, so this test shows nothing")
	}
	if err := syncFolder("/proc"); err != nil {
		t.Error(err)
	}
	if err := syncFolder(t.TempDir()); err != nil {
		t.Error(err)
	}
	if err := syncFolder("/proc/nothing"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
