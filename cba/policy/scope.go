package policy

import (
	"fmt"
	"strings"

	"example.com/entracba/cba/keyid"
	"example.com/entracba/cba/lint"
)

// CRLRequired reports whether a certificate of a CA without a CRL is refused. An
// unknown state requires a CRL.
func (p *Policy) CRLRequired() bool {
	if p == nil {
		return true
	}
	state := p.config.CRLValidation.State
	return state != "" && state != Disabled
}

// CRLExempt reports whether a CA, by its subject key identifier, is exempted from
// [Policy.CRLRequired]. Whether the CRL of an exempted CA that has one is still
// checked is not documented (open question 9.32).
func (p *Policy) CRLExempt(ca keyid.ID) bool { return p.usable().exempt[ca] }

// IssuerHints reports whether clients are told from which CAs to offer
// certificates.
func (p *Policy) IssuerHints() bool { return p.usable().config.IssuerHints.State == Enabled }

// A ScopeDecision says whether the CA scopes let a user in with a certificate of a
// chain. The zero value refuses.
type ScopeDecision struct {
	// Restricted: a scope names a CA of the chain.
	Restricted bool `json:"restricted"`
	// Allowed: no scope names one, or the user is in the group of one that does.
	// The service refuses with AADSTS500189 otherwise.
	Allowed bool `json:"allowed"`
	// Undecided: what is known neither lets the user in nor refuses. The groups of the
	// user are not known, or a scope cannot be read, or the configuration does not have
	// its scopes.
	Undecided bool `json:"undecided,omitempty"`
	// ScopeIndex is the scope of the configuration that let the user in, or -1.
	ScopeIndex int `json:"scopeIndex"`
}

// CAScope evaluates the CA scopes. chain has the subject key identifiers of the CAs
// above the user's certificate, from the one that issued it to the root.
//
// It climbs the chain and applies every scope until the user is in the group of
// one. A chain that no scope names is unrestricted, which the documentation does
// not say outright (open question 9.33).
func (p *Policy) CAScope(user *User, chain []keyid.ID) ScopeDecision {
	d, _ := p.caScope(user, chain, false)
	return d
}

// ExplainCAScope is [Policy.CAScope] with a step for each scope that was applied.
func (p *Policy) ExplainCAScope(user *User, chain []keyid.ID) (ScopeDecision, []lint.Step) {
	return p.caScope(user, chain, true)
}

func (p *Policy) caScope(user *User, chain []keyid.ID, explain bool) (ScopeDecision, []lint.Step) {
	if user == nil {
		user = &User{}
	}
	d := ScopeDecision{ScopeIndex: -1}
	var steps []lint.Step
	if p == nil || p.tables == nil {
		if explain {
			steps = []lint.Step{{Name: StepScope, Outcome: lint.Fail, Detail: "there is no configuration", Source: lint.DeepDive}}
		}
		return d, steps
	}
	note := func(outcome lint.Outcome, format string, args ...any) {
		if explain {
			steps = append(steps, lint.Step{Name: StepScope, Outcome: outcome, Detail: fmt.Sprintf(format, args...), Source: lint.DeepDive})
		}
	}
	possible := false // a group that may have the user
	for _, ski := range chain {
		for _, i := range p.scopes[ski] {
			d.Restricted = true
			scope := p.config.CertificateAuthorityScopes[i]
			how, outcome := scope.has(user), lint.Skip
			if how == inside {
				d.Allowed, d.ScopeIndex, outcome = true, i, lint.Pass
			}
			possible = possible || how == perhaps
			note(outcome, "CA scope %d, CA %s of PKI %s: %s its group %s", i+1, strings.ToUpper(string(ski)),
				quoted(scope.PublicKeyInfrastructureIdentifier), how.words(), targetIDs(scope.IncludeTargets))
			if d.Allowed {
				return d, steps
			}
		}
	}
	named, all := d.Restricted, true
	for _, i := range p.anywhere {
		scope := p.config.CertificateAuthorityScopes[i]
		how := scope.has(user)
		d.Restricted, possible, all = true, possible || how != outside, all && how == inside
		note(lint.Warn, "CA scope %d has the subject key identifier %s, which cannot be read, so it may restrict this chain: %s its group %s",
			i+1, quoted(scope.SubjectKeyIdentifier), how.words(), targetIDs(scope.IncludeTargets))
	}
	switch {
	case p.scopesMissing:
		d.Restricted, d.Undecided = true, true
		note(lint.Warn, "the configuration does not have its certificateAuthorityScopes, so it is not known whether one restricts this chain")
	case !named && all:
		d.Allowed = true
		switch {
		case len(p.config.CertificateAuthorityScopes) == 0:
			note(lint.Pass, "no CA is restricted to a group")
		case d.Restricted:
			note(lint.Pass, "the user is in the group of every CA scope that may restrict this chain")
		default:
			note(lint.Pass, "no CA scope names a CA of this chain, so the chain is assumed to be unrestricted (9.33)")
		}
	case possible || !named:
		d.Undecided = true
		note(lint.Warn, "whether a CA scope of this chain keeps the user out is not known")
	default:
		note(lint.Fail, "the user is in none of the groups of the CA scopes of this chain: AADSTS500189")
	}
	return d, steps
}

// words says whether the user is in a group, for a sentence that goes on with the
// group.
func (m membership) words() string {
	switch m {
	case inside:
		return "the user is in"
	case perhaps:
		return "it is not known whether the user is in"
	}
	return "the user is not in"
}

// has reports whether a scope lets the user in.
func (s AuthorityScope) has(user *User) membership {
	best := outside
	for _, target := range s.IncludeTargets {
		best = max(best, isIn(user, target))
	}
	return best
}

// isIn reports whether a target of a scope has the user.
func isIn(user *User, target Target) membership {
	switch {
	case objectID(target.ID) == "":
		return outside
	case objectID(target.ID) == AllUsersID:
		return inside
	case target.Type == UserTarget && user.ID == "" && user.lacks(ObjectID):
		return perhaps
	case target.Type == UserTarget && objectID(target.ID) == strings.ToLower(user.ID):
		return inside
	case target.Type != GroupTarget:
		return outside
	}
	for _, list := range [...][]DirectoryObject{user.MemberOf, user.TransitiveMemberOf} {
		for _, group := range list {
			if objectID(target.ID) == strings.ToLower(group.ID) {
				return inside
			}
		}
	}
	return user.elsewhere()
}

func targetIDs(list []Target) string {
	if len(list) == 0 {
		return "(none)"
	}
	ids := make([]string, 0, len(list))
	for _, target := range list {
		ids = append(ids, quoted(target.ID))
	}
	return strings.Join(ids, ", ")
}
