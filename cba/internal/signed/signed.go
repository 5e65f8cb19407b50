// Package signed carries the knowledge that signatures were verified from where
// that was done to where it would be done again. Package cba makes a [Proof] of a
// certificate that it has just signed and verified; package pfx takes it. Nobody
// outside this module can make one, and who inside may is a line of the test of
// imports.
package signed

import (
	"bytes"
	"crypto/x509"
)

// A Proof says that each certificate of a chain was verified to have signed the one
// before it. The zero value proves nothing. It has the bytes of the certificates,
// so that it proves nothing about others, nor about these once they have changed.
type Proof struct {
	chain [][]byte
}

// By returns the proof for cert and the CAs above it, the issuer first. The caller
// has verified each signature.
func By(cert *x509.Certificate, cas []*x509.Certificate) Proof {
	p := Proof{make([][]byte, 0, 1+len(cas))}
	p.chain = append(p.chain, bytes.Clone(cert.Raw))
	for _, c := range cas {
		p.chain = append(p.chain, bytes.Clone(c.Raw))
	}
	return p
}

// Covers reports whether the signatures on cert, and on each of cas by the next, are
// proven. The chain may end earlier than the proof.
func (p Proof) Covers(cert *x509.Certificate, cas []*x509.Certificate) bool {
	if len(p.chain) < 1+len(cas) || !bytes.Equal(p.chain[0], cert.Raw) {
		return false
	}
	for n, c := range cas {
		if !bytes.Equal(p.chain[1+n], c.Raw) {
			return false
		}
	}
	return true
}
