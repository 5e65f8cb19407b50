package deploy

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	unattendSpace = "urn:schemas-microsoft-com:unattend"
	wcmSpace      = "http://schemas.microsoft.com/WMIConfig/2002/State"
	maxAnswerFile = 4 << 20
)

// MergeUnattend puts the commands into an existing answer file and returns the
// new one. Every byte that was there stays, in its order; what is added follows
// the file's line ends, indentation and encoding (UTF-8 or UTF-16). The commands come
// behind those that the pass has, with the Order continued; missing elements
// are added around them. A comment at the top says that the file holds a
// password now. Commands that are there already, to the letter, are not added
// again: merging twice changes nothing.
//
// Only well-formedness and what the commands need is checked, not the rest of
// the answer file.
//
// The error is that of [Package.UnattendCommands], or an [*Error] with
// [NotAnswerFile], or [Ambiguous] if the file has the pass, the component (of
// one architecture) or the list of commands twice, or leaves several
// architectures to choose from.
func (p Package) MergeUnattend(answerFile []byte, o Options) ([]byte, error) {
	steps, err := p.steps(o)
	if err != nil {
		return nil, err
	}
	switch o.Architecture {
	case "", "amd64", "arm64", "x86":
	default:
		return nil, fail(BadOption, "%q is not an architecture (amd64, arm64, x86)", o.Architecture)
	}
	if len(answerFile) > maxAnswerFile {
		return nil, fail(NotAnswerFile, "the file has %d bytes", len(answerFile))
	}
	text, order, err := fromUTF16(answerFile)
	if err != nil {
		return nil, err
	}
	d, err := readAnswerFile(text, o.pass().place(), o.pass().String(), o.Architecture)
	if err != nil {
		return nil, err
	}
	steps = slices.DeleteFunc(steps, func(s step) bool { return slices.Contains(d.present, s.line) })
	if len(steps) == 0 {
		return bytes.Clone(answerFile), nil
	}
	if d.order+len(steps) > maxOrder {
		return nil, fail(BadOption, "the answer file has commands up to order %d, and %d is the last", d.order, maxOrder)
	}
	out := d.insert(steps, p.unattendComment(o, d.eol))
	if order != nil {
		return toUTF16(out, order), nil
	}
	return out, nil
}

// fromUTF16 returns the text as UTF-8, and the byte order if it was UTF-16.
func fromUTF16(data []byte) ([]byte, binary.ByteOrder, error) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		if !utf8.Valid(data) {
			return nil, nil, fail(NotAnswerFile, "the file is neither UTF-8 nor UTF-16")
		}
		return data, nil, nil
	}
	if len(data)%2 != 0 {
		return nil, nil, fail(NotAnswerFile, "the file is UTF-16 with half a character at its end")
	}
	units := make([]uint16, 0, len(data)/2)
	for ; len(data) > 0; data = data[2:] {
		units = append(units, order.Uint16(data))
	}
	runes := utf16.Decode(units)
	if !slices.Equal(utf16.Encode(runes), units) {
		return nil, nil, fail(NotAnswerFile, "the file is not sound UTF-16")
	}
	return []byte(string(runes)), order, nil
}

func toUTF16(text []byte, order binary.ByteOrder) []byte {
	units := utf16.Encode([]rune(string(text)))
	out := make([]byte, 2*len(units))
	for i, u := range units {
		order.PutUint16(out[2*i:], u)
	}
	return out
}

// An element is where one was found in the text: from < of its first tag to
// behind > of its last one.
type element struct {
	name         string // as written, with prefix
	start        int
	startEnd     int // behind > of the first tag
	end          int // < of the last tag; behind the first one's > if the two are one
	closed       bool
	selfClosing  bool
	spaces       map[string]string // prefix to namespace, where the element's content is
	architecture string
}

// An answer is what a reader of an answer file remembers of it.
type answer struct {
	text      []byte
	at        place
	passName  string
	arch      string
	root      *element
	settings  *element
	component *element
	container *element
	present   []string // the commands that are there
	order     int      // the highest Order among them
	eol, unit string
}

// readAnswerFile finds the place for the commands.
func readAnswerFile(text []byte, at place, pass, architecture string) (*answer, error) {
	a := &answer{text: text, at: at, passName: pass, arch: architecture}
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	skew := len(text) - len(bytes.TrimPrefix(text, []byte("\ufeff")))
	d.CharsetReader = func(label string, r io.Reader) (io.Reader, error) {
		if strings.EqualFold(label, "utf-16") || strings.EqualFold(label, "us-ascii") {
			return r, nil // decoded already, or the same
		}
		return nil, errors.New("an encoding other than UTF-8 and UTF-16")
	}
	type level struct {
		name xml.Name
		e    *element
	}
	var stack []level
	var components, containers []*element
	var commands [][2]string // line and Order of each command by container, in the order of containers
	var counts []int
	in := func(depth int, space, local string) bool {
		return len(stack) > depth && stack[depth].name.Local == local && stack[depth].name.Space == space
	}
	var value strings.Builder
	inCommand := func() bool {
		return len(stack) >= 5 && stack[1].e == a.settings && slices.Contains(components, stack[2].e) &&
			in(3, unattendSpace, at.container) && in(4, unattendSpace, at.command)
	}
	for {
		from := int(d.InputOffset()) + skew
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fail(NotAnswerFile, "%v", err)
		}
		to := int(d.InputOffset()) + skew
		switch t := token.(type) {
		case xml.Directive:
			return nil, fail(NotAnswerFile, "a document type declaration")
		case xml.StartElement:
			if len(stack) > 64 {
				return nil, fail(NotAnswerFile, "elements more than 64 deep")
			}
			e := &element{start: from, startEnd: to, selfClosing: text[to-2] == '/', spaces: map[string]string{"": ""}}
			e.name = tagName(text[from+1 : to])
			if len(stack) > 0 {
				e.spaces = stack[len(stack)-1].e.spaces
			}
			for _, attribute := range t.Attr {
				if attribute.Name.Space == "xmlns" {
					e.declare(attribute.Name.Local, attribute.Value)
				} else if attribute.Name.Space == "" && attribute.Name.Local == "xmlns" {
					e.declare("", attribute.Value)
				}
			}
			stack = append(stack, level{t.Name, e})
			if !in(0, unattendSpace, "unattend") {
				return nil, fail(NotAnswerFile, "its first element is %q and not unattend in %s", e.name, unattendSpace)
			}
			switch len(stack) {
			case 1:
				if a.root != nil {
					return nil, fail(NotAnswerFile, "a second element behind unattend")
				}
				a.root = e
			case 2:
				if in(1, unattendSpace, "settings") && attributeOf(t, "pass") == pass {
					if a.settings != nil {
						return nil, fail(Ambiguous, "the file has the pass %s twice", pass)
					}
					a.settings = e
				}
			case 3:
				if stack[1].e == a.settings && in(2, unattendSpace, "component") && attributeOf(t, "name") == at.component {
					e.architecture = attributeOf(t, "processorArchitecture")
					components = append(components, e)
				}
			case 4:
				if slices.Contains(components, stack[2].e) && in(3, unattendSpace, at.container) {
					containers = append(containers, e)
					counts = append(counts, 0)
				}
			case 5:
				if inCommand() {
					commands = append(commands, [2]string{})
					counts[len(counts)-1]++
				}
			case 6:
				value.Reset()
			}
		case xml.CharData:
			if len(stack) == 6 && inCommand() {
				value.Write(t)
			}
		case xml.EndElement:
			e := stack[len(stack)-1].e
			e.closed = true
			e.end = from
			if e.selfClosing {
				e.end = e.startEnd
			}
			if len(stack) == 6 && inCommand() {
				switch {
				case in(5, unattendSpace, at.line):
					commands[len(commands)-1][0] = strings.TrimSpace(value.String())
				case in(5, unattendSpace, "Order"):
					commands[len(commands)-1][1] = strings.TrimSpace(value.String())
				}
			}
			stack = stack[:len(stack)-1]
		}
	}
	if a.root == nil {
		return nil, fail(NotAnswerFile, "it has no elements")
	}
	if err := a.choose(components); err != nil {
		return nil, err
	}
	for i, c := range containers {
		own := commands[:counts[i]]
		commands = commands[counts[i]:]
		if a.component == nil || c.start < a.component.start || c.start >= a.component.end {
			continue
		}
		if a.container != nil {
			return nil, fail(Ambiguous, "the component %s has %s twice in the pass %s", at.component, at.container, pass)
		}
		a.container = c
		for _, command := range own {
			order, err := strconv.Atoi(command[1])
			if err != nil {
				return nil, fail(NotAnswerFile, "a %s has the Order %q, which is not a number", at.command, command[1])
			}
			a.order = max(a.order, order)
			a.present = append(a.present, command[0])
		}
	}
	a.layout()
	return a, nil
}

func (e *element) declare(prefix, space string) {
	own := map[string]string{}
	for k, v := range e.spaces {
		own[k] = v
	}
	own[prefix] = space
	e.spaces = own
}

// tagName returns the name at the beginning of a tag, without its <.
func tagName(tag []byte) string {
	if i := bytes.IndexAny(tag, " \t\r\n/>"); i >= 0 {
		tag = tag[:i]
	}
	return string(tag)
}

func attributeOf(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// choose takes the component for the architecture.
func (a *answer) choose(components []*element) error {
	if a.arch == "" && len(components) > 1 {
		for _, c := range components[1:] {
			if !strings.EqualFold(c.architecture, components[0].architecture) {
				return fail(Ambiguous, "the pass %s has the component %s for %s and for %s; say which architecture is meant",
					a.passName, a.at.component, components[0].architecture, c.architecture)
			}
		}
	}
	for _, c := range components {
		if a.arch != "" && !strings.EqualFold(c.architecture, a.arch) {
			continue
		}
		if a.component != nil {
			return fail(Ambiguous, "the pass %s has the component %s for %s twice", a.passName, a.at.component, c.architecture)
		}
		a.component = c
	}
	if a.arch == "" { // for a component that will have to be made
		a.arch = "amd64"
		if found := architectures(a.text); len(found) == 1 {
			a.arch = found[0]
		}
	}
	return nil
}

// architectures lists the architectures that the text names.
func architectures(text []byte) []string {
	var found []string
	for _, name := range []string{"amd64", "arm64", "x86"} {
		for _, quote := range []string{`"`, `'`} {
			if bytes.Contains(text, []byte("processorArchitecture="+quote+name+quote)) && !slices.Contains(found, name) {
				found = append(found, name)
			}
		}
	}
	return found
}

// layout finds out how the file is written.
func (a *answer) layout() {
	switch i := bytes.IndexByte(a.text, '\n'); {
	case i > 0 && a.text[i-1] == '\r':
		a.eol = "\r\n"
	case i >= 0:
		a.eol = "\n"
	default:
		return // all in one line
	}
	a.unit = "    "
	if e := cmpOr(a.settings, a.component); e != nil {
		if indent := a.indent(e.start); indent != "" && e == a.settings {
			a.unit = indent
		}
	}
}

func cmpOr(elements ...*element) *element {
	for _, e := range elements {
		if e != nil {
			return e
		}
	}
	return nil
}

// indent returns the white space between the last line end and the offset, or
// nothing if anything else is there.
func (a *answer) indent(offset int) string {
	line := a.text[bytes.LastIndexByte(a.text[:offset], '\n')+1 : offset]
	if len(bytes.TrimLeft(line, " \t")) != 0 {
		return ""
	}
	return string(line)
}

// insert returns the text with the commands in it.
func (a *answer) insert(steps []step, warning string) []byte {
	// What is there, from the outside in, and what has to be made within it.
	parent := cmpOr(a.container, a.component, a.settings, a.root)
	depth := 0 // of the parent
	var missing [][2]string
	if a.settings == nil {
		missing = append(missing, [2]string{"settings", ` pass="` + a.passName + `"`})
	}
	if a.component == nil {
		missing = append(missing, [2]string{"component", ` name="` + a.at.component + `" processorArchitecture="` + a.arch +
			`" publicKeyToken="31bf3856ad364e35" language="neutral" versionScope="nonSxS"`})
	}
	if a.container == nil {
		missing = append(missing, [2]string{a.at.container, ""})
	}
	depth = 3 - len(missing)

	// Namespaces: the default one must be that of answer files, and wcm must
	// be declared; either is declared on the outermost new element if it is not.
	declarations := ""
	if parent.spaces[""] != unattendSpace {
		declarations += ` xmlns="` + unattendSpace + `"`
	}
	if parent.spaces["wcm"] != wcmSpace {
		declarations += ` xmlns:wcm="` + wcmSpace + `"`
	}
	declare := func() string { s := declarations; declarations = ""; return s }

	base := strings.Repeat(a.unit, depth)
	if a.eol != "" {
		if own := a.indent(parent.start); own != "" || depth == 0 {
			base = own
		}
	}
	var b strings.Builder
	for i, m := range missing {
		attributes := m[1]
		if m[0] != "settings" || parent.spaces[""] != unattendSpace { // wcm usually stands with the component
			attributes += declare()
		}
		b.WriteString(base + strings.Repeat(a.unit, i+1) + "<" + m[0] + attributes + ">" + a.eol)
	}
	indent := base + strings.Repeat(a.unit, len(missing)+1)
	for i, s := range steps {
		attributes := ` wcm:action="add"` + declarations // siblings: each needs them
		b.WriteString(s.xml(a.at, a.order+1+i, attributes, indent, a.unit, a.eol))
	}
	for i, m := range slices.Backward(missing) {
		b.WriteString(base + strings.Repeat(a.unit, i+1) + "</" + m[0] + ">" + a.eol)
	}

	out := make([]byte, 0, len(a.text)+b.Len()+len(warning)+64)
	top := a.root.start
	out = append(out, a.text[:top]...)
	if !bytes.Contains(a.text[:top], []byte(strings.TrimRight(warning, "\r\n"))) {
		out = append(out, warning...)
	}
	if parent.selfClosing {
		slash := bytes.LastIndexByte(a.text[:parent.startEnd], '/')
		out = append(out, a.text[top:slash]...)
		out = append(out, ">"+a.eol+b.String()+base+"</"+parent.name+">"...)
		return append(out, a.text[parent.startEnd:]...)
	}
	// Before the white space in front of the parent's last tag, if that tag
	// begins its line; else right before the tag.
	at := parent.end
	if line := bytes.LastIndexByte(a.text[:at], '\n') + 1; line > parent.startEnd && len(bytes.TrimLeft(a.text[line:at], " \t")) == 0 {
		out = append(out, a.text[top:line]...)
		out = append(out, b.String()...)
		return append(out, a.text[line:]...)
	}
	out = append(out, a.text[top:at]...)
	if a.eol != "" {
		out = append(out, a.eol+b.String()+base...)
	} else {
		out = append(out, b.String()...)
	}
	return append(out, a.text[at:]...)
}
