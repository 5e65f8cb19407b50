package cba

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strconv"
	"strings"

	"example.com/entracba/cba/internal/enum"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// A SID is a Windows security identifier, such as
// S-1-5-21-1381186052-4247692386-135928078-1225. In a certificate it ties the
// certificate to one account of Active Directory: the strong mapping that domain
// controllers ask for (KB5014754). Entra does not read it.
//
// SIDs compare with ==. The zero value is no SID.
type SID struct {
	text string
}

// sidExtension is szOID_NTDS_CA_SECURITY_EXT and sidType the type of the
// otherName in it (KB5014754; MS-WCCE section 2.2.2.7.7.4).
var (
	sidExtension = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 25, 2}
	sidType      = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 25, 2, 1}
)

// sidURI is what stands in front of the SID in its URI form, which is for
// certificates whose request cannot carry the extension (KB5014754; Intune
// writes it).
const sidURI = "tag:microsoft.com,2022-09-14:sid:"

// ParseSID reads the text form of MS-DTYP section 2.4.2.1: "S-1-", the authority,
// and 1 to 15 sub-authorities, without leading zeros. The authority is decimal,
// or 0x and twelve hexadecimal digits if it does not fit 32 bits.
//
// The error is an [*Error] with reason [Malformed] or [Empty].
func ParseSID(text string) (SID, error) {
	if text == "" {
		return SID{}, &Error{Reason: Empty, What: "SID"}
	}
	fail := func(format string, args ...any) (SID, error) {
		return SID{}, &Error{Reason: Malformed, What: "SID", Text: text, Err: fmt.Errorf(format, args...)}
	}
	rest, ok := strings.CutPrefix(text, "S-1-")
	if !ok {
		return fail("it must begin with S-1-")
	}
	numbers := strings.Split(rest, "-")
	authority, subs := numbers[0], numbers[1:]
	if len(subs) < 1 || len(subs) > 15 {
		return fail("it has %d sub-authorities; 1 to 15 are allowed", len(subs))
	}
	if digits, hex := strings.CutPrefix(authority, "0x"); hex {
		n, err := strconv.ParseUint(digits, 16, 48)
		if err != nil || len(digits) != 12 || n < 1<<32 {
			return fail("its authority is not a number of 33 to 48 bits in twelve hexadecimal digits")
		}
	} else if !isUint32(authority) {
		return fail("its authority is not a number of 32 bits, without sign and leading zeros")
	}
	for i, sub := range subs {
		if !isUint32(sub) {
			return fail("sub-authority %d is not a number of 32 bits, without sign and leading zeros", i+1)
		}
	}
	return SID{text}, nil
}

// isUint32 accepts decimal digits without sign or leading zero.
func isUint32(text string) bool {
	n, err := strconv.ParseUint(text, 10, 32)
	return err == nil && strconv.FormatUint(n, 10) == text
}

// String returns the text that [ParseSID] read, "" for no SID.
func (s SID) String() string { return s.text }

// IsZero reports whether there is no SID.
func (s SID) IsZero() bool { return s.text == "" }

// MarshalText returns the text of [SID.String].
func (s SID) MarshalText() ([]byte, error) { return []byte(s.text), nil }

// UnmarshalText is [ParseSID]; empty text is no SID.
func (s *SID) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*s = SID{}
		return nil
	}
	sid, err := ParseSID(string(text))
	if err != nil {
		return err
	}
	*s = sid
	return nil
}

// Extension returns the SID as the certificate extension
// 1.3.6.1.4.1.311.25.2, not critical. [NamesOf] reads it back.
func (s SID) Extension() pkix.Extension {
	var b cryptobyte.Builder
	explicit := cbasn1.Tag(0).ContextSpecific().Constructed()
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(explicit, func(b *cryptobyte.Builder) { // otherName
			b.AddASN1ObjectIdentifier(sidType)
			b.AddASN1(explicit, func(b *cryptobyte.Builder) {
				b.AddASN1OctetString([]byte(s.text))
			})
		})
	})
	return pkix.Extension{Id: sidExtension, Value: b.BytesOrPanic()} // only lengths fail
}

// URI returns the SID as the URI that stands in the subjectAltName:
// "tag:microsoft.com,2022-09-14:sid:S-1-5-21-...". [NamesOf] reads it back.
func (s SID) URI() string { return sidURI + s.text }

// readSIDExtension is the inverse of Extension; fault says why there is no SID. A
// list of more than one name, or of another type, is not read: a certificate that
// says two SIDs says none.
func readSIDExtension(der []byte) (sid SID, fault string) {
	input := cryptobyte.String(der)
	var list, other, value, text cryptobyte.String
	var oid asn1.ObjectIdentifier
	var tag cbasn1.Tag
	explicit := cbasn1.Tag(0).ContextSpecific().Constructed()
	switch {
	case !input.ReadASN1(&list, cbasn1.SEQUENCE) || !input.Empty() || !list.ReadASN1(&other, explicit):
		return SID{}, "is no list of one otherName"
	case !list.Empty():
		return SID{}, "has more than one name"
	case !other.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(sidType):
		return SID{}, "has an otherName of another type than " + sidType.String()
	case !other.ReadASN1(&value, explicit) || !other.Empty() || !value.ReadAnyASN1(&text, &tag) || !value.Empty():
		return SID{}, "has no value"
	case tag != cbasn1.OCTET_STRING:
		return SID{}, fmt.Sprintf("holds the SID in %s, not in an OCTET STRING", stringType(tag))
	}
	sid, err := ParseSID(string(text))
	if err != nil {
		return SID{}, "holds no SID" + meantSID(text)
	}
	return sid, ""
}

// meantSID says how a SID is written wrongly, if it can be told.
func meantSID(text []byte) string {
	plain := strings.ToUpper(strings.ReplaceAll(string(text), "\x00", ""))
	_, err := ParseSID(strings.TrimSpace(plain))
	switch {
	case err == nil && len(plain)*2 == len(text):
		return ": it is in UTF-16, and must be in ASCII"
	case err == nil && strings.HasSuffix(string(text), "\x00"):
		return ": a zero byte stands behind it"
	case err == nil && strings.HasPrefix(string(text), "s"):
		return ": it must begin with a capital S"
	case err == nil:
		return ": there are spaces around it"
	case len(text) > 8 && text[0] == 1 && len(text) == 8+4*int(text[1]):
		return ": it is in binary form, and must be text, S-1-5-21-..."
	}
	return ""
}

func stringType(tag cbasn1.Tag) string {
	switch tag {
	case cbasn1.UTF8String:
		return "a UTF8String"
	case cbasn1.PrintableString:
		return "a PrintableString"
	case cbasn1.IA5String:
		return "an IA5String"
	case cbasn1.Tag(30):
		return "a BMPString"
	}
	return fmt.Sprintf("a value of tag %d", tag)
}

// A SIDForm says where [Subject.SID] is written. Zero means SIDAsExtension.
type SIDForm uint8

const (
	// SIDAsExtension is the extension 1.3.6.1.4.1.311.25.2, which every domain
	// controller that asks for strong mapping reads (KB5014754).
	SIDAsExtension SIDForm = iota + 1
	// SIDAsURI is the URI in the subjectAltName that Intune writes. Domain
	// controllers read it since Windows Server 2019 (KB5014754).
	SIDAsURI
	// SIDAsBoth is both.
	SIDAsBoth
)

var sidForms = enum.Of[SIDForm]("cba: SID form", "extension", "uri", "both").Optional()

// String returns "extension", "uri" or "both", and "" for zero.
func (f SIDForm) String() string { return sidForms.String(f) }

// MarshalText writes the text of [SIDForm.String]; an unknown form is an error.
func (f SIDForm) MarshalText() ([]byte, error) { return sidForms.Marshal(f) }

// UnmarshalText reads what MarshalText wrote. The error is an [*Error] with
// reason [Unknown].
func (f *SIDForm) UnmarshalText(text []byte) error {
	return unmarshal(sidForms, "SID form", f, text)
}
