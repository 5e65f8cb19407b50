package folder

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// lockName is the file whose lock keeps a second run out.
const lockName = ".issue.lock"

// A Folder is open for one run that issues, and for nobody else.
type Folder struct {
	path    string
	unlock  func()
	journal *Journal

	mu    sync.Mutex // files are prepared on several goroutines
	aside []string   // what was moved to leftover/
}

// Open opens a folder for issuing. It makes the folder if there is none, with mode
// 0700, and locks it before it looks at anything in it: if another run is at work,
// the error has reason [Busy]. A folder that others may write is refused, for the
// CA's key goes into it: see [ReadSecret]. Close the folder at the end.
func Open(path string) (*Folder, error) {
	if err := makeFolder(path); err != nil {
		return nil, err
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := checkFolder(full, "keys and passwords"); err != nil {
		return nil, err
	}
	unlock, err := Lock(filepath.Join(path, lockName))
	if err != nil {
		return nil, err
	}
	return &Folder{path: path, unlock: unlock}, nil
}

// Close lets the next run in. A journal that is open stays on the disk, for that run to
// take up.
func (f *Folder) Close() {
	if f.isOpen() {
		if f.journal.isOpen() {
			f.journal.closeFile()
		}
		f.unlock()
		f.unlock = nil
	}
}

func (f *Folder) isOpen() bool { return f != nil && f.unlock != nil }

// Path is the folder's path as it was opened.
func (f *Folder) Path() string {
	if f == nil {
		return ""
	}
	return f.path
}

// Prepare writes a file of the folder, such as users/jane@contoso.com.pfx, beside its
// place, from where [Pending.Commit] moves it. Folders below are made. The name
// beside the place is always the same, so that [Folder.Journal] of a later run
// finishes the move for the files of an entry that was recorded. A file that is in the
// place already is replaced by nothing: the error has reason [NameTaken].
//
// So: prepare the files, add the entry to the journal, commit the files.
func (f *Folder) Prepare(name string, mode fs.FileMode, content []byte) (*Pending, error) {
	if !f.isOpen() {
		return nil, notOpen("the folder")
	}
	path, err := local(f.path, name)
	if err != nil {
		return nil, err
	}
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(path); err == nil {
		return nil, &Error{Reason: NameTaken, Path: path, What: "this file is not in " + ManifestName + ", and it is not replaced",
			Hint: "restore the manifest that lists it, or move the file away"}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := f.setAside(path + ".part"); err != nil { // of a run that was killed
		return nil, err
	}
	return prepareHere(path, mode, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}
