// Package dn reads, writes and compares distinguished names: the issuer and subject
// of a certificate, and the names in a tenant's rules and stored ids.
//
// For most uses, read a name with [ParseDER] (from a certificate's RawSubject
// or RawIssuer) or [Parse] (from text), and write it with [Name.String],
// [Name.RootFirst] or [Name.Windows]. [Show] writes one for a message.
//
// # One name, several texts
//
// A certificate stores a name as a sequence that starts at the root
// (DC=com, DC=contoso, CN=Jane). Microsoft Entra writes that one name in two
// opposite orders: the issuer of an authentication binding rule starts at the
// most specific part ("CN=ContosoCA,DC=contoso,DC=org"), as certificate viewers
// and RFC 4514 do, and a certificateUserIds value starts at the root
// ("DC=org,DC=contoso,CN=ContosoCA"). A string does not say which order it is in,
// so this module never passes names around as strings: it passes a [Name], and each
// text form is an explicit call.
//
// # What is kept
//
// [ParseDER] keeps the order of the parts, multi-valued parts and the string
// type of every value, so that [Name.Marshal] returns the same bytes. Text
// forms lose the string type; names that are equal but for it have one text.
//
// # What is not done
//
// Comparison ([Name.Equal], [AppendKey]) is case-insensitive and ignores extra
// spaces, as RFC 5280 section 7.1 requires, but does not apply the Unicode
// normalisation of RFC 4518: a name with a combining accent differs from one with
// the composed letter.
package dn
