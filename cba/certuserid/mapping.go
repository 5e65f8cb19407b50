package certuserid

// A Mapping is one of the seven ways in which a certificateUserIds value names a
// certificate. Its text is the one of Microsoft Graph: a value of
// x509CertificateField, the property of a username binding. Empty is unset. Graph
// may add values; a Mapping keeps any text, and one that is not [Mapping.Known]
// names no certificate and fits none.
//
// Graph documents the texts of PrincipalName, RFC822Name, SKI and SHA1PublicKey.
// Those of the other three are inferred from the admin center (open question
// 9.14).
type Mapping string

const (
	// PrincipalName is X509:<PN> and the user principal name of the
	// certificate's subjectAltName.
	PrincipalName Mapping = "PrincipalName"
	// RFC822Name is X509:<RFC822> and the e-mail address of the subjectAltName.
	RFC822Name Mapping = "RFC822Name"
	// IssuerAndSubject is X509:<I>, the issuer's name, <S> and the subject's.
	IssuerAndSubject Mapping = "IssuerAndSubject"
	// Subject is X509:<S> and the subject's name.
	Subject Mapping = "Subject"
	// SKI is X509:<SKI> and the subject key identifier in hexadecimal.
	SKI Mapping = "SubjectKeyIdentifier"
	// SHA1PublicKey is X509:<SHA1-PUKEY> and a SHA-1 in hexadecimal: see
	// [HashInput] for what is hashed.
	SHA1PublicKey Mapping = "SHA1PublicKey"
	// IssuerAndSerialNumber is X509:<I>, the issuer's name, <SR> and the serial
	// number in reversed byte order.
	IssuerAndSerialNumber Mapping = "IssuerAndSerialNumber"
)

// mappings are in the order in which Learn's page on certificateUserIds lists
// them.
var mappings = [...]Mapping{PrincipalName, RFC822Name, IssuerAndSubject, Subject, SKI, SHA1PublicKey, IssuerAndSerialNumber}

// index returns the mapping's place in mappings, and -1 if it is none of them.
func (m Mapping) index() int {
	switch m {
	case PrincipalName:
		return 0
	case RFC822Name:
		return 1
	case IssuerAndSubject:
		return 2
	case Subject:
		return 3
	case SKI:
		return 4
	case SHA1PublicKey:
		return 5
	case IssuerAndSerialNumber:
		return 6
	}
	return -1
}

// Mappings returns the seven mappings in the order in which Learn's page on
// certificateUserIds lists them.
func Mappings() []Mapping { return append([]Mapping{}, mappings[:]...) }

// Known reports whether the mapping is one of the seven.
func (m Mapping) Known() bool { return m.index() >= 0 }

// Name returns the name of the mapping in the Entra admin center, which is its
// text but for SKI: "SKI".
func (m Mapping) Name() string {
	if m == SKI {
		return "SKI"
	}
	return string(m)
}

// ParseMapping reads a mapping that a person has chosen: the text of Graph or the
// name of [Mapping.Name]. Letter case matters. The error is an [*Error] with
// reason [UnknownMapping].
func ParseMapping(name string) (Mapping, error) {
	for _, m := range mappings {
		if name == string(m) || name == m.Name() {
			return m, nil
		}
	}
	return "", &Error{Reason: UnknownMapping, Text: name, Offset: -1}
}

// An Affinity says how firmly a mapping ties a certificate to an account. Its
// text is the one of Microsoft Graph's x509CertificateAffinityLevel. Empty is
// unset; any other text is a level that Graph has added and that this package
// does not know.
type Affinity string

const (
	// Low affinity rests on a name that can be issued again to someone else.
	Low Affinity = "low"
	// High affinity rests on an identifier of one certificate or one key.
	High Affinity = "high"
)

// Affinity returns the affinity of the mapping, and "" for one that is not known.
// Four mappings are low and three are high: Learn's technical deep dive has a
// table with four and a sentence with three low ones, and the table is right
// (open question 9.5).
func (m Mapping) Affinity() Affinity {
	switch m {
	case PrincipalName, RFC822Name, IssuerAndSubject, Subject:
		return Low
	case SKI, SHA1PublicKey, IssuerAndSerialNumber:
		return High
	}
	return ""
}
