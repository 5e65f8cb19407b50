package publish

import (
	"time"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/layout"
	"example.com/entracba/cba/internal/der"
)

func appendExtension(b []byte, oid string, critical bool, value []byte) []byte {
	x := der.Append(nil, layout.OID, []byte(oid))
	if critical {
		x = append(x, layout.Boolean, 1, 0xff)
	}
	return der.Append(b, layout.Sequence, der.Append(x, layout.OctetString, value))
}

// appendTime writes a UTCTime until 2049 and a GeneralizedTime from then on
// (RFC 5280 section 5.1.2.4).
func appendTime(b []byte, t time.Time) []byte {
	if isUTCTime(t) {
		return t.UTC().AppendFormat(append(b, layout.UTCTime, 13), "060102150405Z")
	}
	return t.UTC().AppendFormat(append(b, layout.GeneralizedTime, 15), "20060102150405Z")
}

func isUTCTime(t time.Time) bool { return t.UTC().Year() < 2050 }

// entrySize returns the size of the content of an encoded entry.
func entrySize(r record) int {
	size := 2 + len(r.serial) + 2 + 15
	if isUTCTime(r.time) {
		size -= 2
	}
	if r.reason != crl.Unspecified {
		size += 2 + len(layout.PlainReason) + 1
	}
	return size
}

// appendEntry writes an entry. Unspecified is written as no reason at all (RFC
// 5280 section 5.3.1).
func appendEntry(b []byte, r record) []byte {
	b = der.AppendHeader(b, layout.Sequence, entrySize(r))
	b = der.Append(b, layout.Integer, r.serial)
	b = appendTime(b, r.time)
	if r.reason != crl.Unspecified {
		b = append(b, layout.Sequence, byte(len(layout.PlainReason)+1))
		b = append(append(b, layout.PlainReason...), byte(r.reason))
	}
	return b
}
