package san_test

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"example.com/entracba/cba/internal/san"
	"github.com/google/go-cmp/cmp"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	der, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// The otherName of foo@bar.com is the bytes that OpenSSL 3.0.19 writes for
// otherName:1.3.6.1.4.1.311.20.2.3;UTF8:foo@bar.com.
const upnFoo = "a01b 060a 2b060104018237140203 a00d 0c0b 666f6f406261722e636f6d"

// A FASC-N as PIV cards carry it (2.16.840.1.101.3.6.6) and a KRB5PrincipalName
// (1.3.6.1.5.2.2): otherNames that are no UPN.
const (
	fascN = "a013 0608 6086480165030606 a007 0405 d04321 0842"
	krb5  = "a00f 0606 2b0601050202 a005 3003 a10130"
)

var vectors = []struct {
	reason string
	der    string
	want   []san.Name
}{
	{"one UPN", "301d" + upnFoo, []san.Name{{Kind: san.UPN, Value: "foo@bar.com"}}},
	{"an empty list", "3000", nil},
	{"a UPN behind a FASC-N is not missed", "3032" + fascN + upnFoo, []san.Name{
		{Kind: san.Other},
		{Kind: san.UPN, Value: "foo@bar.com"},
	}},
	{"KRB5PrincipalName is no UPN", "3011" + krb5, []san.Name{
		{Kind: san.Other},
	}},
	{"two UPNs", "303a" + upnFoo + upnFoo, []san.Name{
		{Kind: san.UPN, Value: "foo@bar.com"}, {Kind: san.UPN, Value: "foo@bar.com"},
	}},
	{"the four kinds that are text", "302b 8103 614062 8203 612e62 8604 743a6162" + upnFoo, []san.Name{
		{Kind: san.Email, Value: "a@b"}, {Kind: san.DNS, Value: "a.b"}, {Kind: san.URI, Value: "t:ab"},
		{Kind: san.UPN, Value: "foo@bar.com"},
	}},
	{"an IP address is kept unread", "3006 8704 7f000001", []san.Name{{Kind: san.Unread}}},
	{"a UPN type that holds an IA5String is not a UPN", "3015 a013 060a 2b060104018237140203 a005 1603 614062", []san.Name{
		{Kind: san.Other},
	}},
	{"a UPN type with bytes behind the string is not a UPN", "3017 a015 060a 2b060104018237140203 a007 0c03 614062 0500", []san.Name{
		{Kind: san.Other},
	}},
	{"a UPN that is not UTF-8 is not a UPN", "3013 a011 060a 2b060104018237140203 a003 0c01 ff", []san.Name{
		{Kind: san.Other},
	}},
	{"an otherName whose type is a UUID", "301e a01c 0614 6983e0c7b3a2d1f0908fe1c3b2a1f0e0d0c0b001 a004 0c02 6162", []san.Name{
		{Kind: san.Other},
	}},
	{"an empty UPN is one", "3012 a010 060a 2b060104018237140203 a002 0c00", []san.Name{{Kind: san.UPN}}},
	{"UTF-8 in a UPN", "3014 a012 060a 2b060104018237140203 a004 0c02 c3a9", []san.Name{{Kind: san.UPN, Value: "é"}}},
}

// parse collects what Each hands out.
func parse(der []byte) ([]san.Name, error) {
	var names []san.Name
	err := san.Each(der, func(kind san.Kind, value []byte) bool {
		name := san.Name{Kind: kind, Value: string(value)}
		if kind == san.Other || kind == san.Unread {
			name = san.Name{Kind: kind, Raw: bytes.Clone(value)}
		}
		names = append(names, name)
		return true
	})
	if err != nil {
		return nil, err
	}
	return names, nil
}

func TestEachMarshal(t *testing.T) {
	for _, test := range vectors {
		der := unhex(t, test.der)
		der[1] = byte(len(der) - 2)
		names, err := parse(der)
		if err != nil {
			t.Errorf("%s: %v", test.reason, err)
			continue
		}
		again, err := san.Marshal(names)
		if err != nil || !bytes.Equal(again, der) {
			t.Errorf("%s: written again %x, %v", test.reason, again, err)
		}
		for i := range names {
			names[i].Raw = nil // held by the bytes above
		}
		if diff := cmp.Diff(test.want, names); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.reason, diff)
		}
	}
}

func TestEachRefuses(t *testing.T) {
	for reason, text := range map[string]string{
		"nothing":                      "",
		"not a SEQUENCE":               "3100",
		"bytes behind the list":        "3000 00",
		"a name longer than the list":  "3003 8105 61",
		"indefinite length":            "3080 0000",
		"long form of a short length":  "30 8103 810161",
		"otherName without value":      "300e a00c 060a 2b060104018237140203",
		"otherName value not EXPLICIT": "3013 a011 060a 2b060104018237140203 0c03 614062",
		"otherName with two values":    "3017 a015 060a 2b060104018237140203 a002 0c00 a003 0c0161",
		"otherName with broken type":   "3009 a007 0601 80 a002 0500",
		"otherName with a padded type": "300b a009 0603 2a8001 a002 0500",
		"otherName with an empty type": "3008 a006 0600 a002 0500",
	} {
		names, err := parse(unhex(t, text))
		if names != nil || !errors.Is(err, san.BadEncoding) {
			t.Errorf("%s: %v, %v", reason, names, err)
		}
	}
}

// A name that breaks the rules of its kind does not hide those beside it.
func TestEachNotASCII(t *testing.T) {
	for kind, text := range map[string]string{"e-mail": "3008 8102 c3a9 8202 612e", "DNS name": "3008 8202 c3a9 8202 612e", "URI": "3008 8602 c3a9 8202 612e"} {
		names, err := parse(unhex(t, text))
		if err != nil || len(names) != 2 || names[0].Kind != san.Unread || names[1].Value != "a." {
			t.Errorf("%s: %v, %v", kind, names, err)
		}
	}
}

func TestMarshalRefuses(t *testing.T) {
	for reason, name := range map[string]san.Name{
		"no kind":               {Value: "x"},
		"UPN not UTF-8":         {Kind: san.UPN, Value: "\xff"},
		"e-mail not ASCII":      {Kind: san.Email, Value: "é@b"},
		"raw without a value":   {Kind: san.Other},
		"raw with two elements": {Kind: san.Unread, Raw: []byte{0x87, 0, 0x87, 0}},
	} {
		if der, err := san.Marshal([]san.Name{name}); err == nil {
			t.Errorf("%s: written as %x", reason, der)
		}
	}
}

func TestFirst(t *testing.T) {
	der := unhex(t, "3032"+fascN+upnFoo)
	der[1] = byte(len(der) - 2)
	if got := san.First(der, san.UPN); string(got) != "foo@bar.com" {
		t.Errorf("first UPN %q", got)
	}
	if got := san.First(der, san.Email); got != nil {
		t.Errorf("first e-mail %q", got)
	}
	if got := san.First(der[:len(der)-1], san.UPN); got != nil {
		t.Errorf("a broken extension gave %q", got)
	}
	empty := unhex(t, "3012 a010 060a 2b060104018237140203 a002 0c00")
	if got := san.First(empty, san.UPN); got == nil || len(got) != 0 {
		t.Errorf("an empty UPN gave %v", got)
	}
	if n := testing.AllocsPerRun(100, func() { san.First(der, san.UPN) }); n != 0 {
		t.Errorf("First allocates %v times", n)
	}
}

func TestFind(t *testing.T) {
	cert := &x509.Certificate{}
	if san.Find(cert) != nil {
		t.Error("found in a certificate without extensions")
	}
	cert.Extensions = append(cert.Extensions, extension(asn1.ObjectIdentifier{2, 5, 29, 14}, 1), extension(san.Extension(), 2))
	if got := san.Find(cert); !bytes.Equal(got, []byte{2}) {
		t.Errorf("found %x", got)
	}
}
