package sign_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"example.com/entracba/cba/internal/sign"
)

// A signer does what its function does.
type signer struct {
	crypto.Signer
	sign func() ([]byte, error)
}

func (s signer) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return s.sign() }

func TestDigest(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("to be signed"))
	cancellable, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, ctx := range []context.Context{context.Background(), cancellable} {
		for _, key := range []crypto.Signer{key, struct{ crypto.Signer }{key}} { // in memory, and as far as anyone can see in a token
			signature, err := sign.Digest(ctx, key, digest[:], crypto.SHA256)
			if err != nil || !ecdsa.VerifyASN1(key.Public().(*ecdsa.PublicKey), digest[:], signature) {
				t.Errorf("no signature of the key: %v", err)
			}
		}
	}
	refused := errors.New("refused")
	if _, err := sign.Digest(cancellable, signer{sign: func() ([]byte, error) { return nil, refused }}, nil, crypto.SHA256); err != refused {
		t.Errorf("error %v, want the signer's own", err)
	}
	//lint:ignore SA1012 a nil context must not panic
	if _, err := sign.Digest(nil, key, digest[:], crypto.SHA256); err == nil {
		t.Error("no error without a context")
	}
	if _, err := sign.Digest(cancellable, nil, digest[:], crypto.SHA256); err == nil {
		t.Error("no error without a key")
	}
}

func TestHangingSignerHoldsNobody(t *testing.T) {
	release, finished := make(chan struct{}), make(chan struct{})
	hung := signer{sign: func() ([]byte, error) {
		defer close(finished)
		<-release
		return []byte("late"), nil
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	signature, err := sign.Digest(ctx, hung, nil, crypto.SHA256)
	if signature != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%q, %v; want the context's error alone", signature, err)
	}
	close(release) // the abandoned call ends by itself
	<-finished
}

func TestEndedContextCallsNoKey(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var called atomic.Bool
	key := signer{sign: func() ([]byte, error) { called.Store(true); return nil, nil }}
	if _, err := sign.Digest(ctx, key, nil, crypto.SHA256); err != context.Canceled {
		t.Errorf("error %v", err)
	}
	time.Sleep(20 * time.Millisecond) // for a goroutine that must not be there
	if called.Load() {
		t.Error("the key was called")
	}
}

func TestPanicReachesTheCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	defer func() {
		if p := recover(); p != "token removed" {
			t.Errorf("recovered %v", p)
		}
	}()
	sign.Digest(ctx, signer{sign: func() ([]byte, error) { panic("token removed") }}, nil, crypto.SHA256)
	t.Error("no panic")
}
