//go:build browsers && linux

package browser

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"example.com/entracba/cba"
	"example.com/entracba/cba/deploy"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/pfx"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
)

const (
	jane = "jane@contoso.com"
	john = "john@contoso.com"
)

// An authority issues certificates, also such as this library would not.
type authority struct {
	t      *testing.T
	issuer *cba.Issuer
	key    crypto.Signer
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key := must(cba.P256.Generate())
	return &authority{t, must(cba.NewRoot(t.Context(), cba.Authority{Name: must(dn.Parse(name)), Key: key})), key}
}

// A credential is a certificate with its key.
type credential struct {
	cert  *x509.Certificate
	key   crypto.Signer
	chain []*x509.Certificate // the CAs above it that travel along
	root  *x509.Certificate
}

// issue makes a certificate that is good but for what edit does.
func (a *authority) issue(upn string, edit func(*x509.Certificate)) credential {
	a.t.Helper()
	key := must(cba.P256.Generate())
	cert := must(a.issuer.Issue(a.t.Context(), key.Public(), cba.Subject{UPN: upn}, cba.Profile{}))
	cas := a.issuer.CACertificates()
	if edit == nil {
		return credential{cert, key, cas, cas[len(cas)-1]}
	}
	template := *cert
	template.SerialNumber = nil
	for _, e := range cert.Extensions {
		if e.Id.String() == "2.5.29.17" { // with the UPN
			template.ExtraExtensions = append(template.ExtraExtensions, e)
		}
	}
	edit(&template)
	raw := must(x509.CreateCertificate(rand.Reader, &template, cas[0], key.Public(), a.key))
	return credential{must(x509.ParseCertificate(raw)), key, cas, cas[len(cas)-1]}
}

// deliver writes what deploy makes of a certificate, into a folder of its own.
func (c credential) deliver(t *testing.T, upn string, issuerOnly bool) (folder string) {
	t.Helper()
	folder = t.TempDir()
	password := pfx.GeneratePassword()
	file := must(pfx.Compatible.Encode(pfx.Bundle{Key: c.key, Certificate: c.cert, Chain: c.chain, FriendlyName: upn}, password))
	p := deploy.Package{UPN: upn, PFX: file, Password: password, Certificate: c.cert, Root: c.root}
	for _, a := range must(p.Artefacts(deploy.Linux, deploy.Options{EmbedPassword: true, IssuerOnly: issuerOnly})) {
		if err := os.WriteFile(filepath.Join(folder, a.Name), a.Content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// tenantOf trusts authorities and is otherwise as the service makes it.
func tenantOf(t *testing.T, trusted ...*authority) signin.Config {
	t.Helper()
	var cas []*x509.Certificate
	for _, a := range trusted {
		cas = append(cas, a.issuer.CACertificates()[0])
	}
	config := signin.Config{Policy: policy.ServiceDefault(), Trust: trust.Config{PKIs: trust.PKIs{must(trust.NewPKI("PKI", cas))}}}
	config.Policy.State = policy.Enabled
	return config
}

// save writes a tenant and the certificates of jane and john, as issue does.
func save(t *testing.T, config signin.Config, certs map[string][]credential) (tenant, users string) {
	t.Helper()
	folder := t.TempDir()
	tenant, users = filepath.Join(folder, "tenant.json"), filepath.Join(folder, "users.jsonl")
	var lines bytes.Buffer
	for _, upn := range []string{jane, john} {
		raws := [][]byte{}
		for _, c := range certs[upn] {
			raws = append(raws, c.cert.Raw)
		}
		lines.Write(append(must(json.Marshal(map[string]any{"userPrincipalName": upn, "accountEnabled": true, "userType": "Member",
			"authorizationInfo": map[string]any{"certificateUserIds": []string{}}, "certificates": raws})), '\n'))
	}
	for name, content := range map[string][]byte{tenant: must(json.Marshal(config)), users: lines.Bytes()} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return tenant, users
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// usage names extended key usages, or none.
func usage(usages ...x509.ExtKeyUsage) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.ExtKeyUsage, c.UnknownExtKeyUsage = slices.Clone(usages), nil }
}
