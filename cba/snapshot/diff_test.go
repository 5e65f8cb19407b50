package snapshot_test

import (
	"errors"
	"fmt"
	"strings"
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
		{"spelling of strings", `{"a\u0062":"\u003cPN\u003e"}`, `{"ab":"<PN>"}`, ""},
		{"a list that grows", `{"t":[1]}`, `{"t":[1,[2,{}],[]]}`, "+ t[1]: [2,{}]\n+ t[2]: []"},
		{"a list that shrinks", `{"t":[{"id":"x"},{"id":"y"}]}`, `{"t":[{"id":"y"}]}`, `- t[x]: {"id":"x"}`},
		{"a rule by what it looks at", `{"r":[{"x509CertificateRuleType":"issuerSubject","issuerSubjectIdentifier":"CN=A","mode":"a"}]}`,
			`{"r":[{"x509CertificateRuleType":"policyOID","policyOidIdentifier":"1.2"},{"x509CertificateRuleType":"issuerSubject","issuerSubjectIdentifier":"CN=A","mode":"b"}]}`,
			"+ r[policyOID 1.2]: {\"x509CertificateRuleType\":\"policyOID\",\"policyOidIdentifier\":\"1.2\"}\n~ r[issuerSubject CN=A].mode: \"a\" -> \"b\""},
		{"numbers as written", `{"a":1.0}`, `{"a":1.0}`, ""},
	}
	for _, c := range cases {
		got, err := snapshot.Compare([]byte(c.before), []byte(c.after))
		if err != nil || got.String() != c.want {
			t.Errorf("%s: %q, want %q, %v", c.name, got, c.want, err)
		}
	}
}

func TestCompareRefuses(t *testing.T) {
	for name, bad := range map[string]string{"nothing": "", "half": `{"a":`, "two values": `{} {}`, "a name twice": `{"a":1,"a":2}`,
		"deep": strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000), "not UTF-8": "\"\xff\""} {
		_, err := snapshot.Compare([]byte(bad), []byte("{}"))
		_, other := snapshot.Compare([]byte("{}"), []byte(bad))
		if !errors.Is(err, snapshot.Malformed) || !errors.Is(other, snapshot.Malformed) || len(err.Error()) > 500 {
			t.Errorf("%s: %v, %v", name, err, other)
		}
	}
	huge := []byte(`"` + strings.Repeat("x", 17<<20) + `"`)
	if _, err := snapshot.Compare(huge, huge); !errors.Is(err, snapshot.TooLarge) {
		t.Errorf("17 MB: %v", err)
	}
	// Many properties take no time.
	var many strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&many, `,"p%d":1`, i)
	}
	if ds, err := snapshot.Compare([]byte(`{"a":1`+many.String()+"}"), []byte(`{"a":2`+many.String()+"}")); err != nil || len(ds) != 1 {
		t.Errorf("%d differences, %v", len(ds), err)
	}
}
