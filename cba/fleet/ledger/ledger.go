package ledger

import (
	"context"
	"fmt"
	"iter"
	"time"

	"example.com/entracba/cba/crl"
)

// A Ledger remembers certificates. It is safe for concurrent use, by goroutines and by
// programs. When a method returns nil, its changes are on the disk; when it returns an
// error, it has changed nothing. Package ledgertest tests an implementation.
type Ledger interface {
	// ID returns a random text that was made with the ledger and never changes. Store
	// it with files that belong to the ledger, to notice when another ledger is opened.
	ID(ctx context.Context) (string, error)

	// Claim asks whether to make a certificate for an owner. If the answer is
	// [Granted], the owner is reserved for the worker. A worker that already has the
	// claim gets it again, with a new lease.
	Claim(ctx context.Context, owner string, claim Claim) (Answer, error)
	// Extend begins the lease anew for all claims that the worker still has.
	Extend(ctx context.Context, worker string, lease time.Duration) error
	// Release gives back the worker's claims for these owners, or all of its claims if
	// no owners are given. Claims of other workers stay.
	Release(ctx context.Context, worker string, owners ...string) error

	// Record adds new certificates for owners that the worker has claimed, and gives
	// the claims back: for all entries or, with an error, for none. If a claim was for
	// a renewal, the live certificate becomes [Renewed], and Entry.Replaces of the new
	// one is set. Record ignores the state of the entries and the times of later states.
	//
	// The error is an *Error with reason ClaimLost, Duplicate or Invalid, or one about
	// the ledger itself. Then throw the private keys of these certificates away.
	Record(ctx context.Context, worker string, entries ...Entry) error

	// Mark moves certificates to [Bound] or [Delivered], all or none, and stores the
	// time. Marking a certificate again changes nothing. The error is an *Error with
	// reason NotFound, Illegal or Invalid.
	Mark(ctx context.Context, state State, at time.Time, serials ...string) error

	// Revoke revokes all certificates of an owner, including renewed and expired ones,
	// and takes away any claim. It returns the certificates that were not revoked
	// before. It publishes no CRL: the caller does.
	//
	// The error is an *Error with reason NotFound if the owner never had a certificate.
	Revoke(ctx context.Context, owner string, at time.Time, reason crl.RevocationReason) ([]Entry, error)

	// Entries returns certificates in the order in which they were recorded, as they
	// were when the loop began. An error comes in the last pair.
	Entries(ctx context.Context, query Query) iter.Seq2[Entry, error]

	// Check reads the whole ledger and reports damage as an *Error with reason Corrupt.
	// Package sqlite takes 0.3 seconds for 100,000 certificates.
	Check(ctx context.Context) error

	// Close closes the ledger. It does not give claims back.
	Close() error
}

// A Claim is a worker's wish to make a certificate.
type Claim struct {
	// Worker tells apart the programs that share a ledger; required. See [NewWorker].
	Worker string
	// Lease is how long the claim holds without [Ledger.Extend]; required.
	Lease time.Duration
	// RenewAt, if set, also grants the claim for a renewal: if the live certificate is
	// due at this time, as [Entry.Due] says with DuePercent.
	RenewAt    time.Time
	DuePercent int
	// Reissue also grants the claim if the owner's certificates are revoked.
	Reissue bool
}

// Check reports a field that is missing or out of range, as an *Error with reason
// Invalid.
func (c Claim) Check() error {
	switch {
	case c.Worker == "" || len(c.Worker) > MaxOwner:
		return &Error{Reason: Invalid, What: "claim", Hint: fmt.Sprintf("set Worker, at most %d bytes", MaxOwner)}
	case c.Lease <= 0:
		return &Error{Reason: Invalid, What: fmt.Sprintf("lease of %v", c.Lease), Hint: "it must be longer than 0"}
	case c.DuePercent < 0 || c.DuePercent > 100:
		return &Error{Reason: Invalid, What: fmt.Sprintf("DuePercent %d", c.DuePercent), Hint: "use 1 to 100, or 0 for the default"}
	}
	return nil
}

// An Answer is a ledger's answer to a claim. The zero value is unset.
type Answer uint8

const (
	// Granted: make the certificate and record it.
	Granted Answer = iota + 1
	// AlreadyIssued: the owner has a live certificate, which is not due.
	AlreadyIssued
	// WasRevoked: the certificates of the owner were revoked.
	WasRevoked
	// Taken: another worker has the claim, and its lease has not expired.
	Taken
)

var answers = texts{"granted", "already-issued", "was-revoked", "taken"}

// String returns "granted", "already-issued", "was-revoked" or "taken".
func (a Answer) String() string { return answers.of(uint8(a)) }

// MarshalText returns the text of [Answer.String]; an unset or unknown answer is an
// error.
func (a Answer) MarshalText() ([]byte, error) { return answers.marshal("answer", uint8(a)) }

// UnmarshalText reads the text of [Answer.String]. The error leaves a as it is.
func (a *Answer) UnmarshalText(text []byte) error {
	v, err := answers.unmarshal("answer", text)
	if err == nil {
		*a = Answer(v)
	}
	return err
}

// A Query selects entries. All conditions must hold; the zero Query selects all entries.
type Query struct {
	Owner  string  // of this owner only
	Serial string  // this one only
	States []State // in one of these states only
	Live   bool    // live ones only
	// DueAt, if set, selects those that are due for renewal at this time, as
	// [Entry.Due] says with DuePercent.
	DueAt      time.Time
	DuePercent int
	// Certificates includes the certificates themselves.
	Certificates bool
}

// Find returns the one entry with this serial number, with its certificate. The
// error is an *Error with reason NotFound if there is none.
func Find(ctx context.Context, l Ledger, serial string) (Entry, error) {
	for e, err := range l.Entries(ctx, Query{Serial: serial, Certificates: true}) {
		return e, err
	}
	return Entry{}, &Error{Reason: NotFound, What: fmt.Sprintf("serial number %q", serial)}
}

// Live returns the one live entry of an owner, with its certificate. The error
// is an *Error with reason NotFound if there is none.
func Live(ctx context.Context, l Ledger, owner string) (Entry, error) {
	for e, err := range l.Entries(ctx, Query{Owner: owner, Live: true, Certificates: true}) {
		return e, err
	}
	return Entry{}, &Error{Reason: NotFound, What: fmt.Sprintf("live certificate of %q", owner)}
}
