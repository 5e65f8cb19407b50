package graphtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"time"
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
	s := httptest.NewUnstartedServer(g)
	if cert, err := certificate(time.Now()); err == nil {
		s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	}
	s.StartTLS()
	if t, ok := s.Client().Transport.(*http.Transport); ok {
		t.MaxIdleConnsPerHost = idleConnections
	}
	return &Server{Graph: g, URL: s.URL, http: s}
}

// certificate makes a certificate of a server. That of httptest has an RSA key, with which
// a handshake costs ten times as much.
func certificate(now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
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
