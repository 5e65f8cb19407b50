package ledger

import "fmt"

// A Reason is why a ledger did not do what it was asked. The zero value is unset.
type Reason uint8

const (
	// Invalid: what was given cannot be recorded or asked.
	Invalid Reason = iota + 1
	// NotFound: there is no such certificate or request.
	NotFound
	// Illegal: the certificate may not go from its state to that one.
	Illegal
	// ClaimLost: the claim ran out and is another's now, or was taken away by a
	// revocation, or never was. The certificate at hand must be thrown away.
	ClaimLost
	// Duplicate: the ledger has this serial number.
	Duplicate
	// Missing: there is no ledger here, and none was to be made.
	Missing
	// Newer: a newer version of this module wrote the ledger.
	Newer
	// NotLedger: the file is something else.
	NotLedger
	// Corrupt: the ledger is damaged.
	Corrupt
	// ReadOnly: the ledger cannot be written to.
	ReadOnly
	// Full: the disk has no room.
	Full
	// Busy: another program kept the ledger locked for too long.
	Busy
	// Unavailable: the ledger cannot be reached: no such folder, no permission,
	// an I/O error.
	Unavailable
)

// String says the reason in words.
func (r Reason) String() string {
	switch r {
	case Invalid:
		return "cannot be used"
	case NotFound:
		return "is not in the ledger"
	case Illegal:
		return "is not a step that a certificate can take"
	case ClaimLost:
		return "is not claimed by this program any more"
	case Duplicate:
		return "is in the ledger already"
	case Missing:
		return "does not exist or is empty"
	case Newer:
		return "was written by a newer version of this program"
	case NotLedger:
		return "is not a ledger"
	case Corrupt:
		return "is damaged"
	case ReadOnly:
		return "is read-only"
	case Full:
		return "cannot grow: the disk is full"
	case Busy:
		return "is kept locked by another program"
	case Unavailable:
		return "cannot be reached"
	default:
		return fmt.Sprintf("Reason(%d)", uint8(r))
	}
}

// An Error is why a ledger did not do what it was asked. Nothing was changed
// then. Every error of a ledger is one, but for those of a context.
type Error struct {
	Reason Reason
	What   string // what it is about: a serial number, a request, a file
	Err    error  // the cause beneath, if there is one
}

// Error returns "ledger: what reason: cause".
func (e *Error) Error() string {
	text := "ledger: "
	if e.What != "" {
		text += e.What + " "
	}
	text += e.Reason.String()
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an *Error with the same reason and nothing else
// set, so that errors.Is(err, &Error{Reason: Busy}) asks for a reason.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && *t == Error{Reason: e.Reason}
}
