package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
	"example.com/entracba/examples/internal/lab"
)

// A demonstration has a tenant and certificates of its own.
type demonstration struct {
	config signin.Config
	users  []signin.Case
	tries  []try
}

// A try is one sign-in of the demonstration.
type try struct {
	user    string
	present *tls.Certificate // nil for none
	hints   string
	tls     uint16
}

func newDemonstration(ctx context.Context) (*demonstration, error) {
	name, err := dn.Parse("CN=Contoso Root CA")
	if err != nil {
		return nil, err
	}
	// The CA's clock is slow, so that a certificate for an hour has expired.
	slow := func() time.Time { return time.Now().Add(-2 * time.Hour) }
	ca, err := cba.NewRoot(ctx, cba.Authority{Name: name, KeyType: cba.P256, Now: slow})
	if err != nil {
		return nil, err
	}
	pki, err := trust.NewPKI("Contoso PKI", ca.CACertificates())
	if err != nil {
		return nil, err
	}
	d := &demonstration{config: signin.Config{Policy: policy.ServiceDefault(), Trust: trust.Config{PKIs: trust.PKIs{pki}}}}
	d.config.Policy.State = policy.Enabled
	d.config.Policy.IssuerHints.State = policy.Enabled
	certificates := map[string]*tls.Certificate{}
	for _, upn := range []string{"jane@contoso.com", "john@contoso.com"} {
		c, err := issue(ctx, ca, upn, cba.Profile{})
		if err != nil {
			return nil, err
		}
		certificates[upn] = c
		d.users = append(d.users, signin.Case{User: &policy.User{UserPrincipalName: upn}, Certificates: []*x509.Certificate{c.Leaf}})
	}
	expired, err := issue(ctx, ca, "jane@contoso.com", cba.Profile{Validity: time.Hour})
	if err != nil {
		return nil, err
	}
	jane, john := certificates["jane@contoso.com"], certificates["john@contoso.com"]
	d.tries = []try{
		{"jane@contoso.com", jane, "on", tls.VersionTLS13},
		{"jane@contoso.com", jane, "off", tls.VersionTLS12},
		{"jane@contoso.com", john, "on", tls.VersionTLS13},
		{"jane@contoso.com", expired, "off", tls.VersionTLS13},
		{"jane@contoso.com", nil, "on", tls.VersionTLS13},
	}
	return d, nil
}

func issue(ctx context.Context, ca *cba.Issuer, upn string, p cba.Profile) (*tls.Certificate, error) {
	key, err := cba.P256.Generate()
	if err != nil {
		return nil, err
	}
	cert, err := ca.Issue(ctx, key.Public(), cba.Subject{UPN: upn}, p)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}, nil
}

// signIn signs in over the network as a browser does: the form first, then the host
// that asks for a certificate, to which the page sends it.
func (d *demonstration) signIn(ctx context.Context, page *lab.Lab, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(page.CA())
	for _, t := range d.tries {
		config := &tls.Config{RootCAs: trusted, MaxVersion: t.tls, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if t.present == nil {
				return &tls.Certificate{}, nil
			}
			return t.present, nil
		}}
		transport := &http.Transport{TLSClientConfig: config, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		}}
		client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, page.URL(port)+"signin?user="+t.user+"&hints="+t.hints, nil)
		if err != nil {
			return err
		}
		answer, err := client.Do(request)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		transport.CloseIdleConnections()
		if err != nil {
			return err
		}
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("the page answered %s", answer.Status)
		}
	}
	return nil
}
