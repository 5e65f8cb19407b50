package wire

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// Scan reports whether a text is surely one that [Text] passes: it reads the text once,
// as a list of a million users needs it, and makes nothing. There must be no white space
// around the text. Of every value that it has read, at any level, the inner ones first, it
// asks ask, if there is one: name is the name of the property without its quotes, nil for
// what is none's. The text is sound only if Scan returns true, whatever ask was given.
//
// That it returns false says nothing: it knows no escapes in names, no byte order mark,
// no object of more than 32 properties, and none with two names that differ in the case of
// ASCII letters only, of which a reader may have to say that it takes neither. Text looks again, and says what is wrong.
func Scan(text []byte, ask func(name, value []byte) bool) bool {
	s := scan{text, ask}
	return s.value(0, 0, nil) == len(text)
}

// maxNames bounds the objects that Scan reads: it compares each name with all others.
const maxNames = 32

// A scan is a text that is read once. Its methods return where what begins at a byte
// ends, -1 if it is not sound, or may not be.
type scan struct {
	text []byte
	ask  func(name, value []byte) bool
}

func (s *scan) value(at, depth int, name []byte) int {
	if at >= len(s.text) || depth > maxDepth {
		return -1
	}
	end := -1
	switch s.text[at] {
	case '"':
		end = s.quoted(at)
	case '{':
		end = s.object(at, depth)
	case '[':
		end = s.array(at, depth)
	case 't':
		end = s.word(at, "true")
	case 'f':
		end = s.word(at, "false")
	case 'n':
		end = s.word(at, "null")
	default:
		end = s.number(at)
	}
	if end < 0 || s.ask != nil && !s.ask(name, s.text[at:end]) {
		return -1
	}
	return end
}

func (s *scan) object(at, depth int) int {
	var names [maxNames][]byte
	at = s.space(at + 1)
	if s.is(at, '}') {
		return at + 1
	}
	for n := range names {
		if !s.is(at, '"') {
			return -1
		}
		end := s.quoted(at)
		if end < 0 {
			return -1
		}
		name := s.text[at+1 : end-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			return -1
		}
		for _, other := range names[:n] {
			if len(name) == len(other) && sameFold(name, other) {
				return -1
			}
		}
		names[n] = name
		if at = s.space(end); !s.is(at, ':') {
			return -1
		}
		if at = s.value(s.space(at+1), depth+1, name); at < 0 {
			return -1
		}
		at = s.space(at)
		if s.is(at, '}') {
			return at + 1
		}
		if !s.is(at, ',') {
			return -1
		}
		at = s.space(at + 1)
	}
	return -1
}

// sameFold compares names of one length without regard to the letter case of ASCII.
func sameFold(a, b []byte) bool {
	for i := range a {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func (s *scan) array(at, depth int) int {
	at = s.space(at + 1)
	if s.is(at, ']') {
		return at + 1
	}
	for {
		if at = s.value(at, depth+1, nil); at < 0 {
			return -1
		}
		at = s.space(at)
		if s.is(at, ']') {
			return at + 1
		}
		if !s.is(at, ',') {
			return -1
		}
		at = s.space(at + 1)
	}
}

// quoted reads a string.
func (s *scan) quoted(at int) int {
	begin := at + 1
	n := bytes.IndexByte(s.text[begin:], '"')
	if n < 0 {
		return -1
	}
	if isSimple(s.text[begin : begin+n]) {
		return begin + n + 1
	}
	for at = begin; at < len(s.text); at++ {
		switch c := s.text[at]; {
		case c == '"':
			if !utf8.Valid(s.text[begin:at]) {
				return -1
			}
			return at + 1
		case c < ' ':
			return -1
		case c == '\\':
			if at++; at >= len(s.text) {
				return -1
			}
			switch s.text[at] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if at+4 >= len(s.text) || !isHex(s.text[at+1:at+5]) {
					return -1
				}
				at += 4
			default:
				return -1
			}
		}
	}
	return -1
}

// isSimple reports whether a text has only ASCII, no control characters and no
// backslash. It looks at eight bytes at a time, as certificates in base64 are long.
func isSimple(text []byte) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; len(text) >= 8; text = text[8:] {
		eight := binary.LittleEndian.Uint64(text)
		slash := eight ^ ones*'\\'
		// A byte with its top bit set, one less than a space, one that is zero.
		if (eight|(eight-ones*' ')|(slash-ones)&^slash)&tops != 0 {
			return false
		}
	}
	for _, c := range text {
		if c < ' ' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isHex(text []byte) bool {
	for _, c := range text {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return true
}

func (s *scan) word(at int, word string) int {
	if end := at + len(word); end <= len(s.text) && string(s.text[at:end]) == word {
		return end
	}
	return -1
}

// number reads a number as RFC 8259 has it.
func (s *scan) number(at int) int {
	if s.is(at, '-') {
		at++
	}
	begin := at
	if at = s.digits(at); at < 0 || s.text[begin] == '0' && at > begin+1 {
		return -1
	}
	if s.is(at, '.') {
		if at = s.digits(at + 1); at < 0 {
			return -1
		}
	}
	if s.is(at, 'e') || s.is(at, 'E') {
		if at++; s.is(at, '+') || s.is(at, '-') {
			at++
		}
		at = s.digits(at)
	}
	return at
}

// digits reads at least one digit.
func (s *scan) digits(at int) int {
	begin := at
	for at < len(s.text) && s.text[at] >= '0' && s.text[at] <= '9' {
		at++
	}
	if at == begin {
		return -1
	}
	return at
}

func (s *scan) is(at int, c byte) bool { return at < len(s.text) && s.text[at] == c }

func (s *scan) space(at int) int {
	for at < len(s.text) && (s.text[at] == ' ' || s.text[at] == '\t' || s.text[at] == '\r' || s.text[at] == '\n') {
		at++
	}
	return at
}
