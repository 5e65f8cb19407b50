package graphtest

import (
	"slices"
	"strings"
)

var groupSet = &entitySet[Group]{
	typ: "group", context: "groups", directory: true, top: 100, most: 999,
	ops: "eq ne not and or in startswith",
	fields: []field[Group]{
		{name: "id", path: "id", get: func(g *Group) any { return g.ID }},
		{name: "displayName", path: "displayName", get: func(g *Group) any { return null(g.DisplayName) }},
	},
}

func (s *state) listGroups(c *call) answer {
	return groupSet.list(s, c, func(*filter) []found[Group] { return fixed(s.org.Groups) })
}

func (s *state) getGroup(c *call) answer {
	for i := range s.org.Groups {
		if g := &s.org.Groups[i]; g.ID == c.params[0] {
			return groupSet.one(c, g)
		}
	}
	return notFound(c.params[0])
}

// memberOf lists the groups that a user is a direct member of. Directory roles
// and administrative units, which Graph lists too, are not modelled.
func (s *state) memberOf(c *call) answer { return s.groupsOf(c, false) }

// transitiveMemberOf lists the groups of those groups too.
func (s *state) transitiveMemberOf(c *call) answer { return s.groupsOf(c, true) }

// advanced is a call with an OData cast: an advanced query (Graph, List a user's
// direct and transitive memberships).
func advanced(list func(*state, *call) answer) func(*state, *call) answer {
	return func(s *state, c *call) answer {
		if !strings.EqualFold(c.header.Get("ConsistencyLevel"), "eventual") || c.query.Get("$count") != "true" {
			return *unsupported("An OData cast needs the header ConsistencyLevel: eventual and $count=true.")
		}
		return list(s, c)
	}
}

func (s *state) groupsOf(c *call, transitive bool) answer {
	u := s.users.read(s.userID(c.params[0]), c.now)
	if u == nil {
		return notFound(c.params[0])
	}
	member := map[string]bool{u.ID: true}
	in := make([]bool, len(s.org.Groups))
	for again := true; again; again = again && transitive {
		again = false
		for i, g := range s.org.Groups {
			if !in[i] && slices.ContainsFunc(g.Members, func(id string) bool { return member[id] }) {
				in[i], again = true, true
				if transitive {
					member[g.ID] = true
				}
			}
		}
	}
	a := groupSet.list(s, c, func(*filter) []found[Group] {
		var list []found[Group]
		for i := range in {
			if in[i] {
				list = append(list, found[Group]{v: &s.org.Groups[i]})
			}
		}
		return list
	})
	if body, ok := a.body.(map[string]any); ok {
		for _, v := range values(body["value"]) {
			v["@odata.type"] = "#microsoft.graph.group"
		}
		a.typ = "Collection(directoryObject)"
	}
	return a
}
