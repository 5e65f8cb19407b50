package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"reflect"

	"example.com/entracba/cba/folder"
)

// A Store keeps files under names like "jane@contoso.com.1f2e.pfx": a folder, a share,
// a bucket. Methods may be called at the same time, from many machines, and again after
// a failure. Two stores of one type with the same method String() string are the same store if
// they return the same.
type Store interface {
	// Write stores a file: whole or not at all, and to stay when it returns nil. It
	// replaces a file of the same name.
	Write(ctx context.Context, name string, content []byte) error
	// Read returns a file. The error is, or wraps, fs.ErrNotExist if there is none.
	Read(ctx context.Context, name string) ([]byte, error)
	// Remove removes a file. It is no error if there is none.
	Remove(ctx context.Context, name string) error
}

// Folder returns a store in a folder, which it makes with mode 0700. Files have mode
// 0600. Machines that share it need a network file system that keeps what it flushed.
// One name must be written by one caller at a time: the jobs' names contain serial numbers.
func Folder(path string) Store { return directory(path) }

type directory string

// partial ends the name of a file that is being written. A program that was killed
// leaves it behind; Remove finds it.
const partial = ".part"

func (d directory) Write(ctx context.Context, name string, content []byte) error {
	if err := errors.Join(ctx.Err(), d.check(name)); err != nil {
		return err
	}
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return err
	}
	part := d.path(name + partial)
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close()) // whatever the umask
	if err == nil {
		err = os.Rename(part, d.path(name))
	}
	if err != nil {
		os.Remove(part)
		return err
	}
	if folder, err := os.Open(string(d)); err == nil {
		folder.Sync() // not every file system can; the rename itself is done
		folder.Close()
	}
	return nil
}

func (d directory) Read(_ context.Context, name string) ([]byte, error) {
	if err := d.check(name); err != nil {
		return nil, err
	}
	return folder.Read(d.path(name), folder.MaxFile)
}

func (d directory) Remove(_ context.Context, name string) error {
	if err := d.check(name); err != nil {
		return err
	}
	var failed error
	for _, name := range []string{name + partial, name} {
		if err := os.Remove(d.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

func oneStore() error {
	return &Error{Reason: Invalid, What: "PFX files and passwords in one store: use two"}
}

// isOneStore reports whether two stores are known to be the same, or the same folder
// under two names.
func isOneStore(a, b Store) bool {
	if x, ok := a.(directory); ok {
		if y, ok := b.(directory); ok {
			if one, failed := os.Stat(string(x)); failed == nil {
				other, failed := os.Stat(string(y))
				return failed == nil && os.SameFile(one, other)
			}
			p, failedP := filepath.Abs(string(x))
			q, failedQ := filepath.Abs(string(y))
			return failedP == nil && failedQ == nil && p == q
		}
	}
	// A store can say where it is.
	if x, ok := a.(fmt.Stringer); ok && reflect.TypeOf(a) == reflect.TypeOf(b) && x.String() == b.(fmt.Stringer).String() {
		return true
	}
	// Stores of a type that cannot be compared would end the program.
	return a != nil && b != nil && reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

func (d directory) path(name string) string { return filepath.Join(string(d), name) }

func (d directory) check(name string) error {
	if !filepath.IsLocal(name) || filepath.Base(name) != name || name == "." {
		return &Error{Reason: Invalid, What: "name of a file in " + string(d)}
	}
	return nil
}

// A Lister is a Store that can say which files it has; [Folder] and the store of package s3 can.
type Lister interface {
	// List returns the names of all files, in any order.
	List(ctx context.Context) iter.Seq2[string, error]
}

func (d directory) List(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		f, err := os.Open(string(d))
		if errors.Is(err, fs.ErrNotExist) {
			return // nothing was written yet
		}
		if err != nil {
			yield("", err)
			return
		}
		defer f.Close()
		for {
			names, err := f.Readdirnames(1000)
			for _, name := range names {
				if !yield(name, nil) {
					return
				}
			}
			if err == io.EOF {
				return
			}
			if err = errors.Join(err, ctx.Err()); err != nil {
				yield("", err)
				return
			}
		}
	}
}
