package snapshot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A Difference is one place where two JSON values differ.
type Difference struct {
	// Path is the property, as in "authenticationModeConfiguration.rules[0]". An
	// element of a list is named by its identifying property, where every element
	// has one: "certificateUserBindings[PrincipalName]".
	Path string
	// Before and After are the values there as JSON; nil where there is none.
	Before, After json.RawMessage
}

// String returns the difference in one line: "+ path: value", "- path: value" or
// "~ path: before -> after".
func (d Difference) String() string {
	switch {
	case d.Before == nil:
		return "+ " + d.Path + ": " + string(d.After)
	case d.After == nil:
		return "- " + d.Path + ": " + string(d.Before)
	}
	return "~ " + d.Path + ": " + string(d.Before) + " -> " + string(d.After)
}

// Differences are what has to change, in the order of the new value.
type Differences []Difference

// String returns the differences, one a line.
func (ds Differences) String() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

// Compare lists where two JSON texts differ. White space and the order of
// properties do not count. The order of a list does not count either, where all of
// its elements have names.
//
// The error is [Malformed].
func Compare(before, after []byte) (Differences, error) {
	a, err := decodeOrdered(before)
	if err != nil {
		return nil, err
	}
	b, err := decodeOrdered(after)
	if err != nil {
		return nil, err
	}
	var ds Differences
	walk(&ds, "", a, b)
	return ds, nil
}

// An object is a JSON object whose properties keep their order.
type object struct {
	names  []string
	values map[string]any
}

// decodeOrdered reads one JSON value.
func decodeOrdered(data []byte) (any, error) {
	if !json.Valid(data) { // also what nests so deep that reading it would exhaust the stack
		return nil, &Error{Reason: Malformed, Text: "it is no JSON, breaks off, or nests too deep"}
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return decodeNext(d)
}

func decodeNext(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		o := &object{values: map[string]any{}}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := decodeNext(d)
			if err != nil {
				return nil, err
			}
			key, _ := name.(string)
			if _, twice := o.values[key]; !twice {
				o.names = append(o.names, key)
			}
			o.values[key] = v
		}
		_, err := d.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := decodeNext(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	return t, nil
}

// MarshalJSON writes the object in its order.
func (o *object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range o.names {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(text(name))
		b.WriteByte(':')
		b.Write(text(o.values[name]))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func walk(ds *Differences, path string, before, after any) {
	switch b := after.(type) {
	case *object:
		if a, ok := before.(*object); ok {
			for _, name := range b.names {
				old, had := a.values[name]
				if !had {
					note(ds, join(path, name), absent{}, b.values[name])
				} else {
					walk(ds, join(path, name), old, b.values[name])
				}
			}
			for _, name := range a.names {
				if _, has := b.values[name]; !has {
					note(ds, join(path, name), a.values[name], absent{})
				}
			}
			return
		}
	case []any:
		if a, ok := before.([]any); ok {
			walkList(ds, path, a, b)
			return
		}
	}
	if !bytes.Equal(text(before), text(after)) {
		note(ds, path, before, after)
	}
}

type absent struct{}

func note(ds *Differences, path string, before, after any) {
	d := Difference{Path: path}
	if before != (absent{}) {
		d.Before = text(before)
	}
	if after != (absent{}) {
		d.After = text(after)
	}
	*ds = append(*ds, d)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// walkList pairs the elements of two lists by their names, or by their places
// where some have none.
func walkList(ds *Differences, path string, before, after []any) {
	a, b := names(before), names(after)
	if a == nil || b == nil {
		for i := range max(len(before), len(after)) {
			at := fmt.Sprintf("%s[%d]", path, i)
			switch {
			case i >= len(before):
				note(ds, at, absent{}, after[i])
			case i >= len(after):
				note(ds, at, before[i], absent{})
			default:
				walk(ds, at, before[i], after[i])
			}
		}
		return
	}
	for i, name := range b {
		if j := slices.Index(a, name); j >= 0 {
			walk(ds, path+"["+name+"]", before[j], after[i])
		} else {
			note(ds, path+"["+name+"]", absent{}, after[i])
		}
	}
	for j, name := range a {
		if !slices.Contains(b, name) {
			note(ds, path+"["+name+"]", before[j], absent{})
		}
	}
}

// names returns the names of a list's elements, or nil if two have the same name or
// one has none.
func names(list []any) []string {
	all := make([]string, 0, len(list))
	for _, v := range list {
		name := elementName(v)
		if name == "" || slices.Contains(all, name) {
			return nil
		}
		all = append(all, name)
	}
	return all
}

func elementName(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case *object:
		for _, key := range []string{"id", "x509CertificateField", "subjectKeyIdentifier", "displayName"} {
			if name, ok := v.values[key].(string); ok && name != "" {
				return name
			}
		}
		// A rule is named by what it looks at.
		var parts []string
		for _, key := range []string{"x509CertificateRuleType", "issuerSubjectIdentifier", "policyOidIdentifier", "identifier"} {
			if part, ok := v.values[key].(string); ok && part != "" && !slices.Contains(parts, part) {
				parts = append(parts, part)
			}
		}
		return strings.Join(parts, " ")
	}
	return ""
}

// encode is json.Marshal without the escapes for HTML: the values are full of
// "<" and ">".
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// text is the JSON of a value that decodeOrdered has read.
func text(v any) []byte {
	t, _ := encode(v) // what was read can be written
	return t
}
