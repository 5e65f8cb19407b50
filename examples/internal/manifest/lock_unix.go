//go:build unix

package manifest

import (
	"os"
	"syscall"
)

// lock keeps a second run out until the file is closed or the process ends.
func lock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
