package ledger

import "fmt"

// A State is how far a certificate has come. The zero value is unset.
type State uint8

const (
	// Issued: made, signed, and recorded.
	Issued State = iota + 1
	// Bound: the account has its certificateUserIds.
	Bound
	// Delivered: the key is on the machine that uses it.
	Delivered
	// Renewed: a newer certificate has taken its place. It stays valid until it
	// expires, so that nobody is locked out before the new one is bound and
	// delivered.
	Renewed
	// Revoked: taken out of use for good.
	Revoked
)

// Live reports whether a certificate in this state is the one that its request
// has.
func (s State) Live() bool { return s >= Issued && s <= Delivered }

// CanBecome reports whether a certificate may go from this state to another one:
// only forward, and from Revoked nowhere.
func (s State) CanBecome(next State) bool {
	return s >= Issued && next <= Revoked && s < next
}

// String returns "issued", "bound", "delivered", "renewed" or "revoked".
func (s State) String() string {
	switch s {
	case Issued:
		return "issued"
	case Bound:
		return "bound"
	case Delivered:
		return "delivered"
	case Renewed:
		return "renewed"
	case Revoked:
		return "revoked"
	default:
		return fmt.Sprintf("State(%d)", uint8(s))
	}
}

// MarshalText writes the text of [State.String]; an unset or unknown state is an
// error.
func (s State) MarshalText() ([]byte, error) {
	if s < Issued || s > Revoked {
		return nil, &Error{Reason: Invalid, What: fmt.Sprintf("state %d", uint8(s))}
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (s *State) UnmarshalText(text []byte) error {
	for state := Issued; state <= Revoked; state++ {
		if string(text) == state.String() {
			*s = state
			return nil
		}
	}
	return &Error{Reason: Invalid, What: fmt.Sprintf("state %q: want issued, bound, delivered, renewed or revoked", text)}
}
