package publish

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/layout"
	"example.com/entracba/cba/crl/internal/sig"
	"example.com/entracba/cba/internal/der"
)

// maxHeader is the largest header: tag, length of length, four bytes.
const maxHeader = 6

// A listBuilder encodes one CRL.
type listBuilder struct {
	issuer  *Issuer
	options Options
	scheme  sig.Scheme
	delta   bool
	head    ledgerHead // with the number of this CRL
	size    int        // of all entries, encoded
}

// lists reports whether an entry of the ledger belongs in the CRL.
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

// build encodes and signs the CRL, in one buffer of the right size: the entries
// go into it as they are read.
func (b *listBuilder) build(ctx context.Context) (*crl.List, error) {
	algorithm, err := b.scheme.Identifier()
	if err != nil {
		return nil, err
	}
	extensions := b.extensions()
	start := []byte{layout.Integer, 1, 1}
	start = append(start, algorithm...)
	start = append(start, b.issuer.Certificate.RawSubject...)
	start = appendTime(start, b.options.ThisUpdate)
	start = appendTime(start, b.options.NextUpdate)
	entries := 0 // RFC 5280 section 5.1.2.6: absent when there are none
	if b.size > 0 {
		entries = der.HeaderSize(b.size) + b.size
	}
	tbs := len(start) + entries + len(extensions)
	whole := der.HeaderSize(tbs) + tbs + len(algorithm) + b.scheme.MaxSignature(b.issuer.Key.Public()) + 2*maxHeader
	if uint64(whole) > 1<<32-1 {
		return nil, fmt.Errorf("crl: the CRL would have %d bytes, more than 4 GiB", whole)
	}

	// Room for the outermost header, whose size the signature decides.
	out := make([]byte, maxHeader, maxHeader+whole)
	out = der.AppendHeader(out, layout.Sequence, tbs)
	out = append(out, start...)
	if b.size > 0 {
		out = der.AppendHeader(out, layout.Sequence, b.size)
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
	signature, err := b.scheme.Sign(b.issuer.Key, out[maxHeader:])
	if err != nil {
		return nil, fmt.Errorf("crl: signing: %w", err)
	}
	out = append(out, algorithm...)
	out = der.AppendHeader(out, layout.BitString, 1+len(signature))
	out = append(out, 0)
	out = append(out, signature...)

	size := len(out) - maxHeader
	from := maxHeader - der.HeaderSize(size)
	der.AppendHeader(out[:from], layout.Sequence, size)
	// Read it back: a CRL that cannot be read, or that an HSM signed with another
	// key, must not get out.
	list, err := crl.Parse(out[from:])
	if err == nil {
		err = list.Check(b.issuer.Certificate, b.options.ThisUpdate)
	}
	if err != nil {
		return nil, fmt.Errorf("crl: the finished CRL is not usable: %w", err)
	}
	return list, nil
}

var errChanged = errors.New("crl: the ledger changed while it was locked")

// extensions returns the CRL's extensions, with their outer tag.
func (b *listBuilder) extensions() []byte {
	var x []byte
	x = appendExtension(x, layout.OIDAuthorityKey, false, der.Append(nil, layout.Sequence, der.Append(nil, layout.KeyID, b.issuer.Certificate.SubjectKeyId)))
	x = appendExtension(x, layout.OIDCRLNumber, false, appendNumber(nil, b.head.number))
	if b.delta {
		x = appendExtension(x, layout.OIDDeltaCRL, true, appendNumber(nil, b.head.base))
	}
	x = appendExtension(x, layout.OIDMSNextPublish, false, appendTime(nil, b.options.NextPublish))
	if len(b.options.FreshestCRL) > 0 {
		var names []byte
		for _, url := range b.options.FreshestCRL {
			names = der.Append(names, layout.URL, []byte(url))
		}
		point := der.Append(nil, layout.PointName, der.Append(nil, layout.FullName, names))
		x = appendExtension(x, layout.OIDFreshestCRL, false, der.Append(nil, layout.Sequence, der.Append(nil, layout.Sequence, point)))
	}
	return der.Append(nil, layout.Explicit0, der.Append(nil, layout.Sequence, x))
}

func appendNumber(b []byte, n uint64) []byte {
	return der.Append(b, layout.Integer, layout.RawInteger(nil, new(big.Int).SetUint64(n)))
}
