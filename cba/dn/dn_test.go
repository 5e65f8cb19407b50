package dn_test

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"example.com/entracba/cba/dn"
	"github.com/google/go-cmp/cmp"
)

// unhex drops spaces, so that vectors can be laid out by their structure.
func unhex(t testing.TB, text string) []byte {
	t.Helper()
	der, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// The encodings are laid out by hand from X.690; the comments of the rows say
// what they show. TestOpenSSLReadsTheSame holds the encoder against OpenSSL.
var encodings = []struct {
	reason    string
	der       string
	rfc4514   string
	rootFirst string
	windows   string
}{
	{
		"the empty name",
		"3000", "", "", "",
	}, {
		"order: DER is root first, RFC 4514 the other way round",
		`304b
		 3113 3011 060a0992268993f22c640119 1603 636f6d
		 3117 3015 060a0992268993f22c640119 1607 636f6e746f736f
		 311b 3019 060a0992268993f22c640101 0c0b 4a616e6520446f65202020`,
		`UID=Jane Doe  \ ,DC=contoso,DC=com`,
		`DC=com,DC=contoso,UID=Jane Doe  \ `,
		`DC=com,DC=contoso,OID.0.9.2342.19200300.100.1.1="Jane Doe   "`,
	}, {
		"multi-valued: order of the SET kept, one space for Windows",
		`301a 3118
		 3009 0603550403 0c02 4a44
		 300b 0603550405 1304 34373030`,
		"CN=JD+serialNumber=4700",
		"CN=JD+serialNumber=4700",
		"CN=JD SERIALNUMBER=4700",
	}, {
		"S, E, T and G are Windows' names",
		`303d
		 3109 3007 0603550408 0c00
		 310a 3008 0603550408 0c01 57
		 310b 3009 060355040c 0c02 4472
		 310b 3009 060355042a 0c02 416c
		 310a 3008 060355042b 1301 58`,
		"initials=X,givenName=Al,title=Dr,ST=W,ST=",
		"ST=,ST=W,title=Dr,givenName=Al,initials=X",
		`S="",S=W,T=Dr,G=Al,I=X`,
	}, {
		"quotes are doubled for Windows, escaped for RFC 4514",
		`3015 3113 3011 0603550403 0c0a 4a616e65202258222c2b`,
		`CN=Jane \"X\"\,\+`,
		`CN=Jane \"X\"\,\+`,
		`CN="Jane ""X"",+"`,
	}, {
		"BMPString, T61String and UniversalString become text, NULL does not",
		`3030
		 310b 3009 0603550403 1e02 00e9
		 310a 3008 060355040a 1401 e9
		 310d 300b 0603550407 1c04 0001f600
		 3109 3007 060355040b 0500`,
		"OU=#0500,L=\U0001f600,O=é,CN=é",
		"CN=é,O=é,L=\U0001f600,OU=#0500",
		"CN=é,O=é,L=\U0001f600,OU=#0500",
	}, {
		"an odd BMPString, a lone surrogate, bad UTF-8 and high bytes in IA5String are no text",
		`3033
		 310a 3008 0603550403 1e01 00
		 310b 3009 0603550403 1e02 d800
		 310a 3008 0603550403 0c01 ff
		 310a 3008 0603550403 1601 80`,
		"CN=#160180,CN=#0c01ff,CN=#1e02d800,CN=#1e0100",
		"CN=#1e0100,CN=#1e02d800,CN=#0c01ff,CN=#160180",
		"CN=#1e0100,CN=#1e02d800,CN=#0c01ff,CN=#160180",
	}, {
		"an unknown type: number and hexadecimal, OID. for Windows",
		`3015 3113 3011 0603550461 0c0a 4e545245452d31303734`,
		"organizationIdentifier=NTREE-1074",
		"organizationIdentifier=NTREE-1074",
		"OID.2.5.4.97=NTREE-1074",
	}, {
		"a type without a name anywhere",
		`300e 310c 300a 0605 2b06010401 0c01 41`,
		"1.3.6.1.4.1=#0c0141",
		"1.3.6.1.4.1=#0c0141",
		"OID.1.3.6.1.4.1=A",
	}, {
		"control characters never break a line in RFC 4514",
		`300f 310d 300b 0603550403 0c04 410a0d42`,
		`CN=A\0a\0dB`,
		`CN=A\0a\0dB`,
		"CN=\"A\n\rB\"",
	}, {
		"a carriage return inside needs no quotes in Windows",
		`300e 310c 300a 0603550403 0c03 410d42`,
		`CN=A\0dB`,
		`CN=A\0dB`,
		"CN=A\rB",
	},
}

func TestEncodings(t *testing.T) {
	for _, test := range encodings {
		der := unhex(t, test.der)
		name, err := dn.ParseDER(fixLength(t, der))
		if err != nil {
			t.Errorf("%s: %v", test.reason, err)
			continue
		}
		got := []string{name.String(), name.RootFirst(), name.Windows()}
		if diff := cmp.Diff([]string{test.rfc4514, test.rootFirst, test.windows}, got); diff != "" {
			t.Errorf("%s: texts (-want +got):\n%s", test.reason, diff)
		}
		again, err := name.Marshal()
		if err != nil || !bytes.Equal(again, fixLength(t, der)) {
			t.Errorf("%s: encoded again: %x, %v", test.reason, again, err)
		}
	}
}

// fixLength rewrites the outermost length, so that the rows above need not be
// counted by hand.
func fixLength(t testing.TB, der []byte) []byte {
	t.Helper()
	if len(der) < 2 || len(der)-2 > 127 {
		t.Fatalf("row of %d bytes", len(der))
	}
	der = bytes.Clone(der)
	der[1] = byte(len(der) - 2)
	return der
}

func TestBadEncoding(t *testing.T) {
	for reason, text := range map[string]string{
		"nothing":                  "",
		"trailing bytes":           "3000 00",
		"empty SET":                "3002 3100",
		"length past the end":      "3005 3103",
		"not a SEQUENCE":           "3100",
		"attribute without value":  "3009 3107 3005 0603550403",
		"attribute with two":       "300d 310b 3009 0603550403 0500 0500",
		"indefinite length":        "3080 0000",
		"object identifier of 0":   "300a 3108 3006 0600 0c02 4141",
		"object identifier broken": "300b 3109 3007 0602 5584 0c01 41",
		"long form of a short":     "308100",
	} {
		name, err := dn.ParseDER(unhex(t, text))
		var e *dn.Error
		if name != nil || !errors.As(err, &e) || e.Reason != dn.BadEncoding {
			t.Errorf("%s: got %v, %v", reason, name, err)
		}
		dst := []byte("kept")
		if text == "300b 3109 3007 0602 5584 0c01 41" {
			continue // AppendKey compares object identifiers as bytes and reads no numbers
		}
		if got, err := dn.AppendKey(dst, unhex(t, text)); err == nil || string(got) != "kept" {
			t.Errorf("%s: AppendKey gave %q, %v", reason, got, err)
		}
		if got, err := dn.AppendWindows(dst, unhex(t, text)); err == nil || string(got) != "kept" {
			t.Errorf("%s: AppendWindows gave %q, %v", reason, got, err)
		}
	}
}

func TestParse(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"CN=Jane,OU=Users,DC=contoso,DC=com", "CN=Jane,OU=Users,DC=contoso,DC=com"},
		{"CN=ContosoCA,DC=Contoso,DC=org ", "CN=ContosoCA,DC=Contoso,DC=org"}, // Graph's own sample, trailing space included
		{"CN = WoodgroveCA", "CN=WoodgroveCA"},                                // as the portal shows it
		{"CN=WoodgroveCA ", "CN=WoodgroveCA"},
		{" cn=a , o=b ; c=DE ", "CN=a,O=b,C=DE"},
		{`CN="Doe, ""Jane""",O="a+b"`, `CN=Doe\, \"Jane\",O=a\+b`},
		{`CN=Doe\, \"Jane\"\ ,O=x`, `CN=Doe\, \"Jane\"\ ,O=x`},
		{`CN=\c3\a9`, "CN=é"},
		{`CN=\#a,O=\ `, `CN=\#a,O=\ `},
		{"E=a@b.example,S=Bayern,UID=7", "emailAddress=a@b.example,ST=Bayern,UID=7"},
		{"emailAddress=a@b.example,ST=Bayern,OID.2.5.4.97=N", "emailAddress=a@b.example,ST=Bayern,organizationIdentifier=N"},
		{"1.2.3.4=#0c0141", "1.2.3.4=#0c0141"},
		{"1.2.3.4=A", "1.2.3.4=#0c0141"},
		{"CN=#130141", "CN=A"},
		{"SERIALNUMBER=1+CN=b", "CN=b+serialNumber=1"}, // DER order of the SET
		{"CN=", "CN="},
		{"CN=,O=x", "CN=,O=x"},
		{"CN=a=b", "CN=a=b"},
		{"", ""},
		{"   ", ""},
	} {
		name, err := dn.Parse(test.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", test.text, err)
			continue
		}
		if got := name.String(); got != test.want {
			t.Errorf("Parse(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct {
		text   string
		reason dn.Reason
		offset int
	}{
		{"Jane", dn.NoType, 0},
		{"CN=a,", dn.NoType, 5},
		{"CN=a,,O=b", dn.NoType, 5},
		{",CN=a", dn.NoType, 0},
		{"=a", dn.NoType, 0},
		{"CN=a,b", dn.NoType, 5},
		{"Contoso, Inc,CN=a", dn.NoType, 0},
		{"FOO=a", dn.UnknownType, 0},
		{"3.1=a", dn.UnknownType, 0},
		{"1.40=a", dn.UnknownType, 0},
		{"1.02=a", dn.UnknownType, 0},
		{"1.2.+3=a", dn.NoType, 0},
		{"1.2.99999999999=a", dn.UnknownType, 0},
		{`CN=a\`, dn.BadEscape, 4},
		{`CN=a\x`, dn.BadEscape, 4},
		{`CN=a\4`, dn.BadEscape, 4},
		{`CN="a`, dn.BadQuote, 3},
		{`CN="a"b`, dn.BadQuote, 6},
		{`CN=a"b`, dn.NeedsEscape, 4},
		{"CN=<a>", dn.NeedsEscape, 3},
		{"CN=#0c01", dn.BadHex, 3},
		{"CN=#zz", dn.BadHex, 3},
		{"CN=#0c0141 x", dn.BadHex, 11},
		{`CN=\ff`, dn.NotUTF8, 6},
		{"CN=\xff", dn.NotUTF8, -1},
	} {
		name, err := dn.Parse(test.text)
		var e *dn.Error
		if !errors.As(err, &e) {
			t.Errorf("Parse(%q) = %v, %v", test.text, name, err)
			continue
		}
		if e.Reason != test.reason || e.Offset != test.offset {
			t.Errorf("Parse(%q): %v at %d, want %v at %d", test.text, e.Reason, e.Offset, test.reason, test.offset)
		}
		if !strings.HasPrefix(err.Error(), "dn: ") || !errors.Is(err, test.reason) {
			t.Errorf("Parse(%q): message %q", test.text, err)
		}
	}
}

func TestStringTypes(t *testing.T) {
	for text, want := range map[string]int{
		"DC=com":           asn1.TagIA5String,
		"E=a@b.example":    asn1.TagIA5String,
		"C=US":             asn1.TagPrintableString,
		"serialNumber=1-2": asn1.TagPrintableString,
		"serialNumber=1@2": asn1.TagUTF8String, // PrintableString has no @
		"DC=é":             asn1.TagUTF8String,
		"CN=Jane":          asn1.TagUTF8String,
	} {
		name, err := dn.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		der, err := name.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		back, err := dn.ParseDER(der)
		if err != nil || back[0][0].Tag != want {
			t.Errorf("%s: tag %d, want %d (%v)", text, back[0][0].Tag, want, err)
		}
	}
}

func TestMarshalRefuses(t *testing.T) {
	cn := dn.CommonName
	for reason, name := range map[string]dn.Name{
		"part without attributes":        {{}},
		"no type":                        {{{Value: "x"}}},
		"impossible type":                {{{Type: "9.9", Value: "x"}}},
		"not ASCII in IA5String":         {{{Type: cn, Tag: asn1.TagIA5String, Value: "é"}}},
		"not Latin-1 in T61String":       {{{Type: cn, Tag: asn1.TagT61String, Value: "Ж"}}},
		"not UTF-8":                      {{{Type: cn, Value: "\xff"}}},
		"a tag that is no string":        {{{Type: cn, Tag: asn1.TagInteger, Value: "1"}}},
		"raw bytes that are not a value": {{{Type: cn, Raw: []byte{0x0c, 5, 'x'}}}},
	} {
		der, err := name.Marshal()
		var e *dn.Error
		if der != nil || !errors.As(err, &e) || e.Reason != dn.NotEncodable {
			t.Errorf("%s: %x, %v", reason, der, err)
		}
		if name.Windows() != "" || name.Equal(name) {
			t.Errorf("%s: a name that cannot be encoded has a text or equals something", reason)
		}
		_ = name.String() // must not panic
	}
}

func TestEqual(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"CN=Jane,DC=com", "cn=JANE,dc=COM", true},
		{"CN=Jane  Doe", "CN= jane doe ", true},
		{"CN=Jane Doe", "CN=JaneDoe", false},
		{"CN=Straße", "CN=STRAßE", true},
		{"CN=Ж", "CN=ж", true},
		{"CN=\u212a", "CN=k", true}, // the Kelvin sign
		{"CN=a,DC=b", "DC=b,CN=a", false},
		{"CN=a+O=b", "O=b+CN=a", true},
		{"CN=a+O=b", "CN=a,O=b", false},
		{"CN=a", "CN=#130161", true}, // another string type
		{"CN=#0500", "CN=#0500", true},
		{"CN=#0500", "CN=#0101ff", false},
		{"CN=a", "O=a", false},
		{"", "", true},
		{"", "CN=", false},
		{"CN=ab,CN=c", "CN=a,CN=bc", false},
	} {
		a, errA := dn.Parse(test.a)
		b, errB := dn.Parse(test.b)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if got := a.Equal(b); got != test.want {
			t.Errorf("%q equal %q: %v", test.a, test.b, got)
		}
		if a.Equal(b) != b.Equal(a) {
			t.Errorf("%q and %q: not symmetric", test.a, test.b)
		}
	}
}

func TestValuesAndClone(t *testing.T) {
	name, err := dn.Parse("CN=b+UID=u,CN=a,DC=com,CN=#0500")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b"}, name.Values(dn.CommonName)); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	clone := name.Clone()
	clone[0][0].Raw[0] = 9
	clone[1][0].Type = dn.Country
	clone[1][0].Value = "changed"
	if name.String() != "CN=b+UID=u,CN=a,DC=com,CN=#0500" {
		t.Errorf("a change of the clone reached the name: %v", name)
	}
}

func TestReasonsHaveWords(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range []dn.Reason{dn.BadEncoding, dn.NoType, dn.UnknownType, dn.BadEscape, dn.BadQuote, dn.BadHex, dn.NeedsEscape, dn.NotUTF8, dn.NotEncodable} {
		var err error = &dn.Error{Reason: r, Offset: -1}
		if seen[err.Error()] || seen[string(r)] || err.Error() == "dn: "+string(r) || !errors.Is(err, r) || errors.Is(err, dn.Reason("x")) {
			t.Errorf("%s: %v", string(r), err)
		}
		seen[err.Error()], seen[string(r)] = true, true
	}
}

func TestAllocations(t *testing.T) {
	name, err := dn.Parse("CN=Contoso User,OU=UserAccounts,DC=corp,DC=contoso,DC=com")
	if err != nil {
		t.Fatal(err)
	}
	der, err := name.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 0, 512)
	if n := testing.AllocsPerRun(100, func() { dn.AppendWindows(buffer, der) }); n != 0 {
		t.Errorf("AppendWindows allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { dn.AppendKey(buffer, der) }); n != 0 {
		t.Errorf("AppendKey allocates %v times", n)
	}
}

// A name made by hand may use any text of a type; it is the same name.
func TestTypesByHand(t *testing.T) {
	want := dn.Name{{{Type: dn.State, Value: "WA"}}, {{Type: dn.EmailAddress, Value: "a@b.c"}}, {{Type: "2.5.4.45", Value: "x"}}}
	for _, types := range [][3]dn.Type{{"S", "E", "OID.2.5.4.45"}, {"st", "1.2.840.113549.1.9.1", "oid.2.5.4.45"}, {"stateOrProvinceName", "email", "2.5.4.45"}} {
		name := dn.Name{{{Type: types[0], Value: "WA"}}, {{Type: types[1], Value: "a@b.c"}}, {{Type: types[2], Value: "x"}}}
		if !name.Equal(want) || name.String() != want.String() || name.Windows() != "S=WA,E=a@b.c,OID.2.5.4.45=x" {
			t.Errorf("%v: %v, %s", types, name, name.Windows())
		}
		for _, asked := range []dn.Type{dn.EmailAddress, types[1]} {
			if got := name.Values(asked); len(got) != 1 || got[0] != "a@b.c" {
				t.Errorf("%v: %s %q", types, asked, got)
			}
		}
		der, err := name.Marshal()
		back, errBack := dn.ParseDER(der)
		if err != nil || errBack != nil || back[0][0].Type != dn.State || back[1][0].Type != dn.EmailAddress || back[2][0].Type != "2.5.4.45" {
			t.Errorf("%v: %#v, %v, %v", types, back, err, errBack)
		}
	}
	for _, bad := range []dn.Type{"", "x", "CN ", "\u017ft", "UID\x00", "1", "1.2.", "OID.", "3.1", "2.5.4.045", "2.2147483648"} {
		if _, err := dn.ParseType(string(bad)); !errors.Is(err, dn.UnknownType) {
			t.Errorf("ParseType(%q): %v", bad, err)
		}
		if bad.Windows() != "" {
			t.Errorf("Windows writes %q for %q", bad.Windows(), bad)
		}
		name := dn.Name{{{Type: bad, Value: "x"}}}
		if _, err := name.Marshal(); !errors.Is(err, dn.NotEncodable) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// CertNameToStr quotes a value that is empty, begins or ends with white space, or
// contains one of its special characters, and no other.
func TestWindowsQuotes(t *testing.T) {
	special := ",+=\"\n<>#;"
	for c := rune(' '); c < 0x17f; c++ {
		for _, value := range []string{"a" + string(c) + "b", string(c) + "b", "a" + string(c)} {
			name := dn.Name{{{Type: dn.CommonName, Value: value}}}
			want := "CN=" + value
			if strings.ContainsRune(special, c) || c == ' ' && value != "a b" {
				want = `CN="` + strings.ReplaceAll(value, `"`, `""`) + `"`
			}
			if got := name.Windows(); got != want {
				t.Errorf("U+%04X: %q, want %q", c, got, want)
			}
		}
	}
	for value, want := range map[string]string{"": `CN=""`, "a\nb": "CN=\"a\nb\"", "a\tb": "CN=a\tb", "\ta": "CN=\"\ta\"", "a\r": "CN=\"a\r\""} {
		if got := (dn.Name{{{Type: dn.CommonName, Value: value}}}).Windows(); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}
