//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package folder

import (
	"errors"
	"os"
	"syscall"
)

// tryLock opens the file with an exclusive lock that ends when it is closed.
func tryLock(name string) (*os.File, error) {
	for range 1000 {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, Secret)
		if err != nil {
			return nil, err
		}
		for {
			if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != syscall.EINTR {
				break
			}
		}
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = busy(name)
		} else if err != nil {
			err = &os.PathError{Op: "flock", Path: name, Err: err}
		}
		if err != nil {
			f.Close()
			return nil, err
		}
		// The holder before may have removed this file between our opening and
		// locking it; the next process would then lock another one.
		mine, err := f.Stat()
		if err == nil {
			var there os.FileInfo
			if there, err = os.Lstat(name); err == nil && os.SameFile(mine, there) {
				return f, nil
			}
		}
		f.Close()
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	return nil, busy(name)
}

// release removes the file while it is still locked, and unlocks it.
func release(f *os.File) {
	os.Remove(f.Name())
	f.Close()
}
