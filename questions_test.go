package entracba_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestOpenQuestions fails when the code refers to an open question that
// docs/open-questions.md does not have.
func TestOpenQuestions(t *testing.T) {
	page, err := os.ReadFile("docs/open-questions.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d\.\d+) \|`).FindAllStringSubmatch(string(page), -1) {
		rows[row[1]] = true
	}
	number := regexp.MustCompile(`ID: "(\d\.\d+)"|[{(\[]"([23]\.\d|4\.[57]|9\.\d+)"|"([249]\.\d+)": |questions? (9\.\d+)`)
	used := map[string]bool{}
	err = filepath.WalkDir("cba", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, found := range number.FindAllStringSubmatch(string(source), -1) {
			id := found[1] + found[2] + found[3] + found[4]
			used[id] = true
			if !rows[id] {
				t.Errorf("%s refers to question %s, which docs/open-questions.md does not have", path, id)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(used) < 25 {
		t.Errorf("only %d questions are used", len(used))
	}
}
