// Package sign calls a [crypto.Signer] under a context.
package sign

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
)

// Digest asks a key to sign a digest and waits for the signature, but no longer
// than ctx lives. A signer takes no context: the key of a token or of a key
// service may hang, and a caller who has given up must not hang with it. The
// abandoned call goes on by itself and ends when the signer returns; what it
// returns is dropped. So whatever was going to be signed counts as signed: do not
// use its serial number or its CRL number again.
//
// A key in memory signs at once, without the cost of a goroutine to wait for.
//
// The key is not called if ctx is already done. The error is ctx.Err() or the
// signer's own. A panic of the signer reaches the caller who still waits for it.
func Digest(ctx context.Context, key crypto.Signer, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	switch {
	case ctx == nil:
		return nil, errors.New("no context")
	case key == nil:
		return nil, errors.New("no key")
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case ctx.Done() == nil, inMemory(key): // nothing to give up, or nothing to wait for
		return key.Sign(rand.Reader, digest, opts)
	}
	type answer struct {
		signature []byte
		err       error
		panicked  any
	}
	done := make(chan answer, 1) // the abandoned call never blocks on it
	go func() {
		a := answer{err: errors.New("the signer ended its goroutine")} // runtime.Goexit
		defer func() {
			a.panicked = recover()
			done <- a
		}()
		a.signature, a.err = key.Sign(rand.Reader, digest, opts)
	}()
	select {
	case a := <-done:
		if a.panicked != nil {
			panic(a.panicked)
		}
		return a.signature, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inMemory reports whether the standard library signs with the key by itself.
func inMemory(key crypto.Signer) bool {
	switch key.(type) {
	case *ecdsa.PrivateKey, *rsa.PrivateKey, ed25519.PrivateKey:
		return true
	}
	return false
}
