package trust

import (
	"slices"

	"example.com/entracba/cba/internal/wire"
)

// ClassicID is the id of the one classic trust store that a tenant can have.
const ClassicID = "29728ade-6ae4-4ee9-9103-412912537da5"

// A Classic is the classic trust store: Microsoft Graph's
// certificateBasedAuthConfiguration. There is at most one in a tenant, and it
// has no update: it is deleted and created anew. The zero value is an empty
// store. What JSON had that this package does not know is kept as in a [PKI].
type Classic struct {
	kept
	// ID is [ClassicID] in what Graph returns.
	ID string `json:"id"`
	// CertificateAuthorities are the CAs, in any order. The schema says that the
	// list is never null, so it is written even if empty.
	CertificateAuthorities []ClassicAuthority `json:"certificateAuthorities" wire:"always"`
}

// A ClassicAuthority is one CA of the classic store: Microsoft Graph's
// certificateAuthority.
type ClassicAuthority struct {
	kept
	// IsRootAuthority marks a root. Required, so it is written even if false.
	IsRootAuthority bool `json:"isRootAuthority" wire:"always"`
	// Certificate is the CA's certificate in DER. Required.
	Certificate []byte `json:"certificate"`
	// The URLs are as for [Authority].
	CertificateRevocationListURL      string `json:"certificateRevocationListUrl"`
	DeltaCertificateRevocationListURL string `json:"deltaCertificateRevocationListUrl" wire:"also=deltacertificateRevocationListUrl"`
	// Issuer and IssuerSKI are read-only: the service works them out from the
	// certificate.
	Issuer    string `json:"issuer"`
	IssuerSKI string `json:"issuerSki"`
}

// LacksAuthorities reports whether the CAs of a store that was read are not known: its
// text has no certificateAuthorities.
func (c Classic) LacksAuthorities() bool {
	members := wire.MembersOf(c.kept)
	return c.CertificateAuthorities == nil && members != nil &&
		!slices.ContainsFunc(members, func(m wire.Member) bool { return m.Name == "certificateAuthorities" && string(m.Raw) != "null" })
}

// LacksURLs is as [Authority.LacksURLs].
func (a ClassicAuthority) LacksURLs() bool {
	return lacksURL(a.kept, a.CertificateRevocationListURL, "certificateRevocationListUrl") ||
		lacksURL(a.kept, a.DeltaCertificateRevocationListURL, "deltaCertificateRevocationListUrl")
}

// MarshalJSON writes the store as Microsoft Graph does.
func (c Classic) MarshalJSON() ([]byte, error) { return wire.Write(c) }

// UnmarshalJSON reads the store as Microsoft Graph returns it: bare, wrapped in
// {"value": {...}}, or as the list of one that the GET answers,
// {"value": [{...}]}. An empty list is the empty store; a list of several is
// refused, for a tenant has one.
//
// The error is an [*Error].
func (c *Classic) UnmarshalJSON(data []byte) error {
	var list []Classic
	if read(data, &list) == nil && len(list) == 0 && list != nil {
		*c = Classic{CertificateAuthorities: []ClassicAuthority{}}
		return nil
	}
	return read(data, c)
}

// MarshalJSON writes the CA as Microsoft Graph does.
func (a ClassicAuthority) MarshalJSON() ([]byte, error) { return wire.Write(a) }

// UnmarshalJSON reads the CA as Microsoft Graph returns it. The error is an
// [*Error].
func (a *ClassicAuthority) UnmarshalJSON(data []byte) error { return read(data, a) }
