package policy

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"example.com/entracba/cba/internal/dialect"
	"example.com/entracba/cba/internal/wire"
)

// A User has the properties of a user that the configuration checks, in the JSON of
// a Graph user:
//
//	GET /users/{id}?$select=id,userPrincipalName,onPremisesUserPrincipalName,accountEnabled,userType,authorizationInfo
//	GET /users/{id}/transitiveMemberOf?$select=id
//
// # What is not known
//
// A User that a program makes is complete: what is empty is known to be empty, and
// the zero User is enabled, in no group, and matches no certificate. What is not
// known is named in Missing. [ParseUser] names there every property that the text
// does not have, so that a decision which depends on it is not made up.
type User struct {
	ID                          string
	UserPrincipalName           string
	OnPremisesUserPrincipalName string
	// Disabled is accountEnabled turned round.
	Disabled bool
	// UserType is "Member" or "Guest"; old accounts have none.
	UserType          string
	AuthorizationInfo AuthorizationInfo
	// MemberOf are groups that the user is in. In Graph they are those that list the
	// user itself.
	MemberOf []DirectoryObject
	// TransitiveMemberOf are groups that the user is in, also through other groups.
	// A user is in the groups of both lists. Whether the service counts nested groups
	// is not documented on the pages that this package follows.
	TransitiveMemberOf []DirectoryObject
	// Missing names the properties that are not known. A list of groups that may be
	// cut off is not known, and what it has counts.
	Missing []UserProperty
}

// AuthorizationInfo is the part of a Graph user that binds certificates.
type AuthorizationInfo struct {
	CertificateUserIDs []string `json:"certificateUserIds,omitzero"`
}

// A DirectoryObject is one element of memberOf: a group or a role.
type DirectoryObject struct {
	ID string `json:"id"`
}

// SetGroups sets every group that the user is in, also through other groups, as
// GET /users/{id}/transitiveMemberOf lists them; no group is missing after it.
func (u *User) SetGroups(groups []DirectoryObject) {
	if u == nil {
		return
	}
	u.MemberOf, u.TransitiveMemberOf = nil, groups
	u.Missing = slices.DeleteFunc(slices.Clone(u.Missing), func(p UserProperty) bool { return p == MemberOf || p == TransitiveMemberOf })
}

// lacks reports whether a property of the user is not known.
func (u *User) lacks(p UserProperty) bool { return slices.Contains(u.Missing, p) }

// A membership says whether a user is in a group.
type membership uint8

const (
	outside membership = iota
	perhaps            // not known
	inside
)

// elsewhere is what a user is of a group that is in no list.
func (u *User) elsewhere() membership {
	if u.lacks(MemberOf) && u.lacks(TransitiveMemberOf) {
		return perhaps
	}
	return outside
}

// name names the user in messages.
func (u *User) name() string {
	switch {
	case u.UserPrincipalName != "":
		return quoted(u.UserPrincipalName)
	case u.ID != "":
		return "user " + quoted(u.ID)
	}
	return "the user"
}

// expandPage is how many directory objects Graph returns for $expand, without a link
// to those that are left out (Graph, query parameters).
const expandPage = 20

// The properties of a user, in the order in which they are written.
var userProperties = [...]UserProperty{
	ObjectID, UserPrincipalName, OnPremisesUserPrincipalName, AccountEnabled, UserType, authorizationInfo, MemberOf, TransitiveMemberOf,
}

// ParseUser reads a Graph user, bare or in an envelope {"value": {...}}, in UTF-8 or
// UTF-16, and as PowerShell's ConvertTo-Json writes one. Property names are
// case-insensitive. Other properties than those of [User] are not kept. The error is an
// [*Error], for the same faults as in [Parse].
//
// A property that the text does not have is in Missing. So is one that is null,
// but for onPremisesUserPrincipalName and userType: Graph writes null for an account
// that has none. Software that writes null for all it has not asked for is known by
// an accountEnabled or memberOf of null, and then these two are missing too. A list of
// 20 groups or more, or with a link to more, is one that $expand may have cut, unless
// a count beside it (memberOf@odata.count) says that it is whole.
func ParseUser(data []byte) (User, error) {
	data, err := dialect.Graph(data, MaxJSON)
	if err != nil {
		return User{}, own(err)
	}
	var t userRead
	if err := own(wire.ReadChecked(data, &t)); err != nil {
		return User{}, err
	}
	list := wire.MembersOf(t.Kept)
	if !slices.ContainsFunc(list, func(m wire.Member) bool {
		name, _, _ := strings.Cut(m.Name, "@")
		return slices.ContainsFunc(userProperties[:], func(p UserProperty) bool { return strings.EqualFold(name, string(p)) })
	}) {
		return User{}, &Error{Reason: WrongObject, Detail: "it has none of the properties of a user; give the answer of GET /users/{id}?$select=id,userPrincipalName,accountEnabled,userType,authorizationInfo"}
	}
	if other := dialect.OtherThanUser(list); other != "" {
		return User{}, &Error{Reason: WrongObject, Detail: "it is " + other + " and no user; give the answer of GET /users/{id}"}
	}
	return t.user(list), nil
}

func (t userRead) user(members []wire.Member) User {
	had := func(name string) (value, has bool) {
		for _, m := range members {
			if strings.EqualFold(m.Name, name) {
				value, has = value || string(m.Raw) != "null", true
			}
		}
		return value, has
	}
	u := User{
		ID: t.ID, UserPrincipalName: t.UserPrincipalName, OnPremisesUserPrincipalName: t.OnPremisesUserPrincipalName, UserType: t.UserType,
		AuthorizationInfo: t.AuthorizationInfo, MemberOf: t.MemberOf, TransitiveMemberOf: t.TransitiveMemberOf,
		Disabled: t.AccountEnabled != nil && !*t.AccountEnabled,
	}
	isNull := func(p UserProperty) bool { value, has := had(string(p)); return has && !value }
	unasked := isNull(AccountEnabled) || isNull(MemberOf) || isNull(TransitiveMemberOf)
	cut := func(p UserProperty, list []DirectoryObject, count int32) bool {
		more, _ := had(string(p) + "@odata.nextLink")
		return more || slices.Contains(list, DirectoryObject{}) || len(list) >= expandPage && int(count) != len(list)
	}
	for _, p := range userProperties {
		value, has := had(string(p))
		switch {
		case !has, !value && (unasked || p != OnPremisesUserPrincipalName && p != UserType),
			p == MemberOf && cut(p, t.MemberOf, t.Count), p == TransitiveMemberOf && cut(p, t.TransitiveMemberOf, t.AllCount):
		case p == authorizationInfo && t.AuthorizationInfo.CertificateUserIDs == nil:
		default:
			continue
		}
		if p == authorizationInfo {
			p = CertificateUserIDs
		}
		u.Missing = append(u.Missing, p)
	}
	return u
}

// userRead are the properties as they are read, in any letter case.
type userRead struct {
	wire.Seen
	ID                          string            `json:"id"`
	UserPrincipalName           string            `json:"userPrincipalName"`
	OnPremisesUserPrincipalName string            `json:"onPremisesUserPrincipalName"`
	AccountEnabled              *bool             `json:"accountEnabled"`
	UserType                    string            `json:"userType"`
	AuthorizationInfo           AuthorizationInfo `json:"authorizationInfo"`
	MemberOf                    []DirectoryObject `json:"memberOf"`
	Count                       int32             `json:"memberOf@odata.count"`
	TransitiveMemberOf          []DirectoryObject `json:"transitiveMemberOf"`
	AllCount                    int32             `json:"transitiveMemberOf@odata.count"`
}

// UnmarshalJSON is [ParseUser]. On an error u stays as it was.
func (u *User) UnmarshalJSON(data []byte) error {
	in, err := ParseUser(data)
	if err == nil {
		*u = in
	}
	return err
}

// MarshalJSON writes the user as Graph does: what is known to be empty as null or
// [], what is missing not at all, but for groups that are known of a list that is
// not whole.
func (u User) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	write := func(name string, value any) error {
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.Write(wire.Quote(name))
		b.WriteByte(':')
		b.Write(text)
		return nil
	}
	groups := func(p UserProperty, list []DirectoryObject) (err error) {
		switch {
		case u.lacks(p) && len(list) == 0:
			return nil
		case u.lacks(p) && len(list) < expandPage:
			err = write(string(p)+"@odata.nextLink", "") // more is missing
		case !u.lacks(p) && len(list) >= expandPage:
			err = write(string(p)+"@odata.count", len(list))
		}
		if err != nil {
			return err
		}
		return write(string(p), append([]DirectoryObject{}, list...))
	}
	for _, p := range userProperties {
		var err error
		switch p {
		case MemberOf:
			err = groups(p, u.MemberOf)
		case TransitiveMemberOf:
			all := u.TransitiveMemberOf
			if !u.lacks(p) { // a direct member is a member
				for _, g := range u.MemberOf {
					if !slices.Contains(all, g) {
						all = append(slices.Clip(all), g)
					}
				}
			}
			err = groups(p, all)
		case authorizationInfo:
			if !u.lacks(CertificateUserIDs) {
				err = write(string(p), AuthorizationInfo{append([]string{}, u.AuthorizationInfo.CertificateUserIDs...)})
			}
		case AccountEnabled:
			if !u.lacks(p) {
				err = write(string(p), !u.Disabled)
			}
		default:
			text := map[UserProperty]string{ObjectID: u.ID, UserPrincipalName: u.UserPrincipalName,
				OnPremisesUserPrincipalName: u.OnPremisesUserPrincipalName, UserType: u.UserType}[p]
			switch {
			case text != "":
				err = write(string(p), text)
			case u.lacks(p):
			case p == ObjectID || p == UserPrincipalName:
				err = write(string(p), "")
			default:
				err = write(string(p), nil)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
