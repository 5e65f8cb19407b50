package lifecycle

import (
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/lint"
)

// A Renewal is the plan for a new certificate of somebody who had one. Findings of
// severity error say what of it cannot be done.
type Renewal struct {
	User string `json:"user"`
	// Steps are in the order of their times. A plan without steps needs none: the
	// account's values fit the new certificate already.
	Steps    []Step        `json:"steps"`
	Findings lint.Findings `json:"findings"`
}

// RenewalOptions choose what a plan leaves open. The zero value works.
type RenewalOptions struct {
	// Mappings are those to bind the new certificate by, the most important first.
	// Nil means those by which the account's values name the old ones, and
	// subject key identifier if there are none.
	Mappings []certuserid.Mapping
	// IDs chooses between the forms of the values.
	IDs certuserid.Options
}

var (
	renewalFull    = rule{"renewal-full", lint.Error, lint.LocksOut, "remove a value that nobody needs, or ask for fewer mappings", fromUserIDs}
	renewalLater   = rule{"renewal-later", lint.Warning, lint.LocksOut, "remove a value that nobody needs to have it at once", fromUserIDs}
	renewalValue   = rule{"renewal-value", lint.Error, lint.LocksOut, "bind by another mapping", fromUserIDs}
	renewalNoField = rule{"renewal-no-field", lint.Error, lint.LocksOut, "bind by another mapping", fromUserIDs}
	renewalSynced  = rule{"renewal-synced", lint.Error, lint.LocksOut, "write altSecurityIdentities in Active Directory and let Microsoft Entra Connect carry them: Graph cannot write these values", fromUserIDs}
	renewalSameKey = rule{"renewal-same-key", lint.Info, 0, "make a new key with every certificate, unless the key is on a card: the value by key identifier then outlives the old certificate", fromDeepDive}
	renewalOther   = rule{"renewal-other-name", lint.Warning, lint.LetsIn, "see that it is the same person: the old certificate has another principal name", fromDeepDive}
	renewalUnknown = rule{"renewal-unknown-value", lint.Info, 0, "look whose it is: it stays", fromUserIDs}
	renewalNotNow  = rule{"renewal-not-valid", lint.Error, lint.LocksOut, "give a certificate that is valid", fromDeepDive}
)

// PlanRenewal plans how the account's certificateUserIds come to fit a renewed
// certificate. held are the person's other certificates, the one that is renewed
// among them; at is when the plan begins.
//
// Values of the new certificate are added at once. Values that fit none but held
// certificates are removed once the last of those has expired or is revoked: at
// once, or in a later step. A value that the new certificate shares with an old
// one stays, and so does every value that is nobody's of the list.
//
// If the ten values do not suffice, what is dead goes first, then the mappings
// count in their order; what finds no room waits for the step that makes room, or
// is an error in the findings.
//
// The error says what of the input is missing.
func PlanRenewal(account Account, renewed *x509.Certificate, held []Held, at time.Time, o RenewalOptions) (Renewal, error) {
	if err := check(account, held, at); err != nil {
		return Renewal{}, err
	}
	if renewed == nil {
		return Renewal{}, errors.New("lifecycle: there is no renewed certificate")
	}
	held = slices.DeleteFunc(slices.Clone(held), func(h Held) bool { return h.Certificate.Equal(renewed) })
	p := renewalPlan{account: account, at: at.UTC(), fresh: o.IDs.Values(renewed), plan: Renewal{User: account.User}}
	p.look(renewed, held)
	p.removals(held, o.IDs)
	p.additions(o.Mappings)
	return p.plan, nil
}

// Apply applies every step whose time has come to a set, which may have changed
// since the plan was made. The error is that of [Step.Apply]; the set is returned
// unchanged then.
func (r Renewal) Apply(set certuserid.Set, at time.Time) (certuserid.Set, error) {
	changed := set
	for _, step := range r.Steps {
		if at.Before(step.NotBefore) {
			continue
		}
		var err error
		if changed, err = step.Apply(changed); err != nil {
			return set, err
		}
	}
	return changed, nil
}

// A renewalPlan is a plan being made.
type renewalPlan struct {
	account Account
	at      time.Time
	fresh   *certuserid.Values
	used    []certuserid.Mapping // by which the values name certificates of the list
	plan    Renewal
}

func (p *renewalPlan) add(r rule, where, format string, args ...any) {
	p.plan.Findings = append(p.plan.Findings, r.finding(where, format, args...))
}

// look finds what is odd about the certificates.
func (p *renewalPlan) look(renewed *x509.Certificate, held []Held) {
	if p.account.Synced {
		p.add(renewalSynced, p.account.User, "is synchronised from Active Directory")
	}
	if p.at.Before(renewed.NotBefore) || p.at.After(renewed.NotAfter) {
		p.add(renewalNotNow, "renewed certificate", "is valid from %s to %s", showTime(renewed.NotBefore), showTime(renewed.NotAfter))
	}
	upn, err := p.fresh.ID(certuserid.PrincipalName)
	for _, h := range held {
		old, oldErr := certuserid.FromCertificate(h.Certificate, certuserid.PrincipalName)
		if err == nil && oldErr == nil && p.fresh.Fit(certuserid.PrincipalName, old.String()) == certuserid.Unfit {
			p.add(renewalOther, "renewed certificate", "has %s, an old one %s", upn, old)
		}
		if ski, err := certuserid.FromCertificate(h.Certificate, certuserid.SKI); err == nil &&
			p.fresh.Fit(certuserid.SKI, ski.String()) != certuserid.Unfit {
			p.add(renewalSameKey, "renewed certificate", "has the key of an old one: %s", ski)
		}
	}
}

// removals plans when each value goes.
func (p *renewalPlan) removals(held []Held, o certuserid.Options) {
	p.plan.Steps = []Step{{NotBefore: p.at}}
	old := make([]*certuserid.Values, len(held))
	for i, h := range held {
		old[i] = o.Values(h.Certificate)
	}
	for _, value := range p.account.IDs.Values() {
		mapping, shared := fits(p.fresh, value)
		var end time.Time
		owned := shared
		for i, values := range old {
			if m, ok := fits(values, value); ok {
				mapping, owned = m, true
				if e := held[i].end(); e.After(end) {
					end = e
				}
			}
		}
		switch {
		case !owned:
			p.add(renewalUnknown, value, "fits none of the certificates")
			continue
		case !shared:
			step := p.step(end)
			step.Remove = append(step.Remove, value)
		}
		p.used = appendNew(p.used, mapping)
	}
	slices.Sort(p.used)
}

// step returns the step at a time, the first one if that is past.
func (p *renewalPlan) step(at time.Time) *Step {
	if at.Before(p.at) {
		at = p.at
	}
	i, found := slices.BinarySearchFunc(p.plan.Steps, at, func(s Step, t time.Time) int { return s.NotBefore.Compare(t) })
	if !found {
		p.plan.Steps = slices.Insert(p.plan.Steps, i, Step{NotBefore: at})
	}
	return &p.plan.Steps[i]
}

// additions puts the new values into the first step that has room for them.
func (p *renewalPlan) additions(mappings []certuserid.Mapping) {
	if mappings == nil {
		if mappings = p.used; len(mappings) == 0 {
			mappings = []certuserid.Mapping{certuserid.SKI}
		}
	}
	var waiting []string
	for _, m := range mappings {
		id, err := p.fresh.ID(m)
		if err != nil {
			p.add(renewalNoField, "renewed certificate", "%v", err)
			continue
		}
		value := id.String()
		if p.account.IDs.Has(value) || slices.Contains(waiting, value) {
			continue
		}
		if _, err := certuserid.NewSet(value); err != nil {
			p.add(renewalValue, value, "%v", err)
			continue
		}
		waiting = append(waiting, value)
	}
	set := p.account.IDs
	for i := range p.plan.Steps {
		step := &p.plan.Steps[i]
		for _, value := range step.Remove {
			set.Remove(value)
		}
		room := min(certuserid.MaxValues-set.Len(), len(waiting))
		step.Add, waiting = slices.Clone(waiting[:room]), waiting[room:]
		if err := set.Add(step.Add...); err != nil { // each was checked, and there is room
			p.add(renewalValue, p.account.User, "%v", err)
		}
		if i > 0 {
			for _, value := range step.Add {
				p.add(renewalLater, value, "finds room on %s, when an old value goes", showTime(step.NotBefore))
			}
		}
	}
	for _, value := range waiting {
		p.add(renewalFull, value, "finds no room: the account has %d values", set.Len())
	}
	p.plan.Steps = slices.DeleteFunc(p.plan.Steps, Step.isEmpty)
}

func showTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }
