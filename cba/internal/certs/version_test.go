package certs_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"

	"example.com/entracba/cba/internal/certs"
)

// Extensions of certificates whose version has none are read, as OpenSSL reads them,
// and everything else is that of the certificate.
func TestOldVersions(t *testing.T) {
	mail := pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: []byte("\x30\x0d\x81\x0bjane@a.test")}
	three := made(t, mail)
	broken := made(t, mail, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 35}, Value: []byte{4, 0}})
	version := []byte("\xa0\x03\x02\x01\x02")
	as := func(raw []byte, v byte) []byte {
		changed := bytes.Clone(raw)
		changed[bytes.Index(raw, version)+4] = v
		return changed
	}
	for _, test := range []struct {
		name    string
		raw     []byte
		version int
		sound   bool
	}{
		{"version 3", three, 3, true},
		{"version 2", as(three, 1), 2, true},
		{"version 1, written", as(three, 0), 1, true},
		{"version 2, with an extension that is malformed", as(broken, 1), 2, false},
	} {
		cert, err := certs.Parse(test.raw)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if len(cert.EmailAddresses) != 1 || cert.EmailAddresses[0] != "jane@a.test" || len(cert.SubjectKeyId) != 3 ||
			cert.Version != test.version || !bytes.Equal(cert.Raw, test.raw) || !bytes.Contains(test.raw, cert.RawTBSCertificate) {
			t.Errorf("%s: %q, key identifier %x, version %d", test.name, cert.EmailAddresses, cert.SubjectKeyId, cert.Version)
		}
		if _, ok := cert.PublicKey.(*ecdsa.PublicKey); ok != test.sound {
			t.Errorf("%s: key %T", test.name, cert.PublicKey)
		}
	}
	// One without extensions stays what it is.
	old := &x509.Certificate{Version: 1}
	if certs.WithExtensions(old) != old || certs.WithExtensions(nil) != nil {
		t.Error("changed")
	}
}
