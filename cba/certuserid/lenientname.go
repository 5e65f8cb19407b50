package certuserid

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"example.com/entracba/cba/dn"
)

// A pair is one type and value of a name as it was found in text.
type pair struct {
	keyword string // Windows' name of the type
	value   string // the value without quotes and escapes
	raw     bool   // value is "#" and hexadecimal DER
	joint   byte   // what stands before it: ',' for a new part, ' ' or '+' inside one
}

// name puts the text of a name right. wanted is the certificate's name, if there
// is one to compare with.
func (r *reader) name(text, wanted string) (string, bool) {
	if isPlaceholder(text) {
		r.note(rulePlaceholder, "")
		return "", false
	}
	if text == wanted {
		return text, true
	}
	pairs, strict, ok := r.pairs(text)
	if !ok {
		// A name without any spaces cannot be cut up, but it can be compared.
		if wanted != "" && foldText(text) == foldText(wanted) {
			r.note(ruleNameSpacesLost, "")
			return wanted, true
		}
		return "", false
	}
	if wanted != "" {
		return r.wantedName(text, pairs, strict, wanted)
	}
	if strict && hasEscape(text) {
		r.note(ruleNameEscapeLikely, "")
	}
	if looksReversed(pairs) {
		r.note(ruleNameOrderLikely, quote(text))
		return render(reversedPairs(pairs))
	}
	if strict {
		return text, true
	}
	return render(pairs)
}

// wantedName compares the name with the certificate's, forgiving everything that
// is known to go wrong.
func (r *reader) wantedName(text string, pairs []pair, strict bool, wanted string) (string, bool) {
	want, ok := strictPairs(wanted)
	if !ok { // cannot be: it was made by FromCertificate
		return "", false
	}
	a, b := foldPairs(pairs), foldPairs(want)
	backwards := slices.Clone(a)
	slices.Reverse(backwards)
	sortedA, sortedB := slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	inOrder := slices.Equal(a, b)
	switch {
	case inOrder:
	case slices.Equal(sortedA, sortedB):
		r.note(ruleNameOrder, quote(text))
		if !slices.Equal(backwards, b) {
			return wanted, true
		}
		slices.Reverse(pairs)
	case foldText(text) == foldText(wanted):
		r.note(ruleNameSpacesLost, "")
		return wanted, true
	case strict && hasEscape(text) && slices.Equal(foldPairs(unescaped(pairs)), b):
		r.note(ruleNameEscape, "")
		return wanted, true
	default:
		r.note(ruleNameOther, quote(wanted))
		if strict {
			return text, true
		}
		return render(pairs)
	}
	for i := range min(len(pairs), len(want)) {
		switch got, should := pairs[i].value, want[i].value; {
		case pairs[i].keyword != want[i].keyword || got == should:
		case foldBlanks(got) == foldBlanks(should):
			r.note(ruleNameSpacesLost, quote(got))
		default: // foldPairs found them equal
			r.note(ruleCase, quote(got))
		}
		if inOrder && i > 0 && (pairs[i].joint == ',') != (want[i].joint == ',') {
			r.note(ruleNameJoint, pairs[i].keyword)
		}
	}
	return wanted, true
}

// unescaped reads the values of a strict name as RFC 4514 would.
func unescaped(pairs []pair) []pair {
	out := slices.Clone(pairs)
	for i, p := range out {
		c := cutter{reader: &reader{}, text: p.value}
		var b []byte
		for ; c.at < len(c.text); c.at++ {
			if c.text[c.at] != '\\' || !c.escape(&b) {
				b = append(b, c.text[c.at])
			}
		}
		out[i].value = string(b)
	}
	return out
}

// foldBlanks is foldText without a change of letter case.
func foldBlanks(s string) string {
	return strings.Map(func(c rune) rune {
		if isBlank(c) || c == '"' {
			return -1
		}
		return c
	}, s)
}

// foldText takes out of a name all that gets lost on the way: spaces, quotes and
// letter case.
func foldText(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case isBlank(c) || c == '"':
			return -1
		case 'A' <= c && c <= 'Z':
			return c - 'A' + 'a'
		}
		return c
	}, s)
}

func foldPairs(pairs []pair) []string {
	folded := make([]string, len(pairs))
	for i, p := range pairs {
		folded[i] = p.keyword + "=" + foldText(p.value)
	}
	return folded
}

// looksReversed guesses from the attribute types: a country or a domain component
// stands at the root, a common name at the other end.
func looksReversed(pairs []pair) bool {
	end := 1
	for end < len(pairs) && pairs[end].joint != ',' {
		end++
	}
	start := len(pairs) - 1
	for start > 0 && pairs[start].joint != ',' {
		start--
	}
	first, last := height(pairs[:end]), height(pairs[start:])
	return last == 3 && first < 3 || last == 2 && first == 1
}

// height says how near the root the part of a name usually stands: 3 for country
// and domain components, 2 for an organization, 1 for a common name, 0 for what
// may stand anywhere.
func height(part []pair) int {
	has := func(keyword string) bool {
		return slices.ContainsFunc(part, func(p pair) bool { return p.keyword == keyword })
	}
	switch {
	case has("C") || has("DC"):
		return 3
	case has("O") && !has("CN"):
		return 2
	case has("CN") && !has("O"):
		return 1
	}
	return 0
}

// reversedPairs reverses the parts of a name; the values of a multi-valued part
// keep their order.
func reversedPairs(pairs []pair) []pair {
	var out []pair
	for end := len(pairs); end > 0; {
		start := end - 1
		for start > 0 && pairs[start].joint != ',' {
			start--
		}
		out = append(out, pairs[start:end]...)
		end = start
	}
	return out
}

// render writes the pairs as Windows writes a name.
func render(pairs []pair) (string, bool) {
	var name dn.Name
	plus := false
	for i, p := range pairs {
		attribute := dn.Attribute{Type: dn.Type(p.keyword), Value: p.value}
		if p.raw {
			raw, err := hex.DecodeString(p.value[1:])
			if err != nil {
				return "", false
			}
			attribute = dn.Attribute{Type: dn.Type(p.keyword), Raw: raw}
		}
		if p.joint == ',' || i == 0 {
			name, plus = append(name, nil), false
		}
		last := len(name) - 1
		name[last] = append(name[last], attribute)
		if plus = plus || p.joint == '+'; plus {
			// RFC 4514 does not care for the order, DER does.
			sorted, err := dn.ParseRootFirst(dn.Name{name[last]}.RootFirst())
			if err != nil || len(sorted) != 1 {
				return "", false
			}
			name[last] = sorted[0]
		}
	}
	text := name.Windows()
	return text, text != ""
}

// pairs cuts the text of a name up, in any of the forms that people store, and
// says what is wrong with the form. strict is true if nothing is.
func (r *reader) pairs(text string) (pairs []pair, strict, ok bool) {
	if pairs, ok := strictPairs(text); ok {
		return pairs, true, true
	}
	c := cutter{reader: r, text: text}
	if rest, ok := strings.CutPrefix(text, "/"); ok && c.typeAt(1) {
		r.note(ruleNameSeparator, `"/"`)
		c.text, c.slash = rest, true
	}
	pairs, ok = c.cut()
	return pairs, false, ok && len(pairs) > 0
}

// hasEscape reports whether there is a backslash before something that RFC 4514
// lets stand behind one.
func hasEscape(text string) bool {
	for i := 0; i+1 < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		rest := text[i+1:]
		if strings.IndexByte(`"+,;<>\ #=`, rest[0]) >= 0 {
			return true
		}
		if len(rest) > 1 {
			if _, err := strconv.ParseUint(rest[:2], 16, 8); err == nil {
				return true
			}
		}
	}
	return false
}

// strictPairs cuts up a name that Parse takes.
func strictPairs(text string) ([]pair, bool) {
	if end, fault := scanName(text, 0); fault != "" || end != len(text) {
		return nil, false
	}
	var pairs []pair
	joint := byte(',')
	for at := 0; at < len(text); {
		equal := at + strings.IndexByte(text[at:], '=')
		start := equal + 1
		end, _ := scanValue(text, start)
		p := pair{keyword: text[at:equal], value: text[start:end], joint: joint}
		switch p.value[0] {
		case '"':
			p.value = strings.ReplaceAll(p.value[1:len(p.value)-1], `""`, `"`)
		case '#':
			p.raw = true
		}
		pairs = append(pairs, p)
		if end < len(text) {
			joint = text[end]
		}
		at = end + 1
	}
	return pairs, true
}

// windowsType finds Windows' name for an attribute type by any name that programs
// write for it.
func windowsType(keyword string) (windows string, ok bool) {
	switch strings.ToLower(keyword) { // names that package dn does not read
	case "mail":
		keyword = "0.9.2342.19200300.100.1.3"
	case "dnq":
		keyword = "dnQualifier"
	case "businesscategory":
		keyword = "2.5.4.15"
	}
	t, err := dn.ParseType(keyword)
	return t.Windows(), err == nil
}

// A cutter cuts up the text of a name that is not in its right form.
type cutter struct {
	reader *reader
	text   string
	at     int
	slash  bool // OpenSSL's old form: /C=US/O=Contoso
}

// keywordAt returns the keyword that begins at i, behind spaces, and where its
// equal sign is.
func (c *cutter) keywordAt(i int) (keyword string, start, equal int, ok bool) {
	for i < len(c.text) && isBlank(rune(c.text[i])) {
		i++
	}
	rest := c.text[i:]
	if len(rest) > 128 {
		rest = rest[:128]
	}
	n := strings.IndexByte(rest, '=')
	if n < 0 {
		return "", 0, 0, false
	}
	return strings.TrimRight(rest[:n], " \t"), i, i + n, true
}

// typeAt reports whether an attribute type that is known and an equal sign
// begin at i.
func (c *cutter) typeAt(i int) bool {
	keyword, _, _, ok := c.keywordAt(i)
	if !ok {
		return false
	}
	_, ok = windowsType(keyword)
	return ok
}

func (c *cutter) isSeparator(i int) bool {
	switch c.text[i] {
	case ',', ';', '+', '\n', '\r':
		return c.typeAt(i+1) || strings.Trim(c.text[i:], ",;+ \r\n") == ""
	case '/':
		return c.slash && c.typeAt(i+1)
	}
	return false
}

func (c *cutter) cut() ([]pair, bool) {
	var pairs []pair
	joint := byte(',')
	for c.at < len(c.text) {
		keyword, start, equal, ok := c.keywordAt(c.at)
		if !ok {
			c.reader.note(ruleMalformed, quote(c.text[c.at:]))
			return nil, false
		}
		windows, ok := windowsType(keyword)
		if !ok {
			c.reader.note(ruleNameTypeUnknown, quote(keyword))
			return nil, false
		}
		if start != c.at || equal != start+len(keyword) {
			c.reader.note(ruleNameSpace, "")
		}
		if windows != keyword {
			c.reader.note(ruleNameType, keyword+" for "+windows)
		}
		c.at = equal + 1
		p := pair{keyword: windows, joint: joint}
		if joint, ok = c.value(&p); !ok {
			return nil, false
		}
		pairs = append(pairs, p)
	}
	return pairs, true
}

// value reads a value and the separator behind it.
func (c *cutter) value(p *pair) (joint byte, ok bool) {
	for c.at < len(c.text) && isBlank(rune(c.text[c.at])) {
		c.at++
		c.reader.note(ruleNameSpace, "")
	}
	if c.at < len(c.text) && c.text[c.at] == '"' {
		if joint, ok = c.quoted(p); ok {
			return joint, true
		}
	}
	var b []byte
	kept := 0        // length of b up to an escaped space
	quoting := false // a special character stands bare
	for ; c.at < len(c.text); c.at++ {
		ch := c.text[c.at]
		if ch == '\\' && c.escape(&b) {
			kept = len(b)
			continue
		}
		if c.isSeparator(c.at) {
			joint = c.separator()
			break
		}
		if ch == '=' {
			if space, ok := c.jointBefore(b, kept); ok {
				c.at -= len(b) - space - 1
				b = b[:space]
				joint = ' '
				break
			}
		}
		quoting = quoting || strings.IndexByte(special, ch) >= 0
		b = append(b, ch)
	}
	end := len(b)
	for end > kept && isBlank(rune(b[end-1])) {
		end--
	}
	if end != len(b) {
		c.reader.note(ruleNameSpace, "")
	}
	p.value = string(b[:end])
	if len(p.value) > 4 && p.value[0] == '#' && kept == 0 {
		if _, err := hex.DecodeString(p.value[1:]); err == nil {
			p.value, p.raw = strings.ToLower(p.value), true
			return joint, true
		}
	}
	if quoting {
		c.reader.note(ruleNameQuoting, quote(p.value))
	}
	return joint, true
}

// jointBefore looks for the space that joins two values of a multi-valued part:
// between it and the equal sign stands an attribute type. b holds the value so
// far, and its unescaped end is the text before c.at.
func (c *cutter) jointBefore(b []byte, kept int) (space int, ok bool) {
	from := max(kept, len(b)-128)
	i := strings.LastIndexByte(string(b[from:]), ' ')
	if i < 0 || from+i == 0 {
		return 0, false
	}
	_, ok = windowsType(string(b[from+i+1:]))
	return from + i, ok
}

// separator says what is wrong with the separator at c.at and moves behind it.
func (c *cutter) separator() (joint byte) {
	switch c.text[c.at] {
	case '+':
		c.reader.note(ruleNamePlus, "")
		joint = '+'
	case ',':
		joint = ','
	case '/':
		joint = ','
	default:
		c.reader.note(ruleNameSeparator, "")
		joint = ','
	}
	c.at++
	if strings.Trim(c.text[c.at:], ",;+ \r\n") == "" {
		c.reader.note(ruleNameSeparator, "at the end")
		c.at = len(c.text)
	}
	return joint
}

// escape reads a backslash at c.at and what it stands for.
func (c *cutter) escape(b *[]byte) bool {
	rest := c.text[c.at+1:]
	switch {
	case rest != "" && strings.IndexByte(`"+,;<>\ #=`, rest[0]) >= 0:
		*b = append(*b, rest[0])
		c.at++
	case len(rest) > 1:
		n, err := strconv.ParseUint(rest[:2], 16, 8)
		if err != nil {
			return false
		}
		*b = append(*b, byte(n))
		c.at += 2
	default:
		return false
	}
	c.reader.note(ruleNameEscape, "")
	return true
}

// quoted reads a value in double quotes, with quotes inside doubled or escaped.
func (c *cutter) quoted(p *pair) (joint byte, ok bool) {
	start := c.at
	var b []byte
	for c.at++; c.at < len(c.text); c.at++ {
		ch := c.text[c.at]
		if ch == '\\' && c.at+1 < len(c.text) && (c.text[c.at+1] == '"' || c.text[c.at+1] == '\\') {
			c.escape(&b)
			continue
		}
		if ch != '"' {
			b = append(b, ch)
			continue
		}
		if c.at+1 < len(c.text) && c.text[c.at+1] == '"' {
			c.at++
			b = append(b, ch)
			continue
		}
		c.at++
		p.value = string(b)
		if !needsQuotes(p.value) {
			c.reader.note(ruleNameQuoting, quote(p.value))
		}
		after := c.at
		for after < len(c.text) && isBlank(rune(c.text[after])) {
			after++
		}
		switch {
		case after == len(c.text):
			c.at = after
			return ',', true
		case c.isSeparator(after):
			if after != c.at {
				c.reader.note(ruleNameSpace, "")
			}
			c.at = after
			return c.separator(), true
		case after > c.at && c.typeAt(after):
			c.at = after
			return ' ', true
		default: // more text behind the quote: not a quoted value at all
			c.at = start
			return 0, false
		}
	}
	c.at = start
	return 0, false
}
