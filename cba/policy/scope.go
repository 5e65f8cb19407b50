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
	for _, ski := range chain {
		for _, i := range p.scopes[ski] {
			d.Restricted = true
			scope := p.config.CertificateAuthorityScopes[i]
			step := lint.Step{Name: StepScope, Outcome: lint.Skip, Source: lint.DeepDive}
			for _, target := range scope.IncludeTargets {
				if isIn(user, target) {
					d.Allowed, d.ScopeIndex = true, i
					step.Outcome = lint.Pass
				}
			}
			if !explain {
				if d.Allowed {
					return d, nil
				}
				continue
			}
			not := ""
			if !d.Allowed {
				not = "not "
			}
			step.Detail = fmt.Sprintf("CA scope %d, CA %s of PKI %s: the user is %sin its group %s",
				i+1, strings.ToUpper(string(ski)), quoted(scope.PublicKeyInfrastructureIdentifier), not, targetIDs(scope.IncludeTargets))
			steps = append(steps, step)
			if d.Allowed {
				return d, steps
			}
		}
	}
	d.Allowed = !d.Restricted
	if explain {
		last := lint.Step{Name: StepScope, Outcome: lint.Pass, Source: lint.DeepDive}
		switch {
		case len(p.config.CertificateAuthorityScopes) == 0:
			last.Detail = "no CA is restricted to a group"
		case d.Allowed:
			last.Detail = "no CA scope names a CA of this chain, so the chain is assumed to be unrestricted (9.33)"
		default:
			last.Outcome, last.Detail = lint.Fail, "the user is in none of the groups of the CA scopes of this chain: AADSTS500189"
		}
		steps = append(steps, last)
	}
	return d, steps
}

// isIn reports whether a target of a scope has the user.
func isIn(user *User, target Target) bool {
	switch {
	case target.ID == "":
		return false
	case strings.EqualFold(target.ID, AllUsersID):
		return true
	case target.Type == UserTarget:
		return strings.EqualFold(target.ID, user.ID)
	case target.Type != GroupTarget:
		return false
	}
	for _, group := range user.MemberOf {
		if strings.EqualFold(group.ID, target.ID) {
			return true
		}
	}
	return false
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
