package graphtest

import "strings"

// What the tests look at from outside.

// CheckAnswer holds the JSON of an answer against a type of the CSDL.
func CheckAnswer(typ string, body []byte) error { return checkBody(typ, body, false) }

// CheckRequest holds the JSON of a request against a type of the CSDL.
func CheckRequest(typ string, body []byte) error { return checkBody(typ, body, true) }

func checkBody(typ string, body []byte, strict bool) error {
	s, err := readSchema(published, supplement)
	if err != nil {
		return err
	}
	return s.checkBody(typ, body, strict)
}

func (s *schema) checkBody(typ string, body []byte, strict bool) error {
	v, err := parseJSON(body)
	if err != nil {
		return err
	}
	if object, ok := v.(map[string]any); ok && typ[:3] == "Col" {
		v = object["value"]
	}
	if m := s.check(typ, v, strict); m != nil {
		return m
	}
	return nil
}

// Routes lists "METHOD pattern" of every call that the model answers.
func (g *Graph) Routes() []string {
	var list []string
	for _, r := range g.routes {
		for _, method := range sortedKeys(r.methods) {
			list = append(list, method+" /"+strings.Join(r.pattern, "/"))
		}
	}
	return list
}

// Properties lists what the published CSDL says that a type has, and nil if only
// the supplement has it.
func Properties(typ string) []string {
	s, err := readSchema(published)
	if err != nil {
		panic(err)
	}
	var names []string
	for _, p := range s.all[typ] {
		names = append(names, p.Name)
	}
	return names
}
