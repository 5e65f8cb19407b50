package folder

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
)

// An Entry is one issued certificate with the password of its PFX file. It does not
// print the password.
type Entry struct {
	User     User
	Password string `json:"-"`
}

// Format writes the user, whatever the verb.
func (e Entry) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "{%s, password}", e.User.UPN) }

// WriteEntries writes the manifest and the password list of a folder, each whole,
// from what has been issued. Memory does not grow with the number of entries. It ends
// with the first error of entries, and the old files stay.
//
// It replaces what is there: take a lock before you read what the entries are made
// from. A [Journal] does all of that.
func WriteEntries(folder string, ca CA, entries iter.Seq2[Entry, error]) error {
	if folder == "" || entries == nil { // no list is emptied by mistake
		return &Error{Reason: NotGiven, What: "a manifest needs a folder and entries"}
	}
	var list *Pending
	passwords, err := prepareBeside(filepath.Join(folder, PasswordsName), Secret, func(w io.Writer) (err error) {
		rows := csv.NewWriter(w)
		rows.Write([]string{"upn", "password"})
		list, err = prepareBeside(filepath.Join(folder, ManifestName), Public, func(w io.Writer) error {
			return WriteManifest(w, ca, func(yield func(User, error) bool) {
				for e, err := range entries {
					if err == nil {
						err = rows.Write([]string{e.User.UPN, e.Password})
					}
					if !yield(e.User, err) || err != nil {
						return
					}
				}
			})
		})
		rows.Flush()
		return errors.Join(err, rows.Error())
	})
	if err != nil {
		if list != nil {
			list.Discard()
		}
		return err
	}
	// Passwords first: those of users who are not on the list do no harm.
	if err := passwords.Commit(); err != nil {
		return errors.Join(err, passwords.Discard(), list.Discard())
	}
	if err := list.Commit(); err != nil {
		return errors.Join(err, list.Discard())
	}
	return nil
}
