package signin_test

import (
	"context"
	"crypto/x509"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/publish"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
)

// publishedStore is a store of one CA that publishes at url, and its CRL.
func publishedStore(t *testing.T, url string) (*trust.Store, *crl.List) {
	t.Helper()
	name, err := dn.Parse("CN=Publisher")
	if err != nil {
		t.Fatal(err)
	}
	ca, err := cba.NewRoot(t.Context(), cba.Authority{Name: name, KeyType: cba.P256})
	if err != nil {
		t.Fatal(err)
	}
	pki, err := trust.NewPKI("Contoso PKI", ca.CACertificates())
	if err != nil {
		t.Fatal(err)
	}
	pki.CertificateAuthorities[0].CertificateRevocationListURL = url
	store, err := trust.Config{PKIs: trust.PKIs{pki}}.Compile(trust.Options{})
	if err != nil {
		t.Fatal(err)
	}
	issuer := publish.Issuer{Certificate: ca.Certificate, Key: ca.Key, Store: publish.FileStore{Path: filepath.Join(t.TempDir(), "crl")}}
	list, err := issuer.Base(t.Context(), publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return store, list
}

const publishedURL = "http://crl.contoso.com/root.crl"

// crlFindingTests make the rules about published CRLs fire; what depends on the
// clock is judged without waiting for it.
var crlFindingTests = []struct {
	name  string
	code  string
	worst lint.Severity
	later time.Duration
	edit  func(*signin.PublishedCRL)
}{
	{name: "good", worst: lint.Info, edit: func(p *signin.PublishedCRL) { p.Took = 100 * time.Millisecond }},
	{name: "slow", code: "signin-crl-slow", worst: lint.Warning, edit: func(p *signin.PublishedCRL) { p.Took = 6 * time.Second }},
	{name: "not valid yet", code: "crl-not-yet-valid", worst: lint.Error, later: -48 * time.Hour, edit: func(p *signin.PublishedCRL) {}},
	{name: "a delta CRL without its base", code: "crl-delta-without-base", worst: lint.Error, edit: func(p *signin.PublishedCRL) { p.Delta = true }},
	{name: "unusable", code: "signin-crl-unusable", worst: lint.Error, edit: func(p *signin.PublishedCRL) {
		p.List, p.Err = nil, &crl.Error{Reason: crl.Download}
	}},
	{name: "of an expired CA", code: "signin-crl-of-expired-ca", worst: lint.Info, later: 50 * 366 * 24 * time.Hour, edit: func(p *signin.PublishedCRL) {
		p.List, p.Err = nil, &crl.Error{Reason: crl.Download}
	}},
}

func TestCRLFindings(t *testing.T) {
	store, list := publishedStore(t, publishedURL)
	for _, test := range crlFindingTests {
		p := signin.PublishedCRL{CA: store.CAs()[0], URL: publishedURL, List: list}
		test.edit(&p)
		found := signin.CRLFindings([]signin.PublishedCRL{p}, time.Now().Add(test.later))
		if test.code != "" && !found.Has(test.code) || found.Worst() > test.worst || test.code != "" && found.Worst() != test.worst {
			t.Errorf("%s: want %s and at worst %v, got %v", test.name, test.code, test.worst, found)
		}
		if test.name == "of an expired CA" && len(found) != 1 {
			t.Errorf("%s: %d findings", test.name, len(found))
		}
	}
	if found := signin.CRLFindings([]signin.PublishedCRL{{}}, time.Now()); found != nil {
		t.Errorf("findings about no CA: %v", found)
	}
}

type failing struct{ err error }

func (f failing) Fetch(context.Context, string, *x509.Certificate) (*crl.List, error) {
	return nil, f.err
}

func TestFetchCRLs(t *testing.T) {
	store, list := publishedStore(t, publishedURL)
	got, err := signin.FetchCRLs(t.Context(), crl.Static(map[string][]byte{publishedURL: list.Raw}), store)
	if err != nil || len(got) != 1 || got[0].List == nil || got[0].URL != publishedURL || got[0].CA != store.CAs()[0] {
		t.Fatalf("%+v, %v", got, err)
	}
	// What cannot be had is an answer; what stops the work is an error.
	got, err = signin.FetchCRLs(t.Context(), crl.Static(nil), store)
	if err != nil || len(got) != 1 || got[0].Err == nil {
		t.Errorf("%+v, %v", got, err)
	}
	stopped := errors.New("stopped")
	if got, err = signin.FetchCRLs(t.Context(), failing{stopped}, store); !errors.Is(err, stopped) || got != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = signin.FetchCRLs(t.Context(), nil, nil); err != nil || len(got) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}
