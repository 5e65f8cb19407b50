package graph_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/trust"
)

// newCA makes the certificate of a self-signed CA.
func newCA(t testing.TB, name string, notAfter time.Time) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var ski [sha1.Size]byte
	fips140.WithoutEnforcement(func() { ski = sha1.Sum([]byte(name)) })
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: start.AddDate(-5, 0, 0), NotAfter: notAfter,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, SubjectKeyId: ski[:],
	}, &x509.Certificate{Subject: pkix.Name{CommonName: name}, SubjectKeyId: ski[:]}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

var later = start.AddDate(5, 0, 0)

// calls are "METHOD path" of the requests that write.
func (f *tenant) calls() []string {
	var all []string
	for _, r := range f.asked() {
		if r.Method != http.MethodGet {
			all = append(all, r.Method+" "+strings.TrimPrefix(r.URL, f.URL))
		}
	}
	return all
}

const pkisURL = "/v1.0/directory/publicKeyInfrastructure/certificateBasedAuthConfigurations"

func TestPKIs(t *testing.T) {
	f := newTenant(t, graphtest.Tenant{}, graphtest.Options{PageSize: 2, Lag: graphtest.Delay{Time: 2 * time.Second}})
	ctx := t.Context()
	pki, err := f.CreatePKI(ctx, "Contoso PKI")
	if err != nil || pki.ID == "" {
		t.Fatal(err)
	}
	if _, err := f.CreatePKI(ctx, "Contoso PKI"); !errors.Is(err, graph.Conflict) {
		t.Errorf("the same name again: %v", err)
	}
	var first trust.Authority
	for i := range 5 {
		a, err := trust.NewAuthority(newCA(t, fmt.Sprintf("CA %d", i), later))
		if err != nil {
			t.Fatal(err)
		}
		a.CertificateRevocationListURL = "http://crl.contoso.com/ca.crl"
		made, err := f.CreateAuthority(ctx, pki.ID, a)
		if err != nil {
			t.Fatal(err)
		}
		if made.ID == "" || !bytes.Equal(made.Certificate, a.Certificate) || made.CreatedDateTime.IsZero() {
			t.Errorf("%+v", made)
		}
		if i == 0 {
			first = made
		}
	}
	all, err := f.PKIs(ctx)
	if err != nil || len(all) != 1 || len(all[0].CertificateAuthorities) != 5 {
		t.Fatal(all, err)
	}
	if got, err := f.PKI(ctx, pki.ID); err != nil || len(got.CertificateAuthorities) != 5 {
		t.Fatal(got, err)
	}
	if _, err := f.CreateAuthority(ctx, pki.ID, first); !errors.Is(err, graph.Conflict) {
		t.Errorf("the same CA again: %v", err)
	}
	f.asked()

	// A change sends what differs, and what is required.
	change := first
	change.DisplayName, change.CertificateRevocationListURL = "Renamed", ""
	before, after, err := f.UpdateAuthority(ctx, pki.ID, change)
	if err != nil || before.DisplayName != "CA 0" || after.DisplayName != "Renamed" || after.CertificateRevocationListURL != "" || !bytes.Equal(after.Certificate, first.Certificate) {
		t.Fatal(before, after, err)
	}
	var patch graphtest.Request
	for _, r := range f.asked() {
		if r.Method == http.MethodPatch {
			patch = r
		}
	}
	var sent map[string]any
	if err := json.Unmarshal(patch.Body, &sent); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"displayName": "Renamed", "certificateRevocationListUrl": nil, "certificateAuthorityType": "root",
		"thumbprint": first.Thumbprint, "expirationDateTime": sent["expirationDateTime"]}
	if diff := cmp.Diff(want, sent); diff != "" || patch.URL != f.URL+pkisURL+"/"+pki.ID+"/certificateAuthorities/"+first.ID {
		t.Error(patch.URL, diff)
	}
	if _, _, err := f.UpdateAuthority(ctx, pki.ID, change); err != nil || f.writes() != 0 {
		t.Errorf("the same change again: %v", err)
	}

	if p, err := f.RenamePKI(ctx, pki.ID, "Woodgrove PKI"); err != nil || p.DisplayName != "Woodgrove PKI" {
		t.Fatal(p, err)
	}
	if err := f.DeleteAuthority(ctx, pki.ID, first.ID); err != nil {
		t.Fatal(err)
	}
	deleted, err := f.Deleted(ctx)
	if err != nil || len(deleted.Authorities) != 1 || len(deleted.PKIs) != 0 {
		t.Fatal(deleted, err)
	}
	if err := f.Restore(ctx, first.ID); err != nil {
		t.Fatal(err)
	}
	if err := f.DeletePKI(ctx, pki.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.PKI(ctx, pki.ID); !errors.Is(err, graph.NotFound) {
		t.Error(err)
	}
	if err := f.Restore(ctx, pki.ID); err != nil {
		t.Fatal(err)
	}
	got, err := f.PKI(ctx, pki.ID)
	if err != nil || len(got.CertificateAuthorities) != 5 {
		t.Fatal(got, err)
	}
	ca := pkisURL + "/" + pki.ID + "/certificateAuthorities/" + first.ID
	wantCalls := []string{"PATCH " + pkisURL + "/" + pki.ID, "DELETE " + ca,
		"POST /v1.0/directory/deletedItems/" + first.ID + "/restore", "DELETE " + pkisURL + "/" + pki.ID,
		"POST /v1.0/directory/deletedItems/" + pki.ID + "/restore"}
	if diff := cmp.Diff(wantCalls, f.calls()); diff != "" {
		t.Error(diff)
	}
	if err := f.DeletePKI(ctx, "33333333-3333-3333-3333-333333333333"); !errors.Is(err, graph.NotFound) {
		t.Error(err)
	}
}

// A create whose answer is lost is not sent again: what came of it is looked up.
func TestCreateLost(t *testing.T) {
	t.Parallel()
	for _, kind := range []graphtest.Kind{graphtest.Unavailable, graphtest.Reset, graphtest.Half, graphtest.Cut, graphtest.Gateway, graphtest.Huge, graphtest.Bomb} {
		for _, applied := range []bool{true, false} {
			t.Run(fmt.Sprint(kind, applied), func(t *testing.T) {
				f := newTenant(t, graphtest.Tenant{}, graphtest.Options{})
				f.inject(graphtest.Fault{Kind: kind, Method: "POST", Applied: applied, Size: 40 << 20})
				done := applied || kind == graphtest.Half || kind == graphtest.Cut
				pki, err := f.CreatePKI(t.Context(), "P")
				if done && (err != nil || pki.ID == "") || !done && err == nil {
					t.Fatal(pki, err)
				}
				if !done {
					if pki, err = f.CreatePKI(t.Context(), "P"); err != nil {
						t.Fatal(err)
					}
				}
				a, err := trust.NewAuthority(newCA(t, "CA", later))
				if err != nil {
					t.Fatal(err)
				}
				f.inject(graphtest.Fault{Kind: kind, Method: "POST", Applied: applied, Size: 40 << 20})
				ca, err := f.CreateAuthority(t.Context(), pki.ID, a)
				if done && (err != nil || ca.ID == "") || !done && err == nil {
					t.Fatal(ca, err)
				}
				in := f.Server.Tenant()
				if len(in.PKIs) != 1 || done != (len(in.PKIs[0].Authorities) == 1) {
					t.Errorf("%d PKIs, %d CAs", len(in.PKIs), len(in.PKIs[0].Authorities))
				}
			})
		}
	}
}

func bundle(t testing.TB, certs ...*x509.Certificate) []byte {
	t.Helper()
	b, err := trust.EncodeBundle(certs)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestUpload(t *testing.T) {
	var served []byte
	var fetchErr error
	in := graphtest.Tenant{PKIs: []graphtest.PKI{{ID: "p1", DisplayName: "P", Authorities: []graphtest.Authority{graphtest.NewAuthority(newCA(t, "There", later))}}}}
	f := newTenant(t, in, graphtest.Options{Upload: graphtest.Delay{Reads: 3}, Lag: graphtest.Delay{Time: time.Second},
		Fetch: func(context.Context, string) ([]byte, error) { return served, fetchErr }})
	cas := []*x509.Certificate{newCA(t, "One", later), newCA(t, "Two", later)}
	served = bundle(t, cas...)
	var states []string
	pki, err := f.Upload(t.Context(), "p1", "https://pki.contoso.com/cas.p7b", served, graph.UploadOptions{Progress: func(p graph.UploadProgress) { states = append(states, p.Status) }})
	if err != nil || len(pki.CertificateAuthorities) != 3 || pki.Status != "succeeded" {
		t.Fatal(pki, err)
	}
	if !slices.Contains(states, "running") || states[len(states)-1] != "succeeded" {
		t.Errorf("progress %q", states)
	}
	all := f.asked()
	i := slices.IndexFunc(all, func(r graphtest.Request) bool { return r.Method == http.MethodPost })
	want := fmt.Sprintf(`{"sha256FileHash":%q,"uploadUrl":"https://pki.contoso.com/cas.p7b"}`, trust.FileHash(served))
	if all[i].URL != f.URL+pkisURL+"/p1/upload" || string(all[i].Body) != want {
		t.Errorf("%s %s", all[i].URL, all[i].Body)
	}

	// Refused before anything is sent.
	for name, try := range map[string]func() error{
		"stored already": func() error {
			_, err := f.Upload(t.Context(), "p1", "https://x.example/a.p7b", served, graph.UploadOptions{})
			return errIs(err, graph.Conflict)
		},
		"no such PKI": func() error {
			_, err := f.Upload(t.Context(), "p2", "https://x.example/a.p7b", bundle(t, newCA(t, "New", later)), graph.UploadOptions{})
			return errIs(err, graph.NotFound)
		},
		"no bundle": func() error {
			_, err := f.Upload(t.Context(), "p1", "https://x.example/a.p7b", []byte("hello"), graph.UploadOptions{})
			var e *trust.Error
			if !errors.As(err, &e) {
				return fmt.Errorf("%v", err)
			}
			return nil
		},
		"no address": func() error {
			_, err := f.Upload(t.Context(), "p1", "file:///etc/passwd", bundle(t, newCA(t, "New", later)), graph.UploadOptions{})
			if err == nil {
				return errors.New("taken")
			}
			return nil
		},
	} {
		if err := try(); err != nil || f.writes() != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}

	// The file that the service gets is another one.
	_, err = f.Upload(t.Context(), "p1", "https://pki.contoso.com/cas.p7b", bundle(t, newCA(t, "New", later)), graph.UploadOptions{})
	if !errors.Is(err, graph.UploadFailed) || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("%v", err)
	}
}

func errIs(err, target error) error {
	if !errors.Is(err, target) {
		return fmt.Errorf("%v, want %v", err, target)
	}
	return nil
}

func TestUploadOneAtATime(t *testing.T) {
	served := bundle(t, newCA(t, "One", later))
	in := graphtest.Tenant{PKIs: []graphtest.PKI{{ID: "p1", DisplayName: "P"}, {ID: "p2", DisplayName: "Q"}}}
	f := newTenant(t, in, graphtest.Options{Upload: graphtest.Delay{Reads: 200}, Fetch: func(context.Context, string) ([]byte, error) { return served, nil }})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := f.Upload(ctx, "p1", "https://x.example/a.p7b", served, graph.UploadOptions{Progress: func(p graph.UploadProgress) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	f.asked()
	if _, err = f.Upload(t.Context(), "p2", "https://x.example/b.p7b", bundle(t, newCA(t, "Two", later)), graph.UploadOptions{}); !errors.Is(err, graph.Conflict) || f.writes() != 0 {
		t.Errorf("%v", err)
	}
	if _, err = f.WaitUpload(t.Context(), "p1", graph.UploadOptions{Wait: time.Minute}); !errors.Is(err, graph.NotVisible) {
		t.Errorf("%v", err)
	}
	if p, err := f.WaitUpload(t.Context(), "p1", graph.UploadOptions{Wait: 24 * time.Hour}); err != nil || p.Status != "succeeded" {
		t.Errorf("%v, %v", p, err)
	}
}

func classicOf(certs ...*x509.Certificate) (store trust.Classic) {
	for _, cert := range certs {
		store.CertificateAuthorities = append(store.CertificateAuthorities, trust.ClassicAuthority{Certificate: cert.Raw, IsRootAuthority: true,
			CertificateRevocationListURL: "http://crl.contoso.com/" + cert.Subject.CommonName + ".crl"})
	}
	return store
}

func stored(f *tenant) []string {
	names := []string{}
	for _, a := range f.Server.Tenant().Classic {
		cert, err := x509.ParseCertificate(a.Certificate)
		if err != nil {
			f.t.Fatal(err)
		}
		names = append(names, cert.Subject.CommonName)
	}
	return names
}

func TestReplaceClassic(t *testing.T) {
	one, two, dead := newCA(t, "One", later), newCA(t, "Two", later), newCA(t, "Dead", start.AddDate(0, -1, 0))
	old := graphtest.Tenant{ID: people().ID, Classic: []graphtest.ClassicAuthority{{Certificate: one.Raw, Root: true, CRLURL: "http://crl.contoso.com/One.crl"}}}
	base := "/v1.0/organization/" + people().ID + "/certificateBasedAuthConfiguration"
	full := func(t *testing.T) (*tenant, *bytes.Buffer) {
		b := &bytes.Buffer{}
		return newTenant(t, old, graphtest.Options{Lag: graphtest.Delay{Time: time.Second}}), b
	}
	t.Run("replaced", func(t *testing.T) {
		f, backup := full(t)
		before, err := f.ReplaceClassic(t.Context(), classicOf(one, two), backup, graph.ReplaceOptions{})
		if err != nil || len(before.CertificateAuthorities) != 1 {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"One", "Two"}, stored(f)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"DELETE " + base + "/" + trust.ClassicID, "POST " + base}, f.calls()); diff != "" {
			t.Error(diff)
		}
		if kept, err := trust.ParseClassic(backup.Bytes()); err != nil || !bytes.Equal(kept.CertificateAuthorities[0].Certificate, one.Raw) {
			t.Errorf("backup: %v", err)
		}
		// Again, in another order: nothing is written.
		if _, err := f.ReplaceClassic(t.Context(), classicOf(two, one), backup, graph.ReplaceOptions{}); err != nil || f.writes() != 0 {
			t.Error(err)
		}
	})
	t.Run("refused", func(t *testing.T) {
		f, backup := full(t)
		for _, test := range []struct {
			name   string
			after  trust.Classic
			backup io.Writer
			want   graph.Reason
		}{
			{"empty", trust.Classic{}, backup, graph.Lockout}, {"expired", classicOf(one, dead), backup, graph.Invalid},
			{"no backup", classicOf(two), nil, graph.Invalid}, {"backup fails", classicOf(two), broken{}, graph.NotSaved},
		} {
			if _, err := f.ReplaceClassic(t.Context(), test.after, test.backup, graph.ReplaceOptions{}); !errors.Is(err, test.want) || f.writes() != 0 {
				t.Errorf("%s: %v", test.name, err)
			}
		}
	})
	t.Run("emptied", func(t *testing.T) {
		f, backup := full(t)
		if _, err := f.ReplaceClassic(t.Context(), trust.Classic{}, backup, graph.ReplaceOptions{AllowEmpty: true}); err != nil || len(stored(f)) != 0 {
			t.Fatal(err)
		}
	})
	for _, kind := range []graphtest.Kind{graphtest.Forbidden, graphtest.Unavailable, graphtest.Reset, graphtest.Gateway, graphtest.Bomb} {
		for _, applied := range []bool{false, true} {
			t.Run(fmt.Sprint("create fails: ", kind, applied), func(t *testing.T) {
				f, backup := full(t)
				f.inject(graphtest.Fault{Kind: kind, Method: "POST", Applied: applied})
				_, err := f.ReplaceClassic(t.Context(), classicOf(two), backup, graph.ReplaceOptions{})
				got := stored(f)
				switch {
				case err == nil && !slices.Equal(got, []string{"Two"}), err != nil && !slices.Equal(got, []string{"One"}) && !(applied && slices.Equal(got, []string{"Two"})):
					t.Errorf("%v, and the store has %q", err, got)
				}
				if applied && kind != graphtest.Forbidden && err != nil {
					t.Errorf("it was created: %v", err)
				}
			})
			t.Run(fmt.Sprint("delete fails: ", kind, applied), func(t *testing.T) {
				f, backup := full(t)
				f.inject(graphtest.Fault{Kind: kind, Method: "DELETE", Applied: applied, Times: -1})
				_, err := f.ReplaceClassic(t.Context(), classicOf(two), backup, graph.ReplaceOptions{})
				if got := stored(f); err == nil && !slices.Equal(got, []string{"Two"}) || err != nil && !slices.Equal(got, []string{"One"}) {
					if !(applied && kind == graphtest.Forbidden) { // it lied
						t.Errorf("%v, and the store has %q", err, got)
					}
				}
			})
		}
	}
	t.Run("nothing can be created", func(t *testing.T) {
		f, backup := full(t)
		f.inject(graphtest.Fault{Kind: graphtest.Forbidden, Method: "POST", Times: -1})
		_, err := f.ReplaceClassic(t.Context(), classicOf(two), backup, graph.ReplaceOptions{})
		if !errors.Is(err, graph.NoClassicStore) || !errors.Is(err, graph.Forbidden) || len(stored(f)) != 0 {
			t.Error(err)
		}
	})
	t.Run("ended in the middle", func(t *testing.T) {
		f, backup := full(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		graph.SetSleep(f.Client, func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() })
		f.inject(graphtest.Fault{Kind: graphtest.Throttled, Method: "POST"})
		_, err := f.ReplaceClassic(ctx, classicOf(two), backup, graph.ReplaceOptions{})
		if !errors.Is(err, context.Canceled) || !slices.Equal(stored(f), []string{"One"}) {
			t.Errorf("%v, and the store has %q", err, stored(f))
		}
	})
	t.Run("no way back", func(t *testing.T) {
		f := newTenant(t, graphtest.Tenant{ID: people().ID, Classic: []graphtest.ClassicAuthority{{Certificate: dead.Raw, Root: true}}}, graphtest.Options{})
		var b bytes.Buffer
		if _, err := f.ReplaceClassic(t.Context(), classicOf(two), &b, graph.ReplaceOptions{}); !errors.Is(err, graph.NoRollback) || f.writes() != 0 {
			t.Error(err)
		}
		if _, err := f.ReplaceClassic(t.Context(), classicOf(two), &b, graph.ReplaceOptions{AllowNoRollback: true}); err != nil || !slices.Equal(stored(f), []string{"Two"}) {
			t.Error(err)
		}
	})
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestMigrateClassic(t *testing.T) {
	one, two, dead := newCA(t, "One", later), newCA(t, "Two", later), newCA(t, "Dead", start.AddDate(0, -1, 0))
	in := graphtest.Tenant{ID: people().ID}
	for _, cert := range []*x509.Certificate{one, two, dead} {
		in.Classic = append(in.Classic, graphtest.ClassicAuthority{Certificate: cert.Raw, Root: true, CRLURL: "http://crl.contoso.com/" + cert.Subject.CommonName})
	}
	f := newTenant(t, in, graphtest.Options{})
	f.inject(graphtest.Fault{Kind: graphtest.Forbidden, Method: "POST", Skip: 2}) // at the second CA
	_, added, err := f.MigrateClassic(t.Context(), "Migrated")
	if !errors.Is(err, graph.Forbidden) || len(added) != 1 {
		t.Fatal(added, err)
	}
	pki, added, err := f.MigrateClassic(t.Context(), "Migrated")
	if err != nil || len(added) != 1 || len(pki.CertificateAuthorities) != 2 {
		t.Fatal(pki, added, err)
	}
	for _, a := range f.Server.Tenant().PKIs[0].Authorities {
		if a.Type != "root" || !strings.HasPrefix(a.CRLURL, "http://crl.contoso.com/") {
			t.Errorf("%+v", a)
		}
	}
	f.asked()
	if _, added, err = f.MigrateClassic(t.Context(), "Migrated"); err != nil || len(added) != 0 || f.writes() != 0 {
		t.Error(added, err)
	}
	if len(stored(f)) != 3 {
		t.Error("the classic store was changed")
	}
}

func TestTenant(t *testing.T) {
	demo, err := graphtest.Demo(start)
	if err != nil {
		t.Fatal(err)
	}
	f := newTenant(t, demo.Tenant, graphtest.Options{})
	config, err := f.Client.Tenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(config.Trust.PKIs) != 1 || len(config.Trust.Classic.CertificateAuthorities) == 0 || len(config.Policy.UserBindings) == 0 {
		t.Errorf("%+v", config)
	}
}
