package console

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestTableAligns(t *testing.T) {
	var b bytes.Buffer
	Table(&b, Style{}, []string{"UPN", "SERIAL"}, []string{"jörg@x", "1"}, []string{"jane@yourdomain.com", "22"}, []string{"a\x1b[2J", ""})
	want := "UPN                  SERIAL\n" +
		"jörg@x               1\n" +
		"jane@yourdomain.com  22\n" +
		"a\\x1b[2J\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

// No program writes a file over one that it reads, or twice.
func TestApart(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"a.json", "b.json"} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link("a.json", "c.json"); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		outputs, inputs []string
		args            string
		good            bool
	}{
		{nil, nil, "", true},
		{[]string{"", "a.json", "", "b.json", "new.json"}, []string{"", "other.json", ""}, "", true},
		{[]string{"new.json", "./new.json"}, nil, "", false},
		{[]string{"a.json", "c.json"}, nil, "", false},
		{[]string{"x", "a.json"}, []string{"b.json", "./a.json"}, "", false},
		{[]string{"a.json"}, []string{"c.json"}, "", false},
		// Whatever flag names it, and in whatever way.
		{[]string{"a.json"}, nil, "-json -out a.json -users b.json", true},
		{[]string{"a.json"}, nil, "-json -out=a.json -users=b.json", true},
		{[]string{"a.json"}, nil, "-out a.json -users a.json", false},
		{[]string{"a.json"}, nil, "-out a.json -users=./a.json", false},
		{[]string{"a.json"}, nil, "-out a.json -users c.json", false},
		{[]string{"a.json"}, nil, "-out a.json -crl http://a.b/c?d=e=c.json", false},
		{[]string{"a.json"}, nil, "-out a.json --crl=http://a.b/c=a.json", false},
		{[]string{"new.json"}, nil, "-out new.json new.json", false},
	} {
		if err := Apart(strings.Fields(test.args), test.outputs, nil, test.inputs...); (err == nil) != test.good {
			t.Errorf("%q, %q, %q: %v", test.outputs, test.inputs, test.args, err)
		}
	}
}

// So it is with what is written beside an output.
func TestApartBeside(t *testing.T) {
	for args, good := range map[string]bool{"-html new.html -tenant ID": true, "-html new.html -tenant ./a.json": false, "-html new.html -tenant a.json": false, "-html a.json": false} {
		words := strings.Fields(args)
		if err := Apart(words, words[1:2], []string{"a.json"}); (err == nil) != good {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// A file that does not exist is told without the words of a system, and from where it was
// looked for, however deep the error is.
func TestMissingFile(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	_, opened := os.ReadFile("no such.json")
	_, stated := os.Stat(filepath.Join(here, "other"))
	_, listed := os.ReadDir("a/b")
	err = fmt.Errorf("-x: %w", errors.Join(Usage("a: %w", opened), stated, fmt.Errorf("two: %w and %w", listed, io.EOF)))
	want := "-x: a: no such.json: no such file in " + here + "; " + filepath.Join(here, "other") + ": no such file; two: a: no such folder in " + here + " and EOF"
	if got := Text(err); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// A file that must not be read, and a folder that must not be written, are told without
// the name that a file has while it is written.
func TestRights(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.json", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"a.json":                "a.json: permission denied: choose another file, or change its rights",
		"b.json.nhnlii2qj.part": ".: this folder must not be written or entered (permission denied): choose another one, or change its rights",
	} {
		if got := Text(fmt.Errorf("report: %w", &os.PathError{Op: "open", Path: name, Err: os.ErrPermission})); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := Text(errors.New("write a.html.nhnlii2qjxcjc.part: no space left on device")); got != "write a.html: no space left on device" {
		t.Error(got)
	}
}

// The names of all packages are taken off errors.
func TestPrefixes(t *testing.T) {
	name := regexp.MustCompile(`"([a-z0-9]+): [^"]*" ?\+`)
	count := 0
	err := filepath.WalkDir("../../../cba", func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Base(path) != "error.go" || strings.Contains(path, "internal") {
			return err
		}
		content, err := os.ReadFile(path)
		for _, found := range name.FindAllSubmatch(content, -1) {
			if count++; Text(errors.New(string(found[1])+": x")) != "x" {
				t.Errorf("%s: %s", path, found[1])
			}
		}
		return err
	})
	if err != nil || count < 10 {
		t.Errorf("%d packages, %v", count, err)
	}
}

func TestNoColourOffATerminal(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := StyleFor(f).Red("x"); got != "x" {
		t.Errorf("painted %q into a file", got)
	}
	if got := (Style{true}).Red("x"); got != "\x1b[31mx\x1b[0m" {
		t.Errorf("painted %q", got)
	}
}

func TestStatus(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
		says string
	}{
		{nil, Good, ""},
		{flag.ErrHelp, Good, ""},
		{ErrNo, No, ""},
		{Usage("no such target %q", "x"), Unusable, "p: no such target \"x\"\n"},
		{&Failure{No, errors.New("refused")}, No, "p: refused\n"},
		{errors.New("disk\x07 full"), Unusable, "p: disk\\a full\n"},
		{errors.Join(errors.New("cba: key: weak key"), errors.New("x: graph: crl: y\x1b")), Unusable, "p: key: weak key\np: x: y\\x1b\n"},
	} {
		var b bytes.Buffer
		if got := status("p", &b, test.err); got != test.want || b.String() != test.says {
			t.Errorf("%v: status %d, said %q; want %d, %q", test.err, got, b.String(), test.want, test.says)
		}
	}
}

func TestCount(t *testing.T) {
	for want, got := range map[string]string{
		"0 users": Count(0, "user"), "1 user": Count(1, "user"), "2 entries": Count(2, "entry", "entries"), "1 entry": Count(1, "entry", "entries"),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestProgressLine(t *testing.T) {
	p := &Progress{what: "Issuing", total: 100, done: 50}
	if got := p.line(10 * time.Second); !strings.Contains(got, "50 of 100  5/s  10s left") || strings.Count(got, "█") != 15 {
		t.Errorf("half way: %q", got)
	}
	p.done = 100
	if got := p.line(20 * time.Second); strings.Contains(got, "left") || strings.Contains(got, "░") {
		t.Errorf("at the end: %q", got)
	}
	p = &Progress{what: "Reading", done: 7}
	if got := p.line(time.Second); got != "Reading  7  7/s" {
		t.Errorf("without a total: %q", got)
	}
}

func TestParseFlags(t *testing.T) {
	var printed bytes.Buffer
	parse := func(args ...string) error {
		f := flag.NewFlagSet("p", flag.ContinueOnError)
		f.Int("days", 1, "expires after `N` days")
		return parseFlags(&printed, f, args, "Does something.", "[flags] FILE", []string{"-days 3 x.pem", ""})
	}
	if err := parse("-days", "3"); err != nil {
		t.Error(err)
	}
	if err := parse("-h"); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("help: %v", err)
	}
	for _, want := range []string{"Does something.\n", "go run ./examples/p [flags] FILE\n", "\n  go run ./examples/p -days 3 x.pem\n  go run ./examples/p\n", "expires after N days"} {
		if !strings.Contains(printed.String(), want) {
			t.Errorf("no %q in\n%s", want, printed.String())
		}
	}
	printed.Reset()
	if err := parse("-version"); !errors.Is(err, flag.ErrHelp) || !strings.HasPrefix(printed.String(), "p ") || strings.Count(printed.String(), "\n") != 1 {
		t.Errorf("version: %v, %q", err, printed.String())
	}
	for says, args := range map[string][]string{
		"p: invalid value \"x\" for flag -days: must be a number\n": {"-days", "x"},
		"p: unknown flag -day; did you mean -days?\n":               {"-day", "3"},
		"p: unknown flag -dyas; did you mean -days?\n":              {"-dyas=3"},
		"p: unknown flag -Days; did you mean -days?\n":              {"-Days=3"},
		"p: unknown flag -verison; did you mean -version?\n":        {"-verison"},
		"p: unknown flag -tenant\n":                                 {"-tenant"},
		"p: flag needs an argument: -days\n":                        {"-days"},
	} {
		var b bytes.Buffer
		if code := status("p", &b, parse(args...)); code != Unusable || b.String() != says+"p: for help: go run ./examples/p -h\n" {
			t.Errorf("%q: status %d, said %q", args, code, b.String())
		}
	}
}
