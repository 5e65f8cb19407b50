package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/publish"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/trust"
)

// A service issues for the users whose tokens it knows.
type service struct {
	issuer  *cba.Issuer
	revoker *publish.Issuer
	profile cba.Profile
	users   map[string]string        // UPNs by token
	crl     atomic.Pointer[crl.List] // the one that is published
}

func newService(issuer *cba.Issuer, store publish.Store, url string, users map[string]string) *service {
	return &service{issuer: issuer, users: users, profile: cba.Profile{CRLURLs: []string{url}},
		revoker: &publish.Issuer{Certificate: issuer.Certificate, Key: issuer.Key, Store: store}}
}

// An enrolment is what a user gets.
type enrolment struct {
	Certificate        string          `json:"certificate"` // PEM: the user's, then the CAs
	P7B                []byte          `json:"p7b"`         // the same as PKCS #7
	CertificateUserIDs []certuserid.ID `json:"certificateUserIds"`
	Request            lint.Findings   `json:"request"` // what the request asked for and did not get
}

var errNotYours = errors.New("this service has not issued this certificate to you")

func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /enroll", s.forUser(s.enroll))
	mux.HandleFunc("POST /revoke", s.forUser(s.revoke))
	mux.HandleFunc("GET /ca.crl", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/pkix-crl")
		w.Write(s.crl.Load().Raw)
	})
	return mux
}

// forUser finds out who asks, reads the body, and answers in JSON.
func (s *service) forUser(do func(ctx context.Context, user cba.Subject, body []byte) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		upn, known := s.users[token]
		if !known {
			http.Error(w, "send the token that you were given", http.StatusUnauthorized)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
		if err != nil {
			http.Error(w, "send at most 64 KiB", http.StatusRequestEntityTooLarge)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second) // for a key that hangs
		defer cancel()
		answer, err := do(ctx, cba.Subject{UPN: upn}, body)
		if err != nil {
			http.Error(w, err.Error(), status(err))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(answer)
	}
}

// status says whose fault an error is.
func status(err error) int {
	var bad *cba.Error
	switch {
	case errors.Is(err, errNotYours):
		return http.StatusForbidden
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, cba.SignerFailed):
		return http.StatusServiceUnavailable
	case errors.As(err, &bad) && bad.Reason != cba.NotValidNow:
		return http.StatusUnprocessableEntity
	}
	return http.StatusInternalServerError
}

// enroll issues for the key of a request. The name is the user's, whatever the
// request says.
func (s *service) enroll(ctx context.Context, user cba.Subject, body []byte) (any, error) {
	request, err := cba.ParseRequest(body)
	if err != nil {
		return nil, err
	}
	cert, err := s.issuer.IssueRequest(ctx, request, user, s.profile)
	if err != nil {
		return nil, err
	}
	chain := append([]*x509.Certificate{cert}, s.issuer.CACertificates()...)
	bundle, err := trust.EncodeBundle(chain)
	return enrolment{string(cba.EncodeCertificates(chain...)), bundle, certuserid.All(cert), request.Compare(user)}, err
}

// revoke takes back a certificate of the user's own, and publishes a CRL that has it.
func (s *service) revoke(ctx context.Context, user cba.Subject, body []byte) (any, error) {
	certs, err := cba.ParseCertificates(body)
	if err != nil {
		return nil, err
	}
	owner, err := cba.SubjectOf(certs[0])
	if err != nil || owner.UPN != user.UPN || certs[0].CheckSignatureFrom(s.issuer.Certificate) != nil {
		return nil, errNotYours
	}
	err = s.revoker.Revoke(ctx, crl.Revocation{Serial: certs[0].SerialNumber, Reason: crl.Superseded, Expires: certs[0].NotAfter})
	if err != nil {
		return nil, err
	}
	return map[string]string{"revoked": certs[0].SerialNumber.Text(16)}, s.publish(ctx)
}

func (s *service) publish(ctx context.Context) error {
	_, err := s.revoker.Base(ctx, publish.Options{Publish: func(_ context.Context, list *crl.List) error { s.crl.Store(list); return nil }})
	return err
}

// republish makes the next CRL in time, until ctx ends; if that fails, again in a minute.
func (s *service) republish(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(time.Until(s.crl.Load().NextPublish), time.Minute)):
			s.publish(ctx)
		}
	}
}
