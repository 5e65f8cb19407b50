package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"example.com/entracba/cba/lint"
)

// A Reason says why a call failed. It is an error, so that
//
//	errors.Is(err, graph.NotFound)
//
// tells what happened.
type Reason string

const (
	// NotFound is an object that does not exist, or not yet in every replica.
	NotFound Reason = "not-found"
	// Forbidden is a call for which the token lacks the permission, or the signed-in
	// user the role; [Error.Permission] and [Error.Role] name them.
	Forbidden Reason = "forbidden"
	// Unauthorized is a token that the service did not accept, or a credential that
	// has none.
	Unauthorized Reason = "unauthorized"
	// Throttled is a service that still asks to wait after as many attempts as the
	// [Client] makes, or for longer than [Client.MaxWait].
	Throttled Reason = "throttled"
	// Conflict is a change that contradicts what is there: a certificateUserIds
	// value that another user has ([Error.Owner]), a certificate that is stored
	// already, a user whom others keep changing.
	Conflict Reason = "conflict"
	// BadAnswer is an answer that cannot be used: broken off, not JSON, too large,
	// or with a next page on another host.
	BadAnswer Reason = "unusable-answer"
	// Unavailable is a service that could not be reached or that failed.
	Unavailable Reason = "unavailable"
	// Refused is a request that the service refused for another reason; see
	// [Error.Status], [Error.Code] and [Error.Message].
	Refused Reason = "refused"
	// Interrupted is a call whose context ended. The error of the context is in the
	// chain.
	Interrupted Reason = "interrupted"
	// Invalid is an argument that no call can be made with. Nothing was sent to
	// change the tenant.
	Invalid Reason = "invalid-argument"
	// NotInCloud is a call that the tenant's cloud does not have: the method
	// configuration in China (Learn, national cloud deployments of the reference
	// page).
	NotInCloud Reason = "not-in-cloud"
	// Stale is a plan that was made for another state than the tenant has now: plan
	// again.
	Stale Reason = "stale"
	// Lockout is a change that was not made because it would keep people out;
	// [Error.Findings] say why.
	Lockout Reason = "lockout"
	// NoRollback is a replacement of the classic store that was not begun because
	// the old store could not be created again.
	NoRollback Reason = "no-rollback"
	// NotSaved is a change that was not made because what takes it back, the line of
	// an undo file or the backup, could not be written.
	NotSaved Reason = "not-saved"
	// NotVisible is a write that was accepted and did not show within
	// [Client.Patience].
	NotVisible Reason = "not-visible"
	// Overwritten is a change by another program that this one replaced and could not
	// put back; [Error.Lost] has the values.
	Overwritten Reason = "overwritten"
	// NoClassicStore is a classic store that was deleted, and neither the new nor the
	// old one could be created: the tenant has none now. Create it from the backup.
	NoClassicStore Reason = "no-classic-store"
	// UploadFailed is a bundle that the service took and could not use: the status of
	// the PKI is [Error.Code], its details are [Error.Message].
	UploadFailed Reason = "upload-failed"
)

// Error returns the reason in words.
func (r Reason) Error() string { return "graph: " + strings.ReplaceAll(string(r), "-", " ") }

// says is what an error of this reason begins with. It is empty where the service's
// message or the cause says it all.
func (r Reason) says() string {
	switch r {
	case Unauthorized:
		return "the token was not accepted"
	case Throttled:
		return "the service asks to wait"
	case BadAnswer:
		return "unusable answer"
	case Unavailable:
		return "no answer from the service"
	case NotInCloud:
		return "this cloud does not have the call"
	case Stale:
		return "the tenant was changed since the plan was made; plan again"
	case Lockout:
		return "the change would keep people out"
	case NotVisible:
		return "the change was accepted and does not show yet"
	case Overwritten:
		return "a change by another program was replaced and could not be put back"
	case NoClassicStore:
		return "THE TENANT HAS NO CLASSIC STORE NOW, create it from the backup"
	case UploadFailed:
		return "the service could not use the bundle"
	}
	return ""
}

// An Error says which call failed, what the service said and what the call needs. No
// token is ever in its text, and its JSON leaves the cause out.
type Error struct {
	Reason Reason
	Op     string // what was to be done: "read the method configuration"
	Method string
	Path   string // of the request below the host, without its query
	Status int    // of HTTP; 0 if there was no answer
	// Code and Message are Graph's: "Authorization_RequestDenied". Where nothing was
	// sent, Message says what is wrong.
	Code    string
	Message string
	// RequestID is what Microsoft's support asks for.
	RequestID string
	// RetryAfter is the wait that the last answer asked for, or 0.
	RetryAfter time.Duration
	// Permission is the least privileged permission for the call. Role is the
	// directory role that a signed-in user needs as well, where one is documented.
	Permission, Role string
	// Object names what the call was about: "user jane@contoso.com". It is empty
	// where Op says it.
	Object string
	// Attempts is how often the request was sent.
	Attempts int
	// Indeterminate says that a write may have been carried out though the call
	// failed: the answer was lost. Read before you write again.
	Indeterminate bool
	// Owner is the userPrincipalName or id of the user who has Value, the
	// certificateUserIds value that could not be added: a [Conflict].
	Owner, Value string
	// Lost are the values of a user that another program wrote and this one replaced:
	// [Overwritten].
	Lost []string
	// Findings are why a change would be a [Lockout].
	Findings lint.Findings
	// Err is the cause where it is not an answer of Graph: that of the context, of
	// the network, of the credential.
	Err error `json:"-"`
}

// Error returns "graph: what was to be done: what went wrong" in one line, with what
// the call needs where that is the reason.
func (e *Error) Error() string {
	var parts []string
	add := func(texts ...string) {
		for _, text := range texts {
			if text != "" {
				parts = append(parts, text)
			}
		}
	}
	switch {
	case e.Reason == NotFound && e.Object != "":
		add("no " + scrub(e.Object) + " in this tenant")
	case e.Owner != "":
		add(fmt.Sprintf("the value %q belongs to %s, and only one user can have it; remove it there first", e.Value, e.Owner))
	default:
		add(scrub(e.Object))
		named := len(parts)
		if e.Reason != Unavailable || e.Status == 0 {
			add(e.Reason.says())
		}
		for _, f := range e.Findings {
			add(f.What)
		}
		add(e.Message)
		if e.Err != nil {
			add(strings.TrimPrefix(scrub(e.Err.Error()), "graph: "))
		}
		switch {
		case len(parts) > named:
		case e.Status != 0:
			add(strings.ToLower(http.StatusText(e.Status)))
		default:
			add(strings.TrimPrefix(e.Reason.Error(), "graph: "))
		}
	}
	parts = append([]string{"graph", e.Op}[:1+min(1, len(e.Op))], parts...)
	text := strings.Join(parts, ": ")
	switch {
	case e.Status != 0 && e.Code != "" && e.Reason != NotFound:
		text += fmt.Sprintf(" (%d, %s)", e.Status, e.Code)
	case e.Status != 0:
		text += fmt.Sprintf(" (%d)", e.Status)
	}
	if e.Reason == Forbidden {
		text += "; the call needs the permission " + e.Permission
		if e.Role != "" {
			text += ", and of a signed-in user the role " + e.Role
		}
	}
	if e.Reason == Lockout {
		text += "; ApplyOptions.AllowLockout makes the change anyway"
	}
	if e.Lost != nil {
		text += fmt.Sprintf("; its values were %q", e.Lost)
	}
	if e.RetryAfter > 0 {
		text += fmt.Sprintf("; try again after %v", e.RetryAfter)
	}
	if e.Indeterminate {
		text += "; the change may have been made anyway: read before you write again"
	}
	if e.RequestID != "" {
		text += " (request-id " + e.RequestID + ")"
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Whole reports whether the token or the connection is at fault, so that every other call
// of the client would fail, too: tell it once, and end.
func (e *Error) Whole() bool {
	return e != nil && (e.Reason == Unauthorized || e.Reason == Unavailable && e.Status == 0 || e.Reason == NotInCloud)
}

// Is reports whether target is the reason.
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}

// fail returns the error of an operation.
func (op operation) fail(r Reason, err error) *Error {
	return &Error{Reason: r, Op: op.name, Object: op.object, Permission: op.permission, Role: op.role, Err: err}
}

// refuse returns the error of an operation that says what is wrong.
func (op operation) refuse(r Reason, format string, args ...any) *Error {
	e := op.fail(r, nil)
	e.Message = fmt.Sprintf(format, args...)
	return e
}

// setReason sets the reason of an error that has its status and its cause.
func (e *Error) setReason(ctx context.Context) {
	var token *tokenError
	switch {
	case ctx.Err() != nil && errors.Is(e.Err, ctx.Err()):
		e.Reason = Interrupted
	case e.Reason != "": // the cause said it
	case errors.Is(e.Err, BadAnswer):
		e.Reason = BadAnswer
	case errors.As(e.Err, &token):
		e.Reason = Unauthorized
	case e.Err != nil && e.Status == 0:
		e.Reason = Unavailable
	default:
		e.Reason = reasonOf(e.Status, e.Message)
	}
}

// reasonOf returns the reason of an HTTP status.
func reasonOf(status int, message string) Reason {
	switch {
	case status == http.StatusNotFound:
		return NotFound
	case status == http.StatusForbidden:
		return Forbidden
	case status == http.StatusUnauthorized:
		return Unauthorized
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		return Throttled
	case status == http.StatusConflict || status == http.StatusPreconditionFailed || status == http.StatusBadRequest && speaksOfDuplicate(message):
		return Conflict
	case status >= 500:
		return Unavailable
	}
	return Refused
}

// A tokenError is one of the credential.
type tokenError struct{ err error }

func (e *tokenError) Error() string { return e.err.Error() }
func (e *tokenError) Unwrap() error { return e.err }

// speaksOfDuplicate reads the text of a 400: the status and code with which
// Graph refuses a value that another user has are not documented (open question
// 9.21); "Duplicate Certificate exists" is.
func speaksOfDuplicate(message string) bool {
	m := strings.ToLower(message)
	for _, word := range []string{"duplicate", "unique", "same value", "already exists", "only one", "conflicting object"} {
		if strings.Contains(m, word) {
			return true
		}
	}
	return false
}

var (
	bearer = regexp.MustCompile(`(?i)\bbearer\s+[^\s"',;]+`)
	jwt    = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{5,}(\.[A-Za-z0-9_-]*)*`)
	secret = regexp.MustCompile(`(?i)\b(client_secret|client_assertion|password|refresh_token|access_token|assertion)=[^\s&"']+`)
)

// scrub takes what looks like a token out of a text that others wrote, and
// shortens it.
func scrub(text string) string {
	text = bearer.ReplaceAllString(text, "Bearer ***")
	text = jwt.ReplaceAllString(text, "***")
	text = secret.ReplaceAllString(text, "$1=***")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "�"))
	if utf8.RuneCountInString(text) > maxErrorRun {
		text = string([]rune(text)[:maxErrorRun]) + "..."
	}
	return text
}

// setBody reads the error object of an answer (Learn, "Microsoft Graph error
// responses").
func (e *Error) setBody(body []byte) {
	var answer struct {
		Error struct {
			Code, Message string
			InnerError    struct {
				RequestID string `json:"request-id"`
			} `json:"innerError"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return // a gateway's page: the status says it
	}
	e.Code, e.Message = scrub(answer.Error.Code), scrub(answer.Error.Message)
	if e.RequestID == "" {
		e.RequestID = scrub(answer.Error.InnerError.RequestID)
	}
}

// retryAfter reads the header, in seconds, which Graph writes with a fraction at
// times, or as a date (RFC 9110 section 10.2.3).
func retryAfter(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0
	}
	if s, err := strconv.ParseFloat(text, 64); err == nil {
		if !(s > 0) { // NaN too
			return 0
		}
		if s > 24*3600 {
			return 24 * time.Hour
		}
		return time.Duration(s * float64(time.Second))
	}
	if t, err := http.ParseTime(text); err == nil && t.After(now) {
		return min(t.Sub(now), 24*time.Hour)
	}
	return 0
}
