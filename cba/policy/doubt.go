package policy

import (
	"fmt"
	"slices"

	"example.com/entracba/cba/certuserid"
)

// A Doubt is a part of a configuration that is not in its text, or that this version
// cannot read, and the policy if it says something else than what is assumed.
type Doubt struct {
	// Where is the property: "authenticationModeConfiguration/rules/1".
	Where string
	// Why says what is in doubt, and what is assumed.
	Why string
	// Unread: the property is there and cannot be read.
	Unread bool
	// Undecides: where the answer depends on it, it is not known. Otherwise it is what
	// the property is by default.
	Undecides bool
	// Other is the policy if the property says something else.
	Other *Policy
}

// Doubts lists what is in doubt about the state, strength and required affinity. Targets, scopes
// and bindings are not among it: a [Decision] says by itself where these are not known.
func (p *Policy) Doubts() []Doubt {
	if p == nil || p.tables == nil {
		return nil
	}
	var list []Doubt
	doubt := func(d Doubt, change func(*Config)) {
		other := p.Config()
		change(&other)
		compiled, err := other.Compile(Readings{})
		if err != nil {
			return // never: it compiled before
		}
		compiled.readings = p.readings
		d.Other = compiled
		list = append(list, d)
	}
	// An unread list of rules, or an unread rule, can give the least.
	least := func(c *Config, single, high bool) {
		if single {
			c.AuthenticationMode.Default, c.AuthenticationMode.Rules = SingleFactor, []Rule{}
		}
		if high {
			c.AuthenticationMode.DefaultAffinity = certuserid.High
		}
	}
	most := func(c *Config) { c.AuthenticationMode.Default, c.AuthenticationMode.Rules = MultiFactor, []Rule{} }
	if state := p.config.State; state != "" && state != Enabled && state != Disabled {
		doubt(Doubt{Where: propertyState, Unread: true, Why: "the state " + quoted(string(state)) + " is unknown to this version and counts as not enabled; Graph writes enabled or disabled"},
			func(c *Config) { c.State = Enabled })
	}
	mode := p.config.AuthenticationMode
	missing := p.config.Missing()
	for _, name := range [...]string{propertyMode, propertyMode + "/" + propertyRules} {
		if slices.Contains(missing, name) {
			doubt(Doubt{Where: name, Why: "a rule may make the certificate single-factor, or require high affinity", Undecides: true},
				func(c *Config) { least(c, true, true) })
			doubt(Doubt{Where: name, Why: "a rule may make the certificate multifactor, which the strength does not allow", Undecides: true}, most)
		}
	}
	read := len(missing) == 0 || !slices.Contains(missing, propertyMode)
	if read && unwritten(mode.kept, "x509CertificateDefaultRequiredAffinityLevel") && mode.DefaultAffinity == "" {
		doubt(Doubt{Where: propertyMode + "/x509CertificateDefaultRequiredAffinityLevel", Why: "the default of the required affinity is assumed to be low"},
			func(c *Config) { least(c, false, true) })
	}
	if read && mode.Default == "" && unwritten(mode.kept, "x509CertificateAuthenticationDefaultMode") {
		doubt(Doubt{Where: propertyMode + "/x509CertificateAuthenticationDefaultMode", Why: "the default mode is assumed to be single-factor", Undecides: true},
			func(c *Config) { c.AuthenticationMode.Default = MultiFactor })
	}
	if mode.Default != "" && !isKnown(mode.Default) {
		doubt(Doubt{Where: propertyMode + "/x509CertificateAuthenticationDefaultMode", Unread: true, Undecides: true,
			Why: "the default mode " + quoted(string(mode.Default)) + " is unknown to this version and counts as single-factor"},
			func(c *Config) { c.AuthenticationMode.Default = MultiFactor })
	}
	if mode.DefaultAffinity != "" && !isKnown(mode.DefaultAffinity) {
		doubt(Doubt{Where: propertyMode + "/x509CertificateDefaultRequiredAffinityLevel", Unread: true,
			Why: "the required affinity " + quoted(string(mode.DefaultAffinity)) + " is unknown to this version and counts as high"},
			func(c *Config) { c.AuthenticationMode.DefaultAffinity = certuserid.Low })
	}
	for i, r := range mode.Rules {
		where := fmt.Sprintf("%s/%s/%d", propertyMode, propertyRules, i)
		if p.unread(i) {
			single, high := r.Mode != MultiFactor, r.RequiredAffinity != certuserid.Low
			doubt(Doubt{Where: where, Unread: true, Undecides: single || high,
				Why: fmt.Sprintf("rule %d cannot be read: %v; it is assumed to match nothing, and may make the certificate single-factor or require high affinity", i+1, r)},
				func(c *Config) { least(c, single, high) })
			if r.Mode != SingleFactor {
				doubt(Doubt{Where: where, Why: fmt.Sprintf("rule %d cannot be read: %v; it may make the certificate multifactor", i+1, r), Undecides: true}, most)
			}
			continue
		}
		if r.Mode == "" && unwritten(r.kept, "x509CertificateAuthenticationMode") {
			doubt(Doubt{Where: where + "/x509CertificateAuthenticationMode", Why: fmt.Sprintf("rule %d is assumed to give single-factor", i+1), Undecides: true},
				func(c *Config) { c.AuthenticationMode.Rules[i].Mode = MultiFactor })
		}
		if r.Mode != "" && !isKnown(r.Mode) {
			doubt(Doubt{Where: where, Unread: true, Undecides: true, Why: fmt.Sprintf("rule %d has the mode %s, which is unknown to this version and counts as single-factor", i+1, quoted(string(r.Mode)))},
				func(c *Config) { c.AuthenticationMode.Rules[i].Mode = MultiFactor })
		}
		if r.RequiredAffinity != "" && !isKnown(r.RequiredAffinity) {
			doubt(Doubt{Where: where, Unread: true, Why: fmt.Sprintf("rule %d requires the affinity %s, which is unknown to this version and counts as high", i+1, quoted(string(r.RequiredAffinity)))},
				func(c *Config) { c.AuthenticationMode.Rules[i].RequiredAffinity = certuserid.Low })
		}
		if r.RequiredAffinity == "" && unwritten(r.kept, "x509CertificateRequiredAffinityLevel") {
			doubt(Doubt{Where: where + "/x509CertificateRequiredAffinityLevel", Why: fmt.Sprintf("rule %d is assumed to require no high affinity", i+1)},
				func(c *Config) { c.AuthenticationMode.Rules[i].RequiredAffinity = certuserid.High })
		}
	}
	for i, b := range p.config.UserBindings {
		if b.Affinity == "" && unwritten(b.kept, "trustAffinityLevel") && b.Field.Affinity() == certuserid.High {
			doubt(Doubt{Where: fmt.Sprintf("%s/%d/trustAffinityLevel", propertyBindings, i), Why: fmt.Sprintf("the binding %s is assumed to have the affinity of its field, high", b.pair())},
				func(c *Config) { c.UserBindings[i].Affinity = certuserid.Low })
		}
	}
	return list
}

// unread reports whether no way of reading a rule, of those that were chosen, makes it
// match anything.
func (p *Policy) unread(index int) bool {
	for i := p.firstRule[index]; i < p.firstRule[index+1]; i++ {
		if p.rules[i].needs&^p.readings == 0 {
			return false
		}
	}
	return true
}
