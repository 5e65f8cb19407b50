// Package sqlite keeps a ledger in one SQLite database file, without cgo.
//
// For most uses:
//
//	l, err := sqlite.Open(ctx, "ledger.db", sqlite.Options{})
//
// # Several programs, one file
//
// Several programs on one machine can have the file open at the same time. Every
// change begins with BEGIN IMMEDIATE, so nothing changes between its checks and its
// writes. A program that finds the file locked waits ([Options.Wait]). Thanks to
// write-ahead logging, readers such as exports do not wait. Write-ahead logging needs
// shared memory: do not put the file on a network file system. For several machines,
// use package postgres.
//
// # What survives
//
// Certificates, states and revocations are written with synchronous=FULL: the log is
// flushed to the disk before a call returns, so they survive a power cut as well as a
// kill. The next lower setting could lose the most recent ones in a power cut, and a
// certificate that was handed out and then lost could be issued twice. Claims are
// written without a flush: a lost claim means that some work is done twice, and Record
// refuses the second certificate.
//
// # Rules in the file
//
// One unique index allows one live certificate per owner, another one entry per serial
// number. Triggers refuse backward steps and deletions. These rules apply to every
// program that opens the file.
package sqlite
