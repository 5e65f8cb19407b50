// Package tenanttest runs a built example against an in-memory Microsoft Graph
// that the test holds, over TLS and with -endpoint, as against any other.
package tenanttest

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/examples/internal/programtest"
	"example.com/entracba/examples/internal/tenant"
)

// A Server is a Graph, and how programs get to it.
type Server struct {
	*graphtest.Server
	ca string // file with the server's certificate
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
	s := &Server{Server: graphtest.Serve(g), ca: filepath.Join(t.TempDir(), "ca.pem")}
	t.Cleanup(s.Close)
	answer, err := s.Client().Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	s.ForgetRequests()
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: answer.TLS.PeerCertificates[0].Raw})
	if err := os.WriteFile(s.ca, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// Inject arms faults.
func (s *Server) Inject(t *testing.T, faults ...graphtest.Fault) {
	t.Helper()
	for _, f := range faults {
		if err := s.Server.Inject(f); err != nil {
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
