package snapshot_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/snapshot"
)

func TestReadUndo(t *testing.T) {
	const whole = `{"user":"1","before":["a"],"after":["a","b"]}` + "\n"
	for text, want := range map[string]int{"": 0, whole: 1, whole + "\n" + whole: 2, whole + `{"user":"2","before`: 1, whole + whole[:len(whole)-1]: 1} {
		if got := len(collect(t, snapshot.ReadUndo(strings.NewReader(text)))); got != want {
			t.Errorf("%q: %d edits, want %d", text, got, want)
		}
	}
	long := `{"user":"` + strings.Repeat("a", 2<<20) + `","before":[],"after":[]}` + "\n"
	for text, want := range map[string]snapshot.Reason{"{}\n": snapshot.Malformed, `{"user":"1"}` + "\n": snapshot.Malformed, "[]\n": snapshot.Malformed,
		`{"user":"1","before":[],"after":[],"x":1}` + "\n": snapshot.Malformed, strings.TrimSpace(whole) + whole: snapshot.Malformed, long: snapshot.TooLarge} {
		var last error
		n := 0
		for _, err := range snapshot.ReadUndo(strings.NewReader(text)) {
			last = err
			n++
		}
		if !errors.Is(last, want) || !strings.Contains(last.Error(), "line 1") || n != 1 || len(last.Error()) > 500 {
			t.Errorf("%.40q: %v", text, last)
		}
	}
	cause := errors.New("disk")
	for _, err := range snapshot.ReadUndo(io.MultiReader(strings.NewReader("\n"), iotest.ErrReader(cause))) {
		if !errors.Is(err, cause) || !strings.Contains(err.Error(), "line 2") {
			t.Error(err)
		}
	}
}

// An undo gives back the old values in their order, and changes only its own part
// where others changed the user since.
func TestUndo(t *testing.T) {
	u := snapshot.Undo{User: "1", Before: []string{"a", "b", "c"}, After: []string{"a", "d"}}
	for _, test := range []struct{ name, now, want string }{
		{"as it was left", "a d", "a b c"},
		{"one added since", "a d x", "a x b c"},
		{"one that was kept is gone since", "d", "b c"},
		{"ours is gone since", "a", "a b c"},
		{"theirs first", "x d a", "x a b c"},
		{"one is back already", "a d b", "a b c"},
	} {
		got, err := u.Edit().Apply(strings.Fields(test.now))
		if diff := cmp.Diff(strings.Fields(test.want), got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", test.name, err, diff)
		}
	}
	if diff := cmp.Diff([]string{"b", "c"}, u.Edit().Values()); diff != "" {
		t.Error(diff)
	}
	many := make([]string, certuserid.MaxValues)
	for i := range many {
		many[i] = fmt.Sprint("theirs ", i)
	}
	if _, err := u.Edit().Apply(many); !errors.Is(err, snapshot.InvalidEdit) || !errors.Is(err, certuserid.Full) {
		t.Errorf("more values than a user can have: %v", err)
	}
	if err := (snapshot.Undo{User: "1", Before: append(many, "x")}).Edit().Check(); !errors.Is(err, certuserid.Full) {
		t.Error(err)
	}
}
