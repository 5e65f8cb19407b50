package crl

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"hash/maphash"
	"iter"
	"math"
	"math/big"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"example.com/entracba/cba/crl/internal/layout"
	"example.com/entracba/cba/crl/internal/sig"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/der"
)

// A List is a CRL, base or delta, as [Parse] read it. It is safe for concurrent use;
// its slices are parts of Raw and must not be changed.
//
// That a CRL could be read says nothing about who made it: see [Set.Check].
type List struct {
	Raw       []byte // the whole CRL, DER
	RawTBS    []byte // the part that is signed
	RawIssuer []byte // the issuer's encoded name, for dn.ParseDER

	SignatureAlgorithm x509.SignatureAlgorithm // 0 if it is not one that this package knows
	Signature          []byte

	ThisUpdate time.Time
	NextUpdate time.Time // zero if the CRL gives none, which RFC 5280 forbids
	// NextPublish is when the next CRL will be there to fetch, some time before
	// NextUpdate: Microsoft's extension Next CRL Publish, 1.3.6.1.4.1.311.21.4.
	// Zero if the CRL does not have it.
	NextPublish time.Time

	Number *big.Int // the CRL number; nil if the CRL has none
	// BaseNumber is set in delta CRLs: the number of the base CRL that the
	// delta continues.
	BaseNumber     *big.Int
	AuthorityKeyID []byte   // nil if the CRL has none
	FreshestCRL    []string // the URLs at which the base CRL says that deltas are
	Scope          Scope

	scheme      sig.Scheme
	digest      []byte // of RawTBS under the scheme's hash
	entries     [2]int // where the entries are in Raw
	index       index
	duplicates  int
	removals    bool   // an entry has the reason removeFromCRL
	unsupported []byte // OID of an extension that keeps the CRL from being used
	entryScope  []byte // the same, of an entry

	// signedBy is the key that is known to have made the signature, so that a
	// CRL that answers for many certificates is verified once.
	signedBy atomic.Pointer[crypto.PublicKey]
}

// Parse reads a CRL (RFC 5280 section 5.1, version 2) in DER. The List keeps der,
// which must not be changed afterwards.
//
// It accepts every CRL that x509.ParseRevocationList accepts, except those with
// bytes left over anywhere, with an extension twice, or with malformed values of the
// extensions that this package reads and x509 does not. It accepts names and object
// identifiers that x509 does not. It does not check the
// signature, the issuer or any time: [Set.Check] does.
//
// The error is an [*Error] with reason [NotDER], [NotCRL] or [TooLarge] (4 GiB). Its
// Detail says what to do.
func Parse(der []byte) (*List, error) {
	l, err := parse(der)
	if err != nil {
		return nil, err
	}
	return l, nil
}

func parse(raw []byte) (*List, *Error) {
	if uint64(len(raw)) > math.MaxUint32 {
		return nil, &Error{Reason: TooLarge, Size: int64(len(raw)), Detail: "the index reaches 4 GiB"}
	}
	tag, pos, end, ok := der.Header(raw, 0)
	if !ok || tag != layout.Sequence {
		return nil, notDER(raw)
	}
	if end != len(raw) {
		return nil, failf(NotDER, "%d bytes are left over after the CRL: publish a file that ends where the CRL does", len(raw)-end)
	}
	// CertificateList: tbsCertList, signatureAlgorithm, signatureValue.
	tag, tbs, tbsEnd, ok := der.Header(raw, pos)
	if !ok || tag != layout.Sequence {
		return nil, failf(NotCRL, "the first part is no SEQUENCE"+other)
	}
	l := &List{Raw: raw, RawTBS: raw[pos:tbsEnd], index: index{seed: maphash.MakeSeed()}}
	version, tbs, err := readVersion(raw[:tbsEnd], tbs)
	if err != nil {
		return nil, err
	}
	rest := cryptobyte.String(raw[tbsEnd:])
	var algorithm cryptobyte.String
	var signature asn1.BitString
	if !rest.ReadASN1Element(&algorithm, layout.Sequence) {
		return nil, failf(NotDER, "malformed signature algorithm"+remake)
	}
	if !rest.ReadASN1BitString(&signature) {
		return nil, failf(NotDER, "malformed signature"+remake)
	}
	if !rest.Empty() {
		return nil, failf(NotDER, "trailing bytes after the signature"+remake)
	}
	if version != 1 {
		return nil, failf(NotCRL, "its version is %d, and only version 2 has the extensions that Entra needs: configure the CA to issue version 2 CRLs", version+1)
	}
	l.scheme = sig.Read(algorithm)
	l.SignatureAlgorithm = l.scheme.Algorithm
	l.Signature = signature.RightAlign()

	digest := make(chan []byte, 1)
	if len(raw) < 1<<16 {
		digest <- l.scheme.Sum(l.RawTBS)
	} else {
		go func() { digest <- l.scheme.Sum(l.RawTBS) }()
	}
	err = l.readTBS(tbs, tbsEnd, algorithm)
	l.digest = <-digest // wait even after an error: the caller has der back then
	if err != nil {
		err.Detail += remake
		return nil, err
	}
	return l, nil
}

// remake is what to do about a file that is a CRL as a whole, with a part that is
// malformed.
const remake = ": let the CA issue the CRL again, and publish that file unchanged"

// other is what to do about DER that is something else.
const other = ": publish the CRL of the CA at the URL"

// readVersion reads the version, which tells a CRL from other things that are
// made of the same parts.
func readVersion(raw []byte, pos int) (version int, next int, err *Error) {
	tag, start, end, ok := der.Header(raw, pos)
	switch {
	case !ok:
		return 0, 0, failf(NotCRL, "the part to be signed is empty"+other)
	case tag == layout.Explicit0:
		return 0, 0, failf(NotCRL, "this is a certificate or something that begins like one: publish the CRL of the CA at the URL, not its certificate")
	case tag == layout.Sequence:
		// A version 1 list begins with the signature algorithm; so does, for
		// example, an RSA public key with its algorithm.
		return 0, pos, nil
	case tag != layout.Integer:
		return 0, 0, failf(NotCRL, "the first field has tag %#x where a version belongs"+other, tag)
	case end-start != 1:
		return 0, 0, failf(NotCRL, "its version has %d bytes"+other, end-start)
	}
	return int(int8(raw[start])), end, nil
}

// readTBS reads what follows the version:
//
//	signature               AlgorithmIdentifier,
//	issuer                  Name,
//	thisUpdate              Time,
//	nextUpdate              Time OPTIONAL,
//	revokedCertificates     SEQUENCE OF ... OPTIONAL,
//	crlExtensions           [0] EXPLICIT Extensions OPTIONAL
func (l *List) readTBS(pos, end int, algorithm []byte) *Error {
	raw := l.Raw[:end]
	tag, _, stop, ok := der.Header(raw, pos)
	if !ok || tag != layout.Sequence {
		return failf(NotDER, "malformed signature algorithm")
	}
	if !bytes.Equal(raw[pos:stop], algorithm) {
		return failf(NotDER, "the two signature algorithms differ")
	}
	pos = stop
	if tag, _, stop, ok = der.Header(raw, pos); !ok || tag != layout.Sequence {
		return failf(NotDER, "malformed issuer")
	}
	l.RawIssuer = raw[pos:stop]
	if l.ThisUpdate, pos, ok = readTime(raw, stop); !ok {
		return failf(NotDER, "malformed This Update")
	}
	if pos < end && (raw[pos] == layout.UTCTime || raw[pos] == layout.GeneralizedTime) {
		if l.NextUpdate, pos, ok = readTime(raw, pos); !ok {
			return failf(NotDER, "malformed Next Update")
		}
	}
	if pos < end && raw[pos] == layout.Sequence {
		_, start, stop, ok := der.Header(raw, pos)
		if !ok {
			return failf(NotDER, "malformed list of revoked certificates")
		}
		l.entries = [2]int{start, stop}
		if err := l.scan(); err != nil {
			return err
		}
		pos = stop
	}
	if pos < end && raw[pos] == layout.Explicit0 {
		_, start, stop, ok := der.Header(raw, pos)
		if !ok {
			return failf(NotDER, "malformed extensions")
		}
		if err := l.readExtensions(raw[start:stop]); err != nil {
			return err
		}
		pos = stop
	}
	if pos != end {
		return failf(NotDER, "trailing bytes in the signed part")
	}
	return nil
}

// firstEntries is the size of the index before the entries read so far tell how
// many there will be.
const firstEntries = 256

// scan reads all entries, once, and fills the index.
func (l *List) scan() *Error {
	pos, end := l.entries[0], l.entries[1]
	raw := l.Raw[:end]
	x := &l.index
	var e Entry
	for n := 0; pos < end; n++ {
		if x.full() {
			entries := firstEntries
			if n > 0 {
				// As long as the ones so far, and at least half as many again: what
				// is left over of a wrong guess is bounded either way.
				average := max((pos-l.entries[0])/n, 1)
				entries = max((end-l.entries[0])/average, x.count+x.count/2)
			}
			x.grow(raw, min(entries, (end-l.entries[0])/minEntry+1))
		}
		next, problem := readEntry(raw, pos, &e)
		if problem != "" {
			return failf(NotDER, "%s, in entry %d at byte %d", problem, n+1, pos)
		}
		l.removals = l.removals || e.Reason == RemoveFromCRL
		if e.unsupported != nil && l.entryScope == nil {
			l.entryScope = e.unsupported
		}
		slot, tag, found := x.find(raw, e.RawSerial)
		switch {
		case !found:
			x.tags[slot], x.slots[slot] = tag, uint32(pos)
			x.count++
		default:
			l.duplicates++
			// Of two entries for one certificate the first counts, unless it is the
			// one that takes the revocation back.
			if e.Reason != RemoveFromCRL && l.entryAt(x.slots[slot]).Reason == RemoveFromCRL {
				x.slots[slot] = uint32(pos)
			}
		}
		pos = next
	}
	return nil
}

// minEntry is the size of the smallest entry: two headers, a serial number of
// one byte, a UTCTime without seconds.
const minEntry = 2 + 3 + 2 + 11

func (l *List) entryAt(at uint32) (e Entry) {
	readEntry(l.Raw, int(at), &e)
	return e
}

// Lookup returns the entry for a serial number, and whether there is one. It
// takes less than a microsecond on the largest CRLs and allocates nothing.
//
// An entry of a delta CRL may say that the certificate is good again, and a CRL is
// about the certificates of one issuer, perhaps only about some. [Set.Status] takes
// all of that into account.
func (l *List) Lookup(serial *big.Int) (Entry, bool) {
	if l == nil || l.index.count == 0 || serial == nil {
		return Entry{}, false
	}
	var buffer [64]byte
	raw := layout.RawInteger(buffer[:], serial)
	slot, _, found := l.index.find(l.Raw, raw)
	if !found {
		return Entry{}, false
	}
	return l.entryAt(l.index.slots[slot]), true
}

// Len returns the number of different serial numbers in the CRL.
func (l *List) Len() int {
	if l == nil {
		return 0
	}
	return l.index.count
}

// All returns the entries in the order of the CRL.
func (l *List) All() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		if l == nil {
			return
		}
		for pos := l.entries[0]; pos < l.entries[1]; {
			var e Entry
			pos, _ = readEntry(l.Raw, pos, &e)
			if !yield(e) {
				return
			}
		}
	}
}

// IsDelta reports whether this is a delta CRL.
func (l *List) IsDelta() bool { return l != nil && l.BaseNumber != nil }

// Issuer returns the issuer's name as text, for people; the comparison of
// [List.CheckIssuer] does not use it.
func (l *List) Issuer() string {
	if l == nil {
		return ""
	}
	return nameText(l.RawIssuer)
}

func nameText(raw []byte) string {
	name, err := dn.ParseDER(raw)
	if err != nil {
		return fmt.Sprintf("%x", raw)
	}
	return name.String()
}
