package policy

import (
	"bytes"
	"encoding/json"
	"slices"

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
// case-insensitive. Other properties than those of [User] are not kept; but an account is
// disabled, too, if Enabled of Get-ADUser or BlockCredential of Get-MsolUser says so. The error is an
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
	var r userReader
	if err := wire.ReadObject(data, r.property); err != nil {
		return User{}, own(err)
	}
	if !r.some {
		return User{}, &Error{Reason: WrongObject, Detail: "it has none of the properties of a user; give the answer of GET /users/{id}?$select=id,userPrincipalName,accountEnabled,userType,authorizationInfo"}
	}
	if other := r.stranger.What(); other != "" {
		return User{}, &Error{Reason: WrongObject, Detail: "it is " + other + " and no user; give the answer of GET /users/{id}"}
	}
	return r.done(), nil
}

// A userReader reads the properties of a user as they come, in any letter case.
type userReader struct {
	user     User
	has, set [len(userProperties)]bool // set: and not null
	isCut    [len(userProperties)]bool // a list of groups has a link to more
	counts   [len(userProperties)]int32
	counted  [len(userProperties)]bool // counts has been read
	some     bool                      // there is a property of a user, or an annotation of one
	stranger dialect.Stranger
	blocked  bool // another property than accountEnabled says that it is closed
}

// Annotations of a list of groups.
const (
	countOf = "@odata.count"
	moreOf  = "@odata.nextLink"
)

func (r *userReader) property(name, raw []byte) (err *wire.Error) {
	r.stranger.See(name, raw)
	// Active Directory and the older modules of PowerShell say so of a closed account.
	r.blocked = r.blocked || wire.EqualFold(name, "blockCredential") && string(raw) == "true" || wire.EqualFold(name, "enabled") && string(raw) == "false"
	base, annotation := name, []byte(nil)
	if at := bytes.IndexByte(name, '@'); at >= 0 {
		base, annotation = name[:at], name[at:]
	}
	i := slices.IndexFunc(userProperties[:], func(p UserProperty) bool { return wire.EqualFold(base, string(p)) })
	if i < 0 {
		return nil
	}
	r.some = true
	isSet := string(raw) != "null"
	p := userProperties[i]
	switch isList := p == MemberOf || p == TransitiveMemberOf; {
	case annotation == nil:
	case isList && wire.EqualFold(annotation, countOf):
		if r.counted[i] {
			return wire.Twice()
		}
		r.counted[i] = true
		r.counts[i], err = wire.Int32(raw)
		return err
	case isList && wire.EqualFold(annotation, moreOf):
		r.isCut[i] = r.isCut[i] || isSet
		return nil
	default:
		return nil
	}
	if r.has[i] {
		return wire.Twice()
	}
	r.has[i], r.set[i] = true, isSet
	switch u := &r.user; p {
	case ObjectID:
		u.ID, err = wire.String(raw)
	case UserPrincipalName:
		u.UserPrincipalName, err = wire.String(raw)
	case OnPremisesUserPrincipalName:
		u.OnPremisesUserPrincipalName, err = wire.String(raw)
	case AccountEnabled:
		var is bool
		is, err = wire.Bool(raw)
		u.Disabled = isSet && !is
	case UserType:
		u.UserType, err = wire.String(raw)
	case authorizationInfo:
		err = one(raw, string(CertificateUserIDs), func(raw []byte) (err *wire.Error) {
			u.AuthorizationInfo.CertificateUserIDs, err = wire.List(raw, wire.String)
			return err
		})
	case MemberOf:
		u.MemberOf, err = wire.List(raw, readGroup)
	case TransitiveMemberOf:
		u.TransitiveMemberOf, err = wire.List(raw, readGroup)
	}
	return err
}

func readGroup(raw []byte) (g DirectoryObject, err *wire.Error) {
	err = one(raw, "id", func(raw []byte) (err *wire.Error) {
		g.ID, err = wire.String(raw)
		return err
	})
	return g, err
}

// one reads one property of an object.
func one(raw []byte, property string, read func(raw []byte) *wire.Error) *wire.Error {
	seen := false
	return wire.Properties(raw, func(name, value []byte) *wire.Error {
		if !wire.EqualFold(name, property) {
			return nil
		}
		if seen {
			return wire.Twice()
		}
		seen = true
		return read(value)
	})
}

// done returns the user, with what is missing.
func (r *userReader) done() User {
	u := r.user
	var unasked bool // null stands for what was not asked for
	for i, p := range userProperties {
		unasked = unasked || (p == AccountEnabled || p == MemberOf || p == TransitiveMemberOf) && r.has[i] && !r.set[i]
	}
	cut := func(i int, list []DirectoryObject) bool {
		return r.isCut[i] || slices.Contains(list, DirectoryObject{}) || len(list) >= expandPage && int(r.counts[i]) != len(list)
	}
	u.Disabled = u.Disabled || r.blocked
	for i, p := range userProperties {
		switch {
		case p == AccountEnabled && r.blocked:
			continue
		case !r.has[i], !r.set[i] && (unasked || p != OnPremisesUserPrincipalName && p != UserType),
			p == MemberOf && cut(i, u.MemberOf), p == TransitiveMemberOf && cut(i, u.TransitiveMemberOf):
		case p == authorizationInfo && u.AuthorizationInfo.CertificateUserIDs == nil:
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
