package graphtest

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
)

// A Server is a [Graph] behind TLS on a port of this machine.
type Server struct {
	*Graph
	// URL is "https://127.0.0.1:port", without a version.
	URL  string
	http *httptest.Server
}

// idleConnections are kept by clients of a server, so that a bulk run pays for few
// TLS handshakes.
const idleConnections = 16

// Serve starts a server, which the caller closes. Only this machine can reach it.
func Serve(g *Graph) *Server {
	if g == nil {
		g = &Graph{}
	}
	s := httptest.NewTLSServer(g)
	if t, ok := s.Client().Transport.(*http.Transport); ok {
		t.MaxIdleConnsPerHost = idleConnections
	}
	return &Server{Graph: g, URL: s.URL, http: s}
}

// Client returns a client that trusts the server's certificate. It sends no
// token.
func (s *Server) Client() *http.Client { return s.http.Client() }

// Roots holds the server's certificate, for clients that are made elsewhere.
func (s *Server) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.http.Certificate())
	return pool
}

// Close waits for the running requests and stops the server.
func (s *Server) Close() { s.http.Close() }
