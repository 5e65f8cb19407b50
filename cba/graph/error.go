package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// What an [Error] is, for errors.Is.
var (
	// ErrNotFound is something that does not exist, or not yet everywhere.
	ErrNotFound = errors.New("graph: not found")
	// ErrForbidden is a call that the token has not the permission or the signed-in
	// user not the role for; [Error.Permission] and [Error.Role] name them.
	ErrForbidden = errors.New("graph: forbidden")
	// ErrUnauthorized is a token that was not accepted, or none.
	ErrUnauthorized = errors.New("graph: unauthorized")
	// ErrThrottled is a service that wants to be asked later, after as many
	// attempts as the [Client] makes.
	ErrThrottled = errors.New("graph: throttled")
	// ErrConflict is a change that contradicts what is there: a certificateUserIds
	// value that another user has, a certificate that is stored already.
	ErrConflict = errors.New("graph: conflict")
	// ErrBadAnswer is an answer that cannot be used: broken off, no JSON, too large,
	// or with a next page on another host.
	ErrBadAnswer = errors.New("graph: unusable answer")
)

// An Error says which call went wrong, what the service said and what the call
// needs. No token is ever in it.
type Error struct {
	Op     string // what was to be done, "read the method configuration"
	Method string
	Path   string // of the request below the host, without its query
	Status int    // of HTTP; 0 if there was no answer
	// Code and Message are Graph's, "Authorization_RequestDenied".
	Code    string
	Message string
	// RequestID is what Microsoft's support asks for.
	RequestID string
	// RetryAfter is the wait that the last answer asked for, or 0.
	RetryAfter time.Duration
	// Permission is the least privileged one that the call needs, and Role the
	// directory role that a signed-in user needs beside it, where one is documented.
	Permission, Role string
	// Attempts is how often the request was sent.
	Attempts int
	// Unknown says that a write may have been carried out though it failed: the
	// answer was lost. Read before you write again.
	Unknown bool
	// Err is the cause where it is not an answer of Graph: that of ctx, of the
	// network, of the credential.
	Err error
}

// Error returns "graph: what was to be done: what the service said", and what the
// call needs where that is the reason.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("graph: " + e.Op + ": ")
	switch {
	case e.Status != 0:
		fmt.Fprintf(&b, "%d %s", e.Status, http.StatusText(e.Status))
		if e.Code != "" {
			b.WriteString(", " + e.Code)
		}
		if e.Message != "" {
			b.WriteString(": " + e.Message)
		}
		if e.Err != nil {
			fmt.Fprintf(&b, ": %s", scrub(e.Err.Error()))
		}
	case e.Err != nil:
		b.WriteString(scrub(e.Err.Error()))
	default:
		b.WriteString(e.Message)
	}
	if errors.Is(e, ErrForbidden) {
		b.WriteString("; the call needs the permission " + e.Permission)
		if e.Role != "" {
			b.WriteString(", and of a signed-in user the role " + e.Role)
		}
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, "; try again after %v", e.RetryAfter)
	}
	if e.Unknown {
		b.WriteString("; the change may have been made all the same: read before you write again")
	}
	if e.RequestID != "" {
		b.WriteString(" (request-id " + e.RequestID + ")")
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is tells the kind of the error, see [ErrNotFound] and the others.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrNotFound:
		return e.Status == http.StatusNotFound
	case ErrForbidden:
		return e.Status == http.StatusForbidden
	case ErrUnauthorized:
		return e.Status == http.StatusUnauthorized
	case ErrThrottled:
		return e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable
	case ErrConflict:
		return e.Status == http.StatusConflict || e.Status == http.StatusPreconditionFailed ||
			e.Status == http.StatusBadRequest && speaksOfDuplicate(e.Message)
	}
	return false
}

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
