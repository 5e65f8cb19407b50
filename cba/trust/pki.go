package trust

import (
	"encoding/json"
	"fmt"
	"time"
)

// A PKI is one container of the PKI-based trust store: Microsoft Graph's
// certificateBasedAuthPki. Its JSON is exactly Graph's.
type PKI struct {
	// ID is the object's id in the directory, empty before it is created.
	ID string
	// DisplayName names the PKI, in at most [MaxDisplayName] characters. CA scopes
	// refer to a PKI by this name (publicKeyInfrastructureIdentifier).
	DisplayName string
	// Status and StatusDetails tell how the last upload of a bundle went
	// ("succeeded", "running"). Read-only.
	Status        string
	StatusDetails string
	// LastModifiedDateTime and DeletedDateTime are read-only. A PKI with a
	// DeletedDateTime waits in the bin for 30 days and trusts nobody.
	LastModifiedDateTime time.Time
	DeletedDateTime      time.Time
	// CertificateAuthorities are the CAs of the container, in any order.
	CertificateAuthorities []Authority
	// Extra holds every property that this package does not know, OData
	// annotations among them, and known ones whose value was null. All of it is
	// written back; a field that is set wins over its entry here.
	Extra map[string]json.RawMessage
}

// An Authority is one CA of a PKI: Microsoft Graph's
// certificateAuthorityDetail. [NewAuthority] fills one in from a certificate.
type Authority struct {
	// ID is the object's id in the directory, empty before it is created.
	ID string
	// Certificate is the CA's certificate in DER. Required.
	Certificate []byte
	// CertificateAuthorityType is [Root] or [Intermediate]. Required on create.
	CertificateAuthorityType AuthorityType
	// CertificateRevocationListURL is where the CRL is that this CA issues. It is
	// not the address inside the CA's own certificate: that list is its parent's.
	CertificateRevocationListURL string
	// DeltaCertificateRevocationListURL is where the delta CRL is that this CA
	// issues. It needs the base URL beside it (AADSTS500177).
	DeltaCertificateRevocationListURL string
	DisplayName                       string
	// Issuer is the issuer's name as the service shows it; no format is
	// documented. Nothing is decided by it.
	Issuer string
	// IssuerSubjectKeyIdentifier is, despite its name, the subject key identifier
	// of the CA's own certificate, in hexadecimal.
	IssuerSubjectKeyIdentifier string
	// ExpirationDateTime is the end of the certificate's validity. Required on
	// create.
	ExpirationDateTime time.Time
	// Thumbprint is the SHA-1 of the certificate in hexadecimal. Required on
	// create.
	Thumbprint string
	// IsIssuerHintEnabled says whether the CA's subject is sent as an issuer hint;
	// nil when the property is absent, which the service takes as false. See
	// [Config.Hints].
	IsIssuerHintEnabled *bool
	// CreatedDateTime and DeletedDateTime are read-only. A deleted CA is not used.
	CreatedDateTime time.Time
	DeletedDateTime time.Time
	// Extra is as for [PKI].
	Extra map[string]json.RawMessage
}

// An AuthorityType says whether the administrator marked a CA as a root. Values
// that Graph adds later are kept as they are.
type AuthorityType string

const (
	Root         AuthorityType = "root"
	Intermediate AuthorityType = "intermediate"
)

// MarshalJSON writes the PKI as Microsoft Graph does. Empty texts, zero times
// and a nil list are left out.
func (p PKI) MarshalJSON() ([]byte, error) {
	w := newWriter(p.Extra)
	w.text("id", p.ID)
	w.text("displayName", p.DisplayName)
	w.text("status", p.Status)
	w.text("statusDetails", p.StatusDetails)
	w.time("lastModifiedDateTime", p.LastModifiedDateTime)
	w.time("deletedDateTime", p.DeletedDateTime)
	if p.CertificateAuthorities != nil {
		w.value("certificateAuthorities", p.CertificateAuthorities)
	}
	return w.bytes()
}

// UnmarshalJSON reads a PKI as Microsoft Graph returns it, bare or wrapped in
// {"value": ...}; its list of CAs may be an answer of its own, {"value": [...]}.
//
// The error is an [*Error] whose Where names the PKI, the CA and the property.
func (p *PKI) UnmarshalJSON(data []byte) error {
	if err := p.unmarshal(data); err != nil {
		return err
	}
	return nil
}

func (p *PKI) unmarshal(data []byte) *Error {
	data, err := unwrap(data)
	if err != nil {
		return err
	}
	r, err := readObject(data)
	if r == nil {
		return err
	}
	var in PKI
	readValue(r, "id", &in.ID)
	readValue(r, "displayName", &in.DisplayName)
	readValue(r, "status", &in.Status)
	readValue(r, "statusDetails", &in.StatusDetails)
	readValue(r, "lastModifiedDateTime", &in.LastModifiedDateTime)
	readValue(r, "deletedDateTime", &in.DeletedDateTime)
	if list, ok := r.take("certificateAuthorities"); ok {
		in.CertificateAuthorities, err = readAuthorities(list)
		if err != nil {
			r.fail(err, "")
		}
	}
	if r.err != nil {
		return r.err.at(fmt.Sprintf("PKI %q", in.DisplayName))
	}
	in.Extra = r.rest()
	*p = in
	return nil
}

// readAuthorities reads a list of CAs, bare or in its envelope.
func readAuthorities(data []byte) ([]Authority, *Error) {
	data, err := unwrap(data)
	if err != nil {
		return nil, err.at("certificateAuthorities")
	}
	elements, err := readList(data)
	if err != nil {
		return nil, err.at("certificateAuthorities")
	}
	list := make([]Authority, len(elements))
	for i, element := range elements {
		if err := list[i].unmarshal(element); err != nil {
			return nil, err.at(fmt.Sprintf("CA %q (certificateAuthorities[%d])", list[i].DisplayName, i))
		}
	}
	return list, nil
}

// MarshalJSON writes the CA as Microsoft Graph does, the delta URL spelled as
// the published schema has it. Empty texts, zero times and a nil
// IsIssuerHintEnabled are left out.
func (a Authority) MarshalJSON() ([]byte, error) {
	w := newWriter(a.Extra)
	w.text("id", a.ID)
	w.text("displayName", a.DisplayName)
	w.text("certificateAuthorityType", string(a.CertificateAuthorityType))
	if a.Certificate != nil {
		w.value("certificate", a.Certificate)
	}
	w.text("certificateRevocationListUrl", a.CertificateRevocationListURL)
	w.text(deltaName, a.DeltaCertificateRevocationListURL)
	w.text("issuer", a.Issuer)
	w.text("issuerSubjectKeyIdentifier", a.IssuerSubjectKeyIdentifier)
	w.time("expirationDateTime", a.ExpirationDateTime)
	w.text("thumbprint", a.Thumbprint)
	if a.IsIssuerHintEnabled != nil {
		w.value("isIssuerHintEnabled", *a.IsIssuerHintEnabled)
	}
	w.time("createdDateTime", a.CreatedDateTime)
	w.time("deletedDateTime", a.DeletedDateTime)
	return w.bytes()
}

// UnmarshalJSON reads a CA as Microsoft Graph returns it, bare or wrapped in
// {"value": ...}, with either spelling of the delta URL. The certificate must be
// base64; whether it is a certificate is found out by [Config.Compile].
//
// The error is an [*Error].
func (a *Authority) UnmarshalJSON(data []byte) error {
	if err := a.unmarshal(data); err != nil {
		return err
	}
	return nil
}

// The schema and the client libraries have a capital C; the pages of the PKI
// store, and answers seen from it, do not.
const (
	deltaName      = "deltaCertificateRevocationListUrl"
	deltaNameOnWeb = "deltacertificateRevocationListUrl"
)

func (r *reader) deltaURL(dst *string) {
	var schema, web string
	readValue(r, deltaName, &schema)
	readValue(r, deltaNameOnWeb, &web)
	if _, null := r.left[deltaNameOnWeb]; null { // the one spelling is written
		r.left[deltaName] = r.left[deltaNameOnWeb]
		delete(r.left, deltaNameOnWeb)
	}
	switch {
	case schema == "":
		schema = web
	case web != "" && web != schema:
		r.fail(&Error{Reason: Conflict, Text: fmt.Sprintf("%q and %q", schema, web)}, deltaName)
	}
	if schema != "" {
		delete(r.left, deltaName)
	}
	*dst = schema
}

// unmarshal leaves DisplayName set even if it fails, for the message.
func (a *Authority) unmarshal(data []byte) *Error {
	data, err := unwrap(data)
	if err != nil {
		return err
	}
	r, err := readObject(data)
	if r == nil {
		return err
	}
	var in Authority
	readValue(r, "id", &in.ID)
	readValue(r, "displayName", &in.DisplayName)
	readValue(r, "certificateAuthorityType", &in.CertificateAuthorityType)
	r.binary("certificate", &in.Certificate)
	readValue(r, "certificateRevocationListUrl", &in.CertificateRevocationListURL)
	r.deltaURL(&in.DeltaCertificateRevocationListURL)
	readValue(r, "issuer", &in.Issuer)
	readValue(r, "issuerSubjectKeyIdentifier", &in.IssuerSubjectKeyIdentifier)
	readValue(r, "expirationDateTime", &in.ExpirationDateTime)
	readValue(r, "thumbprint", &in.Thumbprint)
	readValue(r, "isIssuerHintEnabled", &in.IsIssuerHintEnabled)
	readValue(r, "createdDateTime", &in.CreatedDateTime)
	readValue(r, "deletedDateTime", &in.DeletedDateTime)
	in.Extra = r.rest()
	if r.err != nil {
		a.DisplayName = in.DisplayName
		return r.err
	}
	*a = in
	return nil
}
