package crl

import (
	"context"
	"crypto/x509"
)

// A Source gets the list of an authority from a URL: over HTTP like
// the package fetch, or from wherever lists are kept.
//
// Fetch returns a list for which [List.CheckIssuer] returned nil for ca, or an
// error. An [*Error] is an answer about the list; any other error (that of ctx,
// for example) is none. Whether the list is valid now is for [Set.Check].
type Source interface {
	Fetch(ctx context.Context, url string, ca *x509.Certificate) (*List, error)
}
