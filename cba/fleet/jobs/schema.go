package jobs

import (
	"context"
	"fmt"
)

// version is that of the tables.
const version = 1

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

// prepare makes the tables, or refuses newer ones.
func prepare(ctx context.Context, d Database) error {
	err := d.transact(ctx, func(tx transaction) error {
		if _, err := tx.exec(ctx, "LOCK_MIGRATIONS"); err != nil {
			return err
		}
		var tables int
		if _, err := one(ctx, tx, []any{&tables}, "TABLE_EXISTS"); err != nil {
			return err
		}
		if tables == 0 {
			_, err := tx.exec(ctx, first)
			return err
		}
		return checkVersion(ctx, tx)
	})
	if err != nil {
		return err
	}
	return d.migrate(ctx)
}

func checkVersion(ctx context.Context, tx transaction) error {
	var found int
	if _, err := one(ctx, tx, []any{&found}, "SELECT version FROM {}fleet"); err != nil {
		return err
	}
	if found > version {
		return &Error{Reason: Newer, What: fmt.Sprintf("the tables have version %d, this program knows %d; use the newer version of the program", found, version)}
	}
	return nil
}
