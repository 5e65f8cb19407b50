package rollout_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/ledgertest"
	"example.com/entracba/cba/fleet/rollout"
	"example.com/entracba/cba/fleet/sqlite"
)

// killed puts down what a run leaves that was killed: its journal, and files.
func killed(t *testing.T, dir, run, journal string, files ...string) {
	t.Helper()
	put(t, filepath.Join(dir, "runs", run, "journal.jsonl"), journal)
	for _, name := range files {
		put(t, filepath.Join(dir, "users", name), name)
	}
}

func put(t *testing.T, name, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte(content), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func there(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

const janesLine = `{"upn":"jane@yourdomain.com","serialNumber":"00ff"}` + "\n"

// TestClaimed has a run whose claims hold: of a user, or of itself. Whatever else is
// known of it, its files may be about to be recorded.
func TestClaimed(t *testing.T) {
	for _, claimed := range []string{"jane@yourdomain.com", "fleet:run:OTHER", ""} {
		t.Run(claimed, func(t *testing.T) {
			dir, ca := t.TempDir(), ledgertest.NewMaker(t).Issuer
			l := openLedger(t, filepath.Join(dir, "ledger.db"))
			r := begin(t, dir, l)
			killed(t, dir, "OTHER", janesLine, "jane@yourdomain.com.00ff.pfx", "jane@yourdomain.com.00ff.crt")
			if claimed != "" {
				if _, err := l.Claim(t.Context(), claimed, ledger.Claim{Worker: "OTHER", Lease: time.Hour}); err != nil {
					t.Fatal(err)
				}
				s, err := r.Finish(t.Context(), 0, ca)
				if err != nil || len(s.Leftovers) > 0 {
					t.Errorf("%+v, %v", s, err)
				}
				there(t, dir, "users/jane@yourdomain.com.00ff.pfx", "users/jane@yourdomain.com.00ff.crt", "runs/OTHER/journal.jsonl")
				if err := l.Release(t.Context(), "OTHER"); err != nil {
					t.Fatal(err)
				}
			}
			s, err := r.Finish(t.Context(), 0, ca)
			if err != nil || len(s.Leftovers) != 2 {
				t.Errorf("%+v, %v", s, err)
			}
			there(t, dir, "leftover/OTHER/jane@yourdomain.com.00ff.pfx", "leftover/OTHER/journal.jsonl")
			for _, owner := range []string{"jane@yourdomain.com", "fleet:run:OTHER"} {
				if answer, err := l.Claim(t.Context(), owner, ledger.Claim{Worker: "next", Lease: time.Hour}); err != nil || answer != ledger.Granted {
					t.Errorf("%s is kept: %v, %v", owner, answer, err)
				}
			}
		})
	}
}

// A late ledger has a row written between the first look and the claim.
type late struct {
	*sqlite.Ledger
	once  sync.Once
	entry ledger.Entry
	t     *testing.T
}

func (l *late) Claim(ctx context.Context, owner string, claim ledger.Claim) (ledger.Answer, error) {
	if owner == l.entry.Owner {
		l.once.Do(func() {
			if _, err := l.Ledger.Claim(ctx, owner, ledger.Claim{Worker: "OTHER", Lease: time.Hour}); err != nil {
				l.t.Error(err)
			}
			if err := l.Record(ctx, "OTHER", l.entry); err != nil {
				l.t.Error(err)
			}
		})
	}
	return l.Ledger.Claim(ctx, owner, claim)
}

// TestRecordedMeanwhile has a run record a certificate while another one looks at its
// journal.
func TestRecordedMeanwhile(t *testing.T) {
	dir, m := t.TempDir(), ledgertest.NewMaker(t)
	e := m.Entry("jane@yourdomain.com")
	l := &late{Ledger: openLedger(t, filepath.Join(dir, "ledger.db")), entry: e, t: t}
	r := begin(t, dir, l)
	stem := "jane@yourdomain.com." + e.Serial
	killed(t, dir, "OTHER", fmt.Sprintf(`{"upn":%q,"serialNumber":%q}`+"\n", e.UPN, e.Serial), stem+".pfx")
	put(t, filepath.Join(dir, "users", stem+".json"), `{"password":"Long-Text-1","pfxEncoding":"compat"}`)
	s, err := r.Finish(t.Context(), 0, m.Issuer)
	if err != nil || len(s.Leftovers) > 0 || s.Ledger[ledger.Issued] != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	there(t, dir, "users/"+stem+".pfx", "users/"+stem+".json", "users/"+stem+".crt", "manifest.json")
}

// TestHostileJournal has lines that name files elsewhere, and what looks like an
// earlier leftover of the same name.
func TestHostileJournal(t *testing.T) {
	root, ca := t.TempDir(), ledgertest.NewMaker(t).Issuer
	dir := filepath.Join(root, "out")
	l := openLedger(t, filepath.Join(root, "ledger.db"))
	r := begin(t, dir, l)
	put(t, filepath.Join(root, "jane.00ff.pfx"), "mine")
	put(t, filepath.Join(dir, "leftover", "OTHER", "jane@yourdomain.com.00ff.pfx"), "earlier")
	killed(t, dir, "OTHER", `{"upn":"../../jane","serialNumber":"00ff"}
{"upn":"..\\..\\jane","serialNumber":"00ff"}
{"upn":"jane","serialNumber":"../../00ff"}
{"upn":"","serialNumber":"00ff"}
nonsense
`+janesLine+`{"upn":"john@your`, "jane@yourdomain.com.00ff.pfx")
	s, err := r.Finish(t.Context(), 0, ca)
	if want := []string{filepath.Join(dir, "leftover", "OTHER.1", "jane@yourdomain.com.00ff.pfx")}; err != nil || !slices.Equal(s.Leftovers, want) {
		t.Errorf("%q, %v, want %q", s.Leftovers, err, want)
	}
	there(t, root, "jane.00ff.pfx", "out/leftover/OTHER.1/journal.jsonl")
	if content, err := os.ReadFile(filepath.Join(dir, "leftover", "OTHER", "jane@yourdomain.com.00ff.pfx")); string(content) != "earlier" || err != nil {
		t.Errorf("the earlier leftover: %q, %v", content, err)
	}
}

// TestUsed has one sign of an earlier run at a time.
func TestUsed(t *testing.T) {
	for _, name := range []string{"manifest.json", "passwords.csv", "ca", "ledger.id", "users/x", "crl/x"} {
		dir := t.TempDir()
		put(t, filepath.Join(dir, "notes.txt"), "mine")
		put(t, filepath.Join(dir, "ledger.db"), "a ledger")
		if err := errors.Join(os.Mkdir(filepath.Join(dir, "users"), 0o700), os.Mkdir(filepath.Join(dir, "crl"), 0o700)); err != nil {
			t.Fatal(err)
		}
		if used, err := rollout.Used(dir); used != "" || err != nil {
			t.Errorf("%q, %v", used, err)
		}
		put(t, filepath.Join(dir, name), "x")
		if used, err := rollout.Used(dir); used != name || err != nil {
			t.Errorf("%s: %q, %v", name, used, err)
		}
	}
}

// TestNoLiveFiles has a ledger that knows only revoked certificates, beside a folder
// of another ledger that lost its id: nothing says that they belong together.
func TestNoLiveFiles(t *testing.T) {
	root, m := t.TempDir(), ledgertest.NewMaker(t)
	l := openLedger(t, filepath.Join(root, "ledger.db"))
	if _, err := l.Claim(t.Context(), "jane@yourdomain.com", ledger.Claim{Worker: "a", Lease: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if err := l.Record(t.Context(), "a", m.Entry("jane@yourdomain.com")); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Revoke(t.Context(), "jane@yourdomain.com", time.Now(), crl.Superseded); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(root, "out", "users", "john@yourdomain.com.00ff.pfx"), "x")
	if _, err := rollout.Open(t.Context(), filepath.Join(root, "out"), l, rollout.Options{Create: true}); !errors.Is(err, rollout.OtherLedger) {
		t.Errorf("error %v", err)
	}
}

// TestRace has many ledgers take one new folder at once: one gets it.
func TestRace(t *testing.T) {
	const ledgers, rounds = 6, 10
	var all []*sqlite.Ledger
	root := t.TempDir()
	for round := range rounds {
		for i := range ledgers {
			if round == 0 {
				all = append(all, openLedger(t, filepath.Join(root, fmt.Sprint(i, ".db"))))
			}
		}
		var won atomic.Int32
		var group sync.WaitGroup
		start := make(chan struct{})
		for _, l := range all {
			group.Go(func() {
				<-start
				r, err := rollout.Open(t.Context(), filepath.Join(root, fmt.Sprint("out", round)), l, rollout.Options{Create: true})
				if err == nil {
					won.Add(1)
					r.Close()
				} else if !errors.Is(err, rollout.OtherLedger) {
					t.Error(err)
				}
			})
		}
		close(start)
		group.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d ledgers have the folder", won.Load())
		}
	}
}

// TestModes looks at who may read what.
func TestModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes")
	}
	dir, ca := filepath.Join(t.TempDir(), "out"), ledgertest.NewMaker(t).Issuer
	r := begin(t, dir, openLedger(t, filepath.Join(filepath.Dir(dir), "ledger.db")))
	if _, err := r.Issue(t.Context(), ca, users(1), quick); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Finish(t.Context(), 0, ca); err != nil {
		t.Fatal(err)
	}
	looked := 0
	if err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		switch name := entry.Name(); {
		case entry.IsDir():
			want = 0o700
		case filepath.Ext(name) == ".crt", filepath.Ext(name) == ".crl", name == "manifest.json":
			want = 0o644
		}
		looked++
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
		}
		return nil
	}); err != nil || looked < 12 {
		t.Errorf("%d files, %v", looked, err)
	}
}

// TestUnwritable has something in the way of a file: the error names it, and nothing
// unfinished stays.
func TestUnwritable(t *testing.T) {
	dir, ca := t.TempDir(), ledgertest.NewMaker(t).Issuer
	r := begin(t, dir, openLedger(t, filepath.Join(dir, "ledger.db")))
	if err := os.Mkdir(filepath.Join(dir, "manifest.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Finish(t.Context(), 0, ca); err == nil || !strings.Contains(err.Error(), "manifest.json was not written") {
		t.Errorf("error %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "manifest.json")); err != nil {
		t.Fatal(err)
	}
	if s, err := r.Finish(t.Context(), 0, ca); err != nil || len(s.Leftovers) > 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

// tired signs a number of times.
type tired struct {
	crypto.Signer
	left atomic.Int32
}

func (k *tired) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if k.left.Add(-1) < 0 {
		return nil, errors.New("the token was pulled out")
	}
	return k.Signer.Sign(random, digest, opts)
}

// TestFailsForAll has what would fail for everyone: the CA's key, the disk. The list
// ends with the first failure, and what was issued is whole.
func TestFailsForAll(t *testing.T) {
	for _, what := range []string{"key", "folder"} {
		t.Run(what, func(t *testing.T) {
			dir, m := t.TempDir(), ledgertest.NewMaker(t)
			key := &tired{Signer: m.Issuer.Key}
			key.left.Store(1000)
			ca, err := cba.NewIssuer(m.Issuer.Certificate, key)
			if err != nil {
				t.Fatal(err)
			}
			l := openLedger(t, filepath.Join(dir, "ledger.db"))
			r := begin(t, dir, l)
			o := quick
			o.Workers = 1
			n := 0
			o.Password = func(cba.Subject) string {
				if n++; n == 4 {
					if what == "key" {
						key.left.Store(0)
					} else if err := os.Rename(filepath.Join(dir, "users"), filepath.Join(dir, "away")); err != nil {
						t.Error(err)
					}
				}
				return ""
			}
			failed := 0
			o.Failed = func(cba.Subject, error) { failed++ }
			counts, err := r.Issue(t.Context(), ca, users(500), o)
			if !errors.Is(err, rollout.Stopped) || counts.Issued < 3 || counts.Issued > 4 || failed > 20 {
				t.Fatalf("%+v, %d failed, %v", counts, failed, err)
			}
			if what == "key" {
				key.left.Store(1000)
			} else if err := os.Rename(filepath.Join(dir, "away"), filepath.Join(dir, "users")); err != nil {
				t.Fatal(err)
			}
			if s, err := r.Finish(t.Context(), 0, ca); err != nil || s.Ledger[ledger.Issued] != counts.Issued || len(s.Leftovers) > 0 {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}

// TestCancelled ends the context in the middle: what was made is recorded.
func TestCancelled(t *testing.T) {
	dir, ca := t.TempDir(), ledgertest.NewMaker(t).Issuer
	r := begin(t, dir, openLedger(t, filepath.Join(dir, "ledger.db")))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := quick
	n := 0
	o.Progress = func() {
		if n++; n == 10 {
			cancel()
		}
	}
	counts, err := r.Issue(ctx, ca, users(500), o)
	if !errors.Is(err, rollout.Stopped) || !errors.Is(err, context.Canceled) || counts.Issued < 10 || counts.Issued > 400 || counts.Failed != 0 {
		t.Errorf("%+v, %v", counts, err)
	}
	if s, err := r.Finish(t.Context(), 0, ca); err != nil || s.Ledger[ledger.Issued] != counts.Issued || len(s.Leftovers) > 0 {
		t.Errorf("%+v, %v; issued %d", s, err, counts.Issued)
	}
}

// TestWaits has a user whom a killed run reserved: Issue waits for the lease. Who fails
// is told once.
func TestWaits(t *testing.T) {
	dir, ca := t.TempDir(), ledgertest.NewMaker(t).Issuer
	l := openLedger(t, filepath.Join(dir, "ledger.db"))
	r := begin(t, dir, l)
	if _, err := l.Claim(t.Context(), "user1@yourdomain.com", ledger.Claim{Worker: "killed", Lease: time.Hour}); err != nil {
		t.Fatal(err)
	}
	o := quick
	var failed []string
	o.Failed = func(s cba.Subject, _ error) { failed = append(failed, s.UPN) }
	waited := 0
	o.Waiting = func(users int) {
		waited += users
		if err := l.Release(t.Context(), "killed"); err != nil {
			t.Error(err)
		}
	}
	list := func(yield func(cba.Task, error) bool) {
		if !yield(cba.Task{Subject: cba.Subject{UPN: "a/b"}}, nil) {
			return
		}
		for task, err := range users(3) {
			if !yield(task, err) {
				return
			}
		}
	}
	counts, err := r.Issue(t.Context(), ca, list, o)
	if err != nil || counts != (rollout.Counts{Issued: 3, Failed: 1}) || waited != 1 || !slices.Equal(failed, []string{"a/b"}) {
		t.Errorf("%+v, %v; waited for %d, failed %q", counts, err, waited, failed)
	}
}

// TestLost revokes a user while her next certificate is being made: it does not count,
// its files go, and another one is made.
func TestLost(t *testing.T) {
	dir, ca := t.TempDir(), ledgertest.NewMaker(t).Issuer
	l := openLedger(t, filepath.Join(dir, "ledger.db"))
	r := begin(t, dir, l)
	if _, err := r.Issue(t.Context(), ca, users(1), quick); err != nil {
		t.Fatal(err)
	}
	revoke := func() {
		if _, err := l.Revoke(t.Context(), "user0@yourdomain.com", time.Now(), crl.KeyCompromise); err != nil {
			t.Error(err)
		}
	}
	revoke()
	o := quick
	if counts, err := r.Issue(t.Context(), ca, users(1), o); err != nil || counts != (rollout.Counts{WereRevoked: 1}) {
		t.Errorf("%+v, %v", counts, err)
	}
	o.Reissue = true
	n := 0
	o.Password = func(cba.Subject) string {
		if n++; n == 1 {
			revoke()
		}
		return ""
	}
	if counts, err := r.Issue(t.Context(), ca, users(1), o); err != nil || counts.Issued != 1 || n != 2 {
		t.Errorf("%+v, %v, made %d", counts, err, n)
	}
	if found, _ := os.ReadDir(filepath.Join(dir, "users")); len(found) != 6 {
		t.Errorf("%v", found)
	}
	if s, err := r.Finish(t.Context(), 0, ca); err != nil || len(s.Leftovers) > 0 || s.Ledger[ledger.Issued] != 1 || s.Ledger[ledger.Revoked] != 1 {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestListsOfTwoCAs has two CAs in one ledger: each CRL has its own revocations. A new
// one is made when it is due, and not before.
func TestListsOfTwoCAs(t *testing.T) {
	dir, first, second := t.TempDir(), ledgertest.NewMaker(t).Issuer, ledgertest.NewMaker(t).Issuer
	l := openLedger(t, filepath.Join(dir, "ledger.db"))
	now := time.Now()
	r, err := rollout.Open(t.Context(), dir, l, rollout.Options{Create: true, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Issue(t.Context(), first, users(1), quick); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Issue(t.Context(), second, users(2), quick); err != nil {
		t.Fatal(err)
	}
	for _, upn := range []string{"user0@yourdomain.com", "user1@yourdomain.com"} {
		if _, err := l.Revoke(t.Context(), upn, now, crl.KeyCompromise); err != nil {
			t.Fatal(err)
		}
	}
	numbers := func() (all []string) {
		t.Helper()
		for _, ca := range []*cba.Issuer{first, second} {
			lists, err := r.Publish(t.Context(), ca)
			if err != nil || len(lists) != 1 || lists[0].Revoked != 1 {
				t.Fatalf("%+v, %v", lists, err)
			}
			all = append(all, lists[0].Number)
		}
		return all
	}
	for _, step := range []struct {
		later time.Duration
		want  []string
	}{{0, []string{"1", "1"}}, {24 * time.Hour, []string{"1", "1"}}, {6 * 24 * time.Hour, []string{"2", "2"}}, {time.Hour, []string{"2", "2"}}} {
		now = now.Add(step.later)
		if got := numbers(); !slices.Equal(got, step.want) {
			t.Errorf("after %v more: numbers %v, want %v", step.later, got, step.want)
		}
	}
}

// TestMended ends a run between a revocation's row and the CRL, and between the record
// of the CRL and its file; and it damages what can be made again from the ledger.
func TestMended(t *testing.T) {
	dir, ca, other := t.TempDir(), ledgertest.NewMaker(t).Issuer, ledgertest.NewMaker(t).Issuer
	l := openLedger(t, filepath.Join(dir, "ledger.db"))
	r := begin(t, dir, l)
	if _, err := r.Issue(t.Context(), ca, users(4), quick); err != nil {
		t.Fatal(err)
	}
	finish := func(number string, revoked, otherCA int) rollout.Summary {
		t.Helper()
		s, err := r.Finish(t.Context(), 0, ca)
		if err != nil || s.Lists[0].Number != number || s.Lists[0].Revoked != revoked || s.OtherCA != otherCA {
			t.Fatalf("%+v, %v; want number %s with %d revoked, %d of another CA", s, err, number, revoked, otherCA)
		}
		return s
	}
	file := finish("1", 0, 0).Lists[0].File
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Revoke(t.Context(), "user1@yourdomain.com", time.Now(), crl.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	finish("2", 1, 0)
	finish("2", 1, 0)
	for _, content := range []string{string(old), "nonsense", ""} {
		put(t, file, content)
		finish(map[string]string{string(old): "3", "nonsense": "4", "": "5"}[content], 1, 0)
	}
	certificates, _ := filepath.Glob(filepath.Join(dir, "users", "user2@*.crt"))
	whole, err := os.ReadFile(certificates[0])
	if err != nil {
		t.Fatal(err)
	}
	put(t, certificates[0], string(whole[:len(whole)/2]))
	if _, err := r.Issue(t.Context(), other, users(5), quick); err != nil {
		t.Fatal(err)
	}
	finish("5", 1, 1)
	if mended, err := os.ReadFile(certificates[0]); err != nil || string(mended) != string(whole) {
		t.Errorf("%q, %v", mended, err)
	}
}

// TestOldLedger restores the ledger from a backup that is older than the folder.
func TestOldLedger(t *testing.T) {
	dir, m := t.TempDir(), ledgertest.NewMaker(t)
	path, ca, janes := filepath.Join(dir, "ledger.db"), m.Issuer, m.Certificate("jane@yourdomain.com")
	run := func(list int) rollout.Summary {
		t.Helper()
		l, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		r, err := rollout.Open(t.Context(), dir, l, rollout.Options{Create: true})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if _, err := r.Issue(t.Context(), ca, users(list), quick); err != nil {
			t.Fatal(err)
		}
		// Files that only look like ours, and one that an active run is writing.
		put(t, filepath.Join(dir, "users", "jane@contoso.ba.crt"), string(cba.EncodeCertificates(janes)))
		put(t, filepath.Join(dir, "users", "jane@contoso.be.crt"), "mine")
		serial := ledger.SerialText(janes.SerialNumber)
		killed(t, dir, "OTHER", fmt.Sprintf(`{"upn":"jane@yourdomain.com","serialNumber":%q}`+"\n", serial))
		put(t, filepath.Join(dir, "users", "jane@yourdomain.com."+serial+".crt"), string(cba.EncodeCertificates(janes)))
		if _, err := l.Claim(t.Context(), "fleet:run:OTHER", ledger.Claim{Worker: "OTHER", Lease: time.Hour}); err != nil {
			t.Fatal(err)
		}
		s, err := r.Finish(t.Context(), 0, ca)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := run(2); len(s.NotInLedger) > 0 {
		t.Errorf("%q", s.NotInLedger)
	}
	backup, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if s := run(5); len(s.NotInLedger) > 0 {
		t.Errorf("%q", s.NotInLedger)
	}
	lost, _ := filepath.Glob(filepath.Join(dir, "users", "user[234]@*.crt"))
	put(t, path, string(backup))
	if s := run(2); len(lost) != 3 || !slices.Equal(s.NotInLedger, lost) || s.Ledger[ledger.Issued] != 2 {
		t.Errorf("%+v, want %q", s, lost)
	}
	there(t, "", lost...)
}

// TestOldBackups restores the ledger, the state of the CRLs, or both, from before a revocation:
// the CRL number goes on, and who was revoked stays revoked and gets no renewal. A CRL from a
// clock that was years ahead is replaced.
func TestOldBackups(t *testing.T) {
	for _, restored := range []string{"ledger.db", "crl/*.store*", "*"} {
		t.Run(strings.Trim(restored, "*/"), func(t *testing.T) {
			dir, ca := t.TempDir(), ledgertest.NewMaker(t).Issuer
			run := func(now time.Time, revoke ...string) rollout.Summary {
				t.Helper()
				l, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), sqlite.Options{})
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				r, err := rollout.Open(t.Context(), dir, l, rollout.Options{Create: true, Now: func() time.Time { return now }})
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				for _, upn := range revoke {
					if _, err := l.Revoke(t.Context(), upn, now, crl.KeyCompromise); err != nil {
						t.Fatal(err)
					}
				}
				renewal := quick
				renewal.Renew, renewal.DuePercent = true, 100
				if _, err := r.Issue(t.Context(), ca, users(3), renewal); err != nil {
					t.Fatal(err)
				}
				s, err := r.Finish(t.Context(), 0, ca)
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
			number := func(s rollout.Summary) int {
				t.Helper()
				n, err := strconv.Atoi(s.Lists[0].Number)
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			now := time.Now()
			run(now)
			backup := map[string]string{}
			for _, pattern := range []string{"ledger.db", "crl/*.store*"} {
				names, _ := filepath.Glob(filepath.Join(dir, pattern))
				for _, name := range names {
					if text, err := os.ReadFile(name); err == nil && (restored == pattern || restored == "*") {
						backup[name] = string(text)
					}
				}
			}
			run(now, "user0@yourdomain.com")
			before := run(now, "user1@yourdomain.com")
			if before.Lists[0].Revoked != 3 || len(backup) == 0 {
				t.Fatalf("%+v", before.Lists)
			}
			for name, text := range backup {
				put(t, name, text)
			}
			// The CRL is due, so that there is a new one.
			after := run(now.AddDate(0, 0, 6))
			if number(after) <= number(before) || after.Lists[0].Revoked < before.Lists[0].Revoked {
				t.Errorf("before %+v, after %+v", before.Lists, after.Lists)
			}
			l := openLedger(t, filepath.Join(dir, "ledger.db"))
			for i := range 3 {
				upn := fmt.Sprintf("user%d@yourdomain.com", i)
				if _, err := ledger.Live(t.Context(), l, upn); (err == nil) != (i == 2) {
					t.Errorf("%s: %v", upn, err)
				}
			}
			ahead := run(now.AddDate(10, 0, 0))
			if back := run(now.AddDate(0, 0, 7)); number(back) <= number(ahead) || back.Lists[0].NextUpdate.After(now.AddDate(1, 0, 0)) {
				t.Errorf("ahead %+v, back %+v", ahead.Lists, back.Lists)
			}
		})
	}
}
