package intune_test

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/intune"
	"github.com/google/go-cmp/cmp"
)

// The names that Windows makes of these texts are shown by Wine's tests of
// crypt32, which pass on Windows (dlls/crypt32/tests/str.c, namesA), and by the
// page on CertStrToName. String types differ by design, so names are compared by
// type and text.
func TestCertStrToName(t *testing.T) {
	tests := []struct{ text, want string }{ // want is RFC 4514, root first
		{`CN=1`, `CN=1`},
		{`CN="1"`, `CN=1`},
		{`CN = "1"`, `CN=1`},
		{`CN='1'`, `CN='1'`},
		{`CN=" 1 "`, `CN=\ 1\ `},
		{`CN="""1"""`, `CN=\"1\"`},
		{`CN="1+2"`, `CN=1\+2`},
		{`CN="a,b"`, `CN=a\,b`},
		{`CN="a=b"`, `CN=a=b`},
		{`CN="<"`, `CN=\<`},
		{`CN=">"`, `CN=\>`},
		{`CN="#"`, `CN=\#`},
		{`CN=";"`, `CN=\;`},
		{"CN=\"a\nb\"", `CN=a\0ab`},
		{`CN=dummy,T=test`, `CN=dummy,title=test`},
		{` CN =   Wine Test,T = 123, C = BR`, `CN=Wine Test,title=123,C=BR`},
		{"CN=\u226f\u575b", "CN=\u226f\u575b"},
		// From the page itself.
		{`CN="User ""one"""`, `CN=User \"one\"`},
		{`1.2.3 = # AB CD 01`, `1.2.3=#0403abcd01`},
		{`1.2.3=#ABCD01`, `1.2.3=#0403abcd01`},
		{`CN=a;OU=b`, `CN=a,OU=b`},
		{`OU=b+CN=a`, `CN=a+OU=b`}, // a SET has one order
		{`S=WA,G=Al,I=X,Email=a@b.com`, `ST=WA,givenName=Al,initials=X,emailAddress=a@b.com`},
		// A backslash is a character.
		{`CN=CORP\jane`, `CN=CORP\\jane`},
	}
	for _, test := range tests {
		subject, err := intune.ParseSubject(test.text, intune.UserCertificate)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		name, err := subject.Expand(intune.Attributes{})
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		if got := name.RootFirst(); got != test.want {
			t.Errorf("%q = %q, want %q", test.text, got, test.want)
		}
		if _, err := name.Marshal(); err != nil {
			t.Errorf("%q: %v", test.text, err)
		}
		if subject.String() != test.text {
			t.Errorf("String() = %q, want %q", subject.String(), test.text)
		}
	}
}

func TestOctetStringOfHash(t *testing.T) {
	subject, err := intune.ParseSubject("1.2.3=#ABCD01", intune.UserCertificate)
	if err != nil {
		t.Fatal(err)
	}
	name, err := subject.Expand(intune.Attributes{})
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(name[0][0].Raw); got != "0403abcd01" {
		t.Errorf("value = %s, want the OCTET STRING 0403abcd01", got)
	}
}

func TestSubjectErrors(t *testing.T) {
	tests := []struct {
		text   string
		kind   intune.CertificateType
		reason intune.Reason
		offset int
	}{
		{"", intune.UserCertificate, intune.Empty, -1},
		{"  ", intune.UserCertificate, intune.Empty, -1},
		{"bogus", intune.UserCertificate, intune.NoType, 0},      // Wine: CRYPT_E_INVALID_X500_STRING
		{"foo=1", intune.UserCertificate, intune.UnknownType, 0}, // Wine: the same
		{`CN=""1""`, intune.UserCertificate, intune.BadQuote, 5}, // Wine: the same, at the 1
		{"CN=1+2", intune.UserCertificate, intune.NoType, 5},     // Wine: the same
		{"CN=1,2", intune.UserCertificate, intune.NoType, 5},     //
		{`CN="1`, intune.UserCertificate, intune.BadQuote, 3},    //
		{`CN=a"b"`, intune.UserCertificate, intune.BadQuote, 4},  //
		{`CN="a" b`, intune.UserCertificate, intune.BadQuote, 7}, //
		{"CN=1,", intune.UserCertificate, intune.NoType, 5},      //
		{"CN=,OU=x", intune.UserCertificate, intune.Empty, 3},    //
		{`CN=""`, intune.UserCertificate, intune.Empty, 5},
		{"=x", intune.UserCertificate, intune.NoType, 0},
		{"CN=#AB C", intune.UserCertificate, intune.BadHex, 3},
		{"CN=#", intune.UserCertificate, intune.BadHex, 3},
		{"CN=#{{IMEI}}", intune.UserCertificate, intune.BadHex, 3},
		{"CN={{UserName}", intune.UserCertificate, intune.UnclosedVariable, 3},
		{"CN={{UserName,OU={{IMEI}}", intune.UserCertificate, intune.UnclosedVariable, 3},
		{"OU=x,CN={{User}}", intune.UserCertificate, intune.UnknownVariable, 8},
		{"CN={{ UserName }}", intune.UserCertificate, intune.UnknownVariable, 3},
		{"CN={{UserName}}", intune.DeviceCertificate, intune.NotAllowed, 3},
		{"OU=x,{{UserName}}=1", intune.UserCertificate, intune.Misplaced, 5},
		{"{{OnPrem_Distinguished_Name}}", intune.UserCertificate, intune.Misplaced, 0},
		{"CN={{OnPremisesSecurityIdentifier}}", intune.UserCertificate, intune.Misplaced, 3},
		{"CN=\xff", intune.UserCertificate, intune.NotUTF8, -1},
		{"CN=" + strings.Repeat("x", 5000), intune.UserCertificate, intune.TooLong, -1},
		{"CN=x", 0, intune.OutOfRange, -1},
	}
	for _, test := range tests {
		_, err := intune.ParseSubject(test.text, test.kind)
		wantError(t, test.text, err, test.reason, test.offset)
	}
}

func wantError(t *testing.T, text string, err error, reason intune.Reason, offset int) {
	t.Helper()
	var e *intune.Error
	if !errors.As(err, &e) || e.Reason != reason || e.Offset != offset {
		t.Errorf("%.50q: error %v, want reason %v at byte %d", text, err, reason, offset)
	}
}

func TestTemplateErrors(t *testing.T) {
	for _, test := range []struct {
		text   string
		reason intune.Reason
		offset int
	}{
		{"{{", intune.UnclosedVariable, 0},
		{"a{{DeviceName}", intune.UnclosedVariable, 1},
		{"a.{{Device}}", intune.UnknownVariable, 2},
		{"a.{{UserPrincipalName}}", intune.NotAllowed, 2},
	} {
		_, err := intune.ParseTemplate(test.text, intune.DeviceCertificate)
		wantError(t, test.text, err, test.reason, test.offset)
	}
}

func TestTemplateExpand(t *testing.T) {
	template, err := intune.ParseTemplate("{{DeviceName}}.{{devicename}}, {x} \"{{AzureADDeviceId}}\"", intune.DeviceCertificate)
	if err != nil {
		t.Fatal(err)
	}
	got, err := template.Expand(jane(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := `PC1.PC1, {x} "9b3f"`; got != want {
		t.Errorf("Expand = %q, want %q", got, want)
	}
	if diff := cmp.Diff([]intune.Variable{intune.DeviceName, intune.EntraDeviceID}, template.Variables()); diff != "" {
		t.Error(diff)
	}
	_, err = template.Expand(intune.Attributes{DeviceName: "PC1"})
	wantError(t, "no device ID", err, intune.NoValue, -1)
	_, err = template.Expand(intune.Attributes{DeviceName: "\xff"})
	wantError(t, "bad UTF-8", err, intune.NotUTF8, -1)
}

// Every documented spelling is read, and every variable has a value of its own.
func TestVariables(t *testing.T) {
	spellings := []string{"UserName", "UserPrincipalName", "EmailAddress", "OnPrem_Distinguished_Name", "onPremisesSamAccountName",
		"AAD_Device_ID", "DeviceId", "SERIALNUMBER", "IMEINumber", "Device_Serial", "Device_IMEI", "SerialNumber", "AzureADDeviceId",
		"WiFiMacAddress", "IMEI", "DeviceName", "FullyQualifiedDomainName", "MEID", "OnPremisesSecurityIdentifier"}
	seen := map[intune.Variable]bool{}
	for _, name := range spellings {
		template, err := intune.ParseTemplate("{{"+name+"}}", intune.UserCertificate)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		seen[template.Variables()[0]] = true
	}
	if len(seen) != 14 {
		t.Errorf("%d variables have a spelling, want 14", len(seen))
	}
	for v := range seen {
		if jane(t).Value(v) == "" {
			t.Errorf("%v has no value", v)
		}
		_, err := intune.ParseTemplate(v.String(), intune.DeviceCertificate)
		if v.AllowedIn(intune.DeviceCertificate) != (err == nil) {
			t.Errorf("%v in a device certificate: %v", v, err)
		}
	}
}

// What a variable stands for is never read as part of the name's text.
func TestNoInjection(t *testing.T) {
	subject, err := intune.ParseSubject(`CN={{UserName}},OU="{{EmailAddress}}"+O=x {{DeviceName}},C=US`, intune.UserCertificate)
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{`a,OU=Admins`, `a"b`, `"`, `a+CN=root`, "a\nOU=x", `a\`, ` a `, `#0500`, `a;b`, `{{UserPrincipalName}}`, "\x00", "é"} {
		name, err := subject.Expand(intune.Attributes{UserName: value, EmailAddress: value, DeviceName: value})
		if err != nil {
			t.Errorf("%q: %v", value, err)
			continue
		}
		der, err := name.Marshal()
		if err != nil {
			t.Errorf("%q: %v", value, err)
			continue
		}
		back, err := dn.ParseDER(der)
		if err != nil {
			t.Fatal(err)
		}
		if len(back) != 3 || len(back[1]) != 2 ||
			!slices.Equal(back.Values(dn.CommonName), []string{value}) ||
			!slices.Equal(back.Values(dn.OrganizationalUnit), []string{value}) ||
			!slices.Equal(back.Values(dn.Organization), []string{"x " + value}) {
			t.Errorf("%q became %v", value, back)
		}
	}
}

func TestExpandInParts(t *testing.T) {
	tests := []struct{ text, value, plain, inParts string }{ // names in the order of the encoding
		{"CN={{OnPrem_Distinguished_Name}}", "CN=Jane Doe,DC=contoso,DC=com", `CN=CN=Jane Doe\,DC=contoso\,DC=com`, "CN=Jane Doe,DC=contoso,DC=com"},
		{"CN={{OnPrem_Distinguished_Name}},C=US", `CN=Doe\, Jane,DC=com`, `CN=CN=Doe\\\, Jane\,DC=com,C=US`, `CN=Doe\, Jane,DC=com,C=US`},
		{"CN=x{{OnPrem_Distinguished_Name}}", "CN=Jane", "CN=xCN=Jane", "CN=xCN=Jane"},
		{"CN={{UserName}}", "CN=Jane", "CN=a\\,OU=b", "CN=a\\,OU=b"},
	}
	for _, test := range tests {
		subject, err := intune.ParseSubject(test.text, intune.UserCertificate)
		if err != nil {
			t.Fatal(err)
		}
		a := intune.Attributes{OnPremDistinguishedName: test.value, UserName: "a,OU=b"}
		plain, err := subject.Expand(a)
		if err != nil || plain.RootFirst() != test.plain {
			t.Errorf("%s: %s, %v; want %s", test.text, plain.RootFirst(), err, test.plain)
		}
		inParts, err := subject.ExpandInParts(a)
		if err != nil || inParts.RootFirst() != test.inParts {
			t.Errorf("%s in parts: %s, %v; want %s", test.text, inParts.RootFirst(), err, test.inParts)
		}
	}
	subject, err := intune.ParseSubject("CN={{OnPrem_Distinguished_Name}}", intune.UserCertificate)
	if err != nil {
		t.Fatal(err)
	}
	_, err = subject.ExpandInParts(intune.Attributes{OnPremDistinguishedName: "Jane"})
	wantError(t, "no name", err, intune.NotName, -1)
	_, err = subject.ExpandInParts(intune.Attributes{})
	wantError(t, "no value", err, intune.NoValue, -1)
}
