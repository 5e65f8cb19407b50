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

// DefaultLease is how long a claim holds without word from its holder.
const DefaultLease = 15 * time.Second

// A Journal makes a ledger the memory of cba.Issuer.IssueAll: give it as
// cba.Bulk.Journal. It claims every user of the list before a certificate is
// made, records the certificate after cba.Bulk.Finish, and keeps its claims alive
// meanwhile. Any number of programs can give the same list to the same ledger:
// each certificate is made once.
//
// Users whom another program is at are skipped; see [Journal.Counts], and give
// the list again once it has had the time. A Journal is for one list at a time.
type Journal struct {
	Ledger  Ledger          // required
	Context context.Context // for calls of the ledger; nil means context.Background

	// Claim is what to ask for. An empty Holder means a random name, a zero Lease
	// means [DefaultLease].
	Claim Claim
	// Request names the request of a user; nil means [RequestOf].
	Request func(cba.Subject) string
	// Lost is called with a result whose claim was lost, so that it was not
	// recorded: forget it. The list goes on. Nil means that this ends the list.
	Lost func(cba.Result)
	// Now is the clock of the certificates' times and of the lease; nil means
	// time.Now.
	Now func() time.Time

	counts   Counts
	extended time.Time
}

// Counts are how often a [Journal] got which answer, and how many results were
// recorded and lost.
type Counts struct {
	Granted, HasOne, WasRevoked, Taken int
	Recorded, Lost                     int
}

// RequestOf returns the request of a user who has one certificate: the UPN, else
// the first e-mail address, else the distinguished name, in lower case, as
// cba.Issuer.IssueAll tells users apart.
func RequestOf(s cba.Subject) string {
	switch {
	case s.UPN != "":
		return strings.ToLower(s.UPN)
	case len(s.Emails) > 0:
		return "mail:" + strings.ToLower(s.Emails[0])
	default:
		return "dn:" + s.Name.String()
	}
}

// NewHolder returns a name that no other program has.
func NewHolder() string { return rand.Text() }

// Counts returns the counts so far.
func (j *Journal) Counts() Counts { return j.counts }

func (j *Journal) context() context.Context {
	if j.Context == nil {
		return context.Background()
	}
	return j.Context
}

func (j *Journal) now() time.Time {
	if j.Now == nil {
		return time.Now()
	}
	return j.Now()
}

func (j *Journal) request(s cba.Subject) string {
	if j.Request == nil {
		return RequestOf(s)
	}
	return j.Request(s)
}

// Done is part of cba.Journal: it claims the user.
func (j *Journal) Done(subject cba.Subject) (bool, error) {
	if j.Claim.Holder == "" {
		j.Claim.Holder = NewHolder()
	}
	if j.Claim.Lease == 0 {
		j.Claim.Lease = DefaultLease
	}
	if err := j.extend(); err != nil {
		return false, err
	}
	answer, err := j.Ledger.Claim(j.context(), j.request(subject), j.Claim)
	if err != nil {
		return false, err
	}
	switch answer {
	case Granted:
		j.counts.Granted++
		return false, nil
	case HasOne:
		j.counts.HasOne++
	case WasRevoked:
		j.counts.WasRevoked++
	case Taken:
		j.counts.Taken++
	default:
		return false, &Error{Reason: Invalid, What: fmt.Sprintf("answer of the ledger (%v)", answer)}
	}
	return true, nil
}

// Record is part of cba.Journal: it records the certificate.
func (j *Journal) Record(result cba.Result) error {
	if err := j.extend(); err != nil {
		return err
	}
	entry, err := NewEntry(j.request(result.Task.Subject), result.Certificate, j.now())
	if err != nil {
		return err
	}
	err = j.Ledger.Record(j.context(), j.Claim.Holder, entry)
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
func (j *Journal) extend() error {
	now := j.now()
	if now.Sub(j.extended) < j.Claim.Lease/3 {
		return nil
	}
	j.extended = now
	return j.Ledger.Extend(j.context(), j.Claim.Holder, j.Claim.Lease)
}

// Release gives back what is still claimed, for users whose certificate failed.
// Call it when the list is over.
func (j *Journal) Release() error {
	if j.Claim.Holder == "" {
		return nil // never asked
	}
	return j.Ledger.Release(context.WithoutCancel(j.context()), j.Claim.Holder)
}
