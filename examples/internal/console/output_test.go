package console

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/lint"
)

func TestWidth(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "jane": 4, "jörg": 4, "jo\u0308rg": 4, "田中": 4, "한국": 4, "ａ": 2, "👩": 2, "a\u200bb": 2, "é́": 1, "…": 1, "\u1112\u1161\u11ab": 2,
	} {
		if got := Width(text); got != want {
			t.Errorf("%q takes %d columns, want %d", text, got, want)
		}
	}
}

// Letters of East Asia and marks on letters do not shift a column.
func TestTableOfWideNames(t *testing.T) {
	var b bytes.Buffer
	Table(&b, Style{}, []string{"USER", "STATUS"}, []string{"田中@contoso.com", "issued"}, []string{"jo\u0308rg@contoso.com", "failed"}, []string{"jane@contoso.com", ""})
	want := "USER              STATUS\n" +
		"田中@contoso.com  issued\n" +
		"jo\u0308rg@contoso.com  failed\n" +
		"jane@contoso.com\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func on(columns int, write func(o *Output)) string {
	var b bytes.Buffer
	o := &Output{file: &b, columns: columns}
	write(o)
	o.Close()
	return b.String()
}

// On a terminal nothing is wider than the terminal: cells and sentences wrap, commands and
// JSON stay whole.
func TestTerminal(t *testing.T) {
	id := "X509:<I>CN=Contoso Issuing CA,O=Contoso<SR>" + strings.Repeat("0a", 20)
	write := func(o *Output) {
		Table(o, Style{}, []string{"USER", "OUTCOME", "CHANGE"}, []string{"jane@contoso.com", "planned", "+ " + id}, []string{"john@contoso.com", "failed", "no value for the mapping"})
		o.Write([]byte("\nA sentence that is somewhat longer than forty columns,\x1b[31m in two\x1b[0m writes"))
		o.Write([]byte(" and with an end.\n  indented, and also longer than the forty columns of this terminal\n"))
		Next(o, Style{}, "why", Command("sync", "-tenant", "contoso.onmicrosoft.com", "-manifest", "out dir/manifest.json"))
	}
	for _, columns := range []int{40, 60, 80} {
		got := on(columns, write)
		for line := range strings.Lines(got) {
			line = strings.TrimSuffix(line, "\n")
			if visible(line) > columns && !isCommand(line) {
				t.Errorf("%d columns: %d in %q", columns, visible(line), line)
			}
		}
		for _, want := range []string{"\n  go run ./examples/sync -tenant contoso.onmicrosoft.com -manifest 'out dir/manifest.json'\n"} {
			if !strings.Contains(got, want) {
				t.Errorf("%d columns: no %q in\n%s", columns, want, got)
			}
		}
		flat := func(text string) string { return strings.Join(strings.Fields(text), "") }
		if !strings.Contains(flat(got), flat("A sentence that is somewhat longer than forty columns,\x1b[31m in two\x1b[0m writes and with an end.")) {
			t.Errorf("%d columns: a sentence has lost something:\n%s", columns, got)
		}
	}
	if got := on(0, write); !strings.Contains(got, "+ "+id+"\n") || strings.Count(got, "\n") != 9 {
		t.Errorf("into a pipe:\n%s", got)
	}
	long := strings.Repeat("long ", 40)
	if got := on(40, func(o *Output) { JSON(o, long) }); got != `"`+long+"\"\n" {
		t.Errorf("JSON was wrapped: %s", got)
	}
}

func TestResult(t *testing.T) {
	var b bytes.Buffer
	if err := Result(&b, "p", struct {
		Users []string `json:"users"`
	}{[]string{"<a>"}}); err != nil || b.String() != "{\n  \"version\": 1,\n  \"program\": \"p\",\n  \"users\": [\n    \"<a>\"\n  ]\n}\n" {
		t.Errorf("%s, %v", b.String(), err)
	}
	b.Reset()
	if err := Result(&b, "p", struct{}{}); err != nil || b.String() != "{\n  \"version\": 1,\n  \"program\": \"p\"\n}\n" {
		t.Errorf("%s, %v", b.String(), err)
	}
	if err := Result(&b, "p", []int{1}); err == nil {
		t.Error("a list is no result")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// The first failed write is kept, and nothing is written behind it.
func TestOutputFull(t *testing.T) {
	for _, columns := range []int{0, 80} {
		o := &Output{file: full{}, columns: columns}
		Next(o, Style{}, "why", "command")
		if err := o.Close(); err == nil || err.Error() != "no space left on device" {
			t.Errorf("%d columns: %v", columns, err)
		}
	}
}

func TestCommand(t *testing.T) {
	for want, args := range map[string][]string{
		"go run ./examples/p":               nil,
		"go run ./examples/p a@b.c":         {"a@b.c"},
		"go run ./examples/p 'a b' ''":      {"a b", ""},
		"go run ./examples/p 'o'\\''b@c.d'": {"o'b@c.d"},
		"go run ./examples/p '$(x)'":        {"$(x)"},
	} {
		if got := Command("p", args...); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestFindings(t *testing.T) {
	finding := func(code string, effect lint.Effect) lint.Finding {
		return lint.Finding{Code: code, Severity: lint.Error, Effect: effect, Where: "/x", What: "is wrong", Do: "mend it", Source: "a page"}
	}
	var findings lint.Findings
	for range 12 {
		findings = append(findings, finding("a", lint.LocksOut))
	}
	var b bytes.Buffer
	Findings(&b, Style{}, append(All(findings), Found{finding("b", lint.LetsIn), "3 of 5 certificates"})...)
	one := "\nerror, can lock users out  /x: is wrong (a)\n  do      mend it\n  source  a page\n"
	want := strings.Repeat(one, 10) + "\n2 more findings not shown (a); use -json to list all\n" +
		"\nerror, can let the wrong user in, 3 of 5 certificates  /x: is wrong (b)\n  do      mend it\n  source  a page\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	if got := Tally(findings[:1]); got != "1 error, 0 warnings, 0 notes" {
		t.Error(got)
	}
}

func TestTimes(t *testing.T) {
	for text, want := range map[string]time.Duration{"36h": 36 * time.Hour, "7d": 7 * 24 * time.Hour, "2w": 14 * 24 * time.Hour, "90m": 90 * time.Minute} {
		if got, err := Period(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "7dd", "7dw", "-7d", "0d", "0h", "-1h", "7", "1.5d", "99999d", "w7"} {
		if got, err := Period(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
	for _, text := range []string{"2026-12-01", "2026-12-01T00:00", "2026-12-01T00:00:00Z", "2026-12-01T01:00:00+01:00"} {
		if got, err := Time(text); err != nil || !got.Equal(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	if _, err := Time("yesterday"); err == nil {
		t.Error("yesterday is a time")
	}
}
