package snapshot

import (
	"errors"
	"strings"

	"example.com/entracba/cba/internal/wire"
)

// A Reason says why an input is refused. It is an error, so that
//
//	errors.Is(err, snapshot.Malformed)
//
// tells what happened.
type Reason string

const (
	// Malformed is an input that is not what it should be: not JSON, another
	// object, a line of an undo file without what undoing needs.
	Malformed Reason = "malformed"
	// TooLarge is an input above a limit of this package.
	TooLarge Reason = "too-large"
	// InvalidEdit is an [Edit] that no user could take: no user is named, a value
	// is not allowed, or there are too many values. The error of package
	// certuserid, with its own reason, is in the chain.
	InvalidEdit Reason = "invalid-edit"
)

// Error returns the reason in words.
func (r Reason) Error() string { return "snapshot: " + strings.ReplaceAll(string(r), "-", " ") }

// An Error says what was refused, and why.
type Error struct {
	Reason Reason
	// Where is the part of the input: a JSON pointer ("/users/3/id"), "undo file, line
	// 7", "edit of user jane@contoso.com".
	Where string
	// Detail says what is wrong. It is empty where Err says it.
	Detail string
	Err    error // the cause, or nil
}

// Error returns the place and what is wrong there, in one line.
func (e *Error) Error() string {
	text := "snapshot: "
	if e.Where != "" {
		text += e.Where + ": "
	}
	switch {
	case e.Detail != "" && e.Err != nil:
		return text + e.Detail + ": " + e.Err.Error()
	case e.Err != nil:
		return text + e.Err.Error()
	case e.Detail != "":
		return text + e.Detail
	}
	return text + strings.TrimPrefix(e.Reason.Error(), "snapshot: ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the reason.
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}

// own returns an error of package wire, at a place, as one of this package.
func own(where string, err error) error {
	var e *wire.Error
	if !errors.As(err, &e) {
		return err
	}
	reason := Malformed
	if e.Reason == wire.TooLarge {
		reason = TooLarge
	}
	detail := e.Detail
	if detail == "" {
		detail = strings.ReplaceAll(string(e.Reason), "-", " ")
	}
	return &Error{Reason: reason, Where: where + e.Where, Detail: detail}
}
