package folder_test

import (
	"bytes"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"example.com/entracba/cba/folder"
)

// When the disk is full, an entry that did not fit is not recorded, and what was
// recorded stays. The limit is one of the process, so the test runs in one of its own.
func TestFullDiskOfAJournal(t *testing.T) {
	if dir := os.Getenv("FOLDER_TEST_FULL"); dir != "" {
		f, j := open(t, dir)
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 3000, Max: 3000}); err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			upn := strings.Repeat("a", i) + "@x"
			before := j.Len()
			if err := j.Add(folder.Entry{User: folder.User{UPN: upn, PFX: "x", Certificate: "x.crt"}, Password: "x"}); err == nil {
				continue
			}
			if j.Has(upn) || j.Len() != before {
				t.Error("an entry that did not fit counts")
			}
			text, err := os.ReadFile(filepath.Join(dir, "journal.jsonl"))
			if err != nil || !bytes.HasSuffix(text, []byte("}\n")) || bytes.Count(text, []byte("\n")) != before {
				t.Errorf("%d entries in %q, want %d", bytes.Count(text, []byte("\n")), text, before)
			}
			f.Close()
			return
		}
		t.Fatal("the disk is not full")
	}
	dir := t.TempDir()
	for name, content := range map[string]string{"x": wholePFX("x"), "x.crt": certificate("x")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFullDiskOfAJournal$")
	cmd.Env = append(os.Environ(), "FOLDER_TEST_FULL="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	f, j := open(t, dir)
	if j.Len() < 5 {
		t.Errorf("%d entries are left", j.Len())
	}
	f.Close()
}
