package cba_test

import (
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
)

// now is the clock of these tests.
var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

// keys are made once for all tests.
var keys = struct {
	sync.Mutex
	made map[string]crypto.Signer
}{made: map[string]crypto.Signer{}}

// testKey returns the key of this type and number.
func testKey(tb testing.TB, t cba.KeyType, who string) crypto.Signer {
	tb.Helper()
	keys.Lock()
	defer keys.Unlock()
	name := t.String() + who
	if keys.made[name] == nil {
		key, err := t.Generate()
		if err != nil {
			tb.Fatal(err)
		}
		keys.made[name] = key
	}
	return keys.made[name]
}

func parseName(tb testing.TB, text string) dn.Name {
	tb.Helper()
	name, err := dn.Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	return name
}

// oid reads an object identifier in dotted form.
func oid(tb testing.TB, text string) x509.OID {
	tb.Helper()
	id, err := x509.ParseOID(text)
	if err != nil {
		tb.Fatal(err)
	}
	return id
}

func parseSID(tb testing.TB, text string) cba.SID {
	tb.Helper()
	sid, err := cba.ParseSID(text)
	if err != nil {
		tb.Fatal(err)
	}
	return sid
}

// newRoot makes a root with a key of type t at the tests' time.
func newRoot(tb testing.TB, t cba.KeyType) *cba.Issuer {
	tb.Helper()
	root, err := cba.NewRoot(tb.Context(), cba.Authority{
		Name: parseName(tb, "CN=Contoso Root CA,DC=contoso,DC=com"),
		Key:  testKey(tb, t, "root"),
		Now:  clock,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return root
}

// newIssuing makes an intermediate with a key of type t under a root on P-256:
// large RSA keys are slow to make.
func newIssuing(tb testing.TB, t cba.KeyType) *cba.Issuer {
	tb.Helper()
	issuing, err := newRoot(tb, cba.P256).NewIntermediate(tb.Context(), cba.Authority{
		Name: parseName(tb, "CN=Contoso Issuing CA,DC=contoso,DC=com"),
		Key:  testKey(tb, t, "issuing"),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return issuing
}

var jane = cba.Subject{UPN: "jane@yourdomain.com"}

// issue issues for jane's key and fails the test if it does not work.
func issue(tb testing.TB, i *cba.Issuer, s cba.Subject, p cba.Profile) *x509.Certificate {
	tb.Helper()
	cert, err := i.Issue(tb.Context(), testKey(tb, cba.P256, "jane").Public(), s, p)
	if err != nil {
		tb.Fatal(err)
	}
	return cert
}

// unhex reads hexadecimal with spaces between.
func unhex(tb testing.TB, text string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// wantReason fails unless err is an *cba.Error with this reason.
func wantReason(tb testing.TB, err error, want cba.Reason) {
	tb.Helper()
	e, ok := err.(*cba.Error)
	if !ok {
		tb.Fatalf("error is %T (%v), want *cba.Error with reason %v", err, err, want)
	}
	if e.Reason != want || !errors.Is(err, want) || errors.Is(err, cba.Reason("")) {
		tb.Errorf("reason = %v, want %v (%v)", e.Reason, want, err)
	}
}
