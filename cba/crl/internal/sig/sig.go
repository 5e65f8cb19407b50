// Package sig holds the ways to sign a CRL that are known here: RSA (PKCS #1
// v1.5 and PSS), ECDSA and Ed25519.
package sig

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"

	"example.com/entracba/cba/internal/fips"
	"example.com/entracba/cba/internal/sign"
)

// A Scheme is a way to sign that this package knows.
type Scheme struct {
	Algorithm x509.SignatureAlgorithm // 0: unknown, verifies nothing
	oid       asn1.ObjectIdentifier
	hash      crypto.Hash // 0: the key signs the message itself
}

// schemes lists what is known but for RSASSA-PSS, whose hash is in the
// parameters. The order is that of crypto/x509.
func schemes() []Scheme {
	return []Scheme{
		{x509.SHA1WithRSA, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}, crypto.SHA1},
		{x509.SHA256WithRSA, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, crypto.SHA256},
		{x509.SHA384WithRSA, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}, crypto.SHA384},
		{x509.SHA512WithRSA, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}, crypto.SHA512},
		{x509.ECDSAWithSHA1, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}, crypto.SHA1},
		{x509.ECDSAWithSHA256, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}, crypto.SHA256},
		{x509.ECDSAWithSHA384, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}, crypto.SHA384},
		{x509.ECDSAWithSHA512, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}, crypto.SHA512},
		{x509.PureEd25519, asn1.ObjectIdentifier{1, 3, 101, 112}, 0},
	}
}

var ( // never written
	oidPSS  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidMGF1 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
)

// pssHashes are the hashes that crypto/x509 takes in PSS parameters.
func pssHashes() []Scheme {
	return []Scheme{
		{x509.SHA256WithRSAPSS, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, crypto.SHA256},
		{x509.SHA384WithRSAPSS, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}, crypto.SHA384},
		{x509.SHA512WithRSAPSS, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}, crypto.SHA512},
	}
}

// pssParameters is RSASSA-PSS-params of RFC 4055 section 3.1.
type pssParameters struct {
	Hash    pkix.AlgorithmIdentifier `asn1:"explicit,tag:0"`
	MGF     pkix.AlgorithmIdentifier `asn1:"explicit,tag:1"`
	Salt    int                      `asn1:"explicit,tag:2"`
	Trailer int                      `asn1:"optional,explicit,tag:3,default:1"`
}

// Read reads an AlgorithmIdentifier. One that is not known or not
// understood gives a scheme whose algorithm is 0, which verifies nothing.
func Read(der []byte) (s Scheme) {
	var id pkix.AlgorithmIdentifier
	if rest, err := asn1.Unmarshal(der, &id); err != nil || len(rest) > 0 {
		return s
	}
	if id.Algorithm.Equal(oidPSS) {
		return readPSS(id.Parameters.FullBytes)
	}
	for _, s := range schemes() {
		if s.oid.Equal(id.Algorithm) {
			if s.hash == 0 && len(id.Parameters.FullBytes) > 0 {
				break // RFC 8410 section 3: no parameters
			}
			return s
		}
	}
	return s
}

// readPSS knows PSS where both hashes are the same and the salt has their
// length, as crypto/x509 does.
func readPSS(der []byte) (s Scheme) {
	var p pssParameters
	var mgf pkix.AlgorithmIdentifier
	if _, err := asn1.Unmarshal(der, &p); err != nil {
		return s
	}
	if _, err := asn1.Unmarshal(p.MGF.Parameters.FullBytes, &mgf); err != nil {
		return s
	}
	empty := func(params asn1.RawValue) bool {
		return len(params.FullBytes) == 0 || bytes.Equal(params.FullBytes, asn1.NullBytes)
	}
	if !p.MGF.Algorithm.Equal(oidMGF1) || !mgf.Algorithm.Equal(p.Hash.Algorithm) ||
		!empty(p.Hash.Parameters) || !empty(mgf.Parameters) || p.Trailer != 1 {
		return s
	}
	for _, h := range pssHashes() {
		if h.oid.Equal(p.Hash.Algorithm) && p.Salt == h.hash.Size() {
			return h
		}
	}
	return s
}

// maxRSA is the largest RSA key, in bits, that a signature is verified with: the
// time that it takes grows with the square.
const maxRSA = 16384

var (
	errAlgorithm = errors.New("the signature algorithm is not one that this package knows")
	errFIPS      = errors.New("GODEBUG=fips140=only refuses to check this signature: it is over a SHA-1, or the RSA key is too short or has a small exponent")
	errKeySize   = errors.New("the CA's RSA key has more than 16384 bits")
	errKeyType   = errors.New("the key of the CA is not of the kind that the signature algorithm needs")
	errSignature = errors.New("the CA's key did not make this signature")
)

// Forbidden reports whether this process may not check a signature of the scheme by
// the key: see [fips.MayVerify].
func (s Scheme) Forbidden(key crypto.PublicKey) bool { return !fips.MayVerify(key, s.Algorithm) }

// Verify checks a signature over a message whose digest under the scheme's hash
// is known; message is read for the schemes that have no hash.
func (s Scheme) Verify(key crypto.PublicKey, digest, message, signature []byte) error {
	switch {
	case s.Algorithm == x509.UnknownSignatureAlgorithm:
		return errAlgorithm
	case s.Forbidden(key):
		return errFIPS
	}
	switch s.Algorithm {
	case x509.PureEd25519:
		key, ok := key.(ed25519.PublicKey)
		if !ok {
			return errKeyType
		}
		if !ed25519.Verify(key, message, signature) {
			return errSignature
		}
		return nil
	case x509.ECDSAWithSHA1, x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
		key, ok := key.(*ecdsa.PublicKey)
		if !ok {
			return errKeyType
		}
		if !ecdsa.VerifyASN1(key, digest, signature) {
			return errSignature
		}
		return nil
	}
	rsaKey, ok := key.(*rsa.PublicKey)
	if !ok {
		return errKeyType
	}
	if rsaKey.N.BitLen() > maxRSA {
		return errKeySize
	}
	var err error
	if s.isPSS() {
		err = rsa.VerifyPSS(rsaKey, s.hash, digest, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	} else {
		err = rsa.VerifyPKCS1v15(rsaKey, s.hash, digest, signature)
	}
	if errors.Is(err, rsa.ErrVerification) {
		return errSignature
	}
	return err
}

func (s Scheme) isPSS() bool {
	switch s.Algorithm {
	case x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS:
		return true
	}
	return false
}

// Identifier returns the encoded AlgorithmIdentifier.
func (s Scheme) Identifier() ([]byte, error) {
	if s.isPSS() {
		hash := pkix.AlgorithmIdentifier{Algorithm: s.oid, Parameters: asn1.NullRawValue}
		hashDER, err := asn1.Marshal(hash)
		if err != nil {
			return nil, err
		}
		parameters, err := asn1.Marshal(pssParameters{
			Hash:    hash,
			MGF:     pkix.AlgorithmIdentifier{Algorithm: oidMGF1, Parameters: asn1.RawValue{FullBytes: hashDER}},
			Salt:    s.hash.Size(),
			Trailer: 1,
		})
		if err != nil {
			return nil, err
		}
		return asn1.Marshal(pkix.AlgorithmIdentifier{Algorithm: oidPSS, Parameters: asn1.RawValue{FullBytes: parameters}})
	}
	id := pkix.AlgorithmIdentifier{Algorithm: s.oid}
	switch s.Algorithm {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA:
		id.Parameters = asn1.NullRawValue
	}
	return asn1.Marshal(id)
}

// fits reports whether the scheme is one for this kind of key.
func (s Scheme) fits(key crypto.PublicKey) bool {
	switch key.(type) {
	case *rsa.PublicKey:
		return s.isPSS() || s.Algorithm == x509.SHA256WithRSA || s.Algorithm == x509.SHA384WithRSA || s.Algorithm == x509.SHA512WithRSA
	case *ecdsa.PublicKey:
		return s.Algorithm == x509.ECDSAWithSHA256 || s.Algorithm == x509.ECDSAWithSHA384 || s.Algorithm == x509.ECDSAWithSHA512
	case ed25519.PublicKey:
		return s.Algorithm == x509.PureEd25519
	}
	return false
}

// MaxSignature returns how large a signature can be.
func (s Scheme) MaxSignature(key crypto.PublicKey) int {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return key.Size()
	case *ecdsa.PublicKey:
		return 2*((key.Curve.Params().BitSize+7)/8) + 16
	}
	return ed25519.SignatureSize
}

// Sum returns the digest of a message, nil for schemes whose key signs the message
// itself and for those that are forbidden for any key.
func (s Scheme) Sum(message []byte) []byte {
	if s.hash == 0 || s.Forbidden(nil) {
		return nil
	}
	h := s.hash.New()
	h.Write(message)
	return h.Sum(nil)
}

// Sign signs a message, and waits for the key no longer than ctx lives: see
// [sign.Digest].
func (s Scheme) Sign(ctx context.Context, key crypto.Signer, message []byte) ([]byte, error) {
	if s.hash == 0 {
		return sign.Digest(ctx, key, message, crypto.Hash(0))
	}
	var options crypto.SignerOpts = s.hash
	if s.isPSS() {
		options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: s.hash}
	}
	return sign.Digest(ctx, key, s.Sum(message), options)
}

// For returns the scheme of an algorithm for a kind of key; with 0, the one that
// fits the key. It knows none that signs with SHA-1.
func For(key crypto.PublicKey, algorithm x509.SignatureAlgorithm) (s Scheme, ok bool) {
	if algorithm == 0 {
		algorithm = usual(key)
	}
	for _, s := range append(schemes(), pssHashes()...) {
		if s.Algorithm == algorithm && s.hash != crypto.SHA1 && s.fits(key) {
			return s, true
		}
	}
	return s, false
}

func usual(key crypto.PublicKey) x509.SignatureAlgorithm {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return x509.SHA256WithRSA
	case *ecdsa.PublicKey:
		switch size := key.Curve.Params().BitSize; {
		case size <= 256:
			return x509.ECDSAWithSHA256
		case size <= 384:
			return x509.ECDSAWithSHA384
		}
		return x509.ECDSAWithSHA512
	case ed25519.PublicKey:
		return x509.PureEd25519
	}
	return 0
}
