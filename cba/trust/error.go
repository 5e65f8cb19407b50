package trust

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"example.com/entracba/cba/internal/dialect"
	"example.com/entracba/cba/internal/wire"
)

// An Error says why input cannot be used: JSON that is no trust store, a file
// that holds no certificates, data over a limit of the service. What a usable
// store does with a certificate is never an Error but a [Chain].
type Error struct {
	Reason Reason
	// Where is the value as a JSON pointer into the text, or into the JSON of the
	// [Config] or [PKI] that is at fault: "/0/certificateAuthorities/2/certificate".
	// It is empty for files of certificates.
	Where string
	// About names the place for people: `PKI "Contoso PKI", CA "Issuing 01"`, "PEM
	// block 2".
	About string
	// Offset is the byte of the text at which that value begins, or where reading
	// stopped.
	Offset int64
	// Detail is the input at fault, shortened, or what is known about it.
	Detail string
	// Err is the cause that another package gave, or nil. Its text is not a
	// promise.
	Err error
}

// A Reason is what is wrong with input. It is an error, for errors.Is. The zero
// value is unset.
type Reason string

const (
	// BadSyntax is text that is not JSON or not UTF-8, or that breaks off.
	BadSyntax Reason = "bad-syntax"
	// DuplicateName is a property that appears twice, or under both spellings of its
	// name with different values.
	DuplicateName Reason = "duplicate-name"
	// TooNested is an object or array inside too many others.
	TooNested Reason = "too-nested"
	// TooLarge is JSON text of more than 16 MB, or a list of more than 65,536
	// elements.
	TooLarge Reason = "too-large"
	// WrongType is a JSON value of another type than the property has.
	WrongType Reason = "wrong-type"
	// NotBase64 is a certificate property that is not base64.
	NotBase64 Reason = "not-base64"
	// Incomplete is one page of a longer list.
	Incomplete Reason = "incomplete"
	// NotCertificate is data that is not one X.509 certificate in DER.
	NotCertificate Reason = "not-a-certificate"
	// Unsupported is a certificate that crypto/x509 does not read, for example with a
	// curve that it does not know or a negative serial number.
	Unsupported Reason = "unsupported-certificate"
	// NoCertificate is a CA without its certificate property, or a file without any
	// certificate.
	NoCertificate Reason = "no-certificate"
	// NotBundle is data that is no PKCS #7 bundle of certificates.
	NotBundle Reason = "not-a-bundle"
	// OverLimit is data above a limit of the service or of this package.
	OverLimit Reason = "over-limit"
)

// Error returns "trust: " and the reason in words.
func (r Reason) Error() string { return "trust: " + strings.ReplaceAll(string(r), "-", " ") }

// Error returns "trust: reason at place (in words), byte n: detail: cause".
func (e *Error) Error() string {
	s := wire.Message("trust", string(e.Reason), e.Where, e.About, e.Offset, e.Detail)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the reason of the error.
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}

// at returns the error with an outer place in front of its own.
func (e *Error) at(where, about string) *Error {
	if e == nil {
		return nil
	}
	outer := *e
	outer.Where = where + e.Where
	if e.About != "" && about != "" {
		outer.About = about + ", " + e.About
	} else {
		outer.About = about + e.About
	}
	return &outer
}

// maxJSON bounds what is read as JSON: 250 CAs of 8 KB in base64, in both stores,
// and room.
const maxJSON = 16 << 20

// read is [wire.ReadWrapped] with the errors of this package. Null leaves *v
// alone, as encoding/json asks of UnmarshalJSON.
func read[T any](data []byte, v *T) error {
	if string(bytes.TrimSpace(data)) == "null" {
		return nil
	}
	err := wire.ReadWrapped(data, maxJSON, v)
	var e *wire.Error
	if errors.As(err, &e) {
		return &Error{Reason: Reason(e.Reason), Where: e.Where, About: about(data, e.Where), Offset: e.Offset, Detail: e.Detail}
	}
	return err
}

// graphForm is [dialect.Graph] with the errors of this package.
func graphForm(data []byte) ([]byte, error) {
	text, err := dialect.Graph(data, maxJSON)
	var e *wire.Error
	if errors.As(err, &e) {
		return nil, &Error{Reason: Reason(e.Reason), Where: e.Where, About: about(data, e.Where), Offset: e.Offset, Detail: e.Detail}
	}
	if bytes.Equal(text, bytes.TrimSpace(data)) {
		return data, err // places and offsets are those of the text as it was given
	}
	return text, err
}

// about names the PKI and the CA that a JSON pointer leads through.
func about(data []byte, where string) string {
	var names []string
	for at := 1; at < len(where); at++ {
		if next := strings.IndexByte(where[at:], '/'); next >= 0 {
			at += next
		} else {
			at = len(where)
		}
		object := struct {
			DisplayName any `json:"displayName"`
		}{}
		json.NewDecoder(bytes.NewReader(data[wire.Offset(data, where[:at]):])).Decode(&object) // what is no object has no name
		if name, ok := object.DisplayName.(string); ok {
			kind := "PKI"
			if strings.Contains(where[:at], "certificateAuthorities") {
				kind = "CA"
			}
			names = append(names, fmt.Sprintf("%s %q", kind, wire.Clip(name)))
		}
	}
	return strings.Join(names, ", ")
}
