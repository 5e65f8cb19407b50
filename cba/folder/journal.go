package folder

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	killed bool            // the file is of an earlier run
	lines  int             // how many the file has
	last   map[string]int  // by key: the line with the user's entry
	again  map[string]bool // whose entry does not count: they get a new certificate
}

// line is one of the journal's file.
type line struct {
	CA       string `json:"ca"` // thumbprint of the CA
	User     User   `json:"user"`
	Password string `json:"password"`
}

// Journal opens the folder's journal for the given CA, and takes up what earlier runs
// left, finished or killed. Certificates of another CA are not mixed in: the error
// has reason [OtherCA] then. It has reason [Malformed] if the journal, the manifest or
// the password list cannot be read.
//
// It looks for everything that is listed, see [User.Check]. Where the file or the password
// of a user is missing or damaged, the errors of up to ten users are joined, with reasons
// [MissingFile] and [Damaged], and nothing is changed; so it is where the manifest is
// missing, or a user of the password list in it. Users of again with missing or damaged
// files can be issued for again: [Journal.Has] is false, and what is left of their files
// has been moved away, see [Folder.SetAside].
func (f *Folder) Journal(ca CA, again ...string) (_ *Journal, err error) {
	if !f.isOpen() {
		return nil, notOpen("the folder")
	}
	if f.journal.isOpen() {
		return nil, &Error{Reason: Busy, Path: f.path, What: "the journal is open already", Hint: "close it first"}
	}
	j := &Journal{folder: f.path, ca: ca, last: map[string]int{}, again: map[string]bool{}}
	name := filepath.Join(f.path, journalName)
	// Never through a link: the lock of the folder keeps other runs out.
	j.file, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL|noFollow, Secret)
	if j.killed = errors.Is(err, fs.ErrExist); j.killed {
		j.file, err = os.OpenFile(name, os.O_RDWR|noFollow, Secret)
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			j.closeFile()
			if !j.killed { // it is this run's, and holds nothing
				os.Remove(name)
			}
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
		j.last[Key(l.User.UPN)] = j.lines
		j.lines++
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
	if err := j.takeUp(f, again); err != nil {
		j.file.Truncate(end) // what was taken up may lack what is restored later
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
		if name == "" {
			continue // of another program
		}
		path, err := local(j.folder, name)
		if err != nil {
			return err
		}
		if err := recoverFile(path); err != nil {
			return err
		}
	}
	return nil
}

// takeUp looks for all that is listed, and copies a finished list into the journal,
// unless it is there already.
func (j *Journal) takeUp(f *Folder, again []string) error {
	root, err := os.OpenRoot(j.folder)
	if err != nil {
		return err
	}
	defer root.Close()
	c := &checker{folder: j.folder, root: root, again: map[string]bool{}}
	for _, upn := range again {
		c.again[Key(upn)] = true
	}
	for e, err := range j.Entries() {
		if err == nil {
			err = c.look(e)
		}
		if err != nil {
			return err
		}
	}
	if err := j.takeUpManifest(c); err != nil {
		return err
	}
	if err := c.err(); err != nil {
		return err
	}
	for _, u := range c.aside {
		// The certificate first: without it, whatever a killed run left is damaged still.
		for _, name := range []string{u.Certificate, u.PFX} {
			if name == "" {
				continue
			}
			path, err := local(j.folder, name)
			if err == nil {
				err = f.setAside(path)
			}
			if err != nil {
				return err
			}
		}
		j.again[Key(u.UPN)] = true
	}
	return nil
}

// takeUpManifest copies the manifest and the passwords into the journal, after a look at
// all of it.
func (j *Journal) takeUpManifest(c *checker) error {
	name := filepath.Join(j.folder, ManifestName)
	passwords, err := LoadPasswords(filepath.Join(j.folder, PasswordsName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		used, err := j.used(passwords)
		if used == "" || j.killed || err != nil { // a run that was killed has no manifest yet
			return err
		}
		return &Error{Reason: MissingFile, Path: name, What: "it is gone, and the folder has " + used,
			Hint: "restore it from a backup, or use another folder, with the CA of this one"}
	}
	if err != nil {
		return err
	}
	defer f.Close()
	listed := map[string]bool{}
	ca, err := read(f, func(u User) error {
		listed[Key(u.UPN)] = true
		if _, has := j.last[Key(u.UPN)]; has {
			return nil
		}
		return c.look(Entry{u, passwords.Of(u.UPN)})
	})
	if err != nil {
		return at(name, err)
	}
	if ca.Thumbprint != j.ca.Thumbprint {
		return otherCA(name)
	}
	for _, upn := range slices.Sorted(maps.Keys(passwords.byKey)) {
		if _, has := j.last[upn]; !has && !listed[upn] {
			return &Error{Reason: MissingFile, Path: name, What: "it does not list " + upn + ", who has a password in " + PasswordsName,
				Hint: "restore the manifest from a backup, or remove the user's line from " + PasswordsName}
		}
	}
	if c.err() != nil {
		return nil // the caller says so
	}
	if j.ca.Other == nil {
		j.ca.Other = ca.Other
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	w := bufio.NewWriter(j.file)
	if _, err := read(f, func(u User) error {
		if _, has := j.last[Key(u.UPN)]; has {
			return nil
		}
		j.last[Key(u.UPN)] = j.lines
		j.lines++
		return writeLine(w, line{j.ca.Thumbprint, u, passwords.Of(u.UPN)})
	}); err != nil {
		return at(name, err)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return j.file.Sync()
}

// maxDamaged is how many damaged users an error names.
const maxDamaged = 10

// A checker looks for the files and passwords of users.
type checker struct {
	folder string
	root   *os.Root
	again  map[string]bool // by key: users whose damage is mended
	aside  []User          // those who have some
	found  []error
	more   int // damaged users who are not in found
}

// look looks for one user's. Damage is no error.
func (c *checker) look(e Entry) error {
	u := e.User
	err := u.check(c.folder, c.root)
	if err == nil && u.PFX != "" && e.Password == "" {
		err = u.damage(MissingFile, filepath.Join(c.folder, PasswordsName), "it has no password for "+u.UPN+", without which nobody can open the PFX file")
	}
	var damage *Error
	switch {
	case err == nil:
	case !errors.As(err, &damage) || damage.Reason != MissingFile && damage.Reason != Damaged:
		return err
	case c.again[Key(u.UPN)]:
		c.aside = append(c.aside, u)
	case len(c.found) < maxDamaged:
		c.found = append(c.found, err)
	default:
		c.more++
	}
	return nil
}

func (c *checker) err() error {
	found := c.found
	if c.more > 0 {
		found = append(found, &Error{Reason: MissingFile, Path: c.folder, What: fmt.Sprintf("%d more users have missing or damaged files", c.more)})
	}
	return errors.Join(found...)
}

// used names something that an earlier run wrote and that no manifest lists, "" if there
// is nothing.
func (j *Journal) used(passwords Passwords) (string, error) {
	if passwords.Len() > 0 {
		return "passwords", nil
	}
	files, err := os.ReadDir(filepath.Join(j.folder, "users"))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	for _, file := range files {
		if strings.HasSuffix(file.Name(), ".pfx") {
			return "users/" + file.Name(), nil
		}
	}
	return "", err
}

// Has reports whether a user has a certificate. UPNs are case-insensitive.
func (j *Journal) Has(upn string) bool {
	if j == nil {
		return false
	}
	_, has := j.last[Key(upn)]
	return has && !j.again[Key(upn)]
}

// Len is the number of users with a certificate.
func (j *Journal) Len() int {
	if j == nil {
		return 0
	}
	return len(j.last) - len(j.again)
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
	j.last[Key(e.User.UPN)] = j.lines
	j.lines++
	delete(j.again, Key(e.User.UPN))
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

// Entries are all entries, in the order of issue; of a user with several, the last. The
// sequence ends after an error.
func (j *Journal) Entries() iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if !j.isOpen() {
			yield(Entry{}, notOpen("the journal"))
			return
		}
		enough := errors.New("the caller has enough")
		n := 0
		_, err := j.replay(func(l line) error {
			if n++; j.last[Key(l.User.UPN)] != n-1 {
				return nil
			}
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
