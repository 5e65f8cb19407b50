package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"example.com/entracba/cba/fleet/ledger"
)

// Claim implements ledger.Ledger.
func (l *Ledger) Claim(ctx context.Context, owner string, claim ledger.Claim) (answer ledger.Answer, err error) {
	if err := claim.Check(); err != nil {
		return 0, err
	}
	if err := ledger.CheckOwner(owner); err != nil {
		return 0, err
	}
	err = l.change(ctx, l.quick, func(tx *sql.Tx) error {
		var replaces sql.NullString
		answer, replaces, err = mayIssue(ctx, tx, owner, claim)
		if err != nil || answer != ledger.Granted {
			return err
		}
		now := l.o.Now()
		result, err := tx.ExecContext(ctx, `INSERT INTO claims (owner, worker, replaces, expires) VALUES (?1, ?2, ?3, ?4)
			ON CONFLICT (owner) DO UPDATE SET worker = ?2, replaces = ?3, expires = ?4 WHERE worker = ?2 OR expires <= ?5`,
			owner, claim.Worker, replaces, now.Add(claim.Lease).UnixMilli(), now.UnixMilli())
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			answer = ledger.Taken
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return answer, nil
}

// mayIssue says what the certificates of the owner say to the claim, and which
// of them the new one would replace.
func mayIssue(ctx context.Context, tx *sql.Tx, owner string, claim ledger.Claim) (ledger.Answer, sql.NullString, error) {
	var none sql.NullString
	var e ledger.Entry
	var notBefore, notAfter int64
	// The live one, if there is one, is the last.
	err := tx.QueryRowContext(ctx, "SELECT serial, state, not_before, not_after FROM entries WHERE owner = ? ORDER BY id DESC LIMIT 1", owner).
		Scan(&e.Serial, &e.State, &notBefore, &notAfter)
	e.NotBefore, e.NotAfter = time.Unix(notBefore, 0), time.Unix(notAfter, 0)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ledger.Granted, none, nil
	case err != nil:
		return 0, none, err
	case e.State == ledger.Revoked && !claim.Reissue:
		return ledger.WasRevoked, none, nil
	case e.State == ledger.Revoked:
		return ledger.Granted, none, nil
	case !claim.RenewAt.IsZero() && e.Due(claim.RenewAt, claim.DuePercent):
		return ledger.Granted, sql.NullString{String: e.Serial, Valid: true}, nil
	}
	return ledger.AlreadyIssued, none, nil
}

// Extend implements ledger.Ledger.
func (l *Ledger) Extend(ctx context.Context, worker string, lease time.Duration) error {
	return l.change(ctx, l.quick, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE claims SET expires = ? WHERE worker = ?", l.o.Now().Add(lease).UnixMilli(), worker)
		return err
	})
}

// Release implements ledger.Ledger.
func (l *Ledger) Release(ctx context.Context, worker string, owners ...string) error {
	return l.change(ctx, l.quick, func(tx *sql.Tx) error {
		if len(owners) == 0 {
			_, err := tx.ExecContext(ctx, "DELETE FROM claims WHERE worker = ?", worker)
			return err
		}
		for _, owner := range owners {
			if _, err := tx.ExecContext(ctx, "DELETE FROM claims WHERE owner = ? AND worker = ?", owner, worker); err != nil {
				return err
			}
		}
		return nil
	})
}
