// Package lab is a sign-in page on this machine that treats a browser as Microsoft
// Entra does: the page of login. asks for the user's name, the host certauth. asks for a
// certificate in the TLS handshake, and the answer is the verdict of package signin
// about the certificate that the browser presented.
//
// It shows what no calculation can: which certificate a browser offers, whether it
// offers one at all, and what a person sees. It listens on loopback only. Its server
// certificates come from a CA that exists in memory, for its own host names, for a
// day.
package lab

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/report"
	"example.com/entracba/cba/signin"
)

// Options say whose sign-in page it is. Tenant and Users are required.
type Options struct {
	// Domain is where the hosts are: login.DOMAIN, certauth.login.DOMAIN. Empty is
	// localhost, whose names browsers find without DNS.
	Domain string
	Config signin.Config
	Tenant *signin.Tenant // Config, compiled
	// Users are the accounts, each with the certificates that are known.
	Users []signin.Case
	// Require is what a sign-in must satisfy unless the form says otherwise.
	Require signin.Requirement
	// Seen is called with each sign-in, after its page was made. It may be nil.
	Seen func(Attempt)
	// Trouble is called with each handshake that failed, and what for. It may be nil.
	Trouble func(what string)
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// An Attempt is one sign-in: what was asked for, what the browser presented, and the
// page with the verdict.
type Attempt struct {
	User *policy.User
	// TLS is "TLS 1.2" or "TLS 1.3".
	TLS string
	// Hints are the names of CAs that were sent; empty if none were.
	Hints []string
	// Certificate is the one that was presented, or nil.
	Certificate *x509.Certificate
	Verdict     signin.Verdict
	Report      report.Report
}

// A Lab is a sign-in page. [New] makes one.
type Lab struct {
	o     Options
	hosts hosts
	certs *certificates
}

// New prepares a sign-in page.
func New(o Options) (*Lab, error) {
	if o.Tenant == nil || len(o.Users) == 0 {
		return nil, errors.New("the sign-in page needs a tenant and at least one user")
	}
	if o.Domain == "" {
		o.Domain = "localhost"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	l := &Lab{o: o, hosts: hostsOf(o.Domain)}
	var err error
	if l.certs, err = newCertificates(o.Domain, l.hosts, o.Now()); err != nil {
		return nil, err
	}
	return l, nil
}

// CA is the certificate of the CA that signed the server's certificates. A browser or
// curl that is to trust the page needs it. It can sign for the page's domain only.
func (l *Lab) CA() *x509.Certificate { return l.certs.ca }

// URL is the page for people.
func (l *Lab) URL(port string) string { return "https://" + l.hosts.login + suffix(port) + "/" }

// CertificateURL is the address that asks for a certificate and answers with the
// verdict, for programs such as curl; with "Accept: application/json", as JSON.
func (l *Lab) CertificateURL(port, user string) string {
	return address(l.hosts.certauth[0], port, form{User: user})
}

// Serve answers on a listener until the context ends. A listener that other machines
// reach is refused.
func (l *Lab) Serve(ctx context.Context, listener net.Listener) error {
	if a, ok := listener.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		listener.Close()
		return errors.New("the sign-in page is for this machine only: listen on a loopback address, such as 127.0.0.1:8443")
	}
	server := &http.Server{
		Handler:           l,
		TLSConfig:         l.tlsConfig(),
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          troubleLog(l.o.Trouble),
	}
	stopped := context.AfterFunc(ctx, func() {
		// An answer that is under way is finished, within a second.
		wait, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(wait) != nil {
			server.Close()
		}
	})
	defer stopped()
	if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// user finds an account by the name that was typed.
func (l *Lab) user(name string) (signin.Case, bool) {
	i := slices.IndexFunc(l.o.Users, func(c signin.Case) bool { return strings.EqualFold(c.User.UserPrincipalName, strings.TrimSpace(name)) })
	if i < 0 {
		return signin.Case{}, false
	}
	return l.o.Users[i], true
}
