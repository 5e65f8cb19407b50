package folder

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
)

// A Person is one row of a list of people to issue for. It does not print the
// password.
type Person struct {
	Line     int // of the list, from 1
	Subject  cba.Subject
	Password string // for the PFX file; "" if the list gives none
}

// Format writes the person, whatever the verb.
func (p Person) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "{line %d, %s}", p.Line, p.Subject.UPN) }

// peopleColumns are the columns of a list; upn is required.
var peopleColumns = []string{"upn", "email", "sid", "subject", "password"}

// People reads a list of people row by row: a CSV file with a header row, with the
// column upn and, in any order, email, sid (as S-1-5-...), subject (as RFC 4514 has
// it) and password. Names of columns are case-insensitive. A byte order mark, and
// semicolons between the columns, as spreadsheets write them, are fine.
//
// No two rows may have one UPN, and every UPN must be able to name a file, see
// [CheckName]. The sequence ends with the first error: an [*Error] with the line, and
// reason [Malformed] or [BadName]; [WritableByOthers] if the list has passwords and
// others could have changed it, see [ReadSecret]; or one of the file system. It never
// holds a password.
//
// To issue from no list that has an error, read it twice.
func People(name string) iter.Seq2[Person, error] {
	return func(yield func(Person, error) bool) {
		f, err := os.Open(name)
		if err != nil {
			yield(Person{}, err)
			return
		}
		defer f.Close()
		secret := func() error {
			info, err := f.Stat()
			if err == nil {
				err = checkSecret(name, info)
			}
			return err
		}
		for p, err := range readPeople(f, secret) {
			if !yield(p, at(name, err)) || err != nil {
				return
			}
		}
	}
}

// ReadPeople is [People] for a list that is not in a file.
func ReadPeople(r io.Reader) iter.Seq2[Person, error] {
	return readPeople(r, func() error { return nil })
}

// readPeople calls secret if the list has passwords.
func readPeople(source io.Reader, secret func() error) iter.Seq2[Person, error] {
	return func(yield func(Person, error) bool) {
		if source == nil {
			return
		}
		r, index, err := readHeader(source)
		if _, ok := index["password"]; ok && err == nil {
			err = secret()
		}
		if err != nil {
			yield(Person{}, err)
			return
		}
		lines := map[string]int{}
		for {
			record, err := r.Read()
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(Person{}, csvError(err))
				return
			}
			line, _ := r.FieldPos(0)
			p, wrong := readPerson(record, index)
			if wrong != nil {
				wrong.Line = line
				yield(Person{}, wrong)
				return
			}
			key := Key(p.Subject.UPN)
			if first := lines[key]; first > 0 {
				yield(Person{}, &Error{Reason: Malformed, Line: line, What: fmt.Sprintf("%q is already on line %d", p.Subject.UPN, first), Hint: "remove one of the two lines; UPNs are case-insensitive"})
				return
			}
			lines[key], p.Line = line, line
			if !yield(p, nil) {
				return
			}
		}
	}
}

// csvError is an error of a CSV reader, which never quotes a line.
func csvError(err error) error {
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		return &Error{Reason: Malformed, Line: bad.Line, What: "not a line of CSV", Err: bad.Err}
	}
	return err
}

// readHeader opens a list and says where each column is.
func readHeader(source io.Reader) (*csv.Reader, map[string]int, error) {
	bad := func(what, do string) error { return &Error{Reason: Malformed, Line: 1, What: what, Hint: do} }
	b := bufio.NewReader(source)
	if mark, _ := b.Peek(3); string(mark) == "\ufeff" {
		b.Discard(3)
	}
	r := csv.NewReader(b)
	start, _ := b.Peek(256)
	if first, _, _ := strings.Cut(string(start), "\n"); strings.Contains(first, ";") && !strings.Contains(first, ",") {
		r.Comma = ';'
	}
	header, err := r.Read()
	if err == io.EOF {
		return nil, nil, bad("the file is empty", "write a header row with the column upn")
	}
	if err != nil {
		return nil, nil, csvError(err)
	}
	index := map[string]int{}
	for i, column := range header {
		column = strings.ToLower(strings.TrimSpace(column))
		if !slices.Contains(peopleColumns, column) {
			return nil, nil, bad(fmt.Sprintf("unknown column %q", header[i]), "use only the columns "+strings.Join(peopleColumns, ", "))
		}
		if _, twice := index[column]; twice {
			return nil, nil, bad("column "+column+" appears twice", "")
		}
		index[column] = i
	}
	if _, ok := index["upn"]; !ok {
		return nil, nil, bad("the header row has no column upn", "")
	}
	return r, index, nil
}

func readPerson(record []string, index map[string]int) (p Person, _ *Error) {
	field := func(column string) string {
		if i, ok := index[column]; ok {
			return record[i]
		}
		return ""
	}
	p = Person{Subject: cba.Subject{UPN: field("upn")}, Password: field("password")}
	if err := CheckName(p.Subject.UPN); err != nil {
		e := &Error{Reason: BadName, What: "column upn", Err: err}
		if named, ok := err.(*Error); ok {
			e.What, e.Hint, e.Err = "column upn: "+named.What, named.Hint, named.Err
		}
		return p, e
	}
	if email := field("email"); email != "" {
		p.Subject.Emails = []string{email}
	}
	var err error
	if text := field("sid"); text != "" {
		if p.Subject.SID, err = cba.ParseSID(text); err != nil {
			return p, &Error{Reason: Malformed, What: "column sid", Err: err}
		}
	}
	if text := field("subject"); text != "" {
		if p.Subject.Name, err = dn.Parse(text); err != nil {
			return p, &Error{Reason: Malformed, What: "column subject", Err: err}
		}
	}
	return p, nil
}
