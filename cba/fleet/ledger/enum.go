package ledger

import (
	"fmt"
	"slices"
)

// texts are those of an enumeration whose values count from one. Zero is unset: it is
// neither written nor read.
type texts []string

func (t texts) of(v uint8) string {
	switch {
	case v == 0:
		return "unset"
	case int(v) > len(t):
		return fmt.Sprintf("unknown (%d)", v)
	}
	return t[v-1]
}

func (t texts) marshal(what string, v uint8) ([]byte, error) {
	if v == 0 || int(v) > len(t) {
		return nil, &Error{Reason: Invalid, What: what + " " + t.of(v)}
	}
	return []byte(t.of(v)), nil
}

func (t texts) unmarshal(what string, text []byte) (uint8, error) {
	i := slices.Index(t, string(text))
	if i < 0 {
		return 0, &Error{Reason: Invalid, What: fmt.Sprintf("%s %.50q", what, text), Hint: fmt.Sprintf("use one of %q", []string(t))}
	}
	return uint8(i + 1), nil
}
