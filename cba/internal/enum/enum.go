// Package enum gives an enumeration its texts: one table for String, MarshalText
// and UnmarshalText.
//
// Zero is unset. It has no text, and neither writing nor reading accepts it
// unless the table is [Table.Optional].
package enum

import (
	"fmt"
	"slices"
	"strings"
)

// A Table has the texts of an enumeration of type T, whose values count from one.
// It never changes after it was made.
type Table[T ~uint8 | ~int] struct {
	name     string
	texts    []string
	optional bool
}

// Of returns the table of an enumeration: its name for messages, with the package
// in front ("policy: outcome"), and the texts of the values 1, 2, ...
func Of[T ~uint8 | ~int](name string, texts ...string) Table[T] {
	return Table[T]{name: name, texts: texts}
}

// Optional returns the same table for an enumeration whose zero means "none": it
// is written, and read, as the empty text.
func (t Table[T]) Optional() Table[T] {
	t.optional = true
	return t
}

// Known reports whether a value has a text.
func (t Table[T]) Known(v T) bool { return v >= 1 && int(v) <= len(t.texts) }

// Values returns the values that have a text, in their order.
func (t Table[T]) Values() []T {
	all := make([]T, len(t.texts))
	for i := range all {
		all[i] = T(i + 1)
	}
	return all
}

// String returns the text of a value. A value without one is shown as its number,
// so that a message is never empty; an optional zero is the empty text.
func (t Table[T]) String(v T) string {
	switch {
	case t.Known(v):
		return t.texts[v-1]
	case v == 0 && t.optional:
		return ""
	case v == 0:
		return "unset"
	}
	return fmt.Sprintf("unknown (%d)", int(v))
}

// Marshal returns the text of a value; a value without one is an error.
func (t Table[T]) Marshal(v T) ([]byte, error) {
	if !t.Known(v) && !(v == 0 && t.optional) {
		return nil, fmt.Errorf("%s %s cannot be written", t.name, t.String(v))
	}
	return []byte(t.String(v)), nil
}

// Parse returns the value of a text, and false if there is none.
func (t Table[T]) Parse(text string) (T, bool) {
	if text == "" {
		return 0, t.optional
	}
	i := slices.Index(t.texts, text)
	return T(i + 1), i >= 0
}

// Unmarshal sets *v to the value of a text. It leaves *v alone on an error.
func (t Table[T]) Unmarshal(v *T, text []byte) error {
	if v == nil {
		return fmt.Errorf("%s: nothing to read it into", t.name)
	}
	read, ok := t.Parse(string(text))
	if !ok {
		return fmt.Errorf("%s: %q is not one of %s", t.name, clip(text), strings.Join(t.texts, ", "))
	}
	*v = read
	return nil
}

// clip keeps hostile text short in an error.
func clip(text []byte) []byte { return text[:min(len(text), 60)] }
