package trust_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/trust"
	"github.com/google/go-cmp/cmp"
)

// The property names that we write are those of the published schema, no more
// and no fewer.
func TestPropertiesAreThoseOfTheSchema(t *testing.T) {
	file, err := os.ReadFile("testdata/graph-v1-trust.csdl.xml")
	if err != nil {
		t.Fatal(err)
	}
	type properties struct {
		Name     string `xml:",attr"`
		BaseType string `xml:",attr"`
		Property []struct {
			Name string `xml:",attr"`
		}
		NavigationProperty []struct {
			Name string `xml:",attr"`
		}
	}
	var schema struct {
		EntityType  []properties
		ComplexType []properties
		EnumType    []struct {
			Name   string `xml:",attr"`
			Member []struct {
				Name string `xml:",attr"`
			}
		}
	}
	if err := xml.Unmarshal(file, &schema); err != nil {
		t.Fatal(err)
	}
	types := map[string][]string{}
	for _, p := range append(schema.EntityType, schema.ComplexType...) {
		var list []string
		switch p.BaseType {
		case "graph.directoryObject":
			list = append(list, "id", "deletedDateTime")
		case "graph.entity":
			list = append(list, "id")
		}
		for _, q := range append(p.Property, p.NavigationProperty...) {
			list = append(list, q.Name)
		}
		slices.Sort(list)
		types[p.Name] = list
	}
	for name, full := range map[string]any{
		"certificateBasedAuthPki": trust.PKI{
			ID: "x", DisplayName: "x", Status: "x", StatusDetails: "x", LastModifiedDateTime: now, DeletedDateTime: now,
			CertificateAuthorities: []trust.Authority{},
		},
		"certificateAuthorityDetail": trust.Authority{
			ID: "x", Certificate: []byte{1}, CertificateAuthorityType: trust.Root,
			CertificateRevocationListURL: "x", DeltaCertificateRevocationListURL: "x", DisplayName: "x", Issuer: "x",
			IssuerSubjectKeyIdentifier: "x", ExpirationDateTime: now, Thumbprint: "x", IsIssuerHintEnabled: new(bool),
			CreatedDateTime: now, DeletedDateTime: now,
		},
		"certificateBasedAuthConfiguration": trust.Classic{ID: "x"},
		"certificateAuthority": trust.ClassicAuthority{
			Certificate: []byte{1}, CertificateRevocationListURL: "x", DeltaCertificateRevocationListURL: "x",
			Issuer: "x", IssuerSKI: "x",
		},
	} {
		text, err := json.Marshal(full)
		if err != nil {
			t.Fatal(err)
		}
		var object map[string]any
		if err := json.Unmarshal(text, &object); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(types[name], slices.Sorted(maps.Keys(object))); diff != "" {
			t.Errorf("%s (-schema +ours):\n%s", name, diff)
		}
		delete(types, name)
	}
	if len(types) != 0 {
		t.Errorf("types of the schema that were not compared: %v", types)
	}
	var kinds []string
	for _, m := range schema.EnumType[0].Member {
		kinds = append(kinds, m.Name)
	}
	if diff := cmp.Diff([]string{string(trust.Root), string(trust.Intermediate), "unknownFutureValue"}, kinds); diff != "" {
		t.Errorf("certificateAuthorityType:\n%s", diff)
	}
}

// What Graph answers, with properties that nobody knows yet at every level,
// comes back as the same JSON value. Texts are from the shapes of the pages of
// the two resources; the certificates are any bytes, for JSON does not care.
func TestRoundTrip(t *testing.T) {
	for name, text := range map[string]string{
		"PKI": `{
			"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#x/$entity",
			"@odata.type": "#microsoft.graph.certificateBasedAuthPki",
			"id": "f7d6a3c1-0000-0000-0000-000000000001", "displayName": "Contoso PKI", "status": "succeeded",
			"statusDetails": null, "lastModifiedDateTime": "2025-06-23T10:00:00Z", "deletedDateTime": null,
			"newInPKI": {"a": [1, 2.50, null], "big": 12345678901234567890},
			"certificateAuthorities@odata.context": "https://graph.microsoft.com/v1.0/$metadata#y",
			"certificateAuthorities": [{
				"@odata.type": "#microsoft.graph.certificateAuthorityDetail",
				"id": "1", "certificate": "MIIB", "certificateAuthorityType": "unknownFutureValue",
				"certificateRevocationListUrl": "http://crl.contoso.com/a.crl?x=1&y=<2>", "deltaCertificateRevocationListUrl": null,
				"displayName": "Contoso Root", "issuer": "CN=Contoso Root", "issuerSubjectKeyIdentifier": "aa",
				"expirationDateTime": "2035-01-01T00:00:00Z", "thumbprint": "bb", "isIssuerHintEnabled": false,
				"createdDateTime": "2025-06-23T10:00:00.1234567Z", "deletedDateTime": null, "newInCA": ["x"]
			}, {"displayName": "short one", "isIssuerHintEnabled": true}]
		}`,
		"classic": `{
			"@odata.etag": "W/\"1\"", "id": "29728ade-6ae4-4ee9-9103-412912537da5", "newInConfiguration": 1,
			"certificateAuthorities": [{
				"isRootAuthority": true, "certificate": "MIIB", "certificateRevocationListUrl": null,
				"deltaCertificateRevocationListUrl": "http://crl.contoso.com/d.crl", "issuer": "CN=Contoso Root",
				"issuerSki": "aa", "newInCA": null
			}]
		}`,
	} {
		var out []byte
		var err error
		if name == "PKI" {
			var pki trust.PKI
			if err = json.Unmarshal([]byte(text), &pki); err == nil {
				out, err = json.Marshal(pki)
			}
		} else {
			var classic trust.Classic
			if err = json.Unmarshal([]byte(text), &classic); err == nil {
				out, err = json.Marshal(classic)
			}
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(value(t, []byte(text)), value(t, out)); diff != "" {
			t.Errorf("%s (-read +written):\n%s", name, diff)
		}
	}
}

// value decodes JSON without loss.
func value(t testing.TB, text []byte) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func TestDeltaURLInBothSpellings(t *testing.T) {
	const u = "http://crl.contoso.com/delta.crl"
	for _, text := range []string{
		`{"deltaCertificateRevocationListUrl": "` + u + `"}`,
		`{"deltacertificateRevocationListUrl": "` + u + `"}`,
		`{"deltacertificateRevocationListUrl": "` + u + `", "deltaCertificateRevocationListUrl": null}`,
		`{"deltacertificateRevocationListUrl": null, "deltaCertificateRevocationListUrl": "` + u + `"}`,
		`{"deltacertificateRevocationListUrl": "` + u + `", "deltaCertificateRevocationListUrl": "` + u + `"}`,
	} {
		var a trust.Authority
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		out, err := json.Marshal(a)
		if want := `{"deltaCertificateRevocationListUrl":"` + u + `"}`; err != nil || string(out) != want {
			t.Errorf("%s: wrote %s, %v", text, out, err)
		}
	}
	var a trust.Authority
	if err := json.Unmarshal([]byte(`{"deltacertificateRevocationListUrl": null}`), &a); err != nil {
		t.Fatal(err)
	}
	if out, _ := json.Marshal(a); string(out) != `{"deltaCertificateRevocationListUrl":null}` {
		t.Errorf("null was written as %s", out)
	}
}

func TestFieldsWinOverWhatWasRead(t *testing.T) {
	var a trust.Authority
	if err := json.Unmarshal([]byte(`{"certificateRevocationListUrl": null, "new": 1}`), &a); err != nil {
		t.Fatal(err)
	}
	a.CertificateRevocationListURL = "http://crl.contoso.com/a.crl"
	out, err := json.Marshal(a)
	if want := `{"certificateRevocationListUrl":"http://crl.contoso.com/a.crl","new":1}`; err != nil || string(out) != want {
		t.Errorf("wrote %s, %v", out, err)
	}
}

// Answers of Graph come in envelopes (open question 9.19).
func TestEnvelopes(t *testing.T) {
	const ca = `{"displayName":"Root"}`
	for _, text := range []string{
		`[{"displayName":"A","certificateAuthorities":[` + ca + `]}]`,
		`{"@odata.context":"x","value":[{"displayName":"A","certificateAuthorities":[` + ca + `]}]}`,
		`{"@odata.context":"x","value":[{"value":{"displayName":"A","certificateAuthorities":[` + ca + `]}}]}`,
		`{"value":[{"displayName":"A","certificateAuthorities":{"@odata.context":"x","value":[` + ca + `]}}]}`,
		`{"value":[{"displayName":"A","certificateAuthorities":[{"value":` + ca + `}]}]}`,
	} {
		pkis, err := trust.ParsePKIs([]byte(text))
		if err != nil || len(pkis) != 1 || pkis[0].DisplayName != "A" || len(pkis[0].CertificateAuthorities) != 1 ||
			pkis[0].CertificateAuthorities[0].DisplayName != "Root" {
			t.Errorf("%s: %+v, %v", text, pkis, err)
		}
	}
	for text, n := range map[string]int{
		`{"certificateAuthorities":[{"isRootAuthority":true}]}`:                          1,
		`{"value":{"certificateAuthorities":[{"isRootAuthority":true}]}}`:                1,
		`{"value":[{"certificateAuthorities":[{"isRootAuthority":true}]}]}`:              1,
		`{"@odata.count":0,"value":[]}`:                                                  0,
		`{"certificateAuthorities":[]}`:                                                  0,
		`null`:                                                                           0,
		`{"value":[{"certificateAuthorities":[]}]}`:                                      0,
		`[{"certificateAuthorities":[{"isRootAuthority":true},{"issuer":"x"}]}]`:         2,
		`{"id":"x","value":[1],"certificateAuthorities":[{"certificate":null}]}`:         1,
		`{"certificateAuthorities":[{"certificate":"AA-_"},{"certificate":"AA+/\r\n"}]}`: 2,
	} {
		classic, err := trust.ParseClassic([]byte(text))
		if err != nil || len(classic.CertificateAuthorities) != n {
			t.Errorf("%s: %+v, %v", text, classic, err)
		}
	}
}

// Unusable JSON is refused with a reason and the place.
func TestBadJSON(t *testing.T) {
	nested := strings.Repeat("[", 20000) + strings.Repeat("]", 20000)
	for _, c := range []struct {
		text   string
		reason trust.Reason
		where  string
		about  string
	}{
		{``, trust.BadSyntax, "", ``},
		{`[{"displayName":"A"`, trust.BadSyntax, "", ``},
		{`[] []`, trust.BadSyntax, "", ``},
		{nested, trust.TooNested, "", ``},
		{`5`, trust.WrongType, "", ``},
		{`{}`, trust.WrongType, "", ``},
		{`["A"]`, trust.WrongType, "/0", ``},
		{`[{"displayName":5}]`, trust.WrongType, "/0/displayName", ``},
		{`[{"displayName":"A","lastModifiedDateTime":"yesterday"}]`, trust.WrongType, "/0/lastModifiedDateTime", `PKI "A"`},
		{`[{"displayName":"A","certificateAuthorities":{}}]`, trust.WrongType, "/0/certificateAuthorities", `PKI "A"`},
		{`[{"displayName":"A","certificateAuthorities":[{"displayName":"R","certificate":"%%%"}]}]`, trust.NotBase64,
			"/0/certificateAuthorities/0/certificate", `PKI "A", CA "R"`},
		{`[{"displayName":"A","certificateAuthorities":[{"certificate":"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"}]}]`, trust.NotBase64,
			"/0/certificateAuthorities/0/certificate", `PKI "A"`},
		{`[{"certificateAuthorities":[{"isIssuerHintEnabled":"yes"}]}]`, trust.WrongType,
			"/0/certificateAuthorities/0/isIssuerHintEnabled", ``},
		{`[{"certificateAuthorities":[{"deltaCertificateRevocationListUrl":"a","deltacertificateRevocationListUrl":"b"}]}]`, trust.DuplicateName,
			"/0/certificateAuthorities/0/deltaCertificateRevocationListUrl", ``},
		{`[{"displayName":"A","displayName":"A"}]`, trust.DuplicateName, "/0/displayName", `PKI "A"`},
		{`[{"certificateAuthorities":[{"certificateRevocationListUrl":"a","certificateRevocationListUrl":null}]}]`, trust.DuplicateName,
			"/0/certificateAuthorities/0/certificateRevocationListUrl", ``},
		{`{"value":[],"@odata.nextLink":"https://graph.microsoft.com/x?$skiptoken=y"}`, trust.Incomplete, "/@odata.nextLink", ``},
		{`[{"displayName":"A","certificateAuthorities":{"value":[],"@odata.nextLink":"x"}}]`, trust.Incomplete,
			"/0/certificateAuthorities/@odata.nextLink", `PKI "A"`},
	} {
		pkis, err := trust.ParsePKIs([]byte(c.text))
		checkError(t, c.text, err, c.reason, c.where, c.about)
		if pkis != nil {
			t.Errorf("%.80s: a value came with the error", c.text)
		}
	}
	for text, want := range map[string]trust.Reason{
		`{"value":[{},{}]}`: trust.WrongType,
		`[1]`:               trust.WrongType,
		`{"certificateAuthorities":[{"isRootAuthority":"true"}]}`: trust.WrongType,
		`{"certificateAuthorities":5}`:                            trust.WrongType,
		`{"certificateAuthorities":[{"certificate":"A"}]}`:        trust.NotBase64,
		`{`: trust.BadSyntax,
	} {
		classic, err := trust.ParseClassic([]byte(text))
		var e *trust.Error
		if !errors.As(err, &e) || e.Reason != want {
			t.Errorf("%s: %v", text, err)
		}
		if classic.CertificateAuthorities != nil {
			t.Errorf("%s: a value came with the error", text)
		}
	}
}

func checkError(t *testing.T, what string, err error, reason trust.Reason, where, about string) {
	t.Helper()
	var e *trust.Error
	if !errors.As(err, &e) {
		t.Errorf("%.80s: error %v is no *trust.Error", what, err)
		return
	}
	if e.Reason != reason || e.Where != where || e.About != about || !errors.Is(err, reason) {
		t.Errorf("%.80s:\n got %v at %q, %s\nwant %v at %q, %s (%v)", what, e.Reason, e.Where, e.About, reason, where, about, err)
	}
}

// A CA whose certificate cannot be read is named by the error, or left out if
// the options say so.
func TestCompileRefusesWhatIsNoCertificate(t *testing.T) {
	r := root(t, spec{name: "Root"})
	p7b, err := trust.EncodeBundle(certs(r))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		der    []byte
		reason trust.Reason
		text   string
	}{
		"none":      {nil, trust.NoCertificate, ""},
		"empty":     {[]byte{}, trust.NoCertificate, ""},
		"truncated": {r.Raw[:100], trust.NotCertificate, ""},
		"trailing":  {append(slices.Clone(r.Raw), 0), trust.NotCertificate, "1 byte stands behind the certificate of CN=Root, upload the certificate alone"},
		"text":      {[]byte("hello"), trust.NotCertificate, ""},
		"PEM":       {pemOf(r.Certificate), trust.NotCertificate, "it is PEM text, encode its DER"},
		"zeros":     {append(slices.Clone(r.Raw), 0, 0, 0, 0), trust.NotCertificate, "4 bytes stand behind the certificate of CN=Root, upload the certificate alone"},
		"base64":    {[]byte(base64.StdEncoding.EncodeToString(r.Raw)), trust.NotCertificate, "it is text, encode the DER of the certificate of CN=Root"},
		"p7b":       {p7b, trust.NotCertificate, "it is a PKCS #7 bundle, add its certificates one by one"},
	} {
		config := configOf(t, r)
		config.PKIs[0].CertificateAuthorities = append(config.PKIs[0].CertificateAuthorities, trust.Authority{DisplayName: "Bad", Certificate: c.der})
		store, err := config.Compile(trust.Options{RefuseUnreadable: true})
		checkError(t, name, err, c.reason, "/publicKeyInfrastructure/0/certificateAuthorities/1/certificate", `PKI "Contoso PKI", CA "Bad"`)
		var e *trust.Error
		if errors.As(err, &e) && e.Detail != c.text {
			t.Errorf("%s: detail %q", name, e.Detail)
		}
		if store != nil {
			t.Errorf("%s: a store came with the error", name)
		}
		store = compile(t, config, trust.Options{})
		if len(store.CAs()) != 1 || len(store.Unreadable()) != 1 {
			t.Fatalf("%s: %d CAs, %d unreadable", name, len(store.CAs()), len(store.Unreadable()))
		}
		left := store.Unreadable()[0]
		if left.Entry.DisplayName != "Bad" {
			t.Errorf("%s: %+v", name, left)
		}
		checkError(t, name, left.Err, c.reason, "/publicKeyInfrastructure/0/certificateAuthorities/1/certificate", `PKI "Contoso PKI", CA "Bad"`)
		// Every chain says that a CA was left out, and none is trusted for it.
		for _, leaf := range []*x509.Certificate{r.user(t, spec{name: "jane"}).Certificate, root(t, spec{name: "Other"}).user(t, spec{name: "jane"}).Certificate} {
			said := 0
			for _, s := range store.Chain(leaf, now).Steps() {
				if s.Name == trust.StepUnreadable && s.Outcome == lint.Warn && strings.Contains(s.Detail, `CA "Bad"`) {
					said++
				}
			}
			if said != 1 {
				t.Errorf("%s: said %d times", name, said)
			}
		}
		classic := trust.Config{Classic: trust.Classic{CertificateAuthorities: []trust.ClassicAuthority{{Certificate: c.der}}}}
		_, err = classic.Compile(trust.Options{RefuseUnreadable: true})
		checkError(t, name, err, c.reason, "/certificateBasedAuthConfiguration/certificateAuthorities/0/certificate", "classic store, CA 1")
	}
}

// Config reads the parts of a tenant file.
func TestConfigJSON(t *testing.T) {
	r := root(t, spec{name: "Root"})
	b64 := base64.StdEncoding.EncodeToString(r.Raw)
	text := fmt.Sprintf(`{"publicKeyInfrastructure":[{"displayName":"P","certificateAuthorities":[{"certificate":%q}]}],
		"certificateBasedAuthConfiguration":{"value":[{"certificateAuthorities":[{"isRootAuthority":true,"certificate":%q}]}]}}`, b64, b64)
	var config trust.Config
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		t.Fatal(err)
	}
	if cas := compile(t, config, trust.Options{}).CAs(); len(cas) != 1 || cas[0].Why != trust.PKIPreferred || len(cas[0].Others) != 1 {
		t.Errorf("CAs = %+v", cas)
	}
	var none trust.Config
	if err := json.Unmarshal([]byte(`{"publicKeyInfrastructure":null,"certificateBasedAuthConfiguration":null}`), &none); err != nil {
		t.Fatal(err)
	}
	if n := len(compile(t, none, trust.Options{}).CAs()); n != 0 {
		t.Errorf("%d CAs of nothing", n)
	}
}
