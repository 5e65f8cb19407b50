package publish

import (
	"context"
	"crypto/x509"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/layout"
	"example.com/entracba/cba/internal/text"
)

// Options are what a CRL says besides its entries. The zero value works.
type Options struct {
	// ThisUpdate is when the CRL is made; zero means now.
	ThisUpdate time.Time
	// NextUpdate is when the CRL expires; from then on Entra refuses every sign-in
	// with a certificate of the CA until it gets a new one. Zero means 7 days after
	// ThisUpdate for a base CRL, 1 day for a delta CRL.
	NextUpdate time.Time
	// NextPublish is when the next CRL will be there: Entra fetches again from
	// then on. Zero means three quarters of the way from ThisUpdate to NextUpdate,
	// so that the last quarter is left to repair a publication that failed.
	NextPublish time.Time
	// FreshestCRL are the URLs at which delta CRLs are published, for a base CRL.
	// Entra takes the URL of the delta CRL from the trust store.
	FreshestCRL []string
	// Number is the least CRL number to use, for a CA whose CRLs came from other
	// software so far; at most 2^62. A number that is not above the last one is
	// ignored.
	Number uint64
	// Published are the CRLs of this CA that are out, as far as they are known. Where one has a
	// higher number than the store, the store is an old backup, or new: the next number is
	// above it, and its revocations are taken over. So no number is used again, and
	// nobody whose certificate was revoked gets in. A nil one is ignored; one that the CA
	// did not sign is refused.
	Published []*crl.List
	// SignatureAlgorithm is the one to sign with; zero means SHA-256 with RSA
	// (PKCS #1 v1.5), ECDSA with the hash that fits the curve, or Ed25519. SHA-1
	// is refused.
	SignatureAlgorithm x509.SignatureAlgorithm
	// Publish is called with the finished CRL and puts it where the URL leads. When
	// it returns nil, and not before, a base CRL becomes the one that delta CRLs
	// continue. It is called while the store is locked: it must return when ctx
	// ends. Nil means that the CRL counts as published when it is returned: a program
	// that stops before it has published a base CRL must then issue another one
	// before a delta CRL.
	Publish func(ctx context.Context, list *crl.List) error
}

// complete fills in what is not given, and checks the rest.
func (o Options) complete(delta bool, now time.Time) (Options, error) {
	if o.ThisUpdate.IsZero() {
		o.ThisUpdate = now
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
		return o, failf(BadOptions, "NextUpdate %s is not after ThisUpdate %s", text.Time(o.NextUpdate), text.Time(o.ThisUpdate))
	}
	if o.NextPublish.IsZero() {
		o.NextPublish = o.ThisUpdate.Add(o.NextUpdate.Sub(o.ThisUpdate) / 4 * 3)
	}
	o.NextPublish = o.NextPublish.UTC().Truncate(time.Second)
	if o.NextPublish.Before(o.ThisUpdate) || o.NextPublish.After(o.NextUpdate) {
		return o, failf(BadOptions, "NextPublish %s is not between ThisUpdate %s and NextUpdate %s",
			text.Time(o.NextPublish), text.Time(o.ThisUpdate), text.Time(o.NextUpdate))
	}
	for _, t := range []time.Time{o.ThisUpdate, o.NextUpdate} {
		if !writable(t) {
			return o, failf(BadOptions, "the year %d cannot be written", t.Year())
		}
	}
	if o.Number > 1<<62 {
		return o, failf(BadOptions, "Number %d is above 2^62", o.Number)
	}
	if delta && len(o.FreshestCRL) > 0 {
		return o, failf(BadOptions, "a delta CRL cannot name a freshest CRL (RFC 5280 section 5.2.6)")
	}
	if len(o.FreshestCRL) > layout.MaxURLs {
		return o, failf(BadOptions, "more than %d URLs of delta CRLs", layout.MaxURLs)
	}
	for _, url := range o.FreshestCRL {
		if err := crl.CheckURL(url); err != nil {
			return o, &Error{Reason: BadOptions, Detail: "FreshestCRL", Err: err}
		}
	}
	return o, nil
}

// writable reports whether DER and the store can hold a year.
func writable(t time.Time) bool {
	year := t.UTC().Year()
	return year >= 1950 && year <= 9999
}
