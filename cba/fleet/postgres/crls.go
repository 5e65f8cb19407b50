package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"example.com/entracba/cba/crl/publish"
	"example.com/entracba/cba/fleet/ledger"
	"github.com/jackc/pgx/v5"
)

// CRLs returns the store of a CA's CRLs, for publish.Issuer. ca is what names the CA in
// ledger.Entry.Issuer. Every program that publishes for this CA must use this store.
//
// The lock is an advisory lock of a connection of its own. What is loaded and saved goes
// through this connection, too: a program that has lost the lock cannot save. A program
// that is killed loses the lock at once, a machine that is cut off after a minute, and, with
// PostgreSQL 14 or later, a program that is stopped after ten times [Options.Wait]. When it goes
// on, it may still publish what it had signed: look that no older CRL replaces a newer one.
func (l *Ledger) CRLs(ca string) publish.Store { return &crlStore{l: l, ca: ca} }

// A crlStore is a publish.Store in the table crls.
type crlStore struct {
	l  *Ledger
	ca string
	mu sync.Mutex
	// conn has the lock; nil between unlock and Lock.
	conn *pgx.Conn
}

// Lock waits for the lock until ctx ends.
func (s *crlStore) Lock(ctx context.Context) (unlock func() error, err error) {
	if s.l.o.ReadOnly {
		return nil, &ledger.Error{Reason: ledger.ReadOnly, What: s.l.what}
	}
	conn, err := pgx.ConnectConfig(ctx, s.l.pool.Config().ConnConfig)
	if err != nil {
		return nil, s.l.fail(err)
	}
	// The server notices after a minute that a machine is gone.
	_, err = conn.Exec(ctx, "SET lock_timeout = 0; SET synchronous_commit = on; SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3")
	if err == nil {
		_, err = conn.Exec(ctx, "SELECT set_config(name, $1, false) FROM pg_settings WHERE name = 'idle_session_timeout'", fmt.Sprint(10*s.l.o.Wait.Milliseconds()))
	}
	if err == nil {
		_, err = conn.Exec(ctx, "SELECT pg_advisory_lock($1, hashtext($2))", lockClass+1, s.ca)
	}
	if err != nil {
		conn.Close(context.WithoutCancel(ctx))
		return nil, s.l.fail(err)
	}
	s.mu.Lock()
	s.conn = conn
	s.mu.Unlock()
	return func() error {
		s.mu.Lock()
		s.conn = nil
		s.mu.Unlock()
		// The server gives the lock back before it answers.
		_, err := conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock_all()")
		return s.l.fail(errors.Join(err, conn.Close(context.WithoutCancel(ctx))))
	}, nil
}

func (s *crlStore) locked() (*pgx.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return nil, &ledger.Error{Reason: ledger.Invalid, What: "state of CRLs", Hint: "take its lock first"}
	}
	return s.conn, nil
}

// Load returns the part.
func (s *crlStore) Load(ctx context.Context, part publish.Part) (io.ReadCloser, error) {
	conn, err := s.locked()
	if err != nil {
		return nil, err
	}
	var content []byte
	err = conn.QueryRow(ctx, "SELECT content FROM cba.crls WHERE ca = $1 AND part = $2", s.ca, part).Scan(&content)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, s.l.fail(err)
	}
	return struct {
		*bytes.Reader
		io.Closer
	}{bytes.NewReader(content), io.NopCloser(nil)}, nil
}

// Save replaces the part.
func (s *crlStore) Save(ctx context.Context, part publish.Part, write func(io.Writer) error) error {
	conn, err := s.locked()
	if err != nil {
		return err
	}
	var content bytes.Buffer
	if err := write(&content); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "INSERT INTO cba.crls (ca, part, content) VALUES ($1, $2, $3) ON CONFLICT (ca, part) DO UPDATE SET content = $3", s.ca, part, content.Bytes())
	return s.l.fail(err)
}
