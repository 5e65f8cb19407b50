// Package users has the list of people that a program issues for: a CSV file, or a
// sample.
package users

import (
	"encoding/csv"
	"errors"
	"fmt"
	"iter"
	"os"
	"strings"
	"unicode/utf8"

	"example.com/entracba/cba"
	"example.com/entracba/cba/folder"
	"example.com/entracba/examples/internal/console"
)

// sample is the list that is issued for when no file is given.
const sample = "upn\njane@yourdomain.com\njohn@yourdomain.com\nalex@yourdomain.com\n"

// A List is a list that was read once from end to end and found good.
type List struct {
	name  string // of the file, "" for text
	text  string // what a file would have
	Count int    // how many people there are
	// Short is the first user whose password has fewer than 12 characters, "" if there
	// is none. Only the password protects a PFX.
	Short string
}

// shortPassword is how many characters a password should have at least.
const shortPassword = 12

// Read checks the whole list, so that nothing is issued from a bad one: the people of a
// file, those who are named, or the sample.
func Read(name string, upns ...string) (*List, error) {
	list := &List{name: name, text: sample}
	if len(upns) > 0 {
		if name != "" {
			return nil, console.Usage("give the users in a file (-users) or by name, not both")
		}
		var b strings.Builder
		w := csv.NewWriter(&b)
		w.Write([]string{"upn"})
		for _, upn := range upns {
			w.Write([]string{upn})
		}
		w.Flush()
		list.text = b.String()
	}
	for p, err := range list.people() {
		if e := (*folder.Error)(nil); errors.As(err, &e) && name == "" { // there is no column, and no line
			e.What, e.Line = strings.TrimPrefix(e.What, "column upn: "), 0
		}
		if err != nil {
			return nil, console.Usage("%w", err)
		}
		list.Count++
		if n := utf8.RuneCountInString(p.Password); n > 0 && n < shortPassword && list.Short == "" {
			list.Short = p.Subject.UPN
		}
	}
	if name != "" {
		ignored, err := folder.IgnoredColumns(name)
		if err != nil {
			return nil, console.Usage("%w", err)
		}
		if len(ignored) > 0 {
			more := ""
			if n := len(ignored); n > 30 {
				ignored, more = ignored[:30], fmt.Sprintf(" and %d more", n-30)
			}
			fmt.Fprintf(os.Stderr, "%s: not used: %s%s\n", name, console.Clean(strings.Join(ignored, ", ")), more)
		}
	}
	if list.Count == 0 {
		if name == "" {
			return nil, console.Usage("no user is named: give user principal names, such as jane@contoso.com")
		}
		return nil, console.Usage("%s: no user below the header row", name)
	}
	return list, nil
}

// UPNs are the people of the list.
func (l *List) UPNs() []string {
	var upns []string
	for p, err := range l.people() {
		if err != nil {
			break
		}
		upns = append(upns, p.Subject.UPN)
	}
	return upns
}

// Tasks reads the list again, for issuing. keep is told the passwords that it
// gives, each before its task.
func (l *List) Tasks(keep func(upn, password string)) iter.Seq2[cba.Task, error] {
	return func(yield func(cba.Task, error) bool) {
		for p, err := range l.people() {
			if p.Password != "" {
				keep(p.Subject.UPN, p.Password)
			}
			if !yield(cba.Task{Subject: p.Subject}, err) {
				return
			}
		}
	}
}

func (l *List) people() iter.Seq2[folder.Person, error] {
	if l.name == "" {
		return folder.ReadPeople(strings.NewReader(l.text))
	}
	return folder.People(l.name)
}
