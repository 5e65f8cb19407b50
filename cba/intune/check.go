package intune

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/entracba/cba/lint"
)

// A rule is what all findings of one code share.
type rule struct {
	code     string
	severity lint.Severity
	effect   lint.Effect
	do       string
	source   string
}

// Sources. "Learn" is learn.microsoft.com, by the title of the page.
const (
	fromPKCS  = "Learn: Configure and use PKCS certificates with Intune"
	fromSCEP  = "Learn: Create and assign SCEP certificate profiles in Intune"
	fromNames = "Learn: CertStrToNameA function"
	fromGraph = "Learn: Graph, renewalThresholdPercentage"
	fromKB    = "KB5014754"
)

var (
	badTemplate    = rule{"intune-template", lint.Error, lint.LocksOut, "put the template right", fromPKCS}
	escaped        = rule{"intune-escaped-character", lint.Error, lint.LocksOut, "avoid the character: an escaped one in the request's subject is a known issue, and CertStrToName knows double quotes only", fromPKCS}
	specialValue   = rule{"intune-special-character", lint.Warning, lint.LocksOut, "use another attribute: one of + ; , = that is escaped in the request's subject is a known issue", fromPKCS}
	hardwareID     = rule{"intune-android-hardware-id", lint.Error, lint.LocksOut, "use {{DeviceId}} or {{AAD_Device_ID}}: from Android 12 work profiles on personal devices have no serial number, IMEI and MEID", fromPKCS}
	missingValue   = rule{"intune-missing-value", lint.Error, lint.LocksOut, "use a variable that all have, or assign the profile to those who have it: it does not install without", fromPKCS}
	notSynced      = rule{"intune-missing-value", lint.Error, lint.LocksOut, "synchronise the attribute with Microsoft Entra Connect, or use another variable: the profile does not install without", fromPKCS}
	spoofable      = rule{"intune-spoofable", lint.Warning, lint.LetsIn, "let nothing rest on it: whoever has the device can change it; {{DeviceId}} and {{AAD_Device_ID}} are assigned", fromPKCS}
	noUser         = rule{"intune-no-user", lint.Error, lint.LocksOut, "use variables of the device: dedicated devices have no user", fromPKCS}
	domainName     = rule{"intune-domain-name", lint.Error, lint.LocksOut, "use {{DeviceName}}: only Windows in a domain has a fully qualified name", fromPKCS}
	wholeName      = rule{"intune-whole-name", lint.Warning, 0, "look at the subject of a certificate before you bind by it: whether the name becomes one value or several parts is not documented", fromPKCS}
	letterCase     = rule{"intune-variable-case", lint.Info, 0, "write it as the documentation does", fromPKCS}
	loneBrace      = rule{"intune-brace", lint.Warning, lint.LocksOut, "enclose a variable in two braces on either side: the text is taken as it is", fromPKCS}
	foreignType    = rule{"intune-attribute-type", lint.Warning, lint.LocksOut, "use a key of CertStrToName's table, or the number", fromNames}
	sidPlace       = rule{"intune-sid-place", lint.Error, lint.LocksOut, "make it the whole value of a URI: the variable works nowhere else", fromSCEP}
	sidSCEP        = rule{"intune-sid-scep", lint.Warning, 0, "set EnableSidSecurityExtension on the connector: the variable is documented for SCEP profiles, PKCS profiles get the extension", fromPKCS}
	sidPlatform    = rule{"intune-sid-platform", lint.Warning, lint.LocksOut, "use it in user certificates of Windows, macOS and iOS, or in device certificates of Windows", fromSCEP}
	sidDevice      = rule{"intune-sid-device", lint.Warning, 0, "expect it on hybrid-joined Windows alone", fromPKCS}
	noSID          = rule{"intune-no-strong-mapping", lint.Info, 0, "turn strong mapping on if domain controllers see these certificates; Entra does not read it", fromKB}
	short          = rule{"intune-validity-short", lint.Warning, lint.LocksOut, "use five days at least: devices refuse what is about to expire", fromPKCS}
	long           = rule{"intune-validity-long", lint.Error, lint.LocksOut, "use 24 months at most", fromPKCS}
	outOfRange     = rule{"intune-out-of-range", lint.Error, lint.LocksOut, "", fromPKCS}
	threshold      = rule{"intune-renewal-threshold", lint.Error, lint.LocksOut, "use 1 to 99; 20 is recommended", fromGraph}
	keyPlatform    = rule{"intune-key-size-platform", lint.Error, lint.LocksOut, "use 2048: keys of 4096 bits are for Windows and Android", fromPKCS}
	keyStorage     = rule{"intune-key-size-storage", lint.Error, lint.LocksOut, "keep keys of 4096 bits in software: TPM and Windows Hello for Business take none", fromPKCS}
	storageForeign = rule{"intune-key-storage", lint.Warning, 0, "leave it out: the setting is Windows' own", fromPKCS}
	storageUnset   = rule{"intune-key-storage", lint.Warning, 0, "choose where Windows keeps the key", fromPKCS}
	noClientAuth   = rule{"intune-no-client-auth", lint.Error, lint.LocksOut, "add client authentication, 1.3.6.1.5.5.7.3.2", fromPKCS}
	channel        = rule{"intune-channel", lint.Error, lint.LocksOut, "deploy user certificates by the user channel, device certificates by the device channel; it cannot be changed later", fromPKCS}
	channelForeign = rule{"intune-channel", lint.Warning, 0, "leave it out: the setting is macOS' own", fromPKCS}
	administrator  = rule{"intune-android-administrator", lint.Error, lint.LocksOut, "use Android Enterprise: support of device administrator ended with 2024 where Google's services are", fromPKCS}
	noUPN          = rule{"intune-no-upn", lint.Warning, lint.LocksOut, "add {{UserPrincipalName}} as a user principal name; without it only bindings through certificateUserIds and an e-mail address are left", fromPKCS}
	severalUPNs    = rule{"intune-several-upns", lint.Error, 0, "keep one: which of them Entra reads is not documented (open question 9.23)", fromPKCS}
)

// A checker collects findings about one profile.
type checker struct {
	Profile
	findings lint.Findings
}

func (c *checker) add(r rule, where, format string, args ...any) {
	c.findings = append(c.findings, lint.Finding{Code: r.code, Severity: r.severity, Effect: r.effect,
		Where: where, What: fmt.Sprintf(format, args...), Do: r.do, Source: lint.Source(r.source)})
}

// A field is one template of the profile, read.
type field struct {
	where     string
	variables []Variable
	parts     []part // of all values
	isSubject bool
}

// Check says what of the profile will not work, or not as one would think, for
// anybody. A template that cannot be read is a finding too.
func (p Profile) Check() lint.Findings {
	c := checker{Profile: p}
	c.platform()
	for _, f := range c.fields() {
		c.names(f)
	}
	c.strongMapping()
	c.bounds()
	return c.findings
}

// CheckFor says what a profile will not do for one person and device: values that
// are missing, and values that meet a known issue. Run [Profile.Check] as well.
func (p Profile) CheckFor(a Attributes) lint.Findings {
	c := checker{Profile: p}
	fields := c.fields()
	c.findings = nil // what Check says
	for _, f := range fields {
		for _, v := range f.variables {
			value := a.Value(v)
			synced := v >= OnPremDistinguishedName && v <= OnPremSecurityIdentifier
			switch {
			case value == "" && synced:
				c.add(notSynced, f.where, "%v has no value", v)
			case value == "":
				c.add(missingValue, f.where, "%v has no value", v)
			case v == OnPremDistinguishedName && p.NameInParts: // its separators are meant
			case f.isSubject && strings.ContainsAny(value, "+;,="):
				c.add(specialValue, f.where, "%v is %q", v, value)
			}
		}
	}
	if p.StrongMapping && a.SID.IsZero() {
		c.add(notSynced, "strongMapping", "there is no SID")
	}
	return c.findings
}

func (c *checker) platform() {
	if c.Platform < 1 || c.Platform > lastPlatform {
		c.add(outOfRange, "platform", "%v is no platform", c.Platform)
	}
	if c.Platform == AndroidAdministrator {
		c.add(administrator, "platform", "is %v", c.Platform)
	}
	switch {
	case c.Platform == MacOS:
		if c.Type == UserCertificate && c.Channel != UserChannel || c.Type == DeviceCertificate && c.Channel != DeviceChannel {
			c.add(channel, "deploymentChannel", "is %v for a %v certificate", c.Channel, c.Type)
		}
	case c.Channel != 0:
		c.add(channelForeign, "deploymentChannel", "is set for %v", c.Platform)
	}
}

// fields reads the templates; what cannot be read is a finding.
func (c *checker) fields() []field {
	var fields []field
	if s, err := ParseSubject(c.Subject, c.Type); err != nil {
		c.add(badTemplate, "subjectNameFormat", "%v", err)
	} else {
		const where = "subjectNameFormat"
		f := field{where: where, variables: s.Variables(), isSubject: true}
		for _, rdn := range s.parts {
			for _, a := range rdn {
				f.parts = append(f.parts, a.parts...)
			}
		}
		fields = append(fields, f)
		c.marks(where, s.marks)
		if s.escapes > 0 {
			c.add(escaped, where, "has %d escaped with a backslash", s.escapes)
		}
		for _, key := range s.foreign {
			c.add(foreignType, where, "%s is not a key of CertStrToName", key)
		}
	}
	upns := 0
	for i, n := range c.AltNames {
		where := fmt.Sprintf("subjectAlternativeNames[%d]", i)
		if n.Type < 1 || n.Type > URIName {
			c.add(outOfRange, where, "%v is no type", n.Type)
		}
		if n.Type == UPNName {
			upns++
		}
		t, err := ParseTemplate(n.Value, c.Type)
		if err == nil && n.Value == "" {
			err = &Error{Reason: EmptyValue, What: "subjectAltName", Offset: -1}
		}
		if err != nil {
			c.add(badTemplate, where, "%v", err)
			continue
		}
		fields = append(fields, field{where: where, variables: t.Variables(), parts: t.parts})
		c.marks(where, t)
		if n.hasSID(t) && !n.isSID(t) {
			c.add(sidPlace, where, "%v is in %q", OnPremSecurityIdentifier, n.Value)
		}
	}
	if upns == 0 && c.Type == UserCertificate {
		c.add(noUPN, "subjectAlternativeNames", "have no UPN")
	}
	if upns > 1 {
		c.add(severalUPNs, "subjectAlternativeNames", "have %d UPNs", upns)
	}
	return fields
}

func (c *checker) marks(where string, t Template) {
	for _, name := range t.loose {
		v, _ := variableByName(name)
		c.add(letterCase, where, "{{%s}} is documented as %v", name, v)
	}
	if t.braces > 0 {
		c.add(loneBrace, where, "has a single brace")
	}
}

func (c *checker) names(f field) {
	for _, v := range f.variables {
		if v.isHardware() && c.Platform == AndroidWorkProfile {
			c.add(hardwareID, f.where, "has %v", v)
		}
		if v.isSpoofable() {
			c.add(spoofable, f.where, "has %v", v)
		}
		if !v.IsDevice() && c.Platform == AndroidDedicated {
			c.add(noUser, f.where, "has %v", v)
		}
		if v == FullyQualifiedDomainName && c.Platform != Windows {
			c.add(domainName, f.where, "has %v", v)
		}
		if v == OnPremDistinguishedName && f.isSubject {
			c.add(wholeName, f.where, "has %v", v)
		}
	}
	if f.isSubject {
		for _, p := range f.parts {
			// Within quotes the characters are legal, and are escaped in the request all
			// the same.
			if p.variable == 0 && strings.ContainsAny(p.text, "+;,=") && !c.findings.Has(escaped.code) {
				c.add(specialValue, f.where, "%q is part of a value", p.text)
			}
		}
	}
}

func (c *checker) strongMapping() {
	uri := false
	for _, n := range c.AltNames {
		if t, err := ParseTemplate(n.Value, c.Type); err == nil && n.isSID(t) {
			uri = true
		}
	}
	const where = "strongMapping"
	if uri {
		c.add(sidSCEP, where, "%v stands in a URI", OnPremSecurityIdentifier)
		if c.Platform.isAndroid() || c.Type == DeviceCertificate && c.Platform != Windows {
			c.add(sidPlatform, where, "%v in a %v certificate of %v", OnPremSecurityIdentifier, c.Type, c.Platform)
		}
	}
	if c.Type == DeviceCertificate && (uri || c.StrongMapping) {
		c.add(sidDevice, where, "is on for device certificates")
	}
	if c.Type == UserCertificate && !uri && !c.StrongMapping {
		c.add(noSID, where, "is off")
	}
}

func (c *checker) bounds() {
	// Any day will do: February to February shows the least difference.
	at := time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC)
	switch end, err := c.end(at); {
	case err != nil:
		c.add(outOfRange, "certificateValidityPeriodValue", "%v", err)
	case end.Before(at.AddDate(0, 0, 5)):
		c.add(short, "certificateValidityPeriodValue", "is %d %v", c.ValidityValue, c.ValidityScale)
	case end.After(at.AddDate(0, 24, 0)):
		c.add(long, "certificateValidityPeriodValue", "is %d %v", c.ValidityValue, c.ValidityScale)
	}
	if c.Renewal > 99 {
		c.add(threshold, "renewalThresholdPercentage", "is %v", c.Renewal)
	}
	if _, err := c.keyType(); err != nil {
		c.add(outOfRange, "keySize", "%s bits: use 2048 or 4096", strconv.Itoa(c.KeySize))
	}
	if c.KeySize == 4096 {
		switch {
		case c.Platform != Windows && !c.Platform.isAndroid():
			c.add(keyPlatform, "keySize", "is 4096 for %v", c.Platform)
		case c.Platform == Windows && c.KeyStorage != SoftwareStorage:
			c.add(keyStorage, "keySize", "is 4096 with key storage %v", c.KeyStorage)
		}
	}
	switch {
	case c.KeyStorage > SoftwareStorage:
		c.add(outOfRange, "keyStorageProvider", "%v is no key storage", c.KeyStorage)
	case c.Platform == Windows && c.KeyStorage == 0:
		c.add(storageUnset, "keyStorageProvider", "is not set")
	case c.Platform != Windows && c.KeyStorage != 0:
		c.add(storageForeign, "keyStorageProvider", "is set for %v", c.Platform)
	}
	if c.Usages != nil {
		texts := make([]string, 0, len(c.Usages))
		for _, u := range c.Usages {
			texts = append(texts, u.String())
		}
		if !slices.Contains(texts, oidClientAuth) {
			c.add(noClientAuth, "extendedKeyUsages", "has no client authentication")
		}
	}
}
