package lifecycle_test

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/publish"
	"example.com/entracba/cba/lifecycle"
	"example.com/entracba/cba/lint"
	"github.com/google/go-cmp/cmp"
)

// Everything of a plan that a machine does is done, from its JSON: the lists say
// that the certificates are revoked, and the account has no values left.
func TestLeavingCarriedOut(t *testing.T) {
	contoso, woodgrove := newCA(t, "Contoso Root CA"), newCA(t, "Woodgrove Root CA")
	certs := []*x509.Certificate{contoso.issue(jane, -30, newKey(t)), woodgrove.issue(jane, -20, newKey(t)), contoso.issue(jane, -10, newKey(t))}
	expired := contoso.issue(jane, -500, newKey(t))
	revoked := contoso.issue(jane, -40, newKey(t))
	account := lifecycle.Account{User: jane, IDs: set(t, id(t, certs[0], certuserid.SKI), id(t, certs[1], certuserid.SKI))}
	held := []lifecycle.HeldCertificate{{Certificate: certs[0]}, {Certificate: certs[1]}, {Certificate: certs[2]}, {Certificate: expired}, {revoked, now.AddDate(0, 0, -1)}, {Certificate: certs[0]}}
	plan, err := lifecycle.PlanLeaving(account, held, now, lifecycle.LeavingOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"leaving-expired", "leaving-revoked"}, codes(plan.Findings)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	data, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	plan = lifecycle.Leaving{}
	if err := json.Unmarshal(data, &plan); err != nil {
		t.Fatal(err)
	}

	issuers := map[string]*publish.Issuer{}
	for _, ca := range []ca{contoso, woodgrove} {
		issuer := &publish.Issuer{Certificate: ca.Certificate, Key: ca.Key, Store: &publish.FileStore{Path: filepath.Join(t.TempDir(), "ledger")}}
		if _, err := issuer.Base(t.Context(), publish.Options{ThisUpdate: now.Add(-time.Hour)}); err != nil {
			t.Fatal(err)
		}
		issuers[ca.Certificate.Subject.String()] = issuer
	}
	var kinds []lifecycle.Kind
	var requests []string
	listed := map[string]crl.RevocationReason{}
	for _, action := range plan.Actions {
		kinds = append(kinds, action.Kind)
		if action.What == "" || action.Source == "" {
			t.Errorf("an action that is not whole: %+v", action)
		}
		if r := action.Request; r != nil {
			requests = append(requests, r.Method+" "+r.Path+" "+string(r.Body))
		}
		switch action.Kind {
		case lifecycle.RevokeCertificates:
			var revocations []crl.Revocation
			for _, r := range action.Revocations {
				revocation, err := r.CRL()
				if err != nil {
					t.Fatal(err)
				}
				revocations = append(revocations, revocation)
			}
			if err := issuers[action.Authority.Name].Revoke(t.Context(), revocations...); err != nil {
				t.Fatal(err)
			}
		case lifecycle.PublishDelta:
			list, err := issuers[action.Authority.Name].Delta(t.Context(), publish.Options{ThisUpdate: now})
			if err != nil {
				t.Fatal(err)
			}
			for entry := range list.All() {
				listed[entry.Serial().String()] = entry.Reason
			}
		case lifecycle.RemoveIDs:
			left, err := action.Change.Apply(account.IDs)
			if err != nil || left.Len() > 0 {
				t.Errorf("values %q are left, %v", left.Values(), err)
			}
		}
	}
	want := map[string]crl.RevocationReason{}
	for _, cert := range certs {
		want[cert.SerialNumber.String()] = crl.AffiliationChanged
	}
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("revoked (-want +got):\n%s", diff)
	}
	order := []lifecycle.Kind{lifecycle.BlockSignIn, lifecycle.RevokeSessions, lifecycle.DisableDevices,
		lifecycle.RevokeCertificates, lifecycle.RevokeCertificates, lifecycle.PublishDelta, lifecycle.PublishDelta,
		lifecycle.RemoveIDs, lifecycle.RemoveCertificates, lifecycle.DestroyCopies}
	if diff := cmp.Diff(order, kinds); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		`PATCH /users/jane@yourdomain.com {"accountEnabled":false}`,
		`POST /users/jane@yourdomain.com/revokeSignInSessions `,
		`GET /users/jane@yourdomain.com/registeredDevices `,
	}, requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestLeavingFindings(t *testing.T) {
	cert := newCA(t, "Contoso Root CA").issue(jane, 0, newKey(t))
	bare := *cert
	bare.AuthorityKeyId = nil
	known := set(t, id(t, cert, certuserid.SKI))
	tests := []struct {
		reason  string
		account lifecycle.Account
		held    []lifecycle.HeldCertificate
		codes   []string
		first   lifecycle.Kind
	}{
		{"nothing", lifecycle.Account{IDs: known}, []lifecycle.HeldCertificate{{Certificate: cert}}, nil, lifecycle.BlockSignIn},
		{"no certificates", lifecycle.Account{}, nil, []string{"leaving-no-certificates"}, lifecycle.BlockSignIn},
		{"a value of a certificate that is not there", lifecycle.Account{IDs: set(t, "X509:<SKI>0102")}, []lifecycle.HeldCertificate{{Certificate: cert}}, []string{"leaving-unknown-value"}, lifecycle.BlockSignIn},
		{"synchronised", lifecycle.Account{Synced: true}, []lifecycle.HeldCertificate{{Certificate: cert}}, []string{"leaving-synced"}, lifecycle.DisableOnPremises},
		{"no key identifier", lifecycle.Account{}, []lifecycle.HeldCertificate{{Certificate: &bare}}, []string{"leaving-no-key-identifier"}, lifecycle.BlockSignIn},
	}
	var fired lint.Findings
	for _, test := range tests {
		test.account.User = "o'hara/../x@yourdomain.com"
		plan, err := lifecycle.PlanLeaving(test.account, test.held, now, lifecycle.LeavingOptions{Reason: crl.KeyCompromise})
		if err != nil {
			t.Fatal(err)
		}
		fired = append(fired, plan.Findings...)
		if diff := cmp.Diff(test.codes, codes(plan.Findings)); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", test.reason, diff)
		}
		if plan.Actions[0].Kind != test.first {
			t.Errorf("%s: the first action is %v", test.reason, plan.Actions[0].Kind)
		}
		at := slices.IndexFunc(plan.Actions, func(a lifecycle.Action) bool { return a.Kind == lifecycle.BlockSignIn })
		if got, want := plan.Actions[at].Request.Path, "/users/o%27hara%2F..%2Fx@yourdomain.com"; got != want {
			t.Errorf("path = %s, want %s", got, want)
		}
	}
	ended := newCA(t, "Contoso Root CA").issue(jane, -500, newKey(t))
	plan, err := lifecycle.PlanLeaving(lifecycle.Account{User: jane}, []lifecycle.HeldCertificate{{Certificate: ended}, {cert, now}}, now, lifecycle.LeavingOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wantRules(t, "leaving-", append(fired, plan.Findings...))
}

func TestRevocationErrors(t *testing.T) {
	for _, serial := range []string{"", "xyz", "-1"} {
		if _, err := (lifecycle.Revocation{Serial: serial}).CRL(); !errors.Is(err, lifecycle.BadSerial) {
			t.Errorf("%q: %v", serial, err)
		}
	}
}

func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for k := lifecycle.BlockSignIn; k <= lifecycle.DestroyCopies; k++ {
		text, err := k.MarshalText()
		var back lifecycle.Kind
		if err != nil || back.UnmarshalText(text) != nil || back != k || seen[string(text)] {
			t.Errorf("%d: %q, %v", k, text, err)
		}
		seen[string(text)] = true
	}
	if len(seen) != 9 {
		t.Errorf("%d kinds", len(seen))
	}
	for _, k := range []lifecycle.Kind{0, 10} {
		if _, err := k.MarshalText(); err == nil {
			t.Errorf("kind %d has a text", k)
		}
	}
	var k lifecycle.Kind
	if k.UnmarshalText([]byte("leave")) == nil {
		t.Error("leave is a kind")
	}
}
