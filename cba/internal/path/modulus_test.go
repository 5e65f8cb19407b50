package path_test

import (
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"example.com/entracba/cba/internal/path"
)

// A key that is too large, or no key at all, is not asked about a signature.
func TestVerifyLooksAtTheModulusFirst(t *testing.T) {
	one := big.NewInt(1)
	for name, n := range map[string]*big.Int{
		"even":         new(big.Int).Lsh(one, 2047),
		"small":        new(big.Int).Add(new(big.Int).Lsh(one, 511), one),
		"half a mbyte": new(big.Int).Add(new(big.Int).Lsh(one, 524_287), one),
		"none":         nil,
	} {
		parent := &x509.Certificate{PublicKeyAlgorithm: x509.RSA, PublicKey: &rsa.PublicKey{N: n, E: 65537}}
		child := &x509.Certificate{SignatureAlgorithm: x509.SHA256WithRSA, RawTBSCertificate: []byte{1}, Signature: make([]byte, 256)}
		start := time.Now()
		if got := path.Verify(child, parent); got != path.Unchecked || time.Since(start) > time.Second {
			t.Errorf("%s: %v after %v", name, got, time.Since(start))
		}
	}
}
