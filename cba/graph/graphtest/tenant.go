package graphtest

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"slices"
	"time"
)

// A Tenant is what an in-memory Graph holds: what it starts with, and what
// [Graph.Tenant] reads back. The zero value is a tenant in which nothing was ever
// configured. Ids may be left empty; [New] gives them out.
type Tenant struct {
	ID          string // the organization's id
	DisplayName string // the organization's name
	// Policy is the x509Certificate method configuration as JSON, without
	// @odata.context; nil is the service's default, [DefaultPolicy].
	Policy json.RawMessage
	// SystemCredentialPreferences is the property of the authentication methods policy
	// with this name (beta), read-only; nil is the service's default: Microsoft-managed,
	// for all users.
	SystemCredentialPreferences json.RawMessage
	// Federated are the domains whose users sign in at another identity provider. Other
	// domains of users are managed.
	Federated []string
	// OtherPolicyBytes is how much of the 20 KB that the authentication methods
	// policy may have the other methods take.
	OtherPolicyBytes int
	// Strengths are the Conditional Access authentication strengths, read-only.
	Strengths []Strength
	// PKIs is the PKI-based trust store. What has a DeletedDateTime lies in the
	// deleted items.
	PKIs []PKI
	// Classic is the classic trust store; nil when there is no configuration.
	Classic []ClassicAuthority
	Users   []User
	Groups  []Group
	// SignIns in any order; they are served newest first.
	SignIns []SignIn
}

// A User is one user, with the properties that matter here.
type User struct {
	ID                          string
	UserPrincipalName           string // required, unique without regard to case
	DisplayName                 string
	Mail                        string
	OnPremisesUserPrincipalName string
	Guest                       bool // userType Guest instead of Member
	Disabled                    bool // accountEnabled false
	// Synced is onPremisesSyncEnabled: authorizationInfo is Connect's, and a PATCH
	// of it is refused.
	Synced bool
	// CertificateUserIDs in their order. Their format is not checked: no page says that
	// the directory checks it.
	CertificateUserIDs []string
}

// A Group is one group. Members are ids of users and of groups.
type Group struct {
	ID          string
	DisplayName string
	Members     []string
}

// A PKI is one container of the PKI-based trust store, certificateBasedAuthPki.
type PKI struct {
	ID                   string
	DisplayName          string
	Status               string // "", "running", "succeeded", "failed"
	StatusDetails        string
	LastModifiedDateTime time.Time
	DeletedDateTime      time.Time // zero unless deleted
	Authorities          []Authority
}

// An Authority is one CA of a PKI, certificateAuthorityDetail. [NewAuthority]
// fills one in.
type Authority struct {
	ID                         string
	DisplayName                string
	Certificate                []byte // DER
	Type                       string // "root" or "intermediate"
	CRLURL                     string
	DeltaCRLURL                string
	Issuer                     string
	IssuerSubjectKeyIdentifier string // hexadecimal
	Thumbprint                 string // hexadecimal SHA-1
	ExpirationDateTime         time.Time
	IssuerHint                 bool
	CreatedDateTime            time.Time
	DeletedDateTime            time.Time // zero unless deleted
}

// A ClassicAuthority is one CA of the classic trust store, certificateAuthority.
// Its issuer and issuerSki are taken from the certificate when it is served.
type ClassicAuthority struct {
	Certificate []byte // DER
	Root        bool
	CRLURL      string
	DeltaCRLURL string
}

// A Strength is one authentication strength policy.
type Strength struct {
	ID                  string
	DisplayName         string
	Description         string
	Custom              bool // policyType custom instead of builtIn
	AllowedCombinations []string
	MFA                 bool // requirementsSatisfied mfa instead of none
	CreatedDateTime     time.Time
	ModifiedDateTime    time.Time
	Combinations        []Combination
}

// A Combination is an x509CertificateCombinationConfiguration: which issuers and
// policies a strength asks for.
type Combination struct {
	ID                    string
	AllowedIssuerSKIs     []string
	AllowedPolicyOIDs     []string
	AppliesToCombinations []string
}

// A SignIn is one row of the sign-in log. What only beta has is marked.
type SignIn struct {
	ID                  string
	CreatedDateTime     time.Time
	CorrelationID       string
	UserID              string
	UserPrincipalName   string // served in lower case, as the log keeps it
	UserDisplayName     string
	AppID               string
	AppDisplayName      string
	ResourceDisplayName string
	ClientAppUsed       string
	IPAddress           string
	ErrorCode           int
	FailureReason       string
	AdditionalDetails   string
	// ConditionalAccessStatus is "success", "failure" or "notApplied"; empty is
	// null.
	ConditionalAccessStatus string
	// EventTypes (beta) empty means interactiveUser.
	EventTypes []string
	// Details (beta) is authenticationDetails.
	Details []AuthenticationDetail
	// Processing (beta) is authenticationProcessingDetails, the additional details
	// of the portal: "User certificate binding" and its like.
	Processing []KeyValue
}

// An AuthenticationDetail is one step of a sign-in.
type AuthenticationDetail struct {
	Method          string
	MethodDetail    string
	StepDateTime    time.Time
	StepRequirement string
	ResultDetail    string
	Succeeded       bool
}

// A KeyValue is one pair of authenticationProcessingDetails.
type KeyValue struct{ Key, Value string }

// ClassicID is the id of the one configuration that the classic store can have.
const ClassicID = "29728ade-6ae4-4ee9-9103-412912537da5"

// DefaultPolicy is the x509Certificate configuration of a new tenant, which DELETE
// restores. Its values are those of a live v1.0 answer of July 2026; no page documents
// them.
const DefaultPolicy = `{
  "id": "X509Certificate",
  "state": "disabled",
  "excludeTargets": [],
  "certificateUserBindings": [
    {"x509CertificateField": "PrincipalName", "userProperty": "userPrincipalName", "priority": 1, "trustAffinityLevel": "low"},
    {"x509CertificateField": "RFC822Name", "userProperty": "userPrincipalName", "priority": 2, "trustAffinityLevel": "low"},
    {"x509CertificateField": "SubjectKeyIdentifier", "userProperty": "certificateUserIds", "priority": 3, "trustAffinityLevel": "high"}],
  "authenticationModeConfiguration": {
    "x509CertificateAuthenticationDefaultMode": "x509CertificateSingleFactor",
    "x509CertificateDefaultRequiredAffinityLevel": "low",
    "rules": []},
  "certificateAuthorityScopes": [],
  "issuerHintsConfiguration": {"state": "disabled"},
  "crlValidationConfiguration": {"state": "disabled", "exemptedCertificateAuthoritiesSubjectKeyIdentifiers": []},
  "includeTargets": [{"targetType": "group", "id": "all_users", "isRegistrationRequired": false}]
}`

// NewAuthority describes a CA's certificate as an upload of a bundle does. The CRL URL
// is the first HTTP distribution point of the CA's own certificate, as documented for
// uploads. A nil certificate gives an Authority without one.
func NewAuthority(cert *x509.Certificate) Authority {
	if cert == nil {
		return Authority{}
	}
	a := Authority{
		DisplayName:                cert.Subject.CommonName,
		Certificate:                cert.Raw,
		Type:                       "intermediate",
		Issuer:                     cert.Issuer.String(),
		IssuerSubjectKeyIdentifier: hexText(cert.SubjectKeyId),
		Thumbprint:                 thumbprint(cert.Raw),
		ExpirationDateTime:         cert.NotAfter.UTC(),
	}
	if a.DisplayName == "" {
		a.DisplayName = cert.Subject.String()
	}
	if bytes.Equal(cert.RawIssuer, cert.RawSubject) {
		a.Type = "root"
	}
	for _, url := range cert.CRLDistributionPoints {
		if len(url) > 5 && url[:5] == "http:" {
			a.CRLURL = url
			break
		}
	}
	return a
}

// Clone returns a copy that shares nothing with t.
func (t Tenant) Clone() Tenant {
	t.Policy = slices.Clone(t.Policy)
	t.SystemCredentialPreferences = slices.Clone(t.SystemCredentialPreferences)
	t.Federated = slices.Clone(t.Federated)
	t.Strengths = cloneEach(t.Strengths, Strength.clone)
	t.PKIs = cloneEach(t.PKIs, PKI.clone)
	t.Classic = cloneEach(t.Classic, func(c ClassicAuthority) ClassicAuthority {
		c.Certificate = slices.Clone(c.Certificate)
		return c
	})
	t.Users = cloneEach(t.Users, func(u User) User {
		u.CertificateUserIDs = slices.Clone(u.CertificateUserIDs)
		return u
	})
	t.Groups = cloneEach(t.Groups, func(g Group) Group {
		g.Members = slices.Clone(g.Members)
		return g
	})
	t.SignIns = cloneEach(t.SignIns, func(s SignIn) SignIn {
		s.EventTypes, s.Details, s.Processing = slices.Clone(s.EventTypes), slices.Clone(s.Details), slices.Clone(s.Processing)
		return s
	})
	return t
}

func (s Strength) clone() Strength {
	s.AllowedCombinations = slices.Clone(s.AllowedCombinations)
	s.Combinations = cloneEach(s.Combinations, func(c Combination) Combination {
		c.AllowedIssuerSKIs = slices.Clone(c.AllowedIssuerSKIs)
		c.AllowedPolicyOIDs = slices.Clone(c.AllowedPolicyOIDs)
		c.AppliesToCombinations = slices.Clone(c.AppliesToCombinations)
		return c
	})
	return s
}

func (p PKI) clone() PKI {
	p.Authorities = cloneEach(p.Authorities, func(a Authority) Authority {
		a.Certificate = slices.Clone(a.Certificate)
		return a
	})
	return p
}

func cloneEach[T any](list []T, clone func(T) T) []T {
	if list == nil {
		return nil
	}
	copies := make([]T, len(list))
	for i, v := range list {
		copies[i] = clone(v)
	}
	return copies
}
