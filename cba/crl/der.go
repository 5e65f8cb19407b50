package crl

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"

	"example.com/entracba/cba/crl/internal/layout"
	"example.com/entracba/cba/internal/der"
	"example.com/entracba/cba/internal/text"
)

// readTime reads a UTCTime or GeneralizedTime at pos, and returns what follows.
// It accepts what crypto/x509 accepts.
func readTime(raw []byte, pos int) (t time.Time, end int, ok bool) {
	tag, start, end, ok := der.Header(raw, pos)
	if !ok {
		return t, 0, false
	}
	if tag == layout.UTCTime && end-start == 13 {
		if seconds, ok := utcSeconds(raw[start:end]); ok {
			return time.Unix(seconds, 0).UTC(), end, true
		}
	}
	s := cryptobyte.String(raw[pos:end])
	switch tag {
	case layout.UTCTime:
		ok = s.ReadASN1UTCTime(&t)
	case layout.GeneralizedTime:
		ok = s.ReadASN1GeneralizedTime(&t)
	default:
		ok = false
	}
	return t, end, ok
}

// utcSeconds reads the 13 bytes of YYMMDDhhmmssZ, the one form that RFC 5280
// allows until 2049. Big lists hold millions of them: time.Parse would take
// longer than everything else.
func utcSeconds(b []byte) (unix int64, ok bool) {
	_ = b[12]
	if b[12] != 'Z' {
		return 0, false
	}
	// All twelve are digits if each high half is 3 and stays 3 when 6 is added.
	const high, three, six = 0xf0f0f0f0f0f0f0f0, 0x3030303030303030, 0x0606060606060606
	front, back := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[4:])
	if front&high != three || (front+six)&high != three || back&high != three || (back+six)&high != three {
		return 0, false
	}
	two := func(i int) int64 { return int64(b[i])*10 + int64(b[i+1]) - 11*'0' }
	year, month, day := two(0), two(2), two(4)
	hour, minute, second := two(6), two(8), two(10)
	if month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	if year += 1900; year < 1950 {
		year += 100
	}
	days := [...]int64{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
	if leap := year%4 == 0; leap && month == 2 { // 1950 to 2049: 2000 was one too
		days++
	}
	if day > days {
		return 0, false
	}
	// Days since 1970-01-01, counting years from 1 March so that the leap day is
	// the last of its year.
	if month <= 2 {
		year--
		month += 12
	}
	date := 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468
	return ((date*24+hour)*60+minute)*60 + second, true
}

// An extension of a CRL or of an entry.
type extension struct {
	oid      []byte // content bytes
	critical bool
	value    []byte
}

// readExtension reads one Extension at pos, and returns what follows.
func readExtension(raw []byte, pos int) (x extension, end int, problem string) {
	tag, pos, end, ok := der.Header(raw, pos)
	if !ok || tag != layout.Sequence {
		return x, 0, "malformed extension"
	}
	raw = raw[:end]
	tag, start, stop, ok := der.Header(raw, pos)
	if !ok || tag != layout.OID || start == stop {
		return x, 0, "malformed extension OID"
	}
	x.oid = raw[start:stop]
	tag, start, stop, ok = der.Header(raw, stop)
	if ok && tag == layout.Boolean {
		if stop-start != 1 || raw[start] != 0 && raw[start] != 0xff {
			return x, 0, "malformed critical flag"
		}
		x.critical = raw[start] != 0
		tag, start, stop, ok = der.Header(raw, stop)
	}
	if !ok || tag != layout.OctetString {
		return x, 0, "malformed extension value"
	}
	if stop != end {
		return x, 0, "trailing bytes in an extension"
	}
	x.value = raw[start:stop]
	return x, end, ""
}

// oidText writes content bytes as dotted numbers, or as hex if they are none.
func oidText(content []byte) string {
	var oid x509.OID
	if oid.UnmarshalBinary(content) != nil {
		return fmt.Sprintf("%x", content)
	}
	return text.OID(oid)
}

// notDER says what bytes are that do not start with a DER SEQUENCE of their own
// length: what web servers and people put where a CRL should be.
func notDER(b []byte) *Error {
	text := bytes.TrimLeft(bytes.TrimPrefix(b[:min(len(b), 1024)], []byte("\xef\xbb\xbf")), " \t\r\n")
	lower := bytes.ToLower(text)
	switch {
	case len(b) == 0:
		return failf(NotDER, "there are 0 bytes: publish the CRL at the URL")
	case bytes.HasPrefix(text, []byte("-----BEGIN ")):
		return failf(NotDER, "this is PEM, and Entra reads DER only: convert it with openssl crl -outform DER")
	case bytes.HasPrefix(text, []byte("MI")):
		return failf(NotDER, "this is base64, and Entra reads DER only: publish the decoded bytes")
	case bytes.HasPrefix(lower, []byte("<!doctype html")), bytes.HasPrefix(lower, []byte("<html")):
		return failf(NotDER, "this is an HTML page that begins %q: the URL must lead to the CRL itself, without a sign-in or an error page", excerpt(text))
	case bytes.HasPrefix(b, []byte("\x1f\x8b")):
		return failf(NotDER, "this is compressed with gzip, and Entra reads plain DER only: publish the CRL uncompressed")
	case b[0] != layout.Sequence:
		if utf8.Valid(text[:min(len(text), 64)]) && len(text) > 0 {
			return failf(NotDER, "it begins %q"+other, excerpt(text))
		}
		return failf(NotDER, "it begins with the bytes %x"+other, b[:min(len(b), 8)])
	case len(b) >= 2 && b[1] == 0x80:
		return failf(NotDER, "it has an indefinite length, which is BER: publish the CRL in DER, as openssl crl -outform DER writes it")
	}
	start := append(bytes.Clone(b[:min(len(b), 8)]), make([]byte, 8)...)
	if _, end, ok := der.Announced(start); ok && len(b) > 1 && end > len(b) {
		return failf(NotDER, "cut short: %d bytes are there of the %d that its header announces; publish the whole file", len(b), end)
	}
	return failf(NotDER, "the outermost length is malformed or longer than the %d bytes that are there"+other, len(b))
}

func excerpt(text []byte) []byte { return text[:min(len(text), 40)] }
