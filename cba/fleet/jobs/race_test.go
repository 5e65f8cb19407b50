//go:build unix

package jobs

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/postgres/pgtest"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/lifecycle"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// TestRevokedMeanwhile revokes somebody, or lets somebody leave, while the first certificate
// is being signed: it does not count and goes on the CRL.
func TestRevokedMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		sign := make(chan struct{})
		m := s.machine(t, func(c *Config) {
			withKey(c, func() error { <-sign; return nil })
		})
		m.enqueue(3)
		m.start()
		var serials []string
		m.until("about to sign", func() bool {
			serials = nil
			var serial string
			transact(t, m, func(tx transaction) error {
				r, err := tx.query(t.Context(), "SELECT serial FROM {}attempts WHERE owner <> $1", upn(2))
				return scanAll(r, err, []any{&serial}, func() error { serials = append(serials, serial); return nil })
			})
			return len(serials) == 2
		})
		if revoked, err := m.Revoke(t.Context(), upn(0), crl.KeyCompromise); err != nil || len(revoked) != 0 {
			t.Fatal(revoked, err)
		}
		if revoked, err := m.Leave(t.Context(), upn(1), 0); err != nil || len(revoked) != 0 {
			t.Fatal(revoked, err)
		}
		close(sign)
		m.until("the other one is delivered", func() bool {
			return m.count(ledger.Query{Owner: upn(2), States: []ledger.State{ledger.Delivered}}) == 1
		})
		m.until("all jobs are done", func() bool { status, err := m.Status(t.Context()); return err == nil && status.Left() == 0 })
		m.settle(s)
		s.audit(t, m, 1)
		for _, serial := range serials {
			if !s.lists(t, serial) {
				t.Errorf("%s is not on the CRL", serial)
			}
		}
	})
}

// TestRetry runs again what was given up, also where the same job was added again meanwhile.
func TestRetry(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		m := s.machine(t, nil)
		m.enqueue(1)
		twin := []river.InsertManyParams{{Args: issueArgs{Owner: "nobody@yourdomain.com", Replaces: "01"}, InsertOpts: &river.InsertOpts{Queue: issues, UniqueOpts: river.UniqueOpts{ByArgs: true}}}}
		for range 3 {
			transact(t, m, func(tx transaction) error { return tx.insert(t.Context(), twin) })
			transact(t, m, func(tx transaction) error {
				_, err := tx.exec(t.Context(), "UPDATE {}river_job SET state = 'discarded', finalized_at = DUE_TIME WHERE kind = 'issue'")
				return err
			})
		}
		if n, err := m.Retry(t.Context()); err != nil || n != 2 {
			t.Errorf("%d, %v", n, err)
		}
		m.start()
		m.until("issued", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == 1 })
	})
}

// TestOpenAtOnce lets several programs make the tables at the same moment.
func TestOpenAtOnce(t *testing.T) {
	server := pgtest.Start(t, "")
	for range 5 {
		for _, url := range []string{server.Database(t), ""} {
			s := newSite(t, url)
			var group sync.WaitGroup
			for range 5 {
				group.Go(func() {
					db, l, err := s.database(context.Background())
					if err != nil {
						t.Error(err)
						return
					}
					defer l.Close()
					if _, err := Open(context.Background(), db, Config{}); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
		}
	}
}

// TestStoreFails signs little while the store of the PFX files takes nothing: every
// certificate that was signed in vain is on the CRL for good.
func TestStoreFails(t *testing.T) {
	s := newSite(t, "")
	var full fullStore
	m := s.machine(t, func(c *Config) {
		full = newFullStore(c.Files)
		c.Files, c.Workers = full, 4
	})
	const users = 40
	full.full.Store(true)
	m.enqueue(users)
	m.start()
	m.until("all failed three times", func() (all bool) {
		transact(t, m, func(tx transaction) error {
			_, err := one(t.Context(), tx, []any{&all}, "SELECT min(attempt) > 3 FROM {}river_job WHERE kind = 'issue'")
			return err
		})
		return all
	})
	full.full.Store(false)
	if _, err := m.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.until("all delivered", func() bool {
		return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == users
	})
	m.settle(s)
	s.audit(t, m, users)
	if list := s.crl(t); list.Len() > 4 {
		t.Errorf("%d certificates were signed in vain", list.Len())
	}
}

// TestDeadly gives a job up whose workers die again and again, and only that one.
func TestDeadly(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		m := s.machine(t, nil)
		m.enqueue(2)
		dead := "ARRAY['dead']"
		if s.postgres == "" {
			dead = `jsonb('["dead"]')`
		}
		transact(t, m, func(tx transaction) error {
			_, err := tx.exec(t.Context(), `UPDATE {}river_job SET state = 'running', attempted_at = DUE_TIME,
				max_attempts = 300, attempt = CASE WHEN args ->> 'owner' = $1 THEN 200 ELSE 199 END, attempted_by = `+dead, upn(0))
			return err
		})
		m.start()
		m.until("the other one is issued", func() bool { return m.count(ledger.Query{Owner: upn(1)}) == 1 })
		status, err := m.Status(t.Context())
		if err != nil || len(status.Failures) != 1 || status.Failures[0].State != "discarded" || status.Failures[0].Error != death {
			t.Errorf("%+v, %v", status.Failures, err)
		}
		if n, err := m.Retry(t.Context()); err != nil || n != 1 {
			t.Errorf("%d, %v", n, err)
		}
		m.until("issued", func() bool { return m.count(ledger.Query{Owner: upn(0)}) == 1 })
	})
}

// TestMigration leads tables of the first version to this one, also after an interruption, and
// refuses those of a newer engine.
func TestMigration(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		db, l, err := s.database(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		exec := func(statements string) {
			t.Helper()
			if err := db.transact(t.Context(), func(tx transaction) error { _, err := tx.exec(t.Context(), statements); return err }); err != nil {
				t.Fatal(err)
			}
		}
		// A program of the first version, killed before the tables of the engine were there.
		exec(first)
		exec("INSERT INTO {}attempts (serial, owner, upn, issuer, expires, begun, given_up) VALUES ('01', 'a@b.c', 'a@b.c', '02', 0, 0, 1)")
		c, err := s.config()
		if err != nil {
			t.Fatal(err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := Open(ended, db, c); err == nil {
			t.Error("opened after the end")
		}
		f, err := Open(t.Context(), db, c)
		if err != nil {
			t.Fatal(err)
		}
		m := &machine{Fleet: f, t: t, l: l, db: db}
		m.enqueue(2)
		m.start()
		m.until("issued", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == 2 })
		m.until("the old attempt is swept", func() (swept bool) {
			transact(t, m, func(tx transaction) error {
				_, err := one(t.Context(), tx, []any{&swept}, "SELECT count(*) = 0 FROM {}attempts")
				return err
			})
			return swept
		})
		m.stop()
		exec("UPDATE {}river_migration SET version = 1000 WHERE version = (SELECT max(version) FROM {}river_migration)")
		if _, err := Open(t.Context(), db, c); !errors.Is(err, Newer) {
			t.Errorf("a newer engine: %v", err)
		}
	})
}

// TestGivenUpStays keeps what was given up, whatever its age: nothing else says that somebody
// has no certificate.
func TestGivenUpStays(t *testing.T) {
	c := newSite(t, "").machine(t, nil).engine()
	if c.DiscardedJobRetentionPeriod != -1 || c.CancelledJobRetentionPeriod != -1 {
		t.Errorf("the engine forgets after %v and %v", c.DiscardedJobRetentionPeriod, c.CancelledJobRetentionPeriod)
	}
}

// TestRestored restores a database from a backup that is older than the CRL: the number goes on,
// whoever was revoked stays on the CRL, is revoked in the ledger again, and gets no renewal.
func TestRestored(t *testing.T) {
	for _, kind := range []string{"postgres", "sqlite", "sqlite without the CRLs"} {
		t.Run(kind, func(t *testing.T) {
			const users = 4
			url := ""
			var server *pgtest.Server
			if kind == "postgres" {
				server = pgtest.Start(t, "")
				url = server.Database(t)
			}
			s := newSite(t, url)
			m := s.machine(t, nil)
			m.enqueue(users)
			m.start()
			m.until("all delivered", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == users })
			m.until("a CRL", func() bool { return s.crl(t) != nil })
			m.stop()
			m.l.Close()
			kept := map[string][]byte{}
			if server != nil {
				c, err := pgx.Connect(t.Context(), server.URL("postgres"))
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close(context.Background())
				if _, err := c.Exec(t.Context(), "CREATE DATABASE backup TEMPLATE test1"); err != nil {
					t.Fatal(err)
				}
			} else {
				names, _ := filepath.Glob(filepath.Join(s.dir, "*"))
				for _, name := range names {
					if info, err := os.Stat(name); err == nil && !info.IsDir() && !(kind != "sqlite" && strings.Contains(name, ".store")) {
						text, err := os.ReadFile(name)
						if err != nil {
							t.Fatal(err)
						}
						kept[name] = text
					}
				}
			}
			m = s.machine(t, nil)
			m.start()
			m.enqueue(users + 1) // after the backup
			m.until("one more", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == users+1 })
			later, err := ledger.Live(t.Context(), m.l, upn(users))
			if err != nil {
				t.Fatal(err)
			}
			if strays, err := m.Strays(t.Context()); err != nil || len(strays) != 0 {
				t.Errorf("strays %q, %v", strays, err)
			}
			var serials []string
			for i, revoke := range []func(context.Context, string, crl.RevocationReason) ([]ledger.Entry, error){m.Revoke, m.Leave} {
				revoked, err := revoke(t.Context(), upn(i), crl.CessationOfOperation)
				if err != nil || len(revoked) != 1 {
					t.Fatal(revoked, err)
				}
				serials = append(serials, revoked[0].Serial)
				m.until("on the CRL", func() bool { return s.lists(t, revoked[0].Serial) })
			}
			m.until("done", func() bool { status, err := m.Status(t.Context()); return err == nil && status.Left() == 0 })
			m.stop()
			m.l.Close()
			before := s.crl(t)

			for name, text := range kept {
				os.Remove(name + "-wal")
				os.Remove(name + "-shm")
				if err := os.WriteFile(name, text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if server != nil {
				s.postgres = server.URL("backup")
			}
			m = s.machine(t, func(c *Config) { c.DuePercent = 100 })
			if n := m.count(ledger.Query{Live: true}); n != users {
				t.Fatalf("%d are live in the backup", n)
			}
			m.start()
			m.until("a new CRL", func() bool { return s.crl(t).Number.Cmp(before.Number) > 0 })
			m.until("the others are renewed", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Renewed}}) >= users-2 })
			m.until("done", func() bool { status, err := m.Status(t.Context()); return err == nil && status.Left() == 0 })
			for i, serial := range serials {
				if !s.lists(t, serial) {
					t.Errorf("%s is forgotten", serial)
				}
				if n := m.count(ledger.Query{Owner: upn(i), Live: true}); n != 0 {
					t.Errorf("%s has %d certificates", upn(i), n)
				}
			}
			if err := s.crl(t).CheckAfter(before); err != nil {
				t.Error(err)
			}
			// Nobody would revoke what was issued after the backup.
			name := fileName(later.UPN, later.Serial)
			if strays, err := m.Strays(t.Context()); err != nil || len(strays) != 1 || strays[0] != name {
				t.Errorf("strays %q, %v", strays, err)
			}
			if strays, err := m.RevokeStrays(t.Context()); err != nil || len(strays) != 1 || strays[0] != name {
				t.Errorf("strays %q, %v", strays, err)
			}
			m.until("on the CRL", func() bool { return s.lists(t, later.Serial) })
			if strays, err := m.RevokeStrays(t.Context()); err != nil || len(strays) != 0 {
				t.Errorf("strays %q, %v", strays, err)
			}
			if err := m.remove(t.Context(), later.UPN, later.Serial); err != nil {
				t.Error(err)
			}
			s.audit(t, m, users-2)
		})
	}
}

// TestClockAhead publishes with a clock that is years ahead, which is then set right: the next CRL
// does not wait for years.
func TestClockAhead(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		m := s.machine(t, nil)
		m.start()
		m.until("a CRL", func() bool {
			status, err := m.Status(t.Context())
			return err == nil && s.crl(t) != nil && status.Left() == 0
		})
		number := s.crl(t).Number
		transact(t, m, func(tx transaction) error {
			_, err := tx.exec(t.Context(), "UPDATE {}published SET next = next + 100000000, delta = delta + 100000000")
			return err
		})
		transact(t, m, func(tx transaction) error {
			return tx.insert(t.Context(), []river.InsertManyParams{publication(keyID(m.c.CA))})
		})
		m.until("the next CRL", func() bool { return s.crl(t).Number.Cmp(number) > 0 })
	})
}

// TestLostState loses the state of the CRLs, and the CRLs with it: the number goes on, and
// everybody who was revoked is on the next one.
func TestLostState(t *testing.T) {
	for _, delta := range []bool{false, true} {
		s := newSite(t, "")
		m := s.machine(t, func(c *Config) {
			if delta {
				c.PublishDelta = func(context.Context, *cba.Issuer, *crl.List) error { return nil }
			}
		})
		m.enqueue(3)
		m.start()
		m.until("all delivered", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == 3 })
		var serials []string
		revoke := func(i int) {
			t.Helper()
			revoked, err := m.Revoke(t.Context(), upn(i), crl.KeyCompromise)
			if err != nil || len(revoked) != 1 {
				t.Fatal(revoked, err)
			}
			serials = append(serials, revoked[0].Serial)
		}
		revoke(0)
		m.until("listed", func() bool {
			status, err := m.Status(t.Context())
			return err == nil && status.Unlisted == 0 && status.Left() == 0
		})
		number := s.crl(t).Number
		names, _ := filepath.Glob(filepath.Join(s.dir, "*.store*"))
		if len(names) < 2 {
			t.Fatal(names)
		}
		for _, name := range append(names, filepath.Join(s.dir, "crl", "ca.crl")) {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
		revoke(1)
		m.until("a new CRL", func() bool { return s.crl(t) != nil && s.lists(t, serials[1]) })
		if !s.lists(t, serials[0]) || s.crl(t).Number.Cmp(number) <= 0 {
			t.Errorf("delta %v: CRL %v after %v has %d entries", delta, s.crl(t).Number, number, s.crl(t).Len())
		}
	}
}

// TestReissue gives a new certificate to who was revoked before or after the first one was made,
// and only if asked.
func TestReissue(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		server := tenant(t, 3, graphtest.Options{})
		m := s.machine(t, func(c *Config) { c.Graph = client(t, server) })
		m.enqueue(2)
		if _, err := m.Revoke(t.Context(), upn(0), crl.Superseded); err != nil { // not made yet
			t.Fatal(err)
		}
		m.start()
		m.until("delivered", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == 1 })
		left, err := m.Leave(t.Context(), upn(1), 0)
		if err != nil || len(left) != 1 {
			t.Fatal(left, err)
		}
		m.until("removed", func() bool { return len(ids(server)[upn(1)]) == 0 })
		if got := m.enqueue(3); got != (Enqueued{Added: 1, Known: 2}) {
			t.Errorf("enqueued %+v", got)
		}
		for _, want := range []Enqueued{{Added: 2, Known: 1}, {Known: 3}} {
			if got, err := m.Reissue(t.Context(), list(3)); err != nil || got != want {
				t.Errorf("issued again %+v, %v", got, err)
			}
		}
		m.until("all delivered", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == 3 })
		m.until("done", func() bool { status, err := m.Status(t.Context()); return err == nil && status.Left() == 0 })
		bound(t, m, server, 3)
		s.audit(t, m, 3)
		if !s.lists(t, left[0].Serial) {
			t.Error("the old certificate is not on the CRL")
		}
		// The job of somebody who left, found late, takes nothing from who is back.
		transact(t, m, func(tx transaction) error {
			return tx.insert(t.Context(), []river.InsertManyParams{{Args: leaveArgs{Owner: upn(1)}}})
		})
		m.until("done again", func() bool { status, err := m.Status(t.Context()); return err == nil && status.Left() == 0 })
		if n := len(ids(server)[upn(1)]); n != 1 {
			t.Errorf("%d values", n)
		}
	})
}

// TestTwiceInList counts a user who is twice in a list once, whatever became of the first.
func TestTwiceInList(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		m := s.machine(t, func(*Config) {})
		twice := func(yield func(cba.Task, error) bool) {
			for range 2 {
				for task, err := range list(2) {
					if !yield(task, err) {
						return
					}
				}
			}
		}
		for _, add := range []func(context.Context, iter.Seq2[cba.Task, error]) (Enqueued, error){m.Reissue, m.Enqueue, m.Reissue} {
			want := Enqueued{Known: 4}
			if status, err := m.Status(t.Context()); err != nil || status.Requests == 0 {
				want = Enqueued{Added: 2, Known: 2}
			}
			if got, err := add(t.Context(), twice); err != nil || got != want {
				t.Errorf("%+v, %v", got, err)
			}
		}
		if _, err := m.Revoke(t.Context(), upn(1), crl.Superseded); err != nil {
			t.Fatal(err)
		}
		if got, err := m.Reissue(t.Context(), twice); err != nil || got != (Enqueued{Added: 1, Known: 3}) {
			t.Errorf("again: %+v, %v", got, err)
		}
	})
}

// TestSweptAtEnd removes the files of given-up certificates also where a program runs for a moment.
func TestSweptAtEnd(t *testing.T) {
	s := newSite(t, "")
	m := s.machine(t, func(c *Config) { c.Lease = time.Hour })
	transact(t, m, func(tx transaction) error {
		_, err := tx.exec(t.Context(), "INSERT INTO {}attempts (serial, owner, upn, issuer, expires, begun, given_up) VALUES ('01', $1, $1, '02', 0, 0, NOW)", upn(0))
		return err
	})
	if err := errors.Join(m.c.Files.Write(t.Context(), fileName(upn(0), "01"), nil), m.c.Passwords.Write(t.Context(), passwordName(upn(0), "01"), nil)); err != nil {
		t.Fatal(err)
	}
	m.start()
	m.stop()
	s.audit(t, m, 0)
}

// TestPublishedNotRecorded starts after a process was killed between a CRL and its record: the CRL is newer
// than the database, and nobody is on it.
func TestPublishedNotRecorded(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		m := s.machine(t, nil)
		m.start()
		m.until("a CRL on record", func() bool {
			status, err := m.Status(t.Context())
			return err == nil && s.crl(t) != nil && status.Left() == 0
		})
		m.stop()
		number := s.crl(t).Number
		transact(t, m, func(tx transaction) error {
			_, err := tx.exec(t.Context(), "DELETE FROM {}published")
			return err
		})
		again := s.machine(t, nil)
		again.start()
		again.until("the next CRL", func() bool { return s.crl(t).Number.Cmp(number) > 0 })
	})
}

// TestHanging lets what Config.Act and Config.Deliver call hang for everybody: others are issued,
// bound and revoked all the same, and the CRL is published.
func TestHanging(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		const users = 75 // more than any queue runs at the same time
		server := tenant(t, users, graphtest.Options{})
		hang := make(chan struct{})
		wait := func(ctx context.Context) error {
			select {
			case <-hang:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		m := s.machine(t, func(c *Config) {
			c.Graph = client(t, server)
			c.Deliver = func(ctx context.Context, _ Delivery) error { return wait(ctx) }
			c.Act = func(ctx context.Context, _ lifecycle.Action) error { return wait(ctx) }
		})
		m.enqueue(users)
		m.start()
		m.until("all bound", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Bound}}) == users })
		for i := range 8 {
			if _, err := m.Leave(t.Context(), upn(i), 0); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second) // they hang now
		revoked, err := m.Revoke(t.Context(), upn(9), crl.KeyCompromise)
		if err != nil || len(revoked) != 1 {
			t.Fatal(revoked, err)
		}
		m.until("on the CRL", func() bool { return s.lists(t, revoked[0].Serial) })
		close(hang)
		m.until("all delivered", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == users-9 })
		m.until("done", func() bool { status, err := m.Status(t.Context()); return err == nil && status.Left() == 0 })
	})
}
