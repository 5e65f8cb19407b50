// Package users reads the list of people that certificates are made for: CSV with a
// header row.
package users

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
	"example.com/entracba/cba/folder"
	"example.com/entracba/examples/internal/console"
)

// sample is the list that is issued for when no file is given.
const sample = "upn\njane@yourdomain.com\njohn@yourdomain.com\nalex@yourdomain.com\n"

// columns of the list; upn is required.
var columns = []string{"upn", "email", "sid", "subject", "password"}

// A List is a list that was read once from end to end and found good.
type List struct {
	name  string // of the file, "" for the sample
	Count int    // how many there are
}

// A row is a user of the list.
type row struct {
	line     int
	subject  cba.Subject
	password string
}

// Read checks the whole list, so that nothing is issued from a bad one.
func Read(name string) (*List, error) {
	list := &List{name: name}
	lines := map[string]int{}
	for r, err := range list.rows() {
		if err != nil {
			return nil, console.Usage("%w", err)
		}
		key := folder.Key(r.subject.UPN)
		if first := lines[key]; first > 0 {
			return nil, console.Usage("%s line %d: %q is on line %d already (letter case does not count)", name, r.line, r.subject.UPN, first)
		}
		lines[key] = r.line
		list.Count++
	}
	if list.Count == 0 {
		return nil, console.Usage("%s: there is no user below the header row", name)
	}
	return list, nil
}

// Tasks reads the list again, for issuing. keep is told the passwords that it
// gives, each before its task.
func (u *List) Tasks(keep func(upn, password string)) iter.Seq2[cba.Task, error] {
	return func(yield func(cba.Task, error) bool) {
		for r, err := range u.rows() {
			if r.password != "" {
				keep(r.subject.UPN, r.password)
			}
			if !yield(cba.Task{Subject: r.subject}, err) {
				return
			}
		}
	}
}

// rows reads the list row by row. It ends with the first error, which names the
// file and the line, and never a password.
func (u *List) rows() iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		source := io.Reader(strings.NewReader(sample))
		if u.name != "" {
			f, err := os.Open(u.name)
			if err != nil {
				yield(row{}, err)
				return
			}
			defer f.Close()
			source = f
		}
		r, index, err := readHeader(source)
		if err != nil {
			yield(row{}, fmt.Errorf("%s: %w", u.name, err))
			return
		}
		for {
			record, err := r.Read()
			if err == io.EOF {
				return
			}
			if err != nil {
				var bad *csv.ParseError
				if errors.As(err, &bad) {
					err = fmt.Errorf("line %d: %w", bad.Line, bad.Err)
				}
				yield(row{}, fmt.Errorf("%s %w", u.name, err))
				return
			}
			line, _ := r.FieldPos(0)
			user, err := parseRow(record, index)
			if err != nil {
				yield(row{}, fmt.Errorf("%s line %d: %w", u.name, line, err))
				return
			}
			user.line = line
			if !yield(user, nil) {
				return
			}
		}
	}
}

// readHeader opens the list and says where each column is. It takes the byte
// order mark and the semicolons that spreadsheets write.
func readHeader(source io.Reader) (*csv.Reader, map[string]int, error) {
	b := bufio.NewReader(source)
	if mark, _ := b.Peek(3); string(mark) == "\ufeff" {
		b.Discard(3)
	}
	r := csv.NewReader(b)
	if start, _ := b.Peek(256); strings.ContainsRune(firstLine(start), ';') && !strings.ContainsRune(firstLine(start), ',') {
		r.Comma = ';'
	}
	header, err := r.Read()
	if err == io.EOF {
		return nil, nil, fmt.Errorf("the file is empty: write a header row with the column upn")
	}
	if err != nil {
		return nil, nil, err
	}
	index := map[string]int{}
	for i, column := range header {
		column = strings.ToLower(strings.TrimSpace(column))
		if !slices.Contains(columns, column) {
			return nil, nil, fmt.Errorf("line 1: unknown column %q; there are %s", header[i], strings.Join(columns, ", "))
		}
		if _, twice := index[column]; twice {
			return nil, nil, fmt.Errorf("line 1: column %s stands there twice", column)
		}
		index[column] = i
	}
	if _, ok := index["upn"]; !ok {
		return nil, nil, fmt.Errorf("line 1: the header row has no column upn")
	}
	return r, index, nil
}

func firstLine(start []byte) string {
	line, _, _ := strings.Cut(string(start), "\n")
	return line
}

func parseRow(record []string, index map[string]int) (row, error) {
	field := func(column string) string {
		if i, ok := index[column]; ok {
			return record[i]
		}
		return ""
	}
	user := row{subject: cba.Subject{UPN: field("upn")}, password: field("password")}
	if err := folder.CheckName(user.subject.UPN); err != nil {
		return row{}, fmt.Errorf("column upn: %w", err)
	}
	if email := field("email"); email != "" {
		user.subject.Emails = []string{email}
	}
	if text := field("sid"); text != "" {
		sid, err := cba.ParseSID(text)
		if err != nil {
			return row{}, fmt.Errorf("column sid: %w", err)
		}
		user.subject.SID = sid
	}
	if text := field("subject"); text != "" {
		name, err := dn.Parse(text)
		if err != nil {
			return row{}, fmt.Errorf("column subject: %w", err)
		}
		user.subject.Name = name
	}
	return user, nil
}
