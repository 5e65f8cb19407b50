package publish_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/crltest"
	"example.com/entracba/cba/crl/publish"
)

// contents writes a list as "number[<base] serial=reason ...".
func contents(l *crl.List) string {
	s := l.Number.String()
	if l.IsDelta() {
		s += "<" + l.BaseNumber.String()
	}
	for e := range l.All() {
		s += fmt.Sprintf(" %v=%v", e.Serial(), e.Reason)
	}
	return s
}

// A desk drives an issuer through a day of work.
type desk struct {
	*testing.T
	*publish.Issuer
	now time.Time
}

func (d *desk) revoke(serial int64, reason crl.RevocationReason) {
	d.Helper()
	if err := d.Revoke(ctx, crl.Revocation{Serial: big.NewInt(serial), Time: d.now, Reason: reason}); err != nil {
		d.Fatal(err)
	}
}

func (d *desk) release(serial int64) {
	d.Helper()
	if err := d.Release(ctx, big.NewInt(serial)); err != nil {
		d.Fatal(err)
	}
}

func (d *desk) base(want string, options ...publish.Options) *crl.List {
	d.Helper()
	return d.issued(want, d.Base, options)
}

func (d *desk) delta(want string, options ...publish.Options) *crl.List {
	d.Helper()
	return d.issued(want, d.Delta, options)
}

type issueFunc = func(ctx context.Context, o publish.Options) (*crl.List, error)

func (d *desk) issued(want string, issue issueFunc, options []publish.Options) *crl.List {
	d.Helper()
	o := publish.Options{}
	if len(options) > 0 {
		o = options[0]
	}
	d.now = d.now.Add(time.Hour)
	o.ThisUpdate = d.now
	list, err := issue(ctx, o)
	if err != nil {
		d.Fatal(err)
	}
	if got := contents(list); got != want {
		d.Fatalf("list %q, not %q", got, want)
	}
	return list
}

func newDesk(t *testing.T) *desk {
	return &desk{t, issuerOf(t, crltest.NewAuthority(t, "Woodgrove CA", "p256")), crltest.At()}
}

func TestBaseAndDelta(t *testing.T) {
	d := newDesk(t)
	if _, err := d.Delta(ctx, publish.Options{}); err == nil || !strings.Contains(err.Error(), "no base CRL") {
		t.Fatalf("a delta before any base: %v", err)
	}
	d.base("1")
	d.revoke(10, crl.KeyCompromise)
	d.revoke(11, crl.CertificateHold)
	d.delta("2<1 10=keyCompromise 11=certificateHold")
	d.delta("3<1 10=keyCompromise 11=certificateHold")
	d.revoke(12, crl.CertificateHold)
	d.release(12) // no list has had it: it is as if nothing had been
	d.release(11) // a delta has
	d.delta("4<1 10=keyCompromise 11=removeFromCRL")
	d.base("5 10=keyCompromise")
	d.delta("6<5")
	d.revoke(11, crl.CertificateHold) // again, after it was released
	d.revoke(13, crl.Unspecified)
	d.base("7 10=keyCompromise 11=certificateHold 13=unspecified")
	d.release(11)
	d.delta("8<7 11=removeFromCRL")
	d.revoke(11, crl.Superseded) // for good, before the release reached a base
	d.delta("9<7 11=superseded")
	d.revoke(13, crl.KeyCompromise) // a correction
	d.delta("10<7 11=superseded 13=keyCompromise")
	d.revoke(13, crl.KeyCompromise) // nothing new
	d.base("11 10=keyCompromise 11=superseded 13=keyCompromise", publish.Options{Number: 3})
	d.base("100 10=keyCompromise 11=superseded 13=keyCompromise", publish.Options{Number: 100})
	d.delta("101<100")

	var kept []string
	for r, err := range d.Revocations(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, fmt.Sprint(r.Serial, " ", r.Reason))
	}
	if diff := cmp.Diff([]string{"10 keyCompromise", "11 superseded", "13 keyCompromise"}, kept); diff != "" {
		t.Error(diff)
	}
	for range d.Revocations(ctx) {
		break // and the lock is free again
	}
	d.base("102 10=keyCompromise 11=superseded 13=keyCompromise")
}

// An entry leaves when a base list that was issued after the certificate's end
// has had it, and not before (RFC 5280 section 3.3).
func TestExpiredEntriesLeave(t *testing.T) {
	d := newDesk(t)
	err := d.Revoke(ctx, crl.Revocation{Serial: big.NewInt(1), Time: crltest.At(), Expires: crltest.At().Add(90 * time.Minute)},
		crl.Revocation{Serial: big.NewInt(2), Time: crltest.At(), Expires: crltest.At().AddDate(1, 0, 0)}, crl.Revocation{Serial: big.NewInt(3), Time: crltest.At()})
	if err != nil {
		t.Fatal(err)
	}
	d.base("1 1=unspecified 2=unspecified 3=unspecified") // at 1 h
	d.base("2 1=unspecified 2=unspecified 3=unspecified") // at 2 h: the first beyond the end
	d.base("3 2=unspecified 3=unspecified")
	// Revoked after its end: it still appears once.
	if err := d.Revoke(ctx, crl.Revocation{Serial: big.NewInt(4), Time: crltest.At(), Expires: crltest.At().Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	d.delta("4<3 4=unspecified")
	d.base("5 2=unspecified 3=unspecified 4=unspecified")
	d.base("6 2=unspecified 3=unspecified")
	// At the very end of the validity is not beyond it.
	if err := d.Revoke(ctx, crl.Revocation{Serial: big.NewInt(5), Time: crltest.At(), Expires: d.now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	d.base("7 2=unspecified 3=unspecified 5=unspecified")
	d.base("8 2=unspecified 3=unspecified 5=unspecified")
	d.base("9 2=unspecified 3=unspecified")
	var recorded []string
	for r, err := range d.Revocations(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		recorded = append(recorded, r.Serial.String())
	}
	if diff := cmp.Diff([]string{"2", "3"}, recorded); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}

func TestRevokeRefuses(t *testing.T) {
	d := newDesk(t)
	d.revoke(1, crl.KeyCompromise)
	d.revoke(2, crl.CertificateHold)
	number := func(n int64) *big.Int { return big.NewInt(n) }
	long := new(big.Int).Lsh(number(1), 159)
	for name, r := range map[string][]crl.Revocation{
		"no serial":              {{}},
		"negative serial":        {{Serial: number(-1)}},
		"21 octets":              {{Serial: long}},
		"the same twice":         {{Serial: number(3)}, {Serial: number(3)}},
		"a reason for deltas":    {{Serial: number(3), Reason: crl.RemoveFromCRL}},
		"a reason that is none":  {{Serial: number(3), Reason: 7}},
		"a reason below all":     {{Serial: number(3), Reason: -1}},
		"hold after revocation":  {{Serial: number(3)}, {Serial: number(1), Reason: crl.CertificateHold}},
		"a year before all":      {{Serial: number(3), Time: time.Date(1949, 1, 1, 0, 0, 0, 0, time.UTC)}},
		"an end after all years": {{Serial: number(3), Expires: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}},
	} {
		if err := d.Revoke(ctx, r...); err == nil || !strings.HasPrefix(err.Error(), "publish: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, serial := range []int64{1, 9} {
		if err := d.Release(ctx, number(2), number(serial)); !errors.Is(err, publish.NotOnHold) {
			t.Errorf("release of %d: %v", serial, err)
		}
	}
	if err := d.Release(ctx, nil); err == nil {
		t.Error("nil is released")
	}
	d.base("1 1=keyCompromise 2=certificateHold") // nothing of all that was recorded
	largest := new(big.Int).Sub(long, number(1))
	if err := d.Revoke(ctx, crl.Revocation{Serial: largest}, crl.Revocation{Serial: number(0)}); err != nil {
		t.Error(err)
	}
	d.base(fmt.Sprintf("2 1=keyCompromise 2=certificateHold %v=unspecified 0=unspecified", largest))
}

func TestOptions(t *testing.T) {
	d := newDesk(t)
	list := crltest.Must[*crl.List](t)(d.Base(ctx, publish.Options{ThisUpdate: crltest.At(), FreshestCRL: []string{"http://crl.woodgrove.com/d.crl"}}))
	if !list.NextUpdate.Equal(crltest.At().AddDate(0, 0, 7)) || !list.NextPublish.Equal(crltest.At().Add(7*24*time.Hour/4*3)) {
		t.Errorf("base: next update %v, next publish %v", list.NextUpdate, list.NextPublish)
	}
	if diff := cmp.Diff([]string{"http://crl.woodgrove.com/d.crl"}, list.FreshestCRL); diff != "" {
		t.Error(diff)
	}
	list = crltest.Must[*crl.List](t)(d.Delta(ctx, publish.Options{ThisUpdate: crltest.At()}))
	if !list.NextUpdate.Equal(crltest.At().AddDate(0, 0, 1)) {
		t.Errorf("delta: next update %v", list.NextUpdate)
	}
	far := time.Date(2055, 1, 2, 3, 4, 5, 999, time.UTC) // GeneralizedTime, and no fraction
	list = crltest.Must[*crl.List](t)(d.Base(ctx, publish.Options{ThisUpdate: crltest.At(), NextUpdate: far, NextPublish: far}))
	if !list.NextUpdate.Equal(far.Truncate(time.Second)) {
		t.Errorf("far: next update %v", list.NextUpdate)
	}
	for name, o := range map[string]publish.Options{
		"next update before this":    {ThisUpdate: crltest.At(), NextUpdate: crltest.At()},
		"next publish before this":   {ThisUpdate: crltest.At(), NextPublish: crltest.At().Add(-time.Second)},
		"next publish after update":  {ThisUpdate: crltest.At(), NextPublish: crltest.At().AddDate(0, 0, 8)},
		"SHA-1":                      {SignatureAlgorithm: x509.ECDSAWithSHA1},
		"an algorithm for other key": {SignatureAlgorithm: x509.SHA256WithRSA},
		"a number without an end":    {Number: 1<<62 + 1},
		"freshest over LDAP":         {FreshestCRL: []string{"ldap:///CN=a"}},
	} {
		if list, err := d.Base(ctx, o); err == nil || list != nil {
			t.Errorf("%s: %v, %v", name, list, err)
		}
	}
	if _, err := d.Delta(ctx, publish.Options{FreshestCRL: []string{"http://crl.woodgrove.com/d.crl"}}); err == nil {
		t.Error("a delta with a freshest CRL")
	}
}

func TestIssuerRefuses(t *testing.T) {
	ca, other := crltest.NewAuthority(t, "Woodgrove CA", "p256"), crltest.NewAuthority(t, "Contoso CA", "p256")
	store := publish.FileStore{Path: filepath.Join(t.TempDir(), "ledger")}
	change := func(f func(*x509.Certificate)) crltest.Authority {
		return crltest.NewAuthority(t, "Woodgrove CA", "p256", f)
	}
	noSign := change(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })
	noCA := crltest.NewAuthority(t, "Woodgrove CA", "p256").Leaf(t, 5)
	bare := *ca.Cert
	bare.SubjectKeyId = nil
	for name, issuer := range map[string]*publish.Issuer{
		"nothing":        {},
		"no key":         {Certificate: ca.Cert, Store: store},
		"no store":       {Certificate: ca.Cert, Key: ca.Key},
		"no path":        {Certificate: ca.Cert, Key: ca.Key, Store: publish.FileStore{}},
		"another key":    {Certificate: ca.Cert, Key: other.Key, Store: store},
		"no key id":      {Certificate: &bare, Key: ca.Key, Store: store},
		"may not sign":   {Certificate: noSign.Cert, Key: noSign.Key, Store: store},
		"no authority":   {Certificate: noCA, Key: ca.Key, Store: store},
		"a broken token": {Certificate: ca.Cert, Key: brokenToken{ca.Key, other.Key}, Store: store},
	} {
		if list, err := issuer.Base(ctx, publish.Options{}); err == nil || list != nil {
			t.Errorf("%s: %v, %v", name, list, err)
		}
	}
	// A ledger stays with its authority.
	issuer := &publish.Issuer{Certificate: ca.Cert, Key: ca.Key, Store: store}
	if _, err := issuer.Base(ctx, publish.Options{}); err != nil {
		t.Fatal(err)
	}
	issuer = &publish.Issuer{Certificate: other.Cert, Key: other.Key, Store: store}
	if _, err := issuer.Base(ctx, publish.Options{}); err == nil || !strings.Contains(err.Error(), "another CA") {
		t.Errorf("%v", err)
	}
}

// A brokenToken says that it has one key and signs with another.
type brokenToken struct{ says, signs crypto.Signer }

func (b brokenToken) Public() crypto.PublicKey { return b.says.Public() }
func (b brokenToken) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return b.signs.Sign(r, digest, o)
}

// A base list becomes what deltas continue when Publish has succeeded. Numbers
// are never used twice, whatever fails.
func TestPublish(t *testing.T) {
	d := newDesk(t)
	var published []string
	upload := publish.Options{Publish: func(_ context.Context, l *crl.List) error { published = append(published, contents(l)); return nil }}
	fail := publish.Options{Publish: func(_ context.Context, l *crl.List) error {
		published = append(published, "failed "+contents(l))
		return errors.New("no space")
	}}
	d.revoke(1, crl.CertificateHold)
	d.base("1 1=certificateHold", upload)
	d.release(1)
	if _, err := d.Base(ctx, fail); err == nil || !strings.Contains(err.Error(), "no space") {
		t.Fatal(err)
	}
	// The failed base is none: the release still has to be told.
	d.delta("3<1 1=removeFromCRL", upload)
	if _, err := d.Delta(ctx, fail); err == nil {
		t.Fatal("a delta that was not published")
	}
	d.base("5", upload)
	d.delta("6<5", upload)
	want := []string{"1 1=certificateHold", "failed 2", "3<1 1=removeFromCRL", "failed 4<1 1=removeFromCRL", "5", "6<5"}
	if diff := cmp.Diff(want, published); diff != "" {
		t.Error(diff)
	}
	// A panic in Publish must not leave the store locked.
	func() {
		defer func() { recover() }()
		d.Base(ctx, publish.Options{Publish: func(_ context.Context, _ *crl.List) error { panic("oh") }})
	}()
	d.base("8")
}

// A damaged ledger issues nothing: not one bit of it can be changed, nothing cut
// off or added.
func TestLedgerDamage(t *testing.T) {
	d := newDesk(t)
	d.revoke(1, crl.KeyCompromise)
	d.base("1 1=keyCompromise")
	path := d.Store.(publish.FileStore).Path
	good := crltest.Must[[]byte](t)(os.ReadFile(path))
	try := func(what string, content []byte) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if list, err := d.Base(ctx, publish.Options{ThisUpdate: crltest.At()}); err == nil || list != nil {
			t.Fatalf("%s: a list is issued", what)
		}
		if err := d.Revoke(ctx, crl.Revocation{Serial: big.NewInt(2)}); err == nil {
			t.Fatalf("%s: a revocation is recorded", what)
		}
		if after := crltest.Must[[]byte](t)(os.ReadFile(path)); string(after) != string(content) {
			t.Fatalf("%s: the ledger was changed", what)
		}
	}
	for i := range good {
		changed := append([]byte(nil), good...)
		changed[i] ^= 1
		try(fmt.Sprintf("byte %d", i), changed)
		try(fmt.Sprintf("%d bytes", i), good[:i])
	}
	try("a line more", append(append([]byte(nil), good...), "end\n"...))
	try("a line twice", append(append([]byte(nil), good...), good...))
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	d.base("2 1=keyCompromise")
}

// TestOldStore restores a store from a backup that is older than the CRLs that are out: no number
// is used again, and no revocation is forgotten.
func TestOldStore(t *testing.T) {
	d := newDesk(t)
	store := d.Store.(publish.FileStore)
	d.revoke(1, crl.KeyCompromise)
	d.revoke(2, crl.CertificateHold)
	d.revoke(3, crl.CertificateHold)
	d.base("1 1=keyCompromise 2=certificateHold 3=certificateHold")
	backup := map[string][]byte{}
	for _, name := range []string{store.Path, store.Path + ".state"} {
		backup[name] = crltest.Must[[]byte](t)(os.ReadFile(name))
	}
	restore := func() {
		for name, text := range backup {
			if err := os.WriteFile(name, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	d.revoke(2, crl.Superseded)
	d.revoke(4, crl.CertificateHold)
	base := d.base("2 1=keyCompromise 2=superseded 3=certificateHold 4=certificateHold")
	d.revoke(5, crl.AffiliationChanged)
	d.release(4)
	delta := d.delta("3<2 4=removeFromCRL 5=affiliationChanged")

	both := publish.Options{Published: []*crl.List{nil, delta, base}}
	restore()
	want := "1=keyCompromise 2=superseded 3=certificateHold 5=affiliationChanged"
	next := d.base("4 "+want, both)
	if err := next.CheckAfter(delta); err != nil {
		t.Error(err)
	}
	// A store that is up to date takes nothing over: what expired or was released stays away.
	d.release(3)
	d.base("5 1=keyCompromise 2=superseded 5=affiliationChanged", publish.Options{Published: []*crl.List{next}})
	// The delta CRL tells what the old base CRL did not.
	restore()
	d.delta("4<1 2=superseded 5=affiliationChanged", both)
	// A new store for a CA whose CRLs came from another program.
	d.Store = publish.FileStore{Path: filepath.Join(t.TempDir(), "new")}
	d.base("4 1=keyCompromise 2=superseded 3=certificateHold 5=affiliationChanged", both)

	other := newDesk(t).base("1")
	if _, err := d.Base(ctx, publish.Options{Published: []*crl.List{other}}); !errors.Is(err, publish.BadOptions) {
		t.Errorf("a CRL of another CA: %v", err)
	}
}

// TestOldStoreHold restores a store in which a certificate was taken off hold, and that was put on
// hold again: it stays on hold.
func TestOldStoreHold(t *testing.T) {
	d := newDesk(t)
	store := d.Store.(publish.FileStore)
	d.revoke(1, crl.CertificateHold)
	d.base("1 1=certificateHold")
	d.release(1)
	backup := map[string][]byte{}
	for _, name := range []string{store.Path, store.Path + ".state"} {
		backup[name] = crltest.Must[[]byte](t)(os.ReadFile(name))
	}
	d.revoke(1, crl.CertificateHold)
	again := d.base("2 1=certificateHold")
	for name, text := range backup {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.base("3 1=certificateHold", publish.Options{Published: []*crl.List{again}})
}

// TestNewStoreAfterNumberZero takes over from a program whose first CRL has the number 0.
func TestNewStoreAfterNumberZero(t *testing.T) {
	d := newDesk(t)
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: new(big.Int), ThisUpdate: d.now, NextUpdate: d.now.Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(7), RevocationTime: d.now, ReasonCode: 1}},
	}, d.Certificate, d.Key)
	if err != nil {
		t.Fatal(err)
	}
	d.base("1 7=keyCompromise", publish.Options{Published: []*crl.List{crltest.Must[*crl.List](t)(crl.Parse(der))}})
}
