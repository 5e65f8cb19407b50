package graph

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"

	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/snapshot"
)

// userSelect is what is asked of users. authorizationInfo comes on $select alone.
const userSelect = "id,userPrincipalName,displayName,onPremisesUserPrincipalName,onPremisesSyncEnabled,accountEnabled,userType,authorizationInfo"

func readUsers(name string) operation {
	return operation{name: name, permission: "User.Read.All", role: "Global Reader"}
}

// writeUsers names what the pages' examples use. The update page of July 2026
// lists User.ReadUpdate.All as the least, and does not mention authorizationInfo.
func writeUsers(name string) operation {
	return operation{name: name, permission: "User.ReadWrite.All with Directory.ReadWrite.All", role: "Privileged Authentication Administrator"}
}

// userPath is the path of one user, by id or userPrincipalName. The "#" in the
// names of guests is escaped.
func userPath(user string) string { return "users/" + url.PathEscape(user) }

func userRead(user string) string { return userPath(user) + query("$select", userSelect) }

// User returns one user, by id or userPrincipalName. It does not read the user's
// groups: see [Client.Groups].
func (c *Client) User(ctx context.Context, user string) (snapshot.User, error) {
	var u snapshot.User
	err := c.get(ctx, readUsers("read a user").on("user", user), userRead(user), func(body []byte) (err error) {
		u, err = snapshot.ParseUser(body)
		return err
	}, eventual)
	return u, err
}

// Users streams every user of the tenant, with or without certificateUserIds, 999 at a
// time. Memory does not grow with the tenant. The stream ends after an error.
func (c *Client) Users(ctx context.Context) iter.Seq2[snapshot.User, error] {
	return c.users(ctx, readUsers("list users"), "users"+query("$select", userSelect, "$top", "999"))
}

func (c *Client) users(ctx context.Context, op operation, path string) iter.Seq2[snapshot.User, error] {
	return func(yield func(snapshot.User, error) bool) {
		for text, err := range c.pages(ctx, request{op: op, path: path, header: [][2]string{eventual}}) {
			var u snapshot.User
			if err == nil {
				if u, err = snapshot.ParseUser(text); err != nil {
					err = op.broken("/users", err)
				}
			}
			if !yield(u, err) || err != nil {
				return
			}
		}
	}
}

// holderPath asks who has a value; the filter needs both the header and the
// count.
func holderPath(value string) string {
	return "users" + query("$select", userSelect, "$count", "true",
		"$filter", "authorizationInfo/certificateUserIds/any(x:x eq "+literal(value)+")")
}

// Holders returns the users who have a certificateUserIds value. The directory keeps
// values unique, so it is one user or none. A value that was written just now may not
// be found yet. Whether letter case matters to the service is not documented.
func (c *Client) Holders(ctx context.Context, value string) ([]snapshot.User, error) {
	var holders []snapshot.User
	for u, err := range c.users(ctx, readUsers("find the user who has a certificateUserIds value"), holderPath(value)) {
		if err != nil {
			return nil, err
		}
		holders = append(holders, u)
	}
	return holders, nil
}

// groupsPath asks for groups alone; the cast needs both the header and the count.
func groupsPath(user string) string {
	return userPath(user) + "/transitiveMemberOf/microsoft.graph.group" + query("$select", "id", "$count", "true", "$top", "999")
}

// Groups returns the groups of a user, nested groups included, for the method SetGroups
// of [policy.User].
func (c *Client) Groups(ctx context.Context, user string) ([]policy.DirectoryObject, error) {
	groups := []policy.DirectoryObject{}
	op := operation{name: "list the groups of a user", permission: "GroupMember.Read.All", role: "Directory Readers"}.on("user", user)
	for text, err := range c.pages(ctx, request{op: op, path: groupsPath(user), header: [][2]string{eventual}}) {
		var g policy.DirectoryObject
		if err == nil {
			err = json.Unmarshal(text, &g)
		}
		if err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	return groups, nil
}
