// Report reads what "go test -json" printed and says what counts: the output of
// every test that failed, the names of those that were skipped, and how many
// passed. It fails if any failed or was skipped, or none ran.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type event struct {
	Action, Package, Test, Output, ImportPath string
}

func main() {
	output := map[string][]string{} // by package and test
	var failed, skipped []string
	passed := 0
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Println(lines.Text()) // a build that failed before any test
			continue
		}
		key := e.Package + e.ImportPath + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			output[key] = append(output[key], e.Output)
		case "fail", "build-fail":
			failed = append(failed, key)
		case "skip":
			if e.Test != "" {
				skipped = append(skipped, key)
			}
		case "pass":
			if e.Test != "" {
				passed++
			}
			delete(output, key)
		}
	}
	for _, key := range failed {
		fmt.Printf("FAILED  %s\n%s\n", key, strings.Join(output[key], ""))
	}
	for _, key := range skipped {
		fmt.Printf("SKIPPED  %s\n%s\n", key, strings.Join(output[key], ""))
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", passed, len(failed), len(skipped))
	if passed == 0 || len(failed)+len(skipped) > 0 {
		os.Exit(1)
	}
}
