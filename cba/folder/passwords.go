package folder

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"

	"example.com/entracba/cba/internal/dialect"
)

// PasswordsName is the password list's file in a folder.
const PasswordsName = "passwords.csv"

// Passwords are the passwords of a folder's PFX files. They do not print themselves.
type Passwords struct {
	byKey map[string]string
}

// Of returns the password of a user's PFX file, "" if there is none. UPNs are
// case-insensitive.
func (p Passwords) Of(upn string) string { return p.byKey[Key(upn)] }

// Len is the number of passwords.
func (p Passwords) Len() int { return len(p.byKey) }

// Format writes how many there are, whatever the verb.
func (p Passwords) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "%d passwords", len(p.byKey)) }

// LoadPasswords reads a password list: CSV with a header row and the columns upn and
// password. The error has reason [Malformed], also if a user appears twice, or
// [WritableByOthers], see [ReadSecret]; or it is one of the file system.
func LoadPasswords(name string) (Passwords, error) {
	f, err := openSecret(name)
	if err != nil {
		return Passwords{}, err
	}
	defer f.Close()
	p, err := readPasswords(f)
	if err != nil {
		return Passwords{}, at(name, err)
	}
	return p, nil
}

func readPasswords(source io.Reader) (Passwords, error) {
	p := Passwords{byKey: map[string]string{}}
	b, err := openText(source)
	if err != nil {
		return p, err
	}
	// A spreadsheet may have written the list again: with a mark, in UTF-16, with
	// semicolons.
	r, row, err := dialect.Table(b)
	r.FieldsPerRecord = 2
	r.ReuseRecord = true
	for header := true; ; header = false {
		if !header {
			row, err = r.Read()
		}
		if err == io.EOF {
			if header {
				return p, &Error{Reason: Malformed, What: "not a password list: it is empty", Hint: "restore the file"}
			}
			return p, nil
		}
		if err != nil {
			// The reader's own message never quotes the line: it may hold a password.
			var bad *csv.ParseError
			if errors.As(err, &bad) {
				return p, &Error{Reason: Malformed, Line: bad.Line, What: "not a line of a password list", Err: bad.Err}
			}
			return p, malformed(err)
		}
		line, _ := r.FieldPos(0)
		if header {
			if len(row) != 2 || row[0] != "upn" || row[1] != "password" {
				return p, &Error{Reason: Malformed, Line: line, What: `not a password list: the header row must be "upn,password"`}
			}
			continue
		}
		if _, twice := p.byKey[Key(row[0])]; twice {
			return p, &Error{Reason: Malformed, Line: line, What: "this user appears twice"}
		}
		p.byKey[Key(row[0])] = row[1]
	}
}
