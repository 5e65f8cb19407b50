package publish

import (
	"context"
	"math/big"
	"slices"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/layout"
	"example.com/entracba/cba/crl/internal/sig"
	"example.com/entracba/cba/internal/der"
)

// maxHeader is the largest header: tag, length of length, four bytes.
const maxHeader = 6

// A builder encodes one CRL.
type builder struct {
	issuer  *Issuer
	options Options
	scheme  sig.Scheme
	delta   bool
	head    head // with the number of this CRL
}

// lists reports whether an entry belongs in the CRL.
func (b *builder) lists(r record) bool {
	if b.delta {
		return r.change > b.head.base
	}
	return r.reason != crl.RemoveFromCRL && !b.head.dead(r)
}

// build encodes and signs the CRL, in one buffer. The entries go into it as they are
// read, behind room for what comes before them: the headers have lengths in them,
// which are known afterwards.
func (b *builder) build(ctx context.Context, entries *reader) (*crl.List, error) {
	algorithm, err := b.scheme.Identifier()
	if err != nil {
		return nil, &Error{Reason: BadOptions, Err: err}
	}
	start := []byte{layout.Integer, 1, 1}
	start = append(start, algorithm...)
	start = append(start, b.issuer.Certificate.RawSubject...)
	start = appendTime(start, b.options.ThisUpdate)
	start = appendTime(start, b.options.NextUpdate)
	extensions := b.extensions()
	more := len(extensions) + len(algorithm) + b.scheme.MaxSignature(b.issuer.Key.Public()) + 2*maxHeader

	room := 3*maxHeader + len(start) // of the CRL, of the signed part, of the entries
	out, err := b.entries(ctx, entries, make([]byte, room, room+more+1024), more)
	if err != nil {
		return nil, err
	}
	before := start
	if size := len(out) - room; size > 0 { // RFC 5280 section 5.1.2.6: absent when there are none
		before = der.AppendHeader(before, layout.Sequence, size)
	}
	out = append(out, extensions...)
	before = append(der.AppendHeader(nil, layout.Sequence, len(before)+len(out)-room), before...)
	from := room - len(before)
	copy(out[from:], before)
	if uint64(len(out)-from+more) > 1<<32-1 {
		return nil, &Error{Reason: TooLarge, Detail: "the CRL would have more than 4 GiB"}
	}
	if err := b.issuer.saveState(ctx, b.head); err != nil {
		return nil, err
	}
	signature, err := b.scheme.Sign(ctx, b.issuer.Key, out[from:])
	if err != nil {
		return nil, b.failed(SigningFailed, err)
	}
	out = append(out, algorithm...)
	out = der.AppendHeader(out, layout.BitString, 1+len(signature))
	out = append(out, 0)
	out = append(out, signature...)
	whole := der.AppendHeader(nil, layout.Sequence, len(out)-from)
	from -= len(whole)
	copy(out[from:], whole)

	// Read it back: a CRL that cannot be read, or that an HSM signed with another
	// key, must not get out.
	list, err := crl.Parse(out[from:])
	if err == nil {
		err = list.Check(b.issuer.Certificate, b.options.ThisUpdate)
	}
	if err != nil {
		return nil, b.failed(Unusable, err)
	}
	return list, nil
}

func (b *builder) failed(r Reason, err error) error {
	return &Error{Reason: r, Number: b.head.number, Err: err}
}

// entries appends the entries. After some of them it reserves memory for all, and for
// so many bytes more.
func (b *builder) entries(ctx context.Context, entries *reader, out []byte, more int) ([]byte, error) {
	const some = 1024
	start := len(out)
	err := entries.each(ctx, func(r record) error {
		if b.lists(r) {
			out = appendEntry(out, r)
		}
		if entries.records == some {
			// The rest is much like the beginning: a fiftieth more is for what differs.
			left := float64(entries.size()-entries.bytes) / float64(entries.bytes)
			out = slices.Grow(out, more+int(float64(len(out)-start)*max(left, 0)*1.02))
		}
		return nil
	})
	return out, err
}

// extensions returns the CRL's extensions, with their outer tag.
func (b *builder) extensions() []byte {
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
