package policy

import (
	"bytes"
	"encoding/json"
	"reflect"

	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/internal/dialect"
	"example.com/entracba/cba/internal/wire"
)

// MaxJSON is the largest text, in bytes, that is read as a configuration or an
// object of one. The service keeps the whole authentication methods policy under
// 20 KB (Learn, manage authentication methods).
const MaxJSON = 1 << 20

// kept is what an object remembers of the text that it was read from.
type kept = wire.Kept

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
// or null; an empty slice that is not nil is []. A Config that was read from JSON,
// and every object in it, remembers which of them it was and everything that this
// package does not know; copies of the struct remember it too. A property that had
// a value and is empty now is written as null, a collection as [].
type Config struct {
	kept
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
	kept
	Field    certuserid.Mapping `json:"x509CertificateField"`
	Property UserProperty       `json:"userProperty"`
	// Priority orders the bindings, the lowest number first. It is not negative
	// and unique in the collection.
	Priority int32 `json:"priority" wire:"always"`
	// Affinity is a statement only: the level follows from the field, see
	// [certuserid.Mapping.Affinity].
	Affinity certuserid.Affinity `json:"trustAffinityLevel"`
}

// An AuthenticationModeConfiguration says whether a certificate counts as one
// factor or as several: x509CertificateAuthenticationModeConfiguration.
type AuthenticationModeConfiguration struct {
	kept
	// Default is the mode if no rule matches.
	Default AuthenticationMode `json:"x509CertificateAuthenticationDefaultMode"`
	// DefaultAffinity is the affinity that every user's binding must have. High,
	// without a binding of high affinity, locks the tenant out.
	DefaultAffinity certuserid.Affinity `json:"x509CertificateDefaultRequiredAffinityLevel"`
	Rules           []Rule              `json:"rules"`
}

// A Rule gives certificates of an issuer, with a policy OID, or with both, an
// authentication mode and a required affinity: x509CertificateRule. [IssuerRule],
// [PolicyOIDRule] and [IssuerAndPolicyOIDRule] make one.
type Rule struct {
	kept
	Type RuleType `json:"x509CertificateRuleType"`
	// Identifier is the issuer's name or the OID. What it holds in a rule of both
	// is not documented (open question 9.13).
	Identifier string `json:"identifier"`
	// IssuerSubjectIdentifier is the name of the issuer, the most specific part
	// first. If it is set, Identifier does not count.
	IssuerSubjectIdentifier string `json:"issuerSubjectIdentifier"`
	// PolicyOIDIdentifier is the OID in dotted form. If it is set, Identifier does not
	// count.
	PolicyOIDIdentifier string              `json:"policyOidIdentifier"`
	Mode                AuthenticationMode  `json:"x509CertificateAuthenticationMode"`
	RequiredAffinity    certuserid.Affinity `json:"x509CertificateRequiredAffinityLevel"`
}

// A CRLValidationConfiguration says whether a certificate of a CA without a CRL is
// refused: x509CertificateCRLValidationConfiguration.
type CRLValidationConfiguration struct {
	kept        //lint:ignore U1000 wire reads it by reflection
	State State `json:"state"`
	// ExemptedSKIs are the subject key identifiers, in hexadecimal, of the
	// CAs that need no CRL.
	ExemptedSKIs []string `json:"exemptedCertificateAuthoritiesSubjectKeyIdentifiers"`
}

// An IssuerHintsConfiguration says whether browsers are told from which CAs to
// offer certificates: x509CertificateIssuerHintsConfiguration.
type IssuerHintsConfiguration struct {
	kept        //lint:ignore U1000 wire reads it by reflection
	State State `json:"state"`
}

// An AuthorityScope restricts the certificates of a CA to a group:
// x509CertificateAuthorityScope. [ScopeTo] makes one.
type AuthorityScope struct {
	kept                                       //lint:ignore U1000 wire reads it by reflection
	SubjectKeyIdentifier              string   `json:"subjectKeyIdentifier"`              // of the CA, in hexadecimal
	PublicKeyInfrastructureIdentifier string   `json:"publicKeyInfrastructureIdentifier"` // the display name of its PKI container
	IncludeTargets                    []Target `json:"includeTargets"`                    // one group
}

// A Target is a group: an excludeTarget of the method, or the includeTarget of a CA
// scope.
type Target struct {
	kept            //lint:ignore U1000 wire reads it by reflection
	ID   string     `json:"id"`
	Type TargetType `json:"targetType"`
}

// An IncludeTarget is a group that the method is for: authenticationMethodTarget.
// [Group] and [AllUsers] make one.
type IncludeTarget struct {
	kept                              //lint:ignore U1000 wire reads it by reflection
	Type                   TargetType `json:"targetType"`
	ID                     string     `json:"id"` // of the group, or [AllUsersID]
	IsRegistrationRequired bool       `json:"isRegistrationRequired" wire:"always"`
}

// Parse reads a configuration as a GET of
// /policies/authenticationMethodsPolicy/authenticationMethodConfigurations/x509Certificate
// returns it, or as Graph Explorer and PowerShell save it: in UTF-8 or UTF-16, in an
// envelope, {"value": {...}} or {"value": [{...}]}, inside of the whole
// authenticationMethodsPolicy, and with names and lists as ConvertTo-Json writes them.
// Places and offsets of errors are then those of Graph's form of the text.
//
// Unlike encoding/json it tells property names apart by letter case and refuses a
// name that appears twice in one object, a number that does not fit, an array
// that contains null, and text that is over [MaxJSON] or nested too deep. What the
// values mean is not checked: see [Config.Findings].
//
// The error is an [*Error]. json.Unmarshal into a Config applies the same rules,
// but for the mark and the envelope, and reports broken syntax with errors of its
// own.
func Parse(data []byte) (Config, error) {
	var c Config
	text, err := dialect.Graph(data, MaxJSON)
	if err != nil {
		return Config{}, own(err)
	}
	if inner := dialect.Method(text); !bytes.Equal(inner, bytes.TrimSpace(data)) {
		data = inner // else places and offsets are those of the text as it was given
	}
	if err := own(wire.ReadWrapped(data, MaxJSON, &c)); err != nil {
		return Config{}, err
	}
	if err := c.isConfig(data); err != nil {
		return Config{}, err
	}
	return c, nil
}

// UnmarshalJSON replaces c by the object in data, see [Parse]. On an error c
// stays as it was.
func (c *Config) UnmarshalJSON(data []byte) error {
	var in Config
	if err := read(data, &in); err != nil {
		return err
	}
	if err := in.isConfig(data); err != nil {
		return err
	}
	*c = in
	return nil
}

// isConfig returns an error for an object that says that it is something else.
func (c Config) isConfig(data []byte) error {
	for _, m := range wire.MembersOf(c.kept) {
		e := &Error{Reason: WrongObject, Where: "/" + m.Name}
		var text string
		switch {
		case m.Name == "@odata.type" && (json.Unmarshal(m.Raw, &text) != nil || text != ConfigType):
			e.Detail = "want " + ConfigType + ", have " + wire.Clip(string(m.Raw))
		case m.Name == "authenticationMethodConfigurations":
			e.Detail = `this is the whole authentication methods policy; take the element with id "X509Certificate"`
		default:
			continue
		}
		if e.Offset = wire.Offset(data, e.Where); e.Offset == 0 {
			e.Where = "/value" + e.Where
			e.Offset = wire.Offset(data, e.Where)
		}
		return e
	}
	return nil
}

// Clone returns a copy that shares nothing with c that a program can change. A copy
// of the struct shares the lists: changing a rule of the copy changes the original.
func (c Config) Clone() Config { return wire.Clone(c) }

// MarshalJSON writes the configuration as Graph does, without white space.
// Properties keep the order in which they were read, with new ones at the end; in a
// Config that was made in a program they have the order of the service, with the
// lists that are empty: nothing is missing in it.
func (c Config) MarshalJSON() ([]byte, error) {
	if wire.MembersOf(c.kept) != nil {
		return wire.Write(c)
	}
	members := []wire.Member{typeMember()}
	if c.State == "" {
		members = append(members, wire.Member{Name: propertyState, Raw: json.RawMessage("null")})
	}
	c.kept = wire.KeptOf(members)
	c.ExcludeTargets = written(c.ExcludeTargets)
	c.UserBindings = written(c.UserBindings)
	c.AuthenticationMode.Rules = written(c.AuthenticationMode.Rules)
	c.CertificateAuthorityScopes = written(c.CertificateAuthorityScopes)
	c.IncludeTargets = written(c.IncludeTargets)
	return wire.Write(c)
}

// written is a list that is written also when it is empty.
func written[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// PatchBody returns the body of a PATCH that makes the tenant's configuration
// this one: the JSON of the configuration with "@odata.type", which the request
// needs, and without the annotations that only answers have, such as
// "includeTargets@odata.context". Unknown properties are sent back.
//
// By the rules of OData a collection that is sent replaces the stored one, and a
// property that is not sent keeps its value; Graph does not document it for this
// resource (open question 9.16). So read, change and send a whole configuration.
func (c Config) PatchBody() ([]byte, error) {
	if members := wire.MembersOf(c.kept); members != nil {
		sent := []wire.Member{typeMember()}
		for _, m := range members {
			if !wire.IsAnnotation(m.Name) {
				sent = append(sent, m)
			}
		}
		c.kept = wire.KeptOf(sent)
	} else {
		c.kept = wire.KeptOf([]wire.Member{typeMember()})
	}
	return wire.Write(c)
}

func typeMember() wire.Member {
	return wire.Member{Name: "@odata.type", Raw: wire.Quote(ConfigType)}
}

// Equal reports whether two configurations have the same JSON values. The order of
// properties, white space, the annotations that [Config.PatchBody] leaves out, and
// empty lists of a configuration that a program made do not count.
func (c Config) Equal(other Config) bool {
	return same(c, other, Config.PatchBody) || same(c, other, Config.whole)
}

func same(a, b Config, body func(Config) ([]byte, error)) bool {
	x, errX := body(a)
	y, errY := body(b)
	return errX == nil && errY == nil && reflect.DeepEqual(values(x), values(y))
}

// whole is the configuration without the annotations of answers, and with the empty
// lists of one that was made in a program.
func (c Config) whole() ([]byte, error) {
	if wire.MembersOf(c.kept) == nil {
		return c.MarshalJSON()
	}
	return c.PatchBody()
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
func (b *UserBinding) UnmarshalJSON(data []byte) error { return read(data, b) }

// UnmarshalJSON reads the object, see [Config] and [Parse].
func (a *AuthenticationModeConfiguration) UnmarshalJSON(data []byte) error { return read(data, a) }

// UnmarshalJSON reads the object, see [Config] and [Parse].
func (r *Rule) UnmarshalJSON(data []byte) error { return read(data, r) }

// UnmarshalJSON reads the object, see [Config] and [Parse].
func (v *CRLValidationConfiguration) UnmarshalJSON(data []byte) error { return read(data, v) }

// UnmarshalJSON reads the object, see [Config] and [Parse].
func (h *IssuerHintsConfiguration) UnmarshalJSON(data []byte) error { return read(data, h) }

// UnmarshalJSON reads the object, see [Config] and [Parse].
func (s *AuthorityScope) UnmarshalJSON(data []byte) error { return read(data, s) }

// UnmarshalJSON reads the object, see [Config] and [Parse].
func (t *Target) UnmarshalJSON(data []byte) error { return read(data, t) }

// UnmarshalJSON reads the object, see [Config] and [Parse].
func (t *IncludeTarget) UnmarshalJSON(data []byte) error { return read(data, t) }

// MarshalJSON writes the object, see [Config.MarshalJSON].
func (b UserBinding) MarshalJSON() ([]byte, error) { return wire.Write(b) }

// MarshalJSON writes the object, see [Config.MarshalJSON].
func (a AuthenticationModeConfiguration) MarshalJSON() ([]byte, error) { return wire.Write(a) }

// MarshalJSON writes the object, see [Config.MarshalJSON].
func (r Rule) MarshalJSON() ([]byte, error) { return wire.Write(r) }

// MarshalJSON writes the object, see [Config.MarshalJSON].
func (v CRLValidationConfiguration) MarshalJSON() ([]byte, error) { return wire.Write(v) }

// MarshalJSON writes the object, see [Config.MarshalJSON].
func (h IssuerHintsConfiguration) MarshalJSON() ([]byte, error) { return wire.Write(h) }

// MarshalJSON writes the object, see [Config.MarshalJSON].
func (s AuthorityScope) MarshalJSON() ([]byte, error) { return wire.Write(s) }

// MarshalJSON writes the object, see [Config.MarshalJSON].
func (t Target) MarshalJSON() ([]byte, error) { return wire.Write(t) }

// MarshalJSON writes the object, see [Config.MarshalJSON].
func (t IncludeTarget) MarshalJSON() ([]byte, error) { return wire.Write(t) }
