package main_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/examples/internal/tenant/tenanttest"
)

// A run that is interrupted or killed between two writes goes on where it stopped:
// nobody is written twice, and the undo files take all of it back.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	for _, signal := range []os.Signal{os.Interrupt, os.Kill} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS == "windows" {
				t.Skip("processes cannot be interrupted there")
			}
			const users = 400
			var in graphtest.Tenant
			var manifest bytes.Buffer
			manifest.WriteString(`{"ca":{},"users":[`)
			for i := range users {
				upn := fmt.Sprintf("user%03d@contoso.com", i)
				in.Users = append(in.Users, graphtest.User{UserPrincipalName: upn, CertificateUserIDs: []string{"X509:<PN>" + upn}})
				fmt.Fprintf(&manifest, `%s{"upn":%q,"certificateUserIds":{"SKI":"X509:<SKI>%040x"}}`, ","[:min(i, 1)], upn, i+1)
			}
			manifest.WriteString("]}")
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "manifest.json"), manifest.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			s := tenanttest.Serve(t, in, graphtest.Options{})
			before := lists(t, s.Tenant())
			written := func() (n int) {
				for _, u := range s.Tenant().Users {
					n += len(u.CertificateUserIDs) - 1
				}
				return n
			}

			cmd := exec.Command(program, "-endpoint", s.URL+"/v1.0", "-manifest", "manifest.json", "-apply")
			cmd.Dir, cmd.Env = folder, tenanttest.Environ(s, graphtest.Token)
			var said bytes.Buffer
			cmd.Stderr = &said
			// What is sent after the first write does not reach the tenant.
			held := s.Hold(t, func(*http.Request) bool { return written() > 0 })
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-held.Arrived
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
			held.Drop()
			if signal == os.Interrupt && (cmd.ProcessState.ExitCode() != 2 || !strings.Contains(said.String(), "run the same command again")) {
				t.Errorf("exit status %d, said %q", cmd.ProcessState.ExitCode(), said.String())
			}
			if n := written(); n == 0 || n == users {
				t.Fatalf("%d of %d were written before the end: nothing was interrupted", n, users)
			}
			first := undoFiles(t, folder)
			if content, err := os.ReadFile(first[0]); err != nil || len(first) != 1 || bytes.Count(content, []byte("\n")) != users {
				t.Fatalf("undo files %v, %d lines, %v", first, bytes.Count(content, []byte("\n")), err)
			}

			if r := sync(t, s, folder, "-manifest", "manifest.json", "-apply"); r.Code != 0 || written() != users {
				t.Fatalf("the second run: exit status %d, %d written\n%s%s", r.Code, written(), r.Stdout, r.Stderr)
			}
			times := map[string]int{}
			for _, w := range s.Writes() {
				if w.Method == "PATCH" && w.Status == 204 {
					times[w.URL]++
				}
			}
			for url, n := range times {
				if n != 1 {
					t.Errorf("%s was written %d times", url, n)
				}
			}
			if len(times) != users {
				t.Errorf("%d users were written, want %d", len(times), users)
			}

			undo := undoFiles(t, folder)
			slices.Reverse(undo)
			for _, name := range undo {
				if r := sync(t, s, folder, "-undo", name, "-apply"); r.Code != 0 {
					t.Fatalf("undo %s: exit status %d\n%s%s", name, r.Code, r.Stdout, r.Stderr)
				}
			}
			if diff := cmp.Diff(before, lists(t, s.Tenant())); diff != "" {
				t.Errorf("after undo (-want +got):\n%s", diff)
			}
		})
	}
}

// Users who were written and not read back yet when a run is interrupted count as written:
// nothing says that it stopped before them.
func TestInterruptedBeforeReadingBack(t *testing.T) {
	t.Parallel()
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("a process is interrupted")
	}
	s := tenanttest.Serve(t, directory(), graphtest.Options{})
	folder := t.TempDir()
	write(t, folder, people, "jane@contoso.com", "john@contoso.com")
	held := s.Hold(t, func(*http.Request) bool { return len(s.Tenant().Users[1].CertificateUserIDs) > 0 })
	cmd := exec.Command(program, "-endpoint", s.URL+"/v1.0", "-manifest", "manifest.json", "-apply")
	cmd.Dir, cmd.Env = folder, tenanttest.Environ(s, graphtest.Token)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-held.Arrived
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	held.Drop()
	if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.Contains(said.String(), "stopped after 2 of 2 users: interrupted; run the same command again") ||
		!strings.Contains(out.String(), "2 unverified") {
		t.Errorf("exit status %d\n%s%s", code, out.String(), said.String())
	}
}
