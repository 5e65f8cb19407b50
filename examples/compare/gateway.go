package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/cba/trust"
)

// gatewayUsers keep a connection each, and send gatewayRequests together in a second.
const gatewayUsers, gatewayRequests = 50, 2000

// gateways is a server that asks for client certificates and decides each request,
// beside the same server that answers at once. In the middle of its second the tenant
// is compiled again, so that nothing is known of any certificate.
func gateways(string) (row, error) {
	ca, err := authority()
	if err != nil {
		return row{}, err
	}
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(24 * time.Hour)}, ca.Certificate, ca.Key)
	if err != nil {
		return row{}, err
	}
	const listURL = "http://crl.contoso.com/ca.crl"
	pki, err := trust.NewPKI("Contoso", ca.CACertificates())
	if err != nil {
		return row{}, err
	}
	pki.CertificateAuthorities[0].CertificateRevocationListURL = listURL
	config := signin.Config{Policy: policy.ServiceDefault(), Trust: trust.Config{PKIs: trust.PKIs{pki}}}
	config.Policy.State = policy.Enabled
	source := crl.Static(map[string][]byte{listURL: list})
	var tenant atomic.Pointer[signin.Tenant]
	reload := func() error {
		t, err := config.Compile(signin.Options{CRLs: source})
		if err == nil {
			tenant.Store(t)
		}
		return err
	}
	if err := reload(); err != nil {
		return row{}, err
	}
	users := map[string]*policy.User{}
	var certs []tls.Certificate
	for n := range gatewayUsers {
		name := fmt.Sprintf("user%d@contoso.com", n)
		key, err := cba.P256.Generate()
		if err != nil {
			return row{}, err
		}
		cert, err := ca.Issue(context.Background(), key.Public(), cba.Subject{UPN: name}, cba.Profile{})
		if err != nil {
			return row{}, err
		}
		users["/"+name] = &policy.User{ID: name, UserPrincipalName: name, MemberOf: []policy.DirectoryObject{}}
		certs = append(certs, tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key})
	}
	decide := func(w http.ResponseWriter, r *http.Request) {
		answer, err := tenant.Load().Decide(r.Context(), signin.Request{User: users[r.URL.Path], Certificate: r.TLS.PeerCertificates[0], At: time.Now()})
		if err != nil || !answer.SignedIn {
			http.Error(w, fmt.Sprint(answer.Code, err), http.StatusForbidden)
		}
	}
	serve := func(name string, handler http.HandlerFunc, meanwhile func() error) side {
		server := httptest.NewUnstartedServer(handler)
		server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
		server.StartTLS()
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		var clients []*http.Client
		for i := range certs {
			clients = append(clients, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: certs[i : i+1]}}})
		}
		return side{name: name, times: gatewayRequests, run: func() error {
			errs := make([]error, gatewayUsers+1)
			began := time.Now()
			// pace waits for the time of the nth request of the second.
			pace := func(n int) { time.Sleep(time.Until(began.Add(time.Duration(n) * time.Second / gatewayRequests))) }
			var running sync.WaitGroup
			for n, client := range clients {
				running.Go(func() {
					address := fmt.Sprintf("%s/user%d@contoso.com", server.URL, n)
					for i := range gatewayRequests / gatewayUsers {
						if pace(i*gatewayUsers + n); errs[n] == nil {
							errs[n] = ask(client, address)
						}
					}
				})
			}
			pace(gatewayRequests / 2)
			errs[gatewayUsers] = meanwhile()
			running.Wait()
			return errors.Join(errs...)
		}}
	}
	return row{about: fmt.Sprintf("one request over mutual TLS on loopback, client and server together: %d users with open connections send %d requests a second, and in its middle the tenant is reloaded",
		gatewayUsers, gatewayRequests), sides: []side{
		serve("a server that asks signin.Decide, reloaded meanwhile", decide, reload),
		serve("floor: the same server without deciding", func(http.ResponseWriter, *http.Request) {}, func() error { return nil }),
	}}, nil
}

func ask(client *http.Client, address string) error {
	answer, err := client.Get(address)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, text)
	}
	return err
}

// changes is what a change of a tenant means for a list of users with their
// certificates, beside the signatures of these certificates alone.
func changes(string) (row, error) {
	ca, err := authority()
	if err != nil {
		return row{}, err
	}
	pki, err := trust.NewPKI("Contoso", ca.CACertificates())
	if err != nil {
		return row{}, err
	}
	before := signin.Config{Policy: policy.ServiceDefault(), Trust: trust.Config{PKIs: trust.PKIs{pki}}}
	before.Policy.State = policy.Enabled
	after := before.Clone()
	after.Policy.AuthenticationMode.Default = policy.MultiFactor
	var tenants [2]*signin.Tenant
	for i, c := range []signin.Config{before, after} {
		if tenants[i], err = c.Compile(signin.Options{SkipRevocation: true}); err != nil {
			return row{}, err
		}
	}
	const people = 2000
	key, err := cba.P256.Generate()
	if err != nil {
		return row{}, err
	}
	var list bytes.Buffer
	// Of the certificates the floor has what it verifies and nothing else, which our side
	// would have to pass over when it collects its garbage.
	var signed, signatures [people][]byte
	for n := range people {
		name := fmt.Sprintf("user%d@contoso.com", n)
		cert, err := ca.Issue(context.Background(), key.Public(), cba.Subject{UPN: name}, cba.Profile{})
		if err != nil {
			return row{}, err
		}
		signed[n], signatures[n] = bytes.Clone(cert.RawTBSCertificate), bytes.Clone(cert.Signature)
		line, err := json.Marshal(map[string]any{
			"id": name, "userPrincipalName": name, "displayName": name, "accountEnabled": true, "userType": "Member", "onPremisesUserPrincipalName": nil,
			"authorizationInfo": map[string]any{"certificateUserIds": []string{"X509:<PN>" + name}}, "memberOf": []any{},
			"certificates": []string{base64.StdEncoding.EncodeToString(cert.Raw)},
		})
		if err != nil {
			return row{}, err
		}
		list.Write(append(line, '\n'))
	}
	public := ca.Certificate.PublicKey.(*ecdsa.PublicKey)
	return row{about: fmt.Sprintf("one user of a list of %d JSON lines with certificates, under the tenant before and after a change, beside the one signature in it", people), sides: []side{
		{name: "snapshot.ReadCases and signin.Compare", times: people, run: func() error {
			n := 0
			for change, err := range signin.Compare(context.Background(), tenants[0], tenants[1], snapshot.ReadCases(bytes.NewReader(list.Bytes())), signin.CompareOptions{At: time.Now()}) {
				if err != nil {
					return err
				}
				if change.Difference != signin.Stronger {
					return fmt.Errorf("%+v", change)
				}
				n++
			}
			if n != people {
				return fmt.Errorf("%d users", n)
			}
			return nil
		}},
		{name: "floor: ecdsa.VerifyASN1", times: people, run: func() error {
			for n := range people {
				digest := sha256.Sum256(signed[n])
				if !ecdsa.VerifyASN1(public, digest[:], signatures[n]) {
					return errors.New("not verified")
				}
			}
			return nil
		}},
	}}, nil
}
