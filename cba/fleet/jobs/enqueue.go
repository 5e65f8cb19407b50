package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/folder"
	"github.com/riverqueue/river"
)

// Enqueued says what became of a list of users.
type Enqueued struct {
	Added int `json:"added"` // users who were not known, and those who get one again
	Known int `json:"known"` // users who were enqueued before, whatever became of them
}

// A subject is how a request keeps a cba.Subject.
type subject struct {
	UPN    string   `json:"upn"`
	Emails []string `json:"emails,omitempty"`
	SID    string   `json:"sid,omitempty"`
	Name   string   `json:"name,omitempty"`
}

// portion is how many users go into one transaction.
const portion = 5000

// Enqueue adds the users of a list who are not known yet. Each needs a UPN that
// folder.CheckName accepts. It can be interrupted and called again with the same list: users and their
// jobs are added in one transaction for each 5,000. A list that has an error ends there.
func (f *Fleet) Enqueue(ctx context.Context, list iter.Seq2[cba.Task, error]) (Enqueued, error) {
	return f.addAll(ctx, list, false)
}

// Reissue is Enqueue that also adds the users who were revoked, or left: they get a new
// certificate, for what the list says of them now.
func (f *Fleet) Reissue(ctx context.Context, list iter.Seq2[cba.Task, error]) (Enqueued, error) {
	return f.addAll(ctx, list, true)
}

func (f *Fleet) addAll(ctx context.Context, list iter.Seq2[cba.Task, error], reissue bool) (Enqueued, error) {
	var counts Enqueued
	rows := make([][2]string, 0, portion)
	// PostgreSQL updates no row that the same statement inserted: a user counts once.
	given := map[string]bool{}
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		added, err := f.enqueue(ctx, rows, reissue)
		if err != nil {
			return err
		}
		counts.Added += added
		counts.Known += len(rows) - added
		rows = rows[:0]
		clear(given)
		return nil
	}
	for task, err := range list {
		if err != nil {
			return counts, err
		}
		s := task.Subject
		if err := folder.CheckName(s.UPN); err != nil {
			return counts, err
		}
		switch {
		case task.PublicKey != nil:
			return counts, &Error{Reason: Invalid, What: fmt.Sprintf("%q: jobs make the key themselves; issue for a request with cba.Issuer.IssueRequest", s.UPN)}
		case len(s.DNSNames)+len(s.URIs) > 0 || task.Profile != nil:
			return counts, &Error{Reason: Invalid, What: fmt.Sprintf("%q: DNS names, URIs and a profile of its own are not supported", s.UPN)}
		}
		r := subject{UPN: s.UPN, Emails: s.Emails, Name: s.Name.String()}
		if !s.SID.IsZero() {
			r.SID = s.SID.String()
		}
		text, err := json.Marshal(r)
		if err != nil {
			return counts, err
		}
		owner := ledger.OwnerOf(s)
		if given[owner] {
			counts.Known++
			continue
		}
		given[owner] = true
		rows = append(rows, [2]string{owner, string(text)})
		if len(rows) == portion {
			if err := flush(); err != nil {
				return counts, err
			}
		}
	}
	return counts, flush()
}

func (f *Fleet) enqueue(ctx context.Context, rows [][2]string, reissue bool) (added int, err error) {
	known := "NOTHING"
	if reissue {
		known = "UPDATE SET stopped = 0, subject = excluded.subject WHERE {}requests.stopped > 0"
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return 0, err
	}
	return added, f.db.transact(ctx, func(tx transaction) error {
		// The row of the user keeps the job from being added twice, so the engine
		// need not look for it.
		var owner string
		var jobs []river.InsertManyParams
		r, err := tx.query(ctx, `INSERT INTO {}requests (owner, subject, added) SELECT value ->> 0, value ->> 1, NOW FROM JSON_ROWS WHERE true
			ON CONFLICT (owner) DO `+known+` RETURNING owner`, string(text))
		if err := scanAll(r, err, []any{&owner}, func() error {
			jobs = append(jobs, river.InsertManyParams{Args: issueArgs{Owner: owner, Reissue: reissue}, InsertOpts: &river.InsertOpts{Queue: issues, Priority: 2, MaxAttempts: attempts}})
			return nil
		}); err != nil || len(jobs) == 0 {
			return err
		}
		added = len(jobs)
		return tx.insertNew(ctx, jobs)
	})
}

// request returns what is to be issued for an owner: what was enqueued, or, for a
// certificate that was made without a job, what is in it. stopped says that the owner
// left before a certificate was made.
func request(ctx context.Context, tx transaction, owner string) (_ cba.Subject, stopped bool, err error) {
	var text string
	ok, err := one(ctx, tx, []any{&text, &stopped}, "SELECT subject, stopped > 0 FROM {}requests WHERE owner = $1", owner)
	if err != nil || stopped {
		return cba.Subject{}, stopped, err
	}
	if !ok {
		e, err := ledger.Live(ctx, tx.ledger(), owner)
		if err != nil {
			return cba.Subject{}, false, err
		}
		cert, err := parse(e)
		if err != nil {
			return cba.Subject{}, false, err
		}
		s, err := cba.SubjectOf(cert)
		return s, false, err
	}
	var s subject
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return cba.Subject{}, false, &Error{Reason: Invalid, What: fmt.Sprintf("request of %q", owner), Err: err}
	}
	wanted := cba.Subject{UPN: s.UPN, Emails: s.Emails}
	if wanted.Name, err = dn.Parse(s.Name); err == nil && s.SID != "" {
		wanted.SID, err = cba.ParseSID(s.SID)
	}
	return wanted, false, err
}
