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

// Issue says how certificates are issued. The zero value issues for everybody on the
// list who has no certificate and never had one revoked, with RSA 2048 keys and PFX
// files that every system opens.
type Issue struct {
	Profile  cba.Profile
	KeyType  cba.KeyType
	Encoding pfx.Encoding // zero means pfx.Compatible
	// Workers is how many certificates are made at once; zero means one for each core.
	Workers int

	// Renew also replaces certificates that are due: those of whose validity DuePercent
	// or less is left. Zero means cba.DefaultRenewal.
	Renew      bool
	DuePercent int
	// Reissue also issues for users whose certificate was revoked.
	Reissue bool

	// Password gives the password of a user's PFX file; nil, or an empty answer, means
	// a random one. It is called by several goroutines.
	Password func(cba.Subject) string
	// Failed is called for each user who gets no certificate; nil means nothing.
	Failed func(cba.Subject, error)
	// Progress is called after each user of the list, the first time through it; nil
	// means nothing.
	Progress func()
	// Waiting is called once if the end of the list has to wait for other runs, with
	// the number of their users; nil means nothing.
	Waiting func(users int)
}

// Counts are what [Rollout.Issue] came to, in users.
type Counts struct {
	Issued      int `json:"issued"`      // new certificates and renewals
	HadOne      int `json:"hadOne"`      // already issued
	WereRevoked int `json:"wereRevoked"` // their certificate was revoked, and they get no other
	Failed      int `json:"failed"`
}

// Issue issues for the users of a list. list is read again for users whom another run
// had reserved, until nobody on the list is reserved; a run that was killed keeps
// its users reserved for the length of its lease. Every user needs a UPN that
// folder.CheckName accepts.
//
// A user who fails does not end the list. The error is an *[Error] with reason
// Stopped if the list was not finished; the counts are true also then. Call
// [Rollout.Finish] afterwards in any case.
func (r *Rollout) Issue(ctx context.Context, ca *cba.Issuer, list iter.Seq2[cba.Task, error], o Issue) (Counts, error) {
	if o.Encoding == 0 {
		o.Encoding = pfx.Compatible
	}
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	p := &issuing{Rollout: r, Issue: o, ca: ca, list: list, abort: abort, failed: map[string]bool{}}
	started := r.now()
	for first := true; ; first = false {
		journal := &ledger.Journal{
			Ledger:  r.ledger,
			Context: context.WithoutCancel(ctx), // what was issued is recorded
			Claim:   ledger.Claim{Holder: r.holder, Lease: r.lease, Reissue: o.Reissue},
			Lost:    func(result cba.Result) { r.discard(result.Task.Subject.UPN, result.Certificate) },
			Now:     r.now,
		}
		if o.Renew {
			journal.Claim.RenewAt, journal.Claim.DuePercent = started, o.DuePercent
		}
		err := p.pass(ctx, journal, first)
		counts := journal.Counts()
		p.counts.Issued += counts.Recorded
		p.counts.WereRevoked = counts.WasRevoked
		if first {
			p.counts.HadOne = counts.HasOne
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
	failed map[string]bool         // by request
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
				if p.failed[ledger.RequestOf(task.Subject)] {
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
	p.failed[ledger.RequestOf(subject)] = true
	if p.Failed != nil {
		p.Failed(subject, err)
	}
}

// A recorder is the journal, and remembers what this run renewed.
type recorder struct {
	*ledger.Journal
	p *issuing
}

func (r recorder) Record(result cba.Result) error {
	if err := r.Journal.Record(result); err != nil {
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

// finish packs the PFX and writes the files, on a worker.
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

// writeCertificate writes a file that need not be flushed, which takes longer than
// all else: after a power cut it is written again from the ledger.
func (r *Rollout) writeCertificate(name string, cert *x509.Certificate) error {
	return r.writeBytes(name, public, false, cba.EncodeCertificates(cert))
}
