// Package pfx writes and reads PFX files (PKCS#12, RFC 7292) so that the
// machine which has to open one can.
//
// For most uses, choose an [Encoding] by who must read the file, with [For], and
// call [Encoding.Encode]:
//
//	data, err := pfx.For(pfx.WindowsServer2016, pfx.Windows11).Encode(bundle, password)
//
// [Decode] opens a file from anywhere, [Inspect] describes one without its
// password, and [Reencode] turns a file that some machine refuses into one that
// it takes.
//
// # Which encoding
//
// There are two worth writing. [Compatible] is opened by everything in
// [Targets] and is weak cryptography. [Modern] is strong, and older Windows,
// Apple and Android systems do not open it. They do not say so: nearly every
// program shows an encoding that it does not know as a wrong password. The
// table behind [Target.Reads] has the answer for each target, its source, and
// "not known" where there is none; where it is not known, [For] stays with
// Compatible.
//
// # Passwords
//
// The key derivation of either encoding slows a guesser down little. Use
// [GeneratePassword]. A password must be printable ASCII and not empty, because
// several readers take anything else for another password than was meant.
//
// # Friendly names
//
// The label that Windows, keychains and Java show is an attribute of the key
// entry. OpenSSL, NSS, GnuTLS, Java and Python open files that have it; Java
// takes it as the alias.
//
// # Hostile input
//
// [Decode] and [Inspect] may be given bytes from anyone. Nothing in a file can
// make them use more than the limits of [Decoder], which are checked before the
// work that they limit, or panic.
//
// # FIPS 140
//
// Under GODEBUG=fips140=on everything works. Under GODEBUG=fips140=only nothing
// can be written, and only files can be read whose algorithms the mode allows;
// the error has the reason [FIPSOnly].
//
// # What it does not do
//
// It checks no trust, dates or usages; package cba does. It does not read or
// write trust stores, files with several keys, or protection by public keys.
package pfx
