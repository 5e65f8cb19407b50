// Package cba makes and judges the certificates that people sign in to Microsoft
// Entra with (certificate-based authentication, CBA).
//
// For most uses, make a CA with [NewRoot] or load one with [ParseIssuer], and call
// [Issuer.Issue] for one user, [Issuer.IssueRequest] for a user's request (CSR) or
// [Issuer.IssueAll] for a list. [Findings] finds what is wrong with any certificate,
// whichever CA issued it.
//
// # What a certificate says
//
// A [Subject] is who it is for: the user principal name (UPN), e-mail addresses,
// the SID of the account in Active Directory, a distinguished name. A [Profile] is
// what it is for and how long it is valid; its zero value is a good user
// certificate for Entra. [SubjectOf] and [ProfileOf] read them back from a
// certificate, for its renewal. [NamesOf] reads the names of any certificate.
//
// # Where the names come from
//
// Anyone who has the key of a certificate signs in as the person that the
// certificate names. Every name therefore comes from the caller's Subject. A request
// ([ParseRequest]) gives its public key and nothing else, and only after its
// signature was checked. The names and extensions that it asks for are never copied;
// they are compared and reported ([Request.Compare]).
//
// # Two steps
//
// [Issuer.Prepare] makes the bytes to be signed and says what [Findings] finds in
// them. [Draft.Sign] signs exactly these bytes, once, compares every field of the
// result with what was asked for, and verifies the certificate against its own
// chain. It refuses a draft that has a finding of severity error. Issue does both.
//
// # Keys, errors, findings
//
// Keys are [crypto.Signer]s, in memory, in a token or in a key service. Whatever
// signs takes a context, and a key that hangs does not hold a caller whose context
// has ended. Every error is an [*Error], and errors.Is(err, cba.WeakKey) tells the
// [Reason]. [Rules] lists every finding.
//
// # What is not done
//
// Files are read and written by the caller. Package pfx makes PFX files, certuserid
// certificateUserIds, crl/publish CRLs. The certificates have no name constraints
// and no OCSP URLs, and are not signed with RSA-PSS or Ed25519.
package cba
