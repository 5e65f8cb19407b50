package cba

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"

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
	return fail(UnsupportedKey, "%T", pub)
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
