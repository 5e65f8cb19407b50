package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// folder has the schemas.
var folder = filepath.Join("..", "..", "docs", "schema")

// A run is one of a program, in a folder that all of them share, in this order.
type run struct {
	schema  string
	program string
	args    []string
	code    int
}

// runs are enough that every schema is used, in each of its forms.
var runs = []run{
	{"issue", "issue", []string{"-key", "p256"}, 0},
	{"issue", "issue", nil, 0},
	{"issue", "issue", []string{"-users", "some.csv"}, 1},
	{"userids", "userids", []string{"out/users/jane@yourdomain.com.crt", "out/users/john@yourdomain.com.crt"}, 0},
	{"userids", "userids", []string{"-check", "X509:<PN>jane@yourdomain.com", "out/users/jane@yourdomain.com.crt"}, 0},
	{"userids", "userids", []string{"-check", "x509:<SKI>00 ", "out/users/jane@yourdomain.com.crt"}, 1},
	{"explain", "explain", nil, 0},
	{"explain", "explain", []string{"-require", "phishing-resistant", "-findings"}, 0},
	{"explain", "explain", []string{"-manifest", "out/manifest.json", "-user", "jane@yourdomain.com", "-require", "mfa", "-at", "2027-01-01"}, 1},
	{"explain", "explain", []string{"-tenant", "out/tenant.json", "-user", "other.json", "-cert", "out/users/jane@yourdomain.com.crt"}, 3},
	{"explain-users", "explain", []string{"-tenant", "out/tenant.json", "-users", "out/users.jsonl"}, 0},
	{"explain-users", "explain", []string{"-tenant", "out/tenant.json", "-users", "none.jsonl"}, 3},
	{"explain-then", "explain", []string{"-tenant", "out/tenant.json", "-users", "out/users.jsonl", "-then", "disabled.json"}, 1},
	{"deliver", "deliver", []string{"-manifest", "out/manifest.json", "-to", "windows-usb", "-out", "usb"}, 0},
	{"deliver", "deliver", []string{"-manifest", "out/manifest.json", "-to", "linux", "-out", "linux"}, 0},
	{"deliver-check", "deliver", []string{"-check", "-user", "jane@yourdomain.com"}, 1},
	{"sync", "sync", nil, 0},
	{"sync", "sync", []string{"-manifest", "out/manifest.json", "-apply"}, 0},
	{"sync", "sync", []string{"-manifest", "out/manifest.json", "-mapping", "RFC822Name"}, 1},
	{"audit", "audit", nil, 1},
	{"audit", "audit", []string{"-tenant", "out/tenant.json", "-users", "out/users.jsonl"}, 0},
	{"signins", "signins", nil, 0},
	{"signins", "signins", []string{"-manifest", "out/manifest.json", "-since", "7d"}, 0},
	{"signins-outage", "signins", []string{"-outage", "2026-01-01/2099-01-01"}, 3},
	{"setup", "setup", nil, 1},
	{"setup", "setup", []string{"-then", "out/tenant.json", "-users", "out/users.jsonl"}, 1},
	{"setup", "setup", []string{"-ca", "out/ca/rootCA.cer", "-crl-url", "http://crl.contoso.com/ca.crl", "-rule", "1.2.3.9=multifactor,high", "-manifest", "out/manifest.json"}, 0},
	{"setup-from", "setup", []string{"-from", "out/users", "-users", "out/users.jsonl", "-out", "proposal"}, 1},
	{"setup-from", "setup", []string{"-from", "out", "-users", "out/users.jsonl", "-out", "proposal2"}, 1},
	{"fleet", "fleet", []string{"-key", "p256"}, 0},
	{"fleet", "fleet", []string{"-due", "100"}, 0},
	{"fleet", "fleet", []string{"-revoke", "john@yourdomain.com"}, 0},
	{"fleet-enqueue", "fleet enqueue", []string{"-out", "jobs"}, 0},
	{"fleet-status", "fleet work", []string{"-out", "jobs", "-key", "p256", "-drain"}, 0},
	{"fleet-status", "fleet status", []string{"-out", "jobs"}, 0},
	{"fleet-revoke", "fleet revoke", []string{"-out", "jobs", "jane@yourdomain.com"}, 0},
	{"fleet-export", "fleet export", []string{"-out", "jobs", "jobs.csv"}, 0},
	{"fleet-retry", "fleet retry", []string{"-out", "jobs"}, 0},
	{"fleet-strays", "fleet strays", []string{"-out", "jobs"}, 0},
	{"compare", "compare", []string{"-rows", "^rules$", "-rounds", "1", "-turn", "1ns"}, 0},
	{"lab", "lab", []string{"-once", "-listen", "127.0.0.1:0", "-require", "mfa"}, 0},
}

// prepare makes the files that runs need.
func prepare(t *testing.T, dir string) {
	t.Helper()
	for name, text := range map[string]string{
		"some.csv":   "upn,password\njane@yourdomain.com,\nbad@yourdomain.com,\"a\tb-0123456789\"\n",
		"other.json": `{"userPrincipalName":"other@yourdomain.com","accountEnabled":true}`,
		"none.jsonl": `{"userPrincipalName":"none@yourdomain.com"}` + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func compile(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%d schemas, %v", len(files), err)
	}
	const base = "https://example.com/schema/"
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := c.AddResource(base+filepath.Base(name), document); err != nil {
			t.Fatal(err)
		}
	}
	schemas := map[string]*jsonschema.Schema{}
	for _, name := range files {
		name = filepath.Base(name)
		s, err := c.Compile(base + name)
		if err != nil {
			t.Fatal(err)
		}
		schemas[strings.TrimSuffix(name, ".json")] = s
	}
	delete(schemas, "common")
	return schemas
}

// programs has the built ones, below bin.
var (
	programs = map[string]string{}
	bin      string
)

func TestMain(m *testing.M) {
	var err error
	if bin, err = os.MkdirTemp("", "schema"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(bin)
	os.Exit(code)
}

// build builds a program once.
func build(t *testing.T, name string) string {
	t.Helper()
	if programs[name] != "" {
		return programs[name]
	}
	program := filepath.Join(bin, name+".exe")
	programs[name] = program
	cmd := exec.Command("go", "build", "-o", program, ".")
	cmd.Dir = filepath.Join("..", name)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return program
}

// documents are the JSON values of a text: one, or one for each attempt of lab.
func documents(t *testing.T, text []byte) (all []any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	for {
		var v any
		if err := d.Decode(&v); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		all = append(all, v)
	}
}

// command is the program with its command, such as status, and arguments.
func (r run) command(t *testing.T, dir string, args []string) *exec.Cmd {
	t.Helper()
	name, command, found := strings.Cut(r.program, " ")
	if found {
		args = append([]string{command}, args...)
	}
	cmd := exec.Command(build(t, name), args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "COLUMNS=40") // at which text for people is folded, and JSON must not be
	return cmd
}

// in runs the program, and makes a tenant to compare with once there is one.
func (r run) in(t *testing.T, dir string, args []string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := r.command(t, dir, args)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "out", "tenant.json"))
	if err == nil {
		text = bytes.Replace(text, []byte(`"state": "enabled"`), []byte(`"state": "disabled"`), 1)
		if err := os.WriteFile(filepath.Join(dir, "disabled.json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// Every program prints what its schema says, and each schema is used.
func TestResults(t *testing.T) {
	schemas := compile(t)
	dir := t.TempDir()
	prepare(t, dir)
	used := map[string]any{}
	for _, r := range runs {
		if r.schema == "deliver-check" {
			if _, err := exec.LookPath("certutil"); err != nil && os.Getenv("CBA_INTEROP") != "require" {
				delete(schemas, r.schema) // it looks at the browsers of a machine with Linux
				continue
			}
		}
		args := append([]string{"-json"}, r.args...)
		stdout, stderr, code := r.in(t, dir, args)
		if code != r.code {
			t.Errorf("%s %q: exit status %d, want %d\n%s", r.program, args, code, r.code, stderr)
			continue
		}
		all := documents(t, []byte(stdout))
		if len(all) == 0 {
			t.Errorf("%s %q printed nothing", r.program, args)
		}
		for _, v := range all {
			if err := schemas[r.schema].Validate(v); err != nil {
				t.Errorf("%s %q: %v", r.program, args, err)
			}
			used[r.schema] = v
		}
	}
	for name, s := range schemas {
		v, ok := used[name].(map[string]any)
		if !ok {
			t.Errorf("no run uses %s.json", name)
			continue
		}
		// And a schema refuses what is not of it: a property more, another version, none.
		for what, change := range map[string]func(map[string]any){
			"one more property": func(v map[string]any) { v["upn"] = "x" },
			"another version":   func(v map[string]any) { v["version"] = json.Number("2") },
			"no program":        func(v map[string]any) { delete(v, "program") },
		} {
			changed := maps.Clone(v)
			change(changed)
			if s.Validate(changed) == nil {
				t.Errorf("%s.json takes %s", name, what)
			}
		}
	}
}

// Every program with -json has a schema, and no schema is of a program that is gone.
func TestEveryProgram(t *testing.T) {
	var have, want []string
	for name := range compile(t) {
		program, _, _ := strings.Cut(name, "-")
		have = append(have, program)
	}
	files, err := filepath.Glob(filepath.Join("..", "*", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	flag := regexp.MustCompile(`\.Bool(?:Var)?\((?:&[\w.]+, )?"json"`)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if flag.Match(text) {
			want = append(want, filepath.Base(filepath.Dir(name)))
		}
	}
	sorted := func(names []string) []string { slices.Sort(names); return slices.Compact(names) }
	// Every command of a program is run.
	command := regexp.MustCompile(`NewFlagSet\("([a-z]+(?: [a-z]+)?)"`)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range command.FindAllStringSubmatch(string(text), -1) {
			program, _, _ := strings.Cut(found[1], " ")
			if slices.Contains(want, program) && !slices.ContainsFunc(runs, func(r run) bool { return r.program == found[1] }) {
				t.Errorf("no run of %s -json", found[1])
			}
		}
	}
	if h, w := sorted(have), sorted(want); !slices.Equal(h, w) || len(w) < 8 {
		t.Errorf("schemas of %q, programs with -json %q", h, w)
	}
}
