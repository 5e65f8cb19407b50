package trust

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/enum"
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

// A Cause is what is wrong with a chain. The zero value is unset.
type Cause uint8

const (
	// NoLeaf is a question without a certificate.
	NoLeaf Cause = iota + 1
	// NoAuthorityKeyID is a certificate without an authority key identifier: its
	// issuer cannot be found (open question 9.30).
	NoAuthorityKeyID
	// IssuerNotFound is an authority key identifier that no CA of the stores has
	// as its subject key identifier.
	IssuerNotFound
	// NoRoot is a chain that runs in a circle of CAs that certify each other.
	NoRoot
	// WrongSignature is a certificate that is not signed by the key of the CA that its
	// authority key identifier names.
	WrongSignature
	// UncheckedSignature is a signature that this package cannot check: MD5, DSA,
	// a curve it does not know, an RSA key of under 1,024 or over 16,384 bits. The
	// service may be able to.
	UncheckedSignature
	// NotYetValid is a certificate before its validity.
	NotYetValid
	// Expired is a certificate after its validity.
	Expired
	// TooDeep is a chain with more CAs than [Options.MaxDepth].
	TooDeep
	// NotCA is an issuer whose basic constraints do not make it a CA.
	NotCA
	// PathTooLong is an issuer whose path length constraint forbids the CAs below
	// it.
	PathTooLong
	// NoCertSign is an issuer whose key usage does not have keyCertSign.
	NoCertSign
	// IssuerUnreadable is an authority key identifier that only a CA has which
	// crypto/x509 does not read, see [Store.Unreadable]. The service may be able to.
	IssuerUnreadable
)

var causes = enum.Of[Cause]("trust: cause",
	"no-certificate", "no-authority-key-id", "issuer-not-found", "no-root", "wrong-signature", "unchecked-signature",
	"not-yet-valid", "expired", "too-deep", "not-a-ca", "path-too-long", "no-cert-sign", "issuer-unreadable")

// String returns a short text such as "issuer-not-found".
func (c Cause) String() string { return causes.String(c) }

// MarshalText writes the text of [Cause.String]; an unset cause is an error.
func (c Cause) MarshalText() ([]byte, error) { return causes.Marshal(c) }

// UnmarshalText reads what MarshalText wrote.
func (c *Cause) UnmarshalText(text []byte) error { return causes.Unmarshal(c, text) }

// words says the cause for people.
func (c Cause) words() string {
	switch c {
	case NoLeaf:
		return "no certificate"
	case NoAuthorityKeyID:
		return "no authority key identifier"
	case IssuerNotFound:
		return "issuer not in the trust stores"
	case NoRoot:
		return "no root"
	case WrongSignature:
		return "wrong signature"
	case UncheckedSignature:
		return "signature cannot be checked"
	case NotYetValid:
		return "not yet valid"
	case Expired:
		return "expired"
	case TooDeep:
		return "too many CAs"
	case NotCA:
		return "issuer is not a CA"
	case PathTooLong:
		return "path length constraint"
	case NoCertSign:
		return "issuer may not sign certificates"
	case IssuerUnreadable:
		return "issuer cannot be read here"
	}
	return "unknown cause"
}

// step is the name of the step that fails for this cause.
func (c Cause) step() string {
	switch c {
	case NoLeaf:
		return StepCertificate
	case NoAuthorityKeyID, IssuerNotFound, IssuerUnreadable, NoRoot, WrongSignature, UncheckedSignature:
		return StepIssuer
	case NotYetValid, Expired:
		return StepValidity
	case TooDeep:
		return StepDepth
	}
	return StepCA
}

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

// A Leaf is a user certificate whose issuers in a store are known: the signature
// checks, which are most of the work of [Store.Chain], are done. It does not change
// and is safe for concurrent use. The zero Leaf is without a certificate.
type Leaf struct {
	store   *Store
	cert    *x509.Certificate
	links   []link
	moments func() []time.Time
}

// Leaf looks up the issuers of a certificate. The certificate must not be changed
// afterwards.
func (s *Store) Leaf(cert *x509.Certificate) *Leaf {
	l := &Leaf{store: s, cert: cert, links: s.issuers(nil, cert)}
	l.moments = sync.OnceValue(l.collect)
	return l
}

// Known reports whether the key of a CA of the store signed the certificate.
func (l *Leaf) Known() bool { return l != nil && slices.ContainsFunc(l.links, isProven) }

// Chain is [Store.Chain] of the certificate: the times are checked afresh.
func (l *Leaf) Chain(at time.Time) Chain {
	if l == nil {
		l = &Leaf{}
	}
	return l.store.chain(l.cert, l.links, at)
}

// Until returns the first moment after a time at which the answer of [Leaf.Chain] may
// be another: the certificate, or a CA that a chain of it can have, becomes valid or
// expires. It is zero if there is none.
func (l *Leaf) Until(at time.Time) time.Time {
	if l == nil || l.moments == nil {
		return time.Time{}
	}
	for _, m := range l.moments() {
		if m.After(at) {
			return m
		}
	}
	return time.Time{}
}

// collect returns the ends of all validities, in their order.
func (l *Leaf) collect() []time.Time {
	if l.cert == nil {
		return nil
	}
	// A certificate is still valid at its last moment.
	moments := append(make([]time.Time, 0, 8), l.cert.NotBefore, l.cert.NotAfter.Add(1))
	var above []*node
	var seen map[*node]bool // where there are many
	visit := func(links []link) {
		for _, k := range links {
			n := k.Node
			if !isProven(k) || seen[n] || seen == nil && slices.Contains(above, n) {
				continue
			}
			if above = append(above, n); len(above) > 16 {
				if seen == nil {
					seen = map[*node]bool{}
					for _, n := range above {
						seen[n] = true
					}
				}
				seen[n] = true
			}
			moments = append(moments, n.Certificate.NotBefore, n.Certificate.NotAfter.Add(1))
		}
	}
	visit(l.links)
	for i := 0; i < len(above); i++ {
		visit(above[i].Issuers)
	}
	slices.SortFunc(moments, time.Time.Compare)
	return slices.CompactFunc(moments, time.Time.Equal)
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
	if key, ok := parent.PublicKey.(*rsa.PublicKey); ok {
		return fmt.Sprintf("%v, %d bits", child.SignatureAlgorithm, key.N.BitLen())
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
		f.Detail = fmt.Sprintf("its path length constraint is %d, but there are %d CAs below it", ca.Certificate.MaxPathLen, below)
	case NoCertSign:
		f.Source = lint.RFC5280 + " section 6.1.4 (n)"
		f.Detail = "its key usage does not allow it to sign certificates"
	}
	return f
}

// The names of the steps of a chain, in the order in which they are listed for each
// certificate.
const (
	// StepCertificate says that there is no certificate to check.
	StepCertificate = "certificate"
	// StepTrustStore names the entry of a trust store that is in force for a CA.
	StepTrustStore = "trust store"
	// StepCA says why a certificate of the chain cannot be that of a CA.
	StepCA = "CA"
	// StepDepth says that the chain has too many CAs.
	StepDepth = "depth"
	// StepValidity says whether a certificate is valid at the time.
	StepValidity = "validity"
	// StepIssuer says which CA issued a certificate, or why none is found.
	StepIssuer = "issuer"
	// StepRoot says that the chain ends here.
	StepRoot = "root"
	// The following steps only warn.

	// StepUnreadable names a CA of the stores that is left out of every chain.
	StepUnreadable         = "unreadable CA"
	StepIssuerName         = "issuer name"
	StepAuthorityKeyID     = "authority key identifier"
	StepSignatureAlgorithm = "signature algorithm"
	StepKey                = "key"
	StepPolicies           = "policies"
	StepBasicConstraints   = "basic constraints"
	StepCriticalExtension  = "critical extension"
	StepExtendedKeyUsage   = "extended key usage"
	StepConstraints        = "name constraints"
)

// StepNames returns the names of the steps of [Chain.Steps], in their order, with
// what such a step says.
func StepNames() []lint.StepName {
	return []lint.StepName{
		{Name: StepCertificate, What: "that there is no certificate to build a chain for"},
		{Name: StepTrustStore, What: "which entry of the trust stores is in force for a CA"},
		{Name: StepCA, What: "why a certificate of the chain cannot be that of a CA"},
		{Name: StepDepth, What: "that the chain has too many CAs"},
		{Name: StepValidity, What: "whether a certificate of the chain is valid at the time of the sign-in"},
		{Name: StepIssuer, What: "which CA issued a certificate of the chain, or why none is found"},
		{Name: StepRoot, What: "where the chain ends"},
		{Name: StepUnreadable, What: "that a CA of the trust stores cannot be read, so it is left out of every chain"},
		{Name: StepIssuerName, What: "that a certificate names its issuer differently from the CA"},
		{Name: StepAuthorityKeyID, What: "that an authority key identifier has the issuer's name and serial number of another certificate than the CA's"},
		{Name: StepSignatureAlgorithm, What: "that a certificate is signed with SHA-1"},
		{Name: StepKey, What: "that the key of a certificate is weak"},
		{Name: StepPolicies, What: "that a certificate has a policy that its issuer does not have, or that a CA has constraints of policies, which are not checked"},
		{Name: StepBasicConstraints, What: "that the user's certificate is that of a CA"},
		{Name: StepCriticalExtension, What: "that a certificate has a critical extension that is not checked"},
		{Name: StepExtendedKeyUsage, What: "that the extended key usage of a CA leaves out client authentication"},
		{Name: StepConstraints, What: "that the name constraints of a CA do not permit a name of a certificate below it"},
	}
}

// Steps explains the answer, from the leaf up and for every certificate in the same
// order: its validity, its issuer, and for a CA the entry that is in force. Warnings
// are about what no documented rule decides: an issuer name that differs, a weak key
// or signature, a critical extension that is not checked here, a policy that the CAs
// above do not have, and for a CA an extended key usage without client
// authentication and name constraints that do not permit a name, of the root too.
//
// A Chain whose CAs were not made by a [Store] may have none.
func (c Chain) Steps() []lint.Step {
	if slices.ContainsFunc(c.CAs, (*CA).unmade) {
		return nil
	}
	var steps []lint.Step
	done := make([]bool, len(c.Failures))
	failed := func(at int, causes ...Cause) bool {
		any := false
		for i, f := range c.Failures {
			if f.At == at && slices.Contains(causes, f.Cause) && !done[i] {
				steps = append(steps, lint.Step{Name: f.Cause.step(), Outcome: lint.Fail, Detail: f.Detail, Source: f.Source, Code: f.Code, Inferred: f.Inferred, At: at})
				done[i], any = true, true
			}
		}
		return any
	}
	if c.Leaf == nil {
		failed(0, NoLeaf)
		return steps
	}
	cas := make([]*x509.Certificate, len(c.CAs))
	for i, ca := range c.CAs {
		cas[i] = ca.Certificate
	}
	problems := path.Check(c.Leaf, cas, time.Time{})
	for i := 0; i <= len(c.CAs); i++ {
		cert := c.Leaf
		if i > 0 {
			ca := c.CAs[i-1]
			cert = ca.Certificate
			steps = append(steps, ca.storeStep(i))
			failed(i, NotCA, PathTooLong, NoCertSign, TooDeep)
		}
		if !failed(i, NotYetValid, Expired) {
			steps = append(steps, lint.Step{At: i, Name: StepValidity, Outcome: lint.Pass, Source: sourceCodes,
				Detail: fmt.Sprintf("%s is valid until %s", dn.Show(cert.RawSubject), text.Time(cert.NotAfter))})
		}
		if !failed(i, NoAuthorityKeyID, IssuerNotFound, IssuerUnreadable, NoRoot, WrongSignature, UncheckedSignature) {
			steps = append(steps, c.issuerStep(i, cert))
		}
		steps = append(steps, c.remarks(i, cert, problems)...)
	}
	return append(steps, c.leftOut()...)
}

// mostUnreadable bounds the steps about CAs that are left out.
const mostUnreadable = 3

// leftOut names the CAs that are in no chain because they cannot be read.
func (c *Chain) leftOut() []lint.Step {
	var steps []lint.Step
	for i, u := range c.unreadable {
		step := lint.Step{Name: StepUnreadable, Outcome: lint.Warn, Source: sourceChain, At: len(c.CAs),
			Detail: strings.TrimPrefix(u.Err.Error(), "trust: ") + "; the CA is left out of every chain here, but the service may be able to read it"}
		if i == mostUnreadable {
			step.Detail = "and " + text.Count(len(c.unreadable)-mostUnreadable, "more CA", "more CAs") + " cannot be read"
		}
		steps = append(steps, step)
		if i == mostUnreadable {
			break
		}
	}
	return steps
}

// unmade reports whether a CA has no certificate, as those of a Store have.
func (ca *CA) unmade() bool { return ca == nil || ca.Certificate == nil }

func (ca *CA) endsChain() bool { return ca.node != nil && ca.node.Root }

func (ca *CA) storeStep(at int) lint.Step {
	st := lint.Step{At: at, Name: StepTrustStore, Outcome: lint.Pass, Source: sourcePrecedence}
	st.Detail = fmt.Sprintf("%s (%s)", ca.Entry, ca.Why.words())
	if ca.Why == PKIHasNoCRL || ca.Why == CRLsDiffer {
		st.Outcome = lint.Warn
	}
	if (ca.Type == Root) != ca.SelfSigned {
		st.Outcome = lint.Warn
		st.Detail += fmt.Sprintf("; it is marked %q, but its certificate is not", ca.Type)
	}
	return st
}

func (c *Chain) issuerStep(i int, cert *x509.Certificate) lint.Step {
	if i == len(c.CAs) {
		detail := "the certificate is self-signed, so the chain ends here"
		if i > 0 && !c.CAs[i-1].SelfSigned {
			detail = "the CA is marked as a root, so the chain ends here"
		}
		return lint.Step{At: i, Name: StepRoot, Outcome: lint.Pass, Detail: detail, Source: sourceChain}
	}
	return lint.Step{At: i, Name: StepIssuer, Outcome: lint.Pass, Source: sourceChain,
		Detail: fmt.Sprintf("the key identifier %s is that of %s, whose key signed the certificate", keyText(cert.AuthorityKeyId), dn.Show(c.CAs[i].Certificate.RawSubject))}
}

func (c *Chain) remarks(i int, cert *x509.Certificate, problems []path.Problem) []lint.Step {
	var steps []lint.Step
	warn := func(name string, source lint.Source, format string, args ...any) {
		steps = append(steps, lint.Step{Name: name, Outcome: lint.Warn, Detail: fmt.Sprintf(format, args...), Source: source, At: i})
	}
	if i < len(c.CAs) {
		parent := c.CAs[i].Certificate
		if string(cert.RawIssuer) != string(parent.RawSubject) {
			warn(StepIssuerName, sourceChain, "the certificate names its issuer %s, but the CA with that key identifier is %s: the service follows key identifiers, but binding rules and certificateUserIds use the issuer's name",
				quotedName(cert.RawIssuer), quotedName(parent.RawSubject))
		}
		if other, named := path.AuthorityCertOf(cert); named && len(cert.AuthorityKeyId) > 0 && !other.Names(parent) {
			warn(StepAuthorityKeyID, lint.RFC5280+" section 4.2.1.1", "beside the key identifier, the authority key identifier has %s, which is another certificate than that of the CA; the service follows key identifiers", certificateText(other))
		}
		if sha1Signature(cert) {
			warn(StepSignatureAlgorithm, lint.RFC6194, "the certificate is signed with SHA-1 (%v)", cert.SignatureAlgorithm)
		}
		if policy := lostPolicy(cert, parent); i+1 < len(c.CAs) && policy != "" {
			warn(StepPolicies, source50017, "the certificate has the policy %s, which its issuer does not have; policies must be consistent along the chain, but it is not documented how", policy)
		}
	}
	if i == 0 && cert.IsCA {
		warn(StepBasicConstraints, lint.RFC5280+" section 4.2.1.9", "the user's certificate is that of a CA")
	}
	if unread := criticalUnread(cert); unread != "" {
		warn(StepCriticalExtension, lint.RFC5280+" section 4.2", "the certificate has critical extensions that are not checked here: %s", unread)
	}
	if i > 0 && !c.CAs[i-1].endsChain() {
		if unread := policyConstraints(cert); unread != "" {
			warn(StepPolicies, lint.RFC5280+" section 6.1", "the CA has constraints for the certificates below it that are not checked here: %s", unread)
		}
	}
	if why := path.WeakKey(cert); why != "" {
		warn(StepKey, lint.SP800131A, "the certificate's %s", why)
	}
	if _, constrained, _ := path.ConstraintsOf(cert); i > 0 && constrained && !slices.ContainsFunc(problems, func(p path.Problem) bool { return p.At == i && p.Cause == path.NameNotAllowed }) {
		steps = append(steps, lint.Step{Name: StepConstraints, Outcome: lint.Pass, Source: lint.RFC5280 + " section 4.2.1.10", At: i, Detail: "the CA's name constraints permit the names below it"})
	}
	for _, p := range problems {
		switch {
		case p.At != i:
		case p.Cause == path.UsageNotAllowed:
			warn(StepExtendedKeyUsage, lint.RFC5280+" section 4.2.1.12", "the CA may not issue for client authentication: %s", p.Detail)
		case p.Cause == path.NameNotAllowed:
			warn(StepConstraints, lint.RFC5280+" section 4.2.1.10", "the CA may not issue for a name below it: %s", p.Detail)
		}
	}
	return steps
}

// certificateText says which certificate an authority key identifier names.
func certificateText(a path.AuthorityCert) string {
	var parts []string
	if a.Issuer != nil {
		parts = append(parts, "the issuer "+quotedName(a.Issuer))
	}
	if a.Serial != nil {
		parts = append(parts, "the serial number "+a.Serial.Text(16))
	}
	if len(parts) == 0 {
		return "a name that is not a directory name"
	}
	return strings.Join(parts, " and ")
}

func sha1Signature(cert *x509.Certificate) bool {
	return cert.SignatureAlgorithm == x509.SHA1WithRSA || cert.SignatureAlgorithm == x509.ECDSAWithSHA1
}

// criticalUnread lists critical extensions that neither crypto/x509 nor RFC 5280
// knows.
func criticalUnread(cert *x509.Certificate) string {
	var oids []string
	for _, oid := range cert.UnhandledCriticalExtensions {
		if len(oids) == 10 {
			return strings.Join(oids, ", ") + ", ..."
		}
		if !path.Understood(oid) {
			oids = append(oids, oid.String())
		}
	}
	return strings.Join(oids, ", ")
}

var (
	oidNameConstraints   = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidPolicyMappings    = asn1.ObjectIdentifier{2, 5, 29, 33}
	oidPolicyConstraints = asn1.ObjectIdentifier{2, 5, 29, 36}
	oidSubjectKeyID      = asn1.ObjectIdentifier{2, 5, 29, 14}
	oidInhibitAnyPolicy  = asn1.ObjectIdentifier{2, 5, 29, 54}
)

// constraints lists the extensions of a CA that RFC 5280 section 6.1 applies to
// everything below it and that no page of Microsoft's speaks of.
func constraints(cert *x509.Certificate) string {
	list := policyConstraints(cert)
	if !slices.ContainsFunc(cert.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oidNameConstraints) }) {
		return list
	}
	if list == "" {
		return "name constraints"
	}
	return "name constraints, " + list
}

// policyConstraints lists those about policies.
func policyConstraints(cert *x509.Certificate) string {
	var list []string
	for _, e := range cert.Extensions {
		switch {
		case e.Id.Equal(oidPolicyMappings):
			list = append(list, "policy mappings")
		case e.Id.Equal(oidPolicyConstraints):
			list = append(list, "policy constraints")
		case e.Id.Equal(oidInhibitAnyPolicy):
			list = append(list, "inhibit any policy")
		}
	}
	return strings.Join(list, ", ")
}

// isAnyPolicy reports whether a policy is 2.5.29.32.0, which stands for every other.
func isAnyPolicy(p x509.OID) bool { return p.EqualASN1OID(asn1.ObjectIdentifier{2, 5, 29, 32, 0}) }

// lostPolicy returns the first policy of a certificate that its issuer, having
// policies itself, does not have.
func lostPolicy(cert, parent *x509.Certificate) string {
	if len(parent.Policies) == 0 {
		return ""
	}
	for _, p := range cert.Policies {
		if !slices.ContainsFunc(parent.Policies, func(has x509.OID) bool { return has.Equal(p) || isAnyPolicy(has) }) && !isAnyPolicy(p) {
			return text.OID(p)
		}
	}
	return ""
}
