package deploy

import "fmt"

// A Reason says why something could not be written. The zero value is unset and
// no error of this package carries it.
type Reason uint8

const (
	// Missing: a field of the package that is required is empty.
	Missing Reason = iota + 1
	// UnfitPassword: the format cannot carry the password to the program that
	// reads it without changing it.
	UnfitPassword
	// BadName: a file name, user principal name, volume label or identifier
	// that the target would not take.
	BadName
	// BadOption: an option that does not go with the others, or with the target.
	BadOption
	// TooLong: a command longer than what the answer file allows for it.
	TooLong
	// NotAnswerFile: the file to merge into is not a Windows answer file.
	NotAnswerFile
	// Ambiguous: the answer file has two places for the command, and nothing
	// says which of them counts.
	Ambiguous
)

// String returns a few words for the reason.
func (r Reason) String() string {
	switch r {
	case Missing:
		return "missing"
	case UnfitPassword:
		return "unfit password"
	case BadName:
		return "bad name"
	case BadOption:
		return "bad option"
	case TooLong:
		return "too long"
	case NotAnswerFile:
		return "not an answer file"
	case Ambiguous:
		return "ambiguous"
	}
	return fmt.Sprintf("Reason(%d)", uint8(r))
}

// An Error is what every function of this package returns when it fails. It
// never holds a password.
type Error struct {
	Reason Reason
	What   string // what is the matter and, where something can be done, what
}

// Error returns the reason and what is the matter, in one line.
func (e *Error) Error() string { return "deploy: " + e.Reason.String() + ": " + e.What }

// fail makes an Error. Its arguments must never be secrets.
func fail(r Reason, format string, args ...any) *Error {
	return &Error{Reason: r, What: fmt.Sprintf(format, args...)}
}
