// Package shape has what the results of several programs have in common: in JSON, one
// thing has one name and one form everywhere. docs/schema describes it.
package shape

import (
	"crypto/x509"
	"encoding/hex"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/folder"
)

// An ID is a value of certificateUserIds.
type ID struct {
	Mapping  certuserid.Mapping  `json:"mapping"`
	Value    certuserid.ID       `json:"value"`
	Affinity certuserid.Affinity `json:"affinity"`
}

// IDs are the values that bind a certificate.
func IDs(cert *x509.Certificate) []ID {
	ids := []ID{}
	for _, id := range certuserid.All(cert) {
		ids = append(ids, ID{id.Mapping(), id, id.Mapping().Affinity()})
	}
	return ids
}

// ManifestIDs are those that a manifest lists.
func ManifestIDs(u folder.User) []ID {
	ids := []ID{}
	for _, m := range certuserid.Mappings() {
		if id, ok := u.CertificateUserIDs[m]; ok {
			ids = append(ids, ID{m, id, m.Affinity()})
		}
	}
	return ids
}

// A Certificate says which certificate something is about.
type Certificate struct {
	Subject      string    `json:"subject,omitempty"`
	Issuer       string    `json:"issuer,omitempty"`
	SerialNumber string    `json:"serialNumber"` // hexadecimal
	Thumbprint   string    `json:"thumbprint"`
	NotAfter     time.Time `json:"notAfter"`
	File         string    `json:"file,omitempty"`
}

// CertificateOf describes a certificate.
func CertificateOf(cert *x509.Certificate) *Certificate {
	return &Certificate{Subject: dn.Show(cert.RawSubject), Issuer: dn.Show(cert.RawIssuer), SerialNumber: hex.EncodeToString(cert.SerialNumber.Bytes()),
		Thumbprint: cba.Thumbprint(cert), NotAfter: cert.NotAfter.UTC()}
}
