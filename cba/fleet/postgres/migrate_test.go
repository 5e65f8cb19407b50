//go:build unix

package postgres

import (
	"context"
	"errors"
	"sync"
	"testing"

	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/postgres/pgtest"
)

// TestMigrate leads a ledger from version to version: twice, by several programs at the same
// moment, and after an interruption in the middle of a version. An older program refuses what a newer one made.
func TestMigrate(t *testing.T) {
	server := pgtest.Start(t, "")
	url, ctx := server.Database(t), t.Context()
	l, err := Open(ctx, url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	id, err := l.ID(ctx)
	if err != nil {
		t.Fatal(err)
	}
	version := func() (found int) {
		t.Helper()
		if err := l.pool.QueryRow(ctx, "SELECT version FROM cba.ledger").Scan(&found); err != nil {
			t.Fatal(err)
		}
		return found
	}
	base := schemas()
	next := append(base, "CREATE TABLE cba.more (id int)", "ALTER TABLE cba.more ADD COLUMN text text")
	broken := append(next[:len(next):len(next)], "CREATE TABLE cba.half (id int); SELECT 1 / 0")
	// Interrupted: by an error in the last version, and by the end of the program.
	if err := l.prepare(ctx, broken); err == nil {
		t.Error("a broken version was made")
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := l.prepare(ended, next); err == nil {
		t.Error("prepared after the end")
	}
	if n := version(); n != len(base) {
		t.Errorf("version %d after an interruption, want %d", n, len(base))
	}
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() {
			other, err := Open(context.Background(), url, Options{Connections: 2})
			if err != nil {
				// Faster programs have the next version already.
				if !errors.Is(err, ledger.Newer) {
					t.Error(err)
				}
				return
			}
			defer other.Close()
			for range 2 {
				if err := other.prepare(context.Background(), next); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if err := l.prepare(ctx, next); err != nil {
		t.Error(err)
	}
	if n := version(); n != len(next) {
		t.Errorf("version %d, want %d", n, len(next))
	}
	if again, err := l.ID(ctx); err != nil || again != id {
		t.Errorf("id %q, was %q, %v", again, id, err)
	}
	for _, o := range []Options{{}, {ReadOnly: true}, {Existing: true}} {
		if _, err := Open(ctx, url, o); !errors.Is(err, ledger.Newer) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	l.o.ReadOnly = true
	if err := l.prepare(ctx, append(next, "SELECT 1")); !errors.Is(err, ledger.ReadOnly) {
		t.Errorf("an older one, read only: %v", err)
	}
}
