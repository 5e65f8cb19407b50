package policy

import (
	"slices"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/internal/text"
)

// Graph's enumerations are texts here too. The empty text is a property that is
// absent or null. Any text that is not a constant of its type is kept as it is,
// reported by [Config.Findings], and never counts in favor of a sign-in.

// UnknownFutureValue is what Graph sends in place of an enumeration member that
// it added after v1.0 was published, unless the request has the header
// "Prefer: include-unknown-enum-members". [IssuerSubjectAndPolicyOID] is such a
// member.
const UnknownFutureValue = "unknownFutureValue"

// A State turns the method, CRL validation or issuer hints on. It is Graph's authenticationMethodState, x509CertificateCRLValidationConfigurationState
// and x509CertificateIssuerHintsState.
type State string

// The states.
const (
	Enabled  State = "enabled"
	Disabled State = "disabled"
)

// An AuthenticationMode says whether a certificate counts as one factor or as
// several: x509CertificateAuthenticationMode.
type AuthenticationMode string

// The modes. A multifactor certificate satisfies a requirement of multifactor
// authentication by itself.
const (
	SingleFactor AuthenticationMode = "x509CertificateSingleFactor"
	MultiFactor  AuthenticationMode = "x509CertificateMultiFactor"
)

// A RuleType says what a [Rule] looks at: x509CertificateRuleType.
type RuleType string

// The types of rules.
const (
	IssuerSubject             RuleType = "issuerSubject"
	PolicyOID                 RuleType = "policyOID"
	IssuerSubjectAndPolicyOID RuleType = "issuerSubjectAndPolicyOID"
)

// A TargetType says what kind of object the id of a target names: authenticationMethodTargetType.
type TargetType string

// The types of targets. Only groups can be chosen in the portal.
const (
	UserTarget  TargetType = "user"
	GroupTarget TargetType = "group"
)

// AllUsersID is the id of the target that contains every user.
const AllUsersID = "all_users"

// A UserProperty is the property of the user that a username binding compares
// with. In Graph it is a string, not an enumeration.
type UserProperty string

// The user properties.
const (
	UserPrincipalName           UserProperty = "userPrincipalName"
	OnPremisesUserPrincipalName UserProperty = "onPremisesUserPrincipalName"
	CertificateUserIDs          UserProperty = "certificateUserIds"
)

// Other properties that [User.Missing] can name. A binding to them is not supported.
const (
	ObjectID           UserProperty = "id"
	AccountEnabled     UserProperty = "accountEnabled"
	UserType           UserProperty = "userType"
	MemberOf           UserProperty = "memberOf"
	TransitiveMemberOf UserProperty = "transitiveMemberOf"

	authorizationInfo UserProperty = "authorizationInfo"
)

// texts are the members of an enumeration; ok is false for a type that is none.
func texts(v any) (members []string, ok bool) {
	switch v.(type) {
	case State:
		return asTexts(Enabled, Disabled), true
	case AuthenticationMode:
		return asTexts(SingleFactor, MultiFactor), true
	case certuserid.Affinity:
		return asTexts(certuserid.Low, certuserid.High), true
	case RuleType:
		return asTexts(IssuerSubject, PolicyOID, IssuerSubjectAndPolicyOID), true
	case TargetType:
		return asTexts(UserTarget, GroupTarget), true
	case certuserid.Mapping:
		return asTexts(certuserid.Mappings()...), true
	case UserProperty:
		return asTexts(UserPrincipalName, OnPremisesUserPrincipalName, CertificateUserIDs), true
	}
	return nil, false
}

func asTexts[T ~string](values ...T) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return list
}

// isKnown reports whether a text is a member of its enumeration.
func isKnown[T ~string](v T) bool {
	members, ok := texts(v)
	return ok && slices.Contains(members, string(v))
}

// Supported reports whether the service lets the field be bound to the user
// property: the two names to all three, everything else to certificateUserIds
// alone (Learn, technical deep dive, username binding table). A binding that is
// not supported matches nobody. Letter case of the user property does not matter:
// Microsoft's own PowerShell sample writes "UserPrincipalName" (open question 9.34).
func (b UserBinding) Supported() bool {
	switch b.Property.folded() {
	case CertificateUserIDs:
		return b.Field.Known()
	case UserPrincipalName, OnPremisesUserPrincipalName:
		return b.Field == certuserid.PrincipalName || b.Field == certuserid.RFC822Name
	}
	return false
}

// folded returns the property as Graph's pages spell it.
func (p UserProperty) folded() UserProperty {
	for _, known := range [...]UserProperty{UserPrincipalName, OnPremisesUserPrincipalName, CertificateUserIDs} {
		if text.EqualFold(string(p), string(known)) {
			return known
		}
	}
	return p
}
