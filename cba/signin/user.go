package signin

import (
	"context"
	"crypto/x509"
	"iter"
	"time"

	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
)

// ExplainUser returns the verdict for the best of a user's certificates, now (see
// [Options.Now]) and without a requirement: signed in is better than undecided and that
// than refused, multifactor better than single-factor; among refused ones the certificate with
// the fewest failing steps is the best, and the first in the list wins among equals.
// [Verdict.Certificate] says which certificate it is.
//
// The error is as for [Tenant.Decide]. It is [NoCertificate] for an empty list, and
// names the certificate that cannot be used.
func (t *Tenant) ExplainUser(ctx context.Context, user *policy.User, certs ...*x509.Certificate) (Verdict, error) {
	r := Request{User: user, At: t.now()}
	if len(certs) == 0 {
		return Verdict{}, t.usable(ctx, r)
	}
	var best Verdict
	for i, cert := range certs {
		r.Certificate = cert
		v, err := t.Explain(ctx, r)
		if err != nil && user != nil && t.ready() && ctx != nil && ctx.Err() == nil {
			err = about(i, user, err)
		}
		if err != nil {
			return Verdict{}, err
		}
		v.Certificate.Index = i
		if i == 0 || better(v, best) {
			best = v
		}
	}
	return best, nil
}

func (t *Tenant) now() time.Time {
	if t.ready() && t.options.Now != nil {
		return t.options.Now()
	}
	return time.Now()
}

func better(a, b Verdict) bool {
	if x, y := rank(a.Answer()), rank(b.Answer()); x != y {
		return x > y
	}
	return !a.SignedIn && a.failing() < b.failing()
}

func (v Verdict) failing() (n int) {
	for _, s := range v.Steps {
		if s.Outcome == lint.Fail {
			n++
		}
	}
	return n
}

// A Candidate is a user to whom a certificate is bound.
type Candidate struct {
	Index   int // the place in the list, from 0
	User    *policy.User
	Binding policy.BoundBy // the username binding that matches; empty if Unknown
	// Unknown says that what decides about the user is not known: a property that a
	// binding compares is in [policy.User.Missing].
	Unknown bool
}

// Candidates yields the users of a list to whom the tenant's username bindings bind
// a certificate: those who could sign in with it, as far as bindings decide. More
// than one is often a mistake. The certificate never selects the user at a sign-in;
// whether the user is in scope and the certificate trusted is for [Tenant.Explain].
//
// It finds what Entra is believed to accept, also where letter case differs, which a
// lookup by the text of a value misses. Memory does not grow with the list.
//
// An error that the list yields is yielded in its place, with the index; the loop
// may continue. A nil user is skipped. If the certificate cannot be used, Candidates
// yields the error once and ends: [NoCertificate], [BadCertificate] or [NoTenant].
func (t *Tenant) Candidates(cert *x509.Certificate, users iter.Seq2[*policy.User, error]) iter.Seq2[Candidate, error] {
	return func(yield func(Candidate, error) bool) {
		if err := t.usable(context.Background(), Request{User: &policy.User{}, Certificate: cert, At: time.Unix(0, 0)}); err != nil {
			yield(Candidate{}, err)
			return
		}
		prepared, err := policy.NewCertificate(cert, t.options.IDs)
		if err != nil {
			yield(Candidate{}, &Error{Reason: BadCertificate, Err: err})
			return
		}
		if users == nil {
			return
		}
		index := -1
		for user, err := range users {
			index++
			c := Candidate{Index: index, User: user}
			if err == nil {
				if user == nil {
					continue
				}
				switch d := t.policy.Decide(prepared, user); {
				case d.Bound:
					c.Binding = *t.policy.Explain(prepared, user).Binding
				case d.BindingUnknown:
					c.Unknown = true
				default:
					continue
				}
			}
			if !yield(c, err) {
				return
			}
		}
	}
}
