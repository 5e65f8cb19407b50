package snapshot

import (
	"fmt"
	"iter"
	"slices"

	"example.com/entracba/cba/certuserid"
)

// An Edit is a change of one user's certificateUserIds. It is merged with the
// values that are there: values that it does not name stay, in their order.
type Edit struct {
	// User is the id or userPrincipalName. Required.
	User string `json:"user"`
	// Remove takes values out, Replace replaces all values of a mapping, Add appends
	// values; in this order. A value that is there already is not added twice, and
	// removing a value that is not there does nothing.
	Remove  []string      `json:"remove,omitempty"`
	Replace []Replacement `json:"replace,omitempty"`
	Add     []string      `json:"add,omitempty"`
	// Undo takes back what was done, see [Undo.Edit]. Remove, Replace and Add then
	// have no effect.
	Undo *Undo `json:"undo,omitempty"`
}

// A Replacement replaces all values of one mapping with IDs, which is what a
// renewed certificate needs: see [certuserid.Set.Replace].
type Replacement struct {
	Mapping certuserid.Mapping `json:"mapping"`
	IDs     []certuserid.ID    `json:"ids"`
}

// Edits returns a list of edits as a stream.
func Edits(edits ...Edit) iter.Seq2[Edit, error] {
	return func(yield func(Edit, error) bool) {
		for _, e := range edits {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Values returns the values that the edit may add, each once.
func (e Edit) Values() []string {
	var all []string
	add := func(v string) {
		if !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	if e.Undo != nil {
		for _, v := range e.Undo.Before {
			if !slices.Contains(e.Undo.After, v) {
				add(v)
			}
		}
		return all
	}
	for _, r := range e.Replace {
		for _, id := range r.IDs {
			add(id.String())
		}
	}
	for _, v := range e.Add {
		add(v)
	}
	return all
}

// refuse returns the error of an edit, or nil if there is none.
func (e Edit) refuse(err error) error {
	if err == nil {
		return nil
	}
	return &Error{Reason: InvalidEdit, Where: fmt.Sprintf("edit of user %q", e.User), Err: err}
}

// Check reports what is wrong with the edit whatever the user has now. The error
// is [InvalidEdit].
func (e Edit) Check() error {
	if e.User == "" {
		return &Error{Reason: InvalidEdit, Where: "edit", Detail: "the user is required"}
	}
	if e.Undo != nil {
		if _, err := certuserid.NewSet(e.Undo.Before...); err != nil {
			return e.refuse(err)
		}
	}
	_, err := certuserid.NewSet(e.Values()...)
	return e.refuse(err)
}

// Apply returns the values that a user has after the edit, from those that the
// user has now. The error is [InvalidEdit]: more values than a user may have.
func (e Edit) Apply(current []string) ([]string, error) {
	if e.Undo != nil {
		values := e.Undo.apply(current)
		_, err := certuserid.NewSet(values...)
		return values, e.refuse(err)
	}
	var s certuserid.Set
	if err := s.Merge(current...); err != nil { // what the directory has
		return nil, e.refuse(err)
	}
	for _, v := range e.Remove {
		s.Remove(v)
	}
	for _, r := range e.Replace {
		if err := s.Replace(r.Mapping, r.IDs...); err != nil {
			return nil, e.refuse(err)
		}
	}
	if err := s.Merge(e.Add...); err != nil {
		return nil, e.refuse(err)
	}
	return s.Values(), nil
}
