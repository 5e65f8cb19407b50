package signin_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"strings"
	"testing"

	"example.com/entracba/cba/internal/certs"
	"example.com/entracba/cba/internal/san"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/signin"
)

// otherUPN is a subjectAltName with one otherName of the UPN's type.
func otherUPN(t *testing.T, value asn1.RawValue, behind ...byte) []byte {
	t.Helper()
	inner, err := asn1.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	oid, err := asn1.Marshal(san.UPNType())
	if err != nil {
		t.Fatal(err)
	}
	wrap := func(class, tag int, content []byte) []byte {
		der, err := asn1.Marshal(asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: content})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	other := wrap(asn1.ClassContextSpecific, 0, append(oid, wrap(asn1.ClassContextSpecific, 0, inner)...))
	return append(wrap(asn1.ClassUniversal, asn1.TagSequence, other), behind...)
}

// A UPN in another form than the documented one binds nobody, the verdict says so, and that
// it would be another one if Entra read the name.
func TestOddUPN(t *testing.T) {
	text := func(tag int, value string) asn1.RawValue { return asn1.RawValue{Tag: tag, Bytes: []byte(value)} }
	wide := func(value string) string {
		var b strings.Builder
		for _, c := range value {
			b.WriteString("\x00" + string(c))
		}
		return b.String()
	}
	const name = "nobody@example.com"
	for what, test := range map[string]struct {
		names   []byte
		says    string
		changes bool
	}{
		"BMPString":                      {otherUPN(t, text(30, wide(name))), "as a BMPString", true},
		"PrintableString":                {otherUPN(t, text(19, name)), "as a PrintableString", true},
		"IA5String":                      {otherUPN(t, text(22, name)), "as an IA5String", true},
		"TeletexString":                  {otherUPN(t, text(20, name)), "as a TeletexString", true},
		"of somebody else":               {otherUPN(t, text(30, wide("eve@example.com"))), "as a BMPString", false},
		"zero bytes behind":              {otherUPN(t, text(12, name), 0, 0), "not well-formed", true},
		"a number in its place":          {otherUPN(t, text(2, "\x05")), "no user principal name in its subjectAltName", false},
		"an e-mail with a name in front": {[]byte("\x30\x1c\x81\x1aNobody <nobody@example.com"), "Nobody <nobody@example.com", false},
	} {
		root := chainCA("Odd Root", nil, nil)
		leaf := chainLeaf(root, func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: san.Extension(), Value: test.names}}
		})
		v := chainCase{leaf: leaf.cert, roots: certsOf(root)}.verdict(t)
		if v.Outcome != signin.Refused || !strings.Contains(v.Message, test.says) {
			t.Errorf("%s: %v: %s", what, v.Outcome, v.Message)
		}
		if changes := slices.ContainsFunc(v.Assumptions, func(a signin.Assumption) bool { return a.ID == "certificate.subjectAltName" && a.ChangesVerdict }); changes != test.changes {
			t.Errorf("%s: %+v", what, v.Assumptions)
		}
	}
}

// A key usage without bits and an extended key usage without purposes keep a client from
// presenting the certificate; crypto/x509 shows both like missing ones.
func TestEmptyUsages(t *testing.T) {
	for says, e := range map[string]pkix.Extension{
		"has no digitalSignature":       {Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: []byte{3, 1, 0}},
		"is empty, which allows no use": {Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Value: []byte{0x30, 0}},
	} {
		root := chainCA("Usage Root", nil, nil)
		leaf := chainLeaf(root, func(c *x509.Certificate) { c.ExtraExtensions = append(c.ExtraExtensions, e) })
		v := chainCase{leaf: leaf.cert, roots: certsOf(root)}.verdict(t)
		if !slices.ContainsFunc(v.Steps, func(s lint.Step) bool {
			return s.Name == signin.StepPresent && s.Outcome == lint.Warn && strings.Contains(s.Detail, says)
		}) {
			t.Errorf("%s: %+v", says, v.Steps)
		}
		if !slices.ContainsFunc(v.Assumptions, func(a signin.Assumption) bool { return a.ID == "9.35" && a.ChangesVerdict }) {
			t.Errorf("%s: %+v", says, v.Assumptions)
		}
	}
}

// A configuration of a strength that is of an unknown type may restrict certificates; one of
// security keys does not.
func TestStrengthOfUnknownType(t *testing.T) {
	for text, want := range map[string]signin.Outcome{
		`{"@odata.type":"#microsoft.graph.newThing","appliesToCombinations":["x509CertificateMultiFactor"]}`:                     signin.Undecided,
		`{"@odata.type":"#microsoft.graph.newThing"}`:                                                                            signin.Undecided,
		`{"@odata.type":"#microsoft.graph.newThing","appliesToCombinations":["fido2"]}`:                                          signin.SignedIn,
		`{"@odata.type":"#microsoft.graph.fido2CombinationConfiguration","allowedAAGUIDs":[],"appliesToCombinations":["fido2"]}`: signin.SignedIn,
	} {
		strength, err := signin.ParseStrength([]byte(`{"allowedCombinations":["x509CertificateMultiFactor","fido2"],"combinationConfigurations":[` + text + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		v := verdictOf(t, exportedFile(t, "tenant-mf.json"), exportedFile(t, "user.json"), "bob.crt", signin.Require(strength))
		if v.Outcome != want {
			t.Errorf("%s: %v: %s", text, v.Outcome, v.Message)
		}
	}
	if _, err := signin.ParseStrength([]byte(`{"allowedCombinations":["fido2"],"AllowedCombinations":["x509CertificateMultiFactor"],"combinationConfigurations":[]}`)); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Error(err)
	}
}

// A validity that cannot be read is neither over nor still to come.
func TestUnreadValidity(t *testing.T) {
	root := chainCA("Time Root", nil, nil)
	leaf := chainLeaf(root, nil)
	raw := slices.Clone(leaf.cert.Raw)
	at := strings.Index(string(raw), leaf.cert.NotAfter.UTC().Format("060102150405Z"))
	if at < 0 {
		t.Fatal("no end of validity")
	}
	copy(raw[at:], "26130199")
	cert, err := certs.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	v := chainCase{leaf: cert, roots: certsOf(root)}.verdict(t)
	if v.Outcome != signin.Undecided || strings.Contains(v.Message, "0001") || len(v.Missing) == 0 {
		t.Errorf("%v %s: %s", v.Outcome, v.Code, v.Message)
	}
}
