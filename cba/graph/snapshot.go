package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
)

// A Snapshot is a tenant in one file. Its JSON is that of a [signin.Config], so
// that everything which reads one reads a snapshot too, with more properties
// beside it.
type Snapshot struct {
	Taken    time.Time
	TenantID string
	Config   signin.Config
	// Strengths are the Conditional Access authentication strengths, as Graph
	// returns them with their combination configurations: what
	// [signin.ParseStrength] reads.
	Strengths []json.RawMessage
	// Users are in the order of the directory.
	Users []User
	// SignIns counts the sign-ins of the time that was asked for; nil if none was.
	SignIns *Summary
}

// SnapshotOptions choose what a snapshot holds beside the configuration. The zero
// value adds the users who have certificateUserIds.
type SnapshotOptions struct {
	// AllUsers takes the users without certificateUserIds, too.
	AllUsers bool
	// NoUsers leaves all of them out: many users make a file over
	// [signin.MaxConfig], which package signin does not read.
	NoUsers bool
	// Groups reads the groups of each user, which scopes and targets ask for. It
	// costs a request for each user, 20 in a batch.
	Groups bool
	// NoStrengths leaves the authentication strengths out, whose reading needs
	// Policy.Read.All.
	NoStrengths bool
	// SignInsSince counts the sign-ins since then; zero counts none.
	SignInsSince time.Time
}

// The properties of a snapshot beside those of signin.Config.
const (
	snapTaken     = "takenDateTime"
	snapTenant    = "tenantId"
	snapStrengths = "authenticationStrengths"
	snapUsers     = "users"
	snapSignIns   = "signIns"
)

// Snapshot reads a tenant.
func (c *Client) Snapshot(ctx context.Context, o SnapshotOptions) (Snapshot, error) {
	s := Snapshot{Taken: c.now().UTC().Truncate(time.Second)}
	var err error
	if s.TenantID, err = c.TenantID(ctx); err != nil {
		return s, err
	}
	if s.Config, err = c.Tenant(ctx); err != nil {
		return s, err
	}
	if !o.NoStrengths {
		if s.Strengths, err = c.Strengths(ctx); err != nil {
			return s, err
		}
	}
	if !o.NoUsers {
		for u, err := range c.Users(ctx) {
			if err != nil {
				return s, err
			}
			if o.AllUsers || len(u.AuthorizationInfo.CertificateUserIDs) > 0 {
				s.Users = append(s.Users, u)
			}
		}
	}
	if o.Groups {
		if err := c.addGroups(ctx, s.Users); err != nil {
			return s, err
		}
	}
	if !o.SignInsSince.IsZero() {
		sum, err := Summarize(Flows(c.SignIns(ctx, SignInQuery{Since: o.SignInsSince})), nil)
		if err != nil {
			return s, err
		}
		s.SignIns = &sum
	}
	return s, nil
}

// addGroups reads the groups of users, 20 in a batch.
func (c *Client) addGroups(ctx context.Context, users []User) error {
	op := operation{"list the groups of users", "GroupMember.Read.All", "Directory Readers"}
	for chunk := range slices.Chunk(users, maxBatch) {
		groups := make([][]part, len(chunk))
		for i, u := range chunk {
			groups[i] = []part{{method: "GET", path: groupsPath(u.ID)}}
		}
		answers, errs := c.exchange(ctx, op, nil, groups)
		for i := range chunk {
			if errs[i] != nil {
				return errs[i]
			}
			a := answers[i][0]
			if a.Status != 200 {
				return c.fails(op, groups[i][0], a)
			}
			var p page
			if err := json.Unmarshal(a.Body, &p); err != nil || p.Value == nil {
				return c.broken(op, groups[i][0], a, errors.New("it is no collection"))
			}
			if p.Next != "" { // a user in more than a page of groups
				list, err := c.Groups(ctx, chunk[i].ID)
				if err != nil {
					return err
				}
				chunk[i].MemberOf = list
				continue
			}
			for _, text := range p.Value {
				var g policy.DirectoryObject
				if err := json.Unmarshal(text, &g); err != nil {
					return c.broken(op, groups[i][0], a, err)
				}
				chunk[i].MemberOf = append(chunk[i].MemberOf, g)
			}
		}
	}
	return nil
}

const strengthsPath = "identity/conditionalAccess/authenticationStrength/policies"

// Strengths returns the authentication strengths of Conditional Access, each with
// its combination configurations, as Graph writes them.
func (c *Client) Strengths(ctx context.Context) ([]json.RawMessage, error) {
	op := operation{"list authentication strengths", "Policy.Read.All", "Conditional Access Administrator"}
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
		o, err := decodeOrdered(s.text)
		if err != nil {
			return nil, err
		}
		if o, ok := o.(*object); ok {
			o.names = append(o.names, "combinationConfigurations")
			o.values["combinationConfigurations"] = combinations
			texts[i] = encode(o)
		}
	}
	return texts, nil
}

// MarshalJSON writes the snapshot as a [signin.Config] with more properties.
func (s Snapshot) MarshalJSON() ([]byte, error) {
	config := s.Config
	config.Extra = maps.Clone(config.Extra)
	if config.Extra == nil {
		config.Extra = map[string]json.RawMessage{}
	}
	set := func(name string, v any) {
		if text := encode(v); text != nil {
			config.Extra[name] = text
		}
	}
	if !s.Taken.IsZero() {
		set(snapTaken, s.Taken)
	}
	if s.TenantID != "" {
		set(snapTenant, s.TenantID)
	}
	if s.Strengths != nil {
		set(snapStrengths, s.Strengths)
	}
	if s.Users != nil {
		set(snapUsers, s.Users)
	}
	if s.SignIns != nil {
		set(snapSignIns, s.SignIns)
	}
	return config.MarshalJSON()
}

// UnmarshalJSON reads what MarshalJSON wrote. Properties that are not known are
// kept in Config.Extra.
func (s *Snapshot) UnmarshalJSON(data []byte) error {
	var read Snapshot
	if err := read.Config.UnmarshalJSON(data); err != nil {
		return err
	}
	take := func(name string, into any) error {
		text, ok := read.Config.Extra[name]
		if !ok {
			return nil
		}
		delete(read.Config.Extra, name)
		d := json.NewDecoder(bytes.NewReader(text))
		if err := d.Decode(into); err != nil {
			return fmt.Errorf("graph: snapshot, %s: %w", name, err)
		}
		return nil
	}
	var users []json.RawMessage
	err := errors.Join(take(snapTaken, &read.Taken), take(snapTenant, &read.TenantID), take(snapStrengths, &read.Strengths),
		take(snapUsers, &users), take(snapSignIns, &read.SignIns))
	if err != nil {
		return err
	}
	for i, text := range users {
		u, err := parseUser(text)
		if err != nil {
			return fmt.Errorf("graph: snapshot, %s[%d]: %w", snapUsers, i, err)
		}
		read.Users = append(read.Users, u)
	}
	if len(read.Config.Extra) == 0 {
		read.Config.Extra = nil
	}
	*s = read
	return nil
}

// ParseSnapshot reads a snapshot, or any file that [signin.ParseConfig] reads.
func ParseSnapshot(data []byte) (Snapshot, error) {
	if len(data) > signin.MaxConfig {
		return Snapshot{}, fmt.Errorf("graph: snapshot: %d bytes, more than %d", len(data), signin.MaxConfig)
	}
	var s Snapshot
	err := s.UnmarshalJSON(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	return s, err
}

// Edits are what makes the users of this snapshot those of another one: the change
// that was made to the file, for [Client.PlanUsers]. A user whose values the
// directory has changed since keeps that change. Users that one of the two has not
// are left alone.
func (s Snapshot) Edits(after Snapshot) []Edit {
	before := map[string]User{}
	for _, u := range s.Users {
		before[u.ID] = u
	}
	var edits []Edit
	for _, u := range after.Users {
		old, ok := before[u.ID]
		was, is := old.AuthorizationInfo.CertificateUserIDs, u.AuthorizationInfo.CertificateUserIDs
		if ok && !slices.Equal(was, is) {
			edits = append(edits, Undo{User: u.ID, UserPrincipalName: u.UserPrincipalName, Before: nonNil(is), After: nonNil(was)}.Edit())
		}
	}
	return edits
}
