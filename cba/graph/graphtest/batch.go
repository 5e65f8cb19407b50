package graphtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// maxBatch is the most requests of one batch (Learn, "JSON batching").
const maxBatch = 20

// A part is one request of a batch.
type part struct {
	id     string
	call   *call
	target string // the url without a leading slash
	needs  []string
	answer map[string]any // what the response array holds
	status int
}

// batch carries out the requests of a $batch (Learn, "JSON batching"): 20 at most,
// each with its own status and headers, 424 for one whose dependsOn failed. The
// order of the responses is not promised; the model returns them backwards, so
// that a caller who relies on the order finds out. Headers of the batch, the
// token aside, do not reach its parts.
func (g *Graph) batch(c *call) answer {
	parts, refused := g.parts(c)
	if refused != nil {
		return *refused
	}
	order := inOrder(parts)
	if order == nil {
		return refuse(http.StatusBadRequest, "BadRequest", "The dependsOn properties of the batch form a circle.")
	}
	status := map[string]int{}
	for _, p := range order {
		failed := slices.ContainsFunc(p.needs, func(id string) bool { return status[id] >= 400 })
		g.carryOut(p, failed)
		status[p.id] = p.status
	}
	g.recordParts(c.entry, parts)
	responses := make([]any, 0, len(parts))
	for _, p := range slices.Backward(parts) {
		responses = append(responses, p.answer)
	}
	return answer{status: http.StatusOK, body: map[string]any{"responses": responses}}
}

// inOrder sorts parts so that each comes after those it depends on; nil if that
// cannot be done.
func inOrder(parts []*part) []*part {
	var order []*part
	done := map[string]bool{}
	for len(order) < len(parts) {
		before := len(order)
		for _, p := range parts {
			if !done[p.id] && !slices.ContainsFunc(p.needs, func(id string) bool { return !done[id] }) {
				done[p.id] = true
				order = append(order, p)
			}
		}
		if len(order) == before {
			return nil
		}
	}
	return order
}

func (g *Graph) carryOut(p *part, failed bool) {
	var a answer
	var f *Fault
	if failed {
		a = refuse(http.StatusFailedDependency, "FailedDependency", "A request that this one depends on failed.")
	} else {
		f = g.strike(p.call, true)
		a = g.answer(p.call, f)
	}
	a, _ = g.finish(p.call, a, f)
	p.status = a.status
	headers := map[string]any{}
	for name := range a.header {
		headers[name] = a.header.Get(name)
	}
	p.answer = map[string]any{"id": p.id, "status": a.status, "headers": headers}
	if a.text != "" {
		p.answer["body"] = a.text
	} else if a.body != nil {
		p.answer["body"] = a.body
	}
}

// parts reads the body of a batch.
func (g *Graph) parts(c *call) ([]*part, *answer) {
	fail := func(format string, args ...any) ([]*part, *answer) {
		a := refuse(http.StatusBadRequest, "BadRequest", format, args...)
		return nil, &a
	}
	v, err := parseJSON(c.body)
	if err != nil {
		return fail("Unable to read JSON request payload: %s.", clip(err.Error()))
	}
	object, _ := v.(map[string]any)
	list, ok := object["requests"].([]any)
	if !ok || len(list) == 0 {
		return fail("Invalid batch payload format: 'requests' is missing or empty.")
	}
	if len(list) > maxBatch {
		return fail("Number of batch request steps exceeds the maximum value of %d.", maxBatch)
	}
	ids := map[string]bool{}
	var parts []*part
	for i, v := range list {
		in, _ := v.(map[string]any)
		p := &part{}
		p.id, _ = in["id"].(string)
		if p.id == "" || ids[p.id] {
			return fail("The id of request %d is empty or that of another one.", i)
		}
		ids[p.id] = true
		target, _ := in["url"].(string)
		p.target = strings.TrimPrefix(target, "/")
		if p.call, err = g.partCall(c, in, i); err != nil {
			return fail("Request '%s': %s.", clip(p.id), err)
		}
		if needs, ok := in["dependsOn"]; ok && needs != nil {
			names, ok := needs.([]any)
			if !ok {
				return fail("Request '%s': dependsOn is not an array.", clip(p.id))
			}
			for _, name := range names {
				text, _ := name.(string)
				p.needs = append(p.needs, text)
			}
		}
		parts = append(parts, p)
	}
	for _, p := range parts {
		for _, id := range p.needs {
			if !ids[id] {
				return fail("Request '%s' depends on '%s', which is not in the batch.", clip(p.id), clip(id))
			}
		}
	}
	return parts, nil
}

func (g *Graph) partCall(c *call, in map[string]any, i int) (*call, error) {
	target, _ := in["url"].(string)
	if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "//") {
		return nil, fmt.Errorf("the url '%s' is not a path below the version", clip(target))
	}
	p := &call{ctx: c.ctx, version: c.version, base: c.base, header: http.Header{}, now: c.now,
		id: c.id[:8] + "-" + fmt.Sprintf("%04x", i+2) + c.id[13:], client: c.client}
	p.method, _ = in["method"].(string)
	p.method = strings.ToUpper(p.method)
	path, query, _ := strings.Cut(target, "?")
	if !p.target(path, query) || strings.EqualFold(p.path[0], "$batch") {
		return nil, fmt.Errorf("the url '%s' cannot be used", clip(target))
	}
	if headers, ok := in["headers"]; ok && headers != nil {
		object, ok := headers.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("headers is not an object")
		}
		for name, v := range object {
			text, _ := v.(string)
			p.header.Set(name, text)
		}
	}
	if body, ok := in["body"]; ok && body != nil {
		p.body = encode(body)
	}
	return p, nil
}
