// Package intune holds a PKCS certificate profile of Microsoft Intune as data: the
// templates of its names, its bounds, and its known problems.
//
// For most uses, fill a [Profile], read [Profile.Findings], and call [Profile.For]
// with the [Attributes] of each person. It returns the subject and the profile for
// cba.Issuer. Nothing in this package talks to Intune.
//
// # Templates
//
// The subject ("CN={{UserName}},E={{EmailAddress}},OU=Mobile") is read by the
// rules of Windows' CertStrToName: see [ParseSubject]. The template is parsed before
// any variable has a value, so a value that contains a comma, a plus sign, a quote
// or a line break remains one value. It can neither add a part to the name nor end
// one, unless [Profile.NameInParts] asks for that.
//
// # Findings
//
// What Intune's documentation warns of is a finding: [Profile.Findings] returns
// those of the profile, [Profile.FindingsFor] those of the profile with one person
// and device, and [Rules] lists all. No finding prevents issuing; a missing value
// does.
//
// # Why it is a package of its own
//
// An Intune profile is one vendor's format. Package cba issues without knowing it,
// and this package only fills in cba's types.
//
// # What is not done
//
// The JSON form uses Intune's words. It is not the body of a Graph request: Graph
// has PKCS profiles in its beta API only. Key usages beyond those that [cba.Profile]
// writes ("Signature is proof of origin", which must be off for iOS) belong to the
// certificate template. Whether an account's attribute is synchronized shows only
// in its value being present.
package intune
