package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxJSON is the largest text, in bytes, that is read as a configuration or an
// object of one. The service keeps the whole authentication methods policy under
// 20 KB (Learn, manage authentication methods).
const MaxJSON = 1 << 20

// maxDepth bounds nesting. The configuration itself has five levels.
const maxDepth = 64

// A JSONError says why a text is not a configuration.
type JSONError struct {
	Reason JSONReason
	Path   string // the property, as in "certificateUserBindings[2].priority"; "" for the whole text
	Offset int64  // the byte where reading stopped, for BadSyntax; else 0
	Detail string // what was found
}

// A JSONReason is what is wrong with a JSON text. The zero value is unset.
type JSONReason uint8

const (
	// BadSyntax is text that is not JSON or not UTF-8, or that breaks off.
	BadSyntax JSONReason = iota + 1
	// DuplicateName is a property name that stands twice in an object, at any
	// level.
	DuplicateName
	// TooDeep is an object or array inside of too many others.
	TooDeep
	// TooLarge is text of more than [MaxJSON] bytes.
	TooLarge
	// WrongKind is a value of another kind than the property has, such as a
	// string for a number, or null in an array.
	WrongKind
	// OutOfRange is a number that does not fit 32 bits.
	OutOfRange
	// WrongObject is an object that says it is something else.
	WrongObject
)

// String says the reason in words.
func (r JSONReason) String() string {
	switch r {
	case BadSyntax:
		return "not JSON"
	case DuplicateName:
		return "property stands twice"
	case TooDeep:
		return "nested too deep"
	case TooLarge:
		return "text too large"
	case WrongKind:
		return "value of the wrong kind"
	case OutOfRange:
		return "number out of range"
	case WrongObject:
		return "not a certificate-based authentication configuration"
	}
	return fmt.Sprintf("JSONReason(%d)", uint8(r))
}

// Error returns "policy: reason, at path: detail".
func (e *JSONError) Error() string {
	s := "policy: " + e.Reason.String()
	if e.Path != "" {
		s += ", at " + e.Path
	}
	if e.Reason == BadSyntax && e.Offset > 0 {
		s += ", at byte " + strconv.FormatInt(e.Offset, 10)
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// within puts the name of the object that a value stands in before its path.
func within(name string, err error) error {
	var je *JSONError
	if !errors.As(err, &je) {
		return err
	}
	switch {
	case je.Path == "":
		je.Path = name
	case je.Path[0] == '[':
		je.Path = name + je.Path
	default:
		je.Path = name + "." + je.Path
	}
	return je
}

// wire remembers what the text of an object had, in its order. It is nil for an
// object that was made in a program. It is never changed after reading, so
// copies of an object may share it.
type wire struct {
	members []member
}

// A member is one property of an object: its name and the text of its value.
type member struct {
	name string
	raw  json.RawMessage
}

func (w *wire) setMembers(m []member) { w.members = m }
func (w wire) getMembers() []member   { return w.members }

// isAnnotation reports whether a name is OData's and not a property:
// "@odata.context", "includeTargets@odata.context".
func isAnnotation(name string) bool { return strings.Contains(name, "@odata.") }

// document checks what a file may have around JSON and returns the JSON.
func document(data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, &JSONError{Reason: BadSyntax, Detail: "the text is UTF-16; save it as UTF-8"}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if err := check(data); err != nil {
		return nil, err
	}
	return data, nil
}

// check proves that data is JSON without duplicate names and of bearable size
// and depth. split and the decoding below rely on it.
func check(data []byte) error {
	if len(data) > MaxJSON {
		return &JSONError{Reason: TooLarge, Detail: fmt.Sprintf("%d bytes, at most %d", len(data), MaxJSON)}
	}
	if !json.Valid(data) {
		var whole json.RawMessage
		err := json.Unmarshal(data, &whole)
		if err == nil { // cannot be
			return &JSONError{Reason: BadSyntax}
		}
		e := &JSONError{Reason: BadSyntax, Detail: strings.TrimPrefix(err.Error(), "json: ")}
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			e.Offset = syntax.Offset
		}
		if strings.Contains(e.Detail, "max depth") {
			e.Reason = TooDeep
		}
		return e
	}
	if !utf8.Valid(data) {
		return &JSONError{Reason: BadSyntax, Detail: "not valid UTF-8"}
	}
	return checkValue(bytes.TrimSpace(data), 0)
}

func checkValue(data []byte, depth int) error {
	if depth > maxDepth {
		return &JSONError{Reason: TooDeep, Detail: fmt.Sprintf("more than %d levels", maxDepth)}
	}
	switch data[0] {
	case '[':
		for i, element := range elements(data) {
			if err := checkValue(element, depth+1); err != nil {
				return within("["+strconv.Itoa(i)+"]", err)
			}
		}
	case '{':
		members, err := split(data)
		if err != nil {
			return err
		}
		var seen map[string]bool
		if len(members) > 1 {
			seen = make(map[string]bool, len(members))
		}
		for _, m := range members {
			if seen[m.name] {
				return &JSONError{Reason: DuplicateName, Path: shown(m.name)}
			}
			if seen != nil {
				seen[m.name] = true
			}
			if err := checkValue(m.raw, depth+1); err != nil {
				return within(shown(m.name), err)
			}
		}
	}
	return nil
}

// clip keeps hostile text short in errors and findings.
func clip(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	cut := most
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "..."
}

// split takes a valid object apart. The values share data's memory.
func split(data []byte) ([]member, error) {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || data[0] != '{' {
		return nil, &JSONError{Reason: WrongKind, Detail: "want an object, have " + kindOf(data)}
	}
	members := []member{}
	for at := 1; ; {
		at = skipTo(data, at)
		if data[at] == '}' {
			return members, nil
		}
		end := valueEnd(data, at)
		name, ok := unquote(data[at:end])
		if !ok {
			return nil, &JSONError{Reason: BadSyntax, Detail: "bad property name"}
		}
		at = skipTo(data, end)
		end = valueEnd(data, at)
		members = append(members, member{name, data[at:end]})
		at = end
	}
}

// elements takes a valid array apart.
func elements(data []byte) []json.RawMessage {
	list := []json.RawMessage{}
	for at := 1; ; {
		at = skipTo(data, at)
		if data[at] == ']' {
			return list
		}
		end := valueEnd(data, at)
		list = append(list, data[at:end])
		at = end
	}
}

// skipTo steps over white space and the separators that a valid text has.
func skipTo(data []byte, at int) int {
	for strings.IndexByte(" \t\r\n,:", data[at]) >= 0 {
		at++
	}
	return at
}

// valueEnd returns the end of the valid value that begins at a byte.
func valueEnd(data []byte, at int) int {
	depth := 0
	for ; at < len(data); at++ {
		switch data[at] {
		case '"':
			for at++; data[at] != '"'; at++ {
				if data[at] == '\\' {
					at++
				}
			}
			if depth == 0 {
				return at + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return at // the end of a number or a word
			}
			if depth--; depth == 0 {
				return at + 1
			}
		case ' ', '\t', '\r', '\n', ',', ':':
			if depth == 0 {
				return at
			}
		}
	}
	return at
}

func kindOf(data []byte) string {
	if len(data) == 0 {
		return "nothing"
	}
	switch data[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// replace reads an object into *v, which it leaves alone on an error.
func replace[T any](data []byte, v *T) error {
	var read T
	if err := unmarshal(data, &read); err != nil {
		return err
	}
	*v = read
	return nil
}

// unmarshal reads the object in data into v, a pointer to a zero struct that
// embeds a wire.
func unmarshal(data []byte, v any) error {
	if err := check(data); err != nil {
		return err
	}
	return decode(data, v)
}

// decode is unmarshal for a text that check has passed.
func decode(data []byte, v any) error {
	var b bytes.Buffer // all values are kept as parts of this copy
	if err := json.Compact(&b, data); err != nil {
		return &JSONError{Reason: BadSyntax, Detail: err.Error()}
	}
	return decodeObject(b.Bytes(), reflect.ValueOf(v).Elem())
}

func decodeObject(data []byte, v reflect.Value) error {
	members, err := split(data)
	if err != nil {
		return err
	}
	for _, m := range members {
		if field := fieldByName(v, m.name); field.IsValid() {
			if err := decodeValue(m.raw, field); err != nil {
				return within(m.name, err)
			}
		}
	}
	v.Addr().Interface().(interface{ setMembers([]member) }).setMembers(members)
	return nil
}

// fieldByName returns the field for a property, exactly as it is spelled.
func fieldByName(v reflect.Value, name string) reflect.Value {
	typ := v.Type()
	for i := 1; i < typ.NumField(); i++ { // the first is the wire
		if typ.Field(i).Tag.Get("json") == name {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

// decodeValue reads a value into a zero field.
func decodeValue(raw json.RawMessage, field reflect.Value) error {
	wrong := func(want string) error {
		return &JSONError{Reason: WrongKind, Detail: "want " + want + ", have " + kindOf(raw)}
	}
	if raw[0] == 'n' { // null leaves the field as it is
		return nil
	}
	switch field.Kind() {
	case reflect.String:
		if raw[0] != '"' {
			return wrong("a string")
		}
		text, ok := unquote(raw)
		if !ok {
			return wrong("a string")
		}
		field.SetString(text)
	case reflect.Bool:
		if raw[0] != 't' && raw[0] != 'f' {
			return wrong("a boolean")
		}
		field.SetBool(raw[0] == 't')
	case reflect.Int32:
		if raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
			return wrong("a number")
		}
		n, err := strconv.ParseInt(string(raw), 10, 32)
		if errors.Is(err, strconv.ErrRange) {
			return &JSONError{Reason: OutOfRange, Detail: clip(string(raw))}
		}
		if err != nil {
			return &JSONError{Reason: WrongKind, Detail: "want a whole number, have " + clip(string(raw))}
		}
		field.SetInt(n)
	case reflect.Struct:
		return decodeObject(raw, field)
	case reflect.Slice:
		if raw[0] != '[' {
			return wrong("an array")
		}
		list := elements(raw)
		field.Set(reflect.MakeSlice(field.Type(), len(list), len(list)))
		for i, element := range list {
			err := error(&JSONError{Reason: WrongKind, Detail: "null in an array"})
			if element[0] != 'n' {
				err = decodeValue(element, field.Index(i))
			}
			if err != nil {
				return within("["+strconv.Itoa(i)+"]", err)
			}
		}
	}
	return nil
}

// marshal writes a struct that embeds a wire.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encodeObject(&b, reflect.ValueOf(v))
	return b.Bytes(), nil
}

func encodeObject(b *bytes.Buffer, v reflect.Value) {
	members := v.Interface().(interface{ getMembers() []member }).getMembers()
	b.WriteByte('{')
	begin := b.Len()
	name := func(name string) {
		if b.Len() > begin {
			b.WriteByte(',')
		}
		b.Write(quote(name))
		b.WriteByte(':')
	}
	had := make(map[string]bool, len(members))
	for _, m := range members {
		had[m.name] = true
		name(m.name)
		if field := fieldByName(v, m.name); field.IsValid() {
			encodeValue(b, field, m.raw)
		} else {
			b.Write(m.raw)
		}
	}
	for i := 1; i < v.NumField(); i++ {
		tag := v.Type().Field(i).Tag
		always := members == nil && tag.Get("wire") == "always"
		if !had[tag.Get("json")] && (always || !isEmpty(v.Field(i))) {
			name(tag.Get("json"))
			encodeValue(b, v.Field(i), nil)
		}
	}
	b.WriteByte('}')
}

// isEmpty reports whether a field stands for a property that is absent.
func isEmpty(field reflect.Value) bool {
	if field.Kind() != reflect.Struct {
		return field.IsZero()
	}
	if field.Interface().(interface{ getMembers() []member }).getMembers() != nil {
		return false
	}
	for i := 1; i < field.NumField(); i++ {
		if !isEmpty(field.Field(i)) {
			return false
		}
	}
	return true
}

// encodeValue writes a field. had is the text that it was read from, nil if it
// is new: where it still says the same it is written again.
func encodeValue(b *bytes.Buffer, field reflect.Value, had json.RawMessage) {
	if len(had) > 0 && had[0] == 'n' && isEmpty(field) {
		b.WriteString("null")
		return
	}
	switch field.Kind() {
	case reflect.Struct:
		if isEmpty(field) {
			b.WriteString("null")
			return
		}
		encodeObject(b, field)
	case reflect.Slice:
		var before []json.RawMessage
		if len(had) > 0 && had[0] == '[' {
			before = elements(had)
		}
		b.WriteByte('[')
		for i := range field.Len() {
			if i > 0 {
				b.WriteByte(',')
			}
			element := field.Index(i)
			switch {
			case element.Kind() == reflect.Struct:
				encodeObject(b, element)
			case i < len(before) && isText(before[i], element.String()):
				b.Write(before[i])
			default:
				b.Write(quote(element.String()))
			}
		}
		b.WriteByte(']')
	default:
		was := reflect.New(field.Type()).Elem()
		if len(had) > 0 && decodeValue(had, was) == nil && was.Equal(field) {
			b.Write(had)
			return
		}
		switch field.Kind() {
		case reflect.String:
			if field.Len() == 0 {
				b.WriteString("null")
			} else {
				b.Write(quote(field.String()))
			}
		case reflect.Int32:
			b.WriteString(strconv.FormatInt(field.Int(), 10))
		case reflect.Bool:
			b.WriteString(strconv.FormatBool(field.Bool()))
		}
	}
}

// isText reports whether a JSON value is the string.
func isText(raw json.RawMessage, text string) bool {
	was, ok := unquote(raw)
	return ok && was == text
}

// unquote reads a valid JSON string.
func unquote(raw []byte) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), true
	}
	var text string
	err := json.Unmarshal(raw, &text)
	return text, err == nil
}

// quote writes a JSON string. Unlike json.Marshal it leaves <, > and & as they
// are, which stand in names and in certificateUserIds.
func quote(text string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(text) != nil { // a string always encodes
		return []byte(`""`)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
