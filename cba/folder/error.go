package folder

import (
	"strconv"
	"strings"
)

// A Reason says what is wrong with a folder or a file in it. It is an error, so that
//
//	errors.Is(err, folder.Busy)
//
// tells what happened.
type Reason string

const (
	Busy             Reason = "busy"               // another process has the lock
	OtherCA          Reason = "other-ca"           // the folder has certificates of another CA
	NoCA             Reason = "no-ca"              // a folder has no CA that can issue
	MissingFile      Reason = "missing-file"       // a file that was recorded is gone
	Damaged          Reason = "damaged"            // a file of a recorded certificate is empty, cut off or another one
	Malformed        Reason = "malformed"          // the content is not what the file's name promises
	TooLarge         Reason = "too-large"          // a file, or one entry of it, is over a limit
	Outside          Reason = "outside"            // a name leads out of the folder
	BadName          Reason = "bad-name"           // a UPN cannot name a file on every system
	WritableByOthers Reason = "writable-by-others" // others could have changed a key or a password
	NameTaken        Reason = "name-taken"         // all names for a new file are taken
	NotGiven         Reason = "not-given"          // a required argument is missing
	NoLocks          Reason = "no-locks"           // the operating system has no lock that ends with its process
	NotOpen          Reason = "not-open"           // a zero Folder, Journal or Pending, or one that was closed
)

// Error returns the reason in words.
func (r Reason) Error() string { return "folder: " + strings.ReplaceAll(string(r), "-", " ") }

// An Error says what is wrong with a file or a folder, and what to do. It never holds
// a password or a key. Errors of the file system come as they are, so that
// errors.Is(err, fs.ErrNotExist) and its kind work.
type Error struct {
	Reason Reason
	Path   string // of the file or folder
	Line   int    // in the file, from 1, where one is at fault
	UPN    string // of the user whose file it is, if it is a user's
	What   string // what was found
	Hint   string // what to do about it
	Err    error  // the cause, or nil
}

// Error returns all of it in one line.
func (e *Error) Error() string {
	text := "folder: "
	if e.Path != "" {
		text += e.Path
		if e.Line > 0 {
			text += " line " + strconv.Itoa(e.Line)
		}
		text += ": "
	}
	switch {
	case e.What != "":
		text += e.What
	default:
		text += strings.TrimPrefix(e.Reason.Error(), "folder: ")
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

func notOpen(what string) error { return &Error{Reason: NotOpen, What: what + " is not open"} }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the error's reason.
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}
