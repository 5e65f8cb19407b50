package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"time"

	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/snapshot"
)

// SnapshotOptions choose what a snapshot contains beside the configuration. The zero
// value adds the users who have certificateUserIds, and the authentication strengths.
type SnapshotOptions struct {
	// AllUsers adds the users without certificateUserIds, too. With many users the file
	// can exceed [signin.MaxConfig], and package signin then does not read it;
	// [Client.Tenant] reads the configuration alone.
	AllUsers bool
	// Groups reads the groups of each user, which scopes and targets need. It costs a
	// request for each user, 20 in a batch.
	Groups bool
	// SignInsSince counts the sign-ins since then; zero counts none.
	SignInsSince time.Time
	// LeftOut, if it is not nil, is called with the error of a part that the service
	// refuses to give (400, 403, 404), and the snapshot goes on without the part: the
	// groups of users, who then have none that are known, the authentication strengths,
	// and the sign-ins. With nil such an error ends the snapshot.
	LeftOut func(error)
}

// leaves reports whether the snapshot goes on without the part that an error is of.
func (o SnapshotOptions) leaves(err error) bool {
	if o.LeftOut == nil || !refused(err) {
		return false
	}
	o.LeftOut(err)
	return true
}

// refused reports whether the service understood a request and does not answer it: the
// permission, the licence or the feature is not there.
func refused(err error) bool {
	return errors.Is(err, Forbidden) || errors.Is(err, Refused) || errors.Is(err, NotFound)
}

// Snapshot reads a tenant into one value, to save, to compare and to decide sign-ins
// with.
func (c *Client) Snapshot(ctx context.Context, o SnapshotOptions) (snapshot.Snapshot, error) {
	s := snapshot.Snapshot{Taken: c.now().UTC().Truncate(time.Second)}
	var err error
	if s.TenantID, err = c.TenantID(ctx); err != nil {
		return s, err
	}
	if s.Config, err = c.Tenant(ctx); err != nil {
		return s, err
	}
	if s.Strengths, err = c.Strengths(ctx); err != nil && !o.leaves(err) {
		return s, err
	}
	for u, err := range c.Users(ctx) {
		if err != nil {
			return s, err
		}
		if o.AllUsers || len(u.AuthorizationInfo.CertificateUserIDs) > 0 {
			s.Users = append(s.Users, u)
		}
	}
	if o.Groups {
		if err := c.addGroups(ctx, s.Users, o); err != nil && !o.leaves(err) {
			return s, err
		}
	}
	if !o.SignInsSince.IsZero() {
		sum, err := snapshot.Summarize(snapshot.SignIns(c.SignInLog(ctx, o.SignInsSince, SignInQuery{})), nil)
		switch {
		case err == nil:
			s.SignIns = &sum
		case !o.leaves(err):
			return s, err
		}
	}
	return s, nil
}

// AddGroups reads the groups of each user, nested groups included, 20 users in a batch,
// and sets them ([policy.User.SetGroups]).
func (c *Client) AddGroups(ctx context.Context, users []snapshot.User) error {
	return c.addGroups(ctx, users, SnapshotOptions{})
}

// addGroups is AddGroups for a snapshot.
func (c *Client) addGroups(ctx context.Context, users []snapshot.User, o SnapshotOptions) error {
	op := operation{name: "list the groups of users", permission: "GroupMember.Read.All", role: "Directory Readers"}
	for chunk := range slices.Chunk(users, maxBatch) {
		groups := make([][]part, len(chunk))
		for i, u := range chunk {
			groups[i] = []part{{method: "GET", path: groupsPath(u.ID), object: "user " + u.ID, header: map[string]string{eventual[0]: eventual[1]}}}
		}
		answers, errs := c.exchange(ctx, op, nil, groups)
		for i := range chunk {
			if errs[i] != nil {
				return errs[i]
			}
			a := answers[i][0]
			if a.Status != 200 {
				err := c.fails(op, groups[i][0], a)
				if errors.Is(err, NotFound) && o.leaves(err) {
					continue // deleted since the users were listed
				}
				return err
			}
			var p page
			if err := p.parse(a.Body); err != nil {
				return c.broken(op, groups[i][0], a, err)
			}
			if p.Next != "" { // a user in more than a page of groups
				list, err := c.Groups(ctx, chunk[i].ID)
				if err != nil {
					return err
				}
				chunk[i].SetGroups(list)
				continue
			}
			list := []policy.DirectoryObject{}
			for _, text := range p.Value {
				var g policy.DirectoryObject
				if err := json.Unmarshal(text, &g); err != nil {
					return c.broken(op, groups[i][0], a, err)
				}
				list = append(list, g)
			}
			chunk[i].SetGroups(list)
		}
	}
	return nil
}

const strengthsPath = "identity/conditionalAccess/authenticationStrength/policies"

// Strengths returns the authentication strengths of Conditional Access, each with
// its combination configurations, as Graph writes them.
func (c *Client) Strengths(ctx context.Context) ([]json.RawMessage, error) {
	op := operation{name: "list authentication strengths", permission: "Policy.Read.All", role: "Conditional Access Administrator"}
	type strength struct {
		text json.RawMessage
		id   string
		own  bool // it has its combination configurations with it
	}
	all, err := list(ctx, c, op, strengthsPath, func(text []byte) (strength, error) {
		var s struct {
			ID           string          `json:"id"`
			Combinations json.RawMessage `json:"combinationConfigurations"`
		}
		err := json.Unmarshal(text, &s)
		return strength{slices.Clone(text), s.ID, s.Combinations != nil}, err
	})
	if err != nil {
		return nil, err
	}
	texts := make([]json.RawMessage, len(all))
	for i, s := range all {
		if texts[i] = s.text; s.own {
			continue
		}
		combinations, err := list(ctx, c, op, strengthsPath+"/"+url.PathEscape(s.id)+"/combinationConfigurations",
			func(text []byte) (json.RawMessage, error) { return slices.Clone(text), nil })
		if err != nil {
			return nil, err
		}
		text := bytes.TrimRight(s.text, " \t\r\n")
		texts[i] = slices.Concat(text[:len(text)-1], []byte(`,"combinationConfigurations":`), encode(combinations), []byte("}"))
	}
	return texts, nil
}
