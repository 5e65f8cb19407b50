package rollout

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/pfx"
)

// Issue are the options of [Rollout.Issue]. The zero value issues for every user of the
// list who has no certificate, and whose certificate was not revoked, with RSA 2048 keys
// and PFX files that every system can open.
type Issue struct {
	Profile  cba.Profile
	KeyType  cba.KeyType
	Encoding pfx.Encoding // zero means pfx.Compatible
	// Workers is how many certificates are made at once; zero means one for each core.
	Workers int

	// Renew also replaces certificates that are due: those with DuePercent or less of
	// their validity left. Zero means cba.DefaultRenewal.
	Renew      bool
	DuePercent int
	// Reissue also issues for users whose certificate was revoked.
	Reissue bool

	// Password returns the password for a user's PFX file; nil, or an empty password,
	// means a random one. Several goroutines call it at the same time.
	Password func(cba.Subject) string
	// Failed, if set, is called once for each user who gets no certificate.
	Failed func(cba.Subject, error)
	// Progress, if set, is called after each user, in the first pass through the list.
	Progress func()
	// Waiting, if set, is called once if Issue has to wait for other runs, with the
	// number of users that they have reserved.
	Waiting func(users int)
}

// Counts are numbers of users.
type Counts struct {
	Issued        int `json:"issued"`        // new certificates and renewals
	AlreadyIssued int `json:"alreadyIssued"` // skipped: they have a certificate
	WereRevoked   int `json:"wereRevoked"`   // skipped: their certificate was revoked
	Failed        int `json:"failed"`
}

// Issue issues certificates for the users of a list. Every user needs a UPN that
// folder.CheckName accepts. Issue reads the list again as long as other runs have users
// of it reserved; a run that was killed keeps its users reserved until its lease
// expires.
//
// If one user fails, the list continues. If the list was not finished, the error is an
// *[Error] with reason Stopped; the counts are right even then. Always call
// [Rollout.Finish] afterwards.
func (r *Rollout) Issue(ctx context.Context, ca *cba.Issuer, list iter.Seq2[cba.Task, error], o Issue) (Counts, error) {
	if o.Encoding == 0 {
		o.Encoding = pfx.Compatible
	}
	if _, err := r.compare(ctx, firstCA, ca); err != nil { // before anybody gets a renewal
		return Counts{}, err
	}
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	p := &issuing{Rollout: r, Issue: o, ca: ca, list: list, abort: abort, failed: map[string]bool{}}
	started := r.now()
	for first := true; ; first = false {
		journal := &ledger.Journal{
			Ledger: r.ledger,
			Claim:  ledger.Claim{Worker: r.worker, Lease: r.lease, Reissue: o.Reissue},
			Lost:   func(result cba.Result) { r.discard(result.Task.Subject.UPN, result.Certificate) },
			Now:    r.now,
		}
		if o.Renew {
			journal.Claim.RenewAt, journal.Claim.DuePercent = started, o.DuePercent
		}
		err := p.pass(ctx, journal, first)
		counts := journal.Counts()
		p.counts.Issued += counts.Recorded
		p.counts.WereRevoked = counts.WasRevoked
		if first {
			p.counts.AlreadyIssued = counts.AlreadyIssued
		}
		p.counts.Failed = len(p.failed)
		if err != nil {
			return p.counts, err
		}
		if counts.Taken == 0 && counts.Lost == 0 {
			return p.counts, nil
		}
		if first && o.Waiting != nil {
			o.Waiting(counts.Taken)
		}
		select {
		case <-ctx.Done(): // the next pass says so
		case <-time.After(min(r.lease/4, time.Second)):
		}
	}
}

// issuing is one call of Issue.
type issuing struct {
	*Rollout
	Issue
	ca     *cba.Issuer
	list   iter.Seq2[cba.Task, error]
	abort  context.CancelCauseFunc // ends the list: for what would fail for everyone
	failed map[string]bool         // by owner
	counts Counts
}

// pass gives the list to the issuer.
func (p *issuing) pass(ctx context.Context, journal *ledger.Journal, first bool) error {
	results := p.ca.IssueAll(ctx, p.tasks(), cba.Bulk{
		Profile: p.Profile,
		KeyType: p.KeyType,
		Workers: p.Workers,
		Journal: recorder{journal, p},
		Finish:  p.finish,
		Progress: func(cba.Progress) {
			if first && p.Progress != nil {
				p.Progress()
			}
		},
	})
	for result, err := range results {
		subject := result.Task.Subject
		switch {
		case err == nil:
		case subject.UPN == "" || ctx.Err() != nil:
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			return &Error{Reason: Stopped, What: fmt.Sprintf("%d certificates issued", p.counts.Issued+journal.Counts().Recorded), Err: err}
		default:
			p.fail(subject, err)
			var e *cba.Error
			if errors.As(err, &e) && e.Reason == cba.SignerFailed {
				p.abort(err) // the key fails for everyone
			}
		}
	}
	return nil
}

// tasks are the users of the list, without those that have failed in this run.
func (p *issuing) tasks() iter.Seq2[cba.Task, error] {
	return func(yield func(cba.Task, error) bool) {
		for task, err := range p.list {
			if err == nil {
				if p.failed[ledger.OwnerOf(task.Subject)] {
					continue
				}
				if err := folder.CheckName(task.Subject.UPN); err != nil {
					p.fail(task.Subject, err)
					continue
				}
			}
			if !yield(task, err) {
				return
			}
		}
	}
}

func (p *issuing) fail(subject cba.Subject, err error) {
	p.failed[ledger.OwnerOf(subject)] = true
	if p.Failed != nil {
		p.Failed(subject, err)
	}
}

// A recorder is the journal, and remembers what this run renewed.
type recorder struct {
	*ledger.Journal
	p *issuing
}

func (r recorder) Record(ctx context.Context, result cba.Result) error {
	if err := r.Journal.Record(ctx, result); err != nil {
		r.p.abort(err) // the ledger fails for everyone
		return err
	}
	if r.p.Renew {
		r.p.own[ledger.SerialText(result.Certificate.SerialNumber)] = true
	}
	return nil
}

// An opener lies beside a PFX file.
type opener struct {
	Password    string `json:"password"`
	PFXEncoding string `json:"pfxEncoding"`
}

// finish packs the PFX and writes the files. Several goroutines call it.
func (p *issuing) finish(_ context.Context, result *cba.Result) error {
	subject := result.Task.Subject
	password := ""
	if p.Password != nil {
		password = p.Password(subject)
	}
	if password == "" {
		password = pfx.GeneratePassword()
	}
	file, err := p.Encoding.Encode(pfx.Bundle{
		Key:          result.Key,
		Certificate:  result.Certificate,
		Chain:        p.ca.CACertificates(),
		Proof:        result.Proof,
		FriendlyName: subject.UPN,
	}, password)
	if err != nil {
		return err
	}
	result.Key = nil // it is in the file now, and nowhere else
	beside, err := json.Marshal(opener{password, p.Encoding.String()})
	if err != nil {
		return err
	}
	serial := ledger.SerialText(result.Certificate.SerialNumber)
	f := filesOf(subject.UPN, serial)
	err = p.journal.intend(intent{subject.UPN, serial})
	if err == nil {
		err = p.writeCertificate(f.certificate, result.Certificate)
	}
	if err == nil {
		err = p.writeBytes(f.pfx, secret, true, file)
	}
	if err == nil {
		err = p.writeBytes(f.opener, secret, true, append(beside, '\n'))
	}
	if err == nil {
		err = p.syncFolder(usersName)
	}
	if err != nil {
		p.discard(subject.UPN, result.Certificate)
		p.abort(err) // a disk that is full is full for everyone
	}
	return err
}

// writeCertificate does not flush the file, for flushes take most of the time: after a
// power cut, the file is written again from the ledger.
func (r *Rollout) writeCertificate(name string, cert *x509.Certificate) error {
	return r.writeBytes(name, public, false, cba.EncodeCertificates(cert))
}
