package deploy_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"testing"
	"time"

	"example.com/entracba/cba/deploy"
	"example.com/entracba/cba/pfx"
)

// passwords are those that somebody's format is known to stumble over.
var passwords = []string{
	"abcdefghijkmnpqrstuvwxyz",
	"it's", `say "hi"`, "a&b", "<script>", "100%PATH%", "wow!", "$HOME", "`id`", "two\nlines", "two\r\nlines",
	" blanks  inside ", "tab\there", `back\slash\`, `\"`, "^caret|pipe", "$(reboot)", "${x}", "'", `"`, "''", "%%", "-P", "--", "]]>", "<!--", "&#38;",
	"Pässwört", "smart ’quote‘", "日本語", "🔐", "12", "0x41", "@(1)", ";rm -rf /", "a\u00a0b",
}

type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue signs a certificate; a nil parent means that it signs itself.
func issue(t testing.TB, template *x509.Certificate, key *ecdsa.PrivateKey, parent *authority) *x509.Certificate {
	t.Helper()
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	if template.NotBefore.IsZero() {
		template.NotBefore = time.Now().Add(-time.Hour)
		template.NotAfter = time.Now().Add(24 * time.Hour)
	}
	signer, above := key, template
	if parent != nil {
		signer, above = parent.key, parent.cert
	}
	der, err := x509.CreateCertificate(rand.Reader, template, above, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func newAuthority(t testing.TB, name pkix.Name, parent *authority) *authority {
	t.Helper()
	key := newKey(t)
	return &authority{issue(t, &x509.Certificate{
		Subject: name, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, key, parent), key}
}

var rootSubject = pkix.Name{CommonName: "Contoso Root CA", Organization: []string{"Contoso"}}

// jane returns the package of jane@yourdomain.com, with this password.
func jane(t testing.TB, password string) deploy.Package {
	t.Helper()
	return packageFor(t, "jane@yourdomain.com", password, pfx.Compatible)
}

func packageFor(t testing.TB, upn, password string, encoding pfx.Encoding) deploy.Package {
	t.Helper()
	root := newAuthority(t, rootSubject, nil)
	key := newKey(t)
	cert := issue(t, &x509.Certificate{
		Subject:     pkix.Name{CommonName: upn},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, key, root)
	data, err := pfx.Encoder{Encoding: encoding, AllowNonASCIIPassword: true}.
		Encode(pfx.Bundle{Key: key, Certificate: cert, Chain: []*x509.Certificate{root.cert}, FriendlyName: upn}, password)
	if err != nil {
		t.Fatal(err)
	}
	return deploy.Package{UPN: upn, PFX: data, Password: password, Certificate: cert, Root: root.cert}
}

// sample is jane's package with a stand-in for the PFX, for tests of text alone.
func sample(t testing.TB) deploy.Package {
	t.Helper()
	p := jane(t, "abcdefghijkmnpqrstuvwxyz")
	p.PFX = []byte("stand-in for a PFX")
	return p
}

func thumbprint(c *x509.Certificate) string { return fmt.Sprintf("%X", sha1.Sum(c.Raw)) }

func reason(err error) deploy.Reason {
	var e *deploy.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Reason
}

var oidOrganizationalUnit = asn1.ObjectIdentifier{2, 5, 4, 11}
