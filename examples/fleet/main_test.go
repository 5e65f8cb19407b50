package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/sqlite"
	"example.com/entracba/cba/folder"
	"example.com/entracba/cba/pfx"
	"example.com/entracba/examples/internal/programtest"

	// What the program is made of in other modules, whose files the go command does not
	// look at: a test that depends on the packages is not answered from its cache.
	_ "example.com/entracba/cba/fleet/rollout"
	_ "example.com/entracba/examples/internal/console"
	_ "example.com/entracba/examples/internal/users"
)

// program is the path of the built program.
var program string

func TestMain(m *testing.M) { programtest.Main(m, func(path string) { program = path }) }

type result struct {
	stdout, stderr string
	code           int
}

func command(folder string, args ...string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
	programtest.LookAtSources()
	issues := slices.Contains(args, "-users") || !slices.ContainsFunc(args, func(arg string) bool {
		return slices.Contains([]string{"-revoke", "-due", "-export", "-ledger"}, arg)
	})
	if _, err := os.Stat(filepath.Join(folder, "out")); issues && (slices.Contains(args, "-users") || err != nil) {
		args = append([]string{"-key", "p256"}, args...) // fast ones, where any are made
	}
	cmd := exec.Command(program, append([]string{"-lease", "300ms"}, args...)...)
	cmd.Dir = folder
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	return cmd, &stdout, &stderr
}

// fleet runs the program in a folder.
func fleet(t *testing.T, folder string, args ...string) result {
	t.Helper()
	cmd, stdout, stderr := command(folder, args...)
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// figures are those that -json prints.
type figures struct {
	Issued, Renewed, AlreadyIssued, WereRevoked, Failed, Revoked int
	Ledger                                                       map[string]int
	RevocationLists                                              []struct {
		File    string
		Number  string
		Revoked int
	}
}

// good runs the program with -json and fails the test unless it succeeds.
func good(t *testing.T, folder string, args ...string) (f figures) {
	t.Helper()
	r := fleet(t, folder, append(args, "-json")...)
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("fleet %q: exit status %d\n%s%s", args, r.code, r.stdout, r.stderr)
	}
	if err := json.Unmarshal([]byte(r.stdout), &f); err != nil {
		t.Fatalf("%v in %s", err, r.stdout)
	}
	return f
}

func writeUsers(t *testing.T, folder string, count int) {
	t.Helper()
	var list strings.Builder
	list.WriteString("upn\n")
	for i := range count {
		fmt.Fprintf(&list, "user%d@yourdomain.com\n", i)
	}
	if err := os.WriteFile(filepath.Join(folder, "users.csv"), []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// entries reads the ledger of a folder.
func entries(t *testing.T, folder string, q ledger.Query) (all []ledger.Entry) {
	t.Helper()
	l, err := sqlite.Open(t.Context(), filepath.Join(folder, "out", "fleet", "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for e, err := range l.Entries(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// audit holds the files of a finished run against the ledger. It opens every PFX
// file of a sample.
func audit(t *testing.T, dir string, sample int) (live int) {
	t.Helper()
	out := filepath.Join(dir, "out", "fleet")
	l, err := sqlite.Open(t.Context(), filepath.Join(out, "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	m, err := folder.Load(filepath.Join(out, folder.ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	passwords, err := folder.LoadPasswords(filepath.Join(out, folder.PasswordsName))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]folder.User{}
	for _, u := range m.Users {
		listed[u.SerialNumber] = u
	}
	files := map[string]bool{}
	persons := map[string]string{}
	for e, err := range l.Entries(t.Context(), ledger.Query{Certificates: true}) {
		if err != nil {
			t.Fatal(err)
		}
		stem := e.UPN + "." + e.Serial
		for _, extension := range []string{".pfx", ".json", ".crt"} {
			files[stem+extension] = true
		}
		crt, err := os.ReadFile(filepath.Join(out, "users", stem+".crt"))
		if err != nil {
			t.Fatal(err)
		}
		certs, err := cba.ParseCertificates(crt)
		if e.State.Live() && (err != nil || !bytes.Equal(certs[0].Raw, e.Certificate)) {
			t.Fatalf("%s: the file is not the certificate of the ledger (%v)", stem, err)
		}
		u, there := listed[e.Serial]
		if there != e.State.Live() {
			t.Errorf("%s is %v; in the manifest: %v", stem, e.State, there)
		}
		if !e.State.Live() {
			continue
		}
		live++
		if other, twice := persons[e.Owner]; twice {
			t.Errorf("%s has two live certificates, %s and %s", e.Owner, other, e.Serial)
		}
		persons[e.Owner] = e.Serial
		if live > sample {
			continue
		}
		data, err := os.ReadFile(filepath.Join(out, u.PFX))
		if err != nil {
			t.Fatal(err)
		}
		bundle, err := pfx.Decode(data, passwords.Of(e.UPN))
		if err != nil || !bytes.Equal(bundle.Certificate.Raw, e.Certificate) {
			t.Errorf("%s: PFX: %v", stem, err)
		}
	}
	if len(listed) != live {
		t.Errorf("%d in the manifest, %d live", len(listed), live)
	}
	found, err := os.ReadDir(filepath.Join(out, "users"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range found {
		if !files[file.Name()] {
			t.Errorf("left behind: %s", file.Name())
		}
	}
	return live
}

func TestLife(t *testing.T) {
	folder := t.TempDir()
	writeUsers(t, folder, 12)
	args := []string{"-users", "users.csv"}
	if f := good(t, folder, args...); f.Issued != 12 || f.Ledger["issued"] != 12 {
		t.Errorf("first run: %+v", f)
	}
	if f := good(t, folder, args...); f.Issued != 0 || f.AlreadyIssued != 12 {
		t.Errorf("second run: %+v", f)
	}
	if f := good(t, folder, append(args, "-renew")...); f.Issued != 0 || f.Renewed != 0 {
		t.Errorf("nothing is due: %+v", f)
	}
	if f := good(t, folder, append(args, "-renew", "-due", "100")...); f.Issued != 12 || f.Renewed != 12 || f.Ledger["renewed"] != 12 {
		t.Errorf("all are due: %+v", f)
	}
	f := good(t, folder, "-revoke", "USER3@yourdomain.com", "-reason", "keyCompromise")
	if f.Revoked != 2 || f.RevocationLists[0].Revoked != 2 || f.Issued != 0 {
		t.Errorf("revoked: %+v", f)
	}
	der, err := os.ReadFile(filepath.Join(folder, f.RevocationLists[0].File))
	if err != nil {
		t.Fatal(err)
	}
	list, err := crl.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries(t, folder, ledger.Query{States: []ledger.State{ledger.Revoked}}) {
		serial, ok := new(big.Int).SetString(e.Serial, 16)
		if !ok {
			t.Fatal(e.Serial)
		}
		if entry, ok := list.Lookup(serial); !ok || entry.Reason != crl.KeyCompromise {
			t.Errorf("%s: %v, %v", e.Serial, entry, ok)
		}
	}
	// A certificate's file that is lost is written again.
	lost, _ := filepath.Glob(filepath.Join(folder, "out", "fleet", "users", "user5@yourdomain.com.*.crt"))
	for _, name := range lost {
		if err := os.Truncate(name, 0); err != nil {
			t.Fatal(err)
		}
	}
	if len(lost) != 2 {
		t.Fatalf("%d files of user5", len(lost))
	}
	// Who left is still on the list, and stays out.
	if f := good(t, folder, append(args, "-renew")...); f.Issued != 0 || f.WereRevoked != 1 {
		t.Errorf("after the revocation: %+v", f)
	}
	if live := audit(t, folder, 20); live != 11 {
		t.Errorf("%d live, want 11", live)
	}
	if f := good(t, folder, append(args, "-reissue")...); f.Issued != 1 {
		t.Errorf("-reissue: %+v", f)
	}
	r := fleet(t, folder, "-revoke", "nobody@yourdomain.com")
	if r.code != 1 || !strings.Contains(r.stderr, "nobody@yourdomain.com has no certificate") {
		t.Errorf("exit status %d: %s", r.code, r.stderr)
	}
	if live := audit(t, folder, 20); live != 12 {
		t.Errorf("%d live, want 12", live)
	}
}

// TestPublishedLater ends a run between the row of a revocation and the list, and
// between the store of the list and its file.
func TestPublishedLater(t *testing.T) {
	folder := t.TempDir()
	writeUsers(t, folder, 3)
	good(t, folder, "-users", "users.csv")
	l, err := sqlite.Open(t.Context(), filepath.Join(folder, "out", "fleet", "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Revoke(t.Context(), "user1@yourdomain.com", time.Now(), crl.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	l.Close()
	f := good(t, folder, "-users", "users.csv")
	if list := f.RevocationLists[0]; list.Revoked != 1 || list.Number != "2" {
		t.Fatalf("after the row: %+v", list)
	}
	file := filepath.Join(folder, f.RevocationLists[0].File)
	published, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	good(t, folder, "-revoke", "user2@yourdomain.com")
	if err := os.WriteFile(file, published, 0o600); err != nil {
		t.Fatal(err)
	}
	if list := good(t, folder, "-users", "users.csv").RevocationLists[0]; list.Revoked != 2 || list.Number != "4" {
		t.Errorf("after the store: %+v", list)
	}
	if list := good(t, folder, "-users", "users.csv").RevocationLists[0]; list.Number != "4" {
		t.Errorf("a list without news: %+v", list)
	}
}

// TestOtherCA goes on with a ledger whose CA was lost.
func TestOtherCA(t *testing.T) {
	folder := t.TempDir()
	writeUsers(t, folder, 3)
	good(t, folder, "-users", "users.csv")
	if err := os.Rename(filepath.Join(folder, "out", "fleet", "ca"), filepath.Join(folder, "old")); err != nil {
		t.Fatal(err)
	}
	r := fleet(t, folder, "-users", "users.csv")
	if r.code != 0 || !strings.Contains(r.stdout, "3 live certificates were issued by another CA") {
		t.Errorf("exit status %d: %s%s", r.code, r.stdout, r.stderr)
	}
	r = fleet(t, folder, "-revoke", "user1@yourdomain.com")
	if r.code != 1 || !strings.Contains(r.stderr, "another CA issued it") {
		t.Errorf("exit status %d: %s%s", r.code, r.stdout, r.stderr)
	}
	ca := filepath.Join(folder, "out", "fleet", "ca")
	if err := errors.Join(os.Rename(ca, filepath.Join(folder, "new")), os.Rename(filepath.Join(folder, "old"), ca)); err != nil {
		t.Fatal(err)
	}
	if f := good(t, folder, "-users", "users.csv"); f.RevocationLists[0].Revoked != 1 || f.WereRevoked != 1 {
		t.Errorf("with the old CA: %+v", f)
	}
	if err := errors.Join(os.Rename(ca, filepath.Join(folder, "old")), os.Rename(filepath.Join(folder, "new"), ca)); err != nil {
		t.Fatal(err)
	}
	f := good(t, folder, "-users", "users.csv", "-renew", "-due", "100")
	if f.Renewed != 2 {
		t.Errorf("replaced: %+v", f)
	}
}

// TestInterrupt ends a run as Ctrl-C does: it says how far it came, and the next
// one goes on.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such signal")
	}
	folder := t.TempDir()
	const count = 2000
	writeUsers(t, folder, count)
	cmd, _, stderr := command(folder, "-users", "users.csv")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < 5*time.Minute; time.Sleep(5 * time.Millisecond) {
		if found, _ := filepath.Glob(filepath.Join(folder, "out", "fleet", "users", "*.json")); len(found) > 10 {
			break
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(stderr.String(), "Run the same command again") {
		t.Errorf("exit status %d: %s", code, stderr)
	}
	if live := audit(t, folder, 10); live == 0 || live >= count {
		t.Errorf("%d live", live)
	}
}

// TestTogether starts several runs on nothing at once: one CA, and everyone has one
// certificate. All of them have work.
func TestTogether(t *testing.T) {
	folder := t.TempDir()
	const count, programs = 400, 4
	writeUsers(t, folder, count)
	// All have begun before one of them may make the CA.
	out := filepath.Join(folder, "out", "fleet")
	if err := os.MkdirAll(out, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := sqlite.Open(t.Context(), filepath.Join(out, "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.Claim(t.Context(), "fleet:authority", ledger.Claim{Worker: "the test", Lease: time.Hour}); err != nil {
		t.Fatal(err)
	}
	results := make([]figures, programs)
	var group sync.WaitGroup
	for i := range programs {
		group.Go(func() { results[i] = good(t, folder, "-users", "users.csv") })
	}
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		if found, _ := filepath.Glob(filepath.Join(out, "runs", "*", "journal.jsonl")); len(found) == programs {
			break
		}
		if time.Since(began) > 5*time.Minute {
			t.Fatal("the programs did not begin")
		}
	}
	if err := l.Release(t.Context(), "the test"); err != nil {
		t.Fatal(err)
	}
	group.Wait()
	sum, workers := 0, 0
	for _, f := range results {
		sum += f.Issued
		if f.Issued > 0 {
			workers++
		}
	}
	if sum != count || workers < 2 {
		t.Errorf("%d issued by %d programs, want %d by several", sum, workers, count)
	}
	if all := entries(t, folder, ledger.Query{}); len(all) != count {
		t.Errorf("%d certificates, want %d", len(all), count)
	}
	if live := audit(t, folder, 20); live != count {
		t.Errorf("%d live, want %d", live, count)
	}
}

// A moment is something that can be seen of a run from outside: a kill waits for it.
type moment struct {
	name string
	list string // whom the run is for
	// seen looks at the folders of runs that have begun since, and at the folder of
	// CRLs as it was.
	seen func(runs []string, crls, before string) bool
}

// moments from the beginning of a run to its end. A number of certificates is drawn
// anew for each kill.
func moments(random *rand.Rand) []moment {
	has := func(runs []string, pattern string) bool {
		return slices.ContainsFunc(runs, func(run string) bool {
			found, _ := filepath.Glob(filepath.Join(run, pattern))
			return len(found) > 0
		})
	}
	size := int64(1 + random.IntN(3000)) // a line for each certificate
	return []moment{
		{"started", "users.csv", func([]string, string, string) bool { return true }},
		{"begun", "users.csv", func(runs []string, _, _ string) bool { return len(runs) > 0 }},
		{"issuing", "users.csv", func(runs []string, _, _ string) bool {
			return slices.ContainsFunc(runs, func(run string) bool {
				info, err := os.Stat(filepath.Join(run, "journal.jsonl"))
				return err == nil && info.Size() >= size
			})
		}},
		{"in a file", "users.csv", func(runs []string, _, _ string) bool { return has(runs, "*.pfx") || has(runs, "user*.json") }},
		{"publishing", "few.csv", func(_ []string, crls, before string) bool { return crls != before }},
		{"passwords", "few.csv", func(runs []string, _, _ string) bool { return has(runs, "passwords.csv") }},
		{"manifest", "few.csv", func(runs []string, _, _ string) bool { return has(runs, "manifest.json") }},
	}
}

// look describes the files of a folder, so that a change is noticed.
func look(folder string) string {
	var text strings.Builder
	found, _ := os.ReadDir(folder)
	for _, file := range found {
		if info, err := file.Info(); err == nil {
			fmt.Fprintln(&text, info.Name(), info.Size(), info.ModTime().UnixNano())
		}
	}
	return text.String()
}

// TestKilled ends the program at moments of its work, while it issues, renews and
// revokes, alone and two at a time. After every kill, what was recorded before still
// is, with its files; in the end everyone has one certificate and nobody was issued
// another without a renewal.
func TestKilled(t *testing.T) {
	kills := 200
	if testing.Short() {
		kills = 20
	}
	folder := t.TempDir()
	const count, few = 1500, 20
	writeUsers(t, folder, few)
	if err := os.Rename(filepath.Join(folder, "users.csv"), filepath.Join(folder, "few.csv")); err != nil {
		t.Fatal(err)
	}
	writeUsers(t, folder, count)
	seed := uint64(time.Now().UnixNano())
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	random := rand.New(rand.NewPCG(seed, 0))
	out := filepath.Join(folder, "out", "fleet")
	database := filepath.Join(out, "ledger.db")

	seen := map[string]ledger.Entry{}
	revoked := map[string]bool{}
	check := func(l ledger.Ledger) {
		t.Helper()
		n := 0
		live := map[string]bool{}
		for e, err := range l.Entries(t.Context(), ledger.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			old, known := seen[e.Serial]
			if known && (old.Owner != e.Owner || old.State > e.State) {
				t.Fatalf("was %+v, is %+v", old, e)
			}
			if !known {
				for _, extension := range []string{".pfx", ".json", ".crt"} {
					name := filepath.Join(out, "users", e.UPN+"."+e.Serial+extension)
					if _, err := os.Stat(name); err != nil {
						t.Fatalf("recorded without its file: %v", err)
					}
				}
			}
			seen[e.Serial] = e
			if e.State.Live() {
				if live[e.Owner] {
					t.Fatalf("%s has two live certificates", e.Owner)
				}
				if revoked[e.Owner] {
					t.Fatalf("%s was revoked and has one", e.Owner)
				}
				live[e.Owner] = true
			}
		}
		if n != len(seen) {
			t.Fatalf("%d certificates, had %d", n, len(seen))
		}
	}
	runs := func() (all []string) {
		all, _ = filepath.Glob(filepath.Join(out, "runs", "*"))
		return all
	}

	killed := map[string]int{} // by moment
	sum := 0
	for i := 0; sum < kills; i++ {
		if i > 20*kills {
			t.Fatalf("only %d of %d runs could be killed: %v", sum, i, killed)
		}
		all := moments(random)
		at := all[i%len(all)]
		args := []string{"-users", at.list}
		switch {
		case at.name == "publishing":
			// Somebody who has one, so that there is something to publish.
			for _, e := range seen {
				if e.State.Live() {
					args = append(args, "-revoke", e.UPN)
					break
				}
			}
		case i%3 == 1:
			args = append(args, "-renew", "-due", "100")
		}
		programs := 1
		if i%4 == 3 {
			programs = 2
		}
		old, before := runs(), look(filepath.Join(out, "crl"))
		var running []*exec.Cmd
		ended := make(chan struct{})
		var group sync.WaitGroup
		for range programs {
			cmd, _, _ := command(folder, args...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			running = append(running, cmd)
			group.Go(func() { cmd.Wait() })
		}
		go func() { group.Wait(); close(ended) }()
		// A run may end before the moment comes, if it has nothing of the kind to do.
		for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(200 * time.Microsecond) {
			select {
			case <-ended:
			default:
				begun := slices.DeleteFunc(runs(), func(run string) bool { return slices.Contains(old, run) })
				if !at.seen(begun, look(filepath.Join(out, "crl")), before) {
					if time.Now().After(deadline) {
						t.Fatalf("%q: %q did not come", args, at.name)
					}
					continue
				}
			}
			break
		}
		time.Sleep(time.Duration(random.IntN(3000)) * time.Microsecond) // and a little later
		for _, cmd := range running {
			cmd.Process.Kill()
		}
		<-ended
		for _, cmd := range running {
			if cmd.ProcessState.ExitCode() == -1 {
				killed[at.name]++
				sum++
			}
		}
		if _, err := os.Stat(database); err != nil {
			continue // killed before it began
		}
		l, err := sqlite.Open(context.Background(), database, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if i%20 == 0 {
			if err := l.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		check(l)
		l.Close()
		for _, e := range seen {
			if e.State == ledger.Revoked {
				revoked[e.Owner] = true
			}
		}
	}
	f := good(t, folder, "-users", "users.csv")
	first := map[string]int{}
	for _, e := range entries(t, folder, ledger.Query{}) {
		if e.Replaces == "" {
			first[e.Owner]++
		}
	}
	for owner, n := range first {
		if n != 1 {
			t.Errorf("%s was issued %d times", owner, n)
		}
	}
	if live := audit(t, folder, 100); live+len(revoked) != count || f.WereRevoked != len(revoked) {
		t.Errorf("%d live, %d revoked, want %d together", live, len(revoked), count)
	}
	inList := 0
	for _, e := range seen {
		if e.State == ledger.Revoked {
			inList++
		}
	}
	if f.RevocationLists[0].Revoked != inList {
		t.Errorf("%d in the CRL, %d revoked", f.RevocationLists[0].Revoked, inList)
	}
	left, _ := filepath.Glob(filepath.Join(out, "leftover", "*", "*.pfx"))
	if kills > 100 {
		for _, at := range moments(random) {
			if killed[at.name] == 0 {
				t.Errorf("no run was killed at %q", at.name)
			}
		}
		if inList == 0 || f.Ledger["renewed"] == 0 || len(left) == 0 {
			t.Errorf("%d revoked, %d renewed, %d PFX files left behind: want some of each", inList, f.Ledger["renewed"], len(left))
		}
	}
	if still := runs(); len(still) > 0 {
		t.Errorf("folders of runs: %q", still)
	}
	t.Logf("%v; %d certificates recorded by killed runs, %d by the last; %d PFX files left behind; %v", killed, len(seen), f.Issued, len(left), f.Ledger)
}

func TestUnusable(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		make func(t *testing.T, folder string)
		says []string
	}{
		{"unknown key type", []string{"-key", "ed25519"}, nil, []string{"ed25519"}},
		{"no list", []string{"-users", "nowhere.csv"}, nil, []string{"nowhere.csv"}},
		{"arguments", []string{"jane@yourdomain.com"}, nil, []string{"-users"}},
		{"workers", []string{"-workers", "-1"}, nil, []string{"-workers"}},
		{"due", []string{"-due", "0"}, nil, []string{"-due"}},
		{"export", []string{"-export", "x.xlsx"}, nil, []string{".csv"}},
		{"hold", []string{"-revoke", "x", "-reason", "certificateHold"}, nil, []string{"-reason"}},
		{"reason", []string{"-revoke", "x", "-reason", "tired"}, nil, []string{"tired"}},
		{"half a token", []string{"-token", "x"}, nil, []string{"-pin-file"}},
		{"renewing nobody", []string{"-renew"}, nil, []string{"-renew", "-users"}},
		{"reissuing for nobody", []string{"-reissue"}, nil, []string{"-reissue", "-users"}},
		{"a CA for nobody", []string{"-ca", "x"}, nil, []string{"-ca", "-users"}},
		{"the ledger is something else", []string{"-ledger", "users.csv"}, func(t *testing.T, folder string) { writeUsers(t, folder, 100) }, []string{"users.csv", "not a ledger"}},
		{"no folder for the ledger", []string{"-ledger", "nowhere/ledger.db", "-users", "users.csv"}, func(t *testing.T, folder string) { writeUsers(t, folder, 3) }, []string{"nowhere/ledger.db", "cannot be reached"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			if test.make != nil {
				test.make(t, folder)
			}
			r := fleet(t, folder, test.args...)
			if r.code != 2 || r.stdout != "" {
				t.Errorf("exit status %d, printed %q", r.code, r.stdout)
			}
			for _, want := range test.says {
				if !strings.Contains(r.stderr, want) {
					t.Errorf("does not say %q:\n%s", want, r.stderr)
				}
			}
			for _, pattern := range []string{"out/fleet/ca", "out/fleet/users/*", "out/fleet/*.json"} {
				if left, _ := filepath.Glob(filepath.Join(folder, pattern)); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			}
		})
	}
}

// Where no PFX can be written, nothing is issued, and nothing panics.
func TestFIPSOnly(t *testing.T) {
	dir := t.TempDir()
	writeUsers(t, dir, 2)
	r := programtest.FIPSOnly(t, program, dir, "-key", "p256", "-users", "users.csv")
	if r.Code != 1 || !strings.Contains(r.Stderr, "fips140=only") || !strings.Contains(r.Stdout, "0 issued") {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	if r := programtest.FIPSOnly(t, program, dir); r.Code != 0 {
		t.Errorf("reading: exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}
