// Package ledger remembers who has which certificate, for thousands to millions
// of people and for several programs at once.
//
// For most uses, open one with package sqlite, wrap it in a [Journal], and give
// that to cba.Issuer.IssueAll as cba.Bulk.Journal.
//
// # Requests
//
// A request is what one certificate is made for: a person, or a person's device;
// any text that the caller chooses and keeps. A request has at most one live
// certificate, whoever issues and however often. A renewal puts a new one in the
// place of the live one in one step. A request whose certificate was revoked gets
// no other unless the caller says so: a list that still has someone who left must
// not let them in again.
//
// # Claims
//
// Whoever means to issue claims the request first, and may record a certificate
// only while the claim is still theirs. A claim runs out when its holder is not
// heard of for the length of its lease, so that a program that was killed holds
// nobody up for long; it is taken away by a revocation. Claims keep programs from
// doing the same work twice. That nothing goes wrong when they fail is the
// ledger's own doing: [Ledger.Record] looks at the claim, at the live certificate
// and at the serial number in the transaction that writes.
//
// # States
//
//	Issued     the certificate is made and recorded
//	Bound      its certificateUserIds are with the account
//	Delivered  its key is where it is used
//	Renewed    another certificate has taken its place; still valid until it ends
//	Revoked    withdrawn; the end
//
// A certificate goes down this list and never up. It may leave states out, with
// one exception: only a new certificate makes an old one Renewed. It is live in
// the first three.
//
// # What is not kept
//
// Private keys and passwords: a [Ledger] is not given any. Certificates, names
// and times are not secret but personal; protect the ledger like a directory.
package ledger
