//go:build unix

package jobs

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/postgres/pgtest"
	"github.com/riverqueue/river"
)

// A full store fails while there is no space.
type fullStore struct {
	Store
	full *atomic.Bool
}

func newFullStore(s Store) fullStore { return fullStore{s, new(atomic.Bool)} }

func (s fullStore) Write(ctx context.Context, name string, content []byte) error {
	if s.full.Load() {
		return syscall.ENOSPC
	}
	return s.Store.Write(ctx, name, content)
}

// TestDiskFull fills the disk of the PFX files, of the passwords and of the database in
// turn. When there is space again, everybody gets one certificate.
func TestDiskFull(t *testing.T) {
	s := newSite(t, pgtest.Start(t, "").Database(t))
	const users = 30
	var files, passwords atomic.Bool
	var calls atomic.Int64
	m := s.machine(t, func(c *Config) {
		c.Files, c.Passwords = fullStore{c.Files, &files}, fullStore{c.Passwords, &passwords}
		withKey(c, func() error { calls.Add(1); return nil })
	})
	failures := func(text string) func() bool {
		return func() bool {
			status, err := m.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range status.Failures {
				if strings.Contains(x.Error, text) {
					return true
				}
			}
			return false
		}
	}
	passwords.Store(true)
	m.enqueue(users)
	m.start()
	m.until("no space for passwords", failures("no space left"))
	before := calls.Load()
	retry := func() {
		t.Helper()
		if _, err := m.Retry(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := m.count(ledger.Query{}); n != 0 || s.crl(t) != nil && s.crl(t).Len() > 0 {
		t.Errorf("%d certificates, and CRL %v: without a password nothing is signed", n, s.crl(t))
	}
	files.Store(true)
	passwords.Store(false)
	retry()
	m.until("a signature in vain", func() (found bool) {
		transact(t, m, func(tx transaction) error {
			_, err := one(t.Context(), tx, []any{&found}, "SELECT EXISTS (SELECT 1 FROM {}revocations)")
			return err
		})
		return found && calls.Load() > before
	})
	transact(t, m, func(tx transaction) error {
		_, err := tx.exec(t.Context(), `CREATE FUNCTION cba.full() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''could not extend file'' USING ERRCODE = ''disk_full''; END';
			CREATE TRIGGER full_disk BEFORE INSERT ON cba.entries FOR EACH ROW EXECUTE FUNCTION cba.full()`)
		return err
	})
	files.Store(false)
	retry()
	m.until("no space in the database", failures("disk full"))
	if n := m.count(ledger.Query{}); n != 0 {
		t.Errorf("%d certificates", n)
	}
	transact(t, m, func(tx transaction) error {
		_, err := tx.exec(t.Context(), "DROP TRIGGER full_disk ON cba.entries")
		return err
	})
	m.until("everybody has one", func() bool {
		retry()
		time.Sleep(200 * time.Millisecond)
		return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == users
	})
	m.settle(s)
	s.audit(t, m, users)
	if list := s.crl(t); list == nil || list.Len() == 0 {
		t.Error("nothing is on the CRL, and certificates were signed that do not count")
	}
}

// TestClock lets every lease and claim expire at once, again and again, as a clock does
// that is set forward, while two processes work.
func TestClock(t *testing.T) {
	s := newSite(t, pgtest.Start(t, "").Database(t))
	const users = 120
	m := s.machine(t, nil)
	m.enqueue(users)
	a, b := s.process(t), s.process(t)
	for i := range 5 {
		m.until("some are issued", func() bool { return m.count(ledger.Query{}) > 10*i })
		transact(t, m, func(tx transaction) error {
			_, err := tx.exec(t.Context(), "UPDATE cba.workers SET expires = 0")
			return err
		})
		transact(t, m, func(tx transaction) error {
			_, err := tx.exec(t.Context(), "UPDATE cba.claims SET expires = now() - interval '1 day' WHERE owner IN (SELECT owner FROM cba.claims ORDER BY owner FOR UPDATE)")
			return err
		})
	}
	m.until("all delivered", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == users })
	m.settle(s)
	a.end(t)
	b.end(t)
	s.audit(t, m, users)
}

// TestClockBack sets the clock back by a day, as seen from what is on record: a dead
// worker does not live on, and the gate does not stay closed.
func TestClockBack(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		const day = int64(24 * time.Hour / time.Microsecond)
		m := s.machine(t, nil)
		m.enqueue(1)
		transact(t, m, func(tx transaction) error {
			_, err := tx.exec(t.Context(), "INSERT INTO {}workers (name, expires) VALUES ('dead', NOW + $1)", day)
			return err
		})
		dead := "ARRAY['dead']"
		if s.postgres == "" {
			dead = `jsonb('["dead"]')`
		}
		transact(t, m, func(tx transaction) error {
			_, err := tx.exec(t.Context(), "UPDATE {}river_job SET state = 'running', attempt = 1, attempted_at = DUE_TIME, attempted_by = "+dead)
			return err
		})
		if _, _, err := m.gate(t.Context(), burst); err != nil {
			t.Fatal(err)
		}
		transact(t, m, func(tx transaction) error {
			_, err := tx.exec(t.Context(), "UPDATE {}gates SET at = at + $1, closed = NOW + $1", day)
			return err
		})
		if wait, closed, err := m.gate(t.Context(), 20); err != nil || closed || wait > 2*time.Second {
			t.Errorf("the gate: %v, %v, %v", wait, closed, err)
		}
		m.start()
		m.until("the dead worker's job is done", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == 1 })
		s.audit(t, m, 1)
	})
}

// TestDelta revokes with delta CRLs: the base CRL stays, and a new delta CRL has the
// revocation. When the base CRL is due, it has everything, and a delta CRL continues it.
func TestDelta(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		deltas := Folder(filepath.Join(s.dir, "delta"))
		m := s.machine(t, func(c *Config) {
			c.PublishDelta = func(ctx context.Context, _ *cba.Issuer, list *crl.List) error {
				return deltas.Write(ctx, "delta.crl", list.Raw)
			}
		})
		delta := func() *crl.List {
			der, err := deltas.Read(t.Context(), "delta.crl")
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				t.Fatal(err)
			}
			list, err := crl.Parse(der)
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		m.enqueue(3)
		m.start()
		m.until("issued", func() bool { return m.count(ledger.Query{Live: true}) == 3 })
		m.until("both CRLs", func() bool { return s.crl(t) != nil && delta() != nil })
		base := s.crl(t).Number
		revoked, err := m.Revoke(t.Context(), upn(1), crl.KeyCompromise)
		if err != nil || len(revoked) != 1 {
			t.Fatal(revoked, err)
		}
		serial, err := ledger.ParseSerial(revoked[0].Serial)
		if err != nil {
			t.Fatal(err)
		}
		m.until("on the delta CRL", func() bool { _, there := delta().Lookup(serial); return there })
		if list := s.crl(t); list.Number.Cmp(base) != 0 || list.Len() != 0 {
			t.Errorf("the base CRL is number %v with %d entries", list.Number, list.Len())
		}
		// The CRL is out before it is on record: a job that is at it would write the time
		// of the next base CRL again.
		m.until("on record", func() bool {
			status, err := m.Status(t.Context())
			return err == nil && status.Unlisted == 0 && status.Left() == 0
		})
		transact(t, m, func(tx transaction) error {
			_, err := tx.exec(t.Context(), "UPDATE {}published SET next = 0")
			return err
		})
		transact(t, m, func(tx transaction) error {
			return tx.insert(t.Context(), []river.InsertManyParams{publication(keyID(m.c.CA))})
		})
		m.until("on the base CRL", func() bool { return s.lists(t, revoked[0].Serial) })
		m.until("a delta CRL that continues it", func() bool { list := delta(); return list.Len() == 0 && list.Number.Cmp(s.crl(t).Number) > 0 })
	})
}

// TestStore holds what a folder promises.
func TestStore(t *testing.T) {
	d := Folder(t.TempDir() + "/new")
	ctx := t.Context()
	for range 2 {
		if err := d.Write(ctx, "a.pfx", []byte("one")); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := d.Read(ctx, "a.pfx"); err != nil || string(text) != "one" {
		t.Errorf("%q, %v", text, err)
	}
	for range 2 {
		if err := d.Remove(ctx, "a.pfx"); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", ".", "..", "../x", "a/b", "/etc/passwd"} {
		if err := d.Write(ctx, name, nil); !errors.Is(err, Invalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
