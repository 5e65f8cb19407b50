package trust

import (
	"slices"
	"time"

	"example.com/entracba/cba/internal/wire"
)

// kept is what an object remembers of the text that it was read from.
type kept = wire.Kept

// A PKI is one container of the PKI-based trust store: Microsoft Graph's
// certificateBasedAuthPki. Its JSON is exactly Graph's.
//
// A PKI that was read from JSON, and every [Authority] in it, remembers what this
// package does not know, OData annotations among it, in its order, and null beside
// absent. All of it is written back. An empty text, a zero time and a nil slice are
// properties that are absent or null.
type PKI struct {
	kept
	// ID is the object's id in the directory, empty before it is created.
	ID string `json:"id"`
	// DisplayName names the PKI, in at most [MaxDisplayName] characters. CA scopes
	// refer to a PKI by this name (publicKeyInfrastructureIdentifier).
	DisplayName string `json:"displayName"`
	// Status and StatusDetails tell how the last upload of a bundle went
	// ("succeeded", "running"). Read-only.
	Status        string `json:"status"`
	StatusDetails string `json:"statusDetails"`
	// LastModifiedDateTime and DeletedDateTime are read-only. A PKI with a
	// DeletedDateTime waits in the bin for 30 days and trusts nobody.
	LastModifiedDateTime time.Time `json:"lastModifiedDateTime"`
	DeletedDateTime      time.Time `json:"deletedDateTime"`
	// CertificateAuthorities are the CAs of the container, in any order.
	CertificateAuthorities []Authority `json:"certificateAuthorities" wire:"unwrap"`
}

// LacksAuthorities reports whether the CAs of a PKI that was read are not known: its
// text has no certificateAuthorities, as the answer that lists PKIs. A PKI that a
// program made has those that it has.
func (p PKI) LacksAuthorities() bool {
	members := wire.MembersOf(p.kept)
	return p.CertificateAuthorities == nil && members != nil &&
		!slices.ContainsFunc(members, func(m wire.Member) bool { return m.Name == "certificateAuthorities" && string(m.Raw) != "null" })
}

// LacksURLs reports whether the CRL URL or the delta CRL URL of a CA that was read is
// not known: Graph writes null for a CA that has none.
func (a Authority) LacksURLs() bool {
	return lacksURL(a.kept, a.CertificateRevocationListURL, "certificateRevocationListUrl") ||
		lacksURL(a.kept, a.DeltaCertificateRevocationListURL, "deltaCertificateRevocationListUrl")
}

func lacksURL(k kept, url, name string) bool {
	members := wire.MembersOf(k)
	return url == "" && members != nil && !slices.ContainsFunc(members, func(m wire.Member) bool { return m.Name == name })
}

// An Authority is one CA of a PKI: Microsoft Graph's
// certificateAuthorityDetail. [NewAuthority] fills one in from a certificate.
type Authority struct {
	kept
	// ID is the object's id in the directory, empty before it is created.
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	// CertificateAuthorityType is [Root] or [Intermediate]. Required on create.
	CertificateAuthorityType AuthorityType `json:"certificateAuthorityType"`
	// Certificate is the CA's certificate in DER. Required. In JSON it is base64; of
	// both alphabets the standard one is written.
	Certificate []byte `json:"certificate"`
	// CertificateRevocationListURL is where the CRL is that this CA issues. It is
	// not the address inside the CA's own certificate: that list is its parent's.
	CertificateRevocationListURL string `json:"certificateRevocationListUrl"`
	// DeltaCertificateRevocationListURL is where the delta CRL is that this CA
	// issues. It needs the base URL beside it (AADSTS500177). The schema and the
	// client libraries have the spelling that is written; the pages of the PKI store,
	// and answers seen from it, have the other, which is read too.
	DeltaCertificateRevocationListURL string `json:"deltaCertificateRevocationListUrl" wire:"also=deltacertificateRevocationListUrl"`
	// Issuer is the issuer's name as the service shows it; no format is
	// documented. Nothing is decided by it.
	Issuer string `json:"issuer"`
	// IssuerSubjectKeyIdentifier is, despite its name, the subject key identifier
	// of the CA's own certificate, in hexadecimal.
	IssuerSubjectKeyIdentifier string `json:"issuerSubjectKeyIdentifier"`
	// ExpirationDateTime is the end of the certificate's validity. Required on
	// create.
	ExpirationDateTime time.Time `json:"expirationDateTime"`
	// Thumbprint is the SHA-1 of the certificate in hexadecimal. Required on
	// create.
	Thumbprint string `json:"thumbprint"`
	// IsIssuerHintEnabled says whether the CA's subject is sent as an issuer hint;
	// nil when the property is absent, which the service takes as false. See
	// [Store.Hints].
	IsIssuerHintEnabled *bool `json:"isIssuerHintEnabled"`
	// CreatedDateTime and DeletedDateTime are read-only. A deleted CA is not used.
	CreatedDateTime time.Time `json:"createdDateTime"`
	DeletedDateTime time.Time `json:"deletedDateTime"`
}

// An AuthorityType says whether the administrator marked a CA as a root. Values
// that Graph adds later are kept as they are.
type AuthorityType string

const (
	Root         AuthorityType = "root"
	Intermediate AuthorityType = "intermediate"
)

// MarshalJSON writes the PKI as Microsoft Graph does.
func (p PKI) MarshalJSON() ([]byte, error) { return wire.Write(p) }

// UnmarshalJSON reads a PKI as Microsoft Graph returns it, bare or wrapped in
// {"value": ...}; its list of CAs may be an answer of its own, {"value": [...]},
// and so may each CA. The certificates must be base64; whether they are
// certificates is found out by [Config.Compile].
//
// The error is an [*Error] whose About names the PKI and the CA.
func (p *PKI) UnmarshalJSON(data []byte) error { return read(data, p) }

// MarshalJSON writes the CA as Microsoft Graph does.
func (a Authority) MarshalJSON() ([]byte, error) { return wire.Write(a) }

// UnmarshalJSON reads a CA, see [PKI.UnmarshalJSON].
func (a *Authority) UnmarshalJSON(data []byte) error { return read(data, a) }
