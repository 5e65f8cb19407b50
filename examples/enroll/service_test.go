package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/publish"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/trust"
)

// A remote is a key behind a crypto.Signer, as that of an HSM: nothing more can
// be done with it than to sign. While hold is set it hangs.
type remote struct {
	key  crypto.Signer
	mu   sync.Mutex
	hold chan struct{}
}

func (r *remote) Public() crypto.PublicKey { return r.key.Public() }

func (r *remote) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	r.mu.Lock()
	hold := r.hold
	r.mu.Unlock()
	if hold != nil {
		<-hold
	}
	return r.key.Sign(rand, digest, opts)
}

func (r *remote) hang(hold chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hold = hold
}

// started returns a service with an intermediate CA, for jane and john.
func started(t *testing.T) (*service, *remote) {
	t.Helper()
	key, err := cba.P256.Generate()
	if err != nil {
		t.Fatal(err)
	}
	root, err := cba.NewRoot(t.Context(), cba.Authority{Name: dn.Name{{{Type: dn.CommonName, Value: "Root"}}}, KeyType: cba.P256})
	if err != nil {
		t.Fatal(err)
	}
	signer := &remote{key: key}
	issuing, err := root.NewIntermediate(t.Context(), cba.Authority{Name: dn.Name{{{Type: dn.CommonName, Value: "CA"}}}, Key: signer})
	if err != nil {
		t.Fatal(err)
	}
	s := newService(issuing, publish.FileStore{Path: filepath.Join(t.TempDir(), "revocations")}, "http://127.0.0.1/ca.crl",
		map[string]string{"jane's": "jane@contoso.com", "john's": "john@contoso.com"})
	if err := s.publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, signer
}

// ask sends a body with a token and returns the status and the answer.
func ask(ctx context.Context, s *service, method, path, token string, body []byte) (int, []byte) {
	r := httptest.NewRequestWithContext(ctx, method, path, bytes.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	s.handler().ServeHTTP(w, r)
	return w.Code, w.Body.Bytes()
}

// csr is a request of a new key that asks for this UPN.
func csr(t *testing.T, upn string) (*cba.Request, crypto.Signer) {
	t.Helper()
	key, err := cba.P256.Generate()
	if err != nil {
		t.Fatal(err)
	}
	request, err := cba.NewRequest(t.Context(), key, cba.Subject{UPN: upn})
	if err != nil {
		t.Fatal(err)
	}
	return request, key
}

// enrolled enrols the owner of a token.
func enrolled(t *testing.T, s *service, token string) (enrolment, []*x509.Certificate) {
	t.Helper()
	request, _ := csr(t, "admin@contoso.com")
	status, answer := ask(t.Context(), s, "POST", "/enroll", token, request.PEM())
	if status != http.StatusOK {
		t.Fatalf("%d: %s", status, answer)
	}
	var got enrolment
	if err := json.Unmarshal(answer, &got); err != nil {
		t.Fatal(err)
	}
	certs, err := cba.ParseCertificates([]byte(got.Certificate))
	if err != nil {
		t.Fatal(err)
	}
	return got, certs
}

// The certificate has the request's key and the user's name, crypto/x509 verifies
// it with the chain beside it, and the p7b has the same.
func TestEnroll(t *testing.T) {
	s, _ := started(t)
	got, certs := enrolled(t, s, "jane's")
	if len(certs) != 3 {
		t.Fatalf("%d certificates", len(certs))
	}
	subject, err := cba.SubjectOf(certs[0])
	if err != nil || subject.UPN != "jane@contoso.com" {
		t.Errorf("for %v, %v", subject, err)
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(certs[2])
	between.AddCert(certs[1])
	if _, err := certs[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
	bundle, err := trust.ReadCertificates(got.P7B)
	if err != nil || len(bundle) != 3 || !slices.ContainsFunc(bundle, certs[0].Equal) {
		t.Errorf("p7b of %d certificates, %v", len(bundle), err)
	}
	if len(got.CertificateUserIDs) == 0 || got.CertificateUserIDs[0].String() != "X509:<PN>jane@contoso.com" {
		t.Errorf("ids %v", got.CertificateUserIDs)
	}
	if !got.Request.Has("request-upn") {
		t.Errorf("nothing says that the request asked for another account: %v", got.Request)
	}
}

func TestRefused(t *testing.T) {
	s, _ := started(t)
	request, _ := csr(t, "jane@contoso.com")
	broken := bytes.Replace(request.DER, []byte("jane@contoso.com"), []byte("jack@contoso.com"), 1)
	_, johns := enrolled(t, s, "john's")
	other, _ := started(t)
	_, foreign := enrolled(t, other, "jane's")
	for name, test := range map[string]struct {
		path, token string
		body        []byte
		want        int
	}{
		"no token":                       {"/enroll", "", request.PEM(), http.StatusUnauthorized},
		"another token":                  {"/enroll", "jane", request.PEM(), http.StatusUnauthorized},
		"no request":                     {"/enroll", "jane's", nil, http.StatusUnprocessableEntity},
		"a signature of another request": {"/enroll", "jane's", broken, http.StatusUnprocessableEntity},
		"too much":                       {"/enroll", "jane's", make([]byte, 65<<10), http.StatusRequestEntityTooLarge},
		"somebody else's certificate":    {"/revoke", "jane's", cba.EncodeCertificates(johns[0]), http.StatusForbidden},
		"a certificate of another CA":    {"/revoke", "jane's", cba.EncodeCertificates(foreign[0]), http.StatusForbidden},
		"the CA's certificate":           {"/revoke", "jane's", cba.EncodeCertificates(johns[1]), http.StatusForbidden},
		"no certificate":                 {"/revoke", "jane's", request.PEM(), http.StatusUnprocessableEntity},
	} {
		if status, answer := ask(t.Context(), s, "POST", test.path, test.token, test.body); status != test.want {
			t.Errorf("%s: %d: %s", name, status, answer)
		}
	}
	if n := s.crl.Load().Len(); n != 0 {
		t.Errorf("%d certificates are revoked", n)
	}
}

// What is revoked is in the CRL as soon as the answer is there.
func TestRevoke(t *testing.T) {
	s, _ := started(t)
	_, certs := enrolled(t, s, "jane's")
	for range 2 { // again changes nothing
		if status, answer := ask(t.Context(), s, "POST", "/revoke", "jane's", cba.EncodeCertificates(certs[0])); status != http.StatusOK {
			t.Fatalf("%d: %s", status, answer)
		}
	}
	_, content := ask(t.Context(), s, "GET", "/ca.crl", "", nil)
	list, err := crl.Parse(content)
	if err != nil {
		t.Fatal(err)
	}
	if err := list.Check(certs[1], time.Now()); err != nil {
		t.Error(err)
	}
	if _, revoked := list.Lookup(certs[0].SerialNumber); !revoked || list.Len() != 1 {
		t.Errorf("%d entries", list.Len())
	}
}

// A key that hangs holds nobody who has gone away, and nothing stays locked.
func TestHungKey(t *testing.T) {
	s, signer := started(t)
	_, certs := enrolled(t, s, "jane's")
	request, _ := csr(t, "jane@contoso.com")
	hold := make(chan struct{})
	signer.hang(hold)
	for path, body := range map[string][]byte{"/enroll": request.PEM(), "/revoke": cba.EncodeCertificates(certs[0])} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		began := time.Now()
		status, answer := ask(ctx, s, "POST", path, "jane's", body)
		cancel()
		if status != http.StatusServiceUnavailable || time.Since(began) > 10*time.Second {
			t.Errorf("%s: %d after %v: %s", path, status, time.Since(began), answer)
		}
	}
	signer.hang(nil)
	close(hold)
	if status, answer := ask(t.Context(), s, "POST", "/enroll", "jane's", request.PEM()); status != http.StatusOK {
		t.Errorf("%d: %s", status, answer)
	}
	// The revocation was recorded: the next CRL has it.
	if err := s.publish(t.Context()); err != nil || s.crl.Load().Len() != 1 {
		t.Errorf("%d entries, %v", s.crl.Load().Len(), err)
	}
}

// Many users at once: every one gets a certificate of their own, every revocation
// is in the CRL.
func TestTogether(t *testing.T) {
	s, _ := started(t)
	var mu sync.Mutex
	serials := map[string]bool{}
	var wg sync.WaitGroup
	for i := range 12 {
		token := []string{"jane's", "john's"}[i%2]
		wg.Go(func() {
			_, certs := enrolled(t, s, token)
			mu.Lock()
			serials[certs[0].SerialNumber.String()] = true
			mu.Unlock()
			if status, answer := ask(t.Context(), s, "POST", "/revoke", token, cba.EncodeCertificates(certs[0])); status != http.StatusOK {
				t.Errorf("%d: %s", status, answer)
			}
		})
	}
	wg.Wait()
	if len(serials) != 12 {
		t.Errorf("%d serial numbers", len(serials))
	}
	if err := s.publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := s.crl.Load().Len(); n != 12 {
		t.Errorf("%d entries in the CRL", n)
	}
}

// The program plays its demonstration, of which nothing is left and which touches no
// service's folder, and refuses what is not safe.
func TestRun(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	for range 2 {
		if err := run(nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := run([]string{"-out", filepath.Join(folder, "out")}); err == nil || !strings.Contains(err.Error(), "-users") {
		t.Errorf("%v", err)
	}
	if left, _ := os.ReadDir(folder); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	list := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(list, []byte("upn,password\njane@contoso.com,secret-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"-listen", "0.0.0.0:0", "-users", list}, {"-users", "nosuch"}, {"-nosuch"}, {"more"},
	} {
		if err := run(append([]string{"-out", filepath.Join(folder, "other")}, args...)); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}

// Users are read as in every other program, and no line is guessed.
func TestReadTokens(t *testing.T) {
	for text, want := range map[string]string{
		"upn,password\njane@contoso.com,0123456789ab\njohn@contoso.com,secret secret\n": "",
		"User Principal Name;Password\r\njane@contoso.com;0123456789ab\r\n":             "",
		`[{"userPrincipalName":"jane@contoso.com","password":"0123456789ab"}]`:          "",
		"":                                "the file is empty",
		"upn,password\n":                  "no user below the header row",
		"jane@contoso.com 0123456789ab\n": "this is no header row",
		"upn\njane@contoso.com\n":         "jane@contoso.com has no token",
		"upn,password\njane@contoso.com,secret\n":                    "fewer than 12 characters",
		"upn,password\ncontoso,secret-secret\n":                      "line 2",
		"upn,password\na@b.de,secret-secret\nc@b.de,secret-secret\n": "a@b.de and c@b.de have the same token",
	} {
		file := filepath.Join(t.TempDir(), "users")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		tokens, err := readTokens(file)
		if want == "" && (err != nil || tokens["0123456789ab"] != "jane@contoso.com") || want != "" && (err == nil || !strings.Contains(err.Error(), want)) ||
			strings.Contains(fmt.Sprint(err), "secret-secret") || strings.Contains(fmt.Sprint(err), "0123456789ab") {
			t.Errorf("%q: %v, %v", text, tokens, err)
		}
	}
	if tokens, err := readTokens("nosuch"); err == nil || tokens != nil {
		t.Errorf("%v, %v", tokens, err)
	}
}
