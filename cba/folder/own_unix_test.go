//go:build unix

package folder_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"example.com/entracba/cba/folder"
)

// ownGroup reports whether the files of this test belong to a group of the user's own.
func ownGroup() bool {
	info, err := os.Stat(os.TempDir())
	if err != nil {
		return false
	}
	// On some systems files have the group of their folder.
	group := os.Getegid()
	if s, ok := info.Sys().(*syscall.Stat_t); ok && info.Mode()&os.ModeSetgid != 0 {
		group = int(s.Gid)
	}
	return os.Geteuid() != 0 && group == os.Geteuid()
}

// Where every user has a group of the same number, new folders are open for it: that
// is nobody else. It is for folders above; the folder of a secret is closed.
func TestOwnGroup(t *testing.T) {
	if dir := os.Getenv("FOLDER_TEST_GROUP"); dir != "" {
		syscall.Umask(0o002)
		project := filepath.Join(dir, "project")
		out := filepath.Join(project, "out")
		if err := os.Mkdir(project, 0o777); err != nil {
			t.Fatal(err)
		}
		f, err := folder.Open(out)
		if (err == nil) != ownGroup() {
			t.Fatalf("own group %v: %v", ownGroup(), err)
		}
		f.Close()
		for path, mode := range map[string]os.FileMode{out: 0o770, project: 0o777} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			if _, err := folder.Open(out); err == nil {
				t.Errorf("%s is open with %v", path, mode)
			}
			if err := os.Chmod(out, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	if os.Geteuid() != 0 { // only root can be another user
		cmd := exec.Command(os.Args[0], "-test.run=^TestOwnGroup$")
		cmd.Env = append(os.Environ(), "FOLDER_TEST_GROUP="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	// A program and a folder that the other user can reach.
	const user = 54321
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	from, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(program, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(home, user, user); err != nil {
		t.Fatal(err)
	}
	for path := dir; path != filepath.Clean(os.TempDir()) && path != "/"; path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "-test.run=^TestOwnGroup$")
	cmd.Dir, cmd.Env = home, append(os.Environ(), "FOLDER_TEST_GROUP="+home, "TMPDIR="+home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
