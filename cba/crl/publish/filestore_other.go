//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package publish

import (
	"errors"
	"os"
)

func tryLock(string) (*os.File, error) {
	return nil, errors.New("this operating system has no file lock that ends with its process; use another Store")
}

func syncFolder(string) error { return nil }
