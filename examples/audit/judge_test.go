package main

import (
	"crypto/x509"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/trust"
)

// What depends on the clock is judged without waiting for it.
func TestJudge(t *testing.T) {
	now := time.Now()
	d, err := graphtest.Demo(now)
	if err != nil {
		t.Fatal(err)
	}
	issuing, err := x509.ParseCertificate(d.Tenant.PKIs[0].Authorities[1].Certificate)
	if err != nil {
		t.Fatal(err)
	}
	pki, err := trust.NewPKI("Contoso PKI", []*x509.Certificate{issuing})
	if err != nil {
		t.Fatal(err)
	}
	store, err := trust.Config{PKIs: trust.PKIs{pki}}.Compile(trust.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ca := store.CAs()[0]
	got, err := crl.Parse(d.CRLs["http://crl.contoso.com/issuing.crl"])
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		list  list
		at    time.Time
		code  string
		worst lint.Severity
	}{
		{"good", list{got: got, Millis: 100}, now, "", lint.Info},
		{"slow", list{got: got, Millis: 6000}, now, "audit-crl-slow", lint.Warning},
		{"not valid yet", list{got: got}, now.Add(-2 * time.Hour), "crl-not-yet-valid", lint.Error},
		{"a delta list without its base", list{got: got, Delta: true}, now, "crl-delta-without-base", lint.Error},
		{"of an expired authority", list{err: &crl.Error{Reason: crl.Download}, Code: "AADSTS500173"}, now.AddDate(5, 0, 0), "audit-crl-unusable", lint.Info},
		{"unusable", list{err: &crl.Error{Reason: crl.Download}, Code: "AADSTS500173"}, now, "audit-crl-unusable", lint.Error},
	} {
		found := judge(ca, []list{test.list}, test.at)
		if test.code != "" && !found.Has(test.code) || found.Worst() != test.worst {
			t.Errorf("%s: want %s and at worst %v, got %v", test.name, test.code, test.worst, found)
		}
	}
}
