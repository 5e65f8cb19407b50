package signed_test

import (
	"crypto/x509"
	"testing"

	"example.com/entracba/cba/internal/signed"
)

func TestCovers(t *testing.T) {
	cert := func(raw string) *x509.Certificate { return &x509.Certificate{Raw: []byte(raw)} }
	chain := func(raw ...string) (cas []*x509.Certificate) {
		for _, r := range raw {
			cas = append(cas, cert(r))
		}
		return cas
	}
	leaf, cas := cert("leaf"), chain("issuing", "root")
	p := signed.By(leaf, cas)
	for _, test := range []struct {
		leaf string
		cas  []*x509.Certificate
		want bool
	}{
		{"leaf", chain("issuing", "root"), true},
		{"leaf", chain("issuing"), true},
		{"leaf", nil, true},
		{"other", chain("issuing", "root"), false},
		{"leaf", chain("other", "root"), false},
		{"leaf", chain("issuing", "other"), false},
		{"leaf", chain("root"), false},
		{"leaf", chain("issuing", "root", "more"), false},
		{"issuing", chain("root"), false},
	} {
		if got := p.Covers(cert(test.leaf), test.cas); got != test.want {
			t.Errorf("%s, %d CAs: %v", test.leaf, len(test.cas), got)
		}
	}
	// What changes after the proof was made is not proven.
	leaf.Raw[0] ^= 1
	if p.Covers(leaf, cas) {
		t.Error("a changed certificate is proven")
	}
	if (signed.Proof{}).Covers(cert("leaf"), nil) {
		t.Error("nothing proves something")
	}
}
