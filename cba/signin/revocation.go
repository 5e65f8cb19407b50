package signin

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/trust"
)

// A listing is what is known about the revocation of one certificate of a chain.
type listing struct {
	ca       *trust.CA
	subject  *x509.Certificate // the certificate that the authority issued
	outcome  lint.Outcome
	code     string // of a failure
	inferred bool   // the documentation does not name the case for the code
	detail   string
	asked    bool // the lists were had, good and asked
	// questions are the open ones that the outcome leans on.
	questions []question
}

// A question is an open one, by its number, and the outcome under the other
// reading.
type question struct {
	id    string
	other lint.Outcome
}

func (l *listing) set(outcome lint.Outcome, code, format string, args ...any) {
	l.outcome, l.code, l.detail = outcome, code, fmt.Sprintf(format, args...)
}

func (l *listing) ask(id string, other lint.Outcome) {
	l.questions = append(l.questions, question{id, other})
}

// Codes of refusals for want of a list.
const (
	codeNoCRL     = "AADSTS500175" // the CRL of a certificate of the chain is missing
	codeDeltaOnly = "AADSTS500177" // a delta URL without a base URL
)

// revocation looks at the lists of every authority of a chain, the issuing one
// first. Each speaks about the certificate below it. explain says whether the
// other readings of open questions are wanted, which may take more lists. The
// error is that of ctx, or of a source that gave no answer about a list.
func (t *Tenant) revocation(ctx context.Context, leaf *x509.Certificate, chain []*trust.CA, at time.Time, explain bool) ([]listing, error) {
	listings := make([]listing, len(chain))
	subject := leaf
	for i, ca := range chain {
		listings[i] = listing{ca: ca, subject: subject, outcome: lint.Pass}
		if err := t.list(ctx, &listings[i], i == 0, at, explain); err != nil {
			return nil, err
		}
		subject = ca.Certificate
	}
	return listings, nil
}

// list looks at the lists of one authority. issuing says that it issued the
// user's certificate.
func (t *Tenant) list(ctx context.Context, l *listing, issuing bool, at time.Time, explain bool) error {
	required := t.policy.CRLRequired()
	exempt := required && t.policy.CRLExempt(l.ca.Certificate.SubjectKeyId)
	switch {
	case t.options.SkipRevocation:
		l.set(lint.Warn, "", "not looked at, as asked")
		return nil
	case exempt && l.ca.CRL == "" && l.ca.DeltaCRL == "":
		l.set(lint.Skip, "", "no CRL URL, and exempted from CRL validation: revoking a certificate of this authority keeps nobody out")
		return nil
	case exempt && !t.options.CheckExempted:
		if explain {
			l.ask("9.32", t.otherwise(ctx, *l, at, t.options.RefuseHTTPS))
		}
		l.set(lint.Skip, "", "exempted from CRL validation, although it has a CRL URL: revoking a certificate of this authority keeps nobody out")
		return nil
	case l.ca.CRL == "" && l.ca.DeltaCRL != "":
		l.set(lint.Fail, codeDeltaOnly, "the authority has the delta URL %q and no base URL: store a base URL, or remove the delta URL", l.ca.DeltaCRL)
		return nil
	case l.ca.CRL == "" && !required:
		l.set(lint.Skip, "", "no CRL URL: revoking a certificate of this authority keeps nobody out")
		l.ask("9.10", lint.Fail)
		return nil
	case l.ca.CRL == "" && (issuing || t.options.RequireParentCRLs):
		l.set(lint.Fail, codeNoCRL, "no CRL URL, and CRL validation is required: store a URL with the authority, or exempt it")
		if !issuing {
			l.ask("9.11", lint.Skip)
		}
		return nil
	case l.ca.CRL == "":
		l.set(lint.Skip, "", "no CRL URL; CRL validation is required, which is read as of the issuing authority only")
		l.ask("9.11", lint.Fail)
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

// otherwise returns the outcome under another reading. A list about which there is
// no answer refuses there: the verdict does not hang on it.
func (t *Tenant) otherwise(ctx context.Context, l listing, at time.Time, refuseHTTPS bool) lint.Outcome {
	if err := t.check(ctx, &l, at, refuseHTTPS); err != nil {
		return lint.Fail
	}
	return l.outcome
}

func isHTTPS(url string) bool { return len(url) > 5 && strings.EqualFold(url[:6], "https:") }

// check gets the lists of an authority and asks them.
func (t *Tenant) check(ctx context.Context, l *listing, at time.Time, refuseHTTPS bool) error {
	var set crl.Set
	for i, url := range [...]string{l.ca.CRL, l.ca.DeltaCRL} {
		if url == "" {
			continue
		}
		list, err := t.fetch(ctx, url, l.ca.Certificate, refuseHTTPS)
		if err != nil {
			return l.refuse(err, url, nil, at)
		}
		if i == 0 {
			set.Base = list
		} else {
			set.Delta = list
		}
	}
	if err := set.Check(l.ca.Certificate, at); err != nil {
		var failure *crl.Error
		if errors.As(err, &failure) && failure.Delta {
			return l.refuse(err, l.ca.DeltaCRL, set.Delta, at)
		}
		return l.refuse(err, l.ca.CRL, set.Base, at)
	}
	l.asked = true
	status := set.Status(l.subject)
	if !status.OK() {
		source, list := l.ca.CRL, set.Base
		if status.Delta {
			source, list = l.ca.DeltaCRL, set.Delta
		}
		l.set(lint.Fail, status.Code(), "the certificate, serial number %x, is %v by the list at %q of %s",
			l.subject.SerialNumber, status.State, source, showTime(list.ThisUpdate))
		if status.State == crl.Revoked || status.State == crl.OnHold {
			l.detail += fmt.Sprintf(", since %s (%v): give the user a new certificate", showTime(status.Entry.Time), status.Entry.Reason)
		}
		l.inferred = status.State == crl.NotCovered
		return nil
	}
	l.set(lint.Pass, "", "%v by the list at %q, %d entries, until %s", status.State, l.ca.CRL, set.Base.Len(), showTime(set.Base.NextUpdate))
	if set.Delta != nil {
		l.detail += fmt.Sprintf(", and by the delta list at %q until %s", l.ca.DeltaCRL, showTime(set.Delta.NextUpdate))
	}
	l.size(set.Base)
	return nil
}

// fetch gets one list.
func (t *Tenant) fetch(ctx context.Context, url string, ca *x509.Certificate, refuseHTTPS bool) (*crl.List, error) {
	switch {
	case refuseHTTPS && isHTTPS(url):
		return nil, &crl.Error{Reason: crl.BadURL, URL: url, Detail: "read as: Entra fetches over http only; publish the list over http"}
	case t.options.CRLs == nil:
		return nil, &crl.Error{Reason: crl.Download, URL: url, Detail: "there is no source of revocation lists here"}
	}
	list, err := t.options.CRLs.Fetch(ctx, url, ca)
	if err == nil && list == nil {
		err = &crl.Error{Reason: crl.Missing, URL: url}
	}
	return list, err
}

// refuse takes an answer about a list that is not good, and returns any other
// error. The details name what the service's message does.
func (l *listing) refuse(err error, url string, list *crl.List, at time.Time) error {
	var failure *crl.Error
	if !errors.As(err, &failure) {
		return err
	}
	where, what := "the list", failure.Error()
	if url == l.ca.DeltaCRL {
		where = "the delta list"
	}
	what = strings.TrimPrefix(strings.TrimPrefix(what, "crl: "), "delta CRL: ")
	l.set(lint.Fail, orElse(failure.Code(), codeNoCRL), "%s: %s", where, what)
	if failure.URL == "" {
		l.set(lint.Fail, orElse(failure.Code(), codeNoCRL), "%s at %q: %s", where, url, what)
	}
	l.inferred = !failure.Reason.Documented()
	advice := ""
	switch failure.Reason {
	case crl.Expired, crl.NotYetValid:
		if list != nil && !list.NextUpdate.IsZero() {
			l.detail += fmt.Sprintf("; it is by %s, valid from %s to %s, the time is %s",
				showName(list.RawIssuer), showTime(list.ThisUpdate), showTime(list.NextUpdate), showTime(at))
		}
		advice = "publish a new list"
	case crl.WrongIssuer, crl.WrongKeyID, crl.BadSignature:
		expected, found := l.ca.Certificate.SubjectKeyId, failure.ListKeyID
		if list != nil {
			found = list.AuthorityKeyID
		}
		l.detail += fmt.Sprintf("; expected SKI %x", expected)
		if len(found) > 0 {
			l.detail += fmt.Sprintf(", CRL AKI %x", found)
		}
		advice = "put the list that this authority signs at the URL, or store the URL of that list"
	case crl.NotDER, crl.NotCRL:
		advice = "put the list at the URL in DER, not in PEM and not as a page"
	case crl.Download, crl.Timeout:
		advice = "make the list readable at the URL for everybody on the internet"
	case crl.BadURL:
		advice = "store an http URL"
	case crl.TooLarge:
		advice = "the first sign-in fails and the service fetches the list in the background; make it smaller, or publish delta lists"
		l.ask("9.7", lint.Fail)
	case crl.DeltaMismatch:
		advice = "publish base and delta list together"
	}
	if advice != "" {
		l.detail += "; " + advice
	}
	if failure.Reason == crl.Timeout {
		l.ask("9.29", lint.Pass)
	}
	return nil
}

// size remarks on a list that is too large for a download during a sign-in.
func (l *listing) size(list *crl.List) {
	bytes := int64(len(list.Raw))
	if bytes <= crl.InteractivePublic().Bytes {
		return
	}
	l.outcome = lint.Warn
	l.detail += fmt.Sprintf("; it has %d bytes: during a sign-in the service takes %d in the public cloud, so that the first one fails with AADSTS2205014",
		bytes, crl.InteractivePublic().Bytes)
	if bytes > crl.BackgroundPublicCautious().Bytes {
		l.ask("9.7", lint.Fail)
	}
}

func showTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// maxName is how many bytes of an encoded name are shown: a certificate can hold
// megabytes where a name belongs.
const maxName = 2000

// showName returns a name for people.
func showName(raw []byte) string {
	if len(raw) > maxName {
		return fmt.Sprintf("a name of %d bytes", len(raw))
	}
	name, err := dn.ParseDER(raw)
	if err != nil {
		return "a name that cannot be read"
	}
	if len(name) == 0 {
		return "an empty name"
	}
	return name.String()
}
