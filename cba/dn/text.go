package dn

import (
	"encoding/hex"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"example.com/entracba/cba/internal/der"
)

// String returns the name as RFC 4514 writes it, the most specific part first:
// "CN=Jane,OU=Users,DC=contoso,DC=com". It is the order of the issuer in an
// authentication binding rule.
//
// Types are written with the short names of RFC 4514 and RFC 4519, and
// emailAddress for the e-mail attribute of RFC 2985. A type without a name is
// written as its number with the value in hexadecimal ("2.5.4.45=#0302..."), as
// section 2.4 requires, and so is any value that is not a character string.
// [Parse] reads all of it back.
func (n Name) String() string { return n.text(slices.Backward(n), false) }

// RootFirst returns the parts as [Name.String] writes them, but in the order of
// the encoding: "DC=com,DC=contoso,OU=Users,CN=Jane". For the string that
// certificateUserIds contains use [Name.Windows]: it has other attribute names and
// quotes values differently.
func (n Name) RootFirst() string { return n.text(slices.All(n), false) }

// text writes the parts in the given order; shown is for [Show].
func (n Name) text(parts iter.Seq2[int, RDN], shown bool) string {
	var b []byte
	for _, rdn := range parts {
		if len(b) > 0 {
			b = append(b, ',')
		}
		for i, attribute := range rdn {
			if i > 0 {
				b = append(b, '+')
			}
			b = attribute.append(b, shown)
		}
	}
	return string(b)
}

func (a Attribute) append(b []byte, shown bool) []byte {
	t := a.Type.canonical()
	b = append(append(b, t...), '=')
	if _, named := typeByKeyword(string(t)); a.Raw == nil && (shown || named) {
		return appendEscaped(b, a.Value, shown)
	}
	value := a.Raw
	if value == nil {
		tag := a.Tag
		if tag == 0 {
			tag = tagFor(a.Type, a.Value)
		}
		content, ok := encodeText(tag, a.Value)
		if !ok { // cannot be encoded at all: show the text
			return appendEscaped(b, a.Value, false)
		}
		value = der.Append(nil, byte(tag), content)
	}
	b = append(b, '#')
	return hex.AppendEncode(b, value)
}

// appendEscaped applies RFC 4514 section 2.4. Control characters are written in
// hexadecimal, which the section allows for any character, so that a name never
// breaks a line. So is, where a name is shown, everything else that cannot be
// seen: it may turn the direction of the text around it.
func appendEscaped(b []byte, value string, shown bool) []byte {
	for i := 0; i < len(value); i++ {
		c := value[i]
		if shown && c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(value[i:])
			char := value[i : i+size]
			i += size - 1
			if unicode.IsPrint(r) {
				b = append(b, char...)
				continue
			}
			for j := range len(char) {
				b = append(b, '\\')
				b = hex.AppendEncode(b, []byte{char[j]})
			}
			continue
		}
		switch {
		case strings.IndexByte(`"+,;<>\`, c) >= 0,
			c == ' ' && (i == 0 || i == len(value)-1),
			c == '#' && i == 0:
			b = append(b, '\\', c)
		case c < ' ' || c == 0x7f:
			b = append(b, '\\')
			b = hex.AppendEncode(b, []byte{c})
		default:
			b = append(b, c)
		}
	}
	return b
}

// Parse reads a name whose most specific part stands first, as RFC 4514,
// certificate viewers and the issuers of authentication binding rules write it:
// "CN=Jane,OU=Users,DC=contoso,DC=com". For text in the opposite order use
// [ParseRootFirst]; the text itself does not say which order it is in.
//
// Besides RFC 4514 it reads what people paste: spaces around separators and
// equal signs, a semicolon for a comma, values in double quotes with inner
// quotes doubled (Windows), spaces around a plus sign, and the attribute names
// of Windows and of OpenSSL (S and ST, E and emailAddress, OID.1.2.3). The order
// of values in a multi-valued part becomes that of DER.
//
// The old form of OpenSSL, "/DC=com/CN=Jane", is read too, root first, as it always
// is.
//
// Values get the string type of RFC 5280 (see [Attribute.Tag]). The empty text
// is the empty name.
//
// The error is an [*Error] with the offset at which reading stopped.
func Parse(text string) (Name, error) {
	name, slashes := parseSlashes(text)
	if slashes {
		return name, nil // the root is first, as its form says
	}
	name, err := ParseRootFirst(text)
	if err != nil {
		return nil, err
	}
	slices.Reverse(name)
	return name, nil
}

// ParseRootFirst is [Parse] for text that starts at the root:
// "DC=com,DC=contoso,OU=Users,CN=Jane".
//
// It does not read the multi-valued parts of a certificateUserIds value, which a
// space joins: that form is ambiguous.
func ParseRootFirst(text string) (Name, error) {
	if name, ok := parseSlashes(text); ok {
		return name, nil
	}
	p := parser{text: text}
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	return name, nil
}

// parseSlashes reads the old form of OpenSSL, "/DC=com/DC=contoso/CN=Jane", whose
// first part is the root. A slash that no attribute type follows belongs to the
// value.
func parseSlashes(text string) (Name, bool) {
	if !strings.HasPrefix(text, "/") {
		return nil, false
	}
	var parts []string
	begin, end := 0, 0 // of the last part
	for piece := range strings.SplitSeq(text[1:], "/") {
		keyword, _, typed := strings.Cut(piece, "=")
		if typed {
			_, err := ParseType(keyword)
			typed = err == nil
		}
		if typed {
			parts, begin = append(parts, ""), end+1
		}
		if len(parts) == 0 {
			return nil, false
		}
		end += 1 + len(piece)
		parts[len(parts)-1] = text[begin:end]
	}
	var name Name
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	for _, part := range parts {
		keyword, value, _ := strings.Cut(part, "=")
		p := parser{text: keyword + `="` + quoted.Replace(value) + `"`}
		one, err := p.name()
		if err != nil || len(one) != 1 {
			return nil, false
		}
		name = append(name, one[0])
	}
	return name, true
}

// A parser reads one text. at is the byte to be read next.
type parser struct {
	text string
	at   int
}

func (p *parser) fail(reason Reason) *Error {
	return &Error{Reason: reason, Text: p.text, Offset: p.at}
}

func (p *parser) spaces() {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
}

func (p *parser) name() (Name, *Error) {
	if !utf8.ValidString(p.text) {
		return nil, &Error{Reason: NotUTF8, Text: p.text, Offset: -1}
	}
	var name Name
	if p.spaces(); p.at == len(p.text) {
		return name, nil
	}
	rdn := RDN{}
	for {
		attribute, err := p.attribute()
		if err != nil {
			return nil, err
		}
		rdn = append(rdn, attribute)
		var separator byte
		if p.at < len(p.text) {
			separator = p.text[p.at]
			p.at++
		}
		if separator == '+' {
			continue
		}
		if err := p.sortValues(rdn); err != nil {
			return nil, err
		}
		name, rdn = append(name, rdn), RDN{}
		if separator == 0 {
			return name, nil
		}
	}
}

// sortValues puts the attributes of a multi-valued part into the order that DER
// asks of a SET OF (X.690 section 11.6), and proves on the way that every value
// can be encoded.
func (p *parser) sortValues(rdn RDN) *Error {
	type encoded struct {
		attribute Attribute
		der       string
	}
	values := make([]encoded, 0, len(rdn))
	for _, attribute := range rdn {
		value, err := attribute.marshal()
		if err != nil {
			return err
		}
		values = append(values, encoded{attribute, string(value)})
	}
	slices.SortStableFunc(values, func(a, b encoded) int { return strings.Compare(a.der, b.der) })
	for i := range values {
		rdn[i] = values[i].attribute
	}
	return nil
}

func (p *parser) attribute() (Attribute, *Error) {
	p.spaces()
	keyword, _, found := strings.Cut(p.text[p.at:], "=")
	if !found || strings.ContainsAny(keyword, `,;+"\#<>`) {
		return Attribute{}, p.fail(NoType)
	}
	length := len(keyword)
	keyword = strings.TrimRight(keyword, " ")
	if keyword == "" {
		return Attribute{}, p.fail(NoType)
	}
	var a Attribute
	t, err := ParseType(keyword)
	if err != nil {
		return Attribute{}, p.fail(UnknownType)
	}
	a.Type = t
	p.at += length + 1
	p.spaces()
	if p.at < len(p.text) && p.text[p.at] == '#' {
		err := p.hexValue(&a)
		return a, err
	}
	value, fault := p.value()
	if fault != nil {
		return a, fault
	}
	a.Value, a.Tag = value, tagFor(a.Type, value)
	return a, nil
}

// hexValue reads "#" and the hexadecimal DER of one value.
func (p *parser) hexValue(a *Attribute) *Error {
	end := p.at + 1
	for end < len(p.text) && !strings.ContainsRune(",;+ ", rune(p.text[end])) {
		end++
	}
	raw, err := hex.DecodeString(p.text[p.at+1 : end])
	if err != nil || !isOneValue(raw) {
		return p.fail(BadHex)
	}
	tag, content := split(raw)
	if text, ok := decodeText(tag, content); ok {
		a.Tag, a.Value = int(tag), string(text)
	} else {
		a.Raw = raw
	}
	p.at = end
	return p.endOfValue(BadHex)
}

// value reads a value with RFC 4514's escapes, or one in double quotes, up to
// the separator, which it leaves unread.
func (p *parser) value() (string, *Error) {
	if p.at < len(p.text) && p.text[p.at] == '"' {
		return p.quoted()
	}
	var b []byte
	kept := 0 // length of b without trailing spaces that were not escaped
	for ; p.at < len(p.text); p.at++ {
		c := p.text[p.at]
		switch c {
		case ',', ';', '+':
			return p.checked(b[:kept])
		case '"', '<', '>':
			return "", p.fail(NeedsEscape)
		case '\\':
			escaped, ok := p.escape()
			if !ok {
				return "", p.fail(BadEscape)
			}
			b = append(b, escaped)
			kept = len(b)
		default:
			b = append(b, c)
			if c != ' ' {
				kept = len(b)
			}
		}
	}
	return p.checked(b[:kept])
}

// checked proves that a value is UTF-8, for hexadecimal escapes can spell
// anything.
func (p *parser) checked(value []byte) (string, *Error) {
	if !utf8.Valid(value) {
		return "", p.fail(NotUTF8)
	}
	return string(value), nil
}

// escape reads the one or two characters behind a backslash and leaves p.at on
// the last of them.
func (p *parser) escape() (byte, bool) {
	rest := p.text[p.at+1:]
	if rest == "" {
		return 0, false
	}
	if strings.IndexByte(`"+,;<>\ #=`, rest[0]) >= 0 {
		p.at++
		return rest[0], true
	}
	if len(rest) < 2 {
		return 0, false
	}
	n, err := strconv.ParseUint(rest[:2], 16, 8)
	if err != nil {
		return 0, false
	}
	p.at += 2
	return byte(n), true
}

// quoted reads a value in double quotes. Quotes inside are doubled (Windows) or
// escaped with a backslash (RFC 1779).
func (p *parser) quoted() (string, *Error) {
	open := p.at
	var b []byte
	for p.at++; p.at < len(p.text); p.at++ {
		c := p.text[p.at]
		if c == '"' {
			if p.at+1 < len(p.text) && p.text[p.at+1] == '"' {
				p.at++
			} else {
				p.at++
				return string(b), p.endOfValue(BadQuote)
			}
		}
		b = append(b, c)
	}
	p.at = open
	return "", p.fail(BadQuote)
}

// endOfValue skips spaces and fails unless a separator or the end follows.
func (p *parser) endOfValue(reason Reason) *Error {
	p.spaces()
	if p.at < len(p.text) && strings.IndexByte(",;+", p.text[p.at]) < 0 {
		return p.fail(reason)
	}
	return nil
}
