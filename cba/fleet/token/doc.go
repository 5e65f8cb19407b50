// Package token signs with keys that are in a PKCS #11 token: a hardware security
// module, a smart card, SoftHSM.
//
// For most uses, [Open] the token, make a CA key with [Token.Generate] or find it
// with [Token.Find], and give it to cba.NewRoot, cba.NewIssuer or publish.Issuer as
// the crypto.Signer that it is. The key is made inside the token, marked as
// sensitive and not extractable, and never leaves it.
//
// # cgo
//
// PKCS #11 modules are C libraries, so this package needs cgo and a C compiler.
// Nothing else in the module does. Sessions, logins and key objects are handled by
// github.com/ThalesGroup/crypto11.
//
// # Concurrency
//
// Keys may be used from many goroutines: every signature takes a session from a
// pool ([Config.MaxSessions]). How many run at a time is the token's affair. With
// cba.Bulk, more workers than cores keep a network HSM busy.
//
// # When the token fails
//
// Errors are *[Error] with a Reason. After [Gone] the objects of this package are
// of no use any more: close the token, and open it again when it is back.
//
// # The PIN
//
// It is in no error and no text of this package. It stays in memory while the
// token is open. A process that is logged in to a token stays so: a second Open of
// the same token in the same process does not check the PIN.
package token
