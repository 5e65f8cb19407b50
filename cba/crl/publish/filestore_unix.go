//go:build unix

package publish

import (
	"errors"
	"os"
	"syscall"
)

// syncFolder makes a rename in the folder last, where the file system has a way to: some
// on a network or in user space have none, and the rename itself is done.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := folder.Sync(); !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
