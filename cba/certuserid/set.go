package certuserid

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"example.com/entracba/cba/lint"
)

// MaxValues is how many values one account may have (Learn, "Certificate user
// IDs"). Older pages say five, and the oldest four of 120 characters (open
// question 9.1).
const MaxValues = 10

// A Set is the certificateUserIds of one account, within the directory's limits:
// [MaxValues] values of up to [MaxLength] characters each, none twice, in their
// order. The directory takes any text, so a Set holds text that is no ID too and
// keeps it byte for byte.
//
// The zero value is the empty set. A Set may be copied; the copies are
// independent. Methods that fail change nothing.
//
// A PATCH of authorizationInfo replaces the whole collection: read the account's
// values into a Set, change it, and write all of [Set.Values] back. That a value
// belongs to one account of the tenant only is for the caller to check.
type Set struct {
	values []string
}

// NewSet returns the set of these values in this order. The error is an
// [*Error].
func NewSet(values ...string) (Set, error) {
	var s Set
	if err := s.Add(values...); err != nil {
		return Set{}, err
	}
	return s, nil
}

// Values returns the values in their order. The slice is the caller's.
func (s Set) Values() []string { return append([]string{}, s.values...) }

// Len returns the number of values.
func (s Set) Len() int { return len(s.values) }

// Has reports whether the set has the value, letter for letter.
func (s Set) Has(value string) bool { return slices.Contains(s.values, value) }

// Add appends values, all or none. The error is an [*Error]; a value that is
// there already is one, so that nobody takes it for written (use [Set.Merge]
// otherwise).
func (s *Set) Add(values ...string) error {
	if s == nil {
		return &Error{Reason: Empty, Offset: -1}
	}
	added := slices.Clone(s.values)
	for _, value := range values {
		reason := checkValue(value)
		switch {
		case reason != "":
		case slices.Contains(added, value):
			reason = Duplicate
		case len(added) == MaxValues:
			reason = Full
		}
		if reason != "" {
			return &Error{Text: value, Reason: reason, Offset: -1}
		}
		added = append(added, value)
	}
	s.values = added
	return nil
}

// checkValue checks what can be checked of a value alone.
func checkValue(value string) Reason {
	if value == "" {
		return Empty
	}
	if !utf8.ValidString(value) {
		return BadText
	}
	if length(value) > MaxLength {
		return TooLong
	}
	return ""
}

// Merge appends those of the values that the set does not have, all or none.
func (s *Set) Merge(values ...string) error {
	if s == nil {
		return &Error{Reason: Empty, Offset: -1}
	}
	var missing []string
	for _, value := range values {
		if !s.Has(value) && !slices.Contains(missing, value) {
			missing = append(missing, value)
		}
	}
	return s.Add(missing...)
}

// Remove takes a value out and reports whether it was there, letter for letter.
func (s *Set) Remove(value string) bool {
	if s == nil {
		return false
	}
	i := slices.Index(s.values, value)
	if i < 0 {
		return false
	}
	s.values = slices.Delete(slices.Clone(s.values), i, i+1)
	return true
}

// Replace puts these IDs in the place of all values of one mapping: what to do
// when a certificate is renewed. They stand where the first value replaced stood,
// or at the end; with no IDs the mapping's values are removed.
//
// Only values that [Parse] reads are of a mapping. One that is slightly wrong
// stays; [Set.Findings] finds it. The error is an [*Error].
func (s *Set) Replace(m Mapping, ids ...ID) error {
	if s == nil {
		return &Error{Reason: Empty, Offset: -1}
	}
	if !m.Known() {
		return &Error{Text: string(m), Reason: UnknownMapping, Offset: -1}
	}
	var kept []string
	at := -1
	for _, value := range s.values {
		if id, _, fault := parse(value); fault == "" && id.mapping == m {
			if at < 0 {
				at = len(kept)
			}
			continue
		}
		kept = append(kept, value)
	}
	if at < 0 {
		at = len(kept)
	}
	var texts []string
	for _, id := range ids {
		if id.mapping != m {
			reason := OtherMapping
			if id.mapping == "" {
				reason = Empty
			}
			return &Error{Text: id.text, Reason: reason, Offset: -1}
		}
		texts = append(texts, id.text)
	}
	replaced, err := NewSet(slices.Insert(kept, at, texts...)...)
	if err != nil {
		return err
	}
	*s = replaced
	return nil
}

// Diff returns what to add to and what to remove from this set to come to the
// other, each in its set's order.
func (s Set) Diff(other Set) (add, remove []string) {
	for _, value := range other.values {
		if !s.Has(value) {
			add = append(add, value)
		}
	}
	for _, value := range s.values {
		if !other.Has(value) {
			remove = append(remove, value)
		}
	}
	return add, remove
}

// Findings checks every value as [Normalize] does without a certificate, and the
// values together.
func (s Set) Findings() lint.Findings {
	var findings lint.Findings
	for i, value := range s.values {
		_, found := Normalize(value, nil)
		findings = append(findings, found...)
		if slices.ContainsFunc(s.values[:i], func(other string) bool { return equalFold(other, value) }) {
			findings = append(findings, finding(ruleSameValue, value, ""))
		}
	}
	if len(s.values) > 5 {
		findings = append(findings, ruleManyValues.At("certificateUserIds", "", ""))
	}
	return findings
}

// String returns the values, one a line.
func (s Set) String() string { return strings.Join(s.values, "\n") }

// MarshalJSON writes the values as Microsoft Graph's certificateUserIds: a list
// of strings, never null.
func (s Set) MarshalJSON() ([]byte, error) { return json.Marshal(s.Values()) }

// UnmarshalJSON reads a list of strings, null as the empty set. The error is a
// [*Error] if it breaks a limit.
func (s *Set) UnmarshalJSON(data []byte) error {
	if s == nil {
		return &Error{Reason: Empty, Offset: -1}
	}
	var values []string
	if err := json.Unmarshal(data, &values); err != nil {
		return fmt.Errorf("certuserid: certificateUserIds: %w", err)
	}
	set, err := NewSet(values...)
	if err != nil {
		return err
	}
	*s = set
	return nil
}
