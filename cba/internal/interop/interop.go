// Package interop lets the tests of this module drive programs that its
// authors did not write: OpenSSL, NSS, GnuTLS, a Java runtime, Python's
// cryptography. Only tests import it.
//
// A missing program skips the test, so that `go test ./...` needs nothing but
// Go. With CBA_INTEROP=require in the environment it fails the test instead,
// which is how continuous integration runs it. `go test -short` runs no other
// programs.
package interop

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// limit bounds one run of a program; a hanging reader is a failed test.
const limit = 2 * time.Minute

// A Tool is a program found on this machine.
type Tool struct {
	path string
	env  []string
}

// Find returns the first of the named programs that the PATH has. If there is
// none, it skips the test, or fails it under CBA_INTEROP=require.
func Find(tb testing.TB, names ...string) Tool {
	tb.Helper()
	skipShort(tb)
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			t := Tool{path: path}
			if name == "keytool" {
				// A run is over before optimizing it pays: half the CPU.
				t.env = []string{"JAVA_TOOL_OPTIONS=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
			}
			return t
		}
	}
	Missing(tb, "none of the programs %q is installed", names)
	panic("unreachable")
}

// Missing skips the test because something that it drives is not there, or
// fails it under CBA_INTEROP=require.
func Missing(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if os.Getenv("CBA_INTEROP") == "require" {
		tb.Fatalf(format, args...)
	}
	tb.Skipf(format, args...)
}

// skipShort leaves a test of other programs out of -short, except where all of
// them are required.
func skipShort(tb testing.TB) {
	tb.Helper()
	if testing.Short() && os.Getenv("CBA_INTEROP") != "require" {
		tb.Skip("-short runs no other programs")
	}
}

// Python returns a Python 3 that has the cryptography package. Debian's own
// interpreter is tried first: it is the one that python3-cryptography serves,
// whatever else is in front of it on the PATH.
func Python(tb testing.TB) Tool {
	tb.Helper()
	skipShort(tb)
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if exec.Command(path, "-c", "import cryptography").Run() == nil {
			return Tool{path: path}
		}
	}
	Missing(tb, "no python3 with the package cryptography is installed")
	panic("unreachable")
}

// Env returns a copy of the tool that runs with these NAME=value pairs added to
// the environment. Passwords go this way or through files, never as arguments.
func (t Tool) Env(pairs ...string) Tool {
	t.env = append(append([]string(nil), t.env...), pairs...)
	return t
}

// A Result is what one run of a program gave.
type Result struct {
	Stdout, Stderr string
	Code           int // exit status; -1 if it was ended by a signal or by the time limit
}

// Try runs the program with these arguments and standard input, and returns
// what it gave, whatever its exit status. It fails the test only if the program
// could not be started at all.
func (t Tool) Try(tb testing.TB, stdin []byte, args ...string) Result {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, t.path, args...)
	// Fixed language, so that the texts tests look for are the same everywhere.
	cmd.Env = append(append(os.Environ(), "LC_ALL=C.UTF-8"), t.env...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		tb.Fatalf("%s does not start: %v", t.path, err)
	}
	return Result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// Run is Try for a program that must succeed: any exit status but zero fails
// the test with what the program said. It returns standard output.
func (t Tool) Run(tb testing.TB, stdin []byte, args ...string) string {
	tb.Helper()
	r := t.Try(tb, stdin, args...)
	if r.Code != 0 {
		tb.Fatalf("%s %q: exit status %d\n%s%s", filepath.Base(t.path), args, r.Code, r.Stdout, r.Stderr)
	}
	return r.Stdout
}

// File writes a file with this content into the test's own folder and returns
// its path.
func File(tb testing.TB, name string, content []byte) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}
