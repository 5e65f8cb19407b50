package publish

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"strconv"
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/layout"
)

// The ledger is text, so that it can be read in an emergency, and streamed, so
// that a large one is never in memory:
//
//	entracba-crl-ledger 1
//	issuer 5f0c…                          SHA-256 of subject and key identifier
//	number 42                             the last CRL number that was given out
//	base 40 2026-01-02T15:04:05Z          the last published base CRL; 0 and - if none
//	4a17 2026-01-02T15:04:05Z keyCompromise 41 2027-01-01T00:00:00Z
//	…                                     serial, date, reason, change, expiry or -
//	end 1 77c2…                           entries, SHA-256 of everything before
//
// The change of an entry is the CRL number of the first list that can have it: a
// delta that continues base N holds the entries whose change is above N. An
// entry that was released stays as removeFromCRL until the next base CRL.
const ledgerMagic = "entracba-crl-ledger 1"

// A ledgerHead is what stands before the entries.
type ledgerHead struct {
	issuer   string
	number   uint64
	base     uint64
	baseTime time.Time
}

// A record is one entry of the ledger. The serial number is the content of the
// DER INTEGER.
type record struct {
	serial  []byte
	time    time.Time
	reason  crl.RevocationReason
	change  uint64
	expires time.Time
}

// authorityID ties a ledger to the one CA whose lists it is for. A
// renewed certificate with the same name and key keeps it.
func authorityID(ca *x509.Certificate) string {
	h := sha256.New()
	h.Write(ca.RawSubject)
	h.Write(ca.SubjectKeyId)
	return hex.EncodeToString(h.Sum(nil))
}

// transform reads the ledger and saves another one: with the head that the
// function head has changed, and with the entries that change emits. change is
// called with every entry, and at the end with nil.
func (i *Issuer) transform(ctx context.Context, head func(*ledgerHead) error, change func(h ledgerHead, r *record, emit func(record) error) error) error {
	return i.Store.Save(ctx, func(w io.Writer) error {
		out := newLedgerWriter(w)
		var h ledgerHead
		err := i.read(ctx, func(read ledgerHead) error {
			h = read
			if err := head(&h); err != nil {
				return err
			}
			return out.head(h)
		}, func(r record) error {
			return change(h, &r, out.record)
		})
		if err != nil {
			return err
		}
		if err := change(h, nil, out.record); err != nil {
			return err
		}
		return out.end()
	})
}

// read calls head once and then entry for every entry. It returns an error if
// the ledger is not whole: what the two were called with must not be relied on
// then. An absent ledger is an empty one.
func (i *Issuer) read(ctx context.Context, head func(ledgerHead) error, entry func(record) error) error {
	id := authorityID(i.Certificate)
	content, err := i.Store.Load(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return head(ledgerHead{issuer: id})
	}
	if err != nil {
		return fmt.Errorf("crl: cannot load the ledger: %w", err)
	}
	defer content.Close()
	in := &ledgerReader{in: bufio.NewReaderSize(content, 1<<16), hash: sha256.New()}
	h, err := in.head()
	if err != nil {
		return fmt.Errorf("crl: the ledger is damaged at line %d: %w", in.line, err)
	}
	if h.issuer != id {
		return errors.New("crl: the ledger is that of another CA: its name or key differs")
	}
	if err := head(h); err != nil {
		return err
	}
	for {
		r, err := in.record()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("crl: the ledger is damaged at line %d: %w", in.line, err)
		}
		if err := entry(r); err != nil {
			return err
		}
	}
}

type ledgerReader struct {
	in      *bufio.Reader
	hash    hash.Hash
	line    int
	records int
	serial  [layout.MaxSerial + 1]byte
}

var errShort = errors.New("it ends too early")

// fields reads a line into at most six fields. The fields are valid until the
// next line is read.
func (r *ledgerReader) fields() (fields [6][]byte, n int, sum []byte, err error) {
	r.line++
	line, err := r.in.ReadSlice('\n')
	if err == io.EOF {
		return fields, 0, nil, errShort
	}
	if err != nil {
		return fields, 0, nil, err
	}
	if bytes.HasPrefix(line, []byte("end ")) {
		sum = r.hash.Sum(nil)
	}
	r.hash.Write(line)
	for rest, more := line[:len(line)-1], true; more; n++ {
		if n == len(fields) {
			return fields, 0, nil, errors.New("the line has too many words")
		}
		fields[n], rest, more = bytes.Cut(rest, []byte(" "))
	}
	return fields, n, sum, nil
}

// named reads a line that begins with a name and has so many words.
func (r *ledgerReader) named(name string, words int) (fields [6][]byte, err error) {
	fields, n, _, err := r.fields()
	if err == nil && (n != words || string(fields[0]) != name) {
		err = fmt.Errorf("the line should begin with %q", name)
	}
	return fields, err
}

func (r *ledgerReader) head() (h ledgerHead, err error) {
	fields, err := r.named("entracba-crl-ledger", 2)
	if err == nil && string(fields[1]) != "1" {
		err = fmt.Errorf("it is of version %q, and this package knows version 1", fields[1])
	}
	if err == nil {
		fields, err = r.named("issuer", 2)
		h.issuer = string(fields[1])
	}
	if err == nil {
		fields, err = r.named("number", 2)
	}
	if err == nil {
		h.number, err = strconv.ParseUint(string(fields[1]), 10, 64)
	}
	if err == nil {
		fields, err = r.named("base", 3)
	}
	if err == nil {
		h.base, err = strconv.ParseUint(string(fields[1]), 10, 64)
	}
	if err == nil {
		h.baseTime, err = readStamp(fields[2])
	}
	return h, err
}

// record reads an entry. Its serial number is valid until the next. After the
// last one, when the checksum is right, the error is io.EOF.
func (r *ledgerReader) record() (record, error) {
	fields, n, sum, err := r.fields()
	if err != nil {
		return record{}, err
	}
	if sum != nil {
		return record{}, r.end(fields[:n], sum)
	}
	if n != 5 {
		return record{}, errors.New("an entry has 5 words")
	}
	r.records++
	if len(fields[0]) > 2*len(r.serial) {
		return record{}, errors.New("the serial number is too long")
	}
	size, err := hex.Decode(r.serial[:], fields[0])
	if err != nil {
		return record{}, err
	}
	e := record{serial: r.serial[:size]}
	if e.time, err = readStamp(fields[1]); err != nil {
		return record{}, err
	}
	if err := e.reason.UnmarshalText(fields[2]); err != nil {
		return record{}, err
	}
	if e.change, err = strconv.ParseUint(string(fields[3]), 10, 64); err != nil {
		return record{}, err
	}
	e.expires, err = readStamp(fields[4])
	return e, err
}

func (r *ledgerReader) end(fields [][]byte, sum []byte) error {
	if len(fields) != 3 || string(fields[1]) != strconv.Itoa(r.records) || string(fields[2]) != hex.EncodeToString(sum) {
		return errors.New("the checksum or the number of entries is wrong")
	}
	if _, err := r.in.ReadByte(); err != io.EOF {
		return errors.New("something follows the end")
	}
	return io.EOF
}

func readStamp(text []byte) (t time.Time, err error) {
	if string(text) == "-" {
		return t, nil
	}
	return time.Parse(time.RFC3339, string(text))
}

type ledgerWriter struct {
	out     io.Writer
	hash    hash.Hash
	line    []byte
	records int
}

func newLedgerWriter(out io.Writer) *ledgerWriter {
	return &ledgerWriter{out: out, hash: sha256.New()}
}

func (w *ledgerWriter) write() error {
	w.hash.Write(w.line)
	_, err := w.out.Write(w.line)
	return err
}

func (w *ledgerWriter) head(h ledgerHead) error {
	w.line = fmt.Appendf(w.line[:0], "%s\nissuer %s\nnumber %d\nbase %d %s\n",
		ledgerMagic, h.issuer, h.number, h.base, appendStamp(nil, h.baseTime))
	return w.write()
}

func (w *ledgerWriter) record(r record) error {
	w.records++
	b := hex.AppendEncode(w.line[:0], r.serial)
	b = append(b, ' ')
	b = appendStamp(b, r.time)
	b = append(b, ' ')
	b = append(b, r.reason.String()...)
	b = append(b, ' ')
	b = strconv.AppendUint(b, r.change, 10)
	b = append(b, ' ')
	b = appendStamp(b, r.expires)
	w.line = append(b, '\n')
	return w.write()
}

func (w *ledgerWriter) end() error {
	w.line = fmt.Appendf(w.line[:0], "end %d %x\n", w.records, w.hash.Sum(nil))
	return w.write()
}

func appendStamp(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, '-')
	}
	return t.UTC().AppendFormat(b, time.RFC3339)
}
