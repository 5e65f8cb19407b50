// Package files writes files that are whole or not there at all, and locks what two
// processes share.
package files

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
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
// the old file stays. Processes that write one file at the same time do not mix:
// the last one's content stays.
func Stream(name string, mode os.FileMode, fill func(io.Writer) error) (err error) {
	f, err := createBeside(name, mode)
	if err != nil {
		return err
	}
	pending := Pending{f.Name(), name}
	if err := pending.fill(f, fill); err != nil {
		return err
	}
	if err := pending.Commit(); err != nil {
		pending.Discard()
		return err
	}
	return SyncFolder(filepath.Dir(name))
}

// createBeside makes a new file beside its place, with a name that no other
// process has.
func createBeside(name string, mode os.FileMode) (*os.File, error) {
	for {
		f, err := create(name+"."+strings.ToLower(rand.Text()[:13])+".part", mode)
		if !errors.Is(err, os.ErrExist) {
			return f, err
		}
	}
}

// A Pending file is written and safe on the disk, but not yet in its place.
type Pending struct {
	temporary, name string
}

// Prepare writes a file beside its place, from where [Pending.Commit] moves it.
// The name beside the place is always the same, so that a program that was
// killed in between finds it again with [Recover]: only the holder of a lock on
// the folder may call it.
func Prepare(name string, mode os.FileMode, fill func(io.Writer) error) (Pending, error) {
	p := Pending{name + ".part", name}
	// Never through a link or into a file that others can already read; what an
	// earlier run left is removed.
	f, err := create(p.temporary, mode)
	if errors.Is(err, os.ErrExist) {
		if err := os.Remove(p.temporary); err != nil {
			return Pending{}, err
		}
		f, err = create(p.temporary, mode)
	}
	if err != nil {
		return Pending{}, err
	}
	return p, p.fill(f, fill)
}

// PrepareNew is Prepare for a file that replaces no other: its name is the first of
// names that no file has, nor one that another process prepares.
func PrepareNew(names iter.Seq[string], mode os.FileMode, fill func(io.Writer) error) (Pending, error) {
	for name := range names {
		p := Pending{name + ".part", name}
		f, err := create(p.temporary, mode)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return Pending{}, err
		}
		// Whoever commits to the name held the temporary one, which is ours now.
		if _, err := os.Lstat(name); !errors.Is(err, os.ErrNotExist) {
			f.Close()
			p.Discard()
			if err != nil {
				return Pending{}, err
			}
			continue
		}
		return p, p.fill(f, fill)
	}
	return Pending{}, errors.New("all names for a new file are taken")
}

// fill writes the content into the temporary file f and flushes it to the disk.
func (p Pending) fill(f *os.File, fill func(io.Writer) error) (err error) {
	defer func() {
		if err != nil {
			f.Close()
			p.Discard()
			err = fmt.Errorf("%s was not written: %w", p.name, err)
		}
	}()
	w := bufio.NewWriter(f)
	if err := fill(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// Name is the file's place.
func (p Pending) Name() string { return p.name }

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
