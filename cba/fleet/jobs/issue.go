package jobs

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/pfx"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

type issueArgs struct {
	Owner string `json:"owner" river:"unique"`
	// Replaces is the certificate that is due; empty for a first one.
	Replaces string `json:"replaces,omitempty" river:"unique"`
	// Reissue says that an earlier certificate was revoked, and that there shall be another.
	Reissue bool `json:"reissue,omitempty"`
}

// Kind implements river.JobArgs.
func (issueArgs) Kind() string { return "issue" }

// parse reads the certificate of an entry.
func parse(e ledger.Entry) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(e.Certificate)
	if err != nil {
		return nil, fmt.Errorf("certificate %s of %s: %w", e.Serial, e.Owner, err)
	}
	return cert, nil
}

// names of the files of a certificate.
func fileName(upn, serial string) string     { return upn + "." + serial + ".pfx" }
func passwordName(upn, serial string) string { return upn + "." + serial + ".txt" }

// issue makes the key, the certificate and the PFX. The key is in the memory of this
// process and in the finished PFX, and nowhere else.
func (f *Fleet) issue(ctx context.Context, job *rivertype.JobRow, args issueArgs) (err error) {
	key, err := f.c.KeyType.Generate()
	if err != nil {
		return err
	}
	f.doubt(args.Owner, false)
	given := false
	defer func() { f.doubt(args.Owner, err != nil && !given) }()
	d, err := f.begin(ctx, job, args, key)
	if err != nil || d == nil {
		given = isSnooze(err) // not ours, then
		return err
	}
	cert, err := f.make(ctx, d)
	if err != nil {
		// Without a signature there is no certificate.
		failed := f.giveUp(context.WithoutCancel(ctx), d, cert != nil)
		given = failed == nil
		return errors.Join(err, failed)
	}
	entry, err := ledger.NewEntry(args.Owner, cert, time.Now())
	if err != nil {
		failed := f.giveUp(context.WithoutCancel(ctx), d, true)
		given = failed == nil
		return errors.Join(err, failed)
	}
	err = f.finish(ctx, job, func(tx transaction) error {
		// A revocation may have come since the claim. One that comes now waits for this row, and
		// then finds the certificate in the ledger.
		stopped := false
		if _, err := one(ctx, tx, []any{&stopped}, "SELECT stopped > 0 FROM {}requests WHERE owner = $1 FOR_UPDATE", args.Owner); err != nil {
			return err
		}
		if stopped {
			return &ledger.Error{Reason: ledger.ClaimLost, What: fmt.Sprintf("%q was revoked meanwhile", args.Owner)}
		}
		if err := tx.ledger().Record(ctx, f.worker, entry); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, "DELETE FROM {}attempts WHERE serial = $1", d.serial); err != nil {
			return err
		}
		return f.next(ctx, tx, args.Owner, d.serial, false)
	})
	// After a refusal the certificate does not count. Another error can hide that the
	// transaction was committed: the next attempt, or the next sweep, finds out.
	if errors.Is(err, ledger.ClaimLost) || errors.Is(err, Fenced) {
		failed := f.giveUp(context.WithoutCancel(ctx), d, true)
		given = failed == nil
		err = errors.Join(err, failed)
	}
	return err
}

// next adds the job that follows on the issue of a certificate, or on its binding.
func (f *Fleet) next(ctx context.Context, tx transaction, owner, serial string, isBound bool) error {
	job := river.InsertManyParams{InsertOpts: &river.InsertOpts{Queue: binds, Priority: 2, MaxAttempts: attempts}}
	switch {
	case f.c.Graph != nil && !isBound:
		job.Args = bindArgs{Owner: owner, Serial: serial}
	case f.c.Deliver != nil:
		job.Args, job.InsertOpts.Queue = deliverArgs{Owner: owner, Serial: serial}, deliveries
	default: // the file in its store is the delivery
		return tx.ledger().Mark(ctx, ledger.Delivered, time.Now(), serial)
	}
	return tx.insertNew(ctx, []river.InsertManyParams{job})
}

// A drafted certificate is one that this process is making.
type drafted struct {
	owner, upn, serial string
	key                crypto.Signer
	draft              *cba.Draft
}

// begin claims the user and puts the serial number on record. It returns nil if there is
// nothing to issue; the job has ended then.
func (f *Fleet) begin(ctx context.Context, job *rivertype.JobRow, args issueArgs, key crypto.Signer) (*drafted, error) {
	claim := ledger.Claim{Worker: f.worker, Lease: f.c.Lease, Reissue: args.Reissue}
	if args.Replaces != "" {
		claim.RenewAt, claim.DuePercent = time.Now(), f.c.DuePercent
	}
	var answer ledger.Answer
	var d *drafted
	err := f.db.transact(ctx, func(tx transaction) (err error) {
		if err := fence(ctx, tx, job); err != nil {
			return err
		}
		if answer, err = tx.ledger().Claim(ctx, args.Owner, claim); err != nil {
			return err
		}
		if answer != ledger.Granted {
			return nil
		}
		s, stopped, err := request(ctx, tx, args.Owner)
		if err != nil {
			return err
		}
		if stopped {
			answer = ledger.WasRevoked
			if err := abandon(ctx, tx, "owner = $1", args.Owner); err != nil {
				return err
			}
			return tx.ledger().Release(ctx, f.worker, args.Owner)
		}
		draft, err := f.c.CA.Prepare(key.Public(), s, f.c.Profile)
		if err != nil {
			return err
		}
		d = &drafted{owner: args.Owner, upn: s.UPN, serial: ledger.SerialText(draft.Certificate.SerialNumber), key: key, draft: draft}
		// Attempts that came before and left no certificate are over: the claim is ours.
		if err := abandon(ctx, tx, "owner = $1", args.Owner); err != nil {
			return err
		}
		_, err = tx.exec(ctx, "INSERT INTO {}attempts (serial, owner, upn, issuer, expires, begun) VALUES ($1, $2, $3, $4, $5, NOW)",
			d.serial, d.owner, d.upn, keyID(f.c.CA), draft.Certificate.NotAfter.Unix())
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case answer == ledger.Granted:
		return d, nil
	case answer == ledger.Taken:
		return nil, later(f.c.Lease / 4)
	}
	return nil, f.done(ctx, job) // has one, or was revoked
}

// make writes the password, signs, and writes the PFX. The certificate is not nil if it
// was signed, whatever the error.
//
// What is signed for a store that takes no file is on the CRL for good. So after a failure the
// store has to take a file of zeros first.
func (f *Fleet) make(ctx context.Context, d *drafted) (*x509.Certificate, error) {
	f.mu.Lock()
	wary := f.wary
	f.mu.Unlock()
	if wary {
		if err := f.c.Files.Write(ctx, fileName(d.upn, d.serial), make([]byte, trial)); err != nil {
			return nil, fmt.Errorf("PFX of %s: %w", d.upn, err)
		}
	}
	password := pfx.GeneratePassword()
	if err := f.c.Passwords.Write(ctx, passwordName(d.upn, d.serial), []byte(password+"\n")); err != nil {
		return nil, fmt.Errorf("password of %s: %w", d.upn, err)
	}
	cert, err := f.sign(ctx, d.draft)
	if err != nil {
		return nil, err
	}
	file, err := f.c.Encoding.Encode(pfx.Bundle{Key: d.key, Certificate: cert, Chain: f.c.CA.CACertificates(), FriendlyName: d.upn}, password)
	if err != nil {
		return cert, err
	}
	d.key = nil // it is in the file now, and nowhere else
	err = f.c.Files.Write(ctx, fileName(d.upn, d.serial), file)
	f.mu.Lock()
	f.wary = err != nil
	f.mu.Unlock()
	if err != nil {
		return cert, fmt.Errorf("PFX of %s: %w", d.upn, err)
	}
	return cert, nil
}

// trial is as large as the largest PFX.
const trial = 16 << 10

// sign signs when the CA's key has time.
func (f *Fleet) sign(ctx context.Context, draft *cba.Draft) (*x509.Certificate, error) {
	release, err := f.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return draft.Sign(ctx)
}

// turn waits for one of the signatures that may be in flight.
func (f *Fleet) turn(ctx context.Context) (release func(), err error) {
	if f.signs == nil {
		return func() {}, nil
	}
	select {
	case f.signs <- struct{}{}:
		return func() { <-f.signs }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// giveUp forgets a certificate that does not count: on the CRL if it was signed, and its
// files away.
func (f *Fleet) giveUp(ctx context.Context, d *drafted, signed bool) error {
	err := f.db.transact(ctx, func(tx transaction) error {
		if !signed {
			if _, err := tx.exec(ctx, "UPDATE {}attempts SET given_up = NOW WHERE serial = $1 AND given_up = 0", d.serial); err != nil {
				return err
			}
		} else if err := abandon(ctx, tx, "serial = $1", d.serial); err != nil {
			return err
		}
		return tx.ledger().Release(ctx, f.worker, d.owner)
	})
	err = errors.Join(err, f.remove(ctx, d.upn, d.serial))
	if err != nil {
		return err
	}
	// This process wrote the files, so nobody has to look for them again.
	return f.db.transact(ctx, func(tx transaction) error {
		_, err := tx.exec(ctx, "UPDATE {}attempts SET removed = NOW + $1 WHERE serial = $2", (48 * time.Hour).Microseconds(), d.serial)
		return err
	})
}

// abandon puts certificates on the CRL that were signed, or may have been, and that are
// not in the ledger. Their files are removed by a sweep.
func abandon(ctx context.Context, tx transaction, where string, arg string) error {
	where += " AND given_up = 0"
	var issuer string
	var jobs []river.InsertManyParams
	r, err := tx.query(ctx, "SELECT DISTINCT issuer FROM {}attempts WHERE "+where, arg)
	if err := scanAll(r, err, []any{&issuer}, func() error { jobs = append(jobs, publication(issuer)); return nil }); err != nil || len(jobs) == 0 {
		return err
	}
	if _, err := tx.exec(ctx, `INSERT INTO {}revocations (serial, issuer, revoked, reason, expires)
		SELECT serial, issuer, NOW / 1000000, 4, expires FROM {}attempts WHERE `+where+" ON CONFLICT (serial) DO NOTHING", arg); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "UPDATE {}attempts SET given_up = NOW WHERE "+where, arg); err != nil {
		return err
	}
	return tx.insert(ctx, jobs)
}

// remove removes the files of a certificate that does not count.
func (f *Fleet) remove(ctx context.Context, upn, serial string) error {
	return errors.Join(f.c.Files.Remove(ctx, fileName(upn, serial)), f.c.Passwords.Remove(ctx, passwordName(upn, serial)))
}

// sweep gives up the certificates of workers that died, and removes the files of those
// that were given up. It removes them now and then for a day, so that a worker that was
// stopped in the middle and goes on leaves nothing.
func (f *Fleet) sweep(ctx context.Context) error {
	return errors.Join(f.sweepDead(ctx), f.sweepFiles(ctx))
}

// sweepDead gives up the certificates of workers that died.
func (f *Fleet) sweepDead(ctx context.Context) error {
	return f.db.transact(ctx, func(tx transaction) error {
		// An owner without a claim is in nobody's work. The claim is gone with the
		// record, which deletes the attempt, too.
		var owners []string
		var owner string
		r, err := tx.query(ctx, `SELECT DISTINCT owner FROM {}attempts a WHERE given_up = 0 AND begun < NOW - $1
			AND NOT EXISTS (SELECT 1 FROM {}river_job WHERE state = 'running' AND kind = 'issue' AND args ->> 'owner' = a.owner)
			ORDER BY owner`, (2 * f.c.Lease).Microseconds())
		if err := scanAll(r, err, []any{&owner}, func() error { owners = append(owners, owner); return nil }); err != nil {
			return err
		}
		for _, owner := range owners {
			// The claim keeps the owner ours until the transaction ends.
			answer, err := tx.ledger().Claim(ctx, owner, ledger.Claim{Worker: f.worker + ":sweep", Lease: f.c.Lease, Reissue: true, RenewAt: time.Now(), DuePercent: 100})
			if err != nil {
				return err
			}
			if answer != ledger.Granted {
				continue
			}
			if err := abandon(ctx, tx, "owner = $1", owner); err != nil {
				return err
			}
			if err := tx.ledger().Release(ctx, f.worker+":sweep", owner); err != nil {
				return err
			}
		}
		return nil
	})
}

// sweepFiles removes the files of certificates that were given up.
func (f *Fleet) sweepFiles(ctx context.Context) error {
	type file struct{ upn, serial string }
	var files []file
	err := f.db.transact(ctx, func(tx transaction) error {
		var e file
		r, err := tx.query(ctx, "SELECT upn, serial FROM {}attempts WHERE given_up > 0 AND removed < NOW - $1 ORDER BY removed LIMIT 1000", (10 * time.Minute).Microseconds())
		return scanAll(r, err, []any{&e.upn, &e.serial}, func() error { files = append(files, e); return nil })
	})
	if err != nil {
		return err
	}
	removed := []string{}
	for _, e := range files {
		if failed := f.remove(ctx, e.upn, e.serial); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		removed = append(removed, e.serial)
	}
	text, failed := texts(removed)
	if failed != nil {
		return errors.Join(err, failed)
	}
	return errors.Join(err, f.db.transact(ctx, func(tx transaction) error {
		if _, err := tx.exec(ctx, "UPDATE {}attempts SET removed = NOW WHERE serial IN (SELECT value FROM JSON_TEXTS)", text); err != nil {
			return err
		}
		_, err := tx.exec(ctx, "DELETE FROM {}attempts WHERE given_up > 0 AND given_up < NOW - 86400000000")
		return err
	}))
}
