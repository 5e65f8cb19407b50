package policy

import "strings"

// targets answer whether a user is among them. The values are indexes into the
// list in the configuration, lowest first.
type targets struct {
	all    int // index of all_users, or -1
	groups map[string]int
	users  map[string]int
	// unread: who is among them cannot be told from the configuration alone, because
	// the list is not in it, or has a target of unknown type or without an id.
	unread bool
}

func newTargets() targets { return targets{all: -1, groups: map[string]int{}, users: map[string]int{}} }

// add adds a target; either makes it stand for a group and for a user.
func (t *targets) add(index int, id string, group, user bool) {
	id = strings.ToLower(id)
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
		t.unread = t.unread || target.ID == "" || !isKnown(target.Type)
	}
	return t
}

// excludeTargets takes targets of unknown type for groups and for users.
func excludeTargets(list []Target, missing bool) targets {
	t := newTargets()
	t.unread = missing
	for i, target := range list {
		t.add(i, target.ID, target.Type != UserTarget, target.Type != GroupTarget)
		t.unread = t.unread || target.ID == "" || !isKnown(target.Type) && target.Type != ""
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
