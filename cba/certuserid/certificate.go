package certuserid

import (
	"cmp"
	"crypto/x509"
	"slices"
	"sync"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/internal/enum"
	"example.com/entracba/cba/internal/fingerprint"
	"example.com/entracba/cba/internal/san"
)

// Options choose between readings where the sources disagree. The zero value is
// what Entra most likely compares; the package comment has the evidence.
type Options struct {
	// HashInput is what [SHA1PublicKey] hashes. The zero value is the whole
	// certificate.
	HashInput HashInput

	// WithoutSignOctet drops the 00 byte that DER puts before a serial number
	// whose first bit is set. By default the byte is kept and ends the reversed
	// serial number, because Windows shows and returns it (dotnet/corefx#3893; the serial
	// number 00c1008b... in Microsoft's KB 293781). Against that, CERT_INFO's
	// documentation says that leading zero bytes are removed, and the guide of
	// the Estonian RIA maps a card by a serial number without it. [Match] accepts
	// both. Serial numbers whose first byte is below 80 have only one form: issue
	// those.
	WithoutSignOctet bool

	// UpperHex writes hexadecimal digits in uppercase, as KB5014754 and
	// Microsoft's cmdlet do for SKI and SHA-1. By default they are lowercase in all
	// three mappings, as in Learn's how-to. [Match] accepts both.
	UpperHex bool

	// BrokenBigEndianSerial writes the serial number unreversed, as Microsoft's
	// cmdlet Get-EntraUserCertificateUserIdsFromCertificate does. Use it to find and
	// remove such values: the documentation requires reversed bytes, and
	// entra-powershell#1511 reports that the cmdlet's value does not work.
	BrokenBigEndianSerial bool

	// UPN and Email choose one of several principal names or e-mail addresses in
	// the certificate, which they must match exactly. Empty means the first, as in
	// Microsoft's cmdlet; Microsoft does not document which one Entra uses (open
	// question 9.23).
	UPN, Email string
}

// A HashInput is what [SHA1PublicKey] hashes with SHA-1. The sources disagree (open
// question 9.3), and no value seen settles it.
type HashInput uint8

const (
	// WholeCertificate hashes the DER of the certificate, which gives the
	// thumbprint. It is the default: Learn's technical deep dive, Microsoft's cmdlet
	// and every published script do so.
	WholeCertificate HashInput = iota + 1
	// PublicKeyInfo hashes the DER of SubjectPublicKeyInfo: one way to read "SHA1
	// hash of public key" in MS-PKCA and KB5014754.
	PublicKeyInfo
	// PublicKeyBits hashes the content of the key's BIT STRING: the other way to
	// read it. The result is often the subject key identifier (RFC 5280 section
	// 4.2.1.2, method 1).
	PublicKeyBits
)

var hashInputs = enum.Of[HashInput]("certuserid: hash input", "whole certificate", "SubjectPublicKeyInfo", "public key bits")

// String says what is hashed.
func (h HashInput) String() string { return hashInputs.String(cmp.Or(h, WholeCertificate)) }

// MarshalText writes the text of [HashInput.String]; an unknown input is an
// error.
func (h HashInput) MarshalText() ([]byte, error) {
	return hashInputs.Marshal(cmp.Or(h, WholeCertificate))
}

// UnmarshalText reads what MarshalText wrote.
func (h *HashInput) UnmarshalText(text []byte) error { return hashInputs.Unmarshal(h, text) }

// FromCertificate returns the ID of a certificate under one mapping, with the
// defaults of [Options].
//
// It reads names, serial number and key as they are encoded, so cert must come
// from [x509.ParseCertificate] or another reader that keeps the encoded parts. It
// does not check validity dates, the chain or revocation. The e-mail address is
// the one in the subjectAltName, never one in the subject.
//
// The error is an [*Error]: [NoField] if the certificate lacks the field that the
// mapping needs, or the reason why the field makes no legal value.
func FromCertificate(cert *x509.Certificate, m Mapping) (ID, error) {
	return Options{}.FromCertificate(cert, m)
}

// FromCertificate is the function [FromCertificate] with these options.
func (o Options) FromCertificate(cert *x509.Certificate, m Mapping) (ID, error) {
	var text [256]byte
	w := writer{options: o, cert: cert}
	buffer, value, fault := w.append(text[:0], m)
	if fault != nil {
		return ID{}, fault
	}
	id, fault := newID(string(buffer), m, value)
	if fault != nil {
		return ID{}, fault
	}
	return id, nil
}

// newID checks what a certificate may have put into a text that its form does not
// rule out. The rest of the grammar is true by construction: what a writer made
// is what Parse takes, which FuzzFromCertificate holds.
func newID(text string, m Mapping, value int) (ID, *Error) {
	_, reason := checkText(text)
	if reason == "" && (m == PrincipalName || m == RFC822Name) {
		_, reason = checkPlain(text, value)
	}
	if reason != "" {
		return ID{}, &Error{Mapping: m, Reason: reason, Text: text, Offset: -1}
	}
	return ID{text: text, mapping: m, value: uint16(value)}, nil
}

// All returns the IDs that a certificate has, in the order of [Mappings], with
// the defaults of [Options]. Mappings without a field in the certificate are left
// out; an unusable certificate has none.
func All(cert *x509.Certificate) []ID { return Options{}.All(cert) }

// All is the function [All] with these options.
func (o Options) All(cert *x509.Certificate) []ID {
	var text [1024]byte
	w := writer{options: o, cert: cert}
	buffer := text[:0]
	var ends, values [len(mappings)]int
	var faults [len(mappings)]*Error
	for i, m := range mappings {
		buffer, values[i], faults[i] = w.append(buffer, m)
		ends[i] = len(buffer)
	}
	all := string(buffer) // one string for the seven
	ids := make([]ID, 0, len(mappings))
	begin := 0
	for i, m := range mappings {
		if faults[i] == nil {
			if id, fault := newID(all[begin:ends[i]], m, values[i]); fault == nil {
				ids = append(ids, id)
			}
		}
		begin = ends[i]
	}
	return ids
}

// Values are the IDs of one certificate, to be compared with many stored values. Each is
// made when it is first asked for: most users are bound by the first or second mapping.
// They do not change and are safe for concurrent use, as long as the certificate is not
// changed.
type Values struct {
	options Options
	cert    *x509.Certificate
	made    [len(mappings)]made // in the order of mappings
}

// A made is one of the IDs.
type made struct {
	once  sync.Once
	id    ID
	fault error
}

// Values returns the seven IDs of a certificate.
func (o Options) Values(cert *x509.Certificate) *Values { return &Values{options: o, cert: cert} }

// ID returns the certificate's ID under one mapping. The error is an [*Error],
// as for [FromCertificate].
func (v *Values) ID(m Mapping) (ID, error) {
	i := m.index()
	if v == nil || i < 0 {
		return ID{}, &Error{Mapping: m, Reason: NoField, Offset: -1}
	}
	made := &v.made[i]
	made.once.Do(func() { made.id, made.fault = v.options.FromCertificate(v.cert, m) })
	return made.id, made.fault
}

// id is ID without the error.
func (v *Values) id(m Mapping) ID {
	id, _ := v.ID(m)
	return id
}

// All returns the IDs that the certificate has, in the order of [Mappings].
func (v *Values) All() []ID {
	ids := make([]ID, 0, len(mappings))
	for _, m := range mappings {
		if id := v.id(m); id.mapping != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// A writer writes the texts of one certificate.
type writer struct {
	options         Options
	cert            *x509.Certificate
	names           []byte // the text of the issuer and behind it that of the subject, once made
	issuer, subject []byte // parts of names
}

// append writes the text of one mapping and says where in it its last part
// begins. With a fault, dst is returned unchanged.
func (w *writer) append(dst []byte, m Mapping) (text []byte, value int, fault *Error) {
	start := len(dst)
	none := func(text string) ([]byte, int, *Error) {
		return dst[:start], 0, &Error{Mapping: m, Reason: NoField, Text: text, Offset: -1}
	}
	if w.cert == nil {
		return none("")
	}
	switch m {
	case PrincipalName, RFC822Name:
		kind, tag, wanted := san.UPN, tagPN, w.options.UPN
		if m == RFC822Name {
			kind, tag, wanted = san.Email, tagRFC822, w.options.Email
		}
		name := choose(w.cert, kind, wanted)
		if name == nil {
			return none(wanted)
		}
		dst = append(dst, tag...)
		value = len(dst)
		dst = append(dst, name...)
	case IssuerAndSubject:
		if !w.hasIssuer() || !w.hasSubject() {
			return none("")
		}
		dst = append(append(append(dst, tagIssuer...), w.issuer...), tagAfterS...)
		value = len(dst)
		dst = append(dst, w.subject...)
	case Subject:
		if !w.hasSubject() {
			return none("")
		}
		dst = append(dst, tagSubject...)
		value = len(dst)
		dst = append(dst, w.subject...)
	case SKI:
		if len(w.cert.SubjectKeyId) == 0 {
			return none("")
		}
		dst = append(dst, tagSKI...)
		value = len(dst)
		dst = w.options.appendHex(dst, w.cert.SubjectKeyId)
	case SHA1PublicKey:
		input := w.options.hashInput(w.cert)
		if len(input) == 0 {
			return none("")
		}
		sum := fingerprint.SHA1(input)
		dst = append(dst, tagSHA1...)
		value = len(dst)
		dst = w.options.appendHex(dst, sum[:])
	case IssuerAndSerialNumber:
		raw := serialOctets(w.cert)
		if len(raw) == 0 || !w.hasIssuer() {
			return none("")
		}
		dst = append(append(append(dst, tagIssuer...), w.issuer...), tagAfterSR...)
		value = len(dst)
		dst = w.options.appendSerial(dst, raw)
	default:
		return none("")
	}
	return dst, value - start, nil
}

// hasIssuer makes the text of the issuer's name, once, and reports whether there
// is any. hasSubject does so for the subject. The empty name cannot be mapped.
func (w *writer) hasIssuer() bool {
	if w.issuer == nil {
		w.issuer = w.name(w.cert.RawIssuer)
	}
	return len(w.issuer) > 0
}

func (w *writer) hasSubject() bool {
	if w.subject == nil {
		w.subject = w.name(w.cert.RawSubject)
	}
	return len(w.subject) > 0
}

func (w *writer) name(der []byte) []byte {
	if w.names == nil {
		w.names = make([]byte, 0, 256)
	}
	start := len(w.names)
	names, err := dn.AppendWindows(w.names, der)
	if err != nil {
		return []byte{}
	}
	w.names = names
	return names[start:len(names):len(names)]
}

// choose returns the first name of a kind, or the one that is wanted; nil if
// there is none.
func choose(cert *x509.Certificate, kind san.Kind, wanted string) []byte {
	der := san.Find(cert)
	if der == nil {
		return nil
	}
	if wanted == "" {
		return san.First(der, kind)
	}
	var found []byte
	err := san.Each(der, func(k san.Kind, value []byte) bool {
		if k == kind && string(value) == wanted {
			found = value
		}
		return true
	})
	if err != nil {
		return nil
	}
	return found
}

func (o Options) appendHex(dst, raw []byte) []byte {
	digits := "0123456789abcdef"
	if o.UpperHex {
		digits = "0123456789ABCDEF"
	}
	for _, b := range raw {
		dst = append(dst, digits[b>>4], digits[b&15])
	}
	return dst
}

func (o Options) appendSerial(dst, raw []byte) []byte {
	if o.WithoutSignOctet {
		raw = withoutSignOctet(raw)
	}
	start := len(dst)
	dst = o.appendHex(dst, raw)
	if !o.BrokenBigEndianSerial {
		reversePairs(dst[start:])
	}
	return dst
}

// withoutSignOctet drops the 00 before a byte with its first bit set; DER has
// no other leading 00.
func withoutSignOctet(raw []byte) []byte {
	if len(raw) > 1 && raw[0] == 0 {
		return raw[1:]
	}
	return raw
}

// reversePairs reverses bytes that are written as two digits each.
func reversePairs(digits []byte) {
	slices.Reverse(digits)
	for i := 0; i+1 < len(digits); i += 2 {
		digits[i], digits[i+1] = digits[i+1], digits[i]
	}
}

// serialOctets returns the content of the encoded serial number, or nil. It is
// read from the encoding and not from cert.SerialNumber, which has no bytes.
func serialOctets(cert *x509.Certificate) []byte {
	input := cryptobyte.String(cert.RawTBSCertificate)
	version := cbasn1.Tag(0).ContextSpecific().Constructed()
	var tbs, serial cryptobyte.String
	if !input.ReadASN1(&tbs, cbasn1.SEQUENCE) || !tbs.SkipOptionalASN1(version) ||
		!tbs.ReadASN1(&serial, cbasn1.INTEGER) {
		return nil
	}
	return serial
}

func (o Options) hashInput(cert *x509.Certificate) []byte {
	switch o.HashInput {
	case 0, WholeCertificate:
		return cert.Raw
	case PublicKeyInfo:
		return cert.RawSubjectPublicKeyInfo
	case PublicKeyBits:
		return keyBits(cert.RawSubjectPublicKeyInfo)
	}
	return nil
}

// keyBits returns the content of the BIT STRING of a SubjectPublicKeyInfo
// without the byte that counts unused bits.
func keyBits(spki []byte) []byte {
	input := cryptobyte.String(spki)
	var info, algorithm cryptobyte.String
	var bits []byte
	if !input.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1(&algorithm, cbasn1.SEQUENCE) ||
		!info.ReadASN1BitStringAsBytes(&bits) {
		return nil
	}
	return bits
}
