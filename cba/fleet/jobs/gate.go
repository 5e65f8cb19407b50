package jobs

import (
	"context"
	"time"
)

// The gate is one row: how many writes are not paid back yet, and until when Graph wants
// none. All machines share it.
const gateName = "graph"

// burst is how many writes go out unpaced: 3,000 in 2 minutes and 30 seconds are the
// quota of an app.
const burst = 3000

// longest is how long a job keeps its place at the gate.
const longest = 20 * time.Second

// pass lets n writes through when it is their turn, or returns the error of later.
func (b *binder) pass(ctx context.Context, n int) error {
	wait, closed, err := b.f.gate(ctx, n)
	switch {
	case err != nil:
		return err
	case closed:
		return later(wait)
	case wait <= 0:
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

// gate takes n writes and returns how long to wait before they are made. If the gate is
// closed, or the wait too long, it takes none.
func (f *Fleet) gate(ctx context.Context, n int) (wait time.Duration, closed bool, err error) {
	err = f.db.transact(ctx, func(tx transaction) error {
		if err := gateRow(ctx, tx); err != nil {
			return err
		}
		var spent float64
		var at, until, now int64
		if _, err := one(ctx, tx, []any{&spent, &at, &until, &now}, "SELECT spent, at, closed, NOW FROM {}gates WHERE name = $1 FOR_UPDATE", gateName); err != nil {
			return err
		}
		// The database's clock may have been set back: no gate is closed for that long.
		if until > now && until-now < (2*time.Hour).Microseconds() {
			wait, closed = time.Duration(until-now)*time.Microsecond, true
			return nil
		}
		spent = max(0, spent-max(0, float64(now-at))/1e6*f.c.WriteRate) + float64(n)
		if over := spent - burst; over > 0 {
			wait = time.Duration(over / f.c.WriteRate * float64(time.Second))
		}
		if wait > longest {
			closed = true
			return nil
		}
		_, err := tx.exec(ctx, "UPDATE {}gates SET spent = $1, at = $2 WHERE name = $3", spent, now, gateName)
		return err
	})
	return wait, closed, err
}

func gateRow(ctx context.Context, tx transaction) error {
	_, err := tx.exec(ctx, "INSERT INTO {}gates (name, spent, at, closed) VALUES ($1, 0, NOW, 0) ON CONFLICT (name) DO NOTHING", gateName)
	return err
}

// closeGate keeps all machines from writing for a while.
func (f *Fleet) closeGate(ctx context.Context, d time.Duration) error {
	return f.db.transact(ctx, func(tx transaction) error {
		if err := gateRow(ctx, tx); err != nil {
			return err
		}
		_, err := tx.exec(ctx, "UPDATE {}gates SET closed = NOW + $1 WHERE name = $2 AND closed < NOW + $1", d.Microseconds(), gateName)
		return err
	})
}
