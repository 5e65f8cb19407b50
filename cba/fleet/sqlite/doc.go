// Package sqlite keeps a ledger in one SQLite database file, without cgo.
//
// For most uses:
//
//	l, err := sqlite.Open(ctx, "ledger.db", sqlite.Options{})
//
// # Several programs, one file
//
// Programs on one machine may have the file open at the same time. Every change
// begins with BEGIN IMMEDIATE, so that it decides on what it will still find when
// it writes, and a program that finds the file locked waits ([Options.Wait]).
// Write-ahead logging lets readers, exports for example, go on meanwhile. It needs
// memory that all of them share: do not put the file on a network file system;
// for several machines implement ledger.Ledger on a database server.
//
// # What survives
//
// Certificates, states and revocations are written with synchronous=FULL: the log
// is flushed to the disk before a call returns, so that they outlive a power cut
// as well as a kill. With write-ahead logging the next lower setting would lose
// the last of them in a power cut, and a certificate that was handed out and
// forgotten is one that can be issued twice. Claims are written without a flush:
// a claim that is lost costs some work done twice, which Record then refuses.
//
// # Rules in the file itself
//
// A unique index allows one live certificate for a request, another one each
// serial number; triggers refuse steps back and deletions. They hold for whatever
// opens the file.
package sqlite
