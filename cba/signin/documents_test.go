package signin_test

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
)

func document(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "documents", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func documentCertificate(t *testing.T) *x509.Certificate {
	t.Helper()
	data := document(t, "bob.crt")
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	cert, err := x509.ParseCertificate(data)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// ask returns the verdict about the user and certificate of the cases.
func ask(t *testing.T, tenant []byte, require signin.Requirement) signin.Verdict {
	t.Helper()
	config, err := signin.ParseConfig(tenant)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := config.Compile(signin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	user, err := policy.ParseUser(document(t, "user.json"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := compiled.Explain(t.Context(), signin.Request{User: &user, Certificate: documentCertificate(t), At: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), Require: require})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What people export is read as what it is: every form of one tenant gets the answer
// of Graph's own form.
func TestDocuments(t *testing.T) {
	for name, want := range map[string]string{
		"tenant-base.json":                            "signedIn",
		"shape-01-utf16le-bom.json":                   "signedIn",
		"shape-04-ps-typed-additionalproperties.json": "signedIn",
		"shape-10-classic-ps-pascal.json":             "signedIn",
		"shape-18-policy-value-list.json":             "signedIn",
		"shape-33-pki-single-object.json":             "signedIn",
		// The whole authenticationMethodsPolicy has no trust stores.
		"shape-09-authenticationMethodsPolicy-bare.json": "undecided",
		// PKIs as Graph lists them have no CAs.
		"shape-30-pki-graph-list-without-cas.json": "undecided",
	} {
		v := ask(t, document(t, name), signin.Requirement{})
		if got := string(must(v.Outcome.MarshalText())); got != want {
			t.Errorf("%s: %s %s, want %s", name, got, v.Message, want)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// What PowerShell puts under AdditionalProperties restricts as much as what Graph writes.
func TestStrengthDocuments(t *testing.T) {
	for _, name := range []string{"strength-ps-pascal.json", "strength-bom.json"} {
		s, err := signin.ParseStrength(document(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if name == "strength-ps-pascal.json" {
			if v := ask(t, document(t, "tenant-mf.json"), signin.Require(s)); v.SignedIn || v.Code != "AADSTS500187" {
				t.Errorf("%s: %v %s %s", name, v.SignedIn, v.Code, v.Message)
			}
		}
	}
}

var key = regexp.MustCompile(`"([a-z])([A-Za-z0-9]*)":`)

// Writing a document in another of the known forms never changes the verdict.
func TestRewritten(t *testing.T) {
	base := document(t, "tenant-base.json")
	want := ask(t, base, signin.Requirement{})
	var compact bytes.Buffer
	must(0, json.Compact(&compact, base))
	text := compact.String()
	in16 := func(order binary.AppendByteOrder, mark bool) []byte {
		var out []byte
		if mark {
			out = order.AppendUint16(out, 0xfeff)
		}
		for _, u := range utf16.Encode([]rune(text)) {
			out = order.AppendUint16(out, u)
		}
		return out
	}
	pascal := key.ReplaceAllStringFunc(text, func(k string) string { return `"` + strings.ToUpper(k[1:2]) + k[2:] })
	count := regexp.MustCompile(`"certificateAuthorities":(\[.*?\])`).ReplaceAllString(text, `"certificateAuthorities":{"value":$1,"Count":3}`)
	forms := map[string][]byte{
		"UTF-16, little-endian": in16(binary.LittleEndian, true), "UTF-16, big-endian": in16(binary.BigEndian, true),
		"UTF-16 without a mark": in16(binary.LittleEndian, false), "UTF-8 with a mark": []byte("\xef\xbb\xbf" + text),
		"capital letters": []byte(pascal), "lists with a count": []byte(count), "white space around": []byte("\r\n\t" + text + "\r\n\r\n"),
		"capital letters in UTF-16": nil, "in an envelope": []byte(`{"@odata.context":"x","value":` + text + `}`), "a list of one": []byte("[" + text + "]"), "an answer with one": []byte(`{"value":[` + text + `]}`),
	}
	text = pascal
	forms["capital letters in UTF-16"] = in16(binary.LittleEndian, true)
	for name, form := range forms {
		if bytes.Equal(form, base) {
			t.Errorf("%s: the form is the same", name)
		}
		if got := ask(t, form, signin.Requirement{}); got.Outcome != want.Outcome || got.Code != want.Code || len(got.Steps) != len(want.Steps) {
			t.Errorf("%s: %v %s, want %v", name, got.Outcome, got.Message, want.Outcome)
		}
	}
}

// Parts of a tenant are a tenant that lacks the rest.
func TestParts(t *testing.T) {
	var whole map[string]json.RawMessage
	must(0, json.Unmarshal(document(t, "tenant-base.json"), &whole))
	for _, test := range []struct {
		text  string
		lacks []string
	}{
		{string(whole["x509Certificate"]), []string{"publicKeyInfrastructure", "certificateBasedAuthConfiguration"}},
		{`{"value":[` + string(whole["x509Certificate"]) + `]}`, []string{"publicKeyInfrastructure", "certificateBasedAuthConfiguration"}},
		{string(whole["certificateBasedAuthConfiguration"]), []string{"x509Certificate", "publicKeyInfrastructure"}},
		{`{"X509Certificate":` + string(whole["x509Certificate"]) + `}`, []string{"publicKeyInfrastructure", "certificateBasedAuthConfiguration"}},
	} {
		config, err := signin.ParseConfig([]byte(test.text))
		if err != nil {
			t.Errorf("%.60s: %v", test.text, err)
			continue
		}
		for _, name := range []string{"x509Certificate", "publicKeyInfrastructure", "certificateBasedAuthConfiguration"} {
			want := false
			for _, l := range test.lacks {
				want = want || l == name
			}
			if config.Lacks(name) != want {
				t.Errorf("%.60s: lacks %s: %v", test.text, name, config.Lacks(name))
			}
		}
	}
}

// What is no tenant is refused, and the error says what it looks like.
func TestNoTenant(t *testing.T) {
	for text, says := range map[string]string{
		`{"userPrincipalName":"a@b.com","id":"1"}`:                                      "users",
		`{"value":[{"UserPrincipalName":"a@b.com","Id":"1"}]}`:                          "users",
		`{"allowedCombinations":["x509CertificateMultiFactor"],"displayName":"x"}`:      "strength",
		`{"value":[{"createdDateTime":"2026-01-01T00:00:00Z","userId":"1"}]}`:           "sign-in log",
		`{"conditions":{},"grantControls":{},"displayName":"x"}`:                        "Conditional Access",
		`{"value":[{"certificateAuthorityType":"root","certificate":"AAAA","id":"1"}]}`: "CAs of one PKI",
		`{"hello":"world"}`: "none of the properties",
		`[]`:                "want an object",
		`{}`:                "none of the properties",
		`{"id":"Fido2","@odata.type":"#microsoft.graph.fido2AuthenticationMethodConfiguration"}`: "none of the properties",
	} {
		_, err := signin.ParseConfig([]byte(text))
		if !errors.Is(err, signin.Malformed) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// The classic store as the AzureAD module writes it.
func TestAzureAD(t *testing.T) {
	var whole struct {
		Classic struct {
			Value []struct {
				CertificateAuthorities []struct {
					Certificate []byte
					Issuer      string
				}
			}
		} `json:"certificateBasedAuthConfiguration"`
	}
	must(0, json.Unmarshal(document(t, "tenant-base.json"), &whole))
	var list []map[string]any
	for i, ca := range whole.Classic.Value[0].CertificateAuthorities {
		numbers := make([]int, len(ca.Certificate))
		for j, b := range ca.Certificate {
			numbers[j] = int(b)
		}
		list = append(list, map[string]any{"AuthorityType": min(i, 1), "CrlDistributionPoint": "http://x/a.crl", "DeltaCrlDistributionPoint": nil,
			"TrustedCertificate": numbers, "TrustedIssuer": ca.Issuer, "TrustedIssuerSki": "00"})
	}
	if len(list) == 0 {
		t.Fatal("no CAs")
	}
	config, err := signin.ParseConfig(must(json.Marshal(list)))
	if err != nil {
		t.Fatal(err)
	}
	got := config.Trust.Classic.CertificateAuthorities
	if len(got) != len(list) || !got[0].IsRootAuthority || !bytes.Equal(got[0].Certificate, whole.Classic.Value[0].CertificateAuthorities[0].Certificate) || got[0].CertificateRevocationListURL != "http://x/a.crl" {
		t.Errorf("%+v", got)
	}
}

// A combination that restricts certificates does so whatever type it says that it is of.
func TestCombinationType(t *testing.T) {
	for _, kind := range []string{"", "#microsoft.graph.x509CertificateCombinationConfiguration", "microsoft.graph.x509CertificateCombinationConfiguration", "#microsoft.graph.later"} {
		s, err := signin.ParseStrength([]byte(`{"allowedCombinations":["x509CertificateMultiFactor"],"combinationConfigurations":[{"@odata.type":"` + kind +
			`","appliesToCombinations":["x509CertificateMultiFactor"],"allowedIssuerSkis":["00"],"allowedPolicyOIDs":[]},{"@odata.type":"#microsoft.graph.fido2CombinationConfiguration","allowedAAGUIDs":["x"]}]}`))
		if err != nil || len(s.Combinations) != 1 {
			t.Fatalf("%q: %+v, %v", kind, s.Combinations, err)
		}
		if v := ask(t, document(t, "tenant-mf.json"), signin.Require(s)); v.SignedIn {
			t.Errorf("%q: signed in", kind)
		}
	}
}
