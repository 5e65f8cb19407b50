// Package crl holds certificate revocation lists (CRLs): it loads them, checks
// them as Microsoft Entra does, and says what is wrong with them. It reaches no
// network: package crl/fetch gets CRLs over HTTP, package crl/publish issues them.
//
// For most uses, read a CRL with [Parse], check it with [Set.Check] and ask it
// with [Set.Status].
//
// # Loading
//
// The CRLs of large CAs reach the 150 MB that Entra takes, some four million
// entries. [Parse] keeps the bytes that it is given, reads them once from front to
// back, and builds an index of about 7 bytes an entry beside them; a second
// goroutine hashes the bytes for the signature meanwhile. A look-up then takes well
// under a microsecond and allocates nothing. The order in which serial numbers sit
// in the index is seeded anew for every CRL, so that nobody can choose serial
// numbers that make it slow.
//
// BenchmarkLarge runs this beside crypto/x509 and OpenSSL, each in a fresh
// process. For 41 MB with 1.18 million entries, the signature checked, Parse
// takes a tenth of the time of x509.ParseRevocationList, and 1.5 times the file
// in memory at the peak against 18 times.
//
// # Checking
//
// Every failure is an [*Error] with a [Reason], and a reason knows the AADSTS code
// with which Entra refuses the sign-in ([Reason.Code]) and whether Microsoft
// documents that ([Reason.Documented]). Time is always an input. A CRL is never
// used in part: one that has a critical extension which this package does not
// know is refused, as RFC 5280 section 5.2 asks.
//
// Signatures are RSA (PKCS #1 v1.5, and PSS with the parameters that crypto/x509
// takes), ECDSA and Ed25519, with SHA-1 (reported by [List.Findings]) or SHA-2.
//
// # What is not done
//
// Indirect CRLs (entries of several issuers in one CRL) and CRLs for attribute
// certificates are refused. OCSP and LDAP are not supported; Entra does not
// support them either.
package crl
