package dialect

import (
	"bufio"
	"errors"
	"strings"
	"testing"

	"example.com/entracba/cba/internal/wire"
)

// A list that nests without end is refused before it uses up the stack, whatever it
// nests with.
func TestListTooNested(t *testing.T) {
	for _, open := range []string{"[", `{"value":[`, `[{"users":[`} {
		b := bufio.NewReaderSize(strings.NewReader(strings.Repeat(open, 4_000_000)), MaxItem)
		var last error
		for _, err := range List(b) {
			last = err
		}
		var e *wire.Error
		if !errors.As(last, &e) || e.Reason != wire.TooNested {
			t.Errorf("%s: %v", open, last)
		}
	}
}

// endless is a table whose quote is never closed.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	if e.read == 0 {
		e.read = copy(p, "id,userPrincipalName\n1,\"")
		return e.read, nil
	}
	for i := range p {
		p[i] = 'a'
	}
	e.read += len(p)
	return len(p), nil
}

func TestTableTooLarge(t *testing.T) {
	source := &endless{}
	b, err := UTF8(source)
	if err != nil {
		t.Fatal(err)
	}
	rows, header, err := Table(b)
	if err != nil || len(header) != 2 {
		t.Fatalf("%q, %v", header, err)
	}
	_, err = rows.Read()
	var e *wire.Error
	if !errors.As(err, &e) || e.Reason != wire.TooLarge || e.Detail != "a row of the list is larger than 1 MiB" || source.read > 8*MaxItem {
		t.Errorf("%v after %d bytes", err, source.read)
	}
}
