package intune

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/entracba/cba"
)

// A Profile is a PKCS certificate profile. Platform, Type and Subject are
// required. Every other setting has Intune's usual value where it is zero. The
// bounds are those of Learn, "Configure and use PKCS certificates with Intune".
type Profile struct {
	Name     string          `json:"displayName,omitempty"`
	Platform Platform        `json:"platform"`
	Type     CertificateType `json:"certificateType"`
	// Subject is the template of the distinguished name: see [ParseSubject].
	Subject string `json:"subjectNameFormat"`
	// ReverseSubject reverses the order of the parts, as CertStrToName does with
	// CERT_NAME_STR_REVERSE_FLAG, so that "CN=...,C=US" has the country at the root.
	// Intune's documentation does not say whether its connector uses the flag. The
	// order decides what stands after <S> in a certificateUserIds value.
	ReverseSubject bool `json:"reverseSubject,omitempty"`
	// NameInParts inserts the parts of {{OnPrem_Distinguished_Name}} into the subject
	// where the variable is a whole value: see [Subject.ExpandInParts].
	NameInParts bool `json:"nameInParts,omitempty"`
	// AltNames are the entries of the subjectAltName.
	AltNames []AltName `json:"subjectAlternativeNames,omitempty"`

	// ValidityValue and ValidityScale say how long a certificate is valid: from five
	// days to 24 months. Zero means one year.
	ValidityValue int   `json:"certificateValidityPeriodValue,omitempty"`
	ValidityScale Scale `json:"certificateValidityPeriodScale,omitzero"`
	// Renewal is the percentage of the validity that is left when renewal begins, 1
	// to 99. Zero means [cba.DefaultRenewal]; see [cba.RenewalTime].
	Renewal int `json:"renewalThresholdPercentage,omitempty"`

	// KeySize is the size of the RSA key in bits: 2048 or 4096. Zero means 2048. A size
	// of 3072, which Intune does not have, is a finding.
	KeySize int `json:"keySize,omitempty"`
	// KeyStorage is where Windows keeps the key.
	KeyStorage KeyStorage `json:"keyStorageProvider,omitzero"`
	// Channel is the deployment channel of macOS.
	Channel Channel `json:"deploymentChannel,omitzero"`
	// Usages are the extended key usages. Nil means the three that the documentation
	// requires in the certificate template: Encrypting File System, secure email and
	// client authentication.
	Usages []x509.OID `json:"extendedKeyUsages,omitempty"`
	// StrongMapping says whether the connector writes the account's SID into the
	// extension 1.3.6.1.4.1.311.25.2 (version 6.2406.0.1001 or later, with the
	// registry value EnableSidSecurityExtension = 1). For the SID in a URI, add an
	// entry to AltNames.
	StrongMapping bool `json:"strongMapping,omitempty"`
}

// An AltName is one entry of the subjectAltName.
//
// {{OnPremisesSecurityIdentifier}} must be the whole value of a URIName. It becomes
// "tag:microsoft.com,2022-09-14:sid:" and the SID, the second form of strong
// mapping (KB5014754). Microsoft documents the variable for SCEP profiles.
type AltName struct {
	Type  AltNameType `json:"sanType"`
	Value string      `json:"name"` // a template: see [ParseTemplate]
}

// A Spec is what to issue for one person or device: the arguments for cba.Issuer,
// and the type of key to generate.
type Spec struct {
	Subject cba.Subject
	Profile cba.Profile
	KeyType cba.KeyType
}

// For returns what to issue for these attributes. The months and years of the
// validity are counted from the given time. The caller adds CRL URLs, policies and
// the like to [Spec.Profile].
//
// For accepts whatever can be issued, also where Intune would fail: see
// [Profile.Findings] and [Profile.FindingsFor]. The certificate always has client
// authentication among its usages. A device certificate usually has no UPN, so
// cba.Issuer.Issue refuses it as unfit for Entra; use cba.Issuer.Prepare.
//
// The error is an [*Error]: that of [ParseSubject] or [ParseTemplate]; [NoValue];
// [NotName]; [Several] UPNs; [Misplaced] for a SID that is not alone in a URI; [OutOfRange].
func (p Profile) For(a Attributes, at time.Time) (Spec, error) {
	var spec Spec
	if !platforms.Known(p.Platform) {
		return Spec{}, &Error{Reason: OutOfRange, What: "platform", Text: p.Platform.String(), Offset: -1}
	}
	subject, err := ParseSubject(p.Subject, p.Type)
	if err != nil {
		return Spec{}, err
	}
	if spec.Subject.Name, err = subject.expand(a, p.NameInParts); err != nil {
		return Spec{}, err
	}
	if p.ReverseSubject {
		slices.Reverse(spec.Subject.Name)
	}
	for _, n := range p.AltNames {
		if err := n.add(&spec, p.Type, a); err != nil {
			return Spec{}, err
		}
	}
	if p.StrongMapping {
		if a.SID.IsZero() {
			return Spec{}, &Error{Reason: NoValue, What: "strong mapping", Offset: -1, Variable: OnPremSecurityIdentifier.spellings()[0]}
		}
		if spec.Subject.SID.IsZero() {
			spec.Subject.SID, spec.Profile.SIDForm = a.SID, cba.SIDAsExtension
		} else {
			spec.Profile.SIDForm = cba.SIDAsBoth
		}
	}
	end, err := p.end(at)
	if err != nil {
		return Spec{}, err
	}
	spec.Profile.Validity = end.Sub(at)
	if spec.KeyType, err = p.keyType(); err != nil {
		return Spec{}, err
	}
	return spec, p.addUsages(&spec.Profile)
}

func (n AltName) add(spec *Spec, t CertificateType, a Attributes) error {
	template, err := ParseTemplate(n.Value, t)
	if err != nil {
		return err
	}
	if n.hasSID(template) {
		if !n.isSID(template) {
			return &Error{Reason: Misplaced, What: "subjectAltName", Text: n.Value, Offset: -1, Variable: OnPremSecurityIdentifier.spellings()[0]}
		}
		if a.SID.IsZero() {
			return &Error{Reason: NoValue, What: "subjectAltName", Offset: -1, Variable: OnPremSecurityIdentifier.spellings()[0]}
		}
		spec.Subject.SID, spec.Profile.SIDForm = a.SID, cba.SIDAsURI
		return nil
	}
	value, err := template.Expand(a)
	switch {
	case err != nil:
		return err
	case value == "":
		return &Error{Reason: Empty, What: "subjectAltName", Offset: -1}
	}
	switch n.Type {
	case UPNName:
		if spec.Subject.UPN != "" {
			return &Error{Reason: Several, What: "subjectAltName UPN", Text: n.Value, Offset: -1}
		}
		spec.Subject.UPN = value
	case EmailName:
		spec.Subject.Emails = append(spec.Subject.Emails, value)
	case DNSName:
		spec.Subject.DNSNames = append(spec.Subject.DNSNames, value)
	case URIName:
		spec.Subject.URIs = append(spec.Subject.URIs, value)
	default:
		return &Error{Reason: OutOfRange, What: "subjectAltName type", Text: n.Type.String(), Offset: -1}
	}
	return nil
}

// hasSID reports whether the SID is anywhere in the value.
func (AltName) hasSID(t Template) bool {
	return slices.Contains(t.Variables(), OnPremSecurityIdentifier)
}

// isSID reports whether the entry is a URI of the SID and nothing else.
func (n AltName) isSID(t Template) bool {
	return n.Type == URIName && len(t.parts) == 1 && t.parts[0].variable == OnPremSecurityIdentifier
}

// validity returns the validity in words, "24 months".
func (p Profile) validity() string {
	unit := cmp.Or(p.ValidityScale, Years).String()
	if p.ValidityValue == 1 {
		unit = strings.TrimSuffix(unit, "s")
	}
	return fmt.Sprintf("%d %s", p.ValidityValue, unit)
}

// end returns the end of a certificate's validity, which begins at the time.
func (p Profile) end(at time.Time) (time.Time, error) {
	const most = 100 * 12 // years in months: far above Intune's bound, below the end of time
	value, scale := p.ValidityValue, p.ValidityScale
	if value == 0 && scale == 0 {
		value = 1
	}
	if value > 0 {
		switch scale {
		case Days:
			if value <= most*30 {
				return at.AddDate(0, 0, value), nil
			}
		case Months:
			if value <= most {
				return at.AddDate(0, value, 0), nil
			}
		case 0, Years:
			if value <= most/12 {
				return at.AddDate(value, 0, 0), nil
			}
		}
	}
	return time.Time{}, &Error{Reason: OutOfRange, What: "validity", Text: p.validity(), Offset: -1}
}

func (p Profile) keyType() (cba.KeyType, error) {
	switch p.KeySize {
	case 0, 2048:
		return cba.RSA2048, nil
	case 3072:
		return cba.RSA3072, nil
	case 4096:
		return cba.RSA4096, nil
	}
	return 0, &Error{Reason: OutOfRange, What: "key size", Text: strconv.Itoa(p.KeySize), Offset: -1}
}

// Extended key usages, in the form of x509.OID.String.
const (
	oidClientAuth     = "1.3.6.1.5.5.7.3.2"
	oidEmail          = "1.3.6.1.5.5.7.3.4"
	oidSmartcardLogon = "1.3.6.1.4.1.311.20.2.2"
	oidEFS            = "1.3.6.1.4.1.311.10.3.4"
)

func (p Profile) addUsages(profile *cba.Profile) error {
	if p.Usages == nil {
		profile.Email, profile.EFS = true, true
		return nil
	}
	for _, usage := range p.Usages {
		switch text := usage.String(); text {
		case oidClientAuth:
		case oidEmail:
			profile.Email = true
		case oidEFS:
			profile.EFS = true
		case oidSmartcardLogon:
			profile.SmartcardLogon = true
		default:
			oid, err := cba.ParseOID(text)
			if err != nil {
				return &Error{Reason: OutOfRange, What: "extended key usage", Text: text, Offset: -1}
			}
			profile.ExtraUsages = append(profile.ExtraUsages, oid)
		}
	}
	return nil
}
