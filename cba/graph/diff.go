package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A Difference is one place where two JSON values differ.
type Difference struct {
	// Path is the property, as in "authenticationModeConfiguration.rules[0]". The
	// elements of a list are told apart by what names them, where they have that:
	// "certificateUserBindings[PrincipalName]".
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

// compare lists where two JSON texts differ. White space and the order of
// properties do not count, the order of a list does not either where all of its
// elements have names.
func compare(before, after []byte) (Differences, error) {
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

func decodeOrdered(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
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
			text, _ := name.(string)
			if _, twice := o.values[text]; !twice {
				o.names = append(o.names, text)
			}
			o.values[text] = v
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
		b.Write(encode(name))
		b.WriteByte(':')
		b.Write(encode(o.values[name]))
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
	if !bytes.Equal(encode(before), encode(after)) {
		note(ds, path, before, after)
	}
}

type absent struct{}

func note(ds *Differences, path string, before, after any) {
	d := Difference{Path: path}
	if before != (absent{}) {
		d.Before = encode(before)
	}
	if after != (absent{}) {
		d.After = encode(after)
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

// names returns what the elements of a list are told apart by, or nil if two have
// the same or one has none.
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
			if text, ok := v.values[key].(string); ok && text != "" {
				return text
			}
		}
		// A rule is named by what it looks at.
		var parts []string
		for _, key := range []string{"x509CertificateRuleType", "issuerSubjectIdentifier", "policyOidIdentifier", "identifier"} {
			if text, ok := v.values[key].(string); ok && text != "" && !slices.Contains(parts, text) {
				parts = append(parts, text)
			}
		}
		return strings.Join(parts, " ")
	}
	return ""
}
