package crl_test

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/crltest"
	"example.com/entracba/cba/crl/publish"
)

// documentedRefusals are the texts of the errors for lists that crypto/x509
// takes and Parse does not: see the comment of Parse.
var documentedRefusals = []string{
	"left over", "trailing bytes", "is there twice", "malformed value of the extension",
}

// FuzzParse holds that:
//   - Parse does not panic, and returns either a list or an *Error with a reason
//     of its own,
//   - what crypto/x509 reads, Parse reads in the same way, or refuses for one of
//     the documented reasons,
//   - every entry of a list is found by its serial number,
//   - nothing that can be asked of a list panics.
func FuzzParse(f *testing.F) {
	ca := crltest.NewAuthority(f, "Woodgrove CA", "p256")
	seeds := 0
	for _, der := range fuzzSeeds(f, ca) {
		f.Add(der)
		seeds++
	}
	if seeds < 8 {
		f.Fatalf("only %d seeds", seeds)
	}
	f.Fuzz(func(t *testing.T, der []byte) { checkLaws(t, ca, der) })
}

// FuzzParts holds the laws of FuzzParse for lists whose outer structure is
// right, so that the fuzzer gets to the times, entries and extensions inside.
func FuzzParts(f *testing.F) {
	ca := crltest.NewAuthority(f, "Woodgrove CA", "p256")
	seeds := 0
	for _, der := range fuzzSeeds(f, ca) {
		list, err := crl.Parse(der)
		if err != nil {
			continue
		}
		// The parts of a good list: after the issuer, before the extensions.
		inner := list.RawTBS[bytes.Index(list.RawTBS, list.RawIssuer)+len(list.RawIssuer):]
		var times, entries, extensions []byte
		for len(inner) > 0 {
			var part asn1.RawValue
			rest, err := asn1.Unmarshal(inner, &part)
			if err != nil {
				f.Fatal(err)
			}
			switch part.FullBytes[0] {
			case 0x30:
				entries = part.Bytes
			case 0xa0:
				extensions = part.Bytes[len(part.Bytes)-contentSize(f, part.Bytes):]
			default:
				times = append(times, part.FullBytes...)
			}
			inner = rest
		}
		f.Add(times, entries, extensions)
		seeds++
	}
	if seeds < 4 {
		f.Fatalf("only %d seeds", seeds)
	}
	f.Fuzz(func(t *testing.T, times, entries, extensions []byte) {
		checkLaws(t, ca, listOf(ca, ecdsaSHA256, times, entries, wrap(0xa0, wrap(0x30, extensions))))
	})
}

const ecdsaSHA256 = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"

// listOf puts a list together from its parts, with a signature that is none.
func listOf(ca crltest.Authority, algorithm string, times, entries, extensions []byte) []byte {
	tbs := slices.Concat([]byte{2, 1, 1}, []byte(algorithm), ca.Cert.RawSubject, times, wrap(0x30, entries), extensions)
	return wrap(0x30, slices.Concat(wrap(0x30, tbs), []byte(algorithm), []byte{3, 2, 0, 0}))
}

func wrap(tag byte, content []byte) []byte {
	size := len(content)
	switch {
	case size < 0x80:
		return append([]byte{tag, byte(size)}, content...)
	case size < 0x100:
		return append([]byte{tag, 0x81, byte(size)}, content...)
	case size < 0x10000:
		return append([]byte{tag, 0x82, byte(size >> 8), byte(size)}, content...)
	}
	return append([]byte{tag, 0x84, byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)}, content...)
}

func contentSize(tb testing.TB, der []byte) int {
	var v asn1.RawValue
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		tb.Fatal(err)
	}
	return len(v.Bytes)
}

// checkLaws holds what FuzzParse says.
func checkLaws(t *testing.T, ca crltest.Authority, der []byte) {
	list, err := crl.Parse(der)
	if err != nil {
		var e *crl.Error
		if list != nil || !errors.As(err, &e) || e.Code() == "" {
			t.Fatalf("list %v with error %v", list, err)
		}
	}
	want, errX509 := x509.ParseRevocationList(der)
	switch {
	case err != nil && errX509 == nil:
		for _, text := range documentedRefusals {
			if strings.Contains(err.Error(), text) {
				return
			}
		}
		t.Fatalf("crypto/x509 takes the list: %v", err)
	case err == nil && errX509 == nil:
		if diff := diffX509(list, want); diff != "" {
			t.Fatalf("crypto/x509 reads another list:\n%s", diff)
		}
	}
	if err != nil {
		return
	}
	entries := 0
	for e := range list.All() {
		entries++
		if _, found := list.Lookup(e.Serial()); !found {
			t.Fatalf("entry %x is not found", e.RawSerial)
		}
	}
	if list.Len() > entries {
		t.Fatalf("%d serial numbers in %d entries", list.Len(), entries)
	}
	list.Findings(crltest.At())
	list.CheckAfter(list)
	if err := list.CheckIssuer(ca.Cert); err == nil {
		signed, err := x509.ParseRevocationList(der)
		if err != nil || signed.CheckSignatureFrom(ca.Cert) != nil {
			t.Fatal("the signature is good here and not in crypto/x509")
		}
	}
	for _, set := range []crl.Set{{Base: list}, {Delta: list}, {Base: list, Delta: list}} {
		set.Check(ca.Cert, crltest.At())
		set.Findings(crltest.At())
		set.Status(ca.Cert)
	}
}

func fuzzSeeds(f *testing.F, ca crltest.Authority) [][]byte {
	base := ca.List(f, &x509.RevocationList{RevokedCertificateEntries: sampleEntries(f)})
	rsaCA := crltest.NewAuthority(f, "Woodgrove RSA CA", "rsa")
	issuer := issuerOf(f, ca)
	for serial := range int64(3) {
		err := issuer.Revoke(ctx, crl.Revocation{Serial: crltest.BigInt(serial), Time: crltest.At(), Reason: crl.CertificateHold})
		if err != nil {
			f.Fatal(err)
		}
	}
	full := crltest.Must[*crl.List](f)(issuer.Base(ctx, publish.Options{ThisUpdate: crltest.At(), FreshestCRL: []string{"http://crl.woodgrove.com/d.crl"}}))
	if err := issuer.Release(ctx, crltest.BigInt(1)); err != nil {
		f.Fatal(err)
	}
	delta := crltest.Must[*crl.List](f)(issuer.Delta(ctx, publish.Options{ThisUpdate: crltest.At()}))
	return [][]byte{
		base, base[:len(base)/2], full.Raw, delta.Raw, crltest.PEM("X509 CRL", base), ca.Cert.Raw, nil,
		ca.List(f, &x509.RevocationList{}),
		rsaCA.List(f, &x509.RevocationList{SignatureAlgorithm: x509.SHA256WithRSAPSS, RevokedCertificateEntries: sampleEntries(f)[:2]}),
	}
}
