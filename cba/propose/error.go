package propose

import (
	"strings"
)

// A Reason says why there is no proposal. It is an error, so that errors.Is(err,
// propose.NoUsers) tells what happened.
type Reason string

const (
	// NoUsers is an empty list of users.
	NoUsers Reason = "no-users"
	// TooMany is more than a trust store can hold; the error of package trust or signin
	// is in the chain.
	TooMany Reason = "too-many-cas"
)

// Error returns the reason in words.
func (r Reason) Error() string { return "propose: " + strings.ReplaceAll(string(r), "-", " ") }

// An Error says why there is no proposal.
type Error struct {
	Reason Reason
	Err    error // the cause, or nil
}

// Error returns the reason and the cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Reason.Error()
	}
	return e.Reason.Error() + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the reason.
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}
