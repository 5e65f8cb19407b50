package graph

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	khttp "github.com/microsoft/kiota-http-go"

	"example.com/entracba/cba/internal/wire"
)

// An operation is what a call is for, and what it needs.
type operation struct {
	name       string
	permission string // the least privileged
	role       string
	object     string // what it is about: "user jane@contoso.com"; empty where name says it
}

// on returns the operation for an object.
func (op operation) on(kind, id string) operation {
	op.object = kind + " " + id
	return op
}

// A request is one call of Graph.
type request struct {
	op     operation
	method string
	path   string // below the version, escaped, with its query
	beta   bool
	header [][2]string
	body   []byte
	// idempotent says that sending it twice does no more than once: it is sent again
	// when an answer was lost.
	idempotent bool
	// parse reads the answer; its error counts as a broken answer. Nil wants none.
	parse func(body []byte) error
	// writes is how many writes it is for Client.WriteRate.
	writes int
}

// A response is what came back.
type response struct {
	status int
	header http.Header
	body   []byte
}

// said is the text of an error without the name of the package that read.
func said(err error) string { return strings.TrimPrefix(err.Error(), "wire: ") }

// unusable is the cause of an error of reason BadAnswer.
func unusable(err error) error { return &causeError{BadAnswer, err} }

// A causeError gives a cause its reason.
type causeError struct {
	reason Reason
	err    error
}

func (e *causeError) Error() string        { return said(e.err) }
func (e *causeError) Unwrap() error        { return e.err }
func (e *causeError) Is(target error) bool { return target == e.reason }

// do sends a request until it has an answer that will not change. The error is an
// *Error.
func (c *Client) do(ctx context.Context, r request) (response, error) {
	a, e := c.attempt(ctx, r)
	if e == nil {
		return a, nil
	}
	e.setReason(ctx)
	return a, e
}

func (c *Client) attempt(ctx context.Context, r request) (response, *Error) {
	e := r.op.fail("", nil)
	e.Method = r.method
	u, err := c.target(r)
	if err != nil {
		e.Reason, e.Err = Invalid, err
		return response{}, e
	}
	e.Path = u.EscapedPath()
	reads := r.method == http.MethodGet || r.path == batchPath && r.writes == 0
	lost, renewed := false, false // an answer to a write was lost; the token was renewed
	for {
		if err := ctx.Err(); err != nil {
			e.Err, e.Indeterminate = err, lost
			return response{}, e
		}
		if r.writes > 0 {
			if err := c.writes(ctx, r.writes); err != nil {
				e.Err, e.Indeterminate = err, lost
				return response{}, e
			}
		}
		e.Attempts++
		a, err := c.send(ctx, r, u)
		e.Status, e.Code, e.Message, e.Err, e.RetryAfter = a.status, "", "", nil, 0
		e.RequestID = scrub(a.header.Get("request-id"))
		e.RetryAfter = retryAfter(a.header.Get("Retry-After"), c.now())
		if a.status != 0 {
			c.answered.Store(true)
		}
		retry := false
		switch {
		case err != nil: // no answer, or a broken one
			e.Err = err
			if a.status >= 400 {
				e.setBody(a.body)
			}
			if ctx.Err() == nil {
				retry = r.idempotent && isNetwork(err) && (e.Attempts < connects || c.answered.Load() || !isConnecting(err))
			}
			// Nothing was written by a request that was never sent, or was refused.
			sent := a.status != 0 || isNetwork(err) || ctx.Err() != nil
			if !reads && sent && (a.status < 400 || a.status >= 500) {
				lost = true
			}
		case a.status < 300:
			if r.parse == nil {
				return a, nil
			}
			if err := r.parse(a.body); err != nil {
				e.Err = unusable(err)
				// Once more: a proxy's page may give way to the answer. What two
				// answers have in common a third will have too.
				retry, lost = r.idempotent && reads && e.Attempts == 1, !reads
			} else {
				return a, nil
			}
			// A write whose answer is broken was carried out; it is not sent again.
		case a.status == http.StatusNotFound && e.Attempts > 1 && r.method == http.MethodDelete:
			return a, nil // an attempt before this one deleted it
		case a.status == http.StatusUnauthorized:
			e.setBody(a.body)
			retry, renewed = r.idempotent && !renewed, true
		case a.status == http.StatusTooManyRequests:
			e.setBody(a.body)
			retry = r.idempotent
		case a.status >= 500:
			e.setBody(a.body)
			retry = r.idempotent
			lost = lost || !reads
		default:
			e.setBody(a.body)
		}
		e.Indeterminate = lost
		if !retry || e.Attempts >= c.attempts() {
			return a, e
		}
		d := e.pause(e.Attempts)
		if d > c.maxWait() {
			return a, e
		}
		if err := c.wait(ctx, d); err != nil {
			e.Err = err
			return a, e
		}
	}
}

// once sends a request that must not be carried out twice. It is sent again only
// after look has said that the last time did nothing; look is also asked when an
// answer was lost, and its yes is a success.
func (c *Client) once(ctx context.Context, r request, look func() (bool, error)) error {
	for n := 1; ; n++ {
		_, err := c.do(ctx, r)
		var e *Error
		if err == nil || !errors.As(err, &e) {
			return err
		}
		refused := e.Status == http.StatusTooManyRequests || e.Status == http.StatusUnauthorized && n == 1
		switch {
		case e.Indeterminate && ctx.Err() == nil:
			if c.see(ctx, r.op, look) == nil {
				return nil
			}
			return err
		case !refused || n >= c.attempts():
			return err
		}
		d := e.pause(n)
		if d > c.maxWait() {
			return err
		}
		if ended := c.wait(ctx, d); ended != nil {
			return ending(err, ended)
		}
		if done, _ := look(); done {
			return nil
		}
	}
}

// ending is the error of a call that was to be sent again when ctx ended.
func ending(err, ended error) error {
	var e *Error
	if errors.As(err, &e) && e.Err == nil {
		e.Reason, e.Err = Interrupted, ended
	}
	return err
}

// isNetwork reports whether an error is one of the way, and not of the token or
// the request.
func isNetwork(err error) bool {
	var way *wayError
	return errors.As(err, &way)
}

// connects is how often a service that has never answered is tried when there is no
// connection to it.
const connects = 3

// isConnecting reports whether an error is one of making the connection: the name, the
// address, the proxy or the certificate.
func isConnecting(err error) bool {
	var way *net.OpError
	var cert *tls.CertificateVerificationError
	return errors.As(err, &way) && (way.Op == "dial" || way.Op == "proxyconnect") || errors.As(err, &cert)
}

// pause is the wait before attempt n+1. A refused token is asked for anew, and waiting
// does not make it better.
func (e *Error) pause(n int) time.Duration {
	if e.RetryAfter == 0 && e.Status != http.StatusUnauthorized {
		return backoff(n)
	}
	return e.RetryAfter
}

// A wayError is one between the adapter and the service.
type wayError struct{ err error }

func (e *wayError) Error() string { return e.err.Error() }
func (e *wayError) Unwrap() error { return e.err }

// target is the address of a request.
func (c *Client) target(r request) (*url.URL, error) {
	base, err := c.base()
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(r.path, "https://") { // a next link, checked by follows
		return url.Parse(r.path)
	}
	if below, _, _ := strings.Cut(r.path, "?"); strings.Contains("/"+below+"/", "//") {
		return nil, errors.New("the id is empty") // the path would be that of the collection
	} else if dots.MatchString("/" + below + "/") {
		return nil, errors.New("the id is a dot or two") // and would lead elsewhere
	}
	path := strings.TrimSuffix(base.String(), "/")
	if r.beta {
		path = strings.TrimSuffix(strings.TrimSuffix(path, "/v1.0"), "/beta") + "/beta"
	}
	return url.Parse(path + "/" + r.path)
}

// send sends a request once. The native answer is taken from the adapter, so that
// its bytes are what policy and trust read, and no more of them than maxBody.
func (c *Client) send(ctx context.Context, r request, u *url.URL) (response, error) {
	info := abstractions.NewRequestInformation()
	info.Method = httpMethod(r.method)
	info.SetUri(*u)
	info.Headers.Add("Accept", "application/json")
	for _, h := range r.header {
		info.Headers.Add(h[0], h[1])
	}
	if r.body != nil {
		info.SetStreamContentAndContentType(r.body, "application/json")
		info.Headers.Add("Content-Length", strconv.Itoa(len(r.body)))
	}
	var a response
	called, limit := false, cmp.Or(c.maxBody, maxBody)
	handler := abstractions.NewRequestHandlerOption()
	handler.SetResponseHandler(func(native any, _ abstractions.ErrorMappings) (any, error) {
		called = true
		answer, ok := native.(*http.Response)
		if !ok || answer == nil {
			return nil, errors.New("the adapter does not use net/http")
		}
		defer answer.Body.Close()
		a.status, a.header = answer.StatusCode, answer.Header
		if answer.ContentLength > limit {
			return nil, unusable(fmt.Errorf("the answer has more than %d bytes", limit))
		}
		var err error
		a.body, err = io.ReadAll(io.LimitReader(answer.Body, limit+1))
		switch {
		case err != nil:
			return nil, unusable(&wayError{fmt.Errorf("it broke off: %w", err)})
		case int64(len(a.body)) > limit:
			a.body = nil
			return nil, unusable(fmt.Errorf("the answer has more than %d bytes", limit))
		}
		return nil, nil
	})
	info.AddRequestOptions([]abstractions.RequestOption{
		handler,
		// The SDK's retries send a POST again whose answer was lost, and the order
		// of its handlers is that of a map: a body may be compressed before or after
		// it is kept for a retry. This package does both itself.
		&khttp.RetryHandlerOptions{ShouldRetry: func(time.Duration, int, *http.Request, *http.Response) bool { return false }},
		khttp.NewCompressionOptionsReference(false),
		// None of these calls is documented to redirect.
		&khttp.RedirectHandlerOptions{ShouldRedirect: func(*http.Request, *http.Response) bool { return false }},
	})
	_, err := c.Adapter.Send(ctx, info, nil, nil)
	var way *url.Error
	switch {
	case err == nil && !called:
		err = errors.New("the adapter did not hand over its answer: it must honour the response handler option of kiota")
	case err != nil && !called && errors.As(err, &way) && sameHost(way.URL, u):
		// Its text repeats the address, with the values in its query.
		err = &wayError{way.Err}
	}
	return a, err
}

// sameHost reports whether a text is an address on the host of u.
func sameHost(text string, u *url.URL) bool {
	v, err := url.Parse(text)
	return err == nil && v.Scheme == u.Scheme && strings.EqualFold(v.Host, u.Host)
}

func httpMethod(method string) abstractions.HttpMethod {
	switch method {
	case http.MethodPost:
		return abstractions.POST
	case http.MethodPatch:
		return abstractions.PATCH
	case http.MethodDelete:
		return abstractions.DELETE
	}
	return abstractions.GET
}

// get reads one object. parse may be called several times.
func (c *Client) get(ctx context.Context, op operation, path string, parse func([]byte) error, header ...[2]string) error {
	_, err := c.do(ctx, request{op: op, method: http.MethodGet, path: path, header: header, idempotent: true, parse: parse})
	return err
}

// A page is one answer of a collection.
type page struct {
	Value []json.RawMessage
	Next  string
}

// parse reads a page.
func (p *page) parse(body []byte) error {
	*p = page{}
	members, err := object(body)
	if err != nil {
		return err
	}
	for _, m := range members {
		switch m.Name {
		case "value":
			p.Value, err = wire.Elements(m.Raw)
		case "@odata.nextLink":
			err = json.Unmarshal(m.Raw, &p.Next)
		}
		if err != nil {
			return fmt.Errorf("it is not a page of a collection: %s: %s", m.Name, said(err))
		}
	}
	if p.Value == nil {
		return errors.New("it is not a collection: it has no value")
	}
	return nil
}

// object takes the JSON object of an answer apart.
func object(body []byte) ([]wire.Member, error) {
	text, err := wire.Text(body, maxBody)
	if err != nil {
		return nil, err
	}
	return wire.Members(text)
}

// isJSON is a parse that keeps nothing.
func isJSON(body []byte) error {
	_, err := wire.Text(body, maxBody)
	return err
}

// maxEmpty bounds the empty pages that follow each other: a filter can make some, and a
// service that counts up would make them without end.
const maxEmpty = 1000

// pages streams the objects of a collection. Next links are followed on the
// service's own host and below its version only: the token goes with them. Each
// page is asked for when the last object of the one before was taken. Links that run in a
// circle, and those of maxEmpty empty pages, one after the other, are an error.
func (c *Client) pages(ctx context.Context, r request) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		first, err := c.target(r)
		if err != nil {
			yield(nil, r.op.fail(Invalid, err))
			return
		}
		r.method, r.idempotent = http.MethodGet, true
		seen := map[string]bool{}
		empty := 0
		for {
			var p page
			r.parse = func(body []byte) error {
				if err := p.parse(body); err != nil {
					return err
				}
				if p.Next != "" {
					return follows(p.Next, first)
				}
				return nil
			}
			if _, err := c.do(ctx, r); err != nil {
				yield(nil, err)
				return
			}
			for _, v := range p.Value {
				if !yield(v, nil) {
					return
				}
			}
			if p.Next == "" {
				return
			}
			if seen[p.Next] {
				yield(nil, r.op.broken(first.EscapedPath(), errors.New("its pages run in a circle")))
				return
			}
			if empty++; len(p.Value) > 0 {
				empty = 0
			}
			if empty == maxEmpty {
				yield(nil, r.op.broken(first.EscapedPath(), fmt.Errorf("%d of its pages in a row are empty, and each names another one", maxEmpty)))
				return
			}
			seen[p.Next] = true
			r.path = p.Next
		}
	}
}

// broken is the error of an answer whose parts cannot be used.
func (op operation) broken(path string, err error) *Error {
	e := op.fail(BadAnswer, err)
	e.Method, e.Path, e.Status = http.MethodGet, path, http.StatusOK
	return e
}

// follows checks a next link against the address of the first page.
func follows(next string, first *url.URL) error {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "https" || u.User != nil || !strings.EqualFold(u.Host, first.Host) {
		host := "?"
		if err == nil {
			host = u.Host
		}
		return fmt.Errorf("its next page is on another host, %q, and was not asked for", scrub(host))
	}
	below := version.FindString(first.EscapedPath())
	if !strings.HasPrefix(u.EscapedPath(), below) || dots.MatchString(u.EscapedPath()+"/") {
		return fmt.Errorf("its next page is not below %s, and was not asked for", below)
	}
	return nil
}

var (
	// version is the part of a path up to the version of the API.
	version = regexp.MustCompile(`^.*?/(?:v1\.0|beta)/`)
	// dots finds segments that lead out of a path, escaped or not.
	dots = regexp.MustCompile(`(?i)/(?:\.|%2e){1,2}/`)
)

// encode is json.Marshal without the escapes for HTML: the values are full of
// "<" and ">".
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil // the callers pass maps, lists and texts
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// query writes query options in the order given. Spaces are %20, as OData has
// them; the dollar signs of the names stay.
func query(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteByte("?&"[min(i, 1)])
		b.WriteString(pairs[i] + "=" + strings.ReplaceAll(url.QueryEscape(pairs[i+1]), "+", "%20"))
	}
	return b.String()
}

// literal is a text in an OData filter.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

var (
	eventual  = [2]string{"ConsistencyLevel", "eventual"}
	wantEnums = [2]string{"Prefer", "include-unknown-enum-members"}
)
