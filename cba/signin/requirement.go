package signin

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.com/entracba/cba/policy"
)

// A Requirement is what a sign-in must satisfy: what Conditional Access demands.
// The zero Requirement demands nothing.
type Requirement struct {
	kind     requirementKind
	strength Strength
}

type requirementKind uint8

const (
	requireNothing requirementKind = iota
	requireMFA
	requireStrength
)

// MFA requires multifactor authentication.
func MFA() Requirement { return Requirement{kind: requireMFA} }

// PhishingResistant requires the built-in authentication strength
// "Phishing-resistant MFA", which takes certificates as multifactor only (Learn,
// "Conditional Access authentication strength").
func PhishingResistant() Requirement {
	return Requirement{kind: requireStrength, strength: Strength{
		DisplayName:         "Phishing-resistant MFA",
		AllowedCombinations: []string{"windowsHelloForBusiness", "fido2", string(policy.MultiFactor)},
	}}
}

// Require requires a custom authentication strength.
func Require(s Strength) Requirement { return Requirement{kind: requireStrength, strength: s} }

// IsZero reports whether nothing is required.
func (r Requirement) IsZero() bool { return r.kind == requireNothing }

// String says what is required.
func (r Requirement) String() string {
	switch r.kind {
	case requireMFA:
		return "multifactor authentication"
	case requireStrength:
		return fmt.Sprintf("authentication strength %q", r.strength.DisplayName)
	}
	return "nothing"
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
}

// A Combination restricts certificates in an authentication strength to some
// issuers and policy OIDs: x509CertificateCombinationConfiguration. If both lists
// are set, one of each must match (Learn, "Custom authentication strengths,
// advanced options").
type Combination struct {
	Type              string   `json:"@odata.type,omitempty"`
	AppliesTo         []string `json:"appliesToCombinations"`
	AllowedIssuerSKIs []string `json:"allowedIssuerSkis"` // hexadecimal
	AllowedPolicyOIDs []string `json:"allowedPolicyOIDs"`
}

// Limits of a Combination.
const (
	maxStrengthIssuers  = 5
	maxStrengthPolicies = 5
)

// combinationType is the type of a combination configuration for certificates.
const combinationType = "#microsoft.graph.x509CertificateCombinationConfiguration"

// ParseStrength reads an authentication strength as Graph returns it with
// "$expand=combinationConfigurations". Configurations of other methods are passed
// over, and so are properties that [Strength] does not have: it is for reading.
//
// The error is a [*ConfigError].
func ParseStrength(data []byte) (Strength, error) {
	var s Strength
	if len(data) > policy.MaxJSON {
		return s, &ConfigError{"strength", fmt.Errorf("%d bytes, more than %d", len(data), policy.MaxJSON)}
	}
	if _, err := object(data); err != nil {
		return s, &ConfigError{"strength", err}
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return Strength{}, &ConfigError{"strength", err}
	}
	if len(s.AllowedCombinations) == 0 {
		return Strength{}, &ConfigError{"strength", errors.New("allowedCombinations is empty: nothing would satisfy it")}
	}
	s.Combinations = slices.DeleteFunc(s.Combinations, func(c Combination) bool { return c.Type != "" && c.Type != combinationType })
	for _, c := range s.Combinations {
		if len(c.AllowedIssuerSKIs) > maxStrengthIssuers || len(c.AllowedPolicyOIDs) > maxStrengthPolicies {
			return Strength{}, &ConfigError{"strength", fmt.Errorf("a combination has %d issuers and %d policy OIDs; at most %d and %d are allowed",
				len(c.AllowedIssuerSKIs), len(c.AllowedPolicyOIDs), maxStrengthIssuers, maxStrengthPolicies)}
		}
	}
	return s, nil
}

// satisfies reports whether a certificate of this strength satisfies the
// authentication strength without a second method; why says so, or why not. with
// lists the combinations that would satisfy it beside the certificate. issuers
// are the key identifiers that allowed issuers are compared with.
func (s Strength) satisfies(mode policy.AuthenticationMode, issuers []string, oids []string) (ok bool, why string, with []string) {
	held := fmt.Sprintf("it does not allow a %v certificate; it allows %s", mode, strings.Join(s.AllowedCombinations, "; "))
	for _, combination := range s.AllowedCombinations {
		methods := splitCombination(combination)
		if !slices.Contains(methods, string(mode)) {
			continue
		}
		if against := s.restricts(combination, issuers, oids); against != "" {
			held = against
			continue
		}
		if len(methods) == 1 {
			return true, fmt.Sprintf("it allows a %v certificate of this issuer and these policies", mode), nil
		}
		with = append(with, combination)
	}
	if with != nil {
		return false, fmt.Sprintf("a %v certificate satisfies it only together with another method: %s", mode, strings.Join(with, "; ")), with
	}
	return false, held, nil
}

// restricts says what the configurations of a combination have against a
// certificate, "" for nothing. All of them must be satisfied.
func (s Strength) restricts(combination string, issuers []string, oids []string) string {
	for _, c := range s.Combinations {
		if !slices.ContainsFunc(c.AppliesTo, func(text string) bool { return sameCombination(text, combination) }) {
			continue
		}
		if len(c.AllowedIssuerSKIs) > 0 && !slices.ContainsFunc(issuers, func(ski string) bool { return hasKey(c.AllowedIssuerSKIs, ski) }) {
			return fmt.Sprintf("the issuer of the certificate has the subject key identifier %s, its allowed issuers are %s",
				orElse(strings.Join(issuers, ", "), "of nothing known"), strings.Join(c.AllowedIssuerSKIs, ", "))
		}
		if len(c.AllowedPolicyOIDs) > 0 && !slices.ContainsFunc(oids, func(oid string) bool { return slices.Contains(c.AllowedPolicyOIDs, oid) }) {
			return fmt.Sprintf("of the certificate's policy OIDs (looked at: %s) none is among its allowed ones, %s",
				orElse(strings.Join(oids, ", "), "none"), strings.Join(c.AllowedPolicyOIDs, ", "))
		}
	}
	return ""
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

// hasKey reports whether a list of hexadecimal key identifiers has this one.
func hasKey(list []string, ski string) bool {
	return ski != "" && slices.ContainsFunc(list, func(text string) bool { return normalKey(text) == ski })
}

// normalKey is the form in which key identifiers are compared: lower case,
// without the separators that viewers print.
func normalKey(text string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", ":", "", "-", "").Replace(text))
}
