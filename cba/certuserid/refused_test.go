package certuserid_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/internal/der"
	"example.com/entracba/cba/policy"
	"github.com/google/go-cmp/cmp"
)

// readTolerantly fills an x509.Certificate from its DER without crypto/x509: the
// contract of the module's documentation, as small as a reader can be.
func readTolerantly(t *testing.T, raw []byte) *x509.Certificate {
	t.Helper()
	at := 0
	next := func() (tag byte, element, content []byte) {
		tag, start, end, ok := der.Header(raw, at)
		if !ok {
			t.Fatalf("no DER at %d", at)
		}
		begin := at
		at = end
		return tag, raw[begin:end], raw[start:end]
	}
	enter := func() (element []byte, end int) {
		_, element, content := next()
		end = at
		at -= len(content)
		return element, end
	}
	cert := &x509.Certificate{Raw: raw}
	enter() // Certificate
	var end int
	cert.RawTBSCertificate, end = enter()
	if raw[at] == 0xa0 {
		next()
	}
	_, _, serial := next()
	cert.SerialNumber = new(big.Int).SetBytes(serial)
	next() // signature
	_, cert.RawIssuer, _ = next()
	next() // validity
	_, cert.RawSubject, _ = next()
	_, cert.RawSubjectPublicKeyInfo, _ = next()
	for at < end {
		if raw[at] != 0xa3 {
			next() // unique identifiers
			continue
		}
		enter()
		for _, last := enter(); at < last; {
			enter()
			var extension pkix.Extension
			_, id, _ := next()
			if _, err := asn1.Unmarshal(id, &extension.Id); err != nil {
				t.Fatal(err)
			}
			tag, _, value := next()
			if tag == 0x01 {
				extension.Critical = true
				_, _, value = next()
			}
			extension.Value = value
			cert.Extensions = append(cert.Extensions, extension)
			if extension.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 14}) {
				if _, err := asn1.Unmarshal(value, &cert.SubjectKeyId); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return cert
}

// Names, ids and rules need what stands in the DER and nothing that only
// crypto/x509 can say: a certificate that it refuses goes through the same
// functions.
func TestRefusedCertificate(t *testing.T) {
	refused := 0
	for _, name := range []string{"contoso-user", "gsa-piv", "kb5014754", "rare-types", "bare"} {
		cert := load(t, name)
		tolerant := readTolerantly(t, cert.Raw)
		check := func(what string, want, got any) {
			t.Helper()
			if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b certuserid.ID) bool { return a == b })); diff != "" {
				t.Errorf("%s, %s (-crypto/x509 +tolerant):\n%s", name, what, diff)
			}
		}
		ids := certuserid.All(cert)
		check("ids", ids, certuserid.All(tolerant))
		check("keys", certuserid.Options{HashInput: certuserid.PublicKeyBits}.All(cert), certuserid.Options{HashInput: certuserid.PublicKeyBits}.All(tolerant))
		for _, id := range ids {
			if fit := certuserid.Match(id.String(), tolerant).Fit; fit != certuserid.Exact {
				t.Errorf("%s: %v is %v", name, id, fit)
			}
		}
		names, err := cba.NamesOf(cert)
		again, errAgain := cba.NamesOf(tolerant)
		check("names", names.UPNs, again.UPNs)
		check("e-mail", names.Emails, again.Emails)
		if (err == nil) != (errAgain == nil) {
			t.Errorf("%s: %v, and tolerantly %v", name, err, errAgain)
		}
		if _, err := policy.NewCertificate(tolerant, certuserid.Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}

		// The same certificate with a negative serial number, which CAs have issued.
		raw := bytes.Clone(cert.Raw)
		serial := bytes.Index(raw, append([]byte{0x02, byte(len(cert.SerialNumber.Bytes()))}, cert.SerialNumber.Bytes()...))
		if serial < 0 {
			continue // its first bit is set: a 00 stands before it
		}
		raw[serial+2] |= 0x80
		if _, err := x509.ParseCertificate(raw); err == nil {
			t.Fatalf("%s: crypto/x509 reads a negative serial number now; this test needs another fault", name)
		}
		refused++
		tolerant = readTolerantly(t, raw)
		got := certuserid.All(tolerant)
		if len(got) != len(ids) {
			t.Errorf("%s: %v, and with a negative serial number %v", name, ids, got)
		}
		for _, id := range got {
			if id.Mapping() != certuserid.IssuerAndSerialNumber && id.Mapping() != certuserid.SHA1PublicKey {
				check("refused", certuserid.Exact, certuserid.Match(id.String(), cert).Fit)
			}
		}
		// Nothing that it signs or that signed it is believed.
		roots := x509.NewCertPool()
		roots.AddCert(tolerant)
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: cert.NotAfter, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err == nil {
			t.Errorf("%s: verified by a certificate without a key", name)
		}
		if err := tolerant.CheckSignatureFrom(cert); err == nil {
			t.Errorf("%s: a signature was verified", name)
		}
		cba.Findings([]*x509.Certificate{tolerant}, cba.FindingsOptions{}) // says what it can; must not panic
	}
	if refused < 3 {
		t.Errorf("only %d certificates that crypto/x509 refuses", refused)
	}
}
