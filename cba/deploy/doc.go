// Package deploy writes the files that carry a user's certificate with its key,
// and the root, to a machine.
//
// For most uses, fill a [Package] and call [Package.Artefacts] for a [Target]:
// it returns the whole folder for an unattended installation of Windows, for a
// running Windows, for macOS, iOS or Linux. Each file is also a function of its
// own, and [Package.Check] says beforehand what will not work on the target.
// Nothing is written to disk and nothing is run.
//
// # Quoting
//
// A password goes through up to four readers on its way (XML, cmd, PowerShell,
// the C runtime), and a change in any of them shows up as "wrong password". So
// each file either carries every password to the letter, or refuses the ones
// that its format cannot carry with an [*Error] of reason [UnfitPassword]. A UPN
// never gets anywhere but into comments, shown texts and, reduced to safe characters,
// file names.
//
// # Secrets
//
// Where a program can ask for the password, it is left to the prompt, unless
// [Options.EmbedPassword] is set. A file that holds the password says so in its
// first lines, [Artefact.Secret] marks it, and [Wipe] lists it with the copies
// that the machine makes. No error and no text of a Package holds a password.
//
// # Network
//
// [Hosts] lists what the client has to reach: the certauth hosts of its cloud, of
// which a proxy must not open the TLS connection.
package deploy
