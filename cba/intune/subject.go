package intune

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"slices"
	"strings"

	"example.com/entracba/cba/dn"
)

// A Subject is the template of a distinguished name. The zero value is the empty
// one, which [Profile.For] refuses.
type Subject struct {
	text    string
	parts   [][]attribute // as written; several in one for TYPE=a+TYPE=b
	escapes int           // how many \+ \; \, \= were read
	foreign []string      // types that CertStrToName's page does not list
	marks   Template      // letter case and braces
}

// An attribute is one TYPE=value of the template.
type attribute struct {
	kind  dn.Type
	parts []part
	raw   []byte // the value if it was given after "#"
}

// ParseSubject reads the template of a subject for a certificate of this type, by
// the rules of CertStrToName without flags (Learn, "CertStrToNameA function"),
// which Intune's documentation refers to:
//
//   - parts are separated by a comma or a semicolon, several values of one part by
//     a plus sign, each TYPE=value; TYPE is a key of that page's table or a number,
//     with or without "OID.";
//   - a value in double quotes may hold separators; a quote inside is doubled;
//   - a value after "#" is the hexadecimal content of an OCTET STRING;
//   - white space around types and values is ignored;
//   - a backslash is an ordinary character.
//
// One exception: \+ \; \, and \= are read as the character after the backslash,
// which is what their author means, so that a profile with this known fault can be
// examined; [Profile.Findings] reports them as an error. Further types that package
// dn knows are read too, with a finding. Empty parts and values are refused.
//
// Variables stand in values, in quotes or not, beside static text. They are found
// before they have a value, so white space, separators and quotes in a value have
// no meaning.
//
// The error is an [*Error] with the offset at which reading stopped.
func ParseSubject(text string, t CertificateType) (Subject, error) {
	p := subjectReader{reader: reader{what: "subject", text: text, kind: t}}
	if err := p.start(); err != nil {
		return Subject{}, err
	}
	if err := p.read(); err != nil {
		return Subject{}, err
	}
	p.subject.text, p.subject.marks = text, p.template
	return p.subject, nil
}

// String returns the text that was parsed.
func (s Subject) String() string { return s.text }

// Variables returns the variables in the order of the text, each once.
func (s Subject) Variables() []Variable {
	var list []Variable
	for _, rdn := range s.parts {
		for _, a := range rdn {
			list = variables(list, a.parts)
		}
	}
	return list
}

// Expand inserts the values and returns the name, encoded in the order of the
// text, as CertStrToName does without CERT_NAME_STR_REVERSE_FLAG: "CN=...,C=US" has
// the common name at the root. The name has exactly the parts of the template, and
// every value is exactly the static text and the attributes. String types are those
// of RFC 5280 (see [dn.Attribute]).
//
// {{OnPrem_Distinguished_Name}} is a value like any other: CN= with a whole name
// in it. See [Subject.ExpandInParts].
//
// The error is an [*Error] with reason [NoValue] or [NotUTF8].
func (s Subject) Expand(a Attributes) (dn.Name, error) { return s.expand(a, false) }

// ExpandInParts is like [Subject.Expand], except for a part whose whole value is
// {{OnPrem_Distinguished_Name}}: the parts of that name replace it, in the order of
// the name's text, as if they were part of the template. Intune's page shows
// "CN={{OnPrem_Distinguished_Name}}" and a value that itself begins with CN=, and
// does not say which of the two Intune does.
//
// With ExpandInParts the directory's attribute decides how many parts the subject
// has. For a value that is not a name the error is an [*Error] with reason
// [NotName].
func (s Subject) ExpandInParts(a Attributes) (dn.Name, error) { return s.expand(a, true) }

// isWholeName reports whether a part of the template is the one variable.
func isWholeName(rdn []attribute) bool {
	return len(rdn) == 1 && len(rdn[0].parts) == 1 && rdn[0].parts[0].variable == OnPremDistinguishedName
}

func (s Subject) expand(a Attributes, inParts bool) (dn.Name, error) {
	name := make(dn.Name, 0, len(s.parts))
	for _, template := range s.parts {
		if inParts && isWholeName(template) {
			value, err := expand("subject", template[0].parts, a)
			if err != nil {
				return nil, err
			}
			parts, err := dn.ParseRootFirst(value) // the order of the text
			if err != nil || len(parts) == 0 {
				return nil, &Error{Reason: NotName, What: "subject", Text: value, Offset: -1, Variable: OnPremDistinguishedName.spellings()[0]}
			}
			name = append(name, parts...)
			continue
		}
		rdn := make(dn.RDN, 0, len(template))
		for _, t := range template {
			if t.raw != nil {
				rdn = append(rdn, dn.Attribute{Type: t.kind, Raw: slices.Clone(t.raw)})
				continue
			}
			value, err := expand("subject", t.parts, a)
			if err != nil {
				return nil, err
			}
			rdn = append(rdn, dn.Attribute{Type: t.kind, Value: value})
		}
		if len(rdn) > 1 {
			sortSet(rdn)
		}
		name = append(name, rdn)
	}
	return name, nil
}

// sortSet puts values into the order that DER requires for a SET OF (X.690 section
// 11.6). Comparing names of one value each gives that order, because the lengths in
// front grow with the encoded value.
func sortSet(rdn dn.RDN) {
	der := func(a dn.Attribute) []byte {
		b, _ := dn.Name{{a}}.Marshal() // the issuer reports what cannot be encoded
		return b
	}
	slices.SortStableFunc(rdn, func(a, b dn.Attribute) int { return bytes.Compare(der(a), der(b)) })
}

// A subjectReader is a reader of subjects.
type subjectReader struct {
	reader
	subject Subject
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func isSeparator(c byte) bool { return c == ',' || c == ';' || c == '+' }

func (p *subjectReader) skipSpace() {
	for p.at < len(p.text) && isSpace(p.text[p.at]) {
		p.at++
	}
}

func (p *subjectReader) read() error {
	if p.skipSpace(); p.at == len(p.text) {
		return &Error{Reason: Empty, What: p.what, Offset: -1}
	}
	var rdn []attribute
	for {
		a, err := p.attribute()
		if err != nil {
			return err
		}
		rdn = append(rdn, a)
		var separator byte
		if p.at < len(p.text) {
			separator = p.text[p.at]
			p.at++
		}
		if separator == '+' {
			continue
		}
		p.subject.parts, rdn = append(p.subject.parts, rdn), nil
		if separator == 0 {
			return nil
		}
	}
}

// attribute reads TYPE=value up to the separator, which it leaves unread.
func (p *subjectReader) attribute() (a attribute, err error) {
	p.skipSpace()
	key, _, found := strings.Cut(p.text[p.at:], "=")
	if braces := strings.Index(key, "{{"); braces >= 0 && !strings.ContainsAny(key[:braces], `,;+"`) {
		p.at += braces
		return a, p.fail(Misplaced)
	}
	if !found || strings.ContainsAny(key, `,;+"`) {
		return a, p.fail(NoType)
	}
	length := len(key)
	if key = strings.TrimRight(key, " \t\r\n\v\f"); key == "" {
		return a, p.fail(NoType)
	}
	if a.kind, err = dn.ParseType(key); err != nil {
		return a, p.fail(UnknownType)
	}
	if !isDocumentedKey(key) {
		p.subject.foreign = append(p.subject.foreign, key)
	}
	p.at += length + 1
	p.skipSpace()
	switch begin := p.at; {
	case p.at < len(p.text) && p.text[p.at] == '"':
		a.parts, err = p.quoted()
	case p.at < len(p.text) && p.text[p.at] == '#':
		a.raw, err = p.hex()
		return a, err
	default:
		a.parts, err = p.plain()
		if err == nil && len(a.parts) == 0 {
			p.at = begin
		}
	}
	if err == nil && len(a.parts) == 0 {
		err = p.fail(Empty)
	}
	return a, err
}

// plain reads a value without quotes.
func (p *subjectReader) plain() ([]part, error) {
	var value Template
	for p.at < len(p.text) && !isSeparator(p.text[p.at]) {
		switch rest := p.text[p.at:]; {
		case rest[0] == '"':
			return nil, p.fail(BadQuote)
		case rest[0] == '\\' && len(rest) > 1 && strings.IndexByte("+;,=", rest[1]) >= 0:
			p.subject.escapes++
			value.addByte(rest[1])
			p.at += 2
		default:
			if err := p.step(&value); err != nil {
				return nil, err
			}
		}
	}
	if n := len(value.parts); n > 0 && value.parts[n-1].variable == 0 { // space in front was skipped
		value.parts[n-1].text = strings.TrimRight(value.parts[n-1].text, " \t\r\n\v\f")
		if value.parts[n-1].text == "" {
			value.parts = value.parts[:n-1]
		}
	}
	return value.parts, nil
}

// quoted reads a value in double quotes and the space after it.
func (p *subjectReader) quoted() ([]part, error) {
	open := p.at
	var value Template
	for p.at++; p.at < len(p.text); {
		if p.text[p.at] != '"' {
			if err := p.step(&value); err != nil {
				return nil, err
			}
			continue
		}
		p.at++
		if p.at < len(p.text) && p.text[p.at] == '"' {
			value.addByte('"')
			p.at++
			continue
		}
		if p.skipSpace(); p.at < len(p.text) && !isSeparator(p.text[p.at]) {
			return nil, p.fail(BadQuote)
		}
		return value.parts, nil
	}
	p.at = open
	return nil, p.fail(BadQuote)
}

// hex reads "#" and hexadecimal digits with white space between them, and returns the
// OCTET STRING that CertStrToName makes of them.
func (p *subjectReader) hex() ([]byte, error) {
	end := p.at + 1
	for end < len(p.text) && !isSeparator(p.text[end]) {
		end++
	}
	digits := strings.Join(strings.Fields(p.text[p.at+1:end]), "")
	content, err := hex.DecodeString(digits)
	if err != nil || len(content) == 0 {
		return nil, p.fail(BadHex)
	}
	raw, err := asn1.Marshal(content)
	if err != nil {
		return nil, p.fail(BadHex)
	}
	p.at = end
	return raw, nil
}

// isDocumentedKey holds the table of CertStrToName's page.
func isDocumentedKey(key string) bool {
	if strings.Contains(key, ".") {
		return true
	}
	switch strings.ToUpper(key) {
	case "CN", "L", "O", "OU", "E", "EMAIL", "C", "S", "ST", "STREET", "T", "TITLE",
		"G", "GIVENNAME", "I", "INITIALS", "SN", "DC":
		return true
	}
	return false
}
