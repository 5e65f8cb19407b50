package folder

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// endless is a text that begins and never ends.
type endless struct {
	start io.Reader
	read  int
}

func (e *endless) Read(p []byte) (int, error) {
	n, err := e.start.Read(p)
	if err == io.EOF {
		for i := range p {
			p[i] = 'a'
		}
		n = len(p)
	}
	if e.read += n; e.read > 64<<20 {
		return 0, errors.New("too much is read")
	}
	return n, nil
}

// What is read does not grow with a hostile entry.
func TestEndless(t *testing.T) {
	for _, start := range []string{`{"ca": {}, "users": [{"upn": "`, `{"ca": {"subject": "`, `{"`} {
		source := &endless{start: strings.NewReader(start)}
		if _, err := read(source, func(User) error { return nil }); !errors.Is(err, TooLarge) || source.read > 3*maxEntry {
			t.Errorf("%s: %v after %d bytes", start, err, source.read)
		}
	}
	source := &endless{start: strings.NewReader(`{"ca": "`)}
	if _, err := readJournal(source, "journal", func(line) error { return nil }); !errors.Is(err, TooLarge) || source.read > 4*maxEntry {
		t.Errorf("journal: %v after %d bytes", err, source.read)
	}
}
