package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"strconv"
	"time"

	"example.com/entracba/cba/internal/wire"
)

// maxBatch is how many requests one batch takes (Learn, "Combine multiple
// requests in one HTTP call using JSON batching").
const maxBatch = 20

const batchPath = "$batch"

// A part is one request of a batch.
type part struct {
	method, path string
	object       string // what it is about, see operation
	header       map[string]string
	body         json.RawMessage
	after        bool // carried out after the part before it, and only if that went well
}

// An answer is that of one part.
type answer struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
}

func (a answer) head() http.Header {
	h := http.Header{}
	for name, value := range a.Headers {
		h.Set(name, value)
	}
	return h
}

// fails makes the error of a part.
func (c *Client) fails(op operation, p part, a answer) *Error {
	h := a.head()
	e := op.fail("", nil)
	e.Method, e.Object, e.Status, e.Attempts = p.method, p.object, a.Status, 1
	e.RequestID, e.RetryAfter = scrub(h.Get("request-id")), retryAfter(h.Get("Retry-After"), c.now())
	if u, err := c.target(request{path: p.path}); err == nil {
		e.Path = u.EscapedPath()
	}
	e.setBody(a.Body)
	e.Reason = reasonOf(e.Status, e.Message)
	return e
}

// batch sends up to 20 parts in one request. One that writes is not sent again
// when its answer is lost: the caller reads what came of it.
func (c *Client) batch(ctx context.Context, op operation, parts []part) ([]answer, error) {
	type batched struct {
		ID        string            `json:"id"`
		Method    string            `json:"method"`
		URL       string            `json:"url"`
		Headers   map[string]string `json:"headers,omitempty"`
		Body      json.RawMessage   `json:"body,omitempty"`
		DependsOn []string          `json:"dependsOn,omitempty"`
	}
	writes := 0
	requests := make([]batched, len(parts))
	for i, p := range parts {
		w := batched{ID: strconv.Itoa(i + 1), Method: p.method, URL: "/" + p.path, Headers: p.header, Body: p.body}
		if p.body != nil {
			w.Headers = map[string]string{"Content-Type": "application/json"}
			maps.Copy(w.Headers, p.header)
		}
		if p.after {
			w.DependsOn = []string{strconv.Itoa(i)}
		}
		if p.method != http.MethodGet {
			writes++
		}
		requests[i] = w
	}
	var answers []answer
	_, err := c.do(ctx, request{op: op, method: http.MethodPost, path: batchPath, idempotent: writes == 0, writes: writes,
		body: encode(map[string]any{"requests": requests}),
		parse: func(body []byte) error {
			members, err := object(body)
			if err != nil {
				return err
			}
			var all []json.RawMessage
			for _, m := range members {
				if m.Name == "responses" {
					all, err = wire.Elements(m.Raw)
				}
			}
			if err != nil {
				return fmt.Errorf("it is not a batch: %s", said(err))
			}
			// The order of the answers is not promised.
			answers = make([]answer, len(parts))
			for _, text := range all {
				var a answer
				if err := json.Unmarshal(text, &a); err != nil {
					return fmt.Errorf("it is not a batch: %w", err)
				}
				if n, err := strconv.Atoi(a.ID); err == nil && n >= 1 && n <= len(parts) {
					answers[n-1] = a
				}
			}
			for i := range answers {
				if answers[i].Status == 0 {
					return errors.New("it lacks the answer to a part")
				}
			}
			return nil
		}})
	return answers, err
}

// later reports whether a part is to be sent again, and after how long.
func (c *Client) later(a answer, attempt int) (time.Duration, bool) {
	switch a.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout, http.StatusInternalServerError:
		if d := retryAfter(a.head().Get("Retry-After"), c.now()); d > 0 {
			return d, d <= c.maxWait()
		}
		return backoff(attempt), true
	case http.StatusUnauthorized:
		return 0, attempt == 1 // the next request has a new token
	}
	return 0, false
}

// exchange sends groups of parts, the parts of a group in one batch and no group
// of more than 20. A group in which a part was throttled is sent again after the
// longest wait that was asked for, the others are not; neither is one that wrote,
// or may have. A broken batch is the
// error of all its groups: errs has one for each group. sem bounds how many
// batches are under way; nil does not.
func (c *Client) exchange(ctx context.Context, op operation, sem chan struct{}, groups [][]part) (answers [][]answer, errs []error) {
	answers, errs = make([][]answer, len(groups)), make([]error, len(groups))
	pending := make([]int, len(groups))
	for i := range pending {
		pending[i] = i
	}
	for attempt := 1; len(pending) > 0; attempt++ {
		var again []int
		var wait time.Duration
		for len(pending) > 0 {
			var parts []part
			n := 0
			for n < len(pending) && len(parts)+len(groups[pending[n]]) <= maxBatch {
				parts = append(parts, groups[pending[n]]...)
				n++
			}
			if n == 0 { // a group that no batch can hold is a mistake of this package
				errs[pending[0]] = op.refuse(Invalid, "more than %d requests belong together", maxBatch)
				pending = pending[1:]
				continue
			}
			// dependsOn counts parts within the batch: after names the one before.
			if sem != nil {
				sem <- struct{}{}
			}
			all, err := c.batch(ctx, op, parts)
			if sem != nil {
				<-sem
			}
			for _, g := range pending[:n] {
				if err != nil {
					errs[g] = err
					continue
				}
				answers[g], all = all[:len(groups[g])], all[len(groups[g]):]
				repeat, longest := false, time.Duration(0)
				written := false // or perhaps: the caller reads what came of it
				for i, a := range answers[g] {
					if d, ok := c.later(a, attempt); ok {
						repeat, longest = true, max(longest, d)
					}
					written = written || groups[g][i].method != http.MethodGet && (a.Status < 300 || a.Status >= 500)
				}
				if repeat && !written && attempt < c.attempts() {
					again, wait = append(again, g), max(wait, longest)
				}
			}
			pending = pending[n:]
		}
		if pending = again; len(pending) > 0 {
			if err := c.wait(ctx, wait); err != nil {
				for _, g := range pending {
					errs[g] = op.fail(Interrupted, err)
				}
				return answers, errs
			}
		}
	}
	return answers, errs
}

// inOrder works on chunks of a stream, several at once, and hands the results out
// in the order of the stream. A chunk is as many elements as weigh up to 20. At
// most atOnce chunks are held; nothing runs on when the loop is left.
func inOrder[In, Out any](ctx context.Context, atOnce int, in iter.Seq2[In, error], weigh func(In) int,
	work func(context.Context, []In) []Out) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		if in == nil {
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		next, stop := iter.Pull2(in)
		var queue []chan []Out
		defer func() {
			cancel()
			stop()
			for _, results := range queue {
				<-results
			}
		}()
		var left *In
		var failed error
		open := true
		// chunk takes the next elements.
		chunk := func() []In {
			var list []In
			weight := 0
			if left != nil {
				list, weight, left = append(list, *left), weigh(*left), nil
			}
			for open {
				v, err, ok := next()
				if !ok || err != nil {
					failed, open = err, false
					break
				}
				if w := weigh(v); len(list) > 0 && weight+w > maxBatch {
					left = &v
					break
				} else {
					list, weight = append(list, v), weight+w
				}
			}
			return list
		}
		for {
			for len(queue) < atOnce && (open || left != nil) {
				list := chunk()
				if len(list) == 0 {
					break
				}
				results := make(chan []Out, 1)
				queue = append(queue, results)
				go func() { results <- work(ctx, list) }()
			}
			if len(queue) == 0 {
				break
			}
			list := <-queue[0]
			queue = queue[1:]
			for _, v := range list {
				if !yield(v, nil) {
					return
				}
			}
		}
		if failed != nil {
			var none Out
			yield(none, failed)
		}
	}
}
