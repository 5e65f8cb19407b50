package entracba_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestREADME holds the program and the output that README.md shows against the
// example that the tests run.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)```go\n(.*?)```\n\nprints\n\n```\n(.*?)```").FindSubmatch(readme)
	if shown == nil {
		t.Fatal("README.md shows no program with its output")
	}
	body := regexp.MustCompile(`(?s)\nfunc Example\(\) \{\n(.*?)\n\t// Output:\n(.*?)\}\n`).FindSubmatch(source)
	if body == nil {
		t.Fatal("example_test.go has no Example with an output")
	}
	program := regexp.MustCompile(`(?m)^\t`).ReplaceAllString(string(body[1]), "")
	if strings.TrimSpace(string(shown[1])) != strings.TrimSpace(program) {
		t.Errorf("README.md's program is not the example's:\n%s", program)
	}
	output := regexp.MustCompile(`(?m)^\t// `).ReplaceAllString(string(body[2]), "")
	if strings.TrimSpace(string(shown[2])) != strings.TrimSpace(output) {
		t.Errorf("README.md's output is not the example's:\n%s", output)
	}
}

// TestREADMENamesEverything fails when a package or a program is not in README.md.
func TestREADMENamesEverything(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"cba", "examples"} {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		named := 0
		for _, e := range entries {
			if !e.IsDir() || e.Name() == "internal" || e.Name() == "testdata" {
				continue
			}
			if !strings.Contains(string(readme), folder+"/"+e.Name()) {
				t.Errorf("README.md does not name %s/%s", folder, e.Name())
			}
			named++
		}
		if named == 0 {
			t.Errorf("%s has no packages", folder)
		}
	}
}
