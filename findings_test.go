package entracba_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.com/entracba/cba"
	"example.com/entracba/cba/aadsts"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/deploy"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/intune"
	"example.com/entracba/cba/lifecycle"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/pfx"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
)

// rules has the rules of every package that finds something.
func rules() []struct {
	room  string
	rules []lint.Rule
} {
	return []struct {
		room  string
		rules []lint.Rule
	}{
		{"cba", cba.Rules()},
		{"cba/certuserid", certuserid.Rules()},
		{"cba/crl", crl.Rules()},
		{"cba/deploy", deploy.Rules()},
		{"cba/graph", graph.Rules()},
		{"cba/intune", intune.Rules()},
		{"cba/lifecycle", lifecycle.Rules()},
		{"cba/pfx", pfx.Rules()},
		{"cba/policy", policy.Rules()},
		{"cba/signin", signin.Rules()},
		{"cba/trust", trust.Rules()},
	}
}

// TestRules holds that a code belongs to one package and means one thing, and that
// every rule says what it finds, what to do, and where
// that is written if it claims something about a service or a standard.
func TestRules(t *testing.T) {
	code := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
	seen := map[string]string{}
	for _, p := range rules() {
		if len(p.rules) == 0 {
			t.Errorf("%s has no rules", p.room)
		}
		for _, r := range p.rules {
			if !code.MatchString(r.Code) {
				t.Errorf("%s: code %q", p.room, r.Code)
			}
			if other, twice := seen[r.Code]; twice {
				t.Errorf("code %s is in %s and in %s", r.Code, other, p.room)
			}
			seen[r.Code] = p.room
			if r.Severity.String() == "unset" || r.What == "" || r.Severity != lint.Info && r.Do == "" {
				t.Errorf("%s: rule %s does not say how bad it is, what it finds or what to do", p.room, r.Code)
			}
			// A rule about the input itself, such as two files that differ, needs none.
			if r.Source != "" && r.Source.URL() == "" {
				t.Errorf("%s: rule %s: source %q has no address", p.room, r.Code, r.Source)
			}
		}
	}
	if len(seen) < 200 {
		t.Errorf("only %d rules", len(seen))
	}
}

// TestRulesHaveOneMaker fails where a finding is put together by hand, or a page
// has its address outside of cba/lint.
func TestRulesHaveOneMaker(t *testing.T) {
	byHand := regexp.MustCompile(`\blint\.Finding\{[^}]`)
	looked := 0
	for _, room := range house(t) {
		if room.name == "cba/lint" {
			continue
		}
		for _, name := range room.files {
			source, err := os.ReadFile(filepath.Join(room.dir, name))
			if err != nil {
				t.Fatal(err)
			}
			looked++
			if byHand.Match(source) {
				t.Errorf("%s/%s makes a finding without a rule", room.name, name)
			}
			if bytes.Contains(source, []byte("learn.microsoft.com/")) && !isProgram(room.name) {
				t.Errorf("%s/%s has an address of Microsoft's pages: it belongs in cba/lint/source.go", room.name, name)
			}
		}
	}
	if looked < 100 {
		t.Errorf("only %d files were looked at", looked)
	}
}

// TestReasons holds the one model of errors: errors.Is takes a reason, errors.As
// the details, and a reason is short text.
func TestReasons(t *testing.T) {
	text := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	for _, c := range []struct {
		err, is, not error
	}{
		{&cba.Error{Reason: cba.WeakKey}, cba.WeakKey, cba.Malformed},
		{&certuserid.Error{Reason: certuserid.TooLong}, certuserid.TooLong, cba.WeakKey},
		{&pfx.Error{Reason: pfx.Malformed}, pfx.Malformed, cba.Malformed},
		{&trust.Error{Reason: trust.BadSyntax}, trust.BadSyntax, policy.BadSyntax},
		{&policy.Error{Reason: policy.BadSyntax}, policy.BadSyntax, trust.BadSyntax},
		{&signin.Error{Reason: signin.NoUser}, signin.NoUser, cba.Missing},
		{&graph.Error{Reason: graph.NotFound}, graph.NotFound, graph.Forbidden},
		{&crl.Error{Reason: crl.Download}, crl.Download, cba.Missing},
	} {
		wrapped := fmt.Errorf("outer: %w", c.err)
		if !errors.Is(wrapped, c.is) || errors.Is(wrapped, c.not) {
			t.Errorf("%T: Is(%v) %v, Is(%v) %v", c.err, c.is, errors.Is(wrapped, c.is), c.not, errors.Is(wrapped, c.not))
		}
		if reason := reflect.ValueOf(c.is); reason.Kind() != reflect.String || !text.MatchString(reason.String()) {
			t.Errorf("%T: reason %#v is no short text", c.err, c.is)
		}
	}
}

// TestFindingsPage holds docs/findings.md against the rules and the steps.
func TestFindingsPage(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(`# Findings and steps

Every check answers with findings (` + "`lint.Finding`" + `): a code for programs, a severity, and text for
people. This page lists the codes, then the names of the steps that a verdict is made
of. The tests keep it true: change the rules in the code, then run ` + "`go test . -update`" + `.

An effect says what a finding does to people: **locks out** those who should get in, or
**lets in** those who should not. Read these first.

`)
	total := 0
	for _, p := range rules() {
		list := slices.Clone(p.rules)
		slices.SortStableFunc(list, func(a, b lint.Rule) int { return cmp.Compare(a.Code, b.Code) })
		fmt.Fprintf(&b, "## %s\n\n| code | severity | effect | finds | what to do | source |\n|---|---|---|---|---|---|\n", p.room)
		for _, r := range list {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", r.Code, r.Severity, strings.ReplaceAll(r.Effect.String(), "-", " "), cell(r.What), cell(r.Do), link(r.Source))
			total++
		}
		b.WriteString("\n")
	}
	b.WriteString("## Steps\n\nA verdict lists its steps in the order in which they were looked at.\n\n| package | name | says |\n|---|---|---|\n")
	for _, p := range []struct {
		room  string
		steps []lint.StepName
	}{{"cba/policy", policy.StepNames()}, {"cba/trust", trust.StepNames()}, {"cba/signin", signin.StepNames()}} {
		for _, s := range p.steps {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", p.room, s.Name, cell(s.What))
		}
	}
	b.WriteString("\n## Codes\n\nThe codes with which Entra answers sign-ins with certificates, as package `cba/aadsts` has them. \"Listed\": Microsoft's list of codes has the text, and no page says when it appears.\n\n| code | says | when | confidence | source |\n|---|---|---|---|---|\n")
	for _, c := range aadsts.Codes() {
		fmt.Fprintf(&b, "| %v | %s | %s | %s | %s |\n", c, cell(c.Text), cell(c.When), c.Confidence, link(c.Source))
	}
	generated(t, "docs/findings.md", b.Bytes())
	t.Logf("%d rules", total)
}

// cell makes a text fit for a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "{{", "&#123;&#123;").Replace(text)
}

// link makes a source a link; one inside this repository is relative to docs.
func link(s lint.Source) string {
	url := strings.TrimPrefix(s.URL(), "docs/")
	if url == "" {
		return cell(string(s))
	}
	return fmt.Sprintf("[%s](%s)", cell(string(s)), url)
}

// TestCodes fails if the code names an AADSTS code that the table does not have.
func TestCodes(t *testing.T) {
	seen := map[string]bool{}
	for _, room := range house(t) {
		if isProgram(room.name) || room.name == "cba/aadsts" {
			continue
		}
		for _, name := range room.files {
			source, err := os.ReadFile(filepath.Join(room.dir, name))
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range regexp.MustCompile(`"AADSTS(\d+)"`).FindAllSubmatch(source, -1) {
				number, err := strconv.Atoi(string(found[1]))
				if _, ok := aadsts.Find(number); err != nil || !ok {
					t.Errorf("%s/%s has AADSTS%s, which the table of cba/aadsts does not have", room.name, name, found[1])
				}
				seen[string(found[1])] = true
			}
		}
	}
	if len(seen) < 15 {
		t.Errorf("only %d codes are used", len(seen))
	}
}
