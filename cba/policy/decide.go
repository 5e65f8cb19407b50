package policy

import (
	"strings"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/internal/text"
)

// A Decision is what a configuration decides for one certificate and one user. The
// zero Decision refuses.
//
// It says nothing about the chain, revocation, validity and CA scopes: a sign-in
// needs them too.
type Decision struct {
	// Enabled: certificate-based authentication is enabled in the tenant.
	Enabled bool `json:"enabled"`
	// InScope: an include target contains the user, and no exclude target does.
	InScope bool `json:"inScope"`
	// Bound: a username binding connects the certificate to the user.
	Bound bool `json:"bound"`
	// AuthenticationMode says whether the certificate counts as one factor or as
	// several, whether the user is bound or not.
	AuthenticationMode AuthenticationMode `json:"authenticationMode"`
	// RequiredAffinity is what a username binding had to have.
	RequiredAffinity certuserid.Affinity `json:"requiredAffinity"`
	// RuleIndex is the rule of the configuration that set the mode, or -1 for the
	// default.
	RuleIndex int `json:"ruleIndex"`
	// BindingIndex is the username binding of the configuration that matched, or
	// -1.
	BindingIndex int `json:"bindingIndex"`
	// EnabledUnknown, ScopeUnknown and BindingUnknown: Enabled, InScope or Bound is
	// false only because it is not known; what is missing of the user
	// ([User.Missing]) or of the configuration could make it true.
	EnabledUnknown bool `json:"enabledUnknown,omitempty"`
	ScopeUnknown   bool `json:"scopeUnknown,omitempty"`
	BindingUnknown bool `json:"bindingUnknown,omitempty"`
}

// SignsIn reports whether nothing in the configuration refuses the sign-in.
func (d Decision) SignsIn() bool { return d.Enabled && d.InScope && d.Bound }

// Undecided reports whether what is not known decides: nothing that is known is
// against the sign-in, and [Decision.SignsIn] is false.
func (d Decision) Undecided() bool {
	return !d.SignsIn() && (d.Enabled || d.EnabledUnknown) && (d.InScope || d.ScopeUnknown) && (d.Bound || d.BindingUnknown)
}

// differs reports whether two decisions on one user have different outcomes:
// whether the user is bound, and the mode. Which of two rules or bindings led there
// does not count.
func (d Decision) differs(other Decision) bool {
	return d.Bound != other.Bound || d.BindingUnknown != other.BindingUnknown || d.AuthenticationMode != other.AuthenticationMode
}

// Decide returns the decision for a certificate and the user whose name was
// typed. It allocates nothing. [Policy.Explain] gives the same decision with its
// reasons.
func (p *Policy) Decide(cert *Certificate, user *User) Decision {
	var d Decision
	p.decide(cert, user, &d, nil)
	return d
}

// decide fills in d, and the trace t if there is one.
func (p *Policy) decide(cert *Certificate, user *User, d *Decision, t *trace) {
	p = p.usable()
	if cert == nil {
		cert = &Certificate{}
	}
	if user == nil {
		user = &User{}
	}
	d.Enabled = p.config.State == Enabled
	d.EnabledUnknown = p.stateMissing
	_, included := p.include.find(user)
	_, excluded := p.exclude.find(user)
	d.InScope = included == inside && excluded == outside
	d.ScopeUnknown = !d.InScope && included != outside && excluded != inside
	strength := p.strength(cert)
	d.AuthenticationMode, d.RuleIndex = strength.mode, strength.rule
	d.RequiredAffinity = strength.affinity.level()
	d.BindingIndex, d.BindingUnknown = p.bind(cert, user, strength.affinity, t)
	d.Bound = d.BindingIndex >= 0
}

// A strength is the outcome of the authentication binding.
type strength struct {
	mode     AuthenticationMode
	rule     int // in the configuration, or -1
	tier     tier
	affinity affinity
	conflict bool // the rules of the deciding tier disagree
	lowered  bool // a matching rule asks for low where high is required
	several  bool // a matching rule that does not decide requires high
}

// A verdict is what the matching rules of one tier say: the rules that are first
// in the configuration, as indexes into Policy.rules, or -1.
type verdict struct {
	single, multi int32
}

// strength evaluates the rules (Learn, technical deep dive, "Determine the
// authentication binding"): issuer and OID, then OID, then issuer, then the
// default; disagreement gives single-factor.
func (p *Policy) strength(cert *Certificate) strength {
	verdicts := [tiers]verdict{{-1, -1}, {-1, -1}, {-1, -1}}
	var stated, demand affinity // over all rules that match
	lowered := false
	issuer, known := int32(noIssuer), false
	if len(p.issuers) > 0 && cert.issuer != "" {
		issuer, known = p.issuers[cert.issuer]
	}
	match := func(number int32) {
		r := &p.rules[number]
		if r.needs&^p.readings != 0 {
			return
		}
		v := &verdicts[r.tier]
		slot := &v.single
		if r.multi {
			slot = &v.multi
		}
		if *slot < 0 || r.index < p.rules[*slot].index {
			*slot = number
		}
		stated, demand = max(stated, min(r.affinity, low)), max(demand, r.affinity)
		lowered = lowered || r.affinity == low
	}
	if len(p.byOID) > 0 {
		for _, oid := range cert.policies {
			for _, number := range p.byOID[oid] {
				if r := &p.rules[number]; r.tier == oidOnly || known && r.issuer == issuer {
					match(number)
				}
			}
		}
	}
	if known {
		for _, number := range p.byIssuer[issuer] {
			match(number)
		}
	}

	s := strength{mode: SingleFactor, rule: -1, tier: tiers}
	if p.config.AuthenticationMode.Default == MultiFactor {
		s.mode = MultiFactor
	}
	deciding := int32(-1)
	for rank, v := range verdicts {
		if v.single < 0 && v.multi < 0 {
			continue
		}
		s.tier = tier(rank)
		s.conflict = v.single >= 0 && v.multi >= 0
		multi := v.single < 0 || s.conflict && s.tier != oidOnly && p.readings.has(readConflict)
		s.mode, deciding = SingleFactor, v.single
		if multi {
			s.mode, deciding = MultiFactor, v.multi
		}
		s.rule = p.rules[deciding].index
		break
	}

	if deciding >= 0 {
		s.several = demand == high && p.rules[deciding].affinity != high
		if p.readings.has(readDecidingAffinity) {
			demand = p.rules[deciding].affinity
			stated = min(demand, low)
		}
	}
	s.affinity = max(p.defaultAffinity, demand)
	s.lowered = p.defaultAffinity == high && lowered
	if stated != unstated && p.readings.has(readLowerAffinity) {
		s.affinity = demand
	}
	return s
}

// bind walks the username bindings and returns the index in the configuration of
// the one that matches, or -1; unknown says that one may match, of those whose
// property of the user is not known.
func (p *Policy) bind(cert *Certificate, user *User, required affinity, t *trace) (found int, unknown bool) {
	found, unknown = -1, p.bindingsMissing
	for i := range p.bindings {
		b := &p.bindings[i]
		var how match
		switch {
		case found >= 0:
			how.result = afterMatch
		case !b.usable, b.respelled && p.readings.has(readExactProperty):
			how.result = unusable
		case required == high && b.level(p.readings) != high:
			how.result = dropped
		default:
			how = p.try(b, cert, user)
		}
		if how.result == matched {
			found = b.index
		}
		if t != nil {
			t.tried(b, how)
		} else if found >= 0 {
			break
		}
		unknown = unknown || how.result == unasked
		if (how.result == mismatch || how.result == unasked) && p.readings.has(readStop) {
			if t != nil {
				t.stopped()
			}
			break
		}
	}
	return found, unknown && found < 0
}

// A match says how a binding went.
type match struct {
	result result
	value  string // of the user, that matched
	leaned bool   // it matched only because letter case or a leading byte was ignored
	other  bool   // it matched by a name that is not the first
}

type result uint8

const (
	absent     result = iota // the certificate has no such field
	mismatch                 // the user's property is another or empty
	matched                  // it is the same
	dropped                  // low affinity where high is required
	unasked                  // the user's property is not known
	unusable                 // not a binding that the service has
	afterMatch               // not tried, for an earlier one matched
)

// try compares one field of the certificate with one property of the user.
func (p *Policy) try(b *binding, cert *Certificate, user *User) match {
	id := cert.id(b.mapping)
	if id.Mapping() == "" {
		return match{}
	}
	if b.property == CertificateUserIDs {
		var assumed match
		for _, stored := range user.AuthorizationInfo.CertificateUserIDs {
			switch cert.values.Fit(id.Mapping(), stored) {
			case certuserid.Exact:
				return match{result: matched, value: stored}
			case certuserid.Assumed:
				assumed = match{result: matched, value: stored, leaned: true}
			}
		}
		if assumed.leaned && !p.readings.has(readExactIDs) {
			return assumed
		}
	} else {
		want := user.UserPrincipalName
		if b.property == OnPremisesUserPrincipalName {
			want = user.OnPremisesUserPrincipalName
		}
		if same, leaned := p.sameName(id.Value(), want); same {
			return match{result: matched, value: want, leaned: leaned}
		}
	}
	if p.readings.has(readAnyName) {
		if value, ok := p.tryOtherNames(b, cert, user); ok {
			return match{result: matched, value: value, other: true}
		}
	}
	if user.lacks(b.property) {
		return match{result: unasked}
	}
	return match{result: mismatch}
}

// sameName compares a name of the certificate with a user principal name.
// leaned says that only their letter case differs. An empty name matches nothing.
func (p *Policy) sameName(name, upn string) (same, leaned bool) {
	switch {
	case upn == "":
		return false, false
	case name == upn:
		return true, false
	}
	return !p.readings.has(readExactNames) && text.EqualFold(name, upn), true
}

// tryOtherNames compares the names behind the first.
func (p *Policy) tryOtherNames(b *binding, cert *Certificate, user *User) (value string, ok bool) {
	kind, tag := upns, "X509:<PN>"
	switch b.mapping {
	case certuserid.PrincipalName:
	case certuserid.RFC822Name:
		kind, tag = emails, "X509:<RFC822>"
	default:
		return "", false
	}
	for _, name := range cert.names[kind] {
		switch b.property {
		case CertificateUserIDs:
			for _, stored := range user.AuthorizationInfo.CertificateUserIDs {
				if rest, found := strings.CutPrefix(stored, tag); found && rest != "" && text.EqualFold(rest, name) {
					return stored, true
				}
			}
		case UserPrincipalName:
			if same, _ := p.sameName(name, user.UserPrincipalName); same {
				return user.UserPrincipalName, true
			}
		case OnPremisesUserPrincipalName:
			if same, _ := p.sameName(name, user.OnPremisesUserPrincipalName); same {
				return user.OnPremisesUserPrincipalName, true
			}
		}
	}
	return "", false
}
