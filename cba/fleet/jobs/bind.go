package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/lifecycle"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/snapshot"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

type bindArgs struct {
	Owner  string `json:"owner" river:"unique"`
	Serial string `json:"serialNumber" river:"unique"`
	// At is when a later step of the plan is due, in seconds since 1970; 0 for the first.
	At int64 `json:"at,omitempty" river:"unique"`
}

// Kind implements river.JobArgs.
func (bindArgs) Kind() string { return "bind" }

// bind writes the certificateUserIds of a certificate.
func (f *Fleet) bind(ctx context.Context, job *rivertype.JobRow, args bindArgs) error {
	if f.binder == nil {
		return &Error{Reason: Invalid, What: "this process has no Graph; every machine needs the same Config"}
	}
	var current ledger.Entry
	var held []lifecycle.HeldCertificate
	for e, err := range f.db.ledger().Entries(ctx, ledger.Query{Owner: args.Owner, Certificates: true}) {
		if err != nil {
			return err
		}
		if e.Serial == args.Serial {
			current = e
			continue
		}
		cert, err := parse(e)
		if err != nil {
			return err
		}
		held = append(held, lifecycle.HeldCertificate{Certificate: cert, Revoked: e.RevokedAt})
	}
	if !current.State.Live() {
		return f.done(ctx, job) // was replaced or revoked, and its successor is bound
	}
	cert, err := parse(current)
	if err != nil {
		return err
	}
	// Nobody needs to be asked what to remove for somebody's first certificate.
	account := lifecycle.Account{User: current.UPN}
	if len(held) > 0 {
		if account, err = f.binder.account(ctx, current.UPN); err != nil {
			return err
		}
	}
	now := time.Now()
	plan, err := lifecycle.PlanRenewal(account, cert, held, now, lifecycle.RenewalOptions{Mappings: f.mappings(held)})
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(plan.Findings, func(x lint.Finding) bool { return x.Severity == lint.Error }); i >= 0 {
		return fmt.Errorf("binding of %s: %v", current.UPN, plan.Findings[i])
	}
	if err := f.binder.write(ctx, plan.Edit(now)); err != nil {
		return err
	}
	return f.finish(ctx, job, func(tx transaction) error {
		var jobs []river.InsertManyParams
		if args.At == 0 {
			err := tx.ledger().Mark(ctx, ledger.Bound, time.Now(), args.Serial)
			if errors.Is(err, ledger.Illegal) {
				return nil // replaced or revoked meanwhile
			}
			if err != nil {
				return err
			}
			if err := f.next(ctx, tx, args.Owner, args.Serial, true); err != nil {
				return err
			}
		}
		// Old values are removed when their certificates have expired.
		for _, step := range plan.Steps {
			if step.NotBefore.After(now) {
				jobs = append(jobs, river.InsertManyParams{
					Args: bindArgs{Owner: args.Owner, Serial: args.Serial, At: step.NotBefore.Unix()},
					InsertOpts: &river.InsertOpts{Queue: binds, Priority: 4, MaxAttempts: attempts, ScheduledAt: step.NotBefore.Add(time.Second),
						UniqueOpts: river.UniqueOpts{ByArgs: true}},
				})
				break
			}
		}
		if len(jobs) == 0 {
			return nil
		}
		return tx.insert(ctx, jobs)
	})
}

// batch is how many users Graph takes in one request.
const batch = 20

// A binder collects the edits of jobs that run at the same time, so that 20 of them go
// out together.
type binder struct {
	f     *Fleet
	graph *graph.Client
	edits chan pending
}

// A pending edit is one that a job waits for.
type pending struct {
	edit snapshot.Edit
	done chan<- error // has room
}

func newBinder(f *Fleet) *binder {
	return &binder{f: f, edits: make(chan pending), graph: &graph.Client{
		Adapter: f.c.Graph.Adapter, Concurrency: f.c.Graph.Concurrency, Patience: f.c.Graph.Patience, Now: f.c.Graph.Now,
		// The pace is that of all machines, and a job that has to wait makes room.
		WriteRate: -1, Attempts: 2, MaxWait: time.Second,
	}}
}

// write waits until an edit is made. The error can be that of later.
func (b *binder) write(ctx context.Context, e snapshot.Edit) error {
	if len(e.Add)+len(e.Remove) == 0 {
		return nil
	}
	done := make(chan error, 1)
	select {
	case b.edits <- pending{e, done}:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// account reads a user.
func (b *binder) account(ctx context.Context, upn string) (lifecycle.Account, error) {
	user, err := b.graph.User(ctx, upn)
	if err != nil {
		return lifecycle.Account{}, b.wait(ctx, err)
	}
	return lifecycle.AccountOf(user)
}

// run sends batches until ctx ends. None is under way when it returns.
func (b *binder) run(ctx context.Context) {
	var sends sync.WaitGroup
	defer sends.Wait()
	for {
		var waiting []pending
		select {
		case <-ctx.Done():
			return
		case p := <-b.edits:
			waiting = append(waiting, p)
		}
		full := time.After(200 * time.Millisecond)
	collect:
		for len(waiting) < batch {
			select {
			case p := <-b.edits:
				waiting = append(waiting, p)
			case <-full:
				break collect
			}
		}
		sends.Go(func() { b.send(ctx, waiting) })
	}
}

// send makes the edits of a batch.
func (b *binder) send(ctx context.Context, waiting []pending) {
	errs := make([]error, len(waiting))
	for i := range errs {
		errs[i] = ctx.Err()
	}
	defer func() {
		for i, p := range waiting {
			p.done <- errs[i]
		}
	}()
	next := 0 // plans come in the order of the edits
	var plans []graph.UserPlan
	var at []int // the edit of a plan
	for plan := range b.graph.PlanUsers(ctx, func(yield func(snapshot.Edit, error) bool) {
		for _, p := range waiting {
			if !yield(p.edit, nil) {
				return
			}
		}
	}) {
		if next >= len(waiting) {
			break
		}
		if plan.Outcome == graph.Planned {
			plans, at = append(plans, plan), append(at, next)
		} else {
			errs[next] = b.outcome(ctx, plan)
		}
		next++
	}
	for i := next; i < len(waiting); i++ {
		errs[i] = later(time.Second) // the stream ended before
	}
	if len(plans) == 0 {
		return
	}
	if err := b.pass(ctx, len(plans)); err != nil {
		for _, i := range at {
			errs[i] = err
		}
		return
	}
	next = 0
	for plan := range b.graph.ApplyUsers(ctx, func(yield func(graph.UserPlan, error) bool) {
		for _, p := range plans {
			if !yield(p, nil) {
				return
			}
		}
	}, graph.EditOptions{}) {
		if next >= len(at) {
			break
		}
		errs[at[next]] = b.outcome(ctx, plan)
		next++
	}
	for _, i := range at[next:] {
		errs[i] = later(time.Second)
	}
}

// outcome is what a job learns of its edit.
func (b *binder) outcome(ctx context.Context, plan graph.UserPlan) error {
	switch plan.Outcome {
	case graph.Written, graph.Unchanged:
		return nil
	case graph.Unverified:
		return later(10 * time.Second) // looked at again
	case graph.Skipped:
		return river.JobCancel(&Error{Reason: NotWritable, What: plan.Edit.User + ": " + plan.Reason})
	}
	if plan.Err == nil {
		return fmt.Errorf("edit of %s: %v", plan.Edit.User, plan.Outcome)
	}
	return b.wait(ctx, plan.Err)
}

// wait closes the gate for everybody if Graph asked for it, and lets the job run again
// afterwards.
func (b *binder) wait(ctx context.Context, err error) error {
	var e *graph.Error
	if !errors.As(err, &e) || e.Reason != graph.Throttled {
		return err
	}
	pause := max(e.RetryAfter, time.Second)
	if failed := b.f.closeGate(ctx, pause); failed != nil {
		return failed
	}
	return later(pause)
}
