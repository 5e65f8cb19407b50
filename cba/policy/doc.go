// Package policy holds a tenant's certificate-based authentication method
// configuration, and answers what it decides for one certificate and one user.
//
// For most uses, read what Microsoft Graph returned with [Parse], look at
// [Config.Findings], turn the configuration into a [Policy] with
// [Config.Compile], and ask [Policy.Decide] (the answer) or [Policy.Explain]
// (the answer, every step and every assumption). To make a configuration start
// from [ServiceDefault], [HardenedBySKI] or [HardenedByIssuerAndSerial] and send
// [Config.PatchBody].
//
// # The configuration
//
// [Config] is the x509CertificateAuthenticationMethodConfiguration of Microsoft
// Graph v1.0. Its types marshal to Graph's JSON: property names, enumeration
// texts and their order as the service returns them. An object keeps what it was
// read from: unknown properties, enumeration members that Graph adds later, the
// difference between null and absent, and the order of properties all survive
// reading and writing. What the program did not change comes back byte for byte,
// except for white space. Nothing unknown is guessed: [Config.Findings] reports
// it, and the evaluation says where it mattered.
//
// # Two decisions
//
// The authentication binding gives a certificate its authentication mode and the
// affinity that its user binding must have: rules for an issuer and a policy OID first,
// rules for an OID next, rules for an issuer last, then the default. The username
// binding ties the certificate to the account whose name was typed; the
// certificate never selects the account. Both follow "Certificate-based
// authentication technical deep dive" on Microsoft Learn.
//
// An issuer in a rule is read as a name, the most specific part first
// ("CN=ContosoCA,DC=contoso,DC=org"), and compared part by part as RFC 5280
// section 7.1 requires. The order is the opposite of that in certificateUserIds.
//
// # What is not documented
//
// Where Microsoft's documents are silent or contradict each other this package
// follows the reading in [Readings], which are options, and [Policy.Explain]
// lists every reading that it relied on, with the decision under the other one.
//
// # What is not here
//
// CAs, chains, revocation and validity dates: a [Policy] only tells what the
// configuration says about them ([Policy.CAScope],
// [Policy.CRLRequired], [Policy.CRLExempt]). Nothing here reads a clock, a file
// or the network.
package policy
