package snapshot

import (
	"encoding/json"
	"errors"

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

// moreText are the properties of a User that policy.User does not have.
type moreText struct {
	DisplayName string `json:"displayName,omitempty"`
	Synced      bool   `json:"onPremisesSyncEnabled,omitempty"`
}

// SetGroups is [policy.User.SetGroups].
func (u *User) SetGroups(groups []policy.DirectoryObject) {
	if u != nil {
		u.User.SetGroups(groups)
	}
}

// MarshalJSON writes the user as Graph does, see [policy.User.MarshalJSON].
func (u User) MarshalJSON() ([]byte, error) {
	text, err := u.User.MarshalJSON()
	if err != nil {
		return nil, err
	}
	more, err := json.Marshal(moreText{u.DisplayName, u.Synced})
	if err != nil || string(more) == "{}" {
		return text, err
	}
	return append(append(text[:len(text)-1], ','), more[1:]...), nil
}

// UnmarshalJSON is [ParseUser]. On an error u stays as it was.
func (u *User) UnmarshalJSON(data []byte) error {
	in, err := ParseUser(data)
	if err == nil {
		*u = in
	}
	return err
}

// ParseUser reads a user as Graph v1.0 returns it, bare or in an envelope
// {"value": {...}}. Letter case in the names of properties does not matter. The user
// must have an id.
//
// The error is [Malformed] or, above [policy.MaxJSON] bytes, [TooLarge].
func ParseUser(data []byte) (User, error) { return parseUser("", data) }

func parseUser(where string, data []byte) (User, error) {
	var u User
	var more moreText
	if err := wire.ReadWrapped(data, policy.MaxJSON, &more); err != nil {
		return User{}, own(where, err)
	}
	user, err := policy.ParseUser(data)
	var e *policy.Error
	if errors.As(err, &e) {
		return User{}, own(where, &wire.Error{Reason: wire.Reason(e.Reason), Where: e.Where, Offset: e.Offset, Detail: e.Detail})
	}
	if user.ID == "" {
		return User{}, &Error{Reason: Malformed, Where: where, Detail: "the user has no id"}
	}
	u.User, u.DisplayName, u.Synced = user, more.DisplayName, more.Synced
	return u, nil
}
