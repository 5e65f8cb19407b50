// Package trust holds the certificate authorities that a tenant trusts to issue
// user certificates, and answers which of them a certificate leads to.
//
// For most uses, read both stores into a [Config], make it a [Store] with
// [Config.Compile], and ask [Store.Chain]. [Config.Findings] checks a
// configuration, and [ReadCertificates], [NewPKI] and [EncodeBundle] make one.
//
// # Two stores
//
// Microsoft Entra has a PKI-based trust store, whose [PKI] containers hold CAs as
// [Authority] objects, and an older [Classic] one. Both may be in use. The types
// marshal to exactly the JSON of Microsoft Graph v1.0; properties that this
// package does not know survive a round trip. Which entry counts for a CA that
// is in both stores is told by [CA.Why].
//
// # Chains
//
// The service follows authority key identifiers to subject key identifiers and
// never looks at names, and every CA up to the root must be in the stores: what
// the client sends along does not count. [Store.Chain] does the same, verifies
// each signature, and answers with a [Chain] that says what is wrong and which
// AADSTS code a user would see. It is not an RFC 5280 validation: what Microsoft
// does not document is left out or, where every validator does it (the CA flag,
// path length and key usage), can be left out with [Options.DocumentedOnly].
//
// # What is not here
//
// Revocation is package crl's; a CA tells where its lists are ([Entry.CRL],
// [Entry.DeltaCRL]). Rules, scopes and users are package policy's and signin's. There
// is no network and no file access.
package trust
