package trust

import (
	"encoding/json"
	"fmt"
)

// ClassicID is the id of the one classic trust store that a tenant can have.
const ClassicID = "29728ade-6ae4-4ee9-9103-412912537da5"

// A Classic is the classic trust store: Microsoft Graph's
// certificateBasedAuthConfiguration. There is at most one in a tenant, and it
// has no update: it is deleted and created anew. The zero value is an empty
// store.
type Classic struct {
	// ID is [ClassicID] in what Graph returns.
	ID string
	// CertificateAuthorities are the CAs, in any order.
	CertificateAuthorities []ClassicAuthority
	// Extra is as for [PKI].
	Extra map[string]json.RawMessage
}

// A ClassicAuthority is one CA of the classic store: Microsoft Graph's
// certificateAuthority.
type ClassicAuthority struct {
	// Certificate is the CA's certificate in DER. Required.
	Certificate []byte
	// IsRootAuthority marks a root. Required, so it is always written.
	IsRootAuthority bool
	// The URLs are as for [Authority].
	CertificateRevocationListURL      string
	DeltaCertificateRevocationListURL string
	// Issuer and IssuerSKI are read-only: the service works them out from the
	// certificate.
	Issuer    string
	IssuerSKI string
	// Extra is as for [PKI].
	Extra map[string]json.RawMessage
}

// MarshalJSON writes the store as Microsoft Graph does. The list of CAs is
// always written: the schema says that it is never null.
func (c Classic) MarshalJSON() ([]byte, error) {
	w := newWriter(c.Extra)
	w.text("id", c.ID)
	list := c.CertificateAuthorities
	if list == nil {
		list = []ClassicAuthority{}
	}
	w.value("certificateAuthorities", list)
	return w.bytes()
}

// UnmarshalJSON reads the store as Microsoft Graph returns it: bare, wrapped in
// {"value": {...}}, or as the list of one that the GET answers,
// {"value": [{...}]}. An empty list is the empty store.
//
// The error is an [*Error] whose Where names the CA and the property.
func (c *Classic) UnmarshalJSON(data []byte) error {
	if err := c.unmarshal(data); err != nil {
		return err
	}
	return nil
}

func (c *Classic) unmarshal(data []byte) *Error {
	const where = "classic store"
	data, err := unwrap(data)
	if err != nil {
		return err.at(where)
	}
	if kind(data) == '[' {
		list, err := readList(data)
		if err != nil {
			return err.at(where)
		}
		switch len(list) {
		case 0:
			*c = Classic{}
			return nil
		case 1:
			data = list[0]
		default: // the id is fixed, so this is not what a tenant has
			return &Error{Reason: Duplicate, Where: where, Text: fmt.Sprintf("%d objects where a tenant has one", len(list))}
		}
	}
	r, err := readObject(data)
	if r == nil {
		return err.at(where)
	}
	var in Classic
	readValue(r, "id", &in.ID)
	if value, ok := r.take("certificateAuthorities"); ok {
		elements, err := readList(value)
		if err != nil {
			r.fail(err, "certificateAuthorities")
		}
		in.CertificateAuthorities = make([]ClassicAuthority, len(elements))
		for i, element := range elements {
			if err := in.CertificateAuthorities[i].unmarshal(element); err != nil {
				r.fail(err, fmt.Sprintf("certificateAuthorities[%d]", i))
			}
		}
	}
	if r.err != nil {
		return r.err.at(where)
	}
	delete(r.left, "certificateAuthorities") // a null is written as the empty list
	in.Extra = r.rest()
	*c = in
	return nil
}

// MarshalJSON writes the CA as Microsoft Graph does. Empty texts are left out.
func (a ClassicAuthority) MarshalJSON() ([]byte, error) {
	w := newWriter(a.Extra)
	w.value("isRootAuthority", a.IsRootAuthority)
	if a.Certificate != nil {
		w.value("certificate", a.Certificate)
	}
	w.text("certificateRevocationListUrl", a.CertificateRevocationListURL)
	w.text(deltaName, a.DeltaCertificateRevocationListURL)
	w.text("issuer", a.Issuer)
	w.text("issuerSki", a.IssuerSKI)
	return w.bytes()
}

// UnmarshalJSON reads the CA as Microsoft Graph returns it. The error is an
// [*Error].
func (a *ClassicAuthority) UnmarshalJSON(data []byte) error {
	if err := a.unmarshal(data); err != nil {
		return err
	}
	return nil
}

func (a *ClassicAuthority) unmarshal(data []byte) *Error {
	r, err := readObject(data)
	if r == nil {
		return err
	}
	var in ClassicAuthority
	readValue(r, "isRootAuthority", &in.IsRootAuthority)
	r.binary("certificate", &in.Certificate)
	readValue(r, "certificateRevocationListUrl", &in.CertificateRevocationListURL)
	r.deltaURL(&in.DeltaCertificateRevocationListURL)
	readValue(r, "issuer", &in.Issuer)
	readValue(r, "issuerSki", &in.IssuerSKI)
	if r.err != nil {
		return r.err
	}
	delete(r.left, "isRootAuthority") // a null is written as false
	in.Extra = r.rest()
	*a = in
	return nil
}
