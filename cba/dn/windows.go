package dn

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Windows returns the name as Entra's certificateUserIds and Active Directory's
// altSecurityIdentities store it: see [AppendWindows]. It is empty for a name that
// cannot be encoded (see [Name.Marshal]).
func (n Name) Windows() string {
	der, err := n.Marshal()
	if err != nil {
		return ""
	}
	text, err := AppendWindows(nil, der)
	if err != nil {
		return ""
	}
	return string(text)
}

// AppendWindows appends the text of an encoded name in the form of
// certificateUserIds to dst and returns the longer slice. It allocates nothing
// but what dst needs to grow, for names of ASCII and UTF-8 strings.
//
// The form is the one of CertNameToStr with CERT_X500_NAME_STR,
// CERT_NAME_STR_NO_PLUS_FLAG and no space after the comma (MS-PKCA section
// 3.1.5.2.1.3; Learn, "How to configure Microsoft Entra certificate-based
// authentication"):
//
//   - parts in the order of the encoding, root first, joined by a comma alone;
//   - the values of a multi-valued part joined by one space, in encoded order;
//   - Windows' attribute names (E, S, T, G), and "OID." with the number for a
//     type that Windows has no name for;
//   - a value in double quotes, with quotes inside doubled, if it is empty, begins
//     or ends with white space, or contains any of , + = " newline < > # ;
//
// Spaces inside values are kept. Microsoft does not document how Entra compares a
// value in quotes (open question 9.22): prefer names without such values.
//
// A value that is not a character string is written as "#" and the hexadecimal DER
// of the value; no source was found for what Windows writes.
//
// The error is an [*Error] with reason [BadEncoding]; dst is returned unchanged
// then.
func AppendWindows(dst, der []byte) ([]byte, error) {
	start := len(dst)
	w, ok := newWalker(der)
	if !ok {
		return dst, &Error{Reason: BadEncoding, Offset: -1}
	}
	for {
		oid, value, more, ok := w.next()
		if !ok {
			return dst[:start], &Error{Reason: BadEncoding, Offset: -1}
		}
		if !more {
			return dst, nil
		}
		switch {
		case len(dst) == start:
		case w.first:
			dst = append(dst, ',')
		default:
			dst = append(dst, ' ')
		}
		if dst, ok = appendWindowsType(dst, oid); !ok {
			return dst[:start], &Error{Reason: BadEncoding, Offset: -1}
		}
		dst = append(dst, '=')
		dst = appendWindowsValue(dst, value)
	}
}

func appendWindowsType(dst []byte, oid cryptobyte.String) ([]byte, bool) {
	if row, ok := typeByDER(oid); ok {
		return append(dst, row.windows...), true
	}
	return appendOID(append(dst, "OID."...), oid)
}

// appendOID writes the content of an encoded object identifier in numbers. It
// takes what crypto/x509 takes in names: arcs below 2^31 in their shortest form.
func appendOID(dst []byte, content []byte) ([]byte, bool) {
	arc, first, begun := uint64(0), true, false
	for _, c := range content {
		if !begun && c == 0x80 { // a leading zero
			return dst, false
		}
		begun = true
		if arc = arc<<7 | uint64(c&0x7f); arc > math.MaxInt32 {
			return dst, false
		}
		if c >= 0x80 {
			continue
		}
		if first { // the first two arcs in one number, X.690 section 8.19.4
			top := min(arc/40, 2)
			dst = strconv.AppendUint(dst, top, 10)
			arc -= 40 * top
			first = false
		}
		dst = strconv.AppendUint(append(dst, '.'), arc, 10)
		arc, begun = 0, false
	}
	return dst, !first && !begun
}

// appendEncodedOID is the inverse of appendOID.
func appendEncodedOID(dst []byte, text string) (content []byte, ok bool) {
	arcs, top := 0, uint64(0)
	for number := range strings.SplitSeq(text, ".") {
		arc, err := strconv.ParseUint(number, 10, 31)
		if err != nil || len(number) > 1 && number[0] == '0' {
			return nil, false
		}
		switch arcs++; {
		case arcs == 1:
			top = arc
			continue
		case arcs == 2:
			// X.660: the first arc is at most 2, the second below 40 under 0 and 1.
			if top > 2 || top < 2 && arc >= 40 {
				return nil, false
			}
			if arc += 40 * top; arc > math.MaxInt32 {
				return nil, false
			}
		}
		dst = appendBase128(dst, arc)
	}
	return dst, arcs >= 2
}

func appendBase128(dst []byte, arc uint64) []byte {
	for shift := 28; shift > 0; shift -= 7 {
		if arc>>shift != 0 {
			dst = append(dst, byte(arc>>shift)|0x80)
		}
	}
	return append(dst, byte(arc)&0x7f)
}

func appendWindowsValue(dst []byte, value cryptobyte.String) []byte {
	tag, content := split(value)
	text, ok := decodeText(cbasn1.Tag(tag), content)
	if !ok {
		dst = append(dst, '#')
		return hex.AppendEncode(dst, value)
	}
	if !needsWindowsQuotes(text) {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	for _, c := range text {
		if c == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}

// needsWindowsQuotes holds CertNameToStr's rule, as its documentation gives it.
// The carriage return is not in the list, but is white space at an end; an empty
// value is quoted (dotnet/runtime follows Windows in both).
func needsWindowsQuotes(text []byte) bool {
	isSpace := func(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
	if len(text) == 0 || isSpace(text[0]) || isSpace(text[len(text)-1]) {
		return true
	}
	for _, c := range text {
		switch c {
		case ',', '+', '=', '"', '\n', '<', '>', '#', ';':
			return true
		}
	}
	return false
}
