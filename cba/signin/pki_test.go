package signin_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/san"
)

// The world of the tests: authorities, user certificates and revocation lists,
// made by the standard library from the tables below. Keys come from names and
// ECDSA signs without randomness, so the bytes are the same each time; -update
// writes them to testdata/pki, and TestWorld compares.

var (
	worldStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	worldEnd   = time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)
	worldNow   = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
)

// A fixedKey signs the same message the same way.
type fixedKey struct{ *ecdsa.PrivateKey }

func (k fixedKey) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.PrivateKey.Sign(nil, digest, opts)
}

func keyOf(name string) fixedKey {
	seed := sha256.Sum256([]byte("entracba signin test " + name))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
	if err != nil {
		panic(err)
	}
	return fixedKey{key}
}

// A certSpec is one certificate. What is left empty is what a good one has.
type certSpec struct {
	ca       bool
	issuer   string // name in the world; "" is self-signed
	subject  string // most specific part first; "-" is empty
	key      string // name of the key, if not that of the certificate
	signer   string // name of the key that signs, if not the issuer's
	serial   int64
	names    []string // "upn:..." and "email:..."
	policies []string
	from, to time.Time
	noAKI    bool
	akiOf    string // name of the key that the authority key identifier names, if not the issuer's
	noSKI    bool
	noCA     bool // an authority without the CA flag
	pathLen  int  // -1: zero
	usage    x509.KeyUsage
	noIssuer bool // the issuer's name is empty
	padding  int  // bytes of an extension that nobody knows
	many     int  // policy OIDs
}

var bob = []string{"upn:bob@woodgrove.com"}

// worldCerts are the certificates by name: authorities first, in an order in
// which issuers stand before what they issue.
var worldCerts = func() []namedSpec {
	list := []namedSpec{
		{"woodgrove", certSpec{ca: true, subject: "CN=WoodgroveCA"}},
		{"other", certSpec{ca: true, subject: "CN=OtherCA"}},
		{"ca1", certSpec{ca: true, subject: "CN=CA1"}},
		{"ca2", certSpec{ca: true, subject: "CN=CA2"}},
		{"cbatest", certSpec{ca: true, subject: "CN=CBATestRootProd"}},
		{"contoso-root", certSpec{ca: true, subject: "CN=Contoso Root,DC=contoso,DC=com"}},
		{"contoso", certSpec{ca: true, issuer: "contoso-root", subject: "CN=ContosoCA,DC=contoso,DC=com", serial: 1001}},
		{"contoso-two", certSpec{ca: true, issuer: "contoso-root", subject: "CN=ContosoCA 2,DC=contoso,DC=com", serial: 1002}},
		{"expired-root", certSpec{ca: true, subject: "CN=Expired Root", to: worldNow.AddDate(0, 0, -1)}},
		{"under-expired", certSpec{ca: true, issuer: "expired-root", subject: "CN=Under Expired"}},
		{"expired-ca", certSpec{ca: true, issuer: "contoso-root", subject: "CN=Expired CA", to: worldNow.AddDate(0, 0, -1)}},
		{"future-ca", certSpec{ca: true, issuer: "contoso-root", subject: "CN=Future CA", from: worldNow.AddDate(0, 0, 1)}},
		{"woodgrove-false", certSpec{ca: true, subject: "CN=WoodgroveCA", key: "false"}}, // the name alone
		{"no-ca-flag", certSpec{ca: true, issuer: "contoso-root", subject: "CN=No CA Flag", noCA: true}},
		{"path-zero", certSpec{ca: true, subject: "CN=Path Zero", pathLen: -1}},
		{"below-path-zero", certSpec{ca: true, issuer: "path-zero", subject: "CN=Below Path Zero"}},
		{"no-cert-sign", certSpec{ca: true, issuer: "contoso-root", subject: "CN=No Cert Sign", usage: x509.KeyUsageCRLSign}},
		{"no-crl-sign", certSpec{ca: true, subject: "CN=No CRL Sign", usage: x509.KeyUsageCertSign}},
		{"no-ski", certSpec{ca: true, subject: "CN=No SKI", noSKI: true}},
		{"no-aki-ca", certSpec{ca: true, issuer: "contoso-root", subject: "CN=No AKI CA", noAKI: true}},
		{"forged-ca", certSpec{ca: true, issuer: "contoso-root", subject: "CN=Forged CA", signer: "false"}},
		// A circle: each of the two has issued the other.
		{"circle-a", certSpec{ca: true, subject: "CN=Circle A"}},
		{"circle-b", certSpec{ca: true, issuer: "circle-a", subject: "CN=Circle B"}},
		{"circle-a-again", certSpec{ca: true, issuer: "circle-b", subject: "CN=Circle A", key: "circle-a"}},
		{"quote", certSpec{ca: true, subject: `CN=Woodgrove\, Inc. CA,O=Woodgrove`}},
		{"deep-1", certSpec{ca: true, subject: "CN=Deep 1"}},
	}
	for i := 2; i <= 11; i++ {
		list = append(list, namedSpec{fmt.Sprintf("deep-%d", i), certSpec{ca: true, issuer: fmt.Sprintf("deep-%d", i-1), subject: fmt.Sprintf("CN=Deep %d", i)}})
	}
	for _, n := range []int{5, 6, 10, 11} {
		list = append(list, namedSpec{fmt.Sprintf("bob-deep-%d", n), certSpec{issuer: fmt.Sprintf("deep-%d", n), names: bob}})
	}
	policies := func(oids ...string) []string { return oids }
	return append(list, []namedSpec{
		{"bob", certSpec{issuer: "woodgrove", names: bob, serial: 0x100}},
		{"bob-1234", certSpec{issuer: "woodgrove", names: bob, policies: policies("1.2.3.4")}},
		{"bob-other", certSpec{issuer: "other", names: bob}},
		{"bob-other-1234", certSpec{issuer: "other", names: bob, policies: policies("1.2.3.4", "2.9.9")}},
		{"bob-123456", certSpec{issuer: "woodgrove", names: bob, policies: policies("1.2.3.4.5.6")}},
		{"bob-ca1", certSpec{issuer: "ca1", names: bob}},
		{"bob-ca1-a", certSpec{issuer: "ca1", names: bob, policies: policies("1.2.3.4.5")}},
		{"bob-ca2-a", certSpec{issuer: "ca2", names: bob, policies: policies("1.2.3.4.5")}},
		{"bob-a-b", certSpec{issuer: "woodgrove", names: bob, policies: policies("1.2.3.4.5", "1.2.3.4.6")}},
		{"bob-cbatest", certSpec{issuer: "cbatest", names: bob, policies: policies("1.3.4.5.6", "1.2.3.4.6"), serial: 0x320}},
		{"bob-9875", certSpec{issuer: "woodgrove", names: bob, policies: policies("2.9.8.7.5")}},
		{"bob-any", certSpec{issuer: "woodgrove", names: bob, policies: policies("2.5.29.32.0")}},
		{"bob-six", certSpec{issuer: "woodgrove", names: bob, policies: policies("1.7.1", "1.2.3.4", "1.3.1", "1.4.1", "1.5.1", "1.6.1")}},
		{"bob-ten", certSpec{issuer: "woodgrove", names: bob, policies: policies("1.9.1", "1.10.1", "1.11.1", "1.12.1", "1.13.1", "1.14.1")}},
		{"bob-two", certSpec{issuer: "woodgrove", names: bob, serial: 0x200}},
		{"bob-contoso", certSpec{issuer: "contoso", names: bob, subject: "CN=Bob,DC=contoso,DC=com", serial: 0x300}},
		{"bob-contoso-two", certSpec{issuer: "contoso-two", names: bob}},
		{"bob-quote", certSpec{issuer: "quote", names: bob, serial: 0x310}},
		{"email", certSpec{issuer: "woodgrove", names: []string{"email:bob@woodgrove.com"}}},
		{"wrong-upn-email", certSpec{issuer: "woodgrove", names: []string{"upn:x@y", "email:bob@woodgrove.com"}}},
		{"wrong-upn", certSpec{issuer: "woodgrove", names: []string{"upn:x@y"}}},
		{"alice", certSpec{issuer: "woodgrove", names: []string{"upn:alice@woodgrove.com"}}},
		{"edipi", certSpec{issuer: "woodgrove", names: []string{"upn:123456789098765@mil"}}},
		{"local", certSpec{issuer: "woodgrove", names: []string{"upn:user@woodgrove.local"}}},
		{"two-upns", certSpec{issuer: "woodgrove", names: []string{"upn:x@y", "upn:bob@woodgrove.com"}}},
		{"upper", certSpec{issuer: "woodgrove", names: []string{"upn:BOB@Woodgrove.com"}}},
		{"bob-high-serial", certSpec{issuer: "woodgrove", names: bob, serial: 0xb0}},
		{"bob-expired", certSpec{issuer: "woodgrove", names: bob, to: worldNow.AddDate(0, 0, -1)}},
		{"bob-future", certSpec{issuer: "woodgrove", names: bob, from: worldNow.AddDate(0, 0, 1)}},
		{"bob-revoked", certSpec{issuer: "woodgrove", names: bob, serial: 0x666}},
		{"bob-held", certSpec{issuer: "woodgrove", names: bob, serial: 0x667}},
		{"bob-delta-revoked", certSpec{issuer: "woodgrove", names: bob, serial: 0x668}},
		{"bob-forged", certSpec{issuer: "woodgrove", names: bob, signer: "false"}},
		{"bob-expired-root", certSpec{issuer: "under-expired", names: bob}},
		{"bob-expired-ca", certSpec{issuer: "expired-ca", names: bob}},
		{"bob-future-ca", certSpec{issuer: "future-ca", names: bob}},
		{"bob-no-ca-flag", certSpec{issuer: "no-ca-flag", names: bob}},
		{"bob-path", certSpec{issuer: "below-path-zero", names: bob}},
		{"bob-no-cert-sign", certSpec{issuer: "no-cert-sign", names: bob}},
		{"bob-no-crl-sign", certSpec{issuer: "no-crl-sign", names: bob}},
		{"bob-no-ski-ca", certSpec{issuer: "no-ski", names: bob}},
		{"bob-no-aki-ca", certSpec{issuer: "no-aki-ca", names: bob}},
		{"bob-forged-ca", certSpec{issuer: "forged-ca", names: bob}},
		{"bob-circle", certSpec{issuer: "circle-b", names: bob}},
		{"bob-no-aki", certSpec{issuer: "woodgrove", names: bob, noAKI: true}},
		{"bob-no-ski", certSpec{issuer: "woodgrove", names: bob, noSKI: true}},
		{"no-san", certSpec{issuer: "woodgrove"}},
		{"bob-no-aki-forged", certSpec{issuer: "woodgrove", names: bob, noAKI: true, signer: "false", serial: 0x900}},
		{"bob-no-aki-expired-root", certSpec{issuer: "expired-root", names: bob, noAKI: true, serial: 0x902}},
		{"bob-contoso-no-aki", certSpec{issuer: "contoso", names: bob, noAKI: true, serial: 0x903}},
		{"bob-aki-no-ski-ca", certSpec{issuer: "no-ski", names: bob, akiOf: "no-ski", serial: 0x901}},
		{"no-san-ski", certSpec{issuer: "woodgrove", noSKI: true, serial: 0x777}},
		{"empty-issuer", certSpec{issuer: "woodgrove", names: bob, noIssuer: true}},
		{"empty-names", certSpec{issuer: "woodgrove", subject: "-", noIssuer: true, noSKI: true}},
		{"many-policies", certSpec{issuer: "woodgrove", names: bob, many: 1000}},
		{"self-signed", certSpec{subject: "CN=bob@woodgrove.com", names: bob, noAKI: true}},
	}...)
}()

type namedSpec struct {
	name string
	spec certSpec
}

// A listSpec is one revocation list.
type listSpec struct {
	name     string
	ca       string
	signer   string // name of the key that signs, if not the authority's
	aki      string // name of the authority whose key identifier it has, if not its own
	revoked  []int64
	held     []int64
	released []int64
	number   int64 // zero: 5
	base     int64 // a delta list that continues this one
	from, to time.Time
	padding  int  // bytes of an extension that nobody knows
	freshest bool // it says where deltas are, without which OpenSSL takes none
}

var worldLists = []listSpec{
	{name: "woodgrove", ca: "woodgrove", freshest: true, revoked: []int64{0x666}, held: []int64{0x667}},
	{name: "other", ca: "other"},
	{name: "ca1", ca: "ca1"},
	{name: "ca2", ca: "ca2"},
	{name: "cbatest", ca: "cbatest"},
	{name: "quote", ca: "quote"},
	{name: "contoso-root", ca: "contoso-root", revoked: []int64{1002}},
	{name: "contoso", ca: "contoso"},
	{name: "contoso-two", ca: "contoso-two"},
	{name: "contoso-root-expired", ca: "contoso-root", from: worldNow.AddDate(0, -2, 0), to: worldNow.AddDate(0, -1, 0)},
	{name: "woodgrove-expired", ca: "woodgrove", from: worldNow.AddDate(0, -2, 0), to: worldNow.AddDate(0, 0, -1)},
	{name: "woodgrove-future", ca: "woodgrove", from: worldNow.AddDate(0, 0, 1)},
	{name: "woodgrove-wrong-key", ca: "woodgrove", signer: "false"},
	{name: "woodgrove-wrong-aki", ca: "woodgrove", aki: "other"},
	{name: "woodgrove-delta", ca: "woodgrove", number: 6, base: 5, revoked: []int64{0x668}, released: []int64{0x667}},
	{name: "woodgrove-delta-expired", ca: "woodgrove", number: 6, base: 5, from: worldNow.AddDate(0, 0, -9), to: worldNow.AddDate(0, 0, -1)},
	{name: "woodgrove-delta-ahead", ca: "woodgrove", number: 9, base: 8},
	{name: "woodgrove-delta-wrong-key", ca: "woodgrove", number: 6, base: 5, signer: "false"},
	{name: "no-crl-sign", ca: "no-crl-sign"},
}

// A world is everything, by name.
type world struct {
	certs map[string]*x509.Certificate
	files map[string][]byte // of testdata/pki
}

func keyName(n namedSpec) string {
	if n.spec.key != "" {
		return n.spec.key
	}
	return n.name
}

func makeWorld() (*world, error) {
	w := &world{map[string]*x509.Certificate{}, map[string][]byte{}}
	keys := map[string]fixedKey{}
	for i, n := range worldCerts {
		keys[n.name] = keyOf(keyName(n))
		cert, err := w.certificate(n, int64(i)+0x10, keys)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.name, err)
		}
		w.certs[n.name] = cert
		w.files[n.name+".pem"] = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	}
	for _, l := range worldLists {
		der, err := w.list(l, keys)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", l.name, err)
		}
		w.files[l.name+".crl"] = der
	}
	w.files["woodgrove-pem.crl"] = pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: w.files["woodgrove.crl"]})
	w.files["page.crl"] = []byte("<!DOCTYPE html>\n<title>404</title>\n")
	w.files["empty.crl"] = nil
	w.files["certificate.crl"] = w.certs["woodgrove"].Raw
	w.files["cut.crl"] = w.files["woodgrove.crl"][:100]
	return w, nil
}

func rawName(text string) ([]byte, error) {
	if text == "-" {
		return []byte{0x30, 0}, nil
	}
	name, err := dn.Parse(text)
	if err != nil {
		return nil, err
	}
	return name.Marshal()
}

func orTime(t, otherwise time.Time) time.Time {
	if t.IsZero() {
		return otherwise
	}
	return t
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// keyID is not that of the key: two certificates of one key may differ in it.
func keyID(name string) []byte {
	sum := sha256.Sum256([]byte("key identifier of " + name))
	return sum[:20]
}

func (w *world) certificate(n namedSpec, serial int64, keys map[string]fixedKey) (*x509.Certificate, error) {
	s := n.spec
	if s.serial != 0 {
		serial = s.serial
	}
	subject, err := rawName(orText(s.subject, "CN="+n.name))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), RawSubject: subject,
		NotBefore: orTime(s.from, worldStart), NotAfter: orTime(s.to, worldEnd),
		KeyUsage: x509.KeyUsageDigitalSignature, SubjectKeyId: keyID(keyName(n)),
	}
	if !s.ca {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	} else {
		template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		if s.usage != 0 {
			template.KeyUsage = s.usage
		}
		template.BasicConstraintsValid, template.IsCA = true, !s.noCA
		if s.pathLen < 0 {
			template.MaxPathLenZero = true
		}
	}
	if s.noSKI {
		template.SubjectKeyId = nil
		if s.ca { // the library would make one for a CA
			template.BasicConstraintsValid, template.IsCA = false, false
			template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{
				Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: []byte{0x30, 3, 1, 1, 0xff}})
		}
	}
	oids := s.policies
	for i := range s.many {
		oids = append(oids, fmt.Sprintf("1.2.3.%d", i))
	}
	for _, text := range oids {
		oid, err := x509.ParseOID(text)
		if err != nil {
			return nil, err
		}
		template.Policies = append(template.Policies, oid)
	}
	var names []san.Name
	for _, text := range s.names {
		kind, value, _ := strings.Cut(text, ":")
		names = append(names, san.Name{Kind: map[string]san.Kind{"upn": san.UPN, "email": san.Email}[kind], Value: value})
	}
	if names != nil {
		der, err := san.Marshal(names)
		if err != nil {
			return nil, err
		}
		template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: san.Extension(), Value: der})
	}
	if s.padding > 0 {
		template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{
			Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Value: bytes.Repeat([]byte{4}, s.padding)})
	}
	parent, signer := template, keys[n.name]
	if s.issuer != "" {
		issuer := *w.certs[s.issuer]
		parent, signer = &issuer, keys[s.issuer]
	}
	if s.noAKI {
		parent.SubjectKeyId, parent.AuthorityKeyId = nil, nil
		if parent == template {
			template.SubjectKeyId = nil
		}
	}
	if s.akiOf != "" {
		parent.SubjectKeyId = keyID(s.akiOf)
	}
	if s.noIssuer {
		parent.RawSubject = []byte{0x30, 0}
	}
	if s.signer != "" {
		// A foreign signature: the certificate is made with the foreign key and the
		// true parent's name and identifier.
		signer = keyOf(s.signer)
		parent.PublicKey = signer.Public()
	}
	der, err := x509.CreateCertificate(nil, template, parent, keys[n.name].Public(), signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func (w *world) list(s listSpec, keys map[string]fixedKey) ([]byte, error) {
	ca := *w.certs[s.ca]
	signer := keys[s.ca]
	if s.signer != "" {
		signer = keyOf(s.signer)
		ca.PublicKey = signer.Public()
	}
	if s.aki != "" {
		ca.SubjectKeyId = w.certs[s.aki].SubjectKeyId
	}
	ca.KeyUsage |= x509.KeyUsageCRLSign
	template := &x509.RevocationList{
		Number: big.NewInt(5), ThisUpdate: orTime(s.from, worldNow.AddDate(0, 0, -1)), NextUpdate: orTime(s.to, worldNow.AddDate(0, 1, 0)),
	}
	if s.number != 0 {
		template.Number = big.NewInt(s.number)
	}
	if s.base != 0 {
		der, err := asn1.Marshal(big.NewInt(s.base))
		if err != nil {
			return nil, err
		}
		template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: der}}
	}
	if s.freshest { // CRLDistributionPoints with one fullName URI (RFC 5280 section 5.2.6)
		where := url("delta")
		n := byte(len(where))
		value := append([]byte{0x30, n + 8, 0x30, n + 6, 0xa0, n + 4, 0xa0, n + 2, 0x86, n}, where...)
		template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 46}, Value: value})
	}
	if s.padding > 0 {
		template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{
			Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Value: bytes.Repeat([]byte{4}, s.padding)})
	}
	for _, group := range []struct {
		reason  int
		serials []int64
	}{{1, s.revoked}, {6, s.held}, {8, s.released}} {
		for _, serial := range group.serials {
			template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{
				SerialNumber: big.NewInt(serial), RevocationTime: worldNow.AddDate(0, 0, -2), ReasonCode: group.reason})
		}
	}
	return x509.CreateRevocationList(nil, template, &ca, signer)
}

var worldFolder = filepath.Join("testdata", "pki")

// theWorld is made once for all tests of a run.
func theWorld(tb testing.TB) *world {
	tb.Helper()
	w, err := madeWorld()
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

// updateWorld writes the files if -update asks for it.
func updateWorld(t *testing.T) {
	t.Helper()
	if !*update {
		return
	}
	if err := os.RemoveAll(worldFolder); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(worldFolder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range theWorld(t).files {
		if err := os.WriteFile(filepath.Join(worldFolder, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWorld compares the files with what the tables make.
func TestWorld(t *testing.T) {
	updateWorld(t)
	w := theWorld(t)
	for name, content := range w.files {
		path := filepath.Join(worldFolder, name)
		if on, err := os.ReadFile(path); err != nil || !bytes.Equal(on, content) {
			t.Errorf("%s is not what the tables make (%v); go test -update writes it", path, err)
		}
	}
	entries, err := os.ReadDir(worldFolder)
	if err != nil || len(entries) != len(w.files) || len(entries) < 80 {
		t.Errorf("%d files, want %d (%v)", len(entries), len(w.files), err)
	}
}
