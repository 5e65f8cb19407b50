package main_test

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"example.com/entracba/examples/internal/programtest"
)

// The screens of a person at a terminal of 80 and of 120 columns, and into a pipe.
func TestScreens(t *testing.T) {
	t.Parallel()
	times := regexp.MustCompile(`\d{4}-\d\d-\d\d|\d\d:\d\d`)
	mask := func(text string) string {
		return times.ReplaceAllStringFunc(text, func(s string) string { return regexp.MustCompile(`\d`).ReplaceAllString(s, "0") })
	}
	for _, columns := range []int{0, 80, 120} {
		env := append(os.Environ(), fmt.Sprintf("COLUMNS=%d", columns))
		programtest.Screen(t, "demonstration", columns, programtest.Run(t, program, t.TempDir(), env), mask)
	}
}
