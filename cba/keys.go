package cba

import (
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 a certificate can have such a key
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	encodingasn1 "encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"example.com/entracba/cba/internal/enum"
)

// A KeyType is a kind of key that users and CAs may have. The zero value is
// unset; where a field documents a default, zero means that default.
type KeyType uint8

// The kinds of keys. Everything that reads certificates reads RSA2048 and P256.
// Which of them Entra accepts for users is not documented beyond "a recommended
// algorithm, key length and NIST curve" (Learn, "Set up Microsoft Entra
// certificate-based authentication").
const (
	RSA2048 KeyType = iota + 1
	RSA3072
	RSA4096
	P256
	P384
	P521
)

var keyTypes = enum.Of[KeyType]("cba: key type", "rsa2048", "rsa3072", "rsa4096", "p256", "p384", "p521")

// String returns "rsa2048", "rsa3072", "rsa4096", "p256", "p384" or "p521".
func (t KeyType) String() string { return keyTypes.String(t) }

// MarshalText writes the text of [KeyType.String]. The error about an unset or
// unknown type is an [*Error] with reason [Unknown].
func (t KeyType) MarshalText() ([]byte, error) {
	if !keyTypes.Known(t) {
		return nil, unknown(keyTypes, "key type", t.String())
	}
	return keyTypes.Marshal(t)
}

// UnmarshalText reads what MarshalText wrote.
func (t *KeyType) UnmarshalText(text []byte) error {
	return unmarshal(keyTypes, "key type", t, text)
}

// Generate makes a new private key of this type. It is a *rsa.PrivateKey or a
// *ecdsa.PrivateKey.
func (t KeyType) Generate() (crypto.Signer, error) {
	switch t {
	case RSA2048:
		return rsa.GenerateKey(rand.Reader, 2048)
	case RSA3072:
		return rsa.GenerateKey(rand.Reader, 3072)
	case RSA4096:
		return rsa.GenerateKey(rand.Reader, 4096)
	case P256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case P384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case P521:
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	}
	return nil, unknown(keyTypes, "key type", t.String())
}

// ForCA returns the type of key for a new CA whose users have keys of type t: RSA3072
// above RSA keys, P256 above P256, P384 above P384 and P521. A CA of RSA makes every
// certificate on P256 some twice as costly, and no reader of such a certificate gains
// by it: whoever reads the user's key can verify the CA's. Above RSA keys it stays
// RSA, since readers exist that know nothing else. Zero and unknown types give
// RSA3072, the default of [Authority].
func (t KeyType) ForCA() KeyType {
	switch t {
	case P256:
		return P256
	case P384, P521:
		return P384
	}
	return RSA3072
}

// CheckKey returns an error unless a certificate may be issued for this public
// key, or by it: RSA of 2048 to 8192 bits with an exponent of at least 65537 (FIPS 186-5
// section 5.1), or an ECDSA key on P-256, P-384 or P-521.
//
// Ed25519 is refused: Microsoft documents no use of it with Windows or Entra.
// Keys that are weak for another reason than their size, such as those of Debian
// in 2008 or ROCA, are not found.
//
// The error is an [*Error] with reason [WeakKey], [UnsupportedKey], [Malformed]
// or [Empty].
func CheckKey(pub crypto.PublicKey) error {
	if err := checkKey(pub); err != nil {
		return err
	}
	// A product of two primes fails the first round of the test.
	if k, ok := pub.(*rsa.PublicKey); ok && k.N.ProbablyPrime(0) {
		return &Error{Reason: WeakKey, What: "public key", Err: errors.New("RSA modulus is a prime, so anybody can compute the private key")}
	}
	return nil
}

// checkKey is CheckKey without the one test that costs time.
func checkKey(pub crypto.PublicKey) error {
	fail := func(reason Reason, format string, args ...any) error {
		return &Error{Reason: reason, What: "public key", Err: fmt.Errorf(format, args...)}
	}
	switch k := pub.(type) {
	case nil:
		return &Error{Reason: Empty, What: "public key"}
	case *rsa.PublicKey:
		if k == nil || k.N == nil || k.N.Sign() <= 0 || k.N.Bit(0) == 0 {
			return fail(Malformed, "RSA modulus must be odd and positive")
		}
		switch bits := k.N.BitLen(); {
		case bits < 2048:
			return fail(WeakKey, "RSA of %d bits", bits)
		case bits > 8192:
			return fail(UnsupportedKey, "RSA of %d bits; TLS clients accept at most 8192", bits)
		}
		if k.E < 65537 || k.E%2 == 0 {
			return fail(WeakKey, "RSA exponent %d; it must be odd and at least 65537", k.E)
		}
		return nil
	case *ecdsa.PublicKey:
		//lint:ignore SA1019 a key put together by hand may lack its point, and crypto/ecdsa panics on that
		if k == nil || k.Curve == nil || k.X == nil || k.Y == nil {
			return fail(Malformed, "ECDSA key without curve or point")
		}
		switch k.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
		default:
			return fail(UnsupportedKey, "ECDSA on %s", k.Curve.Params().Name)
		}
		if _, err := k.ECDH(); err != nil {
			return fail(Malformed, "ECDSA point is not on its curve")
		}
		return nil
	}
	switch pub.(type) {
	case ed25519.PublicKey:
		return fail(UnsupportedKey, "Ed25519")
	case *dsa.PublicKey:
		return fail(UnsupportedKey, "DSA")
	}
	return fail(UnsupportedKey, "%T", pub)
}

// keyKinds are keys that crypto/x509 does not read, by the object identifier of their
// algorithm or, for elliptic curves, of the curve.
var keyKinds = map[string]string{
	"1.3.101.110": "X25519", "1.3.101.111": "X448", "1.3.101.112": "Ed25519", "1.3.101.113": "Ed448",
	"1.2.840.113549.1.1.10": "RSA for RSASSA-PSS only", "1.2.840.113549.1.1.1": "RSA in an unusual encoding",
	"2.16.840.1.101.3.4.3.17": "ML-DSA-44", "2.16.840.1.101.3.4.3.18": "ML-DSA-65", "2.16.840.1.101.3.4.3.19": "ML-DSA-87",
	"1.2.840.10045.3.1.1": "ECDSA on P-192", "1.3.132.0.10": "ECDSA on secp256k1",
	"1.3.36.3.3.2.8.1.1.7": "ECDSA on brainpoolP256r1", "1.3.36.3.3.2.8.1.1.11": "ECDSA on brainpoolP384r1", "1.3.36.3.3.2.8.1.1.13": "ECDSA on brainpoolP512r1",
	"1.2.840.10045.3.1.7": "ECDSA on P-256, with a point in an unusual encoding or not on the curve",
	"1.3.132.0.34":        "ECDSA on P-384, with a point in an unusual encoding or not on the curve",
	"1.3.132.0.35":        "ECDSA on P-521, with a point in an unusual encoding or not on the curve",
}

// keyKind says what kind of key a SubjectPublicKeyInfo has that crypto/x509 does not
// read.
func keyKind(spki []byte) string {
	input := cryptobyte.String(spki)
	var body, algorithm cryptobyte.String
	var oid, curve encodingasn1.ObjectIdentifier
	if !input.ReadASN1(&body, asn1.SEQUENCE) || !body.ReadASN1(&algorithm, asn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) {
		return "cannot be read"
	}
	if oid.String() == "1.2.840.10045.2.1" {
		if !algorithm.ReadASN1ObjectIdentifier(&curve) {
			return "ECDSA on a curve that is written out"
		}
		oid = curve
	}
	if kind := keyKinds[oid.String()]; kind != "" {
		return kind
	}
	return "of the algorithm " + oid.String()
}

// publicOf returns the public half of a signer, nil for no signer.
func publicOf(key crypto.Signer) crypto.PublicKey {
	switch k := key.(type) {
	case nil:
		return nil
	case *rsa.PrivateKey:
		if k == nil {
			return nil
		}
	case *ecdsa.PrivateKey:
		if k == nil {
			return nil
		}
	}
	return key.Public()
}

// sameKey reports whether two public keys are equal.
func sameKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}
