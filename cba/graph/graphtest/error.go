package graphtest

import (
	"fmt"
	"strings"
)

// A Reason says why a Graph cannot be made or changed. It is an error, so that
// errors.Is(err, graphtest.Invalid) tells what happened.
type Reason string

// Invalid is a [Tenant] that no tenant could be, or a [Fault] without a kind.
const Invalid Reason = "invalid"

// Error returns the reason in words.
func (r Reason) Error() string { return "graphtest: " + strings.ReplaceAll(string(r), "-", " ") }

// An Error says what is wrong with an argument.
type Error struct {
	Reason Reason
	Detail string
	Err    error // the cause, or nil
}

// Error returns what is wrong, in one line.
func (e *Error) Error() string {
	text := e.Reason.Error()
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the reason.
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}

func invalid(err error, format string, args ...any) *Error {
	return &Error{Reason: Invalid, Detail: fmt.Sprintf(format, args...), Err: err}
}
