package sqlite

import (
	"context"
	"database/sql"
	"iter"
	"strings"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/fleet/ledger"
)

const columns = `owner, upn, serial, issuer, state, reason, replaces, not_before, not_after, issued, bound, delivered, renewed, revoked`

// scan reads the row that columns name.
func scan(rows *sql.Rows, certificate bool) (e ledger.Entry, err error) {
	var replaces sql.NullString
	var times [7]sql.NullInt64
	into := []any{&e.Owner, &e.UPN, &e.Serial, &e.Issuer, &e.State, &e.Reason, &replaces}
	for i := range times {
		into = append(into, &times[i])
	}
	if certificate {
		into = append(into, &e.Certificate)
	}
	if err := rows.Scan(into...); err != nil {
		return ledger.Entry{}, err
	}
	e.Replaces = replaces.String
	for i, field := range []*time.Time{&e.NotBefore, &e.NotAfter, &e.IssuedAt, &e.BoundAt, &e.DeliveredAt, &e.RenewedAt, &e.RevokedAt} {
		if times[i].Valid {
			*field = time.Unix(times[i].Int64, 0).UTC()
		}
	}
	return e, nil
}

// Entries implements ledger.Ledger. The loop reads from one snapshot; a loop that
// goes on for long keeps the write-ahead log from being folded into the file.
func (l *Ledger) Entries(ctx context.Context, q ledger.Query) iter.Seq2[ledger.Entry, error] {
	query, args := "SELECT "+columns, []any(nil)
	if q.Certificates {
		query += ", der FROM entries JOIN certificates USING (id)"
	} else {
		query += " FROM entries"
	}
	var where []string
	add := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if q.Owner != "" {
		add("owner = ?", q.Owner)
	}
	if q.Serial != "" {
		add("serial = ?", q.Serial)
	}
	if len(q.States) > 0 {
		var states []any
		for _, state := range q.States {
			states = append(states, state)
		}
		add("state IN (?"+strings.Repeat(", ?", len(states)-1)+")", states...)
	}
	if q.Live || !q.DueAt.IsZero() {
		add("state <= ?", ledger.Delivered)
	}
	if !q.DueAt.IsZero() {
		percent := q.DuePercent
		if percent == 0 {
			percent = cba.DefaultRenewal
		}
		add("(not_after - ?) * 100 <= (not_after - not_before) * ?", q.DueAt.Unix(), percent)
	}
	if len(where) > 0 {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	query += " ORDER BY id"
	return func(yield func(ledger.Entry, error) bool) {
		rows, err := l.reader().QueryContext(ctx, query, args...)
		if err != nil {
			yield(ledger.Entry{}, l.fail(err))
			return
		}
		defer rows.Close()
		for rows.Next() {
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
