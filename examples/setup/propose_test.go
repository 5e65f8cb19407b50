package main_test

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/signin"
	"example.com/entracba/examples/internal/programtest"
	"example.com/entracba/examples/internal/tenant/tenanttest"
)

// cards writes the certificates of an organization into certs/: a root, a CA below it,
// and a card for each name. It returns the CAs.
func cards(t *testing.T, dir string, names ...string) *cba.Issuer {
	t.Helper()
	name := func(text string) dn.Name {
		n, err := dn.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	root, err := cba.NewRoot(t.Context(), cba.Authority{Name: name("CN=Card Root"), KeyType: cba.P256})
	if err != nil {
		t.Fatal(err)
	}
	ca, err := root.NewIntermediate(t.Context(), cba.Authority{Name: name("CN=Card CA"), KeyType: cba.P256, CRLURLs: []string{"http://crl.contoso.com/cardroot.crl"}})
	if err != nil {
		t.Fatal(err)
	}
	oid, err := cba.ParseOID("1.3.6.1.4.1.99999.1")
	if err != nil {
		t.Fatal(err)
	}
	write := func(file string, certs ...*x509.Certificate) {
		t.Helper()
		path := filepath.Join(dir, "certs", filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, cba.EncodeCertificates(certs...), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for i, upn := range names {
		key, err := cba.P256.Generate()
		if err != nil {
			t.Fatal(err)
		}
		cert, err := ca.Issue(t.Context(), crypto.PublicKey(key.Public()), cba.Subject{UPN: upn}, cba.Profile{CRLURLs: []string{"http://crl.contoso.com/cardca.crl"}, Policies: []x509.OID{oid}})
		if err != nil {
			t.Fatal(err)
		}
		write("users/"+string(rune('a'+i))+".cer", cert)
	}
	write("cas.pem", ca.CACertificates()...)
	return ca
}

// From certificates that exist to a tenant that signs people in with them, by the
// commands that the programs print.
func TestFrom(t *testing.T) {
	t.Parallel()
	p := served(t, nil)
	cards(t, p.dir, "jane@contoso.com", "john@contoso.com", "megan@contoso.local")
	p.write("certs/note.cer", []byte("no certificate"))
	p.write("certs/huge.cer", make([]byte, 17<<20))
	p.write("certs/readme.txt", []byte("mine"))
	for link, to := range map[string]string{"certs/gone.cer": "nowhere", "certs/zero.cer": "/dev/zero", "linked": "certs"} {
		if err := os.Symlink(to, filepath.Join(p.dir, link)); err != nil {
			t.Log(err) // of Windows, without the right to
		}
	}
	p.write("people.csv", []byte("userPrincipalName;displayName;mail\njane@contoso.com;Jane;\njohn@contoso.com;John;\nmegan@contoso.com;Megan;\nzoe@contoso.com;;\n"))
	run := func(args ...string) programtest.Result { return programtest.Run(t, program, p.dir, nil, args...) }
	r := run("-from", "certs", "-users", "people.csv")
	p.must(r, 0, "2 of 4 users would be signed in", "CN=Card Root", "http://crl.contoso.com/cardca.crl", "SKI to certificateUserIds", "proposed",
		"megan@contoso.com  perhaps", "zoe@contoso.com    no certificate", "note.cer was passed over", "huge.cer was passed over: it has more than 16 MB", "1 other file was passed over", "add: -group ID", "if so, add: -rule 1.3.6.1.4.1.99999.1=multifactor,high", "if so, add: -domain contoso.local=contoso.com",
		"Whether the CRLs can be fetched from the internet was not checked")
	if content, err := os.ReadFile(filepath.Join(p.dir, "proposal", "tenant.json")); err != nil {
		t.Error(err)
	} else if c, err := signin.ParseConfig(content); err != nil || len(c.Policy.IncludeTargets) != 0 || len(c.Policy.AuthenticationMode.Rules) != 0 || !slices.Equal(c.Missing, []string{"certificateBasedAuthConfiguration"}) {
		t.Errorf("%+v, %v", c.Policy, err)
	}
	p.must(run("-from", "certs", "-users", "people.csv"), 2, "proposal exists already")

	if _, err := os.Lstat(filepath.Join(p.dir, "linked")); err == nil { // a link to the folder is the folder
		p.must(run("-from", "linked", "-users", "people.csv", "-out", "by-link"), 0, "2 of 4 users would be signed in", "gone.cer was passed over: it leads nowhere")
	}

	// The answers.
	p.must(run("-from", "certs", "-users", "people.csv", "-group", "00000000-0000-4000-8000-0000000000a2", "-rule", "1.3.6.1.4.1.99999.1=multifactor,high", "-pki", "Cards", "-out", "answered"), 0,
		"sync -tenant ID -manifest answered/manifest.json -mapping SKI", "-keep -then answered/tenant.json -users answered/users.jsonl")
	p.must(run("-from", "certs", "-users", "people.csv", "-domain", "contoso.local=contoso.com", "-out", "domains"), 0, "3 of 4 users would be signed in")
	var out struct {
		Version, Reached int
		People           []struct {
			UserPrincipalName, Status, AuthenticationMode string
			Store                                         []string
		}
		Questions []struct{ Topic string }
	}
	r = run("-from", "certs", "-users", "people.csv", "-json", "-out", "third")
	if err := json.Unmarshal([]byte(r.Stdout), &out); err != nil || out.Reached != 2 || out.People[0].Status != "reached" || len(out.People[0].Store) != 1 || len(out.Questions) != 3 {
		t.Errorf("%v, %+v", err, out)
	}

	// The commands that were printed.
	sync := programtest.Other(t, "sync")
	p.must(tenanttest.Run(t, p.Server, sync, p.dir, "-manifest", "answered/manifest.json", "-mapping", "SKI", "-apply"), 0, "2 written")
	r = p.run("-keep", "-then", "answered/tenant.json", "-users", "answered/users.jsonl", "-out", "plan.json", "-allow-lockout", "-crl", "http://crl.contoso.com/cardca.crl=none.crl")
	p.must(r, 2, "none.crl")
	r = p.run("-keep", "-then", "answered/tenant.json", "-users", "answered/users.jsonl", "-out", "plan.json", "-allow-lockout")
	p.must(r, 0, `+ PKI "Cards"`, `+ CA "Card CA" of PKI "Cards"`)
	p.must(p.run("-apply", "plan.json", "-allow-lockout"), 0, "Applied")
	now := p.Tenant()
	if len(now.PKIs) != 2 || !strings.Contains(string(now.Policy), "1.3.6.1.4.1.99999.1") {
		t.Errorf("%d PKIs, %s", len(now.PKIs), now.Policy)
	}
	if jane := now.Users[slices.IndexFunc(now.Users, func(u graphtest.User) bool { return u.UserPrincipalName == "jane@contoso.com" })]; len(jane.CertificateUserIDs) != 3 {
		t.Errorf("%q", jane.CertificateUserIDs)
	}
}

// A certificate that signs nobody in gives the manifest no id, however long it is valid.
func TestFromManifestOfUsable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cards(t, dir, "jane@contoso.com")
	name, err := dn.Parse("CN=Another CA")
	if err != nil {
		t.Fatal(err)
	}
	other, err := cba.NewRoot(t.Context(), cba.Authority{Name: name, KeyType: cba.P256}) // is not at hand
	if err != nil {
		t.Fatal(err)
	}
	key, err := cba.P256.Generate()
	if err != nil {
		t.Fatal(err)
	}
	longer, err := other.Issue(t.Context(), crypto.PublicKey(key.Public()), cba.Subject{UPN: "jane@contoso.com"}, cba.Profile{Validity: 2 * 365 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string][]byte{"certs/longer.cer": cba.EncodeCertificates(longer), "people.csv": []byte("upn\njane@contoso.com\n")} {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(file)), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := programtest.Run(t, program, dir, nil, "-from", "certs", "-users", "people.csv")
	if r.Code != 0 || !strings.Contains(r.Stdout, "1 of 1 user would be signed in") {
		t.Fatalf("%+v", r)
	}
	manifest, err := os.ReadFile(filepath.Join(dir, "proposal", "manifest.json"))
	if err != nil || !strings.Contains(string(manifest), "CN=Card CA") || strings.Contains(string(manifest), "CN=Another CA") {
		t.Errorf("%v\n%s", err, manifest)
	}
}

func TestFromUsage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cards(t, dir, "jane@contoso.com")
	for name, text := range map[string]string{"people.csv": "upn\njane@contoso.com\n", "nobody.csv": "upn\n", "bad.csv": "x\ny\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"-from", "certs"}, {"-from", "nosuch", "-users", "people.csv"}, {"-from", "empty", "-users", "people.csv"}, {"-from", "certs", "-users", "nobody.csv"}, {"-from", "certs", "-users", "bad.csv"},
		{"-from", "certs", "-users", "people.csv", "-apply", "x"}, {"-from", "certs", "-users", "people.csv", "-then", "x"}, {"-from", "certs", "-users", "people.csv", "-allow-private"}, {"-fetch"}, {"-owner", "x=y"}, {"-from", "certs", "-users", "people.csv", "-domain", "x"},
	} {
		if r := programtest.Run(t, program, dir, nil, args...); r.Code != 2 || r.Stdout != "" || r.Stderr == "" {
			t.Errorf("%q: %+v", args, r)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "proposal")); err == nil {
		t.Error("a proposal was written")
	}
	// A CA that is missing is named, and nobody is reached without it.
	if err := os.Remove(filepath.Join(dir, "certs", "cas.pem")); err != nil {
		t.Fatal(err)
	}
	r := programtest.Run(t, program, dir, nil, "-from", "certs", "-users", "people.csv")
	if r.Code != 1 || !strings.Contains(r.Stdout, "MISSING CAs") || !strings.Contains(r.Stdout, "CN=Card CA  issued users' certificates, needed for 1 certificate") {
		t.Errorf("%+v", r)
	}
}
