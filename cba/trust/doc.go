// Package trust holds the certificate authorities (CAs) that a tenant trusts to issue
// user certificates, and answers to which of them a certificate leads.
//
// For most uses, read both stores into a [Config], make it a [Store] with
// [Config.Compile], and ask [Store.Chain]. [Config.Findings] checks a
// configuration, and [ReadCertificates], [NewPKI] and [EncodeBundle] make one.
//
// # Two stores
//
// Microsoft Entra has a PKI-based trust store, whose [PKI] containers hold CAs as
// [Authority] objects, and an older [Classic] one. Both may be in use. The types
// marshal to exactly the JSON of Microsoft Graph v1.0; unknown properties survive a
// round trip. [CA.Why] says which entry counts for a CA that is in both stores.
//
// # Chains
//
// The service follows authority key identifiers to subject key identifiers and
// ignores names, and every CA up to the root must be in the stores: the certificates
// that the client sends do not count. [Store.Chain] does the same, verifies each
// signature, and answers with a [Chain] that says what is wrong and which AADSTS
// code a user would see. It is not an RFC 5280 validation: it leaves out what
// Microsoft does not document, except what every validator checks (the CA flag, path
// length and key usage), which [Options.DocumentedOnly] leaves out too.
//
// # What is not here
//
// Revocation: see package crl; an entry only has the URLs of the CRLs ([Entry.CRL],
// [Entry.DeltaCRL]). Rules, scopes and users: see packages policy and signin. This
// package uses no network and no files.
package trust
