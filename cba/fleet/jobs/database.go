package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
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
	// migrate runs own in a transaction, and then makes or updates the tables of the
	// engine, while no other program does.
	migrate(ctx context.Context, own func(transaction) error) error
	// engineVersion is that of the engine's tables that this program knows.
	engineVersion() (int, error)
	// connect makes the engine's client, which inserts, and works after start.
	connect(config *river.Config) error
	start(ctx context.Context) error
	stopped() <-chan struct{}
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

func (c *core[Tx]) migrator() (*rivermigrate.Migrator[Tx], error) {
	return rivermigrate.New(c.driver, &rivermigrate.Config{Schema: c.schema, Logger: slog.New(slog.DiscardHandler)})
}

func (c *core[Tx]) engineVersion() (int, error) {
	m, err := c.migrator()
	if err != nil {
		return 0, err
	}
	known := m.AllVersions()
	return known[len(known)-1].Version, nil
}

func (c *core[Tx]) connect(config *river.Config) (err error) {
	config.Schema = c.schema
	c.client, err = river.NewClient(c.driver, config)
	return err
}

func (c *core[Tx]) start(ctx context.Context) error { return c.client.Start(ctx) }
func (c *core[Tx]) stopped() <-chan struct{}        { return c.client.Stopped() }

// within is the engine within a transaction.
type within[Tx any] struct {
	core *core[Tx]
	tx   Tx
}

func (w within[Tx]) complete(ctx context.Context, job *rivertype.JobRow) error {
	_, err := river.JobCompleteTx[riverdriver.Driver[Tx]](ctx, w.tx, &river.Job[noArgs]{JobRow: job})
	return err
}

func (w within[Tx]) insert(ctx context.Context, jobs []river.InsertManyParams) error {
	_, err := w.core.client.InsertManyTx(ctx, w.tx, jobs)
	return err
}

func (w within[Tx]) insertNew(ctx context.Context, jobs []river.InsertManyParams) error {
	_, err := w.core.client.InsertManyFastTx(ctx, w.tx, jobs)
	return err
}

// noArgs are the arguments of a job of any kind.
type noArgs struct{}

func (noArgs) Kind() string { return "none" }

// death is the error of a job whose workers die.
const death = "the process that ran this job died, and so did many before: look at its log"

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
		"DEATH_ADDED", `array_append(errors, jsonb_build_object('at', clock_timestamp(), 'attempt', attempt, 'error', '`+death+`', 'trace', ''))`,
		"JSON_ROWS", "json_array_elements($1::json) AS list(value)",
		"JSON_TEXTS", "json_array_elements_text($1::json) AS list(value)",
		"MINUTE_AGO", "(now() - interval '1 minute')",
		"IN_A_MINUTE", "(now() + interval '1 minute')",
		"TABLE_EXISTS", "SELECT count(*) FROM pg_class WHERE oid = to_regclass('cba.' || $1)",
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
	if err := do(&pgTransaction{within[pgx.Tx]{&d.core, tx}, d}); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// migrate takes an advisory lock of a connection of its own: the engine changes its tables in
// several transactions, because PostgreSQL does not use a new value of an enumeration in the one
// that added it. Each leaves whole tables behind, so what was interrupted goes on next time.
func (d *pgDatabase) migrate(ctx context.Context, own func(transaction) error) (err error) {
	conn, err := d.l.Pool().Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(1128415564, 1)"); err != nil {
		return err
	}
	defer func() {
		_, failed := conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(1128415564, 1)")
		err = errors.Join(err, failed)
	}()
	if err := d.transact(ctx, own); err != nil {
		return err
	}
	m, err := d.migrator()
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

type pgTransaction struct {
	within[pgx.Tx]
	d *pgDatabase
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
		"DEATH_ADDED", `jsonb_insert(coalesce(errors, jsonb('[]')), '$[#]', jsonb_object('at', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 'attempt', attempt, 'error', '`+death+`', 'trace', ''))`,
		"JSON_ROWS", "json_each(?1)",
		"JSON_TEXTS", "json_each(?1)",
		"MINUTE_AGO", "datetime('now', '-1 minute')",
		"IN_A_MINUTE", "datetime('now', '+1 minute')",
		"TABLE_EXISTS", "SELECT count(*) FROM sqlite_schema WHERE name = ?1",
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
	if err := do(&liteTransaction{within[*sql.Tx]{&d.core, tx}, d}); err != nil {
		return err
	}
	return tx.Commit()
}

// migrate is one transaction, which has the right to write from its beginning.
func (d *liteDatabase) migrate(ctx context.Context, own func(transaction) error) error {
	m, err := d.migrator()
	if err != nil {
		return err
	}
	return d.transact(ctx, func(tx transaction) error {
		if err := own(tx); err != nil {
			return err
		}
		//lint:ignore SA1019 what does not fit into one transaction is PostgreSQL's; here it keeps other programs out
		_, err := m.MigrateTx(ctx, tx.(*liteTransaction).tx, rivermigrate.DirectionUp, nil)
		return err
	})
}

type liteTransaction struct {
	within[*sql.Tx]
	d *liteDatabase
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

// texts is a list as JSON_TEXTS takes it; an empty one is no null.
func texts(list []string) (string, error) {
	text, err := json.Marshal(append([]string{}, list...))
	return string(text), err
}

// one reads a single row; ok is false if there is none.
func one(ctx context.Context, tx transaction, into []any, statement string, args ...any) (ok bool, err error) {
	r, err := tx.query(ctx, statement, args...)
	err = scanAll(r, err, into, func() error { ok = true; return nil })
	return ok, err
}
