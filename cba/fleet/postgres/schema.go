package postgres

// schemas are the statements that lead from each version to the next. Version 0 is a
// database without the schema.
//
// States are those of package ledger: 1 issued, 2 bound, 3 delivered, 4 renewed,
// 5 revoked.
func schemas() []string { return []string{first} }

const first = `
CREATE SCHEMA IF NOT EXISTS cba;
CREATE TABLE cba.ledger (
	id      text NOT NULL,
	version int  NOT NULL
);
CREATE UNIQUE INDEX one_ledger ON cba.ledger ((true));
CREATE TABLE cba.entries (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	owner      text COLLATE "C" NOT NULL,
	upn        text NOT NULL,
	serial     text COLLATE "C" NOT NULL UNIQUE,
	issuer     text NOT NULL,
	state      smallint NOT NULL CHECK (state BETWEEN 1 AND 5),
	reason     smallint NOT NULL DEFAULT 0,
	replaces   text COLLATE "C" REFERENCES cba.entries (serial),
	not_before timestamptz NOT NULL,
	not_after  timestamptz NOT NULL,
	issued     timestamptz NOT NULL,
	bound      timestamptz,
	delivered  timestamptz,
	renewed    timestamptz,
	revoked    timestamptz,
	der        bytea NOT NULL,
	CHECK ((state = 5) = (revoked IS NOT NULL))
);
ALTER TABLE cba.entries ALTER COLUMN der SET STORAGE EXTERNAL; -- does not get smaller
CREATE UNIQUE INDEX one_live ON cba.entries (owner) WHERE state <= 3;
CREATE INDEX by_owner ON cba.entries (owner, id);
CREATE INDEX revoked ON cba.entries (id) WHERE state = 5;
CREATE UNIQUE INDEX one_successor ON cba.entries (replaces) WHERE replaces IS NOT NULL;
CREATE FUNCTION cba.forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP <> 'UPDATE' THEN
		RAISE EXCEPTION 'certificates are not forgotten';
	END IF;
	IF new.state < old.state OR old.state = 5 OR new.serial <> old.serial OR new.owner <> old.owner THEN
		RAISE EXCEPTION 'a certificate takes no step back';
	END IF;
	RETURN new;
END $$;
CREATE TRIGGER forward BEFORE UPDATE OR DELETE ON cba.entries FOR EACH ROW EXECUTE FUNCTION cba.forward();
CREATE TRIGGER forever BEFORE TRUNCATE ON cba.entries FOR EACH STATEMENT EXECUTE FUNCTION cba.forward();
CREATE TABLE cba.claims (
	owner    text COLLATE "C" PRIMARY KEY,
	worker   text COLLATE "C" NOT NULL,
	replaces text COLLATE "C",
	expires  timestamptz NOT NULL
);
CREATE INDEX by_worker ON cba.claims (worker);
CREATE TABLE cba.crls (
	ca      text NOT NULL,
	part    text NOT NULL,
	content bytea NOT NULL,
	PRIMARY KEY (ca, part)
);
ALTER TABLE cba.crls ALTER COLUMN content SET STORAGE EXTERNAL;
`
