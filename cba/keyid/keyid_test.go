package keyid_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"example.com/entracba/cba/keyid"
)

func ExampleParse() {
	for _, text := range []string{"0a1B2c", "0A:1B:2C", "0x0a1b2c", " 0a 1b 2c ", "SHA1"} {
		id, err := keyid.Parse(text)
		fmt.Println(id, err)
	}
	// Output:
	// 0a1b2c <nil>
	// 0a1b2c <nil>
	// 0a1b2c <nil>
	// 0a1b2c <nil>
	//  keyid: not pairs of hexadecimal digits: "SHA1"
}

func TestParse(t *testing.T) {
	want := keyid.Of([]byte{0x00, 0xab, 0xcd})
	for _, text := range []string{
		"00abcd", "00ABCD", "00:ab:CD", "00-ab-cd", "00 ab cd", "0x00abcd", "0X00ABCD", " 0x 00 ab cd", "\u200e00abcd", "00\u00a0ab\tcd\n", "\ufeff00abcd\u200f",
	} {
		if got, err := keyid.Parse(text); err != nil || got != want {
			t.Errorf("Parse(%q) = %q, %v", text, got, err)
		}
	}
	for text, reason := range map[string]keyid.Reason{
		"": keyid.NotHex, " ": keyid.NotHex, "0x": keyid.NotHex, "0": keyid.NotHex, "abc": keyid.NotHex, "zz": keyid.NotHex, "0x0x00": keyid.NotHex,
		"00,ab": keyid.NotHex, "00ab;": keyid.NotHex, "\xff": keyid.NotHex, "\uff10\uff10": keyid.NotHex, strings.Repeat("00", 1<<20): keyid.TooLong,
	} {
		got, err := keyid.Parse(text)
		if got != "" || !errors.Is(err, reason) {
			t.Errorf("Parse(%.20q) = %q, %v", text, got, err)
			continue
		}
		if len(err.Error()) > 500 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	}
}

func TestBytesAndJSON(t *testing.T) {
	raw := []byte{1, 2, 0xff}
	id := keyid.Of(raw)
	if id != "0102ff" || !bytes.Equal(id.Bytes(), raw) {
		t.Errorf("%q has the bytes %x", id, id.Bytes())
	}
	if keyid.Of(nil) != "" || keyid.ID("").Bytes() != nil || keyid.ID("xy").Bytes() != nil || keyid.ID("AB:CD") == keyid.Of([]byte{0xab, 0xcd}) {
		t.Error("a text that is no ID equals one")
	}
	var read map[string]keyid.ID
	if err := json.Unmarshal([]byte(`{"a": "0x0102FF", "b": ""}`), &read); err != nil || read["a"] != id || read["b"] != "" {
		t.Errorf("read %v, %v", read, err)
	}
	if err := json.Unmarshal([]byte(`{"a": "01:2"}`), &read); !errors.Is(err, keyid.NotHex) {
		t.Errorf("read %v, %v", read, err)
	}
	if text, err := json.Marshal(id); err != nil || string(text) != `"0102ff"` {
		t.Errorf("written %s, %v", text, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "00", "0x00", "AB:CD", "\u200eab", "0X0X", "\xff\xfe", "K\u212a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := keyid.Parse(text)
		if err != nil {
			if id != "" {
				t.Fatalf("%q and %v", id, err)
			}
			return
		}
		if raw := id.Bytes(); len(raw) == 0 || keyid.Of(raw) != id {
			t.Fatalf("Parse(%q) = %q, and its bytes are %x", text, id, raw)
		}
		if again, err := keyid.Parse(strings.ToUpper(string(id))); err != nil || again != id {
			t.Fatalf("Parse(%q) = %q, %v", id, again, err)
		}
	})
}
