package folder

import (
	"errors"
	"os"
	"syscall"
)

// tryLock opens the file so that no other process can until it is closed, and so
// that it is removed then.
func tryLock(name string) (*os.File, error) {
	const (
		sharingViolation = syscall.Errno(32)
		deletePending    = syscall.ERROR_ACCESS_DENIED // just being removed
		deleteAccess     = 0x10000
		deleteOnClose    = 0x04000000
		shareWithNobody  = 0
	)
	path, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	handle, err := syscall.CreateFile(path, syscall.GENERIC_READ|syscall.GENERIC_WRITE|deleteAccess, shareWithNobody, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL|deleteOnClose, 0)
	if errors.Is(err, sharingViolation) || errors.Is(err, deletePending) {
		return nil, busy(name)
	}
	if err != nil {
		return nil, &os.PathError{Op: "CreateFile", Path: name, Err: err}
	}
	return os.NewFile(uintptr(handle), name), nil
}

func release(f *os.File) { f.Close() }
