package cba

import (
	"cmp"
	"fmt"
	"strings"

	"example.com/entracba/cba/internal/enum"
	"example.com/entracba/cba/lint"
)

// An Error is why something cannot be used or was not done. Every error of this
// package that is not the caller's own is one. No field holds key material.
//
// Branch on the reason with [errors.Is], and read the details with [errors.As]:
//
//	if errors.Is(err, cba.WeakKey) { ... }
type Error struct {
	Reason Reason
	What   string // what was looked at, such as "UPN" or "CA certificate"
	Text   string // the value at fault, if it is text
	Hint   string // what to do about it; empty for the reason's own advice
	// Findings are set for [Unfit].
	Findings lint.Findings
	Err      error // the cause, if there is one beneath
}

// Error returns "cba: what: reason", then the value and the cause if there are
// any, and what to do.
func (e *Error) Error() string {
	s := "cba: " + e.What + ": " + e.Reason.words()
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
	hint := cmp.Or(e.Hint, e.Reason.advice())
	for _, f := range e.Findings {
		if f.Severity == lint.Error {
			s += ": " + f.Place() + ": " + f.What
			hint = cmp.Or(e.Hint, f.Do, hint)
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

// Is reports whether target is the reason of e.
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}

// A Reason is what is wrong: a short text that is stable, and an error for
// [errors.Is]. The zero value is unset.
type Reason string

const (
	// Empty is something required that was left out.
	Empty Reason = "empty"
	// NotUTF8 is text that is not valid UTF-8.
	NotUTF8 Reason = "not-utf-8"
	// NotASCII is text that must be ASCII and is not.
	NotASCII Reason = "not-ascii"
	// ControlCharacter is a name with a control character in it.
	ControlCharacter Reason = "control-character"
	// Malformed is something that is not of the form it must have.
	Malformed Reason = "malformed"
	// Unknown is a value of an enumeration that does not exist.
	Unknown Reason = "unknown"
	// OutOfRange is a number, length or duration outside its limits.
	OutOfRange Reason = "out-of-range"
	// Missing is input without the thing that was looked for.
	Missing Reason = "missing"
	// Ambiguous is input with more than one of what must be one.
	Ambiguous Reason = "ambiguous"
	// Encrypted is a private key that needs a password.
	Encrypted Reason = "encrypted"
	// WeakKey is a key that is too easy to break.
	WeakKey Reason = "weak-key"
	// UnsupportedKey is a key of a kind that Entra or its clients do not use.
	UnsupportedKey Reason = "unsupported-key"
	// KeyMismatch is a private key that does not belong to its certificate.
	KeyMismatch Reason = "key-mismatch"
	// BadSignature is a signature that its key did not make.
	BadSignature Reason = "bad-signature"
	// NotAuthority is a certificate that may not sign others.
	NotAuthority Reason = "not-a-ca"
	// NoKeyIdentifier is a CA certificate without subject key identifier.
	NoKeyIdentifier Reason = "no-key-identifier"
	// NotPermitted is a certificate that a CA above it does not permit, by its name
	// constraints, extended key usages or an extension that is not supported.
	NotPermitted Reason = "not-permitted"
	// NotValidNow is a certificate before or after its validity.
	NotValidNow Reason = "not-valid-now"
	// Unreadable is a certificate that crypto/x509 refuses to read: nothing can be
	// verified with it.
	Unreadable Reason = "unreadable"
	// Unfit is a certificate that has findings of severity [lint.Error].
	Unfit Reason = "unfit"
	// AlreadySigned is a second use of a [Draft].
	AlreadySigned Reason = "already-signed"
	// SignerFailed is a private key that did not sign.
	SignerFailed Reason = "signer-failed"
	// Abandoned is a signature that the caller's context did not wait for. The
	// cause is the context's error. The key may still sign: what it was asked to
	// sign counts as used and its result is dropped.
	Abandoned Reason = "abandoned"
	// NotAsAsked is a signed certificate that does not say what was asked for.
	NotAsAsked Reason = "not-as-asked"
	// Duplicate is a user who was in the list before.
	Duplicate Reason = "duplicate"
)

// Error returns the reason in words, "cba: weak key".
func (r Reason) Error() string { return "cba: " + r.words() }

func (r Reason) words() string { return strings.ReplaceAll(string(cmp.Or(r, "unset")), "-", " ") }

// advice is what to do about an error that has no hint of its own.
func (r Reason) advice() string {
	switch r {
	case Empty:
		return "it is required"
	case Missing:
		return "give the file that has it"
	case NotUTF8:
		return "save the text as UTF-8"
	case ControlCharacter:
		return "type the value again without tabs, line breaks and other control characters"
	case WeakKey:
		return "use RSA of 2048 to 8192 bits with exponent 65537, P-256, P-384 or P-521"
	case UnsupportedKey:
		return "use RSA or ECDSA on P-256, P-384 or P-521"
	case KeyMismatch:
		return "give the private key that was made for this certificate"
	case Unreadable:
		return "issue the certificate again"
	case NotPermitted:
		return "use a CA that permits it"
	case NotValidNow:
		return "renew the CA, or correct the clock"
	case SignerFailed:
		return "check the key's token or service, and try again"
	case Abandoned:
		return "try again with a new draft and more time"
	case AlreadySigned:
		return "prepare another draft: two certificates must not have one serial number"
	case Duplicate:
		return "list every user once"
	}
	return ""
}

// unmarshal reads the text of an enumeration.
func unmarshal[T ~uint8](table enum.Table[T], what string, v *T, text []byte) error {
	if err := table.Unmarshal(v, text); err != nil {
		return unknown(table, what, string(text))
	}
	return nil
}

// unknown is the error about a value that an enumeration does not have.
func unknown[T ~uint8](table enum.Table[T], what, value string) error {
	var known []string
	for _, v := range table.Values() {
		known = append(known, table.String(v))
	}
	return &Error{Reason: Unknown, What: what, Text: value, Hint: "use one of " + strings.Join(known, ", ")}
}
