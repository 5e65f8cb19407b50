package intune_test

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/intune"
	"example.com/entracba/cba/lint"
	"github.com/google/go-cmp/cmp"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestGoodProfile(t *testing.T) {
	if findings := good().Findings(); len(findings) > 0 {
		t.Errorf("findings: %v", findings)
	}
	if findings := good().FindingsFor(jane(t)); len(findings) > 0 {
		t.Errorf("findings about jane: %v", findings)
	}
}

// Every documented trap, and a twin that differs in one thing and is not caught.
func TestTraps(t *testing.T) {
	type profile = func(*intune.Profile)
	subject := func(text string) profile { return func(p *intune.Profile) { p.Subject = text } }
	on := func(platform intune.Platform, text string) profile {
		return func(p *intune.Profile) {
			p.Platform, p.Subject, p.KeyStorage = platform, text, 0
			if platform == intune.Windows {
				p.KeyStorage = intune.TPMOrSoftware
			}
		}
	}
	device := func(platform intune.Platform, text string) profile {
		return func(p *intune.Profile) {
			on(platform, text)(p)
			p.Type, p.AltNames, p.StrongMapping = intune.DeviceCertificate, nil, false
		}
	}
	sid := func(kind intune.AltNameType, value string) profile {
		return func(p *intune.Profile) {
			p.StrongMapping = false
			p.AltNames = append(p.AltNames, intune.AltName{Type: kind, Value: value})
		}
	}
	validity := func(value int, scale intune.Scale) profile {
		return func(p *intune.Profile) { p.ValidityValue, p.ValidityScale = value, scale }
	}
	key := func(size int, platform intune.Platform, storage intune.KeyStorage) profile {
		return func(p *intune.Profile) { p.KeySize, p.Platform, p.KeyStorage = size, platform, storage }
	}
	usages := func(texts ...string) profile {
		return func(p *intune.Profile) {
			p.Usages = []x509.OID{}
			for _, text := range texts {
				p.Usages = append(p.Usages, oid(t, text))
			}
		}
	}
	mac := func(kind intune.CertificateType, channel intune.Channel) profile {
		return func(p *intune.Profile) {
			device(intune.MacOS, "CN={{DeviceId}}")(p)
			p.Type, p.Channel = kind, channel
		}
	}
	const sidVariable = "{{OnPremisesSecurityIdentifier}}"
	tests := []struct {
		code     string
		bad, fit profile
	}{
		{"intune-template", subject("CN={{User}}"), subject("CN={{UserName}}")},
		{"intune-template", func(p *intune.Profile) { p.AltNames[0].Value = "" }, func(*intune.Profile) {}},
		{"intune-template", func(p *intune.Profile) { p.Type = 0 }, func(*intune.Profile) {}},
		{"intune-escaped-character", subject(`CN={{UserName}},O=Contoso\, Ltd`), subject("CN={{UserName}},O=Contoso Ltd")},
		{"intune-escaped-character", subject(`CN=a\+b`), subject(`CN=CORP\b`)},
		{"intune-escaped-character", subject(`CN=a\;b`), subject(`CN=a,OU=b`)},
		{"intune-escaped-character", subject(`CN=a\=b`), subject(`CN=a\b`)},
		{"intune-special-character", subject(`CN={{UserName}},O="Contoso, Ltd"`), subject(`CN={{UserName}},O="Contoso Ltd"`)},
		{"intune-special-character", subject(`CN=a=b`), subject(`CN=a-b`)},
		{"intune-android-hardware-id", on(intune.AndroidWorkProfile, "CN={{SERIALNUMBER}}"), on(intune.AndroidWorkProfile, "CN={{DeviceId}}")},
		{"intune-android-hardware-id", on(intune.AndroidWorkProfile, "CN={{IMEI}}"), on(intune.AndroidCorporate, "CN={{IMEI}}")},
		{"intune-android-hardware-id", on(intune.AndroidWorkProfile, "CN={{MEID}}"), on(intune.AndroidWorkProfile, "CN={{DeviceName}}")},
		{"intune-spoofable", device(intune.Windows, "CN={{SerialNumber}}"), device(intune.Windows, "CN={{DeviceId}}")},
		{"intune-spoofable", device(intune.Windows, "CN={{FullyQualifiedDomainName}}"), device(intune.Windows, "CN={{AAD_Device_ID}}")},
		{"intune-no-user", on(intune.AndroidDedicated, "CN={{UserPrincipalName}}"), device(intune.AndroidDedicated, "CN={{DeviceId}}")},
		{"intune-domain-name", device(intune.IOS, "CN={{FullyQualifiedDomainName}}"), device(intune.Windows, "CN={{FullyQualifiedDomainName}}")},
		{"intune-whole-name", subject("CN={{OnPrem_Distinguished_Name}}"), subject("CN={{onPremisesSamAccountName}}")},
		{"intune-variable-case", subject("CN={{username}}"), subject("CN={{SERIALNUMBER}}")},
		{"intune-brace", subject("CN={UserName}"), subject("CN={{UserName}}")},
		{"intune-attribute-type", subject("UID={{UserName}}"), subject("OID.0.9.2342.19200300.100.1.1={{UserName}}")},
		{"intune-sid-place", sid(intune.DNSName, sidVariable), sid(intune.URIName, sidVariable)},
		{"intune-sid-place", sid(intune.URIName, "x:"+sidVariable), sid(intune.URIName, "x:{{DeviceId}}")},
		{"intune-sid-scep", sid(intune.URIName, sidVariable), func(*intune.Profile) {}},
		{"intune-sid-platform", func(p *intune.Profile) { sid(intune.URIName, sidVariable)(p); p.Platform = intune.AndroidCorporate }, sid(intune.URIName, sidVariable)},
		{"intune-sid-device", func(p *intune.Profile) { device(intune.Windows, "CN={{DeviceId}}")(p); p.StrongMapping = true }, device(intune.Windows, "CN={{DeviceId}}")},
		{"intune-no-strong-mapping", func(p *intune.Profile) { p.StrongMapping = false }, sid(intune.URIName, sidVariable)},
		{"intune-no-upn", func(p *intune.Profile) { p.AltNames = nil }, device(intune.Windows, "CN={{DeviceId}}")},
		{"intune-no-upn", func(p *intune.Profile) { p.AltNames[0].Type = intune.EmailName }, func(*intune.Profile) {}},
		{"intune-several-upns", sid(intune.UPNName, "{{EmailAddress}}"), sid(intune.EmailName, "{{EmailAddress}}")},
		{"intune-validity-short", validity(4, intune.Days), validity(5, intune.Days)},
		{"intune-validity-long", validity(25, intune.Months), validity(24, intune.Months)},
		{"intune-validity-long", validity(3, intune.Years), validity(2, intune.Years)},
		{"intune-out-of-range", validity(-1, intune.Days), validity(730, intune.Days)},
		{"intune-out-of-range", validity(1<<40, intune.Years), validity(0, 0)},
		{"intune-out-of-range", validity(1, 9), validity(1, 0)},
		{"intune-out-of-range", key(1024, intune.Windows, intune.TPM), key(3072, intune.Windows, intune.TPM)},
		{"intune-out-of-range", key(0, intune.Windows, 9), key(0, intune.Windows, intune.WindowsHello)},
		{"intune-out-of-range", key(0, 99, 0), key(0, intune.IOS, 0)},
		{"intune-out-of-range", sid(0, "x"), sid(intune.DNSName, "x")},
		{"intune-renewal-threshold", func(p *intune.Profile) { p.Renewal = 100 }, func(p *intune.Profile) { p.Renewal = 99 }},
		{"intune-renewal-threshold", func(p *intune.Profile) { p.Renewal = -1 }, func(p *intune.Profile) { p.Renewal = 0 }},
		{"intune-key-size-platform", key(4096, intune.IOS, 0), key(4096, intune.AndroidCorporate, 0)},
		{"intune-key-size-storage", key(4096, intune.Windows, intune.TPM), key(4096, intune.Windows, intune.SoftwareStorage)},
		{"intune-key-size-storage", key(4096, intune.Windows, intune.WindowsHello), key(2048, intune.Windows, intune.WindowsHello)},
		{"intune-key-storage-unset", key(0, intune.Windows, 0), key(0, intune.Windows, intune.TPM)},
		{"intune-key-storage-platform", key(0, intune.IOS, intune.TPM), key(0, intune.IOS, 0)},
		{"intune-no-client-auth", usages("1.3.6.1.5.5.7.3.4"), usages("1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.2")},
		{"intune-channel", mac(intune.UserCertificate, intune.DeviceChannel), mac(intune.UserCertificate, intune.UserChannel)},
		{"intune-channel", mac(intune.DeviceCertificate, intune.UserChannel), mac(intune.DeviceCertificate, intune.DeviceChannel)},
		{"intune-channel-platform", func(p *intune.Profile) { p.Channel = intune.UserChannel }, func(*intune.Profile) {}},
		{"intune-android-administrator", on(intune.AndroidAdministrator, "CN=x"), on(intune.AndroidCorporate, "CN=x")},
	}
	var fired lint.Findings
	for i, test := range tests {
		bad, fit := good(), good()
		test.bad(&bad)
		test.fit(&fit)
		findings := bad.Findings()
		fired = append(fired, findings...)
		if !findings.Has(test.code) {
			t.Errorf("row %d: no %s: %v", i, test.code, findings)
		}
		if findings := fit.Findings(); findings.Has(test.code) {
			t.Errorf("row %d: the twin has %s: %v", i, test.code, findings)
		}
		for _, f := range findings {
			if f.Severity == 0 || f.Where == "" || f.What == "" || f.Source == "" || f.Do == "" {
				t.Errorf("row %d: a finding that is not whole: %#v", i, f)
			}
		}
	}
	// Every rule fires, and nothing else does.
	fired = append(fired, good().FindingsFor(intune.Attributes{})...)
	codes := map[string]bool{}
	for _, rule := range intune.Rules() {
		if codes[rule.Code] {
			t.Errorf("%s stands for two rules", rule.Code)
		}
		codes[rule.Code] = true
		if !fired.Has(rule.Code) {
			t.Errorf("%s never fires", rule.Code)
		}
		if rule.What == "" || rule.Do == "" || rule.Severity == 0 || rule.Source.URL() == "" {
			t.Errorf("a rule that is not whole: %+v", rule)
		}
	}
	for _, f := range fired {
		if !codes[f.Code] {
			t.Errorf("%s is in no table", f.Code)
		}
	}
}

// A finding's place is a JSON pointer into the profile that was checked.
func TestFindingsPointIntoTheProfile(t *testing.T) {
	p := good()
	p.Subject, p.Channel, p.KeyStorage, p.ValidityValue, p.Renewal, p.KeySize = "CN={x}", 1, 0, -1, 100, 1
	p.Usages = []x509.OID{oid(t, "1.2.3")}
	p.AltNames = append(p.AltNames, intune.AltName{Type: intune.UPNName, Value: "{{IMEI}}"}, intune.AltName{Type: intune.URIName, Value: "{{OnPremisesSecurityIdentifier}}"})
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var document any
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	const absent = "/keyStorageProvider" // left out because it is unset, which is what the finding is about
	found := append(p.Findings(), p.FindingsFor(intune.Attributes{})...)
	if len(found) < 10 {
		t.Errorf("%d findings", len(found))
	}
	for _, f := range found {
		at, ok := document, true
		for _, name := range strings.Split(f.Where, "/")[1:] {
			switch v := at.(type) {
			case map[string]any:
				at, ok = v[name]
			case []any:
				i, err := strconv.Atoi(name)
				if ok = err == nil && i < len(v); ok {
					at = v[i]
				}
			default:
				ok = false
			}
		}
		if !ok && f.Where != absent {
			t.Errorf("%s: %q leads nowhere", f.Code, f.Where)
		}
	}
}

// Nothing that was left out is a panic.
func TestZero(t *testing.T) {
	var p intune.Profile
	if p.Findings().Worst() != lint.Error {
		t.Error("an empty profile has no error")
	}
	p.FindingsFor(intune.Attributes{})
	if _, err := p.For(intune.Attributes{}, time.Time{}); !errors.Is(err, intune.OutOfRange) {
		t.Errorf("an empty profile: %v", err)
	}
	if text, err := (intune.Template{}).Expand(intune.Attributes{}); text != "" || err != nil {
		t.Errorf("the empty template: %q, %v", text, err)
	}
	if name, err := (intune.Subject{}).Expand(intune.Attributes{}); len(name) != 0 || err != nil {
		t.Errorf("the empty subject: %v, %v", name, err)
	}
	if len(intune.Subject{}.Variables())+len(intune.Template{}.Variables()) > 0 || intune.Variable(0).AllowedIn(0) || intune.Variable(0).IsDevice() || jane(t).Value(0) != "" {
		t.Error("zero has variables")
	}
}

func TestFindingsFor(t *testing.T) {
	tests := []struct {
		code   string
		change func(*intune.Attributes)
	}{
		{"intune-missing-value", func(a *intune.Attributes) { a.UserName = "" }},
		{"intune-missing-value", func(a *intune.Attributes) { a.UserPrincipalName = "" }},
		{"intune-value-not-synced", func(a *intune.Attributes) { a.SID = cba.SID{} }},
		{"intune-special-character", func(a *intune.Attributes) { a.UserName = "Doe, Jane" }},
		{"intune-special-character", func(a *intune.Attributes) { a.EmailAddress = "jane+cba@yourdomain.com" }},
	}
	for i, test := range tests {
		a := jane(t)
		test.change(&a)
		findings := good().FindingsFor(a)
		if len(findings) != 1 || findings[0].Code != test.code || findings[0].Effect != lint.LocksOut {
			t.Errorf("row %d: %v, want %s alone", i, findings, test.code)
		}
	}
	a := jane(t)
	a.UserPrincipalName = "o'hara+x@yourdomain.com" // only in the subjectAltName
	a.IMEI = ""                                     // not in the profile
	if findings := good().FindingsFor(a); len(findings) > 0 {
		t.Errorf("findings: %v", findings)
	}
}

func TestFor(t *testing.T) {
	p := good()
	p.AltNames = append(p.AltNames,
		intune.AltName{Type: intune.EmailName, Value: "{{EmailAddress}}"},
		intune.AltName{Type: intune.DNSName, Value: "{{DeviceName}}.contoso.com"},
		intune.AltName{Type: intune.URIName, Value: "IntuneDeviceId://{{DeviceId}}"})
	p.ValidityValue, p.ValidityScale, p.KeySize = 6, intune.Months, 3072
	p.Usages = []x509.OID{oid(t, "1.3.6.1.5.5.7.3.2"), oid(t, "1.3.6.1.4.1.311.20.2.2"), oid(t, "1.2.3.4")}
	spec, err := p.For(jane(t), now)
	if err != nil {
		t.Fatal(err)
	}
	name := "CN=Jane Doe,emailAddress=jane@yourdomain.com,OU=Mobile,O=Finance Group,L=Redmond,ST=Washington,C=US"
	if got := spec.Subject.Name.RootFirst(); got != name {
		t.Errorf("name = %s, want %s", got, name)
	}
	spec.Subject.Name = nil
	want := intune.Spec{
		Subject: cba.Subject{UPN: "jane@yourdomain.com", Emails: []string{"jane@yourdomain.com"}, SID: parseSID(t, sidText),
			DNSNames: []string{"PC1.contoso.com"}, URIs: []string{"IntuneDeviceId://77aa"}},
		Profile: cba.Profile{Validity: 181 * cba.Day, SmartcardLogon: true, SIDForm: cba.SIDAsExtension, // to 21 May
			ExtraUsages: []x509.OID{oid(t, "1.2.3.4")}},
		KeyType: cba.RSA3072,
	}
	if diff := cmp.Diff(want, spec, cmp.Comparer(func(a, b cba.SID) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	p.ReverseSubject = true
	if spec, err = p.For(jane(t), now); err != nil {
		t.Fatal(err)
	}
	if got := spec.Subject.Name.String(); got != name {
		t.Errorf("reversed, most specific first = %s, want %s", got, name)
	}
}

func TestForDefaults(t *testing.T) {
	spec, err := good().For(jane(t), now)
	if err != nil {
		t.Fatal(err)
	}
	want := cba.IntuneUser()
	want.Validity, want.SIDForm = 365*cba.Day, cba.SIDAsExtension
	if diff := cmp.Diff(want, spec.Profile); diff != "" || spec.KeyType != cba.RSA2048 {
		t.Errorf("%v, profile (-want +got):\n%s", spec.KeyType, diff)
	}
	// The forms of strong mapping.
	uri := intune.AltName{Type: intune.URIName, Value: "{{OnPremisesSecurityIdentifier}}"}
	for _, test := range []struct {
		extension, uri bool
		form           cba.SIDForm
	}{{true, false, cba.SIDAsExtension}, {false, true, cba.SIDAsURI}, {true, true, cba.SIDAsBoth}, {false, false, 0}} {
		p := good()
		p.StrongMapping = test.extension
		if test.uri {
			p.AltNames = append(p.AltNames, uri)
		}
		spec, err := p.For(jane(t), now)
		if err != nil {
			t.Fatal(err)
		}
		if spec.Profile.SIDForm != test.form || spec.Subject.SID.IsZero() != (test.form == 0) || len(spec.Subject.URIs) > 0 {
			t.Errorf("%+v: form %v, SID %v, URIs %v", test, spec.Profile.SIDForm, spec.Subject.SID, spec.Subject.URIs)
		}
	}
}

func TestForErrors(t *testing.T) {
	tests := []struct {
		reason intune.Reason
		change func(*intune.Profile, *intune.Attributes)
	}{
		{intune.NoValue, func(p *intune.Profile, a *intune.Attributes) { a.UserName = "" }},
		{intune.NoValue, func(p *intune.Profile, a *intune.Attributes) { a.UserPrincipalName = "" }},
		{intune.NoValue, func(p *intune.Profile, a *intune.Attributes) { a.SID = cba.SID{} }},
		{intune.NoValue, func(p *intune.Profile, a *intune.Attributes) {
			a.SID, p.StrongMapping = cba.SID{}, false
			p.AltNames[0] = intune.AltName{Type: intune.URIName, Value: "{{OnPremisesSecurityIdentifier}}"}
		}},
		{intune.Misplaced, func(p *intune.Profile, a *intune.Attributes) {
			p.AltNames[0].Value = "{{OnPremisesSecurityIdentifier}}"
		}},
		{intune.Several, func(p *intune.Profile, a *intune.Attributes) { p.AltNames = append(p.AltNames, p.AltNames[0]) }},
		{intune.Empty, func(p *intune.Profile, a *intune.Attributes) { p.AltNames[0].Value = "" }},
		{intune.UnknownVariable, func(p *intune.Profile, a *intune.Attributes) { p.AltNames[0].Value = "{{UPN}}" }},
		{intune.OutOfRange, func(p *intune.Profile, a *intune.Attributes) { p.AltNames[0].Type = 0 }},
		{intune.OutOfRange, func(p *intune.Profile, a *intune.Attributes) { p.Type = 0 }},
		{intune.OutOfRange, func(p *intune.Profile, a *intune.Attributes) { p.Platform = 0 }},
		{intune.OutOfRange, func(p *intune.Profile, a *intune.Attributes) { p.KeySize = 512 }},
		{intune.OutOfRange, func(p *intune.Profile, a *intune.Attributes) { p.ValidityValue = -1 }},
		{intune.OutOfRange, func(p *intune.Profile, a *intune.Attributes) { p.ValidityScale = intune.Days }}, // 0 days
		{intune.Empty, func(p *intune.Profile, a *intune.Attributes) { p.Subject = "" }},
		{intune.NotAllowed, func(p *intune.Profile, a *intune.Attributes) { p.Type = intune.DeviceCertificate }},
	}
	for i, test := range tests {
		p, a := good(), jane(t)
		test.change(&p, &a)
		spec, err := p.For(a, now)
		if e, ok := err.(*intune.Error); !ok || e.Reason != test.reason {
			t.Errorf("row %d: error %v, want %v", i, err, test.reason)
		}
		if err != nil && spec.Subject.UPN != "" {
			t.Errorf("row %d: a spec beside the error", i)
		}
	}
}

func TestProfileJSON(t *testing.T) {
	p := good()
	p.ValidityValue, p.ValidityScale, p.Renewal, p.KeySize = 2, intune.Years, 30, 4096
	p.Platform, p.KeyStorage, p.Channel = intune.MacOS, intune.SoftwareStorage, intune.UserChannel
	p.Usages = []x509.OID{oid(t, "1.3.6.1.5.5.7.3.2")}
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"platform":"macos","certificateType":"user","subjectNameFormat":"CN={{UserName}},E={{EmailAddress}},OU=Mobile,O=Finance Group,L=Redmond,ST=Washington,C=US",` +
		`"subjectAlternativeNames":[{"sanType":"userPrincipalName","name":"{{UserPrincipalName}}"}],` +
		`"certificateValidityPeriodValue":2,"certificateValidityPeriodScale":"years","renewalThresholdPercentage":30,` +
		`"keySize":4096,"keyStorageProvider":"useSoftwareKsp","deploymentChannel":"user","extendedKeyUsages":["1.3.6.1.5.5.7.3.2"],"strongMapping":true}`
	if diff := cmp.Diff(want, string(data)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var back intune.Profile
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, back); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := json.Marshal(intune.Profile{}); err == nil {
		t.Error("a profile without platform was written")
	}
	if err := json.Unmarshal([]byte(`{"platform":"Windows"}`), &back); err == nil {
		t.Error("a platform in the wrong letters was read")
	}
}

func TestNameInParts(t *testing.T) {
	p := good()
	p.Subject = "CN={{OnPrem_Distinguished_Name}}"
	for inParts, want := range map[bool]string{
		true:  "CN=Jane Doe,OU=UserAccounts,DC=corp,DC=contoso,DC=com",
		false: `CN=CN=Jane Doe\,OU=UserAccounts\,DC=corp\,DC=contoso\,DC=com`,
	} {
		p.NameInParts = inParts
		spec, err := p.For(jane(t), now)
		if err != nil {
			t.Fatal(err)
		}
		if got := spec.Subject.Name.RootFirst(); got != want {
			t.Errorf("%v: %s, want %s", inParts, got, want)
		}
		if findings := p.FindingsFor(jane(t)); findings.Has("intune-special-character") == inParts {
			t.Errorf("%v: %v", inParts, findings)
		}
	}
}

// Every value of every enumeration has a text of its own that is read back.
func TestChoices(t *testing.T) {
	roundTrip(t, 2, func(n uint8) *intune.CertificateType { v := intune.CertificateType(n); return &v })
	roundTrip(t, 7, func(n uint8) *intune.Platform { v := intune.Platform(n); return &v })
	roundTrip(t, 4, func(n uint8) *intune.KeyStorage { v := intune.KeyStorage(n); return &v })
	roundTrip(t, 2, func(n uint8) *intune.Channel { v := intune.Channel(n); return &v })
	roundTrip(t, 4, func(n uint8) *intune.AltNameType { v := intune.AltNameType(n); return &v })
	roundTrip(t, 3, func(n uint8) *intune.Scale { v := intune.Scale(n); return &v })
}

// A caller branches on the reason, and reads a sentence.
func TestReasons(t *testing.T) {
	_, err := intune.ParseSubject("CN={{User}}", intune.UserCertificate)
	if !errors.Is(err, intune.UnknownVariable) || errors.Is(err, intune.NoValue) || errors.Is(&intune.Error{}, errors.New("")) {
		t.Errorf("%v: not told by its reason", err)
	}
	for _, r := range []intune.Reason{intune.Empty, intune.UnclosedVariable, intune.UnknownVariable, intune.NotAllowed, intune.Misplaced, intune.NoType,
		intune.UnknownType, intune.BadQuote, intune.BadHex, intune.NotUTF8, intune.TooLong, intune.NoValue, intune.NotName, intune.OutOfRange, intune.Several} {
		if r.Error() == "intune: "+string(r) {
			t.Errorf("%q has no words", r)
		}
	}
	if text := intune.Reason("later").Error(); text != "intune: later" {
		t.Errorf("an unknown reason reads %q", text)
	}
}

func roundTrip[T interface {
	MarshalText() ([]byte, error)
	UnmarshalText([]byte) error
}](t *testing.T, last uint8, make func(uint8) T) {
	t.Helper()
	var seen []string
	for n := uint8(0); n <= last+1; n++ {
		text, err := make(n).MarshalText()
		if n == 0 || n > last {
			if err == nil {
				t.Errorf("%T %d has the text %q", make(n), n, text)
			}
			continue
		}
		if err != nil || slices.Contains(seen, string(text)) {
			t.Errorf("%T %d: %q, %v", make(n), n, text, err)
		}
		seen = append(seen, string(text))
		back := make(0)
		if err := back.UnmarshalText(text); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(make(n), back); diff != "" {
			t.Error(diff)
		}
	}
}
