//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package filelock

import (
	"errors"
	"os"
)

// Try is an error: this operating system has no lock that ends with its process.
func Try(string) (*os.File, error) { return nil, errors.ErrUnsupported }

// TryRemovable is an error.
func TryRemovable(string) (*os.File, error) { return nil, errors.ErrUnsupported }

// Remove removes the file.
func Remove(file *os.File) {
	os.Remove(file.Name())
	file.Close()
}
