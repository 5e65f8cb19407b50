// Package propose answers "can we use the certificates that we have?" for an
// organization with a PKI, certificates or cards, and a list of users: which CAs to
// trust and which are missing, which username binding reaches most people with the
// highest affinity and which ids to store for it, who cannot be reached and why, and
// whether the CRLs can be fetched. The answer is a [Proposal] with the settings of a
// tenant, which is checked by deciding the sign-in of every user with it.
//
// What certificates cannot say is asked, not assumed: whether a key is in hardware and a
// PIN protects it, whether a certificate with another name is a user's, for which group
// the method is meant. Until it is answered, the proposal is the one that grants less.
//
// The package uses no network and no files. CRLs come from a [crl.Source], if one is
// given.
package propose
