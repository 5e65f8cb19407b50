package lab

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log"
	"math/big"
	"net"
	"slices"
	"strings"
	"time"
)

// hosts are the names of the page. Entra asks for a certificate at
// certauth.login.microsoftonline.com, and at a name of the tenant's below it if issuer
// hints are enabled. Here the names also say which version of TLS is offered.
type hosts struct {
	login string
	// certauth has the hosts that ask for a certificate: plain, with hints, and both
	// again with TLS 1.2 alone.
	certauth [4]string
}

func hostsOf(domain string) hosts {
	login := "login." + domain
	h := hosts{login: login}
	for i, label := range [...]string{"", "hints.", "tls12.", "hints-tls12."} {
		h.certauth[i] = label + "certauth." + login
	}
	return h
}

// certificateHost is the host that asks as wanted.
func (h hosts) certificateHost(hints, tls12 bool) string {
	i := 0
	if hints {
		i++
	}
	if tls12 {
		i += 2
	}
	return h.certauth[i]
}

// asks says how a host asks for a certificate; ok is false for a host that does not.
func (h hosts) asks(name string) (hints, tls12, ok bool) {
	i := slices.Index(h.certauth[:], name)
	return i == 1 || i == 3, i >= 2, i >= 0
}

// certificates are the server's. There are two, for login. and for certauth.: with one
// for both, HTTP/2 lets a browser use the connection of login. for certauth., and then
// nobody asks for a certificate.
type certificates struct {
	ca              *x509.Certificate
	login, certauth tls.Certificate
}

// lifetime is how long the CA and its certificates are valid.
const lifetime = 24 * time.Hour

func newCertificates(domain string, h hosts, now time.Time) (*certificates, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "Sign-in lab, throw-away CA"},
		NotBefore:    now.Add(-time.Hour), NotAfter: now.Add(lifetime),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
		// Whoever trusts this CA, and whoever gets its key, has these names only.
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: []string{h.login},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	c := &certificates{}
	if c.ca, err = x509.ParseCertificate(raw); err != nil {
		return nil, err
	}
	if c.login, err = c.issue(key, 2, now, h.login); err != nil {
		return nil, err
	}
	c.certauth, err = c.issue(key, 3, now, h.certauth[:]...)
	return c, err
}

func (c *certificates) issue(key crypto.Signer, serial int64, now time.Time, names ...string) (tls.Certificate, error) {
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	raw, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		// A browser that has seen another lab would refuse the same number of another
		// certificate.
		SerialNumber: new(big.Int).Add(c.ca.SerialNumber, big.NewInt(serial)),
		Subject:      pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: c.ca.NotBefore, NotAfter: c.ca.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}, c.ca, own.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(raw)
	return tls.Certificate{Certificate: [][]byte{raw, c.ca.Raw}, PrivateKey: own, Leaf: leaf}, err
}

// tlsConfig asks for a certificate as the host's name says. Any certificate is taken,
// and none: what Entra does with it is the verdict's to say.
func (l *Lab) tlsConfig() *tls.Config {
	return &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		name := strings.ToLower(hello.ServerName)
		if name == l.hosts.login {
			return &tls.Config{Certificates: []tls.Certificate{l.certs.login}, NextProtos: []string{"h2", "http/1.1"}}, nil
		}
		hints, tls12, ok := l.hosts.asks(name)
		if !ok {
			return nil, fmt.Errorf("a client asked for %q, which is no host of this page", name)
		}
		config := &tls.Config{
			Certificates: []tls.Certificate{l.certs.certauth},
			NextProtos:   []string{"http/1.1"},
			MinVersion:   tls.VersionTLS12,
			ClientAuth:   tls.RequestClientCert,
			// Each sign-in has a handshake of its own.
			SessionTicketsDisabled: true,
		}
		if hints {
			config.ClientCAs = l.o.Tenant.Trust().Hints().Pool()
		}
		if tls12 {
			config.MaxVersion = tls.VersionTLS12
		}
		return config, nil
	}}
}

// suffix is the port as a URL has it.
func suffix(port string) string {
	if port == "" || port == "443" {
		return ""
	}
	return ":" + port
}

func splitPort(host string) (name, port string) {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		return host, ""
	}
	return name, port
}

// troubleLog hands what an HTTP server logs to a function.
func troubleLog(say func(string)) *log.Logger { return log.New(trouble{say}, "", 0) }

type trouble struct{ say func(string) }

func (t trouble) Write(line []byte) (int, error) {
	// A browser that goes away to ask the person closes the connection in the handshake.
	if text := strings.TrimSpace(string(line)); t.say != nil && !strings.HasSuffix(text, ": EOF") {
		t.say(text)
	}
	return len(line), nil
}
