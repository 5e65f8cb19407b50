package signin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"example.com/entracba/cba/certuserid"
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
	codeMethodDisabled = "AADSTS1002002" // the CBA configuration of the tenant is missing or invalid
	codeNotInScope     = "AADSTS500186"  // the user is not allowed by the policy's conditions
	codeNothingToBind  = "AADSTS1001003" // the value named in a binding cannot be had from the certificate
	codeNoMatch        = "AADSTS1001009" // no value of the user matches
	codeScope          = "AADSTS500189"
	codeStrength       = "AADSTS500187"
	codeMFA            = "AADSTS50076"
)

// An inquiry is everything that was found out about one request, before it is judged.
type inquiry struct {
	tenant   *Tenant
	request  Request
	cert     *policy.Certificate
	chain    trust.Chain
	keys     [][]byte // key identifiers of the chain, the issuing authority first
	listings []listing
}

var (
	errNoUser        = errors.New("signin: the request has no user")
	errNoCertificate = errors.New("signin: the request has no certificate")
	errNoTime        = errors.New("signin: the request has no time")
)

// inquire finds out what does not depend on a reading of the policy.
func (t *Tenant) inquire(ctx context.Context, r Request) (*inquiry, error) {
	switch {
	case r.User == nil:
		return nil, errNoUser
	case r.Certificate == nil:
		return nil, errNoCertificate
	case r.At.IsZero():
		return nil, errNoTime
	}
	cert, err := policy.NewCertificate(r.Certificate, t.options.IDs)
	if err != nil {
		return nil, fmt.Errorf("signin: certificate: %w", err)
	}
	q := &inquiry{tenant: t, request: r, cert: cert, chain: t.trust.Chain(r.Certificate, r.At)}
	for _, ca := range q.chain.CAs {
		q.keys = append(q.keys, ca.Certificate.SubjectKeyId)
	}
	q.listings, err = t.revocation(ctx, r.Certificate, q.chain.CAs, r.At)
	return q, err
}

// Decide returns what Entra says to a sign-in: [Verdict.Answer] of
// [Tenant.Explain], without the work of explaining.
//
// The error is for a request that cannot be used, for ctx, and for a CRL source
// that gave no answer; never for a sign-in that is refused.
func (t *Tenant) Decide(ctx context.Context, r Request) (Answer, error) {
	q, err := t.inquire(ctx, r)
	if err != nil {
		return Answer{}, err
	}
	return q.judge(t.policy.Decide(q.cert, r.User), q.scopes(), nil), nil
}

// scopes asks the scopes of certificate authorities.
func (q *inquiry) scopes() bool {
	return q.tenant.policy.CAScope(q.request.User, q.keys).Allowed
}

// judge puts the pieces together. outcomes replaces those of listings, by index,
// for another reading; nil takes them as they are.
func (q *inquiry) judge(d policy.Decision, scoped bool, outcomes map[int]policy.Outcome) Answer {
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
	if !q.chain.Trusted {
		refuse(q.chain.Code())
	}
	for i, l := range q.listings {
		outcome := l.outcome
		if other, ok := outcomes[i]; ok {
			outcome = other
		}
		if outcome == policy.Fail {
			refuse(orElse(l.code, "AADSTS500175"))
		}
	}
	if !scoped {
		refuse(codeScope)
	}
	if !d.Bound {
		refuse(q.bindingCode())
	}
	if ok, code, _, _ := q.requirement(d.AuthenticationMode); !ok {
		refuse(code)
	}
	a.SignedIn = a.Code == "" && d.SignsIn() && q.chain.Trusted
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
		if m, err := certuserid.ParseField(string(b.Field)); err == nil {
			if _, err := q.tenant.options.IDs.FromCertificate(q.request.Certificate, m); err == nil {
				return codeNoMatch
			}
		}
	}
	return codeNothingToBind
}

// requirement reports whether the certificate alone satisfies what the sign-in
// must, and otherwise the code, why, and what may be added.
func (q *inquiry) requirement(mode policy.AuthenticationMode) (ok bool, code, why string, with []string) {
	r := q.request.Require
	switch r.kind {
	case requireMFA:
		if mode == policy.MultiFactor {
			return true, "", "the certificate counts as multifactor", nil
		}
		return false, codeMFA, "the certificate counts as single-factor: a second factor that the user has registered is needed", secondFactors
	case requireStrength:
		oids := make([]string, 0, len(q.request.Certificate.Policies))
		for _, oid := range q.request.Certificate.Policies {
			oids = append(oids, oid.String())
		}
		if len(oids) > maxStrengthPolicies { // only the first five in lexical order are looked at
			slices.Sort(oids)
			oids = oids[:maxStrengthPolicies]
		}
		ok, why, with = r.strength.satisfies(mode, q.chain.CAs, oids)
		return ok, codeStrength, why, with
	}
	return true, "", "nothing is required beyond the certificate", nil
}

// secondFactors are the methods that may follow a single-factor certificate
// (Learn, technical deep dive); a password may go before it instead.
var secondFactors = []string{"passkey (FIDO2)", "passwordless phone sign-in", "password, entered before the certificate"}

// Explain returns what Entra says to a sign-in, with every step and every
// assumption. Its answer is that of [Tenant.Decide], and so is its error.
func (t *Tenant) Explain(ctx context.Context, r Request) (Verdict, error) {
	q, err := t.inquire(ctx, r)
	if err != nil {
		return Verdict{}, err
	}
	e := t.policy.Explain(q.cert, r.User)
	answer := q.judge(e.Decision, q.scopes(), nil)
	v := Verdict{
		SignedIn:           answer.SignedIn,
		Code:               answer.Code,
		AuthenticationMode: answer.AuthenticationMode,
		ModeRule:           e.ModeRule,
		RequiredAffinity:   answer.RequiredAffinity,
		Binding:            e.Binding,
		MFASatisfied:       answer.MFASatisfied,
		Steps:              q.steps(e),
		Assumptions:        q.assumptions(e, answer),
	}
	if _, _, _, with := q.requirement(e.AuthenticationMode); with != nil && q.onlyRequirement(answer) {
		v.SecondFactor = slices.Clone(with)
	}
	for _, step := range v.Steps {
		if step.Outcome == policy.Fail && v.Message == "" {
			v.Message = fmt.Sprintf("%s: %s", step.Name, step.Detail)
		}
	}
	return v, nil
}

// onlyRequirement reports whether nothing but the requirement refuses.
func (q *inquiry) onlyRequirement(a Answer) bool {
	return a.Code == codeMFA || a.Code == codeStrength
}

// steps lists what was looked at, in the order of the package comment.
func (q *inquiry) steps(e policy.Explanation) []Step {
	var steps []Step
	add := func(name string, outcome policy.Outcome, code, source, format string, args ...any) {
		steps = append(steps, Step{Name: name, Outcome: outcome, Detail: fmt.Sprintf(format, args...), Source: source, Code: code})
	}
	fromPolicy := func(early bool) {
		for _, s := range e.Steps {
			isEarly := s.Name == policy.StepMethod || s.Name == policy.StepIncluded || s.Name == policy.StepExcluded
			if isEarly != early {
				continue
			}
			step := Step{Name: s.Name, Outcome: s.Outcome, Detail: s.Detail, Source: s.Source}
			if s.Outcome == policy.Fail {
				switch s.Name {
				case policy.StepMethod:
					step.Code = codeMethodDisabled
				case policy.StepIncluded, policy.StepExcluded:
					step.Code = codeNotInScope
				case policy.StepUsername:
					step.Code = q.bindingCode()
				}
			}
			steps = append(steps, step)
		}
	}
	fromPolicy(true)
	for _, s := range q.chain.Steps() {
		add(s.Name, outcomeOf(s.Outcome), s.Code, s.Source, "%s", s.Detail)
	}
	if q.chain.Trusted {
		add(StepChain, policy.Pass, "", sourceChain, "%d authorities up to the root %s", len(q.chain.CAs), showName(q.chain.Root().Certificate.RawSubject))
	} else {
		add(StepChain, policy.Fail, q.chain.Code(), sourceChain, "%s", q.chain.Failures[0].Detail)
	}
	for _, l := range q.listings {
		add(StepRevocation, l.outcome, l.code, sourceRevocation, "%s, list of %s: %s",
			showName(l.subject.RawSubject), showName(l.ca.Certificate.RawSubject), l.detail)
	}
	decision, scopes := q.tenant.policy.ExplainCAScope(q.request.User, q.keys)
	if !decision.Restricted {
		scopes = nil // one step says it
	}
	for _, s := range scopes {
		steps = append(steps, Step{Name: s.Name, Outcome: s.Outcome, Detail: s.Detail, Source: s.Source})
	}
	switch {
	case !decision.Restricted:
		add(StepScopes, policy.Pass, "", sourceScopes, "no scope names an authority of this chain")
	case decision.Allowed:
		add(StepScopes, policy.Pass, "", sourceScopes, "scope %d has a group that the user is in", decision.ScopeIndex)
	default:
		add(StepScopes, policy.Fail, codeScope, sourceScopes, "the scopes of this chain's authorities name no group that the user is in")
	}
	fromPolicy(false)
	ok, code, why, _ := q.requirement(e.AuthenticationMode)
	source := sourceMFA
	if q.request.Require.kind == requireStrength {
		source = sourceStrength
	}
	switch {
	case q.request.Require.kind == requireNothing:
		add(StepRequirement, policy.Skip, "", source, "%s", why)
	case ok:
		add(StepRequirement, policy.Pass, "", source, "%v: %s", q.request.Require, why)
	default:
		add(StepRequirement, policy.Fail, code, source, "%v: %s", q.request.Require, why)
	}
	return steps
}

func outcomeOf(o trust.Outcome) policy.Outcome {
	switch o {
	case trust.Passed:
		return policy.Pass
	case trust.Warned:
		return policy.Warn
	}
	return policy.Fail
}

// assumptions lists the readings that the answer leans on, and asks under each
// other reading again.
func (q *inquiry) assumptions(e policy.Explanation, answer Answer) []Assumption {
	list := []Assumption{}
	differs := func(other Answer) bool {
		return other.SignedIn != answer.SignedIn || other.AuthenticationMode != answer.AuthenticationMode
	}
	scoped := q.scopes()
	for _, a := range e.Assumptions {
		list = append(list, Assumption{a.ID, a.Text, differs(q.judge(a.Otherwise, scoped, nil))})
	}
	// Open questions about revocation, each asked for all authorities together.
	questions := map[string]map[int]policy.Outcome{}
	for i, l := range q.listings {
		if l.question != "" {
			if questions[l.question] == nil {
				questions[l.question] = map[int]policy.Outcome{}
			}
			questions[l.question][i] = l.other
		}
	}
	for _, id := range slices.Sorted(maps.Keys(questions)) {
		list = append(list, Assumption{id, questionTexts[id], differs(q.judge(e.Decision, scoped, questions[id]))})
	}
	if len(q.tenant.config.Policy.CertificateAuthorityScopes) > 0 && !q.tenant.policy.CAScope(q.request.User, q.keys).Restricted {
		list = append(list, Assumption{"9.33", questionTexts["9.33"], differs(q.judge(e.Decision, false, nil))})
	}
	for _, f := range q.chain.Failures {
		if f.Inferred {
			list = append(list, Assumption{"4.7", fmt.Sprintf("%s for this refusal (%v): the documentation does not name the case", f.Code, f.Cause), false})
		}
	}
	switch answer.Code {
	case codeMethodDisabled, codeNotInScope, codeNothingToBind, codeNoMatch, codeMFA:
		list = append(list, Assumption{"4.7", answer.Code + " for this refusal: the documentation names no code for it, this one's text fits best", false})
	}
	return list
}

// questionTexts say what is assumed about an open question that is this
// package's own.
var questionTexts = map[string]string{
	"9.6":  "Entra fetches a revocation list over https; some pages say http only",
	"9.11": "an authority above the issuing one needs no CRL when CRL validation is required; the pages speak of the issuing authority only",
	"9.32": "an authority that is exempted from CRL validation is not checked even if it has a CRL URL",
	"9.33": "a chain that no authority scope names is open to everybody, though other scopes exist",
}
