package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"example.com/entracba/cba/lint"
)

// An Omission says that a finding is known and accepted. Write omissions as JSON in
// a file beside the report, and read it with [ParseOmissions].
type Omission struct {
	// Code is the code of the findings. Required.
	Code string `json:"code"`
	// Where is the place of the finding; empty means every place.
	Where string `json:"where,omitempty"`
	// Reason says why the finding is accepted, and by whom. Required.
	Reason string `json:"reason"`
	// Until is the first day on which the finding shows again. Required: nothing is
	// accepted for ever.
	Until Date `json:"until"`
}

// A Date is a day in UTC, in JSON as "2026-12-31".
type Date struct{ day time.Time }

// Day returns the date on which t falls in UTC.
func Day(t time.Time) Date { return Date{t.UTC().Truncate(24 * time.Hour)} }

// Time returns the beginning of the day.
func (d Date) Time() time.Time { return d.day }

// String returns the day as "2026-12-31", and "" for the zero Date.
func (d Date) String() string {
	if d.day.IsZero() {
		return ""
	}
	return d.day.Format(time.DateOnly)
}

// MarshalText writes the day as [Date.String] has it.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Date) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("%q is not a day like 2026-12-31", clip(string(text), 40))
	}
	d.day = t
	return nil
}

// maxOmissions bounds a file of omissions, in bytes.
const maxOmissions = 1 << 20

// ParseOmissions reads a JSON array of omissions. The error is an [*Error] with
// reason [BadOmissions] and names the entry: unknown properties are refused, since a
// misspelt "until" would accept a finding for ever.
func ParseOmissions(data []byte) ([]Omission, error) {
	fail := func(detail string, err error) ([]Omission, error) {
		return nil, &Error{Reason: BadOmissions, Detail: detail, Err: err}
	}
	if len(data) > maxOmissions {
		return fail(fmt.Sprintf("%d bytes, at most %d", len(data), maxOmissions), nil)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var list []Omission
	if err := d.Decode(&list); err != nil {
		return fail("want a JSON array of {code, where, reason, until}", err)
	}
	if d.More() {
		return fail("there is text behind the array", nil)
	}
	for i, o := range list {
		switch {
		case o.Code == "":
			return fail(fmt.Sprintf("entry %d has no code", i), nil)
		case o.Reason == "":
			return fail(fmt.Sprintf("entry %d (%s) has no reason", i, o.Code), nil)
		case o.Until.day.IsZero():
			return fail(fmt.Sprintf("entry %d (%s) has no end date: set until to a day like 2026-12-31", i, o.Code), nil)
		}
	}
	return list, nil
}

// A State says how a finding compares with the report before. The zero value is
// unset: there is nothing to compare with.
type State string

const (
	// New is a finding that the report before does not have.
	New State = "new"
	// Still is a finding that both have.
	Still State = "still there"
	// Fixed is a finding that only the report before has.
	Fixed State = "fixed"
)

// A Row is a finding in a report.
type Row struct {
	lint.Finding
	State State
	// Omitted is the reason why the finding is accepted; empty if it is not.
	Omitted string
	// Expired is the end date of an omission that has ended: the finding shows again.
	Expired *Date
}

// rowMore is what a row has beside the finding, in JSON.
type rowMore struct {
	State   State  `json:"state,omitempty"`
	Omitted string `json:"omitted,omitempty"`
	Expired *Date  `json:"omissionExpired,omitempty"`
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Row) UnmarshalJSON(data []byte) error {
	var row Row
	var more rowMore
	if err := json.Unmarshal(data, &row.Finding); err != nil {
		return err
	}
	if err := json.Unmarshal(data, &more); err != nil {
		return err
	}
	row.State, row.Omitted, row.Expired = more.State, more.Omitted, more.Expired
	*r = row
	return nil
}

// MarshalJSON writes the finding with what the report adds to it.
func (r Row) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(r.Finding)
	if err != nil {
		return nil, err
	}
	more, err := json.Marshal(rowMore{r.State, r.Omitted, r.Expired})
	if err != nil || string(more) == "{}" {
		return text, err
	}
	return append(append(text[:len(text)-1], ','), more[1:]...), nil
}

// FindingsOptions are the options of [Findings].
type FindingsOptions struct {
	// Before are the findings of the report before. Nil means that there is none;
	// an empty list is a report without findings. Findings of both are the same if
	// code and place are.
	Before lint.Findings
	// Omissions are the findings that are accepted.
	Omissions []Omission
	// At is when omissions are held against their end; zero means now is not known,
	// and every omission has expired.
	At time.Time
	// Least is the lowest severity that is listed; zero lists all.
	Least lint.Severity
	// OnlyEffects lists only findings that lock people out or let them in.
	OnlyEffects bool
}

// FindingsPart is the part of a report with findings.
type FindingsPart struct {
	// Rows are the findings to act on, the ones to read first in front, then those
	// that were fixed.
	Rows []Row `json:"findings"`
	// Omitted are the findings that are accepted.
	Omitted []Row `json:"omitted"`
	// Compared says that there is a report before.
	Compared bool `json:"compared"`
	// NotListed is how many findings the options left out.
	NotListed int `json:"notListed"`
}

// Findings returns the part of a report with findings. Nothing is lost: what the
// options leave out is counted, what is omitted is listed with the reason.
func Findings(found lint.Findings, options FindingsOptions) *FindingsPart {
	part := &FindingsPart{Rows: []Row{}, Omitted: []Row{}, Compared: options.Before != nil}
	left := map[place]int{}
	for _, f := range options.Before {
		left[placeOf(f)]++
	}
	for _, f := range found.Sorted() {
		row := Row{Finding: f}
		if part.Compared {
			row.State = New
			if left[placeOf(f)] > 0 {
				left[placeOf(f)]--
				row.State = Still
			}
		}
		for _, o := range options.Omissions {
			if o.Code != f.Code || o.Where != "" && o.Where != f.Where {
				continue
			}
			if options.At.IsZero() || !options.At.Before(o.Until.day) {
				row.Expired = &o.Until
				continue
			}
			row.Omitted, row.Expired = o.Reason, nil
			break
		}
		switch {
		case f.Severity < options.Least || options.OnlyEffects && f.Effect == 0:
			part.NotListed++
		case row.Omitted != "":
			part.Omitted = append(part.Omitted, row)
		default:
			part.Rows = append(part.Rows, row)
		}
	}
	for _, f := range options.Before.Sorted() {
		if left[placeOf(f)] > 0 {
			left[placeOf(f)]--
			part.Rows = append(part.Rows, Row{Finding: f, State: Fixed})
		}
	}
	return part
}

// maxReport bounds a report that is read back, in bytes.
const maxReport = 64 << 20

// ReadFindings returns the findings that a report had, from the JSON that
// [Report.WriteJSON] wrote: the Before of the next one. Accepted findings are among
// them, those that had been fixed are not. The error is an [*Error] with reason
// [BadReport].
func ReadFindings(data []byte) (lint.Findings, error) {
	if len(data) > maxReport {
		return nil, &Error{Reason: BadReport, Detail: fmt.Sprintf("%d bytes, at most %d", len(data), maxReport)}
	}
	var file struct {
		Version  int           `json:"version"`
		Findings *FindingsPart `json:"findings"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, &Error{Reason: BadReport, Detail: "give the JSON file of an earlier report", Err: err}
	}
	if file.Version != 1 || file.Findings == nil {
		return nil, &Error{Reason: BadReport, Detail: fmt.Sprintf("version %d, with findings: %t; want version 1 with findings", file.Version, file.Findings != nil)}
	}
	found := lint.Findings{}
	for _, list := range [][]Row{file.Findings.Rows, file.Findings.Omitted} {
		for _, r := range list {
			if r.State != Fixed {
				found = append(found, r.Finding)
			}
		}
	}
	return found, nil
}

// A place is what makes two findings of two runs the same.
type place struct{ code, where string }

func placeOf(f lint.Finding) place { return place{f.Code, f.Where} }

// A Tally counts the findings to act on; fixed and omitted ones are not among them.
type Tally struct {
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
	Notes    int `json:"notes"`
	LocksOut int `json:"locksOut"`
	LetsIn   int `json:"letsIn"`
	New      int `json:"new"`
	Still    int `json:"stillThere"`
	Fixed    int `json:"fixed"`
	Omitted  int `json:"omitted"`
}

// Tally counts the findings of the part.
func (p *FindingsPart) Tally() Tally {
	var t Tally
	if p == nil {
		return t
	}
	t.Omitted = len(p.Omitted)
	for _, r := range p.Rows {
		switch r.State {
		case Fixed:
			t.Fixed++
			continue
		case New:
			t.New++
		case Still:
			t.Still++
		}
		switch r.Severity {
		case lint.Error:
			t.Errors++
		case lint.Warning:
			t.Warnings++
		default:
			t.Notes++
		}
		switch r.Effect {
		case lint.LocksOut:
			t.LocksOut++
		case lint.LetsIn:
			t.LetsIn++
		}
	}
	return t
}

// A group has the findings of one code.
type group struct {
	Row
	Places []Row
	More   int
}

// mostPlaces is how many places of one code a page lists.
const mostPlaces = 25

// groups joins the findings of one code, so that a fault of a thousand users is one
// entry with some places.
func groups(rows []Row) []group {
	var list []group
	index := map[string]int{}
	for _, r := range rows {
		key := r.Code + "\x00" + string(r.State) + "\x00" + r.Severity.String()
		i, known := index[key]
		if !known {
			i = len(list)
			index[key] = i
			list = append(list, group{Row: r})
		}
		if r.What == list[i].What {
			r.What = "" // the heading says it
		}
		if len(list[i].Places) < mostPlaces {
			list[i].Places = append(list[i].Places, r)
		} else {
			list[i].More++
		}
	}
	slices.SortStableFunc(list, func(a, b group) int {
		return cmp.Compare(fixedLast(a.State), fixedLast(b.State))
	})
	return list
}

func fixedLast(s State) int {
	if s == Fixed {
		return 1
	}
	return 0
}

// clip keeps a text of unknown origin short.
func clip(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "..."
	}
	return text
}
