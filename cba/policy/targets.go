package policy

import (
	"strings"

	"example.com/entracba/cba/internal/text"
)

// targets answer whether a user is among them. The values are indexes into the
// list in the configuration, lowest first.
type targets struct {
	all    int // index of all_users, or -1
	groups map[string]int
	users  map[string]int
	// unread: who is among them cannot be told from the configuration alone, because
	// the list is not in it, or has a target of unknown type or without an id, or one
	// whose id is a name and no object id.
	unread bool
}

// objectID is an id as Graph writes it: without the braces and spaces that other programs
// put around one. It allocates only for upper case.
func objectID(id string) string {
	id = strings.TrimSpace(id)
	if inner, ok := strings.CutPrefix(id, "{"); ok {
		id = strings.TrimSuffix(inner, "}")
	}
	return strings.ToLower(id)
}

// UnreadTargets returns the indexes of the targets of which it cannot be told who is among
// them: those of unknown type, without an id, or with a name in its place. An exclude
// target of no type counts for users and for groups.
func (c Config) UnreadTargets() (include, exclude []int) {
	for i, t := range c.IncludeTargets {
		if !isKnown(t.Type) || !canInclude(t.ID) {
			include = append(include, i)
		}
	}
	for i, t := range c.ExcludeTargets {
		if t.Type != "" && !isKnown(t.Type) || !canExclude(t.ID) {
			exclude = append(exclude, i)
		}
	}
	return include, exclude
}

// canInclude reports whether an id can be one: a display name has spaces, a UPN an @.
func canInclude(id string) bool {
	id = objectID(id)
	return id != "" && !strings.ContainsAny(id, " @\\=")
}

// canExclude is stricter, for a name that is taken for an id would let somebody in: object
// ids have one form.
func canExclude(id string) bool {
	id = objectID(id)
	return id == AllUsersID || text.IsGUID(id)
}

func newTargets() targets { return targets{all: -1, groups: map[string]int{}, users: map[string]int{}} }

// add adds a target; either makes it stand for a group and for a user.
func (t *targets) add(index int, id string, group, user bool) {
	id = objectID(id)
	switch {
	case id == "":
	case id == AllUsersID:
		if t.all < 0 {
			t.all = index
		}
	default:
		if _, ok := t.groups[id]; group && !ok {
			t.groups[id] = index
		}
		if _, ok := t.users[id]; user && !ok {
			t.users[id] = index
		}
	}
}

// includeTargets leaves targets of unknown type out.
func includeTargets(list []IncludeTarget, missing bool) targets {
	t := newTargets()
	t.unread = missing
	for i, target := range list {
		t.add(i, target.ID, target.Type == GroupTarget, target.Type == UserTarget)
		t.unread = t.unread || !canInclude(target.ID) || !isKnown(target.Type)
	}
	return t
}

// excludeTargets takes targets of unknown type for groups and for users.
func excludeTargets(list []Target, missing bool) targets {
	t := newTargets()
	t.unread = missing
	for i, target := range list {
		t.add(i, target.ID, target.Type != UserTarget, target.Type != GroupTarget)
		t.unread = t.unread || !canExclude(target.ID) || !isKnown(target.Type) && target.Type != ""
	}
	return t
}

// find returns the index of the first target that the user is among, or -1, and
// whether the user is among the targets.
// Letter case of ids does not matter; it allocates only for ids in upper case,
// which Graph does not write.
func (t *targets) find(u *User) (int, membership) {
	found := t.all
	take := func(set map[string]int, id string) {
		if len(set) == 0 || id == "" {
			return
		}
		if i, ok := set[strings.ToLower(id)]; ok && (found < 0 || i < found) {
			found = i
		}
	}
	take(t.users, u.ID)
	for i := range u.MemberOf {
		take(t.groups, u.MemberOf[i].ID)
	}
	for i := range u.TransitiveMemberOf {
		take(t.groups, u.TransitiveMemberOf[i].ID)
	}
	switch {
	case found >= 0:
		return found, inside
	case t.unread, len(t.groups) > 0 && u.elsewhere() == perhaps, len(t.users) > 0 && u.lacks(ObjectID):
		return found, perhaps
	}
	return found, outside
}
