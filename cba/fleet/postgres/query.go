package postgres

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/fleet/ledger"
	"github.com/jackc/pgx/v5"
)

const columns = `owner, upn, serial, issuer, state, reason, replaces, not_before, not_after, issued, bound, delivered, renewed, revoked`

// scan reads the row that columns name.
func scan(row pgx.CollectableRow, certificate bool) (e ledger.Entry, err error) {
	var replaces *string
	var times [7]*time.Time
	into := []any{&e.Owner, &e.UPN, &e.Serial, &e.Issuer, &e.State, &e.Reason, &replaces}
	for i := range times {
		into = append(into, &times[i])
	}
	if certificate {
		into = append(into, &e.Certificate)
	}
	if err := row.Scan(into...); err != nil {
		return ledger.Entry{}, err
	}
	if replaces != nil {
		e.Replaces = *replaces
	}
	for i, field := range []*time.Time{&e.NotBefore, &e.NotAfter, &e.IssuedAt, &e.BoundAt, &e.DeliveredAt, &e.RenewedAt, &e.RevokedAt} {
		if times[i] != nil {
			*field = times[i].UTC()
		}
	}
	return e, nil
}

// Entries implements ledger.Ledger. The loop reads the answer of one statement and has
// one connection of the pool until it ends.
func (l *Ledger) Entries(ctx context.Context, q ledger.Query) iter.Seq2[ledger.Entry, error] {
	query, args := "SELECT "+columns, []any(nil)
	if q.Certificates {
		query += ", der"
	}
	query += " FROM cba.entries"
	var where []string
	add := func(condition string, values ...any) {
		numbers := make([]any, len(values))
		for i, v := range values {
			args = append(args, v)
			numbers[i] = len(args)
		}
		where = append(where, fmt.Sprintf(condition, numbers...))
	}
	if q.Owner != "" {
		add("owner = $%d", q.Owner)
	}
	if q.Serial != "" {
		add("serial = $%d", q.Serial)
	}
	if len(q.States) > 0 {
		states := make([]int16, len(q.States))
		for i, state := range q.States {
			states[i] = int16(state)
		}
		if len(states) == 1 {
			add(fmt.Sprintf("state = %d", states[0])) // lets an index for this state be used
		} else {
			add("state = ANY ($%d)", states)
		}
	}
	if q.Live || !q.DueAt.IsZero() {
		add(fmt.Sprintf("state <= %d", ledger.Delivered))
	}
	if !q.DueAt.IsZero() {
		percent := q.DuePercent
		if percent == 0 {
			percent = cba.DefaultRenewal
		}
		add("(date_part('epoch', not_after)::bigint - $%d::bigint) * 100 <= date_part('epoch', not_after - not_before)::bigint * $%d::bigint", q.DueAt.Unix(), percent)
	}
	if len(where) > 0 {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	query += " ORDER BY id"
	return func(yield func(ledger.Entry, error) bool) {
		var rows pgx.Rows
		var more bool
		if err := l.look(ctx, func(on querier) (err error) {
			if rows, err = on.Query(ctx, query, args...); err != nil {
				return err
			}
			if more = rows.Next(); !more {
				return rows.Err() // of the query
			}
			return nil
		}); err != nil {
			yield(ledger.Entry{}, err)
			return
		}
		defer rows.Close()
		for ; more; more = rows.Next() {
			e, err := scan(rows, q.Certificates)
			if err != nil {
				yield(ledger.Entry{}, l.fail(err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(ledger.Entry{}, l.fail(err))
		}
	}
}
