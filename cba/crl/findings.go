package crl

import (
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/crl/internal/layout"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/lint"
)

// Findings says what there is to know about the CRL itself at a time: about its
// dates, numbers, size, and contents that keep it from being used. It does not
// check the signature or compare the CRL with a CA: that is [List.CheckIssuer].
//
// Where of a finding is "base" or "delta", a slash and the field of RFC 5280
// ("base/nextUpdate").
func (l *List) Findings(at time.Time) lint.Findings {
	if l == nil {
		return Set{}.Findings(at)
	}
	c := findings{part: "base/", about: "base CRL of " + l.Issuer()}
	if l.IsDelta() {
		c = findings{part: "delta/", about: "delta CRL of " + l.Issuer()}
	}
	c.dates(l, at)
	c.identity(l)
	c.size(int64(len(l.Raw)))
	c.content(l)
	return c.found
}

// Findings says what there is to know about both CRLs, each by itself and
// together, at a time. Where of a finding is as [List.Findings] has it, or "base"
// or "delta" alone.
func (s Set) Findings(at time.Time) lint.Findings {
	var c findings
	switch {
	case s.Base == nil && s.Delta == nil:
		c.add(ruleNone, "base", "")
		return c.found
	case s.Base == nil:
		c.add(ruleDeltaWithoutBase, "base", "")
		return append(c.found, s.Delta.Findings(at)...)
	}
	if s.Base.IsDelta() {
		c.add(ruleDeltaAsBase, "base", "")
	}
	if s.Delta == nil {
		if len(s.Base.FreshestCRL) > 0 {
			c.add(ruleDeltaUnused, "base/freshestCRL", "the base CRL says that there are delta CRLs, at %q", s.Base.FreshestCRL)
		}
		return append(c.found, s.Base.Findings(at)...)
	}
	if err := s.checkDelta(); err != nil {
		c.add(ruleDeltaMismatch, "delta", "%s", err.Detail)
	} else if !s.deltaCounts() {
		c.add(ruleDeltaOld, "delta/cRLNumber", "the delta CRL (number %v) is not newer than the base CRL (%v), so it adds nothing", s.Delta.Number, s.Base.Number)
	}
	return slices.Concat(c.found, s.Base.Findings(at), s.Delta.Findings(at))
}

// findings collects what is found about one CRL or a set.
type findings struct {
	part, about string
	found       lint.Findings
}

func (c *findings) add(r ruleID, where, format string, args ...any) {
	c.found = append(c.found, rules[r].At(strings.TrimSuffix(c.part+where, "/"), c.about, format, args...))
}

// longLife is from when on a CRL keeps revocations from being seen for long.
const longLife = 31 * 24 * time.Hour

func (c *findings) dates(l *List, at time.Time) {
	life, left := l.NextUpdate.Sub(l.ThisUpdate), l.NextUpdate.Sub(at)
	err := l.checkTime(at)
	switch {
	case err != nil && err.Reason == NotYetValid:
		c.add(ruleNotYetValid, "thisUpdate", "%s", err.Detail)
	case l.NextUpdate.IsZero():
		c.add(ruleNoNextUpdate, "nextUpdate", "%s", err.Detail)
	case err != nil:
		c.add(ruleExpired, "nextUpdate", "%s", err.Detail)
	case left < life/10:
		c.add(ruleExpiresSoon, "nextUpdate", "the CRL expires in %v, and Entra refuses everybody then", left.Round(time.Second))
	case !l.NextPublish.IsZero() && at.After(l.NextPublish):
		c.add(ruleOverdue, "nextPublish", "the next CRL was announced for %s", text.Time(l.NextPublish))
	}
	if l.NextPublish.IsZero() {
		c.add(ruleNoNextPublish, "nextPublish", "")
	}
	wait := life
	if !l.NextPublish.IsZero() {
		wait = l.NextPublish.Sub(l.ThisUpdate)
	}
	if !l.NextUpdate.IsZero() && wait > longLife {
		c.add(ruleLongLived, "nextUpdate", "Entra keeps the CRL for up to %d days, and nobody can make it fetch the CRL again: a revoked certificate can sign in until then",
			int(wait.Hours()/24))
	}
}

func (c *findings) identity(l *List) {
	if len(l.AuthorityKeyID) == 0 {
		c.add(ruleNoKeyID, "authorityKeyIdentifier", "")
	}
	switch {
	case l.Number == nil:
		c.add(ruleNoNumber, "cRLNumber", "")
	case l.Number.Sign() < 0 || l.Number.BitLen() >= 8*layout.MaxSerial:
		c.add(ruleOddNumber, "cRLNumber", "")
	}
	switch l.SignatureAlgorithm {
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1:
		c.add(ruleSHA1, "signatureAlgorithm", "")
	case x509.UnknownSignatureAlgorithm:
		c.add(ruleUnknownAlgorithm, "signatureAlgorithm", "")
	}
}

func (c *findings) size(n int64) {
	signIn, public, cautious, largest := InteractivePublic().Bytes, BackgroundPublic().Bytes, BackgroundPublicCautious().Bytes, BackgroundGovernment().Bytes
	switch {
	case n > largest:
		c.add(ruleTooLarge, "", "%d bytes are more than the %d MB that any cloud downloads", n, largest/megabyte)
	case n > public:
		c.add(ruleTooLarge, "", "%d bytes are more than the %d MB that the public cloud downloads", n, public/megabyte)
	case n > cautious:
		c.add(ruleLarge, "", "%d bytes: the documentation gives both %d and %d MB as the limit of the public cloud", n, cautious/megabyte, public/megabyte)
	case n > signIn:
		c.add(ruleLarge, "", "%d bytes are more than the %d MB of a sign-in in the public cloud: the first one fails with AADSTS2205014", n, signIn/megabyte)
	case n > signIn/5*4:
		c.add(ruleGrowing, "", "%d bytes are near the %d MB of a sign-in in the public cloud", n, signIn/megabyte)
	}
}

func (c *findings) content(l *List) {
	if err := l.checkContent(); err != nil {
		c.add(ruleUnsupported, "extensions", "%s", err.Detail)
	}
	if l.Scope.OnlyUsers != l.Scope.OnlyCAs {
		who := "CA certificates"
		if l.Scope.OnlyUsers {
			who = "certificates that are not a CA's"
		}
		c.add(ruleScope, "issuingDistributionPoint", "the CRL covers only %s; whether Entra heeds that is not documented", who)
	}
	if len(l.Scope.URLs) > 0 {
		c.add(rulePartition, "issuingDistributionPoint",
			"the CRL says that it is the one of the distribution point %q: if the CA has several, this one does not have all revocations", l.Scope.URLs)
	}
	if l.duplicates > 0 {
		c.add(ruleDuplicates, "revokedCertificates", "%s for serial numbers that are listed already; the first entry counts", text.Count(l.duplicates, "entry is", "entries are"))
	}
	if l.removals && !l.IsDelta() {
		c.add(ruleRemoveInBase, "revokedCertificates", "")
	}
	if l.IsDelta() && l.Number != nil && l.BaseNumber.Cmp(l.Number) > 0 {
		c.add(ruleDeltaOdd, "deltaCRLIndicator", "the delta CRL %v continues the later base CRL %v", l.Number, l.BaseNumber)
	}
}
