package certuserid

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"example.com/entracba/cba/lint"
)

// MaxValues is the maximum number of values of one account (Learn, "Certificate
// user IDs"). Older pages say five, and the oldest say four of 120 characters (open
// question 9.1).
const MaxValues = 10

// A Set is the certificateUserIds of one account, within the directory's limits:
// [MaxValues] values of up to [MaxLength] characters each, none twice, in their
// order. The directory accepts any text, so a Set also keeps text that is no ID,
// unchanged.
//
// The zero value is the empty set. A Set may be copied; the copies are
// independent. Methods that fail change nothing.
//
// A PATCH of authorizationInfo replaces the whole collection: read the account's
// values into a Set, change it, and write all of [Set.Values] back. The caller
// checks that no other account of the tenant has the value.
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

// Has reports whether the set contains exactly this value.
func (s Set) Has(value string) bool { return slices.Contains(s.values, value) }

// Add appends values, all or none. The error is an [*Error]. A value that the set
// already contains is an error, so that the caller does not think it was added; use
// [Set.Merge] to skip such values.
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

// Merge appends the values that the set does not contain, all or none. The error
// is an [*Error].
func (s *Set) Merge(values ...string) error {
	if s == nil {
		return &Error{Reason: Empty, Offset: -1}
	}
	var missing []string
	for _, value := range values {
		if len(missing) > MaxValues {
			break // one of these is the one that Add refuses
		}
		if !s.Has(value) && !slices.Contains(missing, value) {
			missing = append(missing, value)
		}
	}
	return s.Add(missing...)
}

// Remove removes a value, which must match exactly, and reports whether it was
// there.
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

// Replace replaces all values of one mapping by these IDs, as when a certificate
// is renewed. They take the place of the first replaced value, or go to the end;
// without IDs the values of the mapping are removed.
//
// Only values that [Parse] reads belong to a mapping. One that is slightly wrong
// stays; [Set.Findings] reports it. The error is an [*Error].
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

// Diff returns the values to add to and to remove from this set to get the other
// set, each in the order of the set that contains them.
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

// String returns the values, one per line.
func (s Set) String() string { return strings.Join(s.values, "\n") }

// MarshalJSON writes the values as Microsoft Graph's certificateUserIds: a list
// of strings, never null.
func (s Set) MarshalJSON() ([]byte, error) { return json.Marshal(s.Values()) }

// UnmarshalJSON reads a list of strings, and null as the empty set. The error is
// an [*Error] if the list breaks a limit, and else one of encoding/json.
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
