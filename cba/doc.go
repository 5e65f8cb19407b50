// Package cba makes and judges the certificates that people sign in to Microsoft
// Entra with (certificate-based authentication, CBA).
//
// For most uses, make a CA with [NewRoot] or load one with [ParseIssuer], and call
// [Issuer.Issue] for one user or [Issuer.IssueAll] for a list. [Check] says what
// is wrong with any certificate, whoever issued it.
//
// # What a certificate says
//
// A [Subject] is who it is for: the user principal name (UPN), e-mail addresses,
// the SID of the account in Active Directory, a distinguished name. A [Profile] is
// what it is for and how long; its zero value is a good user certificate for
// Entra. [NamesOf] reads the names back from any certificate.
//
// # Where the names come from
//
// Whoever holds a certificate signs in as the person that it names. Every name
// therefore comes from the caller's Subject. A request ([ParseRequest]) gives its
// public key, once its signature is checked; the names and extensions that it asks
// for are never copied, only compared and reported ([Request.Compare]).
//
// # Two steps
//
// [Issuer.Prepare] makes the bytes to be signed and says what [Check] finds in
// them; [Draft.Sign] signs those very bytes, once, reads the result with
// crypto/x509 and compares every field with what was asked for. Issue does both
// and refuses what has a finding of severity error.
//
// # What is not done
//
// Keys are [crypto.Signer]s: nothing here looks for an HSM. Files are read and
// written by the caller; PFX files are made by package pfx, certificateUserIds by
// package certuserid, revocation lists by package crl. There are no name
// constraints, no OCSP, no RSA-PSS and no Ed25519.
package cba
