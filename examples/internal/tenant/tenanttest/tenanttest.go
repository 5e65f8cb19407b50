// Package tenanttest runs a built example against an in-memory Microsoft Graph
// that the test holds, over TLS and with -endpoint, as against any other.
package tenanttest

import (
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/examples/internal/programtest"
	"example.com/entracba/examples/internal/tenant"
)

// A Server is a Graph, and how programs get to it.
type Server struct {
	*graphtest.Graph
	// URL is "https://127.0.0.1:port", without a version.
	URL  string
	http *httptest.Server
	ca   string // file with the server's certificate

	mu   sync.Mutex
	held *Held
}

// Held are requests that a server keeps back.
type Held struct {
	Arrived <-chan struct{} // closed when the first is there

	answers       bool // are kept, not the requests
	match         func(*http.Request) bool
	arrived       func()
	pass, dropped chan struct{}
	once          sync.Once
}

// Hold keeps back the requests that match selects, before the tenant sees them, until
// Release or Drop is called or the test ends. match is called for one request at a time.
// A server holds for one Held at a time.
func (s *Server) Hold(t *testing.T, match func(*http.Request) bool) *Held {
	return s.hold(t, match, false)
}

// HoldAnswers keeps back the answers to these requests: the tenant has carried them out.
func (s *Server) HoldAnswers(t *testing.T, match func(*http.Request) bool) *Held {
	return s.hold(t, match, true)
}

func (s *Server) hold(t *testing.T, match func(*http.Request) bool, answers bool) *Held {
	arrived := make(chan struct{})
	h := &Held{Arrived: arrived, answers: answers, match: match, arrived: sync.OnceFunc(func() { close(arrived) }), pass: make(chan struct{}), dropped: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = h
	t.Cleanup(h.Drop)
	return h
}

// Release lets the requests go on, or their answers, and holds no others.
func (h *Held) Release() { h.once.Do(func() { close(h.pass) }) }

// Drop ends the requests without an answer, as those of a client that was killed. It holds
// no others.
func (h *Held) Drop() { h.once.Do(func() { close(h.dropped) }) }

// keep waits for Release, and reports whether the request may go on.
func (h *Held) keep(r *http.Request) bool {
	h.arrived()
	select {
	case <-h.pass:
		return true
	case <-h.dropped:
	case <-r.Context().Done():
	}
	return false
}

// selects reports whether a request is one to keep back.
func (h *Held) selects(r *http.Request) bool {
	select {
	case <-h.pass:
		return false
	case <-h.dropped:
		return false
	default:
		return h.match(r)
	}
}

// Client returns a client that trusts the server's certificate. It sends no token.
func (s *Server) Client() *http.Client { return s.http.Client() }

// ServeHTTP is part of [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	h := s.held
	keep := h != nil && h.selects(r)
	s.mu.Unlock()
	switch {
	case keep && h.answers:
		answer := httptest.NewRecorder()
		s.Graph.ServeHTTP(answer, r)
		if !h.keep(r) {
			panic(http.ErrAbortHandler)
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		w.Write(answer.Body.Bytes())
	case keep && !h.keep(r):
		panic(http.ErrAbortHandler)
	default:
		s.Graph.ServeHTTP(w, r)
	}
}

// Serve starts a Graph for a test.
func Serve(t *testing.T, in graphtest.Tenant, o graphtest.Options) *Server {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("programs are told of the server's certificate by SSL_CERT_FILE, which Go reads on Linux only")
	}
	g, err := graphtest.New(in, o)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Graph: g, ca: filepath.Join(t.TempDir(), "ca.pem")}
	s.http = httptest.NewTLSServer(s)
	t.Cleanup(s.http.Close)
	s.URL = s.http.URL
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.http.Certificate().Raw})
	if err := os.WriteFile(s.ca, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// Inject arms faults.
func (s *Server) Inject(t *testing.T, faults ...graphtest.Fault) {
	t.Helper()
	for _, f := range faults {
		if err := s.Graph.Inject(f); err != nil {
			t.Fatal(err)
		}
	}
}

// Writes are the requests since the last call that change something, those inside
// of batches taken out.
func (s *Server) Writes() []graphtest.Request {
	var writes []graphtest.Request
	for _, r := range s.Requests() {
		parts := []graphtest.Request{r}
		if r.Parts != nil {
			parts = r.Parts
		}
		for _, p := range parts {
			if p.Method != "GET" {
				writes = append(writes, p)
			}
		}
	}
	s.ForgetRequests()
	return writes
}

// Environ is the environment for a program that a test starts itself.
func Environ(s *Server, token string) []string {
	programtest.LookAtSources()
	env := append(os.Environ(), tenant.TokenVariable+"="+token)
	if s != nil {
		env = append(env, "SSL_CERT_FILE="+s.ca, "XDG_CONFIG_HOME="+filepath.Dir(s.ca)) // and no notes of this machine
	}
	return env
}

// Run runs a program in a folder, without any tenant unless s is one.
func Run(t *testing.T, s *Server, program, folder string, args ...string) programtest.Result {
	t.Helper()
	token := ""
	if s != nil {
		args = append([]string{"-endpoint", s.URL + "/v1.0"}, args...)
		token = graphtest.Token
	}
	return RunToken(t, s, token, program, folder, args...)
}

// RunToken is Run with this access token and no argument but those given.
func RunToken(t *testing.T, s *Server, token, program, folder string, args ...string) programtest.Result {
	t.Helper()
	return programtest.Run(t, program, folder, Environ(s, token), args...)
}
