package cba

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"

	"example.com/entracba/cba/internal/sign"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// A signing is how a CA key signs: the hash and the encoded AlgorithmIdentifier.
type signing struct {
	algorithm x509.SignatureAlgorithm
	hash      crypto.Hash
	der       string
}

// signingFor chooses by the key that signs: SHA-256 for RSA and P-256, and for
// the larger curves the hash of their own strength (RFC 5758 section 3.2, RFC
// 4055 section 5). RSA signatures are PKCS #1 v1.5, which every reader verifies;
// PSS is not offered.
func signingFor(pub crypto.PublicKey) signing {
	k, ok := pub.(*ecdsa.PublicKey)
	switch {
	case !ok:
		return signing{x509.SHA256WithRSA, crypto.SHA256, "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"}
	case k.Curve == elliptic.P384():
		return signing{x509.ECDSAWithSHA384, crypto.SHA384, "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"}
	case k.Curve == elliptic.P521():
		return signing{x509.ECDSAWithSHA512, crypto.SHA512, "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04"}
	}
	return signing{x509.ECDSAWithSHA256, crypto.SHA256, "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"}
}

// sign signs tbs and returns the whole certificate or request: tbs, algorithm
// and signature.
func (s signing) sign(ctx context.Context, key crypto.Signer, tbs []byte) ([]byte, error) {
	h := s.hash.New()
	h.Write(tbs)
	signature, err := sign.Digest(ctx, key, h.Sum(nil), s.hash)
	switch {
	case err != nil && ctx != nil && ctx.Err() != nil:
		return nil, &Error{Reason: Abandoned, What: "signature", Err: ctx.Err()}
	case err != nil:
		return nil, &Error{Reason: SignerFailed, What: "signature", Err: err}
	}
	return s.assemble(tbs, signature), nil
}

// assemble joins the signed part, the algorithm and the signature. A nil
// signature gives a certificate that can be read and that no reader accepts.
func (s signing) assemble(tbs, signature []byte) []byte {
	b := cryptobyte.NewBuilder(make([]byte, 0, len(tbs)+len(s.der)+len(signature)+16))
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		b.AddBytes([]byte(s.der))
		b.AddASN1BitString(signature)
	})
	return b.BytesOrPanic() // only a length over 4 GiB fails
}
