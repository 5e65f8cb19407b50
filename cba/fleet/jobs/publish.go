package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
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
	var last string
	var least int // how many entries a base CRL has at least
	now := time.Now()
	f.mu.Lock()
	behind := f.behind[issuer]
	f.mu.Unlock()
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
		if _, err := one(ctx, tx, []any{&least}, "SELECT count(*) FROM {}revocations WHERE issuer = $1 AND expires > $2", issuer, now.Unix()); err != nil {
			return err
		}
		_, err = one(ctx, tx, []any{&next, &delta, &last}, "SELECT next, delta, number FROM {}published WHERE issuer = $1", issuer)
		return err
	})
	if err != nil {
		return err
	}
	deltas := f.c.PublishDelta != nil
	// A time that is further away than any CRL lasts is one of a clock that was ahead.
	due := func(at int64) bool { return now.Unix() >= at || at > now.Add(longestCRL).Unix() }
	base := due(next) || !deltas && len(news) > 0 || behind
	if !base && (!deltas || len(news) == 0 && !due(delta)) {
		return f.finish(ctx, job, func(tx transaction) error { return f.complete(ctx, tx, job, issuer) })
	}
	release, err := f.turn(ctx)
	if err != nil {
		return err
	}
	defer release()
	out, err := f.compare(ctx, ca)
	if err != nil {
		return err
	}
	lists := publish.Issuer{Certificate: ca.Certificate, Key: ca.Key, Store: f.db.crls(issuer)}
	if len(news) > 0 {
		if err := lists.Revoke(ctx, news...); err != nil {
			return err
		}
	}
	options := publish.Options{Published: out}
	if number, err := strconv.ParseUint(last, 10, 62); err == nil {
		options.Number = number + 1 // also where the state of the CRLs was lost
	}
	number := ""
	if base {
		options.Publish = func(ctx context.Context, list *crl.List) error {
			if list.Len() < least {
				return errLost
			}
			return f.c.Publish(ctx, ca, list)
		}
		list, err := lists.Base(ctx, options)
		if errors.Is(err, errLost) {
			return f.relist(ctx, issuer)
		}
		if err != nil {
			return err
		}
		number, next = list.Number.String(), list.NextPublish.Unix()
	}
	if deltas {
		// After a base CRL, too: the last delta CRL continues an older one.
		options.Publish = func(ctx context.Context, list *crl.List) error { return f.c.PublishDelta(ctx, ca, list) }
		list, err := lists.Delta(ctx, options)
		if errors.Is(err, publish.NoBase) {
			return f.relist(ctx, issuer)
		}
		if err != nil {
			return err
		}
		number, delta = list.Number.String(), list.NextPublish.Unix()
	}
	f.mu.Lock()
	f.behind[issuer] = f.behind[issuer] && !base
	f.mu.Unlock()
	serials := make([]string, len(news))
	for i, v := range news {
		serials[i] = ledger.SerialText(v.Serial)
	}
	text, err := texts(serials)
	if err != nil {
		return err
	}
	// The CRL is out. It is put on record even if revocations came meanwhile, or the
	// job was given to another worker.
	if err := f.db.transact(ctx, func(tx transaction) error {
		if _, err := tx.exec(ctx, "UPDATE {}revocations SET listed = 1 WHERE serial IN (SELECT value FROM JSON_TEXTS)", text); err != nil {
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

// errLost says that a CRL lacks revocations that were on earlier ones: the state of the CRLs was
// lost, or is an old backup.
var errLost = errors.New("revocations are missing")

// relist has the next CRL made of all revocations.
func (f *Fleet) relist(ctx context.Context, issuer string) error {
	if err := f.db.transact(ctx, func(tx transaction) error {
		if _, err := tx.exec(ctx, "UPDATE {}revocations SET listed = 0 WHERE issuer = $1", issuer); err != nil {
			return err
		}
		_, err := tx.exec(ctx, "UPDATE {}published SET next = 0 WHERE issuer = $1", issuer)
		return err
	}); err != nil {
		return err
	}
	return errMore
}

// longestCRL is above the time after which package publish has a new base CRL made.
const longestCRL = 7 * 24 * time.Hour

// published returns the CRLs that are out. What the CA did not sign is none: it is replaced.
func (f *Fleet) published(ctx context.Context, ca *cba.Issuer) ([]*crl.List, error) {
	if f.c.Published == nil {
		return nil, nil
	}
	out, err := f.c.Published(ctx, ca)
	if err != nil {
		return nil, fmt.Errorf("CRLs that are published: %w", err)
	}
	return slices.DeleteFunc(slices.Clone(out), func(list *crl.List) bool {
		return list == nil || list.Number == nil || list.CheckIssuer(ca.Certificate) != nil
	}), nil
}

// compare looks whether a published CRL is newer than the database, as after the restore of an
// old backup. Whoever is on that CRL is revoked in the ledger, too: nobody gets a
// renewal for a certificate that was revoked.
// It returns the CRLs that are out.
func (f *Fleet) compare(ctx context.Context, ca *cba.Issuer) (out []*crl.List, err error) {
	if out, err = f.published(ctx, ca); err != nil || len(out) == 0 {
		return nil, err
	}
	issuer, behind := keyID(ca), false
	if err = f.db.transact(ctx, func(tx transaction) error {
		var last string
		if _, err := one(ctx, tx, []any{&last}, "SELECT number FROM {}published WHERE issuer = $1", issuer); err != nil {
			return err
		}
		number, ok := new(big.Int).SetString(last, 10)
		for _, list := range out {
			if ok && list.Number.Cmp(number) <= 0 {
				continue
			}
			behind = true
			var serials []string
			entries := map[string]crl.Entry{}
			for e := range list.All() {
				if e.Reason != crl.CertificateHold && e.Reason != crl.RemoveFromCRL {
					serial := ledger.SerialText(e.Serial())
					serials, entries[serial] = append(serials, serial), e
				}
			}
			text, err := texts(serials)
			if err != nil {
				return err
			}
			live := map[string]string{}
			var owner, serial string
			r, err := tx.query(ctx, "SELECT owner, serial FROM {}entries WHERE state <= 3 AND serial IN (SELECT value FROM JSON_TEXTS)", text)
			if err := scanAll(r, err, []any{&owner, &serial}, func() error { live[owner] = serial; return nil }); err != nil {
				return err
			}
			for _, owner := range slices.Sorted(maps.Keys(live)) {
				e := entries[live[owner]]
				if _, err := stop(ctx, tx, owner, e.Time, e.Reason); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.behind[issuer] = behind
	f.mu.Unlock()
	return out, nil
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
