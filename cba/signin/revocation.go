package signin

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/trust"
)

// A revocationCheck is what is known about the revocation of one certificate of a chain.
type revocationCheck struct {
	ca       *trust.CA
	subject  *x509.Certificate // the certificate that the CA issued
	outcome  lint.Outcome
	code     string // of a failure
	inferred bool   // Microsoft does not document the code for the case
	detail   string
	explain  bool // the detail is wanted
	asked    bool // the CRLs were available and valid, and were asked
	// until is when a CRL that was asked begins or ceases to be valid, the time of the
	// check where one could not be had, and zero if there is none.
	until time.Time
	// questions are the open ones that the outcome depends on.
	questions []question
}

// A question is an open question by its number, with the outcome under the other
// reading.
type question struct {
	id    string
	other lint.Outcome
}

func (l *revocationCheck) set(outcome lint.Outcome, code, format string, args ...any) {
	l.outcome, l.code, l.detail = outcome, code, ""
	l.say(format, args...)
}

// say continues the detail, where one is wanted.
func (l *revocationCheck) say(format string, args ...any) {
	if l.explain {
		l.detail += fmt.Sprintf(format, args...)
	}
}

func (l *revocationCheck) ask(id string, other lint.Outcome) {
	l.questions = append(l.questions, question{id, other})
}

// Codes of refusals because a CRL is missing.
const (
	codeNoCRL     = "AADSTS500175" // the CRL of a certificate of the chain is missing
	codeDeltaOnly = "AADSTS500177" // a delta URL without a base URL
)

// revocation checks the CRLs of every CA of a chain, the issuing CA first. Each CRL
// is about the certificate below its CA. explain says whether the other readings of
// open questions are wanted, which may need more CRLs. The error is that of ctx, or
// of a source that gave no answer about a CRL.
func (t *Tenant) revocation(ctx context.Context, leaf *x509.Certificate, chain []*trust.CA, at time.Time, explain bool) ([]revocationCheck, error) {
	checks := make([]revocationCheck, len(chain))
	subject := leaf
	for i, ca := range chain {
		checks[i] = revocationCheck{ca: ca, subject: subject, outcome: lint.Pass, explain: explain}
		if i >= trust.MaxDepth { // only where a longer chain is taken to sign in
			checks[i].set(lint.Warn, "", "not checked: the validation of CRLs ends after %d CAs", trust.MaxDepth)
			subject = ca.Certificate
			continue
		}
		if err := t.list(ctx, &checks[i], i == 0, at, explain); err != nil {
			return nil, err
		}
		subject = ca.Certificate
	}
	return checks, nil
}

// list checks the CRLs of one CA. issuing says that it issued the user's
// certificate.
func (t *Tenant) list(ctx context.Context, l *revocationCheck, issuing bool, at time.Time, explain bool) error {
	required := t.policy.CRLRequired()
	// What an unknown state means for exempted CAs is not known: it exempts none.
	exempt := t.config.Policy.CRLValidation.State == policy.Enabled && t.policy.CRLExempt(l.ca.SKI)
	switch {
	case t.options.SkipRevocation:
		l.set(lint.Warn, "", "not checked, as requested")
		return nil
	case exempt && l.ca.CRL == "" && l.ca.DeltaCRL == "":
		l.set(lint.Skip, "", "the CA has no CRL URL and is exempted from CRL validation: revoking a certificate does not stop sign-ins")
		return nil
	case exempt && !t.options.CheckExempted:
		if explain {
			l.ask("9.32", t.otherwise(ctx, *l, at, t.options.RefuseHTTPS))
		}
		l.set(lint.Skip, "", "the CA is exempted from CRL validation although it has a CRL URL: revoking a certificate does not stop sign-ins")
		return nil
	case l.ca.CRL == "" && l.ca.DeltaCRL != "":
		l.set(lint.Fail, codeDeltaOnly, "the CA has the delta CRL URL %q and no base CRL URL: set a base CRL URL, or remove the delta CRL URL", l.ca.DeltaCRL)
		return nil
	case l.ca.CRL == "" && !required && slices.ContainsFunc(l.ca.Others, func(e trust.Entry) bool { return e.CRL != "" }):
		l.set(lint.Fail, codeNoCRL, "the entry of the CA that is in force has no CRL URL, and the other entry has one that cannot be used: set an http URL in both")
		l.inferred = true
		return nil
	case l.ca.CRL == "" && !required && t.options.refuseNoCRL:
		l.set(lint.Fail, codeNoCRL, "the CA has no CRL URL: set a CRL URL on the CA")
		l.ask("9.10", lint.Skip)
		return nil
	case l.ca.CRL == "" && !required:
		l.set(lint.Skip, "", "the CA has no CRL URL: revoking a certificate does not stop sign-ins")
		l.ask("9.10", lint.Fail)
		return nil
	case l.ca.CRL == "" && (issuing || t.options.RequireParentCRLs):
		l.set(lint.Fail, codeNoCRL, "the CA has no CRL URL, and CRL validation is required: set a CRL URL on the CA, or exempt the CA")
		if !issuing {
			l.ask("9.11", lint.Skip)
		}
		return nil
	case l.ca.CRL == "":
		l.set(lint.Skip, "", "the CA has no CRL URL; CRL validation is required, which is assumed to apply to the issuing CA only")
		l.ask("9.11", lint.Fail)
		return nil
	}
	if t.options.believeCRLs && !(t.options.RefuseHTTPS && (isHTTPS(l.ca.CRL) || isHTTPS(l.ca.DeltaCRL))) {
		l.set(lint.Pass, "", "the log is believed")
		return nil
	}
	if err := t.check(ctx, l, at, t.options.RefuseHTTPS); err != nil {
		return err
	}
	if exempt {
		l.ask("9.32", lint.Skip)
	}
	if !explain || !isHTTPS(l.ca.CRL) && !isHTTPS(l.ca.DeltaCRL) {
		return nil
	}
	l.ask("9.6", t.otherwise(ctx, *l, at, !t.options.RefuseHTTPS))
	return nil
}

// otherwise returns the outcome under another reading. If the source gives no answer
// about a CRL, the outcome there is a refusal: the verdict does not depend on it.
func (t *Tenant) otherwise(ctx context.Context, l revocationCheck, at time.Time, refuseHTTPS bool) lint.Outcome {
	if err := t.check(ctx, &l, at, refuseHTTPS); err != nil {
		return lint.Fail
	}
	return l.outcome
}

func isHTTPS(url string) bool { return len(url) > 5 && strings.EqualFold(url[:6], "https:") }

// check gets the CRLs of a CA and asks them.
func (t *Tenant) check(ctx context.Context, l *revocationCheck, at time.Time, refuseHTTPS bool) error {
	var set crl.Set
	for i, url := range [...]string{l.ca.CRL, l.ca.DeltaCRL} {
		if url == "" {
			continue
		}
		list, err := t.fetch(ctx, url, l.ca.Certificate, refuseHTTPS)
		if err != nil {
			l.until = at // it may be there the next moment
			return l.refuse(err, url, nil)
		}
		l.until = next(at, l.until, list.ThisUpdate, list.NextUpdate)
		if i == 0 {
			set.Base = list
		} else {
			set.Delta = list
		}
	}
	if err := set.Check(l.ca.Certificate, at); err != nil {
		var failure *crl.Error
		if errors.As(err, &failure) && failure.Delta {
			return l.refuse(err, l.ca.DeltaCRL, set.Delta)
		}
		return l.refuse(err, l.ca.CRL, set.Base)
	}
	l.asked = true
	status := set.Status(l.subject)
	if !status.OK() {
		source, list := l.ca.CRL, set.Base
		if status.Delta {
			source, list = l.ca.DeltaCRL, set.Delta
		}
		l.set(lint.Fail, status.Code(), "the certificate, serial number %x, is %v according to the CRL at %q of %s",
			l.subject.SerialNumber, status.State, source, text.Time(list.ThisUpdate))
		if status.State == crl.Revoked || status.State == crl.OnHold {
			l.say(", since %s (%v): give the user a new certificate", text.Time(status.Entry.Time), status.Entry.Reason)
		}
		l.inferred = status.State == crl.NotCovered
		if l.inferred {
			l.say(", which is for %s only: set the URL of a CRL that is for all certificates of the CA", map[bool]string{true: "certificates that are not a CA's", false: "CA certificates"}[list.Scope.OnlyUsers])
			if _, listed := set.Base.Lookup(l.subject.SerialNumber); !listed {
				l.ask("9.55", lint.Pass)
			}
		}
		return nil
	}
	l.outcome, l.code, l.detail = lint.Pass, "", ""
	if l.explain { // nearly every decision ends here, and needs no texts
		l.say("%v according to the CRL at %q (%s), which expires on %s", status.State, l.ca.CRL, text.Count(set.Base.Len(), "entry", "entries"), text.Time(set.Base.NextUpdate))
		if set.Delta != nil {
			l.say(", and to the delta CRL at %q, which expires on %s", l.ca.DeltaCRL, text.Time(set.Delta.NextUpdate))
		}
	}
	l.partition(set.Base)
	l.size(set.Base)
	return nil
}

// partition warns about a CRL that says to be the one of another distribution point
// than the certificate names, or than the CA has if the certificate names none (RFC
// 5280 section 6.3.3 (b) (2) (i)): the certificate may be revoked in another CRL.
func (l *revocationCheck) partition(list *crl.List) {
	own, where := l.subject.CRLDistributionPoints, "the certificate names"
	if len(own) == 0 {
		own, where = []string{l.ca.CRL}, "the CA has"
	}
	points := list.Scope.URLs
	if len(points) == 0 || slices.ContainsFunc(points, func(url string) bool { return slices.Contains(own, url) }) {
		return
	}
	l.outcome = lint.Warn
	l.say("; the CRL says that it is the one of the distribution point %s, and %s %s, so the certificate may be revoked in another CRL: make sure that the CA issues a single CRL",
		text.Quote(points[0]), where, text.Quote(own[0]))
	l.ask("9.55", lint.Fail)
}

// next returns the first of some moments after a time, zero if there is none.
func next(at time.Time, moments ...time.Time) (first time.Time) {
	for _, m := range moments {
		if m.After(at) && (first.IsZero() || m.Before(first)) {
			first = m
		}
	}
	return first
}

// fetch gets one CRL.
func (t *Tenant) fetch(ctx context.Context, url string, ca *x509.Certificate, refuseHTTPS bool) (*crl.List, error) {
	switch {
	case refuseHTTPS && isHTTPS(url):
		return nil, &crl.Error{Reason: crl.BadURL, URL: url, Detail: "Entra is assumed to download CRLs over http only"}
	case t.options.CRLs == nil:
		return nil, &crl.Error{Reason: crl.Download, URL: url, Detail: "no source of CRLs is available here"}
	}
	list, err := t.options.CRLs.Fetch(ctx, url, ca)
	if err == nil && list == nil {
		err = &crl.Error{Reason: crl.Missing, URL: url}
	}
	return list, err
}

// refuse records that a CRL cannot be used, and returns any error that does not say
// so. The details name what the service's message names.
func (l *revocationCheck) refuse(err error, url string, list *crl.List) error {
	var failure *crl.Error
	if !errors.As(err, &failure) {
		return err
	}
	where, what := "the CRL", failure.Error()
	if url == l.ca.DeltaCRL {
		where = "the delta CRL"
	}
	what = strings.TrimPrefix(strings.TrimPrefix(what, "crl: "), "delta CRL: ")
	l.set(lint.Fail, cmp.Or(failure.Code(), codeNoCRL), "%s: %s", where, what)
	if failure.URL == "" {
		l.set(lint.Fail, cmp.Or(failure.Code(), codeNoCRL), "%s at %q: %s", where, url, what)
	}
	l.inferred = !failure.Reason.Documented()
	advice := "" // what is no CRL in DER says itself what to do
	switch failure.Reason {
	case crl.Expired, crl.NotYetValid:
		advice = "publish a new CRL"
		if list != nil && list.NextUpdate.IsZero() && failure.Reason == crl.Expired {
			l.inferred, advice = true, "configure the CA to write Next Update"
			l.askUnused(list)
		}
	case crl.Unsupported:
		advice = "configure the CA to issue plain complete CRLs"
		l.askUnused(list)
	case crl.WrongIssuer, crl.WrongKeyID, crl.BadSignature:
		expected, found := l.ca.Certificate.SubjectKeyId, failure.ListKeyID
		if list != nil {
			found = list.AuthorityKeyID
		}
		l.say("; expected SKI %x", expected)
		if len(found) > 0 {
			l.say(", CRL AKI %x", found)
		}
		usage := l.ca.Certificate.KeyUsage
		switch {
		case failure.Reason == crl.WrongKeyID && len(found) == 0:
			advice = "configure the CA to write its key identifier into its CRLs"
		case failure.Reason == crl.BadSignature && usage != 0 && usage&x509.KeyUsageCRLSign == 0:
			advice = "issue the certificate of the CA again, with cRLSign in its key usage"
		default:
			advice = "publish the CRL that this CA signs at the URL, or set the URL of that CRL"
		}
	case crl.Download, crl.Timeout, crl.ForbiddenAddress:
		advice = "make the CRL available at the URL to everybody on the internet"
	case crl.BadURL:
		advice = "set an http URL"
	case crl.TooLarge:
		advice = "the first sign-in fails, and the service downloads the CRL in the background; make the CRL smaller, or publish delta CRLs"
		l.ask("9.7", lint.Fail)
	case crl.DeltaMismatch:
		advice = "publish the base CRL and the delta CRL together"
	}
	if advice != "" {
		l.say("; %s", advice)
	}
	if failure.Reason == crl.Timeout {
		l.ask("9.29", lint.Pass)
	}
	return nil
}

// askUnused asks what Entra makes of a CRL that is not used here. One that lists the
// certificate refuses it either way.
func (l *revocationCheck) askUnused(list *crl.List) {
	if _, listed := list.Lookup(l.subject.SerialNumber); !listed {
		l.ask("9.56", lint.Pass)
	}
}

// size warns about a CRL that is too large for a download during a sign-in.
func (l *revocationCheck) size(list *crl.List) {
	bytes := int64(len(list.Raw))
	if bytes <= crl.InteractivePublic().Bytes {
		return
	}
	l.outcome = lint.Warn
	l.say("; it has %d bytes, and during a sign-in the service downloads at most %d in the public cloud, so the first sign-in fails with AADSTS2205014",
		bytes, crl.InteractivePublic().Bytes)
	if bytes > crl.BackgroundPublicCautious().Bytes {
		l.ask("9.7", lint.Fail)
	}
}
