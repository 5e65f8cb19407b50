package jobs

import (
	"context"
	"database/sql"
	"log/slog"
	"strings"

	"example.com/entracba/cba/crl/publish"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/postgres"
	"example.com/entracba/cba/fleet/sqlite"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
)

// A Database is where the ledger and the jobs are: see [Postgres] and [SQLite].
type Database interface {
	// ledger is the ledger outside transactions.
	ledger() ledger.Ledger
	// crls is the state of a CA's CRLs.
	crls(ca string) publish.Store
	// transact runs a transaction.
	transact(ctx context.Context, do func(transaction) error) error
	// migrate makes or updates the tables of the engine.
	migrate(ctx context.Context) error
	// connect makes the engine's client, which inserts, and works after start.
	connect(config *river.Config) error
	start(ctx context.Context) error
	stopped() <-chan struct{}
	retry(ctx context.Context, id int64) error
}

// A transaction is one of the database, with the ledger and the engine in it.
type transaction interface {
	exec(ctx context.Context, statement string, args ...any) (int64, error)
	query(ctx context.Context, statement string, args ...any) (rows, error)
	ledger() ledger.Ledger
	// complete ends a job.
	complete(ctx context.Context, job *rivertype.JobRow) error
	// insert adds jobs, but not those of which there is one already.
	insert(ctx context.Context, jobs []river.InsertManyParams) error
	// insertNew adds jobs of which there is none, faster.
	insertNew(ctx context.Context, jobs []river.InsertManyParams) error
}

type rows interface {
	Next() bool
	Scan(into ...any) error
	Err() error
	close()
}

// scanAll reads every row into variables and calls each.
func scanAll(r rows, err error, into []any, each func() error) error {
	if err != nil {
		return err
	}
	defer r.close()
	for r.Next() {
		if err := r.Scan(into...); err != nil {
			return err
		}
		if err := each(); err != nil {
			return err
		}
	}
	return r.Err()
}

// core is the engine in either database.
type core[Tx any] struct {
	driver riverdriver.Driver[Tx]
	schema string
	client *river.Client[Tx]
}

func (c *core[Tx]) migrate(ctx context.Context) error {
	m, err := rivermigrate.New(c.driver, &rivermigrate.Config{Schema: c.schema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func (c *core[Tx]) connect(config *river.Config) (err error) {
	config.Schema = c.schema
	c.client, err = river.NewClient(c.driver, config)
	return err
}

func (c *core[Tx]) start(ctx context.Context) error { return c.client.Start(ctx) }
func (c *core[Tx]) stopped() <-chan struct{}        { return c.client.Stopped() }

func (c *core[Tx]) retry(ctx context.Context, id int64) error {
	_, err := c.client.JobRetry(ctx, id)
	return err
}

func (c *core[Tx]) complete(ctx context.Context, tx Tx, job *rivertype.JobRow) error {
	_, err := river.JobCompleteTx[riverdriver.Driver[Tx]](ctx, tx, &river.Job[noArgs]{JobRow: job})
	return err
}

// noArgs are the arguments of a job of any kind.
type noArgs struct{}

func (noArgs) Kind() string { return "none" }

// Postgres returns the database of a ledger in PostgreSQL. The tables of the jobs are in
// the ledger's schema.
func Postgres(l *postgres.Ledger) Database {
	return &pgDatabase{core[pgx.Tx]{driver: riverpgxv5.New(l.Pool()), schema: "cba"}, l, strings.NewReplacer(
		// Statements name tables with "{}" in front, and in capitals what dialects write
		// differently.
		"{}", "cba.",
		"NOW", "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
		"DUE_TIME", "clock_timestamp()",
		"REVOKED_AT", "extract(epoch FROM revoked)::bigint",
		"ENDS_AT", "extract(epoch FROM not_after)::bigint",
		"FOR_UPDATE", "FOR UPDATE",
		"SKIP_LOCKED", "FOR UPDATE SKIP LOCKED",
		"LAST_WORKER", "attempted_by[array_upper(attempted_by, 1)]",
		"LAST_ERROR", "coalesce(errors[array_upper(errors, 1)] ->> 'error', '')",
		"JSON_ROWS", "json_array_elements($1::json) AS list(value)",
		"JSON_TEXTS", "json_array_elements_text($1::json) AS list(value)",
		"MINUTE_AGO", "(now() - interval '1 minute')",
		"LOCK_MIGRATIONS", "SELECT pg_advisory_xact_lock(1128415564, 1)",
		"TABLE_EXISTS", "SELECT count(*) FROM pg_class WHERE oid = to_regclass('cba.fleet')",
	)}
}

type pgDatabase struct {
	core[pgx.Tx]
	l     *postgres.Ledger
	words *strings.Replacer
}

func (d *pgDatabase) ledger() ledger.Ledger        { return d.l }
func (d *pgDatabase) crls(ca string) publish.Store { return d.l.CRLs(ca) }

func (d *pgDatabase) transact(ctx context.Context, do func(transaction) error) error {
	tx, err := d.l.Pool().Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	if err := do(&pgTransaction{d, tx}); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

type pgTransaction struct {
	d  *pgDatabase
	tx pgx.Tx
}

func (t *pgTransaction) ledger() ledger.Ledger { return t.d.l.In(t.tx) }

func (t *pgTransaction) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	tag, err := t.tx.Exec(ctx, t.d.words.Replace(statement), args...)
	return tag.RowsAffected(), err
}

type pgRows struct{ pgx.Rows }

func (r pgRows) close() { r.Rows.Close() }

func (t *pgTransaction) query(ctx context.Context, statement string, args ...any) (rows, error) {
	r, err := t.tx.Query(ctx, t.d.words.Replace(statement), args...)
	return pgRows{r}, err
}

func (t *pgTransaction) complete(ctx context.Context, job *rivertype.JobRow) error {
	return t.d.core.complete(ctx, t.tx, job)
}

func (t *pgTransaction) insert(ctx context.Context, jobs []river.InsertManyParams) error {
	_, err := t.d.client.InsertManyTx(ctx, t.tx, jobs)
	return err
}

func (t *pgTransaction) insertNew(ctx context.Context, jobs []river.InsertManyParams) error {
	_, err := t.d.client.InsertManyFastTx(ctx, t.tx, jobs)
	return err
}

// SQLite returns the database of a ledger in a file, for programs on one machine. crls is
// where the state of each CA's CRLs is: publish.FileStore in most cases.
func SQLite(l *sqlite.Ledger, crls func(ca string) publish.Store) Database {
	return &liteDatabase{core[*sql.Tx]{driver: riversqlite.New(l.DB())}, l, crls, strings.NewReplacer(
		"{}", "",
		"NOW", "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
		"DUE_TIME", "datetime('now', 'subsec')",
		"REVOKED_AT", "revoked",
		"ENDS_AT", "not_after",
		"FOR_UPDATE", "",
		"SKIP_LOCKED", "",
		"LAST_WORKER", "(attempted_by ->> '$[#-1]')",
		"LAST_ERROR", "coalesce(errors ->> '$[#-1].error', '')",
		"JSON_ROWS", "json_each(?1)",
		"JSON_TEXTS", "json_each(?1)",
		"MINUTE_AGO", "datetime('now', '-1 minute')",
		"LOCK_MIGRATIONS", "SELECT 1",
		"TABLE_EXISTS", "SELECT count(*) FROM sqlite_schema WHERE name = 'fleet'",
		// Numbered parameters; database/sql takes $1 for a name.
		"$1", "?1", "$2", "?2", "$3", "?3", "$4", "?4", "$5", "?5", "$6", "?6",
	)}
}

type liteDatabase struct {
	core[*sql.Tx]
	l     *sqlite.Ledger
	state func(ca string) publish.Store
	words *strings.Replacer
}

func (d *liteDatabase) ledger() ledger.Ledger        { return d.l }
func (d *liteDatabase) crls(ca string) publish.Store { return d.state(ca) }

func (d *liteDatabase) transact(ctx context.Context, do func(transaction) error) error {
	if d.l.DB() == nil {
		return &ledger.Error{Reason: ledger.ReadOnly, What: "jobs"}
	}
	tx, err := d.l.DB().BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := do(&liteTransaction{d, tx}); err != nil {
		return err
	}
	return tx.Commit()
}

type liteTransaction struct {
	d  *liteDatabase
	tx *sql.Tx
}

func (t *liteTransaction) ledger() ledger.Ledger { return t.d.l.In(t.tx) }

func (t *liteTransaction) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	result, err := t.tx.ExecContext(ctx, t.d.words.Replace(statement), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

type liteRows struct{ *sql.Rows }

func (r liteRows) close() { r.Rows.Close() }

func (t *liteTransaction) query(ctx context.Context, statement string, args ...any) (rows, error) {
	r, err := t.tx.QueryContext(ctx, t.d.words.Replace(statement), args...)
	return liteRows{r}, err
}

func (t *liteTransaction) complete(ctx context.Context, job *rivertype.JobRow) error {
	return t.d.core.complete(ctx, t.tx, job)
}

func (t *liteTransaction) insert(ctx context.Context, jobs []river.InsertManyParams) error {
	_, err := t.d.client.InsertManyTx(ctx, t.tx, jobs)
	return err
}

func (t *liteTransaction) insertNew(ctx context.Context, jobs []river.InsertManyParams) error {
	_, err := t.d.client.InsertManyFastTx(ctx, t.tx, jobs)
	return err
}

// one reads a single row; ok is false if there is none.
func one(ctx context.Context, tx transaction, into []any, statement string, args ...any) (ok bool, err error) {
	r, err := tx.query(ctx, statement, args...)
	err = scanAll(r, err, into, func() error { ok = true; return nil })
	return ok, err
}
