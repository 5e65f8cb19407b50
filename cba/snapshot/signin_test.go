package snapshot_test

import (
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/signin"
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
		{"a thumbprint alone", []snapshot.Row{row(0, "a", 0, "User certificate thumbprint", "0A")}, "succeeded 0"},
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

// Only a sign-in that went another way than expected is unexpected, and one that the
// user gave up is neither.
func TestSummarize(t *testing.T) {
	const subject = "User certificate subject name"
	rows := rowsOf(row(0, "gone", 50019, subject, "CN=A"),
		row(0, "refused", 50019, subject, "CN=A"), row(1, "refused", 500173),
		row(0, "right", 50019, subject, "CN=A"), row(1, "right", 0),
		row(0, "wrong", 50019, subject, "CN=A"), row(1, "wrong", 500171),
		row(0, "unknown", 50019, subject, "CN=A"), row(1, "unknown", 0))
	sum, err := snapshot.Summarize(snapshot.SignIns(rows), func(s snapshot.SignIn) (snapshot.Expectation, bool) {
		switch s.UserPrincipalName() {
		case "gone", "right", "wrong":
			return snapshot.Expectation{Answer: signin.Answer{SignedIn: true}, Authority: "CN=CA"}, true
		case "refused":
			return snapshot.Expectation{Answer: signin.Answer{Code: "AADSTS500173"}, Authority: "CN=CA"}, true
		}
		return snapshot.Expectation{}, false
	})
	if err != nil || sum.SignIns != 5 || sum.Known != 4 || len(sum.Unexpected) != 1 || sum.Unexpected[0].UserPrincipalName != "wrong" {
		t.Errorf("%+v, %v", sum, err)
	}
	if !sum.From.Equal(start) || !sum.To.Equal(start.Add(time.Minute)) {
		t.Errorf("from %v to %v", sum.From, sum.To)
	}
	// What was counted before an error is returned with it.
	cause := errors.New("lost")
	sum, err = snapshot.Summarize(func(yield func(snapshot.SignIn, error) bool) {
		_ = yield(snapshot.SignIn{Outcome: snapshot.Succeeded}, nil) && yield(snapshot.SignIn{}, cause)
	}, nil)
	if !errors.Is(err, cause) || sum.SignIns != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
}

// The certificate of a sign-in is known by its thumbprint or serial number, where a row
// has one.
func TestCertificateOfRow(t *testing.T) {
	facts, ok := row(0, "a", 0, "User Certificate Thumbprint", " 0A0B ", "User certificate serial number", "01:02", "Device certificate thumbprint", "FF").Certificate()
	if !ok || facts.Thumbprint != "0A0B" || facts.SerialNumber != "01:02" {
		t.Errorf("%+v, %v", facts, ok)
	}
}
