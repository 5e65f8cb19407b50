package folder

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/dialect"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/internal/wire"
)

// A Person is one row of a list of people to issue for. It does not print the
// password.
type Person struct {
	Line     int // of the list, from 1
	Subject  cba.Subject
	Password string `json:"-"` // for the PFX file; "" if the list gives none
}

// Format writes the person, whatever the verb.
func (p Person) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "{line %d, %s}", p.Line, p.Subject.UPN) }

// columnNames has the columns of a list under the names that people's exports have:
// the Entra portal, Get-MgUser, Get-ADUser, spreadsheets. upn is required.
var columnNames = map[string]string{
	"upn": "upn", "userprincipalname": "upn", "user principal name": "upn", "user name": "upn", "username": "upn",
	"email": "email", "e-mail": "email", "mail": "email", "emailaddress": "email", "email address": "email", "e-mail-adresse": "email",
	"benutzerprinzipalname": "upn",
	"sid":                   "sid", "objectsid": "sid", "onpremisessecurityidentifier": "sid",
	"subject":  "subject",
	"password": "password",
}

// People reads a list of people row by row: a CSV file with a header row, with the
// column upn and, in any order, email, sid (as S-1-5-...), subject (as RFC 4514 has
// it) and password. Columns may have the names of Microsoft's exports
// (userPrincipalName, mail, objectSid), in any letter case; other columns are passed
// over, see [IgnoredColumns].
//
// A list of JSON objects is read as well: users as Graph and PowerShell write them, as
// an array, one a line, or in answers of Graph.
//
// The file is what spreadsheets and PowerShell write: UTF-8 or UTF-16, with commas,
// semicolons or tabs, with a line "sep=;" or "#TYPE ..." in front, with spaces around
// values (not around passwords) and with empty rows.
//
// An address with no @ or several, with nothing on one side of it, with a space or
// with a character that cannot be seen is no UPN and refused.
//
// UPNs are read in Unicode's form NFC, which directories have: macOS writes a letter and
// its mark apart. No two rows may have one UPN, and every UPN must be able to name a file, see
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
		b, err := openText(source)
		if err != nil {
			yield(Person{}, err)
			return
		}
		rows, index := readObjects(b, secret), jsonColumns
		if !dialect.IsJSON(b) {
			rows, index, err = readTable(b, secret)
		}
		if err != nil {
			yield(Person{}, err)
			return
		}
		lines := map[string]int{}
		for r, err := range rows {
			if err != nil {
				yield(Person{}, err)
				return
			}
			p, wrong := readPerson(r.fields, index)
			if wrong != nil {
				wrong.Line = r.line
				yield(Person{}, wrong)
				return
			}
			key := Key(p.Subject.UPN)
			if first := lines[key]; first > 0 {
				yield(Person{}, &Error{Reason: Malformed, Line: r.line, What: fmt.Sprintf("%q is already on line %d", p.Subject.UPN, first), Hint: "remove one of the two lines; UPNs are case-insensitive"})
				return
			}
			lines[key], p.Line = r.line, r.line
			if !yield(p, nil) {
				return
			}
		}
	}
}

// readTable reads the rows of a CSV file.
func readTable(b *bufio.Reader, secret func() error) (iter.Seq2[row, error], map[string]int, error) {
	r, index, columns, err := readHeader(b)
	if _, ok := index["password"]; ok && err == nil {
		err = secret()
	}
	if err != nil {
		return nil, nil, err
	}
	return func(yield func(row, error) bool) {
		for {
			record, err := r.Read()
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(row{}, csvError(err))
				return
			}
			if dialect.Blank(record) {
				continue // a spreadsheet's empty row
			}
			line, _ := r.FieldPos(0)
			if len(record) > columns && slices.ContainsFunc(record[columns:], func(field string) bool { return strings.TrimSpace(field) != "" }) {
				yield(row{}, &Error{Reason: Malformed, Line: line, What: fmt.Sprintf("the row has %d fields and the header row %d", len(record), columns), Hint: "put values that contain the separator in double quotes"})
				return
			}
			if !yield(row{line, record}, nil) {
				return
			}
		}
	}, index, nil
}

// csvError is an error of a CSV reader, which never quotes a line.
func csvError(err error) error {
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		return &Error{Reason: Malformed, Line: bad.Line, What: "not a line of CSV", Err: bad.Err}
	}
	return listError(err)
}

// readHeader opens a list and says where each column is.
func readHeader(b *bufio.Reader) (_ *dialect.Rows, index map[string]int, columns int, _ error) {
	start, _ := b.Peek(64 << 10)
	looks := dialect.LooksLike(start)
	r, header, err := openList(b)
	if err != nil && looks == "" {
		return nil, nil, 0, err
	}
	if err != nil {
		return nil, nil, 0, &Error{Reason: Malformed, Line: 1, What: "this looks like " + looks, Hint: "give a CSV file with a header row, or users as Graph writes them"}
	}
	line, _ := r.FieldPos(0)
	bad := func(what, do string) error { return &Error{Reason: Malformed, Line: line, What: what, Hint: do} }
	index = map[string]int{}
	for i, name := range header {
		column, known := columnNames[dialect.Column(name)]
		if !known {
			continue
		}
		if _, twice := index[column]; twice {
			return nil, nil, 0, bad("column "+column+" appears twice", "keep one of them")
		}
		index[column] = i
	}
	if _, ok := index["upn"]; !ok {
		if slices.ContainsFunc(header, func(name string) bool { return strings.Contains(name, "@") }) {
			return nil, nil, 0, bad("this is no header row", "write a row in front that names the columns, such as upn,email")
		}
		if looks != "" && !strings.HasPrefix(looks, "a table") {
			return nil, nil, 0, bad("this looks like "+looks, "give a CSV file with a header row, or users as Graph writes them")
		}
		var names []string
		for _, name := range header[:min(len(header), 100)] {
			names = append(names, text.Quote(name))
		}
		return nil, nil, 0, bad("the header row has no column upn or userPrincipalName, only "+text.Some(names, 5), "name the column with the UPNs upn")
	}
	return r, index, len(header), nil
}

// openList makes the lines of a table readable and reads its header row.
func openList(b *bufio.Reader) (*dialect.Rows, []string, error) {
	r, header, err := dialect.Table(b)
	switch {
	case err == io.EOF:
		return nil, nil, &Error{Reason: Malformed, Line: 1, What: "the file is empty", Hint: "write a header row with the column upn"}
	case err != nil:
		return nil, nil, csvError(err)
	}
	return r, header, nil
}

// openText takes marks and UTF-16 off a list.
func openText(source io.Reader) (*bufio.Reader, error) {
	b, err := dialect.UTF8(source)
	return b, listError(err)
}

// listError is an error of package dialect as one of this package.
func listError(err error) error {
	var e *wire.Error
	if !errors.As(err, &e) {
		return err
	}
	reason := Malformed
	if e.Reason == wire.TooLarge {
		reason = TooLarge
	}
	what := e.Detail
	if e.Where != "" {
		what = e.Where + ": " + what
	}
	return &Error{Reason: reason, What: what, Hint: "give a CSV file with a header row, or users as Graph writes them"}
}

// jsonColumns are the columns of a list of JSON objects.
var jsonColumns = map[string]int{"upn": 0, "email": 1, "sid": 2, "subject": 3, "password": 4}

// readObjects reads the rows of a list of JSON objects: users as Graph and PowerShell
// write them, under the names that columns have.
func readObjects(b *bufio.Reader, secret func() error) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		checked := false
		for item, err := range dialect.List(b) {
			if err != nil {
				yield(row{}, listError(err))
				return
			}
			r := row{line: item.N, fields: make([]string, len(jsonColumns))}
			object, err := dialect.Graph(item.JSON, dialect.MaxItem)
			var members []wire.Member
			if err == nil {
				members, err = wire.Members(object)
			}
			if err != nil {
				yield(row{}, &Error{Reason: Malformed, Line: r.line, What: "not an object of JSON", Err: err})
				return
			}
			found := false
			for _, m := range members {
				column, known := columnNames[strings.ToLower(m.Name)]
				if !known || string(m.Raw) == "null" {
					continue
				}
				at := jsonColumns[column]
				if json.Unmarshal(m.Raw, &r.fields[at]) != nil {
					yield(row{}, &Error{Reason: Malformed, Line: r.line, What: m.Name + " is no text", Hint: "write it in quotes"})
					return
				}
				found = found || column == "upn"
				if column == "password" && !checked {
					if checked, err = true, secret(); err != nil {
						yield(row{}, err)
						return
					}
				}
			}
			if !found {
				yield(row{}, &Error{Reason: Malformed, Line: r.line, What: "the object has no userPrincipalName", Hint: "give users as GET /users?$select=userPrincipalName,mail,onPremisesSecurityIdentifier lists them"})
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// A row is one person of a list as it is written.
type row struct {
	line   int
	fields []string
}

// IgnoredColumns returns the columns of a list that [People] passes over, as the header
// row names them. The error is as for People.
func IgnoredColumns(name string) ([]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := openText(f)
	if err != nil || dialect.IsJSON(b) {
		return nil, at(name, err)
	}
	_, header, err := openList(b)
	if err != nil {
		return nil, at(name, err)
	}
	var ignored []string
	for _, column := range header {
		if _, known := columnNames[dialect.Column(column)]; !known && strings.TrimSpace(column) != "" {
			ignored = append(ignored, column)
		}
	}
	return ignored, nil
}

// checkUPN says why a text is no UPN of any account, nil if it can be one.
func checkUPN(upn string) *Error {
	bad := func(what, do string) *Error { return &Error{Reason: BadName, What: "column upn: " + what, Hint: do} }
	name, domain, at := strings.Cut(upn, "@")
	for _, r := range upn {
		switch {
		case unicode.Is(unicode.Cf, r) || unicode.IsControl(r):
			return bad(fmt.Sprintf("%s has the character %U, which cannot be seen", text.Quote(upn), r), "type the UPN again")
		case unicode.IsSpace(r):
			return bad(text.Quote(upn)+" has a space, and no account can have such a UPN", "write the UPN as the account has it")
		}
	}
	switch {
	case strings.ContainsAny(upn, "\"“”„«»‘’‚‹›`´") || strings.HasPrefix(upn, "'") && strings.HasSuffix(upn, "'"):
		return bad(text.Quote(upn)+" has a quotation mark, and no account can have such a UPN", "write it without quotation marks; an apostrophe is '")
	case strings.Contains(name, ":"):
		return bad(text.Quote(upn)+" has a label in front", "write the UPN alone, such as jane@contoso.com")
	case strings.ContainsAny(upn, "<>[](),;|"):
		return bad(text.Quote(upn)+" has a bracket or a separator, and no account can have such a UPN", "write one UPN, as the account has it")
	case !at:
		return bad(text.Quote(upn)+" has no @, and no account can have such a UPN", "write the whole UPN, such as jane@contoso.com")
	case name == "" || domain == "":
		return bad(text.Quote(upn)+" has nothing on one side of the @", "write the whole UPN, such as jane@contoso.com")
	case strings.Contains(domain, "@"):
		return bad(text.Quote(upn)+" has more than one @", "write the UPN as the account has it")
	}
	return nil
}

func readPerson(record []string, index map[string]int) (p Person, _ *Error) {
	for _, column := range slices.Sorted(maps.Keys(index)) {
		if i := index[column]; i < len(record) && !utf8.ValidString(record[i]) {
			return p, &Error{Reason: Malformed, What: "column " + column + " is not UTF-8", Hint: "save the file as CSV UTF-8"}
		}
	}
	exact := func(column string) string {
		if i, ok := index[column]; ok && i < len(record) {
			return record[i]
		}
		return ""
	}
	field := func(column string) string { return strings.TrimSpace(exact(column)) }
	p = Person{Subject: cba.Subject{UPN: composed(field("upn"))}, Password: exact("password")}
	if p.Subject.UPN != "" {
		if e := checkUPN(p.Subject.UPN); e != nil {
			return p, e
		}
	}
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
