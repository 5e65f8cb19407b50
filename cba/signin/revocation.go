package signin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"crypto/x509"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/trust"
)

// revocation looks at the lists of every authority of a chain, the issuing one
// first. Each speaks about the certificate below it. The error is that of ctx, or
// of a source that gave no answer about a list.
func (t *Tenant) revocation(ctx context.Context, leaf *x509.Certificate, chain []*trust.CA, at time.Time) ([]listing, error) {
	listings := make([]listing, 0, len(chain))
	subject := leaf
	for i, ca := range chain {
		l, err := t.listing(ctx, ca, subject, i == 0, at)
		if err != nil {
			return nil, err
		}
		listings = append(listings, l)
		subject = ca.Certificate
	}
	return listings, nil
}

// listing looks at the lists of one authority. issuing says that it issued the
// user's certificate.
func (t *Tenant) listing(ctx context.Context, ca *trust.CA, subject *x509.Certificate, issuing bool, at time.Time) (listing, error) {
	l := listing{ca: ca, subject: subject, outcome: policy.Pass}
	required := t.policy.CRLRequired()
	exempt := t.policy.CRLExempt(ca.Certificate.SubjectKeyId)
	switch {
	case ca.CRL == "" && ca.DeltaCRL != "":
		l.outcome, l.code = policy.Fail, crl.BaseMissing.Code()
		l.detail = fmt.Sprintf("it has the delta URL %s and no base URL", ca.DeltaCRL)
		return l, nil
	case t.options.SkipRevocation:
		l.outcome, l.detail = policy.Warn, "not looked at, as asked"
		return l, nil
	case ca.CRL == "" && !required:
		l.outcome, l.detail = policy.Skip, "no CRL URL: revoking a certificate of this authority keeps nobody out"
		return l, nil
	case ca.CRL == "" && exempt:
		l.outcome, l.detail = policy.Skip, "no CRL URL, and exempted from CRL validation"
		return l, nil
	case ca.CRL == "":
		refused := issuing || t.options.RequireParentCRLs
		l.outcome = policy.Skip
		l.detail = "no CRL URL; CRL validation is required, which is read as of the issuing authority only"
		if refused {
			l.outcome, l.code = policy.Fail, "AADSTS500175"
			l.detail = "no CRL URL, and CRL validation is required: store a URL with the authority, or exempt it"
		}
		if !issuing {
			l.question, l.other = "9.11", opposite(refused)
		}
		return l, nil
	}
	checked, err := t.check(ctx, &l, at)
	if err != nil {
		return l, err
	}
	if required && exempt {
		l.question = "9.32"
		l.other = policy.Skip
		if !t.options.CheckExempted {
			l.other = l.outcome
			l.outcome, l.code = policy.Skip, ""
			l.detail = "exempted from CRL validation, although it has a CRL URL"
		}
	} else if checked && strings.HasPrefix(strings.ToLower(ca.CRL+" "+ca.DeltaCRL), "https:") {
		l.question, l.other = "9.6", policy.Fail
	}
	return l, nil
}

func opposite(refused bool) policy.Outcome {
	if refused {
		return policy.Skip
	}
	return policy.Fail
}

// check gets the lists of an authority and asks them. fetched says that both were
// had.
func (t *Tenant) check(ctx context.Context, l *listing, at time.Time) (fetched bool, err error) {
	refuse := func(err error) (bool, error) {
		var fault *crl.Error
		if !errors.As(err, &fault) {
			return false, err // no answer about the list
		}
		l.outcome, l.code, l.detail = policy.Fail, fault.Code(), fault.Error()
		if !fault.Fault.Documented() {
			l.detail += " (the code is inferred)"
		}
		return false, nil
	}
	urls := []string{l.ca.CRL}
	if l.ca.DeltaCRL != "" {
		urls = append(urls, l.ca.DeltaCRL)
	}
	for i, url := range urls {
		if t.options.RefuseHTTPS && strings.HasPrefix(strings.ToLower(url), "https:") {
			return refuse(&crl.Error{Fault: crl.BadURL, URL: url, Detail: "https is refused, as asked"})
		}
		if t.options.CRLs == nil {
			return refuse(&crl.Error{Fault: crl.Download, URL: url, Detail: "there is no source of revocation lists"})
		}
		list, err := t.options.CRLs.Fetch(ctx, url, l.ca.Certificate)
		if err != nil {
			return refuse(err)
		}
		if i == 0 {
			l.set.Base = list
		} else {
			l.set.Delta = list
		}
	}
	if err := l.set.Check(l.ca.Certificate, at); err != nil {
		return refuse(err)
	}
	status := l.set.Status(l.subject)
	if !status.OK() {
		l.outcome, l.code = policy.Fail, status.Code()
		l.detail = fmt.Sprintf("serial number %x is %v in the list of %s", l.subject.SerialNumber, status.State, showTime(l.set.Base.ThisUpdate))
		if status.State == crl.Revoked || status.State == crl.OnHold {
			l.detail += fmt.Sprintf(", since %s (%v)", showTime(status.Entry.Time), status.Entry.Reason)
		}
		return true, nil
	}
	l.detail = fmt.Sprintf("%s of %d entries, until %s: %v", l.ca.CRL, l.set.Base.Len(), showTime(l.set.Base.NextUpdate), status.State)
	if l.set.Delta != nil {
		l.detail += fmt.Sprintf("; delta until %s", showTime(l.set.Delta.NextUpdate))
	}
	return true, nil
}

func showTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// showName returns a name for people.
func showName(raw []byte) string {
	name, err := dn.ParseDER(raw)
	if err != nil {
		return "a name that cannot be read"
	}
	if len(name) == 0 {
		return "an empty name"
	}
	return name.String()
}
