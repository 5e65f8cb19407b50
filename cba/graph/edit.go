package graph

import (
	"errors"
	"fmt"
	"slices"

	"example.com/entracba/cba/certuserid"
)

// An Edit is what is to become of one user's certificateUserIds. It is merged
// with what is there: values that it does not name stay, in their order.
type Edit struct {
	// User is the id or userPrincipalName. Required.
	User string `json:"user"`
	// Remove takes values out, Replace puts values in the place of all those of
	// a mapping, Add appends values; in this order. A value that is there already
	// is not added twice, and one that is not there need not be removed.
	Remove  []string      `json:"remove,omitempty"`
	Replace []Replacement `json:"replace,omitempty"`
	Add     []string      `json:"add,omitempty"`

	undo *Undo
}

// A Replacement puts IDs in the place of all values of one mapping, which is what
// a renewed certificate needs: see [certuserid.Set.Replace].
type Replacement struct {
	Mapping certuserid.Mapping `json:"mapping"`
	IDs     []certuserid.ID    `json:"ids"`
}

// values are those that the edit brings, each once.
func (e Edit) values() []string {
	var all []string
	add := func(v string) {
		if !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	for _, r := range e.Replace {
		for _, id := range r.IDs {
			add(id.String())
		}
	}
	for _, v := range e.Add {
		add(v)
	}
	if e.undo != nil {
		for _, v := range e.undo.Before {
			if !slices.Contains(e.undo.After, v) {
				add(v)
			}
		}
	}
	return all
}

// check finds what is wrong with an edit before anything is asked of the service.
func (e Edit) check() error {
	if e.User == "" {
		return errors.New("graph: edit: the user is required")
	}
	if e.undo != nil {
		if _, err := certuserid.NewSet(e.undo.Before...); err != nil {
			return fmt.Errorf("graph: edit of user %q: %w", e.User, err)
		}
	}
	values := e.values()
	if len(values) > certuserid.MaxValues {
		return fmt.Errorf("graph: edit of user %q: %w", e.User, &certuserid.SetError{Value: values[certuserid.MaxValues], Reason: certuserid.Full})
	}
	if _, err := certuserid.NewSet(values...); err != nil {
		return fmt.Errorf("graph: edit of user %q: %w", e.User, err)
	}
	return nil
}

// apply returns what the values are after the edit. The error is a
// *certuserid.SetError: more values than a user may have.
func (e Edit) apply(current []string) ([]string, error) {
	if e.undo != nil {
		values := e.undo.apply(current)
		_, err := certuserid.NewSet(values...)
		return values, err
	}
	var s certuserid.Set
	if err := s.Merge(current...); err != nil { // what the directory has
		return nil, err
	}
	for _, v := range e.Remove {
		s.Remove(v)
	}
	for _, r := range e.Replace {
		if err := s.Replace(r.Mapping, r.IDs...); err != nil {
			return nil, err
		}
	}
	if err := s.Merge(e.Add...); err != nil {
		return nil, err
	}
	return s.Values(), nil
}

// An Undo is what was done to one user: a line of an undo file.
type Undo struct {
	User              string   `json:"user"` // id
	UserPrincipalName string   `json:"userPrincipalName,omitempty"`
	Before            []string `json:"before"`
	After             []string `json:"after"`
}

// Edit takes back what was done: if the user still has exactly the values of
// After, those of Before come back, in their order. If they were changed since,
// only what was added is removed and only what was removed is added.
func (u Undo) Edit() Edit { return Edit{User: u.User, undo: &u} }

func (u Undo) apply(current []string) []string {
	if slices.Equal(current, u.After) {
		return slices.Clone(u.Before)
	}
	var values []string
	for _, v := range current {
		if slices.Contains(u.Before, v) || !slices.Contains(u.After, v) {
			values = append(values, v)
		}
	}
	for _, v := range u.Before {
		if !slices.Contains(u.After, v) && !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values
}

// An Outcome is what became of one user's edit. The zero value is unset.
type Outcome uint8

const (
	// Planned is a change that was not made yet.
	Planned Outcome = iota + 1
	// Unchanged: the user has what the edit asks for already.
	Unchanged
	// Skipped: a synced user, whose values are Entra Connect's.
	Skipped
	// Failed: see the error.
	Failed
	// Written, and read back.
	Written
	// Unverified: written, and reading back did not show it within
	// [Client.Patience].
	Unverified
)

// String returns the outcome in one word.
func (o Outcome) String() string {
	switch o {
	case Planned:
		return "planned"
	case Unchanged:
		return "unchanged"
	case Skipped:
		return "skipped"
	case Failed:
		return "failed"
	case Written:
		return "written"
	case Unverified:
		return "unverified"
	}
	return fmt.Sprintf("Outcome(%d)", uint8(o))
}

// MarshalText writes the text of [Outcome.String]; an unset or unknown outcome is
// an error.
func (o Outcome) MarshalText() ([]byte, error) {
	if o < Planned || o > Unverified {
		return nil, fmt.Errorf("graph: no text for %v", o)
	}
	return []byte(o.String()), nil
}

// A UserPlan is one user's edit: planned by [Client.PlanUsers], and what became
// of it by [Client.ApplyUsers].
type UserPlan struct {
	Edit    Edit
	User    User // as it was read; empty if it could not be
	Outcome Outcome
	// Before is what the user had, After what it is to have, or has.
	Before, After []string
	// Merged says that somebody else changed the user's values in the meantime. After
	// holds both changes; what of theirs was overwritten was put back.
	Merged bool
	// Reason says in words why the user was skipped.
	Reason string
	// Err is why it failed: an [*Error], a [*certuserid.SetError], or a
	// [*HolderError].
	Err error
}

// Add returns the values that come.
func (p UserPlan) Add() []string { return without(p.After, p.Before) }

// Remove returns the values that go.
func (p UserPlan) Remove() []string { return without(p.Before, p.After) }

func without(list, other []string) []string {
	var rest []string
	for _, v := range list {
		if !slices.Contains(other, v) {
			rest = append(rest, v)
		}
	}
	return rest
}

// Undo returns what takes the change back.
func (p UserPlan) Undo() Undo {
	return Undo{User: p.User.ID, UserPrincipalName: p.User.UserPrincipalName, Before: nonNil(p.Before), After: nonNil(p.After)}
}

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// String returns the plan for people: the user, the outcome, and one line for
// each value that comes or goes.
func (p UserPlan) String() string {
	name := p.User.UserPrincipalName
	if name == "" {
		name = p.Edit.User
	}
	text := name + ": " + p.Outcome.String()
	if p.Reason != "" {
		text += ": " + p.Reason
	}
	if p.Err != nil {
		text += ": " + p.Err.Error()
	}
	if p.Merged {
		text += ", merged with a change by somebody else"
	}
	if p.Outcome == Unchanged || p.Outcome == Skipped {
		return text
	}
	for _, v := range p.Remove() {
		text += "\n  - " + v
	}
	for _, v := range p.Add() {
		text += "\n  + " + v
	}
	return text
}

// A HolderError is a value that another user has: the directory keeps
// certificateUserIds unique in the tenant. It is an [ErrConflict].
type HolderError struct {
	Value  string
	Holder string // userPrincipalName or id
}

// Error returns the value and who has it.
func (e *HolderError) Error() string {
	return fmt.Sprintf("graph: the value %q is %s's, and a value can be one user's only: remove it there first", e.Value, e.Holder)
}

// Is makes it an [ErrConflict].
func (e *HolderError) Is(target error) bool { return target == ErrConflict }
