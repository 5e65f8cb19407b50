package snapshot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"example.com/entracba/cba/internal/wire"
	"example.com/entracba/cba/signin"
)

// A Snapshot is a tenant in one file. Its JSON is that of a [signin.Config] with
// more properties beside it, so that everything which reads one reads a snapshot
// too.
//
// Copies of the struct share its lists. Change one of two copies only after
// [Snapshot.Clone].
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
	// SignIns counts the sign-ins of the requested period; nil if none was
	// requested.
	SignIns *Summary
}

// The properties of a snapshot beside those of signin.Config.
const (
	snapTaken     = "takenDateTime"
	snapTenant    = "tenantId"
	snapStrengths = "authenticationStrengths"
	snapUsers     = "users"
	snapSignIns   = "signIns"
)

// MarshalJSON writes the snapshot as a [signin.Config] with more properties.
func (s Snapshot) MarshalJSON() ([]byte, error) {
	config := s.Config
	config.Extra = maps.Clone(config.Extra)
	if config.Extra == nil {
		config.Extra = map[string]json.RawMessage{}
	}
	for _, p := range []struct {
		name string
		has  bool
		v    any
	}{
		{snapTaken, !s.Taken.IsZero(), s.Taken}, {snapTenant, s.TenantID != "", s.TenantID}, {snapStrengths, s.Strengths != nil, s.Strengths},
		{snapUsers, s.Users != nil, s.Users}, {snapSignIns, s.SignIns != nil, s.SignIns},
	} {
		if !p.has {
			continue
		}
		text, err := encode(p.v)
		if err != nil {
			return nil, &Error{Reason: Malformed, Where: p.name, Err: err}
		}
		config.Extra[p.name] = text
	}
	return config.MarshalJSON()
}

// UnmarshalJSON reads what MarshalJSON wrote. Unknown properties are kept in
// Config.Extra. On an error s stays as it was.
func (s *Snapshot) UnmarshalJSON(data []byte) error {
	var read Snapshot
	if err := read.Config.UnmarshalJSON(data); err != nil {
		reason := Malformed
		if errors.Is(err, signin.TooLarge) {
			reason = TooLarge
		}
		return &Error{Reason: reason, Err: err}
	}
	take := func(name string, into any) error {
		text, ok := read.Config.Extra[name]
		if !ok {
			return nil
		}
		delete(read.Config.Extra, name)
		if err := json.Unmarshal(text, into); err != nil {
			return &Error{Reason: Malformed, Where: "/" + name, Err: err}
		}
		return nil
	}
	var users []json.RawMessage
	err := errors.Join(take(snapTaken, &read.Taken), take(snapTenant, &read.TenantID), take(snapStrengths, &read.Strengths),
		take(snapUsers, &users), take(snapSignIns, &read.SignIns))
	if err != nil {
		return err
	}
	if users != nil {
		read.Users = make([]User, len(users)) // none is not the same as not asked for
	}
	for i, text := range users {
		if read.Users[i], err = parseUser(fmt.Sprintf("/%s/%d", snapUsers, i), text); err != nil {
			return err
		}
	}
	if len(read.Config.Extra) == 0 {
		read.Config.Extra = nil
	}
	*s = read
	return nil
}

// Parse reads a snapshot, or any file that [signin.ParseConfig] reads. The error is
// [Malformed] or, above [signin.MaxConfig] bytes, [TooLarge].
func Parse(data []byte) (Snapshot, error) {
	var s Snapshot
	err := s.UnmarshalJSON(data)
	return s, err
}

// Clone returns a copy that shares nothing with s. Change it, and [Snapshot.Edits]
// says what was changed.
func (s Snapshot) Clone() Snapshot { return wire.Clone(s) }

// Edits returns what makes the users of this snapshot those of another one: the
// change that was made to the file. A user whose values the directory has changed
// since keeps that change. A user that is missing from one of the two snapshots is
// left alone.
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

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// encode is json.Marshal without the escapes for HTML: the values are full of
// "<" and ">".
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}
