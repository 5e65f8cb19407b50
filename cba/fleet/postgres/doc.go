// Package postgres keeps a ledger in PostgreSQL 12 or later, for programs on several
// machines. It is a module of its own, so that only its users need pgx.
//
// For most uses, open the ledger with [Open] and use it as a ledger.Ledger, as you
// would one of package sqlite. [Ledger.CRLs] keeps the state of a CA's CRLs in the same
// database. [Ledger.In] runs the ledger's methods in a transaction of yours, together
// with your own rows.
//
// # The database
//
// One database holds one ledger, in the schema "cba". [Open] makes the schema and brings
// one of an earlier version up to date; for that the user needs the right to create a
// schema, and afterwards only the rights on it. A schema that a newer version of this
// module made is refused, also by a program that was running when it was made.
//
// # Locks
//
// PostgreSQL has many writers. Claim, Record and Revoke begin with an advisory lock of
// the transaction on the owner (the two keys are 0x4342414c and a hash of the owner; two
// owners with one hash only wait for each other). What they read after that is
// what was committed before. Partial unique indexes hold one live certificate per owner
// whatever happens.
//
// Claims expire by the clock of the server, so the clocks of the machines may differ.
//
// # Durability
//
// What is recorded, marked or revoked is on the server's disk when the method returns:
// the ledger turns synchronous_commit on where it is off. A server with fsync off loses
// data if its machine stops; nothing here can change that. Claims are not flushed: they
// only save work.
//
// While the server restarts, methods wait and try again, up to [Options.Wait]. If the
// connection is lost in the moment of the commit, nobody can tell whether the change
// was made: the error has reason ledger.Unavailable, and says so. Read
// before you write again.
//
// # Secrets
//
// Errors name the host and the database, never the password. Use a password file
// (PGPASSFILE), a service file or a client certificate, as for every PostgreSQL client.
package postgres
