package intune

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// maxTemplate is far above what Intune's form accepts.
const maxTemplate = 4 << 10

// A Template is text with variables: the value of one entry of the
// subjectAltName. The zero value is the empty text.
type Template struct {
	text  string
	parts []part
	// For findings: loose are names in another letter case than the documented one,
	// braces counts single braces in the text.
	loose  []string
	braces int
}

// A part is static text, or one variable.
type part struct {
	text     string
	variable Variable // zero for text
}

// ParseTemplate reads text with variables, "{{DeviceName}}.contoso.com", for a
// certificate of this type. Everything outside double braces is static text.
// Any documented name of a variable is accepted, in any letter case.
//
// The error is an [*Error] with the offset: [UnclosedVariable],
// [UnknownVariable], [NotAllowed], [NotUTF8] or [TooLong]; or [OutOfRange] for an
// unset type.
func ParseTemplate(text string, t CertificateType) (Template, error) {
	r := reader{what: "subjectAltName", text: text, kind: t}
	if err := r.start(); err != nil {
		return Template{}, err
	}
	for r.at < len(text) {
		if err := r.step(&r.template); err != nil {
			return Template{}, err
		}
	}
	r.template.text = text
	return r.template, nil
}

// String returns the text that was parsed.
func (t Template) String() string { return t.text }

// Variables returns the variables in the order of the text, each once.
func (t Template) Variables() []Variable { return variables(nil, t.parts) }

func variables(list []Variable, parts []part) []Variable {
	for _, p := range parts {
		if p.variable != 0 && !slices.Contains(list, p.variable) {
			list = append(list, p.variable)
		}
	}
	return list
}

// Expand inserts the values. The error is an [*Error]: [NoValue] for a variable
// without a value, because a profile fails on a device that lacks one, or [NotUTF8].
func (t Template) Expand(a Attributes) (string, error) {
	return expand("subjectAltName", t.parts, a)
}

func expand(what string, parts []part, a Attributes) (string, error) {
	var b strings.Builder
	for _, p := range parts {
		if p.variable == 0 {
			b.WriteString(p.text)
			continue
		}
		value := a.Value(p.variable)
		if value == "" {
			return "", &Error{Reason: NoValue, What: what, Offset: -1, Variable: p.variable.spellings()[0]}
		}
		if !utf8.ValidString(value) {
			return "", &Error{Reason: NotUTF8, What: what, Text: value, Offset: -1, Variable: p.variable.spellings()[0]}
		}
		b.WriteString(value)
	}
	return b.String(), nil
}

// addByte appends a byte of static text.
func (t *Template) addByte(c byte) {
	if n := len(t.parts); n > 0 && t.parts[n-1].variable == 0 {
		t.parts[n-1].text += string([]byte{c})
		return
	}
	t.parts = append(t.parts, part{text: string([]byte{c})})
}

// A reader reads one text. at is the byte to be read next.
type reader struct {
	what     string
	text     string
	kind     CertificateType
	at       int
	template Template
}

func (r *reader) fail(reason Reason) *Error {
	return &Error{Reason: reason, What: r.what, Text: r.text, Offset: r.at}
}

func (r *reader) start() error {
	switch {
	case r.kind != UserCertificate && r.kind != DeviceCertificate:
		return &Error{Reason: OutOfRange, What: "certificate type", Text: r.kind.String(), Offset: -1}
	case len(r.text) > maxTemplate:
		return &Error{Reason: TooLong, What: r.what, Offset: -1}
	case !utf8.ValidString(r.text):
		return &Error{Reason: NotUTF8, What: r.what, Text: r.text, Offset: -1}
	}
	return nil
}

// atVariable reports whether a variable begins here.
func (r *reader) atVariable() bool { return strings.HasPrefix(r.text[r.at:], "{{") }

// step reads one byte of static text, or one variable, into t.
func (r *reader) step(t *Template) error {
	if !r.atVariable() {
		c := r.text[r.at]
		if c == '{' || c == '}' {
			r.template.braces++
		}
		t.addByte(c)
		r.at++
		return nil
	}
	name, _, closed := strings.Cut(r.text[r.at+2:], "}}")
	if !closed || strings.Contains(name, "{") {
		return r.fail(UnclosedVariable)
	}
	v, exact := variableByName(name)
	var err *Error
	switch {
	case v == 0:
		err = r.fail(UnknownVariable)
	case !v.AllowedIn(r.kind):
		err = r.fail(NotAllowed)
	case v == OnPremSecurityIdentifier && r.what == "subject":
		err = r.fail(Misplaced)
	}
	if err != nil {
		err.Variable = name
		return err
	}
	if !exact {
		r.template.loose = append(r.template.loose, name)
	}
	t.parts = append(t.parts, part{variable: v})
	r.at += len("{{") + len(name) + len("}}")
	return nil
}
