package graph

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/internal/enum"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/cba/trust"
)

// A TrustAction is what a step does to the PKI-based store. The zero value is unset.
// Steps are made in the order of the constants: objects are created before others are
// deleted.
type TrustAction uint8

const (
	AddPKI          TrustAction = iota + 1 // creates an empty PKI
	RenamePKI                              // gives a PKI its new name
	AddAuthority                           // creates a CA
	ChangeAuthority                        // changes properties of a CA
	RemoveAuthority                        // moves a CA to the deleted items
	RemovePKI                              // moves a PKI with its CAs to the deleted items
)

var actions = enum.Of[TrustAction]("graph: trust action", "create PKI", "rename PKI", "create CA", "change CA", "delete CA", "delete PKI")

// String returns the action in words.
func (a TrustAction) String() string { return actions.String(a) }

// MarshalText writes the text of [TrustAction.String]; an unset or unknown action is
// an error.
func (a TrustAction) MarshalText() ([]byte, error) { return actions.Marshal(a) }

// UnmarshalText reads what MarshalText wrote.
func (a *TrustAction) UnmarshalText(text []byte) error { return actions.Unmarshal(a, text) }

// A TrustStep is one change of a trust store.
type TrustStep struct {
	Action TrustAction
	// PKI and PKIID are the name and id of the PKI; the id is empty where it is not
	// created yet, and both are for the classic store. Name is its new name.
	PKI, PKIID, Name string
	// Authority is the wanted CA, or the one that is deleted.
	Authority   trust.Authority
	Differences snapshot.Differences // of a change
}

// String returns the step, with one line for each property that changes.
func (s TrustStep) String() string {
	text := fmt.Sprintf("%v %q", s.Action, s.PKI)
	switch s.Action {
	case RenamePKI:
		text += fmt.Sprintf(" to %q", s.Name)
	case AddAuthority, ChangeAuthority, RemoveAuthority:
		text = fmt.Sprintf("%v %q of ", s.Action, cmp.Or(s.Authority.DisplayName, s.Authority.Thumbprint, s.Authority.ID))
		if s.PKI == "" {
			text += "the classic store"
		} else {
			text += fmt.Sprintf("PKI %q", s.PKI)
		}
	}
	for _, d := range s.Differences {
		text += "\n  " + d.String()
	}
	return text
}

// key tells steps apart: a CA and the one that it was renewed from can have one name.
func (s TrustStep) key() string { return fmt.Sprintf("%s\n%x", s, s.Authority.Certificate) }

// A TrustPlan is a planned change of the PKI-based store.
type TrustPlan struct {
	Before, After trust.PKIs
	Steps         []TrustStep
	gone          []goneCA
}

// A goneCA is a CA that has not expired and is in no PKI after the change.
type goneCA struct {
	authority trust.Authority
	finding   lint.Finding
}

// Empty reports whether there is nothing to do.
func (p TrustPlan) Empty() bool { return len(p.Steps) == 0 }

// LocksOut returns a finding for every CA that is deleted although it has not expired
// and is in no other PKI: users whose certificates it issued can then no longer sign
// in, unless the classic store contains it.
func (p TrustPlan) LocksOut() lint.Findings {
	var locks lint.Findings
	for _, g := range p.gone {
		locks = append(locks, g.finding)
	}
	return locks
}

// String returns the steps, one after the other.
func (p TrustPlan) String() string {
	lines := make([]string, len(p.Steps))
	for i, s := range p.Steps {
		lines[i] = s.String()
	}
	return strings.Join(lines, "\n")
}

// PlanTrust reads the PKI-based store and plans the changes that make it the given
// one. PKIs are matched by id, else by name; CAs by id, else by certificate. PKIs and
// CAs that are not in after are deleted, so pass a changed copy of what [Client.PKIs]
// returned. Nothing is written.
func (c *Client) PlanTrust(ctx context.Context, after trust.PKIs) (TrustPlan, error) {
	before, err := c.PKIs(ctx)
	if err != nil {
		return TrustPlan{}, err
	}
	return planTrust(before, after, c.now())
}

func planTrust(before, after trust.PKIs, now time.Time) (TrustPlan, error) {
	p := TrustPlan{Before: before, After: after}
	fail := func(err error) (TrustPlan, error) {
		return TrustPlan{}, writeTrust("plan the trust store").fail(Invalid, err)
	}
	kept := map[int]bool{} // indexes: what was planned and not made has no ids yet
	for i, want := range after {
		if slices.ContainsFunc(after[:i], func(o trust.PKI) bool { return o.DisplayName == want.DisplayName }) {
			return fail(fmt.Errorf("two PKIs have the name %q", want.DisplayName))
		}
		at := slices.IndexFunc(before, func(o trust.PKI) bool { return want.ID != "" && o.ID == want.ID })
		if at < 0 {
			at = slices.IndexFunc(before, func(o trust.PKI) bool { return o.DisplayName == want.DisplayName })
		}
		var old trust.PKI
		switch {
		case at < 0:
			p.Steps = append(p.Steps, TrustStep{Action: AddPKI, PKI: want.DisplayName})
		case kept[at]:
			return fail(fmt.Errorf("two PKIs are to become %q", before[at].DisplayName))
		default:
			old = before[at]
			kept[at] = true
			if old.DisplayName != want.DisplayName {
				p.Steps = append(p.Steps, TrustStep{Action: RenamePKI, PKI: old.DisplayName, PKIID: old.ID, Name: want.DisplayName})
			}
		}
		if err := p.authorities(old, want); err != nil {
			return fail(err)
		}
	}
	for i, old := range before {
		if kept[i] {
			continue
		}
		p.Steps = append(p.Steps, TrustStep{Action: RemovePKI, PKI: old.DisplayName, PKIID: old.ID})
		for _, a := range old.CertificateAuthorities {
			p.deletes(old.DisplayName, a, now)
		}
	}
	for _, s := range p.Steps {
		if s.Action == RemoveAuthority {
			p.deletes(s.PKI, s.Authority, now)
		}
	}
	slices.SortStableFunc(p.Steps, func(a, b TrustStep) int { return cmp.Compare(a.Action, b.Action) })
	return p, nil
}

// authorities adds the steps for the CAs of one PKI.
func (p *TrustPlan) authorities(old, want trust.PKI) error {
	kept := map[int]bool{}
	for _, a := range want.CertificateAuthorities {
		at := slices.IndexFunc(old.CertificateAuthorities, func(o trust.Authority) bool { return a.ID != "" && o.ID == a.ID })
		if at < 0 {
			at = slices.IndexFunc(old.CertificateAuthorities, func(o trust.Authority) bool { return bytes.Equal(o.Certificate, a.Certificate) })
		}
		step := TrustStep{Action: AddAuthority, PKI: want.DisplayName, PKIID: old.ID, Authority: a}
		if at < 0 {
			p.Steps = append(p.Steps, step)
			continue
		}
		is := old.CertificateAuthorities[at]
		if kept[at] {
			return fmt.Errorf("CA %q appears twice in PKI %q", a.DisplayName, want.DisplayName)
		}
		kept[at] = true
		x, err := writable(is)
		if err != nil {
			return err
		}
		y, err := writable(a)
		if err != nil {
			return err
		}
		if change := changed(x, y); len(change) > 0 {
			step.Action, step.Authority.ID = ChangeAuthority, is.ID
			for name := range x {
				if _, ok := change[name]; !ok {
					delete(x, name)
				}
			}
			if step.Differences, err = snapshot.Compare(encode(x), encode(change)); err != nil {
				return err
			}
			p.Steps = append(p.Steps, step)
		}
	}
	for i, a := range old.CertificateAuthorities {
		if !kept[i] {
			p.Steps = append(p.Steps, TrustStep{Action: RemoveAuthority, PKI: want.DisplayName, PKIID: old.ID, Authority: a})
		}
	}
	return nil
}

// deletes adds a finding for a CA that goes.
func (p *TrustPlan) deletes(pki string, a trust.Authority, now time.Time) {
	if cert, err := x509.ParseCertificate(a.Certificate); err == nil && now.After(cert.NotAfter) {
		return
	}
	for _, other := range p.After {
		if hasCertificate(other, a.Certificate) {
			return
		}
	}
	p.gone = append(p.gone, goneCA{a, deletesCA.At(a.ID, fmt.Sprintf("PKI %q, CA %q", pki, a.DisplayName),
		"the CA %q is deleted from the PKI %q: users whose certificates it issued can no longer sign in, unless the classic store has it",
		a.DisplayName, pki)})
}

// deletesOther names what the plan deletes and an earlier reading of the store did not have.
func (p TrustPlan) deletesOther(earlier trust.PKIs) []string {
	find := func(pkis trust.PKIs, id string) *trust.PKI {
		if at := slices.IndexFunc(pkis, func(o trust.PKI) bool { return o.ID == id }); at >= 0 {
			return &pkis[at]
		}
		return nil
	}
	var other []string
	for _, s := range p.Steps {
		was := find(earlier, s.PKIID)
		switch s.Action {
		case RemoveAuthority:
			if was == nil || !hasCertificate(*was, s.Authority.Certificate) {
				other = append(other, fmt.Sprintf("CA %q of PKI %q", s.Authority.DisplayName, s.PKI))
			}
		case RemovePKI:
			if was == nil {
				other = append(other, fmt.Sprintf("PKI %q", s.PKI))
				continue
			}
			for _, a := range find(p.Before, s.PKIID).CertificateAuthorities {
				if !hasCertificate(*was, a.Certificate) {
					other = append(other, fmt.Sprintf("CA %q of PKI %q", a.DisplayName, s.PKI))
				}
			}
		}
	}
	return other
}

// ApplyTrust makes a planned change, step by step, and waits until each step is
// visible. It plans again first and refuses if the steps are no longer those of the
// plan ([Stale]). A plan that deletes CAs which have not expired is refused ([Lockout])
// unless AllowLockout is set. It returns the steps that were made. After an error, plan
// again: the new plan has the steps that are left.
//
// To take a change back, plan [TrustPlan.Before]. Deleted objects are then created
// again; [Client.Restore] restores them with their ids.
func (c *Client) ApplyTrust(ctx context.Context, plan TrustPlan, o ApplyOptions) (done []TrustStep, err error) {
	now, err := c.PlanTrust(ctx, plan.After)
	if err != nil {
		return nil, err
	}
	if !now.Empty() && !slices.EqualFunc(now.Steps, plan.Steps, func(a, b TrustStep) bool { return a.key() == b.key() }) && !o.AllowStale {
		return nil, writeTrust("change the trust store").fail(Stale, nil)
	}
	if locks := now.LocksOut(); len(locks) > 0 && !o.AllowLockout {
		return nil, writeTrust("change the trust store").lockout(locks)
	}
	made := map[string]string{} // name to id
	for _, s := range now.Steps {
		id := cmp.Or(s.PKIID, made[s.PKI])
		switch s.Action {
		case AddPKI:
			var pki trust.PKI
			if pki, err = c.CreatePKI(ctx, s.PKI); err == nil {
				made[s.PKI] = pki.ID
			}
		case RenamePKI:
			_, err = c.RenamePKI(ctx, id, s.Name)
		case AddAuthority:
			_, err = c.CreateAuthority(ctx, id, s.Authority)
		case ChangeAuthority:
			_, _, err = c.UpdateAuthority(ctx, id, s.Authority)
		case RemoveAuthority:
			err = c.DeleteAuthority(ctx, id, s.Authority.ID)
		case RemovePKI:
			err = c.DeletePKI(ctx, id)
		}
		if err != nil {
			return done, err
		}
		done = append(done, s)
	}
	return done, nil
}
