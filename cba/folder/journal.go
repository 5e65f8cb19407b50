package folder

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
)

// journalName is the journal's file in a folder.
const journalName = "journal.jsonl"

// A Journal is what a run has issued, line by line: the entry of an issued
// certificate is on the disk when [Journal.Add] returns. A program may be killed at
// any moment. What the journal has is issued and is not issued again; it is folded
// into the manifest and the password list by [Journal.Close] at the end of the run,
// or by that of the next.
//
// A journal may be used by one goroutine at a time.
type Journal struct {
	folder string
	ca     CA
	file   *os.File
	has    map[string]bool
}

// line is one of the journal's file.
type line struct {
	CA       string `json:"ca"` // thumbprint of the CA
	User     User   `json:"user"`
	Password string `json:"password"`
}

// Journal opens the folder's journal for the given CA, and takes up what earlier runs
// left, finished or killed. Certificates of another CA are not mixed in: the error
// has reason [OtherCA] then. It has reason [MissingFile] if an entry was recorded
// whose files are gone, and [Malformed] if the journal, the manifest or the password
// list cannot be read.
func (f *Folder) Journal(ca CA) (_ *Journal, err error) {
	if !f.isOpen() {
		return nil, notOpen("the folder")
	}
	if f.journal.isOpen() {
		return nil, &Error{Reason: Busy, Path: f.path, What: "the journal is open already", Hint: "close it first"}
	}
	j := &Journal{folder: f.path, ca: ca, has: map[string]bool{}}
	name := filepath.Join(f.path, journalName)
	// Never through a link: the lock of the folder keeps other runs out.
	j.file, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|noFollow, Secret)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			j.closeFile()
		}
	}()
	info, err := j.file.Stat()
	if err != nil {
		return nil, err
	}
	if err := checkSecret(name, info); err != nil {
		return nil, err
	}
	if err := j.file.Chmod(Secret); err != nil {
		return nil, err
	}
	end, err := j.replay(func(l line) error {
		if l.CA != ca.Thumbprint {
			return otherCA(name)
		}
		j.has[Key(l.User.UPN)] = true
		return j.recover(l.User)
	})
	if err != nil {
		return nil, err
	}
	// A line that a kill cut off was never answered for.
	if err := j.file.Truncate(end); err != nil {
		return nil, err
	}
	if _, err := j.file.Seek(end, io.SeekStart); err != nil {
		return nil, err
	}
	if err := j.takeUp(); err != nil {
		return nil, err
	}
	f.journal = j
	return j, nil
}

func otherCA(name string) error {
	return &Error{Reason: OtherCA, Path: name, What: "it belongs to a different CA", Hint: "use a new folder, or the CA that issued these certificates"}
}

// recover finishes the files of a user whose journal line was written.
func (j *Journal) recover(u User) error {
	for _, name := range []string{u.Certificate, u.PFX} {
		path, err := local(j.folder, name)
		if err != nil {
			return err
		}
		there, err := recoverFile(path)
		if err != nil {
			return err
		}
		if !there {
			return &Error{Reason: MissingFile, Path: path, What: "the certificate of " + u.UPN + " was issued, but this file is gone",
				Hint: "restore it, or remove the user's line from " + j.file.Name() + " to issue a new certificate"}
		}
	}
	return nil
}

// takeUp copies a finished list into the journal, unless it is there already.
func (j *Journal) takeUp() error {
	name := filepath.Join(j.folder, ManifestName)
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	passwords, err := LoadPasswords(filepath.Join(j.folder, PasswordsName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	w := bufio.NewWriter(j.file)
	ca, err := read(f, func(u User) error {
		if j.has[Key(u.UPN)] {
			return nil
		}
		j.has[Key(u.UPN)] = true
		return writeLine(w, line{j.ca.Thumbprint, u, passwords.Of(u.UPN)})
	})
	if err != nil {
		return at(name, err)
	}
	if ca.Thumbprint != j.ca.Thumbprint {
		return otherCA(name)
	}
	if j.ca.Other == nil {
		j.ca.Other = ca.Other
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return j.file.Sync()
}

// Has reports whether a user has a certificate. UPNs are case-insensitive.
func (j *Journal) Has(upn string) bool { return j != nil && j.has[Key(upn)] }

// Len is the number of users with a certificate.
func (j *Journal) Len() int {
	if j == nil {
		return 0
	}
	return len(j.has)
}

func (j *Journal) isOpen() bool { return j != nil && j.file != nil }

// Add records an issued certificate. When it returns without an error the entry is on
// the disk. If it fails, the entry is not recorded.
func (j *Journal) Add(e Entry) error {
	if !j.isOpen() {
		return notOpen("the journal")
	}
	end, err := j.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if err = writeLine(j.file, line{j.ca.Thumbprint, e.User, e.Password}); err == nil {
		err = j.file.Sync()
	}
	if err != nil { // take back what a full disk let through
		j.file.Truncate(end)
		j.file.Seek(end, io.SeekStart)
		return fmt.Errorf("folder: %s: %w", j.file.Name(), err)
	}
	j.has[Key(e.User.UPN)] = true
	return nil
}

func writeLine(w io.Writer, l line) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(l)
}

// replay calls each for every whole line of the journal, and returns where the last
// one ends.
func (j *Journal) replay(each func(line) error) (end int64, err error) {
	return readJournal(io.NewSectionReader(j.file, 0, 1<<62), j.file.Name(), each)
}

func readJournal(source io.Reader, name string, each func(line) error) (end int64, err error) {
	limited := &allowance{r: source, left: 2 * maxEntry}
	r := bufio.NewReaderSize(limited, 1<<16)
	for n := 1; ; n++ {
		text, err := r.ReadBytes('\n')
		if err == io.EOF {
			return end, nil
		}
		if err != nil {
			return end, at(name, err)
		}
		var l line
		if json.Unmarshal(text, &l) != nil { // its error could quote a password
			return end, &Error{Reason: Malformed, Path: name, Line: n, What: "not a line of a journal", Hint: "remove it if you did not write it; the user is issued for again"}
		}
		if err := each(l); err != nil {
			return end, err
		}
		end += int64(len(text))
		limited.left = 2 * maxEntry
	}
}

// Entries are all entries, in the order of issue. The sequence ends after an error.
func (j *Journal) Entries() iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if !j.isOpen() {
			yield(Entry{}, notOpen("the journal"))
			return
		}
		enough := errors.New("the caller has enough")
		_, err := j.replay(func(l line) error {
			if !yield(Entry{l.User, l.Password}, nil) {
				return enough
			}
			return nil
		})
		if err != nil && err != enough {
			yield(Entry{}, err)
		}
	}
}

// Close writes the manifest and the password list whole, and removes the journal. If
// it fails, the journal stays, and the next run takes it up.
func (j *Journal) Close() error {
	if !j.isOpen() {
		return notOpen("the journal")
	}
	defer j.closeFile()
	// Without the journal, nothing would mend a move that a power cut undid.
	folders := map[string]bool{}
	err := WriteEntries(j.folder, j.ca, func(yield func(Entry, error) bool) {
		for e, err := range j.Entries() {
			if err == nil {
				folders[filepath.Dir(filepath.FromSlash(e.User.PFX))] = true
				folders[filepath.Dir(filepath.FromSlash(e.User.Certificate))] = true
			}
			if !yield(e, err) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	for folder := range folders {
		if err := syncFolder(filepath.Join(j.folder, folder)); err != nil {
			return err
		}
	}
	name := j.file.Name()
	j.closeFile() // Windows removes no file that is open
	return os.Remove(name)
}

func (j *Journal) closeFile() {
	if j.file != nil {
		j.file.Close()
		j.file = nil
	}
}
