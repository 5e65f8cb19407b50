package cba_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"testing"

	"example.com/entracba/cba"
)

// sidVector is the value of szOID_NTDS_CA_SECURITY_EXT for sidText, published
// with a certificate of Active Directory Certificate Services.
const (
	sidText   = "S-1-5-21-1381186052-4247692386-135928078-1225"
	sidVector = "MD+gPQYKKwYBBAGCNxkCAaAvBC1TLTEtNS0yMS0xMzgxMTg2MDUyLTQyNDc2OTIzODYtMTM1OTI4MDc4LTEyMjU="
)

var sidID = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 25, 2}

func TestSIDExtensionVector(t *testing.T) {
	want, err := base64.StdEncoding.DecodeString(sidVector)
	if err != nil {
		t.Fatal(err)
	}
	got := parseSID(t, sidText).Extension()
	if !got.Id.Equal(sidID) || got.Critical || !bytes.Equal(got.Value, want) {
		t.Errorf("extension\n got %v %x\nwant %v %x", got.Id, got.Value, sidID, want)
	}
	names, err := cba.NamesOf(&x509.Certificate{Extensions: []pkix.Extension{{Id: sidID, Value: want}}})
	if err != nil || names.SID().String() != sidText || len(names.Ignored) != 0 {
		t.Errorf("read back %q, ignored %v, %v", names.SID(), names.Ignored, err)
	}
}

// An extension that is cut, longer, of another type or with two SIDs in it says
// no SID, and says so.
func TestSIDExtensionUnreadable(t *testing.T) {
	good := parseSID(t, "S-1-5-18").Extension().Value
	two := append([]byte{0x30, 2 * (good[1])}, append(bytes.Clone(good[2:]), good[2:]...)...)
	other := bytes.Clone(good)
	other[15]++ // the last number of the type
	badText := bytes.ReplaceAll(good, []byte("S-1-5-18"), []byte("S-1-5-1x"))
	utf8 := bytes.Clone(good)
	utf8[bytes.Index(utf8, []byte("\x04\x08"))] = 0x0c
	for _, c := range []struct {
		name  string
		value []byte
		want  string
	}{
		{"cut", good[:len(good)-1], "is no list of one otherName"},
		{"longer", append(bytes.Clone(good), 0), "is no list of one otherName"},
		{"two", two, "has more than one name"},
		{"other type", other, "has an otherName of another type than 1.3.6.1.4.1.311.25.2.1"},
		{"no SID in it", badText, "holds no SID"},
		{"empty", nil, "is no list of one otherName"},
		{"empty list", []byte{0x30, 0}, "is no list of one otherName"},
		{"a UTF8String", utf8, "holds the SID in a UTF8String, not in an OCTET STRING"},
	} {
		name, value := c.name, c.value
		names, err := cba.NamesOf(&x509.Certificate{Extensions: []pkix.Extension{{Id: sidID, Value: value}}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !names.SID().IsZero() || len(names.Ignored) != 1 || names.Ignored[0].Kind != "SID extension that "+c.want {
			t.Errorf("%s: SID %q, ignored %v", name, names.SID(), names.Ignored)
		}
	}
}

func TestParseSID(t *testing.T) {
	for _, text := range []string{
		sidText,
		"S-1-5-18", // LocalSystem: one sub-authority
		"S-1-12-1-1234567890-1234567890-1234567890-1234567890", // Entra
		"S-1-5-21-0-0-0-4294967295",
		"S-1-0x10000000000a-1",
		"S-1-1-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15",
	} {
		sid := parseSID(t, text)
		if sid.String() != text || sid.IsZero() {
			t.Errorf("ParseSID(%q) = %q", text, sid)
		}
		if sid != parseSID(t, text) {
			t.Errorf("%q does not equal itself", text)
		}
		if want := "tag:microsoft.com,2022-09-14:sid:" + text; sid.URI() != want {
			t.Errorf("URI = %q, want %q", sid.URI(), want)
		}
	}
	wantParse := func(text string, want cba.Reason) {
		t.Helper()
		sid, err := cba.ParseSID(text)
		wantReason(t, err, want)
		if !sid.IsZero() {
			t.Errorf("ParseSID(%q) gave %q beside the error", text, sid)
		}
	}
	wantParse("", cba.Empty)
	for _, text := range []string{
		"S-1", "S-1-5", "S-1-5-", "S-2-5-18", "s-1-5-18", " S-1-5-18", "S-1-5-18 ", "S-1-5-018", "S-1-5-+18", "S-1-5--18",
		"S-1-5-4294967296", "S-1-4294967296-1", "S-1-0x5-18", "S-1-0x000000000005-18", "S-1-0xzzzzzzzzzzzz-18",
		"S-1-1-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16", "S-1-5-18\x00", "500", "CN=x",
	} {
		wantParse(text, cba.Malformed)
	}
}

func TestSIDText(t *testing.T) {
	type user struct {
		SID cba.SID `json:"sid"`
	}
	in := user{parseSID(t, sidText)}
	text, err := json.Marshal(in)
	if err != nil || string(text) != `{"sid":"`+sidText+`"}` {
		t.Fatalf("%s, %v", text, err)
	}
	var out user
	if err := json.Unmarshal(text, &out); err != nil || out != in {
		t.Errorf("back: %v, %v", out, err)
	}
	if err := json.Unmarshal([]byte(`{"sid":""}`), &out); err != nil || !out.SID.IsZero() {
		t.Errorf("empty: %v, %v", out, err)
	}
	if err := json.Unmarshal([]byte(`{"sid":"x"}`), &out); err == nil {
		t.Error("read x as a SID")
	}
}

func TestSIDsThatDiffer(t *testing.T) {
	a, b := parseSID(t, "S-1-5-21-1-2-3-500"), parseSID(t, "S-1-5-21-1-2-3-501")
	for _, test := range []struct {
		names cba.Names
		want  cba.SID
	}{
		{cba.Names{}, cba.SID{}},
		{cba.Names{ExtensionSID: a}, a},
		{cba.Names{URISIDs: []cba.SID{a}}, a},
		{cba.Names{ExtensionSID: a, URISIDs: []cba.SID{a, a}}, a},
		{cba.Names{ExtensionSID: a, URISIDs: []cba.SID{b}}, cba.SID{}},
		{cba.Names{URISIDs: []cba.SID{a, b}}, cba.SID{}},
	} {
		if got := test.names.SID(); got != test.want {
			t.Errorf("%+v: SID = %q, want %q", test.names, got, test.want)
		}
	}
}
