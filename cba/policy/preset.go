package policy

import "example.com/entracba/cba/certuserid"

// configID is the id of the only configuration of its kind.
const configID = "X509Certificate"

// ServiceDefault returns the configuration of a tenant that nobody has changed yet,
// as a live v1.0 answer of July 2026 showed it: disabled; all users included; UPN,
// e-mail address and subject key identifier as bindings; single-factor; no CRL
// validation. It is a description, not advice: see its [Config.Findings].
func ServiceDefault() Config {
	return Config{
		ID: configID, State: Disabled,
		ExcludeTargets: []Target{},
		UserBindings: []UserBinding{
			Bind(certuserid.PrincipalName, UserPrincipalName, 1),
			Bind(certuserid.RFC822Name, UserPrincipalName, 2),
			Bind(certuserid.SKI, CertificateUserIDs, 3),
		},
		AuthenticationMode: AuthenticationModeConfiguration{
			Default: SingleFactor, DefaultAffinity: certuserid.Low, Rules: []Rule{},
		},
		CertificateAuthorityScopes: []AuthorityScope{},
		IssuerHints:                IssuerHintsConfiguration{State: Disabled},
		CRLValidation:              CRLValidationConfiguration{State: Disabled, ExemptedSKIs: []string{}},
		IncludeTargets:             []IncludeTarget{AllUsers()},
	}
}

// HardenedBySKI returns an enabled configuration for the members of groups that
// does not rely on names: one binding, of the subject key identifier to
// certificateUserIds; high affinity required for everybody; certificates of CAs
// without a CRL refused; single-factor by default. Only the given rules grant more;
// they should name hardware-backed CAs or policy OIDs.
//
// A renewed certificate with the same key keeps its subject key identifier if the
// CA derives it from the key. A CA that copies it from a request lets requesters
// choose whose account they bind to: do not trust such a CA. Every user needs the
// "X509:<SKI>" value in certificateUserIds before the configuration is sent, and is
// locked out without it.
func HardenedBySKI(groups []string, rules ...Rule) Config {
	return hardened(certuserid.SKI, groups, rules)
}

// HardenedByIssuerAndSerial is like [HardenedBySKI], but its one binding is of the
// issuer and serial number: a renewed certificate needs a new value.
//
// The text of this field is not confirmed for Graph (open question 9.14): check
// on a test tenant that the PATCH is accepted.
func HardenedByIssuerAndSerial(groups []string, rules ...Rule) Config {
	return hardened(certuserid.IssuerAndSerialNumber, groups, rules)
}

func hardened(field certuserid.Mapping, groups []string, rules []Rule) Config {
	c := ServiceDefault()
	c.State = Enabled
	c.UserBindings = []UserBinding{Bind(field, CertificateUserIDs, 1)}
	c.AuthenticationMode.DefaultAffinity = certuserid.High
	c.AuthenticationMode.Rules = append(c.AuthenticationMode.Rules, rules...)
	c.CRLValidation.State = Enabled
	c.IncludeTargets = []IncludeTarget{}
	for _, id := range groups {
		c.IncludeTargets = append(c.IncludeTargets, Group(id))
	}
	return c
}
