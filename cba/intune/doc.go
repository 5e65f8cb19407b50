// Package intune holds a PKCS certificate profile of Microsoft Intune as data:
// the templates of its names, its bounds, what is known to go wrong with it, and
// when its certificates are due for renewal.
//
// For most uses, fill a [Profile], look at [Profile.Check], and call [Profile.For]
// with the [Attributes] of each person: it returns the subject and the profile
// that cba.Issuer takes. [Due] picks from a list of certificates those that it is
// time to renew. Nothing here talks to Intune.
//
// # Templates
//
// The subject ("CN={{UserName}},E={{EmailAddress}},OU=Mobile") is read by the
// rules of Windows' CertStrToName: see [ParseSubject]. It is taken apart before
// any variable has a value, so a value that holds a comma, a plus sign, a quote or
// a line break stays one value; it can neither add a part to the name nor end one,
// unless [Profile.NameInParts] asks for just that.
//
// # Findings
//
// What Intune's documentation warns of is a finding: [Profile.Check] has those of
// the profile, [Profile.CheckFor] those of a profile together with one person and
// device. None of them keeps this module from issuing; a value that is missing
// does.
//
// # Why it is a package of its own
//
// A profile of Intune is one maker's form; package cba issues without knowing it,
// and this package only fills cba's own types.
//
// # What is not done
//
// The JSON form uses Intune's words, and is not the body of a Graph request: PKCS
// profiles are in the beta API alone. Key usage beyond what [cba.Profile] writes
// ("Signature is proof of origin", which must be off for iOS) is the certificate
// template's business. Whether an account has an attribute synchronised is seen
// only by its value being there.
package intune
