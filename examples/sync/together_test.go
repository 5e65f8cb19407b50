package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/examples/internal/tenant/tenanttest"
)

// Runs that write at the same time from one folder keep to their own plans: each
// does what its manifest says and reports that, or says that another is at work and
// does nothing.
func TestTogether(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	const programs, users = 6, 30
	var in graphtest.Tenant
	folder := t.TempDir()
	owner := map[string]int{} // of a user: the manifest that has it
	for p := range programs {
		octets, order := map[string]int{}, []string(nil)
		for u := range users {
			upn := fmt.Sprintf("user%d-%02d@contoso.com", p, u)
			in.Users = append(in.Users, graphtest.User{UserPrincipalName: upn})
			octets[upn], order, owner[upn] = p*users+u+1, append(order, upn), p
		}
		write(t, folder, octets, order...)
		if err := os.Rename(filepath.Join(folder, "manifest.json"), filepath.Join(folder, fmt.Sprintf("manifest%d.json", p))); err != nil {
			t.Fatal(err)
		}
	}
	s := tenanttest.Serve(t, in, graphtest.Options{Latency: 20 * time.Millisecond})
	written := func(of int) (n int) {
		for _, u := range s.Tenant().Users {
			if len(u.CertificateUserIDs) > 0 && owner[u.UserPrincipalName] == of {
				n++
			}
		}
		return n
	}

	var runs [programs]*exec.Cmd
	var out, said [programs]bytes.Buffer
	for p := range runs {
		cmd := exec.Command(program, "-endpoint", s.URL+"/v1.0", "-manifest", fmt.Sprintf("manifest%d.json", p), "-apply")
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = folder, tenanttest.Environ(s, graphtest.Token), &out[p], &said[p]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		runs[p] = cmd
	}
	did := 0
	undone := regexp.MustCompile(`-undo (\S+) -apply`)
	named := map[string]bool{}
	for p, cmd := range runs {
		cmd.Wait()
		count := written(p)
		switch code := cmd.ProcessState.ExitCode(); {
		case code == 0 && count == users && strings.Contains(out[p].String(), fmt.Sprintf("%d written", users)):
			did++
			match := undone.FindStringSubmatch(out[p].String())
			if match == nil || named[match[1]] {
				t.Fatalf("run %d names no undo file of its own:\n%s", p, out[p].String())
			}
			named[match[1]] = true
			text, err := os.ReadFile(filepath.Join(folder, match[1]))
			if err != nil {
				t.Fatal(err)
			}
			lines := 0
			for line := range bytes.Lines(text) {
				var u snapshot.Undo
				if err := json.Unmarshal(line, &u); err != nil {
					t.Fatal(err)
				}
				if lines++; owner[u.UserPrincipalName] != p || len(u.After) != 1 {
					t.Errorf("run %d: undo of %s, %q", p, u.UserPrincipalName, u.After)
				}
			}
			if lines != users {
				t.Errorf("run %d: the undo file has %d lines", p, lines)
			}
		case code == 2 && count == 0 && strings.Contains(said[p].String(), "another run") && !strings.Contains(out[p].String(), "written"):
		default:
			t.Errorf("run %d: exit status %d, %d of its users written\n%s%s", p, code, count, out[p].String(), said[p].String())
		}
	}
	if did == 0 {
		t.Error("none of the runs did its work")
	}
	if found := undoFiles(t, folder); len(found) != did {
		t.Errorf("%d runs wrote, undo files: %v", did, found)
	}

	// In a second, one after the other, all of them do.
	for p := range programs {
		if r := sync(t, s, folder, "-manifest", fmt.Sprintf("manifest%d.json", p), "-apply"); r.Code != 0 || written(p) != users {
			t.Errorf("run %d again: exit status %d, %d written\n%s%s", p, r.Code, written(p), r.Stdout, r.Stderr)
		}
	}
	if found := undoFiles(t, folder); len(found) != programs {
		t.Errorf("undo files of %d runs: %v", programs, found)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*.part")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
