package cba

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/entracba/cba/internal/signed"
	"example.com/entracba/cba/lint"
)

// A Task is one certificate to issue.
type Task struct {
	Subject Subject
	// PublicKey is the key to issue for, for example that of a [Request]. Nil
	// means that a key pair is made.
	PublicKey crypto.PublicKey
	// Profile replaces [Bulk.Profile] for this certificate.
	Profile *Profile
}

// A Result is the outcome of one task. It comes with an error if there is no
// certificate; Index and Task then say for whom.
type Result struct {
	Index int // the place in the list, from 0
	Task  Task
	// Skipped says that the journal already has this user. There is no
	// certificate and no error.
	Skipped bool
	// Key is the private key, if one was made. Nothing else keeps it. It is never
	// part of text or JSON, and neither is Made.
	Key         crypto.Signer `json:"-"`
	Certificate *x509.Certificate
	// Proof is for pfx.Bundle.Proof: the signatures of Certificate and of the CAs
	// above it were verified when it was issued, and need not be again.
	Proof    signed.Proof `json:"-"`
	Findings lint.Findings
	// Made is for [Bulk.Finish]: whatever it makes, for example a PFX file.
	Made any `json:"-"`
}

// Format writes the outcome without the key, for every verb.
func (r Result) Format(s fmt.State, _ rune) {
	outcome := "no certificate"
	switch {
	case r.Skipped:
		outcome = "skipped"
	case r.Certificate != nil:
		outcome = fmt.Sprintf("certificate %x", r.Certificate.SerialNumber)
	}
	fmt.Fprintf(s, "{%d, %s, %s}", r.Index, r.Task.Subject, outcome)
}

// A Journal remembers who has a certificate, so that a list that was interrupted
// can be run again. Its methods are called one at a time, from the goroutine that
// ranges over the results.
type Journal interface {
	// Done reports whether the subject has a certificate. An error ends the list.
	// ctx is the list's.
	Done(ctx context.Context, subject Subject) (bool, error)
	// Record remembers a certificate, after [Bulk.Finish] and before the result
	// is handed out. It should be durable when it returns. An error ends the
	// list. ctx does not end with the list's: what was issued must be recorded.
	Record(ctx context.Context, result Result) error
}

// Bulk are the options of [Issuer.IssueAll]. The zero value makes RSA-2048 keys
// and user certificates of the zero [Profile] on all cores.
type Bulk struct {
	// Profile is for tasks without their own.
	Profile Profile
	// KeyType is the type of the keys that are made; zero means [RSA2048].
	KeyType KeyType
	// Workers is how many certificates are made at once; zero means one for each
	// core (GOMAXPROCS). Use 1 for a CA key that cannot sign twice at a time.
	Workers int
	// Journal is asked before and told after every certificate; nil means none.
	Journal Journal
	// Finish is called with every new certificate, from as many goroutines as there
	// are workers. Use it to make a PFX and write it to disk. Its error becomes the
	// task's. Its context has the values of the list's context but does not end
	// with it, so that what was issued can be finished.
	Finish func(ctx context.Context, result *Result) error
	// StopOnError ends the list at the first task that fails. Otherwise the list
	// goes on, and the error comes with that task's result.
	StopOnError bool
	// Progress is called with the counts before each result is handed out, on the
	// same goroutine.
	Progress func(Progress)
}

// Progress counts the results so far.
type Progress struct {
	Issued, Skipped, Failed int
}

// IssueAll issues a certificate for every task, on all cores, and yields the
// results in the order of the list. It reads tasks a few dozen ahead of the
// results, so that a list may have any length and any source. An error that tasks
// yields is yielded in its place. A source that may block should watch ctx itself.
//
// For every user 16 bytes are kept (about 40 with the map around them); otherwise
// memory does not grow with the list. They are how a user who is listed twice is
// found: the second gets an error with reason [Duplicate]. Users are compared by
// UPN, case-insensitively, else by first e-mail address, else by distinguished
// name.
//
// A task fails alone: its error is yielded and the next task is taken. What
// [Issuer.Issue] refuses fails here too. The list ends early when ctx ends, when
// the journal fails, when a task fails and Bulk.StopOnError is set, or when the
// caller stops the loop. Certificates that are being made at that moment are
// finished first and recorded in the journal: nothing that was issued is lost, and
// a second run with the same journal issues only the rest. If ctx ends the list,
// they are still yielded, and the last error is the context's. No goroutine
// survives the loop, with one exception: a key that has not signed half a second
// after ctx ended is not waited for, and what it signs later is dropped.
//
// A process that is killed loses at most the certificates that were being made.
// Their users get another one in the next run. The first is useless, because its
// key was never kept.
//
// The tasks, the journal and Progress run on the caller's goroutine.
func (i *Issuer) IssueAll(ctx context.Context, tasks iter.Seq2[Task, error], bulk Bulk) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		if ctx == nil || tasks == nil {
			yield(Result{}, &Error{Reason: Empty, What: "context or list of tasks"})
			return
		}
		r := newRun(ctx, i, bulk, yield)
		defer r.close()
		for task, err := range tasks {
			if !r.accept(task, err) {
				r.cut = true
				break
			}
		}
		r.drain()
	}
}

// Tasks turns subjects into the list that [Issuer.IssueAll] takes.
func Tasks(subjects ...Subject) iter.Seq2[Task, error] {
	return func(yield func(Task, error) bool) {
		for _, s := range subjects {
			if !yield(Task{Subject: s}, nil) {
				return
			}
		}
	}
}

// An outcome is a task on its way: ready is closed when result and err are set.
type outcome struct {
	ready  chan struct{}
	result Result
	err    error
}

// A run is one walk over a list. Everything but work is called on the caller's
// goroutine.
type run struct {
	ctx    context.Context
	issuer *Issuer
	bulk   Bulk
	yield  func(Result, error) bool

	jobs    chan *outcome
	signing context.Context    // that of the keys: it ends a little after ctx
	stop    atomic.Bool        // workers drop what they have not begun
	forget  context.CancelFunc // ends signing
	workers sync.WaitGroup

	waiting  []*outcome // in the order of the list
	window   int        // how many may wait
	next     int        // index of the next task
	seen     map[[16]byte]struct{}
	counts   Progress
	broken   bool // the caller does not want more
	finished bool // no more tasks are taken
	cut      bool // there are tasks that were not taken or not begun
	last     error
}

// patience is how long a signature that is under way when the context ends is
// waited for: a key that works signs in that time, and nothing that was signed is
// lost; a key that hangs does not hold the caller.
const patience = 500 * time.Millisecond

// patient returns a context that ends a while after ctx.
func patient(ctx context.Context) (context.Context, context.CancelFunc) {
	later, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(patience, cancel) })
	return later, func() { stop(); cancel() }
}

func newRun(ctx context.Context, i *Issuer, bulk Bulk, yield func(Result, error) bool) *run {
	if bulk.Workers <= 0 {
		bulk.Workers = runtime.GOMAXPROCS(0)
	}
	if bulk.KeyType == 0 {
		bulk.KeyType = RSA2048
	}
	r := &run{ctx: ctx, issuer: i, bulk: bulk, yield: yield, seen: map[[16]byte]struct{}{}}
	r.signing, r.forget = patient(ctx)
	// Making an RSA key takes anything from a third to five times the mean. With
	// this many waiting, one slow key seldom makes the other workers idle.
	r.window = 16 * bulk.Workers
	r.jobs = make(chan *outcome, r.window)
	for range bulk.Workers {
		r.workers.Go(r.work)
	}
	return r
}

// close ends the workers.
func (r *run) close() {
	r.stop.Store(true)
	close(r.jobs)
	r.workers.Wait()
	r.forget()
}

// accept takes one task and hands out what is ready. It returns false when the
// list is to end.
func (r *run) accept(task Task, err error) bool {
	if r.ctx.Err() != nil {
		return false
	}
	o := &outcome{ready: make(chan struct{}), result: Result{Index: r.next, Task: task}, err: err}
	r.next++
	if o.err == nil {
		o.result.Skipped, o.err = r.known(task)
	}
	if r.finished {
		return false
	}
	if o.err != nil || o.result.Skipped {
		close(o.ready)
	} else {
		r.jobs <- o // never blocks: no more than window are waiting
	}
	r.waiting = append(r.waiting, o)
	for len(r.waiting) > 0 && !r.finished {
		if len(r.waiting) < r.window {
			select {
			case <-r.waiting[0].ready:
			default:
				return true
			}
		}
		r.handOut()
	}
	return !r.finished
}

// known looks a user up in the list so far and in the journal.
func (r *run) known(task Task) (skip bool, err error) {
	if id := task.Subject.id(); id != "" {
		sum := sha256.Sum256([]byte(id))
		key := [16]byte(sum[:16])
		if _, twice := r.seen[key]; twice {
			return false, &Error{Reason: Duplicate, What: "user", Text: task.Subject.String()}
		}
		r.seen[key] = struct{}{}
	}
	if r.bulk.Journal == nil {
		return false, nil
	}
	done, err := r.bulk.Journal.Done(r.ctx, task.Subject)
	if err != nil {
		r.end(err)
	}
	return done, err
}

// end says that no more tasks are taken or begun, and why.
func (r *run) end(err error) {
	r.stop.Store(true)
	r.finished = true
	if r.last == nil {
		r.last = err
	}
}

// handOut waits for the first result in the row, records it and hands it out.
func (r *run) handOut() {
	o := r.waiting[0]
	r.waiting[0] = nil
	r.waiting = r.waiting[1:]
	select {
	case <-o.ready:
	case <-r.ctx.Done():
		r.end(nil)
		<-o.ready // what was begun is finished, the rest is dropped at once
	}
	if o.err == nil && o.result.Certificate == nil && !o.result.Skipped {
		r.end(nil) // dropped by a worker that saw the context end before we did
	}
	if r.finished && o.result.Certificate == nil {
		r.cut = true // not begun, or nothing came of it: no longer of interest
		return
	}
	var failed error
	if o.err == nil && !o.result.Skipped && r.bulk.Journal != nil {
		if failed = r.bulk.Journal.Record(context.WithoutCancel(r.ctx), o.result); failed != nil {
			o.err = failed
		}
	}
	switch {
	case o.err != nil:
		r.counts.Failed++
	case o.result.Skipped:
		r.counts.Skipped++
	default:
		r.counts.Issued++
	}
	if r.broken {
		return
	}
	if r.bulk.Progress != nil {
		r.bulk.Progress(r.counts)
	}
	if !r.yield(o.result, o.err) {
		r.broken = true
		r.end(nil)
	}
	if failed != nil || o.err != nil && r.bulk.StopOnError {
		r.end(nil)
	}
}

// drain hands out what is still under way, and at last why the list ended early.
func (r *run) drain() {
	if r.ctx.Err() != nil {
		r.end(nil)
	}
	for len(r.waiting) > 0 {
		r.handOut()
	}
	if r.last == nil && r.cut {
		r.last = r.ctx.Err()
	}
	if r.last != nil && !r.broken {
		r.yield(Result{Index: r.next}, r.last)
	}
}

// work makes certificates until there are no more tasks.
func (r *run) work() {
	for o := range r.jobs {
		// What is not begun when the list ends has no certificate and is dropped.
		if !r.stop.Load() && r.ctx.Err() == nil {
			o.err = r.issue(&o.result)
		}
		close(o.ready)
	}
}

func (r *run) issue(result *Result) error {
	pub := result.Task.PublicKey
	var key crypto.Signer
	if pub == nil {
		var err error
		if key, err = r.bulk.KeyType.Generate(); err != nil {
			return err
		}
		pub = key.Public()
	}
	profile := r.bulk.Profile
	if result.Task.Profile != nil {
		profile = *result.Task.Profile
	}
	draft, err := r.issuer.Prepare(pub, result.Task.Subject, profile)
	if err != nil {
		return err
	}
	result.Findings = draft.Findings
	cert, err := draft.Sign(r.signing)
	if err != nil {
		return err
	}
	result.Key, result.Certificate, result.Proof = key, cert, signed.By(cert, draft.cas)
	if r.bulk.Finish != nil {
		if err := r.bulk.Finish(context.WithoutCancel(r.ctx), result); err != nil {
			return err
		}
	}
	return nil
}
