package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"example.com/entracba/cba/fleet/ledger"
	"github.com/jackc/pgx/v5/pgconn"
)

// fail turns errors of the driver into those of the ledger.
func (l *Ledger) fail(err error) error {
	var known *ledger.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return l.error(reasonOf(err), err)
}

// error says what to do where the advice of package ledger is about files.
func (l *Ledger) error(reason ledger.Reason, err error) *ledger.Error {
	hint := ""
	switch reason {
	case ledger.Unavailable:
		hint = "check that the server runs and lets this user connect"
	case ledger.ReadOnly:
		hint = `allow this user to write the schema "cba", or to create it`
	case ledger.Missing, ledger.NotLedger:
		hint = "check the connection and the name of the database; nothing was changed"
	}
	return &ledger.Error{Reason: reason, What: l.what, Hint: hint, Err: err}
}

// reasonOf reads the codes of PostgreSQL's appendix A.
func reasonOf(err error) ledger.Reason {
	switch code := codeOf(err); code {
	case "53100": // disk_full
		return ledger.Full
	case "25006", "42501": // read_only_sql_transaction, insufficient_privilege
		return ledger.ReadOnly
	case "55P03", "53300", "40001", "40P01": // lock_not_available, too_many_connections, serialization_failure, deadlock_detected
		return ledger.Busy
	case "3D000": // invalid_catalog_name
		return ledger.Missing
	case "42P01", "42703", "3F000": // undefined_table, undefined_column, invalid_schema_name
		return ledger.NotLedger
	case "XX001", "XX002": // data_corrupted, index_corrupted
		return ledger.Corrupt
	}
	return ledger.Unavailable
}

func codeOf(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// isPassing reports whether a transaction that failed like that was not committed, and
// will succeed when the server is back.
func isPassing(err error) bool {
	var known *ledger.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) {
		return false
	}
	if code := codeOf(err); code != "" {
		// The server shuts down (57P01, 57P02), starts (57P03), has no connection left,
		// lost the connection (08), or ended a deadlock.
		return strings.HasPrefix(code, "57P0") || code == "53300" || strings.HasPrefix(code, "08") || code == "40P01"
	}
	var network net.Error
	var connect *pgconn.ConnectError
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed")
}

// isUnique reports whether a unique index refused a row.
func isUnique(err error) bool { return codeOf(err) == "23505" }
