package lab

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"

	"example.com/entracba/cba/aadsts"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/report"
	"example.com/entracba/cba/signin"
)

// noCertificate is Entra's code where none arrives.
const noCertificate = 50192

// try makes the verdict about what a browser presented.
func (l *Lab) try(ctx context.Context, user signin.Case, require signin.Requirement, hints bool, state *tls.ConnectionState) (Attempt, error) {
	a := Attempt{User: user.User, TLS: tls.VersionName(state.Version)}
	if hints {
		for _, h := range l.o.Tenant.Trust().Hints().List {
			a.Hints = append(a.Hints, dn.Show(h.Raw))
		}
	}
	request := signin.Request{User: user.User, At: l.o.Now(), Require: require}
	var err error
	if len(state.PeerCertificates) > 0 {
		a.Certificate = state.PeerCertificates[0]
		request.Certificate = a.Certificate
		a.Verdict, err = l.o.Tenant.Explain(ctx, request)
	} else {
		a.Verdict, err = l.nothingArrived(ctx, user, request)
	}
	if err != nil {
		return a, err
	}
	a.Report = report.Report{
		Title:   "Sign-in lab: " + user.User.UserPrincipalName,
		Subject: l.subject(a),
		Made:    request.At,
		Version: "lab",
		SignIn:  report.SignIn(l.o.Tenant, request, a.Verdict),
	}
	return a, nil
}

// subject says in words what went over the wire.
func (l *Lab) subject(a Attempt) string {
	text := a.TLS + ", no issuer hints sent"
	if len(a.Hints) > 0 {
		text = a.TLS + ", issuer hints sent: " + strings.Join(a.Hints, "; ")
	}
	if a.Certificate == nil {
		return text + ". The client presented no certificate."
	}
	text += ". The client presented " + name(a.Certificate) + "."
	if owners := l.owners(a); len(owners) > 0 {
		text += " By the tenant's username bindings this certificate belongs to " + strings.Join(owners, " and ") + ": choose another one."
	}
	return text
}

// owners are the other users to whom the certificate that arrived is bound: the wrong
// one was picked.
func (l *Lab) owners(a Attempt) (names []string) {
	if a.Verdict.Binding != nil {
		return nil
	}
	users := func(yield func(*policy.User, error) bool) {
		for _, c := range l.o.Users {
			if !yield(c.User, nil) {
				return
			}
		}
	}
	for c, err := range l.o.Tenant.Candidates(a.Certificate, users) {
		if err == nil && !c.Unknown && c.User != a.User {
			names = append(names, c.User.UserPrincipalName)
		}
	}
	return names
}

func name(c *x509.Certificate) string {
	return fmt.Sprintf("%s, serial number %x, valid until %s", dn.Show(c.RawSubject), c.SerialNumber, c.NotAfter.UTC().Format("2006-01-02"))
}

// nothingArrived is the verdict where no certificate arrives, with what the tenant and
// the certificates that are known of the user say about why.
func (l *Lab) nothingArrived(ctx context.Context, user signin.Case, request signin.Request) (signin.Verdict, error) {
	code, ok := aadsts.Find(noCertificate)
	if !ok {
		return signin.Verdict{}, fmt.Errorf("code %d is not in the table", noCertificate)
	}
	v := signin.Verdict{
		Outcome: signin.Refused, Code: code.String(), Missing: []signin.Missing{}, Assumptions: []signin.Assumption{},
		Message: code.Text + ": the browser had none to offer, the person chose none, or TLS inspection on the way removed it",
		Steps:   []signin.Step{{Name: signin.StepPresent, Outcome: lint.Fail, Code: code.String(), Source: code.Source, Detail: code.Text}},
	}
	add := func(outcome lint.Outcome, source lint.Source, format string, args ...any) {
		v.Steps = append(v.Steps, signin.Step{Name: signin.StepPresent, Outcome: outcome, Source: source, Detail: fmt.Sprintf(format, args...)})
	}
	if len(user.Certificates) == 0 {
		add(lint.Warn, code.Source, "no certificate of this user is known here: add \"certificates\" to the user, or issue one")
	}
	for _, cert := range user.Certificates {
		request.Certificate = cert
		about, err := l.o.Tenant.Explain(ctx, request)
		if err != nil {
			return v, err
		}
		v.NotChecked = about.NotChecked
		clear := true
		for _, s := range about.Steps {
			if s.Name == signin.StepPresent || s.Name == signin.StepHints {
				clear = clear && s.Outcome == lint.Pass
				s.Detail = name(cert) + ": " + s.Detail
				v.Steps = append(v.Steps, s)
			}
		}
		if clear {
			add(lint.Warn, code.Source, "%s: a client that has this certificate offers it: install it there, check that the person picks it and that the browser may use its key, "+
				"and switch TLS inspection off for the certauth hosts. A browser remembers \"no certificate\" until it is closed", name(cert))
		}
	}
	return v, nil
}
