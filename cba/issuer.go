package cba

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/path"
	"example.com/entracba/cba/lint"
)

// An Issuer is a certificate authority that can sign: make one with [NewRoot],
// [Issuer.NewIntermediate], [NewIssuer] or [ParseIssuer]. It may be used from many
// goroutines if its Key may.
//
// The fields may be set by hand. They are not trusted: when one of them has
// changed, everything is checked again before the issuer signs, including the
// signatures of the CAs.
type Issuer struct {
	// Certificate is the CA's own; required.
	Certificate *x509.Certificate
	// Key is its private key; required: in memory, in an HSM or in a key service. It
	// is never part of text or JSON.
	Key crypto.Signer `json:"-"`
	// Chain are the CAs above it, from the one that issued Certificate up to the
	// root. Empty for a root.
	Chain []*x509.Certificate
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	// proven are the CA certificates whose keys and links were checked last.
	proven atomic.Pointer[[]*x509.Certificate]
}

// Format writes the CA's subject, without the key, for every verb.
func (i *Issuer) Format(s fmt.State, _ rune) {
	if i == nil || i.Certificate == nil {
		fmt.Fprint(s, "{no CA}")
		return
	}
	fmt.Fprintf(s, "{CA %q, chain of %d}", dn.Show(i.Certificate.RawSubject), len(i.Chain))
}

// NewIssuer returns the issuer of a CA certificate and its private key. others
// are further certificates, in any order. The best chain from cert to a root becomes
// [Issuer.Chain]; the rest is left out. Each CA is proven to have signed the one
// below. The best chain is one that is valid now, then the shortest, then the one
// whose CAs expire later. Without a root among others the chain is incomplete:
// [Issuer.Root] is nil then, and [Issuer.Findings] has a finding.
//
// The error is an [*Error]: reason [Empty] (no certificate, no key),
// [Unreadable] (crypto/x509 refuses one: see [Refused]),
// [NotAuthority] (a certificate of the chain is not a CA certificate, or does not
// allow the ones below it), [NotValidNow] (one has expired, or is not valid yet),
// [NotPermitted] (one does not allow client authentication), [KeyMismatch],
// [WeakKey], [UnsupportedKey], [BadSignature] or [NoKeyIdentifier] (Entra builds
// chains by the key identifiers alone: a CA needs its own in the certificate).
// Revocation is not checked.
func NewIssuer(cert *x509.Certificate, key crypto.Signer, others ...*x509.Certificate) (*Issuer, error) {
	i := &Issuer{Certificate: cert, Key: key}
	if cert != nil && !selfSigned(cert) {
		i.Chain = chainOf(cert, others, i.now())
	}
	if err := i.check(i.now()); err != nil {
		return nil, err
	}
	return i, nil
}

// maxChain bounds the search: no chain has as many CAs.
const maxChain = 32

// chainOf returns the certificates that lead from cert up to its root, or as far
// as there are any.
func chainOf(cert *x509.Certificate, others []*x509.Certificate, at time.Time) []*x509.Certificate {
	var nodes []*path.Node[struct{}]
	for _, c := range others {
		if c != nil && !c.Equal(cert) {
			nodes = append(nodes, &path.Node[struct{}]{Certificate: c})
		}
	}
	set := path.NewSet(nodes, path.ByName)
	set.Link()
	way, _ := set.Find(set.Issuers(nil, cert), path.Options{At: at, MaxDepth: maxChain})
	var chain []*x509.Certificate
	for _, n := range way {
		chain = append(chain, n.Certificate)
	}
	return chain
}

// CACertificates returns the issuer's certificate and the chain above it, the
// issuing CA first: what goes into a PFX file beside the user's certificate, and
// into the tenant's trust store.
func (i *Issuer) CACertificates() []*x509.Certificate {
	if i == nil {
		return nil
	}
	return append([]*x509.Certificate{i.Certificate}, i.Chain...)
}

// Root returns the root at the end of the chain, which is the issuer's own
// certificate for a root CA. It is nil if the chain does not reach a root.
func (i *Issuer) Root() *x509.Certificate {
	cas := i.CACertificates()
	if len(cas) == 0 {
		return nil
	}
	if last := cas[len(cas)-1]; last != nil && selfSigned(last) {
		return last
	}
	return nil
}

// selfSigned tells a root from a CA that has issued a certificate for a new key of
// its own name.
func selfSigned(c *x509.Certificate) bool {
	return path.SelfIssued(c) && path.Verify(c, c) == path.Proven
}

func (i *Issuer) now() time.Time {
	if i == nil || i.Now == nil {
		return time.Now()
	}
	return i.Now()
}

// Findings returns what does not suit Entra in the CA and its chain, at the
// issuer's time. Findings are those of [Findings]: the CA itself is "chain/1".
func (i *Issuer) Findings() lint.Findings {
	cas := i.CACertificates()
	if len(cas) == 0 || slices.Contains(cas, nil) {
		return nil // put together by hand and incomplete: nothing can be issued either
	}
	c := checker{at: i.now()}
	c.authorities(cas)
	c.end(cas[len(cas)-1])
	return c.findings
}

// check refuses what must not sign. Keys and links of the CAs are checked once;
// the rest depends on the time, or costs nothing.
func (i *Issuer) check(now time.Time) error {
	const what = "CA certificate"
	cas := i.CACertificates()
	switch {
	case len(cas) == 0 || cas[0] == nil:
		return &Error{Reason: Empty, What: what}
	case publicOf(i.Key) == nil:
		return &Error{Reason: Empty, What: "CA key"}
	case slices.Contains(cas, nil):
		return &Error{Reason: Empty, What: "certificate in the chain of the CA"}
	}
	for _, c := range cas {
		if err := Refused(c); err != nil {
			return err
		}
	}
	c := i.Certificate
	subject := dn.Show(c.RawSubject)
	switch {
	case !c.BasicConstraintsValid || !c.IsCA:
		return &Error{Reason: NotAuthority, What: what, Text: subject, Hint: "its basicConstraints must say CA:TRUE"}
	case path.LacksUsage(c, x509.KeyUsageCertSign):
		return &Error{Reason: NotAuthority, What: what, Text: subject, Hint: "its keyUsage must have keyCertSign"}
	case len(c.RawSubject) == 0 || bytes.Equal(c.RawSubject, emptyName):
		return &Error{Reason: NotAuthority, What: what, Hint: "it has no subject, and a CA needs one (RFC 5280 section 4.1.2.6)"}
	}
	// Any leaf: one without names, in whose place a user's certificate will be.
	leaf := &x509.Certificate{RawSubject: emptyName, RawIssuer: c.RawSubject, NotAfter: now, NotBefore: now}
	if err := chainError(leaf, cas, now); err != nil {
		return err
	}
	if proven := i.proven.Load(); proven == nil || !slices.Equal(*proven, cas) {
		if err := prove(cas); err != nil {
			return err
		}
		i.proven.Store(&cas)
	}
	switch {
	case !sameKey(c.PublicKey, i.Key.Public()):
		return &Error{Reason: KeyMismatch, What: "CA key", Text: subject}
	case len(c.SubjectKeyId) == 0:
		return &Error{Reason: NoKeyIdentifier, What: what, Text: subject, Hint: "renew it with one: Entra finds issuers by nothing else"}
	}
	return nil
}

// emptyName is a distinguished name without parts.
var emptyName = []byte{0x30, 0}

// prove checks the key of the issuing CA, and that each CA signed the one below.
func prove(cas []*x509.Certificate) error {
	if err := CheckKey(cas[0].PublicKey); err != nil {
		var e *Error
		if errors.As(err, &e) {
			e.What, e.Text = "key of the CA certificate", dn.Show(cas[0].RawSubject)
		}
		return err
	}
	for n, above := range cas[1:] {
		if path.Verify(cas[n], above) != path.Proven {
			return &Error{Reason: BadSignature, What: "CA certificate", Text: dn.Show(cas[n].RawSubject),
				Hint: "the key of the CA above it, " + dn.Show(above.RawSubject) + ", did not sign it, or signed it in a way that is not supported"}
		}
	}
	return nil
}

// chainError returns what is wrong with a certificate and the CAs above it for
// client authentication, signatures apart.
func chainError(leaf *x509.Certificate, cas []*x509.Certificate, at time.Time) error {
	problems := path.Check(leaf, cas, at)
	if len(problems) == 0 {
		return nil
	}
	p := problems[0]
	e := &Error{What: "signed certificate", Err: errors.New(p.Detail)}
	if p.At > 0 {
		e.What, e.Text = "CA certificate", dn.Show(cas[p.At-1].RawSubject)
	}
	switch p.Cause {
	case path.NotYetValid, path.Expired:
		e.Reason = NotValidNow
	case path.NotCA, path.PathTooLong, path.NoCertSign:
		e.Reason, e.Hint = NotAuthority, "use a CA that may sign users' certificates"
	case path.WrongName:
		e.Reason, e.Hint = BadSignature, "give the CAs in order, each followed by its issuer"
	default:
		e.Reason = NotPermitted
	}
	return e
}
