package certuserid_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/lint"
)

// A vector is one file of testdata/vectors: one success or one failure.
//
//	kind        make, parse, normalize or match
//	cert        a certificate of testdata/certs
//	options     fields of Options, for make
//	mapping     the mapping, for make and parse
//	input       the value, as a Go string, for the others
//	expect      the value; or error: Reason@offset; or none
//	fit         for match
//	findings    the codes in their order, or none
//	source      where the expectation comes from
//	confidence  documented, observed (seen at work or made by Microsoft's code) or inferred
//	comment     what the vector is for
type vector struct {
	name   string
	fields map[string][]string
}

func (v vector) get(key string) string { return one(v.fields, key) }

func (v vector) input(t *testing.T) string {
	s, err := strconv.Unquote(v.get("input"))
	if err != nil {
		t.Fatalf("input: %v", err)
	}
	return s
}

func (v vector) options(t *testing.T) (o certuserid.Options) {
	for word := range strings.FieldsSeq(v.get("options")) {
		switch word {
		case "UpperHex":
			o.UpperHex = true
		case "WithoutSignOctet":
			o.WithoutSignOctet = true
		case "BrokenBigEndianSerial":
			o.BrokenBigEndianSerial = true
		case "PublicKeyInfo":
			o.HashInput = certuserid.PublicKeyInfo
		case "PublicKeyBits":
			o.HashInput = certuserid.PublicKeyBits
		default:
			upn, found := strings.CutPrefix(word, "UPN=")
			if !found {
				t.Fatalf("unknown option %q", word)
			}
			o.UPN = upn
		}
	}
	return o
}

func vectors(t testing.TB) []vector {
	files, err := filepath.Glob(filepath.Join("testdata", "vectors", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, k := range []string{"kind", "cert", "options", "mapping", "input", "expect", "fit", "findings", "source", "confidence", "comment"} {
		known[k] = true
	}
	var all []vector
	for _, file := range files {
		fields, _ := header(t, file)
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		for key, values := range fields {
			if !known[key] || len(values) != 1 {
				t.Fatalf("%s: field %q", name, key)
			}
		}
		for _, key := range []string{"kind", "source", "comment", "expect"} {
			if one(fields, key) == "" {
				t.Fatalf("%s: no %s", name, key)
			}
		}
		switch one(fields, "confidence") {
		case "documented", "observed", "inferred":
		default:
			t.Fatalf("%s: confidence %q", name, one(fields, "confidence"))
		}
		all = append(all, vector{name, fields})
	}
	return all
}

func TestVectors(t *testing.T) {
	count := map[string]int{}
	seen := map[string]bool{} // codes of findings
	for _, v := range vectors(t) {
		count[v.get("kind")]++
		t.Run(v.name, func(t *testing.T) {
			switch v.get("kind") {
			case "make":
				testMake(t, v)
			case "parse":
				testParse(t, v)
			case "normalize":
				testNormalize(t, v, seen)
			case "match":
				testMatch(t, v, seen)
			default:
				t.Fatalf("kind %q", v.get("kind"))
			}
		})
	}
	for kind, least := range map[string]int{"make": 45, "parse": 35, "normalize": 60, "match": 18} {
		if count[kind] < least {
			t.Errorf("%d vectors of kind %s, want %d or more", count[kind], kind, least)
		}
	}
	for _, rule := range certuserid.Rules() {
		if !seen[rule.Code] && !strings.HasPrefix(rule.Code, "userids-") { // TestSetFindings has those
			t.Errorf("no vector has finding %s", rule.Code)
		}
	}
}

func testMake(t *testing.T, v vector) {
	m, err := certuserid.ParseMapping(v.get("mapping"))
	if err != nil {
		t.Fatal(err)
	}
	cert := load(t, v.get("cert"))
	id, err := v.options(t).FromCertificate(cert, m)
	if got := outcome(id, err); got != v.get("expect") {
		t.Errorf("got  %s\nwant %s", got, v.get("expect"))
	}
	if err != nil {
		return
	}
	if parsed, err := certuserid.Parse(id.String()); err != nil || parsed != id {
		t.Errorf("Parse of it: %v, %v", parsed, err)
	}
	if all := v.options(t).Values(cert); !contains(all.All(), id) {
		t.Errorf("All lacks it: %v", all.All())
	}
	if fit := v.options(t).Values(cert).Fit(m, id.String()); fit != certuserid.Exact {
		t.Errorf("Fit: %v", fit)
	}
}

func contains(ids []certuserid.ID, id certuserid.ID) bool {
	for _, other := range ids {
		if other == id {
			return true
		}
	}
	return false
}

// outcome shows an ID or an error as vectors write it.
func outcome(id certuserid.ID, err error) string {
	var e *certuserid.Error
	switch {
	case errors.As(err, &e) && e.Offset >= 0:
		return fmt.Sprintf("error: %s@%d", reasonName(e.Reason), e.Offset)
	case e != nil:
		return "error: " + reasonName(e.Reason)
	case err != nil:
		return "error of another type: " + err.Error()
	case id == certuserid.ID{}:
		return "none"
	}
	return id.String()
}

func reasonName(r certuserid.Reason) string {
	names := map[certuserid.Reason]string{
		certuserid.NotX509: "NotX509", certuserid.UnknownTag: "UnknownTag", certuserid.MissingPart: "MissingPart",
		certuserid.ExtraPart: "ExtraPart", certuserid.StraySpace: "StraySpace", certuserid.BadText: "BadText",
		certuserid.BadName: "BadName", certuserid.BadHex: "BadHex", certuserid.TooLong: "TooLong",
		certuserid.OnlyActiveDirectory: "OnlyActiveDirectory", certuserid.OnlyEntra: "OnlyEntra", certuserid.NoField: "NoField",
	}
	return names[r]
}

func testParse(t *testing.T, v vector) {
	input := v.input(t)
	id, err := certuserid.Parse(input)
	want := v.get("expect")
	if want == "same" {
		want = input
		if id.Mapping().Name() != v.get("mapping") {
			t.Errorf("mapping %v", id.Mapping())
		}
	}
	if got := outcome(id, err); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if err != nil && id != (certuserid.ID{}) {
		t.Error("a value together with an error")
	}
	if err == nil {
		// A value in its right form has no fault of form.
		if fixed, found := certuserid.Normalize(input, nil); !strings.EqualFold(fixed.String(), input) && !guessed(found) || found.Worst() == lint.Error {
			t.Errorf("Normalize: %v, %v", fixed, found)
		}
	}
}

func guessed(found lint.Findings) bool {
	for _, f := range found {
		if strings.HasSuffix(f.Code, "-likely") {
			return true
		}
	}
	return false
}

func codes(found lint.Findings, seen map[string]bool) string {
	var list []string
	for _, f := range found {
		seen[f.Code] = true
		list = append(list, f.Code)
	}
	if list == nil {
		return "none"
	}
	return strings.Join(list, " ")
}

func testNormalize(t *testing.T, v vector, seen map[string]bool) {
	input := v.input(t)
	id, found := certuserid.Normalize(input, nil)
	if name := v.get("cert"); name != "" {
		id, found = certuserid.Normalize(input, load(t, name))
	}
	if got := outcome(id, nil); got != v.get("expect") {
		t.Errorf("got  %s\nwant %s", got, v.get("expect"))
	}
	if diff := cmp.Diff(v.get("findings"), codes(found, seen)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if id == (certuserid.ID{}) {
		return
	}
	// The positive twin: what is proposed is right.
	if parsed, err := certuserid.Parse(id.String()); err != nil || parsed != id {
		t.Errorf("Parse of it: %v, %v", parsed, err)
	}
	again, found := certuserid.Normalize(id.String(), nil)
	if name := v.get("cert"); name != "" {
		again, found = certuserid.Normalize(id.String(), load(t, name))
	}
	if again != id {
		t.Errorf("normalises to %v", again)
	}
	for _, f := range found {
		if f.Severity == lint.Error && !differs(f.Code) {
			t.Errorf("what is proposed has finding %v", f)
		}
	}
}

// differs reports whether a finding is about the certificate being another one.
func differs(code string) bool {
	switch code {
	case "userid-other", "userid-hex-other", "userid-hex-part", "userid-name-other", "userid-no-field", "userid-hex-swapped", "userid-not-first":
		return true
	}
	return false
}

func testMatch(t *testing.T, v vector, seen map[string]bool) {
	result := certuserid.Match(v.input(t), load(t, v.get("cert")))
	if got := result.Fit.String(); got != v.get("fit") {
		t.Errorf("fit %s, want %s", got, v.get("fit"))
	}
	if got := outcome(result.Right, nil); got != v.get("expect") {
		t.Errorf("got  %s\nwant %s", got, v.get("expect"))
	}
	if diff := cmp.Diff(v.get("findings"), codes(result.Findings, seen)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if (result.Fit == certuserid.Exact) != (len(result.Findings) == 0) {
		t.Errorf("%v with findings %v", result.Fit, result.Findings)
	}
	// The positive twin: the right value fits.
	if result.Right != (certuserid.ID{}) {
		if twin := certuserid.Match(result.Right.String(), load(t, v.get("cert"))); twin.Fit != certuserid.Exact {
			t.Errorf("the right value: %v", twin)
		}
	}
}
