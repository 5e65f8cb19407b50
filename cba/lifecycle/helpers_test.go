package lifecycle_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/lifecycle"
	"example.com/entracba/cba/lint"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// A ca issues for jane at any time.
type ca struct {
	testing.TB
	*cba.Issuer
	clock *time.Time
}

func newCA(tb testing.TB, name string) ca {
	tb.Helper()
	clock := now.AddDate(-3, 0, 0)
	root, err := cba.NewRoot(tb.Context(), cba.Authority{Name: dn.Name{{{Type: dn.CommonName, Value: name}}}, KeyType: cba.P256,
		Now: func() time.Time { return clock }})
	if err != nil {
		tb.Fatal(err)
	}
	return ca{tb, root, &clock}
}

func newKey(tb testing.TB) crypto.Signer {
	tb.Helper()
	key, err := cba.P256.Generate()
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// issue issues for a year from this many days after now.
func (c ca) issue(upn string, day int, key crypto.Signer) *x509.Certificate {
	c.Helper()
	*c.clock = now.AddDate(0, 0, day)
	cert, err := c.Issue(context.Background(), key.Public(), cba.Subject{UPN: upn}, cba.Profile{Backdate: -1})
	if err != nil {
		c.Fatal(err)
	}
	return cert
}

func id(tb testing.TB, cert *x509.Certificate, m certuserid.Mapping) string {
	tb.Helper()
	id, err := certuserid.FromCertificate(cert, m)
	if err != nil {
		tb.Fatal(err)
	}
	return id.String()
}

func set(tb testing.TB, values ...string) certuserid.Set {
	tb.Helper()
	s, err := certuserid.NewSet(values...)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func codes(findings lint.Findings) []string {
	var list []string
	for _, f := range findings {
		list = append(list, f.Code)
	}
	return list
}

// wantRules wants every rule of a kind to have fired, and no finding without one.
func wantRules(t *testing.T, prefix string, fired lint.Findings) {
	t.Helper()
	codes := map[string]bool{}
	for _, rule := range lifecycle.Rules() {
		if codes[rule.Code] {
			t.Errorf("%s stands for two rules", rule.Code)
		}
		codes[rule.Code] = true
		if strings.HasPrefix(rule.Code, prefix) && !fired.Has(rule.Code) {
			t.Errorf("%s never fires", rule.Code)
		}
		if rule.What == "" || rule.Do == "" && rule.Severity > lint.Info || rule.Source.URL() == "" {
			t.Errorf("a rule that is not whole: %+v", rule)
		}
	}
	for _, f := range fired {
		if !codes[f.Code] || f.Where == "" || f.What == "" {
			t.Errorf("%+v is in no table, or is not whole", f)
		}
	}
}
