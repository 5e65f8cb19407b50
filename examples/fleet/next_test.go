package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/entracba/examples/internal/programtest"
)

// After revoking, a person is told what makes it count and from when; a full disk is told.
func TestNext(t *testing.T) {
	folder := t.TempDir()
	writeUsers(t, folder, 3)
	if r := fleet(t, folder, "-users", "users.csv"); r.code != 0 || !strings.HasSuffix(r.stdout, "\n  go run ./examples/sync -tenant ID -manifest out/fleet/manifest.json\n") {
		t.Errorf("exit status %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	r := fleet(t, folder, "-revoke", "user1@yourdomain.com")
	for _, want := range []string{"AFTER REVOKING", "out/fleet/crl", "Until then the certificate signs in", "go run ./examples/audit -tenant ID"} {
		if r.code != 0 || !strings.Contains(r.stdout, want) {
			t.Errorf("exit status %d, no %q in\n%s%s", r.code, want, r.stdout, r.stderr)
		}
	}
	if r := fleet(t, folder, "-users", "users.csv", "-renew", "-due", "100"); r.code != 0 || !strings.Contains(r.stdout, "-manifest out/fleet/manifest.json -replace\n") {
		t.Errorf("exit status %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	for _, args := range [][]string{{"-reason", "superseded"}, {"-revoke", "a@b", "-renew"}, {"-revoke", "a@b", "-days", "3"}, {"-days", "3"}, {"-rnew"}} {
		if r := fleet(t, folder, args...); r.code != 2 || r.stdout != "" {
			t.Errorf("%q: exit status %d\n%s", args, r.code, r.stdout)
		}
	}
	programtest.Full(t, program, folder, nil)
	programtest.Full(t, program, folder, nil, "-json")
	if err := os.Chmod(filepath.Join(folder, "out", "fleet", "ledger.db"), 0o666); err != nil {
		t.Fatal(err)
	}
	if r := fleet(t, folder, "-users", "users.csv"); r.code != 2 || !strings.Contains(r.stderr, "chmod go-w") {
		t.Errorf("exit status %d: %s", r.code, r.stderr)
	}
}

// Samples are for new folders, never beside what is real.
func TestSamplesToEnqueue(t *testing.T) {
	folder := t.TempDir()
	run := func(args ...string) programtest.Result {
		t.Helper()
		return programtest.Run(t, program, folder, nil, args...)
	}
	if r := run("enqueue", "-out", "new"); r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	for _, args := range [][]string{{"enqueue", "-out", "new"}, {"enqueue", "-ledger", "new/ledger.db", "-out", "other"}} {
		if r := run(args...); r.Code != 2 || r.Stdout != "" || !strings.Contains(r.Stderr, "-users FILE.csv") {
			t.Errorf("%q: exit status %d\n%s%s", args, r.Code, r.Stdout, r.Stderr)
		}
	}
}
