package trust_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"testing"
	"time"

	"example.com/entracba/cba/trust"
)

// now is the time of all tests; certificates are valid from a year before it to
// two years after it unless a test says otherwise.
var now = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// An entity is a certificate with its key.
type entity struct {
	*x509.Certificate
	key crypto.Signer
}

// A spec says how a certificate differs from a plain one of its kind.
type spec struct {
	name             string
	key              crypto.Signer // nil: a new one
	from, to         time.Time
	ski, aki         []byte // nil: the usual ones
	noSKI, noAKI     bool
	signer           crypto.Signer // nil: the issuer's key
	notCA            bool
	pathLen          *int
	usage            x509.KeyUsage
	crl, delta       []string
	issuer           string // nil: the issuer's subject
	policies         []string
	algorithm        x509.SignatureAlgorithm
	extra            []pkix.Extension
	emptyName, noUse bool
	subject          *pkix.Name
}

func newKey(tb testing.TB) crypto.Signer {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

var oidBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}

// make issues a certificate; a nil issuer makes it self-signed.
func issue(tb testing.TB, issuer *entity, ca bool, s spec) *entity {
	tb.Helper()
	if s.key == nil {
		s.key = newKey(tb)
	}
	if s.from.IsZero() {
		s.from = now.AddDate(-1, 0, 0)
	}
	if s.to.IsZero() {
		s.to = now.AddDate(2, 0, 0)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)),
		Subject:      pkix.Name{CommonName: s.name},
		NotBefore:    s.from, NotAfter: s.to,
		CRLDistributionPoints: s.crl,
		SignatureAlgorithm:    s.algorithm,
		KeyUsage:              s.usage,
		ExtraExtensions:       s.extra,
		SubjectKeyId:          s.ski,
	}
	if s.subject != nil {
		template.Subject = *s.subject
	}
	if s.emptyName {
		template.Subject = pkix.Name{}
	}
	for _, p := range s.policies {
		oid, err := x509.ParseOID(p)
		if err != nil {
			tb.Fatal(err)
		}
		template.Policies = append(template.Policies, oid)
	}
	if len(s.delta) > 0 {
		template.ExtraExtensions = append(template.ExtraExtensions, freshestCRL(tb, s.delta))
	}
	if template.SubjectKeyId == nil && !s.noSKI {
		spki, err := x509.MarshalPKIXPublicKey(s.key.Public())
		if err != nil {
			tb.Fatal(err)
		}
		sum := sha256.Sum256(spki)
		template.SubjectKeyId = sum[:20]
	}
	switch {
	case ca && s.noSKI: // crypto/x509 would add one to a CA
		template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: oidBasicConstraints, Critical: true, Value: []byte{0x30, 3, 1, 1, 0xff}})
	case ca:
		template.BasicConstraintsValid, template.IsCA = true, !s.notCA
		if s.pathLen != nil {
			template.MaxPathLen, template.MaxPathLenZero = *s.pathLen, *s.pathLen == 0
		}
	}
	if template.KeyUsage == 0 && !s.noUse {
		template.KeyUsage = x509.KeyUsageDigitalSignature
		if ca {
			template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		}
	}
	parent, signer := *template, s.key
	if issuer != nil {
		parent, signer = *issuer.Certificate, issuer.key
	}
	if s.signer != nil {
		signer, parent.PublicKey = s.signer, nil
	}
	if s.aki != nil {
		parent.SubjectKeyId = s.aki
		template.AuthorityKeyId = s.aki // for a self-signed one
	}
	if s.noAKI {
		parent.SubjectKeyId = nil
	}
	if s.issuer != "" {
		parent.RawSubject, parent.Subject = nil, pkix.Name{CommonName: s.issuer}
	}
	var der []byte
	fips140.WithoutEnforcement(func() { // with keys, too, that the mode refuses
		der, err = x509.CreateCertificate(rand.Reader, template, &parent, s.key.Public(), signer)
	})
	if err != nil {
		tb.Fatalf("%s: %v", s.name, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatalf("%s: %v", s.name, err)
	}
	return &entity{cert, s.key}
}

func freshestCRL(tb testing.TB, urls []string) pkix.Extension {
	tb.Helper()
	type name struct {
		Full []asn1.RawValue `asn1:"tag:0"`
	}
	type point struct {
		Name name `asn1:"tag:0"`
	}
	var points []point
	for _, u := range urls {
		points = append(points, point{name{[]asn1.RawValue{{Class: 2, Tag: 6, Bytes: []byte(u)}}}})
	}
	der, err := asn1.Marshal(points)
	if err != nil {
		tb.Fatal(err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 46}, Value: der}
}

func root(tb testing.TB, s spec) *entity             { return issue(tb, nil, true, s) }
func (e *entity) ca(tb testing.TB, s spec) *entity   { tb.Helper(); return issue(tb, e, true, s) }
func (e *entity) user(tb testing.TB, s spec) *entity { tb.Helper(); return issue(tb, e, false, s) }
func certs(entities ...*entity) []*x509.Certificate  { return certsOf(entities) }
func certsOf(entities []*entity) []*x509.Certificate {
	list := make([]*x509.Certificate, len(entities))
	for i, e := range entities {
		list[i] = e.Certificate
	}
	return list
}

// configOf puts CAs into one PKI.
func configOf(tb testing.TB, entities ...*entity) trust.Config {
	tb.Helper()
	pki, err := trust.NewPKI("Contoso PKI", certsOf(entities))
	if err != nil {
		tb.Fatal(err)
	}
	return trust.Config{PKIs: trust.PKIs{pki}}
}

func compile(tb testing.TB, config trust.Config, options trust.Options) *trust.Store {
	tb.Helper()
	store, err := config.Compile(options)
	if err != nil {
		tb.Fatal(err)
	}
	return store
}

func storeOf(tb testing.TB, entities ...*entity) *trust.Store {
	tb.Helper()
	return compile(tb, configOf(tb, entities...), trust.Options{})
}

// names returns the common names of the chain's CAs.
func names(c trust.Chain) []string {
	var list []string
	for _, ca := range c.CAs {
		list = append(list, ca.Certificate.Subject.CommonName)
	}
	return list
}

// causes returns what is wrong with a chain as "cause@place code".
func causes(c trust.Chain) []string {
	var list []string
	for _, f := range c.Failures {
		list = append(list, fmt.Sprintf("%v@%d %s", f.Cause, f.At, f.Code))
	}
	return list
}
