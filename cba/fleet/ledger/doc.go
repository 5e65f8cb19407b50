// Package ledger remembers who has which certificate, for thousands to millions of
// people and for several programs at once.
//
// For most uses, open a ledger with package sqlite or postgres, wrap it in a
// [Journal], and give the journal to cba.Issuer.IssueAll as cba.Bulk.Journal. Package
// rollout does that, and keeps the files.
//
// # Owners
//
// An owner is the person, or the person's device, for whom a certificate is made: any
// text that the caller chooses and keeps. An owner has at most one live certificate,
// however many programs issue, and however often. A renewal replaces the live
// certificate in one step. An owner whose certificate was revoked gets a new one only
// if the caller asks for it: a list that still contains someone who left must not let
// them in again.
//
// # Claims
//
// A worker is a program, or one of its runs, that issues. It claims the owner first,
// and can record a certificate only while it has the claim. A claim expires when its
// worker is silent for longer than the lease, so that a program that was killed
// delays the others only briefly. A revocation takes the claim away.
//
// Claims keep programs from doing the same work twice. Correctness does not depend on
// them: [Ledger.Record] checks the claim, the live certificate and the serial number
// in the transaction that writes.
//
// # States
//
//	Issued     made and recorded
//	Bound      the account has its certificateUserIds
//	Delivered  the key is on the machine that uses it
//	Renewed    replaced by another certificate; still valid until it expires
//	Revoked    revoked permanently
//
// A certificate moves down this list and never up. It may skip states, with one
// exception: only a new certificate makes an old one Renewed. A certificate in one of
// the first three states is live.
//
// # What is not kept
//
// A [Ledger] never gets private keys or passwords. Certificates, names and times are
// not secret, but they are personal data: protect the ledger like a directory.
package ledger
