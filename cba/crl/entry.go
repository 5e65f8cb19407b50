package crl

import (
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"example.com/entracba/cba/crl/internal/layout"
	"example.com/entracba/cba/internal/der"
)

// An Entry is one revoked certificate of a CRL. Its slices are parts of
// [List.Raw].
type Entry struct {
	RawSerial      []byte           // content bytes of the INTEGER: big-endian, two's complement
	Time           time.Time        // the revocation date
	Reason         RevocationReason // Unspecified if the entry gives none
	InvalidityDate time.Time        // when the key is believed to have been lost; zero if not given
	RawExtensions  []byte           // the encoded extensions, without their outer header; nil if there are none

	// unsupported is what keeps the CRL from being used: a critical extension
	// that this package does not process, or another issuer's name.
	unsupported []byte
}

// Serial returns the serial number.
func (e Entry) Serial() *big.Int {
	n := new(big.Int).SetBytes(e.RawSerial)
	if len(e.RawSerial) > 0 && e.RawSerial[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(e.RawSerial))))
	}
	return n
}

// readEntry reads the entry at pos into e and returns what follows:
//
//	SEQUENCE {
//	     userCertificate         CertificateSerialNumber,
//	     revocationDate          Time,
//	     crlEntryExtensions      Extensions OPTIONAL }
//
// It is the one reader of entries: for the scan, for look-ups and for [List.All].
func readEntry(raw []byte, pos int, e *Entry) (end int, problem string) {
	tag, pos, end, ok := der.Header(raw, pos)
	if !ok || tag != layout.Sequence {
		return 0, "malformed entry"
	}
	raw = raw[:end]
	serial, stop, ok := readSerial(raw, pos)
	if !ok {
		return 0, "malformed serial number"
	}
	*e = Entry{RawSerial: serial}
	if e.Time, pos, ok = readTime(raw, stop); !ok {
		return 0, "malformed revocation date"
	}
	if pos == end {
		return end, ""
	}
	if raw[pos] != layout.Sequence {
		return 0, "trailing bytes in an entry"
	}
	if _, pos, stop, ok = der.Header(raw, pos); !ok {
		return 0, "malformed entry extensions"
	}
	if stop != end {
		return 0, "trailing bytes in an entry"
	}
	e.RawExtensions = raw[pos:end]
	return end, e.readExtensions()
}

// readSerial reads a minimally encoded INTEGER at pos.
func readSerial(raw []byte, pos int) (content []byte, end int, ok bool) {
	tag, start, end, ok := der.Header(raw, pos)
	if !ok || tag != layout.Integer || start == end {
		return nil, 0, false
	}
	content = raw[start:end]
	if len(content) > 1 && (content[0] == 0 && content[1] < 0x80 || content[0] == 0xff && content[1] >= 0x80) {
		return nil, 0, false
	}
	return content, end, true
}

func (e *Entry) readExtensions() (problem string) {
	raw := e.RawExtensions
	if len(raw) == len(layout.PlainReason)+1 && string(raw[:len(layout.PlainReason)]) == layout.PlainReason {
		e.Reason = RevocationReason(int8(raw[len(layout.PlainReason)]))
		return ""
	}
	reasons := 0
	for pos := 0; pos < len(raw); {
		var x extension
		if x, pos, problem = readExtension(raw, pos); problem != "" {
			return problem
		}
		known := true
		switch string(x.oid) {
		case layout.OIDReason:
			s := cryptobyte.String(x.value)
			var number int
			if !s.ReadASN1Enum(&number) {
				return "malformed reason"
			}
			if reasons++; !s.Empty() || reasons > 1 {
				return "trailing bytes after the reason"
			}
			e.Reason = RevocationReason(number)
		case layout.OIDInvalidity:
			// Only for people, so a malformed one does no harm.
			e.InvalidityDate, _, _ = readTime(x.value, 0)
		case layout.OIDHold: // deprecated, and says no more than the reason
		case layout.OIDCertIssuer:
			e.unsupported = x.oid
		default:
			known = false
		}
		if !known && x.critical {
			e.unsupported = x.oid
		}
	}
	return ""
}
