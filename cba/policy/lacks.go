package policy

import (
	"slices"

	"example.com/entracba/cba/internal/wire"
)

// Names of the properties of a Config that a decision cannot do without.
const (
	propertyState    = "state"
	propertyInclude  = "includeTargets"
	propertyExclude  = "excludeTargets"
	propertyBindings = "certificateUserBindings"
	propertyScopes   = "certificateAuthorityScopes"
	propertyMode     = "authenticationModeConfiguration"
	propertyRules    = "rules"
)

// unwritten reports whether a text that was read has no value for a property. An object
// that a program made has every property.
func unwritten(k kept, name string) bool {
	members := wire.MembersOf(k)
	return members != nil && !slices.ContainsFunc(members, func(m wire.Member) bool { return m.Name == name && string(m.Raw) != "null" })
}

// lacks reports whether a property of the configuration is not known: its text did
// not have it, and no program has set it since.
func (c Config) lacks(name string) bool {
	if !unwritten(c.kept, name) {
		return false
	}
	switch name {
	case propertyState: // null is a state that is not enabled
		return c.State == "" && !slices.ContainsFunc(wire.MembersOf(c.kept), func(m wire.Member) bool { return m.Name == name })
	case propertyInclude:
		return c.IncludeTargets == nil
	case propertyExclude:
		return c.ExcludeTargets == nil
	case propertyBindings:
		return c.UserBindings == nil
	case propertyScopes:
		return c.CertificateAuthorityScopes == nil
	case propertyMode:
		return c.AuthenticationMode.Rules == nil
	}
	return false
}

// Missing names the properties that the text of the configuration did not have and
// without which a decision may not be known. A Config that a program made has none.
func (c Config) Missing() []string {
	var list []string
	for _, name := range [...]string{propertyState, propertyInclude, propertyExclude, propertyBindings, propertyScopes, propertyMode} {
		if c.lacks(name) {
			list = append(list, name)
		}
	}
	if !c.lacks(propertyMode) && unwritten(c.AuthenticationMode.kept, propertyRules) && c.AuthenticationMode.Rules == nil {
		list = append(list, propertyMode+"/"+propertyRules)
	}
	return list
}
