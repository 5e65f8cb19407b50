package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/publish"
	"example.com/entracba/cba/fleet/ledger"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

type publishArgs struct {
	Issuer string `json:"issuer" river:"unique"`
}

// Kind implements river.JobArgs.
func (publishArgs) Kind() string { return "publish" }

// InsertOpts lets one publication of a CA wait at a time.
func (publishArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: urgent, Priority: 1, MaxAttempts: attempts, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: unfinished()}}
}

// unfinished are the states of a job that is still to come.
func unfinished() []rivertype.JobState {
	return []rivertype.JobState{rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled}
}

func publication(issuer string) river.InsertManyParams {
	return river.InsertManyParams{Args: publishArgs{Issuer: issuer}}
}

// errMore says that there are revocations that came too late for the CRL.
var errMore = errors.New("more revocations")

// publish makes CRLs of a CA until one has every revocation.
func (f *Fleet) publish(ctx context.Context, job *rivertype.JobRow, args publishArgs) error {
	var ca *cba.Issuer
	for _, c := range f.cas() {
		if keyID(c) == args.Issuer {
			ca = c
		}
	}
	if ca == nil {
		return &Error{Reason: Invalid, What: "no CA here has the key identifier " + args.Issuer + ": add it to Config.Others, so that its revocations are published"}
	}
	for {
		err := f.publishOnce(ctx, job, ca, args.Issuer)
		if !errors.Is(err, errMore) {
			return err
		}
	}
}

func (f *Fleet) publishOnce(ctx context.Context, job *rivertype.JobRow, ca *cba.Issuer, issuer string) error {
	var news []crl.Revocation
	var next, delta int64
	now := time.Now()
	err := f.db.transact(ctx, func(tx transaction) (err error) {
		if err := collect(ctx, tx, issuer); err != nil {
			return err
		}
		var serial string
		var revoked, reason, expires int64
		r, err := tx.query(ctx, "SELECT serial, revoked, reason, expires FROM {}revocations WHERE issuer = $1 AND listed = 0", issuer)
		if err := scanAll(r, err, []any{&serial, &revoked, &reason, &expires}, func() error {
			number, err := ledger.ParseSerial(serial)
			news = append(news, crl.Revocation{Serial: number, Time: time.Unix(revoked, 0).UTC(), Reason: crl.RevocationReason(reason), Expires: time.Unix(expires, 0).UTC()})
			return err
		}); err != nil {
			return err
		}
		_, err = one(ctx, tx, []any{&next, &delta}, "SELECT next, delta FROM {}published WHERE issuer = $1", issuer)
		return err
	})
	if err != nil {
		return err
	}
	deltas := f.c.PublishDelta != nil
	base := now.Unix() >= next || !deltas && len(news) > 0
	if !base && (!deltas || len(news) == 0 && now.Unix() < delta) {
		return f.finish(ctx, job, func(tx transaction) error { return f.complete(ctx, tx, job, issuer) })
	}
	release, err := f.turn(ctx)
	if err != nil {
		return err
	}
	defer release()
	lists := publish.Issuer{Certificate: ca.Certificate, Key: ca.Key, Store: f.db.crls(issuer)}
	if len(news) > 0 {
		if err := lists.Revoke(ctx, news...); err != nil {
			return err
		}
	}
	number := ""
	if base {
		list, err := lists.Base(ctx, publish.Options{Publish: func(ctx context.Context, list *crl.List) error { return f.c.Publish(ctx, ca, list) }})
		if err != nil {
			return err
		}
		number, next = list.Number.String(), list.NextPublish.Unix()
	}
	if deltas {
		// After a base CRL, too: the last delta CRL continues an older one.
		list, err := lists.Delta(ctx, publish.Options{Publish: func(ctx context.Context, list *crl.List) error { return f.c.PublishDelta(ctx, ca, list) }})
		if err != nil {
			return err
		}
		number, delta = list.Number.String(), list.NextPublish.Unix()
	}
	serials := make([]string, len(news))
	for i, v := range news {
		serials[i] = ledger.SerialText(v.Serial)
	}
	text, err := json.Marshal(serials)
	if err != nil {
		return err
	}
	// The CRL is out. It is put on record even if revocations came meanwhile, or the
	// job was given to another worker.
	if err := f.db.transact(ctx, func(tx transaction) error {
		if _, err := tx.exec(ctx, "UPDATE {}revocations SET listed = 1 WHERE serial IN (SELECT value FROM JSON_TEXTS)", string(text)); err != nil {
			return err
		}
		_, err := tx.exec(ctx, `INSERT INTO {}published (issuer, number, next, delta) VALUES ($1, $2, $3, $4)
			ON CONFLICT (issuer) DO UPDATE SET number = $2, next = $3, delta = $4`, issuer, number, next, delta)
		return err
	}); err != nil {
		return fmt.Errorf("CRL %s is published: %w", number, err)
	}
	return f.finish(ctx, job, func(tx transaction) error { return f.complete(ctx, tx, job, issuer) })
}

// complete ends the job before it looks for revocations that came meanwhile. A
// revocation that is committed later waits for the row of this job, and then adds
// another one.
func (f *Fleet) complete(ctx context.Context, tx transaction, job *rivertype.JobRow, issuer string) error {
	if err := tx.complete(ctx, job); err != nil {
		return err
	}
	if err := collect(ctx, tx, issuer); err != nil {
		return err
	}
	var waiting bool
	if _, err := one(ctx, tx, []any{&waiting}, "SELECT EXISTS (SELECT 1 FROM {}revocations WHERE issuer = $1 AND listed = 0)", issuer); err != nil {
		return err
	}
	if waiting {
		return errMore
	}
	return nil
}

// collect takes over what was revoked in the ledger, by whichever program.
func collect(ctx context.Context, tx transaction, issuer string) error {
	_, err := tx.exec(ctx, `INSERT INTO {}revocations (serial, issuer, revoked, reason, expires)
		SELECT serial, issuer, REVOKED_AT, reason, ENDS_AT FROM {}entries e WHERE state = 5 AND issuer = $1
		AND NOT EXISTS (SELECT 1 FROM {}revocations r WHERE r.serial = e.serial) ON CONFLICT (serial) DO NOTHING`, issuer)
	return err
}
