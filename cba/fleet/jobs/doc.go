// Package jobs runs the life of certificates on one machine or on many: issue and pack,
// bind, deliver, renew when due, revoke and publish, leave. Each step is a job of the
// River engine, in the database of the ledger: PostgreSQL, or SQLite for one machine with
// nothing to install.
//
// For most uses:
//
//	l, err := postgres.Open(ctx, "postgres://db.contoso.com/cba", postgres.Options{})
//	f, err := jobs.Open(ctx, jobs.Postgres(l), jobs.Config{CA: ca, ...})
//	counts, err := f.Enqueue(ctx, list)  // once, on any machine
//	err = f.Run(ctx)                     // on every machine, until ctx ends
//
// Kill any of the programs, or the database, at any time: the others go on, and nobody
// gets two certificates.
//
// # The steps
//
//	issue    makes the key, the certificate and the PFX in one process. The order is: a
//	         claim of the user and the serial number in the ledger; the password
//	         in its store; the signature; the PFX in its store; the certificate in the
//	         ledger. If the process dies in between, the certificate goes on the CRL,
//	         its files are removed, and the user gets another one.
//	bind     writes certificateUserIds through Graph, as lifecycle.PlanRenewal plans
//	         them, 20 users to a request, at one pace for all machines
//	deliver  calls [Config.Deliver]
//	due      looks for certificates that are due, every hour
//	publish  makes the CRL that has every revocation
//	leave    carries out lifecycle.PlanLeaving
//
// Revocations have their own queue: a million renewals do not delay them.
//
// # Twice
//
// Every job can be run twice. What it changes in the database is one transaction with the
// end of the job, and is refused if the job was given to another worker meanwhile. What
// it does elsewhere (files, Graph) is the same the second time.
//
// A machine shows every third of [Config.Lease] that it lives. When one is silent for
// the whole lease, the others take its jobs, and its claims expire. Times are those of
// the database, so a wrong clock of a machine does no harm to claims and leases.
//
// # Secrets
//
// The tables of the engine contain the names of users and serial numbers. No key and no
// password is ever in the database: keys leave the process in finished PFX files,
// passwords go to a store of their own.
package jobs
