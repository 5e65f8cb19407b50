package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kept remembers what the text of an object had, in its order. It is empty in an
// object that was made in a program. It is never changed after reading, so copies
// of an object may share it.
type Kept struct {
	members []Member
}

func (k *Kept) keep(m []Member) { k.members = m }
func (k Kept) kept() []Member   { return k.members }

// MembersOf returns what the text of an object had; nil if it had no text. The
// list must not be changed.
func MembersOf(k Kept) []Member { return k.members }

// KeptOf is the inverse of [MembersOf].
func KeptOf(m []Member) Kept { return Kept{m} }

// Read reads a text into *v: a struct or a slice of structs. On an error it
// leaves *v alone. The error is an [*Error].
func Read[T any](data []byte, most int, v *T) error { return read(data, most, v, false) }

// ReadWrapped is [Read] for a text that may be in an envelope, see [Unwrap]; for a
// struct the envelope may hold a list of one.
func ReadWrapped[T any](data []byte, most int, v *T) error { return read(data, most, v, true) }

func read[T any](data []byte, most int, v *T, wrapped bool) error {
	if v == nil {
		return &Error{Reason: WrongType, Detail: "there is nothing to read into: the pointer is nil"}
	}
	text, e := checked(data, most)
	if e != nil {
		return e
	}
	var in T
	if e := decodeText(text, reflect.ValueOf(&in).Elem(), wrapped); e != nil {
		return located(e, data)
	}
	*v = in
	return nil
}

func decodeText(text []byte, v reflect.Value, wrapped bool) *Error {
	var b bytes.Buffer // all values are kept as parts of this copy
	if err := json.Compact(&b, text); err != nil {
		return &Error{Reason: BadSyntax, Detail: err.Error()}
	}
	return decodeWrapped(b.Bytes(), v, wrapped)
}

func decodeWrapped(raw []byte, v reflect.Value, wrapped bool) *Error {
	where := ""
	var err *Error
	switch {
	case wrapped && v.Kind() == reflect.Struct:
		raw, where, err = only(raw)
	case wrapped:
		raw, where, err = unwrap(raw)
	}
	if err != nil {
		return err
	}
	if isNull(raw) { // elsewhere null is absent, but here something is needed
		return within(where, wrong("an object or array", raw))
	}
	return within(where, decode(raw, v, wrapped))
}

// only returns the one value in an envelope, or in a list in one, and where it stands.
func only(raw []byte) (value []byte, where string, err *Error) {
	if raw, where, err = unwrap(raw); err != nil || len(raw) == 0 || raw[0] != '[' {
		return raw, where, err
	}
	list, err := elements(raw)
	if err != nil {
		return nil, "", within(where, err)
	}
	if len(list) != 1 {
		return nil, "", within(where, &Error{Reason: WrongType, Detail: fmt.Sprintf("want one object, have a list of %d", len(list))})
	}
	return list[0], where + "/0", nil
}

// A field is one property of a struct.
type field struct {
	value          reflect.Value
	name, also     string
	always, unwrap bool
	taken          bool // read already
}

// fields returns the properties of a struct in their order, and whether it keeps
// what it has no field for.
func fields(v reflect.Value) (list []field, keeps bool) {
	typ := v.Type()
	list = make([]field, 0, typ.NumField())
	keeps = reflect.PointerTo(typ).Implements(keeper)
	for i := range typ.NumField() {
		f := typ.Field(i)
		if f.Anonymous || !f.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		p := field{value: v.Field(i), name: name}
		for options := f.Tag.Get("wire"); options != ""; {
			var option string
			option, options, _ = strings.Cut(options, ",")
			switch also, is := strings.CutPrefix(option, "also="); {
			case is:
				p.also = also
			case option == "always":
				p.always = true
			case option == "unwrap":
				p.unwrap = true
			}
		}
		list = append(list, p)
	}
	return list, keeps
}

var keeper = reflect.TypeFor[interface{ keep([]Member) }]()

func find(list []field, name string, fold bool) *field {
	for i := range list {
		if list[i].name == name {
			return &list[i]
		}
	}
	for i := range list {
		if fold && strings.EqualFold(list[i].name, name) {
			return &list[i]
		}
	}
	return nil
}

func decodeObject(raw []byte, v reflect.Value) *Error {
	members, err := split(raw)
	if err != nil {
		return err
	}
	list, keeps := fields(v)
	for _, f := range list {
		if f.also != "" {
			if members, err = oneName(members, f); err != nil {
				return err
			}
		}
	}
	for _, m := range members {
		f := find(list, m.Name, !keeps)
		if f == nil {
			continue
		}
		if f.taken { // in another letter case
			return within(pointer(m.Name), Twice())
		}
		f.taken = true
		value, deeper := []byte(m.Raw), ""
		if f.unwrap {
			if value, deeper, err = unwrap(value); err != nil {
				return within(pointer(m.Name), err)
			}
		}
		if err := decode(value, f.value, f.unwrap); err != nil {
			return within(pointer(m.Name)+deeper, err)
		}
	}
	if keeps {
		v.Addr().Interface().(interface{ keep([]Member) }).keep(members)
	}
	return nil
}

// oneName brings a property with two names under the first of them.
func oneName(members []Member, f field) ([]Member, *Error) {
	index := func(name string) int {
		return slices.IndexFunc(members, func(m Member) bool { return m.Name == name })
	}
	first, other := index(f.name), index(f.also)
	switch {
	case other < 0:
		return members, nil
	case first < 0:
		members[other].Name = f.name
		return members, nil
	case isNull(members[first].Raw):
		members[first].Raw = members[other].Raw
	case !isNull(members[other].Raw) && !bytes.Equal(members[first].Raw, members[other].Raw):
		return nil, &Error{Reason: DuplicateName, Where: pointer(f.name),
			Detail: fmt.Sprintf("%s, but %s is %s", Clip(string(members[first].Raw)), f.also, Clip(string(members[other].Raw)))}
	}
	return slices.Delete(members, other, other+1), nil
}

var (
	timeType  = reflect.TypeFor[time.Time]()
	bytesType = reflect.TypeFor[[]byte]()
)

// decode reads a value into a zero Go value. Null leaves it as it is.
func decode(raw []byte, v reflect.Value, wrapped bool) *Error {
	if isNull(raw) {
		return nil
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		text, err := String(raw)
		v.SetString(text)
		return err
	case reflect.Bool:
		is, err := Bool(raw)
		v.SetBool(is)
		return err
	case reflect.Int32:
		n, err := Int32(raw)
		v.SetInt(int64(n))
		return err
	case reflect.Struct:
		if v.Type() == timeType {
			return decodeTime(raw, v)
		}
		return decodeObject(raw, v)
	case reflect.Slice:
		if v.Type() == bytesType {
			return decodeBinary(raw, v)
		}
		return decodeList(raw, v, wrapped)
	}
	return nil
}

func decodeList(raw []byte, v reflect.Value, wrapped bool) *Error {
	list, err := elements(raw)
	if err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
	for i, element := range list {
		if err := decodeWrapped(element, v.Index(i), wrapped); err != nil {
			return within(pointer(strconv.Itoa(i)), err)
		}
	}
	return nil
}

func decodeTime(raw []byte, v reflect.Value) *Error {
	if raw[0] != '"' {
		return wrong("a time", raw)
	}
	var t time.Time
	if t.UnmarshalText([]byte(unquote(raw))) != nil {
		return &Error{Reason: WrongType, Detail: "want a time as in 2025-06-23T10:00:00Z, have " + Clip(string(raw))}
	}
	v.Set(reflect.ValueOf(t))
	return nil
}

// decodeBinary reads an Edm.Binary. OData's JSON format says base64url, Microsoft
// Graph writes the standard alphabet with padding; both are read, and line breaks
// are passed over.
func decodeBinary(raw []byte, v reflect.Value) *Error {
	if raw[0] != '"' {
		return wrong("base64", raw)
	}
	text := unquote(raw)
	if text == "" {
		return nil
	}
	if strings.Contains(text, "-----BEGIN") { // its hyphens and letters are those of base64url
		return &Error{Reason: NotBase64, Detail: "this is PEM text; give the base64 between its header and footer lines"}
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
	data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(plain, "="))
	if err != nil {
		return &Error{Reason: NotBase64, Detail: Shown(text)}
	}
	v.SetBytes(data)
	return nil
}
