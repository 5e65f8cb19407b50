package rollout

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/folder"
)

// Options are how a run is begun. The zero value works with a folder and a ledger
// that are in use.
type Options struct {
	// Create ties a folder and a ledger together that are both new.
	Create bool
	// Lease is how long the claims of this run hold after it was killed; zero means
	// ledger.DefaultLease.
	Lease time.Duration
	// Now is the clock; nil means time.Now. Leases run by the ledger's own clock.
	Now func() time.Time
}

// A Rollout is one run over a folder and its ledger. Its methods are called one
// after another.
type Rollout struct {
	folder string
	ledger ledger.Ledger
	holder string
	lease  time.Duration
	now    func() time.Time

	unlock    func() // ends the sign of life that other runs see
	journal   journal
	own       map[string]bool // serial numbers of renewals by this run
	leftovers []string
	closed    bool
}

// Open begins a run. It checks that the folder and the ledger belong together, and
// leaves the ledger to the caller to close.
//
// To keep a wrong path from making a new ledger beside files of another one, call
// [Used] before the ledger is opened, and open an existing ledger only if the folder
// is in use.
//
// The error is an *[Error] with reason OtherLedger, OtherFolder or Damaged, an error
// of the ledger, or one of the file system.
func Open(ctx context.Context, path string, l ledger.Ledger, o Options) (*Rollout, error) {
	r := &Rollout{folder: path, ledger: l, holder: ledger.NewHolder(), lease: o.Lease, now: o.Now, own: map[string]bool{}}
	if r.lease <= 0 {
		r.lease = ledger.DefaultLease
	}
	if r.now == nil {
		r.now = time.Now
	}
	if err := r.join(ctx, o.Create); err != nil {
		return nil, err
	}
	if _, err := l.Claim(ctx, runRequest(r.holder), r.claim()); err != nil {
		return nil, err
	}
	for _, name := range []string{usersName, crlName, r.runPath()} {
		if err := os.MkdirAll(r.path(name), 0o700); err != nil {
			return nil, err
		}
	}
	var err error
	if r.unlock, err = folder.Lock(r.path(r.runPath() + lockExtension)); err != nil {
		return nil, err
	}
	if err := r.journal.create(r.path(r.runPath() + "/" + journalName)); err != nil {
		r.unlock()
		return nil, err
	}
	return r, nil
}

// Close gives back what the run has claimed. A run that was not finished (see
// [Rollout.Finish]) leaves its journal for the next one.
func (r *Rollout) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	err := errors.Join(r.journal.close(), r.ledger.Release(context.Background(), r.holder))
	os.Remove(r.path(r.runPath())) // only if it is empty
	r.unlock()
	return err
}

// claim asks for something that is not a certificate.
func (r *Rollout) claim() ledger.Claim { return ledger.Claim{Holder: r.holder, Lease: r.lease} }

// Names of requests that no user has: a UPN of a list has no colon.
const reserved = "fleet:"

// runRequest is claimed by a run as long as it lives.
func runRequest(holder string) string { return reserved + "run:" + holder }

// Exclusive runs do while no other run on this ledger is inside Exclusive with the
// same name. Use it to make a CA that all runs are to share. It waits for the other
// run, or until ctx is done; then the error is the context's cause.
func (r *Rollout) Exclusive(ctx context.Context, name string, do func() error) error {
	request := reserved + name
	for {
		answer, err := r.ledger.Claim(ctx, request, r.claim())
		if err != nil {
			return err
		}
		if answer == ledger.Granted {
			break
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(min(r.lease/4, 200*time.Millisecond)):
		}
	}
	done := make(chan struct{})
	var beat sync.WaitGroup
	beat.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(r.lease / 3):
				r.ledger.Extend(context.WithoutCancel(ctx), r.holder, r.lease)
			}
		}
	})
	err := do()
	close(done)
	beat.Wait()
	return errors.Join(err, r.ledger.Release(context.WithoutCancel(ctx), r.holder, request))
}

// requestOf is how the ledger names a user.
func requestOf(upn string) string { return ledger.RequestOf(cba.Subject{UPN: upn}) }

// keyID is how the ledger names a CA.
func keyID(ca *cba.Issuer) string { return hex.EncodeToString(ca.Certificate.SubjectKeyId) }

// gone reports whether an error says that a file is not there.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) }
