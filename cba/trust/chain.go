package trust

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/path"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/lint"
)

// A Chain is the answer of [Store.Chain]: the path from a user certificate to a root,
// or how far it leads and what is wrong. The zero value is not trusted.
type Chain struct {
	// Leaf is the user certificate.
	Leaf *x509.Certificate
	// At is the time of the question.
	At time.Time
	// Trusted says that the stores have every CA up to a root, and nothing is wrong.
	Trusted bool
	// CAs are the issuing CA, its issuer, and so on. The last is a root, unless a
	// failure says that the path ends before one.
	CAs []*CA
	// Failures say why the chain is not trusted. The first is the one whose code the
	// service is expected to show. There is at least one, unless Trusted.
	Failures []Failure

	unreadable []Unreadable // CAs that the store left out
}

// A Failure is one thing that is wrong with a chain.
type Failure struct {
	Cause Cause
	// At is the certificate that it is about: 0 is the leaf, n is CAs[n-1].
	At int
	// Code is what a user would see, "AADSTS500176". Also lists codes that the
	// documentation names for the same thing.
	Code string
	Also []string
	// Detail tells what was found, with names and identifiers.
	Detail string
	// Source is the document. Inferred says that it does not name this case, and that
	// the code is our reading.
	Source   lint.Source
	Inferred bool
}

// String says the failure in words: its cause and its detail.
func (f Failure) String() string { return f.Cause.words() + ": " + f.Detail }

// The documents behind failures and steps.
const (
	sourceChain      = lint.Authorities
	sourceCodes      = lint.DeepDive + ", error codes"
	source50017      = lint.SupportAADSTS50017
	sourcePrecedence = lint.HowTo + ", prioritization between the trust stores"
	sourceDepth      = lint.Revocation
)

// Code returns the code that a user would see, or "" if the chain is trusted.
func (c Chain) Code() string {
	if c.Trusted || len(c.Failures) == 0 {
		return ""
	}
	return c.Failures[0].Code
}

// Root returns the root of a trusted chain, or nil.
func (c Chain) Root() *CA {
	if !c.Trusted || len(c.CAs) == 0 {
		return nil
	}
	return c.CAs[len(c.CAs)-1]
}

// Chain finds the path from a user certificate to a root and checks it at the given
// time. It follows authority key identifiers to subject key identifiers, never
// names, and takes a link only if the signature is by that key.
//
// If there are several paths (a renewed CA, a cross-certificate), the chain is the
// shortest in which nothing is wrong, and among those of one length the one whose
// certificates are valid longer, from the leaf up. Which one the service takes is
// not documented, but any good one is trusted. If there is none, the chain is the
// one that fails least: first the times are ignored, then the constraints, then the
// number of CAs; if no root can be reached at all, the chain ends where the path
// ends. The order of the entries in the stores never matters.
//
// Checked are the presence of every CA, signatures, validity, the number of CAs
// and, unless [Options.DocumentedOnly] is set, the CA flag, path length and key
// usage of every CA. Not checked, because no document names them: extended key
// usage, name constraints and policies (but see the warnings of [Chain.Steps]).
// Revocation is checked by package crl.
//
// Chain returns no error: what is wrong with a certificate is a failure. It costs one
// signature check for each different key with the certificate's authority key
// identifier: normally one, and never more than 32, of the CAs that are valid
// longest. leaf must come from crypto/x509's parser.
func (s *Store) Chain(leaf *x509.Certificate, at time.Time) Chain {
	var buf [8]link
	return s.chain(leaf, s.issuers(buf[:0], leaf), at)
}

// chain is Chain with the links of the certificate.
func (s *Store) chain(leaf *x509.Certificate, first []link, at time.Time) Chain {
	c := Chain{Leaf: leaf, At: at, unreadable: s.Unreadable()}
	if leaf == nil {
		c.Failures = []Failure{{
			Cause: NoLeaf, Code: "AADSTS50192", Detail: "there is no certificate to check",
			Source: sourceCodes,
		}}
		return c
	}
	if s == nil {
		s = &Store{}
	}
	if complete := s.find(&c, first); !complete {
		c.Failures = append(c.Failures, s.deadEnd(&c, first))
	}
	s.judge(&c)
	c.Trusted = len(c.Failures) == 0
	return c
}

// issuers appends the CAs whose subject key identifier is the certificate's
// authority key identifier.
func (s *Store) issuers(links []link, cert *x509.Certificate) []link {
	if s == nil || s.set == nil || cert == nil {
		return links
	}
	return s.set.Issuers(links, cert)
}

// find sets the CAs of the chain. complete says that they end at a root.
func (s *Store) find(c *Chain, first []link) (complete bool) {
	if s.set == nil {
		return false
	}
	way, complete := s.set.Find(first, s.search(c.At))
	for _, n := range way {
		c.CAs = append(c.CAs, n.Value)
	}
	return complete
}

func (s *Store) search(at time.Time) path.Options {
	return path.Options{At: at, MaxDepth: s.options.MaxDepth, NoShape: s.options.DocumentedOnly}
}

// shape returns what the extensions of a CA say against its place in a chain, or
// zero: RFC 5280 section 6.1.4 (k) to (n).
func (ca *CA) shape(below int) Cause { return causeOf(path.ShapeOf(ca.Certificate, below)) }

func validity(cert *x509.Certificate, at time.Time) Cause { return causeOf(path.PeriodOf(cert, at)) }

func causeOf(c path.Cause) Cause {
	switch c {
	case path.NotYetValid:
		return NotYetValid
	case path.Expired:
		return Expired
	case path.NotCA:
		return NotCA
	case path.PathTooLong:
		return PathTooLong
	case path.NoCertSign:
		return NoCertSign
	}
	return 0
}

func isProven(l link) bool { return l.Proof == path.Proven }

// deadEnd explains why no root was reached.
func (s *Store) deadEnd(c *Chain, first []link) Failure {
	top, cert, links := len(c.CAs), c.Leaf, first
	if top > 0 {
		ca := c.CAs[top-1]
		cert, links = ca.Certificate, ca.node.Issuers
	}
	f := Failure{At: top, Code: "AADSTS500176", Also: []string{"AADSTS50017"}, Source: sourceChain}
	aki := cert.AuthorityKeyId
	switch {
	case slices.ContainsFunc(links, isProven):
		f.Cause, f.Also, f.Inferred = NoRoot, nil, true
		f.Detail = "the CAs above it certify each other in a circle, and none of them is a self-signed root"
	case top > 0 && c.CAs[top-1].node.SelfIssued && (len(aki) == 0 || bytes.Equal(aki, cert.SubjectKeyId)): // a root, it says
		f.Cause, f.Code, f.Also, f.Source = WrongSignature, "AADSTS50017", []string{"AADSTS500176"}, source50017
		f.Detail = "its issuer and its subject have one name, but it is not signed by its own key"
		if path.Verify(cert, cert) == path.Unchecked {
			f.Cause, f.Also, f.Inferred = UncheckedSignature, nil, true
			f.Detail = fmt.Sprintf("its signature by its own key (%s) cannot be checked here", algorithm(cert, cert))
		}
		if len(aki) == 0 {
			f.Detail += ", and it has no authority key identifier that leads further"
		}
	case slices.ContainsFunc(s.unreadable, func(u Unreadable) bool { return u.mayHave(aki) }):
		u := s.unreadable[slices.IndexFunc(s.unreadable, func(u Unreadable) bool { return u.mayHave(aki) })]
		f.Cause, f.Code, f.Also, f.Source, f.Inferred = IssuerUnreadable, "AADSTS50017", nil, source50017, true
		f.Detail = fmt.Sprintf("its authority key identifier %s is that of %s, whose certificate cannot be read here", keyText(aki), u.Entry)
	case slices.ContainsFunc(links, func(l link) bool { return l.Proof == path.Disproven }):
		f.Cause, f.Code, f.Also = WrongSignature, "AADSTS50017", []string{"AADSTS500176"}
		f.Detail = fmt.Sprintf("its authority key identifier is %s, but it is not signed by the key of %s", keyText(aki), links[0].Node.Value)
		f.Source = source50017
	case len(links) > 0:
		f.Cause, f.Code, f.Also = UncheckedSignature, "AADSTS50017", nil
		f.Detail = fmt.Sprintf("its signature by the key of %s (%s) cannot be checked here", links[0].Node.Value, algorithm(cert, links[0].Node.Value.Certificate))
		f.Source, f.Inferred = source50017, true
	case len(aki) == 0:
		f.Cause = NoAuthorityKeyID
		what := "it has no authority key identifier"
		if other, named := path.AuthorityCertOf(cert); named {
			what = "its authority key identifier has no key identifier, only " + certificateText(other)
		}
		f.Detail = what + ", and the service never finds an issuer by its name" + s.namesakes(cert)
	default:
		f.Cause = IssuerNotFound
		f.Detail = fmt.Sprintf("its authority key identifier is %s, and no CA of the trust stores has this subject key identifier", keyText(aki)) + s.namesakes(cert)
	}
	return f
}

// namesakes names a CA that has the issuer's name: an administrator who thinks in
// names would expect it to be used.
func (s *Store) namesakes(cert *x509.Certificate) string {
	list := s.bySubject[string(cert.RawIssuer)]
	if len(list) == 0 {
		return "; no CA is named " + quotedName(cert.RawIssuer) + " either"
	}
	ca := list[0]
	if ca.SKI == "" {
		return fmt.Sprintf("; %s has the issuer's name, but no subject key identifier", ca.Entry)
	}
	return fmt.Sprintf("; %s has the issuer's name, but the subject key identifier %s", ca.Entry, ca.SKI)
}

func quotedName(der []byte) string { return text.Quote(dn.Show(der)) }

// keyText is for messages: a certificate can hold megabytes where an identifier
// belongs.
func keyText(id []byte) string {
	const most = 64
	if len(id) > most {
		return fmt.Sprintf("%x... (%d bytes)", id[:most], len(id))
	}
	return hex.EncodeToString(id)
}

func algorithm(child, parent *x509.Certificate) string {
	if key, ok := parent.PublicKey.(*rsa.PublicKey); ok && child.SignatureAlgorithm != x509.UnknownSignatureAlgorithm {
		return fmt.Sprintf("%v, %d bits", child.SignatureAlgorithm, key.N.BitLen())
	}
	if child.SignatureAlgorithm == x509.UnknownSignatureAlgorithm {
		return "an algorithm or a certificate that crypto/x509 does not read"
	}
	return child.SignatureAlgorithm.String()
}

// judge appends what is wrong along the way that was found: times first, for
// those are what the service documents, from the leaf up.
func (s *Store) judge(c *Chain) {
	for i := 0; i <= len(c.CAs); i++ {
		cert := c.Leaf
		if i > 0 {
			cert = c.CAs[i-1].Certificate
		}
		if cause := validity(cert, c.At); cause != 0 {
			c.Failures = append(c.Failures, outside(cause, i, cert, c.At))
		}
	}
	if !s.options.DocumentedOnly {
		below := 0
		for i, ca := range c.CAs {
			if cause := ca.shape(below); cause != 0 {
				c.Failures = append(c.Failures, misshapen(cause, i+1, ca, below))
			}
			if !ca.node.SelfIssued {
				below++
			}
		}
	}
	if len(c.CAs) > s.options.MaxDepth && s.options.MaxDepth > 0 {
		c.Failures = append(c.Failures, Failure{
			Cause: TooDeep, At: s.options.MaxDepth + 1, Code: "AADSTS50017",
			Detail: fmt.Sprintf("the chain has %d CAs; the service follows %d", len(c.CAs), s.options.MaxDepth),
			Source: sourceDepth, Inferred: true,
		})
	}
}

func outside(cause Cause, at int, cert *x509.Certificate, now time.Time) Failure {
	f := Failure{Cause: cause, At: at, Code: "AADSTS500172", Also: []string{"AADSTS1000502"}, Source: sourceCodes}
	f.Detail = fmt.Sprintf("%s, issued by %s, is valid from %s until %s, and the time is %s",
		dn.Show(cert.RawSubject), dn.Show(cert.RawIssuer),
		text.Time(cert.NotBefore), text.Time(cert.NotAfter), text.Time(now))
	if at > 0 && cause == Expired {
		// The description of 500176 names an expired CA, that of 500172 a
		// certificate outside its validity.
		f.Code, f.Also = "AADSTS500176", []string{"AADSTS500172"}
	}
	return f
}

func misshapen(cause Cause, at int, ca *CA, below int) Failure {
	f := Failure{Cause: cause, At: at, Code: "AADSTS50017", Inferred: true}
	switch cause {
	case NotCA:
		f.Source = lint.RFC5280 + " section 6.1.4 (k)"
		f.Detail = "its basic constraints do not make it a CA"
	case PathTooLong:
		f.Source = lint.RFC5280 + " section 6.1.4 (m)"
		f.Detail = fmt.Sprintf("its path length constraint is %d, but %s below it", ca.Certificate.MaxPathLen, text.Count(below, "CA is", "CAs are"))
	case NoCertSign:
		f.Source = lint.RFC5280 + " section 6.1.4 (n)"
		f.Detail = "its key usage does not allow it to sign certificates"
	}
	return f
}
