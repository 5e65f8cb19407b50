package san

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// An Odd is a user principal name that is not written as Microsoft documents it, an
// otherName with a UTF8String, so that [Each] does not hand it out as a UPN. Whether the
// service reads it is not documented.
type Odd struct {
	Value string // the name as it is meant
	How   string // how it is written: "a BMPString"
}

// Odds returns the odd user principal names of an encoded subjectAltName, also of one that
// breaks off or has something behind its end; there the well-formed ones are odd, too.
func Odds(der []byte) []Odd {
	input := cryptobyte.String(der)
	var names cryptobyte.String
	if !input.ReadASN1(&names, cbasn1.SEQUENCE) {
		return nil
	}
	broken := Each(der, func(Kind, []byte) bool { return true }) != nil
	var odds []Odd
	for !names.Empty() {
		var content, oid, value cryptobyte.String
		var tag cbasn1.Tag
		if !names.ReadAnyASN1(&content, &tag) {
			break
		}
		if tag != tagOther || !content.ReadASN1(&oid, cbasn1.OBJECT_IDENTIFIER) || string(oid) != upnType {
			continue
		}
		inner := content // a tag that is another is read all the same
		bare := !inner.ReadASN1(&value, tagValue)
		if bare {
			value = content
		}
		text, how, ok := meant(value)
		switch {
		case text == "":
		case bare:
			odds = append(odds, Odd{text, how + " without the tag [0] around it"})
		case !ok:
			odds = append(odds, Odd{text, how})
		case broken:
			odds = append(odds, Odd{text, "in a list of names that is not well-formed"})
		}
	}
	return odds
}

// meant reads text of any string type. ok says that it is the right one, a UTF8String.
func meant(value cryptobyte.String) (text, how string, ok bool) {
	whole := []byte(value)
	var content cryptobyte.String
	var tag cbasn1.Tag
	if !value.ReadAnyASN1(&content, &tag) || !value.Empty() {
		if utf8.Valid(whole) {
			return string(whole), "bytes of no string type", false
		}
		return "", "", false
	}
	switch tag {
	case cbasn1.UTF8String:
		if utf8.Valid(content) {
			return string(content), "a UTF8String", true
		}
		return latin1(content), "a UTF8String that is not valid UTF-8", false
	case 30:
		if len(content)%2 == 0 {
			units := make([]uint16, len(content)/2)
			for i := range units {
				units[i] = binary.BigEndian.Uint16(content[2*i:])
			}
			return string(utf16.Decode(units)), "a BMPString", false
		}
	case 28:
		if len(content)%4 == 0 {
			runes := make([]rune, len(content)/4)
			for i := range runes {
				runes[i] = rune(binary.BigEndian.Uint32(content[4*i:]))
			}
			return string(runes), "a UniversalString", false
		}
	case cbasn1.OCTET_STRING:
		if utf8.Valid(content) {
			return string(content), "an OCTET STRING", false
		}
	case cbasn1.PrintableString, cbasn1.T61String, cbasn1.IA5String, 18, 26, 27:
		name := map[cbasn1.Tag]string{cbasn1.PrintableString: "a PrintableString", cbasn1.T61String: "a TeletexString", cbasn1.IA5String: "an IA5String",
			18: "a NumericString", 26: "a VisibleString", 27: "a GeneralString"}[tag]
		return latin1(content), name, false
	case cbasn1.Tag(0).ContextSpecific(): // an implicit tag
		if utf8.Valid(content) {
			return string(content), "bytes of no string type", false
		}
	}
	return "", fmt.Sprintf("a value of tag %d", tag), false
}

func latin1(content []byte) string {
	runes := make([]rune, len(content))
	for i, b := range content {
		runes[i] = rune(b)
	}
	return string(runes)
}
