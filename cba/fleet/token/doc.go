// Package token signs with keys that are in a PKCS #11 token: a hardware security
// module, a smart card, SoftHSM.
//
// For most uses, [Open] the token, make a CA key with [Token.Generate] or find it with
// [Token.Find], and pass it to cba.NewRoot, cba.NewIssuer or publish.Issuer. The key is
// a crypto.Signer. It is made inside the token, marked as sensitive and not
// extractable, and never leaves the token. [Token.CA] makes or finds a root and an
// issuing CA in one call.
//
// # cgo
//
// PKCS #11 modules are C libraries, so this package needs cgo and a C compiler. No
// other package of the module does. Package github.com/ThalesGroup/crypto11 handles
// sessions, logins and key objects.
//
// # Concurrency
//
// Keys can be used by many goroutines: every signature takes a session from a pool
// ([Config.MaxSessions]). The token decides how many signatures it makes at once. With
// cba.Bulk, use more workers than cores to keep a network HSM busy.
//
// # When the token fails
//
// Errors are *[Error] with a Reason. After [Gone], the token and its keys no longer
// work: close the token, and open it again when it is back.
//
// # The PIN
//
// No error and no text of this package contains the PIN. The PIN stays in memory while
// the token is open. A process stays logged in to a token: a second Open of the same
// token in the same process does not check the PIN.
package token
