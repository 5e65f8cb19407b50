package signin

import (
	"fmt"
	"strings"
)

// A Reason says why there is no answer. It is an error, so that
//
//	errors.Is(err, signin.NoUser)
//
// tells what happened. The zero value is unset.
type Reason string

const (
	NoUser         Reason = "no-user"         // the request has no user
	NoCertificate  Reason = "no-certificate"  // the request has no certificate
	NoTime         Reason = "no-time"         // the request has no time
	NoContext      Reason = "no-context"      // the context is nil
	NoTenant       Reason = "no-tenant"       // the tenant was not made by [Config.Compile]
	BadCertificate Reason = "bad-certificate" // the user's certificate was not made by crypto/x509's parser
	BadAuthority   Reason = "bad-authority"   // the certificate of a CA cannot be read
	Malformed      Reason = "malformed"       // a text is not a tenant, a strength or a requirement
	DuplicatePKI   Reason = "duplicate-pki"   // two PKIs have the same name
	TooLarge       Reason = "too-large"       // a text is longer than its limit
)

// Error returns the reason in words.
func (r Reason) Error() string { return "signin: " + strings.ReplaceAll(string(r), "-", " ") }

// An Error says why there is no answer: a request or a text that cannot be used.
// A sign-in that is refused is never an error.
type Error struct {
	Reason Reason
	// Where is the part of the input: a JSON pointer into a text
	// ("/publicKeyInfrastructure/0"), or words for a part of a request. It is empty
	// for the whole input.
	Where string
	// Offset is the byte of a text at which that part begins, or where reading
	// stopped.
	Offset int64
	// Detail says what is wrong and what to do. It is empty where Err says it.
	Detail string
	Err    error // the cause, or nil: often that of package policy or trust
}

// Error returns the place and what is wrong there.
func (e *Error) Error() string {
	what := e.Detail
	switch {
	case what == "" && e.Err == nil:
		what = strings.TrimPrefix(e.Reason.Error(), "signin: ")
	case what == "":
		what = e.Err.Error()
	case e.Err != nil:
		what += ": " + e.Err.Error()
	}
	if e.Where == "" || strings.Contains(what, e.Where) { // the cause may name the place
		return "signin: " + what
	}
	return "signin: " + e.Where + ": " + what
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the error's reason.
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}

func malformed(where, format string, args ...any) *Error {
	return &Error{Reason: Malformed, Where: where, Detail: fmt.Sprintf(format, args...)}
}
