package graphtest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba/graph/graphtest"
)

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

var start = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

// A fake is a Graph with what tests ask it.
type fake struct {
	*graphtest.Graph
	t     *testing.T
	clock *clock
}

func newFake(t *testing.T, tenant graphtest.Tenant, o graphtest.Options) *fake {
	t.Helper()
	f := &fake{t: t, clock: &clock{t: start}}
	if o.Now == nil {
		o.Now = f.clock.now
	}
	g, err := graphtest.New(tenant, o)
	if err != nil {
		t.Fatal(err)
	}
	f.Graph = g
	return f
}

// An answer of the fake.
type answer struct {
	status int
	header http.Header
	text   []byte
	body   map[string]any
}

// code is the code of an error.
func (a answer) code() string {
	e, _ := a.body["error"].(map[string]any)
	code, _ := e["code"].(string)
	return code
}

func (a answer) message() string {
	e, _ := a.body["error"].(map[string]any)
	text, _ := e["message"].(string)
	return text
}

// value is the collection in an answer.
func (a answer) value() []map[string]any {
	list, _ := a.body["value"].([]any)
	objects := make([]map[string]any, len(list))
	for i := range list {
		objects[i], _ = list[i].(map[string]any)
	}
	return objects
}

// do sends a request: "GET /users?$top=1", a body ("" for none) and headers as
// "Name: value". A target without a version is of v1.0.
func (f *fake) do(request, body string, headers ...string) answer {
	f.t.Helper()
	r := newRequest(request, body, headers...)
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return readAnswer(f.t, w.Result())
}

func newRequest(request, body string, headers ...string) *http.Request {
	method, target, _ := strings.Cut(request, " ")
	if !strings.HasPrefix(target, "/v1.0/") && !strings.HasPrefix(target, "/beta/") {
		target = "/v1.0" + target
	}
	target = strings.NewReplacer(" ", "%20", "<", "%3C", ">", "%3E").Replace(target)
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, "https://graph.example"+target, in)
	r.Header.Set("Authorization", "Bearer "+graphtest.Token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if value == "" {
			r.Header.Del(name)
		} else {
			r.Header.Set(name, value)
		}
	}
	return r
}

func readAnswer(t *testing.T, r *http.Response) answer {
	t.Helper()
	defer r.Body.Close()
	a := answer{status: r.StatusCode, header: r.Header}
	var err error
	if a.text, err = io.ReadAll(r.Body); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		d := json.NewDecoder(bytes.NewReader(a.text))
		d.Decode(&a.body) // a fault may have mangled it
	}
	return a
}

// must is do with a status that has to come.
func (f *fake) must(status int, request, body string, headers ...string) answer {
	f.t.Helper()
	a := f.do(request, body, headers...)
	if a.status != status {
		f.t.Fatalf("%s: status %d, want %d: %s", request, a.status, status, a.text)
	}
	return a
}

// A step is one row of a table: a request, and what has to come of it.
type step struct {
	name    string
	request string
	body    string
	headers []string
	status  int
	want    string // a part of the answer's text
}

func (f *fake) run(steps []step) {
	f.t.Helper()
	if len(steps) == 0 {
		f.t.Fatal("no steps")
	}
	for _, s := range steps {
		a := f.do(s.request, s.body, s.headers...)
		if a.status != s.status || !strings.Contains(string(a.text), s.want) {
			f.t.Errorf("%s: %s: status %d, want %d with %q: %s", s.name, s.request, a.status, s.status, s.want, a.text)
		}
		if a.status >= 400 && (a.code() == "" || a.message() == "" || a.header.Get("request-id") == "") {
			f.t.Errorf("%s: %s: the error has not Graph's shape: %s", s.name, s.request, a.text)
		}
		if a.status == http.StatusNoContent && len(a.text) > 0 {
			f.t.Errorf("%s: %s: 204 with a body", s.name, s.request)
		}
	}
}

const eventual = "ConsistencyLevel: eventual"

// people are users as small as can be.
func people(names ...string) []graphtest.User {
	users := make([]graphtest.User, len(names))
	for i, name := range names {
		users[i] = graphtest.User{ID: "id-" + name, UserPrincipalName: name + "@contoso.com", DisplayName: name}
	}
	return users
}
