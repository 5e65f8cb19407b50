package signin

import (
	"crypto/x509"
	"time"

	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
)

// A Request is one sign-in. User, Certificate and At are required.
type Request struct {
	// User is the account whose name was typed; the certificate never selects it.
	User *policy.User
	// Certificate is the user's, from [x509.ParseCertificate].
	Certificate *x509.Certificate
	// At is the time of the sign-in.
	At time.Time
	// Require is what the sign-in must satisfy. The zero value is nothing: the
	// certificate alone decides.
	Require Requirement
}

// An Answer is what Entra says to a sign-in, without the reasons. The zero Answer
// refuses.
type Answer struct {
	// SignedIn: nothing refuses the sign-in, and the requirement is satisfied by
	// the certificate alone.
	SignedIn bool `json:"signedIn"`
	// Code is what a refused user would see, "AADSTS500176", "" if signed in.
	Code string `json:"code"`
	// AuthenticationMode is the strength of the certificate, signed in or not.
	AuthenticationMode policy.AuthenticationMode `json:"authenticationMode"`
	// RequiredAffinity is what the username binding had to have.
	RequiredAffinity policy.AffinityLevel `json:"requiredAffinity"`
	// MFASatisfied: signed in, and with multifactor authentication.
	MFASatisfied bool `json:"mfaSatisfied"`
}

// A Verdict is an [Answer] with its reasons. Its JSON is stable but for the texts
// of details.
type Verdict struct {
	SignedIn           bool                      `json:"signedIn"`
	Code               string                    `json:"code"`
	Message            string                    `json:"message"` // the refusal in words, with its variables filled in
	AuthenticationMode policy.AuthenticationMode `json:"authenticationMode"`
	ModeRule           *policy.ModeRule          `json:"modeRule"` // nil for the default
	RequiredAffinity   policy.AffinityLevel      `json:"requiredAffinity"`
	Binding            *policy.BoundBy           `json:"binding"` // nil if none matched
	MFASatisfied       bool                      `json:"mfaSatisfied"`
	// SecondFactor lists what the user may add where the certificate alone does
	// not satisfy the requirement; empty if nothing would help.
	SecondFactor []string     `json:"secondFactor,omitempty"`
	Steps        []Step       `json:"steps"`
	Assumptions  []Assumption `json:"assumptions"`
}

// Answer returns the verdict without its reasons.
func (v Verdict) Answer() Answer {
	return Answer{v.SignedIn, v.Code, v.AuthenticationMode, v.RequiredAffinity, v.MFASatisfied}
}

// A Step is one thing that was looked at, in the order of the package comment. Its
// name is one of the constants below, or of package policy or trust.
type Step = lint.Step

// The names of steps, beside those of package policy. Every authority of the
// chain has its own steps.
const (
	StepIssuer      = "issuer"
	StepValidity    = "validity"
	StepChain       = "chain"
	StepRevocation  = "revocation"
	StepScopes      = "certificate authority scopes"
	StepHints       = "issuer hints"
	StepRequirement = "requirement"
)
