package policy

import "example.com/entracba/cba/internal/wire"

// A User has the properties of a user that the configuration checks, in the JSON of
// a Graph user:
//
//	GET /users/{id}?$select=id,userPrincipalName,onPremisesUserPrincipalName,authorizationInfo&$expand=memberOf($select=id)
//
// The zero User is in no group and matches no certificate.
type User struct {
	ID                          string            `json:"id,omitempty"`
	UserPrincipalName           string            `json:"userPrincipalName,omitempty"`
	OnPremisesUserPrincipalName string            `json:"onPremisesUserPrincipalName,omitempty"`
	AuthorizationInfo           AuthorizationInfo `json:"authorizationInfo,omitzero"`
	// MemberOf are the groups that the user is in. Graph's memberOf lists direct
	// membership only; for nested groups put transitiveMemberOf here. Whether the
	// service counts nested groups is not documented.
	MemberOf []DirectoryObject `json:"memberOf,omitzero"`
}

// AuthorizationInfo is the part of a Graph user that binds certificates.
type AuthorizationInfo struct {
	CertificateUserIDs []string `json:"certificateUserIds,omitzero"`
}

// A DirectoryObject is one element of memberOf: a group or a role.
type DirectoryObject struct {
	ID string `json:"id"`
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

// ParseUser reads a Graph user, bare or in an envelope {"value": {...}}. Letter
// case in the names of properties does not matter, for PowerShell writes them in
// another. Other properties than those of [User] are not kept. The error is an
// [*Error], for the same faults as in [Parse].
func ParseUser(data []byte) (User, error) {
	var u User
	if err := own(wire.ReadWrapped(data, MaxJSON, &u)); err != nil {
		return User{}, err
	}
	return u, nil
}
