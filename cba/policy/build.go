package policy

import (
	"crypto/x509"
	"strconv"
	"strings"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/internal/wire"
	"example.com/entracba/cba/keyid"
)

// IssuerRule gives every certificate of an issuer an authentication mode and a
// required affinity. An issuer can have one mode only.
func IssuerRule(issuer dn.Name, mode AuthenticationMode, affinity certuserid.Affinity) Rule {
	name := issuer.String()
	return Rule{Type: IssuerSubject, Identifier: name, IssuerSubjectIdentifier: name, Mode: mode, RequiredAffinity: affinity}
}

// PolicyOIDRule gives every certificate with a policy OID an authentication mode and
// a required affinity. It outranks a rule for the issuer. It covers exactly this
// OID, and none below it. An OID of more than 128 bytes of DER, which only a hostile
// certificate has, makes a rule that matches nothing.
func PolicyOIDRule(oid x509.OID, mode AuthenticationMode, affinity certuserid.Affinity) Rule {
	number := text.OID(oid)
	return Rule{Type: PolicyOID, Identifier: number, PolicyOIDIdentifier: number, Mode: mode, RequiredAffinity: affinity}
}

// IssuerAndPolicyOIDRule gives the certificates of an issuer that have a policy
// OID an authentication mode and a required affinity. It outranks both other kinds.
//
// A rule of this kind interferes with the registration of Windows Hello for
// Business, FIDO2 keys and passwordless phone sign-in on Windows (Learn, technical
// deep dive, known issues). Its Identifier stays empty, because its meaning here is
// not documented (open question 9.13).
func IssuerAndPolicyOIDRule(issuer dn.Name, oid x509.OID, mode AuthenticationMode, affinity certuserid.Affinity) Rule {
	return Rule{
		Type: IssuerSubjectAndPolicyOID, IssuerSubjectIdentifier: issuer.String(), PolicyOIDIdentifier: text.OID(oid),
		Mode: mode, RequiredAffinity: affinity,
	}
}

// Bind makes a username binding and states the affinity of its field. The service
// tries the binding with the lowest priority first.
func Bind(field certuserid.Mapping, property UserProperty, priority int32) UserBinding {
	return UserBinding{Field: field, Property: property, Priority: priority, Affinity: field.Affinity()}
}

// Group makes a target of a group, by its object id.
func Group(id string) IncludeTarget { return IncludeTarget{Type: GroupTarget, ID: id} }

// AllUsers makes the target that contains every user of the tenant.
func AllUsers() IncludeTarget { return Group(AllUsersID) }

// ExcludeGroup makes a target of a group, by its object id, for
// [Config.ExcludeTargets].
func ExcludeGroup(id string) Target { return Target{Type: GroupTarget, ID: id} }

// ScopeTo restricts the certificates of a CA, and of those below it, to the members
// of a group. ca is the subject key identifier of the CA and pki the display name
// of the PKI container that holds it.
func ScopeTo(ca keyid.ID, pki, groupID string) AuthorityScope {
	return AuthorityScope{
		SubjectKeyIdentifier: strings.ToUpper(string(ca)), PublicKeyInfrastructureIdentifier: pki,
		IncludeTargets: []Target{{ID: groupID, Type: GroupTarget}},
	}
}

// Issuer returns the text of the issuer that the rule names: the specific
// property where it is set, else the identifier of an issuer rule; "" for a rule
// that names none.
func (r Rule) Issuer() string {
	if r.IssuerSubjectIdentifier == "" && r.Type == IssuerSubject {
		return r.Identifier
	}
	return r.IssuerSubjectIdentifier
}

// OID returns the text of the policy OID that the rule names, like
// [Rule.Issuer].
func (r Rule) OID() string {
	if r.PolicyOIDIdentifier == "" && r.Type == PolicyOID {
		return r.Identifier
	}
	return r.PolicyOIDIdentifier
}

// String names the rule for people: what it matches and what it gives.
func (r Rule) String() string {
	return r.what() + ": " + r.Mode.String() + ", " + affinityText(r.RequiredAffinity) + " affinity"
}

// what names what the rule matches.
func (r Rule) what() string {
	switch r.Type {
	case IssuerSubject:
		return "issuer " + quoted(r.Issuer())
	case PolicyOID:
		return "policy OID " + quoted(r.OID())
	case IssuerSubjectAndPolicyOID:
		return "issuer " + quoted(r.Issuer()) + " with policy OID " + quoted(r.OID())
	}
	return "type " + quoted(string(r.Type)) + ", " + quoted(r.identity())
}

// String names the binding for people: "PrincipalName to userPrincipalName,
// priority 1".
func (b UserBinding) String() string { return b.pair() + ", priority " + strconv.Itoa(int(b.Priority)) }

func (b UserBinding) pair() string {
	return wire.Shown(string(b.Field)) + " to " + wire.Shown(string(b.Property))
}

// what names the target for people.
func (t Target) what() string {
	if strings.EqualFold(t.ID, AllUsersID) {
		return "all users"
	}
	return wire.Shown(string(t.Type)) + " " + wire.Shown(t.ID)
}
