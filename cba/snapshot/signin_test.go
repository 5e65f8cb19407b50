package snapshot_test

import (
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/snapshot"
)

var start = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

func collect[T any](t testing.TB, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var all []T
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

// row is a row of a log that is made by hand.
func row(minute int, id string, code int, keys ...string) snapshot.Row {
	s := snapshot.Row{ID: id, CorrelationID: id, CreatedDateTime: start.Add(time.Duration(minute) * time.Minute), UserPrincipalName: id}
	s.Status.ErrorCode = code
	for i := 0; i < len(keys); i += 2 {
		s.ProcessingDetails = append(s.ProcessingDetails, snapshot.KeyValue{Key: keys[i], Value: keys[i+1]})
	}
	return s
}

func rowsOf(rows ...snapshot.Row) func(func(snapshot.Row, error) bool) {
	slices.SortStableFunc(rows, func(a, b snapshot.Row) int { return b.CreatedDateTime.Compare(a.CreatedDateTime) })
	return func(yield func(snapshot.Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestOutcomes(t *testing.T) {
	const subject = "User certificate subject name"
	cases := []struct {
		name string
		rows []snapshot.Row
		want string // "" for none
	}{
		{"asked and gone", []snapshot.Row{row(0, "a", 50019)}, "abandoned 0"},
		{"stay signed in beside success", []snapshot.Row{row(0, "a", 50019, subject, "CN=A"), row(1, "a", 0), row(2, "a", 50140)}, "succeeded 0"},
		{"refused", []snapshot.Row{row(0, "a", 50019, subject, "CN=A"), row(1, "a", 500173)}, "refused 500173"},
		{"refused, then right", []snapshot.Row{row(0, "a", 500173), row(1, "a", 0)}, "succeeded 0"},
		{"a password", []snapshot.Row{row(0, "a", 50126)}, ""},
		{"legacy store alone is no proof", []snapshot.Row{row(0, "a", 0, "Is Legacy Store Used", "0")}, ""},
		{"scoping", []snapshot.Row{row(0, "a", 500189)}, "refused 500189"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			signIns := collect(t, snapshot.SignIns(rowsOf(c.rows...)))
			if c.want == "" {
				if len(signIns) != 0 {
					t.Errorf("%+v", signIns)
				}
				return
			}
			if len(signIns) != 1 || !strings.HasPrefix(c.want, signIns[0].Outcome.String()+" ") || !strings.HasSuffix(c.want, " "+strconv.Itoa(signIns[0].Code)) {
				t.Errorf("%+v, want %s", signIns, c.want)
			}
		})
	}
	// Two sign-ins, one correlation id, a day apart.
	signIns := collect(t, snapshot.SignIns(rowsOf(row(0, "a", 500173), row(24*60, "a", 500171))))
	if len(signIns) != 2 {
		t.Errorf("%d signIns", len(signIns))
	}
}
