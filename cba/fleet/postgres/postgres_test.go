//go:build unix

package postgres_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/publish"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/ledgertest"
	"example.com/entracba/cba/fleet/postgres"
	"example.com/entracba/cba/fleet/postgres/pgtest"
	"github.com/jackc/pgx/v5"
)

func open(t testing.TB, url string, o postgres.Options) *postgres.Ledger {
	t.Helper()
	l, err := postgres.Open(context.Background(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestContract(t *testing.T) {
	server := pgtest.Start(t, "")
	ledgertest.Test(t, func(t *testing.T, clock *ledgertest.Clock) ledger.Ledger {
		return open(t, server.Database(t), postgres.Options{Now: clock.Now})
	})
}

// TestServerClock holds that without a clock of the program claims expire by the
// server's.
func TestServerClock(t *testing.T) {
	l := open(t, pgtest.Start(t, "").Database(t), postgres.Options{})
	claim := func(worker string, lease time.Duration, want ledger.Answer) {
		t.Helper()
		if got, err := l.Claim(t.Context(), "jane", ledger.Claim{Worker: worker, Lease: lease}); err != nil || got != want {
			t.Fatalf("%v, %v, want %v", got, err, want)
		}
	}
	claim("a", time.Hour, ledger.Granted)
	claim("b", time.Hour, ledger.Taken)
	claim("a", 50*time.Millisecond, ledger.Granted)
	time.Sleep(60 * time.Millisecond)
	claim("b", time.Hour, ledger.Granted)
}

func execute(t *testing.T, url, sql string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func TestRefused(t *testing.T) {
	server := pgtest.Start(t, "")
	const wait = 200 * time.Millisecond
	for _, test := range []struct {
		name string
		url  func(t *testing.T) string
		o    postgres.Options
		want ledger.Reason
	}{
		{"newer version", func(t *testing.T) string {
			url := server.Database(t)
			open(t, url, postgres.Options{}).Close()
			execute(t, url, "UPDATE cba.ledger SET version = version + 1")
			return url
		}, postgres.Options{}, ledger.Newer},
		{"another schema", func(t *testing.T) string {
			url := server.Database(t)
			execute(t, url, "CREATE SCHEMA cba; CREATE TABLE cba.things (id int)")
			return url
		}, postgres.Options{}, ledger.NotLedger},
		{"no ledger, to be read", func(t *testing.T) string { return server.Database(t) }, postgres.Options{ReadOnly: true}, ledger.Missing},
		{"no ledger, to be continued", func(t *testing.T) string { return server.Database(t) }, postgres.Options{Existing: true}, ledger.Missing},
		{"no database", func(*testing.T) string { return server.URL("nosuch") }, postgres.Options{}, ledger.Missing},
		{"no server", func(t *testing.T) string { return "postgres:///x?host=" + t.TempDir() }, postgres.Options{Wait: wait}, ledger.Unavailable},
		{"no connection string", func(*testing.T) string { return "postgres://user:secret%zz@host/x" }, postgres.Options{}, ledger.Invalid},
		{"wrong password", func(*testing.T) string { return "postgres://user:secret@localhost:1/x?connect_timeout=1" }, postgres.Options{Wait: wait}, ledger.Unavailable},
		{"no right to write", func(t *testing.T) string {
			url := server.Database(t)
			execute(t, url, "CREATE ROLE "+"reader LOGIN")
			return strings.Replace(url, "user=test", "user=reader", 1)
		}, postgres.Options{}, ledger.ReadOnly},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := postgres.Open(t.Context(), test.url(t), test.o)
			var e *ledger.Error
			if !errors.As(err, &e) || e.Reason != test.want || l != nil {
				t.Fatalf("%v, error %v, want reason %q", l, err, test.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error has the password: %v", err)
			}
		})
	}
}

// TestReadOnly reads a ledger, and changes nothing.
func TestReadOnly(t *testing.T) {
	url := pgtest.Start(t, "").Database(t)
	fill(t, open(t, url, postgres.Options{}), 3)
	l := open(t, url, postgres.Options{ReadOnly: true})
	if n := len(collect(t, l, ledger.Query{})); n != 3 {
		t.Errorf("%d entries, want 3", n)
	}
	if _, err := l.Claim(t.Context(), "x", ledger.Claim{Worker: "a", Lease: time.Hour}); !errors.Is(err, ledger.ReadOnly) {
		t.Errorf("claim: %v", err)
	}
	if _, err := l.CRLs("x").Lock(t.Context()); !errors.Is(err, ledger.ReadOnly) {
		t.Errorf("lock: %v", err)
	}
}

// TestNewerMeanwhile migrates the ledger under an older program: it may not write.
func TestNewerMeanwhile(t *testing.T) {
	url := pgtest.Start(t, "").Database(t)
	l, m := open(t, url, postgres.Options{}), ledgertest.NewMaker(t)
	if _, err := l.Claim(t.Context(), "jane", ledger.Claim{Worker: "a", Lease: time.Hour}); err != nil {
		t.Fatal(err)
	}
	execute(t, url, "UPDATE cba.ledger SET version = version + 1")
	if err := l.Record(t.Context(), "a", m.Entry("jane")); !errors.Is(err, ledger.Newer) {
		t.Errorf("record: %v", err)
	}
	if _, err := l.Claim(t.Context(), "john", ledger.Claim{Worker: "a", Lease: time.Hour}); !errors.Is(err, ledger.Newer) {
		t.Errorf("claim: %v", err)
	}
}

// TestOpenAtOnce opens a new database many times: one schema, one id.
func TestOpenAtOnce(t *testing.T) {
	url := pgtest.Start(t, "").Database(t)
	ids := make([]string, 8)
	var group sync.WaitGroup
	for i := range ids {
		group.Go(func() {
			l, err := postgres.Open(context.Background(), url, postgres.Options{Connections: 2})
			if err != nil {
				t.Error(err)
				return
			}
			defer l.Close()
			if ids[i], err = l.ID(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Errorf("ids %q", ids)
		}
	}
}

// TestForward writes past the methods: the database itself takes no step back.
func TestForward(t *testing.T) {
	url := pgtest.Start(t, "").Database(t)
	l := open(t, url, postgres.Options{})
	fill(t, l, 2)
	for _, sql := range []string{
		"UPDATE cba.entries SET owner = 'x'",
		"DELETE FROM cba.entries",
		"TRUNCATE cba.entries CASCADE",
		"UPDATE cba.entries SET state = 0",
		"INSERT INTO cba.entries (owner, upn, serial, issuer, state, not_before, not_after, issued, der) SELECT owner, upn, serial || '00', issuer, 1, not_before, not_after, issued, der FROM cba.entries",
	} {
		if _, err := l.Pool().Exec(t.Context(), sql); err == nil {
			t.Errorf("%s: done", sql)
		}
	}
	if err := l.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := l.Pool().Exec(t.Context(), "DROP TRIGGER forward ON cba.entries; UPDATE cba.entries SET replaces = (SELECT min(serial) FROM cba.entries), der = '' WHERE id = 2"); err != nil {
		t.Fatal(err)
	}
	if err := l.Check(t.Context()); !errors.Is(err, ledger.Corrupt) || !strings.Contains(err.Error(), "no certificate") || !strings.Contains(err.Error(), "not renewed") {
		t.Errorf("check: %v", err)
	}
}

// TestIn records in a transaction of the caller: with it, or not at all.
func TestIn(t *testing.T) {
	l, m := open(t, pgtest.Start(t, "").Database(t), postgres.Options{}), ledgertest.NewMaker(t)
	for _, commit := range []bool{false, true} {
		tx, err := l.Pool().Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		in := l.In(tx)
		if answer, err := in.Claim(t.Context(), "jane", ledger.Claim{Worker: "a", Lease: time.Hour}); err != nil || answer != ledger.Granted {
			t.Fatal(answer, err)
		}
		if err := in.Record(t.Context(), "a", m.Entry("jane")); err != nil {
			t.Fatal(err)
		}
		if n := len(collect(t, in, ledger.Query{})); n != 1 {
			t.Errorf("inside: %d", n)
		}
		if err := in.Close(); err != nil {
			t.Fatal(err)
		}
		if n := len(collect(t, l, ledger.Query{})); n != 0 {
			t.Errorf("outside: %d", n)
		}
		if commit {
			err = tx.Commit(t.Context())
		} else {
			err = tx.Rollback(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := len(collect(t, l, ledger.Query{})); n != 1 {
		t.Errorf("after the commit: %d", n)
	}
}

// TestClaimWaitsForRevocation begins a revocation, claims meanwhile, and then commits:
// the claim sees the revocation.
func TestClaimWaitsForRevocation(t *testing.T) {
	l, m := open(t, pgtest.Start(t, "").Database(t), postgres.Options{}), ledgertest.NewMaker(t)
	if _, err := l.Claim(t.Context(), "jane", ledger.Claim{Worker: "a", Lease: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if err := l.Record(t.Context(), "a", m.Entry("jane")); err != nil {
		t.Fatal(err)
	}
	tx, err := l.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	if _, err := l.In(tx).Revoke(t.Context(), "jane", time.Now(), crl.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	answers := make(chan ledger.Answer)
	go func() {
		answer, err := l.Claim(context.Background(), "jane", ledger.Claim{Worker: "b", Lease: time.Hour, RenewAt: time.Now(), DuePercent: 100})
		if err != nil {
			t.Error(err)
		}
		answers <- answer
	}()
	select {
	case answer := <-answers:
		t.Errorf("answered before the commit: %v", answer)
	case <-time.After(200 * time.Millisecond):
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if answer := <-answers; answer != ledger.WasRevoked {
			t.Errorf("answer %v", answer)
		}
	}
}

func fill(t *testing.T, l ledger.Ledger, count int) {
	t.Helper()
	m := ledgertest.NewMaker(t)
	for i := range count {
		upn := fmt.Sprintf("user%d@yourdomain.com", i)
		if _, err := l.Claim(t.Context(), upn, ledger.Claim{Worker: "a", Lease: time.Hour}); err != nil {
			t.Fatal(err)
		}
		if err := l.Record(t.Context(), "a", m.Entry(upn)); err != nil {
			t.Fatal(err)
		}
	}
}

func collect(t testing.TB, l ledger.Ledger, q ledger.Query) (all []ledger.Entry) {
	t.Helper()
	for e, err := range l.Entries(context.Background(), q) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// Another process of this test: it claims and records every user that it gets.
const (
	workerURL   = "POSTGRES_TEST_WORKER_URL"
	workerUsers = 120
)

func TestMain(m *testing.M) {
	if url := os.Getenv(workerURL); url != "" {
		if err := work(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func work(url string) error {
	ctx := context.Background()
	l, err := postgres.Open(ctx, url, postgres.Options{})
	if err != nil {
		return err
	}
	defer l.Close()
	block, _ := pem.Decode([]byte(os.Getenv("CERTIFICATE")))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	worker := ledger.NewWorker()
	for i := range workerUsers {
		owner := fmt.Sprintf("user%d@yourdomain.com", i)
		for {
			answer, err := l.Claim(ctx, owner, ledger.Claim{Worker: worker, Lease: 300 * time.Millisecond})
			if err != nil {
				return err
			}
			if answer == ledger.Taken {
				time.Sleep(10 * time.Millisecond)
				continue
			}
			if answer != ledger.Granted {
				break
			}
			e, err := ledger.NewEntry(owner, cert, time.Now())
			if err != nil {
				return err
			}
			e.Serial = fmt.Sprintf("%08x%x", i, worker) // its own
			// Whatever became of it, the next claim tells: also of a commit whose answer
			// was lost.
			err = l.Record(ctx, worker, e)
			if err != nil && !errors.Is(err, ledger.ClaimLost) && !errors.Is(err, ledger.Unavailable) {
				return err
			}
		}
	}
	return nil
}

// TestProcesses lets four programs issue for the same users. One is killed and started
// again, all connections are cut, and the server crashes in the middle: every user ends
// up with one certificate.
func TestProcesses(t *testing.T) {
	server := pgtest.Start(t, "")
	url := server.Database(t)
	l := open(t, url, postgres.Options{})
	cert := ledgertest.NewMaker(t).Certificate("x@yourdomain.com")
	start := func() (*exec.Cmd, *bytes.Buffer) {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), workerURL+"="+url, "CERTIFICATE="+string(cba.EncodeCertificates(cert)))
		var stderr bytes.Buffer
		c.Stderr = &stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c, &stderr
	}
	type process struct {
		*exec.Cmd
		stderr *bytes.Buffer
	}
	var processes []process
	for range 4 {
		c, stderr := start()
		processes = append(processes, process{c, stderr})
	}
	reach := func(n int) {
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
			found := 0
			for _, err := range l.Entries(t.Context(), ledger.Query{}) {
				if err == nil { // the last pair can be an error: connections are being cut
					found++
				}
			}
			if found >= n {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("fewer than %d certificates after a minute", n)
			}
		}
	}
	reach(20)
	processes[0].Process.Kill()
	processes[0].Wait()
	reach(40)
	execute(t, url, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
	reach(60)
	server.Restart("immediate")
	for _, p := range processes[1:] {
		if err := p.Wait(); err != nil {
			t.Errorf("%v: %s", err, p.stderr)
		}
	}
	if n := len(collect(t, l, ledger.Query{})); n != workerUsers {
		t.Errorf("%d certificates, want %d", n, workerUsers)
	}
	if n := len(collect(t, l, ledger.Query{Live: true})); n != workerUsers {
		t.Errorf("%d live certificates, want %d", n, workerUsers)
	}
	if err := l.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestCRLs publishes for one CA through several stores at once: no number is used twice,
// and nothing gets lost.
func TestCRLs(t *testing.T) {
	server := pgtest.Start(t, "")
	url := server.Database(t)
	m := ledgertest.NewMaker(t)
	const publishers, each = 3, 4
	var mu sync.Mutex
	numbers := map[string]bool{}
	var group sync.WaitGroup
	var last *crl.List
	for range publishers {
		l := open(t, url, postgres.Options{})
		group.Go(func() {
			p := publish.Issuer{Certificate: m.Issuer.Certificate, Key: m.Issuer.Key, Store: l.CRLs("one")}
			for range each {
				serial := m.Certificate("x@yourdomain.com").SerialNumber
				if err := p.Revoke(context.Background(), crl.Revocation{Serial: serial}); err != nil {
					t.Error(err)
				}
				list, err := p.Base(context.Background(), publish.Options{})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if numbers[list.Number.String()] {
					t.Errorf("number %v twice", list.Number)
				}
				numbers[list.Number.String()] = true
				if last == nil || last.Number.Cmp(list.Number) < 0 {
					last = list
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if last == nil || last.Len() != publishers*each {
		t.Fatalf("the last CRL is %v", last)
	}
	l := open(t, url, postgres.Options{})
	if _, err := (&publish.Issuer{Certificate: m.Issuer.Certificate, Key: m.Issuer.Key, Store: l.CRLs("other")}).Delta(t.Context(), publish.Options{}); !errors.Is(err, publish.NoBase) {
		t.Errorf("the store of another CA: %v", err)
	}
}

// TestCRLLock cuts the connection that has the lock: the holder can no longer save.
func TestCRLLock(t *testing.T) {
	url := pgtest.Start(t, "").Database(t)
	l := open(t, url, postgres.Options{})
	store, other := l.CRLs("one"), l.CRLs("one")
	write := func(text string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
	}
	if err := store.Save(t.Context(), publish.State, write("x")); !errors.Is(err, ledger.Invalid) {
		t.Errorf("saved without the lock: %v", err)
	}
	unlock, err := store.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Load(t.Context(), publish.State); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("loaded: %v", err)
	}
	if err := store.Save(t.Context(), publish.State, write("first")); err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := other.Lock(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("locked twice: %v", err)
	}
	execute(t, url, "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory'")
	again, err := other.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Save(t.Context(), publish.State, write("stale")); !errors.Is(err, ledger.Unavailable) {
		t.Errorf("saved after the lock was lost: %v", err)
	}
	unlock()
	r, err := other.Load(t.Context(), publish.State)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := io.ReadAll(r); string(text) != "first" {
		t.Errorf("content %q", text)
	}
	if err := again(); err != nil {
		t.Error(err)
	}
	unlock, err = store.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
}

// TestCRLLockOfStopped takes the lock from a program that does nothing for long, as one that was
// stopped.
func TestCRLLockOfStopped(t *testing.T) {
	url := pgtest.Start(t, "").Database(t)
	l := open(t, url, postgres.Options{Wait: 100 * time.Millisecond})
	store, other := l.CRLs("one"), l.CRLs("one")
	unlock, err := store.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	again, err := other.Lock(soon)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Save(t.Context(), publish.State, func(w io.Writer) error { return nil }); !errors.Is(err, ledger.Unavailable) {
		t.Errorf("saved after the lock was lost: %v", err)
	}
	unlock()
	if err := again(); err != nil {
		t.Error(err)
	}
}
