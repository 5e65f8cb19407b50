package publish_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/crltest"
	"example.com/entracba/cba/crl/publish"
)

func save(store publish.FileStore, text string) error {
	return store.Save(ctx, publish.Entries, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
}

func load(tb testing.TB, store publish.FileStore) string {
	tb.Helper()
	r, err := store.Load(ctx, publish.Entries)
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	return string(crltest.Must[[]byte](tb)(io.ReadAll(r)))
}

func TestFileStore(t *testing.T) {
	folder := t.TempDir()
	store := publish.FileStore{Path: filepath.Join(folder, "ledger")}
	if _, err := store.Load(ctx, publish.Entries); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("load of nothing: %v", err)
	}
	if err := save(store, "one"); err != nil {
		t.Fatal(err)
	}
	old, err := store.Load(ctx, publish.Entries)
	if err != nil {
		t.Fatal(err)
	}
	// What a crash left behind does not matter, and a failed save changes nothing.
	if err := os.WriteFile(store.Path+".new", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err = store.Save(ctx, publish.Entries, func(w io.Writer) error {
		io.WriteString(w, strings.Repeat("x", 1<<20))
		return broken
	})
	if !errors.Is(err, broken) || load(t, store) != "one" {
		t.Errorf("%v", err)
	}
	if err := save(store, "two"); err != nil {
		t.Fatal(err)
	}
	// Who was reading reads on.
	if text, _ := io.ReadAll(old); string(text) != "one" {
		t.Errorf("the old reader has %q", text)
	}
	old.Close()
	if load(t, store) != "two" {
		t.Error("not replaced")
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
	if info, err := os.Stat(store.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := save(publish.FileStore{Path: filepath.Join(folder, "nowhere", "ledger")}, ""); err == nil {
		t.Error("saved into a folder that is not there")
	}
	// A rename that fails: the target is a folder.
	target := filepath.Join(folder, "folder")
	if err := os.MkdirAll(filepath.Join(target, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := save(publish.FileStore{Path: target}, ""); err == nil {
		t.Error("saved over a folder")
	}
	if _, err := os.Stat(target + ".new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the temporary file stays: %v", err)
	}
}

func TestFileStoreLock(t *testing.T) {
	store := publish.FileStore{Path: filepath.Join(t.TempDir(), "ledger")}
	unlock, err := store.Lock(ctx)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	if _, err := store.Lock(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second lock: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if unlock, err = store.Lock(ctx); err != nil {
		t.Fatal(err)
	}
	unlock()
}

// Many goroutines issue and revoke at once: every number is used once, and no
// revocation is lost.
func TestIssuerConcurrently(t *testing.T) {
	d := newDesk(t)
	d.base("1")
	const workers, rounds = 4, 5
	numbers := make(chan string, workers*rounds)
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for round := range rounds {
				if err := d.Revoke(ctx, crl.Revocation{Serial: big.NewInt(int64(worker*100 + round))}); err != nil {
					t.Error(err)
				}
				list, err := d.Delta(ctx, publish.Options{})
				if err != nil {
					t.Error(err)
					return
				}
				numbers <- list.Number.String()
			}
		}()
	}
	wait.Wait()
	close(numbers)
	seen := make(map[string]bool)
	for n := range numbers {
		if seen[n] {
			t.Errorf("number %s is used twice", n)
		}
		seen[n] = true
	}
	list := crltest.Must[*crl.List](t)(d.Base(ctx, publish.Options{}))
	if list.Len() != workers*rounds || list.Number.Int64() != 2+workers*rounds {
		t.Errorf("%d revocations, number %v", list.Len(), list.Number)
	}
}

// TestMain makes the test binary the helper processes of TestCrash.
func TestMain(m *testing.M) {
	if path := os.Getenv("CRL_TEST_LEDGER"); path != "" {
		crashHelper(path)
	}
	os.Exit(m.Run())
}

// crashHelper issues and revokes until it is killed, and says what it has been
// promised.
func crashHelper(path string) {
	ca := helperAuthority()
	issuer := &publish.Issuer{Certificate: ca.Cert, Key: ca.Key, Store: publish.FileStore{Path: path}}
	first, _ := strconv.ParseInt(os.Getenv("CRL_TEST_FIRST"), 10, 64)
	for serial := first; ; serial++ {
		if err := issuer.Revoke(ctx, crl.Revocation{Serial: big.NewInt(serial)}); err != nil {
			fmt.Println("error", err)
			os.Exit(3)
		}
		fmt.Println("revoked", serial)
		issue := issuer.Delta
		if serial%3 == 0 || serial == first {
			issue = issuer.Base
		}
		list, err := issue(ctx, publish.Options{})
		if err != nil {
			fmt.Println("error", err)
			os.Exit(3)
		}
		fmt.Println("number", list.Number)
	}
}

// A process that is killed at any moment, again and again: the ledger is always
// whole, has every revocation that was acknowledged, and no number comes twice.
func TestCrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	numbers, revoked := make(map[string]bool), make(map[string]bool)
	next := int64(1)
	for round := range 12 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "CRL_TEST_LEDGER="+path, "CRL_TEST_FIRST="+strconv.FormatInt(next, 10), "CRL_TEST_KEY="+helperKey(t))
		out := crltest.Must[io.ReadCloser](t)(cmd.StdoutPipe())
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for line := 0; lines.Scan(); line++ {
			word, value, _ := strings.Cut(lines.Text(), " ")
			switch word {
			case "revoked":
				revoked[value] = true
				next, _ = strconv.ParseInt(value, 10, 64)
				next += 2 // the one after may have been recorded without a word
			case "number":
				if numbers[value] {
					t.Fatalf("number %s is used twice", value)
				}
				numbers[value] = true
			default:
				t.Fatal(lines.Text())
			}
			if line == 5+round {
				time.Sleep(time.Duration(round*173%1000) * time.Microsecond)
				cmd.Process.Kill()
			}
		}
		cmd.Wait()
	}
	ca := helperAuthorityOf(t)
	issuer := &publish.Issuer{Certificate: ca.Cert, Key: ca.Key, Store: publish.FileStore{Path: path}}
	list := crltest.Must[*crl.List](t)(issuer.Base(ctx, publish.Options{}))
	if numbers[list.Number.String()] {
		t.Errorf("number %v is used twice", list.Number)
	}
	if len(revoked) < 24 || len(numbers) < 24 {
		t.Fatalf("only %d revocations and %d lists", len(revoked), len(numbers))
	}
	for serial := range revoked {
		n, _ := new(big.Int).SetString(serial, 10)
		if _, ok := list.Lookup(n); !ok {
			t.Errorf("the revocation of %s is lost", serial)
		}
	}
}
