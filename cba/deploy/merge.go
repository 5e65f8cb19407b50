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
// those of the pass, with the Order continued; where that would pass 500, they get the
// highest free numbers. Missing elements are added around them. If the file has the
// component for several architectures, each gets the commands, or only that of
// [Options.Architecture]. A comment at the top says that the file now holds a password.
// Commands that are there already are not added again: merging twice changes nothing.
//
// The file must be well-formed XML 1.0 without a document type; the elements around the
// commands are checked, and not the rest of the answer file. [Package.UnattendFindings]
// says what in the file keeps the commands from reaching the person.
//
// The error is that of [Package.UnattendCommands], or [NotAnswerFile] with the line, or
// [Ambiguous] if the file has the pass, the component of one architecture or the list of
// commands twice, or if it has several architectures, none of them with this component,
// and [Options.Architecture] is empty.
func (p Package) MergeUnattend(answerFile []byte, o Options) ([]byte, error) {
	steps, err := p.steps(o)
	if err != nil {
		return nil, err
	}
	a, encoding, err := openAnswerFile(answerFile, o)
	if err != nil {
		return nil, err
	}
	var edits []edit
	for _, s := range a.spots {
		e, err := a.insert(s, steps)
		if err != nil {
			return nil, err
		}
		if e.text != "" {
			edits = append(edits, e)
		}
	}
	if len(edits) == 0 {
		return bytes.Clone(answerFile), nil
	}
	warning, top := p.unattendComment(o, a.eol), a.root.start
	if bytes.Contains(a.text[:top], []byte(strings.TrimRight(warning, "\r\n"))) {
		warning = ""
	}
	out := append(slices.Clone(a.text[:top]), warning...)
	for _, e := range edits { // in the order of the file
		out = append(append(out, a.text[top:e.from]...), e.text...)
		top = e.to
	}
	return encoding.Encode(append(out, a.text[top:]...)), nil
}

// An edit replaces the text between two offsets.
type edit struct {
	from, to int
	text     string
}

// An answer is an answer file, and the places in it for the commands of a pass.
type answer struct {
	text           []byte
	at             place
	pass           Pass
	root, settings *element // settings is nil if the file does not have the pass
	spots          []spot
	architectures  []string // of all components, in the order of the file
	eol, unit      string   // how the file is written: line end and indentation
}

// A spot is the list of commands of one component.
type spot struct {
	arch                 string
	component, container *element     // nil if not there
	present              []string     // the commands in container
	orders               map[int]bool // and their Orders
}

// openAnswerFile finds the places for the commands.
func openAnswerFile(data []byte, o Options) (*answer, text.Encoding, error) {
	if o.Architecture != "" && !slices.Contains(architectures(), o.Architecture) {
		return nil, text.Encoding{}, fail(BadOption, "%s is not an architecture; use one of %s", text.Quote(o.Architecture), strings.Join(architectures(), ", "))
	}
	if len(data) > maxAnswerFile {
		return nil, text.Encoding{}, fail(NotAnswerFile, "the file has %d bytes; at most %d are read", len(data), maxAnswerFile)
	}
	content, encoding, ok := text.Decode(data)
	if !ok {
		return nil, encoding, fail(NotAnswerFile, "the file is neither UTF-8 nor UTF-16")
	}
	root, err := parseXML(content, encoding)
	if err != nil {
		return nil, encoding, err
	}
	if root.Local != "unattend" || root.Space != unattendSpace {
		return nil, encoding, fail(NotAnswerFile, "its first element is %.60q and not unattend in %s", root.written, unattendSpace)
	}
	a := &answer{text: content, at: o.pass().place(), pass: o.pass(), root: root}
	for _, s := range root.all("settings") {
		if s.values["pass"] != a.pass.String() {
			continue
		}
		if a.settings != nil {
			return nil, encoding, fail(Ambiguous, "the file has the pass %v twice", a.pass)
		}
		a.settings = s
	}
	if err := a.choose(o.Architecture); err != nil {
		return nil, encoding, err
	}
	for i := range a.spots {
		if err := a.spots[i].read(a.at, a.pass); err != nil {
			return nil, encoding, err
		}
	}
	a.layout()
	return a, encoding, nil
}

// read finds the list of commands in the component, and what is in it.
func (s *spot) read(at place, pass Pass) error {
	s.orders = map[int]bool{}
	containers := s.component.all(at.container)
	if len(containers) > 1 {
		return fail(Ambiguous, "the component %s has %s twice in the pass %v", at.component, at.container, pass)
	}
	for _, c := range containers {
		s.container = c
		for _, command := range c.all(at.command) {
			order, err := strconv.Atoi(command.value("Order"))
			if err != nil {
				return fail(NotAnswerFile, "a %s has the Order %.20q, which is not a number", at.command, command.value("Order"))
			}
			s.orders[order] = true
			s.present = append(s.present, command.value(at.line))
		}
	}
	return nil
}

// choose takes the components for the architecture, or for every one.
func (a *answer) choose(arch string) error {
	const attribute = "processorArchitecture"
	known := map[string]bool{}
	for _, s := range a.root.all("settings") {
		for _, c := range s.all("component") {
			if own := strings.ToLower(c.values[attribute]); !known[own] {
				known[own] = true
				a.architectures = append(a.architectures, own)
			}
		}
	}
	taken := map[string]bool{}
	for _, c := range a.settings.all("component") {
		own := strings.ToLower(c.values[attribute])
		if c.values["name"] != a.at.component || arch != "" && own != arch {
			continue
		}
		if taken[own] {
			return fail(Ambiguous, "the pass %v has the component %s for %s twice; merge the two components", a.pass, a.at.component, own)
		}
		taken[own] = true
		a.spots = append(a.spots, spot{arch: own, component: c})
	}
	switch {
	case len(a.spots) > 0:
		return nil
	case arch != "":
	case len(a.architectures) > 1:
		return fail(Ambiguous, "the file has components for %s, and none of them is %s in the pass %v; name one of the architectures",
			text.Some(a.architectures, 8), a.at.component, a.pass)
	case len(a.architectures) == 1 && slices.Contains(architectures(), a.architectures[0]):
		arch = a.architectures[0]
	default:
		arch = "amd64"
	}
	a.spots = []spot{{arch: arch}}
	return nil
}

// numbers returns n Orders for commands: behind those that are there, or else the
// highest that are free, in rising order.
func (s spot) numbers(n int) ([]int, error) {
	last := 0
	for order := range s.orders {
		last = max(last, order)
	}
	var free []int
	if last <= maxOrder-n { // last+n may be beyond every int
		for i := range n {
			free = append(free, last+1+i)
		}
		return free, nil
	}
	for order := maxOrder; order > 0 && len(free) < n; order-- {
		if !s.orders[order] {
			free = append(free, order)
		}
	}
	if len(free) < n {
		return nil, fail(BadOption, "the answer file has so many commands that fewer than %d of the %d orders are free", n, maxOrder)
	}
	slices.Reverse(free)
	return free, nil
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
	for _, e := range a.root.children[:min(len(a.root.children), 16)] { // each looks back along its line
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

// insert returns the change that adds the commands which are not there yet, or a change
// without text if all are.
func (a *answer) insert(at spot, steps []step) (edit, error) {
	steps = slices.DeleteFunc(slices.Clone(steps), func(s step) bool { return slices.Contains(at.present, s.line) })
	if len(steps) == 0 {
		return edit{}, nil
	}
	orders, err := at.numbers(len(steps))
	if err != nil {
		return edit{}, err
	}
	// What is there, from the outside in, and what has to be made within it.
	parent := cmp.Or(at.container, at.component, a.settings, a.root)
	var missing [][2]string
	if a.settings == nil {
		missing = append(missing, [2]string{"settings", ` pass="` + a.pass.String() + `"`})
	}
	if at.component == nil {
		missing = append(missing, [2]string{"component", ` name="` + a.at.component + `" processorArchitecture="` + at.arch +
			`" publicKeyToken="31bf3856ad364e35" language="neutral" versionScope="nonSxS"`})
	}
	if at.container == nil {
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
		b.WriteString(s.xml(a.at, orders[i], attributes, indent, a.unit, a.eol))
	}
	for i, m := range slices.Backward(missing) {
		b.WriteString(base + strings.Repeat(a.unit, i+1) + "</" + m[0] + ">" + a.eol)
	}

	if parent.one {
		slash := bytes.LastIndexByte(a.text[:parent.startEnd], '/')
		return edit{slash, parent.startEnd, ">" + a.eol + b.String() + base + "</" + parent.written + ">"}, nil
	}
	// Before the white space in front of the parent's last tag, if that tag
	// begins its line; else right before the tag.
	end := parent.end
	if line := bytes.LastIndexByte(a.text[:end], '\n') + 1; line > parent.startEnd && len(bytes.TrimLeft(a.text[line:end], " \t")) == 0 {
		return edit{line, line, b.String()}, nil
	}
	if a.eol != "" {
		return edit{end, end, a.eol + b.String() + base}, nil
	}
	return edit{end, end, b.String()}, nil
}
