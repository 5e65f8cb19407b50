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

// The store has two texts, so that they can be read in an emergency, and streamed, so
// that a large one is never in memory. The state:
//
//	entracba-crl-state 2
//	issuer 5f0c…                          SHA-256 of subject and key identifier
//	number 42                             the last CRL number that was given out
//	base 40 2026-01-02T15:04:05Z          the last published base CRL; 0 and - if none
//	generation 7                          of the entries, when this was written
//	end 0 77c2…                           SHA-256 of everything before
//
// The entries:
//
//	entracba-crl-entries 2
//	issuer 5f0c…
//	number 41                             the last CRL number when this was written
//	generation 7                          how often the entries were written
//	4a17 2026-01-02T15:04:05Z keyCompromise 41 2027-01-01T00:00:00Z
//	…                                     serial, date, reason, change, expiry or -
//	end 1 77c2…                           entries, SHA-256 of everything before
//
// The change of an entry is the CRL number of the first CRL that can have it: a
// delta that continues base N holds the entries whose change is above N. An
// entry that was released stays as removeFromCRL until the next base CRL.
//
// The state's generation is never above that of the entries, and the entries' number
// never above that of the state, unless one of the two texts is an old copy.
const (
	stateMagic   = "entracba-crl-state"
	entriesMagic = "entracba-crl-entries"
	version      = "2"
)

// A head is what the issuer remembers besides the entries.
type head struct {
	fresh      bool // nothing was saved yet
	number     uint64
	base       uint64
	baseTime   time.Time
	generation uint64 // of the entries
}

// A record is one entry. The serial number is the content of the DER INTEGER.
type record struct {
	serial  []byte
	time    time.Time
	reason  crl.RevocationReason
	change  uint64
	expires time.Time
}

// dead reports whether no CRL needs a record any more: the last base CRL left the
// released certificate out, or had the expired one (RFC 5280 section 3.3).
func (h head) dead(r record) bool {
	published := h.base > 0 && r.change <= h.base
	return published && (r.reason == crl.RemoveFromCRL || !r.expires.IsZero() && h.baseTime.After(r.expires))
}

// caID ties a store to the one CA whose CRLs it is for. A renewed certificate with
// the same name and key keeps it.
func caID(ca *x509.Certificate) string {
	h := sha256.New()
	h.Write(ca.RawSubject)
	h.Write(ca.SubjectKeyId)
	return hex.EncodeToString(h.Sum(nil))
}

// open reads the state, and opens the entries and reads what stands before them.
func (i *Issuer) open(ctx context.Context) (h head, entries *reader, err error) {
	h, err = i.readState(ctx)
	if err != nil {
		return h, nil, err
	}
	content, err := i.Store.Load(ctx, Entries)
	switch {
	case err == nil && h.fresh:
		content.Close()
		return h, nil, failf(Damaged, "there are entries but no state: restore the state from a backup")
	case errors.Is(err, fs.ErrNotExist) && h.number == 0:
		return h, nil, nil // nothing was recorded, or the first attempt was broken off
	case errors.Is(err, fs.ErrNotExist):
		return h, nil, failf(Damaged, "there is a state but there are no entries: restore the entries from a backup")
	case err != nil:
		return h, nil, storeError(ctx, err, "the entries cannot be read")
	}
	entries = newReader(Entries, content)
	number, generation, err := entries.entriesHead(caID(i.Certificate))
	switch {
	case err != nil:
	case generation < h.generation:
		err = failf(Damaged, "the entries are older than the state: restore both from the same backup")
	case number > h.number:
		err = failf(Damaged, "the state is older than the entries: restore both from the same backup")
	}
	if err != nil {
		content.Close()
		return h, nil, err
	}
	h.generation = generation
	return h, entries, nil
}

func (i *Issuer) readState(ctx context.Context) (head, error) {
	content, err := i.Store.Load(ctx, State)
	if errors.Is(err, fs.ErrNotExist) {
		return head{fresh: true}, nil
	}
	if err != nil {
		return head{}, storeError(ctx, err, "the state cannot be read")
	}
	defer content.Close()
	return newReader(State, content).state(caID(i.Certificate))
}

func (i *Issuer) saveState(ctx context.Context, h head) error {
	err := i.Store.Save(ctx, State, func(w io.Writer) error {
		out := newWriter(w)
		out.line = fmt.Appendf(out.line, "%s %s\nissuer %s\nnumber %d\nbase %d %s\ngeneration %d\n",
			stateMagic, version, caID(i.Certificate), h.number, h.base, appendStamp(nil, h.baseTime), h.generation)
		if err := out.write(); err != nil {
			return err
		}
		return out.end()
	})
	return storeError(ctx, err, "the state cannot be saved")
}

// transform reads the entries once and saves others: those that change emits. change
// is called with every entry that is not dead, and at the end with nil.
func (i *Issuer) transform(ctx context.Context, change func(h head, r *record, emit func(record) error) error) error {
	// The state comes first: entries without one are refused.
	h, in, err := i.open(ctx)
	in.close()
	if err == nil && h.fresh {
		err = i.saveState(ctx, head{})
	}
	if err != nil {
		return err
	}
	err = i.Store.Save(ctx, Entries, func(w io.Writer) error {
		h, in, err := i.open(ctx)
		if err != nil {
			return err
		}
		out := newWriter(w)
		out.line = fmt.Appendf(out.line, "%s %s\nissuer %s\nnumber %d\ngeneration %d\n",
			entriesMagic, version, caID(i.Certificate), h.number, h.generation+1)
		if err := out.write(); err != nil {
			return err
		}
		var old record // one for all, as is emit
		emit := out.record
		err = in.each(ctx, func(r record) error {
			if h.dead(r) {
				return nil
			}
			old = r
			return change(h, &old, emit)
		})
		if err != nil {
			return err
		}
		if err := change(h, nil, emit); err != nil {
			return err
		}
		return out.end()
	})
	return storeError(ctx, err, "the entries cannot be saved")
}

// A reader reads one of the two texts.
type reader struct {
	part    Part
	content io.ReadCloser
	in      *bufio.Reader
	hash    hash.Hash
	line    int
	bytes   int64 // that were read
	records int
	serial  [layout.MaxSerial + 1]byte
}

func newReader(part Part, content io.ReadCloser) *reader {
	return &reader{part: part, content: content, in: bufio.NewReaderSize(content, 1<<16), hash: sha256.New()}
}

func (r *reader) close() {
	if r != nil {
		r.content.Close()
	}
}

// size returns how many bytes the whole text has, 0 if that is not known.
func (r *reader) size() int64 {
	switch content := r.content.(type) {
	case interface{ Stat() (fs.FileInfo, error) }:
		if info, err := content.Stat(); err == nil {
			return info.Size()
		}
	case interface{ Size() int64 }:
		return content.Size()
	}
	return 0
}

// each calls do with every entry, and closes the text. It returns an error if the
// text is not whole: what do was called with must not be relied on then. A nil
// reader has no entries.
func (r *reader) each(ctx context.Context, do func(record) error) error {
	if r == nil {
		return nil
	}
	defer r.close()
	for {
		e, err := r.record()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return r.damaged(err)
		}
		if r.records%4096 == 0 && ctx.Err() != nil {
			return storeError(ctx, ctx.Err(), "the entries were not read to their end")
		}
		if err := do(e); err != nil {
			return err
		}
	}
}

func (r *reader) damaged(err error) error {
	if own := new(Error); errors.As(err, &own) {
		return err
	}
	return &Error{Reason: Damaged, Detail: fmt.Sprintf("line %d of the %s", r.line, r.part), Err: err}
}

var errShort = errors.New("it ends too early")

// fields reads a line into at most five fields. The fields are valid until the
// next line is read. sum is the digest of what is before the line "end".
func (r *reader) fields() (fields [5][]byte, n int, sum []byte, err error) {
	r.line++
	line, err := r.in.ReadSlice('\n')
	if err == io.EOF {
		return fields, 0, nil, errShort
	}
	if err == bufio.ErrBufferFull {
		return fields, 0, nil, errors.New("the line is too long")
	}
	if err != nil {
		return fields, 0, nil, &Error{Reason: StoreFailed, Detail: fmt.Sprintf("the %s cannot be read", r.part), Err: err}
	}
	r.bytes += int64(len(line))
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

// named reads a line that begins with a name and has so many words more.
func (r *reader) named(name string, words int) (fields [5][]byte, err error) {
	fields, n, _, err := r.fields()
	if err == nil && (n != words+1 || string(fields[0]) != name) {
		err = fmt.Errorf("the line should begin with %q", name)
	}
	copy(fields[:], fields[1:])
	return fields, err
}

func (r *reader) number(name string) (uint64, error) {
	fields, err := r.named(name, 1)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(string(fields[0]), 10, 64)
}

// begin reads the first two lines.
func (r *reader) begin(magic, issuer string) error {
	fields, err := r.named(magic, 1)
	if err == nil && string(fields[0]) != version {
		err = fmt.Errorf("it is of version %.20q, and this package reads version %s", fields[0], version)
	}
	if err == nil {
		fields, err = r.named("issuer", 1)
	}
	if err == nil && string(fields[0]) != issuer {
		err = failf(OtherCA, "the name or the key identifier of the issuer's certificate differs from that of the CA that the store is for")
	}
	return err
}

func (r *reader) state(issuer string) (h head, err error) {
	err = r.begin(stateMagic, issuer)
	if err == nil {
		h.number, err = r.number("number")
	}
	var fields [5][]byte
	if err == nil {
		fields, err = r.named("base", 2)
	}
	if err == nil {
		h.base, err = strconv.ParseUint(string(fields[0]), 10, 64)
	}
	if err == nil {
		h.baseTime, err = readStamp(fields[1])
	}
	if err == nil {
		h.generation, err = r.number("generation")
	}
	if err == nil && (h.number > 1<<63 || h.base > h.number || (h.base == 0) != h.baseTime.IsZero()) {
		err = errors.New("the number is too large, or the base CRL contradicts it")
	}
	if err == nil {
		if _, err = r.record(); err == nil {
			err = errors.New("it should end here")
		}
	}
	if err != io.EOF {
		return head{}, r.damaged(err)
	}
	return h, nil
}

func (r *reader) entriesHead(issuer string) (number, generation uint64, err error) {
	err = r.begin(entriesMagic, issuer)
	if err == nil {
		number, err = r.number("number")
	}
	if err == nil {
		generation, err = r.number("generation")
	}
	if err != nil {
		return 0, 0, r.damaged(err)
	}
	return number, generation, nil
}

// record reads an entry. Its serial number is valid until the next. After the
// last one, when the checksum is right, the error is io.EOF.
func (r *reader) record() (record, error) {
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
	if len(fields[0]) > 2*len(r.serial) || len(fields[0]) == 0 {
		return record{}, errors.New("the serial number is empty or too long")
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

func (r *reader) end(fields [][]byte, sum []byte) error {
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

// A writer writes one of the two texts.
type writer struct {
	out     io.Writer
	hash    hash.Hash
	line    []byte
	records int
}

func newWriter(out io.Writer) *writer { return &writer{out: out, hash: sha256.New()} }

func (w *writer) write() error {
	w.hash.Write(w.line)
	_, err := w.out.Write(w.line)
	return err
}

func (w *writer) record(r record) error {
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

func (w *writer) end() error {
	w.line = fmt.Appendf(w.line[:0], "end %d %x\n", w.records, w.hash.Sum(nil))
	return w.write()
}

func appendStamp(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, '-')
	}
	return t.UTC().AppendFormat(b, time.RFC3339)
}
