package graphtest

import (
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed testdata/graph-v1-cba.csdl.xml
var published []byte

//go:embed testdata/supplement.csdl.xml
var supplement []byte

// A schema is what the two CSDL files say: every type by its name without
// namespace.
type schema struct {
	types map[string]*structured
	enums map[string]*enumType
	all   map[string][]property // what a type and its bases have
}

// A structured type is an entity, a complex type or the parameters of an action.
type structured struct {
	Name       string     `xml:"Name,attr"`
	Base       string     `xml:"BaseType,attr"`
	Properties []property `xml:"Property"`
	Navigation []property `xml:"NavigationProperty"`
	Parameters []property `xml:"Parameter"`
}

type property struct {
	Name     string `xml:"Name,attr"`
	Type     string `xml:"Type,attr"`
	Nullable string `xml:"Nullable,attr"`
}

type enumType struct {
	Name    string `xml:"Name,attr"`
	IsFlags bool   `xml:"IsFlags,attr"`
	Members []struct {
		Name string `xml:"Name,attr"`
	} `xml:"Member"`
}

const sentinel = "unknownFutureValue"

// has reports whether name is a member, and whether it stands behind the
// sentinel: such a member was added after the enum was published, and is shown
// only to those who ask for unknown members.
func (e *enumType) has(name string) (member, late bool) {
	for _, m := range e.Members {
		if m.Name == name {
			return true, late
		}
		late = late || m.Name == sentinel
	}
	return false, false
}

func readSchema(files ...[]byte) (*schema, error) {
	s := &schema{types: map[string]*structured{}, enums: map[string]*enumType{}, all: map[string][]property{}}
	for _, file := range files {
		var in struct {
			Enums    []*enumType   `xml:"EnumType"`
			Complex  []*structured `xml:"ComplexType"`
			Entities []*structured `xml:"EntityType"`
			Actions  []*structured `xml:"Action"`
		}
		if err := xml.Unmarshal(file, &in); err != nil {
			return nil, fmt.Errorf("graphtest: schema: %w", err)
		}
		for _, e := range in.Enums {
			if s.enums[e.Name] != nil {
				return nil, fmt.Errorf("graphtest: schema: enum %q appears twice", e.Name)
			}
			s.enums[e.Name] = e
		}
		for _, t := range slices.Concat(in.Complex, in.Entities, in.Actions) {
			if s.types[t.Name] != nil {
				return nil, fmt.Errorf("graphtest: schema: type %q appears twice", t.Name)
			}
			for _, p := range t.Parameters {
				if p.Name != "bindingParameter" {
					t.Properties = append(t.Properties, p)
				}
			}
			s.types[t.Name] = t
		}
	}
	for name := range s.types {
		for t := s.types[name]; t != nil; t = s.types[t.base()] {
			s.all[name] = append(s.all[name], t.Properties...)
			s.all[name] = append(s.all[name], t.Navigation...)
			if len(s.all[name]) > 1000 {
				return nil, fmt.Errorf("graphtest: schema: type %q is its own base", name)
			}
		}
	}
	return s, nil
}

func (t *structured) base() string {
	name, _ := local(t.Base)
	return name
}

// local cuts a type's name free of Collection() and its namespace.
func local(typ string) (name string, collection bool) {
	if inner, ok := strings.CutPrefix(typ, "Collection("); ok {
		typ, collection = strings.TrimSuffix(inner, ")"), true
	}
	if strings.HasPrefix(typ, "Edm.") {
		return typ, collection
	}
	return typ[strings.LastIndexByte(typ, '.')+1:], collection
}

func (s *schema) property(typ, name string) (property, bool) {
	for _, p := range s.all[typ] {
		if p.Name == name {
			return p, true
		}
	}
	return property{}, false
}

// derives reports whether typ is base or one of those made from it.
func (s *schema) derives(typ, base string) bool {
	for t := s.types[typ]; t != nil; t = s.types[t.base()] {
		if t.Name == base {
			return true
		}
	}
	return false
}

// A mismatch is one place where a JSON value is not what its type says.
type mismatch struct {
	path string // "authenticationModeConfiguration.rules[0].identifier"
	text string
}

func (m *mismatch) Error() string { return m.text }

func (m *mismatch) within(name string) *mismatch {
	if m.path != "" && m.path[0] != '[' {
		name += "."
	}
	m.path = name + m.path
	return m
}

// check holds a value, as parseJSON returns it, against a type.
//
// In a request (strict) no annotation but @odata.type is let through, and the
// sentinel is no value to write; both are inferred. In an answer every
// annotation is.
func (s *schema) check(typ string, v any, strict bool) *mismatch {
	name, collection := local(typ)
	if collection {
		list, ok := v.([]any)
		if !ok {
			return &mismatch{text: fmt.Sprintf("A value was found where a collection of '%s' is expected.", name)}
		}
		for i, element := range list {
			m := &mismatch{text: "A null value was found in a collection."}
			if element != nil {
				m = s.check(name, element, strict)
			}
			if m != nil {
				return m.within("[" + strconv.Itoa(i) + "]")
			}
		}
		return nil
	}
	if strings.HasPrefix(name, "Edm.") {
		return checkPrimitive(name, v)
	}
	if e := s.enums[name]; e != nil {
		return e.check(v, strict)
	}
	if s.types[name] == nil {
		return &mismatch{text: fmt.Sprintf("The type '%s' is not part of this model of Graph.", name)}
	}
	object, ok := v.(map[string]any)
	if !ok {
		return &mismatch{text: fmt.Sprintf("An object of type 'microsoft.graph.%s' is expected.", name)}
	}
	if kind, ok := object["@odata.type"]; ok {
		text, _ := kind.(string)
		given := strings.TrimPrefix(text, "#microsoft.graph.")
		if given == text || !s.derives(given, name) {
			return &mismatch{path: "@odata.type", text: fmt.Sprintf("The type '%s' does not derive from 'microsoft.graph.%s'.", clip(text), name)}
		}
		name = given
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if at := strings.IndexByte(key, '@'); at >= 0 {
			if key != "@odata.type" && strict {
				return &mismatch{path: key, text: fmt.Sprintf("The annotation '%s' is not allowed in a request.", clip(key))}
			}
			continue
		}
		p, ok := s.property(name, key)
		if !ok {
			return &mismatch{path: key, text: fmt.Sprintf("Invalid property '%s'.", clip(key))}
		}
		if object[key] == nil {
			if p.Nullable == "false" || strings.HasPrefix(p.Type, "Collection(") && strict {
				return &mismatch{path: key, text: fmt.Sprintf("The property '%s' cannot be null.", key)}
			}
			continue
		}
		if m := s.check(p.Type, object[key], strict); m != nil {
			return m.within(key)
		}
	}
	return nil
}

func (e *enumType) check(v any, strict bool) *mismatch {
	text, ok := v.(string)
	if !ok {
		return &mismatch{text: fmt.Sprintf("A value of the enum '%s' is a string.", e.Name)}
	}
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if member, _ := e.has(part); !member || strict && part == sentinel {
			return &mismatch{text: fmt.Sprintf("Requested value '%s' was not found in the enum '%s'.", clip(part), e.Name)}
		}
		if !e.IsFlags && part != text {
			return &mismatch{text: fmt.Sprintf("The enum '%s' takes one value.", e.Name)}
		}
	}
	return nil
}

func checkPrimitive(name string, v any) *mismatch {
	wrong := &mismatch{text: fmt.Sprintf("A value was found that cannot be converted to '%s'.", name)}
	text, isText := v.(string)
	var ok bool
	switch name {
	case "Edm.String":
		ok = isText
	case "Edm.Boolean":
		_, ok = v.(bool)
	case "Edm.Int32":
		number, _ := v.(json.Number)
		_, err := strconv.ParseInt(string(number), 10, 32)
		ok = err == nil
	case "Edm.DateTimeOffset":
		_, err := time.Parse(time.RFC3339, text)
		ok = err == nil
	case "Edm.Binary":
		_, err := decodeBinary(text)
		ok = isText && err == nil
	}
	if ok {
		return nil
	}
	return wrong
}

// decodeBinary reads an Edm.Binary. OData's JSON format says base64url, Graph
// itself writes standard base64; both are read.
func decodeBinary(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	return base64.RawStdEncoding.Strict().DecodeString(text)
}

// eachEnum calls f for every enum value in v, which is changed in place to what
// f returns.
func (s *schema) eachEnum(typ string, v any, f func(e *enumType, value string) string) any {
	name, collection := local(typ)
	switch v := v.(type) {
	case []any:
		if collection {
			for i := range v {
				v[i] = s.eachEnum(name, v[i], f)
			}
		}
	case map[string]any:
		if kind, ok := v["@odata.type"].(string); ok {
			name = strings.TrimPrefix(kind, "#microsoft.graph.")
		}
		for _, p := range s.all[name] {
			if value, ok := v[p.Name]; ok {
				v[p.Name] = s.eachEnum(p.Type, value, f)
			}
		}
	case string:
		if e := s.enums[name]; e != nil {
			return f(e, v)
		}
	}
	return v
}

// complete gives an object and the objects in it the properties that they lack,
// as null or an empty collection: the service answers with all of them.
func (s *schema) complete(typ string, v any) {
	name, collection := local(typ)
	switch v := v.(type) {
	case []any:
		if collection {
			for _, element := range v {
				s.complete(name, element)
			}
		}
	case map[string]any:
		if s.types[name] == nil {
			return
		}
		for _, p := range s.all[name] {
			value, ok := v[p.Name]
			if !ok {
				if strings.HasPrefix(p.Type, "Collection(") {
					v[p.Name] = []any{}
				} else if p.Type == "Edm.Boolean" && p.Nullable == "false" {
					v[p.Name] = false
				} else {
					v[p.Name] = nil
				}
				continue
			}
			s.complete(p.Type, value)
		}
	}
}
