// Package programtest builds an example once and runs it, for its tests.
package programtest

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Main is for TestMain: it builds the example in the current folder, hands its
// path to built, and runs the tests.
func Main(m *testing.M, built func(program string)) {
	if to := os.Getenv(copyTo); to != "" {
		keep(to)
	}
	var err error
	if folder, err = os.MkdirTemp("", "program"); err != nil {
		panic(err)
	}
	program := filepath.Join(folder, "program.exe")
	if err := build(program, "."); err != nil {
		panic(err)
	}
	built(program)
	// Most of a test's time its program waits, for a service or a disk. -parallel wins.
	flag.Set("test.parallel", strconv.Itoa(4*runtime.GOMAXPROCS(0)))
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// Other builds another example once and returns its path. It is removed when the tests end.
func Other(t *testing.T, name string) string {
	t.Helper()
	LookAtSources()
	mu.Lock()
	defer mu.Unlock()
	if others[name] == "" {
		program := filepath.Join(folder, name+".exe")
		if err := build(program, filepath.Join("..", name)); err != nil {
			t.Fatal(err)
		}
		others[name] = program
	}
	return others[name]
}

var (
	mu     sync.Mutex
	folder string // of the programs
	others = map[string]string{}
)

// copyTo is the environment variable in which build tells this test, started as the
// program of -exec, where to copy what go run has built.
const copyTo = "PROGRAMTEST_COPY_TO"

// build builds the example of a folder. go run keeps programs in the build cache, and
// go build does not: linking one takes a second of CPU, and a dozen tests need it.
func build(program, folder string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "run", "-exec", `"`+self+`"`, "./"+filepath.ToSlash(folder))
	cmd.Env = append(os.Environ(), copyTo+"="+program)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// keep copies what go run would have started, and ends the process.
func keep(to string) {
	program, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = os.WriteFile(to, program, 0o700)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Screen compares what a program prints to a terminal of so many columns, without
// colours, with a golden file of testdata. mask hides what differs from run to run, and
// keeps the width. Where the environment has UPDATE_SCREENS, the file is written.
func Screen(t *testing.T, name string, columns int, r Result, mask func(string) string) {
	t.Helper()
	if mask == nil {
		mask = func(text string) string { return text }
	}
	golden := filepath.Join("testdata", fmt.Sprintf("%s-%d.txt", name, columns))
	got := mask(r.Stdout)
	if r.Stderr != "" {
		got += "--- standard error\n" + mask(r.Stderr)
	}
	if os.Getenv("UPDATE_SCREENS") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is\n%s\nwant\n%s\n(UPDATE_SCREENS=1 writes it; then read it)", golden, got, want)
	}
}

// Next is the command that a program prints for itself: the last line that runs the
// example of this name, with the program in its place. It is for [Shell].
func Next(t *testing.T, name, printed string) string {
	t.Helper()
	const call = "go run ./examples/"
	found := ""
	for line := range strings.Lines(printed) {
		if i := strings.LastIndex(line, call+name+" "); i >= 0 {
			found = strings.TrimSpace(line[i+len(call+name):])
		}
	}
	if found == "" {
		t.Fatalf("no command for %s in\n%s", name, printed)
	}
	return found
}

// Shell runs a program with a command line as a person's shell reads it.
func Shell(t *testing.T, program, folder, commandLine string) Result {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("no shell of this kind there")
	}
	return Run(t, "/bin/sh", folder, append(os.Environ(), "PROGRAM="+program), "-c", `"$PROGRAM" `+commandLine)
}

// Full runs a program whose standard output is a full disk, and expects that it says so.
func Full(t *testing.T, program, folder string, env []string, args ...string) {
	t.Helper()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer full.Close()
	LookAtSources()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env, cmd.Stdout = folder, env, full
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.Contains(stderr.String(), "no space left on device") {
		t.Errorf("%q on a full disk: exit status %d, said %q", args, code, stderr.String())
	}
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

// Until waits until a thing has happened.
func Until(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !happened(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

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
