package files

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// errBusy says that another process holds a lock.
var errBusy = errors.New("another run is at work in this folder; wait until it ends, then run the same command again")

// Lock keeps other processes out of the work that the named file stands for, until
// unlock is called or the process ends, however it ends. It does not wait: if
// another process holds the lock, that is an error. The file is made for the lock
// and removed by unlock; what a killed process left of it does no harm.
//
// Take the lock before anything is looked at or made that two runs would share.
func Lock(name string) (unlock func(), err error) {
	f, err := tryLock(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Dir(name), err)
	}
	return func() { release(f) }, nil
}

// create opens a new file with exactly this mode, whatever the process's umask. It
// never opens a file that is there, nor one behind a link.
func create(name string, mode os.FileMode) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(mode); err != nil {
		f.Close()
		os.Remove(name)
		return nil, err
	}
	return f, nil
}
