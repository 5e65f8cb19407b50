package signin_test

import (
	"context"
	"crypto/x509"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
)

func bobOf(values ...string) *policy.User {
	user := &policy.User{UserPrincipalName: "bob@woodgrove.com"}
	user.AuthorizationInfo.CertificateUserIDs = values
	return user
}

// The best of several certificates explains a user, and is named.
func TestExplainUser(t *testing.T) {
	w := theWorld(t)
	s := scenario{rules: "1.2.3.4 = MF"}
	config := s.tenant(w)
	tenant, err := config.Compile(signin.Options{SkipRevocation: true, Now: func() time.Time { return worldNow }})
	if err != nil {
		t.Fatal(err)
	}
	single, multi, nobody, unknown := w.certs["bob"], w.certs["bob-1234"], w.certs["no-san"], w.certs["self-signed"]
	for _, test := range []struct {
		name     string
		certs    []*x509.Certificate
		best     int
		signedIn bool
	}{
		{"one", []*x509.Certificate{single}, 0, true},
		{"multifactor is better", []*x509.Certificate{single, multi}, 1, true},
		{"in any order", []*x509.Certificate{multi, single}, 0, true},
		{"the first of equals", []*x509.Certificate{single, single}, 0, true},
		{"signed in is better than refused", []*x509.Certificate{unknown, nobody, single}, 2, true},
		{"fewer failures are better", []*x509.Certificate{unknown, nobody}, 1, false},
		{"fewer failures are better, in any order", []*x509.Certificate{nobody, unknown}, 0, false},
		{"the first of equal refusals", []*x509.Certificate{nobody, nobody}, 0, false},
	} {
		v, err := tenant.ExplainUser(t.Context(), bobOf(), test.certs...)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		best := test.certs[test.best]
		if v.SignedIn != test.signedIn || v.Certificate.Index != test.best || v.Certificate.Thumbprint != sha1Hex(best.Raw) ||
			v.Certificate.SerialNumber != best.SerialNumber.Text(16) || v.Certificate.Subject == "" {
			t.Errorf("%s: signed in %v with %+v, want %d", test.name, v.SignedIn, v.Certificate, test.best)
		}
		alone, err := tenant.Explain(t.Context(), signin.Request{User: bobOf(), Certificate: best, At: worldNow})
		if err != nil || alone.Answer() != v.Answer() || alone.Message != v.Message {
			t.Errorf("%s: %+v, alone %+v, %v", test.name, v.Answer(), alone.Answer(), err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		ctx   context.Context
		user  *policy.User
		certs []*x509.Certificate
		want  error
		says  string
	}{
		{t.Context(), bobOf(), nil, signin.NoCertificate, ""},
		{t.Context(), nil, []*x509.Certificate{single}, signin.NoUser, ""},
		{t.Context(), bobOf(), []*x509.Certificate{single, nil}, signin.NoCertificate, `certificate 2 of "bob@woodgrove.com"`},
		{t.Context(), bobOf(), []*x509.Certificate{{}}, signin.BadCertificate, `certificate 1 of "bob@woodgrove.com"`},
		{ended, bobOf(), []*x509.Certificate{single}, context.Canceled, ""},
		{nil, bobOf(), []*x509.Certificate{single}, signin.NoContext, ""},
	} {
		v, err := tenant.ExplainUser(test.ctx, test.user, test.certs...)
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) || v.Steps != nil {
			t.Errorf("%v, want %v", err, test.want)
		}
	}
	// Without a clock of its own the tenant asks the machine's.
	tenant, err = config.Compile(signin.Options{SkipRevocation: true})
	if err != nil {
		t.Fatal(err)
	}
	v, err := tenant.ExplainUser(t.Context(), bobOf(), single)
	if now := time.Now(); err != nil || v.SignedIn != (now.After(single.NotBefore) && now.Before(single.NotAfter)) {
		t.Errorf("now: %v, %v", v.SignedIn, err)
	}
}

func list(users ...*policy.User) iter.Seq2[*policy.User, error] {
	return func(yield func(*policy.User, error) bool) {
		for _, u := range users {
			if !yield(u, nil) {
				return
			}
		}
	}
}

// The users that a certificate is bound to are those whom Decide finds bound, with
// the binding that Explain names, also where a look-up by text finds nobody.
func TestCandidates(t *testing.T) {
	w := theWorld(t)
	cert := w.certs["bob"]
	tenant := compiled(t, scenario{bindings: "PN>UPN 1, SKI>CUID 2"}.tenant(w))
	ski := hexOf(keyID("bob"))
	users := []*policy.User{
		{UserPrincipalName: "BOB@woodgrove.com"}, // letter case
		nil,
		{UserPrincipalName: "jane@woodgrove.com"},
		{UserPrincipalName: "other@woodgrove.com", AuthorizationInfo: policy.AuthorizationInfo{CertificateUserIDs: []string{"x", "X509:<SKI>" + strings.ToUpper(ski)}}},
		{UserPrincipalName: "unbound@woodgrove.com", AuthorizationInfo: policy.AuthorizationInfo{CertificateUserIDs: []string{"X509:<PN>bob@woodgrove.com"}}}, // no binding uses it
		{},
	}
	var got []int
	var fields []certuserid.Mapping
	for c, err := range tenant.Candidates(cert, list(users...)) {
		if err != nil || c.User != users[c.Index] {
			t.Fatalf("%+v, %v", c, err)
		}
		got, fields = append(got, c.Index), append(fields, c.Binding.Field)
	}
	if !slices.Equal(got, []int{0, 3}) || !slices.Equal(fields, []certuserid.Mapping{certuserid.PrincipalName, certuserid.SKI}) {
		t.Errorf("candidates %v by %v", got, fields)
	}
	for range tenant.Candidates(cert, list(users...)) { // stops when asked to
		break
	}
	// An error of the list stands in its place.
	broken := errors.New("line 2")
	var errs []error
	for _, err := range tenant.Candidates(cert, func(yield func(*policy.User, error) bool) {
		_ = yield(users[0], nil) && yield(nil, broken) && yield(users[2], nil) && yield(users[3], nil)
	}) {
		errs = append(errs, err)
	}
	if !slices.Equal(errs, []error{nil, broken, nil}) {
		t.Errorf("%v", errs)
	}
	// High affinity leaves the binding by key identifier.
	tenant = compiled(t, scenario{bindings: "PN>UPN 1, SKI>CUID 2", defaults: "SF high"}.tenant(w))
	got = nil
	for c := range tenant.Candidates(cert, list(users...)) {
		got = append(got, c.Index)
	}
	if !slices.Equal(got, []int{3}) {
		t.Errorf("with high affinity %v", got)
	}
}
