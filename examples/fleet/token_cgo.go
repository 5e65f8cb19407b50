//go:build cgo

package main

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"os"

	"example.com/entracba/cba"
	"example.com/entracba/cba/fleet/token"
	"example.com/entracba/examples/internal/console"
)

// openToken opens the token and uses the CA in it.
func (w *work) openToken(ctx context.Context) error {
	// In a file, because everyone on the machine can read command lines.
	text, err := os.ReadFile(w.token.pinFile)
	if err != nil {
		return console.Usage("-pin-file: %w", err)
	}
	pin, _, _ := bytes.Cut(text, []byte("\n"))
	t, err := token.Open(token.Config{
		Module: w.token.module,
		Label:  w.token.label,
		PIN:    token.PIN(bytes.TrimSuffix(pin, []byte("\r"))),
	})
	if err != nil {
		return err
	}
	w.closeToken = t.Close
	return w.tokenAuthority(ctx, t.Find, func(label string) (crypto.Signer, error) {
		key, err := t.Find(label) // of a run that was killed
		if errors.Is(err, &token.Error{Reason: token.NotFound}) {
			return t.Generate(label, cba.RSA3072)
		}
		return key, err
	})
}
