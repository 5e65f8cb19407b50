package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	// maxDepth bounds nesting. The deepest documents that are read have ten levels.
	maxDepth = 64
	// maxElements bounds a list that is decoded: one element of a few bytes can
	// take hundreds in memory.
	maxElements = 1 << 16
)

// A Member is one property of an object: its name and the text of its value.
type Member struct {
	Name string
	Raw  json.RawMessage
}

// Text proves that data is one JSON value without doubled names, of at most most
// bytes and of bearable depth, and returns it without the byte order mark and the
// white space around it. Everything else here relies on it.
func Text(data []byte, most int) ([]byte, error) {
	text, err := checked(data, most)
	if err != nil {
		return nil, err
	}
	return text, nil
}

func checked(data []byte, most int) ([]byte, *Error) {
	if len(data) > most {
		return nil, &Error{Reason: TooLarge, Detail: fmt.Sprintf("%d bytes, at most %d are read", len(data), most)}
	}
	if text := bytes.Trim(data, " \t\r\n"); Scan(text, nil) {
		return text, nil
	}
	return examined(data)
}

// examined is checked for a text of which [Scan] is not sure: it says what is wrong.
func examined(data []byte) ([]byte, *Error) {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, &Error{Reason: BadSyntax, Detail: "the text is UTF-16; save it as UTF-8"}
	}
	text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	mark := int64(len(data) - len(text))
	if !json.Valid(text) {
		return nil, notJSON(text, mark)
	}
	if !utf8.Valid(text) {
		at := 0
		for r, size := utf8.DecodeRune(text); r != utf8.RuneError || size > 1; r, size = utf8.DecodeRune(text[at:]) {
			at += size
		}
		return nil, &Error{Reason: BadSyntax, Offset: mark + int64(at), Detail: "the text is not valid UTF-8"}
	}
	text = bytes.TrimSpace(text)
	if _, err := check(text, 0, 0); err != nil {
		return nil, located(err, data)
	}
	return text, nil
}

func notJSON(text []byte, mark int64) *Error {
	e := &Error{Reason: BadSyntax}
	if len(bytes.TrimSpace(text)) == 0 {
		e.Detail = "the text is empty, and JSON is expected"
		return e
	}
	var whole json.RawMessage
	err := json.Unmarshal(text, &whole)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		e.Offset = mark + syntax.Offset
		e.Detail = syntax.Error()
	}
	if strings.Contains(e.Detail, "max depth") {
		e.Reason = TooNested
	}
	return e
}

// check looks for doubled names and for depth in the valid value at a byte, and
// returns where the value ends.
func check(text []byte, at, depth int) (end int, err *Error) {
	if depth > maxDepth {
		return 0, &Error{Reason: TooNested, Detail: fmt.Sprintf("more than %d levels", maxDepth)}
	}
	switch text[at] {
	case '[':
		for i, at := 0, skip(text, at+1); ; i++ {
			if text[at] == ']' {
				return at + 1, nil
			}
			if at, err = check(text, at, depth+1); err != nil {
				return 0, within(pointer(strconv.Itoa(i)), err)
			}
			at = skip(text, at)
		}
	case '{':
		var seen names
		for at := skip(text, at+1); ; at = skip(text, at) {
			if text[at] == '}' {
				return at + 1, nil
			}
			end := valueEnd(text, at)
			name := text[at:end]
			if !seen.add(name) {
				return 0, &Error{Reason: DuplicateName, Where: pointer(unquote(name)), Detail: "the property appears twice"}
			}
			if at, err = check(text, skip(text, end), depth+1); err != nil {
				return 0, within(pointer(unquote(name)), err)
			}
		}
	}
	return valueEnd(text, at), nil
}

// names are the names of an object so far. Nearly all objects have few, and none with
// an escape.
type names struct {
	few  [16][]byte // as they stand in the text
	n    int
	many map[string]bool // from the seventeenth on, or where one has an escape
}

// add adds a name, as it stands in the text, and reports whether it is new.
func (s *names) add(name []byte) bool {
	if s.many == nil && s.n < len(s.few) && bytes.IndexByte(name, '\\') < 0 {
		for _, other := range s.few[:s.n] {
			if bytes.Equal(other, name) {
				return false
			}
		}
		s.few[s.n] = name
		s.n++
		return true
	}
	if s.many == nil {
		s.many = map[string]bool{}
		for _, other := range s.few[:s.n] {
			s.many[unquote(other)] = true
		}
	}
	text := unquote(name)
	if s.many[text] {
		return false
	}
	s.many[text] = true
	return true
}

// Each calls yield for every property of an object that [Text] has passed, until yield
// returns false. It makes nothing, unless a name has escapes.
func Each(text []byte, yield func(name, value []byte) bool) {
	for at := skip(text, 1); text[at] != '}'; at = skip(text, at) {
		end := valueEnd(text, at)
		name := text[at+1 : end-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			name = []byte(unquote(text[at:end]))
		}
		at = skip(text, end)
		end = valueEnd(text, at)
		if !yield(name, text[at:end]) {
			return
		}
		at = end
	}
}

// Members takes an object apart that [Text] has passed. The values share its
// memory.
func Members(text []byte) ([]Member, error) {
	members, err := split(text)
	if err != nil {
		return nil, err
	}
	return members, nil
}

func split(text []byte) ([]Member, *Error) {
	if len(text) == 0 || text[0] != '{' {
		return nil, wrong("an object", text)
	}
	members := make([]Member, 0, 12)
	for at := skip(text, 1); text[at] != '}'; at = skip(text, at) {
		end := valueEnd(text, at)
		name := unquote(text[at:end])
		at = skip(text, end)
		end = valueEnd(text, at)
		members = append(members, Member{name, text[at:end]})
		at = end
	}
	return members, nil
}

// EachElement calls yield for every element of an array that [Text] has passed, until
// yield returns false.
func EachElement(text []byte, yield func(element []byte) bool) {
	for at := skip(text, 1); text[at] != ']'; at = skip(text, at) {
		end := valueEnd(text, at)
		if !yield(text[at:end]) {
			return
		}
		at = end
	}
}

// Elements takes an array apart that [Text] has passed. The values share its
// memory.
func Elements(text []byte) ([]json.RawMessage, error) {
	list, err := elements(text)
	if err != nil {
		return nil, err
	}
	return list, nil
}

func elements(text []byte) ([]json.RawMessage, *Error) {
	if len(text) == 0 || text[0] != '[' {
		return nil, wrong("an array", text)
	}
	list := []json.RawMessage{}
	for at := skip(text, 1); text[at] != ']'; at = skip(text, at) {
		if len(list) == maxElements {
			return nil, tooLong()
		}
		end := valueEnd(text, at)
		list = append(list, text[at:end])
		at = end
	}
	return list, nil
}

// Object returns the object in a text that [Text] has passed, out of its envelope.
func Object(text []byte) ([]byte, error) {
	inner, _, err := unwrap(text)
	if err == nil && (len(inner) == 0 || inner[0] != '{') {
		err = wrong("an object", inner)
	}
	if err != nil {
		return nil, err
	}
	return inner, nil
}

// Unwrap returns what stands in {"value": ...} beside annotations, if that is an
// object or an array, and where: "/value". Any other text is returned as it is. A
// page of a longer list is an error: every conclusion from it would be wrong.
func Unwrap(text []byte) (inner []byte, where string, err error) {
	inner, where, e := unwrap(text)
	if e != nil {
		return nil, "", e
	}
	return inner, where, nil
}

func unwrap(text []byte) ([]byte, string, *Error) {
	if len(text) == 0 || text[0] != '{' {
		return text, "", nil
	}
	var value, next []byte
	envelope := true
	Each(text, func(name, raw []byte) bool {
		switch {
		case string(name) == "value" && (raw[0] == '{' || raw[0] == '['):
			value = raw
		case string(name) == "@odata.nextLink" && !isNull(raw):
			next = raw
		default:
			envelope = bytes.Contains(name, []byte("@odata."))
		}
		return envelope
	})
	switch {
	case value == nil || !envelope:
		return text, "", nil
	case next != nil:
		return nil, "", &Error{Reason: Incomplete, Where: pointer("@odata.nextLink"), Detail: "this is one page of a longer list; read all pages"}
	}
	return value, "/value", nil
}

// IsAnnotation reports whether a name is OData's and not a property:
// "@odata.context", "includeTargets@odata.context".
func IsAnnotation(name string) bool { return strings.Contains(name, "@odata.") }

// WithoutAnnotations returns an object without its own annotations; those of the
// objects inside stay. Text that is no object is returned as it is.
func WithoutAnnotations(text []byte) []byte {
	members, err := split(bytes.TrimSpace(text))
	if err != nil {
		return text
	}
	b := []byte{'{'}
	for _, m := range members {
		if IsAnnotation(m.Name) {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, Quote(m.Name)...), ':'), m.Raw...)
	}
	return append(b, '}')
}

// Offset returns the byte of a text at which the value that a JSON pointer names
// begins, and 0 if there is none. Of a property that stands twice it is the
// second. The text must be JSON; a byte order mark is passed over.
func Offset(data []byte, where string) int64 {
	text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	base := len(data) - len(text)
	at := 0
	for at < len(text) && strings.IndexByte(" \t\r\n", text[at]) >= 0 {
		at++
	}
	if where == "" {
		return int64(base + at)
	}
	for _, name := range strings.Split(where[1:], "/") {
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		found := -1
		switch text[at] {
		case '[':
			index, err := strconv.Atoi(name)
			if err != nil {
				return 0
			}
			at = skip(text, at+1)
			for ; index > 0 && text[at] != ']'; index-- {
				at = skip(text, valueEnd(text, at))
			}
			if text[at] != ']' {
				found = at
			}
		case '{':
			for at = skip(text, at+1); text[at] != '}'; {
				end := valueEnd(text, at)
				value := skip(text, end)
				if unquote(text[at:end]) == name {
					found = value
				}
				at = skip(text, valueEnd(text, value))
			}
		}
		if found < 0 {
			return 0
		}
		at = found
	}
	return int64(base + at)
}

// located fills in the offset of an error from its place.
func located(e *Error, data []byte) *Error {
	if e != nil && e.Offset == 0 {
		e.Offset = Offset(data, e.Where)
	}
	return e
}

// skip steps over white space and the separators that a valid text has.
func skip(text []byte, at int) int {
	for strings.IndexByte(" \t\r\n,:", text[at]) >= 0 {
		at++
	}
	return at
}

// valueEnd returns the end of the valid value that begins at a byte.
func valueEnd(text []byte, at int) int {
	depth := 0
	for ; at < len(text); at++ {
		switch text[at] {
		case '"':
			at++
			// A string without an escape ends at the next quote, which is found at once.
			if n := bytes.IndexByte(text[at:], '"'); bytes.IndexByte(text[at:at+n], '\\') < 0 {
				at += n
			}
			for ; text[at] != '"'; at++ {
				if text[at] == '\\' {
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

func isNull(raw []byte) bool { return len(raw) > 0 && raw[0] == 'n' }

func kindOf(raw []byte) string {
	if len(raw) == 0 {
		return "nothing"
	}
	switch raw[0] {
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

// unquote reads a valid JSON string. A half of a character stands for U+FFFD, as in
// encoding/json.
func unquote(raw []byte) string {
	raw = raw[1 : len(raw)-1]
	at := bytes.IndexByte(raw, '\\')
	if at < 0 {
		return string(raw)
	}
	var buf [128]byte
	text := append(buf[:0], raw[:at]...)
	for at < len(raw) {
		c := raw[at]
		at++
		if c != '\\' {
			text = append(text, c)
			continue
		}
		c = raw[at]
		at++
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex4(raw[at:])
			at += 4
			if utf16.IsSurrogate(r) {
				whole := rune(utf8.RuneError)
				if len(raw) >= at+6 && raw[at] == '\\' && raw[at+1] == 'u' {
					whole = utf16.DecodeRune(r, hex4(raw[at+2:]))
				}
				if r = whole; r != utf8.RuneError {
					at += 6
				}
			}
			text = utf8.AppendRune(text, r)
			continue
		}
		text = append(text, c)
	}
	return string(text)
}

// hex4 reads four hexadecimal digits.
func hex4(text []byte) (r rune) {
	for _, c := range text[:4] {
		switch {
		case c <= '9':
			c -= '0'
		default:
			c = (c | 0x20) - 'a' + 10
		}
		r = r<<4 | rune(c)
	}
	return r
}

// Quote writes a JSON string. Unlike json.Marshal it leaves <, > and & as they
// are, which stand in names, URLs and certificateUserIds.
func Quote(text string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(text) // a string always encodes
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
