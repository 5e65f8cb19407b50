// Package certuserid makes, reads, checks and matches the certificateUserIds
// values that bind a certificate to a Microsoft Entra account.
//
// For most uses, make the values of a certificate with [All] or
// [FromCertificate], read a stored value with [Parse], and use [Match] to find out
// whether a stored value fits a certificate and, if not, why. [Normalize] corrects
// values that a script or a person wrote slightly wrong. [Set] holds the values of
// one account within the directory's limits.
//
// # Evidence
//
// Microsoft documents these strings with few examples, has masked most of them
// since, and its own tools contradict its pages. Nothing here was tried against
// the service. From firm to open:
//
//   - Tags and their letter case: documented (Learn, "Certificate user IDs").
//   - Names root first, that is, in the order of their encoding, with a comma and
//     no space between the parts: documented (Learn's how-to, MS-PKCA section
//     3.1.5.2.1.3), and so in every real value that was found.
//   - Spaces inside values are kept; one space joins the values of a multi-valued
//     part; UID and other types without a Windows name are written as OID. and the
//     number: seen in published values of US agencies, of Red Hat and of the Estonian
//     RIA. Learn's how-to, taken literally, would remove all spaces, and Microsoft's
//     cmdlet writes a comma inside multi-valued parts.
//   - Serial number with its bytes reversed: documented (Learn's how-to,
//     KB5014754). Microsoft's cmdlet does not reverse them, and its value is reported
//     not to work (entra-powershell#1511).
//   - Hexadecimal digits in lowercase: pages and tools differ; that Entra is
//     case-insensitive here is inferred (open question 9.4).
//   - SHA1-PUKEY as the hash of the whole certificate: Learn's deep dive and every
//     tool say so; MS-PKCA and KB5014754 say "public key" (open question 9.3,
//     [HashInput]).
//   - S for ST, and G, T and I: from a table of CryptoAPI's names; no real value
//     with one was found.
//   - Quotes around values with special characters: from the documentation of
//     CertNameToStr only (open question 9.22).
//   - The 00 byte of serial numbers whose first bit is set: sources contradict
//     each other ([Options]).
//   - Which of several UPNs or e-mail addresses counts: not documented; this
//     package uses the first (open question 9.23).
//
// None of the open points affects a certificate with one UPN, one e-mail address,
// a key identifier, plain names, and a serial number whose first byte is below 80.
// [SKI] depends on the fewest of them.
//
// # Exact, assumed, unfit
//
// A comparison has three results, see [Fit]: a value is exactly the
// certificate's, fits only if Entra tolerates a difference that Microsoft does not
// document, or does not fit. A caller that must be sure accepts only [Exact].
//
// # Certificates
//
// Only the encoded parts of a certificate are read: its issuer, subject, serial
// number, public key and extensions, and the whole for a hash. An x509.Certificate
// that something else than crypto/x509 has filled with these gives the same IDs.
package certuserid
