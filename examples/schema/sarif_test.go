package schema

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	// Its source has the schema that OASIS published.
	_ "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// published returns the schema of SARIF 2.1.0.
func published(t *testing.T) *jsonschema.Schema {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif").Output()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(out)), "schema.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	ast.Inspect(file, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING && len(l.Value) > len(text) {
			text = l.Value
		}
		return true
	})
	if text, err = strconv.Unquote(text); err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	const name = "https://example.com/schema/sarif.json"
	if err := c.AddResource(name, document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What audit writes for continuous integration is what SARIF says.
func TestSARIF(t *testing.T) {
	s := published(t)
	dir := t.TempDir()
	audit := exec.Command(build(t, "audit"), "-sarif", "audit.sarif")
	audit.Dir = dir
	if out, err := audit.CombinedOutput(); audit.ProcessState.ExitCode() != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "audit.sarif"))
	if err != nil {
		t.Fatal(err)
	}
	check := func(text []byte) error {
		t.Helper()
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return s.Validate(document)
	}
	if err := check(text); err != nil {
		t.Error(err)
	}
	if n := bytes.Count(text, []byte(`"ruleId"`)); n < 5 {
		t.Errorf("only %d results", n)
	}
	// The schema is one that refuses.
	for from, to := range map[string]string{`"version": "2.1.0"`: `"version": "2.0"`, `"level": "error"`: `"level": "bad"`, `"ruleId"`: `"rule"`} {
		if !bytes.Contains(text, []byte(from)) || check(bytes.ReplaceAll(text, []byte(from), []byte(to))) == nil {
			t.Errorf("%s is taken for %s", to, from)
		}
	}
}
