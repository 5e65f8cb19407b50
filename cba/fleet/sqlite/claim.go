package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"example.com/entracba/cba/fleet/ledger"
)

// Claim is part of ledger.Ledger.
func (l *Ledger) Claim(ctx context.Context, request string, claim ledger.Claim) (answer ledger.Answer, err error) {
	if err := claim.Check(); err != nil {
		return 0, err
	}
	if err := ledger.CheckRequest(request); err != nil {
		return 0, err
	}
	err = l.change(ctx, l.quick, func(tx *sql.Tx) error {
		var replaces sql.NullString
		answer, replaces, err = mayIssue(ctx, tx, request, claim)
		if err != nil || answer != ledger.Granted {
			return err
		}
		now := l.o.Now()
		result, err := tx.ExecContext(ctx, `INSERT INTO claims (request, holder, replaces, expires) VALUES (?1, ?2, ?3, ?4)
			ON CONFLICT (request) DO UPDATE SET holder = ?2, replaces = ?3, expires = ?4 WHERE holder = ?2 OR expires <= ?5`,
			request, claim.Holder, replaces, now.Add(claim.Lease).UnixMilli(), now.UnixMilli())
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

// mayIssue says what the certificates of the request say to the claim, and which
// of them the new one would replace.
func mayIssue(ctx context.Context, tx *sql.Tx, request string, claim ledger.Claim) (ledger.Answer, sql.NullString, error) {
	var none sql.NullString
	var e ledger.Entry
	var notBefore, notAfter int64
	// The live one, if there is one, is the last.
	err := tx.QueryRowContext(ctx, "SELECT serial, state, not_before, not_after FROM entries WHERE request = ? ORDER BY id DESC LIMIT 1", request).
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
	return ledger.HasOne, none, nil
}

// Extend is part of ledger.Ledger.
func (l *Ledger) Extend(ctx context.Context, holder string, lease time.Duration) error {
	return l.change(ctx, l.quick, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE claims SET expires = ? WHERE holder = ?", l.o.Now().Add(lease).UnixMilli(), holder)
		return err
	})
}

// Release is part of ledger.Ledger.
func (l *Ledger) Release(ctx context.Context, holder string, requests ...string) error {
	return l.change(ctx, l.quick, func(tx *sql.Tx) error {
		if len(requests) == 0 {
			_, err := tx.ExecContext(ctx, "DELETE FROM claims WHERE holder = ?", holder)
			return err
		}
		for _, request := range requests {
			if _, err := tx.ExecContext(ctx, "DELETE FROM claims WHERE request = ? AND holder = ?", request, holder); err != nil {
				return err
			}
		}
		return nil
	})
}
