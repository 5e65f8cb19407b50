package cba

import (
	"fmt"

	"example.com/entracba/cba/lint"
)

// An Error is why something cannot be used or was not done. Every error of this
// package that is not the caller's own is one. No field holds key material.
type Error struct {
	Reason Reason
	What   string // what was looked at, such as "UPN" or "CA certificate"
	Text   string // the value at fault, if it is text
	Hint   string // what to do about it, if that is not plain
	// Findings are set for [Unfit].
	Findings lint.Findings
	Err      error // the cause, if there is one beneath
}

// Error returns "cba: what: reason", with the value, the cause and the hint
// where there are any.
func (e *Error) Error() string {
	s := "cba: " + e.What + ": " + e.Reason.String()
	if e.Text != "" {
		const limit = 200
		text := e.Text
		if len(text) > limit {
			text = text[:limit] + "..."
		}
		s += fmt.Sprintf(": %q", text)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	hint := e.Hint
	for _, f := range e.Findings {
		if f.Severity == lint.Error {
			s += ": " + f.Where + ": " + f.What
			if hint == "" {
				hint = f.Do
			}
			break
		}
	}
	if hint != "" {
		s += "; " + hint
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// A Reason is what is wrong. The zero value is unset.
type Reason uint8

const (
	// Empty is something required that was left out.
	Empty Reason = iota + 1
	// NotUTF8 is text that is not valid UTF-8.
	NotUTF8
	// NotASCII is text that must be ASCII and is not.
	NotASCII
	// ControlCharacter is a name with a control character in it.
	ControlCharacter
	// Malformed is something that is not of the form it must have.
	Malformed
	// OutOfRange is a number, length or duration outside its limits.
	OutOfRange
	// Missing is input without the thing that was looked for.
	Missing
	// Ambiguous is input with more than one of what must be one.
	Ambiguous
	// Encrypted is a private key that needs a password.
	Encrypted
	// WeakKey is a key that is too easy to break.
	WeakKey
	// UnsupportedKey is a key of a kind that Entra or its clients do not use.
	UnsupportedKey
	// KeyMismatch is a private key that does not belong to its certificate.
	KeyMismatch
	// BadSignature is a signature that its key did not make.
	BadSignature
	// NotAuthority is a certificate that may not sign others.
	NotAuthority
	// NoKeyIdentifier is a CA certificate without subject key identifier.
	NoKeyIdentifier
	// NotValidNow is a certificate before or after its validity.
	NotValidNow
	// Unfit is a certificate that has findings of severity [lint.Error].
	Unfit
	// AlreadySigned is a second use of a [Draft].
	AlreadySigned
	// SignerFailed is a private key that did not sign.
	SignerFailed
	// NotAsAsked is a signed certificate that does not say what was asked for.
	NotAsAsked
	// Duplicate is a user who was in the list before.
	Duplicate
)

// String says the reason in words.
func (r Reason) String() string {
	switch r {
	case Empty:
		return "must not be empty"
	case NotUTF8:
		return "not valid UTF-8"
	case NotASCII:
		return "must be ASCII"
	case ControlCharacter:
		return "has a control character"
	case Malformed:
		return "malformed"
	case OutOfRange:
		return "out of range"
	case Missing:
		return "not found"
	case Ambiguous:
		return "more than one"
	case Encrypted:
		return "encrypted"
	case WeakKey:
		return "key too weak"
	case UnsupportedKey:
		return "kind of key not supported"
	case KeyMismatch:
		return "private key does not belong to the certificate"
	case BadSignature:
		return "signature does not verify"
	case NotAuthority:
		return "may not sign certificates"
	case NoKeyIdentifier:
		return "no subject key identifier"
	case NotValidNow:
		return "not valid at this time"
	case Unfit:
		return "not fit for Entra"
	case AlreadySigned:
		return "already signed"
	case SignerFailed:
		return "private key did not sign"
	case NotAsAsked:
		return "differs from what was asked for"
	case Duplicate:
		return "in the list more than once"
	}
	return fmt.Sprintf("Reason(%d)", uint8(r))
}
