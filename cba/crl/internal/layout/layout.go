// Package layout holds what reading and writing CRLs have in common: tags, object
// identifiers, limits, serial numbers.
package layout

import "math/big"

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
)

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
