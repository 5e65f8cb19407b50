package path_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"slices"
	"testing"
	"time"

	"example.com/entracba/cba/internal/path"
)

var now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

type node = path.Node[string]

// A ca is a key with a name; its certificates are made by issue.
type ca struct {
	name string
	key  crypto.Signer
	ski  []byte
}

var serial int64

func newCA(tb testing.TB, name string) ca {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	serial++
	return ca{name, key, big.NewInt(serial + 1000).Bytes()}
}

// issue makes a certificate for below, signed by c.
func (c ca) issue(tb testing.TB, below ca, change func(*x509.Certificate)) *x509.Certificate {
	tb.Helper()
	serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: below.name},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, SubjectKeyId: below.ski, AuthorityKeyId: c.ski,
	}
	if change != nil {
		change(template)
	}
	parent := &x509.Certificate{Subject: pkix.Name{CommonName: c.name}, SubjectKeyId: c.ski}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, below.key.Public(), c.key)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return cert
}

func until(t time.Time) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotAfter = t }
}

// find builds a set of the certificates and returns the names on the way, in
// every order in which they can be given if there are few, else in some.
func find(t *testing.T, leaf *x509.Certificate, o path.Options, certs map[string]*x509.Certificate) (string, bool) {
	t.Helper()
	names := make([]string, 0, len(certs))
	for name := range certs {
		names = append(names, name)
	}
	slices.Sort(names)
	var answer string
	for n := range 30 {
		var nodes []*node
		for _, i := range mathrand.Perm(len(names)) {
			nodes = append(nodes, &node{Certificate: certs[names[i]], Value: names[i]})
		}
		for _, match := range []path.Match{path.ByName, path.ByKeyID} {
			set := path.NewSet(append(nodes, nodes[0]), match)
			set.Link()
			way, complete := set.Find(set.Issuers(nil, leaf), o)
			got := ""
			for _, n := range way {
				got += " " + n.Value
			}
			got = fmt.Sprint(got, complete)
			if n > 0 && got != answer {
				t.Fatalf("the order of the certificates matters: %q and %q", answer, got)
			}
			answer = got
		}
	}
	return answer, true
}

func TestFind(t *testing.T) {
	root, p, ica, next, other := newCA(t, "Root"), newCA(t, "P"), newCA(t, "ICA"), newCA(t, "ICA"), newCA(t, "Other")
	user := newCA(t, "user")
	leaf := ica.issue(t, user, nil)
	rootCert := root.issue(t, root, nil)
	expired := until(now.AddDate(0, -1, 0))
	type certs = map[string]*x509.Certificate
	for _, test := range []struct {
		name  string
		leaf  *x509.Certificate
		certs certs
		want  string
	}{
		{"nothing fits", leaf, certs{"root": rootCert}, "false"},
		{"a plain way", leaf, certs{"ica": p.issue(t, ica, nil), "p": root.issue(t, p, nil), "root": rootCert}, " ica p roottrue"},
		{"an expired parent beside a valid one", leaf, certs{
			"ica": p.issue(t, ica, nil), "old": root.issue(t, p, expired), "new": root.issue(t, p, nil), "root": rootCert,
		}, " ica new roottrue"},
		{"the valid one is the shorter-lived way", leaf, certs{
			"ica": p.issue(t, ica, nil), "future": root.issue(t, p, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.AddDate(0, 1, 0), now.AddDate(9, 0, 0) }),
			"p": root.issue(t, p, nil), "root": rootCert,
		}, " ica p roottrue"},
		{"of two valid ones, that which lives longer", leaf, certs{
			"ica": p.issue(t, ica, nil), "short": root.issue(t, p, until(now.AddDate(0, 1, 0))), "long": root.issue(t, p, nil), "root": rootCert,
		}, " ica long roottrue"},
		{"expired, and nothing else", leaf, certs{"ica": root.issue(t, ica, expired), "root": rootCert}, " ica roottrue"},
		{"a gap", leaf, certs{"ica": p.issue(t, ica, nil), "root": rootCert}, " icafalse"},
		{"a new key under the old one is no root", next.issue(t, user, nil), certs{
			"new with old": ica.issue(t, next, nil), "old": p.issue(t, ica, nil), "p": root.issue(t, p, nil), "root": rootCert,
		}, " new with old old p roottrue"},
		{"a cross-certificate leads to a root that is there", leaf, certs{
			"ica": p.issue(t, ica, nil), "cross": other.issue(t, p, nil), "other": other.issue(t, other, nil), "p": root.issue(t, p, nil),
		}, " ica cross othertrue"},
		{"a circle", leaf, certs{"ica": p.issue(t, ica, nil), "p by other": other.issue(t, p, nil), "other by p": p.issue(t, other, nil)}, " ica p by other other by pfalse"},
		{"a circle with a way out", leaf, certs{
			"ica": p.issue(t, ica, nil), "p by other": other.issue(t, p, nil), "other by p": p.issue(t, other, nil), "p": root.issue(t, p, nil), "root": rootCert,
		}, " ica p roottrue"},
		{"a way whose path length is too short, beside a longer way", leaf, certs{
			"ica": p.issue(t, ica, nil), "p": root.issue(t, p, func(c *x509.Certificate) { c.MaxPathLenZero = true; c.NotAfter = now.AddDate(5, 0, 0) }),
			"cross": other.issue(t, p, nil), "other by root": root.issue(t, other, nil), "root": rootCert,
		}, " ica cross other by root roottrue"},
		{"self-issued CAs do not count for the path length", next.issue(t, user, nil), certs{
			"new with old": ica.issue(t, next, nil), "old": root.issue(t, ica, func(c *x509.Certificate) { c.MaxPathLenZero = true }), "root": rootCert,
		}, " new with old old roottrue"},
		{"an impostor of the same name and key identifier", leaf, certs{
			"ica": p.issue(t, ica, nil), "impostor": root.issue(t, ca{p.name, other.key, p.ski}, func(c *x509.Certificate) { c.NotAfter = now.AddDate(9, 0, 0) }),
			"p": root.issue(t, p, nil), "root": rootCert,
		}, " ica p roottrue"},
		{"not a CA, beside one", leaf, certs{
			"ica": p.issue(t, ica, nil), "no": root.issue(t, p, func(c *x509.Certificate) { c.IsCA = false; c.NotAfter = now.AddDate(9, 0, 0) }),
			"p": root.issue(t, p, nil), "root": rootCert,
		}, " ica p roottrue"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, _ := find(t, test.leaf, path.Options{At: now}, test.certs); got != test.want {
				t.Errorf("way %q, want %q", got, test.want)
			}
		})
	}
}

func TestDepth(t *testing.T) {
	root, p, ica := newCA(t, "Root"), newCA(t, "P"), newCA(t, "ICA")
	leaf := ica.issue(t, newCA(t, "user"), nil)
	certs := map[string]*x509.Certificate{"ica": p.issue(t, ica, nil), "p": root.issue(t, p, nil), "root": root.issue(t, root, nil)}
	for _, depth := range []int{0, 1, 2, 3, 9} {
		// Too few is disregarded in the end: the way that fails least.
		if got, _ := find(t, leaf, path.Options{At: now, MaxDepth: depth}, certs); got != " ica p roottrue" {
			t.Errorf("depth %d: %q", depth, got)
		}
	}
	certs["short"] = root.issue(t, ica, until(now.AddDate(0, 0, 1)))
	if got, _ := find(t, leaf, path.Options{At: now, MaxDepth: 2}, certs); got != " short roottrue" {
		t.Errorf("%q", got)
	}
}

func TestEmpty(t *testing.T) {
	set := path.NewSet[string](nil, path.ByName)
	set.Link()
	if way, complete := set.Find(set.Issuers(nil, &x509.Certificate{}), path.Options{At: now}); way != nil || complete {
		t.Errorf("%v, %v", way, complete)
	}
	if found := path.Check(&x509.Certificate{}, []*x509.Certificate{{}}, now); len(found) == 0 {
		t.Error("nothing is wrong with nothing")
	}
}

// The key of an issuer is looked at before it is used: a large one costs seconds.
func TestVerifyLooksAtTheKeyFirst(t *testing.T) {
	c := newCA(t, "CA")
	cert := c.issue(t, c, nil)
	if path.Verify(cert, cert) != path.Proven || path.Verify(cert, newCA(t, "CA").issue(t, newCA(t, "x"), nil)) != path.Disproven {
		t.Error("the signature of a key is not told from that of another")
	}
	if got := path.Verify(cert, &x509.Certificate{PublicKeyAlgorithm: x509.RSA, PublicKey: hugeKey()}); got != path.Unchecked {
		t.Errorf("a key of 65,536 bits: %v", got)
	}
}

// Check agrees with crypto/x509 about CA flag, path length, key usage, extended
// key usage and validity.
func TestCheckAgreesWithX509(t *testing.T) {
	root, p, ica := newCA(t, "Root"), newCA(t, "P"), newCA(t, "ICA")
	changes := []struct {
		name string
		do   func(*x509.Certificate)
		want path.Cause
	}{
		{"nothing", func(*x509.Certificate) {}, 0},
		{"not a CA", func(c *x509.Certificate) { c.IsCA = false }, path.NotCA},
		{"no basic constraints", func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = false, false }, path.NotCA},
		{"path length 0", func(c *x509.Certificate) { c.MaxPathLenZero = true }, path.PathTooLong},
		{"path length 1", func(c *x509.Certificate) { c.MaxPathLen = 1 }, path.PathTooLong},
		{"no keyCertSign", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }, path.NoCertSign},
		{"expired", until(now.Add(-time.Second)), path.Expired},
		{"expires now", until(now), 0},
		{"not yet valid", func(c *x509.Certificate) { c.NotBefore = now.Add(time.Second) }, path.NotYetValid},
		{"code signing", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }, path.UsageNotAllowed},
		{"client authentication", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, 0},
		{"any usage", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }, 0},
		{"an unknown critical extension", func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}
		}, path.UnknownCritical},
	}
	for place := 1; place <= 3; place++ {
		for _, change := range changes {
			at := func(n int) func(*x509.Certificate) {
				if n == place {
					return change.do
				}
				return nil
			}
			leaf := ica.issue(t, newCA(t, "user"), func(c *x509.Certificate) {
				c.IsCA, c.KeyUsage, c.ExtKeyUsage = false, x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
			})
			cas := []*x509.Certificate{p.issue(t, ica, at(1)), root.issue(t, p, at(2)), root.issue(t, root, at(3))}
			roots, between := x509.NewCertPool(), x509.NewCertPool()
			between.AddCert(cas[0])
			between.AddCert(cas[1])
			roots.AddCert(cas[2])
			_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
			found := path.Check(leaf, cas, now)
			// crypto/x509 takes a root for one whatever it says of itself.
			if place < 3 && (err == nil) != (len(found) == 0) {
				t.Errorf("%s at %d: crypto/x509 %v, ours %v", change.name, place, err, found)
			}
			if change.want == 0 || change.want == path.PathTooLong && !slices.ContainsFunc(found, func(p path.Problem) bool { return p.Cause == change.want }) {
				if len(found) != 0 {
					t.Errorf("%s at %d: %v", change.name, place, found)
				}
				continue
			}
			if len(found) != 1 || found[0].Cause != change.want || found[0].At != place || found[0].Detail == "" {
				t.Errorf("%s at %d: %v", change.name, place, found)
			}
		}
	}
	// The wrong CA above.
	leaf := ica.issue(t, newCA(t, "user"), nil)
	if found := path.Check(leaf, []*x509.Certificate{root.issue(t, root, nil)}, now); len(found) != 1 || found[0].Cause != path.WrongName || found[0].At != 0 {
		t.Errorf("%v", found)
	}
	if found := path.Check(leaf, nil, time.Time{}); len(found) != 0 {
		t.Errorf("nothing above: %v", found)
	}
	if !bytes.Equal(leaf.AuthorityKeyId, ica.ski) {
		t.Error("the helper does not write key identifiers")
	}
}

// A CA that certified its own new key counts neither for path lengths (RFC 5280
// section 4.2.1.9) nor for name constraints (section 6.1.3 (b)).
func TestCheckSelfIssued(t *testing.T) {
	root, old := newCA(t, "Root"), newCA(t, "ICA")
	next, last := newCA(t, "ICA"), newCA(t, "Low")
	us, err := asn1.Marshal(pkix.Name{Country: []string{"US"}}.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	limit := func(c *x509.Certificate) {
		c.MaxPathLenZero = true
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 30}, Critical: true,
			Value: sequence(t, general(t, 0, true, sequence(t, general(t, 4, true, us))))}}
	}
	inUS := func(c *x509.Certificate) { c.Subject = pkix.Name{Country: []string{"US"}, CommonName: "jane"} }
	cas := []*x509.Certificate{old.issue(t, next, nil), root.issue(t, old, limit), root.issue(t, root, nil)}
	if found := path.Check(next.issue(t, newCA(t, "user"), inUS), cas, now); len(found) != 0 {
		t.Errorf("self-issued: %v", found)
	}
	// The twin: a CA of another name counts for both.
	cas[0] = old.issue(t, last, nil)
	found := path.Check(last.issue(t, newCA(t, "user"), inUS), cas, now)
	if len(found) != 2 || found[0].Cause != path.PathTooLong || found[1].Cause != path.NameNotAllowed {
		t.Errorf("another CA: %v", found)
	}
}

// A certificate that crypto/x509 reads has the validity that it says, also that of the year 1.
func TestPeriodOfTheYearOne(t *testing.T) {
	root := newCA(t, "root")
	cert := root.issue(t, root, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Time{}, time.Time{} })
	if path.PeriodUnread(cert) || path.PeriodOf(cert, now) != path.Expired {
		t.Errorf("%v to %v: unread %v, %v", cert.NotBefore, cert.NotAfter, path.PeriodUnread(cert), path.PeriodOf(cert, now))
	}
}
