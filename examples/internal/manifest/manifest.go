// Package manifest keeps the list of what was issued: manifest.json for
// everyone who works with it later, passwords.csv beside it, and, while work is
// going on, a journal from which both are made.
//
// A program may be killed at any moment. What the journal has is issued and is
// not issued again; the journal is folded into the two files at the end of the
// run, or at the start of the next.
package manifest

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/examples/internal/files"
)

// Names of the files in the folder.
const (
	Name          = "manifest.json"
	PasswordsName = "passwords.csv"
	journalName   = "journal.jsonl"
)

// A CA is the authority that issued the certificates.
type CA struct {
	Subject              string    `json:"subject"`      // RFC 4514, CN first
	SerialNumber         string    `json:"serialNumber"` // hexadecimal
	NotAfter             time.Time `json:"notAfter"`
	Thumbprint           string    `json:"thumbprint"`           // SHA-1 of the certificate, hexadecimal
	SubjectKeyIdentifier string    `json:"subjectKeyIdentifier"` // hexadecimal
	Certificate          string    `json:"certificate"`          // file, relative to the manifest
}

// A User is one issued certificate.
type User struct {
	UPN                string    `json:"upn"`
	SerialNumber       string    `json:"serialNumber"` // hexadecimal
	NotAfter           time.Time `json:"notAfter"`
	Thumbprint         string    `json:"thumbprint"`  // SHA-1 of the certificate, hexadecimal
	Certificate        string    `json:"certificate"` // file, relative to the manifest
	PFX                string    `json:"pfx"`         // file, relative to the manifest
	PFXEncoding        string    `json:"pfxEncoding"`
	CertificateUserIDs IDs       `json:"certificateUserIds"`
}

// IDs are the certificateUserIds of a certificate. In the file a mapping has the
// name that the Entra admin center shows; the name of Graph is read too.
type IDs map[certuserid.Mapping]certuserid.ID

// MarshalJSON writes the IDs, nil as null.
func (ids IDs) MarshalJSON() ([]byte, error) {
	var named map[string]certuserid.ID
	if ids != nil {
		named = make(map[string]certuserid.ID, len(ids))
	}
	for m, id := range ids {
		named[m.Name()] = id
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // the encoder that asked escapes if it is to
	err := e.Encode(named)
	return b.Bytes(), err
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (ids *IDs) UnmarshalJSON(data []byte) error {
	var named map[string]certuserid.ID
	if err := json.Unmarshal(data, &named); err != nil {
		return err
	}
	*ids = nil
	if named != nil {
		*ids = make(IDs, len(named))
	}
	for name, id := range named {
		m, err := certuserid.ParseMapping(name)
		if err != nil {
			return err
		}
		(*ids)[m] = id
	}
	return nil
}

// A Manifest is the whole list in memory, for programs that read it.
type Manifest struct {
	CA    CA     `json:"ca"`
	Users []User `json:"users"`
}

// Load reads a manifest.json.
func Load(name string) (*Manifest, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var m Manifest
	m.CA, err = read(f, func(u User) error {
		m.Users = append(m.Users, u)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &m, nil
}

// Stream reads the users of a manifest.json one by one: memory does not grow with
// the list. The stream ends after an error.
func Stream(name string) iter.Seq2[User, error] {
	return func(yield func(User, error) bool) {
		f, err := os.Open(name)
		if err != nil {
			yield(User{}, err)
			return
		}
		defer f.Close()
		_, err = read(f, func(u User) error {
			if !yield(u, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && err != errEnough {
			yield(User{}, fmt.Errorf("%s: %w", name, err))
		}
	}
}

var errEnough = errors.New("the caller has enough")

// read decodes a manifest user by user.
func read(r io.Reader, each func(User) error) (CA, error) {
	var ca CA
	d := json.NewDecoder(bufio.NewReaderSize(r, 1<<16))
	open, err := d.Token()
	if err != nil || open != json.Delim('{') {
		return ca, errors.Join(errors.New("not a manifest: want a JSON object"), err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return ca, err
		}
		switch key {
		case "ca":
			if err := d.Decode(&ca); err != nil {
				return ca, fmt.Errorf("ca: %w", err)
			}
		case "users":
			if open, err := d.Token(); err != nil || open != json.Delim('[') {
				return ca, errors.Join(errors.New("users: want a list"), err)
			}
			for n := 0; d.More(); n++ {
				var u User
				if err := d.Decode(&u); err != nil {
					return ca, fmt.Errorf("users[%d]: %w", n, err)
				}
				if err := each(u); err != nil {
					return ca, err
				}
			}
			if _, err := d.Token(); err != nil {
				return ca, err
			}
		default:
			return ca, fmt.Errorf("not a manifest: unknown property %q", key)
		}
	}
	_, err = d.Token()
	return ca, err
}

// LoadPasswords reads a passwords.csv: by UPN, letter case folded.
func LoadPasswords(name string) (map[string]string, error) {
	passwords := map[string]string{}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(bufio.NewReader(f))
	r.FieldsPerRecord = 2
	for n := 0; ; n++ {
		row, err := r.Read()
		if err == io.EOF {
			return passwords, nil
		}
		if err != nil {
			// The reader's own message never quotes the line: it may hold a password.
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if n > 0 {
			passwords[Key(row[0])] = row[1]
		}
	}
}

// Key is what tells users apart: UPNs without regard to letter case, as in the
// directory and in most file systems.
func Key(upn string) string { return strings.ToLower(upn) }

// LockName is the file in the folder whose lock keeps a second run out.
const LockName = ".issue.lock"

// A Book is the folder's list, open for writing.
type Book struct {
	folder  string
	ca      CA
	journal *os.File
	has     map[string]bool
}

// An entry is a line of the journal.
type entry struct {
	CA       string `json:"ca"` // thumbprint of the authority
	User     User   `json:"user"`
	Password string `json:"password"`
}

// Open opens the list in this folder for the given authority, and takes up what
// an earlier run left, finished or killed. Certificates of another authority
// are not mixed in: that is an error. The caller holds the lock of [LockName].
func Open(folder string, ca CA) (_ *Book, err error) {
	b := &Book{folder: folder, ca: ca, has: map[string]bool{}}
	journal := filepath.Join(folder, journalName)
	b.journal, err = os.OpenFile(journal, os.O_RDWR|os.O_CREATE, files.Secret)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.journal.Close()
		}
	}()
	end, err := b.replay(func(e entry) error {
		if e.CA != ca.Thumbprint {
			return errOtherCA
		}
		b.has[Key(e.User.UPN)] = true
		return b.recover(e.User)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", journal, err)
	}
	// A line that a kill cut off was never answered for.
	if err := b.journal.Truncate(end); err != nil {
		return nil, err
	}
	if _, err := b.journal.Seek(end, io.SeekStart); err != nil {
		return nil, err
	}
	return b, b.takeUp()
}

var errOtherCA = errors.New("it lists certificates of another authority: use another folder, or that authority")

// recover finishes the files of a user whose journal line was written.
func (b *Book) recover(u User) error {
	for _, name := range []string{u.Certificate, u.PFX} {
		there, err := files.Recover(filepath.Join(b.folder, name))
		if err != nil {
			return err
		}
		if !there {
			return fmt.Errorf("%s was issued, but its file %s is gone: put it back, or remove the line from the journal to issue anew", u.UPN, name)
		}
	}
	return nil
}

// takeUp copies a finished list into the journal, unless it is there already.
func (b *Book) takeUp() error {
	f, err := os.Open(filepath.Join(b.folder, Name))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	passwords, err := LoadPasswords(filepath.Join(b.folder, PasswordsName))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	w := bufio.NewWriter(b.journal)
	ca, err := read(f, func(u User) error {
		if b.has[Key(u.UPN)] {
			return nil
		}
		b.has[Key(u.UPN)] = true
		return writeEntry(w, entry{b.ca.Thumbprint, u, passwords[Key(u.UPN)]})
	})
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	if ca.Thumbprint != b.ca.Thumbprint {
		return fmt.Errorf("%s: %w", f.Name(), errOtherCA)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return b.journal.Sync()
}

// Has reports whether the list has this user.
func (b *Book) Has(upn string) bool { return b.has[Key(upn)] }

// Len is the number of users on the list.
func (b *Book) Len() int { return len(b.has) }

// Add puts a user on the list. When it returns without an error the line is on
// the disk. If it fails, the user is not on the list.
func (b *Book) Add(u User, password string) error {
	end, err := b.journal.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if err = writeEntry(b.journal, entry{b.ca.Thumbprint, u, password}); err == nil {
		err = b.journal.Sync()
	}
	if err != nil { // take back what a full disk let through
		b.journal.Truncate(end)
		b.journal.Seek(end, io.SeekStart)
		return fmt.Errorf("%s: %w", b.journal.Name(), err)
	}
	b.has[Key(u.UPN)] = true
	return nil
}

func writeEntry(w io.Writer, e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// replay calls each for every whole line of the journal, and returns where the
// last one ends.
func (b *Book) replay(each func(entry) error) (end int64, err error) {
	r := bufio.NewReaderSize(io.NewSectionReader(b.journal, 0, 1<<62), 1<<16)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			return end, nil
		}
		if err != nil {
			return end, err
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return end, fmt.Errorf("line %d is not of this program", n) // no quote: it holds a password
		}
		if err := each(e); err != nil {
			return end, err
		}
		end += int64(len(line))
	}
}

// Users calls each for every user on the list, in the order of issue.
func (b *Book) Users(each func(User) error) error {
	_, err := b.replay(func(e entry) error { return each(e.User) })
	return err
}

// Close writes manifest.json and passwords.csv whole, and removes the journal.
func (b *Book) Close() error {
	defer b.journal.Close()
	err := files.Stream(filepath.Join(b.folder, PasswordsName), files.Secret, func(w io.Writer) error {
		c := csv.NewWriter(w)
		c.Write([]string{"upn", "password"})
		if _, err := b.replay(func(e entry) error { return c.Write([]string{e.User.UPN, e.Password}) }); err != nil {
			return err
		}
		c.Flush()
		return c.Error()
	})
	if err != nil {
		return err
	}
	if err := files.Stream(filepath.Join(b.folder, Name), files.Public, b.WriteJSON); err != nil {
		return err
	}
	// Without the journal, nothing would mend a move that a power cut undid.
	if err := b.syncFolders(); err != nil {
		return err
	}
	return os.Remove(b.journal.Name())
}

// syncFolders makes what was moved into place stay there.
func (b *Book) syncFolders() error {
	folders := map[string]bool{}
	if err := b.Users(func(u User) error {
		folders[filepath.Dir(u.PFX)], folders[filepath.Dir(u.Certificate)] = true, true
		return nil
	}); err != nil {
		return err
	}
	for folder := range folders {
		if err := files.SyncFolder(filepath.Join(b.folder, folder)); err != nil {
			return err
		}
	}
	return nil
}

// WriteJSON writes the list as manifest.json holds it.
func (b *Book) WriteJSON(w io.Writer) error {
	ca, err := json.MarshalIndent(b.ca, "  ", "  ")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "{\n  \"ca\": %s,\n  \"users\": [", ca); err != nil {
		return err
	}
	separator := "\n    "
	if err := b.Users(func(u User) error {
		var text strings.Builder
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false) // X509:<PN> stays readable
		e.SetIndent("    ", "  ")
		if err := e.Encode(u); err != nil {
			return err
		}
		_, err := io.WriteString(w, separator+strings.TrimRight(text.String(), "\n"))
		separator = ",\n    "
		return err
	}); err != nil {
		return err
	}
	closing := "\n  ]\n}\n"
	if len(b.has) == 0 {
		closing = "]\n}\n"
	}
	_, err = io.WriteString(w, closing)
	return err
}
