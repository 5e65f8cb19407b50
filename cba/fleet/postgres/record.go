package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/fleet/ledger"
	"github.com/jackc/pgx/v5"
)

// Record implements ledger.Ledger.
func (l *Ledger) Record(ctx context.Context, worker string, entries ...ledger.Entry) error {
	owners := make([]string, len(entries))
	for i, e := range entries {
		if err := e.Check(); err != nil {
			return err
		}
		owners[i] = e.Owner
	}
	return l.change(ctx, toRecords, func(tx pgx.Tx) error {
		if err := l.lock(ctx, tx, owners...); err != nil {
			return err
		}
		for _, e := range entries {
			if err := record(ctx, tx, worker, e); err != nil {
				return err
			}
		}
		return nil
	})
}

func record(ctx context.Context, tx pgx.Tx, worker string, e ledger.Entry) error {
	lost := &ledger.Error{Reason: ledger.ClaimLost, What: fmt.Sprintf("%q", e.Owner)}
	var replaces *string
	err := tx.QueryRow(ctx, "DELETE FROM cba.claims WHERE owner = $1 AND worker = $2 RETURNING replaces", e.Owner, worker).Scan(&replaces)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return lost
	case err != nil:
		return err
	}
	if replaces != nil {
		tag, err := tx.Exec(ctx, "UPDATE cba.entries SET state = $1, renewed = $2 WHERE serial = $3 AND owner = $4 AND state <= $5",
			ledger.Renewed, e.IssuedAt, *replaces, e.Owner, ledger.Delivered)
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 1 {
			return lost
		}
	}
	// A unique index that refuses a row would end the transaction, so ask first; the
	// lock of the owner and the index make the answer hold.
	tag, err := tx.Exec(ctx, `INSERT INTO cba.entries (owner, upn, serial, issuer, state, replaces, not_before, not_after, issued, der)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 WHERE NOT EXISTS (SELECT 1 FROM cba.entries WHERE owner = $1 AND state <= $11)
		ON CONFLICT (serial) DO NOTHING`,
		e.Owner, e.UPN, e.Serial, e.Issuer, ledger.Issued, replaces, e.NotBefore, e.NotAfter, e.IssuedAt, e.Certificate, ledger.Delivered)
	switch {
	case isUnique(err):
		return lost
	case err != nil:
		return err
	case tag.RowsAffected() == 1:
		return nil
	}
	var known bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM cba.entries WHERE serial = $1)", e.Serial).Scan(&known); err != nil {
		return err
	}
	if known {
		return &ledger.Error{Reason: ledger.Duplicate, What: "serial number " + e.Serial}
	}
	return lost // the owner has a live certificate
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
	return l.change(ctx, toMarks, func(tx pgx.Tx) error {
		was := map[string]ledger.State{}
		rows, err := tx.Query(ctx, "SELECT serial, state FROM cba.entries WHERE serial = ANY ($1) ORDER BY serial FOR UPDATE", serials)
		if err != nil {
			return err
		}
		var serial string
		var found ledger.State
		if _, err := pgx.ForEachRow(rows, []any{&serial, &found}, func() error { was[serial] = found; return nil }); err != nil {
			return err
		}
		for _, serial := range serials {
			switch from := was[serial]; {
			case from == 0:
				return &ledger.Error{Reason: ledger.NotFound, What: fmt.Sprintf("serial number %q", serial)}
			case from != state && !from.CanBecome(state):
				return &ledger.Error{Reason: ledger.Illegal, What: fmt.Sprintf("certificate %s: from %v to %v", serial, from, state)}
			}
		}
		_, err = tx.Exec(ctx, "UPDATE cba.entries SET state = $1, "+column+" = $2 WHERE serial = ANY ($3) AND state < $1", state, second(at), serials)
		return err
	})
}

// second is a time as the ledger keeps it.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// Revoke implements ledger.Ledger.
func (l *Ledger) Revoke(ctx context.Context, owner string, at time.Time, reason crl.RevocationReason) (revoked []ledger.Entry, err error) {
	if _, err := reason.MarshalText(); err != nil || reason == crl.CertificateHold || reason == crl.RemoveFromCRL {
		return nil, &ledger.Error{Reason: ledger.Invalid, What: fmt.Sprintf("revocation reason %v", reason), Hint: "use a reason that revokes permanently"}
	}
	err = l.change(ctx, toRecords, func(tx pgx.Tx) error {
		if err := l.lock(ctx, tx, owner); err != nil {
			return err
		}
		var known bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM cba.entries WHERE owner = $1)", owner).Scan(&known); err != nil {
			return err
		}
		if !known {
			return &ledger.Error{Reason: ledger.NotFound, What: fmt.Sprintf("certificate of %q", owner)}
		}
		// Whoever is making another one at this moment may not record it.
		if _, err := tx.Exec(ctx, "DELETE FROM cba.claims WHERE owner = $1", owner); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `WITH changed AS (UPDATE cba.entries SET state = $1, revoked = $2, reason = $3 WHERE owner = $4 AND state <> $1 RETURNING *)
			SELECT `+columns+" FROM changed ORDER BY id", ledger.Revoked, second(at), reason, owner)
		if err != nil {
			return err
		}
		revoked, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (ledger.Entry, error) { return scan(row, false) })
		return err
	})
	if err != nil {
		return nil, err
	}
	return revoked, nil
}
