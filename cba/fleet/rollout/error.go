package rollout

import (
	"cmp"
	"strings"
)

// A Reason is why a run stopped or did not begin: a short text that is stable, and an
// error for [errors.Is]. The zero value is unset.
type Reason string

const (
	// OtherLedger: the folder belongs to another ledger. Nothing was changed.
	OtherLedger Reason = "other-ledger"
	// OtherFolder: the files of the ledger are not in the folder. Nothing was changed.
	OtherFolder Reason = "other-folder"
	// MissingFile: the ledger has a certificate whose files are not in the folder.
	MissingFile Reason = "missing-file"
	// Damaged: a file is not as this package wrote it.
	Damaged Reason = "damaged"
	// Stopped: the list was not finished, because the context ended or because what
	// failed would fail for everyone: a full disk, a CA key that does not sign. What
	// was issued is recorded. Run again to continue.
	Stopped Reason = "stopped"
)

// Error returns the reason in words, "rollout: missing file".
func (r Reason) Error() string { return "rollout: " + r.words() }

func (r Reason) words() string {
	switch r {
	case OtherLedger:
		return "the folder belongs to another ledger"
	case OtherFolder:
		return "the folder does not hold the files of the ledger"
	case Stopped:
		return "stopped before the list was finished"
	}
	return strings.ReplaceAll(string(cmp.Or(r, "unset")), "-", " ")
}

// An Error is why a run stopped or did not begin. It holds no password and no key.
type Error struct {
	Reason Reason
	What   string // what it is about: a folder, a file, a user
	Hint   string // what to do about it
	Err    error  // the cause, if there is one
}

// Error returns "rollout: what: reason: cause; what to do".
func (e *Error) Error() string {
	text := "rollout: "
	if e.What != "" {
		text += e.What + ": "
	}
	text += e.Reason.words()
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if e.Hint != "" {
		text += "; " + e.Hint
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
