package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"example.com/entracba/cba/fleet/ledger"
	_ "modernc.org/sqlite" // the driver
)

const defaultWait = 30 * time.Second

// Options are how a ledger is opened. The zero value works.
type Options struct {
	// ReadOnly opens an existing ledger for reading. Methods that change something
	// return an error with reason ledger.ReadOnly.
	ReadOnly bool
	// Existing creates no ledger: if the file is missing or empty, the error has reason
	// ledger.Missing, as with ReadOnly.
	Existing bool
	// Wait is how long a call waits while other programs keep the file locked; zero
	// means 30 seconds.
	Wait time.Duration
	// Now is the clock by which claims expire; nil means time.Now.
	Now func() time.Time
}

// A Ledger is a ledger.Ledger in a file. Errors are those that the interface names.
type Ledger struct {
	path string
	o    Options
	mu   sync.Mutex // one writer in this program; those of others wait in SQLite
	// The same file, three times: changes that are flushed, changes that need not
	// be, and reading.
	durable, quick, read *sql.DB
	tx                   *sql.Tx // of [Ledger.In]
}

var _ ledger.Ledger = (*Ledger)(nil)

// Open opens the ledger in a file. If there is no file, and neither o.ReadOnly nor
// o.Existing is set, Open creates the ledger with mode 0600; the folder must exist.
// While the ledger is open, files with the same name plus "-wal" and "-shm" are part of
// it. Open updates a ledger of an earlier version, unless o.ReadOnly is set. It reads the
// whole file once, for damage (PRAGMA quick_check).
//
// The error is a *ledger.Error with reason Missing, NotLedger, Newer, Corrupt, ReadOnly,
// Full, Busy or Unavailable.
func Open(ctx context.Context, path string, o Options) (_ *Ledger, err error) {
	if o.Wait == 0 {
		o.Wait = defaultWait
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	l := &Ledger{path: path, o: o}
	if !o.ReadOnly {
		// SQLite would make the file readable for everyone.
		flags := os.O_RDWR | os.O_CREATE
		if o.Existing {
			flags = os.O_RDWR
		}
		f, err := os.OpenFile(path, flags, 0o600)
		switch {
		case o.Existing && errors.Is(err, fs.ErrNotExist):
			return nil, &ledger.Error{Reason: ledger.Missing, What: l.what(), Err: fs.ErrNotExist}
		case errors.Is(err, fs.ErrPermission):
			if _, statErr := os.Stat(path); statErr == nil {
				return nil, &ledger.Error{Reason: ledger.ReadOnly, What: l.what(), Err: err}
			}
			return nil, &ledger.Error{Reason: ledger.Unavailable, What: l.what(), Err: err}
		case err != nil:
			return nil, &ledger.Error{Reason: ledger.Unavailable, What: l.what(), Err: err}
		}
		f.Close()
	}
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	mode := "mode=ro"
	if o.ReadOnly {
		switch _, err := os.Stat(path); {
		case errors.Is(err, fs.ErrNotExist):
			return nil, &ledger.Error{Reason: ledger.Missing, What: l.what(), Err: fs.ErrNotExist}
		case err != nil:
			return nil, &ledger.Error{Reason: ledger.Unavailable, What: l.what(), Err: err}
		}
		// Reading needs "-wal" and "-shm". Who may write removes those that it had to
		// make; who finds some leaves them as they are.
		if !exists(path+"-wal") && !exists(path+"-journal") {
			mode = "mode=rw"
		}
	}
	if l.read, err = l.open(mode, "deferred", "query_only(1)"); err != nil {
		return nil, err
	}
	l.read.SetMaxOpenConns(max(4, runtime.GOMAXPROCS(0)))
	if o.ReadOnly {
		if _, err = l.version(ctx, l.read); err == nil {
			err = l.quickCheck(ctx)
		}
		if err != nil {
			return nil, err
		}
		return l, nil
	}
	for _, db := range []struct {
		db          **sql.DB
		synchronous string
	}{{&l.durable, "synchronous(FULL)"}, {&l.quick, "synchronous(NORMAL)"}} {
		if *db.db, err = l.open("mode=rw", "immediate", db.synchronous, "foreign_keys(1)"); err != nil {
			return nil, err
		}
		(*db.db).SetMaxOpenConns(1)
	}
	if err = l.prepare(ctx); err == nil {
		err = l.quickCheck(ctx)
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

// quickCheck reads the whole file and says whether SQLite can, without a look at what the
// indexes say: see [Ledger.Check].
func (l *Ledger) quickCheck(ctx context.Context) error {
	return l.patient(ctx, func() error {
		var found string
		if err := l.reader().QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found); err != nil {
			return l.fail(err)
		}
		if found != "ok" {
			return &ledger.Error{Reason: ledger.Corrupt, What: l.what(), Err: errors.New(strings.ReplaceAll(found, "\n", "; ")), Hint: "restore the ledger from a backup"}
		}
		return nil
	})
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func (l *Ledger) what() string { return fmt.Sprintf("%q", l.path) }

func (l *Ledger) open(mode, lock string, pragmas ...string) (*sql.DB, error) {
	absolute, err := filepath.Abs(l.path)
	if err != nil {
		return nil, &ledger.Error{Reason: ledger.Unavailable, What: l.what(), Err: err}
	}
	absolute = filepath.ToSlash(absolute)
	if !strings.HasPrefix(absolute, "/") {
		absolute = "/" + absolute // a drive letter
	}
	query := mode + "&_txlock=" + lock + fmt.Sprintf("&_pragma=busy_timeout(%d)", l.o.Wait.Milliseconds())
	for _, pragma := range pragmas {
		query += "&_pragma=" + pragma
	}
	db, err := sql.Open("sqlite", "file://"+(&url.URL{Path: absolute}).EscapedPath()+"?"+query)
	if err != nil {
		return nil, l.fail(err)
	}
	return db, nil
}

// DB returns the connection through which the ledger writes what must survive a power
// cut, for rows of your own beside the ledger's: nil if the ledger is read-only. There is one
// connection, and every transaction on it may write from its beginning. It is closed
// with the ledger.
func (l *Ledger) DB() *sql.DB { return l.durable }

// In returns the ledger inside a transaction of [Ledger.DB]: what its methods change is
// there when the transaction is committed, together with everything else in it. After an
// error, roll it back. Until it ends, only methods of the result may be called, and not
// at the same time; Close does nothing.
func (l *Ledger) In(tx *sql.Tx) ledger.Ledger {
	return &Ledger{path: l.path, o: l.o, durable: l.durable, quick: l.durable, tx: tx}
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (l *Ledger) reader() querier {
	if l.tx != nil {
		return l.tx
	}
	return l.read
}

// prepare makes the tables of a new file and refuses files that are not ours.
func (l *Ledger) prepare(ctx context.Context) error {
	return l.patient(ctx, func() error {
		// Look before the journal mode is changed: the file may be somebody else's.
		found, err := l.version(ctx, l.durable)
		if err != nil {
			return err
		}
		if found == version {
			return nil
		}
		var mode string
		if err := l.durable.QueryRowContext(ctx, "PRAGMA journal_mode=WAL").Scan(&mode); err != nil {
			return l.fail(err)
		}
		if mode != "wal" {
			return &ledger.Error{Reason: ledger.Unavailable, What: l.what(), Err: fmt.Errorf("the file system does not allow write-ahead logging (journal mode %s)", mode)}
		}
		return l.change(ctx, l.durable, func(tx *sql.Tx) error {
			// Another program may have been faster.
			var found int
			if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&found); err != nil || found >= version {
				return err
			}
			statements := strings.Join(schemas[found:], "") + fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d;", applicationID, version)
			if _, err := tx.ExecContext(ctx, statements); err != nil {
				return err
			}
			// A ledger keeps the id that it has.
			_, err := tx.ExecContext(ctx, "INSERT INTO identity (id) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM identity)", rand.Text())
			return err
		})
	})
}

// ID implements ledger.Ledger.
func (l *Ledger) ID(ctx context.Context) (string, error) {
	var id string
	err := l.reader().QueryRowContext(ctx, "SELECT id FROM identity").Scan(&id)
	return id, l.fail(err)
}

// version reads the version of the file, 0 if it is empty.
func (l *Ledger) version(ctx context.Context, db *sql.DB) (found int, err error) {
	var application, tables int
	if err := db.QueryRowContext(ctx, `SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id, pragma_user_version`).Scan(&application, &found, &tables); err != nil {
		return 0, l.fail(err)
	}
	switch {
	case application == applicationID && found > version:
		return 0, l.newer(found)
	case application == applicationID && found < version && l.o.ReadOnly:
		return 0, &ledger.Error{Reason: ledger.ReadOnly, What: l.what(), Err: fmt.Errorf("it has version %d, and version %d is needed", found, version), Hint: "open it for writing once, which brings it up to date"}
	case application == applicationID && found > 0:
		return found, nil
	case application == 0 && found == 0 && tables == 0:
		if l.o.ReadOnly || l.o.Existing {
			return 0, &ledger.Error{Reason: ledger.Missing, What: l.what(), Err: errors.New("the file is empty")}
		}
		return 0, nil
	}
	return 0, &ledger.Error{Reason: ledger.NotLedger, What: l.what()}
}

// patient tries again while the file is locked in a way that SQLite does not wait
// for: when several programs open a new file, or the last one closes it.
func (l *Ledger) patient(ctx context.Context, try func() error) error {
	deadline := time.Now().Add(l.o.Wait)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := try()
		if !errors.Is(err, ledger.Busy) && !isBusy(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// change runs a transaction that has the right to write from its beginning.
func (l *Ledger) change(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) error {
	if db == nil {
		return &ledger.Error{Reason: ledger.ReadOnly, What: l.what()}
	}
	if l.tx != nil {
		return l.fail(l.checked(ctx, l.tx, do))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return l.fail(err)
	}
	defer tx.Rollback()
	if err := l.checked(ctx, tx, do); err != nil {
		return l.fail(err)
	}
	return l.fail(tx.Commit())
}

// checked refuses to write what a newer program has changed meanwhile.
func (l *Ledger) checked(ctx context.Context, tx *sql.Tx, do func(*sql.Tx) error) error {
	var found int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&found); err != nil {
		return err
	}
	if found > version {
		return l.newer(found)
	}
	return do(tx)
}

func (l *Ledger) newer(found int) error {
	return &ledger.Error{Reason: ledger.Newer, What: l.what(), Err: fmt.Errorf("it has version %d, this program knows %d", found, version)}
}

// Close closes the file. It does not give claims back.
func (l *Ledger) Close() error {
	if l.tx != nil {
		return nil
	}
	var failed error
	for _, db := range []*sql.DB{l.read, l.quick, l.durable} {
		if db != nil {
			failed = errors.Join(failed, l.fail(db.Close()))
		}
	}
	return failed
}

// Check reads the whole file (PRAGMA integrity_check) and looks for inconsistencies that
// no index can prevent.
func (l *Ledger) Check(ctx context.Context) error {
	rows, err := l.reader().QueryContext(ctx, `
		SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'
		UNION ALL SELECT 'entry ' || e.id || ' has no certificate' FROM entries e LEFT JOIN certificates c USING (id) WHERE c.id IS NULL
		UNION ALL SELECT 'certificate ' || c.id || ' has no entry' FROM certificates c LEFT JOIN entries e USING (id) WHERE e.id IS NULL
		UNION ALL SELECT 'entry ' || n.id || ' replaces one that is not renewed' FROM entries n JOIN entries o ON o.serial = n.replaces WHERE o.state < 4 OR o.owner <> n.owner
		LIMIT 20`)
	if err != nil {
		return l.fail(err)
	}
	defer rows.Close()
	var faults []string
	for rows.Next() {
		var fault string
		if err := rows.Scan(&fault); err != nil {
			return l.fail(err)
		}
		faults = append(faults, fault)
	}
	if err := rows.Err(); err != nil {
		return l.fail(err)
	}
	if len(faults) > 0 {
		return &ledger.Error{Reason: ledger.Corrupt, What: l.what(), Err: errors.New(strings.Join(faults, "; "))}
	}
	return nil
}
