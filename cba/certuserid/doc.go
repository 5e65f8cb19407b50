// Package certuserid makes, reads, checks and matches the certificateUserIds
// values that bind a certificate to a Microsoft Entra account.
//
// For most uses, make the values of a certificate with [All] or
// [FromCertificate], read a stored one with [Parse], ask with [Match] whether a
// stored value fits a certificate and why not, and let [Normalize] put right what
// a script or a hand has written. [Set] holds the values of one account within
// the directory's limits.
//
// # What rests on what evidence
//
// Microsoft documents these strings with few examples, most of them masked since,
// and its own tools do not agree with its pages. Nothing here was tried against
// the service. From firm to open:
//
//   - Tags and their letter case: documented (Learn, "Certificate user IDs").
//   - Names root first, that is in the order of their encoding, joined by a bare
//     comma: documented (Learn's how-to, MS-PKCA section 3.1.5.2.1.3), and so in every
//     real value that was found.
//   - Blanks inside values kept; the values of a multi-valued part joined by one
//     blank; UID and other types without a Windows name as OID. and the number:
//     seen in published values of US agencies, of Red Hat and of the Estonian RIA.
//     Learn's how-to, read word for word, would drop all blanks, and Microsoft's cmdlet
//     puts a comma inside multi-valued parts.
//   - Serial number with its octets reversed: documented (Learn's how-to,
//     KB5014754). Microsoft's cmdlet does not reverse them; that its value does not
//     work is reported (entra-powershell#1511).
//   - Hexadecimal digits in lower case: pages and tools differ; that Entra ignores
//     the case is inferred (open question 9.4).
//   - SHA1-PUKEY as the hash of the whole certificate: Learn's deep dive and every
//     tool say so, MS-PKCA and KB5014754 say "public key" (open question 9.3,
//     [HashInput]).
//   - S for ST, G, T, I and the like: from a table of CryptoAPI's names; no real
//     value with one was found.
//   - Quotes around values with special characters: from the documentation of
//     CertNameToStr alone (open question 9.22).
//   - The 00 octet of serial numbers whose first bit is set: sources contradict
//     each other ([Options]).
//   - Which of several UPNs or e-mail addresses counts: not documented; the first
//     here (open question 9.23).
//
// A certificate with one UPN and one e-mail address, a key identifier, plain
// names and a serial number below 80 in its first octet meets none of the open
// ones. [SKI] depends on the least of them.
//
// # Exact, assumed, unfit
//
// A comparison has three answers, see [Fit]: a value can be the certificate's
// letter for letter, fit only if an undocumented tolerance is real, or not fit. A
// caller who must be sure takes [Exact] alone.
package certuserid
