package publish_test

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/crltest"
	"example.com/entracba/cba/crl/publish"
)

var parts = []publish.Part{publish.State, publish.Entries}

// put writes parts into a store as they are.
func put(tb testing.TB, store publish.Store, part publish.Part, content string) {
	tb.Helper()
	if err := store.Save(ctx, part, func(w io.Writer) error { _, err := io.WriteString(w, content); return err }); err != nil {
		tb.Fatal(err)
	}
}

func get(tb testing.TB, store publish.Store, part publish.Part) string {
	tb.Helper()
	r, err := store.Load(ctx, part)
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	return string(crltest.Must[[]byte](tb)(io.ReadAll(r)))
}

// No bit of the state can be changed, nothing cut off or added; TestLedgerDamage
// holds the same of the entries.
func TestStateDamage(t *testing.T) {
	d := newDesk(t)
	store := new(publish.MemoryStore)
	d.Store = store
	d.revoke(1, crl.KeyCompromise)
	d.base("1 1=keyCompromise")
	good := get(t, store, publish.State)
	try := func(what, content string) {
		t.Helper()
		put(t, store, publish.State, content)
		_, errBase := d.Base(ctx, publish.Options{})
		_, errDelta := d.Delta(ctx, publish.Options{})
		for _, err := range []error{errBase, errDelta, d.Revoke(ctx, crl.Revocation{Serial: big.NewInt(2)})} {
			if !errors.Is(err, publish.Damaged) && !errors.Is(err, publish.OtherCA) {
				t.Fatalf("%s: %v", what, err)
			}
		}
		if get(t, store, publish.State) != content {
			t.Fatalf("%s: the state was changed", what)
		}
	}
	for i := range good {
		changed := []byte(good)
		changed[i] ^= 1
		try(fmt.Sprintf("byte %d", i), string(changed))
		try(fmt.Sprintf("%d bytes", i), good[:i])
	}
	try("a line more", good+"end\n")
	try("twice", good+good)
	try("the entries", get(t, store, publish.Entries))
	put(t, store, publish.State, good)
	d.base("2 1=keyCompromise")
}

// One part that was restored from an old copy without the other, or that is missing,
// is noticed: no number is used twice, and no revocation is lost.
func TestPartsBelongTogether(t *testing.T) {
	folder := t.TempDir()
	d := newDesk(t)
	store := publish.FileStore{Path: filepath.Join(folder, "store")}
	d.Store = store
	save := func() (copies [2]string) {
		for n, part := range parts {
			copies[n] = get(t, store, part)
		}
		return copies
	}
	d.base("1")
	first := save()
	d.revoke(1, crl.KeyCompromise)
	afterRevoke := save()
	d.base("2 1=keyCompromise")
	afterBase := save()
	d.revoke(2, crl.KeyCompromise)
	last := save()
	for name, c := range map[string]struct {
		state, entries string
		says           string
	}{
		"old entries":      {last[0], afterBase[1], ""}, // the same generation as the state's: a revocation of after it may be missing
		"older entries":    {last[0], first[1], "the entries are older"},
		"old state":        {afterRevoke[0], last[1], "the state is older"},
		"no state":         {"", last[1], "no state"},
		"no entries":       {last[0], "", "no entries"},
		"both old":         {first[0], first[1], ""}, // nobody can know
		"state of its own": {afterBase[0], last[1], ""},
	} {
		for n, content := range []string{c.state, c.entries} {
			put(t, store, parts[n], content)
		}
		if c.state == "" {
			os.Remove(store.Path + ".state")
		}
		if c.entries == "" {
			os.Remove(store.Path)
		}
		_, errBase := d.Base(ctx, publish.Options{ThisUpdate: d.now})
		for _, err := range []error{errBase, d.Revoke(ctx, crl.Revocation{Serial: big.NewInt(3)})} {
			if (err == nil) != (c.says == "") || err != nil && (!errors.Is(err, publish.Damaged) || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for _, e := range crltest.Must[[]os.DirEntry](t)(os.ReadDir(folder)) {
		if !slices.Contains([]string{"store", "store.state", "store.lock"}, e.Name()) {
			t.Errorf("the folder has %v", e)
		}
	}
}

// The first attempt of all, broken off anywhere, leaves a store that works.
func TestFirstAttemptFails(t *testing.T) {
	for fail := range 4 {
		d := newDesk(t)
		store := &failingStore{left: fail}
		d.Store = store
		errRevoke := d.Revoke(ctx, crl.Revocation{Serial: big.NewInt(1), Time: d.now})
		_, errBase := d.Base(ctx, publish.Options{ThisUpdate: d.now})
		if errRevoke == nil && errBase == nil {
			t.Errorf("failing after %d saves: no error", fail)
		}
		for _, err := range []error{errRevoke, errBase} {
			if err != nil && !errors.Is(err, publish.StoreFailed) && !errors.Is(err, publish.NotRecorded) || err != nil && !errors.Is(err, errNoSpace) {
				t.Errorf("failing after %d saves: %v", fail, err)
			}
		}
		store.left = 100
		if err := d.Revoke(ctx, crl.Revocation{Serial: big.NewInt(1), Time: d.now}); err != nil {
			t.Errorf("failing after %d saves, and then no more: %v", fail, err)
		}
		if list := crltest.Must[*crl.List](t)(d.Base(ctx, publish.Options{ThisUpdate: d.now})); list.Len() != 1 {
			t.Errorf("failing after %d saves: the CRL has %d entries", fail, list.Len())
		}
	}
}

var errNoSpace = errors.New("no space left")

// A failingStore saves so many times.
type failingStore struct {
	publish.MemoryStore
	left int
}

func (s *failingStore) Save(ctx context.Context, part publish.Part, write func(io.Writer) error) error {
	if s.left--; s.left < 0 {
		return errNoSpace
	}
	return s.MemoryStore.Save(ctx, part, write)
}

// The entries are read once for a CRL, and not written.
func TestBaseReadsOnce(t *testing.T) {
	d := newDesk(t)
	store := &countingStore{}
	d.Store = store
	d.revoke(1, crl.KeyCompromise)
	store.reads, store.writes = nil, nil
	d.base("1 1=keyCompromise")
	d.delta("2<1")
	want := []publish.Part{publish.State, publish.Entries, publish.State, publish.Entries}
	if !slices.Equal(store.reads, want) {
		t.Errorf("a base and a delta CRL read %v", store.reads)
	}
	if slices.Contains(store.writes, publish.Entries) || len(store.writes) != 3 { // number, base; number
		t.Errorf("a base and a delta CRL write %v", store.writes)
	}
}

type countingStore struct {
	publish.MemoryStore
	reads, writes []publish.Part
}

func (s *countingStore) Load(ctx context.Context, part publish.Part) (io.ReadCloser, error) {
	s.reads = append(s.reads, part)
	return s.MemoryStore.Load(ctx, part)
}

func (s *countingStore) Save(ctx context.Context, part publish.Part, write func(io.Writer) error) error {
	s.writes = append(s.writes, part)
	return s.MemoryStore.Save(ctx, part, write)
}

// fuzzAuthority has the same store in every process.
func fuzzAuthority(tb testing.TB) (crltest.Authority, string) {
	ca := crltest.NewAuthority(tb, "Woodgrove CA", "p256", func(c *x509.Certificate) { c.SubjectKeyId = []byte{1, 2, 3} })
	id := sha256.Sum256(append(slices.Clone(ca.Cert.RawSubject), ca.Cert.SubjectKeyId...))
	return ca, hex.EncodeToString(id[:])
}

// sealed puts the right last line behind a text, unless it has one.
func sealed(text string, head int) string {
	if strings.Contains(text, "\nend ") {
		return text
	}
	return fmt.Sprintf("%send %d %x\n", text, max(strings.Count(text, "\n")-head, 0), sha256.Sum256([]byte(text)))
}

// FuzzStore holds, for any two texts that a store may have:
//   - nothing panics, and every error is an *Error with a reason,
//   - what is read without an error is what the next CRL has,
//   - recording one more revocation keeps all others.
func FuzzStore(f *testing.F) {
	ca, id := fuzzAuthority(f)
	state := func(number, base, generation string) string {
		return "entracba-crl-state 2\nissuer " + id + "\nnumber " + number + "\nbase " + base + "\ngeneration " + generation + "\n"
	}
	entries := func(number, generation string, lines ...string) string {
		return "entracba-crl-entries 2\nissuer " + id + "\nnumber " + number + "\ngeneration " + generation + "\n" + strings.Join(lines, "")
	}
	const one, held, gone = "4a17 2026-01-02T15:04:05Z keyCompromise 3 2027-01-01T00:00:00Z\n", "00ff 2026-01-02T15:04:05Z certificateHold 4 -\n", "7f 2026-01-02T15:04:05Z removeFromCRL 5 -\n"
	f.Add(state("4", "3 2026-02-01T00:00:00Z", "2"), entries("4", "2", one, held, gone))
	f.Add(state("4", "0 -", "2"), entries("3", "3", held))
	f.Add(state("0", "0 -", "0"), entries("0", "1"))
	f.Add(state("18446744073709551615", "0 -", "0"), entries("0", "1", one))
	f.Add(state("4", "9 -", "2"), entries("4", "2", one, one))
	f.Add("", "")
	f.Add(state("1", "0 -", "1")+"end 0 00\n", strings.Repeat("x", 100))
	f.Fuzz(func(t *testing.T, stateText, entriesText string) {
		store := new(publish.MemoryStore)
		put(t, store, publish.State, sealed(stateText, 5))
		put(t, store, publish.Entries, sealed(entriesText, 4))
		issuer := &publish.Issuer{Certificate: ca.Cert, Key: ca.Key, Store: store, Now: crltest.At}
		typed := func(err error) bool {
			var e *publish.Error
			if err != nil && (!errors.As(err, &e) || e.Reason == "") {
				t.Fatalf("error %v", err)
			}
			return err == nil
		}
		recorded := func() (texts []string, ok bool) {
			for r, err := range issuer.Revocations(ctx) {
				if !typed(err) {
					return nil, false
				}
				texts = append(texts, fmt.Sprintf("%x %v %s", r.Serial, r.Reason, r.Time.UTC().Format(time.RFC3339)))
			}
			return texts, true
		}
		before, readable := recorded()
		_, err := issuer.Delta(ctx, publish.Options{})
		typed(err)
		list, err := issuer.Base(ctx, publish.Options{})
		if typed(err) {
			var listed []string
			for e := range list.All() {
				listed = append(listed, fmt.Sprintf("%x %v %s", e.Serial(), e.Reason, e.Time.Format(time.RFC3339)))
			}
			if !readable || !slices.Equal(before, listed) {
				t.Fatalf("the CRL has\n%q, and recorded are\n%q", listed, before)
			}
		}
		again, _ := recorded() // a new base CRL may have let expired ones go
		largest := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 159), big.NewInt(1))
		if !typed(issuer.Revoke(ctx, crl.Revocation{Serial: largest})) {
			return
		}
		after, ok := recorded()
		if !ok || !readable {
			t.Fatal("what is not readable was written")
		}
		for _, text := range again {
			if !slices.Contains(after, text) && !strings.HasPrefix(text, fmt.Sprintf("%x ", largest)) {
				t.Fatalf("%q is lost", text)
			}
		}
	})
}
