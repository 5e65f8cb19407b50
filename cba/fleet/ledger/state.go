package ledger

// A State is how far a certificate has come; see the package comment. The zero value is
// unset.
type State uint8

const (
	// Issued: made, signed, and recorded.
	Issued State = iota + 1
	// Bound: the account has its certificateUserIds.
	Bound
	// Delivered: the key is on the machine that uses it.
	Delivered
	// Renewed: a newer certificate has replaced it. It stays valid until it expires, so
	// that nobody is locked out before the new one is bound and delivered.
	Renewed
	// Revoked: revoked permanently.
	Revoked
)

// Live reports whether a certificate in this state is the current one of its owner.
func (s State) Live() bool { return s >= Issued && s <= Delivered }

// CanBecome reports whether a certificate may move from this state to another: only
// forward, and never from Revoked.
func (s State) CanBecome(next State) bool {
	return s >= Issued && next <= Revoked && s < next
}

var states = texts{"issued", "bound", "delivered", "renewed", "revoked"}

// String returns "issued", "bound", "delivered", "renewed" or "revoked".
func (s State) String() string { return states.of(uint8(s)) }

// MarshalText returns the text of [State.String]; an unset or unknown state is an
// error.
func (s State) MarshalText() ([]byte, error) { return states.marshal("state", uint8(s)) }

// UnmarshalText reads the text of [State.String]. The error leaves s as it is.
func (s *State) UnmarshalText(text []byte) error {
	v, err := states.unmarshal("state", text)
	if err == nil {
		*s = State(v)
	}
	return err
}
