package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// What Scan passes, the examination passes as it is, and every value that it asks about
// is one.
func scanned(t *testing.T, text []byte) bool {
	t.Helper()
	values := 0
	sound := Scan(text, func(name, value []byte) bool {
		values++
		if !json.Valid(value) || len(name) > 0 && !bytes.Contains(text, name) {
			t.Errorf("%q: %q has the value %q", text, name, value)
		}
		return true
	})
	again, err := examined(text)
	if sound && (err != nil || !bytes.Equal(again, text) || values == 0) {
		t.Fatalf("%q: sound, but %q, %v", text, again, err)
	}
	if sound && Scan(text, func(_, _ []byte) bool { values--; return values > 0 }) {
		t.Fatalf("%q: a no is not heard", text)
	}
	return sound
}

func TestScan(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	wide := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`"n%d":%d`, i, i))
		}
		return "{" + strings.Join(list, ",") + "}"
	}
	for text, want := range map[string]bool{
		`{}`: true, `[]`: true, `""`: true, `null`: true, `true`: true, `false`: true, `0`: true, `-0`: true, `-12.50e+3`: true, `1E9`: true, `[0]`: true,
		"{ \"a\"\t:\r\n[1 , {\"b\": null} ] , \"c\":\"\u00e9 \\\" \\u00e9 \\ud800\"}": true,
		`{"a":1,"ab":1,"ac":1}`: true, "\"\x7f\"": true, deep(maxDepth + 1): true, wide(maxNames): true, `{"":{"":{}}}`: true,
		``: false, ` {}`: false, `{} `: false, `{}{}`: false, `{`: false, `{"a"`: false, `{"a":`: false, `{"a":1`: false, `{"a":1,`: false, `{"a":1,}`: false, `{,}`: false,
		`[1,]`: false, `[,1]`: false, `[1 2]`: false, `[`: false, `[1`: false, `"`: false, `"a`: false, `"\"`: false, `"\`: false, `"\u12"`: false, `"\u123`: false, `"\u12g4"`: false, `"\x"`: false,
		"\"\n\"": false, "\"12345678\x1f\"": false, "\"\xff\"": false, "\"\xc3\"": false, "\"12345678\x00\"": false, "\xef\xbb\xbf{}": false,
		`01`: false, `-`: false, `1.`: false, `.1`: false, `1e`: false, `1e+`: false, `+1`: false, `--1`: false, `nul`: false, `nulls`: false, `True`: false, `NaN`: false, `{a:1}`: false, `{'a':1}`: false, `{1:1}`: false,
		`{"a":1,"a":2}`: false, `[{"a":1,"b":{"c":1,"c":1}}]`: false, `{"a":1 "b":2}`: false, `{"a";1}`: false, deep(maxDepth + 2): false, `//`: false,
		// Nothing is wrong with these.
		`{"\u0061":1}`: false, `{"a":1,"A":1}`: false, wide(maxNames + 1): false,
	} {
		if got := scanned(t, []byte(text)); got != want {
			t.Errorf("%.80q: %v", text, got)
		}
		// Where a text breaks off, it is sound if it is JSON; nothing reads beyond its end.
		for i := range text {
			part := []byte(text)[:i:i]
			if got := scanned(t, part); want && got != json.Valid(part) && text[max(i, 1)-1] > ' ' {
				t.Errorf("%.80q of %.80q: %v", part, text, got)
			}
		}
	}
	// Each byte anywhere in a string, whose bytes are looked at eight at a time.
	for c := range 256 {
		for at := range 20 {
			text := []byte(`"01234567890123456789"`)
			text[1+at] = byte(c)
			if got := scanned(t, text); got != (c >= ' ' && c < 0x80 && c != '"' && c != '\\') {
				t.Errorf("%q: %v", text, got)
			}
		}
	}
	if Scan([]byte(`{}`), func(_, _ []byte) bool { return false }) {
		t.Error("a no is not heard")
	}
}

// Of texts with one byte changed, added or removed, no one passes that is not sound.
func TestScanBroken(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	r := rand.New(rand.NewPCG(1, 2))
	const sound = `{"id":"a\u00e9\"","n":[-1.5e3,0,true,{"x":null,"y":{}}],"certificates":["MIIBgzCCASmgAwIBAgI="],"memberOf@odata.count":20,"s":"ü"}`
	passed := 0
	for range 300_000 {
		text := []byte(sound)
		for range 1 + r.IntN(2) {
			at := r.IntN(len(text))
			c := []byte(" \t\n\"\\{}[],:0-+.eEtfnu1a\x00\x1f\x7f\x80\xc3\xff")[r.IntN(29)]
			switch r.IntN(3) {
			case 0:
				text[at] = c
			case 1:
				text = append(text[:at], append([]byte{c}, text[at:]...)...)
			case 2:
				text = append(text[:at], text[at+1:]...)
			}
		}
		if scanned(t, text) {
			passed++
		}
	}
	if passed < 10_000 || passed > 290_000 {
		t.Errorf("%d texts passed: too few or too many to prove anything", passed)
	}
}

func FuzzScan(f *testing.F) {
	for _, text := range []string{`{"id":"1","memberOf":[{"id":"g"}],"n":-1.5e+3,"s":"\u00e9\\ é"}`, `[[],{},"",0,true,false,null]`, `{"a":1,"a":2}`, `{"a":"\ud800"}`, "{\"a\":\"\xff\"}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { scanned(t, text) })
}

// Strings are read as encoding/json reads them.
func sameString(t *testing.T, raw []byte) bool {
	t.Helper()
	var want string
	if len(raw) == 0 || raw[0] != '"' || !Scan(raw, nil) {
		return false
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	if got := unquote(raw); got != want {
		t.Fatalf("%q: %q, want %q", raw, got, want)
	}
	return true
}

func TestUnquote(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	parts := []string{`a`, `é`, `🔐`, `\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t`, `\u0041`, `\u00e9`, `\u20AC`, `\ud83d`, `\udd10`, `\uD83D\uDD10`, `\uDBFF`, `\udfff`, `\u0000`, `\ufffd`, `u0041`, `\u005c`}
	n := 0
	for range 200_000 {
		text := `"`
		for range r.IntN(6) {
			text += parts[r.IntN(len(parts))]
		}
		if sameString(t, []byte(text+`"`)) {
			n++
		}
	}
	if n < 100_000 || !sameString(t, []byte(`"\n`+strings.Repeat("long ", 100)+`"`)) {
		t.Errorf("%d strings: too few to prove anything", n)
	}
}

func FuzzUnquote(f *testing.F) {
	f.Add(`a\ud83d\udd10\n`)
	f.Add(`\u0041"`)
	f.Fuzz(func(t *testing.T, text string) { sameString(t, []byte(`"`+text+`"`)) })
}
