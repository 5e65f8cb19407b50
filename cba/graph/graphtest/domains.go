package graphtest

import (
	"maps"
	"slices"
	"strings"
)

// A domain is one name that users of the tenant have.
type domain struct{ id, kind string }

var domainSet = &entitySet[domain]{
	typ: "domain", context: "domains", top: 100, most: 999,
	fields: []field[domain]{
		{name: "id", get: func(d *domain) any { return d.id }},
		{name: "authenticationType", get: func(d *domain) any { return d.kind }},
		{name: "isVerified", get: func(*domain) any { return true }},
	},
}

// listDomains lists the domains of the users, and those that are federated.
func (s *state) listDomains(c *call) answer {
	kinds := map[string]string{}
	for _, u := range s.users.all() {
		if _, name, ok := strings.Cut(strings.ToLower(u.UserPrincipalName), "@"); ok {
			kinds[name] = "Managed"
		}
	}
	for _, name := range s.org.Federated {
		kinds[strings.ToLower(name)] = "Federated"
	}
	return domainSet.list(s, c, func(*filter) []found[domain] {
		var list []domain
		for _, name := range slices.Sorted(maps.Keys(kinds)) {
			list = append(list, domain{name, kinds[name]})
		}
		return fixed(list)
	})
}
