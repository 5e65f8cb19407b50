package policy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/policy"
	"github.com/google/go-cmp/cmp"
)

func mustParse(t testing.TB, text string) policy.Config {
	t.Helper()
	c, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustMarshal(t testing.TB, v json.Marshaler) string {
	t.Helper()
	text, err := v.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestLiveSampleComesBackByteForByte(t *testing.T) {
	c := mustParse(t, live)
	if got := mustMarshal(t, c); got != live {
		t.Errorf("not the same bytes (-want +got):\n%s", cmp.Diff(live, got))
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, []byte(live), "", "  "); err != nil {
		t.Fatal(err)
	}
	if got := mustMarshal(t, mustParse(t, indented.String())); got != live {
		t.Error("white space in the text changed what is written")
	}
	var viaStandard policy.Config
	if err := json.Unmarshal(indented.Bytes(), &viaStandard); err != nil {
		t.Fatal(err)
	}
	if !viaStandard.Equal(c) {
		t.Error("json.Unmarshal reads another configuration than Parse")
	}
}

// The service's default, built, is the sample but for the one annotation that
// only an answer has.
func TestServiceDefaultIsTheLiveSample(t *testing.T) {
	built := mustMarshal(t, policy.ServiceDefault())
	start := strings.Index(live, `"includeTargets@odata.context"`)
	end := strings.Index(live, `"includeTargets":`)
	want := live[:start] + live[end:]
	if built != want {
		t.Errorf("(-want +got):\n%s", cmp.Diff(want, built))
	}
	body, err := mustParse(t, live).PatchBody()
	if err != nil || string(body) != want {
		t.Errorf("PATCH body, %v (-want +got):\n%s", err, cmp.Diff(want, string(body)))
	}
	if !policy.ServiceDefault().Equal(mustParse(t, live)) {
		t.Error("Equal does not see that")
	}
}

// Every text here must come back byte for byte: unknown properties and values,
// null, absent and empty at every level, odd escapes, odd order.
func TestNothingIsLost(t *testing.T) {
	texts := []string{
		`{}`,
		`{"id":null}`,
		`{"id":""}`,
		`{"state":"paused","new":{"deep":[1,2.50,{"x":null}]},"id":"X509Certificate"}`,
		`{"State":"enabled","id":"x"}`,
		`{"certificateUserBindings":null,"excludeTargets":[],"includeTargets":null}`,
		`{"authenticationModeConfiguration":null}`,
		`{"authenticationModeConfiguration":{}}`,
		`{"authenticationModeConfiguration":{"rules":null}}`,
		`{"authenticationModeConfiguration":{"rules":[{}]}}`,
		`{"authenticationModeConfiguration":{"rules":[{"identifier":"","issuerSubjectIdentifier":null,"x509CertificateRuleType":"unknownFutureValue","why":"not"}]}}`,
		`{"certificateUserBindings":[{"priority":0}]}`,
		`{"certificateUserBindings":[{"priority":null,"x509CertificateField":"Iris"}]}`,
		`{"certificateUserBindings":[{"userProperty":"email"}]}`,
		`{"crlValidationConfiguration":{"exemptedCertificateAuthoritiesSubjectKeyIdentifiers":["\u0041b",""],"state":"enabled","x":1e400}}`,
		`{"certificateAuthorityScopes":[{"includeTargets":[{"targetType":"group","id":"g","more":true}],"subjectKeyIdentifier":"AB\/"}]}`,
		`{"includeTargets":[{"id":"g"},{"isRegistrationRequired":true},{"isRegistrationRequired":null}]}`,
		`{"issuerHintsConfiguration":{"state":null},"a.b":1,"":2}`,
		`{"authenticationModeConfiguration":{"rules":[{"identifier":"O=A \u0026 B <x>"},{"identifier":"O=A & B <x>"}]}}`,
	}
	for _, text := range texts {
		c, err := policy.Parse([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := mustMarshal(t, c); got != text {
			t.Errorf("\n was %s\n now %s", text, got)
		}
	}
	if len(texts) < 19 {
		t.Errorf("only %d texts", len(texts))
	}
}

func TestChangesAreWritten(t *testing.T) {
	c := mustParse(t, live)
	c.State = policy.Enabled
	c.UserBindings[0].Affinity = ""
	c.UserBindings[1].Priority = 0
	c.UserBindings = append(c.UserBindings, policy.Bind(certuserid.IssuerAndSerialNumber, policy.CertificateUserIDs, 4))
	c.AuthenticationMode.Rules = append(c.AuthenticationMode.Rules, policy.Rule{Type: policy.PolicyOID, Identifier: "1.2.3"})
	c.CRLValidation.ExemptedSKIs = nil
	c.IncludeTargets = nil
	c.IssuerHints = policy.IssuerHintsConfiguration{State: policy.Enabled}
	got := mustMarshal(t, c)
	for _, want := range []string{
		`"id":"X509Certificate","state":"enabled","excludeTargets"`,
		`"priority":1,"trustAffinityLevel":null}`,
		`"priority":0,"trustAffinityLevel":"low"}`,
		`{"x509CertificateField":"IssuerAndSerialNumber","userProperty":"certificateUserIds","priority":4,"trustAffinityLevel":"high"}]`,
		`"rules":[{"x509CertificateRuleType":"policyOID","identifier":"1.2.3"}]`,
		`"exemptedCertificateAuthoritiesSubjectKeyIdentifiers":[]}`,
		`"includeTargets":[]}`,
		`"issuerHintsConfiguration":{"state":"enabled"}`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if c.Equal(mustParse(t, live)) {
		t.Error("Equal does not see the changes")
	}
}

// Reading into a value that held something else leaves nothing of it, and a
// copy that was taken before keeps what it had.
func TestReadingReplaces(t *testing.T) {
	c := mustParse(t, live)
	before := c
	if err := c.UnmarshalJSON([]byte(`{"state":"enabled"}`)); err != nil {
		t.Fatal(err)
	}
	if got := mustMarshal(t, c); got != `{"state":"enabled"}` {
		t.Errorf("got %s", got)
	}
	if got := mustMarshal(t, before); got != live {
		t.Errorf("the copy changed: %s", got)
	}
	if err := c.UnmarshalJSON([]byte(`{"state":7}`)); err == nil {
		t.Error("a number was read as a state")
	} else if got := mustMarshal(t, c); got != `{"state":"enabled"}` {
		t.Errorf("changed on an error: %s", got)
	}
	data := []byte(`{"state":"enabled","x":"keep"}`)
	if err := c.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	for i := range data {
		data[i] = '!'
	}
	if got := mustMarshal(t, c); got != `{"state":"enabled","x":"keep"}` {
		t.Errorf("shares memory with its text: %s", got)
	}
}

func TestZeroConfigJSON(t *testing.T) {
	// Nothing is missing in a configuration that a program made, also when it is read
	// back; a PATCH sends only what is there.
	want := `{"@odata.type":"` + policy.ConfigType + `","state":null,"excludeTargets":[],"certificateUserBindings":[],` +
		`"authenticationModeConfiguration":{"rules":[]},"certificateAuthorityScopes":[],"includeTargets":[]}`
	got := mustMarshal(t, policy.Config{})
	if got != want {
		t.Errorf("got %s", got)
	}
	if read := mustParse(t, got); len(read.Missing()) > 0 || !read.Equal(policy.Config{}) {
		t.Errorf("missing %q", read.Missing())
	}
	if missing := mustParse(t, `{"id":"X509Certificate"}`).Missing(); len(missing) != 6 {
		t.Errorf("missing %q", missing)
	}
	if body, err := (policy.Config{}).PatchBody(); err != nil || string(body) != `{"@odata.type":"`+policy.ConfigType+`"}` {
		t.Errorf("PATCH body %s, %v", body, err)
	}
	body, err := mustParse(t, `{"state":"enabled","@odata.context":"x","includeTargets@odata.context":"y","v@odata.etag":"z"}`).PatchBody()
	if want := `{"@odata.type":"` + policy.ConfigType + `","state":"enabled"}`; err != nil || string(body) != want {
		t.Errorf("PATCH body %s, %v", body, err)
	}
}

func TestEnvelopeAndByteOrderMark(t *testing.T) {
	for _, text := range []string{
		"\xef\xbb\xbf" + live,
		`{"value":` + live + `}`,
		`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#x","value":` + live + `}`,
		"\r\n\t" + live + "\n",
	} {
		c, err := policy.Parse([]byte(text))
		if err != nil {
			t.Errorf("%.40q: %v", text, err)
		} else if got := mustMarshal(t, c); got != live {
			t.Errorf("%.40q: got %s", text, got)
		}
	}
}

func TestBadJSON(t *testing.T) {
	utf16 := "\xff\xfe{\x00}" // half a character
	for _, test := range []struct {
		text, path string
		reason     policy.Reason
	}{
		{``, "", policy.BadSyntax},
		{`null`, "", policy.WrongType},
		{`[]`, "", policy.WrongType},
		{`"x"`, "", policy.WrongType},
		{utf16, "", policy.BadSyntax},
		{live[:len(live)-1], "", policy.BadSyntax},
		{live[:len(live)/2], "", policy.BadSyntax},
		{live + "}", "", policy.BadSyntax},
		{"{\"id\":\"\xff\"}", "", policy.BadSyntax},
		{`{"id":"a","id":"a"}`, "/id", policy.DuplicateName},
		{`{"id":"a","\u0069d":"a"}`, "/id", policy.DuplicateName},
		{`{"x":[1,{"y":{"z":1,"z":2}}]}`, "/x/1/y/z", policy.DuplicateName},
		{`{"certificateUserBindings":[{"priority":1,"priority":2}]}`, "/certificateUserBindings/0/priority", policy.DuplicateName},
		{`{"x":` + strings.Repeat("[", 80) + strings.Repeat("]", 80) + `}`, "/x" + strings.Repeat("/0", 64), policy.TooNested},
		{strings.Repeat("[", 20000) + strings.Repeat("]", 20000), "", policy.TooNested},
		{`{"x":"` + strings.Repeat("a", policy.MaxJSON) + `"}`, "", policy.TooLarge},
		{`{"state":1}`, "/state", policy.WrongType},
		{`{"state":{}}`, "/state", policy.WrongType},
		{`{"certificateUserBindings":{}}`, "/certificateUserBindings", policy.WrongType},
		{`{"certificateUserBindings":[null]}`, "/certificateUserBindings/0", policy.WrongType},
		{`{"certificateUserBindings":[1]}`, "/certificateUserBindings/0", policy.WrongType},
		{`{"certificateUserBindings":[{},{},{"priority":"1"}]}`, "/certificateUserBindings/2/priority", policy.WrongType},
		{`{"certificateUserBindings":[{"priority":1.5}]}`, "/certificateUserBindings/0/priority", policy.WrongType},
		{`{"certificateUserBindings":[{"priority":2147483648}]}`, "/certificateUserBindings/0/priority", policy.OutOfRange},
		{`{"certificateUserBindings":[{"priority":-99999999999999999999999}]}`, "/certificateUserBindings/0/priority", policy.OutOfRange},
		{`{"includeTargets":[{"isRegistrationRequired":"false"}]}`, "/includeTargets/0/isRegistrationRequired", policy.WrongType},
		{`{"crlValidationConfiguration":{"exemptedCertificateAuthoritiesSubjectKeyIdentifiers":["a",null]}}`,
			"/crlValidationConfiguration/exemptedCertificateAuthoritiesSubjectKeyIdentifiers/1", policy.WrongType},
		{`{"authenticationModeConfiguration":[]}`, "/authenticationModeConfiguration", policy.WrongType},
		{`{"@odata.type":"#microsoft.graph.fido2AuthenticationMethodConfiguration"}`, "/@odata.type", policy.WrongObject},
		{`{"@odata.type":null}`, "/@odata.type", policy.WrongObject},
		{`{"authenticationMethodConfigurations":[]}`, "/authenticationMethodConfigurations", policy.WrongObject},
	} {
		c, err := policy.Parse([]byte(test.text))
		var je *policy.Error
		if !errors.As(err, &je) {
			t.Errorf("%.60q: error %v", test.text, err)
			continue
		}
		if je.Reason != test.reason || je.Where != test.path {
			t.Errorf("%.60q: %v at %q (%v), want %v at %q", test.text, je.Reason, je.Where, err, test.reason, test.path)
		}
		if len(err.Error()) > 600 || !strings.HasPrefix(err.Error(), "policy: ") {
			t.Errorf("%.60q: text of %d bytes: %.80s", test.text, len(err.Error()), err)
		}
		if !c.Equal(policy.Config{}) {
			t.Errorf("%.60q: a value beside the error", test.text)
		}
	}
	var c policy.Config
	err := json.Unmarshal([]byte(`{"id":1}`), &c)
	var je *policy.Error
	if !errors.As(err, &je) || je.Where != "/id" {
		t.Errorf("through encoding/json: %v", err)
	}
}

func TestPartsByThemselves(t *testing.T) {
	for _, test := range []struct {
		text string
		into interface {
			json.Marshaler
			json.Unmarshaler
		}
	}{
		{`{"priority":5,"z":1}`, new(policy.UserBinding)},
		{`{"rules":[],"z":1}`, new(policy.AuthenticationModeConfiguration)},
		{`{"identifier":"1.2.3","z":1}`, new(policy.Rule)},
		{`{"state":"enabled","z":1}`, new(policy.CRLValidationConfiguration)},
		{`{"state":"enabled","z":1}`, new(policy.IssuerHintsConfiguration)},
		{`{"subjectKeyIdentifier":"00","z":1}`, new(policy.AuthorityScope)},
		{`{"id":"a","targetType":"group","z":1}`, new(policy.Target)},
		{`{"id":"all_users","z":1}`, new(policy.IncludeTarget)},
	} {
		if err := json.Unmarshal([]byte(test.text), test.into); err != nil {
			t.Errorf("%T: %v", test.into, err)
		} else if got := mustMarshal(t, test.into); got != test.text {
			t.Errorf("%T: got %s", test.into, got)
		}
		if err := json.Unmarshal([]byte(`{"z":1,"z":1}`), test.into); err == nil {
			t.Errorf("%T: a duplicate name was read", test.into)
		}
	}
}

func TestParseUser(t *testing.T) {
	u, err := policy.ParseUser([]byte("\xef\xbb\xbf" + `{"@odata.context":"x","id":"1","userPrincipalName":"jane@yourdomain.com",` +
		`"onPremisesUserPrincipalName":null,"authorizationInfo":{"certificateUserIds":["X509:<PN>jane@mil"]},"memberOf":[{"@odata.type":"#microsoft.graph.group","id":"g"}]}`))
	want := policy.User{ID: "1", UserPrincipalName: "jane@yourdomain.com",
		AuthorizationInfo: policy.AuthorizationInfo{CertificateUserIDs: []string{"X509:<PN>jane@mil"}},
		MemberOf:          []policy.DirectoryObject{{ID: "g"}},
		Missing:           []policy.UserProperty{policy.AccountEnabled, policy.UserType, policy.TransitiveMemberOf}}
	if diff := cmp.Diff(want, u); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, text := range []string{``, `null`, `[]`, `{`, `{"id":1}`, `{"id":"a","id":"b"}`, `{"memberOf":{}}`} {
		var je *policy.Error
		if _, err := policy.ParseUser([]byte(text)); !errors.As(err, &je) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
