package fips_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"os"
	"os/exec"
	"testing"

	"example.com/entracba/cba/internal/fips"
)

// What may be checked is what crypto/rsa checks: a signature by every key, in the mode
// and outside of it.
func TestMayVerify(t *testing.T) {
	if !fips140.Enforced() && os.Getenv("FIPS_TEST") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestMayVerify$")
		cmd.Env = append(os.Environ(), "GODEBUG=fips140=only", "FIPS_TEST=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
	key := func(bits int) (k *rsa.PrivateKey) {
		fips140.WithoutEnforcement(func() {
			var err error
			if k, err = rsa.GenerateKey(rand.Reader, bits); err != nil {
				t.Fatal(err)
			}
		})
		return k
	}
	digest := sha256.Sum256([]byte("x"))
	for bits, k := range map[int]*rsa.PrivateKey{1024: key(1024), 2047: key(2047), 2048: key(2048)} {
		var signature []byte
		fips140.WithoutEnforcement(func() {
			var err error
			if signature, err = rsa.SignPKCS1v15(nil, k, crypto.SHA256, digest[:]); err != nil {
				t.Fatal(err)
			}
		})
		err := rsa.VerifyPKCS1v15(&k.PublicKey, crypto.SHA256, digest[:], signature)
		if may := fips.MayVerify(&k.PublicKey, x509.SHA256WithRSA); may != (err == nil) {
			t.Errorf("enforced %v, %d bits: may %v, crypto/rsa says %v", fips140.Enforced(), bits, may, err)
		}
	}
	small := &rsa.PublicKey{N: key(2048).N, E: 3}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		key       crypto.PublicKey
		algorithm x509.SignatureAlgorithm
		approved  bool
	}{
		{small, x509.SHA256WithRSA, false}, {&rsa.PublicKey{}, x509.SHA256WithRSA, false}, {&rsa.PublicKey{N: new(big.Int)}, 0, false},
		{curve.Public(), x509.ECDSAWithSHA256, true}, {curve.Public(), x509.ECDSAWithSHA1, false}, {nil, x509.SHA1WithRSA, false}, {nil, 0, true},
	} {
		if may := fips.MayVerify(test.key, test.algorithm); may != (test.approved || !fips140.Enforced()) {
			t.Errorf("enforced %v, %T, %v: %v", fips140.Enforced(), test.key, test.algorithm, may)
		}
	}
}
