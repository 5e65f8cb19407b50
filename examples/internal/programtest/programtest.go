// Package programtest builds an example once and runs it, for its tests.
package programtest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Main is for TestMain: it builds the example in the current folder, hands its
// path to built, and runs the tests.
func Main(m *testing.M, built func(program string)) {
	folder, err := os.MkdirTemp("", "program")
	if err != nil {
		panic(err)
	}
	program := filepath.Join(folder, "program.exe")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	built(program)
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// LookAtSources asks for every source file of the module. The go command does not
// know that a test runs what it has built itself, and would show an old result
// from its cache when only the program has changed; but it sees which files are
// asked for while tests run. [Run] calls it; a test that starts the program in
// another way does.
var LookAtSources = sync.OnceFunc(func() {
	filepath.WalkDir("../..", func(path string, _ os.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".go" {
			os.Stat(path)
		}
		return nil // what is gone again is nothing to build from
	})
})

// A Result is what a run printed.
type Result struct {
	Stdout, Stderr string
	Code           int // exit status
}

// Run runs a program in a folder, with this environment or, if it is nil, the
// test's own.
func Run(t *testing.T, program, folder string, env []string, args ...string) Result {
	t.Helper()
	LookAtSources()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = folder, env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return Result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// FIPSOnly runs a program as [Run] does, in the mode that refuses SHA-1 and all else
// that FIPS 140-3 does not approve. The program must not panic there, whatever else.
func FIPSOnly(t *testing.T, program, folder string, args ...string) Result {
	t.Helper()
	r := Run(t, program, folder, append(os.Environ(), "GODEBUG=fips140=only"), args...)
	if strings.Contains(r.Stderr, "panic: ") || strings.Contains(r.Stderr, "goroutine ") {
		t.Errorf("%q under GODEBUG=fips140=only:\n%s", args, r.Stderr)
	}
	return r
}
