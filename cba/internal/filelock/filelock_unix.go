//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package filelock

import (
	"errors"
	"os"
	"syscall"
)

// Try opens the file, which is made with mode 0600 if there is none, with an exclusive
// lock that ends when the file is closed. It returns nil and no error if somebody else
// has the lock, in this process or another. It does not follow a link.
func Try(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		if err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != syscall.EINTR {
			break
		}
	}
	if err == nil {
		return file, nil
	}
	file.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, nil
	}
	return nil, &os.PathError{Op: "flock", Path: path, Err: err}
}

// TryRemovable is [Try] for a lock whose file [Remove] takes away.
func TryRemovable(path string) (*os.File, error) {
	for range 1000 {
		file, err := Try(path)
		if file == nil || err != nil {
			return nil, err
		}
		// The holder before may have removed this file between our opening and
		// locking it; the next process would then lock another one.
		mine, err := file.Stat()
		if err == nil {
			var there os.FileInfo
			if there, err = os.Lstat(path); err == nil && os.SameFile(mine, there) {
				return file, nil
			}
		}
		file.Close()
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	return nil, nil // others come first all the time
}

// Remove removes the file while it is still locked, and unlocks it.
func Remove(file *os.File) {
	os.Remove(file.Name())
	file.Close()
}
