package cba_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"example.com/entracba/cba"
)

// ours fails unless err is this package's error, short and without a panic's text.
func ours(t *testing.T, err error) {
	t.Helper()
	e, ok := err.(*cba.Error)
	if !ok || e.Reason == "" || len(err.Error()) > 4000 {
		t.Fatalf("error %T of %d bytes: %.300v", err, len(err.Error()), err)
	}
}

func seedChains(f *testing.F) {
	for _, folder := range []string{"ca1", "ca2"} {
		for _, content := range readFolder(f, "testdata/chains/"+folder) {
			f.Add(content)
		}
	}
	cert := readCert(f, "sha1.pem")
	text := cba.EncodeCertificates(cert, cert)
	f.Add(cert.Raw)
	f.Add(text)
	f.Add(wide(string(text), false, true))
	f.Add(append([]byte("\xef\xbb\xbf"), text...))
	f.Add(text[:len(text)-40])
	for _, key := range pemKeys(f, testKey(f, cba.P256, "root")) {
		f.Add(key)
		f.Add(append(bytes.Clone(key), text...))
	}
}

// FuzzParseCertificates: certificates are read or refused; what was read is the
// same after it was written.
func FuzzParseCertificates(f *testing.F) {
	seedChains(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		certs, err := cba.ParseCertificates(data)
		if err != nil {
			ours(t, err)
			return
		}
		again, err := cba.ParseCertificates(cba.EncodeCertificates(certs...))
		if err != nil || len(again) != len(certs) || len(certs) == 0 {
			t.Fatalf("%d certificates became %d: %v", len(certs), len(again), err)
		}
		for i := range certs {
			if !certs[i].Equal(again[i]) {
				t.Fatal("another certificate came back")
			}
			cba.SubjectOf(certs[i]) // no panic
			cba.ProfileOf(certs[i])
		}
	})
}

// FuzzParseKey: a key is read or refused, and a key that was read is the same
// after it was written.
func FuzzParseKey(f *testing.F) {
	seedChains(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := cba.ParseKey(data)
		if err != nil {
			ours(t, err)
			if key != nil {
				t.Fatal("a key beside the error")
			}
			return
		}
		text, err := cba.EncodeKey(key)
		if err != nil {
			ours(t, err)
			return
		}
		again, err := cba.ParseKey(text)
		if err != nil || !again.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(key.Public()) {
			t.Fatalf("another key came back: %v", err)
		}
	})
}

// FuzzParseIssuer: a CA is read from two inputs or refused; one that was read can
// issue, its chain is proven link by link, and the order of the inputs does not
// matter.
func FuzzParseIssuer(f *testing.F) {
	for _, folder := range []string{"ca1", "ca2"} {
		var certs, key []byte
		for name, content := range readFolder(f, "testdata/chains/"+folder) {
			if strings.HasSuffix(name, ".key") {
				key = content
			} else {
				certs = append(certs, content...)
			}
		}
		f.Add(certs, key)
		f.Add(key, certs[:len(certs)/2])
		if block, _ := pem.Decode(certs); block != nil {
			f.Add(block.Bytes, key)
		}
	}
	f.Fuzz(func(t *testing.T, one, two []byte) {
		i, err := cba.ParseIssuer(one, two)
		other, err2 := cba.ParseIssuer(two, one)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("the order matters: %v, %v", err, err2)
		}
		if err != nil {
			ours(t, err)
			return
		}
		if !i.Certificate.Equal(other.Certificate) || len(i.Chain) != len(other.Chain) {
			t.Fatal("the order matters")
		}
		cas := i.CACertificates()
		for n := range cas[1:] {
			if !other.Chain[n].Equal(i.Chain[n]) || !bytes.Equal(cas[n].RawIssuer, cas[n+1].RawSubject) {
				t.Fatal("the order matters, or the chain is none")
			}
		}
		i.Findings()
		if _, err := i.Issue(t.Context(), testKey(t, cba.P256, "jane").Public(), jane, cba.Profile{}); err != nil {
			ours(t, err)
		}
	})
}

// FuzzParseSID: a SID has one text, which is read back from the extension and the
// URI of a certificate.
func FuzzParseSID(f *testing.F) {
	for _, text := range []string{sidText, "S-1-5-32-544", "S-1-0x010000000000-1", "S-1-1-0", "S-1-5-21-1-2-3-4294967296", "s-1-5-18", "S-1-5", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		sid, err := cba.ParseSID(text)
		if err != nil {
			ours(t, err)
			if !sid.IsZero() {
				t.Fatal("a SID beside the error")
			}
			return
		}
		if sid.String() != text || !strings.HasSuffix(sid.URI(), text) {
			t.Fatalf("%q became %q, %q", text, sid, sid.URI())
		}
		cert := &x509.Certificate{Extensions: sanOf(t)}
		cert.Extensions = append(cert.Extensions, sid.Extension())
		if names, err := cba.NamesOf(cert); err != nil || names.SID() != sid {
			t.Fatalf("%q was read back as %q, %v", text, names.SID(), err)
		}
	})
}

// FuzzParseOID: an object identifier has one text, and any that is read can stand
// in a certificate.
func FuzzParseOID(f *testing.F) {
	for _, text := range []string{"1.2.3.4", "2.5.29.32.0", "2.999.1", "1.2.2147483647", "1.2.2147483648", "2.2147483647.1", "0.0", "3.1", "1.02", ""} {
		f.Add(text)
	}
	root := newRoot(f, cba.P256)
	pub := testKey(f, cba.P256, "jane").Public()
	f.Fuzz(func(t *testing.T, text string) {
		id, err := cba.ParseOID(text)
		if err != nil {
			ours(t, err)
			return
		}
		if id.String() != text {
			t.Fatalf("%q became %q", text, id)
		}
		draft, err := root.Prepare(pub, jane, cba.Profile{Policies: []x509.OID{id}, ExtraUsages: []x509.OID{id}})
		if err != nil {
			ours(t, err) // one of the usages that the profile has already
			return
		}
		if profile, err := cba.ProfileOf(draft.Certificate); err != nil || !profile.Policies[0].Equal(id) {
			t.Fatalf("%v, %v", profile.Policies, err)
		}
	})
}
