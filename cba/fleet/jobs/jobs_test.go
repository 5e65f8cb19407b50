//go:build unix

package jobs

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/publish"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/postgres"
	"example.com/entracba/cba/fleet/postgres/pgtest"
	"example.com/entracba/cba/fleet/sqlite"
	"example.com/entracba/cba/pfx"
)

// A site is a folder with a CA, the stores and the CRLs, and a database: what the
// machines of a fleet share.
type site struct {
	dir      string
	postgres string // connection string; "" means SQLite
}

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, s site)) {
	t.Run("postgres", func(t *testing.T) {
		test(t, newSite(t, pgtest.Start(t, "").Database(t)))
	})
	t.Run("sqlite", func(t *testing.T) { test(t, newSite(t, "")) })
}

func newSite(t testing.TB, url string) site {
	t.Helper()
	s := site{dir: t.TempDir(), postgres: url}
	name, err := dn.Parse("CN=Contoso Root CA")
	if err != nil {
		t.Fatal(err)
	}
	root, err := cba.NewRoot(context.Background(), cba.Authority{Name: name, KeyType: cba.P256})
	if err != nil {
		t.Fatal(err)
	}
	key, err := cba.EncodeKey(root.Key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "ca.pem"), append(cba.EncodeCertificates(root.Certificate), key...), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s site) ca() (*cba.Issuer, error) {
	text, err := os.ReadFile(filepath.Join(s.dir, "ca.pem"))
	if err != nil {
		return nil, err
	}
	return cba.ParseIssuer(text)
}

func (s site) database(ctx context.Context) (Database, ledger.Ledger, error) {
	if s.postgres != "" {
		l, err := postgres.Open(ctx, s.postgres, postgres.Options{Connections: 10, Wait: 10 * time.Second})
		if err != nil {
			return nil, nil, err
		}
		return Postgres(l), l, nil
	}
	l, err := sqlite.Open(ctx, filepath.Join(s.dir, "ledger.db"), sqlite.Options{})
	if err != nil {
		return nil, nil, err
	}
	return SQLite(l, func(ca string) publish.Store { return publish.FileStore{Path: filepath.Join(s.dir, ca+".store")} }), l, nil
}

// config is what every machine has.
func (s site) config() (Config, error) {
	ca, err := s.ca()
	return Config{
		CA: ca, KeyType: cba.P256, Encoding: pfx.Modern, Lease: 2 * time.Second,
		Files: Folder(filepath.Join(s.dir, "pfx")), Passwords: Folder(filepath.Join(s.dir, "passwords")),
		Publish: func(ctx context.Context, ca *cba.Issuer, list *crl.List) error {
			return Folder(filepath.Join(s.dir, "crl")).Write(ctx, "ca.crl", list.Raw)
		},
		Published: func(ctx context.Context, _ *cba.Issuer) ([]*crl.List, error) {
			der, err := Folder(filepath.Join(s.dir, "crl")).Read(ctx, "ca.crl")
			if errors.Is(err, fs.ErrNotExist) {
				return nil, nil
			}
			list, failed := crl.Parse(der)
			return []*crl.List{list}, errors.Join(err, failed)
		},
	}, err
}

// A machine is a process of the fleet.
type machine struct {
	*Fleet
	t    testing.TB
	l    ledger.Ledger
	db   Database
	stop func()
}

// machine opens the database as a process of its own would.
func (s site) machine(t testing.TB, change func(*Config)) *machine {
	t.Helper()
	db, l, err := s.database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c, err := s.config()
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&c)
	}
	f, err := Open(t.Context(), db, c)
	if err != nil {
		t.Fatal(err)
	}
	return &machine{Fleet: f, t: t, l: l, db: db}
}

// start lets the machine work until the test ends or stop is called.
func (m *machine) start() *machine {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	m.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			m.t.Errorf("run: %v", err)
		}
	})
	m.t.Cleanup(m.stop)
	return m
}

// until waits for something to be true.
func (m *machine) until(what string, done func() bool) {
	m.t.Helper()
	m.within(2*time.Minute, what, done)
}

func (m *machine) within(limit time.Duration, what string, done func() bool) {
	m.t.Helper()
	for deadline := time.Now().Add(limit); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s, err := m.Status(context.Background())
			m.t.Fatalf("not after %v: %s\n%+v, %v", limit, what, s, err)
		}
	}
}

func (m *machine) count(q ledger.Query) (n int) {
	for _, err := range m.l.Entries(context.Background(), q) {
		if err != nil {
			m.t.Fatal(err)
		}
		n++
	}
	return n
}

func upn(i int) string { return fmt.Sprintf("user%d@yourdomain.com", i) }

func list(n int) func(func(cba.Task, error) bool) {
	return func(yield func(cba.Task, error) bool) {
		for i := range n {
			if !yield(cba.Task{Subject: cba.Subject{UPN: upn(i), Emails: []string{"mail." + upn(i)}}}, nil) {
				return
			}
		}
	}
}

func (m *machine) enqueue(n int) Enqueued {
	m.t.Helper()
	counts, err := m.Enqueue(context.Background(), list(n))
	if err != nil {
		m.t.Fatal(err)
	}
	return counts
}

func (s site) crl(t testing.TB) *crl.List {
	t.Helper()
	der, err := Folder(filepath.Join(s.dir, "crl")).Read(context.Background(), "ca.crl")
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

func (s site) lists(t testing.TB, serial string) bool {
	number, err := ledger.ParseSerial(serial)
	if err != nil {
		t.Fatal(err)
	}
	list := s.crl(t)
	if list == nil {
		return false
	}
	_, listed := list.Lookup(number)
	return listed
}

// audit holds what must be true whatever happened: one live certificate for each user,
// its two files and no others, and everything else on the CRL or replaced.
func (s site) audit(t testing.TB, m *machine, users int) {
	t.Helper()
	if err := m.l.Check(t.Context()); err != nil {
		t.Error(err)
	}
	files, passwords := map[string]bool{}, map[string]bool{}
	owners := map[string]int{}
	for e, err := range m.l.Entries(t.Context(), ledger.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		files[fileName(e.UPN, e.Serial)], passwords[passwordName(e.UPN, e.Serial)] = true, true
		if e.State.Live() {
			owners[e.Owner]++
		}
		if e.State == ledger.Revoked && !s.lists(t, e.Serial) {
			t.Errorf("%s is revoked, and not on the CRL", e.Serial)
		}
	}
	for owner, n := range owners {
		if n != 1 {
			t.Errorf("%s has %d live certificates", owner, n)
		}
	}
	if len(owners) != users {
		t.Errorf("%d users have a certificate, want %d", len(owners), users)
	}
	for folder, want := range map[string]map[string]bool{"pfx": files, "passwords": passwords} {
		found, err := os.ReadDir(filepath.Join(s.dir, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			if !want[file.Name()] {
				t.Errorf("%s/%s belongs to nothing", folder, file.Name())
			}
			delete(want, file.Name())
		}
		for name := range want {
			t.Errorf("%s/%s is missing", folder, name)
		}
	}
}

// TestLife issues, opens every PFX, enqueues again, revokes and renews.
func TestLife(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		const users = 30
		var mu sync.Mutex
		delivered := map[string]int{}
		m := s.machine(t, func(c *Config) {
			c.Deliver = func(_ context.Context, d Delivery) error {
				mu.Lock()
				defer mu.Unlock()
				delivered[d.File]++
				return nil
			}
		})
		if got := m.enqueue(users); got != (Enqueued{Added: users}) {
			t.Errorf("enqueued %+v", got)
		}
		if got := m.enqueue(users + 1); got != (Enqueued{Added: 1, Known: users}) {
			t.Errorf("enqueued again %+v", got)
		}
		m.start()
		m.until("all delivered", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == users+1 })
		s.audit(t, m, users+1)
		for e, err := range m.l.Entries(t.Context(), ledger.Query{Certificates: true}) {
			if err != nil {
				t.Fatal(err)
			}
			file, err := m.c.Files.Read(t.Context(), fileName(e.UPN, e.Serial))
			if err != nil {
				t.Fatal(err)
			}
			password, err := m.c.Passwords.Read(t.Context(), passwordName(e.UPN, e.Serial))
			if err != nil {
				t.Fatal(err)
			}
			bundle, err := pfx.Decode(file, strings.TrimSpace(string(password)))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(bundle.Certificate.Raw, e.Certificate) || !bundle.Key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(bundle.Certificate.PublicKey) {
				t.Errorf("%s: another certificate or key", e.Owner)
			}
			if delivered[fileName(e.UPN, e.Serial)] == 0 {
				t.Errorf("%s was not delivered", e.UPN)
			}
		}
		// A revocation is on the CRL before anything else.
		revoked, err := m.Revoke(t.Context(), upn(3), crl.KeyCompromise)
		if err != nil || len(revoked) != 1 {
			t.Fatalf("%v, %v", revoked, err)
		}
		m.until("revoked", func() bool { return s.lists(t, revoked[0].Serial) })
		if _, err := m.Revoke(t.Context(), "nobody@yourdomain.com", crl.KeyCompromise); !errors.Is(err, ledger.NotFound) {
			t.Errorf("revoked: %v", err)
		}
		if got := m.enqueue(users); got.Added != 0 {
			t.Errorf("enqueued after the revocation %+v", got)
		}
		m.stop()
		// Everything is due now; the next machine renews it once.
		again := s.machine(t, func(c *Config) { c.DuePercent = 100 }).start()
		again.until("renewed", func() bool { return again.count(ledger.Query{States: []ledger.State{ledger.Renewed}}) == users })
		again.until("delivered", func() bool { return again.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == users })
		s.audit(t, again, users)
		status, err := again.Status(t.Context())
		if err != nil || status.Requests != users+1 || status.Machines != 1 || status.Unlisted != 0 || status.GivenUp != 0 || len(status.Failures) != 0 || status.Certificates[ledger.Revoked] != 1 {
			t.Errorf("%+v, %v", status, err)
		}
		again.stop()
		if status, err = again.Status(t.Context()); err != nil || status.Machines != 0 {
			t.Errorf("after the end: %+v, %v", status, err)
		}
	})
}

// TestStopped revokes somebody whose certificate was not made yet: none is made.
func TestStopped(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		m := s.machine(t, nil)
		m.enqueue(3)
		if revoked, err := m.Leave(t.Context(), upn(1), 0); err != nil || len(revoked) != 0 {
			t.Fatalf("%v, %v", revoked, err)
		}
		m.start()
		m.until("the others have theirs", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == 2 })
		m.until("all jobs are done", func() bool {
			status, err := m.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, j := range status.Jobs {
				if j.State != "completed" {
					return false
				}
			}
			return true
		})
		s.audit(t, m, 2)
		if n := m.count(ledger.Query{Owner: upn(1)}); n != 0 {
			t.Errorf("%d certificates", n)
		}
	})
}

// A gated signer waits before it signs.
type gated struct {
	crypto.Signer
	before func() error
}

func (g gated) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if err := g.before(); err != nil {
		return nil, err
	}
	return g.Signer.Sign(r, digest, o)
}

// withKey changes the CA's key of a configuration.
func withKey(c *Config, before func() error) {
	c.CA.Key = gated{c.CA.Key, before}
}

// TestFenced takes a job from a worker that is still at it, as an engine does that goes by
// age: the certificate of the slow worker does not count. It goes on the CRL, its files go away,
// and the user has one certificate.
func TestFenced(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		sign := make(chan struct{})
		slow := s.machine(t, func(c *Config) {
			withKey(c, func() error { <-sign; return nil })
			c.Workers = 1
		})
		slow.enqueue(1)
		slow.start()
		// The CA's key signs CRLs, too: the certificate's attempt says when it is about that.
		var taken string
		slow.until("about to sign", func() (found bool) {
			transact(t, slow, func(tx transaction) (err error) {
				found, err = one(t.Context(), tx, []any{&taken}, "SELECT serial FROM {}attempts")
				return err
			})
			return found
		})
		transact(t, slow, func(tx transaction) error {
			_, err := tx.exec(t.Context(), "UPDATE {}river_job SET attempt = attempt + 1 WHERE kind = 'issue'")
			return err
		})
		close(sign)
		slow.until("given up", func() bool { status, err := slow.Status(t.Context()); return err == nil && status.GivenUp == 1 })
		slow.until("issued again", func() bool { return slow.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == 1 })
		slow.until("on the CRL", func() bool { return s.lists(t, taken) })
		s.audit(t, slow, 1)
		if live, err := ledger.Live(t.Context(), slow.l, upn(0)); err != nil || live.Serial == taken {
			t.Errorf("%v, %v", live.Serial, err)
		}
	})
}

func transact(t *testing.T, m *machine, do func(transaction) error) {
	t.Helper()
	if err := m.db.transact(t.Context(), do); err != nil {
		t.Fatal(err)
	}
}

// TestSlowSigner issues with a key as in a cloud: 50 ms a signature, some fail. No
// more are in flight than are allowed.
func TestSlowSigner(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		const users, allowed = 40, 3
		var mu sync.Mutex
		var calls, flying, most int
		m := s.machine(t, func(c *Config) {
			c.Signatures = allowed
			withKey(c, func() error {
				mu.Lock()
				calls++
				flying++
				most = max(most, flying)
				fail := calls%7 == 0
				mu.Unlock()
				time.Sleep(50 * time.Millisecond)
				mu.Lock()
				flying--
				mu.Unlock()
				if fail {
					return errors.New("the key service is busy")
				}
				return nil
			})
		})
		m.enqueue(users)
		m.start()
		m.until("all issued", func() bool { return m.count(ledger.Query{Live: true}) == users })
		if most > allowed {
			t.Errorf("%d signatures at the same time, allowed are %d", most, allowed)
		}
		s.audit(t, m, users)
		status, err := m.Status(t.Context())
		if err != nil || status.GivenUp != 0 || status.Unlisted != 0 || calls < users+users/7 {
			t.Errorf("%+v, %v; %d signatures", status, err, calls)
		}
		if list := s.crl(t); list != nil && list.Len() != 0 {
			t.Errorf("%d certificates on the CRL: what was not signed is none", list.Len())
		}
	})
}

// TestNoSecrets reads every column of every table: no key and no password is there.
func TestNoSecrets(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		const users = 5
		m := s.machine(t, nil)
		m.enqueue(users)
		m.start()
		m.until("all delivered", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == users })
		m.stop()
		var secrets [][]byte
		for e, err := range m.l.Entries(t.Context(), ledger.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			password, err := m.c.Passwords.Read(t.Context(), passwordName(e.UPN, e.Serial))
			if err != nil {
				t.Fatal(err)
			}
			password = bytes.TrimSpace(password)
			file, err := m.c.Files.Read(t.Context(), fileName(e.UPN, e.Serial))
			if err != nil {
				t.Fatal(err)
			}
			secrets = append(secrets, password, file[len(file)/2:len(file)/2+16])
		}
		tables := []string{"requests", "attempts", "revocations", "published", "workers", "gates", "fleet", "entries", "claims", "river_job", "river_queue", "river_leader"}
		seen := 0
		for _, table := range tables {
			transact(t, m, func(tx transaction) error {
				var text string
				cast := "CAST(t AS text)"
				if s.postgres == "" {
					cast = "0"
				}
				r, err := tx.query(t.Context(), "SELECT "+cast+" FROM {}"+table+" t")
				return scanAll(r, err, []any{&text}, func() error {
					seen++
					for _, secret := range secrets {
						if bytes.Contains([]byte(text), secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
							t.Errorf("%s has a secret", table)
						}
					}
					return nil
				})
			})
		}
		if seen < 3*users {
			t.Errorf("only %d rows were looked at", seen)
		}
		if s.postgres == "" { // the file itself, and what is not folded into it yet
			for _, name := range []string{"ledger.db", "ledger.db-wal"} {
				content, err := os.ReadFile(filepath.Join(s.dir, name))
				if err != nil {
					t.Fatal(err)
				}
				for _, secret := range secrets {
					if bytes.Contains(content, secret) {
						t.Errorf("%s has a secret", name)
					}
				}
			}
		}
	})
}

// TestConfig refuses what cannot work.
func TestConfig(t *testing.T) {
	s := newSite(t, "")
	db, l, err := s.database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	good, err := s.config()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"one store":  func(c *Config) { c.Passwords = c.Files },
		"percent":    func(c *Config) { c.DuePercent = 101 },
		"no CA":      func(c *Config) { c.CA = nil },
		"no files":   func(c *Config) { c.Files = nil },
		"no publish": func(c *Config) { c.Publish = nil },
	} {
		c := good
		change(&c)
		f, err := Open(t.Context(), db, c)
		if err == nil {
			err = f.Run(t.Context())
		}
		if !errors.Is(err, Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f, err := Open(t.Context(), db, Config{})
	if err != nil {
		t.Fatal(err)
	}
	for name, task := range map[string]cba.Task{
		"no UPN":   {Subject: cba.Subject{Emails: []string{"a@b.c"}}},
		"path":     {Subject: cba.Subject{UPN: "../a@b.c"}},
		"a key":    {Subject: cba.Subject{UPN: "a@b.c"}, PublicKey: good.CA.Key.Public()},
		"DNS name": {Subject: cba.Subject{UPN: "a@b.c", DNSNames: []string{"x"}}},
	} {
		if counts, err := f.Enqueue(t.Context(), func(yield func(cba.Task, error) bool) { yield(task, nil) }); err == nil || counts.Added != 0 {
			t.Errorf("%s: %+v, %v", name, counts, err)
		}
	}
}

// TestNewer refuses tables that a newer version made, also while a program runs.
func TestNewer(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		m := s.machine(t, nil)
		transact(t, m, func(tx transaction) error {
			_, err := tx.exec(t.Context(), "UPDATE {}fleet SET version = version + 1")
			return err
		})
		if _, err := Open(t.Context(), m.db, m.c); !errors.Is(err, Newer) {
			t.Errorf("open: %v", err)
		}
		if err := m.Run(t.Context()); !errors.Is(err, Newer) {
			t.Errorf("run: %v", err)
		}
		transact(t, m, func(tx transaction) error {
			_, err := tx.exec(t.Context(), "UPDATE {}fleet SET version = version - 1")
			return err
		})
		ended := make(chan error, 1)
		go func() { ended <- m.Run(t.Context()) }()
		m.until("it works", func() bool {
			status, err := m.Status(t.Context())
			return err == nil && status.Machines == 1 && s.crl(t) != nil
		})
		transact(t, m, func(tx transaction) error {
			_, err := tx.exec(t.Context(), "UPDATE {}fleet SET version = version + 1")
			return err
		})
		select {
		case err := <-ended:
			if !errors.Is(err, Newer) {
				t.Errorf("meanwhile: %v", err)
			}
		case <-time.After(time.Minute):
			t.Error("it goes on")
		}
	})
}

// TestSubject keeps all of what a request asks for.
func TestSubject(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		m := s.machine(t, nil)
		sid, err := cba.ParseSID("S-1-5-21-1381186052-4247692386-135928078-1225")
		if err != nil {
			t.Fatal(err)
		}
		name, err := dn.Parse(`CN=Jane \"J\" Doe,OU=Users\, all,DC=contoso`)
		if err != nil {
			t.Fatal(err)
		}
		want := cba.Subject{UPN: "Jane.O'Doe@yourdomain.com", Emails: []string{"a@b.com", "c@d.com"}, SID: sid, Name: name}
		if _, err := m.Enqueue(t.Context(), cba.Tasks(want)); err != nil {
			t.Fatal(err)
		}
		m.start()
		m.until("delivered", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == 1 })
		e, err := ledger.Live(t.Context(), m.l, ledger.OwnerOf(want))
		if err != nil {
			t.Fatal(err)
		}
		cert, err := parse(e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := cba.SubjectOf(cert)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(got)
		if !bytes.Equal(a, b) {
			t.Errorf("want %s\ngot  %s", a, b)
		}
	})
}
