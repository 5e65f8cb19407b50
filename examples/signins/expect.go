package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/aadsts"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/report"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/internal/tenant"
)

// expectations say what package signin answers to a sign-in of the log, by the
// tenant as it is now.
type expectations struct {
	ctx    context.Context
	tenant *tenant.Tenant
	rules  *signin.Tenant
	known  *certificates
	users  map[string]*snapshot.User // those that were looked up; nil for one who is gone
	err    error                     // the first one
	// observed are the sign-ins with a known certificate, for the calibration.
	observed []signin.Observation
	// noGroups says that the service refuses to list groups.
	noGroups bool
	// evidence counts who got multifactor; nil if nobody asks.
	evidence *report.EvidencePart
}

// newExpectations reads the tenant, if any certificate is known or evidence is asked for.
func newExpectations(ctx context.Context, t *tenant.Tenant, known *certificates, readings signin.Calibration, evidence bool) (*expectations, error) {
	e := &expectations{ctx: ctx, tenant: t, known: known, users: map[string]*snapshot.User{}}
	if len(known.byThumbprint) == 0 && !evidence {
		return e, nil
	}
	config, err := t.Tenant(ctx)
	if err != nil {
		return nil, err
	}
	if evidence {
		e.evidence = report.Evidence(config.Policy, time.Now())
	}
	// Today's revocation lists do not tell what those of then said.
	e.rules, err = config.Compile(signin.Options{SkipRevocation: true, Calibration: readings})
	return e, err
}

// expect says what is expected of a sign-in, and counts it as evidence.
func (e *expectations) expect(f snapshot.SignIn) (snapshot.Expectation, bool) {
	x, ok := e.predict(f)
	if f.Outcome == snapshot.Succeeded {
		var mode policy.AuthenticationMode
		if ok {
			mode = x.Answer.AuthenticationMode
		}
		e.evidence.Add(x.Authority, f.Certificate.Mode, mode, f.At())
	}
	return x, ok
}

func (e *expectations) predict(f snapshot.SignIn) (snapshot.Expectation, bool) {
	cert := e.known.of(f)
	if cert == nil || e.err != nil {
		return snapshot.Expectation{}, false
	}
	user, err := e.user(f.UserID())
	if err != nil || user == nil {
		e.err = err
		return snapshot.Expectation{}, false
	}
	request, code := signin.Request{User: &user.User, Certificate: cert, At: f.At()}, fmt.Sprintf("AADSTS%d", f.Code)
	answer, err := e.rules.Decide(e.ctx, request)
	if err != nil {
		e.err = err
		return snapshot.Expectation{}, false
	}
	if f.Outcome == snapshot.Refused || f.Outcome == snapshot.Succeeded && byCertificate(f) {
		e.observed = append(e.observed, signin.Observation{Request: request, SignedIn: f.Outcome == snapshot.Succeeded, Mode: f.Certificate.Mode, Code: code})
	}
	if f.Outcome == snapshot.Refused && ofRevocation(code) {
		answer = signin.Answer{Outcome: signin.Refused, Code: code} // the log is believed
	}
	if answer.Outcome == signin.Undecided {
		return snapshot.Expectation{}, false // nothing to hold the log against
	}
	return snapshot.Expectation{Answer: answer, Authority: dn.Show(cert.RawIssuer)}, true
}

// byCertificate reports whether the certificate was accepted: a sign-in can also succeed
// with a password, after the certificate was refused or the user chose another way.
func byCertificate(f snapshot.SignIn) bool {
	refused := false
	for _, row := range f.Rows {
		switch code := row.Status.ErrorCode; {
		case code != 0:
			c, _ := aadsts.Find(code)
			refused = refused || c.Certificate && code != 50019
			continue
		case len(row.AuthenticationDetails) == 0: // v1.0, or a row without them
			if f.Certificate.Mode != "" && !refused {
				return true
			}
		}
		for _, d := range row.AuthenticationDetails {
			method := strings.ToLower(d.Method)
			if d.Succeeded && (strings.Contains(method, "x.509") || strings.Contains(method, "certificate")) {
				return true
			}
		}
	}
	return false
}

// calibrate asks what the sign-ins say about open questions; nil if there are none.
func (e *expectations) calibrate() (*signin.Calibration, error) {
	if len(e.observed) == 0 {
		return nil, nil
	}
	c, err := e.rules.Calibrate(e.ctx, func(yield func(signin.Observation, error) bool) {
		for _, o := range e.observed {
			if !yield(o, nil) {
				return
			}
		}
	})
	return &c, err
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
