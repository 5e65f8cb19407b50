package snapshot

import (
	"encoding/json"

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

// ParseUser reads a user as Graph v1.0 returns it. It must have an id.
//
// The error is [Malformed].
func ParseUser(data []byte) (User, error) {
	var u User
	var err error
	if u.User, err = policy.ParseUser(data); err != nil {
		return User{}, &Error{Reason: Malformed, Where: "user", Err: err}
	}
	var more struct {
		DisplayName string `json:"displayName"`
		Synced      bool   `json:"onPremisesSyncEnabled"`
	}
	if err := json.Unmarshal(data, &more); err != nil {
		return User{}, &Error{Reason: Malformed, Where: "user", Err: err}
	}
	u.DisplayName, u.Synced = more.DisplayName, more.Synced
	if u.ID == "" {
		return User{}, &Error{Reason: Malformed, Where: "user", Text: "it has no id"}
	}
	return u, nil
}
