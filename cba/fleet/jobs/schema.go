package jobs

import (
	"context"
	"fmt"
)

// Times are microseconds since 1970, those of certificates seconds.
const first = `
CREATE TABLE {}requests (
	owner   text PRIMARY KEY,
	subject text NOT NULL,
	added   bigint NOT NULL,
	stopped bigint NOT NULL DEFAULT 0
);
CREATE TABLE {}attempts (
	serial  text PRIMARY KEY,
	owner   text NOT NULL,
	upn     text NOT NULL,
	issuer  text NOT NULL,
	expires bigint NOT NULL,
	begun   bigint NOT NULL,
	given_up bigint NOT NULL DEFAULT 0
);
CREATE INDEX attempts_by_owner ON {}attempts (owner);
CREATE TABLE {}revocations (
	serial  text PRIMARY KEY,
	issuer  text NOT NULL,
	revoked bigint NOT NULL,
	reason  bigint NOT NULL,
	expires bigint NOT NULL,
	listed  bigint NOT NULL DEFAULT 0
);
CREATE INDEX revocations_unlisted ON {}revocations (issuer) WHERE listed = 0;
CREATE TABLE {}published (
	issuer  text PRIMARY KEY,
	number  text NOT NULL,
	next    bigint NOT NULL,
	delta   bigint NOT NULL
);
CREATE TABLE {}workers (
	name    text PRIMARY KEY,
	expires bigint NOT NULL
);
CREATE TABLE {}gates (
	name   text PRIMARY KEY,
	spent  double precision NOT NULL,
	at     bigint NOT NULL,
	closed bigint NOT NULL
);
CREATE TABLE {}fleet (version bigint NOT NULL);
INSERT INTO {}fleet VALUES (1);
`

// schemas are the statements that lead from each version to the next. Version 0 is a
// database without the tables.
func schemas() []string { return []string{first, second} }

// When the files of an attempt that was given up were removed last.
const second = `
ALTER TABLE {}attempts ADD COLUMN removed bigint NOT NULL DEFAULT 0;
CREATE INDEX attempts_given_up ON {}attempts (removed) WHERE given_up > 0;
`

// prepare makes or updates the tables, or refuses newer ones. The statements of a version, and
// its number, are one transaction.
func prepare(ctx context.Context, d Database) error {
	engine, err := d.engineVersion()
	if err != nil {
		return err
	}
	return d.migrate(ctx, func(tx transaction) error {
		found, err := foundVersion(ctx, tx, "river_migration")
		if err == nil {
			err = checkNewer("the tables of the engine", found, engine)
		}
		if err != nil {
			return err
		}
		if found, err = foundVersion(ctx, tx, "fleet"); err != nil {
			return err
		}
		known := schemas()
		if err := checkNewer("the tables", found, len(known)); err != nil || found == len(known) {
			return err
		}
		for _, statements := range known[found:] {
			if _, err := tx.exec(ctx, statements); err != nil {
				return err
			}
		}
		_, err = tx.exec(ctx, "UPDATE {}fleet SET version = $1", len(known))
		return err
	})
}

// foundVersion returns the greatest version in a table, 0 if there is no table.
func foundVersion(ctx context.Context, tx transaction, table string) (found int, err error) {
	var tables int
	if _, err := one(ctx, tx, []any{&tables}, "TABLE_EXISTS", table); err != nil || tables == 0 {
		return 0, err
	}
	_, err = one(ctx, tx, []any{&found}, "SELECT coalesce(max(version), 0) FROM {}"+table)
	return found, err
}

// checkVersion refuses tables that a newer program has made meanwhile.
func checkVersion(ctx context.Context, tx transaction) error {
	var found int
	if _, err := one(ctx, tx, []any{&found}, "SELECT version FROM {}fleet"); err != nil {
		return err
	}
	return checkNewer("the tables", found, len(schemas()))
}

func checkNewer(what string, found, known int) error {
	if found > known {
		return &Error{Reason: Newer, What: fmt.Sprintf("%s have version %d, this program knows %d; use the newer version of the program", what, found, known)}
	}
	return nil
}
