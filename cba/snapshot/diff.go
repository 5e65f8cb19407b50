package snapshot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"example.com/entracba/cba/internal/wire"
	"example.com/entracba/cba/signin"
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

// Compare lists where two JSON texts differ. White space, the order of properties and
// the spelling of strings do not count. The order of a list does not count either,
// where all of its elements have names.
//
// The error is [Malformed] or, above [signin.MaxConfig] bytes, [TooLarge].
func Compare(before, after []byte) (Differences, error) {
	a, err := plain(before)
	if err != nil {
		return nil, err
	}
	b, err := plain(after)
	if err != nil {
		return nil, err
	}
	var ds Differences
	if err := walk(&ds, "", a, b); err != nil {
		return nil, own("", err)
	}
	return ds, nil
}

// plain returns a JSON text without white space and with every string in its one
// spelling, so that equal values are equal bytes.
func plain(data []byte) ([]byte, error) {
	text, err := wire.Text(data, signin.MaxConfig)
	if err != nil {
		return nil, own("", err)
	}
	var b bytes.Buffer
	if err := respell(&b, text); err != nil {
		return nil, own("", err)
	}
	return b.Bytes(), nil
}

func respell(b *bytes.Buffer, text []byte) error {
	switch text[0] {
	case '{':
		members, err := wire.Members(text)
		if err != nil {
			return err
		}
		for i, m := range members {
			b.WriteByte("{,"[min(i, 1)])
			b.Write(wire.Quote(m.Name))
			b.WriteByte(':')
			if err := respell(b, m.Raw); err != nil {
				return err
			}
		}
		if len(members) == 0 {
			b.WriteByte('{')
		}
		b.WriteByte('}')
	case '[':
		list, err := wire.Elements(text)
		if err != nil {
			return err
		}
		for i, v := range list {
			b.WriteByte("[,"[min(i, 1)])
			if err := respell(b, v); err != nil {
				return err
			}
		}
		if len(list) == 0 {
			b.WriteByte('[')
		}
		b.WriteByte(']')
	case '"':
		b.Write(wire.Quote(unquote(text)))
	default:
		b.Write(text)
	}
	return nil
}

// unquote returns the value of a JSON string, and "" for another value.
func unquote(raw []byte) string {
	var text string
	if len(raw) > 0 && raw[0] == '"' {
		json.Unmarshal(raw, &text) // the text was checked
	}
	return text
}

// get returns a property, nil if there is none.
func get(members []wire.Member, name string) json.RawMessage {
	for _, m := range members {
		if m.Name == name {
			return m.Raw
		}
	}
	return nil
}

// walk compares two values that plain has written.
func walk(ds *Differences, path string, before, after []byte) error {
	switch {
	case bytes.Equal(before, after):
		return nil
	case before[0] == '{' && after[0] == '{':
		a, err := wire.Members(before)
		if err != nil {
			return err
		}
		b, err := wire.Members(after)
		if err != nil {
			return err
		}
		had := make(map[string]json.RawMessage, len(a))
		for _, m := range a {
			had[m.Name] = m.Raw
		}
		for _, m := range b {
			old := had[m.Name]
			delete(had, m.Name)
			if old == nil {
				*ds = append(*ds, Difference{Path: join(path, m.Name), After: m.Raw})
			} else if err := walk(ds, join(path, m.Name), old, m.Raw); err != nil {
				return err
			}
		}
		for _, m := range a {
			if _, left := had[m.Name]; left {
				*ds = append(*ds, Difference{Path: join(path, m.Name), Before: m.Raw})
			}
		}
		return nil
	case before[0] == '[' && after[0] == '[':
		return walkList(ds, path, before, after)
	}
	*ds = append(*ds, Difference{Path: path, Before: before, After: after})
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// walkList pairs the elements of two lists by their names, or by their places
// where they have none.
func walkList(ds *Differences, path string, before, after []byte) error {
	old, err := wire.Elements(before)
	if err != nil {
		return err
	}
	list, err := wire.Elements(after)
	if err != nil {
		return err
	}
	a, b := names(old), names(list)
	if a == nil || b == nil {
		a, b = places(old), places(list)
	}
	at := make(map[string]int, len(a))
	for j, name := range a {
		at[name] = j
	}
	for i, name := range b {
		j, had := at[name]
		if !had {
			*ds = append(*ds, Difference{Path: path + "[" + name + "]", After: list[i]})
		} else if err := walk(ds, path+"["+name+"]", old[j], list[i]); err != nil {
			return err
		}
		delete(at, name)
	}
	for j, name := range a {
		if _, left := at[name]; left {
			*ds = append(*ds, Difference{Path: path + "[" + name + "]", Before: old[j]})
		}
	}
	return nil
}

// places returns the numbers of a list's elements.
func places(list []json.RawMessage) []string {
	all := make([]string, len(list))
	for i := range list {
		all[i] = fmt.Sprint(i)
	}
	return all
}

// names returns the names of a list's elements, or nil if two have the same name or
// one has none.
func names(list []json.RawMessage) []string {
	all := make([]string, 0, len(list))
	seen := make(map[string]bool, len(list))
	for _, v := range list {
		name := elementName(v)
		if name == "" || seen[name] {
			return nil
		}
		seen[name] = true
		all = append(all, name)
	}
	return all
}

func elementName(v json.RawMessage) string {
	if v[0] != '{' {
		return unquote(v)
	}
	members, err := wire.Members(v)
	if err != nil {
		return ""
	}
	for _, key := range []string{"id", "x509CertificateField", "subjectKeyIdentifier", "displayName"} {
		if name := unquote(get(members, key)); name != "" {
			return name
		}
	}
	// A rule is named by what it looks at.
	var parts []string
	for _, key := range []string{"x509CertificateRuleType", "issuerSubjectIdentifier", "policyOidIdentifier", "identifier"} {
		if part := unquote(get(members, key)); part != "" && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " ")
}
