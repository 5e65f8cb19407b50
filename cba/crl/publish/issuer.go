// Package publish issues CRLs for one CA.
//
// An [Issuer] keeps the revocations and the last CRL number in a [Store]: a CRL
// number must never be used twice, and a delta CRL must say what changed since a
// base CRL that was really published. [FileStore] is made of files that are replaced
// as a whole or not at all.
//
// Every call takes a context and returns when it ends, also while the key, the store
// or another caller's key lets it wait; see [Issuer.Base].
package publish

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/big"
	"slices"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/layout"
	"example.com/entracba/cba/crl/internal/sig"
)

// An Issuer makes the CRLs of one CA. The first three fields are required, the key
// for Base and Delta only. It may be used by several goroutines; what it remembers is
// in the store, which keeps others out while something changes.
type Issuer struct {
	// Certificate is the CA's, with a subject key identifier and, if it has a key
	// usage at all, with the one for signing CRLs.
	Certificate *x509.Certificate
	// Key is the private key of Certificate: RSA, ECDSA or Ed25519. It is never part
	// of text or JSON.
	Key   crypto.Signer `json:"-"`
	Store Store
	// Now is the clock for times that are not given. Nil means time.Now.
	Now func() time.Time
}

// Format writes the CA's subject, without the key, for every verb.
func (i *Issuer) Format(s fmt.State, _ rune) {
	if i == nil || i.Certificate == nil {
		fmt.Fprint(s, "{no CA}")
		return
	}
	fmt.Fprintf(s, "{CA %q}", i.Certificate.Subject.String())
}

// Revoke records revocations, all or none. They take effect with the next base
// or delta CRL. A revocation without a time is of now.
//
// A certificate that is on hold can be revoked for good. One that is revoked for
// good stays so: the same reason again changes nothing, another reason is
// corrected together with the date, and a hold is refused ([AlreadyRevoked]). Sessions
// that the certificate has opened go on: revoke them in Entra, too.
func (i *Issuer) Revoke(ctx context.Context, revocations ...crl.Revocation) error {
	if err := i.check(ctx, false); err != nil {
		return err
	}
	pending := make(map[string]int, len(revocations))
	records := make([]record, len(revocations))
	for n, v := range revocations {
		r, err := i.record(v)
		if err != nil {
			return err
		}
		if _, twice := pending[string(r.serial)]; twice {
			return &Error{Reason: BadRevocation, Serial: v.Serial, Detail: "the serial number is given twice"}
		}
		pending[string(r.serial)], records[n] = n, r
	}
	if len(records) == 0 {
		return nil
	}
	return i.locked(ctx, func() error {
		return i.transform(ctx, func(h head, old *record, emit func(record) error) error {
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
				return &Error{Reason: AlreadyRevoked, Serial: revocations[n].Serial, Detail: old.reason.String() + ": it cannot be put on hold"}
			}
			r.change = h.number + 1
			return emit(r)
		})
	})
}

// Release takes certificates off hold, all or none: the next delta CRL says
// removeFromCRL for those that a CRL has had, and the next base CRL leaves
// them out. The reason of the error is [NotOnHold] if one of them is not on hold.
func (i *Issuer) Release(ctx context.Context, serials ...*big.Int) error {
	if err := i.check(ctx, false); err != nil {
		return err
	}
	pending := make(map[string]*big.Int, len(serials))
	for _, serial := range serials {
		r, err := i.record(crl.Revocation{Serial: serial})
		if err != nil {
			return err
		}
		pending[string(r.serial)] = serial
	}
	if len(pending) == 0 {
		return nil
	}
	return i.locked(ctx, func() error {
		return i.transform(ctx, func(h head, old *record, emit func(record) error) error {
			if old == nil {
				for _, serial := range slices.Sorted(maps.Keys(pending)) {
					return &Error{Reason: NotOnHold, Serial: pending[serial], Detail: "the certificate is not revoked"}
				}
				return nil
			}
			serial := pending[string(old.serial)]
			if serial == nil {
				return emit(*old)
			}
			if old.reason != crl.CertificateHold {
				return &Error{Reason: NotOnHold, Serial: serial, Detail: old.reason.String()}
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

// Revocations returns what is recorded, in the order in which it was recorded,
// without what was released and without expired certificates that no CRL has to name
// any more. The store is locked meanwhile. If an error comes, it is the last pair,
// and what came before must not be relied on.
func (i *Issuer) Revocations(ctx context.Context) iter.Seq2[crl.Revocation, error] {
	errStop := errors.New("stop")
	return func(yield func(crl.Revocation, error) bool) {
		err := i.check(ctx, false)
		if err == nil {
			err = i.locked(ctx, func() error {
				h, entries, err := i.open(ctx)
				if err != nil {
					return err
				}
				return entries.each(ctx, func(r record) error {
					if r.reason == crl.RemoveFromCRL || h.dead(r) {
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

// record checks a revocation.
func (i *Issuer) record(v crl.Revocation) (record, error) {
	bad := func(detail string) (record, error) {
		return record{}, &Error{Reason: BadRevocation, Serial: v.Serial, Detail: detail}
	}
	if v.Serial == nil || v.Serial.Sign() < 0 {
		return bad("a revocation needs a serial number that is not negative")
	}
	serial := layout.RawInteger(nil, v.Serial)
	if len(serial) > layout.MaxSerial {
		return record{}, failf(BadRevocation, "the serial number has %d bytes, and at most %d are allowed", len(serial), layout.MaxSerial)
	}
	if _, err := v.Reason.MarshalText(); err != nil || v.Reason == crl.RemoveFromCRL {
		return bad("a certificate cannot be revoked with the reason " + v.Reason.String())
	}
	if v.Time.IsZero() {
		v.Time = i.now()
	}
	if !writable(v.Time) || !v.Expires.IsZero() && !writable(v.Expires) {
		return bad("a year before 1950 or after 9999 cannot be written")
	}
	return record{serial: serial, time: v.Time.UTC().Truncate(time.Second), reason: v.Reason, expires: v.Expires.UTC().Truncate(time.Second)}, nil
}

func (i *Issuer) now() time.Time {
	if i.Now != nil {
		return i.Now()
	}
	return time.Now()
}

// check looks at the fields; key is whether one is needed.
func (i *Issuer) check(ctx context.Context, key bool) error {
	switch {
	case ctx == nil:
		return failf(UnfitIssuer, "there is no context")
	case i == nil || i.Certificate == nil:
		return failf(UnfitIssuer, "the issuer has no certificate")
	case i.Store == nil:
		return failf(UnfitIssuer, "the issuer has no store")
	case len(i.Certificate.SubjectKeyId) == 0:
		return failf(UnfitIssuer, "the issuer's certificate has no subject key identifier, which Entra needs")
	case !key:
		return nil
	case i.Key == nil:
		return failf(UnfitIssuer, "the issuer has no key")
	case i.Certificate.BasicConstraintsValid && !i.Certificate.IsCA, i.Certificate.Version == 3 && !i.Certificate.BasicConstraintsValid:
		return failf(UnfitIssuer, "the issuer's certificate is not a CA's")
	case i.Certificate.KeyUsage != 0 && i.Certificate.KeyUsage&x509.KeyUsageCRLSign == 0:
		return failf(UnfitIssuer, "the key usage of the issuer's certificate does not allow CRLs")
	}
	public, ok := i.Certificate.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(i.Key.Public()) {
		return failf(UnfitIssuer, "the key is not that of the issuer's certificate")
	}
	return nil
}

func (i *Issuer) locked(ctx context.Context, do func() error) (err error) {
	unlock, err := i.Store.Lock(ctx)
	if err != nil {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) && !errors.Is(err, Locked) {
			return &Error{Reason: Locked, Detail: "another caller holds the lock of the store", Err: err}
		}
		return storeError(ctx, err, "the store cannot be locked")
	}
	defer func() {
		if e := unlock(); err == nil {
			err = storeError(ctx, e, "the lock of the store cannot be given back")
		}
	}()
	return do()
}

// Base issues a CRL of everything that is revoked.
//
// The CRL's number is made durable before the CRL is signed, so that no crash
// and no error lets a number be used twice; a failed attempt leaves a gap in the
// numbers, which is allowed. The CRL was read back and its signature checked
// before it is handed to Publish and returned.
//
// If ctx ends, Base returns and gives the lock of the store back, also while the key
// is signing. A [crypto.Signer] takes no context: the abandoned call may still
// finish, its number counts as used, and its signature is dropped.
//
// It reads the entries once, and takes memory for the encoded CRL and its index, not
// for the entries.
func (i *Issuer) Base(ctx context.Context, o Options) (*crl.List, error) {
	return i.issue(ctx, o, false)
}

// Delta issues a CRL of what changed since the base CRL that was published last,
// including what was released. Without one the reason of the error is [NoBase].
//
// Everything that is said of [Issuer.Base] holds, but that a delta CRL changes
// nothing in the store except the number.
func (i *Issuer) Delta(ctx context.Context, o Options) (*crl.List, error) {
	return i.issue(ctx, o, true)
}

func (i *Issuer) issue(ctx context.Context, o Options, delta bool) (list *crl.List, err error) {
	if err := i.check(ctx, true); err != nil {
		return nil, err
	}
	if o, err = o.complete(delta, i.now()); err != nil {
		return nil, err
	}
	scheme, ok := sig.For(i.Key.Public(), o.SignatureAlgorithm)
	if !ok {
		return nil, failf(BadOptions, "a key of type %T cannot sign with the algorithm %v", i.Key.Public(), o.SignatureAlgorithm)
	}
	err = i.locked(ctx, func() error {
		list, err = i.issueLocked(ctx, builder{issuer: i, options: o, scheme: scheme, delta: delta})
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

func (i *Issuer) issueLocked(ctx context.Context, b builder) (*crl.List, error) {
	published, err := i.catchUp(ctx, b.options.Published)
	if err != nil {
		return nil, err
	}
	h, entries, err := i.open(ctx)
	if err == nil && b.delta && h.base == 0 {
		err = failf(NoBase, "publish a base CRL first: a delta CRL continues one")
	} else if err == nil && entries == nil { // the first CRL of all: from now on the entries must be there
		err = i.transform(ctx, func(head, *record, func(record) error) error { return nil })
		if err == nil {
			h, entries, err = i.open(ctx)
		}
	}
	defer entries.close()
	if err != nil {
		return nil, err
	}
	h.number = max(h.number+1, b.options.Number, published+1)
	b.head = h
	list, err := b.build(ctx, entries)
	if err != nil {
		return nil, err
	}
	if b.options.Publish != nil {
		if err := b.options.Publish(ctx, list); err != nil {
			return nil, &Error{Reason: NotPublished, Number: h.number, Err: err}
		}
	}
	if b.delta {
		return list, nil
	}
	h.base, h.baseTime = h.number, b.options.ThisUpdate
	if err := i.saveState(ctx, h); err != nil {
		return nil, &Error{Reason: NotRecorded, Number: h.number, Detail: "delta CRLs continue an earlier base CRL until another one is issued", Err: err}
	}
	return list, nil
}

// catchUp takes over the revocations of CRLs that are newer than the store. It returns the
// greatest number of a CRL.
func (i *Issuer) catchUp(ctx context.Context, lists []*crl.List) (number uint64, err error) {
	for _, list := range lists {
		switch {
		case list == nil:
			continue
		case list.Number == nil || list.Number.BitLen() > 62:
			return 0, failf(BadOptions, "a CRL that is published has no number, or one above 2^62")
		}
		if err := list.CheckIssuer(i.Certificate); err != nil {
			return 0, &Error{Reason: BadOptions, Detail: "a CRL that is published is none of this CA", Err: err}
		}
		number = max(number, list.Number.Uint64())
	}
	lists = slices.DeleteFunc(slices.Clone(lists), func(l *crl.List) bool { return l == nil })
	if len(lists) == 0 {
		return 0, nil
	}
	h, err := i.readState(ctx)
	if err != nil || number <= h.number && h.number > 0 { // a store without CRLs is older than one with the number 0
		return number, err
	}
	slices.SortFunc(lists, func(a, b *crl.List) int { return a.Number.Cmp(b.Number) }) // what is newer counts
	pending := map[string]record{}
	for _, list := range lists {
		for e := range list.All() {
			if e.Reason == crl.RemoveFromCRL {
				delete(pending, string(layout.RawInteger(nil, e.Serial())))
				continue
			}
			r, err := i.record(crl.Revocation{Serial: e.Serial(), Time: e.Time, Reason: e.Reason})
			if err != nil {
				return 0, err
			}
			r.change = number + 1
			pending[string(r.serial)] = r
		}
	}
	return number, i.transform(ctx, func(_ head, old *record, emit func(record) error) error {
		if old == nil {
			for _, serial := range slices.Sorted(maps.Keys(pending)) {
				if err := emit(pending[serial]); err != nil {
					return err
				}
			}
			return nil
		}
		r, there := pending[string(old.serial)]
		delete(pending, string(old.serial))
		switch {
		case there && old.reason == crl.RemoveFromCRL: // it was revoked again
			return emit(r)
		case there && old.reason == crl.CertificateHold && r.reason != crl.CertificateHold: // for good
			return emit(r)
		}
		return emit(*old)
	})
}
