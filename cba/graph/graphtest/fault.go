package graphtest

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
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
	// Gateway answers 502 with a page of HTML, as something between the client and
	// Graph would.
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
	// Huge sends Fault.Size bytes of valid JSON that does not end before.
	Huge
	// Bomb sends JSON that nests a million levels deep.
	Bomb
	// ForeignLink lets @odata.nextLink point to Fault.Host.
	ForeignLink
	// UnknownEnum sends "notYetInvented" for every enum value, or for those of the
	// enum that Fault.Enum names.
	UnknownEnum
)

// String returns the name of the constant in words.
func (k Kind) String() string {
	switch k {
	case Throttled:
		return "throttled"
	case Unavailable:
		return "unavailable"
	case TokenExpired:
		return "token expired"
	case Forbidden:
		return "forbidden"
	case Gateway:
		return "gateway"
	case Reset:
		return "reset"
	case Slow:
		return "slow"
	case Half:
		return "half"
	case Cut:
		return "cut"
	case Huge:
		return "huge"
	case Bomb:
		return "bomb"
	case ForeignLink:
		return "foreign link"
	case UnknownEnum:
		return "unknown enum"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Kinds lists every kind, for tests that walk them.
func Kinds() []Kind {
	return []Kind{Throttled, Unavailable, TokenExpired, Forbidden, Gateway, Reset, Slow, Half, Cut, Huge, Bomb, ForeignLink, UnknownEnum}
}

// A Fault is bad weather for the requests that it selects. Which request meets it
// is decided by the order in which they arrive and by nothing else.
type Fault struct {
	Kind Kind // required
	// Method selects requests by method; "" is all.
	Method string
	// Path selects requests by what follows the version: "/users/*" has one segment
	// in place of each *, a ** at the end has any number, "" is all. Letter case
	// does not matter. The requests inside a batch are selected by their own paths;
	// those that break or mangle a connection have no meaning there and do not
	// select them. "/$batch" is the batch itself.
	Path string
	// Skip lets that many selected requests pass first.
	Skip int
	// Times is how many requests it strikes; 0 is one, a negative number all.
	Times int
	// Applied lets the request be carried out before the fault replaces its answer:
	// the write happened, and the client does not learn of it. A fault that sends
	// something of the true answer, such as Half, comes after the request was
	// carried out in any case.
	Applied bool
	// RetryAfter is sent with 429 and 503, in whole seconds, rounded up; 0 sends
	// none. With AsDate it is sent as the time of day, which HTTP allows as well.
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

// Inject arms a fault. Faults strike in the order in which they were armed; a
// request meets one at most. The error is for a Fault without Kind.
func (g *Graph) Inject(f Fault) error {
	if f.Kind < Throttled || f.Kind > UnknownEnum {
		return fmt.Errorf("graphtest: fault: %s is no kind of fault", f.Kind)
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

// Pending is how many armed faults have not struck as often as they were meant
// to, those that strike always included.
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
			g.enums(a, func(e *enum, value string) string {
				if f.Enum == "" || f.Enum == e.Name {
					return "notYetInvented"
				}
				return value
			})
		}
	}
}
