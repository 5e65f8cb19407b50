package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.com/entracba/cba"
)

// DefaultLease is how long a claim holds while its worker is silent.
const DefaultLease = 15 * time.Second

// A Journal connects cba.Issuer.IssueAll to a ledger: set cba.Bulk.Journal to it. It
// claims each user before a certificate is made, records the certificate after
// cba.Bulk.Finish, and extends its claims in between. Any number of programs can work
// on the same list with the same ledger: each certificate is made once.
//
// Users whom another program has claimed are skipped. [Journal.Counts] says how many;
// issue the list again later to check on them. A Journal is for one list at a time.
type Journal struct {
	Ledger Ledger // required

	// Claim is used for every user. An empty Worker means a random name, a zero Lease
	// means [DefaultLease].
	Claim Claim
	// Owner returns the owner for a user; nil means [OwnerOf].
	Owner func(cba.Subject) string
	// Lost is called with a result that was not recorded because its claim was lost:
	// throw the certificate and its key away. The list continues. If Lost is nil, the
	// list ends with an error instead.
	Lost func(cba.Result)
	// Now is the clock of the certificates' times and of the lease; nil means
	// time.Now.
	Now func() time.Time

	counts   Counts
	extended time.Time
}

// Counts are how often a [Journal] got each answer, and how many results were recorded
// or lost.
type Counts struct {
	Granted, AlreadyIssued, WasRevoked, Taken int
	Recorded, Lost                            int
}

// OwnerOf returns the owner for a user who has one certificate: the UPN in lower case;
// without one, the first e-mail address in lower case with "mail:" in front; without
// either, the distinguished name with "dn:" in front.
func OwnerOf(s cba.Subject) string {
	switch {
	case s.UPN != "":
		return strings.ToLower(s.UPN)
	case len(s.Emails) > 0:
		return "mail:" + strings.ToLower(s.Emails[0])
	default:
		return "dn:" + s.Name.String()
	}
}

// NewWorker returns a random name that no other worker has.
func NewWorker() string { return rand.Text() }

// Counts returns the counts so far.
func (j *Journal) Counts() Counts { return j.counts }

func (j *Journal) now() time.Time {
	if j.Now == nil {
		return time.Now()
	}
	return j.Now()
}

func (j *Journal) owner(s cba.Subject) string {
	if j.Owner == nil {
		return OwnerOf(s)
	}
	return j.Owner(s)
}

// Done implements cba.Journal: it claims the user.
func (j *Journal) Done(ctx context.Context, subject cba.Subject) (bool, error) {
	if j.Claim.Worker == "" {
		j.Claim.Worker = NewWorker()
	}
	if j.Claim.Lease == 0 {
		j.Claim.Lease = DefaultLease
	}
	if err := j.extend(ctx); err != nil {
		return false, err
	}
	answer, err := j.Ledger.Claim(ctx, j.owner(subject), j.Claim)
	if err != nil {
		return false, err
	}
	switch answer {
	case Granted:
		j.counts.Granted++
		return false, nil
	case AlreadyIssued:
		j.counts.AlreadyIssued++
	case WasRevoked:
		j.counts.WasRevoked++
	case Taken:
		j.counts.Taken++
	default:
		return false, &Error{Reason: Invalid, What: fmt.Sprintf("answer of the ledger (%v)", answer)}
	}
	return true, nil
}

// Record implements cba.Journal: it records the certificate.
func (j *Journal) Record(ctx context.Context, result cba.Result) error {
	if err := j.extend(ctx); err != nil {
		return err
	}
	entry, err := NewEntry(j.owner(result.Task.Subject), result.Certificate, j.now())
	if err != nil {
		return err
	}
	err = j.Ledger.Record(ctx, j.Claim.Worker, entry)
	switch {
	case err == nil:
		j.counts.Recorded++
	case j.Lost != nil && errors.Is(err, ClaimLost):
		j.counts.Lost++
		j.Lost(result)
		err = nil
	}
	return err
}

// extend renews the claims when a third of the lease is over.
func (j *Journal) extend(ctx context.Context) error {
	now := j.now()
	if now.Sub(j.extended) < j.Claim.Lease/3 {
		return nil
	}
	j.extended = now
	return j.Ledger.Extend(ctx, j.Claim.Worker, j.Claim.Lease)
}

// Release gives back the remaining claims: those for users whose certificate failed.
// Call it at the end of the list, with a context that has not ended with it.
func (j *Journal) Release(ctx context.Context) error {
	if j.Claim.Worker == "" {
		return nil // never asked
	}
	return j.Ledger.Release(ctx, j.Claim.Worker)
}
