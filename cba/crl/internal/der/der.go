// Package der holds what reading and writing CRLs have in common: tags, headers,
// serial numbers and object identifiers.
package der

import (
	"math/big"
	"math/bits"
)

// Identifier bytes of the types that a CRL is made of.
const (
	Boolean         = 0x01
	Integer         = 0x02
	BitString       = 0x03
	OctetString     = 0x04
	OID             = 0x06
	UTCTime         = 0x17
	GeneralizedTime = 0x18
	Sequence        = 0x30
	Explicit0       = 0xa0 // [0], constructed
	KeyID           = 0x80 // [0], primitive: keyIdentifier
	PointName       = 0xa0 // [0] distributionPoint
	FullName        = 0xa0 // [0] fullName
	URL             = 0x86 // [6] uniformResourceIdentifier
)

// Object identifiers, as content bytes.
const (
	OIDCRLNumber     = "\x55\x1d\x14"
	OIDReason        = "\x55\x1d\x15"
	OIDHold          = "\x55\x1d\x17"
	OIDInvalidity    = "\x55\x1d\x18"
	OIDDeltaCRL      = "\x55\x1d\x1b"
	OIDDistribution  = "\x55\x1d\x1c"
	OIDCertIssuer    = "\x55\x1d\x1d"
	OIDAuthorityKey  = "\x55\x1d\x23"
	OIDFreshestCRL   = "\x55\x1d\x2e"
	OIDMSNextPublish = "\x2b\x06\x01\x04\x01\x82\x37\x15\x04" // 1.3.6.1.4.1.311.21.4, [MS-CSRA] and Windows' certsrv
)

const (
	// PlainReason is the encoded reason extension of an entry but for its last
	// byte: what nearly all entries with extensions have, and nothing else.
	PlainReason = "\x30\x0a\x06\x03" + OIDReason + "\x04\x03\x0a\x01"
	// MaxSerial is the largest serial number or CRL number in bytes (RFC 5280
	// sections 4.1.2.2 and 5.2.3).
	MaxSerial = 20
	// MaxURLs is how many URLs one extension may have: each costs more memory
	// than its two bytes.
	MaxURLs = 100
	// MaxHeader is the largest header: tag, length of length, four bytes.
	MaxHeader = 6
)

// Header reads the tag and the length at pos and returns where the content
// starts and ends. It takes what cryptobyte takes: low tag numbers and minimal
// lengths of at most four bytes, with the content inside b.
func Header(b []byte, pos int) (tag byte, start, end int, ok bool) {
	if len(b)-pos < 2 {
		return 0, 0, 0, false
	}
	tag = b[pos]
	start = pos + 2
	end = start + int(b[pos+1])
	if b[pos+1] >= 0x80 {
		if start, end, ok = longHeader(b, pos); !ok {
			return tag, start, end, false
		}
	}
	return tag, start, end, end <= len(b) && tag&0x1f != 0x1f
}

func longHeader(b []byte, pos int) (start, end int, ok bool) {
	size := int(b[pos+1] & 0x7f)
	if size == 0 || size > 4 || len(b)-pos < 2+size || b[pos+2] == 0 {
		return 0, 0, false
	}
	start = pos + 2 + size
	length := 0
	for _, b := range b[pos+2 : start] {
		length = length<<8 | int(b)
	}
	// A negative sum is a length that a 32-bit int cannot hold.
	if end = start + length; length < 0x80 || end < start {
		return 0, 0, false
	}
	return start, end, true
}

// Announced returns how many bytes the SEQUENCE has that begins so, header
// included, as far as that needs a length of several bytes.
func Announced(beginning []byte) (size int, ok bool) {
	if len(beginning) < MaxHeader || beginning[0] != Sequence || beginning[1] <= 0x80 {
		return 0, false
	}
	_, size, ok = longHeader(beginning, 0)
	return size, ok
}

// HeaderSize returns the size of the tag and length for so many bytes.
func HeaderSize(content int) int {
	if content < 0x80 {
		return 2
	}
	return 2 + (bits.Len(uint(content))+7)/8
}

// AppendHeader writes the tag and length for so many bytes.
func AppendHeader(b []byte, tag byte, content int) []byte {
	b = append(b, tag)
	size := HeaderSize(content) - 2
	if size == 0 {
		return append(b, byte(content))
	}
	b = append(b, 0x80|byte(size))
	for shift := 8 * (size - 1); shift >= 0; shift -= 8 {
		b = append(b, byte(content>>shift))
	}
	return b
}

// AppendValue writes a value with its header.
func AppendValue(b []byte, tag byte, content []byte) []byte {
	return append(AppendHeader(b, tag, len(content)), content...)
}

// RawInteger returns the content bytes of an INTEGER, in the buffer if they fit.
func RawInteger(buffer []byte, n *big.Int) []byte {
	if n.Sign() < 0 { // no CA may, some did
		size := n.BitLen()/8 + 1
		raw := new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*size))).FillBytes(make([]byte, size))
		if size > 1 && raw[0] == 0xff && raw[1] >= 0x80 {
			raw = raw[1:]
		}
		return raw
	}
	size := n.BitLen()/8 + 1 // with a zero byte in front where the top bit is set
	if size > len(buffer) {
		buffer = make([]byte, size)
	}
	return n.FillBytes(buffer[:size])
}
