package token

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/miekg/pkcs11"
)

// A Reason is what went wrong with a token. The zero value is unset.
type Reason uint8

const (
	// Invalid: the configuration or an argument cannot be used.
	Invalid Reason = iota + 1
	// NoModule: the PKCS #11 library cannot be loaded or does not start.
	NoModule
	// NoToken: the module has no such token.
	NoToken
	// WrongPIN: the PIN is wrong. Tokens count: do not try in a loop.
	WrongPIN
	// Locked: the PIN is locked, expired or not set; the token's security officer
	// must set it.
	Locked
	// NotFound: the token has no such key.
	NotFound
	// Ambiguous: the token has several keys with this label.
	Ambiguous
	// Exists: the token has a key with this label already.
	Exists
	// Full: the token or its host has no room.
	Full
	// WriteProtected: nothing can be stored on the token.
	WriteProtected
	// Busy: no session became free in time.
	Busy
	// Gone: the token was removed, reset or logged out, or its session ended.
	Gone
	// Unsupported: the token cannot do this kind of key or signature.
	Unsupported
	// Failed is every other failure; the cause has the token's number for it.
	Failed
)

// String says the reason in words.
func (r Reason) String() string {
	switch r {
	case Invalid:
		return "cannot be used"
	case NoModule:
		return "cannot be loaded as a PKCS #11 module"
	case NoToken:
		return "is not among the tokens of the module"
	case WrongPIN:
		return "does not accept the PIN"
	case Locked:
		return "has its PIN locked"
	case NotFound:
		return "is not in the token"
	case Ambiguous:
		return "is there more than once"
	case Exists:
		return "is in the token already"
	case Full:
		return "has no room left"
	case WriteProtected:
		return "is write-protected"
	case Busy:
		return "has no session free"
	case Gone:
		return "is gone: removed, reset or logged out"
	case Unsupported:
		return "cannot do that"
	case Failed:
		return "failed"
	default:
		return fmt.Sprintf("Reason(%d)", uint8(r))
	}
}

// An Error is what went wrong with a token. It holds neither PIN nor key.
type Error struct {
	Reason Reason
	What   string // the token, module or key
	Err    error  // the cause, if there is one beneath
}

// Error returns "token: what reason: cause".
func (e *Error) Error() string {
	text := "token: " + e.What + " " + e.Reason.String()
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an *Error with the same reason and nothing else
// set, so that errors.Is(err, &Error{Reason: Gone}) asks for a reason.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && *t == Error{Reason: e.Reason}
}

// fail says what an error of the module means for the named thing.
func fail(what string, err error) error {
	if err == nil {
		return nil
	}
	var code pkcs11.Error
	switch {
	case errors.As(err, &code):
		return &Error{reasonOf(code), what, code}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Busy, what, err}
	case strings.Contains(err.Error(), "failed to open module"):
		return &Error{NoModule, what, nil}
	case strings.Contains(err.Error(), "could not find PKCS#11 token"):
		return &Error{NoToken, what, nil}
	case strings.Contains(err.Error(), "ontext is closed"), strings.Contains(err.Error(), "closed Context"):
		return &Error{Gone, what, errors.New("the token was closed")}
	}
	return &Error{Failed, what, err}
}

// reasonOf sorts the return values of PKCS #11 v2.40 section 5.1.
func reasonOf(code pkcs11.Error) Reason {
	switch code {
	case pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE:
		return WrongPIN
	case pkcs11.CKR_PIN_LOCKED, pkcs11.CKR_PIN_EXPIRED, pkcs11.CKR_USER_PIN_NOT_INITIALIZED:
		return Locked
	case pkcs11.CKR_DEVICE_MEMORY, pkcs11.CKR_HOST_MEMORY:
		return Full
	case pkcs11.CKR_TOKEN_WRITE_PROTECTED, pkcs11.CKR_SESSION_READ_ONLY:
		return WriteProtected
	case pkcs11.CKR_SESSION_COUNT:
		return Busy
	case pkcs11.CKR_DEVICE_REMOVED, pkcs11.CKR_DEVICE_ERROR, pkcs11.CKR_TOKEN_NOT_PRESENT, pkcs11.CKR_TOKEN_NOT_RECOGNIZED,
		pkcs11.CKR_SLOT_ID_INVALID, pkcs11.CKR_SESSION_CLOSED, pkcs11.CKR_SESSION_HANDLE_INVALID, pkcs11.CKR_OBJECT_HANDLE_INVALID,
		pkcs11.CKR_KEY_HANDLE_INVALID, pkcs11.CKR_USER_NOT_LOGGED_IN, pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED:
		return Gone
	case pkcs11.CKR_MECHANISM_INVALID, pkcs11.CKR_MECHANISM_PARAM_INVALID, pkcs11.CKR_FUNCTION_NOT_SUPPORTED,
		pkcs11.CKR_KEY_SIZE_RANGE, pkcs11.CKR_KEY_TYPE_INCONSISTENT, pkcs11.CKR_CURVE_NOT_SUPPORTED:
		return Unsupported
	default:
		return Failed
	}
}
