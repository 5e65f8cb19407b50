package folder

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"example.com/entracba/cba/internal/wire"
)

// A property is one of an object: its name, and a pointer to its value.
type property struct {
	name  string
	value any
}

// readObject reads an object and returns the properties that the list does not have,
// nil if there are none. No property may appear twice.
func readObject(text []byte, list []property) (map[string]json.RawMessage, error) {
	text, err := wire.Text(text, maxEntry)
	if err != nil {
		return nil, malformed(err)
	}
	members, err := wire.Members(text)
	if err != nil {
		return nil, malformed(err)
	}
	var other map[string]json.RawMessage
	for _, m := range members {
		i := slices.IndexFunc(list, func(p property) bool { return p.name == m.Name })
		if i < 0 {
			if other == nil {
				other = map[string]json.RawMessage{}
			}
			other[m.Name] = bytes.Clone(m.Raw)
			continue
		}
		if err := json.Unmarshal(m.Raw, list[i].value); err != nil {
			return nil, &Error{Reason: Malformed, What: "/" + m.Name, Err: err}
		}
	}
	return other, nil
}

// malformed gives an error of wire a reason of this package.
func malformed(err error) error {
	var e *wire.Error
	if !errors.As(err, &e) {
		return err
	}
	reason := Malformed
	if e.Reason == wire.TooLarge {
		reason = TooLarge
	}
	return &Error{Reason: reason, What: strings.TrimPrefix(e.Where+": "+e.Detail, ": ")}
}

// writeObject writes the properties in their order, and the others behind them.
func writeObject(list []property, other map[string]json.RawMessage) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	write := func(name string, value any) error {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.Write(wire.Quote(name))
		b.WriteByte(':')
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		return e.Encode(value)
	}
	for _, p := range list {
		if err := write(p.name, p.value); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(other)) {
		if slices.ContainsFunc(list, func(p property) bool { return p.name == name }) {
			continue // the field counts
		}
		if err := write(name, other[name]); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
