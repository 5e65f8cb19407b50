package jobs

import (
	"context"
	"math"

	"example.com/entracba/cba/fleet/ledger"
	"github.com/riverqueue/river/rivertype"
)

// A Status says how far a fleet has come.
type Status struct {
	Requests     int                  `json:"requests"`     // users who were enqueued
	Certificates map[ledger.State]int `json:"certificates"` // by state
	Jobs         []JobCount           `json:"jobs"`
	Machines     int                  `json:"machines"` // processes that show life
	// GraphClosed is for how many more seconds Graph wants no writes; 0 means that the
	// gate is open.
	GraphClosed int `json:"graphClosedSeconds"`
	// Unlisted are revocations that no CRL has yet.
	Unlisted int `json:"unlisted"`
	// GivenUp are certificates of the last day that were signed, or may have been, and do not
	// count. What was certainly not signed is not among them.
	GivenUp int `json:"givenUp"`
	// Failures are the last errors of jobs that are tried again or were given up.
	Failures []Failure `json:"failures,omitempty"`
}

// A JobCount counts jobs of a kind.
type JobCount struct {
	Kind string `json:"kind"`
	// State is the engine's: available, running, scheduled, retryable, completed,
	// cancelled or discarded.
	State string `json:"state"`
	Count int    `json:"count"`
	// LastMinute are those that came into this state in the last minute, for completed ones.
	LastMinute int `json:"lastMinute,omitempty"`
	// Later are those that are not due within a minute: to be tried again much later, or the
	// removal of an old value when its certificate has expired.
	Later int `json:"later,omitempty"`
}

// Left returns how many jobs are waiting, running, or to be tried again.
func (s Status) Left() (n int) {
	for _, j := range s.Jobs {
		switch rivertype.JobState(j.State) {
		case rivertype.JobStateCompleted, rivertype.JobStateCancelled, rivertype.JobStateDiscarded:
		default:
			n += j.Count
		}
	}
	return n
}

// Soon returns how many jobs run, or are due within a minute.
func (s Status) Soon() int {
	n := s.Left()
	for _, j := range s.Jobs {
		n -= j.Later
	}
	return n
}

// Failed returns how many jobs were given up, or are tried again.
func (s Status) Failed() (n int) {
	for _, j := range s.Jobs {
		switch rivertype.JobState(j.State) {
		case rivertype.JobStateRetryable, rivertype.JobStateCancelled, rivertype.JobStateDiscarded:
			n += j.Count
		}
	}
	return n
}

// A Failure is the last error of a job.
type Failure struct {
	Job     int64  `json:"job"`
	Kind    string `json:"kind"`
	State   string `json:"state"`
	Attempt int    `json:"attempt"`
	Error   string `json:"error"`
}

// Status counts. With a million jobs it takes about a second.
func (f *Fleet) Status(ctx context.Context) (Status, error) {
	s := Status{Certificates: map[ledger.State]int{}}
	return s, f.db.transact(ctx, func(tx transaction) error {
		var state, n int
		r, err := tx.query(ctx, "SELECT state, count(*) FROM {}entries GROUP BY state")
		if err := scanAll(r, err, []any{&state, &n}, func() error { s.Certificates[ledger.State(state)] = n; return nil }); err != nil {
			return err
		}
		var j JobCount
		r, err = tx.query(ctx, `SELECT kind, CAST(state AS text), count(*), coalesce(sum(CASE WHEN finalized_at > MINUTE_AGO THEN 1 ELSE 0 END), 0),
			coalesce(sum(CASE WHEN state IN ('scheduled', 'retryable') AND scheduled_at > IN_A_MINUTE THEN 1 ELSE 0 END), 0) FROM {}river_job GROUP BY kind, state ORDER BY kind, state`)
		if err := scanAll(r, err, []any{&j.Kind, &j.State, &j.Count, &j.LastMinute, &j.Later}, func() error { s.Jobs = append(s.Jobs, j); return nil }); err != nil {
			return err
		}
		var closed int64
		if _, err := one(ctx, tx, []any{&s.Requests, &s.Machines, &closed, &s.Unlisted, &s.GivenUp}, `SELECT (SELECT count(*) FROM {}requests),
			(SELECT count(*) FROM {}workers WHERE expires > NOW),
			(SELECT coalesce(max(closed) - NOW, 0) FROM {}gates),
			(SELECT count(*) FROM {}revocations WHERE listed = 0),
			(SELECT count(*) FROM {}attempts a WHERE given_up > 0 AND EXISTS (SELECT 1 FROM {}revocations r WHERE r.serial = a.serial))`); err != nil {
			return err
		}
		s.GraphClosed = int(max(0, math.Ceil(float64(closed)/1e6)))
		var x Failure
		r, err = tx.query(ctx, `SELECT id, kind, CAST(state AS text), attempt, LAST_ERROR FROM {}river_job
			WHERE state IN ('retryable', 'discarded', 'cancelled') ORDER BY id DESC LIMIT 10`)
		return scanAll(r, err, []any{&x.Job, &x.Kind, &x.State, &x.Attempt, &x.Error}, func() error { s.Failures = append(s.Failures, x); return nil })
	})
}

// Retry lets jobs that were given up, or wait after a failure, run again now, with all of their
// attempts. It returns how many they are.
func (f *Fleet) Retry(ctx context.Context) (n int, err error) {
	return n, f.db.transact(ctx, func(tx transaction) error {
		if err := forget(ctx, tx); err != nil {
			return err
		}
		count, err := tx.exec(ctx, `UPDATE {}river_job SET state = 'available', scheduled_at = DUE_TIME, finalized_at = NULL,
			max_attempts = CASE WHEN attempt > 30000 THEN 32767 ELSE attempt + $1 END WHERE state IN ('retryable', 'discarded', 'cancelled')`, attempts)
		n = int(count)
		return err
	})
}

// forget removes jobs that were given up and of which there is a newer one: it is the newer
// one that counts, and two of them may not run.
func forget(ctx context.Context, tx transaction) error {
	_, err := tx.exec(ctx, `DELETE FROM {}river_job WHERE state IN ('discarded', 'cancelled') AND unique_key IS NOT NULL
		AND EXISTS (SELECT 1 FROM {}river_job newer WHERE newer.unique_key = {}river_job.unique_key AND newer.id > {}river_job.id)`)
	return err
}
