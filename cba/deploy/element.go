package deploy

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
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

// parseXML reads a document into its first element. A document type is refused: none is
// needed, and what it can do is not wanted.
func parseXML(text []byte) (*element, error) {
	body := bytes.TrimPrefix(text, []byte("\ufeff"))
	skip := len(text) - len(body)
	d := xml.NewDecoder(bytes.NewReader(body))
	d.CharsetReader = func(label string, r io.Reader) (io.Reader, error) {
		if strings.EqualFold(label, "utf-16") || strings.EqualFold(label, "us-ascii") {
			return r, nil // decoded already, or the same
		}
		return nil, errors.New("an encoding other than UTF-8 and UTF-16")
	}
	var root, current *element
	depth := 0
	for {
		from := skip + int(d.InputOffset())
		token, err := d.Token()
		if err == io.EOF {
			if root == nil {
				return nil, fail(NotAnswerFile, "it has no elements")
			}
			return root, nil
		}
		if err != nil {
			return nil, &Error{Reason: NotAnswerFile, Err: err}
		}
		to := skip + int(d.InputOffset())
		switch t := token.(type) {
		case xml.Directive:
			return nil, fail(NotAnswerFile, "it has a document type declaration")
		case xml.StartElement:
			e := &element{Name: t.Name, start: from, startEnd: to, one: text[to-2] == '/', parent: current}
			e.written = string(text[from+1 : from+1+bytes.IndexAny(text[from+1:to], " \t\r\n/>")])
			e.attributes(t.Attr)
			switch depth++; {
			case depth > maxDepth:
				return nil, fail(NotAnswerFile, "its elements nest more than %d levels deep", maxDepth)
			case current != nil:
				current.children = append(current.children, e)
			case root != nil:
				return nil, fail(NotAnswerFile, "it has an element after the first one")
			default:
				root = e
			}
			current = e
		case xml.CharData:
			if current != nil {
				current.text.Write(t)
			}
		case xml.EndElement:
			current.end = from
			current, depth = current.parent, depth-1
		}
	}
}

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
