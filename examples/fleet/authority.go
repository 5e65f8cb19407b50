package main

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"example.com/entracba/cba"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/folder"
)

// A keyFunc finds a key by its label, or makes one if there is none.
type keyFunc func(label string) (crypto.Signer, error)

// tokenAuthority uses a root and an intermediate whose keys are in a token, and
// makes what is missing. A kill leaves a key without certificate at worst, which
// the next run finds by its label.
func (p *program) tokenAuthority(ctx context.Context, find, generate keyFunc) error {
	dir := filepath.Join(p.out, caName)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	open := func(file, label, name string, parent *cba.Issuer) (*cba.Issuer, error) {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err == nil {
			certs, err := cba.ParseCertificates(text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			key, err := find(label)
			if err != nil {
				return nil, err
			}
			if parent == nil {
				return cba.NewIssuer(certs[0], key)
			}
			return cba.NewIssuer(certs[0], key, parent.CACertificates()...)
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		if p.list == nil {
			return nil, fmt.Errorf("%s is missing in %s. Restore it from a backup: -revoke makes no CA", file, dir)
		}
		key, err := generate(label)
		if err != nil {
			return nil, err
		}
		subject, err := dn.Parse(name)
		if err != nil {
			return nil, err
		}
		var ca *cba.Issuer
		if parent == nil {
			ca, err = cba.NewRoot(ctx, cba.Authority{Name: subject, Key: key})
		} else {
			ca, err = parent.NewIntermediate(ctx, cba.Authority{Name: subject, Key: key})
		}
		if err != nil {
			return nil, err
		}
		return ca, folder.Publish(dir, ca)
	}
	var err error
	if p.root, err = open("rootCA.crt", "entra-cba root", "CN=Entra CBA Root CA", nil); err != nil {
		return err
	}
	p.issuer, err = open("issuingCA.crt", "entra-cba issuing", "CN=Entra CBA Issuing CA", p.root)
	return err
}
