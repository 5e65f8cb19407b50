package pfx

import (
	"fmt"
	"strings"

	"example.com/entracba/cba/internal/enum"
)

// An Encoding is a set of algorithms for a PFX. The zero value is unset and
// writes nothing. The meaning of each is fixed: an encoding of this name will
// never write other algorithms.
//
// Its text form, for flags and JSON, is one of "compat", "modern", "rc2",
// "pbmac1" and "unencrypted".
type Encoding uint8

const (
	// Compatible encrypts with 3DES under the PKCS#12 derivation and has an
	// HMAC-SHA1, 2,048 iterations each: what OpenSSL wrote with -descert and
	// Windows calls TripleDES-SHA1.
	//
	// Every reader in [Targets] opens it; Windows Server before 2019, macOS up to
	// 14, iOS up to 16 and Android up to 13 open nothing newer. Its cryptography is
	// weak: only a long random password ([GeneratePassword]) and careful delivery
	// protect the key.
	Compatible Encoding = iota + 1

	// Modern encrypts with AES-256-CBC under PBKDF2-HMAC-SHA256 and has an
	// HMAC-SHA256, 2,048 iterations each: what OpenSSL 3 writes, and Windows
	// calls AES256-SHA256.
	//
	// Windows 11, Windows 10 from version 1709, Windows Server 2019, OpenSSL
	// 1.1.1, Java 12, NSS, GnuTLS, .NET and Android 14 open it. Programs that cannot
	// read it nearly always report a wrong password.
	Modern

	// RC2 encrypts certificates with RC2 of 40 bits, the key with 3DES, and
	// has an HMAC-SHA1, 2,048 iterations each: what Windows and OpenSSL wrote
	// for twenty years. OpenSSL 3 and programs built on it refuse it without their
	// legacy provider. No known reader needs it instead of [Compatible].
	RC2

	// PBMAC1 is Modern with the MAC of RFC 9579 (RFC 9879), the only one that
	// FIPS 140-3 approves. OpenSSL 3.4, NSS 3.101 and Java 26 open it, and few
	// others; no source says that any Windows does.
	PBMAC1

	// InsecureUnencrypted has no encryption, no MAC and no password: anyone
	// who has the file has the key. OpenSSL 3 and Python open it; Java, NSS,
	// GnuTLS and macOS do not.
	InsecureUnencrypted
)

var encodings = enum.Of[Encoding]("pfx: encoding", "compat", "modern", "rc2", "pbmac1", "unencrypted")

// String returns the text form of the encoding.
func (e Encoding) String() string { return encodings.String(e) }

// ParseEncoding reads the text form of an encoding. See [ParseFor] for text
// that may name a target too. The error is an [*Error] with reason [BadOption].
func ParseEncoding(text string) (Encoding, error) {
	e, ok := encodings.Parse(text)
	if !ok {
		return 0, fail(BadOption, "%q is not an encoding (%s)", text, names(encodings.Values()))
	}
	return e, nil
}

// names lists the texts of an enumeration.
func names[T fmt.Stringer](values []T) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v.String()
	}
	return strings.Join(texts, ", ")
}

// MarshalText writes the text form; an unset or unknown encoding is an error.
func (e Encoding) MarshalText() ([]byte, error) { return encodings.Marshal(e) }

// UnmarshalText reads what MarshalText wrote.
func (e *Encoding) UnmarshalText(text []byte) error { return encodings.Unmarshal(e, text) }
