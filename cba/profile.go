package cba

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"slices"
	"time"

	"example.com/entracba/cba/dn"
)

// Day is 24 hours, for durations such as 90 * cba.Day.
const Day = 24 * time.Hour

const (
	defaultValidity = 365 * Day
	defaultBackdate = 5 * time.Minute // for clients whose clock is slow
)

// A Profile says what a user certificate is for and how long it is valid. The zero
// value is a good certificate for Entra: valid for 365 days, digitalSignature, clientAuth,
// and not a CA. Every certificate has both key identifiers, which Entra builds
// chains by, a random serial number of 133 bits, and a SHA-2 signature chosen by
// the CA's key (RSA and P-256 sign SHA-256, P-384 SHA-384, P-521 SHA-512).
type Profile struct {
	// Validity is counted from now; zero means 365 days. A certificate
	// never outlives its CA: if the CA expires sooner, so does the certificate, and
	// a finding says so ("cert-clipped").
	Validity time.Duration
	// Backdate is how long before now the certificate becomes valid; zero means
	// five minutes, for clients whose clock is slow; negative means not at all. It is never valid before its CA.
	Backdate time.Duration

	SmartcardLogon bool // Windows smart card logon, 1.3.6.1.4.1.311.20.2.2
	Email          bool // S/MIME: emailProtection
	EFS            bool // Encrypting File System, 1.3.6.1.4.1.311.10.3.4
	// ExtraUsages are further extended key usages.
	ExtraUsages []x509.OID

	// Policies are certificate policies, which authentication binding rules and
	// authentication strengths use. See [AllIssuancePolicies].
	Policies []x509.OID
	// CRLURLs are CRL distribution points. Entra takes the URL from its own store
	// of CAs, other readers take it from here; http is what all of them read.
	CRLURLs []string
	// CAURLs are where the CA's certificate is available (caIssuers). There is no
	// field for OCSP: Entra does not use it.
	CAURLs []string
	// SIDForm says where the subject's SID is written.
	SIDForm SIDForm
}

// SmartcardUser is a profile for Windows smart card logon beside Entra:
// clientAuth and smart card logon.
func SmartcardUser() Profile { return Profile{SmartcardLogon: true} }

// IntuneUser is a profile with the usages that Intune's documentation of PKCS
// certificates asks of the template (Encrypting File System, Secure Email, Client
// Authentication; Learn, "Configure and use PKCS certificates with Intune"), and
// the SID in Intune's form.
func IntuneUser() Profile { return Profile{Email: true, EFS: true, SIDForm: SIDAsURI} }

// ProfileOf returns the profile of a certificate, for its renewal: issued with it,
// a certificate has the same usages, policies, URLs and form of the SID, and is
// valid as long. clientAuth, which every profile has, is added where the
// certificate lacks it; extensions that no profile has are left out.
//
// A certificate that was cut short by the end of its CA has a short validity here
// too: set [Profile.Validity] to the length that you want.
//
// The error is an [*Error] with reason [Malformed] (usages or names that cannot be
// read) or [Empty] (no certificate).
func ProfileOf(cert *x509.Certificate) (Profile, error) {
	names, err := NamesOf(cert)
	if err != nil {
		return Profile{}, err
	}
	usages, ok := readUsages(cert)
	if !ok {
		return Profile{}, &Error{Reason: Malformed, What: "extended key usage of the certificate", Text: dn.Show(cert.RawSubject)}
	}
	p := Profile{
		Policies: slices.Clone(cert.Policies),
		CRLURLs:  slices.Clone(cert.CRLDistributionPoints),
		CAURLs:   slices.Clone(cert.IssuingCertificateURL),
	}
	for _, usage := range usages {
		switch {
		case usage.Equal(usageClientAuth):
		case usage.Equal(usageSmartcardLogon):
			p.SmartcardLogon = true
		case usage.Equal(usageEmail):
			p.Email = true
		case usage.Equal(usageEFS):
			p.EFS = true
		default:
			p.ExtraUsages = append(p.ExtraUsages, usage)
		}
	}
	switch extension, uri := !names.ExtensionSID.IsZero(), len(names.URISIDs) > 0; {
	case extension && uri:
		p.SIDForm = SIDAsBoth
	case uri:
		p.SIDForm = SIDAsURI
	case extension:
		p.SIDForm = SIDAsExtension
	}
	// The beginning lies in the past of the moment of issue, how far is not known.
	if p.Validity = cert.NotAfter.Sub(cert.NotBefore); p.Validity > 2*defaultBackdate {
		p.Validity -= defaultBackdate
	} else {
		p.Backdate = -1
	}
	return p, nil
}

func (p Profile) check() error {
	switch {
	case p.Validity < 0:
		return &Error{Reason: OutOfRange, What: "validity", Text: p.Validity.String(), Hint: "it must be positive"}
	case p.SIDForm != 0 && !sidForms.Known(p.SIDForm):
		return unknown(sidForms, "SID form", p.SIDForm.String())
	}
	if err := checkOIDs("extended key usage", p.usages()); err != nil {
		return err
	}
	if err := checkOIDs("policy", p.Policies); err != nil {
		return err
	}
	if err := checkURLs("CRL URL", p.CRLURLs); err != nil {
		return err
	}
	return checkURLs("CA URL", p.CAURLs)
}

func (p Profile) usages() []x509.OID {
	usages := []x509.OID{usageClientAuth}
	if p.SmartcardLogon {
		usages = append(usages, usageSmartcardLogon)
	}
	if p.Email {
		usages = append(usages, usageEmail)
	}
	if p.EFS {
		usages = append(usages, usageEFS)
	}
	return append(usages, p.ExtraUsages...)
}

// keyUsage adds what encryption needs, for e-mail and EFS: RSA keys wrap keys,
// elliptic curve keys agree on them (RFC 8550 section 4.4.2).
func (p Profile) keyUsage(pub crypto.PublicKey) x509.KeyUsage {
	usage := x509.KeyUsageDigitalSignature
	if p.Email || p.EFS {
		if _, ok := pub.(*rsa.PublicKey); ok {
			usage |= x509.KeyUsageKeyEncipherment
		} else {
			usage |= x509.KeyUsageKeyAgreement
		}
	}
	return usage
}

// validity returns the first and the last second of a certificate that is issued
// now by ca, and whether the CA's end cut it short.
func validity(now time.Time, backdate, length time.Duration, ca *x509.Certificate) (from, to time.Time, clipped bool) {
	if backdate == 0 {
		backdate = defaultBackdate
	}
	now = now.UTC().Truncate(time.Second)
	from, to = now.Add(-max(backdate, 0)).Truncate(time.Second), now.Add(length).Truncate(time.Second)
	if ca != nil {
		if from.Before(ca.NotBefore) {
			from = ca.NotBefore
		}
		if to.After(ca.NotAfter) {
			to, clipped = ca.NotAfter, true
		}
	}
	return from, to, clipped
}
