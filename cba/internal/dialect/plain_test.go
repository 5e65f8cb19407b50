package dialect

import (
	"encoding/json"
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
	isPlain, changed := 0, 0
	for range 200_000 {
		text, err := wire.Text([]byte(write(3)), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		out := value("", text)
		if !same(out, text) {
			changed++
		}
		if plain(nil, text) {
			if isPlain++; !same(out, text) {
				t.Fatalf("%s becomes %s", text, out)
			}
		}
	}
	if isPlain < 10_000 || changed < 10_000 {
		t.Errorf("%d plain, %d changed: too few to prove anything", isPlain, changed)
	}
}
