// Package ledgertest tests whether a ledger does what ledger.Ledger promises: call
// [Test] in the tests of an implementation.
package ledgertest

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/fleet/ledger"
)

// A Maker makes certificates to record.
type Maker struct {
	tb     testing.TB
	Issuer *cba.Issuer
	users  crypto.PublicKey // one for all of them
}

// NewMaker returns a maker with a CA of its own.
func NewMaker(tb testing.TB) *Maker {
	tb.Helper()
	name, err := dn.Parse("CN=Contoso Root CA")
	if err != nil {
		tb.Fatal(err)
	}
	root, err := cba.NewRoot(tb.Context(), cba.Authority{Name: name, KeyType: cba.P256})
	if err != nil {
		tb.Fatal(err)
	}
	key, err := cba.P256.Generate()
	if err != nil {
		tb.Fatal(err)
	}
	return &Maker{tb: tb, Issuer: root, users: key.Public()}
}

// Certificate makes a certificate for a user.
func (m *Maker) Certificate(upn string) *x509.Certificate {
	m.tb.Helper()
	cert, err := m.Issuer.Issue(context.Background(), m.users, cba.Subject{UPN: upn}, cba.Profile{})
	if err != nil {
		m.tb.Fatal(err)
	}
	return cert
}

// Entry makes a certificate for a user and returns its entry; the owner is the
// UPN.
func (m *Maker) Entry(upn string) ledger.Entry {
	m.tb.Helper()
	e, err := ledger.NewEntry(upn, m.Certificate(upn), time.Now())
	if err != nil {
		m.tb.Fatal(err)
	}
	return e
}

// A Clock is the clock of the ledger under test.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *Clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Test tests a ledger. open returns a new, empty ledger whose claims expire by the
// clock; the test closes it.
func Test(t *testing.T, open func(t *testing.T, clock *Clock) ledger.Ledger) {
	const jane, john = "jane@yourdomain.com", "john@yourdomain.com"
	m := NewMaker(t)
	for _, test := range []struct {
		name string
		run  func(t *testing.T, h *harness)
	}{
		{"one live certificate", func(t *testing.T, h *harness) {
			first := m.Entry(jane)
			h.claim(jane, "a", ledger.Granted)
			h.claim(jane, "a", ledger.Granted) // again: still its own
			h.claim(jane, "b", ledger.Taken)
			h.fails(ledger.ClaimLost, h.l.Record(h.ctx, "b", m.Entry(jane)))
			h.ok(h.l.Record(h.ctx, "a", first))
			h.claim(jane, "a", ledger.AlreadyIssued)
			h.claim(jane, "b", ledger.AlreadyIssued)
			h.fails(ledger.ClaimLost, h.l.Record(h.ctx, "a", m.Entry(jane)))
			got, err := ledger.Live(h.ctx, h.l, jane)
			h.ok(err)
			if fmt.Sprint(got) != fmt.Sprint(first) {
				t.Errorf("recorded\n%v\nfound\n%v", first, got)
			}
		}},
		{"its own id", func(t *testing.T, h *harness) {
			id, err := h.l.ID(h.ctx)
			h.ok(err)
			h.claim(jane, "a", ledger.Granted)
			h.ok(h.l.Record(h.ctx, "a", m.Entry(jane)))
			later, err := h.l.ID(h.ctx)
			h.ok(err)
			other := open(t, h.clock)
			defer other.Close()
			another, err := other.ID(h.ctx)
			h.ok(err)
			if len(id) < 20 || later != id || another == id {
				t.Errorf("id %q, later %q, of another ledger %q", id, later, another)
			}
		}},
		{"a claim runs out", func(t *testing.T, h *harness) {
			h.claim(jane, "a", ledger.Granted)
			h.clock.advance(lease - time.Second)
			h.claim(jane, "b", ledger.Taken)
			h.ok(h.l.Extend(h.ctx, "a", lease))
			h.clock.advance(lease - time.Second)
			h.claim(jane, "b", ledger.Taken)
			h.clock.advance(time.Second)
			h.claim(jane, "b", ledger.Granted)
			h.claim(jane, "a", ledger.Taken)
			h.ok(h.l.Extend(h.ctx, "a", lease)) // nothing of its own is left
			h.fails(ledger.ClaimLost, h.l.Record(h.ctx, "a", m.Entry(jane)))
			h.ok(h.l.Record(h.ctx, "b", m.Entry(jane)))
		}},
		{"a claim that ran out and nobody took", func(t *testing.T, h *harness) {
			h.claim(jane, "a", ledger.Granted)
			h.clock.advance(10 * lease)
			h.ok(h.l.Record(h.ctx, "a", m.Entry(jane)))
		}},
		{"release", func(t *testing.T, h *harness) {
			h.claim(jane, "a", ledger.Granted)
			h.claim(john, "a", ledger.Granted)
			h.ok(h.l.Release(h.ctx, "b", jane))
			h.claim(jane, "b", ledger.Taken)
			h.ok(h.l.Release(h.ctx, "a", jane))
			h.claim(jane, "b", ledger.Granted)
			h.claim(john, "b", ledger.Taken)
			h.ok(h.l.Release(h.ctx, "a"))
			h.claim(john, "b", ledger.Granted)
		}},
		{"all or none", func(t *testing.T, h *harness) {
			h.claim(jane, "a", ledger.Granted)
			h.fails(ledger.ClaimLost, h.l.Record(h.ctx, "a", m.Entry(jane), m.Entry(john)))
			if n := h.count(ledger.Query{}); n != 0 {
				t.Errorf("%d entries, want none", n)
			}
			h.claim(john, "a", ledger.Granted)
			h.ok(h.l.Record(h.ctx, "a", m.Entry(jane), m.Entry(john)))
			if n := h.count(ledger.Query{}); n != 2 {
				t.Errorf("%d entries, want 2", n)
			}
		}},
		{"serial numbers are unique", func(t *testing.T, h *harness) {
			e := m.Entry(jane)
			h.claim(jane, "a", ledger.Granted)
			h.ok(h.l.Record(h.ctx, "a", e))
			e.Owner = john
			h.claim(john, "a", ledger.Granted)
			h.fails(ledger.Duplicate, h.l.Record(h.ctx, "a", e))
			h.ok(h.l.Record(h.ctx, "a", m.Entry(john))) // the claim is still there
		}},
		{"renewal", func(t *testing.T, h *harness) {
			first, second := m.Entry(jane), m.Entry(jane)
			h.claim(jane, "a", ledger.Granted)
			h.ok(h.l.Record(h.ctx, "a", first))
			whole := first.NotAfter.Sub(first.NotBefore)
			due := first.NotAfter.Add(-whole / 5)
			early := due.Add(-2 * time.Second)
			h.claimWith(jane, ledger.Claim{Worker: "a", Lease: lease, RenewAt: early}, ledger.AlreadyIssued)
			if n := h.count(ledger.Query{DueAt: early}); n != 0 {
				t.Errorf("%d are due too early", n)
			}
			if n := h.count(ledger.Query{DueAt: due.Add(time.Second)}); n != 1 {
				t.Errorf("%d are due, want 1", n)
			}
			if n := h.count(ledger.Query{DueAt: early, DuePercent: 90}); n != 1 {
				t.Errorf("%d are due at 90 %%, want 1", n)
			}
			renew := ledger.Claim{Worker: "a", Lease: lease, RenewAt: due.Add(time.Second)}
			h.claimWith(jane, renew, ledger.Granted)
			h.ok(h.l.Record(h.ctx, "a", second))
			live, err := ledger.Live(h.ctx, h.l, jane)
			h.ok(err)
			if live.Serial != second.Serial || live.Replaces != first.Serial || live.State != ledger.Issued {
				t.Errorf("live is %+v", live)
			}
			old, err := ledger.Find(h.ctx, h.l, first.Serial)
			h.ok(err)
			if old.State != ledger.Renewed || old.RenewedAt.IsZero() || !old.RevokedAt.IsZero() {
				t.Errorf("the old one is %+v", old)
			}
			h.fails(ledger.Illegal, h.l.Mark(h.ctx, ledger.Bound, time.Now(), first.Serial))
		}},
		{"states", func(t *testing.T, h *harness) {
			a, b := m.Entry(jane), m.Entry(john)
			h.claim(jane, "a", ledger.Granted)
			h.claim(john, "a", ledger.Granted)
			h.ok(h.l.Record(h.ctx, "a", a, b))
			at := time.Now().UTC().Truncate(time.Second)
			h.ok(h.l.Mark(h.ctx, ledger.Bound, at, a.Serial))
			h.ok(h.l.Mark(h.ctx, ledger.Bound, at.Add(time.Hour), a.Serial, b.Serial))
			h.fails(ledger.NotFound, h.l.Mark(h.ctx, ledger.Delivered, at, a.Serial, "00"))
			h.ok(h.l.Mark(h.ctx, ledger.Delivered, at, a.Serial))
			h.fails(ledger.Illegal, h.l.Mark(h.ctx, ledger.Bound, at, b.Serial, a.Serial))
			for _, state := range []ledger.State{0, ledger.Issued, ledger.Renewed, ledger.Revoked, 9} {
				h.fails(ledger.Invalid, h.l.Mark(h.ctx, state, at, a.Serial))
			}
			got, err := ledger.Find(h.ctx, h.l, a.Serial)
			h.ok(err)
			if got.State != ledger.Delivered || !got.BoundAt.Equal(at) || !got.DeliveredAt.Equal(at) {
				t.Errorf("got %+v", got)
			}
			if n := h.count(ledger.Query{States: []ledger.State{ledger.Bound, ledger.Delivered}}); n != 2 {
				t.Errorf("%d, want 2", n)
			}
			if n := h.count(ledger.Query{States: []ledger.State{ledger.Bound}}); n != 1 {
				t.Errorf("%d, want 1", n)
			}
		}},
		{"revocation", func(t *testing.T, h *harness) {
			_, err := h.l.Revoke(h.ctx, jane, time.Now(), crl.KeyCompromise)
			h.fails(ledger.NotFound, err)
			first, second := m.Entry(jane), m.Entry(jane)
			h.claim(jane, "a", ledger.Granted)
			h.ok(h.l.Record(h.ctx, "a", first))
			renew := ledger.Claim{Worker: "a", Lease: lease, RenewAt: first.NotAfter}
			h.claimWith(jane, renew, ledger.Granted)
			h.ok(h.l.Record(h.ctx, "a", second))
			h.claimWith(jane, renew, ledger.Granted) // at work on a third
			revoked, err := h.l.Revoke(h.ctx, jane, time.Now(), crl.KeyCompromise)
			h.ok(err)
			if len(revoked) != 2 || revoked[0].Reason != crl.KeyCompromise || revoked[0].State != ledger.Revoked {
				t.Fatalf("revoked %+v, want the renewed one and the live one", revoked)
			}
			if r, err := revoked[0].Revocation(); err != nil || r.Expires.IsZero() || ledger.SerialText(r.Serial) != revoked[0].Serial {
				t.Errorf("revocation %+v, %v", r, err)
			}
			h.fails(ledger.ClaimLost, h.l.Record(h.ctx, "a", m.Entry(jane)))
			again, err := h.l.Revoke(h.ctx, jane, time.Now(), crl.Superseded)
			h.ok(err)
			if len(again) != 0 {
				t.Errorf("revoked again: %v", again)
			}
			h.claim(jane, "a", ledger.WasRevoked)
			h.claimWith(jane, renew, ledger.WasRevoked)
			h.fails(ledger.Illegal, h.l.Mark(h.ctx, ledger.Bound, time.Now(), second.Serial))
			reissue := ledger.Claim{Worker: "a", Lease: lease, Reissue: true}
			h.claimWith(jane, reissue, ledger.Granted)
			_, err = h.l.Revoke(h.ctx, jane, time.Now(), crl.Superseded) // nothing but the claim
			h.ok(err)
			h.fails(ledger.ClaimLost, h.l.Record(h.ctx, "a", m.Entry(jane)))
			h.claimWith(jane, reissue, ledger.Granted)
			h.ok(h.l.Record(h.ctx, "a", m.Entry(jane)))
			h.claim(jane, "a", ledger.AlreadyIssued)
			for _, reason := range []crl.RevocationReason{crl.CertificateHold, crl.RemoveFromCRL, 7, 99} {
				_, err := h.l.Revoke(h.ctx, jane, time.Now(), reason)
				h.fails(ledger.Invalid, err)
			}
		}},
		{"unusable input", func(t *testing.T, h *harness) {
			for _, owner := range []string{"", "a\x00b", "a\nb", "\xff", strings.Repeat("x", ledger.MaxOwner+1)} {
				_, err := h.l.Claim(h.ctx, owner, ledger.Claim{Worker: "a", Lease: lease})
				h.fails(ledger.Invalid, err)
				e := m.Entry(jane)
				e.Owner = owner
				h.fails(ledger.Invalid, h.l.Record(h.ctx, "a", e))
			}
			for _, claim := range []ledger.Claim{{}, {Worker: "a"}, {Lease: lease}, {Worker: "a", Lease: lease, DuePercent: 101}} {
				_, err := h.l.Claim(h.ctx, jane, claim)
				h.fails(ledger.Invalid, err)
			}
			e := m.Entry(jane)
			e.Certificate = nil
			h.fails(ledger.Invalid, h.l.Record(h.ctx, "a", e))
			// Text that could be taken for something else.
			for _, owner := range []string{"o'brien@yourdomain.com", `x"; DROP TABLE entries; --`, "%", "?1", "ÄÖÜ@yourdomain.com"} {
				h.claim(owner, "a", ledger.Granted)
				e := m.Entry(jane)
				e.Owner = owner
				h.ok(h.l.Record(h.ctx, "a", e))
				if live, err := ledger.Live(h.ctx, h.l, owner); err != nil || live.Serial != e.Serial {
					t.Errorf("%q: %v, %v", owner, live, err)
				}
			}
		}},
		{"a context that is done", func(t *testing.T, h *harness) {
			ctx, cancel := context.WithCancel(h.ctx)
			cancel()
			if _, err := h.l.Claim(ctx, jane, ledger.Claim{Worker: "a", Lease: lease}); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
			h.claim(jane, "b", ledger.Granted)
		}},
		{"many at once", func(t *testing.T, h *harness) {
			const owners, workers = 20, 8
			var group sync.WaitGroup
			for worker := range workers {
				group.Go(func() {
					name := fmt.Sprint("worker", worker)
					for i := range owners {
						upn := fmt.Sprintf("user%d@yourdomain.com", i)
						answer, err := h.l.Claim(h.ctx, upn, ledger.Claim{Worker: name, Lease: lease})
						if err != nil {
							t.Error(err)
						}
						if answer == ledger.Granted {
							if err := h.l.Record(h.ctx, name, m.Entry(upn)); err != nil {
								t.Error(err)
							}
						}
					}
				})
			}
			group.Wait()
			if n := h.count(ledger.Query{Live: true}); n != owners {
				t.Errorf("%d live certificates, want %d", n, owners)
			}
			if n := h.count(ledger.Query{}); n != owners {
				t.Errorf("%d certificates, want %d", n, owners)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			clock := &Clock{now: time.Now()}
			h := &harness{t: t, ctx: t.Context(), l: open(t, clock), clock: clock}
			test.run(t, h)
			if err := h.l.Check(h.ctx); err != nil {
				t.Errorf("check: %v", err)
			}
			if err := h.l.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

const lease = time.Minute

type harness struct {
	t     *testing.T
	ctx   context.Context
	l     ledger.Ledger
	clock *Clock
}

func (h *harness) claim(owner, worker string, want ledger.Answer) {
	h.t.Helper()
	h.claimWith(owner, ledger.Claim{Worker: worker, Lease: lease}, want)
}

func (h *harness) claimWith(owner string, claim ledger.Claim, want ledger.Answer) {
	h.t.Helper()
	got, err := h.l.Claim(h.ctx, owner, claim)
	if err != nil || got != want {
		h.t.Fatalf("claim of %q by %s: %v, %v, want %v", owner, claim.Worker, got, err, want)
	}
}

func (h *harness) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) fails(reason ledger.Reason, err error) {
	h.t.Helper()
	var e *ledger.Error
	if !errors.As(err, &e) || e.Reason != reason {
		h.t.Fatalf("error %v, want reason %q", err, reason)
	}
}

func (h *harness) count(q ledger.Query) (n int) {
	h.t.Helper()
	for _, err := range h.l.Entries(h.ctx, q) {
		h.ok(err)
		n++
	}
	return n
}
