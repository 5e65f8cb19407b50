package postgres

import (
	"context"
	"errors"
	"time"

	"example.com/entracba/cba/fleet/ledger"
	"github.com/jackc/pgx/v5"
)

// Claim implements ledger.Ledger.
func (l *Ledger) Claim(ctx context.Context, owner string, claim ledger.Claim) (answer ledger.Answer, err error) {
	if err := claim.Check(); err != nil {
		return 0, err
	}
	if err := ledger.CheckOwner(owner); err != nil {
		return 0, err
	}
	err = l.change(ctx, toClaims, func(tx pgx.Tx) error {
		if err := l.lock(ctx, tx, owner); err != nil {
			return err
		}
		var replaces *string
		answer, replaces, err = mayIssue(ctx, tx, owner, claim)
		if err != nil || answer != ledger.Granted {
			return err
		}
		tag, err := tx.Exec(ctx, `WITH clock AS (SELECT coalesce($5::timestamptz, clock_timestamp()) AS now)
			INSERT INTO cba.claims AS c (owner, worker, replaces, expires) SELECT $1, $2, $3, now + $4::bigint * interval '1 microsecond' FROM clock
			ON CONFLICT (owner) DO UPDATE SET worker = excluded.worker, replaces = excluded.replaces, expires = excluded.expires
			WHERE c.worker = excluded.worker OR c.expires <= (SELECT now FROM clock)`,
			owner, claim.Worker, replaces, claim.Lease.Microseconds(), l.now())
		if err == nil && tag.RowsAffected() == 0 {
			answer = ledger.Taken
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return answer, nil
}

// mayIssue says what the certificates of the owner say to the claim, and which of them
// the new one would replace.
func mayIssue(ctx context.Context, tx pgx.Tx, owner string, claim ledger.Claim) (ledger.Answer, *string, error) {
	var e ledger.Entry
	// The live one, if there is one, is the last.
	err := tx.QueryRow(ctx, "SELECT serial, state, not_before, not_after FROM cba.entries WHERE owner = $1 ORDER BY id DESC LIMIT 1", owner).
		Scan(&e.Serial, &e.State, &e.NotBefore, &e.NotAfter)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return ledger.Granted, nil, nil
	case err != nil:
		return 0, nil, err
	case e.State == ledger.Revoked && !claim.Reissue:
		return ledger.WasRevoked, nil, nil
	case e.State == ledger.Revoked:
		return ledger.Granted, nil, nil
	case !claim.RenewAt.IsZero() && e.Due(claim.RenewAt, claim.DuePercent):
		return ledger.Granted, &e.Serial, nil
	}
	return ledger.AlreadyIssued, nil, nil
}

// Extend implements ledger.Ledger.
func (l *Ledger) Extend(ctx context.Context, worker string, lease time.Duration) error {
	return l.change(ctx, toClaims, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE cba.claims SET expires = coalesce($3::timestamptz, clock_timestamp()) + $2::bigint * interval '1 microsecond'
			WHERE owner IN (SELECT owner FROM cba.claims WHERE worker = $1 ORDER BY owner FOR UPDATE)`, worker, lease.Microseconds(), l.now())
		return err
	})
}

// Release implements ledger.Ledger.
func (l *Ledger) Release(ctx context.Context, worker string, owners ...string) error {
	return l.change(ctx, toClaims, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM cba.claims WHERE owner IN (SELECT owner FROM cba.claims
			WHERE worker = $1 AND ($2::text[] IS NULL OR owner = ANY ($2)) ORDER BY owner FOR UPDATE)`, worker, owners)
		return err
	})
}
