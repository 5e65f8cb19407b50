package report

import (
	"slices"
	"time"

	"example.com/entracba/cba/policy"
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
	Issuer  string `json:"issuer"` // "" if the certificate is not known: the log names none
	Mode    string `json:"mode"`   // in the log
	SignIns int    `json:"signIns"`
	// Differ are those to whose certificate the settings give another strength, and
	// NotCompared those whose certificate is not known.
	Differ      int `json:"differ"`
	NotCompared int `json:"notCompared"`
}

// Evidence returns the part about the rules of a method configuration that was read
// at a time; [EvidencePart.Add] counts sign-ins.
func Evidence(config policy.Config, read time.Time) *EvidencePart {
	mode := config.AuthenticationMode
	p := &EvidencePart{Default: mode.Default.String(), Rules: []EvidenceRule{}, SignIns: []EvidenceCount{}, Settings: read}
	for _, r := range mode.Rules {
		p.Rules = append(p.Rules, EvidenceRule{string(r.Type), r.Issuer(), r.OID(), r.Mode.String()})
	}
	return p
}

// Add counts a successful sign-in: the issuer of its certificate, "" if that is not
// known, the strength that the log has, the one that the settings give to the
// certificate, "" if it is not known, and its time.
func (p *EvidencePart) Add(issuer string, logged, expected policy.AuthenticationMode, at time.Time) {
	if p == nil {
		return
	}
	if p.From.IsZero() || at.Before(p.From) {
		p.From = at
	}
	if at.After(p.To) {
		p.To = at
	}
	n := slices.IndexFunc(p.SignIns, func(c EvidenceCount) bool { return c.Issuer == issuer && c.Mode == logged.String() })
	if n < 0 {
		if len(p.SignIns) == mostReasons { // no tenant has as many CAs
			return
		}
		p.SignIns = append(p.SignIns, EvidenceCount{Issuer: issuer, Mode: logged.String()})
		n = len(p.SignIns) - 1
	}
	c := &p.SignIns[n]
	c.SignIns++
	switch expected {
	case "":
		c.NotCompared++
	case logged:
	default:
		c.Differ++
	}
}

// OnlyByRule reports whether nothing but a rule gives multifactor.
func (p *EvidencePart) OnlyByRule() bool {
	return p != nil && p.Default == policy.SingleFactor.String()
}

// AnyIssuer reports whether a rule gives multifactor for a policy OID, whoever the
// issuer is.
func (p *EvidencePart) AnyIssuer() bool {
	return p != nil && slices.ContainsFunc(p.Rules, func(r EvidenceRule) bool { return r.Issuer == "" && r.Mode == policy.MultiFactor.String() })
}
