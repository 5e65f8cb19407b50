package graph

import (
	"slices"

	"example.com/entracba/cba/internal/enum"
	"example.com/entracba/cba/snapshot"
)

// An Outcome is the state of one user's edit. The zero value is unset.
type Outcome uint8

const (
	// Planned: the change was not made yet.
	Planned Outcome = iota + 1
	// Unchanged: the user has what the edit asks for already.
	Unchanged
	// Skipped: the user is synced, and only Entra Connect writes the values.
	Skipped
	// Failed: see the error.
	Failed
	// Written: the change was made and read back.
	Written
	// Unverified: the change was made and not visible within [Client.Patience].
	Unverified
)

var outcomes = enum.Of[Outcome]("graph: outcome", "planned", "unchanged", "skipped", "failed", "written", "unverified")

// String returns the outcome in one word.
func (o Outcome) String() string { return outcomes.String(o) }

// MarshalText writes the text of [Outcome.String]; an unset or unknown outcome is an
// error.
func (o Outcome) MarshalText() ([]byte, error) { return outcomes.Marshal(o) }

// UnmarshalText reads what MarshalText wrote.
func (o *Outcome) UnmarshalText(text []byte) error { return outcomes.Unmarshal(o, text) }

// A UserPlan is one user's edit: the plan from [Client.PlanUsers], or the result from
// [Client.ApplyUsers].
type UserPlan struct {
	Edit    snapshot.Edit
	User    snapshot.User // as it was read; empty if it was not
	Outcome Outcome
	// Before are the values before the edit, After those after it.
	Before, After []string
	// Merged says that another program changed the user's values meanwhile. After
	// holds both changes; overwritten values of the other program were put back.
	Merged bool
	// Reason says in words why the user was skipped.
	Reason string
	// Err is why the edit failed: an [*Error]. If another user has a value, it is a
	// [Conflict], and [Error.Owner] names that user.
	Err error
}

// Add returns the values that the edit adds.
func (p UserPlan) Add() []string { return without(p.After, p.Before) }

// Remove returns the values that the edit removes.
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

// Undo returns the line of an undo file that takes the change back.
func (p UserPlan) Undo() snapshot.Undo {
	return snapshot.Undo{User: p.User.ID, UserPrincipalName: p.User.UserPrincipalName, Before: nonNil(p.Before), After: nonNil(p.After)}
}

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// String returns the user, the outcome, and one line for each value that is added or
// removed.
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
		text += ", merged with a change by another program"
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
