package deploy

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"example.com/entracba/cba/internal/text"
)

const (
	unattendSpace = "urn:schemas-microsoft-com:unattend"
	wcmSpace      = "http://schemas.microsoft.com/WMIConfig/2002/State"
	maxAnswerFile = 4 << 20
)

// MergeUnattend adds the commands to an existing answer file and returns the new
// file. Every byte that was there stays, in its order; additions follow the file's
// line ends, indentation and encoding (UTF-8 or UTF-16). The commands come after
// those of the pass, with the Order continued; missing elements are added around
// them. A comment at the top says that the file now holds a password. Commands that
// are there already are not added again: merging twice changes nothing.
//
// Only well-formedness and the elements around the commands are checked, not the
// rest of the answer file.
//
// The error is that of [Package.UnattendCommands], or [NotAnswerFile], or
// [Ambiguous] if the file has the pass, the component (of one architecture) or the
// list of commands twice, or several architectures and [Options.Architecture] is
// empty.
func (p Package) MergeUnattend(answerFile []byte, o Options) ([]byte, error) {
	steps, err := p.steps(o)
	if err != nil {
		return nil, err
	}
	if o.Architecture != "" && !slices.Contains(architectures(), o.Architecture) {
		return nil, fail(BadOption, "%s is not an architecture; use one of %s", text.Quote(o.Architecture), strings.Join(architectures(), ", "))
	}
	if len(answerFile) > maxAnswerFile {
		return nil, fail(NotAnswerFile, "the file has %d bytes; at most %d are read", len(answerFile), maxAnswerFile)
	}
	content, encoding, ok := text.Decode(answerFile)
	if !ok {
		return nil, fail(NotAnswerFile, "the file is neither UTF-8 nor UTF-16")
	}
	d, err := readAnswerFile(content, o.pass(), o.Architecture)
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
	return encoding.Encode(out), nil
}

// An answer is an answer file, and the place in it for the commands of a pass.
type answer struct {
	text []byte
	at   place
	pass Pass
	arch string // of a component that has to be made

	// What is there, from the outside in; nil from the first one that is not.
	root, settings, component, container *element

	present   []string // the commands that are in container
	order     int      // the highest Order among them
	eol, unit string   // how the file is written: line end and indentation
}

// readAnswerFile finds the place for the commands.
func readAnswerFile(text []byte, pass Pass, architecture string) (*answer, error) {
	root, err := parseXML(text)
	if err != nil {
		return nil, err
	}
	if root.Local != "unattend" || root.Space != unattendSpace {
		return nil, fail(NotAnswerFile, "its first element is %.60q and not unattend in %s", root.written, unattendSpace)
	}
	a := &answer{text: text, at: pass.place(), pass: pass, arch: architecture, root: root}
	for _, s := range root.all("settings") {
		if s.values["pass"] != pass.String() {
			continue
		}
		if a.settings != nil {
			return nil, fail(Ambiguous, "the file has the pass %v twice", pass)
		}
		a.settings = s
	}
	if err := a.choose(); err != nil {
		return nil, err
	}
	containers := a.component.all(a.at.container)
	if len(containers) > 1 {
		return nil, fail(Ambiguous, "the component %s has %s twice in the pass %v", a.at.component, a.at.container, pass)
	}
	for _, c := range containers {
		a.container = c
		for _, command := range c.all(a.at.command) {
			order, err := strconv.Atoi(command.value("Order"))
			if err != nil {
				return nil, fail(NotAnswerFile, "a %s has the Order %.20q, which is not a number", a.at.command, command.value("Order"))
			}
			a.order = max(a.order, order)
			a.present = append(a.present, command.value(a.at.line))
		}
	}
	a.layout()
	return a, nil
}

// choose takes the component for the architecture.
func (a *answer) choose() error {
	const attribute = "processorArchitecture"
	for _, c := range a.settings.all("component") {
		own := c.values[attribute]
		if c.values["name"] != a.at.component || a.arch != "" && !strings.EqualFold(own, a.arch) {
			continue
		}
		if a.component != nil {
			return fail(Ambiguous, "the pass %v has the component %s for %s and again for %s; set the architecture, or merge the two components",
				a.pass, a.at.component, a.component.values[attribute], own)
		}
		a.component = c
	}
	if a.arch != "" {
		return nil
	}
	a.arch = "amd64"
	var found []string
	for _, s := range a.root.all("settings") {
		for _, c := range s.all("component") {
			if own := c.values[attribute]; !slices.Contains(found, own) {
				found = append(found, own)
			}
		}
	}
	if len(found) == 1 && slices.Contains(architectures(), found[0]) {
		a.arch = found[0]
	}
	return nil
}

// architectures are those that a component can be for.
func architectures() []string { return []string{"amd64", "arm64", "x86"} }

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
	for _, e := range a.root.children {
		if indent := a.indent(e.start); indent != "" {
			a.unit = indent
			return
		}
	}
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
	parent := cmp.Or(a.container, a.component, a.settings, a.root)
	var missing [][2]string
	if a.settings == nil {
		missing = append(missing, [2]string{"settings", ` pass="` + a.pass.String() + `"`})
	}
	if a.component == nil {
		missing = append(missing, [2]string{"component", ` name="` + a.at.component + `" processorArchitecture="` + a.arch +
			`" publicKeyToken="31bf3856ad364e35" language="neutral" versionScope="nonSxS"`})
	}
	if a.container == nil {
		missing = append(missing, [2]string{a.at.container, ""})
	}
	depth := 3 - len(missing) // of the parent

	// Namespaces: the default one must be that of answer files, and wcm must
	// be declared; either is declared on the outermost new element if it is not.
	declarations := ""
	if parent.space("") != unattendSpace {
		declarations += ` xmlns="` + unattendSpace + `"`
	}
	if parent.space("wcm") != wcmSpace {
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
		if m[0] != "settings" || parent.space("") != unattendSpace { // wcm usually stands with the component
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
	if parent.one {
		slash := bytes.LastIndexByte(a.text[:parent.startEnd], '/')
		out = append(out, a.text[top:slash]...)
		out = append(out, ">"+a.eol+b.String()+base+"</"+parent.written+">"...)
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
