package publish_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/crltest"
	"example.com/entracba/cba/crl/publish"
)

// A slowKey hangs, as the key of a service may.
type slowKey struct {
	crypto.Signer
	called  chan struct{}
	release chan struct{}
	ended   chan struct{}
}

func (k slowKey) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	k.called <- struct{}{}
	<-k.release
	defer close(k.ended)
	return k.Signer.Sign(r, digest, o)
}

// A key that hangs holds neither a caller whose context ended nor the lock of the
// store; its number is used up, and what it signs later is dropped.
func TestHungKey(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	for name, store := range map[string]publish.Store{
		"file": publish.FileStore{Path: filepath.Join(t.TempDir(), "store")}, "memory": new(publish.MemoryStore),
	} {
		key := slowKey{ca.Key, make(chan struct{}, 1), make(chan struct{}), make(chan struct{})}
		hung := &publish.Issuer{Certificate: ca.Cert, Key: key, Store: store}
		good := &publish.Issuer{Certificate: ca.Cert, Key: ca.Key, Store: store}
		stopped, stop := context.WithCancel(ctx)
		result := make(chan error)
		go func() {
			_, err := hung.Base(stopped, publish.Options{Publish: func(context.Context, *crl.List) error {
				t.Error("what was abandoned is published")
				return nil
			}})
			result <- err
		}()
		<-key.called
		// Meanwhile another caller waits for the lock, and the message says for what.
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		err := good.Revoke(short, crl.Revocation{Serial: big.NewInt(1)})
		cancel()
		if !errors.Is(err, publish.Locked) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "another caller") ||
			!strings.Contains(err.Error(), "waiting for its key") {
			t.Errorf("%s: beside a hung key: %v", name, err)
		}
		stop()
		err = <-result
		var failure *publish.Error
		if !errors.Is(err, publish.SigningFailed) || !errors.Is(err, context.Canceled) || !errors.As(err, &failure) || failure.Number != 1 {
			t.Errorf("%s: %v", name, err)
		}
		if err := good.Revoke(ctx, crl.Revocation{Serial: big.NewInt(1)}); err != nil {
			t.Errorf("%s: the lock stays: %v", name, err)
		}
		close(key.release)
		<-key.ended
		list := crltest.Must[*crl.List](t)(good.Base(ctx, publish.Options{}))
		if list.Number.Int64() != 2 || list.Len() != 1 {
			t.Errorf("%s: CRL %v has %d entries", name, list.Number, list.Len())
		}
	}
}

// What ended before it began changes nothing.
func TestEndedContext(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	issuer := issuerOf(t, ca)
	crltest.Must[*crl.List](t)(issuer.Base(ctx, publish.Options{}))
	ended, cancel := context.WithCancel(ctx)
	cancel()
	one := crl.Revocation{Serial: big.NewInt(1)}
	_, errBase := issuer.Base(ended, publish.Options{})
	for _, err := range []error{errBase, issuer.Revoke(ended, one), issuer.Release(ended, one.Serial)} {
		if !errors.Is(err, context.Canceled) || !errors.As(err, new(*publish.Error)) {
			t.Error(err)
		}
	}
	if list := crltest.Must[*crl.List](t)(issuer.Base(ctx, publish.Options{})); list.Number.Int64() != 2 || list.Len() != 0 {
		t.Errorf("CRL %v has %d entries", list.Number, list.Len())
	}
}

// A context that ends in Publish, or between it and the record of it: the number is
// used, deltas continue the base before.
func TestContextEndsInPublish(t *testing.T) {
	for _, store := range []publish.Store{publish.FileStore{Path: filepath.Join(t.TempDir(), "store")}, new(publish.MemoryStore)} {
		issuer := issuerOf(t, crltest.NewAuthority(t, "Woodgrove CA", "p256"))
		issuer.Store = store
		crltest.Must[*crl.List](t)(issuer.Base(ctx, publish.Options{}))
		stopped, stop := context.WithCancel(ctx)
		_, err := issuer.Base(stopped, publish.Options{Publish: func(ctx context.Context, _ *crl.List) error {
			stop()
			return ctx.Err()
		}})
		if !errors.Is(err, publish.NotPublished) || !errors.Is(err, context.Canceled) {
			t.Errorf("%T: %v", store, err)
		}
		stopped, stop = context.WithCancel(ctx)
		_, err = issuer.Base(stopped, publish.Options{Publish: func(context.Context, *crl.List) error { stop(); return nil }})
		if !errors.Is(err, publish.NotRecorded) || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "CRL 3") {
			t.Errorf("%T: %v", store, err)
		}
		if list := crltest.Must[*crl.List](t)(issuer.Delta(ctx, publish.Options{})); list.BaseNumber.Int64() != 1 || list.Number.Int64() != 4 {
			t.Errorf("%T: the delta CRL %v continues %v", store, list.Number, list.BaseNumber)
		}
	}
}

// Many entries are not read on for a caller who has given up.
func TestContextEndsWhileReading(t *testing.T) {
	issuer := issuerOf(t, crltest.NewAuthority(t, "Woodgrove CA", "p256"))
	revoke(t, issuer, 10_000)
	stopped, stop := context.WithCancel(ctx)
	defer stop()
	n := 0
	for _, err := range issuer.Revocations(stopped) {
		if n++; n == 10 {
			stop()
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if n < 10 || n > 5000 {
		t.Errorf("%d revocations were read", n)
	}
}

// Times that are not given are those of the issuer's clock.
func TestNow(t *testing.T) {
	issuer := issuerOf(t, crltest.NewAuthority(t, "Woodgrove CA", "p256"))
	issuer.Now = func() time.Time { return crltest.At().Add(time.Millisecond) }
	if err := issuer.Revoke(ctx, crl.Revocation{Serial: big.NewInt(7)}); err != nil {
		t.Fatal(err)
	}
	list := crltest.Must[*crl.List](t)(issuer.Base(ctx, publish.Options{}))
	entry, _ := list.Lookup(big.NewInt(7))
	if !list.ThisUpdate.Equal(crltest.At()) || !entry.Time.Equal(crltest.At()) {
		t.Errorf("made %v, revoked %v", list.ThisUpdate, entry.Time)
	}
}

// Nil and zero arguments are errors, not panics.
func TestNil(t *testing.T) {
	ca := crltest.NewAuthority(t, "Woodgrove CA", "p256")
	for name, i := range map[string]*publish.Issuer{"nil": nil, "zero": {}, "certificate": {Certificate: &x509.Certificate{}},
		"nil store": {Certificate: ca.Cert, Key: ca.Key, Store: (*publish.MemoryStore)(nil)}} {
		_, errBase := i.Base(ctx, publish.Options{})
		_, errDelta := i.Delta(ctx, publish.Options{})
		var errEach error
		for _, errEach = range i.Revocations(ctx) {
		}
		for n, err := range []error{errBase, errDelta, errEach, i.Revoke(ctx, crl.Revocation{Serial: big.NewInt(1)}), i.Release(ctx, big.NewInt(1))} {
			if !errors.As(err, new(*publish.Error)) {
				t.Errorf("%s, call %d: %v", name, n, err)
			}
		}
	}
	good := issuerOf(t, ca)
	//lint:ignore SA1012 a nil context must not panic
	if _, err := good.Base(nil, publish.Options{}); !errors.Is(err, publish.UnfitIssuer) {
		t.Error(err)
	}
	if err := good.Revoke(ctx, crl.Revocation{}); !errors.Is(err, publish.BadRevocation) {
		t.Error(err)
	}
	if err := good.Revoke(ctx); err != nil {
		t.Error(err)
	}
	var none *publish.Error
	_ = none.Error()
}
