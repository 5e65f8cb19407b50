package folder

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// maxSecret is the largest key or password file, in bytes.
const maxSecret = 1 << 20

// ReadSecret reads a file with a key or a password, of up to 1 MB. It refuses a file
// that somebody else than its owner could have changed, with reason
// [WritableByOthers]: where the mode of the file or of its folder lets the group or
// others write, or that of a folder above; but a folder above passes with the sticky
// bit, as /tmp has it, and if it belongs to this user and to the user's own group, which
// has the user's number. Who the owner is, who may read the file, and access lists are
// not checked; Windows has no modes, and nothing is checked there. Pipes below /dev and /proc, such as a
// shell's <(...), are read.
func ReadSecret(name string) ([]byte, error) {
	return readGuarded(name, maxSecret, "a key or password file has 1 MB at most")
}

// maxPlan is the largest plan, in bytes: a tenant's settings twice.
const maxPlan = 32 << 20

// ReadPlan is [ReadSecret] for a file of up to 32 MB that says what a program is to do,
// such as a saved plan: who can change it decides what is done.
func ReadPlan(name string) ([]byte, error) {
	return readGuarded(name, maxPlan, "a plan has 32 MB at most")
}

func readGuarded(name string, most int, what string) ([]byte, error) {
	f, err := openSecret(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readOpened(f, name, most, what)
}

// Read reads a file or a pipe of up to most bytes. What is larger has reason [TooLarge],
// and no more than that is read or kept of it, whatever size it claims to have.
func Read(name string, most int) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readOpened(f, name, most, fmt.Sprintf("it is larger than %s, the most that is read of such a file", size(most)))
}

func readOpened(f *os.File, name string, most int, what string) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().IsRegular() && info.Size() > int64(most) {
		return nil, &Error{Reason: TooLarge, Path: name, What: what}
	}
	var content bytes.Buffer
	if info.Mode().IsRegular() {
		content.Grow(int(info.Size()) + bytes.MinRead)
	}
	if _, err := content.ReadFrom(io.LimitReader(f, int64(most)+1)); err != nil {
		return nil, err
	}
	if content.Len() > most {
		return nil, &Error{Reason: TooLarge, Path: name, What: what}
	}
	return content.Bytes(), nil
}

// size is a number of bytes for people.
func size(n int) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}

// CheckPrivate refuses a file or folder that somebody else than its owner could change,
// as [ReadSecret] does: for what a program keeps elsewhere, such as a database. What does
// not exist is no error.
func CheckPrivate(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return checkSecret(path, info)
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	return checkFolder(full, "keys and passwords")
}

// openSecret opens a file that holds a key or passwords.
func openSecret(name string) (*os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = checkSecret(name, info)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func checkSecret(name string, info fs.FileInfo) error {
	path, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() && (strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/proc/")) {
		return nil
	}
	if writable(info) {
		return writableByOthers(name, "holds a key, passwords or what a program is to do")
	}
	return checkFolder(filepath.Dir(path), name)
}

// checkFolder refuses a folder that others may write, or one that others may replace.
// Both the path as it was given and the one behind its links count.
func checkFolder(folder, what string) error {
	paths := []string{folder}
	if real, err := filepath.EvalSymlinks(folder); err != nil {
		return err
	} else if real != folder {
		paths = append(paths, real)
	}
	for _, path := range paths {
		for above := false; ; above = true {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			if writable(info) && !(above && harmless(info)) {
				return writableByOthers(path, "holds "+what)
			}
			parent := filepath.Dir(path)
			if parent == path {
				break
			}
			path = parent
		}
	}
	return nil
}

// harmless reports whether those who may write a folder can neither rename nor remove
// what it holds, or are nobody else.
func harmless(info fs.FileInfo) bool {
	return info.Mode()&fs.ModeSticky != 0 || info.Mode().Perm()&0o002 == 0 && ownGroup(info)
}

func writable(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0
}

func writableByOthers(path, holds string) error {
	return &Error{Reason: WritableByOthers, Path: path,
		What: "it " + holds + ", and others than its owner can change it", Hint: `run "chmod go-w ` + path + `"`}
}
