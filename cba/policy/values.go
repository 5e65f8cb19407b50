package policy

import (
	"slices"

	"example.com/entracba/cba/certuserid"
)

// Graph's enumerations are texts here too. The empty text is a property that is
// absent or null; any text that is no constant of its type is kept as it is,
// reported by [Config.Findings], and never counts in favour of a sign-in.

// UnknownFutureValue is what Graph sends in place of an enumeration member that
// it added after v1.0 was published, unless the request has the header
// "Prefer: include-unknown-enum-members". [IssuerSubjectAndPolicyOID] is such a
// member.
const UnknownFutureValue = "unknownFutureValue"

// A State turns the method, CRL validation or issuer hints on. It stands for
// Graph's authenticationMethodState, x509CertificateCRLValidationConfigurationState
// and x509CertificateIssuerHintsState.
type State string

// The states.
const (
	Enabled  State = "enabled"
	Disabled State = "disabled"
)

// An AuthenticationMode is the strength of a sign-in with a certificate:
// x509CertificateAuthenticationMode.
type AuthenticationMode string

// The strengths. A multifactor certificate satisfies a demand for multifactor
// authentication by itself.
const (
	SingleFactor AuthenticationMode = "x509CertificateSingleFactor"
	MultiFactor  AuthenticationMode = "x509CertificateMultiFactor"
)

// An AffinityLevel says how firmly a username binding ties a certificate to an
// account: x509CertificateAffinityLevel.
type AffinityLevel string

// The levels. A low-affinity binding compares names that can be given to
// somebody else; a high-affinity one compares what only one certificate or key
// has.
const (
	LowAffinity  AffinityLevel = "low"
	HighAffinity AffinityLevel = "high"
)

// A RuleType says what a [Rule] looks at: x509CertificateRuleType.
type RuleType string

// The types of rules.
const (
	IssuerSubject             RuleType = "issuerSubject"
	PolicyOID                 RuleType = "policyOID"
	IssuerSubjectAndPolicyOID RuleType = "issuerSubjectAndPolicyOID"
)

// A TargetType says what the id of a target is of: authenticationMethodTargetType.
type TargetType string

// The types of targets. Only groups can be chosen in the portal.
const (
	UserTarget  TargetType = "user"
	GroupTarget TargetType = "group"
)

// AllUsersID is the id of the target that stands for every user.
const AllUsersID = "all_users"

// A CertificateField is the part of a certificate that a username binding
// compares. In Graph it is a string, not an enumeration.
type CertificateField string

// The fields. Graph's pages name PrincipalName, RFC822Name,
// SubjectKeyIdentifier and SHA1PublicKey; the texts of the other three are those
// of the portal and not confirmed for Graph (open question 9.14).
const (
	PrincipalName         CertificateField = "PrincipalName"
	RFC822Name            CertificateField = "RFC822Name"
	IssuerAndSubject      CertificateField = "IssuerAndSubject"
	Subject               CertificateField = "Subject"
	SubjectKeyIdentifier  CertificateField = "SubjectKeyIdentifier"
	SHA1PublicKey         CertificateField = "SHA1PublicKey"
	IssuerAndSerialNumber CertificateField = "IssuerAndSerialNumber"
)

// A UserProperty is the property of the user that a username binding compares
// with. In Graph it is a string, not an enumeration.
type UserProperty string

// The user properties.
const (
	UserPrincipalName           UserProperty = "userPrincipalName"
	OnPremisesUserPrincipalName UserProperty = "onPremisesUserPrincipalName"
	CertificateUserIDs          UserProperty = "certificateUserIds"
)

func (s State) values() []string { return []string{string(Enabled), string(Disabled)} }
func (m AuthenticationMode) values() []string {
	return []string{string(SingleFactor), string(MultiFactor)}
}
func (a AffinityLevel) values() []string { return []string{string(LowAffinity), string(HighAffinity)} }
func (t RuleType) values() []string {
	return []string{string(IssuerSubject), string(PolicyOID), string(IssuerSubjectAndPolicyOID)}
}
func (t TargetType) values() []string { return []string{string(UserTarget), string(GroupTarget)} }

func (f CertificateField) values() []string {
	return []string{
		string(PrincipalName), string(RFC822Name), string(IssuerAndSubject), string(Subject),
		string(SubjectKeyIdentifier), string(SHA1PublicKey), string(IssuerAndSerialNumber),
	}
}

func (p UserProperty) values() []string {
	return []string{string(UserPrincipalName), string(OnPremisesUserPrincipalName), string(CertificateUserIDs)}
}

// An enumeration is a string type with a list of members.
type enumeration interface{ values() []string }

func isKnown(e enumeration, text string) bool { return slices.Contains(e.values(), text) }

// Affinity returns the level of the mapping that the field stands for, whatever
// a binding says about itself, and "" for a field that is not known: see
// [certuserid.Mapping.Affinity].
func (f CertificateField) Affinity() AffinityLevel {
	return AffinityLevel(certuserid.Mapping(f).Affinity())
}

// BindsTo reports whether the service lets the field be bound to the user
// property: the two names to all three, everything else to certificateUserIds
// alone (Learn, technical deep dive, username binding table).
func (f CertificateField) BindsTo(property UserProperty) bool {
	switch property {
	case CertificateUserIDs:
		return f.Affinity() != ""
	case UserPrincipalName, OnPremisesUserPrincipalName:
		return f == PrincipalName || f == RFC822Name
	}
	return false
}
