package snapshot_test

import (
	"testing"

	"example.com/entracba/cba/snapshot"
)

func TestCompare(t *testing.T) {
	cases := []struct{ name, before, after, want string }{
		{"same", `{"a":[1,{"b":null}]}`, `{ "a" : [ 1 , {"b":null} ] }`, ""},
		{"order of properties", `{"a":1,"b":2}`, `{"b":2,"a":1}`, ""},
		{"changed", `{"a":{"b":1}}`, `{"a":{"b":2}}`, "~ a.b: 1 -> 2"},
		{"new and gone", `{"a":1}`, `{"b":2}`, "+ b: 2\n- a: 1"},
		{"order of named elements", `{"t":[{"id":"x"},{"id":"y"}]}`, `{"t":[{"id":"y"},{"id":"x"}]}`, ""},
		{"named element", `{"t":[{"id":"x","n":1}]}`, `{"t":[{"id":"y"},{"id":"x","n":2}]}`, "+ t[y]: {\"id\":\"y\"}\n~ t[x].n: 1 -> 2"},
		{"twice one name", `{"t":["a","a"]}`, `{"t":["a","b"]}`, `~ t[1]: "a" -> "b"`},
		{"another kind", `{"a":[1]}`, `{"a":{"b":1}}`, `~ a: [1] -> {"b":1}`},
		{"no HTML", `{"a":"<PN>"}`, `{"a":"<SKI>&"}`, `~ a: "<PN>" -> "<SKI>&"`},
		{"numbers as written", `{"a":1.0}`, `{"a":1.0}`, ""},
	}
	for _, c := range cases {
		got, err := snapshot.Compare([]byte(c.before), []byte(c.after))
		if err != nil || got.String() != c.want {
			t.Errorf("%s: %q, want %q, %v", c.name, got, c.want, err)
		}
	}
}
