package signin

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.com/entracba/cba/internal/dialect"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/internal/wire"
	"example.com/entracba/cba/keyid"
	"example.com/entracba/cba/policy"
)

// A Requirement is what a sign-in must satisfy because of Conditional Access. The
// zero Requirement requires nothing.
//
// As JSON it is null, "mfa", "phishing-resistant" or a [Strength].
type Requirement struct {
	kind     requirementKind
	strength Strength
}

type requirementKind uint8

const (
	requireNothing requirementKind = iota
	requireMFA
	requirePhishingResistant // a strength too
	requireStrength
)

// MFA requires multifactor authentication.
func MFA() Requirement { return Requirement{kind: requireMFA} }

// PhishingResistant requires the built-in authentication strength
// "Phishing-resistant MFA", which accepts only multifactor certificates (Learn,
// "Conditional Access authentication strength").
func PhishingResistant() Requirement {
	return Requirement{kind: requirePhishingResistant, strength: Strength{
		DisplayName:         "Phishing-resistant MFA",
		AllowedCombinations: []string{"windowsHelloForBusiness", "fido2", string(policy.MultiFactor)},
	}}
}

// Require requires a custom authentication strength, such as one from
// [ParseStrength]. A strength without allowed combinations is never satisfied.
func Require(s Strength) Requirement {
	return Requirement{kind: requireStrength, strength: wire.Clone(s)}
}

// IsZero reports whether nothing is required.
func (r Requirement) IsZero() bool { return r.kind == requireNothing }

// String says what is required.
func (r Requirement) String() string {
	switch r.kind {
	case requireMFA:
		return "multifactor authentication"
	case requirePhishingResistant, requireStrength:
		return "authentication strength " + text.Quote(r.strength.DisplayName)
	}
	return "nothing"
}

// isStrength reports whether an authentication strength is required.
func (r Requirement) isStrength() bool {
	return r.kind == requirePhishingResistant || r.kind == requireStrength
}

// MarshalJSON writes the requirement.
func (r Requirement) MarshalJSON() ([]byte, error) {
	switch r.kind {
	case requireMFA:
		return []byte(`"mfa"`), nil
	case requirePhishingResistant:
		return []byte(`"phishing-resistant"`), nil
	case requireStrength:
		return json.Marshal(r.strength)
	}
	return []byte("null"), nil
}

// UnmarshalJSON reads what MarshalJSON wrote. Anything else is [Malformed], so that
// no requirement is lost. On an error r stays as it was.
func (r *Requirement) UnmarshalJSON(data []byte) error {
	switch data = bytes.TrimSpace(data); string(data) {
	case "null":
		*r = Requirement{}
		return nil
	case `"mfa"`:
		*r = MFA()
		return nil
	case `"phishing-resistant"`:
		*r = PhishingResistant()
		return nil
	}
	if len(data) > 0 && data[0] == '"' {
		return malformed("requirement", `%s is neither "mfa" nor "phishing-resistant"`, wire.Clip(string(data)))
	}
	s, err := ParseStrength(data)
	if err == nil {
		*r = Require(s)
	}
	return err
}

// A Strength is an authentication strength: authenticationStrengthPolicy of
// Microsoft Graph, as far as it concerns certificates.
type Strength struct {
	DisplayName string `json:"displayName"`
	// AllowedCombinations are the combinations of methods, as Graph writes them: a
	// single method, or several joined by commas.
	AllowedCombinations []string `json:"allowedCombinations"`
	// Combinations restrict some of them.
	Combinations []Combination `json:"combinationConfigurations"`
	// Missing is true where the text that was read does not have the restrictions, as
	// Graph answers without $expand: whether there are any is not known.
	Missing bool `json:"-"`
}

// A Combination restricts certificates in an authentication strength to some
// issuers and policy OIDs: x509CertificateCombinationConfiguration. If both lists
// are set, one of each must match (Learn, "Authentication strength advanced
// options").
type Combination struct {
	Type              string   `json:"@odata.type,omitempty"`
	AppliesTo         []string `json:"appliesToCombinations"`
	AllowedIssuerSKIs []string `json:"allowedIssuerSkis"` // hexadecimal
	AllowedPolicyOIDs []string `json:"allowedPolicyOIDs"`
	// Missing is true where the text that was read lacks one of the lists: what it
	// restricts is not known.
	Missing bool `json:"-"`
}

// MarshalJSON writes the strength; a list that is known to be empty is [].
func (s Strength) MarshalJSON() ([]byte, error) {
	type plain Strength
	if s.Missing {
		return json.Marshal(struct {
			plain
			Combinations *[]Combination `json:"combinationConfigurations,omitempty"`
		}{plain: plain(s)})
	}
	if s.Combinations == nil {
		s.Combinations = []Combination{}
	}
	return json.Marshal(plain(s))
}

// MarshalJSON writes the combination; what is missing is not written.
func (c Combination) MarshalJSON() ([]byte, error) {
	list := func(l []string) []string {
		if l == nil && !c.Missing {
			return []string{}
		}
		return l
	}
	return json.Marshal(struct {
		Type    string   `json:"@odata.type,omitempty"`
		Applies []string `json:"appliesToCombinations,omitzero"`
		Issuers []string `json:"allowedIssuerSkis,omitzero"`
		OIDs    []string `json:"allowedPolicyOIDs,omitzero"`
	}{c.Type, list(c.AppliesTo), list(c.AllowedIssuerSKIs), list(c.AllowedPolicyOIDs)})
}

// Limits of a Combination.
const (
	maxStrengthIssuers  = 5
	maxStrengthPolicies = 5
)

// combinationType is the type of a combination configuration for certificates.
const combinationType = "#microsoft.graph.x509CertificateCombinationConfiguration"

// securityKeyType is the type of a combination configuration for security keys.
const securityKeyType = "#microsoft.graph.fido2CombinationConfiguration"

// withCertificate reports whether a combination has a certificate among its methods.
func withCertificate(combination string) bool {
	return slices.ContainsFunc(splitCombination(combination), func(method string) bool {
		return method == string(policy.SingleFactor) || method == string(policy.MultiFactor)
	})
}

// ParseStrength reads an authentication strength as Graph returns it with
// "$expand=combinationConfigurations". It ignores configurations of other methods
// and properties that [Strength] does not have: do not write the result back to
// Graph.
//
// The error is an [*Error]: [Malformed] or [TooLarge].
func ParseStrength(data []byte) (Strength, error) {
	if text, err := dialect.Graph(data, policy.MaxJSON); err == nil {
		data = dialect.Only(text)
		if list, err := wire.Elements(data); err == nil && len(list) > 1 {
			return Strength{}, malformed("strength", "this looks like a list of %d; give one authentication strength: the answer of %s", len(list), callLimits)
		}
	} else if e := dialect.Instead(err); e != nil {
		return Strength{}, inStrength(malformed(e.Where, "%s", e.Detail))
	} else if twice := (*wire.Error)(nil); errors.As(err, &twice) && twice.Reason == wire.DuplicateName {
		return Strength{}, inStrength(malformed(twice.Where, "%s", twice.Detail))
	}
	properties, err := object(data, policy.MaxJSON)
	if err != nil {
		return Strength{}, inStrength(err)
	}
	isStrength := false
	for name := range properties {
		isStrength = isStrength || strings.EqualFold(name, "allowedCombinations") || strings.EqualFold(name, "combinationConfigurations")
	}
	if !isStrength {
		return Strength{}, malformed("strength", "this looks like an object with none of the properties of an authentication strength; give the answer of %s", callLimits)
	}
	var s Strength
	if err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &s); err != nil {
		return Strength{}, inStrength(&Error{Reason: Malformed, Err: err})
	}
	s.Missing = s.Combinations == nil
	for i, c := range s.Combinations {
		s.Combinations[i].Missing = c.AppliesTo == nil || c.AllowedIssuerSKIs == nil || c.AllowedPolicyOIDs == nil
	}
	if len(s.AllowedCombinations) == 0 {
		return Strength{}, malformed("strength", "allowedCombinations is empty: nothing would satisfy the strength")
	}
	// What restricts certificates, or may, is kept, whatever it says that it is.
	s.Combinations = slices.DeleteFunc(s.Combinations, func(c Combination) bool {
		other := c.Type != "" && c.Type != combinationType && c.AllowedIssuerSKIs == nil && c.AllowedPolicyOIDs == nil
		return other && (c.Type == securityKeyType || c.AppliesTo != nil && !slices.ContainsFunc(c.AppliesTo, withCertificate))
	})
	for _, c := range s.Combinations {
		if len(c.AllowedIssuerSKIs) > maxStrengthIssuers || len(c.AllowedPolicyOIDs) > maxStrengthPolicies {
			return Strength{}, malformed("strength", "a combination has %d issuers and %d policy OIDs; at most %d and %d are allowed",
				len(c.AllowedIssuerSKIs), len(c.AllowedPolicyOIDs), maxStrengthIssuers, maxStrengthPolicies)
		}
	}
	return s, nil
}

// inStrength names the strength in an error about it.
func inStrength(err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.Where = "strength" + e.Where
	}
	return err
}

// satisfies reports whether a certificate of this mode satisfies the
// authentication strength without a second method, or that this is unknown. why gives
// the reason in words, with lists the combinations that would satisfy the strength
// together with the certificate. issuers are the key identifiers to compare with
// allowed issuers.
func (s Strength) satisfies(mode policy.AuthenticationMode, issuers []string, oids []string) (ok, unknown bool, why string, with []string) {
	held := fmt.Sprintf("the strength does not allow a %v certificate; it allows %s", mode, strings.Join(s.AllowedCombinations, "; "))
	for _, combination := range s.AllowedCombinations {
		methods := splitCombination(combination)
		if !slices.Contains(methods, string(mode)) {
			continue
		}
		against, open := s.restricts(combination, issuers, oids)
		switch {
		case against != "":
			held = against
		case len(methods) > 1:
			with = append(with, combination)
		case open != "":
			unknown, why = true, open
		default:
			return true, false, fmt.Sprintf("the strength allows a %v certificate with this issuer and these policies", mode), nil
		}
	}
	switch {
	case unknown:
		return false, true, why, nil
	case with != nil:
		return false, false, fmt.Sprintf("a %v certificate satisfies the strength only together with another method: %s", mode, strings.Join(with, "; ")), with
	}
	return false, false, held, nil
}

// restricts says why the configurations of a combination do not accept a
// certificate, "" if they do; all of them must accept it. open says what is not known
// of them.
func (s Strength) restricts(combination string, issuers []string, oids []string) (against, open string) {
	if s.Missing {
		open = "the file does not have the strength's combinationConfigurations, which may allow other issuers or policies only"
	}
	for _, c := range s.Combinations {
		switch {
		case c.AppliesTo == nil && c.Missing:
		case !slices.ContainsFunc(c.AppliesTo, func(text string) bool {
			return slices.ContainsFunc(s.AllowedCombinations, func(allowed string) bool { return sameCombination(text, allowed) })
		}):
			open = "a configuration of the strength applies to " + strings.Join(c.AppliesTo, "; ") + ", which the strength does not allow, so what it restricts is not known"
			continue
		case !slices.ContainsFunc(c.AppliesTo, func(text string) bool { return sameCombination(text, combination) }):
			continue
		}
		if c.Missing {
			open = "a configuration of the strength lacks appliesToCombinations, allowedIssuerSkis or allowedPolicyOIDs, which may allow other issuers or policies only"
			if c.AppliesTo == nil {
				continue
			}
		}
		if len(c.AllowedIssuerSKIs) > 0 && !slices.ContainsFunc(issuers, func(ski string) bool { return hasKey(c.AllowedIssuerSKIs, ski) }) {
			return fmt.Sprintf("the strength allows the issuers with the subject key identifiers %s, and the issuer of the certificate has %s",
				strings.Join(c.AllowedIssuerSKIs, ", "), cmp.Or(strings.Join(issuers, ", "), "none that is known")), ""
		}
		if len(c.AllowedPolicyOIDs) > 0 && !slices.ContainsFunc(oids, func(oid string) bool { return slices.Contains(c.AllowedPolicyOIDs, oid) }) {
			return fmt.Sprintf("the strength allows the policy OIDs %s, and the certificate has %s",
				strings.Join(c.AllowedPolicyOIDs, ", "), cmp.Or(strings.Join(oids, ", "), "none")), ""
		}
	}
	return "", open
}

func sameCombination(a, b string) bool {
	x, y := splitCombination(a), splitCombination(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

func splitCombination(combination string) []string {
	methods := strings.Split(combination, ",")
	for i := range methods {
		methods[i] = strings.TrimSpace(methods[i])
	}
	return methods
}

// hasKey reports whether a list of key identifiers contains this one. What cannot
// be read as a key identifier matches nothing.
func hasKey(list []string, ski string) bool {
	return ski != "" && slices.ContainsFunc(list, func(text string) bool {
		id, err := keyid.Parse(text)
		return err == nil && id == keyid.ID(ski)
	})
}
