// Package policy holds a tenant's certificate-based authentication method
// configuration and answers what it says to one certificate and one user.
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
// texts and their order as the service returns them. What an object's text had
// is kept with it: properties that this package does not know, enumeration
// members of tomorrow, null beside absent, and the order of properties all
// survive reading and writing, and what the program did not change comes back
// byte for byte but for white space. Nothing unknown is guessed: [Config.Findings]
// reports it and evaluation says where it mattered.
//
// # Two decisions
//
// The authentication binding gives a certificate its strength and the affinity
// that its user binding must have: rules for an issuer and a policy OID first,
// rules for an OID next, rules for an issuer last, then the default. The username
// binding ties the certificate to the account whose name was typed; the
// certificate never selects the account. Both follow "Certificate-based
// authentication technical deep dive" on Microsoft Learn.
//
// An issuer in a rule is read as a name, the most specific part first
// ("CN=ContosoCA,DC=contoso,DC=org"), and compared part by part as RFC 5280
// section 7.1 asks. It is the opposite order of certificateUserIds.
//
// # What is not documented
//
// Where Microsoft's documents are silent or contradict each other this package
// follows the reading in [Readings], which are options, and [Policy.Explain]
// lists every reading that it leaned on with the decision under the other one.
//
// # What is not here
//
// Certificate authorities, chains, revocation and validity dates: a [Policy]
// hands over what the configuration says about them ([Policy.CAScope],
// [Policy.CRLRequired], [Policy.CRLExempt]). Nothing here reads a clock, a file
// or the network.
package policy
