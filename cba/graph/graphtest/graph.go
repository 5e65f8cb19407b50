package graphtest

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Token is the access token that a Graph accepts unless [Options] name another. It is
// not a secret.
const Token = "graphtest-access-token"

// maxBody is the largest request body: the 4 MB that Learn, "JSON batching",
// gives for a whole request.
const maxBody = 4 << 20

// Options are the options of a [Graph]. The zero value is a service that answers at
// once, shows every write at once and never fails.
type Options struct {
	// Token is the one access token that is accepted; "" is [Token].
	Token string
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
	// Latency is the shortest time that an HTTP request takes.
	Latency time.Duration
	// Lag is how long reads show the old state after a write: the directory
	// replicates, and how long that takes is not documented.
	Lag Delay
	// Fetch returns the .p7b bundle at the address of an upload. With nil every upload
	// fails: the package itself never opens a connection.
	Fetch func(ctx context.Context, url string) ([]byte, error)
	// Upload is how long an upload runs; Learn says up to 30 minutes. Only reads of the
	// PKI in question count.
	Upload Delay
	// PageSize is the number of objects on a page without $top. 0 is Graph's own: 100
	// users, groups, PKIs or CAs, 1,000 sign-ins.
	PageSize int
	// MergeComplex follows the other reading of open question 9.16: a complex property
	// in a PATCH of the policy changes only the members that it names, instead of
	// replacing the whole property. Collections are replaced in both readings.
	MergeComplex bool
	// FoldCertificateUserIDs makes the comparison of certificateUserIds
	// case-insensitive, in filters and for uniqueness. How the service compares them is
	// not documented; the default is exact.
	FoldCertificateUserIDs bool
	// KeepRequests is the number of newest requests that [Graph.Requests] returns. 0 is
	// 5,000; a negative number is none.
	KeepRequests int
}

// A Graph is an in-memory Microsoft Graph of one tenant: an [http.Handler] that can be
// mounted anywhere, because the part of the path before /v1.0/ or /beta/ is its mount
// point. [New] makes one. It is safe for concurrent use.
type Graph struct {
	opt    Options
	schema *schema
	token  [sha256.Size]byte
	routes []route

	mu     sync.Mutex
	state  *state
	faults []*armed
	log    []*Request
	serial uint64 // of requests
}

// New returns a Graph that starts with a copy of the tenant. The error is [Invalid]: two
// users with one name or one certificateUserIds value, two objects with one id, an
// unreadable policy.
func New(t Tenant, o Options) (*Graph, error) {
	s, err := readSchema(published, supplement)
	if err != nil {
		return nil, err
	}
	if o.Token == "" {
		o.Token = Token
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.KeepRequests == 0 {
		o.KeepRequests = 5000
	}
	g := &Graph{opt: o, schema: s, token: sha256.Sum256([]byte(o.Token))}
	g.opt.Token = ""
	g.routes = g.table()
	if err := g.Load(t); err != nil {
		return nil, err
	}
	return g, nil
}

// Load replaces the tenant with a copy of t. Replication lag and running uploads end.
// The errors are those of [New]; on an error the old tenant stays.
func (g *Graph) Load(t Tenant) error {
	if !g.made() {
		return invalid(nil, "make the Graph with New")
	}
	s, err := g.newState(t.Clone())
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.state = s
	return nil
}

// Tenant returns a copy of the tenant with everything that was written, whether or not
// reads show it yet.
func (g *Graph) Tenant() Tenant {
	if !g.made() {
		return Tenant{}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.state.settle(g.now())
	return g.state.tenant()
}

// made reports whether New made the Graph.
func (g *Graph) made() bool { return g != nil && g.schema != nil }

func (g *Graph) now() time.Time { return g.opt.Now().UTC() }

// A call is one request, alone or part of a batch.
type call struct {
	ctx     context.Context
	method  string
	version string // "v1.0" or "beta"
	base    string // "https://host/mount/v1.0"
	path    []string
	params  []string // what the route's {} stand for
	query   url.Values
	header  http.Header
	body    []byte
	id      string // request-id
	client  string // client-request-id
	now     time.Time
	entry   *Request // where the call is recorded, or nil
}

// An answer is what comes back.
type answer struct {
	status int
	header http.Header
	body   any    // JSON, made of maps, slices, texts, numbers, booleans and nil
	typ    string // the CSDL type of body
	text   string // for text/plain
	fault  *graphError
}

// A graphError is the body of an answer that refuses.
type graphError struct{ code, message string }

func refuse(status int, code, format string, args ...any) answer {
	return answer{status: status, fault: &graphError{code, fmt.Sprintf(format, args...)}}
}

// The codes are Graph's; which one a call answers with is documented for few.
const (
	codeBadRequest  = "Request_BadRequest"
	codeUnsupported = "Request_UnsupportedQuery"
	codeNotFound    = "Request_ResourceNotFound"
)

func badRequest(format string, args ...any) answer {
	return refuse(http.StatusBadRequest, codeBadRequest, format, args...)
}

func notFound(id string) answer {
	return refuse(http.StatusNotFound, codeNotFound,
		"Resource '%s' does not exist or one of its queried reference-property objects are not present.", clip(id))
}

// ServeHTTP answers one request. It panics with [http.ErrAbortHandler], as
// net/http asks for, where a [Fault] tells it to break the connection.
func (g *Graph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.made() {
		http.Error(w, "graphtest: make the Graph with New", http.StatusInternalServerError)
		return
	}
	body, bodyErr := readBody(r)
	c, found := g.newCall(r, body)
	c.entry = g.record(r, body)
	if g.opt.Latency > 0 && !sleep(r.Context(), g.opt.Latency) {
		return // nobody waits for the answer any more
	}
	var a answer
	var f *Fault
	switch {
	case !g.authorized(r):
		a = refuse(http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is missing or malformed.")
		a.header = http.Header{"Www-Authenticate": {`Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"`}}
	case !found:
		a = refuse(http.StatusBadRequest, "BadRequest", "Invalid version: the path '%s' holds neither v1.0 nor beta.", clip(r.URL.Path))
	case bodyErr != nil:
		a = *bodyErr
	default:
		f = g.strike(c, false)
		a = g.answer(c, f)
	}
	a, text := g.finish(c, a, f)
	g.outcome(c.entry, a.status)
	g.send(w, r, a, text, f)
}

// newCall takes a request apart; ok is false if its path has no version.
func (g *Graph) newCall(r *http.Request, body []byte) (c *call, ok bool) {
	g.mu.Lock()
	g.serial++
	id := uuid(g.serial, 0)
	g.mu.Unlock()
	c = &call{ctx: r.Context(), method: r.Method, header: r.Header, body: body, id: id, now: g.now()}
	if c.client = r.Header.Get("client-request-id"); c.client == "" {
		c.client = id
	}
	segments := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	for i, segment := range segments {
		if segment == "v1.0" || segment == "beta" {
			c.version = segment
			c.base = scheme(r) + "://" + r.Host + "/" + strings.Join(segments[:i+1], "/")
			return c, c.target(strings.Join(segments[i+1:], "/"), r.URL.RawQuery)
		}
	}
	return c, false
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// target sets the path below the version and the query.
func (c *call) target(path, query string) bool {
	c.path = nil
	for segment := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		text, err := url.PathUnescape(segment)
		if err != nil {
			return false
		}
		c.path = append(c.path, text)
	}
	var err error
	c.query, err = url.ParseQuery(query)
	return err == nil
}

func readBody(r *http.Request) ([]byte, *answer) {
	var in io.Reader = r.Body
	if r.Body == nil {
		return nil, nil
	}
	if strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			a := badRequest("The body is not gzip.")
			return nil, &a
		}
		in = z
	}
	body, err := io.ReadAll(io.LimitReader(in, maxBody+1))
	if len(body) > maxBody {
		a := refuse(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The request is larger than 4 MB.")
		return nil, &a
	}
	if err != nil {
		a := badRequest("The body could not be read.")
		return nil, &a
	}
	return body, nil
}

func (g *Graph) authorized(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(token))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(sum[:], g.token[:]) == 1
}

// answer carries a call out, unless the fault strikes first.
func (g *Graph) answer(c *call, f *Fault) answer {
	if f != nil && !f.Applied && f.Kind.replaces() {
		return f.answer(c)
	}
	a := g.route(c)
	if f != nil && f.Kind.replaces() { // and Applied
		return f.answer(c)
	}
	return a
}

// A route is one path with a handler for each method. {} in a pattern stands for
// any one segment; the rest is compared without regard to case.
type route struct {
	pattern []string
	methods map[string]func(*call) answer
}

func (g *Graph) route(c *call) answer {
	for _, r := range g.routes {
		if len(r.pattern) != len(c.path) {
			continue
		}
		var params []string
		match := true
		for i, p := range r.pattern {
			if p == "{}" {
				params = append(params, c.path[i])
			} else if !strings.EqualFold(p, c.path[i]) {
				match = false
				break
			}
		}
		if !match {
			continue
		}
		handle := r.methods[c.method]
		if handle == nil {
			a := refuse(http.StatusMethodNotAllowed, codeBadRequest, "Specified HTTP method is not allowed for the request target.")
			a.header = http.Header{"Allow": {strings.Join(sortedKeys(r.methods), ", ")}}
			return a
		}
		if len(c.body) > 0 && c.method != http.MethodGet {
			if kind, _, err := mime.ParseMediaType(c.header.Get("Content-Type")); err != nil || kind != "application/json" {
				return refuse(http.StatusUnsupportedMediaType, "BadRequest", "The body needs the Content-Type application/json.")
			}
		}
		c.params = params
		return handle(c)
	}
	return refuse(http.StatusBadRequest, "BadRequest", "Resource not found for the segment '%s'.", clip(c.path[len(c.path)-1]))
}

// table is every call that the model knows.
func (g *Graph) table() []route {
	var routes []route
	add := func(pattern string, methods map[string]func(*state, *call) answer) {
		r := route{pattern: strings.Split(pattern, "/"), methods: map[string]func(*call) answer{}}
		for method, handle := range methods {
			r.methods[method] = func(c *call) answer {
				g.mu.Lock()
				defer g.mu.Unlock()
				g.state.settle(c.now)
				return handle(g.state, c)
			}
		}
		routes = append(routes, r)
	}
	type on = map[string]func(*state, *call) answer

	const methods = "policies/authenticationMethodsPolicy"
	add(methods, on{"GET": (*state).getMethodsPolicy})
	add(methods+"/authenticationMethodConfigurations", on{"GET": (*state).listMethods})
	add(methods+"/authenticationMethodConfigurations/{}", on{
		"GET": (*state).getMethod, "PATCH": (*state).patchMethod, "DELETE": (*state).deleteMethod})

	const pkis = "directory/publicKeyInfrastructure/certificateBasedAuthConfigurations"
	add(pkis, on{"GET": (*state).listPKIs, "POST": (*state).createPKI})
	add(pkis+"/{}", on{"GET": (*state).getPKI, "PATCH": (*state).patchPKI, "DELETE": (*state).deletePKI})
	add(pkis+"/{}/certificateAuthorities", on{"GET": (*state).listCAs, "POST": (*state).createCA})
	add(pkis+"/{}/certificateAuthorities/{}", on{
		"GET": (*state).getCA, "PATCH": (*state).patchCA, "DELETE": (*state).deleteCA})
	// upload calls Options.Fetch, and must not hold the lock meanwhile.
	for _, name := range []string{"upload", "microsoft.graph.upload"} {
		routes = append(routes, route{
			pattern: strings.Split(pkis+"/{}/"+name, "/"),
			methods: map[string]func(*call) answer{"POST": g.upload},
		})
	}

	add("directory/deletedItems/{}", on{
		"GET": (*state).getDeleted, "DELETE": (*state).purge})
	add("directory/deletedItems/{}/restore", on{"POST": (*state).restore})

	add("domains", on{"GET": (*state).listDomains})
	add("organization", on{"GET": (*state).listOrganizations})
	add("organization/{}", on{"GET": (*state).getOrganization})
	add("organization/{}/certificateBasedAuthConfiguration", on{
		"GET": (*state).listClassic, "POST": (*state).createClassic})
	add("organization/{}/certificateBasedAuthConfiguration/{}", on{
		"GET": (*state).getClassic, "DELETE": (*state).deleteClassic})

	add("users", on{"GET": (*state).listUsers})
	add("users/$count", on{"GET": (*state).countUsers})
	add("users/{}", on{"GET": (*state).getUser, "PATCH": (*state).patchUser})
	add("users/{}/memberOf", on{"GET": (*state).memberOf})
	add("users/{}/transitiveMemberOf", on{"GET": (*state).transitiveMemberOf})
	for _, cast := range []string{"/microsoft.graph.group", "/graph.group"} {
		add("users/{}/memberOf"+cast, on{"GET": advanced((*state).memberOf)})
		add("users/{}/transitiveMemberOf"+cast, on{"GET": advanced((*state).transitiveMemberOf)})
	}
	add("groups", on{"GET": (*state).listGroups})
	add("groups/{}", on{"GET": (*state).getGroup})

	for _, base := range []string{"identity/conditionalAccess/authenticationStrength/policies", "policies/authenticationStrengthPolicies"} {
		add(base, on{"GET": (*state).listStrengths})
		add(base+"/{}", on{"GET": (*state).getStrength})
		add(base+"/{}/combinationConfigurations", on{"GET": (*state).listCombinations})
		add(base+"/{}/combinationConfigurations/{}", on{"GET": (*state).getCombination})
	}
	add("auditLogs/signIns", on{"GET": (*state).listSignIns})
	add("auditLogs/signIns/{}", on{"GET": (*state).getSignIn})

	routes = append(routes, route{
		pattern: []string{"$batch"},
		methods: map[string]func(*call) answer{"POST": g.batch},
	})
	return routes
}

// finish adds what every answer has and returns its bytes.
func (g *Graph) finish(c *call, a answer, f *Fault) (answer, []byte) {
	if a.header == nil {
		a.header = http.Header{}
	}
	a.header.Set("request-id", c.id)
	a.header.Set("client-request-id", c.client)
	a.header.Set("Date", c.now.Format(http.TimeFormat))
	switch {
	case a.fault != nil:
		a.header.Set("Content-Type", "application/json")
		a.body = map[string]any{"error": map[string]any{
			"code": a.fault.code, "message": a.fault.message,
			"innerError": map[string]any{
				"date": c.now.Format("2006-01-02T15:04:05"), "request-id": c.id, "client-request-id": c.client},
		}}
	case a.text != "":
		if a.header.Get("Content-Type") == "" {
			a.header.Set("Content-Type", "text/plain")
		}
		return a, []byte(a.text)
	case a.body == nil:
		return a, nil
	default:
		a.header.Set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
		g.show(c, &a, f)
	}
	return a, encode(a.body)
}

// show hides the members behind the sentinel from those who did not ask for
// them, and lets a fault change the content.
func (g *Graph) show(c *call, a *answer, f *Fault) {
	known := prefers(c.header, "include-unknown-enum-members")
	if !known && a.typ != "" {
		g.enums(a, func(e *enumType, value string) string {
			if _, late := e.has(value); late {
				return sentinel
			}
			return value
		})
	}
	if f != nil {
		f.change(g, a)
	}
}

// enums runs f over every enum value of an answer.
func (g *Graph) enums(a *answer, f func(e *enumType, value string) string) {
	body := a.body
	if object, ok := body.(map[string]any); ok && strings.HasPrefix(a.typ, "Collection(") {
		body = object["value"]
	}
	g.schema.eachEnum(a.typ, body, f)
}

// prefers reports whether the Prefer headers (RFC 7240) hold a preference.
func prefers(h http.Header, name string) bool {
	for _, line := range h.Values("Prefer") {
		for p := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(p), name) {
				return true
			}
		}
	}
	return false
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// object reads the body of a request as the given type. Its answer is nil if
// that went well.
func (s *state) object(c *call, typ string) (map[string]any, *answer) {
	refused := func(format string, args ...any) (map[string]any, *answer) {
		a := badRequest(format, args...)
		return nil, &a
	}
	if len(bytes.TrimSpace(c.body)) == 0 {
		return refused("Empty Payload. JSON content expected.")
	}
	v, err := parseJSON(c.body)
	if err != nil {
		return refused("Unable to read JSON request payload: %s.", clip(err.Error()))
	}
	if m := s.schema.check(typ, v, true); m != nil {
		if m.path != "" {
			return refused("%s (at '%s')", m.text, clip(m.path))
		}
		return refused("%s", m.text)
	}
	object, ok := v.(map[string]any)
	if !ok {
		return refused("An object is expected.")
	}
	return object, nil
}

// only refuses properties of a request that may not be written.
func only(in map[string]any, names ...string) *answer {
	for _, key := range sortedKeys(in) {
		if key == "@odata.type" || contains(names, key) {
			continue
		}
		a := badRequest("Property '%s' is read-only and cannot be set.", clip(key))
		return &a
	}
	return nil
}

var errNoFetch = errors.New("no Options.Fetch is set")
