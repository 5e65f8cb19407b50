package ledger

import (
	"context"
	"fmt"
	"iter"
	"time"

	"example.com/entracba/cba/crl"
)

// A Ledger remembers certificates. It is safe for concurrent use, by goroutines
// and by programs. When a method returns nil, what it did is on the disk and
// stays; when it returns an error, it did nothing. Package ledgertest says in
// code what an implementation must do.
type Ledger interface {
	// ID returns a random text that was made with the ledger and never changes. Keep
	// it beside files that belong to the ledger, so that another ledger is noticed.
	ID(ctx context.Context) (string, error)

	// Claim asks whether a certificate is to be made for a request, and reserves
	// the request if so. A holder that claims what it holds has its lease renewed.
	Claim(ctx context.Context, request string, claim Claim) (Answer, error)
	// Extend renews the lease of everything that a holder has claimed, as long as
	// nobody else has taken it.
	Extend(ctx context.Context, holder string, lease time.Duration) error
	// Release gives claims back: those of these requests, or all of the holder's
	// if there are none. What the holder does not hold is left alone.
	Release(ctx context.Context, holder string, requests ...string) error

	// Record adds new certificates, made for requests that the holder has claimed,
	// and gives the claims back: all of them or, with an error, none. Where the
	// claim was for a renewal, the certificate that was live becomes [Renewed], and
	// Entry.Replaces of the new one is set. State and the times of later states are
	// not taken from the entries.
	//
	// The error is an *Error with reason ClaimLost, Duplicate or Invalid, or one
	// about the ledger itself. Private keys of certificates that were not recorded
	// must be thrown away.
	Record(ctx context.Context, holder string, entries ...Entry) error

	// Mark says that certificates are [Bound] or [Delivered] since a time: all or
	// none. Saying it again changes nothing. The error is an *Error with reason
	// NotFound, Illegal or Invalid.
	Mark(ctx context.Context, state State, at time.Time, serials ...string) error

	// Revoke takes all certificates of a request out of use, also those that were
	// renewed or have expired, and any claim for it. It returns those that were not
	// revoked before. Publishing a revocation list is up to the caller.
	//
	// The error is an *Error with reason NotFound if the request never had one.
	Revoke(ctx context.Context, request string, at time.Time, reason crl.RevocationReason) ([]Entry, error)

	// Entries returns certificates in the order in which they were recorded, as
	// they were when the loop began. If an error comes it is the last pair.
	Entries(ctx context.Context, query Query) iter.Seq2[Entry, error]

	// Check reads the whole ledger and reports damage as an *Error with reason
	// Corrupt. It takes time.
	Check(ctx context.Context) error

	// Close ends the use of the ledger. Claims are not given back.
	Close() error
}

// A Claim says who wants to make a certificate, and when.
type Claim struct {
	// Holder tells the programs apart that share a ledger; required.
	Holder string
	// Lease is how long the claim holds without [Ledger.Extend]; required.
	Lease time.Duration
	// RenewAt, if it is set, asks for a renewal as well: the claim is granted too if
	// the live certificate is due at this time (see [Entry.Due], with DuePercent).
	RenewAt    time.Time
	DuePercent int
	// Reissue grants the claim also if the certificates of the request are revoked.
	Reissue bool
}

// Check reports what is missing, as an *Error with reason Invalid.
func (c Claim) Check() error {
	switch {
	case c.Holder == "" || len(c.Holder) > MaxRequest:
		return &Error{Reason: Invalid, What: "claim", Hint: fmt.Sprintf("set Holder, at most %d bytes", MaxRequest)}
	case c.Lease <= 0:
		return &Error{Reason: Invalid, What: fmt.Sprintf("lease of %v", c.Lease), Hint: "it must be longer than 0"}
	case c.DuePercent < 0 || c.DuePercent > 100:
		return &Error{Reason: Invalid, What: fmt.Sprintf("DuePercent %d", c.DuePercent), Hint: "use 1 to 100, or 0 for the default"}
	}
	return nil
}

// An Answer is what a ledger says to a claim. The zero value is unset.
type Answer uint8

const (
	// Granted: make the certificate and record it.
	Granted Answer = iota + 1
	// HasOne: the request has a live certificate, which is not due.
	HasOne
	// WasRevoked: the certificates of the request were revoked.
	WasRevoked
	// Taken: another holder is at it, or was until a moment ago.
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

// A Query says which entries are wanted. The zero Query wants all of them.
type Query struct {
	Request string  // of this request only
	Serial  string  // this one only
	States  []State // in one of these states only
	Live    bool    // live ones only
	// DueAt, if it is set, wants those that are due for renewal at this time; see
	// [Entry.Due].
	DueAt      time.Time
	DuePercent int
	// Certificates asks for the certificates, too.
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

// Live returns the one live entry of a request, with its certificate. The error
// is an *Error with reason NotFound if there is none.
func Live(ctx context.Context, l Ledger, request string) (Entry, error) {
	for e, err := range l.Entries(ctx, Query{Request: request, Live: true, Certificates: true}) {
		return e, err
	}
	return Entry{}, &Error{Reason: NotFound, What: fmt.Sprintf("live certificate of %q", request)}
}
