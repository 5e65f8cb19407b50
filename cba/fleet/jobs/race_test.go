//go:build unix

package jobs

import (
	"context"
	"errors"
	"sync"
	"testing"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/postgres/pgtest"
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
