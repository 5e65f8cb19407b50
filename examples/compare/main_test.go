package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

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
		"-rows nosuch": `no row matches "nosuch"`,
		"-rows (":      "-rows: ",
		"-rounds 0":    "must be positive",
		"more":         `unexpected argument "more"`,
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
