package main_test

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/examples/internal/tenant/tenanttest"
)

// A weekend without CRLs: jane's certificate was revoked in it, and she signed in with it.
func TestOutage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name, err := dn.Parse("CN=Outage CA")
	if err != nil {
		t.Fatal(err)
	}
	ca, err := cba.NewRoot(t.Context(), cba.Authority{Name: name, KeyType: cba.P256})
	if err != nil {
		t.Fatal(err)
	}
	d := demo(t)
	authority := graphtest.NewAuthority(ca.CACertificates()[0])
	authority.CRLURL = "http://crl.contoso.com/outage.crl"
	d.Tenant.PKIs[0].Authorities = append(d.Tenant.PKIs[0].Authorities, authority)
	m := folder.Manifest{CA: folder.CA{Subject: "CN=Outage CA"}}
	certs := map[string]*x509.Certificate{}
	for _, upn := range []string{"jane@contoso.com", "john@contoso.com"} {
		key, err := cba.P256.Generate()
		if err != nil {
			t.Fatal(err)
		}
		common, err := dn.Parse("CN=" + map[string]string{"jane@contoso.com": "Jane", "john@contoso.com": "John"}[upn])
		if err != nil {
			t.Fatal(err)
		}
		if certs[upn], err = ca.Issue(t.Context(), key.Public(), cba.Subject{UPN: upn, Name: common}, cba.Profile{}); err != nil {
			t.Fatal(err)
		}
		u := folder.DescribeUser(upn, certs[upn])
		u.Certificate = upn + ".crt"
		m.Users = append(m.Users, u)
		if err := os.WriteFile(filepath.Join(dir, u.Certificate), cba.EncodeCertificates(certs[upn]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	// The CRLs, made with crypto/x509 alone.
	now := time.Now().UTC()
	key := ca.Key
	list := func(file string, at, next time.Time, revoked ...string) {
		t.Helper()
		template := &x509.RevocationList{Number: big.NewInt(at.Unix()), ThisUpdate: at, NextUpdate: next}
		for _, upn := range revoked {
			template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: certs[upn].SerialNumber, RevocationTime: now.Add(-20 * time.Hour), ReasonCode: 1})
		}
		der, err := x509.CreateRevocationList(rand.Reader, template, ca.CACertificates()[0], key)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), der, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	list("before.crl", now.AddDate(0, 0, -3), now.AddDate(0, 0, 4))
	list("after.crl", now, now.AddDate(0, 0, 7), "jane@contoso.com")
	if err := os.WriteFile(filepath.Join(dir, "manifest.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	s := tenanttest.Serve(t, d.Tenant, graphtest.Options{})
	window := now.AddDate(0, 0, -2).Format(time.RFC3339) + "/" + now.Format(time.RFC3339)
	run := func(code int, args []string, texts ...string) string {
		t.Helper()
		r := tenanttest.Run(t, s, program, dir, append([]string{"-outage", window}, args...)...)
		for _, text := range texts {
			if r.Code != code || !strings.Contains(r.Stdout+r.Stderr, text) {
				t.Errorf("%q: exit status %d, no %q in\n%s%s", args, r.Code, text, r.Stdout, r.Stderr)
			}
		}
		return r.Stdout
	}
	run(1, []string{"-manifest", "manifest.json", "-crl", "before.crl", "-crl", "after.crl"},
		"CN=Outage CA           everybody is checked with the cached CRL until "+now.AddDate(0, 0, 4).Format("2006-01-02"), "jane@contoso.com  CN=Outage CA  cached CRL  REVOKED on ", "(keyCompromise)",
		"john@contoso.com  CN=Outage CA  cached CRL  not revoked", "1 sign-in was refused with AADSTS500173", "1 sign-in was let in with a revoked certificate", "go run ./examples/audit")
	run(3, []string{"-manifest", "manifest.json", "-crl", "before.crl"}, "Of 2 sign-ins it is not known")
	run(0, []string{"-manifest", "manifest.json", "-crl", "after.crl", "-user", "john@contoso.com"}, "Nobody was let in with a certificate")
	var r snapshot.OutageReport
	if err := json.Unmarshal([]byte(run(1, []string{"-json", "-manifest", "manifest.json", "-crl", "after.crl"}, `"program": "signins"`)), &r); err != nil || len(r.LetIn) != 2 ||
		!slices.ContainsFunc(r.LetIn, func(s snapshot.OutageSignIn) bool { return s.Revocation == snapshot.RevokedThen }) {
		t.Errorf("%v, %+v", err, r)
	}
	for _, args := range [][]string{{"-crl", "nosuch"}, {"-crl", "manifest.json"}, {"-since", "2h"}} {
		if r := tenanttest.Run(t, s, program, dir, append([]string{"-outage", window}, args...)...); r.Code != 2 || r.Stdout != "" {
			t.Errorf("%q: %+v", args, r)
		}
	}
	for _, args := range [][]string{{"-crl", "after.crl"}, {"-outage", "x"}, {"-outage", "2026-11-20/2026-11-19"}} {
		if r := tenanttest.Run(t, s, program, dir, args...); r.Code != 2 || r.Stdout != "" {
			t.Errorf("%q: %+v", args, r)
		}
	}
}
