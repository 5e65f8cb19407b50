package crl

import (
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"example.com/entracba/cba/crl/internal/layout"
	"example.com/entracba/cba/internal/der"
)

// A Scope says which certificates a CRL covers, by its issuing distribution point (RFC 5280 section 5.2.5). The zero Scope covers
// all certificates of the issuer.
//
// Whether Entra heeds it is not documented.
type Scope struct {
	Present   bool     // the CRL has the extension
	URLs      []string // names of the distribution point, as far as they are URLs
	OnlyUsers bool     // only certificates that are not a CA's
	OnlyCAs   bool     // only CA certificates

	OnlyAttributes  bool // attribute certificates: refused by [Set.Check]
	OnlySomeReasons bool // only some revocation reasons: refused by [Set.Check]
	Indirect        bool // also certificates of other issuers: refused by [Set.Check]
}

// readExtensions reads the extensions of the CRL.
func (l *List) readExtensions(raw []byte) *Error {
	tag, pos, end, ok := der.Header(raw, 0)
	if !ok || tag != layout.Sequence {
		return failf(NotDER, "malformed extensions")
	}
	if end != len(raw) {
		return failf(NotDER, "trailing bytes after the extensions")
	}
	var seen [7]bool
	for pos < end {
		x, next, problem := readExtension(raw, pos)
		if problem != "" {
			return failf(NotDER, "%s, in the extensions of the CRL", problem)
		}
		known, ok := l.readExtension(x)
		if !ok {
			return failf(NotDER, "malformed value of the extension %s", oidText(x.oid))
		}
		if seen[known] && known != 0 {
			return failf(NotDER, "the extension %s is there twice", oidText(x.oid))
		}
		seen[known] = true
		if known == 0 && x.critical && l.unsupported == nil {
			l.unsupported = x.oid
		}
		pos = next
	}
	return nil
}

// readExtension reads one extension's value. It returns a number for each kind
// of extension, 0 for those it does not know, and whether the value was
// well-formed.
func (l *List) readExtension(x extension) (known int, ok bool) {
	value := cryptobyte.String(x.value)
	switch string(x.oid) {
	case layout.OIDAuthorityKey:
		known = 1
		l.AuthorityKeyID, ok = readKeyID(value)
	case layout.OIDCRLNumber:
		known = 2
		l.Number, ok = readNumber(value)
	case layout.OIDDeltaCRL:
		known = 3
		l.BaseNumber, ok = readNumber(value)
	case layout.OIDMSNextPublish:
		known = 4
		var end int
		l.NextPublish, end, ok = readTime(x.value, 0)
		ok = ok && end == len(x.value)
	case layout.OIDFreshestCRL:
		known = 5
		l.FreshestCRL, ok = readDistributionPoints(value)
	case layout.OIDDistribution:
		known = 6
		l.Scope, ok = readScope(value)
	default:
		ok = true
	}
	return known, ok
}

// maxNumber is far more than the 20 bytes that RFC 5280 section 5.2.3 allows, and little
// enough to be written in decimal: the time for that grows with the square.
const maxNumber = 256

func readNumber(value cryptobyte.String) (*big.Int, bool) {
	n := new(big.Int)
	ok := len(value) <= maxNumber && value.ReadASN1Integer(n) && value.Empty()
	return n, ok
}

// readKeyID reads the keyIdentifier of an AuthorityKeyIdentifier. One that names
// the CA by issuer and serial number only gives nil.
func readKeyID(value cryptobyte.String) ([]byte, bool) {
	var id, content cryptobyte.String
	if !value.ReadASN1(&content, layout.Sequence) || !value.Empty() {
		return nil, false
	}
	if !content.PeekASN1Tag(layout.KeyID) {
		return nil, true
	}
	ok := content.ReadASN1(&id, layout.KeyID)
	return id, ok
}

// readDistributionPoints reads the URLs of a CRLDistributionPoints.
func readDistributionPoints(value cryptobyte.String) (urls []string, ok bool) {
	var points cryptobyte.String
	if !value.ReadASN1(&points, layout.Sequence) || !value.Empty() {
		return nil, false
	}
	for !points.Empty() {
		var point, name cryptobyte.String
		var present bool
		if !points.ReadASN1(&point, layout.Sequence) || !point.ReadOptionalASN1(&name, &present, layout.PointName) {
			return nil, false
		}
		if urls, ok = readPointName(urls, name); !ok {
			return nil, false
		}
	}
	return urls, true
}

// readPointName appends the URLs of a DistributionPointName to urls.
func readPointName(urls []string, name cryptobyte.String) ([]string, bool) {
	if !name.PeekASN1Tag(layout.FullName) { // absent, or relative to the issuer
		return urls, true
	}
	var names, value cryptobyte.String
	if !name.ReadASN1(&names, layout.FullName) {
		return nil, false
	}
	for !names.Empty() {
		var tag cbasn1.Tag
		if !names.ReadAnyASN1(&value, &tag) {
			return nil, false
		}
		if tag == layout.URL {
			if len(urls) == layout.MaxURLs {
				return nil, false
			}
			urls = append(urls, string(value))
		}
	}
	return urls, true
}

// readScope reads an IssuingDistributionPoint.
func readScope(value cryptobyte.String) (s Scope, ok bool) {
	var point cryptobyte.String
	if !value.ReadASN1(&point, layout.Sequence) || !value.Empty() {
		return s, false
	}
	s.Present = true
	for !point.Empty() {
		var field cryptobyte.String
		var tag cbasn1.Tag
		if !point.ReadAnyASN1(&field, &tag) {
			return s, false
		}
		yes := len(field) == 1 && field[0] == 0xff
		switch tag {
		case layout.PointName:
			if s.URLs, ok = readPointName(nil, field); !ok {
				return s, false
			}
			continue
		case 0x81:
			s.OnlyUsers = yes
		case 0x82:
			s.OnlyCAs = yes
		case 0x83:
			s.OnlySomeReasons = true
			continue
		case 0x84:
			s.Indirect = yes
		case 0x85:
			s.OnlyAttributes = yes
		default:
			return s, false
		}
		if !yes && !(len(field) == 1 && field[0] == 0) {
			return s, false
		}
	}
	return s, true
}
