package dialect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/internal/wire"
)

// What is said to have Graph's form already is what stays as it is.
func TestPlain(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	var names []string
	for _, list := range []map[string]bool{lists, binaries} {
		for name := range list {
			names = append(names, name)
		}
	}
	for from, to := range spelling {
		names = append(names, from, to)
	}
	names = append(names, "value", "count", "Count", "additionalProperties", "AdditionalProperties", "trustedCertificate", "authorityType", "id", "displayName", "@odata.type", "", "x")
	slices.Sort(names)
	var write func(depth int) string
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	write = func(depth int) string {
		kinds := 8
		if depth == 0 {
			kinds = 6
		}
		switch r.IntN(kinds) {
		case 0:
			return "null"
		case 1:
			return "12"
		case 2:
			return `"\/Date(1718000000000)\/"`
		case 3:
			return `"a \"quoted\" text"`
		case 4:
			return "true"
		case 5:
			return quote(names[r.IntN(len(names))])
		case 6:
			var list []string
			for range r.IntN(3) {
				list = append(list, write(depth-1))
			}
			return "[" + strings.Join(list, ", ") + "]"
		}
		var list []string
		seen := map[string]bool{}
		for range r.IntN(4) {
			name := names[r.IntN(len(names))]
			if r.IntN(6) == 0 && name != "" {
				name = strings.ToUpper(name[:1]) + name[1:]
			}
			if seen[name] {
				continue
			}
			seen[name] = true
			list = append(list, quote(name)+": "+write(depth-1))
		}
		return "{" + strings.Join(list, " ,") + "}"
	}
	plainTexts, changed := 0, 0
	for range 200_000 {
		text, err := wire.Text([]byte(write(3)), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		sameGraph(t, text)
		out := value("", text)
		if !same(out, text) {
			changed++
		}
		if isPlain(text) {
			if plainTexts++; !same(out, text) {
				t.Fatalf("%s becomes %s", text, out)
			}
		}
	}
	if plainTexts < 10_000 || changed < 10_000 {
		t.Errorf("%d plain, %d changed: too few to prove anything", plainTexts, changed)
	}
}

// sameGraph proves that a plain text is one that the translation leaves alone, and that
// Graph says of any text what the translation says.
func sameGraph(t *testing.T, data []byte) {
	t.Helper()
	got, err := Graph(data, maxTest)
	want, wantErr := translated(data, maxTest)
	if !bytes.Equal(got, want) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Fatalf("%q: %q, %v; translated %q, %v", data, got, err, want, wantErr)
	}
}

const maxTest = 1 << 12

func FuzzPlain(f *testing.F) {
	for _, text := range []string{`{"id":"1","memberOf":[],"certificate":"AAAA"}`, ` {"rules":{"a":1}} `, `{"certificate":[48,0]}`, `{"createdDateTime":"\/Date(1718000000000)\/"}`,
		`{"error":{"code":"x"}}`, `{"memberOf":"@{id=1}"}`, `{"a":"\"@{","memberOf":["\u0040{id=1}"]}`, `{"@{":1,"authorizationInfo":"\u0040{x}"}`, `{"a":"\"@{","authorizationInfo":"\u0040{x}"}`, `{"value":[1],"count":1}`, `{"authorizationInfo":"System.Object[]"}`, `"Microsoft.Graph.x"`,
		"\xef\xbb\xbf{}", "\xff\xfe{\x00}\x00", `{"a":{"additionalProperties":{}}}`, `{"a":1,"a":2}`, `{"state":"disabled","sTate":"enabled"}`} {
		f.Add([]byte(text))
	}
	f.Add([]byte("[" + strings.Repeat(" ", maxTest) + "]"))
	f.Fuzz(func(t *testing.T, data []byte) { sameGraph(t, data) })
}

// A Stranger says of properties that come one by one what can be said of all together.
func TestStranger(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	names := []string{"@odata.type", "@ODATA.TYPE", "userId", "UserID", "createdDateTime", "CREATEDDATETIME", "id", "displayName", "grouptypes", "u\u017ferId"}
	for name := range others {
		names = append(names, name)
	}
	slices.Sort(names)
	found := map[string]int{}
	for range 50_000 {
		var members []wire.Member
		var stranger Stranger
		for range r.IntN(5) {
			m := wire.Member{Name: names[r.IntN(len(names))], Raw: json.RawMessage([]string{"null", "true", "[]", `"#microsoft.graph.user"`, `"#microsoft.graph.User"`, `"#microsoft.graph.group"`, `"\u0061"`}[r.IntN(7)])}
			members = append(members, m)
			stranger.See([]byte(m.Name), m.Raw)
		}
		has := func(name string) bool {
			return slices.ContainsFunc(members, func(m wire.Member) bool { return strings.EqualFold(m.Name, name) })
		}
		want := ""
		for _, m := range members {
			var kind string
			if m.Name == "@odata.type" && json.Unmarshal(m.Raw, &kind) == nil && !strings.HasSuffix(strings.ToLower(kind), ".user") {
				want = "a " + kind
				break
			}
			if other := others[m.Name]; other != "" && string(m.Raw) != "null" {
				want = other
				break
			}
		}
		if want == "" && has("userId") && has("createdDateTime") {
			want = "a row of the sign-in log"
		}
		if got := stranger.What(); got != want {
			t.Fatalf("%s: %q, want %q", members, got, want)
		}
		found[want]++
	}
	if len(found) < 7 || found[""] < 1000 {
		t.Errorf("too little to prove anything: %v", found)
	}
}
