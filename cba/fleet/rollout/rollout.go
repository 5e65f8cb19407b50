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

// Options are the options of [Open]. The zero value works with a folder and a ledger
// that are already in use.
type Options struct {
	// Create accepts a new folder together with a new ledger.
	Create bool
	// Lease is how long this run's users stay reserved after it was killed; zero means
	// ledger.DefaultLease.
	Lease time.Duration
	// Now is the clock; nil means time.Now. Leases expire by the ledger's own clock.
	Now func() time.Time
}

// A Rollout is one run over a folder and its ledger. Do not call its methods at the same
// time.
type Rollout struct {
	folder string
	ledger ledger.Ledger
	worker string
	lease  time.Duration
	now    func() time.Time

	unlock    func() // ends the sign of life that other runs see
	journal   journal
	own       map[string]bool // serial numbers of renewals by this run
	leftovers []string
	closed    bool
}

// Open begins a run. It checks that the folder and the ledger belong together. The
// caller closes the ledger after the run.
//
// A misspelt path must not create a new ledger beside the files of another one: call
// [Used] before you open the ledger, and if the folder is in use, open only a ledger
// that exists.
//
// A folder that others may write is refused: see [folder.CheckPrivate]. Other errors are an
// *[Error] with reason OtherLedger, OtherFolder or Damaged, or of the ledger or the file
// system.
func Open(ctx context.Context, path string, l ledger.Ledger, o Options) (*Rollout, error) {
	r := &Rollout{folder: path, ledger: l, worker: ledger.NewWorker(), lease: o.Lease, now: o.Now, own: map[string]bool{}}
	if r.lease <= 0 {
		r.lease = ledger.DefaultLease
	}
	if r.now == nil {
		r.now = time.Now
	}
	for _, name := range []string{".", usersName} {
		if err := folder.CheckPrivate(r.path(name)); err != nil {
			return nil, err
		}
	}
	if err := r.join(ctx, o.Create); err != nil {
		return nil, err
	}
	if _, err := l.Claim(ctx, runOwner(r.worker), r.claim()); err != nil {
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

// Close ends the run and gives back its claims. If [Rollout.Finish] was not called, the
// journal stays for the next run. Closing again does nothing.
func (r *Rollout) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	err := errors.Join(r.journal.close(), r.ledger.Release(context.Background(), r.worker))
	os.Remove(r.path(r.runPath())) // only if it is empty
	r.unlock()
	return err
}

// claim asks for something that is not a certificate.
func (r *Rollout) claim() ledger.Claim { return ledger.Claim{Worker: r.worker, Lease: r.lease} }

// reserved begins the names of owners that are no users: a UPN has no colon here.
const reserved = "fleet:"

// runOwner is claimed by a run as long as it lives.
func runOwner(worker string) string { return reserved + "run:" + worker }

// Exclusive calls do while no other run on this ledger is inside Exclusive with the same
// name, for example to make a CA that all runs share. It waits for the other run. If ctx
// ends first, the error is the cause of that; otherwise it is the error of do or one of
// the ledger.
func (r *Rollout) Exclusive(ctx context.Context, name string, do func() error) error {
	owner := reserved + name
	for {
		answer, err := r.ledger.Claim(ctx, owner, r.claim())
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
				r.ledger.Extend(context.WithoutCancel(ctx), r.worker, r.lease)
			}
		}
	})
	err := do()
	close(done)
	beat.Wait()
	return errors.Join(err, r.ledger.Release(context.WithoutCancel(ctx), r.worker, owner))
}

// ownerOf is how the ledger names a user.
func ownerOf(upn string) string { return ledger.OwnerOf(cba.Subject{UPN: upn}) }

// keyID is how the ledger names a CA.
func keyID(ca *cba.Issuer) string { return hex.EncodeToString(ca.Certificate.SubjectKeyId) }

// gone reports whether an error says that a file is not there.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) }
