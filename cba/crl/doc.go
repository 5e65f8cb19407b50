// Package crl holds certificate revocation lists: it loads them, checks them as
// Microsoft Entra does, fetches them within Entra's limits, and issues them.
//
// For most uses, read a list with [Parse], check it with [Set.Check] and ask it
// with [Set.Status]; or let a [Fetcher] get it from the URL that the tenant's
// trust store has for a certificate authority. A certificate authority makes
// its lists with an [Issuer].
//
// # Loading
//
// The lists of large authorities reach the 150 MB that Entra takes, some four
// million entries. [Parse] keeps the bytes that it is given, reads them once
// from front to back, and builds an index of about 7 bytes an entry beside them;
// a second goroutine hashes the bytes for the signature meanwhile. A look-up
// then takes well under a microsecond and allocates nothing. The order in which
// serial numbers sit in the index is seeded anew for every list, so that nobody
// can choose serial numbers that make it slow.
//
// BenchmarkLarge runs this beside crypto/x509 and OpenSSL, each in a fresh
// process. For 41 MB with 1.18 million entries, the signature checked, Parse
// takes a tenth of the time of x509.ParseRevocationList, and 1.5 times the file
// in memory at the peak against 18 times.
//
// # Checking
//
// Every failure is an [*Error] with a [Fault], and a fault knows the AADSTS code
// with which Entra refuses the sign-in ([Fault.Code]) and whether Microsoft
// documents that ([Fault.Documented]). Time is always an input. A list is never
// used in part: one that has a critical extension which this package does not
// know is refused, as RFC 5280 section 5.2 asks.
//
// Signatures are RSA (PKCS #1 v1.5, and PSS with the parameters that crypto/x509
// takes), ECDSA and Ed25519, with SHA-1 (reported by [List.Findings]) or SHA-2.
//
// # Fetching
//
// The URLs come from certificates and from people, so a [Fetcher] never connects
// to a loopback, link-local, private or otherwise special address unless its
// field AllowPrivateAddresses says so; what counts is the address that the name
// resolved to at the time of the connection. It keeps only lists that the
// authority signed.
//
// # Issuing
//
// An [Issuer] keeps the revocations and the last CRL number in a [Store]: a CRL
// number must never be used twice, and a delta list must say what changed since
// a base list that was really published. [FileStore] is a file that is replaced
// as a whole or not at all.
//
// # What is not done
//
// Indirect lists (entries of several issuers in one list) and lists for
// attribute certificates are refused. OCSP and LDAP are not supported; nor does
// Entra.
package crl
