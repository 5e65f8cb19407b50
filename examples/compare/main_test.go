package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"example.com/entracba/examples/internal/programtest"
)

var program string

func TestMain(m *testing.M) { programtest.Main(m, func(path string) { program = path }) }

// Every row runs, and every side of it proves its answer.
func TestCompare(t *testing.T) {
	var out bytes.Buffer
	if err := compare([]string{"-rounds", "1", "-turn", "1ns", "-json"}, &out); err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Results) != len(rows) {
		t.Errorf("%d rows of %d", len(r.Results), len(rows))
	}
	for _, row := range r.Results {
		if len(row.Figures) < 2 {
			t.Errorf("%s: nothing to compare with", row.Name)
		}
		for _, f := range row.Figures {
			if f.Microseconds < 0 || row.About == "" || f.Side == "" {
				t.Errorf("%s: %+v", row.Name, f)
			}
		}
		_, err := exec.LookPath("openssl")
		if err != nil && (row.Name == "user" || row.Name == "CRL") && len(row.Missing) == 0 {
			t.Errorf("%s: nothing says that openssl was left out", row.Name)
		}
	}
}

func TestFlags(t *testing.T) {
	for args, want := range map[string]string{
		"-rows nosuch":    `no row matches "nosuch"; there are user, `,
		"-rows (":         "missing closing ): `(`",
		"-json -markdown": "cannot be combined",
		"-rounds 0":       "must be positive",
		"more":            `unexpected argument "more"`,
	} {
		err := compare(strings.Fields(args), &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

func TestOutput(t *testing.T) {
	r := report{CPU: "a CPU", Cores: 2, Go: "go1", System: "linux/amd64", Rounds: 3, Clock: "CPU time", Results: []result{{
		Name: "ids", About: "seven strings", Figures: []figure{{"ours", 2.283, 1, true}, {"theirs", 1234.5, 540.7, false}}, Missing: []string{"openssl (it is not installed)"}}}}
	for _, test := range []struct {
		write func(*bytes.Buffer) error
		want  []string
	}{
		{func(b *bytes.Buffer) error { return r.text(b) }, []string{"a CPU, 2 cores, go1", "2.28 µs", "1234 µs", "540.70", "not measured: openssl"}},
		{func(b *bytes.Buffer) error { return r.markdown(b) }, []string{"# Speed\n", "## Ids\n", "## Not ahead\n\nIn this run, nothing.", "| ours | 2.28 | 1.00 |\n", "| openssl (it is not installed) | not measured | |\n"}},
	} {
		var out bytes.Buffer
		if err := test.write(&out); err != nil {
			t.Fatal(err)
		}
		for _, w := range test.want {
			if !strings.Contains(out.String(), w) {
				t.Errorf("%q is not in\n%s", w, out.String())
			}
		}
	}
}

// Text for people folds at the width of the terminal; what a machine reads never does, and
// the version says how to read it.
func TestWidth(t *testing.T) {
	for flag, want := range map[string]string{
		"":          "medians\nof 1 round\n",
		"-markdown": "medians of 1 round.\n",
		"-json":     `"about": "50 authentication rules and two bindings decided for one user, the last rule matching (cedar: as many policies, with the binding in each)"`,
	} {
		args := []string{"-rows", "^rules$", "-rounds", "1", "-turn", "1ns"}
		if flag != "" {
			args = append(args, flag)
		}
		r := programtest.Run(t, program, t.TempDir(), append(os.Environ(), "COLUMNS=80"), args...)
		if r.Code != 0 || !strings.Contains(r.Stdout, want) {
			t.Errorf("%s: exit status %d, no %q in\n%s%s", flag, r.Code, want, r.Stdout, r.Stderr)
		}
		if flag == "-json" && !strings.HasPrefix(r.Stdout, "{\n  \"version\": 1,\n  \"program\": \"compare\",\n") {
			t.Errorf("it begins with %.60s", r.Stdout)
		}
	}
	programtest.Full(t, program, t.TempDir(), nil, "-rows", "^rules$", "-rounds", "1", "-turn", "1ns")
}

// The screen of a row, and the next command, which a shell takes.
func TestScreens(t *testing.T) {
	figure := regexp.MustCompile(` *\d+(?:\.\d+)? µs +\d+\.\d\d`)
	machine := regexp.MustCompile(`(?s)^.*?medians\s+of 1 round\n`)
	mask := func(text string) string {
		return figure.ReplaceAllString(machine.ReplaceAllString(text, "MACHINE, medians of 1 round\n"), "  0.00 µs   0.00")
	}
	for _, columns := range []int{0, 80, 120} {
		r := programtest.Run(t, program, t.TempDir(), append(os.Environ(), fmt.Sprintf("COLUMNS=%d", columns)), "-rows", "^rules$|^ids$", "-rounds", "1", "-turn", "1ns")
		programtest.Screen(t, "rows", columns, r, mask)
		if again := programtest.Shell(t, program, t.TempDir(), programtest.Next(t, "compare", r.Stdout)); again.Code != 0 || !strings.Contains(again.Stdout, "## Rules") {
			t.Errorf("exit status %d\n%s%s", again.Code, again.Stdout, again.Stderr)
		}
	}
}
