//go:build unix

package main_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/fleet/jobs"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/postgres/pgtest"
	"example.com/entracba/examples/internal/programtest"
)

// do runs a command of the program in a folder.
func do(t *testing.T, folder string, args ...string) result {
	t.Helper()
	programtest.LookAtSources()
	cmd := exec.Command(program, args...)
	cmd.Dir = folder
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// mustDo runs a command that must succeed.
func mustDo(t *testing.T, folder string, args ...string) result {
	t.Helper()
	r := do(t, folder, args...)
	if r.code != 0 {
		t.Fatalf("fleet %q: exit status %d\n%s%s", args, r.code, r.stdout, r.stderr)
	}
	return r
}

func status(t *testing.T, folder string, flags ...string) (s jobs.Status) {
	t.Helper()
	r := mustDo(t, folder, append([]string{"status", "-json"}, flags...)...)
	if err := json.Unmarshal([]byte(r.stdout), &s); err != nil {
		t.Fatalf("%v: %s", err, r.stdout)
	}
	return s
}

// TestCommands issues, revokes and exports with both kinds of ledger; with PostgreSQL,
// two processes work at the same time.
func TestCommands(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			const count = 40
			dir := t.TempDir()
			var list strings.Builder
			list.WriteString("upn,email\n")
			for i := range count {
				fmt.Fprintf(&list, "user%d@yourdomain.com,mail%d@yourdomain.com\n", i, i)
			}
			if err := os.WriteFile(filepath.Join(dir, "users.csv"), []byte(list.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			var flags []string
			processes := 1
			ca := []string{}
			if kind == "postgres" {
				flags = []string{"-ledger", pgtest.Start(t, "").Database(t)}
				processes = 2
				// The CA of a run without a server.
				mustDo(t, dir, "enqueue", "-out", "other")
				mustDo(t, dir, "work", "-out", "other", "-key", "p256", "-drain")
				ca = []string{"-ca", filepath.Join("other", "ca")}
			}
			with := func(args ...string) []string { return append(args, flags...) }
			for _, want := range []string{"40 users added, 0 already known", "0 users added, 40 already known"} {
				if r := mustDo(t, dir, with("enqueue", "-users", "users.csv")...); !strings.Contains(r.stdout, want) {
					t.Errorf("enqueue: %s", r.stdout)
				}
			}
			var running []*exec.Cmd
			for range processes {
				cmd := exec.Command(program, append(with("work", "-key", "p256", "-for", "modern", "-drain"), ca...)...)
				cmd.Dir = dir
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				running = append(running, cmd)
			}
			for _, cmd := range running {
				if err := cmd.Wait(); err != nil {
					t.Error(err)
				}
			}
			if s := status(t, dir, flags...); s.Certificates[ledger.Delivered] != count || s.Left() != 0 || len(s.Failures) != 0 {
				t.Errorf("%+v", s)
			}
			for _, folder := range []string{"pfx", "passwords"} {
				if files, err := os.ReadDir(filepath.Join(dir, "out", "fleet", folder)); err != nil || len(files) != count {
					t.Errorf("%s: %d files, %v", folder, len(files), err)
				}
			}
			mustDo(t, dir, append(with("revoke", "-reason", "keyCompromise"), "user7@yourdomain.com")...)
			if r := do(t, dir, append(with("revoke"), "nobody@yourdomain.com")...); r.code != 1 {
				t.Errorf("exit status %d: %s", r.code, r.stderr)
			}
			mustDo(t, dir, append(with("work", "-key", "p256", "-drain", "-delta"), ca...)...)
			mustDo(t, dir, append(with("export"), "all.csv")...)
			text, err := os.ReadFile(filepath.Join(dir, "all.csv"))
			if err != nil {
				t.Fatal(err)
			}
			rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
			if err != nil || len(rows) != count+1 {
				t.Fatalf("%d rows, %v", len(rows), err)
			}
			names, err := filepath.Glob(filepath.Join(dir, "out", "fleet", "crl", "delta-*.crl"))
			if err != nil || len(names) != 1 {
				t.Fatalf("%v, %v", names, err)
			}
			der, err := os.ReadFile(names[0])
			if err != nil {
				t.Fatal(err)
			}
			crls, err := crl.Parse(der)
			if err != nil || crls.Len() != 1 {
				t.Fatalf("CRL: %v, %v", crls, err)
			}
			i := slices.IndexFunc(rows, func(row []string) bool { return row[0] == "user7@yourdomain.com" })
			serial, err := ledger.ParseSerial(rows[i][2])
			if err != nil {
				t.Fatal(err)
			}
			if _, there := crls.Lookup(serial); !there || rows[i][4] != "revoked" {
				t.Errorf("%v on the CRL: %v", rows[i], there)
			}
			if r := mustDo(t, dir, with("retry")...); !strings.Contains(r.stdout, "0 jobs") {
				t.Errorf("retry: %s", r.stdout)
			}
		})
	}
}

// TestRefusedCommands holds that a password on the command line is refused and shown
// nowhere, and that reading creates nothing.
func TestRefusedCommands(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{"status", "-ledger", "postgres://cba:hunter2@db.contoso.com/cba"},
		{"work", "-ledger", "postgresql://cba@db.contoso.com/cba?password=hunter2"},
		{"enqueue", "-ledger", "postgres://cba@db.contoso.com/cba?sslpassword=hunter2"},
		{"enqueue", "-ledger", "postgres://cba:hunter2%zz@db.contoso.com/cba"},
		{"revoke", "-ledger", "postgres://cba:hunter2@db.contoso.com/cba", "jane@yourdomain.com"},
		{"-ledger", "postgres://cba:hunter2@db.contoso.com/cba", "-users", "x.csv"},
		{"status"},
		{"work"},
		{"work", "-ledger", "postgres://cba@db.contoso.com/cba"},
		{"work", "-metrics", "0.0.0.0:9464"},
		{"work", "-metrics", "9464"},
		{"work", "-files", "x", "-passwords", "./x"},
		{"work", "-due", "0"},
		{"work", "-mapping", "Name"},
		{"export", "x.txt"},
		{"revoke"},
		{"revoke", "-reason", "certificateHold", "jane@yourdomain.com"},
		{"enqueue", "jane@yourdomain.com"},
	} {
		r := do(t, dir, args...)
		if r.code != 2 || r.stderr == "" {
			t.Errorf("fleet %q: exit status %d\n%s", args, r.code, r.stderr)
		}
		if strings.Contains(r.stdout+r.stderr, "hunter2") {
			t.Errorf("fleet %q shows the password: %s", args, r.stderr)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "users.csv"), []byte("upn,password\njane@yourdomain.com,a long enough password\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := do(t, dir, "enqueue", "-out", "new", "-users", "users.csv"); r.code != 2 || !strings.Contains(r.stderr, "password") {
		t.Errorf("a list with passwords: exit status %d\n%s", r.code, r.stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
		t.Error("a folder was made")
	}
}

// TestMetrics works in the background, reads the metrics, and stops it with a signal.
func TestMetrics(t *testing.T) {
	dir := t.TempDir()
	mustDo(t, dir, "enqueue")
	const address = "127.0.0.1:39464"
	cmd := exec.Command(program, "work", "-key", "p256", "-metrics", address)
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	var text string
	for deadline := time.Now().Add(time.Minute); !strings.Contains(text, `fleet_certificates{state="delivered"} 3`); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after a minute: %s", text)
		}
		answer, err := http.Get("http://" + address + "/metrics")
		if err != nil {
			continue
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err == nil {
			text = string(body)
		}
	}
	if !strings.Contains(text, "fleet_machines 1\n") || !strings.Contains(text, "fleet_requests 3\n") {
		t.Errorf("%s", text)
	}
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
