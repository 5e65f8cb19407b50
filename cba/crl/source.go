package crl

import (
	"context"
	"crypto/x509"
)

// A Source gets the CRL of a CA from a URL: over HTTP like
// the package fetch, or from wherever CRLs are kept.
//
// Fetch returns a CRL for which [List.CheckIssuer] returned nil for ca, or an
// error. An [*Error] is an answer about the CRL; any other error (that of ctx,
// for example) is none. Whether the CRL is valid now is for [Set.Check].
type Source interface {
	Fetch(ctx context.Context, url string, ca *x509.Certificate) (*List, error)
}
