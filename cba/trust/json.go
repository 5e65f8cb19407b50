package trust

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// A reader takes the properties of one JSON object apart. Names are compared
// exactly, as OData does: encoding/json's own matching ignores letter case, and
// a misspelt property would be read but not written back.
type reader struct {
	left map[string]json.RawMessage
	err  *Error
}

// readObject returns nil and no error for JSON null.
func readObject(data []byte) (*reader, *Error) {
	switch kind(data) {
	case '{':
		if !json.Valid(data) {
			return nil, notJSON(data)
		}
	case 'n':
		if string(bytes.TrimSpace(data)) == "null" {
			return nil, nil
		}
		fallthrough
	default:
		if !json.Valid(data) {
			return nil, notJSON(data)
		}
		return nil, &Error{Reason: WrongType, Text: "an object is needed, not " + shorten(bytes.TrimSpace(data))}
	}
	r := &reader{left: map[string]json.RawMessage{}}
	d := json.NewDecoder(bytes.NewReader(data))
	d.Token() // the brace
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, notJSON(data)
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return nil, notJSON(data)
		}
		if _, twice := r.left[name.(string)]; twice { // which of the two would the service take?
			return nil, &Error{Reason: Conflict, Where: name.(string), Text: "the property stands twice"}
		}
		r.left[name.(string)] = value
	}
	return r, nil
}

// readList returns the elements of a list; null is the empty list.
func readList(data []byte) ([]json.RawMessage, *Error) {
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		if !json.Valid(data) {
			return nil, notJSON(data)
		}
		return nil, &Error{Reason: WrongType, Text: "a list is needed, not " + shorten(bytes.TrimSpace(data))}
	}
	return list, nil
}

func notJSON(data []byte) *Error {
	if len(bytes.TrimSpace(data)) == 0 {
		return &Error{Reason: NotJSON, Text: "empty"}
	}
	var any json.RawMessage
	return &Error{Reason: NotJSON, Err: json.Unmarshal(data, &any)}
}

// kind is the first byte of a JSON value: it tells its type.
func kind(data []byte) byte {
	data = bytes.TrimLeft(data, " \t\r\n")
	if len(data) == 0 {
		return 0
	}
	return data[0]
}

// take removes a property and returns its value. A null stays where it is: the
// typed field keeps its zero, and the null is written back from Extra.
func (r *reader) take(name string) (json.RawMessage, bool) {
	value, ok := r.left[name]
	if !ok || string(bytes.TrimSpace(value)) == "null" {
		return nil, false
	}
	delete(r.left, name)
	return value, true
}

func (r *reader) fail(err *Error, name string) {
	if r.err == nil {
		r.err = err.at(name)
	}
}

func readValue[T any](r *reader, name string, dst *T) {
	value, ok := r.take(name)
	if !ok {
		return
	}
	if json.Unmarshal(value, dst) != nil {
		var zero T
		*dst = zero
		r.fail(&Error{Reason: WrongType, Text: shorten(value)}, name)
	}
}

// binary reads an Edm.Binary. OData's JSON format says base64url, Microsoft
// Graph writes the standard alphabet with padding; both are read, and line
// breaks are passed over.
func (r *reader) binary(name string, dst *[]byte) {
	var text string
	readValue(r, name, &text)
	if r.err != nil || text == "" {
		return
	}
	if strings.Contains(text, "-----BEGIN") { // whose hyphens and letters base64url has too
		r.fail(&Error{Reason: NotBase64, Text: "PEM text: give the base64 between its header and footer lines"}, name)
		return
	}
	plain := strings.Map(func(c rune) rune {
		switch c {
		case '-':
			return '+'
		case '_':
			return '/'
		case ' ', '\t', '\r', '\n':
			return -1
		}
		return c
	}, text)
	der, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(plain, "="))
	if err != nil {
		r.fail(&Error{Reason: NotBase64, Text: shorten([]byte(text))}, name)
		return
	}
	*dst = der
}

// rest returns what was not taken, nil if nothing is left.
func (r *reader) rest() map[string]json.RawMessage {
	if len(r.left) == 0 {
		return nil
	}
	return r.left
}

// A writer builds one JSON object, the known properties in the order in which
// Microsoft Graph's pages list them, with OData annotations in front and other
// unknown properties behind.
type writer struct {
	buf   bytes.Buffer
	extra map[string]json.RawMessage
	err   error
}

func newWriter(extra map[string]json.RawMessage) *writer {
	w := &writer{extra: maps.Clone(extra)}
	w.buf.WriteByte('{')
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		if strings.HasPrefix(name, "@") {
			w.raw(name, extra[name])
		}
	}
	return w
}

// raw writes one property; a value for it in extra is overridden.
func (w *writer) raw(name string, value json.RawMessage) {
	delete(w.extra, name)
	if w.buf.Len() > 1 {
		w.buf.WriteByte(',')
	}
	key, _ := json.Marshal(name)
	w.buf.Write(key)
	w.buf.WriteByte(':')
	// Compact refuses a value that is not JSON, which only a caller's own
	// Extra can hold.
	if err := json.Compact(&w.buf, value); err != nil && w.err == nil {
		w.err = &Error{Reason: NotJSON, Where: name, Err: err}
	}
}

func (w *writer) value(name string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		if w.err == nil {
			w.err = err
		}
		return
	}
	w.raw(name, text)
}

func (w *writer) text(name, v string) {
	if v != "" {
		w.value(name, v)
	}
}

func (w *writer) time(name string, v time.Time) {
	if !v.IsZero() {
		w.value(name, v)
	}
}

func (w *writer) bytes() ([]byte, error) {
	for _, name := range slices.Sorted(maps.Keys(w.extra)) {
		if !strings.HasPrefix(name, "@") {
			w.raw(name, w.extra[name])
		}
	}
	w.buf.WriteByte('}')
	if w.err != nil {
		return nil, w.err
	}
	return w.buf.Bytes(), nil
}

// unwrap returns what an answer of Microsoft Graph holds in its "value"
// property: the list of a collection, or the object that the samples for one PKI
// and one CA wrap the same way (open question 9.19). Anything else is returned
// as it is. A page of a longer list is an error: every conclusion from it would
// be wrong.
func unwrap(data []byte) (json.RawMessage, *Error) {
	if kind(data) != '{' {
		return data, nil
	}
	r, err := readObject(data)
	if err != nil {
		return nil, err
	}
	object := r.left
	value, ok := object["value"]
	if !ok {
		return data, nil
	}
	for name := range object {
		if name != "value" && !strings.HasPrefix(name, "@") {
			return data, nil // an object with a property of that name
		}
	}
	if next, ok := object["@odata.nextLink"]; ok {
		return nil, &Error{Reason: Incomplete, Where: "@odata.nextLink", Text: shorten(next)}
	}
	return value, nil
}
