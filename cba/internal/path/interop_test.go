package path_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"example.com/entracba/cba/internal/interop"
	"example.com/entracba/cba/internal/path"
)

// OpenSSL compares the issuer and the serial number of an authority key identifier, too:
// what it takes for another CA's is what is said to be.
func TestAuthorityCertAgreesWithOpenSSL(t *testing.T) {
	openssl := interop.Find(t, "openssl")
	root, ica, other := newCA(t, "Root"), newCA(t, "ICA"), newCA(t, "Other")
	rootCert, otherCert := root.issue(t, root, nil), other.issue(t, other, nil)
	issuing := root.issue(t, ica, nil)
	der := func(v any) []byte {
		t.Helper()
		out, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	id := general(t, 0, false, ica.ski)
	issuer := func(name []byte) []byte { return general(t, 1, true, general(t, 4, true, name)) }
	serial := func(n *big.Int) []byte {
		out := der(n)
		out[0] = 0x82
		return out
	}
	folder := t.TempDir()
	write := func(name string, certs ...*x509.Certificate) string {
		var text []byte
		for _, c := range certs {
			text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
		}
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	roots, between := write("root.pem", rootCert), write("ica.pem", issuing)
	for name, test := range map[string]struct {
		value []byte
		named bool
		same  bool
	}{
		"key only":                  {sequence(t, id), false, true},
		"all, right":                {sequence(t, id, issuer(rootCert.RawSubject), serial(issuing.SerialNumber)), true, true},
		"another serial number":     {sequence(t, id, issuer(rootCert.RawSubject), serial(otherCert.SerialNumber)), true, false},
		"another issuer":            {sequence(t, id, issuer(otherCert.RawSubject), serial(issuing.SerialNumber)), true, false},
		"a negative one":            {sequence(t, id, issuer(rootCert.RawSubject), serial(big.NewInt(-5))), true, false},
		"without a key, right":      {sequence(t, issuer(rootCert.RawSubject), serial(issuing.SerialNumber)), true, true},
		"without a key, another's":  {sequence(t, issuer(otherCert.RawSubject), serial(otherCert.SerialNumber)), true, false},
		"two names, one of them it": {sequence(t, id, general(t, 1, true, general(t, 2, false, []byte("a.b")), general(t, 4, true, rootCert.RawSubject)), serial(issuing.SerialNumber)), true, true},
	} {
		t.Run(name, func(t *testing.T) {
			leaf := ica.issue(t, newCA(t, "user"), func(c *x509.Certificate) {
				c.IsCA, c.KeyUsage = false, x509.KeyUsageDigitalSignature
				c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 35}, Value: test.value}}
			})
			cert, named := path.AuthorityCertOf(leaf)
			if named != test.named || named && cert.Names(issuing) != test.same {
				t.Errorf("named %v, the CA's %v", named, cert.Names(issuing))
			}
			r := openssl.Try(t, nil, "verify", "-attime", strconv.FormatInt(now.Unix(), 10), "-CAfile", roots, "-untrusted", between, write("leaf.pem", leaf))
			if (r.Code == 0) != test.same {
				t.Errorf("OpenSSL: %d, %s%s", r.Code, r.Stdout, r.Stderr)
			}
		})
	}
}
