package jobs

import (
	"context"
	"errors"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/lifecycle"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// mappings are those of a first certificate; those of a renewed one follow its account.
func (f *Fleet) mappings(held []lifecycle.HeldCertificate) []certuserid.Mapping {
	if len(held) > 0 {
		return nil
	}
	return f.c.Mappings
}

type deliverArgs struct {
	Owner  string `json:"owner" river:"unique"`
	Serial string `json:"serialNumber" river:"unique"`
}

// Kind implements river.JobArgs.
func (deliverArgs) Kind() string { return "deliver" }

// deliver brings the PFX file to its user.
func (f *Fleet) deliver(ctx context.Context, job *rivertype.JobRow, args deliverArgs) error {
	e, err := ledger.Find(ctx, f.db.ledger(), args.Serial)
	if err != nil {
		return err
	}
	if !e.State.Live() {
		return f.done(ctx, job)
	}
	if f.c.Deliver != nil {
		if err := f.c.Deliver(ctx, Delivery{UPN: e.UPN, Serial: e.Serial, File: fileName(e.UPN, e.Serial), PasswordFile: passwordName(e.UPN, e.Serial)}); err != nil {
			return err
		}
	}
	return f.finish(ctx, job, func(tx transaction) error {
		err := tx.ledger().Mark(ctx, ledger.Delivered, time.Now(), args.Serial)
		if errors.Is(err, ledger.Illegal) {
			return nil // replaced or revoked meanwhile
		}
		return err
	})
}

type dueArgs struct{}

// Kind implements river.JobArgs.
func (dueArgs) Kind() string { return "due" }

// InsertOpts lets one wait at a time.
func (dueArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: urgent, Priority: 3, MaxAttempts: attempts, UniqueOpts: river.UniqueOpts{ByState: unfinished()}}
}

// due adds a job for every certificate that is due for renewal.
func (f *Fleet) due(ctx context.Context, job *rivertype.JobRow, _ dueArgs) error {
	var jobs []river.InsertManyParams
	flush := func() error {
		if len(jobs) == 0 {
			return nil
		}
		err := f.db.transact(ctx, func(tx transaction) error { return tx.insert(ctx, jobs) })
		jobs = jobs[:0]
		return err
	}
	for e, err := range f.db.ledger().Entries(ctx, ledger.Query{DueAt: time.Now(), DuePercent: f.c.DuePercent}) {
		if err != nil {
			return err
		}
		// A renewal that is waiting, or that failed, is not added again.
		jobs = append(jobs, river.InsertManyParams{Args: issueArgs{Owner: e.Owner, Replaces: e.Serial},
			InsertOpts: &river.InsertOpts{Queue: issues, Priority: 3, MaxAttempts: attempts, UniqueOpts: river.UniqueOpts{ByArgs: true}}})
		if len(jobs) == portion {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return f.finish(ctx, job, func(tx transaction) error { return forget(ctx, tx) })
}

// Revoke revokes all certificates of an owner, as ledger.Ledger.Revoke does, stops a request that
// was not carried out yet, and has the CRLs made at once.
//
// The error is a *ledger.Error with reason NotFound if the owner is not known.
func (f *Fleet) Revoke(ctx context.Context, owner string, reason crl.RevocationReason) ([]ledger.Entry, error) {
	return f.revoke(ctx, owner, reason, nil)
}

// Leave is Revoke for somebody who leaves. A job then carries out the rest of
// lifecycle.PlanLeaving: it removes the certificateUserIds, and calls Config.Act.
func (f *Fleet) Leave(ctx context.Context, owner string, reason crl.RevocationReason) ([]ledger.Entry, error) {
	if reason == 0 {
		reason = crl.AffiliationChanged
	}
	return f.revoke(ctx, owner, reason, []river.InsertManyParams{{Args: leaveArgs{Owner: owner}}})
}

func (f *Fleet) revoke(ctx context.Context, owner string, reason crl.RevocationReason, jobs []river.InsertManyParams) (revoked []ledger.Entry, err error) {
	return revoked, f.db.transact(ctx, func(tx transaction) error {
		if revoked, err = stop(ctx, tx, owner, time.Now(), reason); err != nil {
			return err
		}
		issuers := map[string]bool{}
		for _, e := range revoked {
			if !issuers[e.Issuer] {
				issuers[e.Issuer] = true
				jobs = append(jobs, publication(e.Issuer))
			}
		}
		if len(jobs) == 0 {
			return nil
		}
		return tx.insert(ctx, jobs)
	})
}

// stop revokes what an owner has, and what is to come.
func stop(ctx context.Context, tx transaction, owner string, at time.Time, reason crl.RevocationReason) ([]ledger.Entry, error) {
	stopped, err := tx.exec(ctx, "UPDATE {}requests SET stopped = NOW WHERE owner = $1", owner)
	if err != nil {
		return nil, err
	}
	revoked, err := tx.ledger().Revoke(ctx, owner, at, reason)
	if errors.Is(err, ledger.NotFound) && stopped > 0 {
		err = nil
	}
	return revoked, err
}

type leaveArgs struct {
	Owner string `json:"owner" river:"unique"`
}

// Kind implements river.JobArgs.
func (leaveArgs) Kind() string { return "leave" }

// InsertOpts lets one of an owner wait at a time.
func (leaveArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: leaves, Priority: 2, MaxAttempts: attempts, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: unfinished()}}
}

// leave carries out the plan for somebody who leaves. The certificates are revoked
// already, and their CRLs are jobs of their own.
func (f *Fleet) leave(ctx context.Context, job *rivertype.JobRow, args leaveArgs) error {
	// A binding that has begun could write values after they were removed. One that begins
	// later finds that the certificate is revoked.
	binding, back := false, false
	if err := f.db.transact(ctx, func(tx transaction) error {
		if _, err := one(ctx, tx, []any{&back}, "SELECT stopped = 0 FROM {}requests WHERE owner = $1", args.Owner); err != nil {
			return err
		}
		_, err := one(ctx, tx, []any{&binding}, "SELECT EXISTS (SELECT 1 FROM {}river_job WHERE state = 'running' AND kind = 'bind' AND args ->> 'owner' = $1)", args.Owner)
		return err
	}); err != nil {
		return err
	}
	switch {
	case back: // gets a certificate again: see Reissue
		return f.done(ctx, job)
	case binding:
		return later(time.Second)
	}
	var held []lifecycle.HeldCertificate
	account := lifecycle.Account{User: args.Owner}
	reason := crl.AffiliationChanged
	for e, err := range f.db.ledger().Entries(ctx, ledger.Query{Owner: args.Owner, Certificates: true}) {
		if err != nil {
			return err
		}
		cert, err := parse(e)
		if err != nil {
			return err
		}
		held = append(held, lifecycle.HeldCertificate{Certificate: cert, Revoked: e.RevokedAt})
		if e.UPN != "" {
			account.User = e.UPN
		}
		if e.State == ledger.Revoked {
			reason = e.Reason
		}
	}
	if f.binder != nil {
		known, err := f.binder.account(ctx, account.User)
		switch {
		case errors.Is(err, graph.NotFound): // deleted already
		case err != nil:
			return err
		default:
			account = known
		}
	}
	plan, err := lifecycle.PlanLeaving(account, held, time.Now(), lifecycle.LeavingOptions{Reason: reason})
	if err != nil {
		return err
	}
	var failed error // one that fails does not keep the others from being done
	for _, a := range plan.Actions {
		switch a.Kind {
		case lifecycle.RevokeCertificates, lifecycle.PublishDelta:
		case lifecycle.RemoveIDs:
			if f.binder != nil && !account.Synced {
				failed = errors.Join(failed, f.binder.write(ctx, plan.Edit()))
			}
		default:
			if f.c.Act != nil {
				failed = errors.Join(failed, f.c.Act(ctx, a))
			}
		}
	}
	if failed != nil {
		return failed
	}
	return f.done(ctx, job)
}
