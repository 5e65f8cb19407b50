package graphtest

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// A Request is a request that a [Graph] received, for tests of what a program sends.
type Request struct {
	Method string
	// URL is the full URL as it was sent, query included. For a part of a batch it is
	// the URL that the same request would have on its own.
	URL string
	// Header has no Authorization and no Cookie, which are never kept.
	Header http.Header
	// Body is the body after decompression.
	Body []byte
	// Status is the status of the answer, 0 before it is sent.
	Status int
	// Parts are the requests of a $batch, in the order of the batch; nil for others.
	Parts []Request
}

// Requests returns the newest requests, [Options.KeepRequests] of them at most,
// in the order in which they arrived.
func (g *Graph) Requests() []Request {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := make([]Request, len(g.log))
	for i, r := range g.log {
		list[i] = r.clone()
	}
	return list
}

// ForgetRequests empties the list of requests.
func (g *Graph) ForgetRequests() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.log = nil
}

func (r Request) clone() Request {
	r.Header, r.Body = r.Header.Clone(), bytes.Clone(r.Body)
	r.Parts = cloneEach(r.Parts, Request.clone)
	return r
}

// withoutToken is a copy of headers that may be kept.
func withoutToken(h http.Header) http.Header {
	h = h.Clone()
	maps.DeleteFunc(h, func(name string, _ []string) bool {
		return strings.EqualFold(name, "Authorization") || strings.EqualFold(name, "Cookie")
	})
	return h
}

// record keeps a request; nil if none are kept.
func (g *Graph) record(r *http.Request, body []byte) *Request {
	if g.opt.KeepRequests < 0 {
		return nil
	}
	entry := &Request{Method: r.Method, URL: scheme(r) + "://" + r.Host + r.URL.RequestURI(), Header: withoutToken(r.Header), Body: body}
	g.mu.Lock()
	defer g.mu.Unlock()
	if over := len(g.log) + 1 - g.opt.KeepRequests; over > 0 {
		g.log = slices.Delete(g.log, 0, over)
	}
	g.log = append(g.log, entry)
	return entry
}

// outcome notes the status of a request.
func (g *Graph) outcome(entry *Request, status int) {
	if entry != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		entry.Status = status
	}
}

// recordParts notes the requests of a batch and their status.
func (g *Graph) recordParts(entry *Request, parts []*part) {
	if entry == nil {
		return
	}
	list := make([]Request, len(parts))
	for i, p := range parts {
		list[i] = Request{Method: p.call.method, URL: p.call.base + "/" + p.target, Header: withoutToken(p.call.header), Body: p.call.body, Status: p.status}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	entry.Parts = list
}
