package crl_test

import (
	"context"
	"path/filepath"
	"testing"

	"example.com/entracba/cba/crl/internal/crltest"
	"example.com/entracba/cba/crl/publish"
)

var ctx = context.Background()

func issuerOf(tb testing.TB, ca crltest.Authority) *publish.Issuer {
	return &publish.Issuer{Certificate: ca.Cert, Key: ca.Key, Store: publish.FileStore{Path: filepath.Join(tb.TempDir(), "ledger")}}
}
