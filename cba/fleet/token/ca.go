package token

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

// CAOptions are the options of [Token.CA]. The zero value finds a CA and makes none.
type CAOptions struct {
	// Create makes what is missing: keys in the token, certificates in the folder.
	Create bool
	// Label begins the labels of the two keys, "LABEL root" and "LABEL issuing"; empty
	// means "entra-cba".
	Label string
	// KeyType is the type of new keys; zero means RSA 3072.
	KeyType cba.KeyType
	// Root and Issuing are the names of new CAs; zero means "CN=Entra CBA Root CA" and
	// "CN=Entra CBA Issuing CA".
	Root, Issuing dn.Name
}

// CA returns a root CA, and a CA below it that issues. Their keys are in the token, and
// their certificates are in a folder, as folder.Publish writes them.
//
// If a run is killed while it makes a CA, a key without a certificate stays in the
// token; the next call finds the key by its label. Do not let two programs make a CA at
// the same time: use rollout's Exclusive, or folder.Lock.
//
// The error has reason NoCA if a certificate is missing and o.Create is not set. It can
// also be one of [Token.Find], [Token.Generate], package cba or the file system.
func (t *Token) CA(ctx context.Context, dir string, o CAOptions) (root, issuing *cba.Issuer, err error) {
	if o.Label == "" {
		o.Label = "entra-cba"
	}
	if o.KeyType == 0 {
		o.KeyType = cba.RSA3072
	}
	if o.Create {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, nil, err
		}
	}
	if root, err = t.oneCA(ctx, dir, "rootCA.crt", o.Label+" root", o.Root, "CN=Entra CBA Root CA", nil, o); err != nil {
		return nil, nil, err
	}
	issuing, err = t.oneCA(ctx, dir, "issuingCA.crt", o.Label+" issuing", o.Issuing, "CN=Entra CBA Issuing CA", root, o)
	if err != nil {
		return nil, nil, err
	}
	return root, issuing, nil
}

// oneCA finds or makes the CA below a parent, or the root if there is none.
func (t *Token) oneCA(ctx context.Context, dir, file, label string, name dn.Name, otherwise string, parent *cba.Issuer, o CAOptions) (*cba.Issuer, error) {
	path := filepath.Join(dir, file)
	text, err := folder.Read(path, folder.MaxFile)
	switch {
	case err == nil:
		return t.foundCA(path, text, label, parent)
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	case !o.Create:
		return nil, &Error{Reason: NoCA, What: path, Err: err}
	}
	key, err := t.Find(label) // of a run that was killed
	if errors.Is(err, NotFound) {
		key, err = t.Generate(label, o.KeyType)
	}
	if err != nil {
		return nil, err
	}
	ca, err := newCA(ctx, name, otherwise, key, parent)
	if err != nil {
		return nil, err
	}
	return ca, folder.Publish(dir, ca)
}

func (t *Token) foundCA(path string, text []byte, label string, parent *cba.Issuer) (*cba.Issuer, error) {
	certs, err := cba.ParseCertificates(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	key, err := t.Find(label)
	if err != nil {
		return nil, err
	}
	if parent == nil {
		return cba.NewIssuer(certs[0], key)
	}
	return cba.NewIssuer(certs[0], key, parent.CACertificates()...)
}

func newCA(ctx context.Context, name dn.Name, otherwise string, key crypto.Signer, parent *cba.Issuer) (*cba.Issuer, error) {
	if name.String() == "" {
		var err error
		if name, err = dn.Parse(otherwise); err != nil {
			return nil, err
		}
	}
	if parent == nil {
		return cba.NewRoot(ctx, cba.Authority{Name: name, Key: key})
	}
	return parent.NewIntermediate(ctx, cba.Authority{Name: name, Key: key})
}
