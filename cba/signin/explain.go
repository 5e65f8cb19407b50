package signin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/trust"
)

// Sources of the steps that are this package's own.
const (
	sourceChain      = "Learn: How to configure CBA, certificate authorities"
	sourceRevocation = "Learn: CBA certificate revocation list"
	sourceScopes     = "Learn: CBA technical deep dive, certificate authority scoping"
	sourceStrength   = "Learn: Custom authentication strengths, advanced options"
	sourceMFA        = "Learn: CBA technical deep dive, MFA with single-factor CBA"
)

// Codes of refusals by the policy. The pages name no code for them: these are the
// codes whose texts fit best, from Microsoft's error page and its former
// troubleshooting page for CBA.
const (
	codeChain          = "AADSTS50017"   // validation of the certificate failed
	codeMethodDisabled = "AADSTS1002002" // the CBA configuration of the tenant is missing or invalid
	codeNotInScope     = "AADSTS500186"  // the user is not allowed by the policy's conditions
	codeNothingToBind  = "AADSTS1001003" // the value named in a binding cannot be had from the certificate
	codeNoMatch        = "AADSTS1001009" // no value of the user matches
	codeScope          = "AADSTS500189"
	codeStrength       = "AADSTS500187"
	codeMFA            = "AADSTS50076"
)

// A code that the documents do not name for what it is used for here.
func inferredCode(code string) bool {
	switch code {
	case codeMethodDisabled, codeNotInScope, codeNothingToBind, codeNoMatch, codeMFA:
		return true
	}
	return false
}

// An inquiry is everything that was found out about one request, before it is judged.
type inquiry struct {
	tenant  *Tenant
	request Request
	cert    *policy.Certificate
	view    view
}

// A view is what one reading of the documents makes of a request: the best one,
// or the other reading of one open question.
type view struct {
	decision policy.Decision
	chain    trust.Chain
	keys     [][]byte // key identifiers of the chain, the issuing authority first
	listings []listing
	scope    policy.ScopeDecision
}

var (
	errNoUser        = errors.New("signin: the request has no user")
	errNoCertificate = errors.New("signin: the request has no certificate")
	errNoTime        = errors.New("signin: the request has no time")
)

// A prepared request has what does not depend on the policy: what was taken out
// of the certificate, and its chain.
type prepared struct {
	cert  *policy.Certificate
	chain trust.Chain
}

func (t *Tenant) prepare(r Request) (p prepared, err error) {
	switch {
	case r.User == nil:
		return p, errNoUser
	case r.Certificate == nil:
		return p, errNoCertificate
	case r.At.IsZero():
		return p, errNoTime
	}
	if p.cert, err = policy.NewCertificate(r.Certificate, t.options.IDs); err != nil {
		return p, fmt.Errorf("signin: certificate: %w", err)
	}
	p.chain = t.trust.Chain(r.Certificate, r.At)
	return p, nil
}

// inquire finds out what there is to know.
func (t *Tenant) inquire(ctx context.Context, r Request, p prepared, explain bool) (q *inquiry, err error) {
	q = &inquiry{tenant: t, request: r, cert: p.cert}
	if q.view, err = q.follow(ctx, p.chain, explain); err != nil {
		return nil, err
	}
	q.view.decision = t.policy.Decide(p.cert, r.User)
	return q, nil
}

// follow finds out what hangs on a chain: revocation and scopes.
func (q *inquiry) follow(ctx context.Context, chain trust.Chain, explain bool) (v view, err error) {
	v.chain = chain
	v.keys = make([][]byte, len(chain.CAs))
	for i, ca := range chain.CAs {
		v.keys[i] = ca.Certificate.SubjectKeyId
	}
	v.scope = q.tenant.policy.CAScope(q.request.User, v.keys)
	v.listings, err = q.tenant.revocation(ctx, q.request.Certificate, chain.CAs, q.request.At, explain)
	return v, err
}

// Decide returns what Entra says to a sign-in: [Verdict.Answer] of
// [Tenant.Explain], without the work of explaining.
//
// The error is for a request that cannot be used, for ctx, and for a CRL source
// that gave no answer; never for a sign-in that is refused.
func (t *Tenant) Decide(ctx context.Context, r Request) (Answer, error) {
	p, err := t.prepare(r)
	if err != nil {
		return Answer{}, err
	}
	return t.decide(ctx, r, p)
}

func (t *Tenant) decide(ctx context.Context, r Request, p prepared) (Answer, error) {
	q, err := t.inquire(ctx, r, p, false)
	if err != nil {
		return Answer{}, err
	}
	return q.judge(q.view), nil
}

// judge says what a view comes to. The code is that of the first refusal in the
// order of the package comment.
func (q *inquiry) judge(v view) Answer {
	d := v.decision
	a := Answer{AuthenticationMode: d.AuthenticationMode, RequiredAffinity: d.RequiredAffinity}
	refuse := func(code string) {
		if a.Code == "" {
			a.Code = code
		}
	}
	if !d.Enabled {
		refuse(codeMethodDisabled)
	}
	if !d.InScope {
		refuse(codeNotInScope)
	}
	if !v.chain.Trusted {
		refuse(orElse(v.chain.Code(), codeChain))
	}
	for i := range v.listings {
		if v.listings[i].outcome == lint.Fail {
			refuse(orElse(v.listings[i].code, codeNoCRL))
		}
	}
	if !v.scope.Allowed {
		refuse(codeScope)
	}
	if !d.Bound {
		refuse(q.bindingCode())
	}
	if ok, code, _, _ := q.requirement(v); !ok {
		refuse(code)
	}
	a.SignedIn = a.Code == ""
	a.MFASatisfied = a.SignedIn && d.AuthenticationMode == policy.MultiFactor
	return a
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// bindingCode tells a certificate that has nothing to bind from one that has the
// wrong values.
func (q *inquiry) bindingCode() string {
	for _, b := range q.tenant.config.Policy.UserBindings {
		if _, err := q.tenant.options.IDs.FromCertificate(q.request.Certificate, certuserid.Mapping(b.Field)); err == nil {
			return codeNoMatch
		}
	}
	return codeNothingToBind
}

// requirement reports whether the certificate alone satisfies what the sign-in
// must, and otherwise the code, why, and what may be added.
func (q *inquiry) requirement(v view) (ok bool, code, why string, with []string) {
	r, mode := q.request.Require, v.decision.AuthenticationMode
	switch r.kind {
	case requireMFA:
		if mode == policy.MultiFactor {
			return true, "", "the certificate counts as multifactor", nil
		}
		return false, codeMFA, "the certificate counts as single-factor: a second factor that the user has registered is needed, " +
			"or a rule that makes the certificate multifactor", secondFactors
	case requireStrength:
		ok, why, with = r.strength.satisfies(mode, q.issuers(v, q.tenant.options.AnyAllowedIssuer), q.oids())
		return ok, codeStrength, why, with
	}
	return true, "", "nothing is required beyond the certificate", nil
}

// issuers returns the key identifiers that an authentication strength's allowed
// issuers are compared with.
func (q *inquiry) issuers(v view, all bool) []string {
	var list []string
	for _, ca := range v.chain.CAs {
		if ca.SKI != "" {
			list = append(list, ca.SKI)
		}
		if !all {
			break
		}
	}
	return list
}

// oids returns the policy OIDs that an authentication strength looks at: of more
// than five only the first five in lexical order.
func (q *inquiry) oids() []string {
	oids := make([]string, 0, len(q.request.Certificate.Policies))
	for _, oid := range q.request.Certificate.Policies {
		oids = append(oids, oid.String())
	}
	if len(oids) > maxStrengthPolicies {
		slices.Sort(oids)
		oids = oids[:maxStrengthPolicies]
	}
	return oids
}

// secondFactors are the methods that may follow a single-factor certificate
// (Learn, technical deep dive); a password may go before it instead.
var secondFactors = []string{"passkey (FIDO2)", "passwordless phone sign-in", "password, entered before the certificate"}

// Explain returns what Entra says to a sign-in, with every step and every
// assumption. Its answer is that of [Tenant.Decide]: the user is signed in if and
// only if no step fails, and the code is that of the first step that does in the
// order of the package comment. It may ask the CRL source for more lists than
// Decide, to know what the other reading of an open question would give.
//
// The error is as for Decide.
func (t *Tenant) Explain(ctx context.Context, r Request) (Verdict, error) {
	p, err := t.prepare(r)
	if err != nil {
		return Verdict{}, err
	}
	q, err := t.inquire(ctx, r, p, true)
	if err != nil {
		return Verdict{}, err
	}
	e := t.policy.Explain(q.cert, r.User)
	answer := q.judge(q.view)
	v := Verdict{
		SignedIn:           answer.SignedIn,
		Code:               answer.Code,
		AuthenticationMode: answer.AuthenticationMode,
		ModeRule:           e.ModeRule,
		RequiredAffinity:   answer.RequiredAffinity,
		Binding:            e.Binding,
		MFASatisfied:       answer.MFASatisfied,
		Steps:              q.steps(e),
	}
	if v.Assumptions, err = q.assumptions(ctx, e, answer); err != nil {
		return Verdict{}, err
	}
	if _, _, _, with := q.requirement(q.view); with != nil && (answer.Code == codeMFA || answer.Code == codeStrength) {
		v.SecondFactor = slices.Clone(with)
	}
	// Several steps can have the code; the one that says most stands first.
	for _, step := range v.Steps {
		if step.Outcome != lint.Fail || step.Code != v.Code {
			continue
		}
		v.Message = fmt.Sprintf("%s: %s", step.Name, step.Detail)
		if step.Inferred {
			v.Assumptions = slices.Insert(v.Assumptions, 0, Assumption{ID: "4.7",
				Text: v.Code + " for this refusal: the documents name no code for the case; the message of this one fits best"})
		}
		break
	}
	return v, nil
}

// steps lists what was looked at, in the order of the package comment.
func (q *inquiry) steps(e policy.Explanation) []Step {
	var steps []Step
	add := func(name string, outcome lint.Outcome, source lint.Source, detail string) *Step {
		steps = append(steps, Step{Name: name, Outcome: outcome, Detail: detail, Source: source})
		return &steps[len(steps)-1]
	}
	refuse := func(name, code string, source lint.Source, detail string, inferred bool) {
		s := add(name, lint.Fail, source, detail)
		s.Code, s.Inferred = code, inferred
	}
	fromPolicy := func(early bool) {
		for _, s := range e.Steps {
			isEarly := s.Name == policy.StepMethod || s.Name == policy.StepIncluded || s.Name == policy.StepExcluded
			if isEarly != early {
				continue
			}
			step := add(s.Name, s.Outcome, s.Source, s.Detail)
			if s.Outcome != lint.Fail {
				continue
			}
			switch s.Name {
			case policy.StepMethod:
				step.Code = codeMethodDisabled
			case policy.StepIncluded, policy.StepExcluded:
				step.Code = codeNotInScope
			case policy.StepUsername:
				step.Code = q.bindingCode()
			}
			step.Inferred = inferredCode(step.Code)
		}
	}

	fromPolicy(true)

	chain := q.view.chain
	for _, s := range chain.Steps() {
		*add(s.Name, s.Outcome, s.Source, s.Detail) = s
	}
	if chain.Trusted {
		add(StepChain, lint.Pass, sourceChain,
			fmt.Sprintf("%s up to the root %s", count(len(chain.CAs), "authority", "authorities"), showName(chain.Root().Certificate.RawSubject)))
	} else {
		first := chain.Failures[0]
		refuse(StepChain, orElse(chain.Code(), codeChain), cmp.Or(first.Source, sourceChain), first.String(), first.Inferred)
	}

	for _, l := range q.view.listings {
		detail := fmt.Sprintf("%s, issued by %s: %s", showName(l.subject.RawSubject), showName(l.ca.Certificate.RawSubject), l.detail)
		if l.outcome == lint.Fail {
			refuse(StepRevocation, l.code, sourceRevocation, detail, l.inferred)
		} else {
			add(StepRevocation, l.outcome, sourceRevocation, detail)
		}
	}

	q.scopeSteps(add, refuse)
	q.hintStep(add)
	fromPolicy(false)

	ok, code, why, _ := q.requirement(q.view)
	source := lint.Source(sourceMFA)
	if q.request.Require.kind == requireStrength {
		source = sourceStrength
	}
	switch {
	case q.request.Require.IsZero():
		add(StepRequirement, lint.Skip, source, why)
	case ok:
		add(StepRequirement, lint.Pass, source, fmt.Sprintf("%v: %s", q.request.Require, why))
	default:
		refuse(StepRequirement, code, source, fmt.Sprintf("%v: %s", q.request.Require, why), inferredCode(code))
	}
	return steps
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func (q *inquiry) scopeSteps(add func(name string, outcome lint.Outcome, source lint.Source, detail string) *Step,
	refuse func(name, code string, source lint.Source, detail string, inferred bool)) {
	scope, applied := q.tenant.policy.ExplainCAScope(q.request.User, q.view.keys)
	if !scope.Restricted {
		applied = nil // one step says it
	}
	for _, s := range applied {
		if s.Outcome == lint.Fail {
			refuse(s.Name, codeScope, s.Source, s.Detail, false)
		} else {
			add(s.Name, s.Outcome, s.Source, s.Detail)
		}
	}
	for _, i := range q.elsewhere() {
		s := q.tenant.config.Policy.CertificateAuthorityScopes[i]
		add(policy.StepScope, lint.Warn, sourceScopes, fmt.Sprintf("certificateAuthorityScopes[%d] names an authority of this chain by its key identifier "+
			"and the PKI %q, which does not have it; what the service makes of that is not documented", i, s.PublicKeyInfrastructureIdentifier))
	}
	switch {
	case !scope.Restricted:
		add(StepScopes, lint.Pass, sourceScopes, "no scope names an authority of this chain")
	case scope.Allowed:
		add(StepScopes, lint.Pass, sourceScopes, fmt.Sprintf("certificateAuthorityScopes[%d] has a group that the user is in", scope.ScopeIndex))
	default:
		refuse(StepScopes, codeScope, sourceScopes, "the scopes of this chain's authorities name no group that the user is in: "+
			"add the user to one, or the authority to none", false)
	}
}

// elsewhere returns the scopes that name an authority of the chain, and a PKI
// that does not have it.
func (q *inquiry) elsewhere() (scopes []int) {
	for i, s := range q.tenant.config.Policy.CertificateAuthorityScopes {
		for _, ca := range q.view.chain.CAs {
			if pki := s.PublicKeyInfrastructureIdentifier; pki != "" && hasKey([]string{s.SubjectKeyIdentifier}, ca.SKI) && !ca.InPKI(pki) {
				scopes = append(scopes, i)
				break
			}
		}
	}
	return scopes
}

// hintStep says whether a browser offers the certificate. It refuses nothing: not
// every client filters.
func (q *inquiry) hintStep(add func(name string, outcome lint.Outcome, source lint.Source, detail string) *Step) {
	switch {
	case !q.tenant.policy.IssuerHints():
	case q.tenant.hints.Reach(q.view.chain):
		add(StepHints, lint.Pass, sourceHints, "an authority of the chain is sent to the browser, which offers the certificate")
	default:
		add(StepHints, lint.Warn, sourceHints, "no authority of the chain is sent to the browser, which may not offer the certificate: "+
			"flag the issuing authority with isIssuerHintEnabled")
	}
}
