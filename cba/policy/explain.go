package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/internal/wire"
	"example.com/entracba/cba/lint"
)

// The names of steps, in the order in which [Policy.Explain] lists them.
const (
	StepMethod   = "method enabled"
	StepIncluded = "user included"
	StepExcluded = "user not excluded"
	// StepAffinity says which affinity a username binding must have.
	StepAffinity = "required affinity"
	// StepBinding is one username binding; there is one step for each, by
	// priority. A binding that does not match is skipped.
	StepBinding = "username binding"
	// StepUsername says whether any binding matched.
	StepUsername = "username bound"
	// StepRule is one rule; there is one step for each, in the order of the
	// configuration.
	StepRule = "authentication binding rule"
	// StepMode says whether the certificate counts as one factor or as several.
	StepMode = "authentication mode"
	// StepScope is one CA scope.
	StepScope = "CA scope"
)

// StepNames returns the names of the steps of [Policy.Explain] and
// [Policy.ExplainCAScope], in their order, with what such a step says.
func StepNames() []lint.StepName {
	return []lint.StepName{
		{Name: StepMethod, What: "whether certificate-based authentication is enabled"},
		{Name: StepIncluded, What: "whether an include target contains the user"},
		{Name: StepExcluded, What: "whether an exclude target contains the user"},
		{Name: StepAffinity, What: "which affinity a username binding must have"},
		{Name: StepBinding, What: "whether one username binding matches"},
		{Name: StepUsername, What: "whether any username binding matches"},
		{Name: StepRule, What: "whether one authentication binding rule matches"},
		{Name: StepMode, What: "whether the certificate counts as single-factor or multifactor"},
		{Name: StepScope, What: "whether one CA scope lets the user in"},
	}
}

// A ModeRule names the rule that set the authentication mode.
type ModeRule struct {
	Index      int      `json:"index"`
	Type       RuleType `json:"x509CertificateRuleType"`
	Identifier string   `json:"identifier"` // for a rule of both, the issuer, " + " and the OID where the rule has none
}

// A BoundBy names the username binding that matched, and the user's value that
// the certificate has.
type BoundBy struct {
	Field    certuserid.Mapping `json:"x509CertificateField"`
	Property UserProperty       `json:"userProperty"`
	Priority int32              `json:"priority"`
	Value    string             `json:"value"`
}

// An Explanation is a [Decision] with its reasons. Its JSON is stable, except for the
// texts of details.
type Explanation struct {
	Decision
	ModeRule    *ModeRule    `json:"modeRule"` // nil for the default
	Binding     *BoundBy     `json:"binding"`  // nil if none matched
	Steps       []lint.Step  `json:"steps"`
	Assumptions []Assumption `json:"assumptions"`
}

// Explain returns the decision of [Policy.Decide] with every step that led to it,
// and every undocumented reading that it relied on or that would change it. It
// checks everything, also after something has refused the sign-in: a step
// fails if and only if the decision neither signs in nor is undecided.
func (p *Policy) Explain(cert *Certificate, user *User) Explanation {
	p = p.usable()
	if cert == nil {
		cert = &Certificate{}
	}
	if user == nil {
		user = &User{}
	}
	t := &trace{p: p, cert: cert, user: user}
	e := Explanation{Steps: []lint.Step{}, Assumptions: []Assumption{}}
	p.decide(cert, user, &e.Decision, t)
	s := p.strength(cert)
	if s.rule >= 0 {
		r := p.config.AuthenticationMode.Rules[s.rule]
		e.ModeRule = &ModeRule{Index: s.rule, Type: r.Type, Identifier: r.identity()}
	}
	if e.BindingIndex >= 0 {
		b := p.config.UserBindings[e.BindingIndex]
		e.Binding = &BoundBy{Field: b.Field, Property: b.Property, Priority: b.Priority, Value: t.value}
	}
	e.Steps = append(e.Steps, p.admissionSteps(user)...)
	e.Steps = append(e.Steps, p.affinityStep(cert, s))
	e.Steps = append(e.Steps, t.steps...)
	e.Steps = append(e.Steps, t.summary(s))
	e.Steps = append(e.Steps, p.ruleSteps(cert, s)...)
	e.Steps = append(e.Steps, p.modeStep(s))
	e.Assumptions = append(e.Assumptions, p.assumptions(cert, user, e.Decision, t.leaned|p.leaned(cert, s))...)
	return e
}

// identity is the rule's identifier, or what stands in its place.
func (r Rule) identity() string {
	switch {
	case r.Identifier != "":
		return r.Identifier
	case r.IssuerSubjectIdentifier != "" && r.PolicyOIDIdentifier != "":
		return r.IssuerSubjectIdentifier + " + " + r.PolicyOIDIdentifier
	}
	return r.IssuerSubjectIdentifier + r.PolicyOIDIdentifier
}

func (p *Policy) admissionSteps(user *User) []lint.Step {
	method := lint.Step{Name: StepMethod, Outcome: lint.Pass, Detail: "the state is enabled", Source: lint.GraphConfiguration}
	if state := p.config.State; state != Enabled {
		method.Outcome, method.Detail = lint.Fail, "the state is "+quoted(string(state))+", not enabled"
	}

	if p.stateMissing {
		method.Outcome, method.Detail = lint.Warn, "the configuration does not have its state"
	}

	included := lint.Step{Name: StepIncluded, Outcome: lint.Pass, Detail: "", Source: sourceTargets}
	switch i, how := p.include.find(user); {
	case how == inside && i == p.include.all:
		included.Detail = fmt.Sprintf("include target %d is all users", i+1)
	case how == inside:
		included.Detail = fmt.Sprintf("include target %d contains the user: %s %s", i+1, wire.Shown(string(p.config.IncludeTargets[i].Type)), quoted(p.config.IncludeTargets[i].ID))
	case how == perhaps && len(p.config.IncludeTargets) == 0:
		included.Outcome, included.Detail = lint.Warn, "the configuration does not have its includeTargets"
	case how == perhaps:
		included.Outcome, included.Detail = lint.Warn, "it is not known whether the user is in "+p.named(GroupTarget)
		if p.include.unread {
			included.Detail = "it is not known who is in an include target of another type: " + p.named("")
		}
	case len(p.config.IncludeTargets) == 0:
		included.Outcome, included.Detail = lint.Fail, "there are no include targets, so the method applies to no user"
	default:
		included.Outcome = lint.Fail
		included.Detail = "the user is not in " + p.named("") + ": add the user, or add a target"
	}

	excluded := lint.Step{Name: StepExcluded, Outcome: lint.Pass, Detail: "no exclude target contains the user", Source: sourceTargets}
	switch i, how := p.exclude.find(user); {
	case how == inside:
		excluded.Outcome = lint.Fail
		excluded.Detail = fmt.Sprintf("exclude target %d contains the user: %s %s", i+1, wire.Shown(string(p.config.ExcludeTargets[i].Type)), quoted(p.config.ExcludeTargets[i].ID))
	case how == perhaps && len(p.config.ExcludeTargets) == 0:
		excluded.Outcome, excluded.Detail = lint.Warn, "the configuration does not have its excludeTargets"
	case how == perhaps:
		var ids []string
		for _, t := range p.config.ExcludeTargets {
			ids = append(ids, t.what())
		}
		excluded.Outcome, excluded.Detail = lint.Warn, "it is not known whether an exclude target contains the user: "+some(ids)
	}
	return []lint.Step{method, included, excluded}
}

// named lists the include targets of a type, all of them for none.
func (p *Policy) named(t TargetType) string {
	var ids []string
	for _, target := range p.config.IncludeTargets {
		if t == "" || target.Type == t {
			ids = append(ids, wire.Shown(string(target.Type))+" "+wire.Shown(target.ID))
		}
	}
	return some(ids)
}

// some lists the first of many.
func some(list []string) string {
	const most = 5
	if n := len(list); n > most {
		return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", n-most)
	}
	return strings.Join(list, " or ")
}

func (p *Policy) affinityStep(cert *Certificate, s strength) lint.Step {
	step := lint.Step{Name: StepAffinity, Outcome: lint.Pass, Detail: "low: neither the default nor a matching rule requires high", Source: lint.DeepDive}
	if s.affinity != high {
		if s.lowered {
			step.Detail = "low: a matching rule overrides the default, which is high (the reading that was chosen for 9.9)"
		}
		return step
	}
	var by []string
	if p.defaultAffinity == high {
		by = append(by, "the default")
	}
	for i, r := range p.config.AuthenticationMode.Rules {
		if how, _ := p.ruleMatch(cert, i); how == ruleYes && demanded(r.RequiredAffinity) == high {
			by = append(by, fmt.Sprintf("rule %d", i+1))
		}
	}
	step.Detail = "high, required by " + strings.Join(by, " and ") + ": bindings with low affinity are not tried"
	if s.lowered {
		step.Outcome = lint.Warn
		step.Detail += "; a matching rule asks for low, and whether a rule can lower the default is not documented"
	}
	return step
}

// A trace collects what happened to the username bindings.
type trace struct {
	p       *Policy
	cert    *Certificate
	user    *User
	steps   []lint.Step
	value   string
	why     string              // the mismatch that says most about what to change
	rank    int                 // how much it says
	unknown bool                // a property of the user is not known
	missed  bool                // a binding did not match
	near    []certuserid.Result // of the user's values, once one was asked for
	leaned  readingSet
}

func (t *trace) tried(b *binding, how match) {
	config := t.p.config.UserBindings[b.index]
	step := lint.Step{Name: StepBinding, Outcome: lint.Skip, Detail: fmt.Sprintf("%v: ", config), Source: lint.DeepDive}
	switch how.result {
	case afterMatch:
		step.Detail += "not tried, because an earlier binding matched"
	case unusable:
		step.Outcome, step.Source = lint.Warn, lint.GraphUserBinding
		step.Detail += "not tried, because the service does not support this pair of field and property"
		t.because(1, fmt.Sprintf("the service does not support the binding %v", config.pair()))
	case dropped:
		step.Detail += "not tried, because it has low affinity and high is required"
	case absent:
		why, rank := "the certificate has no "+fieldName(b.mapping), 1
		if text := t.cert.unfit(b.mapping); text != "" {
			why, rank = why+" "+text, 3
		}
		t.because(rank, why)
		step.Detail += why
	case mismatch:
		why := t.mismatch(b)
		t.because(2, why)
		step.Detail += why
	case unasked:
		step.Outcome = lint.Warn
		step.Detail += fmt.Sprintf("the certificate has %s, and the user's %s is not known", t.own(b), b.property)
	case matched:
		step.Outcome = lint.Pass
		step.Detail += "the certificate and the user both have " + quoted(how.value)
		switch {
		case how.other:
			step.Detail += ", which is not the first value of its kind in the certificate"
		case how.leaned:
			step.Detail = fmt.Sprintf("%v: the user's %s is assumed to match the certificate's %s", config, quoted(how.value), t.own(b))
		}
		t.value = how.value
	}
	if how.result == matched && how.leaned {
		if b.property == CertificateUserIDs {
			t.leaned |= 1 << readExactIDs
		} else {
			t.leaned |= 1 << readExactNames
		}
	}
	if b.respelled && how.result != afterMatch && how.result != unusable {
		t.leaned |= 1 << readExactProperty
	}
	if how.result == mismatch || how.result == matched {
		kind := -1
		switch b.mapping {
		case certuserid.PrincipalName:
			kind = upns
		case certuserid.RFC822Name:
			kind = emails
		}
		if kind >= 0 && len(t.cert.names[kind]) > 1 {
			t.leaned |= 1 << readAnyName
		}
	}
	if t.missed && (how.result == absent || how.result == mismatch || how.result == matched) {
		t.leaned |= 1 << readStop
	}
	t.missed = t.missed || how.result == mismatch
	t.unknown = t.unknown || how.result == unasked
	if b.usable && b.stated != unstated && b.stated != b.affinity && how.result != afterMatch {
		t.leaned |= 1 << readEitherAffinity
	}
	t.steps = append(t.steps, step)
}

// own shows what the certificate has for a binding.
func (t *trace) own(b *binding) string {
	id := t.cert.id(b.mapping)
	if b.property == CertificateUserIDs {
		return quoted(id.String())
	}
	return quoted(id.Value())
}

func (t *trace) stopped() {
	t.steps[len(t.steps)-1].Detail += "; no further binding is tried (the reading that was chosen for 9.15)"
}

// mismatch says what the certificate has and what the user has instead.
func (t *trace) mismatch(b *binding) string {
	if b.property != CertificateUserIDs {
		has := t.user.UserPrincipalName
		if b.property == OnPremisesUserPrincipalName {
			has = t.user.OnPremisesUserPrincipalName
		}
		if has == "" {
			return fmt.Sprintf("the certificate has %s, and the user has no %s", t.own(b), b.property)
		}
		return fmt.Sprintf("the certificate has %s, but the user's %s is %s", t.own(b), b.property, quoted(has))
	}
	text := "the certificate needs the value " + t.own(b) + ", "
	ids := t.user.AuthorizationInfo.CertificateUserIDs
	if len(ids) == 0 {
		return text + "and the user has no certificateUserIds"
	}
	if len(ids) == 1 {
		text += "but the user's one certificateUserIds value is another"
	} else {
		text += fmt.Sprintf("but none of the user's %d certificateUserIds is that", len(ids))
	}
	if t.near == nil {
		for _, stored := range ids {
			t.near = append(t.near, t.cert.values.Match(stored))
		}
	}
	for i, near := range t.near { // say what is wrong with a value of that mapping
		if fault := near.Fault(); fault != "" && near.Mapping == b.mapping {
			t.because(3, quoted(ids[i])+" "+fault+"; the certificate needs "+t.own(b))
			return text + "; about " + quoted(ids[i]) + ": it " + fault
		}
	}
	return text
}

// because keeps the first of the reasons that say most.
func (t *trace) because(rank int, why string) {
	if rank > t.rank {
		t.rank, t.why = rank, why
	}
}

// summary says how the username binding went as a whole.
func (t *trace) summary(s strength) lint.Step {
	step := lint.Step{Name: StepUsername, Outcome: lint.Fail, Detail: "", Source: lint.DeepDive}
	tried := 0
	for i := range t.p.bindings {
		if b := &t.p.bindings[i]; b.usable && (s.affinity != high || b.level(t.p.readings) == high) {
			tried++
		}
	}
	switch {
	case t.value != "":
		step.Outcome, step.Detail = lint.Pass, "the certificate is bound to the user"
	case t.p.bindingsMissing:
		step.Outcome, step.Detail = lint.Warn, "the configuration does not have its certificateUserBindings"
	case t.unknown:
		step.Outcome, step.Detail = lint.Warn, "whether a username binding connects this certificate to "+t.user.name()+" is not known"
	case len(t.p.bindings) == 0:
		step.Detail = "there are no username bindings"
	case tried == 0 && s.affinity == high:
		step.Detail = "high affinity is required and no binding has it, so nobody can sign in with this certificate"
	default:
		step.Detail = "no username binding connects this certificate to " + t.user.name()
		if t.why != "" {
			step.Detail += ": " + t.why
		}
	}
	return step
}

// ruleSteps has one step for each rule.
func (p *Policy) ruleSteps(cert *Certificate, s strength) []lint.Step {
	steps := make([]lint.Step, 0, len(p.config.AuthenticationMode.Rules))
	for i, r := range p.config.AuthenticationMode.Rules {
		step := lint.Step{Name: StepRule, Outcome: lint.Skip, Detail: fmt.Sprintf("rule %d, %v: ", i+1, r), Source: lint.DeepDive}
		deciding := "rule " + strconv.Itoa(s.rule+1)
		how, rank := p.ruleMatch(cert, i)
		switch {
		case how == ruleUnread:
			step.Outcome, step.Source = lint.Warn, lint.GraphRule
			step.Detail += "it cannot be evaluated, so it matches nothing"
		case how == ruleIssuerReversed:
			step.Outcome, step.Source = lint.Warn, lint.GraphRule
			step.Detail += "it would match if its issuer started with the most specific part"
		case how == ruleNeedsReading:
			step.Outcome, step.Source = lint.Warn, lint.GraphRule
			step.Detail += "it would match under another reading"
		case how == ruleHalf:
			step.Detail += "only one of its issuer and its policy OID matches"
		case how == ruleNo:
			step.Detail += "it does not match"
		case i == s.rule:
			step.Outcome = lint.Pass
			step.Detail += "it matches and sets the authentication mode"
			if r.Mode != SingleFactor && r.Mode != MultiFactor {
				step.Outcome, step.Source = lint.Warn, lint.GraphEvolvable
				step.Detail += "; its authentication mode is unknown and counts as single-factor"
			}
		case rank > s.tier:
			step.Detail += "it matches, but " + deciding + " outranks it"
		case (r.Mode == MultiFactor) != (s.mode == MultiFactor):
			step.Detail += "it matches like " + deciding + ", and its other authentication mode does not count"
		default:
			step.Detail += "it matches like " + deciding + ", which comes first"
		}
		steps = append(steps, step)
	}
	return steps
}

// A ruleHow says how one rule relates to a certificate.
type ruleHow uint8

const (
	ruleUnread         ruleHow = iota // no reading makes sense of it
	ruleNo                            // matches nothing of the certificate
	ruleHalf                          // one of the two parts
	ruleIssuerReversed                // all of it if the issuer is read root first
	ruleNeedsReading                  // all of it under another reading
	ruleYes
)

// ruleMatch looks at one rule of the configuration by itself.
func (p *Policy) ruleMatch(cert *Certificate, index int) (best ruleHow, rank tier) {
	for i := p.firstRule[index]; i < p.firstRule[index+1]; i++ {
		r := &p.rules[i]
		rank = r.tier
		issuer, known := p.issuers[cert.issuer]
		issuerOK := r.tier == oidOnly || known && r.issuer == issuer
		oidOK := r.tier == issuerOnly
		for _, oid := range cert.policies {
			oidOK = oidOK || oid == r.oid
		}
		missing := r.needs &^ p.readings
		how := ruleNo
		switch {
		case issuerOK && oidOK && missing == 0:
			how = ruleYes
		case issuerOK && oidOK && missing == 1<<readRootFirst:
			how = ruleIssuerReversed
		case issuerOK && oidOK:
			how = ruleNeedsReading
		case missing&^(1<<readRootFirst) != 0:
			how = ruleUnread
		case issuerOK != oidOK && r.tier == issuerAndOID && missing == 0:
			how = ruleHalf
		}
		best = max(best, how)
	}
	return best, rank
}

func (p *Policy) modeStep(s strength) lint.Step {
	step := lint.Step{Name: StepMode, Outcome: lint.Pass, Detail: s.mode.String(), Source: lint.DeepDive}
	switch {
	case s.rule >= 0:
		step.Detail += fmt.Sprintf(", set by rule %d, %s", s.rule+1, p.config.AuthenticationMode.Rules[s.rule].what())
		if s.conflict {
			step.Outcome = lint.Warn
			step.Detail += "; rules that match equally well have different authentication modes"
		}
	case p.config.AuthenticationMode.Default == s.mode:
		step.Detail += ", the default, because no rule matches"
	default:
		step.Outcome = lint.Warn
		step.Detail += ": no rule matches, and the policy "
		if unknown := p.config.AuthenticationMode.Default; unknown == "" {
			step.Detail += "sets no default (Entra's default is single-factor)"
		} else {
			step.Detail += "has the unknown default " + quoted(string(unknown))
		}
	}
	return step
}

// leaned returns the readings that the mode and the affinity rely on.
func (p *Policy) leaned(cert *Certificate, s strength) readingSet {
	var set readingSet
	if s.lowered {
		set |= 1 << readLowerAffinity
	}
	if s.several {
		set |= 1 << readDecidingAffinity
	}
	if s.conflict && s.tier != oidOnly {
		set |= 1 << readConflict
	}
	return set
}

// assumptions lists the readings that the decision relies on, and all others that
// would change it, with the decision under the other reading.
func (p *Policy) assumptions(cert *Certificate, user *User, d Decision, leaned readingSet) []Assumption {
	var list []Assumption
	for i := range readings {
		q := *p
		q.readings ^= 1 << i
		otherwise := q.Decide(cert, user)
		if changes := d.differs(otherwise); changes || leaned.has(i) {
			text := readings[i].text
			if p.readings.has(i) {
				text = "the opposite of this was chosen: " + text
			}
			list = append(list, Assumption{readings[i].id, text, changes, otherwise})
		}
	}
	if cert.cert == nil {
		return list
	}
	for _, o := range otherOptions(cert.options) {
		if n := len(list); n > 0 && list[n-1].ID == o.id {
			continue // one other reading that changes the outcome is enough
		}
		other, err := NewCertificate(cert.cert, o.options)
		if err != nil {
			continue
		}
		if otherwise := p.Decide(other, user); d.differs(otherwise) {
			list = append(list, Assumption{o.id, o.text, true, otherwise})
		}
	}
	slices.SortStableFunc(list, func(a, b Assumption) int {
		return cmp.Or(cmp.Compare(a.ID[0], b.ID[0]), cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// An otherOption reverses one reading of certificateUserIds.
type otherOption struct {
	id, text string
	options  certuserid.Options
}

func otherOptions(o certuserid.Options) []otherOption {
	serial := o
	serial.BrokenBigEndianSerial = !o.BrokenBigEndianSerial
	list := []otherOption{{"9.2", "the serial number in certificateUserIds is in reversed byte order; Microsoft's own cmdlet does not reverse it", serial}}
	if o.BrokenBigEndianSerial {
		list[0].text = "the serial number in certificateUserIds is not in reversed byte order, as chosen; the documentation reverses it"
	}
	for _, input := range []certuserid.HashInput{certuserid.WholeCertificate, certuserid.PublicKeyInfo, certuserid.PublicKeyBits} {
		if input != o.HashInput {
			hash := o
			hash.HashInput = input
			list = append(list, otherOption{"9.3", fmt.Sprintf("the SHA-1 in certificateUserIds is a hash of the %v, not of the %v", o.HashInput, input), hash})
		}
	}
	return list
}

// fieldName names for people what a mapping looks at in a certificate.
func fieldName(m certuserid.Mapping) string {
	switch m {
	case certuserid.PrincipalName:
		return "user principal name in its subjectAltName"
	case certuserid.RFC822Name:
		return "e-mail address in its subjectAltName"
	case certuserid.IssuerAndSubject:
		return "issuer and subject"
	case certuserid.Subject:
		return "subject"
	case certuserid.SKI:
		return "subject key identifier"
	case certuserid.SHA1PublicKey:
		return "SHA-1"
	case certuserid.IssuerAndSerialNumber:
		return "issuer and serial number"
	}
	return "known field"
}

// String returns "single-factor", "multifactor", or an unknown text in quotes.
func (m AuthenticationMode) String() string {
	switch m {
	case SingleFactor:
		return "single-factor"
	case MultiFactor:
		return "multifactor"
	case "":
		return "unspecified mode"
	}
	return quoted(string(m))
}

// affinityText is an affinity for people.
func affinityText(a certuserid.Affinity) string {
	switch a {
	case certuserid.Low, certuserid.High:
		return string(a)
	case "":
		return "unspecified"
	}
	return quoted(string(a))
}

func quoted(text string) string { return strconv.Quote(wire.Clip(text)) }
