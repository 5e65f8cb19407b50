package graphtest_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"strings"
	"testing"

	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/internal/interop"
)

// Bundles that OpenSSL writes are taken, and the CAs come out as OpenSSL prints
// them.
func TestBundlesOfOpenSSL(t *testing.T) {
	openssl := interop.Find(t, "openssl")
	ca := newCA(t, "openssl", start.AddDate(1, 0, 0), 0)
	var chain bytes.Buffer
	for _, c := range [][]byte{ca.Raw, newCA(t, "second", start.AddDate(2, 0, 0), 0).Raw} {
		if err := pem.Encode(&chain, &pem.Block{Type: "CERTIFICATE", Bytes: c}); err != nil {
			t.Fatal(err)
		}
	}
	certs := interop.File(t, "chain.pem", chain.Bytes())
	printed := openssl.Run(t, chain.Bytes(), "x509", "-noout", "-fingerprint", "-sha1")
	_, fingerprint, _ := strings.Cut(strings.TrimSpace(printed), "=")
	for _, form := range []string{"DER", "PEM"} {
		file := []byte(openssl.Run(t, nil, "crl2pkcs7", "-nocrl", "-certfile", certs, "-outform", form))
		f := newFake(t, graphtest.Tenant{PKIs: []graphtest.PKI{{ID: "p", DisplayName: "P"}}}, graphtest.Options{
			Fetch: func(context.Context, string) ([]byte, error) { return file, nil }})
		f.must(204, "POST "+pkiPath+"/p/upload", uploadBody(file))
		cas := f.must(200, "GET "+pkiPath+"/p/certificateAuthorities", "").value()
		if len(cas) != 2 {
			t.Fatalf("%s: %d CAs: %v", form, len(cas), f.Tenant().PKIs)
		}
		if got := cas[0]["thumbprint"]; got != strings.ToLower(strings.ReplaceAll(fingerprint, ":", "")) {
			t.Errorf("%s: thumbprint %v, OpenSSL has %s", form, got, fingerprint)
		}
	}
}

// OpenSSL reads the demonstration's certificates and CRLs: the chain verifies, a
// user's name is where Entra looks for it.
func TestDemoByOpenSSL(t *testing.T) {
	openssl := interop.Find(t, "openssl")
	d, err := graphtest.Demo(start)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name, kind string, der []byte) string {
		return interop.File(t, name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	cas := d.Tenant.PKIs[0].Authorities
	root, issuing := file("root.pem", "CERTIFICATE", cas[0].Certificate), file("issuing.pem", "CERTIFICATE", cas[1].Certificate)
	crls := interop.File(t, "crls.pem", append(
		pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: d.CRLs[cas[0].CRLURL]}),
		pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: d.CRLs[cas[1].CRLURL]})...))
	if len(d.Certificates) < 6 {
		t.Fatalf("%d certificates", len(d.Certificates))
	}
	for name, cert := range d.Certificates {
		leaf := file("leaf.pem", "CERTIFICATE", cert.Raw)
		openssl.Run(t, nil, "verify", "-attime", "1788264000", "-crl_check_all", "-CRLfile", crls, "-CAfile", root, "-untrusted", issuing, "-purpose", "sslclient", leaf)
		if text := openssl.Run(t, nil, "asn1parse", "-in", leaf, "-strparse", sanOffset(t, openssl, leaf)); !strings.Contains(text, "UTF8STRING        :"+name) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// sanOffset is where the subjectAltName's bytes begin in a certificate.
func sanOffset(t *testing.T, openssl interop.Tool, file string) string {
	t.Helper()
	found := false
	for line := range strings.Lines(openssl.Run(t, nil, "asn1parse", "-in", file)) {
		if found && strings.Contains(line, "OCTET STRING") {
			return strings.TrimSpace(line[:strings.IndexByte(line, ':')])
		}
		found = found || strings.Contains(line, "Subject Alternative Name")
	}
	t.Fatal("no subjectAltName")
	return ""
}
