// Package entracba is a page that says which package of this module you want.
//
// The module is a library for Microsoft Entra certificate-based authentication
// (CBA): it issues the certificates, writes the strings that bind them to
// accounts, packs them into files that the target machine can open, and says
// what Entra will answer to a sign-in. Every package can be used alone.
//
// Making:
//
//   - I have a CA and users who need certificates: package cba.
//   - I need the certificateUserIds of a certificate, or want to know what is
//     wrong with a stored one: package cba/certuserid.
//   - A PFX does not open ("wrong password"), or must open on a certain
//     machine: package cba/pfx.
//   - The PFX and the root have to get onto that machine: package cba/deploy.
//   - My program issues for a list of people into a folder, and may be killed in the
//     middle; or it reads what the program issue wrote: package cba/folder.
//   - Intune issues by a profile with {{UserName}} in it: package cba/intune.
//   - A certificate was renewed, or somebody leaves: what has to be done, in
//     which order? Package cba/lifecycle.
//   - I have to revoke, and publish CRLs: package cba/crl/publish. I load and check
//     CRLs: package cba/crl. They are on the network: package cba/crl/fetch.
//
// Understanding:
//
//   - Will this user get in with this certificate, and if not, why? Who loses
//     access if I change this? Package cba/signin.
//   - What does the method configuration say: rules, bindings, affinity,
//     targets? Package cba/policy.
//   - Does this certificate chain to what the tenant trusts? What is wrong with
//     the uploaded CAs? Package cba/trust.
//   - I have to show it to somebody as a page: findings, a verdict, who is
//     affected. Package cba/report.
//   - Which tenant suits the certificates and users that exist? Package cba/propose.
//
// Working with a tenant:
//
//   - I read and change its configuration, its CAs and its users' ids, and want to
//     be able to go back: package cba/graph.
//   - I have a saved tenant, or compare two: package cba/snapshot.
//
// Many users, in modules of their own:
//
//   - Who has which certificate? Package cba/fleet/ledger, in a file with
//     cba/fleet/sqlite, for several machines with cba/fleet/postgres, in a
//     store of your own with the tests of cba/fleet/ledgertest.
//   - I issue, renew and revoke for thousands into a folder: package
//     cba/fleet/rollout.
//   - That has to go on for good, on one machine or several, up to the ids in the
//     accounts: package cba/fleet/jobs, with files in a bucket by cba/fleet/s3.
//   - The CA's key is in an HSM: package cba/fleet/token.
//
// Helping:
//
//   - I have a file with a user's certificate, of whatever form: package
//     cba/certfile.
//   - I have the key identifier of a CA as somebody wrote it: package cba/keyid.
//   - I have to compare or write the names of CAs: package cba/dn.
//   - I have a code from a sign-in log: package cba/aadsts.
//   - I read the result of a check: package cba/lint.
//   - I test a program that talks to Microsoft Graph: package
//     cba/graph/graphtest.
//
// # Certificates
//
// Every function takes a certificate as a [crypto/x509.Certificate], and there is
// no second type for one that crypto/x509 refuses to parse (a negative serial
// number, a character that its string type does not have): a tolerant reader fills
// the same struct with what it can read. Names, ids and the fit of a certificate
// are read from Raw, RawTBSCertificate, RawIssuer, RawSubject,
// RawSubjectPublicKeyInfo, Extensions and what crypto/x509 copies out of these, so
// they come out the same. Such a certificate has no SignatureAlgorithm: crypto/x509
// verifies no signature on it, and it is in no chain.
//
// The programs in examples/ are thin and meant to be read; each runs with
// "go run ./examples/NAME".
package entracba
