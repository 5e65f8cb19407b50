package certuserid

import (
	"strings"

	"example.com/entracba/cba/internal/enum"
)

// A Strength says how KB5014754 rates a mapping in Active Directory's
// altSecurityIdentities. The zero value is a mapping that Active Directory does
// not support.
type Strength uint8

const (
	// Weak mappings are refused by domain controllers in full enforcement mode.
	Weak Strength = iota + 1
	// Strong mappings are accepted.
	Strong
)

var strengths = enum.Of[Strength]("certuserid: strength", "weak", "strong").Optional()

// String returns "weak", "strong", or "" for none.
func (s Strength) String() string { return strengths.String(s) }

// MarshalText writes the text of [Strength.String]; an unknown strength is an
// error.
func (s Strength) MarshalText() ([]byte, error) { return strengths.Marshal(s) }

// UnmarshalText reads what MarshalText wrote.
func (s *Strength) UnmarshalText(text []byte) error { return strengths.Unmarshal(s, text) }

// Strength returns how Active Directory rates the mapping (KB5014754).
// [PrincipalName] is zero: Active Directory maps UPNs without
// altSecurityIdentities. Strength is not [Affinity], although today the strong
// mappings are those of high affinity.
func (m Mapping) Strength() Strength {
	switch m {
	case RFC822Name, IssuerAndSubject, Subject:
		return Weak
	case SKI, SHA1PublicKey, IssuerAndSerialNumber:
		return Strong
	}
	return 0
}

// AltSecurityIdentity returns the ID as a value of Active Directory's
// altSecurityIdentities. The two directories share the text of six mappings
// (MS-PKCA section 3.1.5.2.1.3, KB5014754); [PrincipalName] has none there, and
// the error is an [*Error] then, as for the zero ID.
func (id ID) AltSecurityIdentity() (string, error) {
	if id.mapping.Strength() == 0 {
		return "", &Error{Mapping: id.mapping, Reason: OnlyEntra, Text: id.text, Offset: -1}
	}
	return id.text, nil
}

// ParseAltSecurityIdentity reads a value of Active Directory's
// altSecurityIdentities as the certificateUserIds value for the same
// certificate. It differs from [Parse] in the tags: Active Directory compares
// them case-insensitively and Entra does not, so tags in another case are
// corrected.
//
// The error is an [*Error]: with reason [NotX509] for mappings of another
// kind, such as "Kerberos:user@REALM", and with [OnlyActiveDirectory] for the form
// X509:<I>...<SID>... (MS-PKCA), which Active Directory counts as strong and Entra
// does not have.
func ParseAltSecurityIdentity(value string) (ID, error) {
	id, at, fault := parse(upperTags(value))
	if fault != "" {
		return ID{}, &Error{Text: value, Offset: at, Reason: fault}
	}
	return id, nil
}

// upperTags writes "X509:" and every <tag> outside quotes in upper case. The
// text keeps its length.
func upperTags(value string) string {
	if len(value) < len(prefix) || !strings.EqualFold(value[:len(prefix)], prefix) {
		return value
	}
	b := []byte(value)
	copy(b, prefix)
	quoted, tag := false, false
	for i := len(prefix) - 1; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			tag = true
		case c == '>':
			tag = false
		case tag && 'a' <= c && c <= 'z':
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}
