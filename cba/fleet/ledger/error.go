package ledger

import (
	"cmp"
	"strings"
)

// A Reason is why a ledger did not do what it was asked: a short text that is stable,
// and an error for [errors.Is]. The zero value is unset.
type Reason string

const (
	// Invalid: what was given cannot be recorded or asked.
	Invalid Reason = "invalid"
	// NotFound: there is no such certificate or owner.
	NotFound Reason = "not-found"
	// Illegal: the certificate may not go from its state to that one.
	Illegal Reason = "not-allowed-in-this-state"
	// ClaimLost: the claim expired and another program has it now, or a revocation took
	// it away, or there never was one. The certificate at hand must be thrown away.
	ClaimLost Reason = "claim-lost"
	// Duplicate: the ledger has this serial number already.
	Duplicate Reason = "already-recorded"
	// Missing: there is no ledger, and none was to be made.
	Missing Reason = "no-ledger-here"
	// Newer: a newer version of this module wrote the ledger.
	Newer Reason = "written-by-a-newer-version"
	// NotLedger: the file is something else.
	NotLedger Reason = "not-a-ledger"
	// Corrupt: the ledger is damaged.
	Corrupt Reason = "damaged"
	// ReadOnly: the ledger cannot be written to.
	ReadOnly Reason = "read-only"
	// Full: the disk is full.
	Full Reason = "disk-full"
	// Busy: another program kept the ledger locked for too long.
	Busy Reason = "locked-by-another-program"
	// Unavailable: the ledger cannot be reached: no such folder, no permission, an I/O
	// error.
	Unavailable Reason = "cannot-be-reached"
)

// Error returns the reason in words, "ledger: not found".
func (r Reason) Error() string { return "ledger: " + r.words() }

func (r Reason) words() string { return strings.ReplaceAll(string(cmp.Or(r, "unset")), "-", " ") }

// advice is what to do about an error that has no hint of its own.
func (r Reason) advice() string {
	switch r {
	case NotFound:
		return "check the name or serial number, and that this is the right ledger"
	case Illegal:
		return "a certificate only moves forward: issued, bound, delivered, renewed, revoked"
	case ClaimLost:
		return "throw the certificate and its key away"
	case Duplicate:
		return "issue with a new serial number"
	case Missing:
		return "check the path"
	case Newer:
		return "use the newer version of the program"
	case NotLedger:
		return "check the path; the file was not changed"
	case Corrupt:
		return "restore it from a backup"
	case ReadOnly:
		return "allow this user to write the file and its folder"
	case Full:
		return "free some space and try again"
	case Busy:
		return "try again when the other program is done"
	case Unavailable:
		return "check that its folder exists and that this user may use it"
	}
	return ""
}

// An Error is why a ledger did not do what it was asked. Nothing was changed then.
// Every error of a ledger is one, except those of a context.
//
// Branch on the reason with [errors.Is]: errors.Is(err, ledger.Busy).
type Error struct {
	Reason Reason
	What   string // what it is about: a serial number, an owner, a file
	Hint   string // what to do about it; empty for the advice that goes with the reason
	Err    error  // the cause, if there is one
}

// Error returns "ledger: what: reason: cause; what to do".
func (e *Error) Error() string {
	text := "ledger: "
	if e.What != "" {
		text += e.What + ": "
	}
	text += e.Reason.words()
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if hint := cmp.Or(e.Hint, e.Reason.advice()); hint != "" {
		text += "; " + hint
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
