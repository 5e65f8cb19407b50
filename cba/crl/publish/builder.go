package publish

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/der"
	"example.com/entracba/cba/crl/internal/sig"
)

// A listBuilder encodes one list.
type listBuilder struct {
	issuer  *Issuer
	options Options
	scheme  sig.Scheme
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
	return r.reason != crl.RemoveFromCRL && !expired
}

func (b *listBuilder) measure(r record) {
	if b.lists(r) {
		b.size += der.HeaderSize(entrySize(r)) + entrySize(r)
	}
}

// build encodes and signs the list, in one buffer of the right size: the entries
// go into it as they are read.
func (b *listBuilder) build(ctx context.Context) (*crl.List, error) {
	algorithm, err := b.scheme.Identifier()
	if err != nil {
		return nil, err
	}
	extensions := b.extensions()
	start := []byte{der.Integer, 1, 1}
	start = append(start, algorithm...)
	start = append(start, b.issuer.Certificate.RawSubject...)
	start = appendTime(start, b.options.ThisUpdate)
	start = appendTime(start, b.options.NextUpdate)
	entries := 0 // RFC 5280 section 5.1.2.6: absent when there are none
	if b.size > 0 {
		entries = der.HeaderSize(b.size) + b.size
	}
	tbs := len(start) + entries + len(extensions)
	whole := der.HeaderSize(tbs) + tbs + len(algorithm) + b.scheme.MaxSignature(b.issuer.Key.Public()) + 2*der.MaxHeader
	if uint64(whole) > 1<<32-1 {
		return nil, fmt.Errorf("crl: the list would have %d bytes, more than 4 GiB", whole)
	}

	// Room for the outermost header, whose size the signature decides.
	out := make([]byte, der.MaxHeader, der.MaxHeader+whole)
	out = der.AppendHeader(out, der.Sequence, tbs)
	out = append(out, start...)
	if b.size > 0 {
		out = der.AppendHeader(out, der.Sequence, b.size)
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
	signature, err := b.scheme.Sign(b.issuer.Key, out[der.MaxHeader:])
	if err != nil {
		return nil, fmt.Errorf("crl: signing: %w", err)
	}
	out = append(out, algorithm...)
	out = der.AppendHeader(out, der.BitString, 1+len(signature))
	out = append(out, 0)
	out = append(out, signature...)

	size := len(out) - der.MaxHeader
	from := der.MaxHeader - der.HeaderSize(size)
	der.AppendHeader(out[:from], der.Sequence, size)
	// Read it back: a list that cannot be read, or that an HSM signed with another
	// key, must not get out.
	list, err := crl.Parse(out[from:])
	if err == nil {
		err = list.Check(b.issuer.Certificate, b.options.ThisUpdate)
	}
	if err != nil {
		return nil, fmt.Errorf("crl: the finished list is not usable: %w", err)
	}
	return list, nil
}

var errChanged = errors.New("crl: the ledger changed while it was locked")

// extensions returns the list's extensions, with their outer tag.
func (b *listBuilder) extensions() []byte {
	var x []byte
	x = appendExtension(x, der.OIDAuthorityKey, false, der.AppendValue(nil, der.Sequence, der.AppendValue(nil, der.KeyID, b.issuer.Certificate.SubjectKeyId)))
	x = appendExtension(x, der.OIDCRLNumber, false, appendNumber(nil, b.head.number))
	if b.delta {
		x = appendExtension(x, der.OIDDeltaCRL, true, appendNumber(nil, b.head.base))
	}
	x = appendExtension(x, der.OIDMSNextPublish, false, appendTime(nil, b.options.NextPublish))
	if len(b.options.FreshestCRL) > 0 {
		var names []byte
		for _, url := range b.options.FreshestCRL {
			names = der.AppendValue(names, der.URL, []byte(url))
		}
		point := der.AppendValue(nil, der.PointName, der.AppendValue(nil, der.FullName, names))
		x = appendExtension(x, der.OIDFreshestCRL, false, der.AppendValue(nil, der.Sequence, der.AppendValue(nil, der.Sequence, point)))
	}
	return der.AppendValue(nil, der.Explicit0, der.AppendValue(nil, der.Sequence, x))
}

func appendNumber(b []byte, n uint64) []byte {
	return der.AppendValue(b, der.Integer, der.RawInteger(nil, new(big.Int).SetUint64(n)))
}
