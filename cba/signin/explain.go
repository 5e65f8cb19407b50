package signin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/entracba/cba/aadsts"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/keyid"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/trust"
)

// Sources of steps.
const (
	sourceScopes   = lint.DeepDive + ", certificate authority scoping"
	sourceHints    = lint.DeepDive + ", issuer hints"
	sourceMFA      = lint.DeepDive + ", MFA with single-factor CBA"
	sourceBindings = lint.DeepDive + ", authentication binding"
)

// Codes of this package's own refusals. Package aadsts says of each where it is
// documented and how sure that is.
const (
	codeChain          = "AADSTS50017"
	codeIncomplete     = "AADSTS500176" // a CA of the chain is missing
	codeMethodDisabled = "AADSTS1002002"
	codeNotInScope     = "AADSTS130501"  // the only page that names the case; 500186 fits by its text
	codeNothingToBind  = "AADSTS1001003" // the certificate lacks the value that a binding names
	codeNoMatch        = "AADSTS1001009" // its text is the case: the user is known, the values are others; 50034 is for a user who is not found
	codeScope          = "AADSTS500189"
	codeStrength       = "AADSTS500187"
	codeMFA            = "AADSTS54008" // its text names the certificate; 50076 asks for a second factor and refuses nobody
	codeDisabled       = "AADSTS50057"
)

// tableCode returns the row of a code.
func tableCode(code string) (aadsts.Code, bool) {
	number, _ := strconv.Atoi(strings.TrimPrefix(code, "AADSTS"))
	return aadsts.Find(number)
}

// inferredCode reports whether no page of Microsoft names the case that a code of this
// package is used for.
func inferredCode(code string) bool {
	c, ok := tableCode(code)
	return !ok || c.Confidence != aadsts.Documented
}

// codeAssumption says how sure the code of a refusal is, and which others may appear in
// its place; false if a page of today documents it and no other is known.
func codeAssumption(step Step) (Assumption, bool) {
	c, _ := tableCode(step.Code)
	text := "documented"
	switch {
	case step.Inferred && c.Confidence == aadsts.Documented, c.Confidence == 0:
		text = "Microsoft does not document a code for this case; this is the closest match"
	case c.Confidence == aadsts.Listed:
		text = "no page says which code appears in this case; of Microsoft's list of codes, this one fits best"
	case c.Confidence == aadsts.Reported:
		text = fmt.Sprintf("no page of Microsoft names the case; people saw this code (%s)", c.Source)
	case c.Source.URL() == "":
		text = fmt.Sprintf("only a page that is no longer published names the case (%s)", c.Source)
	case len(c.Also()) == 0:
		return Assumption{}, false
	}
	for i, other := range c.Also() {
		text += [...]string{"; may also appear as ", " or as "}[min(i, 1)] + fmt.Sprintf("%v (%v, %s)", other, other.Confidence, other.Source)
	}
	return Assumption{ID: "4.7", Text: step.Code + ": " + text}, true
}

// An evaluation is everything that is known about one request before it is judged.
type evaluation struct {
	tenant  *Tenant
	request Request
	cert    *policy.Certificate
	reading reading
	unfit   lint.Findings // only where an explanation is wanted, and so
	ofChain []Step        // the steps of the chain
}

// A reading is the facts about a request under one reading of the documents: the
// best one, or the other reading of one open question.
type reading struct {
	decision policy.Decision
	chain    trust.Chain
	keys     []keyid.ID // key identifiers of the chain, that of the issuing CA first
	checks   []revocationCheck
	scope    policy.ScopeDecision
	doubts   []policy.Doubt // that change the answer
	until    time.Time      // when the answer may change by time alone
}

// unscoped reports whether no CA scope names the chain, and that refuses.
func (ev *evaluation) unscoped(s policy.ScopeDecision) bool {
	return ev.tenant.options.refuseUnscoped && !s.Restricted && len(ev.tenant.config.Policy.CertificateAuthorityScopes) > 0
}

// scopeKeys are the key identifiers of the CAs whose scopes count.
func (v reading) scopeKeys(options Options) []keyid.ID {
	if !options.IgnoreRootScopes {
		return v.keys
	}
	var keys []keyid.ID
	for i, ca := range v.chain.CAs {
		if i == 0 || !ca.SelfSigned {
			keys = append(keys, v.keys[i])
		}
	}
	return keys
}

// A prepared request has what does not depend on the policy: the values of the
// certificate, and its chain.
type prepared struct {
	cert  *policy.Certificate
	chain trust.Chain
	until time.Time // how long the chain's answer can hold
}

// usable refuses a request that cannot be answered.
func (t *Tenant) usable(ctx context.Context, r Request) error {
	switch {
	case !t.ready():
		return noTenant()
	case ctx == nil:
		return &Error{Reason: NoContext, Detail: "the context is nil"}
	case r.User == nil:
		return &Error{Reason: NoUser, Where: "request", Detail: "the user is missing"}
	case r.Certificate == nil:
		return &Error{Reason: NoCertificate, Where: "request", Detail: "the certificate is missing"}
	case r.At.IsZero():
		return &Error{Reason: NoTime, Where: "request", Detail: "the time is missing"}
	}
	return ctx.Err()
}

func noTenant() error {
	return &Error{Reason: NoTenant, Detail: "the tenant is not ready: make one with Config.Compile"}
}

func (t *Tenant) prepare(ctx context.Context, r Request) (p prepared, err error) {
	if err := t.usable(ctx, r); err != nil {
		return p, err
	}
	held, err := t.Certificate(r.Certificate)
	if err != nil {
		return p, err
	}
	return held.at(r.At), nil
}

// prepareOnce prepares a request with a certificate that is not likely to come again,
// and that the caller does not change meanwhile.
func (t *Tenant) prepareOnce(ctx context.Context, r Request) (p prepared, err error) {
	if err := t.usable(ctx, r); err != nil {
		return p, err
	}
	held, err := t.hold(r.Certificate)
	if err != nil {
		return p, err
	}
	return held.at(r.At), nil
}

// evaluate collects the facts about a request.
func (t *Tenant) evaluate(ctx context.Context, r Request, p prepared, explain bool) (ev evaluation, err error) {
	r.Certificate = p.chain.Leaf // which nobody changes
	ev = evaluation{tenant: t, request: r, cert: p.cert}
	if ev.reading, err = ev.follow(ctx, p.chain, explain); err != nil {
		return ev, err
	}
	ev.reading.until = p.until
	for _, l := range ev.reading.checks {
		if l.until.Equal(r.At) { // a CRL could not be had
			ev.reading.until = r.At
			break
		}
		ev.reading.until = next(r.At, ev.reading.until, l.until)
	}
	ev.reading.decision = t.policy.Decide(p.cert, r.User)
	if len(t.doubts) > 0 && ev.judge(ev.reading).SignedIn {
		ev.doubt()
	}
	return ev, nil
}

// doubt collects what is in doubt about the policy and refuses the sign-in if it says
// something else than what is assumed.
func (ev *evaluation) doubt() {
	for _, d := range ev.tenant.doubts {
		if !d.Undecides {
			continue
		}
		other := ev.reading
		other.decision = d.Other.Decide(ev.cert, ev.request.User)
		if !ev.judge(other).SignedIn {
			ev.reading.doubts = append(ev.reading.doubts, d)
		}
	}
}

// follow collects what depends on the chain: revocation and scopes.
func (ev *evaluation) follow(ctx context.Context, chain trust.Chain, explain bool) (v reading, err error) {
	v.chain = chain
	v.keys = make([]keyid.ID, len(chain.CAs))
	for i, ca := range chain.CAs {
		v.keys[i] = ca.SKI
	}
	v.scope = ev.tenant.policy.CAScope(ev.request.User, v.scopeKeys(ev.tenant.options))
	if ev.unscoped(v.scope) {
		v.scope.Allowed = false
	}
	v.checks, err = ev.tenant.revocation(ctx, ev.request.Certificate, chain.CAs, ev.request.At, explain)
	return v, err
}

// Decide returns what Entra says to a sign-in: [Verdict.Answer] of
// [Tenant.Explain], without the work of explaining.
//
// A sign-in that is refused is no error. The error is an [*Error] for a request that
// cannot be used ([NoUser], [NoCertificate], [NoTime], [BadCertificate]), that of ctx
// if it has ended, also where no CRL has to be downloaded, and that of a CRL source
// that gave no answer.
func (t *Tenant) Decide(ctx context.Context, r Request) (Answer, error) {
	p, err := t.prepare(ctx, r)
	if err != nil {
		return Answer{}, err
	}
	return t.decide(ctx, r, p)
}

func (t *Tenant) decide(ctx context.Context, r Request, p prepared) (Answer, error) {
	ev, err := t.evaluate(ctx, r, p, false)
	if err != nil {
		return Answer{}, err
	}
	return ev.judge(ev.reading), nil
}

// judge returns the answer under a reading. The code is that of the first refusal in
// the order of the package comment.
func (ev *evaluation) judge(v reading) Answer {
	d := v.decision
	a := Answer{AuthenticationMode: d.AuthenticationMode, RequiredAffinity: d.RequiredAffinity, Until: v.until}
	unknown := false
	refuse := func(code string) {
		if a.Code == "" {
			a.Code = code
		}
	}
	no := func(notKnown bool, code string) {
		if notKnown {
			unknown = true
		} else {
			refuse(code)
		}
	}
	if ev.request.User.Disabled {
		refuse(codeDisabled)
	}
	if !d.Enabled {
		no(d.EnabledUnknown, codeMethodDisabled)
	}
	if !d.InScope {
		no(d.ScopeUnknown, codeNotInScope)
	}
	if !v.chain.Trusted {
		no(ev.tenant.curable(v.chain), cmp.Or(v.chain.Code(), codeChain))
	}
	for i := range v.checks {
		if v.checks[i].outcome == lint.Fail {
			refuse(cmp.Or(v.checks[i].code, codeNoCRL))
		}
	}
	if !v.scope.Allowed && !(v.scope.Undecided && ev.tenant.curable(v.chain)) {
		no(v.scope.Undecided, codeScope)
	}
	if !d.Bound {
		no(d.BindingUnknown, ev.bindingCode())
	}
	if ok, notKnown, code, _, _ := ev.requirement(v); !ok {
		no(notKnown, code)
	}
	switch {
	case a.Code != "":
		a.Outcome = Refused
	case unknown || len(v.doubts) > 0:
		a.Outcome = Undecided
	default:
		a.Outcome, a.SignedIn = SignedIn, true
	}
	a.MFASatisfied = a.SignedIn && d.AuthenticationMode == policy.MultiFactor
	return a
}

// bindingCode distinguishes a certificate without any value to bind from one with
// the wrong values.
func (ev *evaluation) bindingCode() string {
	for _, b := range ev.tenant.config.Policy.UserBindings {
		if _, err := ev.tenant.options.IDs.FromCertificate(ev.request.Certificate, certuserid.Mapping(b.Field)); err == nil {
			return codeNoMatch
		}
	}
	return codeNothingToBind
}

// requirement reports whether the certificate alone satisfies the requirement, and
// otherwise whether that is only not known, the code, the reason in words, and what
// the user may add.
func (ev *evaluation) requirement(v reading) (ok, unknown bool, code, why string, with []string) {
	r, mode := ev.request.Require, v.decision.AuthenticationMode
	switch {
	case r.kind == requireMFA:
		if mode == policy.MultiFactor {
			return true, false, "", "the certificate counts as multifactor", nil
		}
		return false, false, codeMFA, "the certificate counts as single-factor: the user needs a registered second factor, " +
			"or the tenant needs a rule that makes the certificate multifactor", secondFactors
	case r.isStrength():
		ok, unknown, why, with = r.strength.satisfies(mode, ev.issuers(v, ev.tenant.options.AnyAllowedIssuer), ev.oids())
		return ok, unknown, codeStrength, why, with
	}
	return true, false, "", "Conditional Access requirement: none", nil
}

// issuers returns the key identifiers to compare with an authentication strength's
// allowed issuers.
func (ev *evaluation) issuers(v reading, all bool) []string {
	var list []string
	for _, ca := range v.chain.CAs {
		if ca.SKI != "" {
			list = append(list, string(ca.SKI))
		}
		if !all {
			break
		}
	}
	return list
}

// oids returns the policy OIDs that an authentication strength considers: if there
// are more than five, only the first five in lexical order, unless
// [Options.FirstFiveMatching] is set.
func (ev *evaluation) oids() []string {
	oids := make([]string, 0, len(ev.request.Certificate.Policies))
	for _, oid := range ev.request.Certificate.Policies {
		oids = append(oids, text.OID(oid)) // one that is too long to write is in no list
	}
	if len(oids) > maxStrengthPolicies && !ev.tenant.options.FirstFiveMatching {
		slices.Sort(oids)
		oids = oids[:maxStrengthPolicies]
	}
	return oids
}

// secondFactors are the methods that can follow a single-factor certificate (Learn,
// technical deep dive). A password can come before it instead.
var secondFactors = []string{"passkey (FIDO2)", "passwordless phone sign-in", "Temporary Access Pass",
	"phone number that an administrator added", "password, entered before the certificate"}

// Explain returns what Entra says to a sign-in, with every step and every
// assumption. Its answer is that of [Tenant.Decide]: the user is refused if and
// only if a step fails; what is not known is a warning. [Verdict.Refusal] is the step
// that decided a refusal, [Verdict.Missing] is what leaves it undecided.
// Explain may ask the CRL source for more CRLs than Decide does, to find out what
// follows from the other reading of an open question.
//
// The error is as for Decide.
func (t *Tenant) Explain(ctx context.Context, r Request) (Verdict, error) {
	p, err := t.prepare(ctx, r)
	if err != nil {
		return Verdict{}, err
	}
	ev, err := t.evaluate(ctx, r, p, true)
	if err != nil {
		return Verdict{}, err
	}
	e := t.policy.Explain(ev.cert, r.User)
	ev.unfit, ev.ofChain = ev.fitness(), ev.reading.chain.Steps()
	answer := ev.judge(ev.reading)
	v := Verdict{
		Outcome:            answer.Outcome,
		Missing:            []Missing{},
		NotChecked:         notChecked,
		SignedIn:           answer.SignedIn,
		Code:               answer.Code,
		AuthenticationMode: answer.AuthenticationMode,
		ModeRule:           e.ModeRule,
		RequiredAffinity:   answer.RequiredAffinity,
		Binding:            e.Binding,
		MFASatisfied:       answer.MFASatisfied,
		Until:              answer.Until,
		Certificate:        nameOf(r.Certificate),
		Steps:              ev.steps(e),
	}
	if v.Assumptions, err = ev.assumptions(ctx, e, answer); err != nil {
		return Verdict{}, err
	}
	if _, _, _, _, with := ev.requirement(ev.reading); with != nil && (answer.Code == codeMFA || answer.Code == codeStrength) {
		v.SecondFactor = slices.Clone(with)
	}
	if v.Outcome == Undecided {
		v.Missing = append(v.Missing, ev.missing()...)
		v.Message = "not known: " + whats(v.Missing)
	}
	if step, refused := v.Refusal(); refused {
		v.Message = fmt.Sprintf("%s: %s", step.Name, step.Detail)
		if a, ok := codeAssumption(step); ok {
			v.Assumptions = slices.Insert(v.Assumptions, 0, a)
		}
	}
	return v, nil
}

// A stepList collects steps.
type stepList []Step

func (l *stepList) add(name string, outcome lint.Outcome, source lint.Source, detail string) *Step {
	*l = append(*l, Step{Name: name, Outcome: outcome, Detail: detail, Source: source})
	return &(*l)[len(*l)-1]
}

func (l *stepList) refuse(name, code string, source lint.Source, detail string, inferred bool) {
	s := l.add(name, lint.Fail, source, detail)
	s.Code, s.Inferred = code, inferred
}

// steps lists what was checked, in the order of the package comment.
func (ev *evaluation) steps(e policy.Explanation) []Step {
	var steps stepList
	fromPolicy := func(early bool) {
		for _, s := range e.Steps {
			isEarly := s.Name == policy.StepMethod || s.Name == policy.StepIncluded || s.Name == policy.StepExcluded
			if isEarly != early {
				continue
			}
			step := steps.add(s.Name, s.Outcome, s.Source, s.Detail)
			if s.Outcome != lint.Fail {
				continue
			}
			switch s.Name {
			case policy.StepMethod:
				step.Code = codeMethodDisabled
			case policy.StepIncluded, policy.StepExcluded:
				step.Code = codeNotInScope
			case policy.StepUsername:
				step.Code = ev.bindingCode()
			}
			step.Inferred = inferredCode(step.Code)
		}
	}

	ev.accountStep(&steps)
	fromPolicy(true)
	ev.presentSteps(&steps)

	chain := ev.reading.chain
	curable := ev.tenant.curable(chain)
	for _, s := range ev.ofChain {
		if curable && s.Outcome == lint.Fail {
			s.Outcome, s.Code, s.Inferred = lint.Warn, "", false
		}
		steps = append(steps, s)
	}
	if curable {
		steps.add(StepChain, lint.Warn, lint.Authorities, "whether the chain leads to a root of the trust stores is not known: "+chain.Failures[0].String())
	} else if chain.Trusted {
		steps.add(StepChain, lint.Pass, lint.Authorities,
			fmt.Sprintf("%s up to the root %s", text.Count(len(chain.CAs), "CA", "CAs"), dn.Show(chain.Root().Certificate.RawSubject)))
	} else {
		first := chain.Failures[0]
		steps.refuse(StepChain, cmp.Or(chain.Code(), codeChain), cmp.Or(first.Source, lint.Authorities), first.String(), first.Inferred)
	}

	for _, l := range ev.reading.checks {
		detail := fmt.Sprintf("%s, issued by %s: %s", dn.Show(l.subject.RawSubject), dn.Show(l.ca.Certificate.RawSubject), l.detail)
		if l.outcome == lint.Fail {
			steps.refuse(StepRevocation, l.code, lint.Revocation, detail, l.inferred)
		} else {
			steps.add(StepRevocation, l.outcome, lint.Revocation, detail)
		}
	}

	ev.scopeSteps(&steps)
	ev.hintStep(&steps)
	fromPolicy(false)

	ok, unknown, code, why, _ := ev.requirement(ev.reading)
	source := sourceMFA
	if ev.request.Require.isStrength() {
		source = lint.Strengths
	}
	switch {
	case ev.request.Require.IsZero():
		steps.add(StepRequirement, lint.Skip, source, why)
	case ok:
		steps.add(StepRequirement, lint.Pass, source, fmt.Sprintf("%v: %s", ev.request.Require, why))
	case unknown:
		steps.add(StepRequirement, lint.Warn, source, fmt.Sprintf("%v: %s", ev.request.Require, why))
	default:
		steps.refuse(StepRequirement, code, source, fmt.Sprintf("%v: %s", ev.request.Require, why), inferredCode(code))
	}
	return steps
}

// accountStep says what the account itself is, as far as that is known.
func (ev *evaluation) accountStep(steps *stepList) {
	user := ev.request.User
	switch {
	case user.Disabled:
		steps.refuse(StepAccount, codeDisabled, lint.ErrorCodes, "the account is disabled: set accountEnabled to true", false)
	case strings.EqualFold(user.UserType, userGuest):
		steps.add(StepAccount, lint.Warn, lint.DeepDive, "the account is a guest's: a guest whose account is of another tenant signs in there, by that tenant's configuration")
	case lacks(user, policy.AccountEnabled):
		steps.add(StepAccount, lint.Skip, lint.ErrorCodes, "accountEnabled is not known")
	default:
		steps.add(StepAccount, lint.Pass, lint.ErrorCodes, "the account is enabled")
	}
}

// userGuest is a User.UserType.
const userGuest = "Guest"

func whats(list []Missing) string {
	names := make([]string, len(list))
	for i, m := range list {
		names[i] = m.What + " (" + m.Why + ")"
	}
	return strings.Join(names, "; ")
}

func (ev *evaluation) scopeSteps(steps *stepList) {
	scope, applied := ev.tenant.policy.ExplainCAScope(ev.request.User, ev.reading.scopeKeys(ev.tenant.options))
	if !scope.Restricted {
		applied = nil // one step says it
	}
	for _, s := range applied {
		if s.Outcome == lint.Fail {
			steps.refuse(s.Name, codeScope, s.Source, s.Detail, false)
		} else {
			steps.add(s.Name, s.Outcome, s.Source, s.Detail)
		}
	}
	for _, i := range ev.elsewhere() {
		s := ev.tenant.config.Policy.CertificateAuthorityScopes[i]
		steps.add(policy.StepScope, lint.Warn, sourceScopes, fmt.Sprintf("certificateAuthorityScopes[%d] names a CA of this chain by its key identifier, "+
			"and the PKI %s, which does not contain that CA; how the service treats this is not documented", i, text.Quote(s.PublicKeyInfrastructureIdentifier)))
	}
	switch {
	case ev.unscoped(scope):
		steps.refuse(StepScopes, codeScope, sourceScopes, "no CA scope names a CA of this chain, and there are others: add a scope for one of these CAs", false)
	case !scope.Restricted:
		steps.add(StepScopes, lint.Pass, sourceScopes, "no CA scope names a CA of this chain")
	case scope.Allowed && scope.ScopeIndex < 0:
		steps.add(StepScopes, lint.Pass, sourceScopes, "the user is in the group of every CA scope that may restrict this chain")
	case scope.Allowed:
		steps.add(StepScopes, lint.Pass, sourceScopes, fmt.Sprintf("the user is in the group of certificateAuthorityScopes[%d]", scope.ScopeIndex))
	case scope.Undecided:
		steps.add(StepScopes, lint.Warn, sourceScopes, "whether a CA scope of this chain keeps the user out is not known")
	default:
		steps.refuse(StepScopes, codeScope, sourceScopes, "the user is in no group that a CA scope of this chain names: "+
			"add the user to such a group, or remove the scopes of these CAs", false)
	}
}

// elsewhere returns the scopes that name a CA of the chain, and a PKI that does not
// contain it.
func (ev *evaluation) elsewhere() (scopes []int) {
	for i, s := range ev.tenant.config.Policy.CertificateAuthorityScopes {
		for _, ca := range ev.reading.chain.CAs {
			if pki := s.PublicKeyInfrastructureIdentifier; pki != "" && hasKey([]string{s.SubjectKeyIdentifier}, string(ca.SKI)) && !ca.InPKI(pki) {
				scopes = append(scopes, i)
				break
			}
		}
	}
	return scopes
}

// hintStep says whether a browser offers the certificate. It never refuses, because
// not every client filters by issuer hints.
func (ev *evaluation) hintStep(steps *stepList) {
	issuing := trust.Chain{CAs: ev.reading.chain.CAs[:min(1, len(ev.reading.chain.CAs))]}
	switch {
	case !ev.tenant.policy.IssuerHints():
	case ev.tenant.hints.Reach(issuing):
		steps.add(StepHints, lint.Pass, sourceHints, "Entra sends the name of the issuing CA to the browser, which then offers the certificate")
	case ev.tenant.hints.Reach(ev.reading.chain):
		steps.add(StepHints, lint.Warn, sourceHints+"; "+sourceBrowsers, "Entra sends the name of a CA further up the chain to the browser, which offers the certificate only if it has the certificates of the CAs between: "+
			"install them with the user's certificate, or set isIssuerHintEnabled on the issuing CA")
	default:
		steps.add(StepHints, lint.Warn, sourceHints, "Entra sends no name of a CA of the chain to the browser, which may then not offer the certificate: "+
			"set isIssuerHintEnabled on the issuing CA")
	}
}
