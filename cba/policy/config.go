package policy

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// ConfigType is the "@odata.type" of a [Config]. A PATCH must have it.
const ConfigType = "#microsoft.graph.x509CertificateAuthenticationMethodConfiguration"

// A Config is the configuration of certificate-based authentication in a
// tenant: x509CertificateAuthenticationMethodConfiguration of Microsoft Graph
// v1.0.
//
// The zero Config is disabled, targets nobody and has no bindings: it signs
// nobody in.
//
// # Absent, null and empty
//
// An empty string, a nil slice and a zero struct are properties that are absent
// or null; an empty slice that is not nil is []. A Config read from JSON and
// every object in it remember which of them it was and all that this package
// does not know, and copies of the struct remember it too. A property that had a
// value and is empty now is written as null, a collection as [].
type Config struct {
	wire
	ID                         string                          `json:"id"` // always "X509Certificate"
	State                      State                           `json:"state"`
	ExcludeTargets             []Target                        `json:"excludeTargets"`
	UserBindings               []UserBinding                   `json:"certificateUserBindings"`
	AuthenticationMode         AuthenticationModeConfiguration `json:"authenticationModeConfiguration"`
	CertificateAuthorityScopes []AuthorityScope                `json:"certificateAuthorityScopes"`
	IssuerHints                IssuerHintsConfiguration        `json:"issuerHintsConfiguration"`
	CRLValidation              CRLValidationConfiguration      `json:"crlValidationConfiguration"`
	IncludeTargets             []IncludeTarget                 `json:"includeTargets"`
}

// A UserBinding lets one certificate field sign in the user whose property it
// equals: x509CertificateUserBinding. [Bind] makes one.
type UserBinding struct {
	wire
	Field    CertificateField `json:"x509CertificateField"`
	Property UserProperty     `json:"userProperty"`
	// Priority orders the bindings, the lowest number first. It is not negative
	// and unique in the collection.
	Priority int32 `json:"priority" wire:"always"`
	// Affinity is a statement: the level follows from the field, see
	// [CertificateField.Affinity].
	Affinity AffinityLevel `json:"trustAffinityLevel"`
}

// An AuthenticationModeConfiguration says how strong a sign-in with a
// certificate is: x509CertificateAuthenticationModeConfiguration.
type AuthenticationModeConfiguration struct {
	wire
	// Default is the strength where no rule matches.
	Default AuthenticationMode `json:"x509CertificateAuthenticationDefaultMode"`
	// DefaultAffinity is the affinity that every user's binding must have. Set to
	// high without a binding of high affinity it locks the tenant out.
	DefaultAffinity AffinityLevel `json:"x509CertificateDefaultRequiredAffinityLevel"`
	Rules           []Rule        `json:"rules"`
}

// A Rule gives certificates of an issuer, with a policy OID, or of both, a
// strength and a required affinity: x509CertificateRule. [IssuerRule],
// [PolicyOIDRule] and [IssuerAndPolicyOIDRule] make one.
type Rule struct {
	wire
	Type RuleType `json:"x509CertificateRuleType"`
	// Identifier is the issuer's name or the OID. What it holds in a rule of both
	// is not documented (open question 9.13).
	Identifier string `json:"identifier"`
	// IssuerSubjectIdentifier is the name of the issuer, the most specific part
	// first. Where it is set, it counts and Identifier does not.
	IssuerSubjectIdentifier string `json:"issuerSubjectIdentifier"`
	// PolicyOIDIdentifier is the OID in dotted form. Where it is set, it counts and
	// Identifier does not.
	PolicyOIDIdentifier string             `json:"policyOidIdentifier"`
	Mode                AuthenticationMode `json:"x509CertificateAuthenticationMode"`
	RequiredAffinity    AffinityLevel      `json:"x509CertificateRequiredAffinityLevel"`
}

// A CRLValidationConfiguration says whether a certificate of an authority
// without a CRL is refused: x509CertificateCRLValidationConfiguration.
type CRLValidationConfiguration struct {
	wire
	State State `json:"state"`
	// ExemptedSKIs are the subject key identifiers, in hexadecimal, of the
	// authorities that need no CRL.
	ExemptedSKIs []string `json:"exemptedCertificateAuthoritiesSubjectKeyIdentifiers"`
}

// An IssuerHintsConfiguration says whether browsers are told which authorities
// to offer certificates of: x509CertificateIssuerHintsConfiguration.
type IssuerHintsConfiguration struct {
	wire
	State State `json:"state"`
}

// An AuthorityScope restricts the certificates of an authority to a group:
// x509CertificateAuthorityScope. [ScopeTo] makes one.
type AuthorityScope struct {
	wire
	SubjectKeyIdentifier              string   `json:"subjectKeyIdentifier"`              // of the authority, in hexadecimal
	PublicKeyInfrastructureIdentifier string   `json:"publicKeyInfrastructureIdentifier"` // the display name of its PKI container
	IncludeTargets                    []Target `json:"includeTargets"`                    // one group
}

// A Target is a group, as excludeTarget of the method and includeTarget of an
// authority's scope.
type Target struct {
	wire
	ID   string     `json:"id"`
	Type TargetType `json:"targetType"`
}

// An IncludeTarget is a group that the method is for: authenticationMethodTarget.
// [Group] and [AllUsers] make one.
type IncludeTarget struct {
	wire
	Type                   TargetType `json:"targetType"`
	ID                     string     `json:"id"` // of the group, or [AllUsersID]
	IsRegistrationRequired bool       `json:"isRegistrationRequired" wire:"always"`
}

// Parse reads a configuration as a GET of
// /policies/authenticationMethodsPolicy/authenticationMethodConfigurations/x509Certificate
// returns it, or as Graph Explorer and PowerShell save it: a byte order mark of
// UTF-8 is skipped, and so is an envelope {"value": {...}}, which the samples of
// Graph's page show.
//
// Unlike encoding/json it tells property names apart by letter case and refuses a
// name that stands twice in one object, a number that does not fit, an array
// that holds null, and text that is over [MaxJSON] or nested too deep. What the
// values mean is not checked: see [Config.Findings].
//
// The error is a [*JSONError]. json.Unmarshal into a Config applies the same
// rules, but for the mark and the envelope, and reports broken syntax with
// errors of its own.
func Parse(data []byte) (Config, error) {
	data, err := document(data)
	if err != nil {
		return Config{}, err
	}
	var c Config
	if inner, ok := envelope(data); ok {
		data = inner
	}
	if err := c.decode(data); err != nil {
		return Config{}, err
	}
	return c, nil
}

// envelope returns what stands in {"value": {...}}, beside annotations.
func envelope(data []byte) ([]byte, bool) {
	members, err := split(data)
	if err != nil {
		return nil, false
	}
	var inner []byte
	for _, m := range members {
		switch {
		case m.name == "value" && len(m.raw) > 0 && m.raw[0] == '{':
			inner = m.raw
		case !isAnnotation(m.name):
			return nil, false
		}
	}
	return inner, inner != nil
}

// UnmarshalJSON replaces c by the object in data, see [Parse]. On an error c
// stays as it was.
func (c *Config) UnmarshalJSON(data []byte) error {
	if err := check(data); err != nil {
		return err
	}
	return c.decode(data)
}

// decode reads a text that check has passed.
func (c *Config) decode(data []byte) error {
	var read Config
	if err := decode(data, &read); err != nil {
		return err
	}
	for _, m := range read.members {
		var text string
		if m.name == "@odata.type" && (json.Unmarshal(m.raw, &text) != nil || text != ConfigType) {
			return &JSONError{Reason: WrongObject, Path: m.name, Detail: "want " + ConfigType + ", have " + clip(string(m.raw))}
		}
		if m.name == "authenticationMethodConfigurations" {
			return &JSONError{Reason: WrongObject, Path: m.name,
				Detail: `this is the whole authentication methods policy; take the element with id "X509Certificate"`}
		}
	}
	*c = read
	return nil
}

// MarshalJSON writes the configuration as Graph does, without white space.
// Properties stand in the order in which they were read; those that are new
// stand last, and in a Config that was made in a program all stand in the order
// of the service.
func (c Config) MarshalJSON() ([]byte, error) {
	if c.members == nil {
		c.members = []member{{"@odata.type", quote(ConfigType)}}
	}
	return marshal(c)
}

// PatchBody returns the body of a PATCH that makes the tenant's configuration
// this one: the JSON of the configuration with "@odata.type", which the request
// needs, and without the annotations that only answers have, such as
// "includeTargets@odata.context". Properties that are not known are sent back.
//
// A collection that is sent replaces the stored one and a property that is not
// sent keeps its value, as OData has it; Graph does not document it for this
// resource (open question 9.16). So read, change and send a whole
// configuration.
func (c Config) PatchBody() ([]byte, error) {
	if c.members != nil {
		kept := []member{{"@odata.type", quote(ConfigType)}}
		for _, m := range c.members {
			if !isAnnotation(m.name) {
				kept = append(kept, m)
			}
		}
		c.members = kept
	}
	return c.MarshalJSON()
}

// Equal reports whether two configurations say the same: whether their JSON has
// the same values in objects and arrays, the order of properties and white space
// aside. The annotations that [Config.PatchBody] leaves out do not count.
func (c Config) Equal(other Config) bool {
	a, errA := c.PatchBody()
	b, errB := other.PatchBody()
	if errA != nil || errB != nil {
		return false
	}
	return reflect.DeepEqual(values(a), values(b))
}

func values(data []byte) any {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

// UnmarshalJSON reads the object, see [Config] and [Parse].
func (b *UserBinding) UnmarshalJSON(data []byte) error { return replace(data, b) }

// UnmarshalJSON reads the object, see [Config] and [Parse].
func (a *AuthenticationModeConfiguration) UnmarshalJSON(data []byte) error { return replace(data, a) }

// UnmarshalJSON reads the object, see [Config] and [Parse].
func (r *Rule) UnmarshalJSON(data []byte) error { return replace(data, r) }

// UnmarshalJSON reads the object, see [Config] and [Parse].
func (v *CRLValidationConfiguration) UnmarshalJSON(data []byte) error { return replace(data, v) }

// UnmarshalJSON reads the object, see [Config] and [Parse].
func (h *IssuerHintsConfiguration) UnmarshalJSON(data []byte) error { return replace(data, h) }

// UnmarshalJSON reads the object, see [Config] and [Parse].
func (s *AuthorityScope) UnmarshalJSON(data []byte) error { return replace(data, s) }

// UnmarshalJSON reads the object, see [Config] and [Parse].
func (t *Target) UnmarshalJSON(data []byte) error { return replace(data, t) }

// UnmarshalJSON reads the object, see [Config] and [Parse].
func (t *IncludeTarget) UnmarshalJSON(data []byte) error { return replace(data, t) }

// MarshalJSON writes the object, see [Config.MarshalJSON].
func (b UserBinding) MarshalJSON() ([]byte, error) { return marshal(b) }

// MarshalJSON writes the object, see [Config.MarshalJSON].
func (a AuthenticationModeConfiguration) MarshalJSON() ([]byte, error) { return marshal(a) }

// MarshalJSON writes the object, see [Config.MarshalJSON].
func (r Rule) MarshalJSON() ([]byte, error) { return marshal(r) }

// MarshalJSON writes the object, see [Config.MarshalJSON].
func (v CRLValidationConfiguration) MarshalJSON() ([]byte, error) { return marshal(v) }

// MarshalJSON writes the object, see [Config.MarshalJSON].
func (h IssuerHintsConfiguration) MarshalJSON() ([]byte, error) { return marshal(h) }

// MarshalJSON writes the object, see [Config.MarshalJSON].
func (s AuthorityScope) MarshalJSON() ([]byte, error) { return marshal(s) }

// MarshalJSON writes the object, see [Config.MarshalJSON].
func (t Target) MarshalJSON() ([]byte, error) { return marshal(t) }

// MarshalJSON writes the object, see [Config.MarshalJSON].
func (t IncludeTarget) MarshalJSON() ([]byte, error) { return marshal(t) }
