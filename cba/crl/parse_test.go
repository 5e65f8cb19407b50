package crl_test

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/crltest"
)

var (
	oidSpare      = asn1.ObjectIdentifier{2, 5, 29, 22} // not given out
	oidHold       = asn1.ObjectIdentifier{2, 5, 29, 23}
	oidInvalidity = asn1.ObjectIdentifier{2, 5, 29, 24}
	oidDelta      = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidIDP        = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidFreshest   = asn1.ObjectIdentifier{2, 5, 29, 46}
	oidPublish    = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 21, 4}
)

func derOf(tb testing.TB, v any, params ...string) []byte {
	tb.Helper()
	der, err := asn1.MarshalWithParams(v, strings.Join(params, ","))
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

// sampleEntries has every form of entry that lists in the field have.
func sampleEntries(tb testing.TB) []x509.RevocationListEntry {
	serial := func(hex string) *big.Int { n, _ := new(big.Int).SetString(hex, 16); return n }
	day := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	invalidity := derOf(tb, time.Date(2025, 12, 31, 23, 59, 59, 0, time.UTC), "generalized")
	return []x509.RevocationListEntry{
		{SerialNumber: serial("0"), RevocationTime: day},
		{SerialNumber: serial("1"), RevocationTime: day, ReasonCode: 1},
		{SerialNumber: serial("7f"), RevocationTime: day, ReasonCode: 6},
		{SerialNumber: serial("80"), RevocationTime: time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC)},
		{SerialNumber: serial("ff00"), RevocationTime: time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC), ReasonCode: 10},
		{SerialNumber: serial("7fffffffffffffffffffffffffffffffffffffff"), RevocationTime: time.Date(2051, 1, 1, 0, 0, 0, 0, time.UTC)},
		{SerialNumber: serial("8fffffffffffffffffffffffffffffffffffffff"), RevocationTime: day, ReasonCode: 5},
		{SerialNumber: serial(strings.Repeat("4a", 80)), RevocationTime: day}, // longer than any may be, and than a short length
		{SerialNumber: serial("1001"), RevocationTime: day, ReasonCode: 1, ExtraExtensions: []pkix.Extension{{Id: oidInvalidity, Value: invalidity}}},
		{SerialNumber: serial("1002"), RevocationTime: day, ExtraExtensions: []pkix.Extension{
			{Id: oidHold, Value: derOf(tb, asn1.ObjectIdentifier{1, 2, 840, 10040, 2, 1})},
			{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Value: bytes.Repeat([]byte{5}, 300)},
		}},
	}
}

// checkAgainstX509 fails the test unless Parse and crypto/x509 read the same
// from a list that crypto/x509 accepts.
func checkAgainstX509(tb testing.TB, der []byte) *crl.List {
	tb.Helper()
	want, err := x509.ParseRevocationList(der)
	if err != nil {
		tb.Fatalf("crypto/x509 refuses the list: %v", err)
	}
	got, err := crl.Parse(der)
	if err != nil {
		tb.Fatalf("crypto/x509 takes the list: %v", err)
	}
	if diff := diffX509(got, want); diff != "" {
		tb.Fatalf("crypto/x509 reads another list (-x509 +ours):\n%s", diff)
	}
	return got
}

// diffX509 compares everything that both readers give.
func diffX509(got *crl.List, want *x509.RevocationList) string {
	type entry struct {
		Serial string
		Time   time.Time
		Reason int
	}
	type list struct {
		Raw, TBS, Issuer, Signature, KeyID string
		Algorithm                          x509.SignatureAlgorithm
		This, Next                         time.Time
		Number                             string
		Entries                            []entry
	}
	w := list{string(want.Raw), string(want.RawTBSRevocationList), string(want.RawIssuer), string(want.Signature), string(want.AuthorityKeyId),
		want.SignatureAlgorithm, want.ThisUpdate.UTC(), want.NextUpdate.UTC(), fmt.Sprint(want.Number), nil}
	switch w.Algorithm { // crypto/x509 has names for these, and verifies none of them
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.DSAWithSHA1, x509.DSAWithSHA256:
		w.Algorithm = x509.UnknownSignatureAlgorithm
	}
	first := make(map[string]x509.RevocationListEntry)
	for _, e := range want.RevokedCertificateEntries {
		w.Entries = append(w.Entries, entry{e.SerialNumber.String(), e.RevocationTime.UTC(), e.ReasonCode})
		if old, seen := first[e.SerialNumber.String()]; !seen || old.ReasonCode == 8 && e.ReasonCode != 8 {
			first[e.SerialNumber.String()] = e
		}
	}
	g := list{string(got.Raw), string(got.RawTBS), string(got.RawIssuer), string(got.Signature), string(got.AuthorityKeyID),
		got.SignatureAlgorithm, got.ThisUpdate.UTC(), got.NextUpdate.UTC(), fmt.Sprint(got.Number), nil}
	for e := range got.All() {
		g.Entries = append(g.Entries, entry{e.Serial().String(), e.Time.UTC(), int(e.Reason)})
	}
	if diff := cmp.Diff(w, g); diff != "" {
		return diff
	}
	if got.Len() != len(first) {
		return fmt.Sprintf("%d serial numbers, not %d", got.Len(), len(first))
	}
	for _, e := range first {
		found, ok := got.Lookup(e.SerialNumber)
		if !ok || !found.Time.Equal(e.RevocationTime) || int(found.Reason) != e.ReasonCode {
			return fmt.Sprintf("look-up of %v gives %+v, %t, not %+v", e.SerialNumber, found, ok, e)
		}
	}
	for _, near := range want.RevokedCertificateEntries {
		n := new(big.Int).Add(near.SerialNumber, big.NewInt(1))
		if _, listed := first[n.String()]; listed {
			continue
		}
		if e, ok := got.Lookup(n); ok {
			return fmt.Sprintf("look-up of %v, which is not listed, gives %+v", n, e)
		}
	}
	return ""
}

func TestParseAgreesWithX509(t *testing.T) {
	for _, kind := range []string{"rsa", "p256", "p384", "p521", "ed25519"} {
		ca := crltest.NewAuthority(t, "Woodgrove CA", kind)
		algorithms := []x509.SignatureAlgorithm{0}
		if kind == "rsa" {
			algorithms = []x509.SignatureAlgorithm{x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
				x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS}
		}
		for _, algorithm := range algorithms {
			for name, entries := range map[string][]x509.RevocationListEntry{"empty": nil, "sample": sampleEntries(t)} {
				t.Run(fmt.Sprint(kind, "/", algorithm, "/", name), func(t *testing.T) {
					list := checkAgainstX509(t, ca.List(t, &x509.RevocationList{SignatureAlgorithm: algorithm, RevokedCertificateEntries: entries}))
					if err := list.CheckIssuer(ca.Cert); err != nil {
						t.Error(err)
					}
					if list.Len() != len(entries) {
						t.Errorf("%d entries, not %d", list.Len(), len(entries))
					}
				})
			}
		}
	}
}

// The index grows several times, its first guess is wrong both ways, and there
// are more entries than fit in a cache.
func TestParseLargeLists(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	random := mathrand.New(mathrand.NewPCG(1, 2))
	for _, sizes := range [][2]int{{1, 20}, {20, 1}, {16, 16}} {
		var entries []x509.RevocationListEntry
		seen := make(map[string]bool)
		for n := range 20_000 {
			size := sizes[0]
			if n > 600 {
				size = sizes[1]
			}
			raw := make([]byte, size+random.IntN(3))
			for i := range raw {
				raw[i] = byte(random.Uint32())
			}
			serial := new(big.Int).SetBytes(raw)
			if seen[serial.String()] {
				continue
			}
			seen[serial.String()] = true
			entries = append(entries, x509.RevocationListEntry{SerialNumber: serial, RevocationTime: crltest.At().Add(-time.Duration(n) * time.Minute), ReasonCode: n % 7})
		}
		if len(entries) < 10_000 {
			t.Fatalf("only %d different entries", len(entries))
		}
		list := checkAgainstX509(t, ca.List(t, &x509.RevocationList{RevokedCertificateEntries: entries}))
		if err := list.CheckIssuer(ca.Cert); err != nil {
			t.Error(err)
		}
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	entries := sampleEntries(t)
	list := crltest.MustParse(t, ca.List(t, &x509.RevocationList{RevokedCertificateEntries: entries}))
	listed, absent := entries[6].SerialNumber, big.NewInt(123456789)
	allocs := testing.AllocsPerRun(100, func() {
		if _, ok := list.Lookup(listed); !ok {
			t.Fatal("not found")
		}
		if _, ok := list.Lookup(absent); ok {
			t.Fatal("found")
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
	if _, ok := list.Lookup(nil); ok {
		t.Error("nil is listed")
	}
	if _, ok := crltest.MustParse(t, ca.List(t, &x509.RevocationList{})).Lookup(listed); ok {
		t.Error("an empty list has an entry")
	}
}

func TestParseExtensions(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	publish := time.Date(2026, 3, 14, 1, 2, 3, 0, time.UTC)
	const url = "http://crl.woodgrove.com/delta.crl"
	point := append([]byte{0x86, byte(len(url))}, url...)
	point = append([]byte{0xa0, byte(len(point))}, point...)
	point = append([]byte{0xa0, byte(len(point))}, point...)
	freshest := append([]byte{0x30, byte(len(point))}, point...)
	freshest = append([]byte{0x30, byte(len(freshest))}, freshest...)
	scope := append(bytes.Clone(point), 0x81, 1, 0xff)
	scope = append([]byte{0x30, byte(len(scope))}, scope...)
	list := checkAgainstX509(t, ca.List(t, &x509.RevocationList{Number: big.NewInt(9), ExtraExtensions: []pkix.Extension{
		{Id: oidDelta, Critical: true, Value: derOf(t, 7)},
		{Id: oidPublish, Value: derOf(t, publish)},
		{Id: oidFreshest, Value: freshest},
		{Id: oidIDP, Critical: true, Value: scope},
	}}))
	if !list.IsDelta() || list.BaseNumber.Int64() != 7 || list.Number.Int64() != 9 {
		t.Errorf("delta %t, base %v, number %v", list.IsDelta(), list.BaseNumber, list.Number)
	}
	if !list.NextPublish.Equal(publish) {
		t.Errorf("next publish %v", list.NextPublish)
	}
	if diff := cmp.Diff([]string{url}, list.FreshestCRL); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(crl.Scope{Present: true, URLs: []string{url}, OnlyUsers: true}, list.Scope); diff != "" {
		t.Error(diff)
	}
	if list.Issuer() != "CN=Woodgrove CA,O=Woodgrove,C=US" {
		t.Errorf("issuer %q", list.Issuer())
	}
}

func TestEntryExtensions(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	list := crltest.MustParse(t, ca.List(t, &x509.RevocationList{RevokedCertificateEntries: sampleEntries(t)}))
	entry, ok := list.Lookup(big.NewInt(0x1001))
	if !ok || entry.Reason != crl.KeyCompromise || !entry.InvalidityDate.Equal(time.Date(2025, 12, 31, 23, 59, 59, 0, time.UTC)) {
		t.Errorf("%+v %t", entry, ok)
	}
	if entry.Serial().Int64() != 0x1001 || len(entry.RawExtensions) == 0 {
		t.Errorf("%+v", entry)
	}
}

// Two entries for one certificate: the first counts, but one that takes the
// revocation back never wins.
func TestDuplicateSerials(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	entry := func(serial int64, reason int) x509.RevocationListEntry {
		return x509.RevocationListEntry{SerialNumber: big.NewInt(serial), RevocationTime: crltest.At(), ReasonCode: reason}
	}
	list := checkAgainstX509(t, ca.List(t, &x509.RevocationList{RevokedCertificateEntries: []x509.RevocationListEntry{
		entry(5, 1), entry(5, 4), entry(6, 8), entry(6, 3), entry(7, 3), entry(7, 8),
	}}))
	for serial, want := range map[int64]crl.RevocationReason{5: crl.KeyCompromise, 6: crl.AffiliationChanged, 7: crl.AffiliationChanged} {
		if got, ok := list.Lookup(big.NewInt(serial)); !ok || got.Reason != want {
			t.Errorf("%d: %v, not %v", serial, got.Reason, want)
		}
	}
	if list.Len() != 3 || !list.Findings(crltest.At()).Has("crl-duplicates") {
		t.Errorf("%d serial numbers, findings %v", list.Len(), list.Findings(crltest.At()))
	}
}

func TestParseRefuses(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "rsa")
	good := ca.List(t, &x509.RevocationList{RevokedCertificateEntries: sampleEntries(t)})
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(good)
	w.Close()
	v1 := func() []byte { // without version and extensions, signature not right
		var list struct {
			TBS struct {
				Algorithm pkix.AlgorithmIdentifier
				Issuer    asn1.RawValue
				This      time.Time
			}
			Algorithm pkix.AlgorithmIdentifier
			Signature asn1.BitString
		}
		list.TBS.Algorithm.Algorithm = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
		list.Algorithm = list.TBS.Algorithm
		list.TBS.Issuer.FullBytes = ca.Cert.RawSubject
		list.TBS.This = crltest.At()
		list.Signature = asn1.BitString{Bytes: make([]byte, 256), BitLength: 2048}
		return derOf(t, list)
	}
	request := crltest.Must[[]byte](t)(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, ca.Key))
	key := crltest.Must[[]byte](t)(x509.MarshalPKCS8PrivateKey(ca.Key))
	for _, c := range []struct {
		name   string
		input  []byte
		reason crl.Reason
		code   string
		says   string
	}{
		{"nothing", nil, crl.NotDER, "AADSTS2205011", "0 bytes"},
		{"PEM", crltest.PEM("X509 CRL", good), crl.NotDER, "AADSTS2205011", "PEM"},
		{"PEM after a byte order mark", append([]byte("\xef\xbb\xbf\r\n"), crltest.PEM("X509 CRL", good)...), crl.NotDER, "AADSTS2205011", "PEM"},
		{"base64", []byte(base64.StdEncoding.EncodeToString(good)), crl.NotDER, "AADSTS2205011", "base64"},
		{"HTML", []byte("<!DOCTYPE html><title>Sign in</title>"), crl.NotDER, "AADSTS2205011", "HTML"},
		{"HTML without a doctype", []byte("\n <HTML><body>404"), crl.NotDER, "AADSTS2205011", "HTML"},
		{"text", []byte(`{"error": "gone"}`), crl.NotDER, "AADSTS2205011", `begins "{\"error`},
		{"gzip", packed.Bytes(), crl.NotDER, "AADSTS2205011", "gzip"},
		{"binary", []byte{0, 1, 2, 0xff}, crl.NotDER, "AADSTS2205011", "000102ff"},
		{"one byte", []byte{0x30}, crl.NotDER, "AADSTS2205011", "malformed or longer"},
		{"BER", append([]byte{0x30, 0x80}, good[4:]...), crl.NotDER, "AADSTS2205011", "BER"},
		{"cut", good[:len(good)-1], crl.NotDER, "AADSTS2205011", fmt.Sprintf("%d bytes are there of the %d", len(good)-1, len(good))},
		{"a byte too many", append(bytes.Clone(good), 0), crl.NotDER, "AADSTS2205011", "1 bytes are left over"},
		{"two lists", append(bytes.Clone(good), good...), crl.NotDER, "AADSTS2205011", "left over"},
		{"certificate", ca.Cert.Raw, crl.NotCRL, "AADSTS500174", "certificate"},
		{"request", request, crl.NotCRL, "AADSTS500174", "version is 1"},
		{"private key", key, crl.NotCRL, "AADSTS500174", "no SEQUENCE"},
		{"version 1", v1(), crl.NotCRL, "AADSTS500174", "only version 2"},
		{"empty sequence", []byte{0x30, 0}, crl.NotCRL, "AADSTS500174", "no SEQUENCE"},
		{"sequence of nothing", []byte{0x30, 2, 0x30, 0}, crl.NotCRL, "AADSTS500174", "empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, err := crl.Parse(c.input)
			if list != nil || crltest.ReasonOf(t, err) != c.reason || err.(*crl.Error).Code() != c.code {
				t.Fatalf("list %v, error %v", list, err)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q does not say %q", err, c.says)
			}
		})
	}
}

// The documented differences to crypto/x509: these lists it takes.
func TestParseIsStricterThanX509(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	for name, template := range map[string]*x509.RevocationList{
		"reason twice": {RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(1), RevocationTime: crltest.At(),
			ExtraExtensions: []pkix.Extension{{Id: oidSpare, Value: derOf(t, asn1.Enumerated(1))}, {Id: oidSpare, Value: derOf(t, asn1.Enumerated(8))}}}}},
		"bytes after a reason": {RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(1), RevocationTime: crltest.At(),
			ExtraExtensions: []pkix.Extension{{Id: oidSpare, Value: append(derOf(t, asn1.Enumerated(1)), 0)}}}}},
		"number twice":          {ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 20}, Value: derOf(t, 5)}}},
		"odd delta indicator":   {ExtraExtensions: []pkix.Extension{{Id: oidDelta, Value: []byte{5, 0}}}},
		"odd scope":             {ExtraExtensions: []pkix.Extension{{Id: oidIDP, Value: []byte{0x30, 3, 0x81, 1, 7}}}},
		"odd next publish":      {ExtraExtensions: []pkix.Extension{{Id: oidPublish, Value: []byte("tomorrow")}}},
		"odd freshest":          {ExtraExtensions: []pkix.Extension{{Id: oidFreshest, Value: []byte{0x30, 2, 0x31, 0}}}},
		"bytes after a publish": {ExtraExtensions: []pkix.Extension{{Id: oidPublish, Value: append(derOf(t, crltest.At()), 0)}}},
	} {
		t.Run(name, func(t *testing.T) {
			// CreateRevocationList does not write odd reasons: another extension
			// stands in for them.
			der := bytes.ReplaceAll(ca.List(t, template), []byte{0x55, 0x1d, 22}, []byte{0x55, 0x1d, 21})
			if _, err := x509.ParseRevocationList(der); err != nil {
				t.Fatalf("crypto/x509 refuses it, too: %v", err)
			}
			if _, err := crl.Parse(der); crltest.ReasonOf(t, err) != crl.NotDER {
				t.Errorf("%v", err)
			}
		})
	}
}

// Each part malformed, with its place; and the good twin.
func TestMalformedParts(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	const now, next = "\x17\x0d260310110000Z", "\x17\x0d260317110000Z"
	seq := func(content string) string { return string(wrap(0x30, []byte(content))) }
	entry := func(content string) string { return seq("\x02\x01\x05" + now + content) }
	reason := seq(seq("\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x01"))
	extension := func(content string) string { return string(wrap(0xa0, []byte(seq(content)))) }
	number := seq("\x06\x03\x55\x1d\x14\x04\x03\x02\x01\x09")
	manyURLs := seq(seq(string(wrap(0xa0, wrap(0xa0, []byte(strings.Repeat("\x86\x00", 101)))))))
	for _, c := range []struct{ name, times, entries, extensions, says string }{
		{"good", now + next, entry("") + entry(reason), extension(number), ""},
		{"no next update", now, entry(""), extension(number), ""},
		{"no extensions", now + next, entry(""), "", ""},
		{"no This Update", "", "", "", "malformed This Update"},
		{"an odd This Update", "\x17\x0d260230110000Z", "", "", "malformed This Update"},
		{"an odd Next Update", now + "\x18\x0d260310110000Z", "", "", "malformed Next Update"},
		{"an entry that is none", now, "\x02\x01\x05", "", "malformed entry, in entry 1 at byte"},
		{"an entry that is cut", now, entry("") + "\x30\x20\x02\x01\x05", "", "malformed entry, in entry 2 at byte"},
		{"no serial number", now, seq(now), "", "malformed serial number"},
		{"an empty serial number", now, seq("\x02\x00" + now), "", "malformed serial number"},
		{"a padded serial number", now, seq("\x02\x02\x00\x05" + now), "", "malformed serial number"},
		{"a padded negative serial number", now, seq("\x02\x02\xff\x85" + now), "", "malformed serial number"},
		{"no date", now, seq("\x02\x01\x05"), "", "malformed revocation date"},
		{"bytes after an entry", now, entry("\x05\x00"), "", "trailing bytes in an entry"},
		{"bytes after the entry's extensions", now, entry(reason + "\x05\x00"), "", "trailing bytes in an entry"},
		{"entry extensions that are cut", now, entry("\x30\x20"), "", "malformed entry extensions"},
		{"an entry extension that is none", now, entry(seq("\x05\x00")), "", "malformed extension"},
		{"a reason of another type", now, entry(seq(seq("\x06\x03\x55\x1d\x15\x04\x03\x02\x01\x01"))), "", "malformed reason"},
		{"an empty OID", now, entry(seq(seq("\x06\x00\x04\x00"))), "", "malformed extension OID"},
		{"an odd flag", now, entry(seq(seq("\x06\x01\x2a\x01\x01\x07\x04\x00"))), "", "malformed critical flag"},
		{"no value", now, entry(seq(seq("\x06\x01\x2a"))), "", "malformed extension value"},
		{"bytes after a value", now, entry(seq(seq("\x06\x01\x2a\x04\x00\x05\x00"))), "", "trailing bytes in an extension"},
		{"bytes after the extensions", now, "", extension(number) + "\x05\x00", "trailing bytes in the signed part"},
		{"extensions that are none", now, "", "\xa0\x02\x05\x00", "malformed extensions"},
		{"bytes in the wrapper", now, "", string(wrap(0xa0, []byte(seq(number)+"\x05\x00"))), "trailing bytes after the extensions"},
		{"a list extension that is none", now, "", extension("\x05\x00"), "malformed extension, in the extensions of the CRL"},
		{"a number that is none", now, "", extension(seq("\x06\x03\x55\x1d\x14\x04\x02\x05\x00")), "malformed value of the extension 2.5.29.20"},
		{"a number twice", now, "", extension(number + number), "the extension 2.5.29.20 is there twice"},
		{"a key identifier that is none", now, "", extension(seq("\x06\x03\x55\x1d\x23\x04\x02\x05\x00")), "malformed value of the extension 2.5.29.35"},
		{"a hundred and one URLs", now, "", extension(seq("\x06\x03\x55\x1d\x2e" + string(wrap(4, []byte(manyURLs))))),
			"malformed value of the extension 2.5.29.46"},
	} {
		_, err := crl.Parse(listOf(ca, ecdsaSHA256, []byte(c.times), []byte(c.entries), []byte(c.extensions)))
		if (err == nil) != (c.says == "") || err != nil && (crltest.ReasonOf(t, err) != crl.NotDER || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v does not say %q", c.name, err, c.says)
		}
	}
	// An algorithm with parameters where none belong is not known, here and there.
	list := checkAgainstX509(t, listOf(ca, "\x30\x07\x06\x03\x2b\x65\x70\x05\x00", []byte(now), nil, nil))
	if list.SignatureAlgorithm != 0 {
		t.Errorf("Ed25519 with parameters is taken for %v", list.SignatureAlgorithm)
	}
}

// No list that differs from a good one by a bit passes, and none makes the
// reader fail in another way than with its error.
func TestEveryBitCounts(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	good := ca.List(t, &x509.RevocationList{RevokedCertificateEntries: sampleEntries(t)[:5]})
	if err := crltest.MustParse(t, good).CheckIssuer(ca.Cert); err != nil {
		t.Fatal(err)
	}
	accepted := 0
	for i := range good {
		for bit := range 8 {
			changed := bytes.Clone(good)
			changed[i] ^= 1 << bit
			list, err := crl.Parse(changed)
			if err != nil {
				crltest.ReasonOf(t, err)
				continue
			}
			accepted++
			if list.CheckIssuer(ca.Cert) == nil {
				t.Fatalf("the list passes with bit %d of byte %d changed", bit, i)
			}
		}
		if _, err := crl.Parse(good[:i]); crltest.ReasonOf(t, err) != crl.NotDER && crltest.ReasonOf(t, err) != crl.NotCRL {
			t.Fatalf("%d bytes of the list: %v", i, err)
		}
	}
	if accepted == 0 {
		t.Error("no changed list reached the signature check")
	}
}

func TestReasonText(t *testing.T) {
	names := 0
	for r := crl.RevocationReason(-1); r < 20; r++ {
		text, err := r.MarshalText()
		if err != nil {
			if !strings.HasPrefix(r.String(), "reason ") {
				t.Errorf("%v has no text", r)
			}
			continue
		}
		names++
		var back crl.RevocationReason
		if err := back.UnmarshalText(text); err != nil || back != r {
			t.Errorf("%v comes back as %v, %v", r, back, err)
		}
	}
	if names != 10 {
		t.Errorf("%d reasons have names", names)
	}
	var r crl.RevocationReason
	if r.UnmarshalText([]byte("Reason(7)")) == nil || r.UnmarshalText(nil) == nil {
		t.Error("texts that are no reasons are taken")
	}
}

func TestReasons(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range crl.Reasons() {
		if seen[string(r)] || seen[r.Error()] || strings.ContainsAny(string(r), " ABCDEFGHIJKLMNOPQRSTUVWXYZ") || !strings.HasPrefix(r.Error(), "crl: ") {
			t.Errorf("a reason is called %q, %q", string(r), r)
		}
		seen[string(r)], seen[r.Error()] = true, true
		if !strings.HasPrefix(r.Code(), "AADSTS") {
			t.Errorf("%v has the code %q", r, r.Code())
		}
		err := fmt.Errorf("wrapped: %w", &crl.Error{Reason: r})
		for _, other := range crl.Reasons() {
			if errors.Is(err, other) != (r == other) {
				t.Errorf("an error with %q is %q: %t", r, other, r != other)
			}
		}
	}
	if len(seen) != 2*17 {
		t.Errorf("%d reasons", len(seen)/2)
	}
	if crl.Reason("").Code() != "" || crl.Reason("other").Code() != "" || crl.Reason("").Documented() || errors.Is(&crl.Error{}, crl.Expired) {
		t.Error("a reason that is none has a code")
	}
	for s := crl.Good; s <= crl.NotCovered; s++ {
		text, err := json.Marshal(s)
		var back crl.State
		if err != nil || json.Unmarshal(text, &back) != nil || back != s {
			t.Errorf("state %d is written as %s, %v, and comes back as %v", s, text, err, back)
		}
	}
	if _, err := json.Marshal(crl.State(0)); err == nil {
		t.Error("an unset state was written")
	}
	if (crl.Status{}).OK() || (crl.Status{}).Code() == "" {
		t.Error("the zero status is no refusal")
	}
}
