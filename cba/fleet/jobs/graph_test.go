//go:build unix

package jobs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/lifecycle"
	"github.com/riverqueue/river"
)

// tenant starts a Graph with users.
func tenant(t testing.TB, users int, o graphtest.Options) *graphtest.Server {
	t.Helper()
	var people []graphtest.User
	for i := range users {
		people = append(people, graphtest.User{ID: fmt.Sprintf("00000000-0000-0000-0000-%012d", i), UserPrincipalName: upn(i)})
	}
	g, err := graphtest.New(graphtest.Tenant{Users: people}, o)
	if err != nil {
		t.Fatal(err)
	}
	server := graphtest.Serve(g)
	t.Cleanup(server.Close)
	return server
}

func client(t testing.TB, server *graphtest.Server) *graph.Client {
	t.Helper()
	c, err := graph.NewClient(graphtest.StaticToken(graphtest.Token), graph.Options{Endpoint: server.URL + "/v1.0", Transport: server.Client().Transport})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ids returns the values of all users.
func ids(server *graphtest.Server) map[string][]string {
	all := map[string][]string{}
	for _, u := range server.Tenant().Users {
		all[u.UserPrincipalName] = u.CertificateUserIDs
	}
	return all
}

// bound holds that every live certificate is bound to its user, by one value.
func bound(t testing.TB, m *machine, server *graphtest.Server, users int) {
	t.Helper()
	all, n := ids(server), 0
	for e, err := range m.l.Entries(t.Context(), ledger.Query{Live: true, Certificates: true}) {
		if err != nil {
			t.Fatal(err)
		}
		cert, err := parse(e)
		if err != nil {
			t.Fatal(err)
		}
		want, err := certuserid.FromCertificate(cert, certuserid.SKI)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(all[e.UPN], want.String()) {
			t.Errorf("%s has %q, want %q", e.UPN, all[e.UPN], want)
		}
		n++
	}
	if n != users {
		t.Errorf("%d live certificates, want %d", n, users)
	}
}

// patches counts writes of users, and the batches that carried them.
func patches(server *graphtest.Server) (writes, accepted, batches int) {
	for _, r := range server.Requests() {
		n := 0
		for _, part := range r.Parts {
			if part.Method == "PATCH" {
				n++
				if part.Status < 300 {
					accepted++
				}
			}
		}
		if writes += n; n > 0 {
			batches++
		}
	}
	return writes, accepted, batches
}

// TestBind binds in batches, honours throttling without using up attempts, writes nobody
// twice, binds renewed certificates beside the old ones, and removes the values of
// somebody who leaves.
func TestBind(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		const users = 60
		server := tenant(t, users, graphtest.Options{})
		var acted []lifecycle.Kind
		with := func(c *Config) {
			c.Graph = client(t, server)
			c.Act = func(_ context.Context, a lifecycle.Action) error { acted = append(acted, a.Kind); return nil }
		}
		if err := server.Inject(graphtest.Fault{Kind: graphtest.Throttled, Method: "PATCH", Path: "/users/*", Skip: 15, Times: 10, RetryAfter: 2 * time.Second}); err != nil {
			t.Fatal(err)
		}
		m := s.machine(t, with)
		m.enqueue(users)
		m.start()
		m.until("all delivered", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == users })
		bound(t, m, server, users)
		writes, accepted, batches := patches(server)
		if accepted != users || writes > users+3*10 {
			t.Errorf("%d writes, %d accepted, want %d", writes, accepted, users)
		}
		if batches > users/4 {
			t.Errorf("%d batches for %d users", batches, users)
		}
		attempt := 0
		transact(t, m, func(tx transaction) error {
			_, err := one(t.Context(), tx, []any{&attempt}, "SELECT max(attempt) FROM {}river_job WHERE kind = 'bind'")
			return err
		})
		if attempt != 1 {
			t.Errorf("a bind had %d attempts: throttling is no failure", attempt)
		}
		m.stop()
		again := s.machine(t, func(c *Config) { with(c); c.DuePercent = 100 }).start()
		again.until("renewed", func() bool { return again.count(ledger.Query{States: []ledger.State{ledger.Renewed}}) == users })
		again.until("delivered", func() bool { return again.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == users })
		bound(t, again, server, users)
		for user, values := range ids(server) {
			if len(values) != 2 {
				t.Errorf("%s has %q: the old certificate is valid, too", user, values)
			}
		}
		revoked, err := again.Leave(t.Context(), upn(5), crl.KeyCompromise)
		if err != nil || len(revoked) != 2 {
			t.Fatalf("%v, %v", revoked, err)
		}
		again.until("left", func() bool { return len(ids(server)[upn(5)]) == 0 })
		again.until("revoked", func() bool { return s.lists(t, revoked[0].Serial) && s.lists(t, revoked[1].Serial) })
		again.stop()
		if !slices.Contains(acted, lifecycle.BlockSignIn) || slices.Contains(acted, lifecycle.RemoveIDs) {
			t.Errorf("actions %v", acted)
		}
	})
}

// TestBindFailures holds that a user who cannot be written holds up nobody else.
func TestBindFailures(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		const users = 10
		server := tenant(t, users-1, graphtest.Options{}) // the last one is not in the tenant
		people := server.Tenant()
		people.Users[2].Synced = true
		if err := server.Load(people); err != nil {
			t.Fatal(err)
		}
		m := s.machine(t, func(c *Config) { c.Graph = client(t, server) })
		m.enqueue(users)
		m.start()
		m.until("the others are delivered", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == users-2 })
		m.until("both failed", func() bool {
			status, err := m.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var synced, missing bool
			for _, x := range status.Failures {
				synced = synced || x.State == "cancelled" && strings.Contains(x.Error, "synced")
				missing = missing || x.State == "retryable" && strings.Contains(x.Error, upn(users-1))
			}
			return synced && missing
		})
		s.audit(t, m, users)
	})
}

// TestGate takes turns from two processes at once: together they keep the pace.
func TestGate(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		fast := func(c *Config) { c.WriteRate = 1000 }
		a := s.machine(t, fast)
		b := a
		if s.postgres != "" {
			b = s.machine(t, fast)
		}
		var wait time.Duration
		for i := range 10 {
			for _, m := range []*machine{a, b} {
				w, closed, err := m.gate(t.Context(), burst/10)
				if err != nil || closed {
					t.Fatalf("turn %d: %v, %v", i, closed, err)
				}
				wait = w
			}
		}
		// 6,000 writes, less the burst, at 1,000 a second, less the time that this took.
		if wait > 3*time.Second || wait < time.Second {
			t.Errorf("the last has to wait %v", wait)
		}
		if w, closed, err := a.gate(t.Context(), 100000); !closed || err != nil {
			t.Errorf("a long wait: %v, %v, %v", w, closed, err)
		}
		if err := a.closeGate(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := a.closeGate(t.Context(), time.Second); err != nil {
			t.Fatal(err)
		}
		if w, closed, err := b.gate(t.Context(), 1); !closed || w < 59*time.Minute || err != nil {
			t.Errorf("behind the closed gate: %v, %v, %v", w, closed, err)
		}
	})
}

// TestLeaveWhileBinding removes the values of somebody who leaves after a binding that has begun,
// not before.
func TestLeaveWhileBinding(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		server := tenant(t, 1, graphtest.Options{})
		m := s.machine(t, func(c *Config) { c.Graph = client(t, server) })
		m.enqueue(1)
		m.start()
		m.until("delivered", func() bool { return m.count(ledger.Query{States: []ledger.State{ledger.Delivered}}) == 1 })
		// Another machine is at it.
		other := "ARRAY['other']"
		if s.postgres == "" {
			other = `jsonb('["other"]')`
		}
		transact(t, m, func(tx transaction) error {
			if _, err := tx.exec(t.Context(), "INSERT INTO {}workers (name, expires) VALUES ('other', NOW + 15000000)"); err != nil {
				return err
			}
			if err := tx.insertNew(t.Context(), []river.InsertManyParams{{Args: bindArgs{Owner: upn(0), Serial: "ff"}}}); err != nil {
				return err
			}
			_, err := tx.exec(t.Context(), "UPDATE {}river_job SET state = 'running', attempted_by = "+other+" WHERE kind = 'bind' AND state = 'available'")
			return err
		})
		if revoked, err := m.Leave(t.Context(), upn(0), 0); err != nil || len(revoked) != 1 {
			t.Fatal(revoked, err)
		}
		m.until("the job waits", func() (waits bool) {
			transact(t, m, func(tx transaction) error {
				_, err := one(t.Context(), tx, []any{&waits}, "SELECT EXISTS (SELECT 1 FROM {}river_job WHERE kind = 'leave' AND metadata ->> 'snoozes' IS NOT NULL)")
				return err
			})
			return waits
		})
		if len(ids(server)[upn(0)]) != 1 {
			t.Errorf("%q were removed before", ids(server)[upn(0)])
		}
		transact(t, m, func(tx transaction) error {
			_, err := tx.exec(t.Context(), "UPDATE {}river_job SET state = 'completed', finalized_at = DUE_TIME WHERE kind = 'bind'")
			return err
		})
		m.until("removed", func() bool { return len(ids(server)[upn(0)]) == 0 })
	})
}
