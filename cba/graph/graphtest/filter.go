package graphtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Limits of a $filter. Graph has its own, which are not documented.
const (
	maxFilter      = 16 << 10
	maxFilterDepth = 32
)

// A filter is a parsed $filter: an operator over other filters, or a comparison
// of one property with literals.
type filter struct {
	op   string    // "and", "or", "not"; "eq", "ne", "gt", "ge", "lt", "le", "in", "startswith"; "any"
	kids []*filter // of and, or, not; the body of any
	path string    // the property; inside any, the range variable
	name string    // the range variable of any
	want []literal // one, or several for in
}

// A literal is a value as it stands in a filter. The zero literal is null.
type literal struct {
	kind byte // 's' text, 'b' boolean, 'i' number, 't' time, 0 null
	text string
	num  int64
	time time.Time
}

func (l literal) String() string {
	switch l.kind {
	case 's':
		return "'" + strings.ReplaceAll(l.text, "'", "''") + "'"
	case 'b', 't':
		return l.text
	case 'i':
		return strconv.FormatInt(l.num, 10)
	}
	return "null"
}

// String writes the filter so that it parses to the same again.
func (f *filter) String() string {
	switch f.op {
	case "and", "or":
		texts := make([]string, len(f.kids))
		for i, kid := range f.kids {
			texts[i] = "(" + kid.String() + ")"
		}
		return strings.Join(texts, " "+f.op+" ")
	case "not":
		return "not (" + f.kids[0].String() + ")"
	case "any":
		return f.path + "/any(" + f.name + ":" + f.kids[0].String() + ")"
	case "startswith":
		return "startswith(" + f.path + "," + f.want[0].String() + ")"
	case "in":
		texts := make([]string, len(f.want))
		for i, l := range f.want {
			texts[i] = l.String()
		}
		return f.path + " in (" + strings.Join(texts, ",") + ")"
	}
	return f.path + " " + f.op + " " + f.want[0].String()
}

// A syntaxError is what is wrong with a filter, and where.
type syntaxError struct {
	at   int
	text string
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("Invalid filter clause: %s at position %d.", e.text, e.at)
}

// parseFilter reads the part of OData's grammar (4.01, section 5.1.1) that
// Microsoft Graph documents for the modelled calls: and, or, not, parentheses,
// the six comparisons, in, startsWith, and any over a collection of texts.
func parseFilter(text string) (*filter, error) {
	if len(text) > maxFilter {
		return nil, &syntaxError{text: "more than 16 KB"}
	}
	p := &filterParser{in: text}
	f := p.or("")
	p.space()
	if p.err == nil && p.at < len(p.in) {
		p.fail("'%s' was not expected", p.in[p.at:])
	}
	if p.err != nil {
		return nil, p.err
	}
	return f, nil
}

type filterParser struct {
	in    string
	at    int
	depth int
	err   error
}

func (p *filterParser) fail(format string, args ...any) {
	if p.err == nil {
		for i, a := range args {
			if text, ok := a.(string); ok {
				args[i] = clip(text)
			}
		}
		p.err = &syntaxError{at: p.at, text: fmt.Sprintf(format, args...)}
	}
	p.at = len(p.in) // nothing more is read
}

func (p *filterParser) space() bool {
	start := p.at
	for p.at < len(p.in) && p.in[p.at] == ' ' {
		p.at++
	}
	return p.at > start
}

// take reads the given text, after spaces.
func (p *filterParser) take(text string) bool {
	p.space()
	if strings.HasPrefix(p.in[p.at:], text) {
		p.at += len(text)
		return true
	}
	return false
}

// word reads a name of letters, digits, '_' and '/'.
func (p *filterParser) word() string {
	p.space()
	start := p.at
	for p.at < len(p.in) {
		c := p.in[p.at]
		if c != '_' && c != '/' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			break
		}
		p.at++
	}
	return p.in[start:p.at]
}

// operator reads a word if it is the given one and spaces are around it.
func (p *filterParser) operator(name string) bool {
	start := p.at
	if p.space() && p.word() == name && (p.at == len(p.in) || p.in[p.at] == ' ' || p.in[p.at] == '(') {
		return true
	}
	// "(a)or(b)" needs no spaces.
	p.at = start
	if start > 0 && p.in[start-1] == ')' && p.word() == name && p.at < len(p.in) && strings.ContainsRune(" (", rune(p.in[p.at])) {
		return true
	}
	p.at = start
	return false
}

// or reads a whole expression. The variable is the one that any brought into
// scope, "" where there is none.
func (p *filterParser) or(variable string) *filter {
	return p.chain("or", func() *filter { return p.chain("and", func() *filter { return p.unary(variable) }) })
}

// chain reads one operand, or several with the operator between them.
func (p *filterParser) chain(operator string, operand func() *filter) *filter {
	f := operand()
	if p.err != nil || !p.operator(operator) {
		return f
	}
	f = &filter{op: operator, kids: []*filter{f, operand()}}
	for p.err == nil && p.operator(operator) {
		f.kids = append(f.kids, operand())
	}
	return f
}

func (p *filterParser) unary(variable string) *filter {
	if p.depth++; p.depth > maxFilterDepth {
		p.fail("nesting of more than %d levels", maxFilterDepth)
		return nil
	}
	defer func() { p.depth-- }()
	if p.take("(") {
		f := p.or(variable)
		if !p.take(")") {
			p.fail("')' is missing")
		}
		return f
	}
	start := p.at
	word := p.word()
	switch {
	case word == "":
		p.fail("a property is missing")
		return nil
	case word == "not":
		return &filter{op: "not", kids: []*filter{p.unary(variable)}}
	case strings.EqualFold(word, "startsWith") && p.take("("):
		f := &filter{op: "startswith", path: p.path(p.word(), variable)}
		if !p.take(",") {
			p.fail("',' is missing")
		}
		f.want = []literal{p.literal()}
		if f.want[0].kind != 's' {
			p.fail("startsWith needs a text")
		}
		if !p.take(")") {
			p.fail("')' is missing")
		}
		return f
	case strings.HasSuffix(word, "/any") && p.take("("):
		if variable != "" {
			p.fail("any inside of any")
			return nil
		}
		f := &filter{op: "any", path: p.path(strings.TrimSuffix(word, "/any"), ""), name: p.word()}
		if f.name == "" || strings.Contains(f.name, "/") || f.name == "not" || !p.take(":") {
			p.fail("a range variable and ':' are missing")
			return nil
		}
		f.kids = []*filter{p.or(f.name)}
		if !p.take(")") {
			p.fail("')' is missing")
		}
		return f
	}
	if p.at < len(p.in) && p.in[p.at] == '(' {
		p.at = start
		p.fail("the function '%s' is not supported", word)
		return nil
	}
	f := &filter{path: p.path(word, variable)}
	if !p.space() {
		p.fail("an operator is missing")
		return nil
	}
	switch f.op = p.word(); f.op {
	case "eq", "ne", "gt", "ge", "lt", "le":
		if !p.space() {
			p.fail("a blank and a value are missing")
		}
		f.want = []literal{p.literal()}
	case "in":
		if !p.take("(") {
			p.fail("'(' is missing")
		}
		for p.err == nil {
			f.want = append(f.want, p.literal())
			if !p.take(",") {
				break
			}
		}
		if !p.take(")") {
			p.fail("')' is missing")
		}
	default:
		p.fail("'%s' is not an operator", f.op)
	}
	return f
}

// path refuses names that cannot be a property here.
func (p *filterParser) path(word, variable string) string {
	if word == "" || strings.HasPrefix(word, "/") || strings.HasSuffix(word, "/") || variable != "" && word != variable {
		p.fail("'%s' is not a property", word)
	}
	switch word {
	case "not", "null", "true", "false":
		p.fail("'%s' is not a property", word)
	}
	return word
}

func (p *filterParser) literal() literal {
	p.space()
	if p.at < len(p.in) && p.in[p.at] == '\'' {
		var b strings.Builder
		for i := p.at + 1; i < len(p.in); i++ {
			if p.in[i] != '\'' {
				b.WriteByte(p.in[i])
				continue
			}
			if i+1 < len(p.in) && p.in[i+1] == '\'' {
				b.WriteByte('\'')
				i++
				continue
			}
			p.at = i + 1
			return literal{kind: 's', text: b.String()}
		}
		p.fail("there is an unterminated string literal")
		return literal{}
	}
	start := p.at
	for p.at < len(p.in) && !strings.ContainsRune(" (),'", rune(p.in[p.at])) {
		p.at++
	}
	text := p.in[start:p.at]
	switch text {
	case "null":
		return literal{}
	case "true", "false":
		return literal{kind: 'b', text: text}
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return literal{kind: 'i', num: n}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return literal{kind: 't', text: text, time: t}
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return literal{kind: 't', text: text, time: t}
	}
	p.at = start
	p.fail("'%s' is not a value", text)
	return literal{}
}

// each calls f for every comparison, with the property it is about: the
// collection's, inside of any.
func (f *filter) each(visit func(path string, leaf *filter, inAny bool)) {
	f.walk("", visit)
}

func (f *filter) walk(over string, visit func(string, *filter, bool)) {
	switch f.op {
	case "and", "or", "not":
		for _, kid := range f.kids {
			kid.walk(over, visit)
		}
	case "any":
		f.kids[0].walk(f.path, visit)
	default:
		if over != "" {
			visit(over, f, true)
		} else {
			visit(f.path, f, false)
		}
	}
}

// matches reports whether an item passes the filter. value gives its
// properties: string, bool, int, time.Time, []string or nil. fold says whether
// letter case of a property's text matters not.
func (f *filter) matches(value func(path string) any, fold func(path string) bool) bool {
	switch f.op {
	case "and":
		for _, kid := range f.kids {
			if !kid.matches(value, fold) {
				return false
			}
		}
		return true
	case "or":
		for _, kid := range f.kids {
			if kid.matches(value, fold) {
				return true
			}
		}
		return false
	case "not":
		return !f.kids[0].matches(value, fold)
	case "any":
		list, _ := value(f.path).([]string)
		ignore := fold(f.path)
		for _, element := range list {
			if f.kids[0].matches(func(string) any { return element }, func(string) bool { return ignore }) {
				return true
			}
		}
		return false
	case "ne":
		return !f.want[0].equal(value(f.path), fold(f.path))
	case "eq", "in":
		have := value(f.path)
		for _, want := range f.want {
			if want.equal(have, fold(f.path)) {
				return true
			}
		}
		return false
	case "startswith":
		text, ok := value(f.path).(string)
		want := f.want[0].text
		if fold(f.path) {
			text, want = strings.ToLower(text), strings.ToLower(want)
		}
		return ok && strings.HasPrefix(text, want)
	}
	order, ok := f.want[0].compare(value(f.path))
	switch f.op {
	case "gt":
		return ok && order > 0
	case "ge":
		return ok && order >= 0
	case "lt":
		return ok && order < 0
	case "le":
		return ok && order <= 0
	}
	return false
}

func (l literal) equal(have any, fold bool) bool {
	switch l.kind {
	case 's':
		text, ok := have.(string)
		return ok && (text == l.text || fold && strings.EqualFold(text, l.text))
	case 'b':
		b, ok := have.(bool)
		return ok && b == (l.text == "true")
	case 'i', 't':
		order, ok := l.compare(have)
		return ok && order == 0
	}
	return have == nil
}

// compare orders have against the literal: negative if have is less.
func (l literal) compare(have any) (order int, ok bool) {
	switch have := have.(type) {
	case string:
		return strings.Compare(have, l.text), l.kind == 's'
	case int:
		switch {
		case int64(have) < l.num:
			order = -1
		case int64(have) > l.num:
			order = 1
		}
		return order, l.kind == 'i'
	case time.Time:
		return have.Compare(l.time), l.kind == 't'
	}
	return 0, false
}
