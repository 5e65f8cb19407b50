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
