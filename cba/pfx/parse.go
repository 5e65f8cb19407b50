package pfx

import (
	"bytes"
	"encoding/binary"
	"strings"

	"example.com/entracba/cba/internal/certs"
	"example.com/entracba/cba/internal/der"
	"example.com/entracba/cba/internal/text"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// maxEntries bounds the keys, certificates and encrypted parts of one file.
const maxEntries = 100

// A file is the outer layer of a PFX (RFC 7292 section 4), which is readable
// without the password.
type file struct {
	ber      bool   // some visible layer is BER and not DER
	authSafe []byte // the bytes that the MAC covers
	mac      *mac   // nil if there is none
	parts    []part
}

// A part is one ContentInfo of the AuthenticatedSafe.
type part struct {
	scheme *scheme // nil if the part is not encrypted
	data   []byte  // SafeContents, or its encryption
}

// A bag is one entry of a part.
type bag struct {
	kind       bagKind
	value      cryptobyte.String // within the [0]
	name       string            // friendlyName
	localKeyID []byte
}

type bagKind uint8

const (
	otherBag    bagKind = iota // CRLs, secrets: not for us
	keyBag                     // PKCS#8 in the clear
	shroudedBag                // PKCS#8 encrypted
	certBag
	nestedBag // SafeContents of its own, read in its place
)

const (
	oidData          = "1.2.840.113549.1.7.1"
	oidSignedData    = "1.2.840.113549.1.7.2"
	oidEnvelopedData = "1.2.840.113549.1.7.3"
	oidEncryptedData = "1.2.840.113549.1.7.6"
	oidFriendlyName  = "1.2.840.113549.1.9.20"
	oidLocalKeyID    = "1.2.840.113549.1.9.21"
	oidKeyBag        = "1.2.840.113549.1.12.10.1.1"
	oidShroudedBag   = "1.2.840.113549.1.12.10.1.2"
	oidCertBag       = "1.2.840.113549.1.12.10.1.3"
	oidNestedBag     = "1.2.840.113549.1.12.10.1.6"
	oidX509          = "1.2.840.113549.1.9.22.1"
)

// The algorithms that are written too.
const (
	oid3DES       = "1.2.840.113549.1.12.1.3" // with PBE-SHA1, as RC2
	oidRC2        = "1.2.840.113549.1.12.1.6" // of 40 bits
	oidPBES2      = "1.2.840.113549.1.5.13"
	oidPBKDF2     = "1.2.840.113549.1.5.12"
	oidAES256     = "2.16.840.1.101.3.4.1.42"
	oidHMACSHA256 = "1.2.840.113549.2.9"
	oidSHA1       = "1.3.14.3.2.26"
	oidSHA256     = "2.16.840.1.101.3.4.2.1"
	oidPBMAC1     = "1.2.840.113549.1.5.14"
)

var (
	tag0         = asn1.Tag(0).ContextSpecific().Constructed()
	tag0Implicit = asn1.Tag(0).ContextSpecific()
)

// parseFile reads the outer layer. It derives no key.
func parseFile(data []byte) (*file, error) {
	whole, behind, ok := appendDER(make([]byte, 0, len(data)), data, 0)
	if !ok || len(bytes.Trim(behind, "\x00")) > 0 { // Windows writes zeros behind a file
		return nil, notPFX(data, behind)
	}
	f := &file{ber: !bytes.Equal(whole, data[:len(data)-len(behind)])}
	s := cryptobyte.String(whole)
	var pfx cryptobyte.String
	var version int
	if !s.ReadASN1(&pfx, asn1.SEQUENCE) || !pfx.ReadASN1Integer(&version) {
		return nil, otherASN1(data)
	}
	if version != 3 {
		return nil, fail(NotSupported, "PFX version %d; only version 3 is in use", version)
	}
	oid, content, ok := readContentInfo(&pfx)
	if !ok {
		return nil, otherASN1(data)
	}
	switch oid {
	case oidData:
	case oidSignedData:
		return nil, fail(NotSupported, "a file that is signed with a key instead of a password")
	default:
		return nil, fail(NotSupported, "outer content %s", oid)
	}
	if !content.ReadASN1Bytes(&f.authSafe, asn1.OCTET_STRING) {
		return nil, fail(Malformed, "the authenticated safe cannot be read")
	}
	if !pfx.Empty() {
		m, ok := readMAC(&pfx)
		if !ok || !pfx.Empty() {
			return nil, fail(Malformed, "the MAC cannot be read")
		}
		f.mac = &m
	}
	return f, f.readParts()
}

func (f *file) readParts() error {
	safe, ok := toDER(f.authSafe)
	if !ok {
		return fail(Malformed, "the authenticated safe is not ASN.1")
	}
	f.ber = f.ber || !bytes.Equal(safe, f.authSafe)
	s := cryptobyte.String(safe)
	var infos cryptobyte.String
	if !s.ReadASN1(&infos, asn1.SEQUENCE) {
		return fail(Malformed, "the authenticated safe cannot be read")
	}
	for !infos.Empty() {
		if len(f.parts) == maxEntries {
			return fail(TooCostly, "more than %d parts", maxEntries)
		}
		oid, content, ok := readContentInfo(&infos)
		var p part
		switch {
		case !ok:
		case oid == oidData:
			ok = content.ReadASN1Bytes(&p.data, asn1.OCTET_STRING)
		case oid == oidEncryptedData:
			p, ok = readEncryptedData(content)
		case oid == oidEnvelopedData:
			return fail(NotSupported, "a part encrypted to a public key instead of a password")
		default:
			return fail(NotSupported, "a part of content type %s", oid)
		}
		if !ok {
			return fail(Malformed, "part %d of the authenticated safe cannot be read", len(f.parts)+1)
		}
		f.parts = append(f.parts, p)
	}
	return nil
}

// encrypted reports whether anything in the file is visibly encrypted.
func (f *file) encrypted() bool {
	for _, p := range f.parts {
		if p.scheme != nil {
			return true
		}
		bags, _, _ := readBags(p.data)
		for _, b := range bags {
			if b.kind == shroudedBag {
				return true
			}
		}
	}
	return false
}

// readContentInfo reads a ContentInfo (RFC 5652 section 3) and returns what is
// within its [0].
func readContentInfo(s *cryptobyte.String) (oid string, content cryptobyte.String, ok bool) {
	var info cryptobyte.String
	if !s.ReadASN1(&info, asn1.SEQUENCE) {
		return "", nil, false
	}
	if oid, ok = readOID(&info); !ok {
		return "", nil, false
	}
	ok = info.ReadASN1(&content, tag0) && info.Empty()
	return oid, content, ok
}

// readEncryptedData reads EncryptedData, RFC 5652 section 8.
func readEncryptedData(s cryptobyte.String) (part, bool) {
	var data, info, content cryptobyte.String
	var version int
	if !s.ReadASN1(&data, asn1.SEQUENCE) || !data.ReadASN1Integer(&version) || !data.ReadASN1(&info, asn1.SEQUENCE) {
		return part{}, false
	}
	if oid, ok := readOID(&info); !ok || oid != oidData {
		return part{}, false
	}
	c, ok := readScheme(&info)
	if !ok {
		return part{}, false
	}
	if info.PeekASN1Tag(tag0) { // an octet string in pieces, as NSS writes it
		ok = info.ReadASN1(&content, tag0)
		if whole, joined := joinOctets(content); ok && joined {
			return part{&c, whole}, true
		}
		return part{}, false
	}
	ok = info.ReadASN1(&content, tag0Implicit)
	return part{&c, content}, ok
}

// readBags reads SafeContents. ber says whether it was BER.
func readBags(contents []byte) (bags []bag, ber bool, err error) {
	der, ok := toDER(contents) // at most maxDepth levels, so that what follows nests no deeper
	if !ok {
		return nil, false, fail(Malformed, "a part contains no list of entries")
	}
	bags, err = appendBags(nil, der)
	return bags, !bytes.Equal(der, contents), err
}

// appendBags appends the entries of SafeContents, those in nested contents among them (RFC
// 7292 section 4.2.6): OpenSSL reads them in the same way.
func appendBags(bags []bag, contents cryptobyte.String) ([]bag, error) {
	var list cryptobyte.String
	if !contents.ReadASN1(&list, asn1.SEQUENCE) {
		return nil, fail(Malformed, "a part contains no list of entries")
	}
	for !list.Empty() {
		if len(bags) == maxEntries {
			return nil, fail(TooCostly, "more than %d entries", maxEntries)
		}
		b, ok := readBag(&list)
		switch {
		case !ok:
			return nil, fail(Malformed, "entry %d of a part cannot be read", len(bags)+1)
		case b.kind == nestedBag:
			var err error
			if bags, err = appendBags(bags, b.value); err != nil {
				return nil, err
			}
		default:
			bags = append(bags, b)
		}
	}
	return bags, nil
}

// readBag reads one SafeBag, RFC 7292 section 4.2.
func readBag(list *cryptobyte.String) (bag, bool) {
	var s, attributes cryptobyte.String
	if !list.ReadASN1(&s, asn1.SEQUENCE) {
		return bag{}, false
	}
	oid, ok := readOID(&s)
	var b bag
	if !ok || !s.ReadASN1(&b.value, tag0) {
		return bag{}, false
	}
	switch oid {
	case oidKeyBag:
		b.kind = keyBag
	case oidShroudedBag:
		b.kind = shroudedBag
	case oidCertBag:
		b.kind = certBag
	case oidNestedBag:
		b.kind = nestedBag
	}
	if s.Empty() {
		return b, true
	}
	if !s.ReadASN1(&attributes, asn1.SET) || !s.Empty() {
		return bag{}, false
	}
	for !attributes.Empty() {
		var attribute, values cryptobyte.String
		if !attributes.ReadASN1(&attribute, asn1.SEQUENCE) {
			return bag{}, false
		}
		oid, ok := readOID(&attribute)
		if !ok || !attribute.ReadASN1(&values, asn1.SET) {
			return bag{}, false
		}
		switch oid { // values of another form are as good as absent
		case oidFriendlyName:
			var bmp cryptobyte.String
			if values.ReadASN1(&bmp, bmpString) {
				b.name = fromBMP(bmp)
			}
		case oidLocalKeyID:
			values.ReadASN1Bytes(&b.localKeyID, asn1.OCTET_STRING)
		}
	}
	return b, true
}

// bmpString is the tag of a BMPString.
const bmpString = asn1.Tag(30)

// fromBMP reads a BMPString, as UTF-16: some writers put in what UCS-2 cannot
// hold, and others the zero at the end of a string of C.
func fromBMP(b []byte) string {
	name, _ := text.FromUTF16(b[:len(b)/2*2], binary.BigEndian)
	return strings.TrimRight(name, "\x00")
}

// certificate returns the DER of an X.509 certificate bag, RFC 7292 section
// 4.2.3. SDSI certificates are as good as absent.
func (b bag) certificate() (der []byte, ok bool) {
	var c, content cryptobyte.String
	v := b.value
	if !v.ReadASN1(&c, asn1.SEQUENCE) {
		return nil, false
	}
	oid, ok := readOID(&c)
	if !ok || !c.ReadASN1(&content, tag0) {
		return nil, false
	}
	if oid != oidX509 {
		return nil, true
	}
	ok = content.ReadASN1Bytes(&der, asn1.OCTET_STRING)
	return der, ok
}

// shrouded returns the parts of an EncryptedPrivateKeyInfo, RFC 5958 section 3.
func (b bag) shrouded() (s scheme, data []byte, ok bool) {
	var info cryptobyte.String
	v := b.value
	if !v.ReadASN1(&info, asn1.SEQUENCE) {
		return scheme{}, nil, false
	}
	if s, ok = readScheme(&info); !ok {
		return scheme{}, nil, false
	}
	ok = info.ReadASN1Bytes(&data, asn1.OCTET_STRING)
	return s, data, ok
}

// otherASN1 says what a whole ASN.1 element is that is no PFX.
func otherASN1(data []byte) error {
	if blocks, err := certs.Open(data); err == nil && blocks[0].Kind != certs.PFX && blocks[0].Kind != certs.Unknown {
		return fail(Malformed, "this is a %s, not a PFX", certs.Summary(blocks))
	}
	return fail(Malformed, "the data is ASN.1 but not a PFX")
}

// notPFX says what data is instead of one whole ASN.1 element.
func notPFX(data, behind []byte) error {
	if len(behind) > 0 && data[0] == 0x30 {
		return fail(Malformed, "the file has %d bytes after its end", len(behind))
	}
	if _, size, ok := der.Announced(data); ok && data[0] == 0x30 && size > len(data) {
		return fail(Malformed, "the file is cut short: it says that it has %d bytes and has %d; copy it again", size, len(data))
	}
	blocks, err := certs.Open(data)
	switch {
	case err != nil:
		return fail(Malformed, "the data does not begin like a PFX: %v", err)
	case blocks[0].Kind == certs.PFX && blocks[0].Label == "":
		return fail(Malformed, "this is Base64 text of a PFX: decode it first (base64 -d, or certutil -decode)")
	case blocks[0].Label != "":
		return fail(Malformed, "this is PEM text (%s); a PFX is binary", certs.Summary(blocks))
	case data[0] == 0x30:
		return fail(Malformed, "the data is not valid ASN.1, or nested too deeply")
	}
	return fail(Malformed, "this is text (%s); a PFX is binary", certs.Summary(blocks))
}
