package trust

import "fmt"

// An Error says why input cannot be used: JSON that is no trust store, a file
// that holds no certificates, data over a limit of the service. What a usable
// store does with a certificate is never an Error but a [Chain].
type Error struct {
	Reason Reason
	// Where names the object and the property: `PKI "Contoso PKI", CA
	// "Issuing 01" (certificateAuthorities[2]), certificate`.
	Where string
	// Text is the input at fault, shortened, or what is known about it.
	Text string
	// Err is the cause that another package gave, or nil. Its text is not a
	// promise.
	Err error
}

// A Reason is what is wrong with input. The zero value is unset.
type Reason uint8

const (
	// NotJSON is text that is not JSON, for example a truncated file.
	NotJSON Reason = iota + 1
	// WrongType is a JSON value of another type than the property has.
	WrongType
	// NotBase64 is a certificate property that is not base64.
	NotBase64
	// NotCertificate is data that is not one X.509 certificate in DER.
	NotCertificate
	// NoCertificate is a certificate authority without its certificate
	// property, or a file without any certificate.
	NoCertificate
	// Conflict is a property that stands twice, or under both spellings of its
	// name with different values.
	Conflict
	// Incomplete is one page of a longer list.
	Incomplete
	// NotBundle is data that is no PKCS #7 bundle of certificates.
	NotBundle
	// OverLimit is data above a limit of the service or of this package.
	OverLimit
	// Duplicate is one certificate twice where the service refuses that.
	Duplicate
)

// String says the reason in words.
func (r Reason) String() string {
	switch r {
	case NotJSON:
		return "not JSON"
	case WrongType:
		return "wrong JSON type"
	case NotBase64:
		return "not base64"
	case NotCertificate:
		return "not a DER encoded certificate"
	case NoCertificate:
		return "no certificate"
	case Conflict:
		return "given twice"
	case Incomplete:
		return "only one page of a longer list"
	case NotBundle:
		return "not a PKCS #7 bundle of certificates"
	case OverLimit:
		return "over the limit"
	case Duplicate:
		return "the same certificate twice"
	}
	return fmt.Sprintf("Reason(%d)", uint8(r))
}

// Error returns "trust: where: reason: text".
func (e *Error) Error() string {
	s := "trust: "
	if e.Where != "" {
		s += e.Where + ": "
	}
	s += e.Reason.String()
	if e.Text != "" {
		s += ": " + e.Text
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// at returns the error with an outer place in front of its own.
func (e *Error) at(where string) *Error {
	if e == nil {
		return nil
	}
	inner := *e
	if inner.Where == "" {
		inner.Where = where
	} else if where != "" {
		inner.Where = where + ", " + inner.Where
	}
	return &inner
}

// shorten makes text of unknown origin fit for a message.
func shorten(text []byte) string {
	const most = 60
	if len(text) > most {
		return fmt.Sprintf("%q...", text[:most])
	}
	return fmt.Sprintf("%q", text)
}
