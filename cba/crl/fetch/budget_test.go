package fetch

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/crltest"
)

// A slowBody sends its content in pieces; before each piece it asks next.
type slowBody struct {
	content []byte
	next    func(sent int) error
	sent    int
}

func (b *slowBody) Read(p []byte) (int, error) {
	if b.sent == len(b.content) {
		return 0, io.EOF
	}
	if err := b.next(b.sent); err != nil {
		return 0, err
	}
	n := copy(p[:min(len(p), 1<<15)], b.content[b.sent:])
	b.sent += n
	return n, nil
}

func (b *slowBody) Close() error { return nil }

type bodyOf func(*http.Request) io.ReadCloser

func (f bodyOf) RoundTrip(q *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: f(q), Request: q}, nil
}

// Servers that announce large CRLs, send a little and stall make the program hold
// little, however many there are.
func TestStalledServers(t *testing.T) {
	const servers = 50
	ca := &x509.Certificate{Raw: []byte{1}}
	begin := append([]byte{0x30, 0x84, 1, 0x2c, 0, 0}, make([]byte, 1<<17)...) // 19.7 MB
	stalled := make(chan struct{}, servers)
	// The bound is not what saves here: it would keep most of them from their turn.
	c := &Client{Limits: crl.Limits{Time: time.Minute}, MaxBytes: 1 << 40, InsecureTransport: bodyOf(func(q *http.Request) io.ReadCloser {
		return &slowBody{content: begin, next: func(sent int) error {
			if sent <= 1<<16 {
				return nil
			}
			stalled <- struct{}{}
			<-q.Context().Done()
			return q.Context().Err()
		}}
	})}
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for n := range servers {
		wait.Go(func() { c.Fetch(ctx, fmt.Sprintf("http://crl%d.woodgrove.com/a.crl", n), ca) })
	}
	for range servers {
		<-stalled
	}
	if held := heap() - before; held > 40e6 {
		t.Errorf("%d stalled servers hold %d bytes", servers, held)
	}
	cancel()
	wait.Wait()
}

// All downloads together stay within the bound, and all of them come to an end,
// also when each needs more than its share.
func TestBound(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	list := ca.List(t, &x509.RevocationList{Number: big.NewInt(1), RevokedCertificateEntries: crltest.ManyEntries(20_000)})
	const downloads = 12
	for _, max := range []int64{1 << 16, int64(len(list)) / 2, 2 * int64(len(list)), 100 * int64(len(list))} {
		var c *Client
		var worst atomic.Int64
		var together sync.WaitGroup // all downloads begin before one goes on
		together.Add(downloads)
		c = &Client{MaxBytes: max, KeepBytes: -1, InsecureTransport: bodyOf(func(q *http.Request) io.ReadCloser {
			together.Done()
			together.Wait()
			return &slowBody{content: list, next: func(int) error {
				c.budget.mu.Lock()
				defer c.budget.mu.Unlock()
				held := int64(0)
				for _, l := range c.budget.loans {
					held += l.held
				}
				if held+c.budget.free != max {
					t.Errorf("%d bytes are held, %d are free, and the bound is %d", held, c.budget.free, max)
				}
				if held > worst.Load() {
					worst.Store(held)
				}
				return nil
			}}
		})}
		var wait sync.WaitGroup
		for n := range downloads {
			wait.Go(func() {
				got, err := c.Fetch(t.Context(), fmt.Sprintf("http://crl%d.woodgrove.com/a.crl", n), ca.Cert)
				if err != nil || len(got.Raw) != len(list) {
					t.Errorf("bound %d: %v", max, err)
				}
			})
		}
		wait.Wait()
		if most := max + int64(len(list)) + 1; worst.Load() > most || worst.Load() == 0 {
			t.Errorf("bound %d: %d bytes were held", max, worst.Load())
		}
		if c.budget.free != max || len(c.budget.loans) != 0 {
			t.Errorf("bound %d: afterwards %d are free, %d loans are open", max, c.budget.free, len(c.budget.loans))
		}
	}
}

// A download that gets no memory within its time says so.
func TestBoundTimesOut(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	list := ca.List(t, &x509.RevocationList{RevokedCertificateEntries: crltest.ManyEntries(5_000)})
	first := make(chan struct{})
	c := &Client{Limits: crl.Limits{Time: time.Minute}, MaxBytes: 1 << 16, InsecureTransport: bodyOf(func(q *http.Request) io.ReadCloser {
		return &slowBody{content: list, next: func(sent int) error {
			if q.URL.Host == "first" && sent > 1<<16 {
				select {
				case <-first:
				default:
					close(first)
				}
				<-q.Context().Done()
				return q.Context().Err()
			}
			return nil
		}}
	})}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go c.Fetch(ctx, "http://first/a.crl", ca.Cert)
	<-first
	short, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	loan := c.budget.open()
	err := loan.grow(short, 10)
	loan.close()
	if crltest.ReasonOf(t, err) != crl.Download {
		t.Errorf("error %v", err)
	}
	if c.budget.free > 0 {
		t.Errorf("the test tests nothing: %d bytes are free", c.budget.free)
	}
}
