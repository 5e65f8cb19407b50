package folder

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
)

const (
	// Secret is the mode of files that hold a key or a password.
	Secret fs.FileMode = 0o600
	// Public is the mode of files that anyone may read.
	Public fs.FileMode = 0o644
	// private is the mode of folders.
	private fs.FileMode = 0o700
)

// Write puts content into the named file. A reader sees the old file or the whole
// new one, also after a power cut; several writers do not mix, and the last one's
// content stays. The file has exactly this mode, whatever the umask. Folders are not
// made.
//
// Killed in the middle, it leaves a file beside the named one whose name ends in
// ".part".
func Write(name string, content []byte, mode fs.FileMode) error {
	return Stream(name, mode, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// Stream is [Write] for content that fill writes piece by piece. If fill fails, the
// old file stays and nothing is left beside it, and the error wraps that of fill.
func Stream(name string, mode fs.FileMode, fill func(io.Writer) error) error {
	p, err := prepareBeside(name, mode, fill)
	if err != nil {
		return err
	}
	if err := p.Commit(); err != nil {
		p.Discard()
		return err
	}
	return nil
}

// A Pending file is written and safe on the disk, but not yet in its place.
type Pending struct {
	temporary, name string
	recovered       bool // a journal finishes the move if it is lost
}

// Name is the file's place.
func (p *Pending) Name() string {
	if p == nil {
		return ""
	}
	return p.name
}

// Commit moves the file to its place. After an error it is where it was.
func (p *Pending) Commit() error {
	if p == nil {
		return notOpen("the file")
	}
	if err := os.Rename(p.temporary, p.name); err != nil || p.recovered {
		return err
	}
	return syncFolder(filepath.Dir(p.name))
}

// Discard removes a file that will not be committed.
func (p *Pending) Discard() error {
	if p == nil {
		return notOpen("the file")
	}
	return os.Remove(p.temporary)
}

// PrepareNew prepares a file that replaces no other: its name is the first of names
// that no file has and that no other process prepares at this moment. The error has
// reason [NameTaken] if there is none.
func PrepareNew(names iter.Seq[string], mode fs.FileMode, fill func(io.Writer) error) (*Pending, error) {
	if names == nil {
		names = func(func(string) bool) {}
	}
	for name := range names {
		p := &Pending{temporary: name + ".part", name: name}
		f, err := create(p.temporary, mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		// Whoever commits to the name held the temporary one, which is ours now.
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			f.Close()
			p.Discard()
			if err != nil {
				return nil, err
			}
			continue
		}
		return p.filled(f, fill)
	}
	return nil, &Error{Reason: NameTaken, What: "all names for the new file are taken", Hint: "remove old files"}
}

// prepareBeside prepares a file under a temporary name that no other process has.
func prepareBeside(name string, mode fs.FileMode, fill func(io.Writer) error) (*Pending, error) {
	for {
		p := &Pending{temporary: name + "." + strings.ToLower(rand.Text()[:13]) + ".part", name: name}
		f, err := create(p.temporary, mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return p.filled(f, fill)
	}
}

// prepareHere prepares a file under a temporary name that is always the same, so that
// a later run can find it: only for the holder of a lock.
func prepareHere(name string, mode fs.FileMode, fill func(io.Writer) error) (*Pending, error) {
	p := &Pending{temporary: name + ".part", name: name, recovered: true}
	f, err := create(p.temporary, mode)
	if err != nil {
		return nil, err
	}
	return p.filled(f, fill)
}

// recoverFile finishes a Commit of [prepareHere] that a kill cut off: if the named
// file is still beside its place, it is moved there.
func recoverFile(name string) error {
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return err // it is there: what lies beside it is nobody's
	}
	p := Pending{temporary: name + ".part", name: name, recovered: true}
	if err := p.Commit(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// filled writes the content into the temporary file f and flushes it to the disk.
func (p *Pending) filled(f *os.File, fill func(io.Writer) error) (_ *Pending, err error) {
	defer func() {
		if err != nil {
			f.Close()
			p.Discard()
			err = fmt.Errorf("folder: %s was not written: %w", p.name, err)
		}
	}()
	w := bufio.NewWriter(f)
	if fill != nil {
		if err := fill(w); err != nil {
			return nil, err
		}
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, err
	}
	return p, f.Close()
}

// create opens a new file with exactly this mode. It never opens a file that is
// there, nor one behind a link.
func create(name string, mode fs.FileMode) (*os.File, error) {
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

// makeFolder makes a folder that only its owner looks into, unless it is there.
func makeFolder(name string) error {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return nil
	}
	if parent := filepath.Dir(name); parent != name {
		if err := makeFolder(parent); err != nil {
			return err
		}
	}
	err := os.Mkdir(name, private)
	if errors.Is(err, fs.ErrExist) { // made by another process just now, or no folder
		if info, err := os.Stat(name); err != nil || info.IsDir() {
			return err
		}
	}
	if err != nil {
		return err
	}
	return os.Chmod(name, private)
}

// syncFolder makes the moves in a folder survive a power cut, where the system has a
// way to.
func syncFolder(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	f.Sync() // not every file system can; the move itself is done
	return nil
}
