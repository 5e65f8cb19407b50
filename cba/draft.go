package cba

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"slices"
	"sync/atomic"
	"time"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/path"
	"example.com/entracba/cba/lint"
)

// A Draft is a certificate that was made and checked, but not signed.
type Draft struct {
	// Certificate is what will be signed. It has no signature, so no reader
	// accepts it.
	Certificate *x509.Certificate
	// Findings are what [Findings] has to say about it, and about a request if it
	// came from one.
	Findings lint.Findings

	who   string // the subject, for an error
	asked contents
	tbs   []byte
	used  atomic.Bool

	// What the issuer was when the draft was made.
	key crypto.Signer
	cas []*x509.Certificate // none for a root, which signs itself
	now func() time.Time
}

// Prepare makes a certificate for the public key and the subject, without
// signing it. The draft can be read and checked; [Draft.Sign] signs exactly its
// bytes.
//
// The key may come from anywhere. Only a request proves that its sender has the
// private key (see [Issuer.PrepareRequest]). Every name comes from subject.
//
// The error is an [*Error]: one of [NewIssuer] or [CheckKey], or about the first
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
	for _, ca := range i.CACertificates() {
		if sameKey(ca.PublicKey, pub) {
			return nil, &Error{Reason: NotPermitted, What: "public key", Text: dn.Show(ca.RawSubject),
				Hint: "it is the key of this CA: make a key for the user, or whoever has it can create a certificate for anybody"}
		}
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
		length = defaultValidity
	}
	from, to, clipped := validity(now, profile.Backdate, length, i.Certificate)
	draft, err := prepare(i.Key, i.CACertificates(), i.now, pub, contents{
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
	chain := append([]*x509.Certificate{draft.Certificate}, draft.cas...)
	c.policies(chain)
	c.permitted(chain)
	draft.Findings, draft.who = c.findings, subject.String()
	return draft, nil
}

// PrepareRequest is [Issuer.Prepare] with the key of a request. The request gives
// that key and nothing else. What it asks for and does not get, or gets without
// asking, is among the findings (see [Request.Compare]). A request that was not
// read by [ParseRequest], or whose key was changed since, is refused with reason
// [BadSignature].
func (i *Issuer) PrepareRequest(request *Request, subject Subject, profile Profile) (*Draft, error) {
	if request == nil {
		return nil, &Error{Reason: Empty, What: "request"}
	}
	if !sameKey(request.PublicKey, request.proven) {
		return nil, &Error{Reason: BadSignature, What: "request",
			Hint: "read it with ParseRequest: a key that was put into it by hand is not proven to be its sender's"}
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

// prepare completes the contents with what every certificate of a CA has, encodes
// them and reads the result back. cas are the CA and those above it; none means a
// root, which signs itself.
func prepare(key crypto.Signer, cas []*x509.Certificate, now func() time.Time, pub crypto.PublicKey, asked contents) (*Draft, error) {
	info, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, &Error{Reason: UnsupportedKey, What: "public key", Err: err}
	}
	asked.publicKey = info
	if asked.subjectKeyID, err = keyID(info); err != nil {
		return nil, err
	}
	if len(cas) == 0 {
		asked.issuer, asked.authorityKeyID = asked.subject, asked.subjectKeyID
	} else {
		asked.issuer, asked.authorityKeyID = cas[0].RawSubject, cas[0].SubjectKeyId
	}
	asked.signing = signingFor(key.Public())
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
	return &Draft{Certificate: cert, asked: asked, tbs: tbs, key: key, cas: cas, now: now}, nil
}

// newSerial draws 133 random bits into 17 bytes. The first byte is not zero and
// has no top bit, the last is not zero: the number is positive, has one length
// everywhere, and keeps it when it is written backwards. Whether certificateUserIds
// keeps the zero byte that DER puts in front of a top bit is not known (see
// package certuserid), so there is none.
func newSerial() *big.Int {
	var octets [17]byte
	rand.Read(octets[:]) // never fails
	octets[0] = octets[0]&0x3f | 0x40
	octets[16] |= 1
	return new(big.Int).SetBytes(octets[:])
}

// Sign signs the draft, once. A second call fails, whatever the first returned,
// because two certificates must not have one serial number. Sign refuses a draft that has a
// finding of severity [lint.Error]; see [Draft.SignUnfit].
//
// The bytes that come back are read again and compared with what was asked for,
// field by field. The certificate is then verified against its own chain, for
// client authentication and at the issuer's time: its signature, and the validity,
// usages, path lengths and name constraints of every CA.
//
// Sign waits for the key until ctx ends. A key that hangs may still sign
// afterwards; that signature is dropped and the serial number is not used again.
//
// The error is an [*Error] with reason [Unfit], [AlreadySigned], [SignerFailed],
// [Abandoned], [BadSignature], [NotAsAsked], [NotValidNow] or [NotPermitted].
func (d *Draft) Sign(ctx context.Context) (*x509.Certificate, error) {
	if d != nil && d.Findings.Worst() >= lint.Error {
		return nil, &Error{Reason: Unfit, What: "certificate", Text: d.who, Findings: d.Findings}
	}
	return d.SignUnfit(ctx)
}

// SignUnfit is [Draft.Sign] for a certificate that is known to be unfit for
// Entra: it ignores the findings. It still refuses what the CA may not issue.
func (d *Draft) SignUnfit(ctx context.Context) (*x509.Certificate, error) {
	if d == nil || d.key == nil {
		return nil, &Error{Reason: Empty, What: "draft", Hint: "make it with Issuer.Prepare"}
	}
	if d.used.Swap(true) {
		return nil, &Error{Reason: AlreadySigned, What: "draft"}
	}
	der, err := d.asked.signing.sign(ctx, d.key, d.tbs)
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
	signer := cert // a root
	if len(d.cas) > 0 {
		signer = d.cas[0]
	}
	if path.Verify(cert, signer) != path.Proven {
		return nil, &Error{Reason: BadSignature, What: "signed certificate", Hint: "the CA's key signed something else: check its token or service"}
	}
	if err := chainError(cert, d.cas, d.now()); err != nil {
		return nil, err
	}
	return cert, nil
}
