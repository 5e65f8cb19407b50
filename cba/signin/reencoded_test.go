package signin_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

// A form is another way to write one document. property is the name of the property that
// a value is of.
type form struct {
	name   string
	change func(property string, value any) any
}

// rewrite applies a form from the inside out.
func (f form) rewrite(property string, value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, member := range v {
			out[name] = f.rewrite(name, member)
		}
		value = out
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = f.rewrite("", element)
		}
		value = out
	}
	return f.change(property, value)
}

func isTime(text string) bool {
	at, err := time.Parse(time.RFC3339, text)
	return err == nil && at.Nanosecond()%1e6 == 0
}

var forms = []form{
	{"capital letters", func(_ string, value any) any {
		object, ok := value.(map[string]any)
		if !ok {
			return value
		}
		out := map[string]any{}
		for name, member := range object {
			if !strings.Contains(name, "@") && name != "value" {
				name = strings.ToUpper(name[:1]) + name[1:]
			}
			out[name] = member
		}
		return out
	}},
	{"lists with a count", func(property string, value any) any {
		list, ok := value.([]any)
		if !ok || property == "" || property == "value" || property == "certificate" {
			return value
		}
		return map[string]any{"value": list, "Count": len(list)}
	}},
	{"lists of one as the one", func(property string, value any) any {
		list, ok := value.([]any)
		if !ok || property == "" || property == "value" || property == "certificate" || len(list) != 1 {
			return value
		}
		return list[0]
	}},
	{"certificates as numbers", func(property string, value any) any {
		text, ok := value.(string)
		der, err := base64.StdEncoding.DecodeString(text)
		if !ok || property != "certificate" || err != nil || len(der) == 0 {
			return value
		}
		numbers := make([]any, len(der))
		for i, b := range der {
			numbers[i] = int(b)
		}
		return numbers
	}},
	{"times of Windows PowerShell", func(property string, value any) any {
		text, ok := value.(string)
		if !ok || !strings.HasSuffix(property, "DateTime") || !isTime(text) {
			return value
		}
		at, _ := time.Parse(time.RFC3339, text)
		return fmt.Sprintf("/Date(%d)/", at.UnixMilli())
	}},
	{"answers of Graph", func(property string, value any) any {
		switch property {
		case "x509Certificate":
			return map[string]any{"@odata.context": "x", "value": value}
		case "publicKeyInfrastructure":
			if list, ok := value.([]any); ok {
				return map[string]any{"@odata.context": "x", "value": list}
			}
		}
		return value
	}},
	{"the whole policy", func(property string, value any) any {
		if property == "x509Certificate" && value != nil {
			return map[string]any{"id": "authenticationMethodsPolicy", "authenticationMethodConfigurations": []any{map[string]any{"id": "Fido2", "state": "enabled"}, value}}
		}
		return value
	}},
	{"fields the SDK does not have", func(property string, value any) any {
		object, ok := value.(map[string]any)
		if !ok || property != "x509Certificate" {
			return value
		}
		out, more := map[string]any{}, map[string]any{}
		for name, member := range object {
			switch {
			case name == "id" || name == "state" || name == "excludeTargets":
				out[strings.ToUpper(name[:1])+name[1:]] = member
			default:
				more[name] = member
			}
		}
		out["AdditionalProperties"] = more
		return out
	}},
}

// encodings are ways to write one text in bytes.
var encodings = map[string]func([]byte) []byte{
	"UTF-8":           func(text []byte) []byte { return text },
	"UTF-8 with mark": func(text []byte) []byte { return append([]byte("\ufeff"), text...) },
	"UTF-16 little":   func(text []byte) []byte { return wide(text, binary.LittleEndian, true) },
	"UTF-16 big":      func(text []byte) []byte { return wide(text, binary.BigEndian, true) },
	"UTF-16 unmarked": func(text []byte) []byte { return wide(text, binary.LittleEndian, false) },
	"over lines": func(text []byte) []byte {
		var b bytes.Buffer
		if json.Indent(&b, text, "\t", "    ") != nil {
			return text
		}
		return append(bytes.ReplaceAll(b.Bytes(), []byte("\n"), []byte("\r\n")), "\r\n\r\n"...)
	},
}

func wide(text []byte, order binary.AppendByteOrder, mark bool) []byte {
	s := string(text)
	if mark {
		s = "\ufeff" + s
	}
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

func decode(t *testing.T, text []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// Writing the documents of a case in any other form that people have never changes its
// verdict, down to the steps and assumptions.
func TestReencoded(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	names, err := filepath.Glob(filepath.Join("testdata", "cases", "*.json"))
	if err != nil || len(names) < minCases {
		t.Fatalf("%d cases, %v", len(names), err)
	}
	files := theWorld(t).files
	ways := slices.Sorted(maps.Keys(encodings))
	changed := map[string]int{}
	for i, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var c testCase
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatal(err)
		}
		want := verdictText(t, c, files)
		// Each case in three of the forms, and in all that go together.
		all := []form{forms[4], forms[3], forms[(i/3)%2+1], forms[0]}
		for j, list := range [][]form{{forms[i%len(forms)]}, {forms[(i+1)%len(forms)]}, {forms[(i+5)%len(forms)], forms[(i+2)%4]}, all} {
			way := ways[(i+j)%len(ways)]
			label := way
			again := c
			for _, document := range []*json.RawMessage{&again.Tenant, &again.User, &again.Require} {
				if len(*document) == 0 || (*document)[0] != '{' {
					continue
				}
				v := decode(t, *document)
				for _, f := range list {
					v = f.rewrite("", v)
				}
				out := must(json.Marshal(v))
				if document == &again.Tenant {
					var before, after bytes.Buffer
					must(0, json.Compact(&before, must(json.Marshal(decode(t, *document)))))
					must(0, json.Compact(&after, out))
					if !bytes.Equal(before.Bytes(), after.Bytes()) {
						changed[list[0].name]++
					}
				}
				*document = encodings[way](out)
			}
			for _, f := range list {
				label += ", " + f.name
			}
			if got := verdictText(t, again, files); got != want {
				t.Errorf("%s, %s:\n%s\nwant\n%s", filepath.Base(name), label, got, want)
			}
		}
	}
	for _, f := range forms {
		if changed[f.name] < 20 {
			t.Errorf("%s changed only %d tenants", f.name, changed[f.name])
		}
	}
}

// verdictText is the verdict of a case as JSON.
func verdictText(t *testing.T, c testCase, files map[string][]byte) string {
	t.Helper()
	tenant, request, err := c.load(files)
	if err != nil {
		return "error: " + err.Error()
	}
	v, err := tenant.Explain(t.Context(), request)
	if err != nil {
		return "error: " + err.Error()
	}
	return string(must(json.Marshal(v)))
}
