// Package fips says which signatures can be checked under GODEBUG=fips140=only. In
// that mode crypto/rsa takes fewer keys than elsewhere, and SHA-1 panics, also in
// crypto/x509. A signature that may not be checked is not a wrong one.
package fips

import (
	"crypto"
	"crypto/fips140"
	"crypto/rsa"
	"crypto/x509"
)

// MayVerify reports whether this process may check a signature by the key, of which
// nil stands for any. Outside of the mode it is always true; in it, SHA-1 is
// excluded, and an RSA key must have 2,048 bits or more, an even number of them, and
// an odd exponent above 2^16.
func MayVerify(key crypto.PublicKey, algorithm x509.SignatureAlgorithm) bool {
	if !fips140.Enforced() {
		return true
	}
	switch algorithm {
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1:
		return false
	}
	k, ok := key.(*rsa.PublicKey)
	return !ok || k.N != nil && k.N.BitLen() >= 2048 && k.N.BitLen()%2 == 0 && k.E > 1<<16 && k.E%2 == 1
}
