package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/fleet/ledger"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const defaultWait = 30 * time.Second

// Options are how a ledger is opened. The zero value works.
type Options struct {
	// ReadOnly opens an existing ledger for reading. Methods that change something
	// return an error with reason ledger.ReadOnly.
	ReadOnly bool
	// Existing creates no ledger: if the database has none, the error has reason
	// ledger.Missing, as with ReadOnly.
	Existing bool
	// Wait is how long a call waits while the server restarts or another program has a
	// lock; zero means 30 seconds. A program that is stopped in the middle of a
	// transaction loses it, and its locks, after half of that.
	Wait time.Duration
	// Connections is how many connections the ledger opens at most. Zero means what the
	// connection string says (pool_max_conns), or four, or one for each core.
	Connections int
	// Now is the clock by which claims expire; nil means the server's, which all
	// machines share.
	Now func() time.Time
}

// A Ledger is a ledger.Ledger in a database. Errors are those that the interface names.
type Ledger struct {
	o    Options
	what string // the database, for errors
	pool *pgxpool.Pool
	tx   pgx.Tx // of [Ledger.In]
}

var _ ledger.Ledger = (*Ledger)(nil)

// lockClass is the first key of the ledger's advisory locks ("CBAL"); the second one is
// a hash.
const lockClass = 0x4342414c

// Open opens the ledger in a database: a URL "postgres://host/database" or keywords
// "host=... dbname=...", and what they leave out from the environment (PGHOST, PGUSER,
// PGPASSFILE, PGSERVICE, PGSSLMODE, ...), as pgx describes. If there is no ledger, and
// neither o.ReadOnly nor o.Existing is set, Open creates it; it does not create the
// database.
//
// The error is a *ledger.Error with reason Invalid, Missing, NotLedger, Newer, ReadOnly,
// Full, Busy or Unavailable. No error contains a password.
func Open(ctx context.Context, connection string, o Options) (_ *Ledger, err error) {
	if o.Wait == 0 {
		o.Wait = defaultWait
	}
	config, err := pgxpool.ParseConfig(connection)
	if err != nil {
		// The parser's own text may quote what it could not read.
		return nil, &ledger.Error{Reason: ledger.Invalid, What: "connection string", Hint: "use postgres://HOST/DATABASE or host=HOST dbname=DATABASE, and check PGSERVICE, PGPASSFILE and PGSSLMODE"}
	}
	if o.Connections > 0 {
		config.MaxConns = int32(o.Connections)
	}
	config.MaxConns = max(config.MaxConns, 2) // a loop over Entries has one
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "cba fleet"
	}
	config.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`)
		if err == nil {
			_, err = c.Exec(ctx, `SELECT set_config('lock_timeout', $1, false), set_config('idle_in_transaction_session_timeout', $2, false)`,
				fmt.Sprint(o.Wait.Milliseconds()), fmt.Sprint(o.Wait.Milliseconds()/2))
		}
		return err
	}
	l := &Ledger{o: o, what: describe(config.ConnConfig)}
	if l.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, l.fail(err)
	}
	if err := l.prepare(ctx, schemas()); err != nil {
		l.pool.Close()
		return nil, err
	}
	return l, nil
}

// describe names the database without anything secret.
func describe(c *pgx.ConnConfig) string { return fmt.Sprintf("database %q on %s", c.Database, c.Host) }

// Pool returns the ledger's pool of connections, for rows of your own beside the
// ledger's. It is closed with the ledger.
func (l *Ledger) Pool() *pgxpool.Pool { return l.pool }

// In returns the ledger inside a transaction: what its methods change is there when the
// transaction is committed, together with everything else in it. It must have the isolation
// level READ COMMITTED, PostgreSQL's default. After an error, roll it back. Methods of
// the result must not be called at the same time; Close does nothing.
func (l *Ledger) In(tx pgx.Tx) ledger.Ledger {
	return &Ledger{o: l.o, what: l.what, pool: l.pool, tx: tx}
}

// prepare makes the tables of a new database and refuses a database that is not ours.
func (l *Ledger) prepare(ctx context.Context, schemas []string) error {
	return l.patient(ctx, func() error {
		found, err := l.version(ctx, l.pool, schemas)
		if err != nil || found == len(schemas) {
			return err
		}
		tx, err := l.pool.Begin(ctx)
		if err != nil {
			return err
		}
		defer tx.Rollback(context.WithoutCancel(ctx))
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1, 0)", lockClass); err != nil {
			return err
		}
		// Another program may have been faster.
		if found, err = l.version(ctx, tx, schemas); err != nil || found == len(schemas) {
			return err
		}
		for _, statements := range schemas[found:] {
			if _, err := tx.Exec(ctx, statements); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `INSERT INTO cba.ledger (id, version) VALUES ($1, $2) ON CONFLICT ((true)) DO UPDATE SET version = $2`, rand.Text(), len(schemas)); err != nil {
			return err
		}
		return tx.Commit(ctx)
	})
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// version reads the version of the schema, 0 if there is none.
func (l *Ledger) version(ctx context.Context, q querier, schemas []string) (found int, err error) {
	var tables int
	var ours bool
	if err := q.QueryRow(ctx, `SELECT count(*), coalesce(bool_or(relname = 'ledger'), false) FROM pg_class
		WHERE relnamespace = to_regnamespace('cba') AND relkind = 'r'`).Scan(&tables, &ours); err != nil {
		return 0, err
	}
	if ours {
		if err := q.QueryRow(ctx, "SELECT version FROM cba.ledger").Scan(&found); err != nil {
			return 0, err
		}
	}
	known := len(schemas)
	switch {
	case tables > 0 && !ours:
		return 0, l.error(ledger.NotLedger, errors.New(`its schema "cba" contains something else`))
	case found > known:
		return 0, l.newer(found, known)
	case found == 0 && (l.o.ReadOnly || l.o.Existing):
		return 0, l.error(ledger.Missing, nil)
	case found < known && l.o.ReadOnly:
		return 0, &ledger.Error{Reason: ledger.ReadOnly, What: l.what, Err: fmt.Errorf("it has version %d, and version %d is needed", found, known), Hint: "open it for writing once, which brings it up to date"}
	}
	return found, nil
}

func (l *Ledger) newer(found, known int) error {
	return &ledger.Error{Reason: ledger.Newer, What: l.what, Err: fmt.Errorf("it has version %d, this program knows %d", found, known)}
}

// ID implements ledger.Ledger.
func (l *Ledger) ID(ctx context.Context) (id string, err error) {
	err = l.look(ctx, func(q querier) error { return q.QueryRow(ctx, "SELECT id FROM cba.ledger").Scan(&id) })
	return id, err
}

// lock takes the advisory locks of owners until the transaction ends, always in the same
// order. It refuses if a newer program has changed the schema.
func (l *Ledger) lock(ctx context.Context, tx pgx.Tx, owners ...string) error {
	var version int
	if err := tx.QueryRow(ctx, `SELECT version FROM cba.ledger, LATERAL (SELECT count(pg_advisory_xact_lock($1, key)) FROM
		(SELECT DISTINCT hashtext(owner) AS key FROM unnest($2::text[]) AS owner ORDER BY key) AS keys) AS locked`, lockClass, owners).Scan(&version); err != nil {
		return err
	}
	if known := len(schemas()); version > known {
		return l.newer(version, known)
	}
	return nil
}

// now is the clock's time as an argument of SQL: nil for the server's.
func (l *Ledger) now() any {
	if l.o.Now == nil {
		return nil
	}
	return l.o.Now()
}

// look reads, and waits for a server that restarts.
func (l *Ledger) look(ctx context.Context, do func(querier) error) error {
	if l.tx != nil {
		return l.fail(do(l.tx))
	}
	return l.patient(ctx, func() error { return do(l.pool) })
}

// A change is what a transaction does to the ledger.
type change uint8

const (
	// toClaims need not survive a power cut, and can be made twice.
	toClaims change = iota + 1
	// toMarks can be made twice.
	toMarks
	// toRecords cannot: the second time, the answer is another one.
	toRecords
)

// change runs a transaction, again if the connection was lost before its commit; during
// the commit, only if it can be made twice.
func (l *Ledger) change(ctx context.Context, what change, do func(pgx.Tx) error) error {
	if l.o.ReadOnly {
		return &ledger.Error{Reason: ledger.ReadOnly, What: l.what}
	}
	if l.tx != nil {
		return l.fail(do(l.tx))
	}
	return l.patient(ctx, func() error {
		tx, err := l.pool.Begin(ctx)
		if err != nil {
			return err
		}
		defer tx.Rollback(context.WithoutCancel(ctx))
		if what == toClaims {
			if _, err := tx.Exec(ctx, "SET LOCAL synchronous_commit = off"); err != nil {
				return err
			}
		}
		if err := do(tx); err != nil {
			return err
		}
		if err := tx.Commit(ctx); err != nil {
			var answer *pgconn.PgError
			if errors.As(err, &answer) || ctx.Err() != nil || pgconn.SafeToRetry(err) || what != toRecords {
				return err
			}
			return &ledger.Error{Reason: ledger.Unavailable, What: l.what, Err: err, Hint: "the connection was lost during the commit, so the change may have been made: read the ledger before you try again"}
		}
		return nil
	})
}

// patient tries again while the server restarts, or other programs use all of its
// connections.
func (l *Ledger) patient(ctx context.Context, try func() error) error {
	deadline := time.Now().Add(l.o.Wait)
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		err := try()
		if !isPassing(err) || ctx.Err() != nil || time.Now().After(deadline) {
			return l.fail(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// Close closes the ledger and its pool. It does not give claims back.
func (l *Ledger) Close() error {
	if l.tx == nil {
		l.pool.Close()
	}
	return nil
}

// Check looks for inconsistencies that no index can prevent. It reads every row; what a
// damaged disk did to the server's files, pg_amcheck and checksums of data pages find.
func (l *Ledger) Check(ctx context.Context) error {
	var faults []string
	err := l.look(ctx, func(q querier) error {
		rows, err := q.Query(ctx, `
			SELECT 'entry ' || id || ' has no certificate' FROM cba.entries WHERE length(der) = 0
			UNION ALL SELECT 'entry ' || n.id || ' replaces one that is not renewed' FROM cba.entries n JOIN cba.entries o ON o.serial = n.replaces WHERE o.state < 4 OR o.owner <> n.owner
			UNION ALL SELECT 'owner of entry ' || min(id) || ' has two live certificates' FROM cba.entries WHERE state <= 3 GROUP BY owner HAVING count(*) > 1
			LIMIT 20`)
		if err != nil {
			return err
		}
		faults, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err == nil && len(faults) > 0 {
		slices.Sort(faults)
		err = &ledger.Error{Reason: ledger.Corrupt, What: l.what, Err: errors.New(strings.Join(faults, "; "))}
	}
	return err
}
