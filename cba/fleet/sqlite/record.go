package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/fleet/ledger"
)

// Record implements ledger.Ledger.
func (l *Ledger) Record(ctx context.Context, worker string, entries ...ledger.Entry) error {
	for _, e := range entries {
		if err := e.Check(); err != nil {
			return err
		}
	}
	// What is being recorded is recorded: half of it would be rolled back anyway.
	return l.change(ctx, l.durable, func(tx *sql.Tx) error {
		for _, e := range entries {
			if err := record(ctx, tx, worker, e); err != nil {
				return err
			}
		}
		return nil
	})
}

func record(ctx context.Context, tx *sql.Tx, worker string, e ledger.Entry) error {
	lost := &ledger.Error{Reason: ledger.ClaimLost, What: fmt.Sprintf("%q", e.Owner)}
	var replaces sql.NullString
	err := tx.QueryRowContext(ctx, "DELETE FROM claims WHERE owner = ? AND worker = ? RETURNING replaces", e.Owner, worker).Scan(&replaces)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return lost
	case err != nil:
		return err
	}
	if replaces.Valid {
		result, err := tx.ExecContext(ctx, "UPDATE entries SET state = ?, renewed = ? WHERE serial = ? AND owner = ? AND state <= ?",
			ledger.Renewed, e.IssuedAt.Unix(), replaces.String, e.Owner, ledger.Delivered)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil {
			return err
		} else if n != 1 {
			return lost
		}
	}
	result, err := tx.ExecContext(ctx, `INSERT INTO entries (owner, upn, serial, issuer, state, replaces, not_before, not_after, issued)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, e.Owner, e.UPN, e.Serial, e.Issuer, ledger.Issued, replaces,
		e.NotBefore.Unix(), e.NotAfter.Unix(), e.IssuedAt.Unix())
	if isUnique(err) {
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM entries WHERE serial = ?", e.Serial).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			return lost // the owner has a live certificate
		}
		return &ledger.Error{Reason: ledger.Duplicate, What: "serial number " + e.Serial}
	}
	if err != nil {
		return err
	}
	id, err := result.LastInsertId()
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO certificates (id, der) VALUES (?, ?)", id, e.Certificate)
	return err
}

// Mark implements ledger.Ledger.
func (l *Ledger) Mark(ctx context.Context, state ledger.State, at time.Time, serials ...string) error {
	var column string
	switch state {
	case ledger.Bound:
		column = "bound"
	case ledger.Delivered:
		column = "delivered"
	default:
		return &ledger.Error{Reason: ledger.Invalid, What: fmt.Sprintf("marking certificates as %v", state), Hint: "use Bound or Delivered"}
	}
	return l.change(ctx, l.durable, func(tx *sql.Tx) error {
		for _, serial := range serials {
			var was ledger.State
			err := tx.QueryRowContext(ctx, "SELECT state FROM entries WHERE serial = ?", serial).Scan(&was)
			switch {
			case errors.Is(err, sql.ErrNoRows):
				return &ledger.Error{Reason: ledger.NotFound, What: fmt.Sprintf("serial number %q", serial)}
			case err != nil:
				return err
			case was == state:
				continue
			case !was.CanBecome(state):
				return &ledger.Error{Reason: ledger.Illegal, What: fmt.Sprintf("certificate %s: from %v to %v", serial, was, state)}
			}
			if _, err := tx.ExecContext(ctx, "UPDATE entries SET state = ?, "+column+" = ? WHERE serial = ?", state, at.Unix(), serial); err != nil {
				return err
			}
		}
		return nil
	})
}

// Revoke implements ledger.Ledger.
func (l *Ledger) Revoke(ctx context.Context, owner string, at time.Time, reason crl.RevocationReason) (revoked []ledger.Entry, err error) {
	if _, err := reason.MarshalText(); err != nil || reason == crl.CertificateHold || reason == crl.RemoveFromCRL {
		return nil, &ledger.Error{Reason: ledger.Invalid, What: fmt.Sprintf("revocation reason %v", reason), Hint: "use a reason that revokes permanently"}
	}
	err = l.change(ctx, l.durable, func(tx *sql.Tx) error {
		var known bool
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM entries WHERE owner = ?)", owner).Scan(&known); err != nil {
			return err
		}
		if !known {
			return &ledger.Error{Reason: ledger.NotFound, What: fmt.Sprintf("certificate of %q", owner)}
		}
		// Whoever is making another one at this moment may not record it.
		if _, err := tx.ExecContext(ctx, "DELETE FROM claims WHERE owner = ?", owner); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, "UPDATE entries SET state = ?, revoked = ?, reason = ? WHERE owner = ? AND state <> ? RETURNING "+columns,
			ledger.Revoked, at.Unix(), reason, owner, ledger.Revoked)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			e, err := scan(rows, false)
			if err != nil {
				return err
			}
			revoked = append(revoked, e)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return revoked, nil
}
