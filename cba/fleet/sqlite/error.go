package sqlite

import (
	"context"
	"errors"

	"example.com/entracba/cba/fleet/ledger"
	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// fail turns errors of the driver into those of the ledger.
func (l *Ledger) fail(err error) error {
	var known *ledger.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	reason := ledger.Unavailable
	var e *driver.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
			reason = ledger.Busy
		case lib.SQLITE_READONLY:
			reason = ledger.ReadOnly
		case lib.SQLITE_CORRUPT:
			reason = ledger.Corrupt
		case lib.SQLITE_NOTADB:
			reason = ledger.NotLedger
		case lib.SQLITE_FULL:
			reason = ledger.Full
		case lib.SQLITE_IOERR:
			err = &worded{"the disk reports an error", err}
			switch e.Code() {
			case lib.SQLITE_IOERR_WRITE, lib.SQLITE_IOERR_SHMSIZE, lib.SQLITE_IOERR_TRUNCATE:
				reason, err = ledger.Full, &worded{"the disk may be full", e}
			}
		case lib.SQLITE_INTERRUPT:
			return context.Canceled
		}
	}
	return &ledger.Error{Reason: reason, What: l.what(), Err: err}
}

// A worded error says what its cause says in a number: "disk I/O error (4874)".
type worded struct {
	text  string
	cause error
}

func (w *worded) Error() string { return w.text }
func (w *worded) Unwrap() error { return w.cause }

func isBusy(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) && e.Code()&0xff == lib.SQLITE_BUSY
}

// isUnique reports whether a unique index refused a row.
func isUnique(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) && e.Code() == lib.SQLITE_CONSTRAINT_UNIQUE
}
