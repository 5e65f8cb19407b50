package text_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"example.com/entracba/cba/internal/text"
)

func TestDecode(t *testing.T) {
	little, big := text.Encoding{Order: binary.LittleEndian}, text.Encoding{Order: binary.BigEndian}
	marked := func(e text.Encoding) text.Encoding { e.Mark = true; return e }
	for _, c := range []struct {
		in, want string
		from     text.Encoding
		ok       bool
	}{
		{"", "", text.Encoding{}, true},
		{"abc", "abc", text.Encoding{}, true},
		{"\xef\xbb\xbfabc", "abc", text.Encoding{Mark: true}, true},
		{"\xef\xbb\xbf", "", text.Encoding{Mark: true}, true},
		{"caf\xe9", "caf\xe9", text.Encoding{}, false},
		{"\xff\xfea\x00\xfc\x00", "aü", marked(little), true},
		{"\xfe\xff\x00a\x00\xfc", "aü", marked(big), true},
		{"\xff\xfe", "", marked(little), true},
		{"a\x00b\x00", "ab", little, true},
		{"\x00a\x00b", "ab", big, true},
		{"\x00a\x01b", "\x00a\x01b", text.Encoding{}, true}, // the second character is not ASCII
		{"\x00a\x00\x00", "\x00a\x00\x00", text.Encoding{}, true},
		{"a\x00b\x01", "a\x00b\x01", text.Encoding{}, true},
		{"\x3d\xd8\x00\xde", "\x3d\xd8\x00\xde", text.Encoding{}, false}, // no mark and no ASCII: not taken for UTF-16
		{"\xff\xfe\x3d\xd8\x00\xde", "\U0001f600", marked(little), true},
		{"\xff\xfea\x00b", "a\ufffd", marked(little), false},                     // half a unit
		{"\xff\xfe\x3d\xd8a\x00", "\ufffda", marked(little), false},              // half a pair
		{"\xff\xfe\xfd\xff", "\ufffd", marked(little), true},                     // U+FFFD itself
		{"\x30\x82\x01\x00\x00", "\x30\x82\x01\x00\x00", text.Encoding{}, false}, // DER
		{"a\x00\x00\x00", "a\x00\x00\x00", text.Encoding{}, true},
	} {
		got, from, ok := text.Decode([]byte(c.in))
		if string(got) != c.want || from != c.from || ok != c.ok {
			t.Errorf("Decode(%q) = %q, %v, %v", c.in, got, from, ok)
		}
		if string(text.UTF8([]byte(c.in))) != c.want {
			t.Errorf("UTF8(%q) is another text", c.in)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"", "abc", "\xef\xbb\xbfabc", "\xff\xfea\x00", "\xfe\xff\x00a", "a\x00b\x00", "\x00a\x00b", "\xff\xfe\x3d\xd8\x00\xde", "\xff\xfe\x3d\xd8a"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		original := bytes.Clone(data)
		got, from, ok := text.Decode(data)
		if !bytes.Equal(data, original) {
			t.Fatal("the input was changed")
		}
		if ok && !utf8.Valid(got) || from.Order != nil && !utf8.Valid(got) {
			t.Fatalf("%q is not UTF-8", got)
		}
		if back := from.Encode(got); ok && !bytes.Equal(back, data) {
			t.Fatalf("%x came back as %x", data, back)
		}
	})
}

func TestMessages(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 8, time.FixedZone("", 3600))
	if got := text.Time(at); got != "2026-03-04T04:06:07Z" {
		t.Error(got)
	}
	if got := text.Quote("a\n\u202eb"); got != `"a\n\u202eb"` {
		t.Error(got)
	}
	if got := text.Quote(strings.Repeat("\x00", 1<<20)); len(got) > 2000 || !strings.HasSuffix(got, `"...`) {
		t.Errorf("%d bytes", len(got))
	}
}
