package entracba_test

import (
	"os"
	"path/filepath"
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

// TestREADMEStatuses fails when a program can end with a status whose row in README.md
// does not name it, or a command of fleet is not there.
func TestREADMEStatuses(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("examples/*/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	rows := map[string]string{}
	for _, status := range []string{"3", "4"} {
		rows[status] = string(regexp.MustCompile(`(?m)^\| ` + status + ` \|.*$`).Find(readme))
	}
	command := regexp.MustCompile(`NewFlagSet\("fleet ([a-z]+)"`)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		program := filepath.Base(filepath.Dir(name))
		for status, says := range map[string]string{"3": "console.ErrNotKnown", "4": "console.ErrPending"} {
			if !strings.HasSuffix(name, "_test.go") && strings.Contains(string(text), says) && !regexp.MustCompile("`"+program+"[` ]").MatchString(rows[status]) {
				t.Errorf("%s can end with %s, and README.md says: %s", program, status, rows[status])
			}
		}
		for _, found := range command.FindAllSubmatch(text, -1) {
			if !strings.Contains(string(readme), "`"+string(found[1])+"`") {
				t.Errorf("README.md does not name fleet %s", found[1])
			}
		}
	}
}
