package snapshot

import (
	"example.com/entracba/cba/internal/wire"
	"example.com/entracba/cba/policy"
)

// A User is a user of the tenant, with what binds certificates to the account.
type User struct {
	policy.User
	DisplayName string `json:"displayName,omitempty"`
	// Synced says that the account comes from Active Directory
	// (onPremisesSyncEnabled). Only Entra Connect writes the certificateUserIds of
	// such an account; Graph refuses to.
	Synced bool `json:"onPremisesSyncEnabled,omitempty"`
}

// userText is the text of a User: the properties of policy.User and the others in
// one object, so that each user is read once.
type userText struct {
	ID                          string                   `json:"id"`
	UserPrincipalName           string                   `json:"userPrincipalName"`
	OnPremisesUserPrincipalName string                   `json:"onPremisesUserPrincipalName"`
	AuthorizationInfo           policy.AuthorizationInfo `json:"authorizationInfo"`
	MemberOf                    []policy.DirectoryObject `json:"memberOf"`
	DisplayName                 string                   `json:"displayName"`
	Synced                      bool                     `json:"onPremisesSyncEnabled"`
}

// ParseUser reads a user as Graph v1.0 returns it, bare or in an envelope
// {"value": {...}}. Letter case in the names of properties does not matter. The user
// must have an id.
//
// The error is [Malformed] or, above [policy.MaxJSON] bytes, [TooLarge].
func ParseUser(data []byte) (User, error) { return parseUser("", data) }

func parseUser(where string, data []byte) (User, error) {
	var t userText
	if err := wire.ReadWrapped(data, policy.MaxJSON, &t); err != nil {
		return User{}, own(where, err)
	}
	if t.ID == "" {
		return User{}, &Error{Reason: Malformed, Where: where, Detail: "the user has no id"}
	}
	return User{User: policy.User{ID: t.ID, UserPrincipalName: t.UserPrincipalName, OnPremisesUserPrincipalName: t.OnPremisesUserPrincipalName,
		AuthorizationInfo: t.AuthorizationInfo, MemberOf: t.MemberOf}, DisplayName: t.DisplayName, Synced: t.Synced}, nil
}
