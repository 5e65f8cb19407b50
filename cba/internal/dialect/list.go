package dialect

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/internal/wire"
)

// An Item is one object of a list.
type Item struct {
	Where string // "line 7" of a list with one object a line, else "object 7"
	N     int    // 7
	JSON  []byte // not yet in Graph's form
}

// MaxItem is the largest object of a list, in bytes.
const MaxItem = 1 << 20

// maxUTF16 bounds a list in UTF-16, which is read at once.
const maxUTF16 = 256 << 20

// UTF8 makes a list readable that may have a byte order mark or be UTF-16. The error is
// [wire.TooLarge] or one of r.
func UTF8(r io.Reader) (*bufio.Reader, error) {
	b := bufio.NewReaderSize(r, MaxItem)
	if start, _ := b.Peek(2); len(start) == 2 && (start[0] == 0xff && start[1] == 0xfe || start[0] == 0xfe && start[1] == 0xff || start[0] == 0 || start[1] == 0) {
		whole, err := io.ReadAll(io.LimitReader(b, maxUTF16+1))
		if err != nil {
			return nil, err
		}
		if len(whole) > maxUTF16 {
			return nil, &wire.Error{Reason: wire.TooLarge, Detail: "the list is in UTF-16 and larger than 256 MB; save it as UTF-8"}
		}
		return withLines(bufio.NewReaderSize(bytes.NewReader(text.UTF8(whole)), MaxItem)), nil
	}
	if mark, _ := b.Peek(3); string(mark) == "\ufeff" {
		b.Discard(3)
	}
	return withLines(b), nil
}

// withLines makes lines that end with a carriage return alone end as all others do.
func withLines(b *bufio.Reader) *bufio.Reader {
	if start, _ := b.Peek(64 << 10); bytes.IndexByte(start, '\r') >= 0 && bytes.IndexByte(start, '\n') < 0 {
		return bufio.NewReaderSize(returns{b}, MaxItem)
	}
	return b
}

// returns reads a list whose lines end with a carriage return alone, as spreadsheets of old
// Macs write them.
type returns struct{ r io.Reader }

func (r returns) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	for i := range p[:n] {
		if p[i] == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// IsJSON reports whether a list is one of JSON objects, not a table.
func IsJSON(b *bufio.Reader) bool {
	start, _ := b.Peek(MaxItem)
	start = bytes.TrimLeft(start, " \t\r\n")
	return len(start) > 0 && (start[0] == '{' || start[0] == '[')
}

// List reads the objects of a list as people keep one: one object a line, a JSON array,
// answers of Graph around lists ({"value": [...]}), one after the other or in an array, a
// document with the list as "users", one object alone.
//
// The error is a [*wire.Error], whose Where is that of an [Item], or one of b. A list
// whose last page has a link to more is an error at its end.
func List(b *bufio.Reader) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		start, _ := b.Peek(MaxItem)
		first, _, _ := bytes.Cut(bytes.TrimLeft(start, " \t\r\n"), []byte("\n"))
		if json.Valid(first) && len(first) > 0 && first[0] == '{' && listOfObject(first) == nil {
			lines(b, yield)
			return
		}
		l := lister{guard: &guard{r: b, what: "an object"}, yield: yield}
		l.decoder = json.NewDecoder(l.guard)
		for {
			ok, err := l.next()
			if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				break
			}
			if err != nil {
				yield(Item{}, l.fail(err))
				return
			}
			if !ok {
				return
			}
		}
		if l.more {
			yield(Item{}, &wire.Error{Reason: wire.BadSyntax, Where: l.where(), Detail: "the list goes on at @odata.nextLink; put the other pages into the file as well"})
		}
	}
}

func lines(b *bufio.Reader, yield func(Item, error) bool) {
	s := bufio.NewScanner(b)
	s.Buffer(nil, MaxItem)
	n := 0
	for s.Scan() {
		n++
		if line := bytes.TrimSpace(s.Bytes()); len(line) > 0 && !yield(Item{"line " + strconv.Itoa(n), n, bytes.Clone(line)}, nil) {
			return
		}
	}
	err := s.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		err = &wire.Error{Reason: wire.TooLarge, Where: fmt.Sprintf("line %d", n+1), Detail: "an object of the list is larger than 1 MiB"}
	}
	if err != nil {
		yield(Item{}, err)
	}
}

// listOfObject returns the list that an object stands around, nil if it is none.
func listOfObject(raw []byte) []byte {
	for _, name := range listNames {
		if list := property(raw, name); len(list) > 0 && list[0] == '[' {
			return list
		}
	}
	return nil
}

var listNames = [...]string{"value", "Value", "users", "Users"}

func isListName(name string) bool {
	for _, n := range listNames {
		if n == name {
			return true
		}
	}
	return false
}

// A guard ends a list whose objects or rows are too large to be held.
type guard struct {
	r    io.Reader
	read int // since the last one
	what string
}

func (g *guard) Read(p []byte) (int, error) {
	if g.read > 4*MaxItem {
		return 0, &wire.Error{Reason: wire.TooLarge, Detail: g.what + " of the list is larger than 1 MiB"}
	}
	n, err := g.r.Read(p)
	g.read += n
	return n, err
}

// A lister takes a list apart as it is read.
type lister struct {
	guard   *guard
	decoder *json.Decoder
	yield   func(Item, error) bool
	objects int
	depth   int  // of lists in lists
	more    bool // the last list has a link to more
}

// maxLists bounds lists in lists. An array of Graph's answers is two.
const maxLists = 16

func (l *lister) where() string { return fmt.Sprintf("object %d", l.objects) }

func (l *lister) fail(err error) error {
	var e *wire.Error
	if errors.As(err, &e) {
		return &wire.Error{Reason: e.Reason, Where: fmt.Sprintf("object %d", l.objects+1), Detail: e.Detail}
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &wire.Error{Reason: wire.BadSyntax, Where: fmt.Sprintf("object %d", l.objects+1), Detail: strings.TrimPrefix(err.Error(), "json: ")}
	}
	return err
}

// next reads the next value at the top of the list, or in an array of it. ok is false
// if the list is wanted no further.
func (l *lister) next() (ok bool, err error) {
	l.guard.read = 0
	token, err := l.decoder.Token()
	if err != nil {
		return false, err
	}
	switch token {
	case json.Delim('['):
		return l.elements()
	case json.Delim('{'):
		return l.object()
	}
	return false, &wire.Error{Reason: wire.WrongType, Detail: fmt.Sprintf("want an object, have %v", token)}
}

func (l *lister) elements() (ok bool, err error) {
	if l.depth++; l.depth > maxLists {
		return false, &wire.Error{Reason: wire.TooNested, Detail: fmt.Sprintf("more than %d lists in one another", maxLists)}
	}
	defer func() { l.depth-- }()
	for l.decoder.More() {
		if ok, err = l.next(); !ok || err != nil {
			return ok, inside(err)
		}
	}
	_, err = l.decoder.Token()
	return err == nil, inside(err)
}

// inside makes the end of a file one that comes too early.
func inside(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// object reads the rest of an object: an answer of Graph, whose list is taken apart, or
// an object of the list.
func (l *lister) object() (ok bool, err error) {
	var members []wire.Member
	isAnswer, more := false, false
	for l.decoder.More() {
		token, err := l.decoder.Token()
		if err != nil {
			return false, inside(err)
		}
		name, _ := token.(string)
		if isListName(name) {
			var first json.RawMessage
			// The list is not held: only what stands in front of its first object is.
			token, err := l.decoder.Token()
			if err != nil {
				return false, inside(err)
			}
			if token == json.Delim('[') {
				isAnswer = true
				if ok, err = l.elements(); !ok || err != nil {
					return ok, inside(err)
				}
				continue
			}
			if first, err = l.rest(token); err != nil {
				return false, inside(err)
			}
			members = append(members, wire.Member{Name: name, Raw: first})
			continue
		}
		var value json.RawMessage
		if err := l.decoder.Decode(&value); err != nil {
			return false, inside(err)
		}
		more = more || name == "@odata.nextLink" && string(value) != "null"
		members = append(members, wire.Member{Name: name, Raw: value})
	}
	if _, err := l.decoder.Token(); err != nil {
		return false, inside(err)
	}
	if isAnswer {
		l.more = more
		return true, nil
	}
	item := write(members)
	if len(item) > MaxItem {
		return false, &wire.Error{Reason: wire.TooLarge, Detail: "an object of the list is larger than 1 MiB"}
	}
	l.objects++
	return l.yield(Item{l.where(), l.objects, item}, nil), nil
}

// rest returns the value that begins with a token.
func (l *lister) rest(token json.Token) (json.RawMessage, error) {
	if token != json.Delim('{') {
		return json.Marshal(token)
	}
	var members []wire.Member
	for l.decoder.More() {
		token, err := l.decoder.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := l.decoder.Decode(&value); err != nil {
			return nil, err
		}
		name, _ := token.(string)
		members = append(members, wire.Member{Name: name, Raw: value})
	}
	_, err := l.decoder.Token()
	return write(members), err
}

// Rows reads a table row by row: of a file with one quote that is never closed, no more
// than a few MiB are held.
type Rows struct {
	*csv.Reader
	guard *guard
}

// Read is that of csv.Reader; the error may be [wire.TooLarge], too.
func (r *Rows) Read() ([]string, error) {
	r.guard.read = 0
	return r.Reader.Read()
}

// Table makes the lines of a table readable, as spreadsheets and PowerShell write one, and
// reads its header row: with commas, semicolons or tabs, with a line "sep=;",
// "#TYPE ..." or, of the portal's templates, "version:v1.0" in front. The error is that of
// encoding/csv, io.EOF for an empty table, or [wire.TooLarge].
func Table(list *bufio.Reader) (*Rows, []string, error) {
	guard := &guard{r: list, what: "a row"}
	b := bufio.NewReaderSize(guard, 1<<16)
	r := &Rows{csv.NewReader(b), guard}
	r.FieldsPerRecord = -1
	for {
		start, _ := b.Peek(4096)
		first, _, _ := strings.Cut(strings.TrimLeft(string(start), "\r\n"), "\n")
		first = strings.TrimRight(first, "\r")
		separator, isSep := strings.CutPrefix(strings.ToLower(first), "sep=")
		switch {
		case isSep && len(separator) == 1:
			r.Comma = rune(separator[0])
			if _, err := r.Read(); err != nil {
				return nil, nil, err
			}
			continue
		case strings.HasPrefix(first, "#TYPE"), strings.HasPrefix(first, "version:v"):
			if _, err := r.Read(); err != nil {
				return nil, nil, err
			}
			continue
		}
		if r.Comma == ',' && !strings.Contains(first, ",") {
			for _, comma := range ";\t" {
				if strings.ContainsRune(first, comma) {
					r.Comma = comma
					break
				}
			}
		}
		header, err := r.Read()
		return r, header, err
	}
}

// Column is a column's name as it is looked up: in small letters, without spaces around it. The
// portal's templates have the property in brackets: "User name [userPrincipalName]
// Required". Of those only Block sign in says the opposite of its property.
func Column(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if strings.HasPrefix(name, "block sign in") {
		return "block sign in"
	}
	before, rest, _ := strings.Cut(name, "[")
	switch inner, _, ok := strings.Cut(rest, "]"); {
	case !ok:
		return name
	case inner == "required":
		return strings.TrimSpace(before)
	default:
		return inner
	}
}

// Blank reports whether a row of a table has nothing: spreadsheets write such rows, and a
// file that was not written to its end has zero bytes.
func Blank(record []string) bool {
	for _, field := range record {
		if strings.Trim(field, " \t\r\n\u00a0\x00\x1a") != "" {
			return false
		}
	}
	return true
}
