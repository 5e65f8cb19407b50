package publish

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// A FileStore is a [Store] in one file, made with mode 0600. Beside it are a
// file with ".lock" added to its name, which stays, and one with ".new" added
// while the ledger is being written.
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
		return nil, fmt.Errorf("crl: FileStore has no path")
	}
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		file, err := tryLock(s.Path + ".lock")
		if err != nil {
			return nil, fmt.Errorf("crl: cannot lock the ledger: %w", err)
		}
		if file != nil {
			return file.Close, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("crl: another process holds the lock of the ledger %q: %w", s.Path, ctx.Err())
		case <-time.After(wait):
		}
	}
}

// Load opens the file.
func (s FileStore) Load(context.Context) (io.ReadCloser, error) {
	return os.Open(s.Path)
}

// Save replaces the file.
func (s FileStore) Save(_ context.Context, write func(io.Writer) error) (err error) {
	temporary := s.Path + ".new"
	// What a crash left behind. Only the holder of the lock gets here.
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
	if err := os.Rename(temporary, s.Path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(s.Path))
}
