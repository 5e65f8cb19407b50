//go:build unix

// Package pgtest starts a PostgreSQL server for a test: a cluster of its own in a new
// folder, on a Unix socket in that folder, without a network port.
package pgtest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// A Server is a running server. It ends with the test.
type Server struct {
	tb             testing.TB
	bin, dir, data string
	owner          *syscall.Credential // not root, whom PostgreSQL refuses
	databases      atomic.Int64
}

// Start starts a server with settings such as "max_connections=20". dir is the folder of
// the cluster; empty means a new one. If PostgreSQL is not installed, the test is
// skipped, or fails under CBA_INTEROP=require.
func Start(tb testing.TB, dir string, settings ...string) *Server {
	tb.Helper()
	s := &Server{tb: tb, bin: programs(tb), dir: dir}
	if dir == "" {
		var err error
		// The path of a socket is short, and that of TempDir is not.
		if s.dir, err = os.MkdirTemp("", "pg"); err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { os.RemoveAll(s.dir) })
	}
	if os.Getuid() == 0 {
		s.owner = unprivileged(tb)
		if err := os.Chown(s.dir, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
			tb.Fatal(err)
		}
	}
	s.data = filepath.Join(s.dir, "data")
	s.run("initdb", "-D", s.data, "-U", "test", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
	settings = append([]string{"listen_addresses=''", "unix_socket_directories='" + s.dir + "'", "max_connections=100"}, settings...)
	f, err := os.OpenFile(filepath.Join(s.data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		tb.Fatal(err)
	}
	fmt.Fprintln(f, "\n"+strings.Join(settings, "\n"))
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.command("pg_ctl", "-D", s.data, "-m", "immediate", "stop").Run() })
	s.start()
	return s
}

func (s *Server) start() {
	s.tb.Helper()
	s.run("pg_ctl", "-D", s.data, "-l", filepath.Join(s.dir, "log"), "-w", "-t", "60", "start")
}

// Restart stops the server, "fast" or like a crash ("immediate"), and starts it again.
// Sessions end.
func (s *Server) Restart(mode string) {
	s.tb.Helper()
	s.run("pg_ctl", "-D", s.data, "-m", mode, "-w", "stop")
	s.start()
}

// Database creates an empty database and returns its connection string.
func (s *Server) Database(tb testing.TB) string {
	tb.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		tb.Fatal(err)
	}
	defer c.Close(ctx)
	name := fmt.Sprint("test", s.databases.Add(1))
	if _, err := c.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		tb.Fatal(err)
	}
	return s.URL(name)
}

// URL returns the connection string of a database.
func (s *Server) URL(database string) string {
	return "postgres:///" + database + "?host=" + s.dir + "&user=test"
}

func (s *Server) command(program string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(s.bin, program), args...)
	c.Dir = s.dir
	c.Env = append(os.Environ(), "LC_ALL=C", "HOME="+s.dir)
	if s.owner != nil {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner}
	}
	return c
}

// run runs a program of the server. The output goes to a file: the server would
// keep a pipe open.
func (s *Server) run(program string, args ...string) {
	s.tb.Helper()
	out, err := os.CreateTemp("", "pgtest")
	if err != nil {
		s.tb.Fatal(err)
	}
	defer os.Remove(out.Name())
	defer out.Close()
	c := s.command(program, args...)
	c.Stdout, c.Stderr = out, out
	if err := c.Run(); err != nil {
		text, _ := os.ReadFile(out.Name())
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		s.tb.Fatalf("%s: %v\n%s%s", program, err, bytes.TrimSpace(text), log)
	}
}

// programs finds the folder of initdb: Debian keeps it off the PATH.
func programs(tb testing.TB) string {
	tb.Helper()
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path)
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	if len(found) == 0 {
		if os.Getenv("CBA_INTEROP") == "require" {
			tb.Fatal("PostgreSQL is not installed")
		}
		tb.Skip("PostgreSQL is not installed")
	}
	return filepath.Dir(found[len(found)-1])
}

func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// unprivileged is a user for the server if the test is root's.
func unprivileged(tb testing.TB) *syscall.Credential {
	tb.Helper()
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil && uid > 0 {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	tb.Fatal("PostgreSQL does not run as root, and there is no user postgres or nobody")
	return nil
}
