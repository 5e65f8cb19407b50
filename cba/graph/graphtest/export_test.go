package graphtest

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
