package deploy

import (
	"errors"

	"example.com/entracba/cba/internal/text"
)

// WellFormed is the reader of answer files without what it wants of an answer file.
func WellFormed(data []byte) error {
	content, encoding, ok := text.Decode(data)
	if !ok {
		return errors.New("neither UTF-8 nor UTF-16")
	}
	_, err := parseXML(content, encoding)
	return err
}
