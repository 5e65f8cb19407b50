package publish

import (
	"crypto/x509"
	"fmt"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/layout"
)

// Options are what a CRL says besides its entries. The zero value works.
type Options struct {
	// ThisUpdate is when the CRL is made; zero means now.
	ThisUpdate time.Time
	// NextUpdate is until when the CRL holds; after it, Entra refuses every
	// sign-in with a certificate of the CA until it gets a new one. Zero
	// means 7 days after ThisUpdate for a base CRL, 1 day for a delta CRL.
	NextUpdate time.Time
	// NextPublish is when the next CRL will be there: Entra fetches again from
	// then on. Zero means three quarters of the way from ThisUpdate to NextUpdate,
	// so that the last quarter is left to repair a publication that failed.
	NextPublish time.Time
	// FreshestCRL are the URLs at which delta CRLs are published, for a base
	// list. Entra takes the URL of the delta CRL from the trust store.
	FreshestCRL []string
	// Number is the least CRL number to use, for a CA whose lists came
	// from other software so far. A number that is not above the last one is
	// ignored.
	Number uint64
	// SignatureAlgorithm is the one to sign with; zero means SHA-256 with RSA
	// (PKCS #1 v1.5), ECDSA with the hash that fits the curve, or Ed25519. SHA-1
	// is refused.
	SignatureAlgorithm x509.SignatureAlgorithm
	// Publish is called with the finished CRL and puts it where the URL leads.
	// When it returns nil, and not before, a base CRL becomes the one that delta
	// lists continue. It is called while the store is locked. Nil means that the
	// list counts as published when it is returned: a program that stops before
	// it has published a base CRL must then issue another one before a delta.
	Publish func(*crl.List) error
}

func (o Options) complete(delta bool) (Options, error) {
	if o.ThisUpdate.IsZero() {
		o.ThisUpdate = time.Now()
	}
	o.ThisUpdate = o.ThisUpdate.UTC().Truncate(time.Second)
	if o.NextUpdate.IsZero() {
		o.NextUpdate = o.ThisUpdate.AddDate(0, 0, 7)
		if delta {
			o.NextUpdate = o.ThisUpdate.AddDate(0, 0, 1)
		}
	}
	o.NextUpdate = o.NextUpdate.UTC().Truncate(time.Second)
	if !o.NextUpdate.After(o.ThisUpdate) {
		return o, fmt.Errorf("crl: Next Update %v is not after This Update %v", o.NextUpdate, o.ThisUpdate)
	}
	if o.NextPublish.IsZero() {
		o.NextPublish = o.ThisUpdate.Add(o.NextUpdate.Sub(o.ThisUpdate) / 4 * 3)
	}
	o.NextPublish = o.NextPublish.UTC().Truncate(time.Second)
	if o.NextPublish.Before(o.ThisUpdate) || o.NextPublish.After(o.NextUpdate) {
		return o, fmt.Errorf("crl: Next CRL Publish %v is not between This Update %v and Next Update %v", o.NextPublish, o.ThisUpdate, o.NextUpdate)
	}
	for _, t := range []time.Time{o.ThisUpdate, o.NextUpdate} {
		if err := checkYear(t); err != nil {
			return o, fmt.Errorf("crl: %w", err)
		}
	}
	if len(o.FreshestCRL) > layout.MaxURLs {
		return o, fmt.Errorf("crl: more than %d URLs of delta CRLs", layout.MaxURLs)
	}
	for _, url := range o.FreshestCRL {
		if err := crl.CheckURL(url); err != nil {
			return o, err
		}
	}
	return o, nil
}
