package publish

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"example.com/entracba/cba/internal/filelock"
)

// A FileStore is a [Store] in two files, made with mode 0600: the entries in Path,
// and the state with ".state" added to its name. Back them up together. Beside them
// are a file with ".lock" added, which stays, and one with ".new" added while a part
// is being written.
//
// A Save writes the new file, flushes it to the disk, renames it over the old
// one and flushes the folder. The lock is the operating system's, on the lock
// file, and ends with the process that holds it. Network file systems that do
// not keep such locks between machines are not safe.
type FileStore struct {
	Path string // required
}

// Lock waits for the lock until ctx ends.
func (s FileStore) Lock(ctx context.Context) (unlock func() error, err error) {
	if s.Path == "" {
		return nil, failf(StoreFailed, "the FileStore has no path")
	}
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		if err := ctx.Err(); err != nil {
			return nil, &Error{Reason: Locked, Err: err,
				Detail: fmt.Sprintf("another caller, in this process or another, holds the lock of %s, perhaps waiting for its key or for a publication", s.Path)}
		}
		file, err := filelock.Try(s.Path + ".lock")
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			return nil, &Error{Reason: StoreFailed, Detail: "this operating system has no file lock that ends with its process; use another Store", Err: err}
		case err != nil:
			return nil, &Error{Reason: StoreFailed, Detail: "the store cannot be locked", Err: err}
		}
		if file != nil {
			return file.Close, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

func (s FileStore) file(part Part) string {
	if part == Entries {
		return s.Path
	}
	return s.Path + "." + string(part)
}

// Load opens the file of the part.
func (s FileStore) Load(_ context.Context, part Part) (io.ReadCloser, error) {
	return os.Open(s.file(part))
}

// Save replaces the file of the part. If ctx ends before the file is replaced, the
// old one stays.
func (s FileStore) Save(ctx context.Context, part Part, write func(io.Writer) error) (err error) {
	if s.Path == "" || write == nil {
		return failf(StoreFailed, "the FileStore has no Path, or there is nothing to save")
	}
	path := s.file(part)
	temporary := path + ".new"
	// What a crash left behind. Only who has the lock gets here.
	if err := os.Remove(temporary); err != nil && !os.IsNotExist(err) {
		return err
	}
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(temporary)
		}
	}()
	buffer := bufio.NewWriterSize(file, 1<<16)
	if err := write(buffer); err != nil {
		return err
	}
	if err := buffer.Flush(); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}
