package jobs

import (
	"cmp"
	"strings"
)

// A Reason is why something was not done: a short text that is stable, and an error for
// [errors.Is]. The zero value is unset.
type Reason string

const (
	// Invalid: the configuration or an argument cannot be used.
	Invalid Reason = "invalid"
	// Newer: a newer version of this module made the tables.
	Newer Reason = "written-by-a-newer-version"
	// Fenced: the job was given to another worker, so this one changed nothing.
	Fenced Reason = "job-given-to-another-worker"
	// NotWritable: only Microsoft Entra Connect writes the values of this user.
	NotWritable Reason = "user-is-synced"
)

// Error returns the reason in words, "jobs: invalid".
func (r Reason) Error() string { return "jobs: " + r.words() }

func (r Reason) words() string { return strings.ReplaceAll(string(cmp.Or(r, "unset")), "-", " ") }

// An Error is why something was not done. It contains no key and no password.
type Error struct {
	Reason Reason
	What   string // what it is about, and what to do
	Err    error  // the cause, if there is one
}

// Error returns "jobs: reason: what: cause".
func (e *Error) Error() string {
	text := e.Reason.Error()
	if e.What != "" {
		text += ": " + e.What
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the reason of e.
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}
