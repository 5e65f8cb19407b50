//go:build unix

package rollout

import (
	"os"
	"syscall"
)

// lock takes a file for this process, and reports whether nobody else has it. The
// lock ends with the process, however that ends.
func lock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
