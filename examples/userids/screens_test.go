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
	folder, _ := files(t)
	keys := regexp.MustCompile(`\d{4}-\d\d-\d\d|[0-9a-f]{16,}(\s+[0-9a-f]+\n)?`)
	mask := func(text string) string {
		return keys.ReplaceAllStringFunc(text, func(s string) string { return regexp.MustCompile(`[0-9a-f]`).ReplaceAllString(s, "0") })
	}
	for _, columns := range []int{0, 80, 120} {
		env := append(os.Environ(), fmt.Sprintf("COLUMNS=%d", columns))
		programtest.Screen(t, "ids", columns, programtest.Run(t, program, folder, env, "bob.pem"), mask)
		programtest.Screen(t, "check", columns, programtest.Run(t, program, folder, env, "-check", "x509:<PN>bob@woodgrove.com", "bob.pem"), mask)
	}
	programtest.Full(t, program, folder, nil, "bob.pem")
}
