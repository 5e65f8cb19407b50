package crl

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"example.com/entracba/cba/crl/internal/der"
	"example.com/entracba/cba/lint"
)

const (
	learnCRL = "Learn: Certificate revocation list"
	rfc5280  = "RFC 5280 section 5"
)

// Findings says what there is to know about the list itself at a time: about
// its dates, numbers, size, and what it says that gets in the way. It does not
// check the signature or compare the list with an authority: that is
// [List.CheckIssuer].
func (l *List) Findings(at time.Time) lint.Findings {
	c := findings{where: "base list of " + l.Issuer()}
	if l.IsDelta() {
		c.where = "delta list of " + l.Issuer()
	}
	c.dates(l, at)
	c.identity(l)
	c.size(len(l.Raw))
	c.content(l)
	return c.found
}

// Findings says what there is to know about both lists, each by itself and
// together, at a time.
func (s Set) Findings(at time.Time) lint.Findings {
	c := findings{where: "set of lists"}
	switch {
	case s.Base == nil && s.Delta == nil:
		c.add("crl-none", lint.Error, lint.LocksOut, "there is no list", "publish one", learnCRL)
		return c.found
	case s.Base == nil:
		c.add("crl-delta-without-base", lint.Error, lint.LocksOut, "there is a delta list and no base list: Entra refuses with AADSTS500177",
			"give the URL of the base list, too", learnCRL)
		return append(c.found, s.Delta.Findings(at)...)
	}
	if s.Base.IsDelta() {
		c.add("crl-delta-as-base", lint.Error, lint.LocksOut, "what should be the base list is a delta list", "check which URL is which", rfc5280)
	}
	if s.Delta == nil {
		if len(s.Base.FreshestCRL) > 0 {
			c.add("crl-delta-unused", lint.Info, 0, fmt.Sprintf("the base list says that there are delta lists, at %q", s.Base.FreshestCRL),
				"store the URL with the authority if Entra should read them: it does not look here", learnCRL)
		}
		return append(c.found, s.Base.Findings(at)...)
	}
	if err := s.checkDelta(); err != nil {
		c.add("crl-delta-mismatch", lint.Error, lint.LocksOut, err.Detail, "publish a delta list for the base list that is published", rfc5280+".2.4")
	} else if !s.deltaCounts() {
		c.add("crl-delta-old", lint.Warning, 0, fmt.Sprintf("the delta list (number %v) is not newer than the base list (%v), so it adds nothing", s.Delta.Number, s.Base.Number),
			"publish a delta list after every base list", rfc5280+".2.4")
	}
	return slices.Concat(c.found, s.Base.Findings(at), s.Delta.Findings(at))
}

type findings struct {
	where string
	found lint.Findings
}

func (c *findings) add(code string, severity lint.Severity, effect lint.Effect, what, do, source string) {
	c.found = append(c.found, lint.Finding{Code: code, Severity: severity, Effect: effect, Where: c.where, What: what, Do: do, Source: lint.Source(source)})
}

// longLife is from when on a list keeps revocations from being seen for long.
const longLife = 31 * 24 * time.Hour

func (c *findings) dates(l *List, at time.Time) {
	life, left := l.NextUpdate.Sub(l.ThisUpdate), l.NextUpdate.Sub(at)
	err := l.checkTime(at)
	switch {
	case err != nil && err.Fault == NotYetValid:
		c.add("crl-not-yet-valid", lint.Error, lint.LocksOut, err.Detail, "check the clock of the authority", learnCRL)
	case l.NextUpdate.IsZero():
		c.add("crl-no-next-update", lint.Error, lint.LocksOut, err.Detail, "have the authority write Next Update", rfc5280+".1.2.5")
	case err != nil:
		c.add("crl-expired", lint.Error, lint.LocksOut, err.Detail, "publish a new list", learnCRL)
	case left < life/10:
		c.add("crl-expires-soon", lint.Warning, 0, fmt.Sprintf("the list expires in %v, and Entra refuses everybody then", left.Round(time.Second)),
			"publish a new list", learnCRL)
	case !l.NextPublish.IsZero() && at.After(l.NextPublish):
		c.add("crl-overdue", lint.Warning, 0, fmt.Sprintf("the next list was announced for %s", l.NextPublish.Format(time.RFC3339)),
			"see why it was not published", learnCRL)
	}
	if l.NextPublish.IsZero() {
		c.add("crl-no-next-publish", lint.Info, 0, "without Next CRL Publish Entra fetches again only when the list has expired",
			"have the authority write the extension 1.3.6.1.4.1.311.21.4", learnCRL)
	}
	wait := life
	if !l.NextPublish.IsZero() {
		wait = l.NextPublish.Sub(l.ThisUpdate)
	}
	if !l.NextUpdate.IsZero() && wait > longLife {
		c.add("crl-long-lived", lint.Warning, lint.LetsIn,
			fmt.Sprintf("Entra keeps the list for up to %d days, and nobody can make it fetch again: for so long a revoked certificate signs in", int(wait.Hours()/24)),
			"publish more often, with an earlier Next CRL Publish or Next Update", learnCRL)
	}
}

func (c *findings) identity(l *List) {
	if len(l.AuthorityKeyID) == 0 {
		c.add("crl-no-key-id", lint.Error, lint.LocksOut, "the list has no authority key identifier: Entra refuses with AADSTS2205015",
			"have the authority write the extension", learnCRL)
	}
	switch {
	case l.Number == nil:
		c.add("crl-no-number", lint.Warning, 0, "the list has no CRL number, which must increase with every list",
			"have the authority write the extension", learnCRL)
	case l.Number.Sign() < 0 || l.Number.BitLen() >= 8*der.MaxSerial:
		c.add("crl-odd-number", lint.Warning, 0, "the CRL number is negative or has more than 20 octets", "start again with a positive number below 2^159",
			rfc5280+".2.3")
	}
	switch l.SignatureAlgorithm {
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1:
		c.add("crl-sha1", lint.Warning, 0, "the list is signed with SHA-1", "have the authority sign with SHA-256", "RFC 9155, NIST SP 800-131A")
	case x509.UnknownSignatureAlgorithm:
		c.add("crl-unknown-algorithm", lint.Error, 0, "the signature algorithm is not one that this package knows", "have the authority sign with RSA or ECDSA and SHA-256", rfc5280+".1.1.2")
	}
}

func (c *findings) size(bytes int) {
	n := int64(bytes)
	mb := func(l Limits) int64 { return l.Bytes / megabyte }
	switch {
	case n > BackgroundGovernment().Bytes:
		c.add("crl-too-large", lint.Error, lint.LocksOut, fmt.Sprintf("%d bytes are more than the %d MB that any cloud takes", n, mb(BackgroundGovernment())),
			"leave expired certificates out, or issue from more authorities", learnCRL)
	case n > BackgroundPublic().Bytes:
		c.add("crl-too-large", lint.Error, lint.LocksOut, fmt.Sprintf("%d bytes are more than the %d MB that the public cloud takes", n, mb(BackgroundPublic())),
			"leave expired certificates out, or issue from more authorities", learnCRL)
	case n > BackgroundPublicCautious().Bytes:
		c.add("crl-large", lint.Warning, 0, fmt.Sprintf("%d bytes: the documentation gives both %d and %d MB as the limit of the public cloud", n, mb(BackgroundPublicCautious()), mb(BackgroundPublic())),
			"leave expired certificates out, or issue from more authorities", learnCRL)
	case n > InteractivePublic().Bytes:
		c.add("crl-large", lint.Warning, 0, fmt.Sprintf("%d bytes are more than the %d MB of an interactive sign-in in the public cloud: the first one fails with AADSTS2205014", n, mb(InteractivePublic())),
			"leave expired certificates out, or issue from more authorities", learnCRL)
	case n > InteractivePublic().Bytes/5*4:
		c.add("crl-growing", lint.Info, 0, fmt.Sprintf("%d bytes are near the %d MB of an interactive sign-in in the public cloud", n, mb(InteractivePublic())),
			"leave expired certificates out before it grows beyond", learnCRL)
	}
}

func (c *findings) content(l *List) {
	if err := l.checkContent(); err != nil {
		c.add("crl-unsupported", lint.Error, 0, err.Detail, "have the authority issue plain complete lists", rfc5280+".2")
	}
	if l.Scope.OnlyUsers != l.Scope.OnlyCAs {
		who := "CA certificates"
		if l.Scope.OnlyUsers {
			who = "certificates that are no CA's"
		}
		c.add("crl-scope", lint.Info, 0, "the list covers only "+who+"; whether Entra heeds that is not documented", "", rfc5280+".2.5")
	}
	if len(l.Scope.URLs) > 0 {
		c.add("crl-partition", lint.Info, 0,
			fmt.Sprintf("the list says that it is the one of the distribution point %q: if the authority has several, this one does not have all revocations", l.Scope.URLs),
			"make sure that the authority issues a single list", rfc5280+".2.5")
	}
	if l.duplicates > 0 {
		c.add("crl-duplicates", lint.Warning, 0, fmt.Sprintf("%d entries are for serial numbers that are listed already; the first one counts", l.duplicates),
			"see why the authority lists certificates twice", rfc5280+".1.2.6")
	}
	if l.removals && !l.IsDelta() {
		c.add("crl-remove-in-base", lint.Warning, 0, "an entry of the base list has the reason removeFromCRL, which belongs in delta lists; the certificate counts as revoked here",
			"have the authority leave the entry out", rfc5280+".3.1")
	}
	if l.IsDelta() && l.Number != nil && l.BaseNumber.Cmp(l.Number) > 0 {
		c.add("crl-delta-odd", lint.Warning, 0, fmt.Sprintf("the delta list %v continues the later list %v", l.Number, l.BaseNumber),
			"see how the authority numbers its lists", rfc5280+".2.4")
	}
}
