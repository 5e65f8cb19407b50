//go:build unix

package jobs

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/postgres/pgtest"
)

// Another process of this test works on a site until it is killed.
const siteDir, sitePostgres, siteFast = "JOBS_TEST_SITE", "JOBS_TEST_POSTGRES", "JOBS_TEST_FAST"

func TestMain(m *testing.M) {
	if dir := os.Getenv(siteDir); dir != "" {
		if err := workOn(site{dir: dir, postgres: os.Getenv(sitePostgres)}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func workOn(s site) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	db, l, err := s.database(ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	c, err := s.config()
	if err != nil {
		return err
	}
	if os.Getenv(siteFast) == "" { // slow enough to be killed in the middle
		withKey(&c, func() error { time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond); return nil })
	}
	f, err := Open(ctx, db, c)
	if err != nil {
		return err
	}
	return f.Run(ctx)
}

type process struct {
	*exec.Cmd
	stderr *strings.Builder
}

func (s site) process(t *testing.T) *process {
	t.Helper()
	p := &process{exec.Command(os.Args[0]), &strings.Builder{}}
	p.Env = append(os.Environ(), siteDir+"="+s.dir, sitePostgres+"="+s.postgres)
	p.Stderr = p.stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Process.Kill()
		p.Wait()
		if t.Failed() && p.stderr.Len() > 0 {
			t.Logf("process %d: %s", p.Process.Pid, p.stderr)
		}
	})
	return p
}

// end asks the process to stop and waits for it.
func (p *process) end(t *testing.T) {
	t.Helper()
	p.Process.Signal(syscall.SIGTERM)
	if err := p.Wait(); err != nil {
		t.Errorf("%v: %s", err, p.stderr)
	}
}

// TestKilled kills processes at random moments while they issue. Nobody gets two
// certificates, no file is left over, and what was signed and does not count is on the
// CRL.
func TestKilled(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		const users, kills = 150, 8
		m := s.machine(t, nil)
		m.enqueue(users)
		machines := 2
		if s.postgres == "" {
			machines = 1
		}
		var running []*process
		for range machines {
			running = append(running, s.process(t))
		}
		for i := range kills {
			time.Sleep(time.Duration(100+rand.IntN(400)) * time.Millisecond)
			p := &running[i%machines]
			(*p).Process.Kill()
			(*p).Wait()
			*p = s.process(t)
		}
		m.until("all delivered", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == users })
		m.settle(s)
		for _, p := range running {
			p.end(t)
		}
		s.audit(t, m, users)
	})
}

// settle waits until nothing is left to be swept or published.
func (m *machine) settle(s site) {
	m.t.Helper()
	m.until("swept and published", func() bool {
		left := 0
		if err := m.db.transact(context.Background(), func(tx transaction) error {
			_, err := one(context.Background(), tx, []any{&left}, "SELECT (SELECT count(*) FROM {}attempts WHERE given_up = 0) + (SELECT count(*) FROM {}revocations WHERE listed = 0)")
			return err
		}); err != nil || left > 0 {
			return false
		}
		var serials []string
		var serial string
		if err := m.db.transact(context.Background(), func(tx transaction) error {
			r, err := tx.query(context.Background(), "SELECT serial FROM {}revocations")
			return scanAll(r, err, []any{&serial}, func() error { serials = append(serials, serial); return nil })
		}); err != nil {
			return false
		}
		for _, serial := range serials {
			if !s.lists(m.t, serial) {
				return false
			}
		}
		return true
	})
	if err := m.sweep(context.Background()); err != nil {
		m.t.Error(err)
	}
}

// TestDeadWorker kills a process with its jobs in hand: another one takes them within
// seconds. While the first one is only stopped, it gets them after the lease; when the
// first one goes on, what it does has no effect.
func TestDeadWorker(t *testing.T) {
	s := newSite(t, pgtest.Start(t, "").Database(t))
	const users = 60
	m := s.machine(t, nil)
	m.enqueue(users)
	first := s.process(t)
	m.until("some are issued", func() bool { return m.count(ledger.Query{}) > 5 })
	first.Process.Signal(syscall.SIGSTOP)
	second := s.process(t)
	begun := time.Now()
	m.until("all delivered", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == users })
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("it took %v, with a lease of 2 s", took)
	}
	first.Process.Signal(syscall.SIGCONT)
	time.Sleep(3 * time.Second)
	m.settle(s)
	first.end(t)
	second.end(t)
	s.audit(t, m, users)
}

// TestDatabaseRestarts crashes the server twice and cuts all connections while two
// processes work.
func TestDatabaseRestarts(t *testing.T) {
	server := pgtest.Start(t, "")
	s := newSite(t, server.Database(t))
	const users = 150
	m := s.machine(t, nil)
	var troubles, ends atomic.Int64
	s.machine(t, func(c *Config) {
		c.Lease = 300 * time.Millisecond
		c.Trouble = func(err error) {
			if err != nil {
				troubles.Add(1)
			} else {
				ends.Add(1)
			}
		}
	}).start()
	m.enqueue(users)
	a, b := s.process(t), s.process(t)
	for i, mode := range []string{"immediate", "fast"} {
		m.until("some are issued", func() bool { return m.count(ledger.Query{}) > 20+40*i })
		server.Restart(mode)
	}
	m.until("some are issued", func() bool { return m.count(ledger.Query{}) > 100 })
	m.db.(*pgDatabase).l.Pool().Exec(t.Context(), "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
	m.until("all delivered", func() bool {
		n := 0
		for e, err := range m.l.Entries(context.Background(), ledger.Query{States: []ledger.State{ledger.Delivered}}) {
			if err == nil && e.Serial != "" {
				n++
			}
		}
		return n == users
	})
	m.until("the trouble has ended", func() bool { return troubles.Load() > 0 && ends.Load() > 0 })
	m.settle(s)
	a.end(t)
	b.end(t)
	s.audit(t, m, users)
}

// TestPriority revokes somebody while thousands wait: the CRL is out in seconds.
func TestPriority(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		m := s.machine(t, func(c *Config) {
			c.Workers = 2
			withKey(c, func() error { time.Sleep(5 * time.Millisecond); return nil })
		})
		m.enqueue(3000)
		m.start()
		m.until("one is issued", func() bool { return m.count(ledger.Query{Owner: upn(0)}) == 1 })
		begun := time.Now()
		revoked, err := m.Revoke(t.Context(), upn(0), crl.KeyCompromise)
		if err != nil || len(revoked) != 1 {
			t.Fatal(revoked, err)
		}
		m.until("revoked", func() bool { return s.lists(t, revoked[0].Serial) })
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
		if n := m.count(ledger.Query{}); n > 2500 {
			t.Errorf("%d were issued meanwhile", n)
		}
	})
}
