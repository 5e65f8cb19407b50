// Package pfx writes and reads PFX files (PKCS#12, RFC 7292) that the target
// machine can open.
//
// For most uses, choose an [Encoding] with [For], by the programs that must read
// the file, and call [Encoding.Encode]:
//
//	data, err := pfx.For(pfx.WindowsServer2016, pfx.Windows11).Encode(bundle, password)
//
// [Decode] opens a file of any origin, [Inspect] describes one without its
// password, and [Reencode] converts a file that a machine refuses into one that it
// accepts.
//
// # Which encoding
//
// Two are worth writing. Everything in [Targets] opens [Compatible], but its
// cryptography is weak. [Modern] is strong, but older Windows, Apple and Android
// systems do not open it, and nearly every program reports an encoding that it does
// not know as a wrong password. The table behind [Target.Reads] has the answer for
// each target and its source, and "not known" where there is no source; in that
// case [For] chooses Compatible.
//
// # Passwords
//
// The key derivation of both encodings hardly slows down guessing. Use
// [GeneratePassword]. A password must be printable ASCII and not empty, because
// several readers derive a different key from anything else.
//
// # Friendly names
//
// The label that Windows, keychains and Java show is an attribute of the key
// entry. OpenSSL, NSS, GnuTLS, Java and Python open files that have it; Java uses
// it as the alias.
//
// # Hostile input
//
// [Decode] and [Inspect] accept bytes from anyone. No file makes them panic, or use
// more than the limits of [Decoder], which are checked before the work that they
// limit.
//
// # FIPS 140
//
// Under GODEBUG=fips140=on everything works. Under GODEBUG=fips140=only no file can
// be written, and only files whose algorithms the mode allows can be read; the
// error has the reason [FIPSOnly].
//
// # What it does not do
//
// It does not check trust, dates or usages; package cba does. It does not read or
// write trust stores, files with several keys, or files that public keys protect.
package pfx
