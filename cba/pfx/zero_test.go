package pfx_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"testing"

	"example.com/entracba/cba/pfx"
)

// No exported call panics on nil, zero or half a value: it answers, with an error
// where it has to.
func TestNilAndZero(t *testing.T) {
	whole := bundle("p256", 1, "")
	rsaKey := bundle("rsa2048", 0, "").Key.(*rsa.PrivateKey)
	for name, b := range map[string]pfx.Bundle{
		"zero":             {},
		"nil RSA":          {Key: (*rsa.PrivateKey)(nil), Certificate: whole.Certificate},
		"zero RSA":         {Key: &rsa.PrivateKey{}, Certificate: whole.Certificate},
		"half an RSA key":  {Key: &rsa.PrivateKey{PublicKey: rsaKey.PublicKey}, Certificate: bundle("rsa2048", 0, "").Certificate},
		"no primes":        {Key: &rsa.PrivateKey{PublicKey: rsaKey.PublicKey, D: rsaKey.D}, Certificate: bundle("rsa2048", 0, "").Certificate},
		"nil ECDSA":        {Key: (*ecdsa.PrivateKey)(nil), Certificate: whole.Certificate},
		"zero ECDSA":       {Key: &ecdsa.PrivateKey{}, Certificate: whole.Certificate},
		"half an EC key":   {Key: &ecdsa.PrivateKey{PublicKey: ecdsa.PublicKey{Curve: elliptic.P256()}}, Certificate: whole.Certificate},
		"EC key without D": {Key: &ecdsa.PrivateKey{PublicKey: whole.Key.(*ecdsa.PrivateKey).PublicKey}, Certificate: whole.Certificate},
		"short Ed25519":    {Key: ed25519.PrivateKey{1}, Certificate: whole.Certificate},
		"no certificate":   {Key: whole.Key},
		"zero certificate": {Key: whole.Key, Certificate: &x509.Certificate{}},
		"nil chain":        {Key: whole.Key, Certificate: whole.Certificate, Chain: []*x509.Certificate{nil}},
		"zero chain":       {Key: whole.Key, Certificate: whole.Certificate, Chain: []*x509.Certificate{{}}},
		"half a chain": {Key: whole.Key, Certificate: whole.Certificate,
			Chain: []*x509.Certificate{{RawSubject: whole.Certificate.RawIssuer, PublicKey: &rsa.PublicKey{}}}},
		"others": {Key: whole.Key, Certificate: whole.Certificate, Others: []*x509.Certificate{nil, {}}},
	} {
		if fmt.Sprint(b) == "" {
			t.Errorf("%s: no text", name)
		}
		data, err := pfx.Modern.Encode(b, "secret")
		if err == nil || reasonOf(t, err) == "" || data != nil {
			t.Errorf("%s: %d bytes, %v", name, len(data), err)
		}
		if b.Key != nil && !errors.Is(err, pfx.KeyMismatch) && !errors.Is(err, pfx.BadChain) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, e := range []pfx.Encoder{{}, {Encoding: 99}, {Encoding: pfx.Modern, Iterations: -1}} {
		if _, err := e.Encode(whole, "secret"); !errors.Is(err, pfx.BadOption) {
			t.Errorf("%+v: %v", e, err)
		}
	}
	for _, data := range [][]byte{nil, {}, {0x30}, {0x30, 0x80}, {0x30, 0}} {
		if _, err := pfx.Decode(data, ""); !errors.Is(err, pfx.Malformed) {
			t.Errorf("Decode(%x): %v", data, err)
		}
		if _, err := pfx.Inspect(data); !errors.Is(err, pfx.Malformed) {
			t.Errorf("Inspect(%x): %v", data, err)
		}
		if _, err := pfx.Reencode(data, "", pfx.Modern, ""); !errors.Is(err, pfx.Malformed) {
			t.Errorf("Reencode(%x): %v", data, err)
		}
	}
	if _, err := (pfx.Decoder{MaxBytes: -1, MaxIterations: -1}).Decode([]byte{0x30, 0}, "x"); !errors.Is(err, pfx.TooCostly) {
		t.Errorf("negative limits: %v", err)
	}
	if pfx.Target(0).Title() != "" || pfx.Target(0).Source() != "" || pfx.For(0) != pfx.Compatible || pfx.For() != pfx.Compatible {
		t.Error("target zero is taken for one")
	}
}
