package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/internal/wire"
)

//lint:ignore U1000 wire reads it by reflection
type kept = wire.Kept

type shade string

type part struct {
	kept         //lint:ignore U1000 wire reads it by reflection
	Name  string `json:"name"`
	Shade shade  `json:"shade"`
}

type whole struct {
	kept             //lint:ignore U1000 wire reads it by reflection
	Text   string    `json:"text"`
	Number int32     `json:"number" wire:"always"`
	Flag   bool      `json:"flag"`
	Maybe  *bool     `json:"maybe"`
	At     time.Time `json:"at"`
	Data   []byte    `json:"data"`
	Delta  string    `json:"deltaUrl" wire:"also=deltaurl"`
	Words  []string  `json:"words"`
	Part   part      `json:"part"`
	Parts  []part    `json:"parts" wire:"unwrap"`
	Hidden string
}

// person is only read.
type person struct {
	ID     string   `json:"id,omitempty"`
	Groups []string `json:"groups"`
	Inner  struct {
		Deep string `json:"deepName"`
	} `json:"inner"`
}

const limit = 1 << 16

func read(t *testing.T, text string) whole {
	t.Helper()
	var w whole
	if err := wire.Read([]byte(text), limit, &w); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return w
}

func write(t *testing.T, v any) string {
	t.Helper()
	text, err := wire.Write(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What was read comes back byte for byte: unknown properties and their order,
// null, absent and empty, spellings of numbers and of letters.
func TestNothingIsLost(t *testing.T) {
	for _, text := range []string{
		`{}`,
		`{"new":1e400,"text":"a\u0062\/","number":7,"":[{"b":1,"a":2.50}],"flag":false}`,
		`{"text":null,"number":null,"flag":null,"maybe":null,"at":null,"data":null,"deltaUrl":null,"words":null,"part":null,"parts":null}`,
		`{"text":"","words":[],"parts":[],"part":{}}`,
		`{"at":"2025-06-23T10:00:00.1234567Z","data":"AQID","maybe":false}`,
		`{"at":"0001-01-01T00:00:00Z","data":""}`,
		`{"words":["\u0041b","",""],"parts":[{"shade":"ultraviolet","x":null},{}]}`,
		`{"Text":"in another letter case","text":"x","parts@odata.context":"y"}`,
	} {
		if got := write(t, read(t, text)); got != text {
			t.Errorf("\n was %s\n now %s", text, got)
		}
	}
	// Times and binaries have one form.
	if got := write(t, read(t, ` { "at" : "2025-06-23T10:00:00.000+00:00", "data" : "-_\r\n8=" } `)); got != `{"at":"2025-06-23T10:00:00Z","data":"+/8="}` {
		t.Errorf("got %s", got)
	}
}

func TestChangesAreWritten(t *testing.T) {
	if got := write(t, whole{}); got != `{"number":0}` {
		t.Errorf("made and zero: %s", got)
	}
	yes := true
	w := whole{Text: "<&>", Maybe: new(bool), At: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC), Data: []byte{1}, Words: []string{}, Delta: "d",
		Part: part{Name: "p"}, Parts: []part{{}}, Hidden: "h"}
	want := `{"text":"<&>","number":0,"maybe":false,"at":"2025-01-02T03:04:05Z","data":"AQ==","deltaUrl":"d","words":[],"part":{"name":"p"},"parts":[{}]}`
	if got := write(t, w); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	w = read(t, `{"z":1,"text":"a","at":"2025-06-23T10:00:00Z","data":"AQID","words":["a","b"],"part":{"name":"p"},"parts":[{"name":"q"}],"maybe":true}`)
	w.Text, w.At, w.Data, w.Words[1], w.Part, w.Parts, w.Maybe, w.Flag = "", time.Time{}, nil, "", part{}, nil, nil, true
	want = `{"z":1,"text":null,"at":null,"data":null,"words":["a",""],"part":null,"parts":[],"maybe":null,"flag":true}`
	if got := write(t, w); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	w.Maybe = &yes
	if got := write(t, w); !strings.Contains(got, `"maybe":true`) {
		t.Errorf("got %s", got)
	}
	w.At = time.Date(12025, 1, 1, 0, 0, 0, 0, time.UTC)
	if text, err := wire.Write(w); err == nil {
		t.Errorf("a year that RFC 3339 does not have was written: %s", text)
	}
}

func TestTwoNames(t *testing.T) {
	for text, want := range map[string]string{
		`{"deltaurl":"u","x":1}`:                `{"deltaUrl":"u","x":1}`,
		`{"deltaurl":"u","deltaUrl":null}`:      `{"deltaUrl":"u"}`,
		`{"deltaUrl":"u","deltaurl":null}`:      `{"deltaUrl":"u"}`,
		`{"deltaUrl":"u","y":2,"deltaurl":"u"}`: `{"deltaUrl":"u","y":2}`,
		`{"deltaurl":null}`:                     `{"deltaUrl":null}`,
	} {
		if got := write(t, read(t, text)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestEnvelopes(t *testing.T) {
	for _, text := range []string{
		`{"parts":[{"name":"a"},{"name":"b"}]}`,
		`{"@odata.context":"c","value":{"parts":[{"name":"a"},{"name":"b"}]}}`,
		`{"value":[{"parts":[{"name":"a"},{"name":"b"}]}]}`,
		`[{"parts":[{"name":"a"},{"name":"b"}]}]`,
		`{"value":{"parts":{"@odata.context":"c","value":[{"value":{"name":"a"}},{"name":"b"}]}}}`,
	} {
		var w whole
		if err := wire.ReadWrapped([]byte(text), limit, &w); err != nil || len(w.Parts) != 2 || w.Parts[0].Name != "a" || w.Parts[1].Name != "b" {
			t.Errorf("%s: %+v, %v", text, w, err)
		}
	}
	// An object with a property of that name is no envelope.
	for _, text := range []string{`{"value":{"text":"x"},"id":1}`, `{"value":5}`, `{"value":null}`} {
		var w whole
		if err := wire.ReadWrapped([]byte(text), limit, &w); err != nil || w.Text != "" {
			t.Errorf("%s: %+v, %v", text, w, err)
		}
	}
}

// A list of one is one object; other lists are not.
func TestListOfOne(t *testing.T) {
	for text, want := range map[string]string{
		`{"value":[]}`: "/value", `[{},{}]`: "", `[null]`: "/0", `{"value":[{"text":1}]}`: "/value/0/text", `{"value":[[]]}`: "/value/0",
	} {
		var w whole
		var e *wire.Error
		if err := wire.ReadWrapped([]byte(text), limit, &w); !errors.As(err, &e) || e.Reason != wire.WrongType || e.Where != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// An error names the place as a program finds it, and the byte.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		text, where string
		reason      wire.Reason
		before      string // the text before the byte of the offset
	}{
		{``, "", wire.BadSyntax, ``},
		{"{\"text\":\"a\xff\"}", "", wire.BadSyntax, "{\"text\":\"a"},
		{"{\"text\":\"\ufffda\xff\"}", "", wire.BadSyntax, "{\"text\":\"\ufffda"},
		{"\xff\xfe{\x00}\x00", "", wire.BadSyntax, ""},
		{`{"text":"a"`, "", wire.BadSyntax, `{"text":"a"`},
		{`{"text":"a"} {`, "", wire.BadSyntax, `{"text":"a"} {`},
		{`null`, "", wire.WrongType, ""},
		{`[]`, "", wire.WrongType, ""},
		{` {"text": "a", "x": [1, {"text": 1, "text": 2}]}`, "/x/1/text", wire.DuplicateName, ` {"text": "a", "x": [1, {"text": 1, "text": `},
		{`{"a/b~":1,"\u0061/b~":2}`, "/a~1b~0", wire.DuplicateName, `{"a/b~":1,"\u0061/b~":`},
		{`{"x":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, "/x" + strings.Repeat("/0", 64), wire.TooNested, `{"x":` + strings.Repeat("[", 64)},
		{strings.Repeat("[", 20000) + strings.Repeat("]", 20000), "", wire.TooNested, strings.Repeat("[", 10001)},
		{`{"x":"` + strings.Repeat("a", limit) + `"}`, "", wire.TooLarge, ""},
		{"\xef\xbb\xbf" + `{ "text" : 1}`, "/text", wire.WrongType, "\xef\xbb\xbf" + `{ "text" : `},
		{`{"parts":[{},{"name":{}}]}`, "/parts/1/name", wire.WrongType, `{"parts":[{},{"name":`},
		{`{"parts":{"value":[{"value":{"name":{}}}]}}`, "/parts/value/0/value/name", wire.WrongType, `{"parts":{"value":[{"value":{"name":`},
		{`{"parts":[{},null]}`, "/parts/1", wire.WrongType, `{"parts":[{},`},
		{`{"parts":{"value":[],"@odata.nextLink":"n"}}`, "/parts/@odata.nextLink", wire.Incomplete, `{"parts":{"value":[],"@odata.nextLink":`},
		{`{"part":[]}`, "/part", wire.WrongType, `{"part":`},
		{`{"words":["a",1]}`, "/words/1", wire.WrongType, `{"words":["a",`},
		{`{"words":{}}`, "/words", wire.WrongType, `{"words":`},
		{`{"number":2147483648}`, "/number", wire.OutOfRange, `{"number":`},
		{`{"number":1.5}`, "/number", wire.WrongType, `{"number":`},
		{`{"number":"1"}`, "/number", wire.WrongType, `{"number":`},
		{`{"flag":"true"}`, "/flag", wire.WrongType, `{"flag":`},
		{`{"maybe":0}`, "/maybe", wire.WrongType, `{"maybe":`},
		{`{"at":"yesterday"}`, "/at", wire.WrongType, `{"at":`},
		{`{"at":5}`, "/at", wire.WrongType, `{"at":`},
		{`{"data":"%%%"}`, "/data", wire.NotBase64, `{"data":`},
		{`{"data":"-----BEGIN CERTIFICATE-----"}`, "/data", wire.NotBase64, `{"data":`},
		{`{"data":[1]}`, "/data", wire.WrongType, `{"data":`},
		{`{"deltaurl":"a","deltaUrl":"b"}`, "/deltaUrl", wire.DuplicateName, `{"deltaurl":"a","deltaUrl":`},
		{`{"words":[` + strings.Repeat(`0,`, 1<<16) + `0]}`, "", wire.TooLarge, ""},
	} {
		w := whole{Text: "before"}
		err := wire.Read([]byte(c.text), max(limit, 0), &w)
		var e *wire.Error
		if !errors.As(err, &e) {
			t.Errorf("%.60q: error %v", c.text, err)
			continue
		}
		if e.Reason != c.reason || e.Where != c.where || e.Offset != int64(len(c.before)) {
			t.Errorf("%.60q:\n got %v at %q, byte %d (%v)\nwant %v at %q, byte %d", c.text, e.Reason, e.Where, e.Offset, err, c.reason, c.where, len(c.before))
		}
		if w.Text != "before" {
			t.Errorf("%.60q: changed on an error", c.text)
		}
		if len(err.Error()) > 600 {
			t.Errorf("%.60q: an error of %d bytes", c.text, len(err.Error()))
		}
	}
	var w whole
	if err := wire.Read([]byte(`{"words":[`+strings.Repeat(`"",`, 1<<16)+`""]}`), 1<<20, &w); err == nil {
		t.Error("a list of 65,537 elements was read")
	}
}

// Objects that are not written back are read in any letter case, as PowerShell
// writes them.
func TestOnlyRead(t *testing.T) {
	var p person
	if err := wire.Read([]byte(`{"Id":"1","Groups":["g"],"INNER":{"DeepName":"d"},"more":1}`), limit, &p); err != nil || p.ID != "1" || p.Groups[0] != "g" || p.Inner.Deep != "d" {
		t.Errorf("%+v, %v", p, err)
	}
	var e *wire.Error
	if err := wire.Read([]byte(`{"id":"1","ID":"2"}`), limit, &p); !errors.As(err, &e) || e.Reason != wire.DuplicateName || p.ID != "1" {
		t.Errorf("%+v, %v", p, err)
	}
	if got := write(t, p); got != `{"id":"1","groups":["g"],"inner":{"deepName":"d"}}` {
		t.Errorf("wrote %s", got)
	}
}

func TestSharesNoMemoryWithItsText(t *testing.T) {
	text := []byte(`{"text":"a","x":"keep","words":["w"]}`)
	var w whole
	if err := wire.Read(text, limit, &w); err != nil {
		t.Fatal(err)
	}
	for i := range text {
		text[i] = '!'
	}
	if got := write(t, w); got != `{"text":"a","x":"keep","words":["w"]}` {
		t.Errorf("got %s", got)
	}
}

func TestWalk(t *testing.T) {
	w := read(t, `{"Text":"a","parts":[{},{"shade":"red","odd/one":[1]}],"words":["w"],"x@odata.type":"t"}`)
	var got []string
	wire.Walk(w, func(where string, v any) {
		if u, ok := v.(wire.Unknown); ok {
			v = fmt.Sprintf("%s near %q", u.Raw, u.Near)
		}
		got = append(got, fmt.Sprintf("%s %T %v", where, v, v))
	})
	want := []string{
		`/Text string "a" near "text"`, `/words/0 string w`, `/parts/1/odd~1one string [1] near ""`, `/parts/1/shade wire_test.shade red`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	for _, place := range got[:3] {
		where, _, _ := strings.Cut(place, " ")
		text := `{"Text":"a","parts":[{},{"shade":"red","odd/one":[1]}],"words":["w"]}`
		if wire.Offset([]byte(text), where) == 0 {
			t.Errorf("nothing at %s", where)
		}
	}
	for _, where := range []string{"/none", "/parts/7", "/parts/x", "/Text/deeper"} {
		if at := wire.Offset([]byte(`{"Text":"a","parts":[1]}`), where); at != 0 {
			t.Errorf("%s at %d", where, at)
		}
	}
}

func TestClone(t *testing.T) {
	original := read(t, `{"z":1,"words":["w"],"parts":[{"name":"p"}],"data":"AQID","maybe":true}`)
	before := write(t, original)
	extra := struct {
		M map[string][]string
		W whole
		N *whole
	}{map[string][]string{"k": {"v"}}, original, nil}
	c := wire.Clone(extra)
	c.M["k"][0], c.M["new"] = "changed", nil
	c.W.Words[0], c.W.Parts[0].Name, c.W.Data[0], *c.W.Maybe = "changed", "changed", 9, false
	if got := write(t, original); got != before || extra.M["k"][0] != "v" || len(extra.M) != 1 {
		t.Errorf("the original changed: %s", got)
	}
	if got := write(t, wire.Clone(original)); got != before {
		t.Errorf("the clone is another: %s", got)
	}
}

func TestParts(t *testing.T) {
	text, err := wire.Text([]byte("\xef\xbb\xbf {\"b\" : [1, {} ] , \"a\":\"x\" , \"@odata.id\":0}\n"), limit)
	if err != nil {
		t.Fatal(err)
	}
	members, err := wire.Members(text)
	if err != nil || len(members) != 3 || members[0].Name != "b" || string(members[1].Raw) != `"x"` {
		t.Errorf("%v, %v", members, err)
	}
	list, err := wire.Elements(members[0].Raw)
	if err != nil || len(list) != 2 || string(list[1]) != "{}" {
		t.Errorf("%s, %v", list, err)
	}
	if _, err := wire.Members(list[0]); err == nil {
		t.Error("a number was taken for an object")
	}
	if _, err := wire.Elements(text); err == nil {
		t.Error("an object was taken for a list")
	}
	if got := wire.WithoutAnnotations(text); string(got) != `{"b":[1, {} ],"a":"x"}` {
		t.Errorf("got %s", got)
	}
	if k := wire.KeptOf(members); len(wire.MembersOf(k)) != 3 {
		t.Error("KeptOf")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"text":"a","number":1,"at":"2025-06-23T10:00:00Z","data":"AQID","parts":{"value":[{"name":"p","x":[1e9]}]},"deltaurl":null}`))
	f.Add([]byte("\xef\xbb\xbf{\"words\":[\"\\ud800\",\"\"],\"maybe\":null,\"\":{}}"))
	f.Add([]byte(`{"value":{"text":"\u0041"},"@odata.context":"x"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var w whole
		if err := wire.ReadWrapped(text, limit, &w); err != nil {
			var e *wire.Error
			if !errors.As(err, &e) || e.Reason == "" || e.Offset < 0 || e.Offset > int64(len(text)) || len(err.Error()) > 1000 {
				t.Fatalf("%v", err)
			}
			return
		}
		out, err := wire.Write(w)
		if err != nil {
			t.Fatalf("read but not written: %v", err)
		}
		var again whole
		if err := wire.Read(out, 2*limit, &again); err != nil {
			t.Fatalf("%v in our own %s", err, out)
		}
		if second := write(t, again); second != string(out) {
			t.Fatalf("second writing differs:\n%s\n%s", out, second)
		}
		var any1, any2 any
		if json.Unmarshal(out, &any1) != nil || json.Unmarshal([]byte(write(t, wire.Clone(w))), &any2) != nil || !bytes.Equal(out, []byte(write(t, wire.Clone(w)))) {
			t.Fatal("the clone is another")
		}
	})
}

// A text is cut between characters, and text that has none is cut all the same.
func TestClip(t *testing.T) {
	for _, test := range []struct {
		text string
		want int // bytes of it that stay
	}{
		{strings.Repeat("a", 200), 200}, {strings.Repeat("a", 201), 200},
		{strings.Repeat("a", 199) + "é", 199}, {strings.Repeat("a", 198) + "éé", 200}, {strings.Repeat("a", 198) + "🔐", 198},
		{strings.Repeat("\x8c", 300), 196}, {"", 0},
	} {
		got := wire.Clip(test.text)
		if test.want == len(test.text) && got != test.text || test.want < len(test.text) && got != test.text[:test.want]+"..." {
			t.Errorf("%q: %q", test.text, got)
		}
	}
}
