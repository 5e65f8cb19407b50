// Package fingerprint has the SHA-1 of things that are named by it: thumbprints of
// certificates, key identifiers, UUIDs made of names. They are prescribed by others
// (Microsoft Graph, Windows, RFC 5280, RFC 9562) and protect nothing, so that a
// program under GODEBUG=fips140=only may have them, where a SHA-1 is refused
// otherwise.
//
// It is the only package of the module that makes a SHA-1 in that mode. It must
// never make one for a signature or a MAC.
package fingerprint

import (
	"crypto/fips140"
	"crypto/sha1"
	"encoding/hex"
)

// SHA1 is the digest of all parts, one behind the other.
func SHA1(parts ...[]byte) (sum [sha1.Size]byte) {
	digest := func() {
		if len(parts) == 1 {
			sum = sha1.Sum(parts[0]) // does not allocate
			return
		}
		h := sha1.New()
		for _, part := range parts {
			h.Write(part)
		}
		h.Sum(sum[:0])
	}
	if fips140.Enforced() {
		fips140.WithoutEnforcement(digest)
	} else {
		digest()
	}
	return sum
}

// Of is the thumbprint of a certificate as Windows and Microsoft Graph show it: the
// SHA-1 of its DER, in lower-case hexadecimal.
func Of(der []byte) string {
	sum := SHA1(der)
	return hex.EncodeToString(sum[:])
}
