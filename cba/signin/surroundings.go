package signin

import (
	"encoding/json"
	"slices"
	"strings"

	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/internal/wire"
	"example.com/entracba/cba/policy"
)

// Two properties of Config.Extra are read: how the sign-in page comes to ask for a
// certificate, and where users of a domain sign in.
const (
	propertyPreferred = "systemCredentialPreferences"
	propertyDomains   = "domains"
)

// surroundings are what those two properties say.
type surroundings struct {
	preferred string // the state of system-preferred authentication; "" is not known
	some      bool   // it is not for everybody
	// elsewhere has the authenticationType of every domain, by its name in lower case,
	// whose users do not sign in at Entra.
	elsewhere map[string]string
}

// surroundings reads the two properties. What is absent is not known; what is there
// and cannot be read is an error.
func (c Config) surroundings() (s surroundings, err error) {
	if raw := c.Extra[propertyPreferred]; raw != nil && string(raw) != "null" {
		var p struct {
			State   string
			Include []struct{ ID string } `json:"includeTargets"`
			Exclude []struct{ ID string } `json:"excludeTargets"`
		}
		if json.Unmarshal(raw, &p) != nil {
			return s, malformed("/"+propertyPreferred, "it is not the systemCredentialPreferences of GET /policies/authenticationMethodsPolicy")
		}
		s.preferred = p.State
		all := len(p.Include) == 0 || slices.ContainsFunc(p.Include, func(t struct{ ID string }) bool { return strings.EqualFold(t.ID, policy.AllUsersID) })
		s.some = !all || len(p.Exclude) > 0
	}
	if raw := c.Extra[propertyDomains]; raw != nil && string(raw) != "null" {
		var domains []struct {
			ID   string `json:"id"`
			Type string `json:"authenticationType"`
		}
		inner, _, failed := wire.Unwrap(raw)
		if failed != nil || json.Unmarshal(inner, &domains) != nil {
			return s, malformed("/"+propertyDomains, "it is not the answer of GET /domains")
		}
		s.elsewhere = map[string]string{}
		for _, d := range domains {
			if d.Type != "" && d.Type != "Managed" {
				s.elsewhere[strings.ToLower(d.ID)] = d.Type
			}
		}
	}
	return s, nil
}

// federated says what is assumed about a user of a domain whose users sign in at
// another identity provider, "" for any other user.
func (s surroundings) federated(user *policy.User) string {
	_, domain, _ := strings.Cut(user.UserPrincipalName, "@")
	kind := s.elsewhere[strings.ToLower(domain)]
	switch {
	case kind == "":
		return ""
	case strings.EqualFold(kind, "Federated"):
		return "staged rollout of certificate-based authentication includes the user; the domain " + text.Quote(domain) +
			" is federated, and without it the user signs in at the federated identity provider"
	}
	return "users of the domain " + text.Quote(domain) + " sign in at Entra; its authenticationType " + text.Quote(kind) + " is not known to this version"
}

// WithoutCertificate says what becomes of users in scope who have no certificate:
// system-preferred authentication asks them for one. It is for the users whom
// [Compare] finds [WithoutCertificate].
func (t *Tenant) WithoutCertificate() string {
	if !t.ready() {
		return ""
	}
	who := "they"
	if t.around.some {
		who = "those whom it is for"
	}
	const never = "; until they have a certificate, they cannot register other methods for multifactor authentication"
	switch t.around.preferred {
	case "":
		return "the input does not contain " + propertyPreferred + "; if system-preferred authentication is Microsoft-managed, as it is by default, " +
			"they fail at once and must choose \"Sign in another way\" by hand" + never
	case "default":
		return "system-preferred authentication is Microsoft-managed: " + who + " fail at once and must choose \"Sign in another way\" by hand" + never
	case "enabled":
		return "system-preferred authentication is enabled for the second factor: " + who + " may be asked for a certificate there" + never
	case "disabled":
		return "system-preferred authentication is disabled, so they are not asked for a certificate first" + never
	}
	return "the state " + text.Quote(t.around.preferred) + " of system-preferred authentication is not known to this version" + never
}
