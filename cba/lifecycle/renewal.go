package lifecycle

import (
	"crypto/x509"
	"slices"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/snapshot"
)

// A Renewal is the plan for a new certificate of somebody who had one. Findings of
// severity error say what cannot be done.
type Renewal struct {
	User string `json:"user"`
	// Steps are in the order of their times. There are none if the account's values
	// match the new certificate already.
	Steps    []Step        `json:"steps"`
	Findings lint.Findings `json:"findings"`
}

// RenewalOptions are the options of [PlanRenewal]. The zero value works.
type RenewalOptions struct {
	// Mappings say how to bind the new certificate, the most important mapping
	// first. Nil means the mappings of the account's values for the old
	// certificates, or the subject key identifier if there are none.
	Mappings []certuserid.Mapping
	// IDs chooses between forms of the values.
	IDs certuserid.Options
}

// PlanRenewal plans how the account's certificateUserIds come to match a renewed
// certificate. held are the person's other certificates, including the one that is
// replaced; at is the time at which the plan begins.
//
// Values of the new certificate are added at once. A value that matches only held
// certificates is removed when the last of them has expired or is revoked: at once,
// or in a later step. A value that the new certificate shares with an old one
// stays, and so does every value that matches no certificate of the list.
//
// If ten values are not enough, values of expired and revoked certificates go
// first. Then the mappings count in their order: a value without room waits for the
// step that makes room, or is an error among the findings.
//
// The error is [NoUser], [NoTime] or [NoCertificate].
func PlanRenewal(account Account, renewed *x509.Certificate, held []HeldCertificate, at time.Time, o RenewalOptions) (Renewal, error) {
	if err := check(account, held, at); err != nil {
		return Renewal{}, err
	}
	if err := checkCertificate(renewed, "the renewed certificate"); err != nil {
		return Renewal{}, err
	}
	held = slices.DeleteFunc(slices.Clone(held), func(h HeldCertificate) bool { return h.Certificate.Equal(renewed) })
	p := renewalPlan{account: account, at: at.UTC(), fresh: o.IDs.Values(renewed), plan: Renewal{User: account.User}}
	p.look(renewed, held)
	p.removals(held, o.IDs)
	p.additions(o.Mappings)
	return p.plan, nil
}

// Edit returns the steps whose time has come as one edit, for
// graph.Client.PlanUsers. It is empty if there are none.
func (r Renewal) Edit(at time.Time) snapshot.Edit {
	e := snapshot.Edit{User: r.User}
	for _, step := range r.Steps {
		if !at.Before(step.NotBefore) {
			e.Remove, e.Add = append(e.Remove, step.Remove...), append(e.Add, step.Add...)
		}
	}
	return e
}

// Apply applies every step whose time has come to a set, which may have changed
// since the plan was made. The error is that of [Step.Apply]; the set is then
// returned unchanged.
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
	used    []certuserid.Mapping // of the values that match certificates of the list
	plan    Renewal
}

func (p *renewalPlan) add(r lint.Rule, where, format string, args ...any) {
	p.plan.Findings = append(p.plan.Findings, r.At(where, "", format, args...))
}

// atRenewed is the place of findings about the new certificate.
const atRenewed = "renewed certificate"

// look checks the certificates.
func (p *renewalPlan) look(renewed *x509.Certificate, held []HeldCertificate) {
	if p.account.Synced {
		p.add(renewalSynced, p.account.User, "")
	}
	if p.at.Before(renewed.NotBefore) || p.at.After(renewed.NotAfter) {
		p.add(renewalNotNow, atRenewed, "is valid from %s until %s", text.Time(renewed.NotBefore), text.Time(renewed.NotAfter))
	}
	upn, err := p.fresh.ID(certuserid.PrincipalName)
	for _, h := range held {
		old, oldErr := certuserid.FromCertificate(h.Certificate, certuserid.PrincipalName)
		if err == nil && oldErr == nil && p.fresh.Fit(certuserid.PrincipalName, old.String()) == certuserid.Unfit {
			p.add(renewalOther, atRenewed, "has %s, and an old certificate has %s", upn, old)
		}
		if ski, err := certuserid.FromCertificate(h.Certificate, certuserid.SKI); err == nil &&
			p.fresh.Fit(certuserid.SKI, ski.String()) != certuserid.Unfit {
			p.add(renewalSameKey, atRenewed, "has the key of an old certificate: %s", ski)
		}
	}
}

// removals plans when each value is removed.
func (p *renewalPlan) removals(held []HeldCertificate, o certuserid.Options) {
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
			p.add(renewalUnknown, value, "")
			continue
		case !shared:
			step := p.step(end)
			step.Remove = append(step.Remove, value)
		}
		p.used = appendNew(p.used, mapping)
	}
	p.used = slices.DeleteFunc(certuserid.Mappings(), func(m certuserid.Mapping) bool { return !slices.Contains(p.used, m) })
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

// additions puts each new value into the first step that has room for it.
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
			p.add(renewalNoField, atRenewed, "%v", err)
			continue
		}
		if value := id.String(); !p.account.IDs.Has(value) {
			waiting = appendNew(waiting, value)
		}
	}
	set := p.account.IDs
	for i := range p.plan.Steps {
		step := &p.plan.Steps[i]
		for _, value := range step.Remove {
			set.Remove(value)
		}
		room := min(certuserid.MaxValues-set.Len(), len(waiting))
		step.Add, waiting = slices.Clone(waiting[:room]), waiting[room:]
		if err := set.Add(step.Add...); err != nil { // there is room, and none is in the set
			p.add(renewalFull, p.account.User, "%v", err)
		}
		if i > 0 {
			for _, value := range step.Add {
				p.add(renewalLater, value, "can be added on %s, when an old value is removed", text.Time(step.NotBefore))
			}
		}
	}
	for _, value := range waiting {
		p.add(renewalFull, value, "has no room: the account has %d values", set.Len())
	}
	p.plan.Steps = slices.DeleteFunc(p.plan.Steps, Step.isEmpty)
}
