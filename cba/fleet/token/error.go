package token

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/miekg/pkcs11"
)

// A Reason is what went wrong with a token: a short text that is stable, and an error
// for [errors.Is]. The zero value is unset.
type Reason string

const (
	// Invalid: the configuration or an argument cannot be used.
	Invalid Reason = "invalid"
	// NoModule: the PKCS #11 library cannot be loaded or does not start.
	NoModule Reason = "not-a-pkcs-11-module"
	// NoToken: the module has no such token.
	NoToken Reason = "no-such-token"
	// WrongPIN: the PIN is wrong. Tokens count wrong PINs and lock themselves.
	WrongPIN Reason = "wrong-pin"
	// Locked: the PIN is locked, expired or not set.
	Locked Reason = "pin-locked"
	// NotFound: the token has no such key.
	NotFound Reason = "not-found"
	// Ambiguous: the token has several keys with this label.
	Ambiguous Reason = "ambiguous"
	// Exists: the token has a key with this label already.
	Exists Reason = "already-exists"
	// NoCA: the certificate of a CA is missing; see [Token.CA].
	NoCA Reason = "no-ca-certificate"
	// Full: the token or its host has no room.
	Full Reason = "full"
	// WriteProtected: nothing can be stored on the token.
	WriteProtected Reason = "write-protected"
	// Busy: no session became free in time.
	Busy Reason = "no-free-session"
	// Gone: the token was removed, reset, logged out or closed, or its session ended.
	Gone Reason = "gone"
	// Unsupported: the token does not support this kind of key or signature.
	Unsupported Reason = "unsupported"
	// Failed is every other failure; the cause has the token's number for it.
	Failed Reason = "failed"
)

// Error returns the reason in words, "token: wrong PIN".
func (r Reason) Error() string { return "token: " + r.words() }

func (r Reason) words() string {
	switch r {
	case NoModule:
		return "not a PKCS #11 module that can be loaded"
	case NoCA:
		return "no CA certificate"
	case WrongPIN:
		return "wrong PIN"
	case Ambiguous:
		return "several keys have this label"
	case Locked:
		return "PIN locked"
	}
	return strings.ReplaceAll(string(cmp.Or(r, "unset")), "-", " ")
}

// advice is what to do about an error that has no hint of its own.
func (r Reason) advice() string {
	switch r {
	case NoModule:
		return "check the path, and that the library is for this processor"
	case NoToken:
		return "check the label or serial number (pkcs11-tool -L lists the tokens)"
	case WrongPIN:
		return "check the PIN before you try again: tokens lock themselves after a few wrong ones"
	case Locked:
		return "the token's security officer must set the PIN"
	case NotFound:
		return "check the label, and that this is the right token"
	case Ambiguous:
		return "give each key a label of its own"
	case Exists:
		return "find the key, or use another label"
	case NoCA:
		return "restore the certificate from a backup"
	case Full:
		return "delete keys that are no longer used"
	case WriteProtected:
		return "remove the write protection to make keys"
	case Busy:
		return "allow more sessions, or use fewer workers"
	case Gone:
		return "close the token, and open it again when it is back"
	case Unsupported:
		return "use another key type"
	}
	return ""
}

// An Error is what went wrong with a token. It holds neither PIN nor key.
//
// Branch on the reason with [errors.Is]: errors.Is(err, token.Gone).
type Error struct {
	Reason Reason
	What   string // the token, module or key
	Hint   string // what to do about it; empty for the advice that goes with the reason
	Err    error  // the cause, if there is one
}

// Error returns "token: what: reason: cause; what to do".
func (e *Error) Error() string {
	text := "token: "
	if e.What != "" {
		text += e.What + ": "
	}
	text += e.Reason.words()
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if hint := cmp.Or(e.Hint, e.Reason.advice()); hint != "" {
		text += "; " + hint
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the reason of e.
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}

// fail says what an error of the module means for the named thing.
func fail(what string, err error) error {
	if err == nil {
		return nil
	}
	var code pkcs11.Error
	switch {
	case errors.As(err, &code):
		return &Error{Reason: reasonOf(code), What: what, Err: code}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Reason: Busy, What: what, Err: err}
	case strings.Contains(err.Error(), "failed to open module"):
		return &Error{Reason: NoModule, What: what}
	case strings.Contains(err.Error(), "could not find PKCS#11 token"):
		return &Error{Reason: NoToken, What: what}
	case strings.Contains(err.Error(), "ontext is closed"), strings.Contains(err.Error(), "closed Context"):
		return &Error{Reason: Gone, What: what, Err: errors.New("the token was closed")}
	}
	return &Error{Reason: Failed, What: what, Err: err}
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
