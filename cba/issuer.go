package cba

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"math/big"
	"slices"
	"sync/atomic"
	"time"

	"example.com/entracba/cba/lint"
)

// An Issuer is a certificate authority that can sign: make one with [NewRoot],
// [Issuer.NewIntermediate], [NewIssuer] or [ParseIssuer]. It may be used from many
// goroutines if its Key may.
type Issuer struct {
	// Certificate is the CA's own; required.
	Certificate *x509.Certificate
	// Key is its private key; required. Anything that signs will do: a key in
	// memory, an HSM, a key service.
	Key crypto.Signer
	// Chain are the CAs above it, from the one that issued Certificate up to the
	// root. Empty for a root.
	Chain []*x509.Certificate
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// NewIssuer returns the issuer of a CA certificate and its private key. others
// are further certificates, in any order: those that lead from cert to its root
// become [Issuer.Chain], each proven to have signed the one below; the rest is
// left out.
//
// The error is an [*Error]: reason [Empty] (no certificate, no key),
// [NotAuthority] (not a CA, or one whose key usage is not for signing
// certificates), [NotValidNow] (expired, or not yet valid), [KeyMismatch],
// [WeakKey], [UnsupportedKey] or [NoKeyIdentifier] (Entra builds chains by the
// key identifiers alone: a CA needs its own in the certificate). Revocation is
// not looked at.
func NewIssuer(cert *x509.Certificate, key crypto.Signer, others ...*x509.Certificate) (*Issuer, error) {
	i := &Issuer{Certificate: cert, Key: key}
	if err := i.check(i.now()); err != nil {
		return nil, err
	}
	i.Chain = chainOf(cert, others)
	return i, nil
}

// chainOf returns the certificates that lead from cert up to its root, or as far
// as there are any.
func chainOf(cert *x509.Certificate, others []*x509.Certificate) []*x509.Certificate {
	var chain []*x509.Certificate
	for below := cert; !isSelfIssued(below) && len(chain) < len(others); {
		at := slices.IndexFunc(others, func(c *x509.Certificate) bool {
			return c != nil && bytes.Equal(c.RawSubject, below.RawIssuer) && !slices.ContainsFunc(chain, c.Equal) &&
				!c.Equal(cert) && below.CheckSignatureFrom(c) == nil
		})
		if at < 0 {
			break
		}
		below = others[at]
		chain = append(chain, below)
	}
	return chain
}

func isSelfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }

// CACertificates returns the issuer's certificate and the chain above it, the
// issuing CA first: what goes into a PFX file beside the user's certificate, and
// into the tenant's trust store.
func (i *Issuer) CACertificates() []*x509.Certificate {
	return append([]*x509.Certificate{i.Certificate}, i.Chain...)
}

func (i *Issuer) now() time.Time {
	if i.Now == nil {
		return time.Now()
	}
	return i.Now()
}

// check refuses what must not sign.
func (i *Issuer) check(now time.Time) error {
	const what = "CA certificate"
	c := i.Certificate
	switch {
	case c == nil:
		return &Error{Reason: Empty, What: what}
	case i.Key == nil:
		return &Error{Reason: Empty, What: "CA key"}
	case slices.Contains(i.Chain, nil):
		return &Error{Reason: Empty, What: "certificate in the chain of the CA"}
	}
	subject := showName(c.RawSubject)
	switch {
	case !c.BasicConstraintsValid || !c.IsCA:
		return &Error{Reason: NotAuthority, What: what, Text: subject, Hint: "its basicConstraints must say CA:TRUE"}
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		return &Error{Reason: NotAuthority, What: what, Text: subject, Hint: "its keyUsage must have keyCertSign"}
	case now.Before(c.NotBefore):
		return &Error{Reason: NotValidNow, What: what, Text: subject, Err: fmt.Errorf("valid from %s", showTime(c.NotBefore))}
	case now.After(c.NotAfter):
		return &Error{Reason: NotValidNow, What: what, Text: subject, Err: fmt.Errorf("expired %s", showTime(c.NotAfter))}
	}
	if err := CheckKey(c.PublicKey); err != nil {
		e := *err.(*Error)
		e.What, e.Text = "key of the CA certificate", subject
		return &e
	}
	switch {
	case !sameKey(c.PublicKey, i.Key.Public()):
		return &Error{Reason: KeyMismatch, What: "CA key", Text: subject}
	case len(c.SubjectKeyId) == 0:
		return &Error{Reason: NoKeyIdentifier, What: what, Text: subject, Hint: "renew it with one: Entra finds issuers by nothing else"}
	}
	return nil
}

func showTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// A Draft is a certificate that is made and looked at but not signed.
type Draft struct {
	// Certificate is what will be signed, without a signature: nobody accepts it.
	Certificate *x509.Certificate
	// Findings are what [Check] has to say about it, and about a request if it
	// came from one.
	Findings lint.Findings

	who    string // the subject, for an error
	issuer *Issuer
	asked  contents
	tbs    []byte
	used   atomic.Bool
}

// Prepare makes a certificate for the public key and the subject, without
// signing it. What comes back can be read and judged; [Draft.Sign] signs exactly
// those bytes.
//
// The key may come from anywhere; that its owner has the private half is proven
// by a request (see [Issuer.PrepareRequest]). Every name comes from subject.
//
// The error is an [*Error]: what [NewIssuer] and [CheckKey] say, or the first
// part of subject or profile that cannot be written. What can be written and is
// unwise is a finding.
func (i *Issuer) Prepare(pub crypto.PublicKey, subject Subject, profile Profile) (*Draft, error) {
	now := i.now()
	if err := i.check(now); err != nil {
		return nil, err
	}
	if err := CheckKey(pub); err != nil {
		return nil, err
	}
	if err := profile.check(); err != nil {
		return nil, err
	}
	_, subjectDER, names, err := subject.resolve(profile.SIDForm)
	if err != nil {
		return nil, err
	}
	length := profile.Validity
	if length == 0 {
		length = DefaultValidity
	}
	from, to, clipped := validity(now, profile.Backdate, length, i.Certificate)
	draft, err := i.draft(pub, contents{
		subject:   subjectDER,
		notBefore: from,
		notAfter:  to,
		pathLen:   -1,
		keyUsage:  profile.keyUsage(pub),
		usages:    profile.usages(),
		names:     names,
		crlURLs:   profile.CRLURLs,
		caURLs:    profile.CAURLs,
		policies:  profile.Policies,
	})
	if err != nil {
		return nil, err
	}
	c := checker{at: now}
	if clipped {
		c.add(certClipped, partValidity, "", "the certificate expires on %s, together with its CA, instead of after the %s that you asked for",
			to.Format(time.DateOnly), showDays(length))
	}
	c.user(draft.Certificate)
	c.link(draft.Certificate, i.Certificate)
	c.policies(append([]*x509.Certificate{draft.Certificate}, i.CACertificates()...))
	draft.Findings, draft.who = c.findings, subject.String()
	return draft, nil
}

// PrepareRequest is [Issuer.Prepare] with the key of a request. The request
// gives nothing but that key; what it asks for and does not get, or gets without
// asking, is among the findings (see [Request.Compare]).
func (i *Issuer) PrepareRequest(request *Request, subject Subject, profile Profile) (*Draft, error) {
	if request == nil {
		return nil, &Error{Reason: Empty, What: "request"}
	}
	draft, err := i.Prepare(request.PublicKey, subject, profile)
	if err != nil {
		return nil, err
	}
	draft.Findings = append(draft.Findings, request.Compare(subject)...)
	return draft, nil
}

// Issue prepares and signs in one step. It refuses a certificate that has a
// finding of severity [lint.Error]: the error is an [*Error] with reason [Unfit]
// and the findings then. Use [Issuer.Prepare] to see the other findings.
//
// pub may come from anywhere. Use [Issuer.IssueRequest] for a key that arrives in
// a request.
func (i *Issuer) Issue(ctx context.Context, pub crypto.PublicKey, subject Subject, profile Profile) (*x509.Certificate, error) {
	draft, err := i.Prepare(pub, subject, profile)
	if err != nil {
		return nil, err
	}
	return draft.Sign(ctx)
}

// IssueRequest is [Issuer.Issue] for the key of a request. The request gives its
// public key and nothing else: every name comes from subject, which the caller
// has authenticated. What the request asks for and does not get is no error; use
// [Issuer.PrepareRequest] to see it.
func (i *Issuer) IssueRequest(ctx context.Context, request *Request, subject Subject, profile Profile) (*x509.Certificate, error) {
	draft, err := i.PrepareRequest(request, subject, profile)
	if err != nil {
		return nil, err
	}
	return draft.Sign(ctx)
}

// draft completes the contents with what every certificate of the issuer has,
// encodes them and reads the result back.
func (i *Issuer) draft(pub crypto.PublicKey, asked contents) (*Draft, error) {
	info, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, &Error{Reason: UnsupportedKey, What: "public key", Err: err}
	}
	asked.publicKey = info
	if asked.subjectKeyID, err = keyID(info); err != nil {
		return nil, err
	}
	if i.Certificate == nil { // a root signs itself
		asked.issuer, asked.authorityKeyID = asked.subject, asked.subjectKeyID
	} else {
		asked.issuer, asked.authorityKeyID = i.Certificate.RawSubject, i.Certificate.SubjectKeyId
	}
	asked.signing = signingFor(i.Key.Public())
	asked.serial = newSerial()
	// The caller may change these slices between Prepare and Sign.
	asked.usages, asked.policies = slices.Clone(asked.usages), slices.Clone(asked.policies)
	asked.crlURLs, asked.caURLs = slices.Clone(asked.crlURLs), slices.Clone(asked.caURLs)
	tbs, err := asked.tbs()
	if err != nil {
		return nil, &Error{Reason: Malformed, What: "certificate", Err: err}
	}
	cert, err := x509.ParseCertificate(asked.signing.assemble(tbs, nil))
	if err != nil {
		// Names and URLs that pass our checks and that crypto/x509 does not read.
		return nil, &Error{Reason: Malformed, What: "certificate", Err: err}
	}
	return &Draft{Certificate: cert, issuer: i, asked: asked, tbs: tbs}, nil
}

// newSerial draws 133 random bits into 17 octets. The first octet is not zero and
// has no top bit, the last is not zero: the number is positive, has one length
// everywhere, and keeps it when it is written backwards. Whether certificateUserIds
// keeps the zero octet that DER puts in front of a top bit is not known (see
// package certuserid), so there is none.
func newSerial() *big.Int {
	var octets [17]byte
	rand.Read(octets[:]) // never fails
	octets[0] = octets[0]&0x3f | 0x40
	octets[16] |= 1
	return new(big.Int).SetBytes(octets[:])
}

// Sign signs the draft, once: a second call fails, whatever the first gave, for
// two certificates must not have one serial number. It refuses a draft that has a
// finding of severity [lint.Error]; see [Draft.SignUnfit].
//
// The bytes that come back are read again and compared with what was asked for,
// field by field, and the signature is verified with the CA's certificate.
//
// Sign waits for the key no longer than ctx lives. A key that hangs may still
// sign afterwards; the result is dropped and the serial number is not used again.
//
// The error is an [*Error] with reason [Unfit], [AlreadySigned], [SignerFailed],
// [Abandoned], [BadSignature] or [NotAsAsked].
func (d *Draft) Sign(ctx context.Context) (*x509.Certificate, error) {
	if d.Findings.Worst() >= lint.Error {
		return nil, &Error{Reason: Unfit, What: "certificate", Text: d.who, Findings: d.Findings}
	}
	return d.SignUnfit(ctx)
}

// SignUnfit is [Draft.Sign] for a certificate that is known to be unfit for
// Entra: it disregards the findings.
func (d *Draft) SignUnfit(ctx context.Context) (*x509.Certificate, error) {
	if d.issuer == nil {
		return nil, &Error{Reason: Empty, What: "draft", Hint: "make it with Issuer.Prepare"}
	}
	if d.used.Swap(true) {
		return nil, &Error{Reason: AlreadySigned, What: "draft"}
	}
	der, err := d.asked.signing.sign(ctx, d.issuer.Key, d.tbs)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, &Error{Reason: NotAsAsked, What: "signed certificate", Err: err}
	}
	if !bytes.Equal(cert.RawTBSCertificate, d.tbs) {
		return nil, &Error{Reason: NotAsAsked, What: "signed certificate"}
	}
	if err := d.asked.compare(cert); err != nil {
		return nil, err
	}
	parent := d.issuer.Certificate
	if parent == nil {
		parent = cert
	}
	if err := cert.CheckSignatureFrom(parent); err != nil {
		return nil, &Error{Reason: BadSignature, What: "signed certificate", Err: err}
	}
	return cert, nil
}
