package folder

import (
	"errors"
	"path/filepath"
	"sync"

	"example.com/entracba/cba/internal/filelock"
)

// Lock keeps other processes out of the work that the named file stands for, until
// unlock is called or the process ends, however it ends. It does not wait: if another
// process holds the lock, the error has reason [Busy]. The file is made for the lock
// and removed by unlock; what a killed process left of it does no harm. Its folder
// must exist.
//
// Take the lock before anything is looked at or made that two runs would share.
// Network file systems that do not pass locks between machines are not safe.
func Lock(name string) (unlock func(), err error) {
	file, err := filelock.TryRemovable(name)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil, &Error{Reason: NoLocks, Path: name, Err: err}
	case err != nil:
		return nil, err
	case file == nil:
		return nil, &Error{Reason: Busy, Path: filepath.Dir(name), What: "another run is working in this folder", Hint: "wait until it ends, then run the same command again"}
	}
	return sync.OnceFunc(func() { filelock.Remove(file) }), nil
}
