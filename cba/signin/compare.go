package signin

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"time"

	"example.com/entracba/cba/internal/enum"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/policy"
)

// A Case is a user and the user's certificates, for [Compare].
type Case struct {
	User         *policy.User
	Certificates []*x509.Certificate
	// Read, if it is set, gives the case in the place of this one, when it is needed:
	// [Compare] calls it once, on any of its goroutines.
	Read func() (Case, error)
}

// A Difference says what a change of the tenant means for one user. The zero value
// is unset.
type Difference uint8

const (
	// Same: signed in or refused as before, with the same strength.
	Same Difference = iota + 1
	// Gains: refused before, signed in after.
	Gains
	// Loses: signed in before, refused after.
	Loses
	// Stronger: signed in both times, and multifactor only after.
	Stronger
	// Weaker: signed in both times, and multifactor only before.
	Weaker
	// NotKnown: before or after, the outcome is undecided. It is no reason to believe
	// that the user keeps access.
	NotKnown
	// WithoutCertificate: the user has no certificate and is in scope of the method
	// after the change, see [Tenant.WithoutCertificate]. Whether the user was in scope
	// before does not matter.
	WithoutCertificate
)

var differences = enum.Of[Difference]("signin: difference", "same", "gains", "loses", "stronger", "weaker", "not known", "in scope, without a certificate")

// String returns "same", "gains", "loses", "stronger", "weaker", "not known" or "in
// scope, without a certificate".
func (d Difference) String() string { return differences.String(d) }

// MarshalText writes the text of [Difference.String]; an unset or unknown
// difference is an error.
func (d Difference) MarshalText() ([]byte, error) { return differences.Marshal(d) }

// UnmarshalText reads what MarshalText wrote.
func (d *Difference) UnmarshalText(text []byte) error { return differences.Unmarshal(d, text) }

// A Change says what a change of the tenant means for one user. Before and After
// are the answers for the best certificate of the user each time, which can be two
// different certificates: signed in is better than undecided, that is better than
// refused, multifactor better than single-factor, and the first in the list wins among equals. A user without
// certificates is refused both times, with no code; the difference is
// [WithoutCertificate], [NotKnown] if it is not known whether the user is in scope, or
// [Same].
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
	// Workers is how many users are checked at the same time. Zero means one for
	// each core (GOMAXPROCS).
	Workers int
}

// Compare says for every user what a change from one tenant to the other means:
// "would this lock anyone out?". To change a tenant, change a [Config.Clone].
//
// It reads the list as its results are taken, works on all cores, and yields the
// results in the order of the list. Its memory does not grow with the list. If both
// tenants have the same CAs, each certificate's chain is checked once, which is most
// of the work.
//
// Compare looks at one user at a time: [SharedIDs] finds users with one stored id.
//
// An error that the list yields is yielded in its place, with the index, and so is
// that of a sign-in without an answer (see [Tenant.Decide]); the loop may continue
// or stop. When ctx has ended, Compare yields its error once and ends, and so it
// does for a nil tenant ([NoTenant]) or a missing time ([NoTime]). No goroutine
// remains when the loop has ended.
func Compare(ctx context.Context, before, after *Tenant, cases iter.Seq2[Case, error], options CompareOptions) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		for _, t := range [...]*Tenant{before, after} {
			if err := t.usable(ctx, Request{User: &policy.User{}, Certificate: &x509.Certificate{}, At: options.At}); err != nil {
				yield(Change{}, err)
				return
			}
		}
		if cases == nil {
			return
		}
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
		ring := make([]job, 16*workers) // job i has the place i modulo its length
		for i := range ring {
			ring[i].done = make(chan struct{}, 1)
		}
		jobs := make(chan *job, len(ring))
		var running sync.WaitGroup
		defer running.Wait()
		defer close(jobs)
		for range workers {
			running.Go(func() {
				for j := range jobs {
					j.err = j.change.compare(ctx, before, after, same, options)
					j.done <- struct{}{}
				}
			})
		}
		first, index := 0, 0 // the oldest job that was not handed out, and the next one
		// hand gives out the oldest answer; it reports whether to go on.
		hand := func() bool {
			j := &ring[first%len(ring)]
			first++
			<-j.done
			change, err := j.change, j.err
			j.change, j.err = Change{}, nil
			if err := ctx.Err(); err != nil {
				yield(change, err)
				return false
			}
			return yield(change, err)
		}
		for c, err := range cases {
			j := &ring[index%len(ring)]
			j.change, j.err = Change{Index: index, Case: c}, err
			index++
			if err != nil {
				j.done <- struct{}{}
			} else {
				jobs <- j // never blocks: it has room for the ring
			}
			if index-first == len(ring) && !hand() {
				cancel()
				return
			}
		}
		for first < index {
			if !hand() {
				cancel()
				return
			}
		}
	}
}

// samePreparation reports whether both tenants read the same from a certificate and
// have the same CAs, so that this needs to be done only once.
func (t *Tenant) samePreparation(other *Tenant) bool {
	if t.options.IDs != other.options.IDs || t.options.Trust != other.options.Trust {
		return false
	}
	a, errA := json.Marshal(t.config.Trust)
	b, errB := json.Marshal(other.config.Trust)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// compare asks both tenants about one user, each for the user's best certificate.
func (c *Change) compare(ctx context.Context, before, after *Tenant, same bool, options CompareOptions) error {
	if c.Case.Read != nil {
		read, err := c.Case.Read()
		if err != nil {
			return err
		}
		c.Case = Case{User: read.User, Certificates: read.Certificates}
	}
	if c.Case.User == nil {
		return &Error{Reason: NoUser, Where: fmt.Sprintf("case %d", c.Index), Detail: "the user is missing"}
	}
	c.Before, c.After = Answer{Outcome: Refused}, Answer{Outcome: Refused}
	for i, cert := range c.Case.Certificates {
		if err := ctx.Err(); err != nil {
			return err
		}
		r := Request{User: c.Case.User, Certificate: cert, At: options.At, Require: options.Require}
		b, a, err := both(ctx, before, after, same, r)
		if err != nil {
			c.Before, c.After = Answer{}, Answer{}
			return about(i, c.Case.User, err)
		}
		if i == 0 || rank(b) > rank(c.Before) {
			c.Before = b
		}
		if i == 0 || rank(a) > rank(c.After) {
			c.After = a
		}
	}
	if len(c.Case.Certificates) == 0 {
		c.Difference = after.scope(c.Case.User)
		return nil
	}
	switch b, a := rank(c.Before), rank(c.After); {
	case c.Before.Outcome == Undecided, c.After.Outcome == Undecided:
		c.Difference = NotKnown
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

// scope is the difference for a user without a certificate.
func (t *Tenant) scope(user *policy.User) Difference {
	switch d := t.policy.Decide(nil, user); {
	case d.Enabled && d.InScope:
		return WithoutCertificate
	case (d.Enabled || d.EnabledUnknown) && (d.InScope || d.ScopeUnknown):
		return NotKnown
	}
	return Same
}

func both(ctx context.Context, before, after *Tenant, same bool, r Request) (b, a Answer, err error) {
	p, err := before.prepareOnce(ctx, r)
	if err != nil {
		return b, a, err
	}
	if b, err = before.decide(ctx, r, p); err != nil {
		return b, a, err
	}
	if !same {
		if p, err = after.prepareOnce(ctx, r); err != nil {
			return b, a, err
		}
	}
	a, err = after.decide(ctx, r, p)
	return b, a, err
}

// about names the certificate of a user in an error.
func about(i int, user *policy.User, err error) error {
	where := fmt.Sprintf("certificate %d of %s", i+1, text.Quote(cmp.Or(user.UserPrincipalName, user.ID)))
	var e *Error
	if errors.As(err, &e) {
		e.Where = where
		return e
	}
	return fmt.Errorf("signin: %s: %w", where, err)
}

// rank orders answers: refused, undecided, single-factor, multifactor.
func rank(a Answer) int {
	switch {
	case a.Outcome == Undecided:
		return 1
	case !a.SignedIn:
		return 0
	case a.AuthenticationMode != policy.MultiFactor:
		return 2
	}
	return 3
}
