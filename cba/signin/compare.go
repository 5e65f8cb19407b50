package signin

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"time"

	"example.com/entracba/cba/policy"
)

// A Case is a user and the certificates that the user has, for [Compare].
type Case struct {
	User         *policy.User
	Certificates []*x509.Certificate
}

// A Difference says what a change means for one user. The zero value is unset.
type Difference uint8

const (
	// Same: in or out as before, with the same strength.
	Same Difference = iota + 1
	// Gains: out before, in after.
	Gains
	// Loses: in before, out after.
	Loses
	// Stronger: in both times, and multifactor only after.
	Stronger
	// Weaker: in both times, and multifactor only before.
	Weaker
)

// String returns "same", "gains", "loses", "stronger" or "weaker".
func (d Difference) String() string {
	switch d {
	case Same:
		return "same"
	case Gains:
		return "gains"
	case Loses:
		return "loses"
	case Stronger:
		return "stronger"
	case Weaker:
		return "weaker"
	}
	return fmt.Sprintf("Difference(%d)", uint8(d))
}

// MarshalText writes the text of [Difference.String]; an unset or unknown
// difference is an error.
func (d Difference) MarshalText() ([]byte, error) {
	if d < Same || d > Weaker {
		return nil, fmt.Errorf("signin: difference %d has no text", uint8(d))
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (d *Difference) UnmarshalText(text []byte) error {
	for v := Same; v <= Weaker; v++ {
		if v.String() == string(text) {
			*d = v
			return nil
		}
	}
	return fmt.Errorf("signin: %q is not a difference", text)
}

// A Change is what a change of the tenant means for one user. The answers are
// those for the certificate that does most for the user each time, which may be
// two: signed in before refused, multifactor before single-factor, the first in
// the list before the others. A user without certificates is refused both times,
// with no code.
type Change struct {
	Index         int // the place in the list, from 0
	Case          Case
	Difference    Difference
	Before, After Answer
}

// CompareOptions are the options of [Compare]. At is required.
type CompareOptions struct {
	// At is the time of the sign-ins.
	At time.Time
	// Require is what they must satisfy.
	Require Requirement
	// Workers is how many users are looked at at once; zero means one for each
	// core (GOMAXPROCS).
	Workers int
}

// Compare says for every user what a change from one tenant to the other means:
// "would this lock anyone out?". It reads the list as answers are taken, works on
// all cores, and hands out the answers in the order of the list; memory does not
// grow with the list. A certificate's chain is checked once where both tenants
// have the same authorities, which is most of the work.
//
// An error that the list yields is handed out in its place, with the index, and
// so is that of a sign-in that could not be asked (see [Tenant.Decide]); the loop
// may go on or stop. After ctx has ended, one error says so and the loop ends. No
// goroutine is left when the loop is.
func Compare(ctx context.Context, before, after *Tenant, cases iter.Seq2[Case, error], options CompareOptions) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		same := before.samePreparation(after)
		workers := options.Workers
		if workers <= 0 {
			workers = runtime.GOMAXPROCS(0)
		}
		type job struct {
			change Change
			err    error
			done   chan struct{}
		}
		jobs := make(chan *job, 16*workers)
		var running sync.WaitGroup
		defer running.Wait()
		defer close(jobs)
		for range workers {
			running.Go(func() {
				for j := range jobs {
					j.err = j.change.compare(ctx, before, after, same, options)
					close(j.done)
				}
			})
		}
		var waiting []*job
		// hand gives out the oldest answer; it reports whether to go on.
		hand := func() bool {
			j := waiting[0]
			waiting[0], waiting = nil, waiting[1:]
			<-j.done
			if err := ctx.Err(); err != nil {
				yield(j.change, err)
				return false
			}
			return yield(j.change, j.err)
		}
		index := 0
		for c, err := range cases {
			j := &job{change: Change{Index: index, Case: c}, err: err, done: make(chan struct{})}
			index++
			if waiting = append(waiting, j); err != nil {
				close(j.done)
			} else {
				jobs <- j // never blocks for long: no more than its capacity are waiting
			}
			if len(waiting) == cap(jobs) && !hand() {
				cancel()
				return
			}
		}
		for len(waiting) > 0 {
			if !hand() {
				cancel()
				return
			}
		}
	}
}

// samePreparation reports whether both tenants take the same out of a certificate
// and have the same authorities, so that this need be done only once.
func (t *Tenant) samePreparation(other *Tenant) bool {
	if t.options.IDs != other.options.IDs || t.options.Trust != other.options.Trust {
		return false
	}
	a, errA := json.Marshal(t.config.Trust)
	b, errB := json.Marshal(other.config.Trust)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// compare asks both tenants about one user, each for the certificate that does
// most for the user.
func (c *Change) compare(ctx context.Context, before, after *Tenant, same bool, options CompareOptions) error {
	if c.Case.User == nil {
		return errNoUser
	}
	for i, cert := range c.Case.Certificates {
		if err := ctx.Err(); err != nil {
			return err
		}
		r := Request{User: c.Case.User, Certificate: cert, At: options.At, Require: options.Require}
		b, a, err := both(ctx, before, after, same, r)
		if err != nil {
			c.Before, c.After = Answer{}, Answer{}
			return fmt.Errorf("signin: certificate %d of %q: %w", i, c.Case.User.UserPrincipalName, err)
		}
		if i == 0 || rank(b) > rank(c.Before) {
			c.Before = b
		}
		if i == 0 || rank(a) > rank(c.After) {
			c.After = a
		}
	}
	switch b, a := rank(c.Before), rank(c.After); {
	case b == a:
		c.Difference = Same
	case b == 0:
		c.Difference = Gains
	case a == 0:
		c.Difference = Loses
	case a > b:
		c.Difference = Stronger
	default:
		c.Difference = Weaker
	}
	return nil
}

func both(ctx context.Context, before, after *Tenant, same bool, r Request) (b, a Answer, err error) {
	p, err := before.prepare(r)
	if err != nil {
		return b, a, err
	}
	if b, err = before.decide(ctx, r, p); err != nil {
		return b, a, err
	}
	if !same {
		if p, err = after.prepare(r); err != nil {
			return b, a, err
		}
	}
	a, err = after.decide(ctx, r, p)
	return b, a, err
}

// rank orders answers: refused, single-factor, multifactor.
func rank(a Answer) int {
	switch {
	case !a.SignedIn:
		return 0
	case a.AuthenticationMode != policy.MultiFactor:
		return 1
	}
	return 2
}
