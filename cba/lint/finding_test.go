package lint_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"example.com/entracba/cba/lint"
	"github.com/google/go-cmp/cmp"
)

func ExampleFindings_Sorted() {
	found := lint.Findings{
		{Code: "cert-no-crl-url", Severity: lint.Warning, Where: "certificate", What: "no CRL URL"},
		{Code: "cert-no-upn", Severity: lint.Error, Effect: lint.LocksOut, Where: "subjectAltName", What: "no UPN and no e-mail"},
	}
	for _, f := range found.Sorted() {
		fmt.Println(f)
	}
	fmt.Println("worst:", found.Worst())
	// Output:
	// error: cert-no-upn: subjectAltName: no UPN and no e-mail
	// warning: cert-no-crl-url: certificate: no CRL URL
	// worst: error
}

func TestSortedKeepsOrderOfEquals(t *testing.T) {
	in := lint.Findings{
		{Code: "a", Severity: lint.Warning},
		{Code: "b", Severity: lint.Error},
		{Code: "c", Severity: lint.Warning, Effect: lint.LetsIn},
		{Code: "d", Severity: lint.Warning},
		{Code: "e", Severity: lint.Info, Effect: lint.LocksOut},
		{Code: "f", Severity: lint.Error, Effect: lint.LetsIn},
	}
	var got []string
	for _, f := range in.Sorted() {
		got = append(got, f.Code)
	}
	if diff := cmp.Diff([]string{"e", "f", "c", "b", "a", "d"}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if in[0].Code != "a" {
		t.Error("Sorted changed its receiver")
	}
}

func TestJSONRoundTrip(t *testing.T) {
	in := lint.Findings{{
		Code: "x", Severity: lint.Error, Effect: lint.LetsIn,
		Where: "w", About: "a", What: "t", Do: "d", Source: lint.KB5014754,
	}, {Code: "y", Severity: lint.Info}}
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"code":"x","severity":"error","effect":"lets-in","where":"w","about":"a","what":"t","do":"d","source":"KB5014754","url":"https://support.microsoft.com/help/5014754"},` +
		`{"code":"y","severity":"info","where":"","what":""}]`
	if string(text) != want {
		t.Errorf("JSON\n got %s\nwant %s", text, want)
	}
	var out lint.Findings
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, out); diff != "" {
		t.Errorf("round trip (-want +got):\n%s", diff)
	}
}

func TestNoFindingsIsAnEmptyList(t *testing.T) {
	text, err := json.Marshal(struct {
		Findings lint.Findings `json:"findings"`
	}{})
	if err != nil || string(text) != `{"findings":[]}` {
		t.Errorf("got %s, %v", text, err)
	}
	if worst := lint.Findings(nil).Worst(); worst != 0 {
		t.Errorf("worst of none = %v", worst)
	}
}

func TestUnsetSeverityHasNoJSON(t *testing.T) {
	if text, err := json.Marshal(lint.Finding{Code: "x"}); err == nil {
		t.Errorf("an unset severity was written: %s", text)
	}
	var s lint.Severity
	if err := s.UnmarshalText([]byte("fatal")); err == nil {
		t.Error("an unknown severity was read")
	}
	var e lint.Effect
	if err := e.UnmarshalText([]byte("boom")); err == nil {
		t.Error("an unknown effect was read")
	}
	if _, err := lint.Effect(9).MarshalText(); err == nil {
		t.Error("an unknown effect was written")
	}
}

func TestUnique(t *testing.T) {
	a := lint.Rule{Code: "a", Severity: lint.Info, What: "w"}
	in := lint.Findings{a.At("x", "", ""), a.At("y", "", ""), a.At("x", "", ""), a.At("x", "", "other")}
	out := in.Unique()
	if len(out) != 3 || out[0] != in[0] || out[1] != in[1] || out[2] != in[3] || len(in) != 4 {
		t.Errorf("%v", out)
	}
}

// What is read as findings is written and read again as the same ones.
func FuzzFindings(f *testing.F) {
	for _, text := range []string{
		`[{"code":"x","severity":"error","effect":"lets-in","where":"w","about":"a","what":"t","do":"d","source":"KB5014754","url":"u"}]`,
		`[{"code":"y","severity":"info","where":"","what":""}]`, `[]`, `null`, `[{"severity":"fatal"}]`, `[{"effect":""}]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var first lint.Findings
		if json.Unmarshal(data, &first) != nil {
			return
		}
		text, err := json.Marshal(first)
		if err != nil {
			for _, finding := range first {
				if finding.Severity == 0 {
					return // one that is unset cannot be written
				}
			}
			t.Fatal(err)
		}
		var again lint.Findings
		if err := json.Unmarshal(text, &again); err != nil || len(again) != len(first) {
			t.Fatalf("%s: %v", text, err)
		}
		for i := range first {
			if again[i] != first[i] {
				t.Fatalf("%+v became %+v", first[i], again[i])
			}
			_ = first[i].String()
		}
		if first.Sorted().Worst() != first.Worst() || len(first.Unique()) > len(first) {
			t.Fatal("sorting or leaving out changed what is worst")
		}
	})
}
