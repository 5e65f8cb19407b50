package deploy

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"example.com/entracba/cba/internal/text"
)

// An element is one of an answer file, and where in the text it was found.
// encoding/xml cannot write a document back as it was; so what is read here is
// offsets, and what is written is the old text with new text at some of them.
type element struct {
	xml.Name                   // name and namespace
	written  string            // the name as it is written, with its prefix
	start    int               // <  of the first tag
	startEnd int               // behind > of the first tag
	end      int               // < of the last tag; startEnd if the two are one
	one      bool              // <a/>
	values   map[string]string // attributes without a prefix
	declared map[string]string // prefix to namespace, of this element alone
	parent   *element
	children []*element
	text     strings.Builder // the text between the tags, without that of children
}

// maxDepth is far more than any answer file has.
const maxDepth = 64

// declaration is what may stand between <?xml and ?> (XML 1.0, section 2.8).
var declaration = regexp.MustCompile(`^[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.0"|'1\.0')` +
	`(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"([A-Za-z][A-Za-z0-9._-]*)"|'([A-Za-z][A-Za-z0-9._-]*)'))?` +
	`(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*$`)

// parseXML reads a document into its first element. It refuses what XML 1.0 and its
// namespaces refuse, also where encoding/xml does not: Windows Setup ignores an answer
// file that is not XML and does not say so. A document type is refused, too: none is
// needed, and what it can do is not wanted. from is how the file was encoded.
func parseXML(content []byte, from text.Encoding) (*element, error) {
	if from.Order != nil && !from.Mark {
		return nil, fail(NotAnswerFile, "line 1: the file is UTF-16 without a byte order mark; save it as UTF-8")
	}
	d := xml.NewDecoder(bytes.NewReader(content))
	d.CharsetReader = func(label string, r io.Reader) (io.Reader, error) {
		if strings.EqualFold(label, "utf-16") || strings.EqualFold(label, "us-ascii") {
			return r, nil // decoded already, or the same; checkDeclaration compares
		}
		return nil, errors.New("an encoding other than UTF-8 and UTF-16")
	}
	if i := strings.IndexFunc(string(content), func(r rune) bool { return !isXML(string(r)) }); i >= 0 {
		return nil, fail(NotAnswerFile, "line %d: XML cannot hold the character %+q; delete it", 1+bytes.Count(content[:i], []byte("\n")), content[i:i+1])
	}
	var root, current *element
	depth := 0
	for {
		start := int(d.InputOffset())
		// no says where and why the document is not XML, and how to mend it.
		no := func(format string, args ...any) (*element, error) {
			line := 1 + bytes.Count(content[:start], []byte("\n"))
			return nil, fail(NotAnswerFile, "line %d: "+format, append([]any{line}, args...)...)
		}
		token, err := d.Token()
		if err == io.EOF {
			if root == nil {
				return nil, fail(NotAnswerFile, "it has no elements")
			}
			return root, nil
		}
		if syntax := (*xml.SyntaxError)(nil); errors.As(err, &syntax) {
			return nil, fail(NotAnswerFile, "line %d: %s", syntax.Line, syntax.Msg)
		} else if err != nil { // the version or the encoding
			return no("%s", strings.TrimPrefix(err.Error(), "xml: "))
		}
		raw := content[start:d.InputOffset()]
		switch t := token.(type) {
		case xml.ProcInst:
			switch {
			case t.Target == "xml" && start > 0:
				return no("the XML declaration <?xml ...?> must be the first thing in the file; delete what stands before it")
			case t.Target == "xml":
				if wrong := checkDeclaration(t.Inst, content, from); wrong != "" {
					return no("%s", wrong)
				}
			case !bytes.HasPrefix(raw[2+len(t.Target):], []byte("?>")) && !bytes.ContainsAny(raw[2+len(t.Target):][:1], " \t\r\n"):
				return no("the name of a processing instruction needs white space behind it")
			case strings.EqualFold(t.Target, "xml") || strings.Contains(t.Target, ":"):
				return no("a processing instruction must not have the name %.20q", t.Target)
			}
		case xml.Directive:
			return no("it has a document type declaration; delete it")
		case xml.StartElement:
			e := &element{Name: t.Name, start: start, startEnd: start + len(raw), one: raw[len(raw)-2] == '/', parent: current}
			names, wrong := attributeNames(raw)
			e.written = names[0]
			e.attributes(t.Attr)
			if wrong == "" {
				wrong = e.checkNames(names)
			}
			switch depth++; {
			case wrong != "":
				return no("%s", wrong)
			case depth > maxDepth:
				return no("its elements nest more than %d levels deep", maxDepth)
			case current != nil:
				current.children = append(current.children, e)
			case root != nil:
				return no("it has a second element after the first one; a document has one")
			default:
				root = e
			}
			current = e
		case xml.CharData:
			if current != nil {
				current.text.Write(t)
				continue
			}
			if stray := bytes.TrimLeft(raw, " \t\r\n"); len(stray) > 0 {
				start += len(raw) - len(stray) // its line
				return no("it has the text %.20q outside of the first element; delete it", stray)
			}
		case xml.EndElement:
			current.end = start
			current, depth = current.parent, depth-1
		}
	}
}

// checkDeclaration says what is wrong with the XML declaration.
func checkDeclaration(inst, content []byte, from text.Encoding) string {
	// The decoder drops the white space behind the target.
	m := declaration.FindSubmatch(append([]byte(" "), inst...))
	if m == nil {
		return `the XML declaration is malformed; write <?xml version="1.0" encoding="utf-8"?>`
	}
	switch label := strings.ToLower(string(m[1]) + string(m[2])); {
	case label == "utf-16" && from.Order == nil:
		return `the XML declaration says UTF-16, and the file is not UTF-16; write encoding="utf-8"`
	case label != "" && label != "utf-16" && from.Order != nil:
		return `the XML declaration says ` + label + `, and the file is UTF-16; save the file as UTF-8, or write encoding="utf-16"`
	case label == "us-ascii" && bytes.ContainsFunc(content, func(r rune) bool { return r > 0x7f }):
		return `the XML declaration says US-ASCII, and the file has other characters; write encoding="utf-8"`
	}
	return ""
}

// attributeNames returns the name in a first tag and those of its attributes, as they
// are written. The decoder has checked the rest, but not that white space separates them.
func attributeNames(tag []byte) (names []string, wrong string) {
	const space = " \t\r\n"
	rest := tag[1:]
	end := bytes.IndexAny(rest, space+"/>")
	names = []string{string(rest[:end])}
	for rest = rest[end:]; ; {
		next := bytes.TrimLeft(rest, space)
		if next[0] == '>' || next[0] == '/' {
			return names, ""
		}
		if len(next) == len(rest) {
			return names, "attributes need white space between them"
		}
		end = bytes.IndexAny(next, space+"=")
		names = append(names, string(next[:end]))
		next = next[bytes.IndexAny(next, `"'`):]
		rest = next[2+bytes.IndexByte(next[1:], next[0]):]
	}
}

// checkNames says what is wrong with the names of an element and its attributes:
// twice the same, or a prefix that stands for nothing (Namespaces in XML 1.0).
func (e *element) checkNames(names []string) string {
	for _, prefix := range slices.Sorted(maps.Keys(e.declared)) {
		space := e.declared[prefix]
		reserved := space == "http://www.w3.org/XML/1998/namespace"
		if prefix == "xmlns" || space == "http://www.w3.org/2000/xmlns/" || (prefix == "xml") != reserved || prefix != "" && space == "" {
			return "the prefix " + quote(prefix) + " cannot be declared so"
		}
	}
	written, expanded := map[string]bool{}, map[string]bool{}
	for i, name := range names {
		prefix, local, prefixed := strings.Cut(name, ":")
		space := ""
		switch {
		case !prefixed:
			local = name
		case prefix == "" || local == "" || strings.Contains(local, ":"):
			return "the name " + quote(name) + " has a colon where none may be"
		case local[0] == '-' || local[0] == '.' || local[0] >= '0' && local[0] <= '9':
			return "the name " + quote(name) + " does not begin with a letter behind its prefix"
		case prefix == "xml", i > 0 && prefix == "xmlns":
			space = prefix
		default:
			if space = e.space(prefix); space == "" {
				return "the prefix of " + quote(name) + " is not declared; add xmlns:" + prefix + `="..." to the element`
			}
		}
		if i == 0 {
			continue
		}
		if written[name] || space != "" && expanded[space+" "+local] {
			return "the attribute " + quote(name) + " appears twice in one element; delete one of the two"
		}
		written[name], expanded[space+" "+local] = true, true
	}
	return ""
}

func quote(name string) string { return text.Quote(name[:min(len(name), 60)]) }

func (e *element) attributes(all []xml.Attr) {
	e.values, e.declared = map[string]string{}, map[string]string{}
	for _, a := range all {
		switch {
		case a.Name.Space == "xmlns":
			e.declared[a.Name.Local] = a.Value
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			e.declared[""] = a.Value
		case a.Name.Space == "":
			e.values[a.Name.Local] = a.Value
		}
	}
}

// space returns the namespace that a prefix stands for inside the element.
func (e *element) space(prefix string) string {
	for ; e != nil; e = e.parent {
		if space, ok := e.declared[prefix]; ok {
			return space
		}
	}
	return ""
}

// all returns the children of this name, in the namespace of answer files. A nil
// element has none.
func (e *element) all(name string) []*element {
	var found []*element
	if e != nil {
		for _, c := range e.children {
			if c.Local == name && c.Space == unattendSpace {
				found = append(found, c)
			}
		}
	}
	return found
}

// value returns the text of the first child of this name, without the white space around it.
func (e *element) value(name string) string {
	for _, c := range e.all(name) {
		return strings.TrimSpace(c.text.String())
	}
	return ""
}
