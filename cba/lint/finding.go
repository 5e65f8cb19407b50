// Package lint holds [Finding], the one shape in which every check of this
// module answers, [Rule], what all findings of one code share, and [Source], the
// documents that rules rest on.
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

	"example.com/entracba/cba/internal/enum"
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

var severities = enum.Of[Severity]("lint: severity", "info", "warning", "error")

// String returns "info", "warning" or "error".
func (s Severity) String() string { return severities.String(s) }

// MarshalText writes the text of [Severity.String]; an unset or unknown
// severity is an error.
func (s Severity) MarshalText() ([]byte, error) { return severities.Marshal(s) }

// UnmarshalText reads what MarshalText wrote.
func (s *Severity) UnmarshalText(text []byte) error { return severities.Unmarshal(s, text) }

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

var effects = enum.Of[Effect]("lint: effect", "locks-out", "lets-in").Optional()

// String returns "locks-out", "lets-in", or "" for neither.
func (e Effect) String() string { return effects.String(e) }

// MarshalText writes the text of [Effect.String]; an unknown effect is an
// error.
func (e Effect) MarshalText() ([]byte, error) { return effects.Marshal(e) }

// UnmarshalText reads what MarshalText wrote.
func (e *Effect) UnmarshalText(text []byte) error { return effects.Unmarshal(e, text) }

// A Finding is one thing that a check noticed. [Rule.At] makes one.
//
// Code and Where are stable and meant for programs. The other texts are meant for
// people and may change. No text holds a password or a private key. In JSON a
// finding also has "url", the address of its source.
type Finding struct {
	Code     string
	Severity Severity
	Effect   Effect
	Where    string // the place for programs, as in [Rule.At]
	About    string // the place in words; empty if Where says it
	What     string // what is the matter
	Do       string // what to do about it
	Source   Source // the document that says so
}

// wire is a finding in JSON.
type wire struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Effect   Effect   `json:"effect,omitempty"`
	Where    string   `json:"where"`
	About    string   `json:"about,omitempty"`
	What     string   `json:"what"`
	Do       string   `json:"do,omitempty"`
	Source   Source   `json:"source,omitempty"`
	URL      string   `json:"url,omitempty"`
}

// MarshalJSON writes the finding with the address of its source.
func (f Finding) MarshalJSON() ([]byte, error) {
	return json.Marshal(wire{f.Code, f.Severity, f.Effect, f.Where, f.About, f.What, f.Do, f.Source, f.Source.URL()})
}

// UnmarshalJSON reads what MarshalJSON wrote. The address follows from the source
// and is passed over.
func (f *Finding) UnmarshalJSON(data []byte) error {
	var w wire
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	*f = Finding{w.Code, w.Severity, w.Effect, w.Where, w.About, w.What, w.Do, w.Source}
	return nil
}

// Place returns the place for people: About, or Where if there is no other name.
func (f Finding) Place() string { return cmp.Or(f.About, f.Where) }

// String returns the finding in one line: severity, code, place, what and what
// to do.
func (f Finding) String() string {
	s := fmt.Sprintf("%v: %s: ", f.Severity, f.Code)
	if place := f.Place(); place != "" {
		s += place + ": "
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

// Unique returns a copy without what was said before: two checks may see one thing.
// Findings are the same if code, places and What are.
func (fs Findings) Unique() Findings {
	type same struct{ code, where, about, what string }
	seen := map[same]bool{}
	return slices.DeleteFunc(slices.Clone(fs), func(f Finding) bool {
		key := same{f.Code, f.Where, f.About, f.What}
		again := seen[key]
		seen[key] = true
		return again
	})
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
