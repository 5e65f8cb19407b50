package graphtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"

	"example.com/entracba/cba/internal/wire"
)

// parseJSON reads one JSON value into maps, slices, strings, [json.Number],
// bool and nil. It refuses what OData refuses too: a name that stands twice,
// text after the value, text that is not UTF-8 or begins with a mark; and what nests
// too deep.
func parseJSON(data []byte) (any, error) {
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		return nil, errors.New("the text begins with a byte order mark")
	}
	text, err := wire.Text(data, math.MaxInt)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "wire: "))
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	err = d.Decode(&v)
	return v, err
}

// encode writes JSON as Graph does: <, > and & stay as they are.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte(`{}`) // only maps, slices and texts come here
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// clip keeps hostile text short in messages.
func clip(text string) string { return wire.Clip(text) }
