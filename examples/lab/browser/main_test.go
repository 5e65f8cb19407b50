//go:build browsers && linux

package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// insideVariable says, by the folder with the programs, that this process is in its own
// namespaces.
const insideVariable = "CBA_BROWSERS_INSIDE"

// Folders of the browsers' policies.
const (
	chromiumFolder = "/etc/chromium"
	firefoxFolder  = "/etc/firefox/policies"
)

// programs is the folder with issue, deliver, lab and page.
var programs string

func TestMain(m *testing.M) {
	if programs = os.Getenv(insideVariable); programs == "" {
		code, err := inside()
		if err != nil {
			fmt.Fprintln(os.Stderr, "browsers:", err)
			code = 1
		}
		os.Exit(code)
	}
	if err := privately(); err != nil {
		fmt.Fprintln(os.Stderr, "browsers:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// inside builds the programs, and runs this process again in namespaces of its own.
func inside() (code int, err error) {
	for _, program := range []string{"chromium", "firefox-esr", "curl", "certutil", "pk12util", "unshare"} {
		if _, err := exec.LookPath(program); err != nil {
			return 1, fmt.Errorf("%s is missing: install chromium, firefox-esr, curl, libnss3-tools and util-linux", program)
		}
	}
	folder, err := os.MkdirTemp("", "browsers")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(folder)
	if err := Build(context.Background(), folder, append(Programs(), "deliver", "lab")...); err != nil {
		return 1, err
	}
	options := []string{"-m", "-n", "--propagation", "private"}
	missing := "root may not make a mount and a network namespace (CAP_SYS_ADMIN): run the container with --privileged"
	if os.Geteuid() != 0 {
		options = append(options, "-U", "-r")
		missing = "this user may not make a user namespace: run as root, or set the sysctl kernel.unprivileged_userns_clone to 1 and, on Ubuntu, kernel.apparmor_restrict_unprivileged_userns to 0"
	}
	if out, err := exec.Command("unshare", append(options, "true")...).CombinedOutput(); err != nil {
		return 1, fmt.Errorf("%s (%s)", missing, strings.TrimSpace(string(out)))
	}
	self, err := os.Executable()
	if err != nil {
		return 1, err
	}
	again := exec.Command("unshare", append(append(options, self), os.Args[1:]...)...)
	again.Env = append(os.Environ(), insideVariable+"="+folder)
	again.Stdout, again.Stderr = os.Stdout, os.Stderr
	err = again.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// privately covers what the tests change of the machine: /etc, by a copy of it.
func privately() error {
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	etc := filepath.Join(programs, "etc")
	if err := os.MkdirAll(etc, 0o755); err != nil {
		return err
	}
	if err := syscall.Mount("none", etc, "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("mount on %s: %w", etc, err)
	}
	// What this user cannot read is not needed.
	_ = exec.Command("cp", "-a", "/etc/.", etc).Run()
	var text strings.Builder
	text.WriteString("127.0.0.1 localhost login.microsoftonline.com\n127.0.0.1")
	for _, label := range []string{"", "hints.", "tls12.", "hints-tls12."} {
		text.WriteString(" " + label + "certauth.login.microsoftonline.com")
	}
	// Removed first: it may be a mount of its own, whose copy is a link.
	if err := os.RemoveAll(filepath.Join(etc, "hosts")); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(etc, "hosts"), []byte(text.String()+"\n"), 0o644); err != nil {
		return err
	}
	if err := syscall.Mount(etc, "/etc", "", syscall.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount on /etc: %w", err)
	}
	return nil
}

// loopbackUp switches on the only network that a new network namespace has.
func loopbackUp() error {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(socket)
	request := struct {
		name  [16]byte
		flags uint16
		_     [22]byte
	}{flags: syscall.IFF_UP | syscall.IFF_RUNNING}
	copy(request.name[:], "lo")
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(socket), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request))); e != 0 {
		return e
	}
	return nil
}
