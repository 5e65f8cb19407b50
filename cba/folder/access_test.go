package folder_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"example.com/entracba/cba/folder"
)

func TestWritableByOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no modes there")
	}
	for _, test := range []struct {
		what                string
		above, folder, file os.FileMode
		good                bool
	}{
		{"private", 0o700, 0o700, 0o600, true},
		{"readable", 0o755, 0o755, 0o644, true},
		{"file for the group", 0o755, 0o755, 0o660, false},
		{"file for others", 0o755, 0o755, 0o602, false},
		{"folder for the group", 0o755, 0o770, 0o600, false},
		{"folder for others", 0o755, 0o707, 0o600, false},
		{"folder with the sticky bit", 0o755, 0o777 | os.ModeSticky, 0o600, false},
		{"folder above for the group", 0o775, 0o755, 0o600, ownGroup()},
		{"folder above with the sticky bit", 0o777 | os.ModeSticky, 0o755, 0o600, true},
	} {
		above := filepath.Join(t.TempDir(), "above")
		name := filepath.Join(above, "in", "secret")
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("upn,password\na,b\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for path, mode := range map[string]os.FileMode{above: test.above, filepath.Dir(name): test.folder, name: test.file} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(name, link); err != nil {
			t.Fatal(err)
		}
		linked := filepath.Join(t.TempDir(), "linked")
		if err := os.Symlink(filepath.Dir(name), linked); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{name, link, filepath.Join(linked, "secret")} {
			if path == link && test.file&0o022 == 0 && !test.good {
				continue // the folder of the link is sound, that of the file is looked at below
			}
			for reader, err := range map[string]error{
				"ReadSecret":    second(folder.ReadSecret(path)),
				"LoadPasswords": second(folder.LoadPasswords(path)),
			} {
				if (err == nil) != test.good || err != nil && (!errors.Is(err, folder.WritableByOthers) || !strings.Contains(err.Error(), "chmod go-w")) {
					t.Errorf("%s, %s of %s: %v", test.what, reader, filepath.Base(path), err)
				}
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

// A folder that others may write takes no CA, and neither is one read there.
func TestOpenWritableByOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no modes there")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Open(dir); !errors.Is(err, folder.WritableByOthers) {
		t.Errorf("%v", err)
	}
	if found, _ := os.ReadDir(dir); len(found) > 0 {
		t.Errorf("made: %v", found)
	}
	of := t.TempDir()
	if err := os.WriteFile(filepath.Join(of, "journal.jsonl"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(of, "journal.jsonl"), 0o622); err != nil {
		t.Fatal(err)
	}
	if err := refused(t, of, ca); !errors.Is(err, folder.WritableByOthers) {
		t.Errorf("a journal: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "rootCA.key"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.LoadCA(dir); !errors.Is(err, folder.WritableByOthers) {
		t.Errorf("%v", err)
	}
}

// What a program keeps elsewhere is looked at in the same way.
func TestCheckPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no modes there")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "ledger.db")
	put(t, "x", file)
	for path, mode := range map[string]os.FileMode{dir: 0o777, file: 0o622} {
		if err := errors.Join(folder.CheckPrivate(dir), folder.CheckPrivate(file), folder.CheckPrivate(filepath.Join(dir, "none"))); err != nil {
			t.Fatal(err)
		}
		before, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if err := folder.CheckPrivate(file); !errors.Is(err, folder.WritableByOthers) {
			t.Errorf("%s has %v: %v", path, mode, err)
		}
		if err := os.Chmod(path, before.Mode()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadSecretLimit(t *testing.T) {
	name := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(name, bytes.Repeat([]byte("x"), 1<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.ReadSecret(name); !errors.Is(err, folder.TooLarge) {
		t.Errorf("%v", err)
	}
	if content, err := folder.ReadPlan(name); err != nil || len(content) != 1<<20+1 {
		t.Errorf("a plan: %v", err)
	}
	if err := os.Truncate(name, 32<<20+1); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.ReadPlan(name); !errors.Is(err, folder.TooLarge) {
		t.Errorf("a plan of more than 32 MB: %v", err)
	}
	if _, err := os.Stat("/dev/stdin"); err == nil {
		// A pipe that a shell or a test hands over is nobody else's.
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		w.WriteString("from a pipe")
		w.Close()
		if content, err := folder.ReadSecret(fmt.Sprintf("/dev/fd/%d", r.Fd())); err != nil || string(content) != "from a pipe" {
			t.Errorf("a pipe: %q, %v", content, err)
		}
	}
}

// A manifest sends nothing from outside of its folder.
func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret")
	for name, content := range map[string]string{outside: "secret", filepath.Join(dir, "inside"): "inside"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if content, err := folder.ReadFile(dir, "inside"); err != nil || string(content) != "inside" {
		t.Errorf("%q, %v", content, err)
	}
	relative, err := filepath.Rel(dir, outside)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{filepath.ToSlash(relative), filepath.ToSlash(outside), "../x", "", `..\x`, "a/../../x"} {
		if _, err := folder.ReadFile(dir, name); !errors.Is(err, folder.Outside) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Skip("no links here")
	}
	if content, err := folder.ReadFile(dir, "link"); err == nil {
		t.Errorf("through a link: %q", content)
	}
	if err := os.Truncate(filepath.Join(dir, "inside"), 17<<20); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.ReadFile(dir, "inside"); !errors.Is(err, folder.TooLarge) {
		t.Errorf("17 MB: %v", err)
	}
}

func TestCheckName(t *testing.T) {
	for _, upn := range []string{"jane@contoso.com", "o'brien@contoso.com", "a+b@x.com", "ü@x.com", "क्ष@x.com", "กิ@x.com", "x\u0302@x.com"} {
		if err := folder.CheckName(upn); err != nil {
			t.Errorf("%q: %v", upn, err)
		}
	}
	for _, upn := range []string{"", "a/b@x.com", `a\b@x.com`, "a:b@x.com", "a\x00@x.com", " jane@contoso.com ", ".a@x.com", "a@x.com.", "nul.x@x.com", "com1.x@y", "com¹.x@y", "LPT³.x@y", "conin$.x@y", "CONOUT$.x@y", "con .x@y", "jo\u0308rg@x.com", "하@x.com", "Ångstrom@x.com", strings.Repeat("a", 110) + "@x.com", "\xff@x.com"} {
		if err := folder.CheckName(upn); !errors.Is(err, folder.BadName) {
			t.Errorf("%q: %v", upn, err)
		}
	}
}

// What is larger than asked for is refused without being read, and so is what never ends.
func TestReadIsBounded(t *testing.T) {
	name := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(name, make([]byte, 1001), 0o600); err != nil {
		t.Fatal(err)
	}
	if content, err := folder.Read(name, 1001); err != nil || len(content) != 1001 {
		t.Errorf("%d bytes, %v", len(content), err)
	}
	if _, err := folder.Read(name, 1000); !errors.Is(err, folder.TooLarge) || !strings.Contains(err.Error(), "larger than 1000 bytes") {
		t.Error(err)
	}
	if _, err := os.Stat("/dev/zero"); err == nil {
		if _, err := folder.Read("/dev/zero", folder.MaxFile); !errors.Is(err, folder.TooLarge) || !strings.Contains(err.Error(), "16 MB") {
			t.Error(err)
		}
	}
	if _, err := folder.Read(filepath.Dir(name), 1000); err == nil {
		t.Error("a folder is read")
	}
}
