package snapshot

import "strings"

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
	// Where is the part of the input: "users[3]", "undo file, line 7",
	// "edit of user jane@contoso.com".
	Where string
	// Text says what is wrong. It is empty where Err says it.
	Text string
	Err  error // the cause, or nil
}

// Error returns the place and what is wrong there, in one line.
func (e *Error) Error() string {
	text := "snapshot: "
	if e.Where != "" {
		text += e.Where + ": "
	}
	switch {
	case e.Text != "" && e.Err != nil:
		return text + e.Text + ": " + e.Err.Error()
	case e.Err != nil:
		return text + e.Err.Error()
	case e.Text != "":
		return text + e.Text
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
