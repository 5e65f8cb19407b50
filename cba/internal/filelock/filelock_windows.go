package filelock

import (
	"errors"
	"os"
	"syscall"
)

// Try opens the file, which is made if there is none, so that nobody else can open it
// until it is closed. It returns nil and no error if somebody else has it open, in this
// process or another.
func Try(path string) (*os.File, error) {
	const sharingViolation = syscall.Errno(32)
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	const share = 0 // with nobody
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, share, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, sharingViolation) {
		return nil, nil
	}
	if err != nil {
		return nil, &os.PathError{Op: "CreateFile", Path: path, Err: err}
	}
	return os.NewFile(uintptr(handle), path), nil
}

// TryRemovable is [Try] for a lock whose file [Remove] takes away.
func TryRemovable(path string) (*os.File, error) {
	file, err := Try(path)
	if errors.Is(err, syscall.ERROR_ACCESS_DENIED) { // it is being removed at this moment
		return nil, nil
	}
	return file, err
}

// Remove unlocks the file and removes it, unless somebody else has it open by then.
func Remove(file *os.File) {
	file.Close()
	os.Remove(file.Name())
}
