package crl

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"time"
)

// An Issuer makes the lists of one certificate authority. All three fields are
// required. It may be used by several goroutines; what it remembers is in the
// store, which keeps others out while something changes.
type Issuer struct {
	// Certificate is the authority's, with a subject key identifier and, if it has
	// a key usage at all, with the one for signing lists.
	Certificate *x509.Certificate
	// Key is the private key of Certificate: RSA, ECDSA or Ed25519.
	Key   crypto.Signer
	Store Store
}

// A Revocation takes a certificate out of use.
type Revocation struct {
	Serial *big.Int // required; from 0 up to 20 octets
	// Time is since when; zero means now. It is kept to the second.
	Time   time.Time
	Reason Reason // any but RemoveFromCRL
	// Expires is the end of the certificate's validity. If it is set, the entry
	// leaves the lists when RFC 5280 section 3.3 allows it: after a base list that
	// was issued later than this had it. It keeps lists below Entra's 20 MB.
	Expires time.Time
}

// ErrNotOnHold is wrapped by the error of [Issuer.Release] for a certificate
// that is not on hold: good, or revoked for good.
var ErrNotOnHold = errors.New("the certificate is not on hold")

// Revoke records revocations, all or none. They take effect with the next base
// or delta list.
//
// A certificate that is on hold can be revoked for good. One that is revoked for
// good stays so: the same reason again changes nothing, another reason is
// corrected together with the date, and a hold is an error. Sessions that the
// certificate has opened go on: revoke them in Entra, too.
func (i *Issuer) Revoke(ctx context.Context, revocations ...Revocation) error {
	if err := i.check(false); err != nil {
		return err
	}
	pending := make(map[string]int, len(revocations))
	records := make([]record, len(revocations))
	for n, v := range revocations {
		r, err := v.record()
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
			case r.reason == CertificateHold && old.reason != RemoveFromCRL:
				return fmt.Errorf("crl: serial number %x cannot be put on hold: it is revoked for good (%v)", r.serial, old.reason)
			}
			r.change = h.number + 1
			return emit(r)
		})
	})
}

// Release takes certificates off hold, all or none: the next delta list says
// removeFromCRL for those that a list has had, and the next base list leaves
// them out. The error wraps [ErrNotOnHold] if one of them is not on hold.
func (i *Issuer) Release(ctx context.Context, serials ...*big.Int) error {
	if err := i.check(false); err != nil {
		return err
	}
	pending := make(map[string]bool, len(serials))
	for _, serial := range serials {
		r, err := Revocation{Serial: serial, Time: time.Unix(0, 0)}.record()
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
			if old.reason != CertificateHold {
				return fmt.Errorf("crl: serial number %x: %w: %v", old.serial, ErrNotOnHold, old.reason)
			}
			delete(pending, string(old.serial))
			if old.change > h.number {
				return nil // no list has had it
			}
			old.reason, old.change = RemoveFromCRL, h.number+1
			return emit(*old)
		})
	})
}

// Revocations returns what the ledger has, in the order in which it was
// recorded, without what was released. If an error comes, it is the last pair,
// and what came before must not be relied on.
func (i *Issuer) Revocations(ctx context.Context) iter.Seq2[Revocation, error] {
	errStop := errors.New("stop")
	return func(yield func(Revocation, error) bool) {
		err := i.check(false)
		if err == nil {
			err = i.locked(ctx, func() error {
				return i.read(ctx, func(ledgerHead) error { return nil }, func(r record) error {
					if r.reason == RemoveFromCRL {
						return nil
					}
					v := Revocation{Serial: new(big.Int).SetBytes(r.serial), Time: r.time, Reason: r.reason, Expires: r.expires}
					if !yield(v, nil) {
						return errStop
					}
					return nil
				})
			})
		}
		if err != nil && err != errStop {
			yield(Revocation{}, err)
		}
	}
}

func keepHead(*ledgerHead) error { return nil }

// record checks a revocation.
func (v Revocation) record() (record, error) {
	if v.Serial == nil || v.Serial.Sign() < 0 {
		return record{}, errors.New("crl: a revocation needs a serial number that is not negative")
	}
	serial := rawSerial(nil, v.Serial)
	if len(serial) > maxSerial {
		return record{}, fmt.Errorf("crl: serial number %x has more than %d octets", serial, maxSerial)
	}
	if _, ok := reasonByName(v.Reason.String()); !ok || v.Reason == RemoveFromCRL {
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
		return errors.New("crl: the issuer's certificate is not a certificate authority's")
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

// Options are what a list says besides its entries. The zero value works.
type Options struct {
	// ThisUpdate is when the list is made; zero means now.
	ThisUpdate time.Time
	// NextUpdate is until when the list holds; after it, Entra refuses every
	// sign-in with a certificate of the authority until it gets a new one. Zero
	// means 7 days after ThisUpdate for a base list, 1 day for a delta list.
	NextUpdate time.Time
	// NextPublish is when the next list will be there: Entra fetches again from
	// then on. Zero means three quarters of the way from ThisUpdate to NextUpdate,
	// so that the last quarter is left to repair a publication that failed.
	NextPublish time.Time
	// FreshestCRL are the URLs at which delta lists are published, for a base
	// list. Entra takes the URL of the delta list from the trust store.
	FreshestCRL []string
	// Number is the least CRL number to use, for an authority whose lists came
	// from other software so far. A number that is not above the last one is
	// ignored.
	Number uint64
	// SignatureAlgorithm is the one to sign with; zero means SHA-256 with RSA
	// (PKCS #1 v1.5), ECDSA with the hash that fits the curve, or Ed25519. SHA-1
	// is refused.
	SignatureAlgorithm x509.SignatureAlgorithm
	// Publish is called with the finished list and puts it where the URL leads.
	// When it returns nil, and not before, a base list becomes the one that delta
	// lists continue. It is called while the store is locked. Nil means that the
	// list counts as published when it is returned: a program that stops before
	// it has published a base list must then issue another one before a delta.
	Publish func(*List) error
}

// Base issues a list of everything that is revoked.
//
// The list's number is made durable before the list is built, so that no crash
// and no error lets a number be used twice; a failed attempt leaves a gap in the
// numbers, which is allowed. The list was read back and its signature checked
// before it is handed to Publish and returned.
//
// It takes memory for the encoded list and its index, not for the entries.
func (i *Issuer) Base(ctx context.Context, o Options) (*List, error) {
	return i.issue(ctx, o, false)
}

// Delta issues a list of what changed since the base list that was published
// last, including what was released. It is an error if there is none.
//
// Everything that is said of [Issuer.Base] holds, but that a delta list changes
// nothing in the store except the number.
func (i *Issuer) Delta(ctx context.Context, o Options) (*List, error) {
	if len(o.FreshestCRL) > 0 {
		return nil, errors.New("crl: a delta list cannot name a freshest CRL (RFC 5280 section 5.2.6)")
	}
	return i.issue(ctx, o, true)
}

func (i *Issuer) issue(ctx context.Context, o Options, delta bool) (list *List, err error) {
	if err := i.check(true); err != nil {
		return nil, err
	}
	if o, err = o.complete(delta); err != nil {
		return nil, err
	}
	scheme, err := i.scheme(o.SignatureAlgorithm)
	if err != nil {
		return nil, err
	}
	err = i.locked(ctx, func() error {
		b := listBuilder{issuer: i, options: o, scheme: scheme, delta: delta}
		// First pass: the number, and how large the list will be.
		err := i.transform(ctx, func(h *ledgerHead) error {
			if delta && h.base == 0 {
				return errors.New("crl: no base list was published yet that a delta list could continue")
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
				return nil // released, or expired: no list needs it any more
			}
			return emit(*r)
		})
	})
	if err != nil {
		return nil, err
	}
	return list, nil
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
	if len(o.FreshestCRL) > maxURLs {
		return o, fmt.Errorf("crl: more than %d URLs of delta lists", maxURLs)
	}
	for _, url := range o.FreshestCRL {
		if err := CheckURL(url); err != nil {
			return o, err
		}
	}
	return o, nil
}

// scheme chooses how to sign.
func (i *Issuer) scheme(algorithm x509.SignatureAlgorithm) (s signatureScheme, err error) {
	if algorithm == 0 {
		switch key := i.Key.Public().(type) {
		case *rsa.PublicKey:
			algorithm = x509.SHA256WithRSA
		case *ecdsa.PublicKey:
			switch size := key.Curve.Params().BitSize; {
			case size <= 256:
				algorithm = x509.ECDSAWithSHA256
			case size <= 384:
				algorithm = x509.ECDSAWithSHA384
			default:
				algorithm = x509.ECDSAWithSHA512
			}
		case ed25519.PublicKey:
			algorithm = x509.PureEd25519
		}
	}
	for _, s := range append(schemes(), pssHashes()...) {
		if s.algorithm == algorithm && s.hash != crypto.SHA1 && s.fits(i.Key.Public()) {
			return s, nil
		}
	}
	return s, fmt.Errorf("crl: cannot sign with %v and a key of type %T", algorithm, i.Key.Public())
}

// A listBuilder encodes one list.
type listBuilder struct {
	issuer  *Issuer
	options Options
	scheme  signatureScheme
	delta   bool
	head    ledgerHead // with the number of this list
	size    int        // of all entries, encoded
}

// lists reports whether an entry of the ledger belongs in the list.
func (b *listBuilder) lists(r record) bool {
	if b.delta {
		return r.change > b.head.base
	}
	published := b.head.base > 0 && r.change <= b.head.base
	expired := published && !r.expires.IsZero() && b.head.baseTime.After(r.expires)
	return r.reason != RemoveFromCRL && !expired
}

func (b *listBuilder) measure(r record) {
	if b.lists(r) {
		b.size += headerSize(entrySize(r)) + entrySize(r)
	}
}

// build encodes and signs the list, in one buffer of the right size: the entries
// go into it as they are read.
func (b *listBuilder) build(ctx context.Context) (*List, error) {
	algorithm, err := b.scheme.identifier()
	if err != nil {
		return nil, err
	}
	extensions := b.extensions()
	start := []byte{tagInteger, 1, 1}
	start = append(start, algorithm...)
	start = append(start, b.issuer.Certificate.RawSubject...)
	start = appendTime(start, b.options.ThisUpdate)
	start = appendTime(start, b.options.NextUpdate)
	entries := 0 // RFC 5280 section 5.1.2.6: absent when there are none
	if b.size > 0 {
		entries = headerSize(b.size) + b.size
	}
	tbs := len(start) + entries + len(extensions)
	whole := headerSize(tbs) + tbs + len(algorithm) + b.scheme.maxSignature(b.issuer.Key.Public()) + 2*maxHeaderSize
	if uint64(whole) > 1<<32-1 {
		return nil, fmt.Errorf("crl: the list would have %d bytes, more than 4 GiB", whole)
	}

	// Room for the outermost header, whose size the signature decides.
	out := make([]byte, maxHeaderSize, maxHeaderSize+whole)
	out = appendHeader(out, tagSequence, tbs)
	out = append(out, start...)
	if b.size > 0 {
		out = appendHeader(out, tagSequence, b.size)
	}
	before := len(out)
	err = b.issuer.read(ctx, func(ledgerHead) error { return nil }, func(r record) error {
		if b.lists(r) {
			out = appendEntry(out, r)
		}
		if len(out)-before > b.size {
			return errChanged
		}
		return nil
	})
	if err == nil && len(out)-before != b.size {
		err = errChanged
	}
	if err != nil {
		return nil, err
	}
	out = append(out, extensions...)
	signature, err := b.scheme.sign(b.issuer.Key, out[maxHeaderSize:])
	if err != nil {
		return nil, fmt.Errorf("crl: signing: %w", err)
	}
	out = append(out, algorithm...)
	out = appendHeader(out, tagBitString, 1+len(signature))
	out = append(out, 0)
	out = append(out, signature...)

	size := len(out) - maxHeaderSize
	from := maxHeaderSize - headerSize(size)
	appendHeader(out[:from], tagSequence, size)
	// Read it back: a list that cannot be read, or that an HSM signed with another
	// key, must not get out.
	list, e := parse(out[from:])
	if e == nil {
		e = list.check(b.issuer.Certificate, b.options.ThisUpdate)
	}
	if e != nil {
		return nil, fmt.Errorf("crl: the finished list is not usable: %w", e)
	}
	return list, nil
}

var errChanged = errors.New("crl: the ledger changed while it was locked")

// extensions returns the list's extensions, with their outer tag.
func (b *listBuilder) extensions() []byte {
	var x []byte
	x = appendExtension(x, oidAuthorityKey, false, appendValue(nil, tagSequence, appendValue(nil, tagKeyID, b.issuer.Certificate.SubjectKeyId)))
	x = appendExtension(x, oidCRLNumber, false, appendNumber(nil, b.head.number))
	if b.delta {
		x = appendExtension(x, oidDeltaCRL, true, appendNumber(nil, b.head.base))
	}
	x = appendExtension(x, oidMSNextPublish, false, appendTime(nil, b.options.NextPublish))
	if len(b.options.FreshestCRL) > 0 {
		var names []byte
		for _, url := range b.options.FreshestCRL {
			names = appendValue(names, tagURL, []byte(url))
		}
		point := appendValue(nil, tagPointName, appendValue(nil, tagFullName, names))
		x = appendExtension(x, oidFreshestCRL, false, appendValue(nil, tagSequence, appendValue(nil, tagSequence, point)))
	}
	return appendValue(nil, tagExplicit0, appendValue(nil, tagSequence, x))
}

func appendNumber(b []byte, n uint64) []byte {
	return appendValue(b, tagInteger, rawSerial(nil, new(big.Int).SetUint64(n)))
}
