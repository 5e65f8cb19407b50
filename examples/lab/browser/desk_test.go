//go:build browsers && linux

package browser

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/entracba/cba/signin"
)

// A desk is a person's machine: a home folder with an NSS database, and the lab, which
// plays Entra.
type desk struct {
	t    *testing.T
	home string
	ca   string // file of the certificate of the lab's CA
	// primary is the primary password of Firefox's profile, if it has one.
	primary string
	// seen are the sign-ins that the lab has seen.
	seen chan seen
}

// seen is what the lab prints of a sign-in.
type seen struct {
	User      string         `json:"userPrincipalName"`
	TLS       string         `json:"tls"`
	Hints     []string       `json:"issuerHints"`
	Presented bool           `json:"presented"`
	Verdict   signin.Verdict `json:"verdict"`
}

// newDesk starts the lab for a tenant and its users.
func newDesk(t *testing.T, tenant, users string, more ...string) *desk {
	t.Helper()
	d := &desk{t: t, home: t.TempDir(), seen: make(chan seen, 16)}
	d.ca = filepath.Join(d.home, "lab-ca.pem")
	for _, folder := range []string{chromiumFolder + "/policies/managed", firefoxFolder} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, file := range glob(t, folder+"/*.json") {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	args := append([]string{"-tenant", tenant, "-users", users, "-listen", "127.0.0.1:443", "-domain", "microsoftonline.com", "-ca", d.ca, "-json"}, more...)
	lab := exec.Command(filepath.Join(programs, "lab"), args...)
	var trouble bytes.Buffer
	lab.Stderr = &trouble
	out, err := lab.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := lab.Start(); err != nil {
		t.Fatal(err)
	}
	printed := make(chan struct{})
	go func() {
		defer close(printed)
		lines := json.NewDecoder(bufio.NewReader(out))
		for {
			var s seen
			if lines.Decode(&s) != nil {
				return
			}
			d.seen <- s
		}
	}()
	t.Cleanup(func() {
		lab.Process.Signal(syscall.SIGTERM)
		<-printed
		if err := lab.Wait(); err != nil {
			t.Errorf("lab: %v", err)
		}
		if t.Failed() {
			t.Logf("lab: %s", trouble.String())
		}
	})
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(d.ca); err == nil {
			return d
		}
		if time.Now().After(end) {
			t.Fatalf("lab does not start: %s", trouble.String())
		}
	}
}

// saw is the sign-in that the lab has seen.
func (d *desk) saw() seen {
	d.t.Helper()
	select {
	case s := <-d.seen:
		return s
	case <-time.After(5 * time.Second):
		d.t.Fatal("the lab has seen no sign-in")
		panic("unreachable")
	}
}

// install runs the script of a delivery as the person does.
func (d *desk) install(folder, database string) {
	d.t.Helper()
	script := exec.Command("sh", filepath.Join(folder, "install.sh"))
	script.Env = append(os.Environ(), "HOME="+d.home)
	if database != "" {
		script.Env = append(script.Env, "NSSDB="+database)
	}
	if out, err := script.CombinedOutput(); err != nil {
		d.t.Fatalf("install.sh: %v: %s", err, out)
	}
}

// policy runs the script for the policies of a delivery as an administrator does.
func (d *desk) policy(folder string) {
	d.t.Helper()
	if out, err := exec.Command("sh", filepath.Join(folder, "install-policy.sh")).CombinedOutput(); err != nil {
		d.t.Fatalf("install-policy.sh: %v: %s", err, out)
	}
}

// run runs a program of this repository.
func run(t *testing.T, folder, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(programs, program), args...)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v: %s", program, args, err, out)
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// picture keeps a screenshot where CBA_PICTURES says.
func picture(t *testing.T, name string, png []byte) {
	t.Helper()
	folder := os.Getenv("CBA_PICTURES")
	if folder == "" {
		return
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, strings.ReplaceAll(name, "/", "-")+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// A client signs in as a person does, and returns the text of the page with the verdict.
type client interface {
	signIn(ctx context.Context, user, hints, tls string) (page string, png []byte, err error)
}
