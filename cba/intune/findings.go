package intune

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/lint"
)

// A checker collects findings about one profile.
type checker struct {
	Profile
	findings lint.Findings
}

func (c *checker) add(r lint.Rule, where, format string, args ...any) {
	c.findings = append(c.findings, r.At(where, "", format, args...))
}

// A field is one template of the profile, read.
type field struct {
	where     string
	variables []Variable
	parts     []part // of all values
	isSubject bool
}

// Findings returns what will not work in the profile, or works differently from
// what its author may expect, whoever gets a certificate. A template that cannot be
// read is a finding too. Where is a JSON pointer into the profile.
func (p Profile) Findings() lint.Findings {
	c := checker{Profile: p}
	c.platform()
	for _, f := range c.fields() {
		c.names(f)
	}
	c.strongMapping()
	c.bounds()
	return c.findings
}

// FindingsFor returns what will not work for one person and device: values that
// are missing, and values that meet a known issue. They come in addition to
// [Profile.Findings], which does not look at values.
func (p Profile) FindingsFor(a Attributes) lint.Findings {
	c := checker{Profile: p}
	fields := c.fields()
	c.findings = nil // Findings has these
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
				c.add(specialValue, f.where, "the value of %v is %q", v, value)
			}
		}
	}
	if p.StrongMapping && a.SID.IsZero() {
		c.add(notSynced, atStrongMapping, "strong mapping is on, and there is no SID")
	}
	return c.findings
}

func (c *checker) platform() {
	if !platforms.Known(c.Platform) {
		c.add(outOfRange, "/platform", "the platform is %v", c.Platform)
	}
	if c.Platform == AndroidAdministrator {
		c.add(administrator, "/platform", "the platform is %v", c.Platform)
	}
	switch {
	case c.Platform == MacOS:
		if c.Type == UserCertificate && c.Channel != UserChannel || c.Type == DeviceCertificate && c.Channel != DeviceChannel {
			c.add(channel, "/deploymentChannel", "the channel is %v, for a %v certificate", c.Channel, c.Type)
		}
	case c.Channel != 0:
		c.add(channelForeign, "/deploymentChannel", "the channel is set for %v", c.Platform)
	}
}

// fields reads the templates; what cannot be read is a finding.
func (c *checker) fields() []field {
	var fields []field
	const where = "/subjectNameFormat"
	if s, err := ParseSubject(c.Subject, c.Type); err != nil {
		c.add(badTemplate, where, "%v", err)
	} else {
		f := field{where: where, variables: s.Variables(), isSubject: true}
		for _, rdn := range s.parts {
			for _, a := range rdn {
				f.parts = append(f.parts, a.parts...)
			}
		}
		fields = append(fields, f)
		c.marks(where, s.marks)
		if s.escapes > 0 {
			c.add(escaped, where, `the subject contains \+ \; \, or \=`)
		}
		for _, key := range s.foreign {
			c.add(foreignType, where, "CertStrToName's table does not list the key %s", key)
		}
	}
	upns := 0
	for i, n := range c.AltNames {
		where := fmt.Sprintf("/subjectAlternativeNames/%d", i)
		if !altNameTypes.Known(n.Type) {
			c.add(outOfRange, where+"/sanType", "the type is %v", n.Type)
		}
		if n.Type == UPNName {
			upns++
		}
		t, err := ParseTemplate(n.Value, c.Type)
		if err == nil && n.Value == "" {
			err = &Error{Reason: Empty, What: "subjectAltName", Offset: -1}
		}
		if err != nil {
			c.add(badTemplate, where, "%v", err)
			continue
		}
		fields = append(fields, field{where: where, variables: t.Variables(), parts: t.parts})
		c.marks(where, t)
		if n.hasSID(t) && !n.isSID(t) {
			c.add(sidPlace, where, "%v is in the %v %q", OnPremSecurityIdentifier, n.Type, n.Value)
		}
	}
	if upns == 0 && c.Type == UserCertificate {
		c.add(noUPN, "/subjectAlternativeNames", "")
	}
	if upns > 1 {
		c.add(severalUPNs, "/subjectAlternativeNames", "the certificate has %d UPNs", upns)
	}
	return fields
}

func (c *checker) marks(where string, t Template) {
	for _, name := range t.loose {
		v, _ := variableByName(name)
		c.add(letterCase, where, "the documentation writes {{%s}} as %v", name, v)
	}
	if t.braces > 0 {
		c.add(loneBrace, where, "")
	}
}

func (c *checker) names(f field) {
	for _, v := range f.variables {
		if v.isHardware() && c.Platform == AndroidWorkProfile {
			c.add(hardwareID, f.where, "%v has no value in a personally owned work profile", v)
		}
		if v.isSpoofable() {
			c.add(spoofable, f.where, "%v is a value that the user of the device can change", v)
		}
		if !v.IsDevice() && c.Platform == AndroidDedicated {
			c.add(noUser, f.where, "%v has no value on a dedicated device", v)
		}
		if v == FullyQualifiedDomainName && c.Platform != Windows {
			c.add(domainName, f.where, "%v has no value on %v", v, c.Platform)
		}
		if v == OnPremDistinguishedName && f.isSubject {
			c.add(wholeName, f.where, "%v is used where one value is expected", v)
		}
	}
	if f.isSubject {
		for _, p := range f.parts {
			// Within quotes the characters are legal, and are escaped in the request all
			// the same.
			if p.variable == 0 && strings.ContainsAny(p.text, "+;,=") && !c.findings.Has(escaped.Code) {
				c.add(specialValue, f.where, "the text %q contains + ; , or =", p.text)
			}
		}
	}
}

const atStrongMapping = "/strongMapping"

func (c *checker) strongMapping() {
	uri := false
	for _, n := range c.AltNames {
		if t, err := ParseTemplate(n.Value, c.Type); err == nil && n.isSID(t) {
			uri = true
		}
	}
	const where = atStrongMapping
	if uri {
		c.add(sidSCEP, where, "%v is in a URI, which is documented for SCEP profiles only", OnPremSecurityIdentifier)
		if c.Platform.isAndroid() || c.Type == DeviceCertificate && c.Platform != Windows {
			c.add(sidPlatform, where, "%v certificates of %v do not support %v", c.Type, c.Platform, OnPremSecurityIdentifier)
		}
	}
	if c.Type == DeviceCertificate && (uri || c.StrongMapping) {
		c.add(sidDevice, where, "")
	}
	if c.Type == UserCertificate && !uri && !c.StrongMapping {
		c.add(noSID, where, "")
	}
}

func (c *checker) bounds() {
	const where = "/certificateValidityPeriodValue"
	// Any day will do: February to February shows the least difference.
	at := time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC)
	switch end, err := c.end(at); {
	case err != nil:
		c.add(outOfRange, where, "%v", err)
	case end.Before(at.AddDate(0, 0, 5)):
		c.add(short, where, "certificates are valid for %s", c.validity())
	case end.After(at.AddDate(0, 24, 0)):
		c.add(long, where, "certificates are valid for %s", c.validity())
	}
	if c.Renewal < 0 || c.Renewal > 99 { // zero is unset
		c.add(threshold, "/renewalThresholdPercentage", "the renewal threshold is %d %%", c.Renewal)
	}
	if _, err := c.keyType(); err != nil {
		c.add(outOfRange, "/keySize", "the key size is %d bits; Intune has 2048 and 4096", c.KeySize)
	}
	if c.KeySize == 4096 {
		switch {
		case c.Platform != Windows && !c.Platform.isAndroid():
			c.add(keyPlatform, "/keySize", "%v does not support keys of 4096 bits", c.Platform)
		case c.Platform == Windows && c.KeyStorage != SoftwareStorage:
			c.add(keyTPM, "/keySize", "the key has 4096 bits and the key storage is %v", c.KeyStorage)
		}
	}
	switch {
	case c.KeyStorage != 0 && !keyStorages.Known(c.KeyStorage):
		c.add(outOfRange, "/keyStorageProvider", "the key storage is %v", c.KeyStorage)
	case c.Platform == Windows && c.KeyStorage == 0:
		c.add(storageUnset, "/keyStorageProvider", "")
	case c.Platform != Windows && c.KeyStorage != 0:
		c.add(storageForeign, "/keyStorageProvider", "the key storage is set for %v", c.Platform)
	}
	if c.Usages != nil && !slices.ContainsFunc(c.Usages, func(u x509.OID) bool { return u.String() == oidClientAuth }) {
		c.add(noClientAuth, "/extendedKeyUsages", "")
	}
}
