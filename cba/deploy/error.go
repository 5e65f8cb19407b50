package deploy

import (
	"fmt"
	"strings"
)

// A Reason says why something could not be written. It is an error, so that
//
//	errors.Is(err, deploy.UnfitPassword)
//
// tells what happened.
type Reason string

const (
	// Missing: a required field of the package is empty.
	Missing Reason = "missing"
	// UnfitPassword: the format cannot carry the password to the program that
	// reads it without changing it.
	UnfitPassword Reason = "unfit-password"
	// BadName: a file name, user principal name, volume label or identifier that
	// the target would not accept.
	BadName Reason = "bad-name"
	// BadOption: an option that does not go with the others, or with the target.
	BadOption Reason = "bad-option"
	// TooLong: a command longer than the answer file allows.
	TooLong Reason = "too-long"
	// NotAnswerFile: the file to merge into is not a Windows answer file.
	NotAnswerFile Reason = "not-an-answer-file"
	// Ambiguous: the answer file has two places for the command, and nothing says
	// which of them counts.
	Ambiguous Reason = "ambiguous"
)

// Error returns "deploy: " and the reason in words.
func (r Reason) Error() string { return "deploy: " + strings.ReplaceAll(string(r), "-", " ") }

// An Error is what every function of this package returns when it fails. It never
// holds a password.
type Error struct {
	Reason Reason
	Detail string // what is wrong and, where something can be done, what to do
	Err    error  // the cause, or nil
}

// Error returns the reason, what is wrong and the cause, in one line.
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

// fail makes an Error. Its arguments must never be secrets.
func fail(r Reason, format string, args ...any) *Error {
	return &Error{Reason: r, Detail: fmt.Sprintf(format, args...)}
}
