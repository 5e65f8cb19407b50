package signin

import "example.com/entracba/cba/internal/enum"

// An Outcome is what becomes of a sign-in. The zero value is unset and signs nobody
// in.
type Outcome uint8

const (
	// SignedIn: nothing refuses the sign-in, and all that decides is known.
	SignedIn Outcome = iota + 1
	// Refused: something that is known refuses the sign-in.
	Refused
	// Undecided: nothing that is known refuses the sign-in, and something that is not
	// known could. [Verdict.Missing] says what, and what would settle it.
	Undecided
)

var outcomes = enum.Of[Outcome]("signin: outcome", "signedIn", "refused", "undecided")

// String returns "signedIn", "refused" or "undecided".
func (o Outcome) String() string { return outcomes.String(o) }

// MarshalText writes the text of [Outcome.String]; an unset or unknown outcome is an
// error.
func (o Outcome) MarshalText() ([]byte, error) { return outcomes.Marshal(o) }

// UnmarshalText reads what MarshalText wrote.
func (o *Outcome) UnmarshalText(text []byte) error { return outcomes.Unmarshal(o, text) }

// A Missing is something that is not known and that decides a sign-in.
type Missing struct {
	// What is the property: "user.memberOf", or of the tenant
	// "tenant.x509Certificate.excludeTargets".
	What string `json:"what"`
	// Why says what it decides here.
	Why string `json:"why"`
	// How is the call, or the file, that would settle it.
	How string `json:"how"`
}
