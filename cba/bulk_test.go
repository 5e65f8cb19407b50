package cba_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
)

// users is a list of n users.
func users(n int) iter.Seq2[cba.Task, error] {
	return func(yield func(cba.Task, error) bool) {
		for i := range n {
			if !yield(cba.Task{Subject: cba.Subject{UPN: fmt.Sprintf("user%d@yourdomain.com", i)}}, nil) {
				return
			}
		}
	}
}

// A journal remembers in memory, and fails where a test says so.
type journal struct {
	done    map[string]string // UPN to serial number
	twice   []string
	failAt  int // Record fails at this many
	failErr error
}

func newJournal() *journal { return &journal{done: map[string]string{}, failAt: -1} }

func (j *journal) Done(_ context.Context, s cba.Subject) (bool, error) {
	_, ok := j.done[s.UPN]
	return ok, nil
}

func (j *journal) Record(ctx context.Context, r cba.Result) error {
	if ctx.Err() != nil {
		return ctx.Err() // what was issued must be recorded
	}
	if len(j.done) == j.failAt {
		return j.failErr
	}
	if _, ok := j.done[r.Task.Subject.UPN]; ok {
		j.twice = append(j.twice, r.Task.Subject.UPN)
	}
	j.done[r.Task.Subject.UPN] = r.Certificate.SerialNumber.String()
	return nil
}

var fast = cba.Bulk{KeyType: cba.P256}

// noLeak fails if a goroutine of a list is left.
func noLeak(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for range 100 {
			if runtime.NumGoroutine() <= before {
				return
			}
			time.Sleep(time.Millisecond)
		}
		buf := make([]byte, 1<<16)
		t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
	})
}

func TestIssueAll(t *testing.T) {
	noLeak(t)
	root := newRoot(t, cba.P256)
	for _, workers := range []int{0, 1, 2, 7} {
		bulk := fast
		bulk.Workers = workers
		var progress cba.Progress
		bulk.Progress = func(p cba.Progress) { progress = p }
		n := 0
		serials := map[string]bool{}
		for r, err := range root.IssueAll(context.Background(), users(300), bulk) {
			if err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("user%d@yourdomain.com", n)
			names, err := cba.NamesOf(r.Certificate)
			if err != nil || r.Index != n || r.Task.Subject.UPN != want || !slices.Equal(names.UPNs, []string{want}) {
				t.Fatalf("result %d is number %d, for %v, with %v, %v", n, r.Index, r.Task.Subject, names.UPNs, err)
			}
			if !r.Key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(r.Certificate.PublicKey) {
				t.Fatal("the key is another's")
			}
			serials[r.Certificate.SerialNumber.String()] = true
			n++
			if progress != (cba.Progress{Issued: n}) {
				t.Fatalf("progress %+v after %d", progress, n)
			}
		}
		if n != 300 || len(serials) != 300 {
			t.Errorf("%d workers: %d results, %d serial numbers", workers, n, len(serials))
		}
	}
}

func TestIssueAllOfNobody(t *testing.T) {
	noLeak(t)
	for range newRoot(t, cba.P256).IssueAll(context.Background(), cba.Tasks(), fast) {
		t.Error("a result")
	}
}

// A task has its own profile and key if it says so.
func TestTask(t *testing.T) {
	root := newRoot(t, cba.P256)
	key := testKey(t, cba.P384, "jane")
	smartcard := cba.SmartcardUser()
	tasks := func(yield func(cba.Task, error) bool) {
		_ = yield(cba.Task{Subject: jane, PublicKey: key.Public(), Profile: &smartcard}, nil) &&
			yield(cba.Task{Subject: cba.Subject{UPN: "john@yourdomain.com"}}, nil)
	}
	bulk := fast
	bulk.Profile.Email = true
	var results []cba.Result
	for r, err := range root.IssueAll(context.Background(), tasks, bulk) {
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	if r := results[0]; r.Key != nil || !key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(r.Certificate.PublicKey) || len(r.Certificate.UnknownExtKeyUsage) != 1 {
		t.Errorf("jane: key %v, usages %v", r.Key, r.Certificate.UnknownExtKeyUsage)
	}
	if r := results[1]; r.Key == nil || len(r.Certificate.ExtKeyUsage) != 2 {
		t.Errorf("john: key %v, usages %v", r.Key, r.Certificate.ExtKeyUsage)
	}
}

// Errors come in their place, with the task, and the list goes on.
func TestIssueAllErrors(t *testing.T) {
	noLeak(t)
	root := newRoot(t, cba.P256)
	badLine := errors.New("line 4: wrong number of fields")
	tasks := func(yield func(cba.Task, error) bool) {
		for i, s := range []cba.Subject{
			{UPN: "jane@yourdomain.com"},
			{UPN: "jo\nhn@yourdomain.com"},
			{UPN: "JANE@yourdomain.com"},
			{},
			{Name: dn.Name{{{Type: dn.CommonName, Value: "no UPN"}}}},
			{},
			{},
			{Emails: []string{"alex@yourdomain.com"}},
			{Emails: []string{"Alex@yourdomain.com"}},
		} {
			var err error
			if i == 3 {
				err = badLine
			}
			if !yield(cba.Task{Subject: s}, err) {
				return
			}
		}
	}
	reason := func(err error) any {
		if e, ok := err.(*cba.Error); ok {
			return e.Reason
		}
		return err
	}
	var got []any
	for r, err := range root.IssueAll(context.Background(), tasks, fast) {
		if r.Index != len(got) {
			t.Errorf("index %d, want %d", r.Index, len(got))
		}
		if (err == nil) != (r.Certificate != nil) {
			t.Errorf("%v: certificate %v", err, r.Certificate != nil)
		}
		got = append(got, reason(err))
	}
	want := []any{nil, cba.ControlCharacter, cba.Duplicate, badLine, cba.Unfit, cba.Empty, cba.Empty, nil, cba.Duplicate}
	for i := range want {
		if i >= len(got) || got[i] != want[i] && !(got[i] == reason(nil) && want[i] == nil) {
			t.Fatalf("results %v, want %v", got, want)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d results, want %d", len(got), len(want))
	}

	bulk := fast
	bulk.StopOnError = true
	n, failed := 0, 0
	for _, err := range root.IssueAll(context.Background(), tasks, bulk) {
		n++
		if err != nil {
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("stopping at the first error: %d results, %d errors", n, failed)
	}
}

// StopOnError takes no more of the list than was under way.
func TestStopOnError(t *testing.T) {
	noLeak(t)
	root := newRoot(t, cba.P256)
	taken := 0
	tasks := func(yield func(cba.Task, error) bool) {
		for i := range 100000 {
			taken++
			upn := fmt.Sprintf("user%d@yourdomain.com", i)
			if i == 50 {
				upn = "\x00"
			}
			if !yield(cba.Task{Subject: cba.Subject{UPN: upn}}, nil) {
				return
			}
		}
	}
	bulk := fast
	bulk.StopOnError, bulk.Workers = true, 2
	errs, results := 0, 0
	for _, err := range root.IssueAll(context.Background(), tasks, bulk) {
		results++
		if err != nil {
			errs++
		}
	}
	if errs != 1 || results < 51 || taken > 51+32 {
		t.Errorf("%d errors, %d results, %d tasks taken", errs, results, taken)
	}
}

// Memory does not grow with the list: no more tasks are taken than the window
// has, however slow the first one is.
func TestWindow(t *testing.T) {
	noLeak(t)
	root := newRoot(t, cba.P256)
	release := make(chan struct{})
	var taken atomic.Int64
	tasks := func(yield func(cba.Task, error) bool) {
		for i := range 10000 {
			taken.Add(1)
			if i == 31 {
				// Two workers: the window of 32 is full with this one, and only now
				// does the first come out.
				time.AfterFunc(20*time.Millisecond, func() { close(release) })
			}
			select {
			case <-release:
				return
			default:
			}
			if !yield(cba.Task{Subject: cba.Subject{UPN: fmt.Sprintf("user%d@yourdomain.com", i)}}, nil) {
				return
			}
		}
	}
	bulk := fast
	bulk.Workers = 2
	bulk.Finish = func(_ context.Context, r *cba.Result) error {
		if r.Index == 0 {
			<-release
		}
		return nil
	}
	next := 0
	for r, err := range root.IssueAll(context.Background(), tasks, bulk) {
		if err != nil || r.Index != next {
			t.Fatalf("result %d, want %d, %v", r.Index, next, err)
		}
		next++
	}
	if n := taken.Load(); n > 33 {
		t.Errorf("%d tasks were taken while the first was slow", n)
	}
}

// Finish runs in the workers, sees the certificate and may fail.
func TestFinish(t *testing.T) {
	root := newRoot(t, cba.P256)
	full := errors.New("disk full")
	var mu sync.Mutex
	seen := map[int]bool{}
	bulk := fast
	j := newJournal()
	bulk.Journal = j
	bulk.Finish = func(ctx context.Context, r *cba.Result) error {
		mu.Lock()
		defer mu.Unlock()
		seen[r.Index] = true
		if r.Certificate == nil || r.Key == nil || ctx == nil {
			t.Error("called without a certificate")
		}
		if r.Index%10 == 3 {
			return full
		}
		r.Made = r.Task.Subject.UPN + ".pfx"
		return nil
	}
	n := 0
	for r, err := range root.IssueAll(context.Background(), users(50), bulk) {
		if (n%10 == 3) != errors.Is(err, full) {
			t.Errorf("%d: %v", n, err)
		}
		if err == nil && r.Made != r.Task.Subject.UPN+".pfx" {
			t.Errorf("%d: made %v", n, r.Made)
		}
		n++
	}
	if len(seen) != 50 || len(j.done) != 45 {
		t.Errorf("finished %d, recorded %d", len(seen), len(j.done))
	}
}

// A list that is cut off, by whatever means and wherever, is finished by giving
// it again: everybody has exactly one certificate in the journal, and nothing
// that was issued was lost on the way.
func TestContinue(t *testing.T) {
	const total = 200
	cuts := map[string]func(t *testing.T, root *cba.Issuer, ctx context.Context, cancel func(), bulk cba.Bulk, at int) (handed int){
		"the caller breaks off": func(t *testing.T, root *cba.Issuer, ctx context.Context, _ func(), bulk cba.Bulk, at int) (handed int) {
			for _, err := range root.IssueAll(ctx, users(total), bulk) {
				if err != nil {
					t.Fatal(err)
				}
				if handed++; handed == at {
					break
				}
			}
			return handed
		},
		"the context is cancelled": func(t *testing.T, root *cba.Issuer, ctx context.Context, cancel func(), bulk cba.Bulk, at int) (handed int) {
			var last error
			for _, err := range root.IssueAll(ctx, users(total), bulk) {
				if last = err; err != nil {
					continue
				}
				if handed++; handed == at {
					cancel()
				}
			}
			if !errors.Is(last, context.Canceled) {
				t.Errorf("the last error is %v", last)
			}
			return handed
		},
		"a worker cancels the context": func(t *testing.T, root *cba.Issuer, ctx context.Context, cancel func(), bulk cba.Bulk, at int) (handed int) {
			bulk.Finish = func(ctx context.Context, r *cba.Result) error {
				if r.Index == at {
					cancel()
				}
				return ctx.Err() // what was issued is finished: this context does not end
			}
			for _, err := range root.IssueAll(ctx, users(total), bulk) {
				if err == nil {
					handed++
				}
			}
			return handed
		},
		"the list fails": func(t *testing.T, root *cba.Issuer, ctx context.Context, _ func(), bulk cba.Bulk, at int) (handed int) {
			bulk.StopOnError = true
			cut := func(yield func(cba.Task, error) bool) {
				for i := range at {
					if !yield(cba.Task{Subject: cba.Subject{UPN: fmt.Sprintf("user%d@yourdomain.com", i)}}, nil) {
						return
					}
				}
				yield(cba.Task{}, io.ErrUnexpectedEOF)
			}
			for _, err := range root.IssueAll(ctx, cut, bulk) {
				if err == nil {
					handed++
				}
			}
			return handed
		},
	}
	for name, cut := range cuts {
		for _, at := range []int{1, 2, 33, 90} {
			t.Run(fmt.Sprintf("%s at %d", name, at), func(t *testing.T) {
				noLeak(t)
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				j := newJournal()
				bulk := fast
				bulk.Journal, bulk.Workers = j, 3
				var issued atomic.Int64 // signatures made
				key := newRoot(t, cba.P256).Key
				root := &cba.Issuer{Certificate: newRoot(t, cba.P256).Certificate, Now: clock, Key: oddSigner{key, func(d []byte, o crypto.SignerOpts) ([]byte, error) {
					issued.Add(1)
					return key.Sign(rand.Reader, d, o)
				}}}
				handed := cut(t, root, ctx, cancel, bulk, at)
				if n := int(issued.Load()); n != len(j.done) {
					t.Errorf("%d certificates were signed, %d recorded", n, len(j.done))
				}
				if handed > len(j.done) || len(j.done) == total {
					t.Errorf("%d handed out, %d recorded", handed, len(j.done))
				}
				first := len(j.done)
				skipped, again := 0, 0
				for r, err := range root.IssueAll(context.Background(), users(total), bulk) {
					switch {
					case err != nil:
						t.Fatal(err)
					case r.Skipped:
						skipped++
						if r.Certificate != nil || r.Key != nil {
							t.Error("a certificate for a user who was skipped")
						}
					default:
						again++
					}
				}
				if skipped != first || skipped+again != total || len(j.done) != total || len(j.twice) != 0 || int(issued.Load()) != total {
					t.Errorf("first %d, skipped %d, issued %d, recorded %d, twice %v, signed %d", first, skipped, again, len(j.done), j.twice, issued.Load())
				}
			})
		}
	}
}

// When the caller breaks off, what no worker has begun is never issued.
func TestBreakDropsTheRest(t *testing.T) {
	noLeak(t)
	queued, began, release := make(chan struct{}), make(chan struct{}), make(chan struct{})
	tasks := func(yield func(cba.Task, error) bool) {
		i := 0
		for task := range users(100) {
			if i++; i == 8 {
				close(queued) // the second and a few more wait for the worker
			}
			if !yield(task, nil) {
				return
			}
		}
	}
	bulk := fast
	j := newJournal()
	bulk.Workers, bulk.Journal = 1, j
	bulk.Finish = func(_ context.Context, r *cba.Result) error {
		switch r.Index {
		case 0:
			<-queued
		case 1:
			close(began)
			<-release
		}
		return nil
	}
	for r, err := range newRoot(t, cba.P256).IssueAll(context.Background(), tasks, bulk) {
		if err != nil || r.Index != 0 {
			t.Fatalf("%d, %v", r.Index, err)
		}
		<-began // the only worker is at the second, the others wait
		time.AfterFunc(100*time.Millisecond, func() { close(release) })
		break
	}
	if len(j.done) != 2 {
		t.Errorf("%d certificates, want those of the first and of the one that was being made", len(j.done))
	}
}

// A context that is done before the list begins issues nothing.
func TestCancelledBefore(t *testing.T) {
	noLeak(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	n := 0
	for r, err := range newRoot(t, cba.P256).IssueAll(ctx, users(10), fast) {
		n++
		if !errors.Is(err, context.Canceled) || r.Certificate != nil {
			t.Errorf("%+v, %v", r, err)
		}
	}
	if n != 1 {
		t.Errorf("%d results", n)
	}
}

// A context that ends after the last task was done is no error.
func TestCancelledAfter(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for r, err := range newRoot(t, cba.P256).IssueAll(ctx, users(5), fast) {
		if err != nil {
			t.Error(err)
		}
		if r.Index == 4 {
			cancel()
		}
	}
}

// A journal that cannot remember ends the list: what it could not record is
// handed out with the error.
func TestJournalFails(t *testing.T) {
	noLeak(t)
	full := errors.New("disk full")
	j := newJournal()
	j.failAt, j.failErr = 20, full
	bulk := fast
	bulk.Journal, bulk.Workers = j, 2
	good, bad, taken := 0, 0, 0
	tasks := func(yield func(cba.Task, error) bool) {
		for task := range users(10000) {
			taken++
			if !yield(task, nil) {
				return
			}
		}
	}
	for r, err := range newRoot(t, cba.P256).IssueAll(context.Background(), tasks, bulk) {
		switch {
		case err == nil:
			good++
		case errors.Is(err, full) && r.Certificate != nil && r.Key != nil:
			bad++
		default:
			t.Errorf("%+v, %v", r, err)
		}
	}
	if good != 20 || bad < 1 || taken > 20+2*32 {
		t.Errorf("%d good, %d not recorded, %d tasks taken", good, bad, taken)
	}

	// One that cannot be asked ends it too, with its error last.
	ask := askFails{journal: newJournal(), err: full}
	bulk.Journal = ask
	var last error
	n := 0
	for _, err := range newRoot(t, cba.P256).IssueAll(context.Background(), users(100), bulk) {
		last = err
		n++
	}
	if !errors.Is(last, full) || n > 11 {
		t.Errorf("%d results, last %v", n, last)
	}
}

type askFails struct {
	*journal
	err error
}

func (j askFails) Done(ctx context.Context, s cba.Subject) (bool, error) {
	if strings.HasPrefix(s.UPN, "user10@") {
		return false, j.err
	}
	return j.journal.Done(ctx, s)
}

// The loop's own panic is not swallowed and leaves no goroutine behind.
func TestPanicInTheLoop(t *testing.T) {
	noLeak(t)
	defer func() {
		if recover() != "enough" {
			t.Error("the panic was lost")
		}
	}()
	for range newRoot(t, cba.P256).IssueAll(context.Background(), users(100), fast) {
		panic("enough")
	}
}

// A key that hangs holds nobody whose context has ended: neither a list nor a
// single certificate, and what it signs afterwards is dropped.
func TestHungKey(t *testing.T) {
	noLeak(t)
	good := newRoot(t, cba.P256)
	release := make(chan struct{})
	hung := func() *cba.Issuer {
		return &cba.Issuer{Certificate: good.Certificate, Now: clock, Key: oddSigner{good.Key, func(d []byte, o crypto.SignerOpts) ([]byte, error) {
			<-release
			return good.Key.Sign(rand.Reader, d, o)
		}}}
	}
	soon := func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(t.Context(), 50*time.Millisecond)
	}
	pub := testKey(t, cba.P256, "jane").Public()
	draft, err := hung().Prepare(pub, jane, cba.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	request := newRequest(t, jane)
	for name, call := range map[string]func(context.Context) (*x509.Certificate, error){
		"Issue": func(ctx context.Context) (*x509.Certificate, error) {
			return hung().Issue(ctx, pub, jane, cba.Profile{})
		},
		"IssueRequest": func(ctx context.Context) (*x509.Certificate, error) {
			return hung().IssueRequest(ctx, request, jane, cba.Profile{})
		},
		"Sign": draft.Sign,
		"NewRoot": func(ctx context.Context) (*x509.Certificate, error) {
			root, err := cba.NewRoot(ctx, cba.Authority{Name: parseName(t, "CN=x"), Key: hung().Key})
			if root != nil {
				t.Error("a root beside the error")
			}
			return nil, err
		},
		"NewIntermediate": func(ctx context.Context) (*x509.Certificate, error) {
			_, err := hung().NewIntermediate(ctx, cba.Authority{Name: parseName(t, "CN=x"), KeyType: cba.P256})
			return nil, err
		},
		"NewRequest": func(ctx context.Context) (*x509.Certificate, error) {
			_, err := cba.NewRequest(ctx, hung().Key, jane)
			return nil, err
		},
	} {
		ctx, cancel := soon()
		cert, err := call(ctx)
		cancel()
		if cert != nil || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, cba.Abandoned) {
			t.Errorf("%s: certificate %v, %v", name, cert != nil, err)
		}
	}
	// The serial number of the abandoned draft counts as used.
	if _, err := draft.Sign(t.Context()); !errors.Is(err, cba.AlreadySigned) {
		t.Errorf("signed again: %v", err)
	}
	j := newJournal()
	bulk := fast
	bulk.Workers, bulk.Journal = 2, j
	ctx, cancel := soon()
	defer cancel()
	began := time.Now()
	var last error
	n := 0
	for r, err := range hung().IssueAll(ctx, users(2), bulk) {
		n, last = n+1, err
		if r.Certificate != nil {
			t.Error("a certificate of a key that hangs")
		}
	}
	if d := time.Since(began); n != 1 || !errors.Is(last, context.DeadlineExceeded) || len(j.done) != 0 || d > 5*time.Second {
		t.Errorf("%d results, last %v, recorded %d, after %v", n, last, len(j.done), d)
	}
	close(release) // noLeak: the abandoned calls end by themselves
}

// A signature that is under way when the context ends is waited for: the key works,
// so what it signs is handed out and recorded.
func TestSlowKey(t *testing.T) {
	noLeak(t)
	root := newRoot(t, cba.P256)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	slow := &cba.Issuer{Certificate: root.Certificate, Now: clock, Key: oddSigner{root.Key, func(d []byte, o crypto.SignerOpts) ([]byte, error) {
		cancel()
		time.Sleep(50 * time.Millisecond)
		return root.Key.Sign(rand.Reader, d, o)
	}}}
	j := newJournal()
	bulk := fast
	bulk.Workers, bulk.Journal = 1, j
	handed := 0
	var last error
	for r, err := range slow.IssueAll(ctx, users(5), bulk) {
		if r.Certificate != nil {
			handed++
		}
		last = err
	}
	if handed != 1 || len(j.done) != 1 || !errors.Is(last, context.Canceled) {
		t.Errorf("handed out %d, recorded %d, last %v", handed, len(j.done), last)
	}
}

// Nothing to work with is an error, not a panic.
func TestNothingGiven(t *testing.T) {
	root := newRoot(t, cba.P256)
	pub := testKey(t, cba.P256, "jane").Public()
	//lint:ignore SA1012 a nil context must not panic
	_, err := root.Issue(nil, pub, jane, cba.Profile{})
	if err == nil {
		t.Error("issued without a context")
	}
	//lint:ignore SA1012 a nil context must not panic
	for _, err := range root.IssueAll(nil, users(1), fast) {
		wantReason(t, err, cba.Empty)
	}
	for _, err := range root.IssueAll(t.Context(), nil, fast) {
		wantReason(t, err, cba.Empty)
	}
	_, err = root.IssueRequest(t.Context(), nil, jane, cba.Profile{})
	wantReason(t, err, cba.Empty)
	_, err = new(cba.Draft).Sign(t.Context())
	wantReason(t, err, cba.Empty)
	_, err = cba.NewRequest(t.Context(), nil, jane)
	wantReason(t, err, cba.Empty)
}
