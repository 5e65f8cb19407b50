package graphtest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of certificateUserIds (Learn, certificateUserIds; open question 9.1 is
// about older figures). What a character is, is not said; the model counts
// Unicode code points.
const (
	maxUserIDs      = 10
	maxUserIDLength = 1024
)

const userIDsPath = "authorizationInfo/certificateUserIds"

var userSet = &entitySet[User]{
	typ: "user", context: "users", directory: true, top: 100, most: 999,
	ops: "eq ne not and or in startswith any",
	fields: []field[User]{
		{name: "id", path: "id", get: func(u *User) any { return u.ID }},
		{name: "userPrincipalName", path: "userPrincipalName", get: func(u *User) any { return u.UserPrincipalName }},
		{name: "displayName", path: "displayName", get: func(u *User) any { return null(u.DisplayName) }},
		{name: "mail", path: "mail", get: func(u *User) any { return null(u.Mail) }},
		{name: "accountEnabled", path: "accountEnabled", hidden: true, get: func(u *User) any { return !u.Disabled }},
		{name: "userType", path: "userType", hidden: true, get: func(u *User) any {
			if u.Guest {
				return "Guest"
			}
			return "Member"
		}},
		// Graph answers null for a user that was never synced.
		{name: "onPremisesSyncEnabled", path: "onPremisesSyncEnabled", hidden: true, get: func(u *User) any {
			if u.Synced {
				return true
			}
			return nil
		}},
		{name: "onPremisesUserPrincipalName", hidden: true, get: func(u *User) any { return null(u.OnPremisesUserPrincipalName) }},
		{name: "authorizationInfo", hidden: true, get: func(u *User) any {
			return map[string]any{"certificateUserIds": jsonValue(u.CertificateUserIDs)}
		}},
		{path: userIDsPath, exact: true, get: func(u *User) any { return u.CertificateUserIDs }},
	},
}

// filterUsers is userSet, with the comparison of certificateUserIds that the
// options ask for.
func (s *state) filterUsers() *entitySet[User] {
	if !s.opt.FoldCertificateUserIDs {
		return userSet
	}
	k := *userSet
	k.fields = slices.Clone(k.fields)
	k.field(userIDsPath).exact = false
	return &k
}

func (s *state) listUsers(c *call) answer {
	return s.filterUsers().list(s, c, func(f *filter) []found[User] { return s.usersFor(f, c.now) })
}

// usersFor returns the users among which a filter can find something: those that
// hold a value it asks for, if that is all it asks, else everybody.
func (s *state) usersFor(f *filter, now time.Time) []found[User] {
	ids, few := s.candidates(f)
	if !few {
		return visible(s.users, now, nil)
	}
	var rows []*replica[User]
	for _, id := range ids {
		rows = append(rows, s.users.byID[id])
	}
	for r := range s.users.late { // their old values are not in the index
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b *replica[User]) int { return a.at - b.at })
	var list []found[User]
	for _, r := range slices.Compact(rows) {
		if v := s.users.peek(r, now); v != nil {
			list = append(list, found[User]{v, r})
		}
	}
	return list
}

// candidates are the ids of the users that can match a filter by equality of
// certificateUserIds, id or userPrincipalName; ok is false if it is of another
// form.
func (s *state) candidates(f *filter) (ids []string, ok bool) {
	if f == nil {
		return nil, false
	}
	path := f.path
	switch f.op {
	case "or", "and":
		for _, kid := range f.kids {
			more, bounded := s.candidates(kid)
			if bounded && f.op == "and" {
				return more, true
			}
			if !bounded && f.op == "or" {
				return nil, false
			}
			ids = append(ids, more...)
		}
		return ids, f.op == "or"
	case "any":
		f = f.kids[0]
		if f.op == "or" {
			for _, kid := range f.kids {
				more, bounded := s.candidates(&filter{op: "any", path: path, kids: []*filter{kid}})
				if !bounded {
					return nil, false
				}
				ids = append(ids, more...)
			}
			return ids, true
		}
		if f.op != "eq" {
			return nil, false
		}
	case "eq", "in":
	default:
		return nil, false
	}
	for _, want := range f.want {
		var id string
		switch strings.ToLower(path) {
		case "id":
			if id = want.text; s.users.byID[id] == nil {
				id = strings.ToLower(id)
			}
		case "userprincipalname":
			id = s.byName[strings.ToLower(want.text)]
		case strings.ToLower(userIDsPath):
			id = s.holders[s.key(want.text)]
		default:
			return nil, false
		}
		if s.users.byID[id] != nil {
			ids = append(ids, id)
		}
	}
	return ids, true
}

// countUsers is /users/$count, a bare number.
func (s *state) countUsers(c *call) answer {
	if !strings.EqualFold(c.header.Get("ConsistencyLevel"), "eventual") {
		return *unsupported("$count needs the header ConsistencyLevel: eventual.")
	}
	counted := *c
	counted.query = map[string][]string{"$count": {"true"}, "$top": {"1"}}
	for name, value := range c.query {
		counted.query[name] = value
	}
	a := s.listUsers(&counted)
	if body, ok := a.body.(map[string]any); ok && a.fault == nil {
		n, _ := body["@odata.count"].(int)
		return answer{status: http.StatusOK, text: strconv.Itoa(n)}
	}
	return a
}

// userID is the id behind an id or a userPrincipalName in a path.
func (s *state) userID(name string) string {
	if id, ok := s.byName[strings.ToLower(name)]; ok {
		return id
	}
	if s.users.byID[name] == nil {
		return strings.ToLower(name)
	}
	return name
}

func (s *state) getUser(c *call) answer {
	u := s.users.read(s.userID(c.params[0]), c.now)
	if u == nil {
		return notFound(c.params[0])
	}
	return userSet.one(c, u)
}

// patchUser replaces the whole collection of certificateUserIds. Documented: 204,
// the limits, that a value of another user is refused, that synced users are
// Connect's. Inferred: every status and text of a refusal (the one for a value
// that is taken is open question 9.21), and that no format is checked.
func (s *state) patchUser(c *call) answer {
	old := s.users.current(s.userID(c.params[0]))
	if old == nil {
		return notFound(c.params[0])
	}
	in, refused := s.object(c, "user")
	if refused == nil {
		refused = only(in, "authorizationInfo")
	}
	if refused != nil {
		return *refused
	}
	if info, ok := in["authorizationInfo"]; ok && info == nil {
		return badRequest("The property 'authorizationInfo' cannot be null.")
	}
	info, _ := in["authorizationInfo"].(map[string]any)
	value, ok := info["certificateUserIds"]
	if !ok {
		return answer{status: http.StatusNoContent} // nothing to change
	}
	if old.Synced {
		return badRequest("Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.")
	}
	list := value.([]any) // as the schema has checked
	if len(list) > maxUserIDs {
		return badRequest("The property 'certificateUserIds' has %d values; at most %d are allowed.", len(list), maxUserIDs)
	}
	ids := make([]string, len(list))
	mine := map[string]bool{}
	for i, v := range list {
		ids[i] = v.(string)
		key := s.key(ids[i])
		if n := utf8.RuneCountInString(ids[i]); n == 0 || n > maxUserIDLength {
			return badRequest("The value %d of 'certificateUserIds' has %d characters; 1 to %d are allowed.", i, n, maxUserIDLength)
		}
		if holder, ok := s.holders[key]; mine[key] || ok && holder != old.ID {
			return badRequest("Another object with the same value for property certificateUserIds already exists. The value must be unique in the tenant.")
		}
		mine[key] = true
	}
	for _, v := range old.CertificateUserIDs {
		delete(s.holders, s.key(v))
	}
	for _, v := range ids {
		s.holders[s.key(v)] = old.ID
	}
	u := *old
	u.CertificateUserIDs = ids
	s.users.write(u.ID, &u, s.opt.Lag, c.now)
	return answer{status: http.StatusNoContent}
}
