package report

import (
	"time"
)

// EvidencePart is the part of a report for an auditor: which issuers get
// multifactor by which rule, and what the log shows of it.
//
// Neither a certificate nor the log shows where a key lies. The evidence is that
// only certificates of certain issuers or policies count as multifactor, and that
// their practice statements demand hardware.
type EvidencePart struct {
	// Default is the strength of a certificate that no rule names.
	Default string `json:"default"`
	// Rules are the rules that grant a strength.
	Rules []EvidenceRule `json:"rules"`
	// SignIns count the sign-ins with certificates by issuer and strength.
	SignIns []EvidenceCount `json:"signIns"`
	// From and To are the first and the last sign-in that was counted.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// Settings is when the settings were read: the log does not say which were in
	// force at a sign-in.
	Settings time.Time `json:"settingsRead"`
}

// An EvidenceRule is one authentication binding rule.
type EvidenceRule struct {
	Type   string `json:"type"`
	Issuer string `json:"issuer,omitempty"`
	OID    string `json:"policyOid,omitempty"`
	Mode   string `json:"mode"`
}

// An EvidenceCount is how many sign-ins were of one issuer and one strength.
type EvidenceCount struct {
	Issuer  string `json:"issuer"`
	Mode    string `json:"mode"`
	SignIns int    `json:"signIns"`
	// Expected says that a rule grants this strength to this issuer, or that the
	// default does.
	Expected bool `json:"expected"`
}
