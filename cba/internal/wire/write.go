package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"
)

// Write writes a struct or a slice of structs as JSON without white space.
// Properties stand in the order in which they were read, those that are new last;
// in an object that was made in a program all stand in the order of its fields. A
// property that had a value and is empty now is written as null, a list as [].
//
// The error is for a time after the year 9999.
func Write(v any) ([]byte, error) {
	var w writer
	w.value(reflect.ValueOf(v), nil)
	if w.err != nil {
		return nil, w.err
	}
	return w.Bytes(), nil
}

type writer struct {
	bytes.Buffer
	err error
}

func (w *writer) object(v reflect.Value) {
	var members []Member
	if k, ok := v.Interface().(interface{ kept() []Member }); ok {
		members = k.kept()
	}
	list, _ := fields(v)
	w.WriteByte('{')
	begin := w.Len()
	name := func(name string) {
		if w.Len() > begin {
			w.WriteByte(',')
		}
		w.Write(Quote(name))
		w.WriteByte(':')
	}
	had := make(map[string]bool, len(members))
	for _, m := range members {
		had[m.Name] = true
		name(m.Name)
		if f := find(list, m.Name, false); f != nil {
			w.value(f.value, m.Raw)
		} else {
			w.Write(m.Raw)
		}
	}
	for _, f := range list {
		if !had[f.name] && (f.always && members == nil || !isEmpty(f.value)) {
			name(f.name)
			w.value(f.value, nil)
		}
	}
	w.WriteByte('}')
}

// isEmpty reports whether a Go value stands for a property that is absent.
func isEmpty(v reflect.Value) bool {
	if v.Type() == timeType {
		return v.Interface().(time.Time).IsZero()
	}
	if v.Kind() != reflect.Struct {
		return v.IsZero()
	}
	if k, ok := v.Interface().(interface{ kept() []Member }); ok && k.kept() != nil {
		return false
	}
	list, _ := fields(v)
	for _, f := range list {
		if !isEmpty(f.value) {
			return false
		}
	}
	return true
}

// value writes a Go value. had is the text that it was read from, nil if it is
// new: where it still says the same, it is written again.
func (w *writer) value(v reflect.Value, had json.RawMessage) {
	if isNull(had) && isEmpty(v) {
		w.WriteString("null")
		return
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			w.WriteString("null")
			return
		}
		v = v.Elem()
	}
	switch {
	case v.Type() == timeType:
		w.time(v.Interface().(time.Time), had)
	case v.Type() == bytesType:
		w.binary(v.Bytes(), had)
	case v.Kind() == reflect.Struct && had != nil && isEmpty(v):
		w.WriteString("null")
	case v.Kind() == reflect.Struct:
		w.object(v)
	case v.Kind() == reflect.Slice:
		w.list(v, had)
	default:
		w.plain(v, had)
	}
}

func (w *writer) list(v reflect.Value, had json.RawMessage) {
	before, _ := elements(had)
	w.WriteByte('[')
	for i := range v.Len() {
		if i > 0 {
			w.WriteByte(',')
		}
		element := v.Index(i)
		if i < len(before) && element.Kind() == reflect.String && before[i][0] == '"' && unquote(before[i]) == element.String() {
			w.Write(before[i])
		} else {
			w.value(element, nil)
		}
	}
	w.WriteByte(']')
}

func (w *writer) plain(v reflect.Value, had json.RawMessage) {
	was := reflect.New(v.Type()).Elem()
	if len(had) > 0 && decode(had, was, false) == nil && was.Equal(v) && !isNull(had) {
		w.Write(had)
		return
	}
	switch v.Kind() {
	case reflect.String:
		if v.Len() == 0 && had != nil {
			w.WriteString("null")
		} else {
			w.Write(Quote(v.String()))
		}
	case reflect.Int32:
		w.WriteString(strconv.FormatInt(v.Int(), 10))
	case reflect.Bool:
		w.WriteString(strconv.FormatBool(v.Bool()))
	}
}

func (w *writer) time(t time.Time, had json.RawMessage) {
	if t.IsZero() {
		w.emptied(had, t.Format(time.RFC3339))
		return
	}
	text, err := t.MarshalText()
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("wire: %w", err)
	}
	w.Write(Quote(string(text)))
}

func (w *writer) binary(data []byte, had json.RawMessage) {
	if len(data) == 0 && had != nil {
		w.emptied(had, "")
		return
	}
	w.Write(Quote(base64.StdEncoding.EncodeToString(data)))
}

// emptied writes a value that is empty: as it was, or as null.
func (w *writer) emptied(had json.RawMessage, zero string) {
	if len(had) > 0 && had[0] == '"' && unquote(had) == zero {
		w.Write(had)
		return
	}
	w.WriteString("null")
}
