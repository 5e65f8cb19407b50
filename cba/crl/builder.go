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
	"math/big"
)

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
