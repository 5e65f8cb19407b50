package sqlite

// applicationID marks the file as a ledger ("CBAL"), for SQLite and for file(1).
const applicationID = 0x4342414c

// version is the schema's, in user_version. Version 0 is a new file.
const version = len(schemas)

// schemas are the statements that lead from each version to the next.
var schemas = [...]string{first, second}

// States are those of package ledger: 1 issued, 2 bound, 3 delivered, 4 renewed,
// 5 revoked. Times are seconds since 1970, in claims milliseconds.
const first = `
CREATE TABLE entries (
	id         INTEGER PRIMARY KEY,
	request    TEXT NOT NULL,
	upn        TEXT NOT NULL,
	serial     TEXT NOT NULL UNIQUE,
	issuer     TEXT NOT NULL,
	state      INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),
	reason     INTEGER NOT NULL DEFAULT 0,
	replaces   TEXT REFERENCES entries (serial),
	not_before INTEGER NOT NULL,
	not_after  INTEGER NOT NULL,
	issued     INTEGER NOT NULL,
	bound      INTEGER,
	delivered  INTEGER,
	renewed    INTEGER,
	revoked    INTEGER,
	CHECK ((state = 5) = (revoked IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX one_live ON entries (request) WHERE state <= 3;
CREATE INDEX by_request ON entries (request);
CREATE UNIQUE INDEX one_successor ON entries (replaces) WHERE replaces IS NOT NULL;
CREATE TRIGGER forward BEFORE UPDATE ON entries
	WHEN new.state < old.state OR old.state = 5 OR new.serial <> old.serial OR new.request <> old.request
	BEGIN SELECT raise(ABORT, 'a certificate takes no step back'); END;
CREATE TRIGGER forever BEFORE DELETE ON entries
	BEGIN SELECT raise(ABORT, 'certificates are not forgotten'); END;
CREATE TABLE certificates (
	id  INTEGER PRIMARY KEY REFERENCES entries (id),
	der BLOB NOT NULL
) STRICT;
CREATE TABLE claims (
	request  TEXT PRIMARY KEY,
	holder   TEXT NOT NULL,
	replaces TEXT,
	expires  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX by_holder ON claims (holder);
`

// The ledger has an id, in the one row of identity; owners and workers have their names.
const second = `
CREATE TABLE identity (id TEXT NOT NULL) STRICT;
ALTER TABLE entries RENAME COLUMN request TO owner;
ALTER TABLE claims RENAME COLUMN request TO owner;
ALTER TABLE claims RENAME COLUMN holder TO worker;
`
