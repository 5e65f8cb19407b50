// Package lint holds [Finding], the one shape in which every check of this
// module answers.
//
// A check looks at a certificate, a stored value, a certificate authority or a
// tenant's configuration and returns the findings it has about it. It never
// returns an error for something it merely dislikes: a program decides for
// itself what it does with findings, most often by looking at
// [Findings.Worst].
//
// The package has no checks of its own; they live beside the thing that they
// check (cba, certuserid, trust, crl, policy, signin).
package lint

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
)

// A Severity says how much a finding matters. The zero value is unset and no
// check returns it.
type Severity uint8

const (
	// Info is worth knowing and needs no action.
	Info Severity = iota + 1
	// Warning works today, or for some readers, and should be changed.
	Warning
	// Error will not work, or works for the wrong people.
	Error
)

// String returns "info", "warning" or "error".
func (s Severity) String() string {
	switch s {
	case Info:
		return "info"
	case Warning:
		return "warning"
	case Error:
		return "error"
	}
	return fmt.Sprintf("Severity(%d)", uint8(s))
}

// MarshalText writes the text of [Severity.String]; an unset or unknown
// severity is an error.
func (s Severity) MarshalText() ([]byte, error) {
	if s < Info || s > Error {
		return nil, fmt.Errorf("lint: severity %d has no text", uint8(s))
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (s *Severity) UnmarshalText(text []byte) error {
	for v := Info; v <= Error; v++ {
		if v.String() == string(text) {
			*s = v
			return nil
		}
	}
	return fmt.Errorf("lint: %q is not a severity", text)
}

// An Effect says what a finding does to people, for findings that do: they are
// the ones to read first. The zero value means neither.
type Effect uint8

const (
	// LocksOut keeps people out who should get in.
	LocksOut Effect = iota + 1
	// LetsIn lets the wrong people in, or the right ones with less proof than
	// they should give.
	LetsIn
)

// String returns "locks-out", "lets-in", or "" for neither.
func (e Effect) String() string {
	switch e {
	case 0:
		return ""
	case LocksOut:
		return "locks-out"
	case LetsIn:
		return "lets-in"
	}
	return fmt.Sprintf("Effect(%d)", uint8(e))
}

// MarshalText writes the text of [Effect.String]; an unknown effect is an
// error.
func (e Effect) MarshalText() ([]byte, error) {
	if e > LetsIn {
		return nil, fmt.Errorf("lint: effect %d has no text", uint8(e))
	}
	return []byte(e.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (e *Effect) UnmarshalText(text []byte) error {
	for v := Effect(0); v <= LetsIn; v++ {
		if v.String() == string(text) {
			*e = v
			return nil
		}
	}
	return fmt.Errorf("lint: %q is not an effect", text)
}

// A Finding is one thing that a check noticed.
//
// Code is stable and meant for programs: lower-case words joined by hyphens,
// with the name of the checked thing first ("cert-no-upn"). The texts are meant
// for people and may change. No text holds a password or a private key.
type Finding struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Effect   Effect   `json:"effect,omitempty"`
	Where    string   `json:"where"`            // the field, value or object that it is about
	What     string   `json:"what"`             // what is the matter
	Do       string   `json:"do,omitempty"`     // what to do about it
	Source   string   `json:"source,omitempty"` // the document that says so
}

// String returns the finding in one line: severity, code, where, what and what
// to do.
func (f Finding) String() string {
	s := fmt.Sprintf("%v: %s: ", f.Severity, f.Code)
	if f.Where != "" {
		s += f.Where + ": "
	}
	s += f.What
	if f.Do != "" {
		s += "; " + f.Do
	}
	return s
}

// Findings are the answer of a check, in the order in which it looked.
type Findings []Finding

// Worst returns the highest severity among the findings, and zero if there are
// none.
func (fs Findings) Worst() Severity {
	var worst Severity
	for _, f := range fs {
		worst = max(worst, f.Severity)
	}
	return worst
}

// Has reports whether a finding with this code is among them.
func (fs Findings) Has(code string) bool {
	return slices.ContainsFunc(fs, func(f Finding) bool { return f.Code == code })
}

// Sorted returns a copy with the findings to read first in front: what locks
// people out, then what lets the wrong ones in, then the rest, each by falling
// severity. Findings that are equal in both keep their order.
func (fs Findings) Sorted() Findings {
	sorted := slices.Clone(fs)
	slices.SortStableFunc(sorted, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(urgency(a.Effect), urgency(b.Effect)),
			cmp.Compare(b.Severity, a.Severity),
		)
	})
	return sorted
}

func urgency(e Effect) int {
	switch e {
	case LocksOut:
		return 0
	case LetsIn:
		return 1
	}
	return 2
}

// MarshalJSON writes an empty list, not null, when there are no findings.
func (fs Findings) MarshalJSON() ([]byte, error) {
	if fs == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]Finding(fs))
}
