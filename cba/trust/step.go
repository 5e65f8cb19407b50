package trust

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/path"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/lint"
)

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
		if path.PeriodUnread(cert) {
			steps = append(steps, lint.Step{At: i, Name: StepValidity, Outcome: lint.Skip, Source: sourceCodes,
				Detail: fmt.Sprintf("the validity of %s cannot be read", dn.Show(cert.RawSubject))})
		} else if !failed(i, NotYetValid, Expired) {
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
	if i > 0 && cert.Version < 3 && len(cert.Extensions) > 0 {
		warn(StepCriticalExtension, lint.RFC5280+" section 4.1.2.1", "the CA's certificate is of version %d and has extensions, which only version 3 may have: some readers see no key identifier in it", cert.Version)
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
	has := make(map[string]bool, len(parent.Policies)) // a file can have a hundred thousand
	key := func(p x509.OID) string { der, _ := p.MarshalBinary(); return string(der) }
	for _, p := range parent.Policies {
		if isAnyPolicy(p) {
			return ""
		}
		has[key(p)] = true
	}
	for _, p := range cert.Policies {
		if !isAnyPolicy(p) && !has[key(p)] {
			return text.OID(p)
		}
	}
	return ""
}
