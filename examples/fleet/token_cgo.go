//go:build cgo

package main

import (
	"context"
	"path/filepath"

	"example.com/entracba/cba/certfile"
	"example.com/entracba/cba/fleet/token"
	"example.com/entracba/cba/folder"
	"example.com/entracba/examples/internal/console"
)

// openToken opens the token and uses the CA in it.
func (p *program) openToken(ctx context.Context) error {
	// In a file, because everyone on the machine can read command lines.
	text, err := folder.Read(p.token.pinFile, folder.MaxFile)
	if err != nil {
		return console.Usage("-pin-file: %w", err)
	}
	t, err := token.Open(token.Config{
		Module: p.token.module,
		Label:  p.token.label,
		PIN:    token.PIN(certfile.Password(text)),
	})
	if err != nil {
		return err
	}
	p.closeToken = t.Close
	p.root, p.issuer, err = t.CA(ctx, filepath.Join(p.out, caName), token.CAOptions{Create: p.list != nil})
	return err
}
