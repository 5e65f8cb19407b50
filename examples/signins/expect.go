package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/tenant"
)

// certificates reads those of the manifest, by user.
func (o options) certificates() (map[string]*x509.Certificate, error) {
	if o.manifest == "" {
		return nil, nil
	}
	known := map[string]*x509.Certificate{}
	for u, err := range folder.Users(o.manifest) {
		if err != nil {
			return nil, console.Usage("%w", err)
		}
		content, err := folder.ReadFile(filepath.Dir(o.manifest), u.Certificate)
		if err != nil {
			return nil, console.Usage("%s: %w", u.UPN, err)
		}
		chain, err := cba.ParseCertificates(content)
		if err != nil {
			return nil, console.Usage("%s: %s: %w", u.UPN, u.Certificate, err)
		}
		known[folder.Key(u.UPN)] = chain[0]
	}
	return known, nil
}

func demonstration(t *tenant.Tenant) map[string]*x509.Certificate {
	known := map[string]*x509.Certificate{}
	for upn, cert := range t.Demo.Certificates {
		known[folder.Key(upn)] = cert
	}
	return known
}

// expectations say what package signin answers to a sign-in of the log, by the
// tenant as it is now.
type expectations struct {
	ctx    context.Context
	tenant *tenant.Tenant
	rules  *signin.Tenant
	known  map[string]*x509.Certificate
	users  map[string]*snapshot.User // those that were looked up; nil for one who is gone
	err    error                     // the first one
	// noGroups says that the service refuses to list groups.
	noGroups bool
}

// newExpectations reads the tenant, if any certificate is known.
func newExpectations(ctx context.Context, t *tenant.Tenant, known map[string]*x509.Certificate) (*expectations, error) {
	e := &expectations{ctx: ctx, tenant: t, known: known, users: map[string]*snapshot.User{}}
	if len(known) == 0 {
		return e, nil
	}
	config, err := t.Tenant(ctx)
	if err != nil {
		return nil, err
	}
	// Today's revocation lists do not tell what those of then said.
	e.rules, err = config.Compile(signin.Options{SkipRevocation: true})
	return e, err
}

func (e *expectations) expect(f snapshot.SignIn) (snapshot.Expectation, bool) {
	cert := e.known[folder.Key(f.UserPrincipalName())]
	if cert == nil || e.err != nil || !strings.Contains(f.Certificate.Subject, cert.Subject.CommonName) {
		return snapshot.Expectation{}, false // another certificate, perhaps a card
	}
	user, err := e.user(f.UserID())
	if err != nil || user == nil {
		e.err = err
		return snapshot.Expectation{}, false
	}
	answer, err := e.rules.Decide(e.ctx, signin.Request{User: &user.User, Certificate: cert, At: f.At()})
	if err != nil {
		e.err = err
		return snapshot.Expectation{}, false
	}
	if code := fmt.Sprintf("AADSTS%d", f.Code); f.Outcome == snapshot.Refused && ofRevocation(code) {
		answer = signin.Answer{Outcome: signin.Refused, Code: code} // the log is believed
	}
	if answer.Outcome == signin.Undecided {
		return snapshot.Expectation{}, false // nothing to hold the log against
	}
	return snapshot.Expectation{Answer: answer, Authority: dn.Show(cert.RawIssuer)}, true
}

// ofRevocation reports whether a code is about revocation lists or what they say.
func ofRevocation(code string) bool {
	return slices.ContainsFunc(crl.Reasons(), func(r crl.Reason) bool { return r.Code() == code }) ||
		code == (crl.Status{State: crl.Revoked}).Code()
}

// user looks a user up once, with the groups that targets and scopes ask for.
func (e *expectations) user(id string) (*snapshot.User, error) {
	if u, ok := e.users[id]; ok {
		return u, nil
	}
	u, err := e.tenant.User(e.ctx, id)
	if err == nil {
		var groups []policy.DirectoryObject
		groups, err = e.tenant.Groups(e.ctx, id)
		switch {
		case err == nil:
			u.SetGroups(groups)
		case errors.Is(err, graph.Forbidden), errors.Is(err, graph.Refused):
			if !e.noGroups {
				fmt.Fprintf(os.Stderr, "signins: groups of users cannot be read, so sign-ins that depend on them are not compared: %s\n", console.Clean(err.Error()))
			}
			e.noGroups, err = true, nil
		}
	}
	switch {
	case errors.Is(err, graph.NotFound):
		e.users[id] = nil
		return nil, nil
	case err != nil:
		return nil, err
	}
	e.users[id] = &u
	return &u, nil
}
