package certuserid

import "fmt"

// A Mapping is one of the seven ways in which a certificateUserIds value names a
// certificate. The names are Microsoft's. The zero value is unset.
type Mapping uint8

const (
	// PrincipalName is X509:<PN> and the user principal name of the
	// certificate's subjectAltName.
	PrincipalName Mapping = iota + 1
	// RFC822Name is X509:<RFC822> and the e-mail address of the subjectAltName.
	RFC822Name
	// IssuerAndSubject is X509:<I>, the issuer's name, <S> and the subject's.
	IssuerAndSubject
	// Subject is X509:<S> and the subject's name.
	Subject
	// SKI is X509:<SKI> and the subject key identifier in hexadecimal.
	SKI
	// SHA1PublicKey is X509:<SHA1-PUKEY> and a SHA-1 in hexadecimal: see
	// [HashInput] for what is hashed.
	SHA1PublicKey
	// IssuerAndSerialNumber is X509:<I>, the issuer's name, <SR> and the serial
	// number in reversed byte order.
	IssuerAndSerialNumber
)

// lastMapping ends loops over the mappings.
const lastMapping = IssuerAndSerialNumber

// Mappings returns the seven mappings in the order in which Learn's page on
// certificateUserIds lists them.
func Mappings() []Mapping {
	return []Mapping{PrincipalName, RFC822Name, IssuerAndSubject, Subject, SKI, SHA1PublicKey, IssuerAndSerialNumber}
}

// String returns the name of the mapping as the Entra admin center shows it.
func (m Mapping) String() string {
	switch m {
	case PrincipalName:
		return "PrincipalName"
	case RFC822Name:
		return "RFC822Name"
	case IssuerAndSubject:
		return "IssuerAndSubject"
	case Subject:
		return "Subject"
	case SKI:
		return "SKI"
	case SHA1PublicKey:
		return "SHA1PublicKey"
	case IssuerAndSerialNumber:
		return "IssuerAndSerialNumber"
	}
	return fmt.Sprintf("Mapping(%d)", uint8(m))
}

// ParseMapping reads what [Mapping.String] wrote, letter for letter.
func ParseMapping(name string) (Mapping, error) {
	for m := PrincipalName; m <= lastMapping; m++ {
		if m.String() == name {
			return m, nil
		}
	}
	return 0, fmt.Errorf("certuserid: %q is not a mapping", name)
}

// MarshalText writes the text of [Mapping.String]; an unset or unknown mapping
// is an error.
func (m Mapping) MarshalText() ([]byte, error) {
	if m < PrincipalName || m > lastMapping {
		return nil, fmt.Errorf("certuserid: mapping %d has no text", uint8(m))
	}
	return []byte(m.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (m *Mapping) UnmarshalText(text []byte) error {
	parsed, err := ParseMapping(string(text))
	if err != nil {
		return err
	}
	*m = parsed
	return nil
}

// Field returns the name of the mapping in Microsoft Graph's
// x509CertificateField, the property of a username binding. It is the name of
// [Mapping.String] but for SKI, which Graph calls "SubjectKeyIdentifier".
//
// Graph documents four of the names. Those of IssuerAndSubject, Subject and
// IssuerAndSerialNumber are inferred from the admin center (open question 9.14).
// An unset or unknown mapping gives the empty string.
func (m Mapping) Field() string {
	switch {
	case m < PrincipalName || m > lastMapping:
		return ""
	case m == SKI:
		return "SubjectKeyIdentifier"
	}
	return m.String()
}

// ParseField reads a value of Microsoft Graph's x509CertificateField, the way
// back of [Mapping.Field].
func ParseField(name string) (Mapping, error) {
	for m := PrincipalName; m <= lastMapping; m++ {
		if m.Field() == name {
			return m, nil
		}
	}
	return 0, fmt.Errorf("certuserid: %q is not an x509CertificateField", name)
}

// An Affinity says how firmly a mapping ties a certificate to an account. The
// zero value is unset; [High] is greater than [Low].
type Affinity uint8

const (
	// Low affinity rests on a name that can be issued again to someone else.
	Low Affinity = iota + 1
	// High affinity rests on an identifier of one certificate or one key.
	High
)

// Affinity returns the affinity of the mapping, and zero for an unset one. Four
// mappings are low and three are high: Learn's technical deep dive has a table
// with four and a sentence with three low ones, and the table is right (open
// question 9.5).
func (m Mapping) Affinity() Affinity {
	switch m {
	case PrincipalName, RFC822Name, IssuerAndSubject, Subject:
		return Low
	case SKI, SHA1PublicKey, IssuerAndSerialNumber:
		return High
	}
	return 0
}

// String returns "low" or "high", as Microsoft Graph writes them.
func (a Affinity) String() string {
	switch a {
	case Low:
		return "low"
	case High:
		return "high"
	}
	return fmt.Sprintf("Affinity(%d)", uint8(a))
}

// MarshalText writes the text of [Affinity.String]; an unset or unknown affinity
// is an error.
func (a Affinity) MarshalText() ([]byte, error) {
	if a != Low && a != High {
		return nil, fmt.Errorf("certuserid: affinity %d has no text", uint8(a))
	}
	return []byte(a.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (a *Affinity) UnmarshalText(text []byte) error {
	for v := Low; v <= High; v++ {
		if v.String() == string(text) {
			*a = v
			return nil
		}
	}
	return fmt.Errorf("certuserid: %q is not an affinity", text)
}
