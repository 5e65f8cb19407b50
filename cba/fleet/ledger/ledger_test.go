package ledger_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/ledgertest"
	"example.com/entracba/cba/fleet/sqlite"
)

func TestStates(t *testing.T) {
	all := []ledger.State{ledger.Issued, ledger.Bound, ledger.Delivered, ledger.Renewed, ledger.Revoked}
	for i, from := range all {
		for j, to := range all {
			if got, want := from.CanBecome(to), j > i; got != want {
				t.Errorf("from %v to %v: %v", from, to, got)
			}
		}
		text, err := from.MarshalText()
		var back ledger.State
		if err != nil || back.UnmarshalText(text) != nil || back != from {
			t.Errorf("%v: %q, %v, %v", from, text, err, back)
		}
		if from.Live() != (i < 3) || from.CanBecome(0) || from.CanBecome(6) || ledger.State(0).CanBecome(from) {
			t.Errorf("%v: live %v", from, from.Live())
		}
	}
	for _, bad := range []ledger.State{0, 6} {
		if _, err := bad.MarshalText(); err == nil || bad.Live() {
			t.Errorf("%v is written", bad)
		}
	}
	if new(ledger.State).UnmarshalText([]byte("Issued")) == nil {
		t.Error("Issued is read")
	}
}

// TestJSON writes what a service keeps or sends, and reads it back.
func TestJSON(t *testing.T) {
	type record struct {
		State  ledger.State
		Answer ledger.Answer
		Reason ledger.Reason
		Counts map[ledger.State]int
	}
	for state := ledger.Issued; state <= ledger.Revoked; state++ {
		for answer := ledger.Granted; answer <= ledger.Taken; answer++ {
			want := record{state, answer, ledger.ClaimLost, map[ledger.State]int{state: 3}}
			text, err := json.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			var got record
			if err := json.Unmarshal(text, &got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s was read as %v, %v", text, got, err)
			}
		}
	}
	if text, _ := json.Marshal(record{ledger.Bound, ledger.WasRevoked, ledger.ClaimLost, nil}); string(text) != `{"State":"bound","Answer":"was-revoked","Reason":"claim-lost","Counts":null}` {
		t.Errorf("%s", text)
	}
	for _, bad := range []any{ledger.State(0), ledger.State(6), ledger.Answer(0), ledger.Answer(5)} {
		if text, err := json.Marshal(bad); !errors.Is(err, ledger.Invalid) {
			t.Errorf("%v is written as %s, %v", bad, text, err)
		}
	}
	answer := ledger.Taken
	if err := answer.UnmarshalText([]byte("maybe")); !errors.Is(err, ledger.Invalid) || answer != ledger.Taken {
		t.Errorf("%v, %v", answer, err)
	}
}

func TestError(t *testing.T) {
	cause := errors.New("cause")
	err := fmt.Errorf("around: %w", &ledger.Error{Reason: ledger.Busy, What: "x.db", Err: cause})
	if !errors.Is(err, ledger.Busy) || errors.Is(err, ledger.Full) || errors.Is(err, ledger.Reason("")) || !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
	const want = "around: ledger: x.db: locked by another program: cause; try again when the other program is done"
	if err.Error() != want || ledger.Busy.Error() != "ledger: locked by another program" {
		t.Errorf("%q, %q", err, ledger.Busy.Error())
	}
	if text := (&ledger.Error{Reason: ledger.Busy, Hint: "wait"}).Error(); text != "ledger: locked by another program; wait" {
		t.Errorf("%q", text)
	}
}

// TestHeartbeat works on a list for ten times the lease, in steps shorter than it:
// nobody else gets what was claimed at the beginning, neither while users are claimed
// nor while certificates are recorded.
func TestHeartbeat(t *testing.T) {
	const lease = time.Minute
	for _, step := range []string{"claim", "record"} {
		t.Run(step, func(t *testing.T) {
			now := time.Now()
			clock := func() time.Time { return now }
			l, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{Now: clock})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			m := ledgertest.NewMaker(t)
			j := &ledger.Journal{Ledger: l, Claim: ledger.Claim{Worker: "a", Lease: lease}, Now: clock}
			user := func(i int) cba.Subject { return cba.Subject{UPN: fmt.Sprintf("user%d@yourdomain.com", i)} }
			const steps = 20
			if step == "record" { // claimed all at once, before the time runs
				for i := range steps {
					if done, err := j.Done(t.Context(), user(i)); done || err != nil {
						t.Fatal(done, err)
					}
				}
			}
			first := cba.Subject{UPN: "first@yourdomain.com"}
			if done, err := j.Done(t.Context(), first); done || err != nil {
				t.Fatal(done, err)
			}
			for i := range steps {
				now = now.Add(lease / 2)
				if step == "claim" {
					_, err = j.Done(t.Context(), user(i))
				} else {
					err = j.Record(t.Context(), cba.Result{Task: cba.Task{Subject: user(i)}, Certificate: m.Certificate(user(i).UPN)})
				}
				if err != nil {
					t.Fatal(err)
				}
				if answer, err := l.Claim(t.Context(), ledger.OwnerOf(first), ledger.Claim{Worker: "b", Lease: lease}); err != nil || answer != ledger.Taken {
					t.Fatalf("after %d half leases: %v, %v", i+1, answer, err)
				}
			}
			// Who stops beating loses the claim.
			now = now.Add(lease)
			if answer, err := l.Claim(t.Context(), ledger.OwnerOf(first), ledger.Claim{Worker: "b", Lease: lease}); err != nil || answer != ledger.Granted {
				t.Errorf("%v, %v", answer, err)
			}
		})
	}
}

func TestDue(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	e := ledger.Entry{State: ledger.Issued, NotBefore: begin, NotAfter: begin.Add(1000 * time.Hour)}
	for _, test := range []struct {
		hours   int
		percent int
		want    bool
	}{{799, 0, false}, {800, 0, true}, {2000, 0, true}, {0, 100, true}, {0, 99, false}, {10, 99, true}, {989, 1, false}, {990, 1, true}} {
		if got := e.Due(begin.Add(time.Duration(test.hours)*time.Hour), test.percent); got != test.want {
			t.Errorf("after %d of 1000 hours, at %d %%: %v", test.hours, test.percent, got)
		}
	}
	e.State = ledger.Renewed
	if e.Due(e.NotAfter, 0) {
		t.Error("a renewed one is due")
	}
}

func TestSerial(t *testing.T) {
	for _, bad := range []string{"", "0", "zz", "AB", "0x10", "000000000000000000000000000000000000000000"} {
		if _, err := ledger.ParseSerial(bad); !errors.Is(err, ledger.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	n, err := ledger.ParseSerial("00ff10")
	if err != nil || n.Int64() != 0xff10 || ledger.SerialText(n) != "ff10" {
		t.Errorf("%v, %v", n, err)
	}
}

func open(t *testing.T) ledger.Ledger {
	t.Helper()
	l, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// TestJournal issues one list by two journals at once, and by a third after one of
// the users was revoked.
func TestJournal(t *testing.T) {
	l, m := open(t), ledgertest.NewMaker(t)
	var subjects []cba.Subject
	for i := range 50 {
		subjects = append(subjects, cba.Subject{UPN: fmt.Sprintf("User%d@yourdomain.com", i)})
	}
	issue := func(j *ledger.Journal) {
		for _, err := range m.Issuer.IssueAll(t.Context(), cba.Tasks(subjects...), cba.Bulk{KeyType: cba.P256, Journal: j}) {
			if err != nil {
				t.Error(err)
			}
		}
	}
	a, b := &ledger.Journal{Ledger: l}, &ledger.Journal{Ledger: l}
	done := make(chan struct{})
	go func() { issue(a); close(done) }()
	issue(b)
	<-done
	if n := a.Counts().Recorded + b.Counts().Recorded; n != len(subjects) {
		t.Errorf("%d recorded, want %d", n, len(subjects))
	}
	if _, err := l.Revoke(t.Context(), "user7@yourdomain.com", time.Now(), crl.Superseded); err != nil {
		t.Fatal(err)
	}
	c := &ledger.Journal{Ledger: l}
	issue(c)
	if got, want := c.Counts(), (ledger.Counts{AlreadyIssued: 49, WasRevoked: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestLost revokes a user while the certificate is being made.
func TestLost(t *testing.T) {
	l, m := open(t), ledgertest.NewMaker(t)
	const jane = "jane@yourdomain.com"
	record := func() {
		if answer, err := l.Claim(t.Context(), jane, ledger.Claim{Worker: "x", Lease: time.Hour}); err != nil || answer != ledger.Granted {
			t.Fatal(answer, err)
		}
		if err := l.Record(t.Context(), "x", m.Entry(jane)); err != nil {
			t.Fatal(err)
		}
	}
	record()
	renewal := ledger.Claim{RenewAt: time.Now(), DuePercent: 100}
	var lost []string
	for _, tolerant := range []bool{true, false} {
		j := &ledger.Journal{Ledger: l, Claim: renewal}
		if tolerant {
			j.Lost = func(r cba.Result) { lost = append(lost, r.Task.Subject.UPN) }
		} else {
			j.Claim.Reissue = true
		}
		failed := false
		for _, err := range m.Issuer.IssueAll(t.Context(), cba.Tasks(cba.Subject{UPN: jane}), cba.Bulk{KeyType: cba.P256, Journal: j,
			Finish: func(ctx context.Context, _ *cba.Result) error {
				_, err := l.Revoke(ctx, jane, time.Now(), crl.KeyCompromise)
				return err
			}}) {
			if err != nil && !errors.Is(err, ledger.ClaimLost) {
				t.Error(err)
			}
			failed = failed || err != nil
		}
		if failed == tolerant {
			t.Errorf("failed %v with Lost %v", failed, tolerant)
		}
		if _, err := ledger.Live(t.Context(), l, jane); !errors.Is(err, ledger.NotFound) {
			t.Errorf("she has one: %v", err)
		}
	}
	if len(lost) != 1 {
		t.Errorf("lost %v", lost)
	}
}

// TestExportText writes what is hard to write, and reads it back.
func TestExportText(t *testing.T) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	want := ledger.Entry{Owner: "a,\"b\"\r;=1+1", UPN: "o'brien@yourdomain.com", Serial: "0a", Issuer: "ff", State: ledger.Revoked,
		Reason: crl.CACompromise, NotBefore: at, NotAfter: at, IssuedAt: at, RevokedAt: at, Replaces: "09"}
	failure := errors.New("cut off")
	entries := func(fail bool) func(func(ledger.Entry, error) bool) {
		return func(yield func(ledger.Entry, error) bool) {
			if yield(want, nil) && fail {
				yield(ledger.Entry{}, failure)
			}
		}
	}
	var text bytes.Buffer
	if err := ledger.WriteCSV(&text, entries(false)); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&text).ReadAll()
	if err != nil || len(rows) != 2 || len(rows[0]) != 14 || rows[1][0] != want.Owner || rows[1][12] != "cACompromise" {
		t.Errorf("%q, %v", rows, err)
	}
	text.Reset()
	if err := ledger.WriteJSON(&text, entries(false)); err != nil {
		t.Fatal(err)
	}
	var back []ledger.Entry
	if err := json.Unmarshal(text.Bytes(), &back); err != nil || len(back) != 1 || fmt.Sprint(back[0]) != fmt.Sprint(want) {
		t.Errorf("%+v, %v", back, err)
	}
	if err := ledger.WriteCSV(&text, entries(true)); !errors.Is(err, failure) {
		t.Errorf("CSV: %v", err)
	}
	if err := ledger.WriteJSON(&text, entries(true)); !errors.Is(err, failure) {
		t.Errorf("JSON: %v", err)
	}
}

// A list is issued with a ledger behind it: given again, it issues nothing; who was
// revoked stays out.
func ExampleJournal() {
	folder, err := os.MkdirTemp("", "ledger")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	ctx := context.Background()
	l, err := sqlite.Open(ctx, filepath.Join(folder, "ledger.db"), sqlite.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	name, err := dn.Parse("CN=Contoso Root CA")
	if err != nil {
		log.Fatal(err)
	}
	root, err := cba.NewRoot(context.Background(), cba.Authority{Name: name, KeyType: cba.P256})
	if err != nil {
		log.Fatal(err)
	}
	issue := func() {
		journal := &ledger.Journal{Ledger: l}
		tasks := cba.Tasks(cba.Subject{UPN: "jane@yourdomain.com"}, cba.Subject{UPN: "john@yourdomain.com"})
		for _, err := range root.IssueAll(ctx, tasks, cba.Bulk{KeyType: cba.P256, Journal: journal}) {
			if err != nil {
				log.Fatal(err)
			}
		}
		fmt.Printf("%+v\n", journal.Counts())
	}
	issue()
	if _, err := l.Revoke(ctx, "john@yourdomain.com", time.Now(), crl.KeyCompromise); err != nil {
		log.Fatal(err)
	}
	issue()
	for e, err := range l.Entries(ctx, ledger.Query{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(e.UPN, e.State)
	}
	// Output:
	// {Granted:2 AlreadyIssued:0 WasRevoked:0 Taken:0 Recorded:2 Lost:0}
	// {Granted:0 AlreadyIssued:1 WasRevoked:1 Taken:0 Recorded:0 Lost:0}
	// jane@yourdomain.com issued
	// john@yourdomain.com revoked
}
