package jobs

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/lifecycle"
	"example.com/entracba/cba/pfx"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// A Config says how certificates are made and where they go. Every machine must have the
// same. For [Fleet.Enqueue], [Fleet.Revoke] and [Fleet.Status] the zero value works;
// [Fleet.Run] needs CA, Passwords, Files and Publish.
type Config struct {
	// CA issues. Others are CAs whose CRLs are published, too.
	CA     *cba.Issuer
	Others []*cba.Issuer
	// Profile, KeyType and Encoding are those of the users' certificates; zero means RSA
	// 2048, and PFX files that every system can open.
	Profile  cba.Profile
	KeyType  cba.KeyType
	Encoding pfx.Encoding

	// Files gets the PFX files, UPN.SERIAL.pfx, and Passwords their passwords,
	// UPN.SERIAL.txt. They must not be the same.
	Files, Passwords Store
	// Publish puts a finished CRL where its URL leads. It is called again after a
	// failure.
	Publish func(ctx context.Context, ca *cba.Issuer, list *crl.List) error
	// Published returns the CRLs of a CA that are out: what Publish and PublishDelta put there
	// last. After the restore of an old backup they tell which numbers were used and who was
	// revoked; without them, numbers would be used again, and revocations forgotten. Nil means that
	// no database is ever restored.
	Published func(ctx context.Context, ca *cba.Issuer) ([]*crl.List, error)
	// PublishDelta does the same for delta CRLs. If it is set, a revocation makes a delta CRL,
	// and the base CRL follows when it is due. Nil means that every revocation makes a
	// base CRL.
	PublishDelta func(ctx context.Context, ca *cba.Issuer, list *crl.List) error

	// Graph binds the certificates. Its own pace is not used: see WriteRate. Nil means
	// that certificates are not bound, and that nobody's values are removed.
	Graph *graph.Client
	// Mappings are how a first certificate is bound; nil means the subject key identifier. A
	// renewed one is bound as the old one was.
	Mappings []certuserid.Mapping
	// Deliver brings a PFX file to its user, after the certificate was bound. It can be
	// called more than once. Nil means that a file in Files is delivered.
	Deliver func(ctx context.Context, d Delivery) error
	// Act carries out the actions of a plan for somebody who leaves, except those on
	// certificates, CRLs and values, which the jobs carry out. It can be called
	// more than once. Nil leaves these actions to people.
	Act func(ctx context.Context, a lifecycle.Action) error

	// Trouble, if set, is called when the database cannot be used, with the error, and with nil
	// when it can again. Nothing has to be done: [Fleet.Run] goes on by itself.
	Trouble func(error)

	// DuePercent is when certificates are renewed; zero means cba.DefaultRenewal.
	DuePercent int
	// Workers is how many jobs run at the same time in this process; zero means four for each
	// core.
	Workers int
	// Signatures is how many signatures the CA's key makes at the same time in this
	// process, for a token with few sessions; zero means no limit.
	Signatures int
	// Lease is how long the jobs of a machine that died stay with it; zero means
	// ledger.DefaultLease.
	Lease time.Duration
	// WriteRate is how many users all machines together write in a second, after the first
	// 3,000; zero means 20, the quota of an app.
	WriteRate float64
}

// A Delivery is a PFX file for its user.
type Delivery struct {
	UPN, Serial  string
	File         string // its name in Config.Files
	PasswordFile string // its name in Config.Passwords
}

// A Fleet runs jobs, or adds some. It is safe for concurrent use.
type Fleet struct {
	c      Config
	db     Database
	worker string
	signs  chan struct{} // nil: no limit
	binder *binder

	mu sync.Mutex
	// wary is set while the store of the PFX files fails: see [Fleet.make].
	wary bool
	// unsure are owners whose claim this process may still have although it no longer
	// works for them: the answer of the database got lost.
	unsure map[string]bool
	// behind are the CAs of which a published CRL is newer than the database.
	behind map[string]bool
	// running are the jobs at work.
	running map[int64]bool

	// Of tend: since when jobs do not run here although the engine says so, and when it
	// swept.
	idle  map[attempt]time.Time
	swept time.Time
}

// Open makes or updates the tables of the jobs. The error is an *[Error] or one of the
// database.
func Open(ctx context.Context, db Database, c Config) (*Fleet, error) {
	if c.Lease <= 0 {
		c.Lease = ledger.DefaultLease
	}
	if c.Workers <= 0 {
		c.Workers = 4 * runtime.GOMAXPROCS(0)
	}
	if c.WriteRate <= 0 {
		c.WriteRate = 20
	}
	if c.Encoding == 0 {
		c.Encoding = pfx.Compatible
	}
	if c.KeyType == 0 {
		c.KeyType = cba.RSA2048
	}
	if c.DuePercent < 0 || c.DuePercent > 100 {
		return nil, &Error{Reason: Invalid, What: fmt.Sprintf("DuePercent %d: use 1 to 100, or 0 for the default", c.DuePercent)}
	}
	if isOneStore(c.Files, c.Passwords) {
		return nil, oneStore()
	}
	f := &Fleet{c: c, db: db, worker: ledger.NewWorker(), unsure: map[string]bool{}, behind: map[string]bool{}, running: map[int64]bool{}}
	if c.Signatures > 0 {
		f.signs = make(chan struct{}, c.Signatures)
	}
	if c.Graph != nil {
		f.binder = newBinder(f)
	}
	if err := prepare(ctx, db); err != nil {
		return nil, err
	}
	if err := db.connect(f.engine()); err != nil {
		return nil, &Error{Reason: Invalid, What: "the engine refuses its configuration", Err: err}
	}
	return f, nil
}

// Queues of the engine.
const (
	urgent = "urgent" // CRLs
	issues = "issue"
	binds  = "bind"
	// What calls Config.Deliver and Config.Act, which may hang, keeps nothing else waiting.
	deliveries = "deliver"
	leaves     = "leave"
)

// deaths is after how many attempts a job is no longer given to another worker when its own dies:
// it may be what kills them.
const deaths = 200

// attempts is how often a job that fails is tried, over some days.
const attempts = 50

// engine is the configuration of River.
func (f *Fleet) engine() *river.Config {
	periodic := func(d time.Duration, args river.JobArgs) *river.PeriodicJob {
		return river.NewPeriodicJob(river.PeriodicInterval(d), func() (river.JobArgs, *river.InsertOpts) { return args, nil }, nil)
	}
	config := &river.Config{
		ID:          f.worker,
		Logger:      slog.New(slog.DiscardHandler), // what goes wrong is in the job's row
		MaxAttempts: attempts,
		RetryPolicy: patience{},
		JobTimeout:  10 * time.Minute,
		// The engine takes a job for lost by its age. A job here is lost when its
		// worker is: see rescue.
		RescueStuckJobsAfter: 24 * time.Hour,
		SoftStopTimeout:      30 * time.Second,
		// What was given up is all that says that somebody still has to get something:
		// the engine would forget it after a day or a week.
		CancelledJobRetentionPeriod: -1,
		DiscardedJobRetentionPeriod: -1,
		FetchCooldown:               10 * time.Millisecond,
		FetchPollInterval:           200 * time.Millisecond,
		Queues: map[string]river.QueueConfig{
			urgent: {MaxWorkers: 4},
			issues: {MaxWorkers: f.c.Workers},
			// They wait for the pace, not for a core.
			binds:      {MaxWorkers: 3 * batch},
			deliveries: {MaxWorkers: f.c.Workers},
			leaves:     {MaxWorkers: 4},
		},
		Workers: river.NewWorkers(),
	}
	river.AddWorker(config.Workers, work(f, f.issue))
	river.AddWorker(config.Workers, work(f, f.bind))
	river.AddWorker(config.Workers, work(f, f.deliver))
	river.AddWorker(config.Workers, work(f, f.due))
	river.AddWorker(config.Workers, work(f, f.publish))
	river.AddWorker(config.Workers, work(f, f.leave))
	if f.c.CA != nil {
		config.PeriodicJobs = []*river.PeriodicJob{periodic(time.Hour, dueArgs{})}
		for _, ca := range f.cas() {
			config.PeriodicJobs = append(config.PeriodicJobs, periodic(time.Minute, publishArgs{Issuer: keyID(ca)}))
		}
	}
	return config
}

// patience tries again after 1, 2, 4 ... seconds, and then every hour. What is left of the
// attempts says which one this is: [Fleet.Retry] begins anew, and a rescue does not count.
type patience struct{}

func (patience) NextRetry(job *rivertype.JobRow) time.Time {
	wait := min(time.Second<<min(max(attempts-(job.MaxAttempts-job.Attempt)-1, 0), 12), time.Hour)
	return time.Now().Add(wait/2 + rand.N(wait/2))
}

// worker is a River worker out of a method.
type worker[A river.JobArgs] struct {
	river.WorkerDefaults[A]
	f  *Fleet
	do func(context.Context, *rivertype.JobRow, A) error
}

func work[A river.JobArgs](f *Fleet, do func(context.Context, *rivertype.JobRow, A) error) river.Worker[A] {
	return &worker[A]{f: f, do: do}
}

func (w *worker[A]) Work(ctx context.Context, job *river.Job[A]) error {
	w.f.mu.Lock()
	w.f.running[job.ID] = true
	w.f.mu.Unlock()
	defer func() {
		w.f.mu.Lock()
		delete(w.f.running, job.ID)
		w.f.mu.Unlock()
	}()
	return w.do(ctx, job.JobRow, job.Args)
}

func (f *Fleet) cas() []*cba.Issuer { return append([]*cba.Issuer{f.c.CA}, f.c.Others...) }

// keyID is how the ledger names a CA.
func keyID(ca *cba.Issuer) string { return hex.EncodeToString(ca.Certificate.SubjectKeyId) }

// Run works until ctx ends, then finishes the jobs at hand and returns nil; after half a
// minute it ends them, and other machines run them again. It also ends when a newer version of this
// module has updated the tables; the error has reason Newer.
func (f *Fleet) Run(ctx context.Context) error {
	ctx, outdated := context.WithCancelCause(ctx)
	defer outdated(nil)
	switch {
	case f.c.CA == nil || f.c.CA.Certificate == nil:
		return &Error{Reason: Invalid, What: "set CA"}
	case f.c.Files == nil || f.c.Passwords == nil:
		return &Error{Reason: Invalid, What: "set Files and Passwords"}
	case f.c.Publish == nil:
		return &Error{Reason: Invalid, What: "set Publish"}
	}
	// Now that they exist, a link from one to the other is seen.
	for _, s := range []Store{f.c.Files, f.c.Passwords} {
		if d, ok := s.(directory); ok {
			if err := os.MkdirAll(string(d), 0o700); err != nil {
				return err
			}
		}
	}
	if isOneStore(f.c.Files, f.c.Passwords) {
		return oneStore()
	}
	// The sign of life goes on until the last job has ended.
	alive, die := context.WithCancel(context.WithoutCancel(ctx))
	if err := f.beat(alive); err != nil {
		die()
		return err
	}
	// Before anything is issued or renewed.
	for _, ca := range f.cas() {
		if _, err := f.compare(ctx, ca); err != nil {
			die()
			return err
		}
	}
	var group sync.WaitGroup
	troubled := false
	group.Go(func() {
		every(alive, f.c.Lease/3, func(ctx context.Context) {
			err := f.beat(ctx)
			if errors.Is(err, Newer) {
				outdated(err)
			}
			if f.c.Trouble != nil && ctx.Err() == nil && (err != nil || troubled) {
				f.c.Trouble(err)
			}
			troubled = err != nil
		})
	})
	group.Go(func() { every(alive, f.c.Lease/3, f.tend) })
	if f.binder != nil {
		group.Go(func() { f.binder.run(alive) })
	}
	// What is due, and what others left, is looked for at once, and not when the engine has
	// chosen a leader.
	f.rescue(ctx)
	f.sweepDead(ctx)
	err := f.db.transact(ctx, func(tx transaction) error {
		first := []river.InsertManyParams{{Args: dueArgs{}}}
		for _, ca := range f.cas() {
			first = append(first, publication(keyID(ca)))
		}
		return tx.insert(ctx, first)
	})
	if err == nil {
		err = f.db.start(ctx)
	}
	if err == nil {
		<-ctx.Done()
		<-f.db.stopped()
	}
	die()
	group.Wait()
	end := context.WithoutCancel(ctx)
	// A program that runs for a moment, now and then, leaves no files either. What fails is
	// done the next time.
	f.sweepFiles(end)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil // it ended before it had begun
	}
	if cause := context.Cause(ctx); errors.Is(cause, Newer) {
		err = cause
	}
	return errors.Join(err, f.db.transact(end, func(tx transaction) error {
		_, err := tx.exec(end, "DELETE FROM {}workers WHERE name = $1", f.worker)
		return err
	}))
}

// every calls do now and then, until ctx ends.
func every(ctx context.Context, d time.Duration, do func(context.Context)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(d):
			do(ctx)
		}
	}
}

// tend looks for jobs, claims and certificates that nobody works for. What fails is done
// the next time: the database may be away.
func (f *Fleet) tend(ctx context.Context) {
	f.rescue(ctx)
	f.rescueOwn(ctx)
	f.release(ctx)
	if time.Since(f.swept) > max(f.c.Lease, 10*time.Second) && f.sweep(ctx) == nil {
		f.swept = time.Now()
	}
}

func (f *Fleet) beat(ctx context.Context) error {
	return f.db.transact(ctx, func(tx transaction) error {
		if err := checkVersion(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `INSERT INTO {}workers (name, expires) VALUES ($1, NOW + $2)
			ON CONFLICT (name) DO UPDATE SET expires = NOW + $2`, f.worker, f.c.Lease.Microseconds()); err != nil {
			return err
		}
		return tx.ledger().Extend(ctx, f.worker, f.c.Lease)
	})
}

// rescue gives the jobs of other workers that died to the living. It does not count as an
// attempt. Rows that a transaction holds are left for the next time. A lease that ends in the far future
// is one from before the database's clock was set back.
func (f *Fleet) rescue(ctx context.Context) error {
	lost := `id IN (SELECT id FROM {}river_job WHERE state = 'running' AND LAST_WORKER <> $1
		AND LAST_WORKER NOT IN (SELECT name FROM {}workers WHERE expires > NOW AND expires <= NOW + $2) SKIP_LOCKED)`
	return f.db.transact(ctx, func(tx transaction) error {
		_, err := tx.exec(ctx, `UPDATE {}river_job SET state = 'available', scheduled_at = DUE_TIME, max_attempts = max_attempts + 1
			WHERE attempt < $3 AND `+lost, f.worker, 10*f.c.Lease.Microseconds(), deaths)
		if err == nil {
			_, err = tx.exec(ctx, `UPDATE {}river_job SET state = 'discarded', finalized_at = DUE_TIME, errors = DEATH_ADDED
				WHERE attempt >= $3 AND `+lost, f.worker, 10*f.c.Lease.Microseconds(), deaths)
		}
		if err != nil {
			return err
		}
		// Workers that have been dead for a day are not looked at any more.
		_, err = tx.exec(ctx, "DELETE FROM {}workers WHERE expires < NOW - 86400000000")
		return err
	})
}

// rescueOwn gives jobs back that the engine takes for running in this process, and that
// do not: their end could not be written while the database was away.
func (f *Fleet) rescueOwn(ctx context.Context) error {
	found := map[int64]int{}
	err := f.db.transact(ctx, func(tx transaction) error {
		var id int64
		var number int
		r, err := tx.query(ctx, "SELECT id, attempt FROM {}river_job WHERE state = 'running' AND LAST_WORKER = $1", f.worker)
		return scanAll(r, err, []any{&id, &number}, func() error { found[id] = number; return nil })
	})
	if err != nil {
		return err
	}
	f.mu.Lock()
	for id := range f.running {
		delete(found, id)
	}
	f.mu.Unlock()
	// A job that was fetched at this moment does not run yet, and the end of one may be
	// on its way: wait.
	idle := f.idle
	f.idle = map[attempt]time.Time{}
	for id, number := range found {
		a := attempt{id, number}
		since, seen := idle[a]
		if !seen {
			since = time.Now()
		}
		if time.Since(since) < max(f.c.Lease, 5*time.Second) {
			f.idle[a] = since
			continue
		}
		if err := f.db.transact(ctx, func(tx transaction) error {
			_, err := tx.exec(ctx, `UPDATE {}river_job SET state = 'available', scheduled_at = DUE_TIME, max_attempts = max_attempts + 1
				WHERE id = $1 AND attempt = $2 AND state = 'running'`, id, number)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// An attempt is one run of a job.
type attempt struct {
	job    int64
	number int
}

// doubt remembers, or forgets, that this process may have the claim of an owner for whom it
// does not work.
func (f *Fleet) doubt(owner string, doubtful bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if doubtful {
		f.unsure[owner] = true
	} else {
		delete(f.unsure, owner)
	}
}

// release gives claims back that nobody works for; the sign of life would extend them.
func (f *Fleet) release(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.unsure) == 0 {
		return
	}
	if f.db.transact(ctx, func(tx transaction) error {
		return tx.ledger().Release(ctx, f.worker, slices.Collect(maps.Keys(f.unsure))...)
	}) == nil {
		clear(f.unsure)
	}
}

// finish makes the last change of a job and ends it, in one transaction: if the job was
// given to another worker, nothing is changed and the error is Fenced.
func (f *Fleet) finish(ctx context.Context, job *rivertype.JobRow, do func(transaction) error) error {
	return f.db.transact(ctx, func(tx transaction) error {
		if err := fence(ctx, tx, job); err != nil {
			return err
		}
		if err := do(tx); err != nil {
			return err
		}
		return tx.complete(ctx, job)
	})
}

// fence holds the job's row, if it is still this attempt's.
func fence(ctx context.Context, tx transaction, job *rivertype.JobRow) error {
	var attempt int
	ok, err := one(ctx, tx, []any{&attempt}, "SELECT attempt FROM {}river_job WHERE id = $1 AND state = 'running' FOR_UPDATE", job.ID)
	if err == nil && (!ok || attempt != job.Attempt) {
		err = &Error{Reason: Fenced, What: fmt.Sprintf("job %d", job.ID)}
	}
	return err
}

// done ends a job that has nothing to change.
func (f *Fleet) done(ctx context.Context, job *rivertype.JobRow) error {
	return f.finish(ctx, job, func(transaction) error { return nil })
}

// isSnooze reports whether an error is that of later.
func isSnooze(err error) bool {
	var snooze *river.JobSnoozeError
	return errors.As(err, &snooze)
}

// later runs a job again after a while; that is not a failure.
func later(d time.Duration) error { return river.JobSnooze(d + rand.N(d/4+1)) }
