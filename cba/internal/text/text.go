// Package text turns the bytes of text files into UTF-8, and values into the
// texts of messages, in one way for all packages. Names are shown by
// [example.com/entracba/cba/dn.Show].
package text

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxFile is the most that the readers of certificates, keys and requests take at
// once, in bytes: the largest bundle that Entra takes (2 MiB), with the overhead
// of PEM, is below it.
const MaxFile = 4 << 20

// An Encoding is how a text file is written.
type Encoding struct {
	Order binary.ByteOrder // of UTF-16; nil for UTF-8
	Mark  bool             // the file begins with a byte order mark
}

var (
	mark8  = []byte("\xef\xbb\xbf")
	markLE = []byte("\xff\xfe")
	markBE = []byte("\xfe\xff")
)

// Decode returns a text file as UTF-8 without byte order mark, and how it was
// written. UTF-16 is known by its mark, or by the zero bytes of its first two
// characters if these are ASCII. Anything else is returned as it is; it may not
// be text at all.
//
// ok is false if the text is not sound: UTF-8 with invalid bytes, which are
// returned unchanged, or UTF-16 with half a character, for which U+FFFD stands.
// The text may share memory with data.
func Decode(data []byte) (text []byte, from Encoding, ok bool) {
	switch {
	case bytes.HasPrefix(data, mark8):
		data, from.Mark = data[len(mark8):], true
	case bytes.HasPrefix(data, markLE):
		data, from = data[2:], Encoding{binary.LittleEndian, true}
	case bytes.HasPrefix(data, markBE):
		data, from = data[2:], Encoding{binary.BigEndian, true}
	case len(data) > 3 && data[0] != 0 && data[1] == 0 && data[2] != 0 && data[3] == 0:
		from.Order = binary.LittleEndian
	case len(data) > 3 && data[0] == 0 && data[1] != 0 && data[2] == 0 && data[3] != 0:
		from.Order = binary.BigEndian
	}
	if from.Order == nil {
		return data, from, utf8.Valid(data)
	}
	s, ok := FromUTF16(data, from.Order)
	return []byte(s), from, ok
}

// UTF8 is the text of [Decode] alone.
func UTF8(data []byte) []byte {
	text, _, _ := Decode(data)
	return text
}

// Encode writes UTF-8 text in the encoding, the inverse of [Decode].
func (e Encoding) Encode(text []byte) []byte {
	var out []byte
	switch {
	case e.Order == nil && !e.Mark:
		return text
	case e.Order == nil:
		return append(slices.Clone(mark8), text...)
	case e.Mark:
		out = AppendUTF16(out, "\ufeff", e.Order)
	}
	return AppendUTF16(out, string(text), e.Order)
}

// FromUTF16 reads UTF-16. ok is false, and U+FFFD stands for what is missing, if
// there is half a character.
func FromUTF16(b []byte, order binary.ByteOrder) (text string, ok bool) {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	runes := utf16.Decode(units)
	// A lone surrogate is decoded as U+FFFD, which is encoded as another unit.
	ok = len(b)%2 == 0 && slices.Equal(utf16.Encode(runes), units)
	if len(b)%2 != 0 {
		runes = append(runes, utf8.RuneError)
	}
	return string(runes), ok
}

// AppendUTF16 appends text in UTF-16; for each invalid byte U+FFFD is written.
func AppendUTF16(dst []byte, text string, order binary.ByteOrder) []byte {
	units := utf16.Encode([]rune(text))
	start := len(dst)
	dst = append(dst, make([]byte, 2*len(units))...)
	for i, unit := range units {
		order.PutUint16(dst[start+2*i:], unit)
	}
	return dst
}

// Time is a time in messages: RFC 3339, UTC, whole seconds.
func Time(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Count is a number with its noun.
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// Some lists names: the first ones, and how many more there are.
func Some(names []string, most int) string {
	if more := len(names) - most; more > 0 {
		return strings.Join(names[:most], ", ") + " and " + strconv.Itoa(more) + " more"
	}
	return strings.Join(names, ", ")
}

// most bounds Quote: longer than any value that a directory holds.
const most = 300

// Quote shows a text of any size and content in one line of bounded length: as a
// Go string, cut after 300 bytes.
func Quote(text string) string {
	if len(text) > most {
		return fmt.Sprintf("%q...", text[:most])
	}
	return fmt.Sprintf("%q", text)
}
