// Package deploy writes the files that carry a user's certificate with its key,
// and the root, to a machine.
//
// For most uses, fill a [Package] and call [Package.Artefacts] for a [Target]:
// it returns the whole folder for an unattended installation of Windows, for a
// running Windows, for macOS, iOS, Linux or Android, with the policies by which the
// browsers there choose the certificate. [Package.Findings] and
// [Package.UnattendFindings] say beforehand what will not work on the target, and
// [Choices] what the browsers of a machine do. Nothing is written to disk and nothing is
// run. docs/delivery.md says which of this was run on which system.
//
// # Quoting
//
// Up to four readers read a password on its way (XML, cmd, PowerShell, the C
// runtime), and a change by any of them shows up as "wrong password". So each file
// either carries a password unchanged, or refuses it with the reason
// [UnfitPassword]. A UPN appears in comments, shown texts and, reduced to safe characters, file names; where
// a script compares it with the signed-in account, it is quoted as a password is.
//
// # Secrets
//
// Where a program can ask for the password, no file holds it unless
// [Options.EmbedPassword] is set. A file that holds the password says so in its
// first lines, [Artefact.Secret] marks it, and [Wipe] lists it with the copies that
// the machine makes. No error holds a password, and neither does a Package or an
// Artefact that is printed, logged or written as JSON.
//
// # Network
//
// [Hosts] lists the hosts that the client has to reach: the certauth hosts of its
// cloud, whose TLS connections a proxy must not inspect.
package deploy
