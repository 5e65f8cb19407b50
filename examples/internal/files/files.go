// Package files writes files that are whole or not there at all.
package files

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const (
	// Secret is the mode of files that hold a key or a password.
	Secret os.FileMode = 0o600
	// Public is the mode of files that anyone may read.
	Public os.FileMode = 0o644
)

// Write puts content into the named file. A reader sees the old file or the
// whole new one, also after a power cut. Folders are not made.
func Write(name string, content []byte, mode os.FileMode) error {
	return Stream(name, mode, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// Stream is Write for content that fill writes piece by piece. If fill fails,
// the old file stays.
func Stream(name string, mode os.FileMode, fill func(io.Writer) error) (err error) {
	pending, err := Prepare(name, mode, fill)
	if err != nil {
		return err
	}
	if err := pending.Commit(); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(name))
}

// A Pending file is written and safe on the disk, but not yet in its place.
type Pending struct {
	temporary, name string
}

// Prepare writes a file beside its place, from where [Pending.Commit] moves it.
// The name beside the place is always the same, so that a program that was
// killed in between finds it again with [Recover].
func Prepare(name string, mode os.FileMode, fill func(io.Writer) error) (_ Pending, err error) {
	p := Pending{name + ".part", name}
	// Never through a link or into a file that others can already read; what an
	// earlier run left is removed.
	const create = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	f, err := os.OpenFile(p.temporary, create, mode)
	if errors.Is(err, os.ErrExist) {
		if err := os.Remove(p.temporary); err != nil {
			return Pending{}, err
		}
		f, err = os.OpenFile(p.temporary, create, mode)
	}
	if err != nil {
		return Pending{}, err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(p.temporary)
			err = fmt.Errorf("%s was not written: %w", name, err)
		}
	}()
	w := bufio.NewWriter(f)
	if err := fill(w); err != nil {
		return Pending{}, err
	}
	if err := w.Flush(); err != nil {
		return Pending{}, err
	}
	if err := f.Sync(); err != nil {
		return Pending{}, err
	}
	return p, f.Close()
}

// Commit moves the file to its place. That the move survives a power cut is for
// [SyncFolder]; until then [Recover] finishes it.
func (p Pending) Commit() error { return os.Rename(p.temporary, p.name) }

// Discard removes a file that will not be committed.
func (p Pending) Discard() { os.Remove(p.temporary) }

// Recover finishes a Commit that a kill cut off: if the named file is still
// beside its place, it is moved there. It reports whether the file exists then.
func Recover(name string) (bool, error) {
	if err := (Pending{name + ".part", name}).Commit(); err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	_, err := os.Stat(name)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// SyncFolder makes the renames in a folder survive a power cut, where the system
// has a way to.
func SyncFolder(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	f.Sync() // not every file system can; the rename itself is done
	return nil
}
