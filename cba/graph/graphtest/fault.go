package graphtest

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.com/entracba/cba/internal/enum"
)

// A Kind is what a [Fault] does. The zero value is unset, and [Graph.Inject]
// refuses it.
type Kind uint8

const (
	// Throttled answers 429 TooManyRequests, with Retry-After if the fault has one.
	Throttled Kind = iota + 1
	// Unavailable answers 503, with Retry-After if the fault has one.
	Unavailable
	// TokenExpired answers 401 InvalidAuthenticationToken with WWW-Authenticate.
	TokenExpired
	// Forbidden answers 403 Authorization_RequestDenied.
	Forbidden
	// Gateway answers 502 with an HTML page, as a gateway between the client and Graph
	// does.
	Gateway
	// Reset breaks the connection before a byte of the answer. Go's http.Transport
	// sends a GET again by itself when that happens on a connection it has used
	// before, and so uses up two of Fault.Times.
	Reset
	// Slow sends the true answer in sixteen pieces, Fault.Pause between them.
	Slow
	// Half sends the first half of the true answer's JSON as if it were all.
	Half
	// Cut announces the true answer and breaks the connection in its middle.
	Cut
	// Huge sends Fault.Size bytes of valid JSON.
	Huge
	// Bomb sends JSON that nests a million levels deep.
	Bomb
	// ForeignLink lets @odata.nextLink point to Fault.Host.
	ForeignLink
	// UnknownEnum sends "notYetInvented" for every enum value, or for those of the
	// enum that Fault.Enum names.
	UnknownEnum
)

var kinds = enum.Of[Kind]("graphtest: kind of fault", "throttled", "unavailable", "token expired", "forbidden", "gateway", "reset", "slow",
	"half", "cut", "huge", "bomb", "foreign link", "unknown enum")

// Kinds lists every kind, for tests that try them all.
func Kinds() []Kind { return kinds.Values() }

// String returns the name of the constant in words.
func (k Kind) String() string { return kinds.String(k) }

// MarshalText writes the text of [Kind.String]; an unset or unknown kind is an error.
func (k Kind) MarshalText() ([]byte, error) { return kinds.Marshal(k) }

// UnmarshalText reads what MarshalText wrote.
func (k *Kind) UnmarshalText(text []byte) error { return kinds.Unmarshal(k, text) }

// A Fault is a failure of the service for the requests that it selects. Only the order
// in which requests arrive decides which of them it strikes.
type Fault struct {
	Kind Kind // required
	// Method selects requests by method; "" is all.
	Method string
	// Path selects requests by the path after the version. In a pattern such as
	// "/users/*" each * stands for one segment, and ** at the end for any number of
	// segments; "" selects all. Letter case does not matter. Requests inside a batch
	// are selected by their own paths, except by kinds that break the connection or the
	// answer as a whole. "/$batch" is the batch itself.
	Path string
	// Skip is the number of selected requests that pass first.
	Skip int
	// Times is the number of requests that it strikes; 0 is one, a negative number all.
	Times int
	// Applied carries the request out before the fault replaces its answer: the write
	// is done, and the client does not learn of it. A fault that sends a part of the
	// true answer, such as Half, always carries the request out first.
	Applied bool
	// RetryAfter is sent with 429 and 503, in whole seconds, rounded up; 0 sends
	// no header. With AsDate it is sent as a date, which HTTP allows as well.
	RetryAfter time.Duration
	AsDate     bool
	// Pause is the time between the pieces of Slow; 0 is 20 ms.
	Pause time.Duration
	// Size is the number of bytes of Huge; 0 is 3 GB.
	Size int64
	// Host is where ForeignLink points to; "" is graph.attacker.example.
	Host string
	// Enum is the name of the enum that UnknownEnum changes, as the schema has it
	// ("x509CertificateRuleType"); "" is all.
	Enum string
}

// An armed fault counts.
type armed struct {
	Fault
	skip, left int
}

// Inject arms a fault. Faults strike in the order in which they were armed; at most one
// strikes a request. The error is [Invalid]: a Fault without a Kind.
func (g *Graph) Inject(f Fault) error {
	if !kinds.Known(f.Kind) {
		return invalid(nil, "fault: Kind is %v, want one of %v", f.Kind, Kinds())
	}
	a := &armed{Fault: f, skip: f.Skip, left: f.Times}
	if f.Times == 0 {
		a.left = 1
	} else if f.Times < 0 {
		a.left = math.MaxInt
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = append(g.faults, a)
	return nil
}

// Pending returns the number of armed faults that have not yet struck as often as they
// should. Faults that strike all requests are always among them.
func (g *Graph) Pending() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for _, a := range g.faults {
		if a.left > 0 {
			n++
		}
	}
	return n
}

// ClearFaults disarms every fault.
func (g *Graph) ClearFaults() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = nil
}

// strike returns the fault that a request meets, nil if none.
func (g *Graph) strike(c *call, inBatch bool) *Fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, a := range g.faults {
		if a.left <= 0 || !a.selects(c, inBatch) {
			continue
		}
		if a.skip > 0 {
			a.skip--
			continue
		}
		a.left--
		return &a.Fault
	}
	return nil
}

func (f *Fault) selects(c *call, inBatch bool) bool {
	if inBatch && !f.Kind.inBatch() {
		return false
	}
	if f.Method != "" && !strings.EqualFold(f.Method, c.method) {
		return false
	}
	if f.Path == "" {
		return true
	}
	pattern := strings.Split(strings.Trim(f.Path, "/"), "/")
	for i, p := range pattern {
		if p == "**" && i == len(pattern)-1 {
			return true
		}
		if i >= len(c.path) || p != "*" && !strings.EqualFold(p, c.path[i]) {
			return false
		}
	}
	return len(pattern) == len(c.path)
}

// inBatch reports whether a part of a batch can meet the fault.
func (k Kind) inBatch() bool {
	switch k {
	case Throttled, Unavailable, TokenExpired, Forbidden, Gateway, ForeignLink, UnknownEnum:
		return true
	}
	return false
}

// replaces reports whether nothing of the true answer is sent.
func (k Kind) replaces() bool {
	switch k {
	case Throttled, Unavailable, TokenExpired, Forbidden, Gateway, Reset, Huge, Bomb:
		return true
	}
	return false
}

// answer is the error that replaces the true answer.
func (f *Fault) answer(c *call) answer {
	var a answer
	switch f.Kind {
	case Throttled:
		a = refuse(http.StatusTooManyRequests, "TooManyRequests", "Too many requests. Please wait before trying again.")
	case Unavailable:
		a = refuse(http.StatusServiceUnavailable, "serviceNotAvailable", "The service is temporarily unavailable.")
	case TokenExpired:
		a = refuse(http.StatusUnauthorized, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
		a.header = http.Header{"Www-Authenticate": {`Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="invalid_token", error_description="Lifetime validation failed, the token is expired."`}}
		return a
	case Forbidden:
		return refuse(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
	case Gateway:
		return answer{status: http.StatusBadGateway, text: "<html><body><h1>502 Bad Gateway</h1></body></html>",
			header: http.Header{"Content-Type": {"text/html"}}}
	case Reset, Huge, Bomb: // send does the rest
		return answer{status: http.StatusOK}
	}
	if f.RetryAfter > 0 {
		text := strconv.FormatInt(int64((f.RetryAfter+time.Second-1)/time.Second), 10)
		if f.AsDate {
			text = c.now.Add(f.RetryAfter).Format(http.TimeFormat)
		}
		a.header = http.Header{"Retry-After": {text}}
	}
	return a
}

// change mangles the content of the true answer.
func (f *Fault) change(g *Graph, a *answer) {
	switch f.Kind {
	case ForeignLink:
		host := f.Host
		if host == "" {
			host = "graph.attacker.example"
		}
		if body, ok := a.body.(map[string]any); ok {
			body["@odata.nextLink"] = "https://" + host + "/v1.0/users?$skiptoken=c2tpcDow"
		}
	case UnknownEnum:
		if a.typ != "" {
			g.enums(a, func(e *enumType, value string) string {
				if f.Enum == "" || f.Enum == e.Name {
					return "notYetInvented"
				}
				return value
			})
		}
	}
}
