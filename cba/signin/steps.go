package signin

import (
	"slices"

	"example.com/entracba/cba/lint"
)

// The names of this package's own steps.
const (
	// StepAccount is about the account: enabled, a guest's.
	StepAccount = "account"
	// StepPresent is about what may keep a client from presenting the certificate.
	StepPresent = "client can present it"
	// StepChain sums up the chain.
	StepChain = "chain"
	// StepRevocation is about the CRL of one CA of the chain.
	StepRevocation = "revocation"
	// StepScopes sums up the CA scopes.
	StepScopes = "CA scopes"
	// StepHints says whether a browser offers the certificate.
	StepHints = "issuer hints"
	// StepRequirement says whether the certificate satisfies what is required.
	StepRequirement = "requirement"
)

// StepNames returns the names of this package's own steps. A verdict also has steps of
// packages policy and trust, which list theirs.
func StepNames() []lint.StepName { return slices.Clone(stepNames) }

var stepNames = []lint.StepName{
	{Name: StepAccount, What: "whether the account is enabled, and of this tenant"},
	{Name: StepPresent, What: "whether a TLS client can present the certificate"},
	{Name: StepChain, What: "whether the chain leads to a root of the trust stores"},
	{Name: StepRevocation, What: "what the CRL of a CA says about the certificate below it"},
	{Name: StepScopes, What: "whether the CA scopes let the user in"},
	{Name: StepHints, What: "whether issuer hints let a browser offer the certificate"},
	{Name: StepRequirement, What: "whether the certificate satisfies what the sign-in requires"},
}
