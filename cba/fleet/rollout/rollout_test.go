package rollout_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/ledgertest"
	"example.com/entracba/cba/fleet/rollout"
	"example.com/entracba/cba/fleet/sqlite"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/pfx"
)

func openLedger(t *testing.T, path string) *sqlite.Ledger {
	t.Helper()
	l, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func begin(t *testing.T, folder string, l ledger.Ledger) *rollout.Rollout {
	t.Helper()
	r, err := rollout.Open(t.Context(), folder, l, rollout.Options{Create: true, Lease: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// A folder that others may write takes no keys.
func TestWritableByOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no modes there")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := rollout.Open(t.Context(), dir, openLedger(t, filepath.Join(t.TempDir(), "ledger.db")), rollout.Options{Create: true}); !errors.Is(err, folder.WritableByOthers) {
		t.Errorf("%v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("made %v", left)
	}
}

func users(n int) iter.Seq2[cba.Task, error] {
	var all []cba.Subject
	for i := range n {
		all = append(all, cba.Subject{UPN: fmt.Sprintf("user%d@yourdomain.com", i)})
	}
	return cba.Tasks(all...)
}

var quick = rollout.Issue{KeyType: cba.P256}

// TestRollout issues, renews and revokes, and opens what was written.
func TestRollout(t *testing.T) {
	folder, ca := filepath.Join(t.TempDir(), "out"), ledgertest.NewMaker(t).Issuer
	l := openLedger(t, filepath.Join(filepath.Dir(folder), "ledger.db"))
	if used, err := rollout.Used(folder); used != "" || err != nil {
		t.Errorf("a new folder is used: %q, %v", used, err)
	}
	r := begin(t, folder, l)
	o := quick
	o.Password = func(s cba.Subject) string {
		if s.UPN == "user1@yourdomain.com" {
			return "given-password-1"
		}
		return ""
	}
	counts, err := r.Issue(t.Context(), ca, users(4), o)
	if err != nil || counts != (rollout.Counts{Issued: 4}) {
		t.Fatalf("%+v, %v", counts, err)
	}
	renewal := quick
	renewal.Renew, renewal.DuePercent = true, 100
	if counts, err = r.Issue(t.Context(), ca, users(4), renewal); err != nil || counts != (rollout.Counts{Issued: 4}) {
		t.Fatalf("renewed: %+v, %v", counts, err)
	}
	if _, err := l.Revoke(t.Context(), "user2@yourdomain.com", time.Now(), crl.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	if counts, err = r.Issue(t.Context(), ca, users(5), renewal); err != nil || counts != (rollout.Counts{Issued: 4, WereRevoked: 1}) {
		t.Fatalf("renewed again: %+v, %v", counts, err)
	}
	s, err := r.Finish(t.Context(), 100, ca)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(s.Ledger) != "map[issued:4 renewed:6 revoked:2]" || s.Due != 4 || s.Renewed != 7 || len(s.Leftovers) != 0 || len(s.Lists) != 1 || s.Lists[0].Revoked != 2 {
		t.Errorf("%+v", s)
	}
	again, err := rollout.Read(t.Context(), folder, l, time.Now(), 100, nil)
	if err != nil || fmt.Sprint(again.Ledger, again.Due, again.Lists) != fmt.Sprint(s.Ledger, s.Due, s.Lists) {
		t.Errorf("read %+v, %v", again, err)
	}
	if text, err := json.Marshal(s); err != nil || !strings.Contains(string(text), `"ledger":{"issued":4,"renewed":6,"revoked":2}`) {
		t.Errorf("%s, %v", text, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if used, err := rollout.Used(folder); used == "" || err != nil {
		t.Errorf("used: %q, %v", used, err)
	}
	var m struct {
		Users []struct{ UPN, SerialNumber, PFX string }
	}
	text, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil || json.Unmarshal(text, &m) != nil || len(m.Users) != 4 {
		t.Fatalf("manifest: %v: %s", err, text)
	}
	f, err := os.Open(filepath.Join(folder, "passwords.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != 5 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, u := range m.Users {
		data, err := os.ReadFile(filepath.Join(folder, u.PFX))
		if err != nil {
			t.Fatal(err)
		}
		bundle, err := pfx.Decode(data, rows[i+1][1])
		if err != nil {
			t.Fatal(err)
		}
		live, err := ledger.Live(t.Context(), l, u.UPN)
		if err != nil || live.Serial != u.SerialNumber || string(live.Certificate) != string(bundle.Certificate.Raw) {
			t.Errorf("%s: %v", u.UPN, err)
		}
	}
	for _, name := range []string{"runs", "leftover"} {
		if found, _ := os.ReadDir(filepath.Join(folder, name)); len(found) != 0 {
			t.Errorf("in %s: %v", name, found)
		}
	}
}

// TestGivenPassword keeps the password that the caller gives, and no other.
func TestGivenPassword(t *testing.T) {
	folder, ca := t.TempDir(), ledgertest.NewMaker(t).Issuer
	r := begin(t, folder, openLedger(t, filepath.Join(folder, "ledger.db")))
	o := quick
	o.Password = func(s cba.Subject) string { return strings.TrimSuffix(s.UPN, "@yourdomain.com") + "-Long-1" }
	if _, err := r.Issue(t.Context(), ca, users(2), o); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Finish(t.Context(), 0, ca); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "passwords.csv"))
	if want := "upn,password\nuser0@yourdomain.com,user0-Long-1\nuser1@yourdomain.com,user1-Long-1\n"; err != nil || string(text) != want {
		t.Errorf("%q, %v", text, err)
	}
}

// TestPairs opens ledgers and folders that do not belong together.
func TestPairs(t *testing.T) {
	root, ca := t.TempDir(), ledgertest.NewMaker(t).Issuer
	path := func(name string) string { return filepath.Join(root, name) }
	ours, theirs, empty := openLedger(t, path("ours.db")), openLedger(t, path("theirs.db")), openLedger(t, path("empty.db"))
	for _, pair := range []struct {
		folder string
		l      ledger.Ledger
	}{{"ours", ours}, {"theirs", theirs}} {
		r := begin(t, path(pair.folder), pair.l)
		if _, err := r.Issue(t.Context(), ca, users(2), quick); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Finish(t.Context(), 0, ca); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	if err := os.CopyFS(path("stranger"), os.DirFS(path("ours"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path("stranger/ledger.id")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		folder string
		l      ledger.Ledger
		create bool
		want   error
	}{
		{"ours", theirs, true, rollout.OtherLedger},
		{"ours", empty, true, rollout.OtherLedger},
		{"stranger", theirs, true, rollout.OtherLedger},
		{"stranger", empty, true, rollout.OtherLedger},
		{"new", ours, true, rollout.OtherFolder},
		{"new", empty, false, rollout.OtherFolder},
		{"ours", ours, false, nil},
		{"stranger", ours, false, nil},
		{"new", empty, true, nil},
	} {
		r, err := rollout.Open(t.Context(), path(test.folder), test.l, rollout.Options{Create: test.create})
		if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%s: %v, want %v", test.folder, err, test.want)
		}
		var e *rollout.Error
		if test.folder == "ours" && err != nil && !strings.Contains(err.Error(), "the folder has the id ") {
			t.Errorf("%v", err)
		}
		if err != nil && (!errors.As(err, &e) || !strings.Contains(err.Error(), "nothing was changed") || r != nil) {
			t.Errorf("%s: %v, %v", test.folder, r, err)
		}
		if _, statErr := os.Stat(path("new")); test.folder == "new" && err != nil && statErr == nil {
			t.Error("a refused folder was made")
		}
		if r != nil {
			r.Close()
		}
	}
}

// TestBadNames refuses UPNs that would be files elsewhere, before anything is signed.
func TestBadNames(t *testing.T) {
	dir, ca := t.TempDir(), ledgertest.NewMaker(t).Issuer
	l := openLedger(t, filepath.Join(dir, "ledger.db"))
	r := begin(t, filepath.Join(dir, "out"), l)
	var failed []string
	o := quick
	o.Failed = func(s cba.Subject, err error) {
		if !errors.Is(err, folder.BadName) {
			t.Errorf("%q: %v", s.UPN, err)
		}
		failed = append(failed, s.UPN)
	}
	bad := []string{"../jane@yourdomain.com", `a\b@yourdomain.com`, "c:x@yourdomain.com", "", "a\x00b@yourdomain.com", "a*@yourdomain.com"}
	subjects := []cba.Subject{{UPN: "jane@yourdomain.com"}}
	for _, upn := range bad {
		subjects = append(subjects, cba.Subject{UPN: upn, Emails: []string{"mail@yourdomain.com"}})
	}
	counts, err := r.Issue(t.Context(), ca, cba.Tasks(subjects...), o)
	// Those without a UPN share the e-mail address and so are one user.
	if err != nil || counts.Issued != 1 || counts.Failed != len(bad) || !slices.Equal(failed, bad) {
		t.Errorf("%+v, %v; failed %q", counts, err, failed)
	}
}

// failing records a number of certificates, and then no more.
type failing struct {
	ledger.Ledger
	left int
}

func (f *failing) Record(ctx context.Context, worker string, entries ...ledger.Entry) error {
	if f.left--; f.left < 0 {
		return &ledger.Error{Reason: ledger.Full, What: "the test's ledger"}
	}
	return f.Ledger.Record(ctx, worker, entries...)
}

// TestUnrecorded has a ledger that is full: the files of those whom it does not know
// are moved aside by the same run.
func TestUnrecorded(t *testing.T) {
	folder, ca := t.TempDir(), ledgertest.NewMaker(t).Issuer
	l := &failing{openLedger(t, filepath.Join(folder, "ledger.db")), 3}
	r := begin(t, folder, l)
	counts, err := r.Issue(t.Context(), ca, users(20), quick)
	if !errors.Is(err, rollout.Stopped) || !errors.Is(err, ledger.Full) || counts.Issued != 3 {
		t.Fatalf("%+v, %v", counts, err)
	}
	s, err := r.Finish(t.Context(), 0, ca)
	if err != nil || s.Ledger[ledger.Issued] != 3 || len(s.Leftovers) == 0 || len(s.Leftovers)%3 != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	for _, name := range s.Leftovers {
		if _, err := os.Stat(name); err != nil || !strings.HasPrefix(name, filepath.Join(folder, "leftover")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if found, err := os.ReadDir(filepath.Join(folder, "users")); err != nil || len(found) != 9 {
		t.Errorf("%d files, %v", len(found), err)
	}
}

// TestSlowRun has a run that was not heard of for longer than its lease and lives: its
// files stay where they are.
func TestSlowRun(t *testing.T) {
	folder, ca := t.TempDir(), ledgertest.NewMaker(t).Issuer
	clock := time.Now()
	l, err := sqlite.Open(t.Context(), filepath.Join(folder, "ledger.db"), sqlite.Options{Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	slow := begin(t, folder, l)
	if _, err := slow.Issue(t.Context(), ca, users(2), quick); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(time.Hour)
	other := begin(t, folder, l)
	if s, err := other.Finish(t.Context(), 0, ca); err != nil || len(s.Leftovers) != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	other.Close()
	if counts, err := slow.Issue(t.Context(), ca, users(4), quick); err != nil || counts.Issued != 2 {
		t.Errorf("%+v, %v", counts, err)
	}
	if s, err := slow.Finish(t.Context(), 0, ca); err != nil || s.Ledger[ledger.Issued] != 4 || len(s.Leftovers) != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestLostFiles has certificates in the ledger whose files are gone: the error says
// which, and revoking them is a way out.
func TestLostFiles(t *testing.T) {
	folder, ca := t.TempDir(), ledgertest.NewMaker(t).Issuer
	l := openLedger(t, filepath.Join(folder, "ledger.db"))
	r := begin(t, folder, l)
	if _, err := r.Issue(t.Context(), ca, users(3), quick); err != nil {
		t.Fatal(err)
	}
	files := func(pattern string) string {
		found, _ := filepath.Glob(filepath.Join(folder, "users", pattern))
		if len(found) != 1 {
			t.Fatalf("%s: %v", pattern, found)
		}
		return found[0]
	}
	if err := errors.Join(os.Remove(files("user0@*.json")), os.WriteFile(files("user1@*.json"), []byte(`{"password": "Secret-Text-1"`), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		user string
		want error
	}{{"user0@yourdomain.com", rollout.MissingFile}, {"user1@yourdomain.com", rollout.Damaged}} {
		_, err := r.Finish(t.Context(), 0, ca)
		if !errors.Is(err, step.want) || !strings.Contains(err.Error(), step.user) || strings.Contains(err.Error(), "Secret") {
			t.Errorf("error %v", err)
		}
		if _, err := l.Revoke(t.Context(), step.user, time.Now(), crl.Superseded); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := r.Finish(t.Context(), 0, ca); err != nil || s.Ledger[ledger.Issued] != 1 {
		t.Errorf("%+v, %v", s, err)
	}
}

// beats is a ledger that counts.
type beats struct {
	ledger.Ledger
	mu     sync.Mutex
	leases []time.Duration
	at     []time.Time
}

func (b *beats) ID(context.Context) (string, error) { return "a ledger of a test", nil }
func (b *beats) Claim(context.Context, string, ledger.Claim) (ledger.Answer, error) {
	return ledger.Granted, nil
}
func (b *beats) Release(context.Context, string, ...string) error { return nil }
func (b *beats) Entries(context.Context, ledger.Query) iter.Seq2[ledger.Entry, error] {
	return func(func(ledger.Entry, error) bool) {}
}
func (b *beats) Extend(_ context.Context, _ string, lease time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leases, b.at = append(b.leases, lease), append(b.at, time.Now())
	return nil
}

// TestExclusiveHeartbeat is inside Exclusive for ten times the lease: its claim is
// extended in time, and no more when it is over.
func TestExclusiveHeartbeat(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		const lease = time.Minute
		b := &beats{}
		r, err := rollout.Open(t.Context(), folder, b, rollout.Options{Create: true, Lease: lease})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		last := time.Now()
		if err := r.Exclusive(t.Context(), "test", func() error { time.Sleep(10 * lease); return nil }); err != nil {
			t.Fatal(err)
		}
		end := time.Now()
		time.Sleep(10 * lease)
		for i, at := range append(b.at, end) {
			if at.Sub(last) >= lease/2 {
				t.Errorf("%v without a beat", at.Sub(last))
			}
			if last = at; i < len(b.leases) && b.leases[i] != lease {
				t.Errorf("a lease of %v", b.leases[i])
			}
		}
		if len(b.at) < 20 || b.at[len(b.at)-1].After(end) {
			t.Errorf("%d beats, the last %v after the end", len(b.at), b.at[len(b.at)-1].Sub(end))
		}
	})
}

// A list is issued into a folder. Given again, it issues for those who are new.
func ExampleOpen() {
	folder, err := os.MkdirTemp("", "rollout")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	ctx := context.Background()
	name, err := dn.Parse("CN=Contoso Root CA")
	if err != nil {
		log.Fatal(err)
	}
	ca, err := cba.NewRoot(ctx, cba.Authority{Name: name, KeyType: cba.P256})
	if err != nil {
		log.Fatal(err)
	}
	list := []cba.Subject{{UPN: "jane@yourdomain.com"}, {UPN: "john@yourdomain.com"}}
	for range 2 {
		used, err := rollout.Used(folder)
		if err != nil {
			log.Fatal(err)
		}
		l, err := sqlite.Open(ctx, filepath.Join(folder, "ledger.db"), sqlite.Options{Existing: used != ""})
		if err != nil {
			log.Fatal(err)
		}
		r, err := rollout.Open(ctx, folder, l, rollout.Options{Create: used == ""})
		if err != nil {
			log.Fatal(err)
		}
		counts, issueErr := r.Issue(ctx, ca, cba.Tasks(list...), rollout.Issue{KeyType: cba.P256})
		summary, err := r.Finish(ctx, 0, ca)
		if err := errors.Join(issueErr, err, r.Close(), l.Close()); err != nil {
			log.Fatal(err)
		}
		fmt.Println(counts.Issued, "issued,", summary.Ledger[ledger.Issued], "in the ledger")
		list = append(list, cba.Subject{UPN: "alex@yourdomain.com"})
	}
	// Output:
	// 2 issued, 2 in the ledger
	// 1 issued, 3 in the ledger
}
