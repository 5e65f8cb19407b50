package lint

import "example.com/entracba/cba/internal/enum"

// An Outcome is how a step went. The zero value is unset and refuses.
type Outcome uint8

const (
	// Pass: the step is for the sign-in.
	Pass Outcome = iota + 1
	// Fail: the step refuses the sign-in.
	Fail
	// Skip: the step did not apply, or was passed over for the next one.
	Skip
	// Warn: the step could not be evaluated, or rests on something odd. It does not
	// refuse by itself.
	Warn
)

var outcomes = enum.Of[Outcome]("lint: outcome", "pass", "fail", "skip", "warn")

// String returns "pass", "fail", "skip" or "warn".
func (o Outcome) String() string { return outcomes.String(o) }

// MarshalText writes the text of [Outcome.String]; an unset or unknown outcome is
// an error.
func (o Outcome) MarshalText() ([]byte, error) { return outcomes.Marshal(o) }

// UnmarshalText reads what MarshalText wrote.
func (o *Outcome) UnmarshalText(text []byte) error { return outcomes.Unmarshal(o, text) }

// A Step is one thing that an evaluation looked at. Steps stand in the order in
// which it did.
type Step struct {
	// Name is stable and meant for programs. Each package lists its names with its
	// function Steps; docs/findings.md has them all.
	Name    string  `json:"name"`
	Outcome Outcome `json:"outcome"`
	Detail  string  `json:"detail"` // for people; may change
	Source  Source  `json:"source"` // the document that has the rule
	// Code is what a user would see if this were the only step that fails:
	// "AADSTS500176". It is empty where that is not known here.
	Code string `json:"code,omitempty"`
	// Inferred says that no document names this case for the code, which is the one
	// whose message fits best.
	Inferred bool `json:"inferred,omitempty"`
	// At is the certificate of the chain that the step is about: 0 is the user's, n
	// is the nth CA above it. It is 0 in steps about anything else.
	At int `json:"-"`
}

// A StepName is the name that steps have, and what such a step says.
type StepName struct {
	Name string `json:"name"`
	What string `json:"what"`
}
