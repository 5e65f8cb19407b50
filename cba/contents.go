package cba

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"time"

	"example.com/entracba/cba/internal/san"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Extensions of RFC 5280 section 4.2 that a certificate of ours may have.
var (
	extSubjectKeyID     = asn1.ObjectIdentifier{2, 5, 29, 14}
	extKeyUsage         = asn1.ObjectIdentifier{2, 5, 29, 15}
	extBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}
	extCRLURLs          = asn1.ObjectIdentifier{2, 5, 29, 31}
	extPolicies         = asn1.ObjectIdentifier{2, 5, 29, 32}
	extAuthorityKeyID   = asn1.ObjectIdentifier{2, 5, 29, 35}
	extExtKeyUsage      = asn1.ObjectIdentifier{2, 5, 29, 37}
	extAuthorityInfo    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}

	accessCAIssuers = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 2}
)

// contents are everything that a certificate is asked to say. They are written
// once (tbs), and the certificate that comes out is read with crypto/x509 and
// compared with them field by field (compare).
type contents struct {
	serial              *big.Int
	issuer, subject     []byte // DER
	notBefore, notAfter time.Time
	publicKey           []byte // SubjectPublicKeyInfo
	isCA                bool
	pathLen             int // for a CA; negative means no limit
	keyUsage            x509.KeyUsage
	usages              []x509.OID
	subjectKeyID        []byte
	authorityKeyID      []byte
	names               Names
	crlURLs, caURLs     []string
	policies            []x509.OID
	signing             signing
}

// keyID is method 1 of RFC 7093 section 2: the first 160 bits of SHA-256 over
// the key bits. crypto/x509 does the same since Go 1.25; SHA-1, which RFC 5280
// section 4.2.1.2 suggests, is not available in strict FIPS mode.
func keyID(publicKeyInfo []byte) ([]byte, error) {
	input := cryptobyte.String(publicKeyInfo)
	var info cryptobyte.String
	var bits []byte
	if !input.ReadASN1(&info, cbasn1.SEQUENCE) || !info.SkipASN1(cbasn1.SEQUENCE) ||
		!info.ReadASN1BitStringAsBytes(&bits) {
		return nil, &Error{Reason: Malformed, What: "public key"}
	}
	sum := sha256.Sum256(bits)
	return sum[:20], nil
}

// tbs writes the part of a certificate that is signed (RFC 5280 section 4.1).
func (c *contents) tbs() ([]byte, error) {
	altNames, err := c.names.san()
	if err != nil {
		return nil, err
	}
	b := cryptobyte.NewBuilder(make([]byte, 0, 1024)) // grows if need be
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1Int64(2) // v3
		})
		b.AddASN1BigInt(c.serial)
		b.AddBytes([]byte(c.signing.der))
		b.AddBytes(c.issuer)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addTime(b, c.notBefore)
			addTime(b, c.notAfter)
		})
		b.AddBytes(c.subject)
		b.AddBytes(c.publicKey)
		b.AddASN1(cbasn1.Tag(3).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { c.addExtensions(b, altNames) })
		})
	})
	return b.Bytes()
}

// addTime writes UTCTime through 2049 and GeneralizedTime from then on (RFC 5280
// section 4.1.2.5).
func addTime(b *cryptobyte.Builder, t time.Time) {
	if t.Year() < 2050 {
		b.AddASN1UTCTime(t)
	} else {
		b.AddASN1GeneralizedTime(t)
	}
}

func (c *contents) addExtensions(b *cryptobyte.Builder, altNames []byte) {
	add := func(id asn1.ObjectIdentifier, critical bool, value func(b *cryptobyte.Builder)) {
		addExtension(b, id, critical, value)
	}
	add(extKeyUsage, true, func(b *cryptobyte.Builder) { addKeyUsage(b, c.keyUsage) })
	if len(c.usages) > 0 {
		add(extExtKeyUsage, false, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, usage := range c.usages {
					addOID(b, usage)
				}
			})
		})
	}
	add(extBasicConstraints, true, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			if c.isCA {
				b.AddASN1Boolean(true)
				if c.pathLen >= 0 {
					b.AddASN1Int64(int64(c.pathLen))
				}
			}
		})
	})
	add(extSubjectKeyID, false, func(b *cryptobyte.Builder) { b.AddASN1OctetString(c.subjectKeyID) })
	add(extAuthorityKeyID, false, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(c.authorityKeyID) })
		})
	})
	if altNames != nil {
		// Critical only beside an empty subject, which is never written here.
		add(san.Extension(), false, func(b *cryptobyte.Builder) { b.AddBytes(altNames) })
	}
	if len(c.crlURLs) > 0 {
		add(extCRLURLs, false, func(b *cryptobyte.Builder) { addCRLURLs(b, c.crlURLs) })
	}
	if len(c.caURLs) > 0 {
		add(extAuthorityInfo, false, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, url := range c.caURLs {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(accessCAIssuers)
						addURL(b, url)
					})
				}
			})
		})
	}
	if len(c.policies) > 0 {
		add(extPolicies, false, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, policy := range c.policies {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addOID(b, policy) })
				}
			})
		})
	}
	if sid := c.names.ExtensionSID; !sid.IsZero() {
		add(sidExtension, false, func(b *cryptobyte.Builder) { b.AddBytes(sid.Extension().Value) })
	}
}

func addExtension(b *cryptobyte.Builder, id asn1.ObjectIdentifier, critical bool, value func(b *cryptobyte.Builder)) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(id)
		if critical {
			b.AddASN1Boolean(true)
		}
		b.AddASN1(cbasn1.OCTET_STRING, value)
	})
}

// addKeyUsage writes the bits as DER asks of a named bit list: without zero bits
// at the end.
func addKeyUsage(b *cryptobyte.Builder, usage x509.KeyUsage) {
	var octets [2]byte
	last := 0
	for i := range 9 {
		if usage&(1<<i) != 0 {
			octets[i/8] |= 0x80 >> (i % 8)
			last = i
		}
	}
	b.AddASN1(cbasn1.BIT_STRING, func(b *cryptobyte.Builder) {
		b.AddUint8(uint8(7 - last%8))
		b.AddBytes(octets[:last/8+1])
	})
}

// addCRLURLs writes one DistributionPoint with all the URLs as its full name.
func addCRLURLs(b *cryptobyte.Builder, urls []string) {
	wrap := cbasn1.Tag(0).ContextSpecific().Constructed()
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // DistributionPoint
			b.AddASN1(wrap, func(b *cryptobyte.Builder) { // distributionPoint
				b.AddASN1(wrap, func(b *cryptobyte.Builder) { // fullName
					for _, url := range urls {
						addURL(b, url)
					}
				})
			})
		})
	})
}

func addURL(b *cryptobyte.Builder, url string) {
	b.AddASN1(cbasn1.Tag(6).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(url)) })
}

// compare reads cert with crypto/x509 and returns an error for the first field
// that is not what was asked for, or that was not asked for at all.
func (c *contents) compare(cert *x509.Certificate) error {
	differs := func(what string) error {
		return &Error{Reason: NotAsAsked, What: "signed certificate", Err: fmt.Errorf("%s differs", what)}
	}
	names, err := NamesOf(cert)
	if err != nil {
		return err
	}
	usages, ok := readUsages(cert)
	if !ok {
		return differs("extended key usage")
	}
	pathLen := cert.MaxPathLen
	if !c.isCA {
		pathLen = c.pathLen
	}
	for _, field := range []struct {
		what string
		same bool
	}{
		{"version", cert.Version == 3},
		{"serial number", cert.SerialNumber.Cmp(c.serial) == 0},
		{"signature algorithm", cert.SignatureAlgorithm == c.signing.algorithm},
		{"issuer", bytes.Equal(cert.RawIssuer, c.issuer)},
		{"subject", bytes.Equal(cert.RawSubject, c.subject)},
		{"start of validity", cert.NotBefore.Equal(c.notBefore)},
		{"end of validity", cert.NotAfter.Equal(c.notAfter)},
		{"public key", bytes.Equal(cert.RawSubjectPublicKeyInfo, c.publicKey)},
		{"basic constraints", cert.BasicConstraintsValid && cert.IsCA == c.isCA && pathLen == c.pathLen},
		{"key usage", cert.KeyUsage == c.keyUsage},
		{"extended key usage", slices.EqualFunc(usages, c.usages, x509.OID.Equal)},
		{"subject key identifier", bytes.Equal(cert.SubjectKeyId, c.subjectKeyID)},
		{"authority key identifier", bytes.Equal(cert.AuthorityKeyId, c.authorityKeyID)},
		{"subjectAltName", names.equal(c.names)},
		{"CRL URL", slices.Equal(cert.CRLDistributionPoints, c.crlURLs)},
		{"CA URL", slices.Equal(cert.IssuingCertificateURL, c.caURLs) && len(cert.OCSPServer) == 0},
		{"policies", slices.EqualFunc(cert.Policies, c.policies, x509.OID.Equal)},
		{"number of extensions", len(cert.Extensions) == c.extensions()},
		{"critical extension", len(cert.UnhandledCriticalExtensions) == 0},
	} {
		if !field.same {
			return differs(field.what)
		}
	}
	return nil
}

// extensions returns how many extensions were asked for.
func (c *contents) extensions() int {
	n := 4 // key usage, basic constraints, both key identifiers
	for _, has := range []bool{
		len(c.usages) > 0,
		len(c.names.UPNs)+len(c.names.Emails)+len(c.names.DNSNames)+len(c.names.URIs) > 0,
		len(c.crlURLs) > 0,
		len(c.caURLs) > 0,
		len(c.policies) > 0,
		!c.names.ExtensionSID.IsZero(),
	} {
		if has {
			n++
		}
	}
	return n
}

// readUsages returns the extended key usages of a certificate, those that
// crypto/x509 has a name for and the others, in their order. A certificate
// without the extension has nil.
func readUsages(cert *x509.Certificate) ([]x509.OID, bool) {
	for _, e := range cert.Extensions {
		if !e.Id.Equal(extExtKeyUsage) {
			continue
		}
		input := cryptobyte.String(e.Value)
		var list cryptobyte.String
		if !input.ReadASN1(&list, cbasn1.SEQUENCE) || !input.Empty() {
			return nil, false
		}
		usages := []x509.OID{}
		for !list.Empty() {
			var content cryptobyte.String
			var usage x509.OID
			if !list.ReadASN1(&content, cbasn1.OBJECT_IDENTIFIER) || usage.UnmarshalBinary(content) != nil {
				return nil, false
			}
			usages = append(usages, usage)
		}
		return usages, true
	}
	return nil, true
}
