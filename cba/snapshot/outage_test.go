package snapshot_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/cba/trust"
)

// An outageCA is made with crypto/x509 alone.
type outageCA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newOutageCA(t *testing.T, name string) outageCA {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: friday.AddDate(-1, 0, 0), NotAfter: friday.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return outageCA{cert, key}
}

func (ca outageCA) leaf(t *testing.T, serial int64) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "user"}, NotBefore: friday.AddDate(0, -1, 0), NotAfter: friday.AddDate(0, 6, 0)}, ca.cert, ca.key.Public(), ca.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func (ca outageCA) list(t *testing.T, at, next time.Time, revoked map[int64]time.Time) *crl.List {
	t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(at.Unix()), ThisUpdate: at, NextUpdate: next}
	for serial, when := range revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: big.NewInt(serial), RevocationTime: when, ReasonCode: 1})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, ca.cert, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := crl.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// The outage is the weekend of the guide: from Friday evening to Monday morning.
var friday, monday = time.Date(2026, 9, 4, 18, 0, 0, 0, time.UTC), time.Date(2026, 9, 7, 8, 0, 0, 0, time.UTC)

func entered(hours int, user string, code int) snapshot.SignIn {
	row := snapshot.Row{ID: user, CreatedDateTime: friday.Add(time.Duration(hours) * time.Hour), UserPrincipalName: user, CorrelationID: user}
	row.Status.ErrorCode = code
	s := snapshot.SignIn{Rows: []snapshot.Row{row}, Outcome: snapshot.Succeeded}
	if code != 0 {
		s.Outcome, s.Code = snapshot.Refused, code
	}
	return s
}

func all(list ...snapshot.SignIn) iter.Seq2[snapshot.SignIn, error] {
	return func(yield func(snapshot.SignIn, error) bool) {
		for _, s := range list {
			if !yield(s, nil) {
				return
			}
		}
	}
}

func TestOutage(t *testing.T) {
	listed, open := newOutageCA(t, "Listed"), newOutageCA(t, "Open")
	pki, err := trust.NewPKI("PKI", []*x509.Certificate{listed.cert, open.cert})
	if err != nil {
		t.Fatal(err)
	}
	pki.CertificateAuthorities[0].CertificateRevocationListURL = "http://crl.contoso.com/listed.crl"
	config := signin.Config{Policy: policy.ServiceDefault(), Trust: trust.Config{PKIs: trust.PKIs{pki}}}
	config.Policy.State = policy.Enabled
	certs := map[string]*x509.Certificate{
		"revoked": listed.leaf(t, 10), "later": listed.leaf(t, 11), "good": listed.leaf(t, 12), "late": listed.leaf(t, 13), "open": open.leaf(t, 20), "openrevoked": open.leaf(t, 21),
	}
	o := snapshot.Outage{From: friday, To: monday, Config: config,
		Certificate: func(s snapshot.SignIn) *x509.Certificate { return certs[s.UserPrincipalName()] },
		Lists: []*crl.List{
			listed.list(t, friday.Add(-time.Hour), friday.Add(48*time.Hour), nil),
			listed.list(t, monday.Add(time.Hour), monday.AddDate(0, 0, 7), map[int64]time.Time{10: friday.Add(2 * time.Hour), 11: friday.Add(30 * time.Hour)}),
			open.list(t, monday, monday.AddDate(0, 0, 7), map[int64]time.Time{21: friday.Add(-time.Hour)}),
			newOutageCA(t, "Listed").list(t, monday, monday.AddDate(0, 0, 7), map[int64]time.Time{12: friday}), // of this name, and not by it
			nil,
		},
	}
	log := all(entered(60, "good", 0), entered(59, "late", 0), entered(50, "stranger", 500173), entered(20, "later", 0), entered(10, "revoked", 0), entered(9, "open", 0),
		entered(8, "openrevoked", 0), entered(7, "stranger", 0), entered(-1, "before", 0), entered(63, "after", 0), entered(3, "stranger", 500173))
	r, err := o.Assess(log)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, ca := range r.CAs {
		cached := "no CRL of then"
		if !ca.CachedUntil.IsZero() {
			cached = ca.CachedUntil.Sub(friday).String()
		}
		got = append(got, fmt.Sprintf("%s %s %s", ca.Subject, ca.During, cached))
	}
	slices.Sort(got) // both CAs expire at once
	for _, s := range r.LetIn {
		got = append(got, fmt.Sprintf("%s %s %s %s", s.User, s.Checking, s.Revocation, s.Reason))
	}
	want := []string{
		"CN=Listed cached-crl 48h0m0s", "CN=Open not-checked no CRL of then",
		"good contradicted not-revoked unspecified", // after the cached CRL had expired
		"late contradicted not-revoked unspecified",
		"later cached-crl revoked-later keyCompromise",
		"revoked cached-crl revoked keyCompromise",
		"open not-checked not-revoked unspecified",
		"openrevoked not-checked revoked keyCompromise",
		"stranger ca-not-known not-known unspecified",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(r.Foreign) != 1 || len(r.Refused) != 1 || r.Refused[0] != (snapshot.Count{Name: "AADSTS500173", SignIns: 2}) || r.Count(snapshot.RevokedThen) != 2 {
		t.Errorf("%+v", r)
	}

	// Without the CRL of after, nothing is known of those whom the old one does not name.
	o.Lists = o.Lists[:1]
	if r, err = o.Assess(all(entered(10, "revoked", 0))); err != nil || r.LetIn[0].Revocation != snapshot.RevocationNotKnown {
		t.Errorf("%+v, %v", r.LetIn, err)
	}
	// CRL validation is required: the CA without one would have let nobody in.
	o.Config = config.Clone()
	o.Config.Policy.CRLValidation.State = policy.Enabled
	if r, err = o.Assess(all(entered(10, "open", 0))); err != nil || r.LetIn[0].Checking != snapshot.Contradicted {
		t.Errorf("%+v, %v", r.LetIn, err)
	}
	o.Config.Policy.CRLValidation.ExemptedSKIs = []string{fmt.Sprintf("%x", open.cert.SubjectKeyId)}
	if r, err = o.Assess(all(entered(10, "open", 0))); err != nil || r.LetIn[0].Checking != snapshot.ExemptedCA {
		t.Errorf("%+v, %v", r.LetIn, err)
	}
	// All CAs alike: which it was does not matter.
	o.Config.Trust.PKIs[0].CertificateAuthorities = o.Config.Trust.PKIs[0].CertificateAuthorities[:1]
	o.Certificate = nil
	if r, err = o.Assess(all(entered(10, "stranger", 0))); err != nil || r.LetIn[0].Checking != snapshot.CachedCRL || r.LetIn[0].Revocation != snapshot.RevocationNotKnown {
		t.Errorf("%+v, %v", r.LetIn, err)
	}
	// Of a store that is not known, no CA is like the others.
	o.Config.Missing = []string{"certificateBasedAuthConfiguration"}
	if r, err = o.Assess(all(entered(10, "stranger", 0))); err != nil || r.LetIn[0].Checking != snapshot.CANotKnown {
		t.Errorf("%+v, %v", r.LetIn, err)
	}
	o.Config.Missing = []string{"x509Certificate"}
	if _, err = o.Assess(nil); !errors.Is(err, snapshot.Malformed) {
		t.Errorf("whether CRLs are required is not known: %v", err)
	}
	// A CRL that had expired before the outage was not what was cached.
	o.Config.Missing = nil
	o.Lists = []*crl.List{listed.list(t, friday.AddDate(0, 0, -9), friday.AddDate(0, 0, -2), nil)}
	if r, err = o.Assess(all(entered(10, "stranger", 0))); err != nil || !r.CAs[0].CachedUntil.IsZero() || r.LetIn[0].Checking != snapshot.CachedCRL {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err = (snapshot.Outage{}).Assess(nil); err != nil || len(r.LetIn) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}
