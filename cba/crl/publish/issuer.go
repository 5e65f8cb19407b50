// Package publish issues CRLs for one CA.
//
// An [Issuer] keeps the revocations and the last CRL number in a [Store]: a CRL
// number must never be used twice, and a delta CRL must say what changed since a
// base CRL that was really published. [FileStore] is a file that is replaced as a
// whole or not at all.
package publish

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/layout"
	"example.com/entracba/cba/crl/internal/sig"
)

// An Issuer makes the CRLs of one CA. All three fields are
// required. It may be used by several goroutines; what it remembers is in the
// store, which keeps others out while something changes.
type Issuer struct {
	// Certificate is the CA's, with a subject key identifier and, if it has
	// a key usage at all, with the one for signing lists.
	Certificate *x509.Certificate
	// Key is the private key of Certificate: RSA, ECDSA or Ed25519.
	Key   crypto.Signer
	Store Store
}

// ErrNotOnHold is wrapped by the error of [Issuer.Release] for a certificate
// that is not on hold: good, or revoked for good.
var ErrNotOnHold = errors.New("the certificate is not on hold")

// Revoke records revocations, all or none. They take effect with the next base
// or delta CRL.
//
// A certificate that is on hold can be revoked for good. One that is revoked for
// good stays so: the same reason again changes nothing, another reason is
// corrected together with the date, and a hold is an error. Sessions that the
// certificate has opened go on: revoke them in Entra, too.
func (i *Issuer) Revoke(ctx context.Context, revocations ...crl.Revocation) error {
	if err := i.check(false); err != nil {
		return err
	}
	pending := make(map[string]int, len(revocations))
	records := make([]record, len(revocations))
	for n, v := range revocations {
		r, err := newRecord(v)
		if err != nil {
			return err
		}
		if _, twice := pending[string(r.serial)]; twice {
			return fmt.Errorf("crl: serial number %x is there twice", r.serial)
		}
		pending[string(r.serial)], records[n] = n, r
	}
	if len(records) == 0 {
		return nil
	}
	return i.locked(ctx, func() error {
		return i.transform(ctx, keepHead, func(h ledgerHead, old *record, emit func(record) error) error {
			if old == nil { // the end: what is new, in the caller's order
				for n, r := range records {
					if _, left := pending[string(r.serial)]; left {
						records[n].change = h.number + 1
						if err := emit(records[n]); err != nil {
							return err
						}
					}
				}
				return nil
			}
			n, found := pending[string(old.serial)]
			if !found {
				return emit(*old)
			}
			delete(pending, string(old.serial))
			r := records[n]
			switch {
			case old.reason == r.reason:
				return emit(*old)
			case r.reason == crl.CertificateHold && old.reason != crl.RemoveFromCRL:
				return fmt.Errorf("crl: serial number %x cannot be put on hold: it is revoked for good (%v)", r.serial, old.reason)
			}
			r.change = h.number + 1
			return emit(r)
		})
	})
}

// Release takes certificates off hold, all or none: the next delta CRL says
// removeFromCRL for those that a CRL has had, and the next base CRL leaves
// them out. The error wraps [ErrNotOnHold] if one of them is not on hold.
func (i *Issuer) Release(ctx context.Context, serials ...*big.Int) error {
	if err := i.check(false); err != nil {
		return err
	}
	pending := make(map[string]bool, len(serials))
	for _, serial := range serials {
		r, err := newRecord(crl.Revocation{Serial: serial, Time: time.Unix(0, 0)})
		if err != nil {
			return err
		}
		pending[string(r.serial)] = true
	}
	if len(pending) == 0 {
		return nil
	}
	return i.locked(ctx, func() error {
		return i.transform(ctx, keepHead, func(h ledgerHead, old *record, emit func(record) error) error {
			if old == nil {
				for serial := range pending {
					return fmt.Errorf("crl: serial number %x: %w", serial, ErrNotOnHold)
				}
				return nil
			}
			if !pending[string(old.serial)] {
				return emit(*old)
			}
			if old.reason != crl.CertificateHold {
				return fmt.Errorf("crl: serial number %x: %w: %v", old.serial, ErrNotOnHold, old.reason)
			}
			delete(pending, string(old.serial))
			if old.change > h.number {
				return nil // no CRL has had it
			}
			old.reason, old.change = crl.RemoveFromCRL, h.number+1
			return emit(*old)
		})
	})
}

// Revocations returns what the ledger has, in the order in which it was
// recorded, without what was released. If an error comes, it is the last pair,
// and what came before must not be relied on.
func (i *Issuer) Revocations(ctx context.Context) iter.Seq2[crl.Revocation, error] {
	errStop := errors.New("stop")
	return func(yield func(crl.Revocation, error) bool) {
		err := i.check(false)
		if err == nil {
			err = i.locked(ctx, func() error {
				return i.read(ctx, func(ledgerHead) error { return nil }, func(r record) error {
					if r.reason == crl.RemoveFromCRL {
						return nil
					}
					v := crl.Revocation{Serial: new(big.Int).SetBytes(r.serial), Time: r.time, Reason: r.reason, Expires: r.expires}
					if !yield(v, nil) {
						return errStop
					}
					return nil
				})
			})
		}
		if err != nil && err != errStop {
			yield(crl.Revocation{}, err)
		}
	}
}

func keepHead(*ledgerHead) error { return nil }

// newRecord checks a revocation.
func newRecord(v crl.Revocation) (record, error) {
	if v.Serial == nil || v.Serial.Sign() < 0 {
		return record{}, errors.New("crl: a revocation needs a serial number that is not negative")
	}
	serial := layout.RawInteger(nil, v.Serial)
	if len(serial) > layout.MaxSerial {
		return record{}, fmt.Errorf("crl: serial number %x has more than %d bytes", serial, layout.MaxSerial)
	}
	if _, err := v.Reason.MarshalText(); err != nil || v.Reason == crl.RemoveFromCRL {
		return record{}, fmt.Errorf("crl: serial number %x cannot be revoked with the reason %v", serial, v.Reason)
	}
	if v.Time.IsZero() {
		v.Time = time.Now()
	}
	for _, t := range []time.Time{v.Time, v.Expires} {
		if t.IsZero() {
			continue
		}
		if err := checkYear(t); err != nil {
			return record{}, fmt.Errorf("crl: serial number %x: %w", serial, err)
		}
	}
	return record{serial: serial, time: v.Time.UTC().Truncate(time.Second), reason: v.Reason, expires: v.Expires.UTC().Truncate(time.Second)}, nil
}

// checkYear refuses years that DER or the ledger cannot hold.
func checkYear(t time.Time) error {
	if year := t.UTC().Year(); year < 1950 || year > 9999 {
		return fmt.Errorf("the year %d cannot be written", year)
	}
	return nil
}

// check looks at the fields; key is whether one is needed.
func (i *Issuer) check(key bool) error {
	switch {
	case i.Certificate == nil:
		return errors.New("crl: the issuer has no certificate")
	case i.Store == nil:
		return errors.New("crl: the issuer has no store")
	case len(i.Certificate.SubjectKeyId) == 0:
		return errors.New("crl: the issuer's certificate has no subject key identifier, which Entra needs")
	case !key:
		return nil
	case i.Key == nil:
		return errors.New("crl: the issuer has no key")
	case i.Certificate.BasicConstraintsValid && !i.Certificate.IsCA, i.Certificate.Version == 3 && !i.Certificate.BasicConstraintsValid:
		return errors.New("crl: the issuer's certificate is not a CA's")
	case i.Certificate.KeyUsage != 0 && i.Certificate.KeyUsage&x509.KeyUsageCRLSign == 0:
		return errors.New("crl: the key usage of the issuer's certificate does not allow lists")
	}
	public, ok := i.Certificate.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(i.Key.Public()) {
		return errors.New("crl: the key is not that of the issuer's certificate")
	}
	return nil
}

func (i *Issuer) locked(ctx context.Context, do func() error) (err error) {
	unlock, err := i.Store.Lock(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if e := unlock(); err == nil {
			err = e
		}
	}()
	return do()
}

// Base issues a CRL of everything that is revoked.
//
// The CRL's number is made durable before the CRL is built, so that no crash
// and no error lets a number be used twice; a failed attempt leaves a gap in the
// numbers, which is allowed. The CRL was read back and its signature checked
// before it is handed to Publish and returned.
//
// It takes memory for the encoded list and its index, not for the entries.
func (i *Issuer) Base(ctx context.Context, o Options) (*crl.List, error) {
	return i.issue(ctx, o, false)
}

// Delta issues a CRL of what changed since the base CRL that was published
// last, including what was released. It is an error if there is none.
//
// Everything that is said of [Issuer.Base] holds, but that a delta CRL changes
// nothing in the store except the number.
func (i *Issuer) Delta(ctx context.Context, o Options) (*crl.List, error) {
	if len(o.FreshestCRL) > 0 {
		return nil, errors.New("crl: a delta CRL cannot name a freshest CRL (RFC 5280 section 5.2.6)")
	}
	return i.issue(ctx, o, true)
}

func (i *Issuer) issue(ctx context.Context, o Options, delta bool) (list *crl.List, err error) {
	if err := i.check(true); err != nil {
		return nil, err
	}
	if o, err = o.complete(delta); err != nil {
		return nil, err
	}
	scheme, ok := sig.For(i.Key.Public(), o.SignatureAlgorithm)
	if !ok {
		return nil, fmt.Errorf("crl: cannot sign with %v and a key of type %T", o.SignatureAlgorithm, i.Key.Public())
	}
	err = i.locked(ctx, func() error {
		b := listBuilder{issuer: i, options: o, scheme: scheme, delta: delta}
		// First pass: the number, and how large the CRL will be.
		err := i.transform(ctx, func(h *ledgerHead) error {
			if delta && h.base == 0 {
				return errors.New("crl: no base CRL was published yet that a delta CRL could continue")
			}
			h.number = max(h.number+1, o.Number)
			b.head = *h
			return nil
		}, func(_ ledgerHead, r *record, emit func(record) error) error {
			if r == nil {
				return nil
			}
			b.measure(*r)
			return emit(*r)
		})
		if err != nil {
			return err
		}
		if list, err = b.build(ctx); err != nil {
			return err
		}
		if o.Publish != nil {
			if err := o.Publish(list); err != nil {
				return fmt.Errorf("crl: list %d was not published: %w", b.head.number, err)
			}
		}
		if delta {
			return nil
		}
		return i.transform(ctx, func(h *ledgerHead) error {
			h.base, h.baseTime = b.head.number, o.ThisUpdate
			return nil
		}, func(_ ledgerHead, r *record, emit func(record) error) error {
			if r == nil || !b.lists(*r) {
				return nil // released, or expired: no CRL needs it any more
			}
			return emit(*r)
		})
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}
